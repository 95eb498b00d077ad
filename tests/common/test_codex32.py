"""codex32 against the test vectors of BIP 93, and a string that Core Lightning wrote."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

from pylightningd.common.codex32 import Codex32, Codex32Error, combine, encode_secret

INVALID = json.loads(Path(__file__).with_name("codex32_invalid.json").read_text())
LONG = (
    "MS100C8VSM32ZXFGUHPCHTLUPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZYGSFJD6AN074RXVCEMLH8WU3TK925A"
    "CDEFGHJKLMNPQRSTUVWXY06FHPV80UNDVARHRAK"
)
LONG_SEED = (
    "dc5423251cb87175ff8110c8531d0952d8d73e1194e95b5f19d6f9df7c01111104c9baecdfea8cccc677fb9ddc8aec5553b86e528bca"
    "dfdcc201c17c638c47e9"
)
CLN = "cl10leetsllhdmn9m42vcsamx24zrxgs3qrl7ahwvhw4fnzrhve25gvezzyqqjdsjnzedu43ns"
CLN_SECRET = bytes.fromhex("ffeeddccbbaa99887766554433221100" * 2)


def test_vector_1() -> None:
    secret = Codex32.decode("ms10testsxxxxxxxxxxxxxxxxxxxxxxxxxx4nzvca9cmczlw")
    assert (secret.threshold, secret.identifier, secret.index) == (0, "test", "s")
    assert secret.is_secret
    assert secret.payload.hex() == "318c6318c6318c6318c6318c6318c631"


def test_vector_2_shares_give_the_secret_and_more_shares() -> None:
    shares = [
        Codex32.decode("MS12NAMEA320ZYXWVUTSRQPNMLKJHGFEDCAXRPP870HKKQRM"),
        Codex32.decode("MS12NAMECACDEFGHJKLMNPQRSTUVWXYZ023FTR2GDZMPY6PN"),
    ]
    derived = "MS12NAMEDLL4F8JLH4E5VDVULDLFXU2JHDNLSM97XVENRXEG"
    assert combine(shares, "d").encode() == derived.lower()
    secret = combine(shares)
    assert secret.encode() == "MS12NAMES6XQGUZTTXKEQNJSJZV4JV3NZ5K3KWGSPHUH6EVW".lower()
    assert secret.payload.hex() == "d1808e096b35b209ca12132b264662a5"


def test_vector_3_any_three_of_five() -> None:
    shares = [
        Codex32.decode(text)
        for text in (
            "ms13casha320zyxwvutsrqpnmlkjhgfedca2a8d0zehn8a0t",
            "ms13cashcacdefghjklmnpqrstuvwxyz023949xq35my48dr",
            "ms13cashd0wsedstcdcts64cd7wvy4m90lm28w4ffupqs7rm",
            "ms13casheekgpemxzshcrmqhaydlp6yhms3ws7320xyxsar9",
            "ms13cashf8jh6sdrkpyrsp5ut94pj8ktehhw2hfvyrj48704",
        )
    ]
    for three in combinations(shares, 3):
        assert combine(three).payload.hex() == "ffeeddccbbaa99887766554433221100"
    assert combine(shares[:3]).encode() == "ms13cashsllhdmn9m42vcsamx24zrxgs3qqjzqud4m0d6nln"


@pytest.mark.parametrize(
    "text",
    [
        "ms13cashsllhdmn9m42vcsamx24zrxgs3qpte35dvzkjpt0r",
        "ms13cashsllhdmn9m42vcsamx24zrxgs3qzfatvdwq5692k6",
        "ms13cashsllhdmn9m42vcsamx24zrxgs3qrsx6ydhed97jx2",
    ],
)
def test_bits_that_fill_up_do_not_count(text: str) -> None:
    assert Codex32.decode(text).payload.hex() == "ffeeddccbbaa99887766554433221100"


def test_vector_4_is_written_as_well() -> None:
    text = "ms10leetsllhdmn9m42vcsamx24zrxgs3qrl7ahwvhw4fnzrhve25gvezzyqqtum9pgv99ycma"
    assert Codex32.decode(text).payload == CLN_SECRET
    assert encode_secret(CLN_SECRET, "leet") == text


def test_vector_5_is_long() -> None:
    secret = Codex32.decode(LONG)
    assert secret.payload.hex() == LONG_SEED
    assert secret.encode() == LONG.lower()


def test_another_prefix_has_another_checksum() -> None:
    assert Codex32.decode(CLN, "cl").payload == CLN_SECRET
    assert encode_secret(CLN_SECRET, "leet", "cl") == CLN
    with pytest.raises(Codex32Error, match="begin with 'ms1'"):
        Codex32.decode(CLN)


@pytest.mark.parametrize("text", [text for texts in INVALID.values() for text in texts])
def test_invalid_vectors(text: str) -> None:
    with pytest.raises(Codex32Error):
        Codex32.decode(text)


def test_says_where_a_character_is_wrong() -> None:
    good = "ms10testsxxxxxxxxxxxxxxxxxxxxxxxxxx4nzvca9cmczlw"
    one = good[:20] + "q" + good[21:]
    with pytest.raises(Codex32Error, match="wrong checksum: perhaps character 21 should be 'x'$"):
        Codex32.decode(one)
    two = one[:40] + "q" + one[41:]
    hint = f"character 21 should be 'x' and 41 should be '{good[40]}'$"
    with pytest.raises(Codex32Error, match=hint):
        Codex32.decode(two)
    with pytest.raises(Codex32Error, match=r"character 30 \('b'\) cannot be"):
        Codex32.decode(good[:29] + "b" + good[30:])
    many = "".join("q" if n in (12, 18, 25, 31, 40) else c for n, c in enumerate(good))
    with pytest.raises(Codex32Error, match="wrong checksum$"):
        Codex32.decode(many)


def test_shares_that_do_not_belong_together() -> None:
    a = Codex32.decode("MS12NAMEA320ZYXWVUTSRQPNMLKJHGFEDCAXRPP870HKKQRM")
    other = Codex32.decode("ms13casha320zyxwvutsrqpnmlkjhgfedca2a8d0zehn8a0t")
    with pytest.raises(Codex32Error, match="belong together"):
        combine([a, other])
    with pytest.raises(Codex32Error, match="given twice"):
        combine([a, a])
    with pytest.raises(Codex32Error, match="2 shares are needed, 1 were given"):
        combine([a])
    with pytest.raises(Codex32Error, match="four of the characters"):
        encode_secret(bytes(32), "bad!")
