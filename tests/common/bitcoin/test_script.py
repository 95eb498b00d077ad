"""Standard scripts and what a shutdown may pay to. BOLT 3's scripts are tested in channel/."""

from __future__ import annotations

import pytest

from pylightningd.common.bitcoin import script as sc

KEY1 = bytes.fromhex("023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb")
KEY2 = bytes.fromhex("030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c1")


def test_numbers_are_minimal() -> None:
    shown = {n: sc.push_number(n).hex() for n in (0, 1, 16, 17, 127, 128, 144, 255, 256, 500)}
    assert shown == {
        0: "00", 1: "51", 16: "60", 17: "0111", 127: "017f", 128: "028000", 144: "029000",
        255: "02ff00", 256: "020001", 500: "02f401",
    }  # fmt: skip
    assert sc.push_number(499_999_999).hex() == "04ff64cd1d"


def test_funding_script_sorts_keys() -> None:
    assert sc.funding_script(KEY1, KEY2) == sc.funding_script(KEY2, KEY1)
    assert sc.funding_script(KEY2, KEY1).hex() == f"5221{KEY1.hex()}21{KEY2.hex()}52ae"
    assert sc.p2wsh(sc.funding_script(KEY1, KEY2)).hex() == (
        "0020c015c4a6be010e21657068fc2e6a9d02b27ebe4d490a25846f7237f104d1a3cd"
    )
    assert sc.funding_witness(KEY2, b"2", KEY1, b"1") == sc.funding_witness(KEY1, b"1", KEY2, b"2")


def test_htlc_script_sizes() -> None:
    # BOLT 3, "Appendix A: Expected Weights".
    for anchors, offered, received in ((False, 133, 138), (True, 136, 141)):
        args = (KEY1, KEY2, KEY1, bytes(32))
        assert len(sc.offered_htlc_script(*args, anchors=anchors)) == offered
        # The appendix counts 4 bytes of expiry; this one has 2.
        assert len(sc.received_htlc_script(*args, 500, anchors=anchors)) == received


P2WPKH, P2WSH = b"\x00\x14" + bytes(20), b"\x00\x20" + bytes(32)


@pytest.mark.parametrize(
    ("script", "plain", "anysegwit", "simple", "old"),
    [
        (P2WPKH, True, True, True, True),
        (P2WSH, True, True, True, True),
        (b"\x51\x20" + bytes(32), False, True, False, False),
        (b"\x60\x02" + bytes(2), False, True, False, False),
        (b"\x51\x01" + bytes(1), False, False, False, False),
        (b"\x00\x15" + bytes(21), False, False, False, False),
        (sc.p2pkh(bytes(20)), False, False, False, True),
        (sc.p2sh(bytes(20)), False, False, False, True),
        (b"\x6a\x06" + bytes(6), False, False, True, False),
        (b"\x6a\x4b" + bytes(75), False, False, True, False),
        (b"\x6a\x4c\x50" + bytes(80), False, False, True, False),
        (b"\x6a\x4c\x51" + bytes(81), False, False, False, False),
        (b"\x6a\x4c\x4b" + bytes(75), False, False, False, False),
        (b"\x6a\x05" + bytes(5), False, False, False, False),
        (b"\x6a", False, False, False, False),
        (b"", False, False, False, False),
    ],
)
def test_shutdown_scripts(
    script: bytes, plain: bool, anysegwit: bool, simple: bool, old: bool
) -> None:
    check = sc.is_valid_shutdown_script
    assert check(script, anysegwit=False) is plain
    assert check(script, anysegwit=True) is (plain or anysegwit)
    assert check(script, anysegwit=False, simple_close=True) is (plain or simple)
    assert check(script, anysegwit=False, allow_old=True) is (plain or old)
