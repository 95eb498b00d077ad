"""Addresses: BIP 350's samples, base58, and any program there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.bitcoin import address as ad
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.network import BITCOIN, NETWORKS, REGTEST, SIGNET, TESTNET

VALID = {
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7": (
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
    ),
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y": (
        "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"
    ),
    "BC1SW50QGDZ25J": "6002751e",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": "5210751e76e8199196d454941c45d1b3a323",
    "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c": (
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": (
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    ),
}
INVALID = (
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",  # bech32 for version 1
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",  # bech32m for version 0
    "bc1pw5dgrnzv",  # one byte
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",  # 16 bytes for version 0
    "bc1gmk9yu",  # empty
    "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",  # mixed case
    "",
    "1",
    "mm3aPLSv9fBrbS68JzurAMp4xGoddJ6pSg",
)


@pytest.mark.parametrize(("text", "script"), VALID.items())
def test_bip350(text: str, script: str) -> None:
    network = BITCOIN if text.lower().startswith("bc") else TESTNET
    assert ad.address_to_script(text, network).hex() == script
    assert ad.script_to_address(bytes.fromhex(script), network) == text.lower()
    with pytest.raises(ad.AddressError, match="not an address of network regtest"):
        ad.address_to_script(text, REGTEST)


@pytest.mark.parametrize("text", INVALID)
def test_bad_addresses(text: str) -> None:
    for network in NETWORKS.values():
        with pytest.raises(ad.AddressError):
            ad.address_to_script(text, network)


def test_base58() -> None:
    # From BOLT 3, appendix B.
    script = bytes.fromhex("76a9143ca33c2e4446f4a305f23c80df8ad1afdcf652f988ac")
    text = "mm3aPLSv9fBrbS68JzurAMp4xGoddJ6pSf"
    assert ad.address_to_script(text, REGTEST) == script
    assert ad.script_to_address(script, REGTEST) == text
    assert ad.address_to_script(text, SIGNET) == script
    with pytest.raises(ad.AddressError, match="network bitcoin"):
        ad.address_to_script(text, BITCOIN)
    p2sh = sc.p2sh(bytes(20))
    assert ad.address_to_script(ad.script_to_address(p2sh, BITCOIN) or "", BITCOIN) == p2sh
    with pytest.raises(ad.AddressError):
        ad.address_to_script(ad.encode_base58check(bytes(22)), BITCOIN)


@given(st.binary(min_size=2, max_size=40), st.integers(1, 16))
def test_any_program(program: bytes, version: int) -> None:
    script = bytes((0x50 + version, len(program))) + program
    text = ad.script_to_address(script, REGTEST)
    assert text is not None
    assert ad.address_to_script(text, REGTEST) == script


@given(st.text(max_size=100))
def test_garbage_raises_only_its_own_error(text: str) -> None:
    try:
        ad.address_to_script(text, BITCOIN)
    except ad.AddressError:
        pass


def test_scripts_without_address() -> None:
    for script in (b"", b"\x6a\x01a", b"\x00\x10" + bytes(16)):
        assert ad.script_to_address(script, BITCOIN) is None
