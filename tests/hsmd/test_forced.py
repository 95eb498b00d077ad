"""--dev-force-privkey and its kin, against figures of CLN's tests (test_wallet.py) and of BOLT 3's keys."""

from __future__ import annotations

import pytest

from pylightningd.common.bitcoin.address import script_to_address
from pylightningd.common.bitcoin.script import p2wpkh
from pylightningd.common.ids import NodeId
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.network import REGTEST
from pylightningd.common.secret import Secret
from pylightningd.hsmd.derive import Forced, NodeSecrets

PLAIN = bytes(31) + b"\1"


def forced(**names: object) -> NodeSecrets:
    return NodeSecrets(PLAIN, is_test_network=True, forced=Forced(**names))  # type: ignore[arg-type]


def test_the_node_key() -> None:
    key = Secret(b"\x12" * 32)
    node = forced(node_key=key)
    assert node.node_key == key
    assert node.node_id == pubkey_from_secret(key)
    # All else follows from the file.
    plain = NodeSecrets(PLAIN, is_test_network=True)
    assert node.bip32_base == plain.bip32_base
    assert node.derived_secret(b"a") == plain.derived_secret(b"a")


@pytest.mark.parametrize(
    ("index", "address"),
    [
        (1, "bcrt1qsdzqt93xsyewdjvagndw9523m27e52er5ca7hm"),
        (2, "bcrt1qlkt93775wmf33uacykc49v2j4tayn0yj25msjn"),
        (3, "bcrt1q2ng546gs0ylfxrvwx0fauzcvhuz655en4kwe2c"),
        (4, "bcrt1qrdpwrlrmrnvn535l5eldt64lxm8r2nwkv0ruxq"),
        (5, "bcrt1q622lwmdzxxterumd746eu3d3t40pq53p62zhlz"),
    ],
)
def test_the_bip32_seed(index: int, address: str) -> None:
    node = forced(bip32_seed=Secret(PLAIN))
    key = pubkey_from_secret(node.wallet_key(index, bip86=False))
    assert script_to_address(p2wpkh(key), REGTEST) == address


def test_the_secrets_of_all_channels() -> None:
    raw = b"".join(bytes([n]) * 32 for n in range(1, 7))
    node = forced(channel_secrets=raw)
    one, two = (node.channel(NodeId(node.node_id), dbid) for dbid in (1, 2))
    assert one == two
    found = (one.funding, one.revocation, one.payment, one.delayed_payment, one.htlc, one.shaseed)
    assert b"".join(secret.reveal() for secret in found) == raw
    assert one.points.htlc == pubkey_from_secret(one.htlc)
    assert one.points.payment == pubkey_from_secret(one.payment)


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="not"):
        forced(node_key=Secret(bytes(32)))
    with pytest.raises(ValueError, match="192 bytes"):
        forced(channel_secrets=b"short")
