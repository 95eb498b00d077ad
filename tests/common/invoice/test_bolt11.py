"""BOLT 11: all examples of the text, and invoices of every shape there and back."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import MAX_MSAT, Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.invoice import bech32
from pylightningd.common.invoice.bolt11 import (
    Fallback,
    Invoice,
    InvoiceError,
    RouteHint,
    UnknownField,
    decode,
    encode,
    finish,
    signed_hash,
    signing_hash,
    signing_parts,
)
from pylightningd.common.invoice.bolt11_write import hash_parts

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "bolt11.json").read_text())
KEY = PrivateKey(bytes.fromhex(VECTORS["private_key"]))
PAYEE = NodeId(KEY.public_key.format())
# The example turned s over but kept the recovery id, so another key than the usual one is recovered.
HIGH_S_PAYEE = bytes.fromhex("02d0139ce7427d6dfffd26a326c18be754ef1e64672b42694ba5b23ef6e6e7803d")
HASH = bytes.fromhex("0001020304050607080900010203040506070809000102030405060708090102")
SECRET = b"\x11" * 32
LIST = "One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, one lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon"
HOP_KEY = bytes.fromhex("029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255")


def sign(digest: bytes) -> bytes:
    return KEY.sign_recoverable(digest, hasher=None)


def _btc(text: str) -> Msat:
    whole, _, part = text.partition(".")
    return Msat(int(whole + part.ljust(11, "0")))


def _hashed(**more: Any) -> dict[str, Any]:
    return {
        "amount": _btc("0.02"),
        "description_hash": sha256(LIST.encode()).digest(),
        "features": b"\x41\x00",
        **more,
    }


def _fallback(version: int, program: str) -> dict[str, Any]:
    return _hashed(fallbacks=(Fallback(version, bytes.fromhex(program)),))


BEANS = {
    "amount": _btc("0.025"),
    "description": "coffee beans",
    "features": (1 << 99 | 1 << 14 | 1 << 8).to_bytes(13, "big"),
}
ROUTE = (
    RouteHint(NodeId(HOP_KEY), ShortChannelId.make(66051, 263430, 1800), 1, 20, 3),
    RouteHint(NodeId(b"\x03" + HOP_KEY[1:]), ShortChannelId.make(197637, 395016, 2314), 2, 30, 4),
)
EXPECTED: dict[str, dict[str, Any]] = {
    "donation": {"description": "Please consider supporting this project", "features": b"\x41\x00"},
    "coffee": {"amount": _btc("0.0025"), "description": "1 cup coffee", "expiry": 60},
    "utf8_description": {"amount": _btc("0.0025"), "description": "ナンセンス 1杯", "expiry": 60},
    "hashed_description": _hashed(),
    "testnet_p2pkh": _fallback(17, "3172b5654f6683c8fb146959d347ce303cae4ca7") | {"currency": "tb"},
    "p2pkh_and_two_routes": _fallback(17, "04b61f7dc1ea0dc99424464cc4064dc564d91e89")
    | {"routes": (ROUTE,)},
    "p2sh": _fallback(18, "8f55563b9a19f321c211e9b9f38cdf686ea07845"),
    "p2wpkh": _fallback(0, "751e76e8199196d454941c45d1b3a323f1433bd6"),
    "p2wsh": _fallback(0, "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"),
    "p2tr": _fallback(1, "0adac43daa9c8a5a68e09ea10692b82226ee190e572db9b90e17a410484ab405"),
    "pico_amount": {
        "amount": Msat(967878534),
        "timestamp": 1572468703,
        "expiry": 604800,
        "min_final_cltv_expiry": 10,
        "payment_hash": bytes.fromhex(
            "462264ede7e14047e9b249da94fefc47f41f7d02ee9b091815a5506bc8abf75f"
        ),
        "routes": (
            (
                RouteHint(
                    NodeId(
                        bytes.fromhex(
                            "03d06758583bb5154774a6eb221b1276c9e82d65bbaceca806d90e20c108f4b1c7"
                        )
                    ),
                    ShortChannelId.make(589390, 3312, 1),
                    1000,
                    2500,
                    40,
                ),
            ),
        ),
    },
    "features_8_14_99": BEANS,
    "upper_case": BEANS,
    "ignored_fields": BEANS,
    "metadata": {
        "amount": _btc("0.01"),
        "description": "payment metadata inside",
        "metadata": bytes.fromhex("01fafaf0"),
        "features": (1 << 48 | 1 << 14 | 1 << 8).to_bytes(7, "big"),
    },
    "high_s_recovered": {
        "description": "Please consider supporting this project",
        "payee": HIGH_S_PAYEE,
    },
}
REASONS = {
    "unknown_even_feature_100": "unknown feature bit 100",
    "bad_checksum": "checksum",
    "no_separator": "separator",
    "mixed_case": "mixed",
    "unrecoverable_signature": "recovery failed",
    "too_short": "too short",
    "bad_multiplier": "Invalid amount '2500x'",
    "sub_millisatoshi": "sub-millisatoshi",
    "no_payment_secret": "payment secret",
    "high_s_with_payee_field": "invalid signature",
}


@pytest.mark.parametrize("example", VECTORS["valid"], ids=lambda e: e["name"])
def test_valid_examples(example: dict[str, Any]) -> None:
    invoice = decode(example["text"])
    wanted = {
        "currency": "bc",
        "timestamp": 1496314658,
        "payment_hash": HASH,
        "payment_secret": SECRET,
    }
    wanted |= {"amount": None, "payee": PAYEE, "has_payee_field": False, "metadata": None}
    wanted |= EXPECTED[example["name"]]
    assert {name: getattr(invoice, name) for name in wanted} == wanted
    if "signature" in example:
        assert invoice.signature is not None
        assert invoice.signature.hex() == example["signature"] + f"{example['recovery_id']:02x}"
        assert signed_hash(example["text"]).hex() == example["signed_hash"]


@pytest.mark.parametrize("example", VECTORS["valid"], ids=lambda e: e["name"])
def test_valid_examples_written_again(example: dict[str, Any]) -> None:
    invoice = decode(example["text"])
    again = decode(encode(invoice, sign))
    assert replace(again, signature=None) == replace(invoice, signature=None, payee=PAYEE)


@pytest.mark.parametrize("example", VECTORS["invalid"], ids=lambda e: e["name"])
def test_invalid_examples(example: dict[str, Any]) -> None:
    with pytest.raises(InvoiceError, match=REASONS[example["name"]]):
        decode(example["text"])


def test_ignored_fields_are_kept_as_unknown() -> None:
    example = next(e for e in VECTORS["valid"] if e["name"] == "ignored_fields")
    assert [f.tag for f in decode(example["text"]).unknown] == list("2fpphhssnn")


def test_hash_of_description() -> None:
    text = next(e["text"] for e in VECTORS["valid"] if e["name"] == "hashed_description")
    assert decode(text, description=LIST).description is None
    with pytest.raises(InvoiceError, match="does not match"):
        decode(text, description="something else")


BASE = Invoice(
    currency="bcrt", timestamp=1700000000, payment_hash=HASH, payment_secret=SECRET, description="d"
)


def test_uri_prefix_and_currency() -> None:
    text = encode(BASE, sign)
    assert decode("lightning:" + text) == decode("LIGHTNING:" + text.upper()) == decode(text)
    assert decode(text, currency="bcrt").network == "regtest"
    with pytest.raises(InvoiceError, match="bcrt is not for lnbc"):
        decode(text, currency="bc")


def test_signer_that_hashes_itself() -> None:
    hrp, words = signing_parts(BASE)
    assert hash_parts(hrp, list(words)) == signing_hash(BASE)
    assert finish(BASE, sign(signing_hash(BASE))) == encode(BASE, sign)


@pytest.mark.parametrize(
    ("msat", "text"),
    [
        (10**11, "1"),
        (2 * 10**12, "20"),
        (10**8, "1m"),
        (10**5, "1u"),
        (100, "1n"),
        (1, "10p"),
        (967878534, "9678785340p"),
        (123 * 10**8, "123m"),
    ],
)
def test_shortest_amount(msat: int, text: str) -> None:
    made = encode(replace(BASE, amount=Msat(msat)), sign)
    assert made.startswith(f"lnbcrt{text}1")
    assert decode(made).amount == Msat(msat)


def _signed(hrp: str, *fields: tuple[str, list[int]]) -> str:
    words = [0] * 7
    for tag, data in fields:
        words += [bech32.CHARSET.index(tag), len(data) >> 5, len(data) & 31, *data]
    return bech32.encode(hrp, words + bech32.to_words(sign(hash_parts(hrp, words))))


P = ("p", bech32.to_words(HASH))
S = ("s", bech32.to_words(SECRET))
D = ("d", bech32.to_words(b"x"))
H = ("h", bech32.to_words(HASH))


@pytest.mark.parametrize(
    ("hrp", "fields", "reason"),
    [
        ("lnbc", (P, S), "either 'd' or 'h'"),
        ("lnbc", (P, S, D, H), "not both"),
        ("lnbc", (S, D), "No valid 'p'"),
        ("lnbc", (("p", P[1] + [0]), S, D), "No valid 'p'"),
        ("lnbc", (P, D), "payment secret"),
        ("lnbc", (P, S, ("d", bech32.to_words(b"\xff"))), "utf8"),
        ("lnbc", (P, S, ("d", [0, 0, 0])), "left over"),
        ("lnbc", (P, S, D, ("x", [0, 1])), "x: not a minimal"),
        ("lnbc", (P, S, D, ("x", [31] * 13)), "x: .* too large"),
        ("lnbc", (P, S, D, ("c", [0, 1])), "c: not a minimal"),
        ("lnbc", (P, S, D, ("c", [31] * 7)), "c: .* too large"),
        ("lnbc", (P, S, D, ("9", [0, 1])), "9: non-minimal"),
        ("lnbc", (P, S, D, ("9", [4])), "unknown feature bit 2"),
        ("lnbc", (P, S, D, ("f", [])), "f: truncated"),
        ("lnbc", (P, S, D, ("f", [17, 0, 0, 0, 0, 0, 0, 0, 0])), "not an address"),
        ("lnbc", (P, S, D, ("f", [1, *bech32.to_words(bytes(20))])), "version 1 with 20"),
        ("lnbc", (P, S, D, ("n", bech32.to_words(b"\x02" + b"\xff" * 32))), "n: invalid public"),
        ("lnbc", (P, S, D, ("n", bech32.to_words(HOP_KEY))), "invalid signature"),
        ("lnbc", (P, S, D, ("r", [])), "r: hop 0 truncated"),
        ("lnbc", (P, S, D, ("r", bech32.to_words(HOP_KEY + bytes(17)))), "r: hop 0 truncated"),
        ("lnbc", (P, S, D, ("r", bech32.to_words(bytes(51)))), "r: invalid public key"),
        ("lnxx", (P, S, D), "Unknown chain xx"),
        ("xxbc", (P, S, D), "does not start with ln"),
        ("lnbcm", (P, S, D), "Unknown chain bcm"),
        ("lnbc2mm", (P, S, D), "Invalid amount"),
        ("lnbc0", (P, S, D), "more than 0"),
        ("lnbc21000001", (P, S, D), "not within"),
        ("lnbc" + "9" * 40, (P, S, D), "Invalid amount"),
    ],
)
def test_rules_for_readers(hrp: str, fields: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(InvoiceError, match=reason):
        decode(_signed(hrp, *fields))


def test_first_of_repeated_fields_counts() -> None:
    invoice = decode(_signed("lnbc", P, S, D, ("d", bech32.to_words(b"second")), ("9", [2])))
    assert (invoice.description, invoice.features) == ("x", b"\x02")
    assert invoice.unknown == (UnknownField("d", tuple(bech32.to_words(b"second"))),)
    assert invoice.has_feature(0)
    assert not invoice.has_feature(2)


def test_truncated_field() -> None:
    words = [0] * 7 + [1, 1, 20]
    text = bech32.encode("lnbc", words + [0] * 104)
    with pytest.raises(InvoiceError, match="p: truncated"):
        decode(text)
    with pytest.raises(InvoiceError, match="no length"):
        decode(bech32.encode("lnbc", [0] * 9 + [0] * 104))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"payment_hash": b""}, "payment_hash has 32"),
        ({"payment_secret": bytes(31)}, "payment_secret has 32"),
        ({"description": None}, "either a description"),
        ({"description_hash": HASH}, "either a description"),
        ({"description": None, "description_hash": b"x"}, "32 bytes"),
        ({"description": "x" * 640}, "'d' is too long"),
        ({"timestamp": 1 << 35}, "35 bits"),
        ({"amount": Msat(0)}, "amount of 0"),
        ({"has_payee_field": True}, "payee is not set"),
        ({"expiry": -1}, "not negative"),
    ],
)
def test_rules_for_writers(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvoiceError, match=reason):
        signing_hash(replace(BASE, **change))


def test_short_signature_and_bad_recovery_id() -> None:
    with pytest.raises(InvoiceError, match="65 bytes"):
        finish(BASE, bytes(64))
    with pytest.raises(InvoiceError, match="recovery ID: 4"):
        decode(finish(BASE, sign(signing_hash(BASE))[:64] + b"\x04"))


hints = st.builds(
    RouteHint,
    st.just(NodeId(HOP_KEY)),
    st.integers(0, (1 << 64) - 1).map(ShortChannelId),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, (1 << 16) - 1),
)
fallbacks = st.one_of(
    st.builds(Fallback, st.sampled_from([0, 17, 18]), st.binary(min_size=20, max_size=20)),
    st.builds(Fallback, st.sampled_from([0, 1]), st.binary(min_size=32, max_size=32)),
    st.builds(Fallback, st.integers(2, 16), st.binary(min_size=2, max_size=40)),
)
features = st.sets(st.integers(0, 150)).map(
    lambda bits: sum(1 << (bit * 2 + 1) for bit in bits).to_bytes(40, "big").lstrip(b"\x00")
)
invoices = st.builds(
    Invoice,
    currency=st.sampled_from(["bc", "tb", "tbs", "bcrt"]),
    timestamp=st.integers(0, (1 << 35) - 1),
    payment_hash=st.binary(min_size=32, max_size=32),
    payment_secret=st.binary(min_size=32, max_size=32),
    amount=st.none() | st.integers(1, MAX_MSAT).map(Msat),
    description=st.text(max_size=150),
    payee=st.just(PAYEE),
    has_payee_field=st.booleans(),
    expiry=st.integers(0, (1 << 60) - 1),
    min_final_cltv_expiry=st.integers(0, (1 << 32) - 1),
    fallbacks=st.lists(fallbacks, max_size=3).map(tuple),
    routes=st.lists(st.lists(hints, min_size=1, max_size=3).map(tuple), max_size=2).map(tuple),
    features=features,
    metadata=st.none() | st.binary(max_size=80),
    unknown=st.lists(
        st.builds(UnknownField, st.just("2"), st.lists(st.integers(0, 31), max_size=9).map(tuple)),
        max_size=2,
    ).map(tuple),
)


@given(invoices)
def test_round_trip(invoice: Invoice) -> None:
    assert replace(decode(encode(invoice, sign)), signature=None) == invoice


@given(st.integers(0, 100), st.integers(0, 31))
def test_one_changed_word_never_passes(place: int, value: int) -> None:
    hrp, words = bech32.decode(encode(BASE, sign))
    changed = [*words[:place], value, *words[place + 1 :]]
    if changed == words:
        return
    try:
        read = decode(bech32.encode(hrp, changed), known_features=None)
    except InvoiceError:
        return
    assert read.payee != PAYEE


@given(st.text(max_size=50), st.lists(st.integers(0, 31), min_size=111, max_size=200))
def test_garbage_is_only_ever_an_invoice_error(text: str, words: list[int]) -> None:
    for attempt in (text, bech32.encode("lnbc", words)):
        try:
            decode(attempt)
        except InvoiceError:
            pass


def test_scripts() -> None:
    assert Fallback(17, bytes(20)).script().hex() == "76a914" + "00" * 20 + "88ac"
    assert Fallback(18, bytes(20)).script().hex() == "a914" + "00" * 20 + "87"
    assert Fallback(0, bytes(20)).script().hex() == "0014" + "00" * 20
    assert Fallback(1, bytes(32)).script().hex() == "5120" + "00" * 32
