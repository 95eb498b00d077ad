"""Figures of the networks."""

from __future__ import annotations

import pytest

from pylightningd.common.network import (
    BITCOIN,
    NETWORKS,
    REGTEST,
    SIGNET,
    network_by_bolt11_hrp,
    network_by_chain_hash,
    network_by_name,
)


def test_chain_hash_is_in_wire_order() -> None:
    # BOLT 0's value for bitcoin.
    assert BITCOIN.chain_hash.hex() == (
        "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"
    )
    assert REGTEST.genesis_hex == "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"


def test_ports() -> None:
    ports = {n.name: (n.ln_port, n.rpc_port) for n in NETWORKS.values()}
    assert ports == {
        "bitcoin": (9735, 8332),
        "regtest": (19846, 18443),
        "signet": (39735, 38332),
        "testnet": (19735, 18332),
        "testnet4": (49735, 48332),
    }


def test_lookups() -> None:
    assert network_by_chain_hash(SIGNET.chain_hash) is SIGNET
    assert network_by_chain_hash(bytes(32)) is None
    assert network_by_bolt11_hrp("tbs") is SIGNET
    assert network_by_bolt11_hrp("xx") is None
    assert network_by_name("regtest") is REGTEST
    with pytest.raises(KeyError, match="none of bitcoin"):
        network_by_name("liquid")
