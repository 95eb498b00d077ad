"""Derivations against figures that Core Lightning's own tests hold (test_wallet.py, test_misc.py)."""

from __future__ import annotations

import pytest
import wallycore as wally

from pylightningd.common.hkdf import hkdf
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.secret_file_io import parse

ABANDON = "abandon " * 11 + "about"
RITUAL = "ritual idle hat sunny universe pluck key alpha wing cake have wedding"


def from_mnemonic(mnemonic: str) -> NodeSecrets:
    return NodeSecrets(parse(bytes(32) + mnemonic.encode(), None).secret, is_test_network=True)


def test_hkdf_rfc5869_case_1() -> None:
    okm = hkdf(42, bytes(range(13)), b"\x0b" * 22, bytes(range(0xF0, 0xFA)))
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


@pytest.mark.parametrize(
    ("n", "node_id"),
    [
        (1, "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"),
        (2, "022d223620a359a47ff7f7ac447c85c46c923da53389221a0054c11c1e3ca31d59"),
        (3, "035d2b1192dfba134e10e540875d366ebc8bc353d5aa766b80c090b39c3a5d885d"),
        (4, "0382ce59ebf18be7d84677c2e35f23294b9992ceca95491fcf8a56c6cb2d9de199"),
        (5, "032cf15d1ad9c4a08d26eab1918f732d8ef8fdc6abb9640bf3db174372c491304e"),
        (6, "0265b6ab5ec860cd257865d61ef0bbf5b3339c36cbda8b26b74e7f1dca490b6518"),
    ],
)
def test_node_ids_of_plain_secrets(n: int, node_id: str) -> None:
    secret = f"lightning-{n}".encode().ljust(32, b"\0")
    assert NodeSecrets(secret, is_test_network=True).node_id.hex() == node_id


_L = "hockey enroll sure trip track rescue original {} abandon abandon abandon {}"


@pytest.mark.parametrize(
    ("mnemonic", "node_id"),
    [
        (
            _L.format("plate", "account"),
            "038194b5f32bdf0aa59812c86c4ef7ad2f294104fa027d1ace9b469bb6f88cf37b",
        ),
        (
            _L.format("play", "achieve"),
            "033845802d25b4e074ccfd7cd8b339a41dc75bf9978a034800444b51d42b07799a",
        ),
        (
            _L.format("please", "ability"),
            "03cecbfdc68544cc596223b68ce0710c9e5d2c9cb317ee07822d95079acc703d31",
        ),
        (ABANDON, "03653e90c1ce4660fd8505dd6d643356e93cfe202af109d382787639dd5890e87d"),
    ],
)
def test_node_ids_of_mnemonics(mnemonic: str, node_id: str) -> None:
    assert from_mnemonic(mnemonic).node_id.hex() == node_id


def test_private_key_of_a_mnemonic_node() -> None:
    node = from_mnemonic(_L.format("plate", "account"))
    expected = "0a2d7086e54a0982829f15e61d42f5bbd49d4fbdfb9b876a1064b7b89edd05aa"
    assert node.node_key.reveal().hex() == expected


def test_bip86_base_of_mnemonics() -> None:
    seed = parse(bytes(32) + ABANDON.encode(), None).secret
    assert NodeSecrets(seed, is_test_network=False).bip86_base == (
        "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEH"
        "GCtMMj92pReUsQ"
    )


@pytest.mark.parametrize("bip86", [True, False])
def test_public_bases_give_the_wallet_keys(bip86: bool) -> None:
    node = from_mnemonic(ABANDON)
    base = wally.bip32_key_from_base58(node.bip86_base if bip86 else node.bip32_base)
    path = [0, 5] if bip86 else [5]
    child = wally.bip32_key_from_parent_path(base, path, wally.BIP32_FLAG_KEY_PUBLIC)
    public = bytes(wally.bip32_key_get_pub_key(child))
    assert pubkey_from_secret(node.wallet_key(5, bip86=bip86)) == public


def test_plain_secrets_have_no_bip86_branch() -> None:
    node = NodeSecrets(bytes(31) + b"\1", is_test_network=True)
    assert node.bip86_base == ""
    with pytest.raises(ValueError, match="no mnemonic"):
        node.wallet_key(0, bip86=True)
    with pytest.raises(ValueError, match="out of range"):
        node.wallet_key(1 << 31, bip86=False)


def test_channels_differ_by_peer_and_dbid() -> None:
    node = NodeSecrets(bytes(31) + b"\1", is_test_network=True)
    other = NodeSecrets(bytes(31) + b"\2", is_test_network=True)
    peer = other.node_id
    points = {
        node.channel(peer, 1).points.funding_pubkey,
        node.channel(peer, 2).points.funding_pubkey,
        node.channel(node.node_id, 1).points.funding_pubkey,
        other.channel(peer, 1).points.funding_pubkey,
    }
    assert len(points) == 4
    assert node.derived_secret(b"a") != node.derived_secret(b"b")


def test_a_secret_has_32_or_64_bytes() -> None:
    with pytest.raises(ValueError, match="32 or 64"):
        NodeSecrets(bytes(33), is_test_network=True)
