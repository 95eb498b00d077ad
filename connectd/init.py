"""The first message of each side (BOLT 1, "The `init` Message")."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.address import Address, read_address
from pylightningd.common.errors import WarnPeer, WireError
from pylightningd.common.features import (
    Place,
    check_peer_features,
    combine_features,
    feature_bits,
    features_for,
    trim_features,
)
from pylightningd.common.network import network_by_chain_hash
from pylightningd.common.wire.peer_wire import Init, InitTlvs
from pylightningd.common.wire.runtime import show

_LAST_GLOBAL_BIT = 13


@dataclass(frozen=True, slots=True)
class PeerInit:
    """What the peer's `init` told."""

    features: bytes
    remote_address: str
    """Our address as the peer sees it; empty where it said nothing we can use."""


def make_init(features: bytes, chain_hash: bytes, remote: Address | None) -> Init:
    """Our `init`; `remote` is the peer's address, for a connection that it opened."""
    # BOLT 1, "The `init` Message", sender SHOULD NOT set bits above 13 in globalfeatures.
    old_bits = (bit for bit in feature_bits(features) if bit <= _LAST_GLOBAL_BIT)
    # BOLT 1, "The `init` Message", sender SHOULD set remote_addr on an incoming IP connection, but not
    # to a private address.
    shown = remote if remote is not None and remote.is_ip and _worth_telling(remote) else None
    return Init(
        globalfeatures=features_for(Place.GLOBAL_INIT, old_bits),
        features=trim_features(features),
        tlvs=InitTlvs(networks=(chain_hash,), remote_addr=shown.encode() if shown else None),
    )


def read_init(raw: bytes, ours: bytes, chain_hash: bytes) -> PeerInit:
    """Check the peer's `init` against our features and chain. Raises WarnPeer."""
    try:
        init = Init.decode(raw)
    except WireError as err:
        raise WarnPeer(f"Malformed init: {err}") from err
    # BOLT 1, "The `init` Message", receiver MUST combine the two bitmaps.
    features = combine_features(init.globalfeatures, init.features)
    # BOLT 1, "The `init` Message", receiver MAY close where networks has no common chain.
    networks = init.tlvs.networks
    if networks is not None and chain_hash not in networks:
        raise WarnPeer(f"No common network: you are on {_chain_names(networks)}")
    check_peer_features(ours, features)
    return PeerInit(features, _remote_address(init.tlvs.remote_addr))


def _chain_names(networks: tuple[bytes, ...]) -> str:
    known = (network_by_chain_hash(chain) for chain in networks)
    names = [net.name if net else show(chain) for net, chain in zip(known, networks, strict=True)]
    return ", ".join(names) or "none"


def _remote_address(raw: bytes | None) -> str:
    # BOLT 1, "The `init` Message", receiver MAY use remote_addr; only public IP addresses help us.
    if not raw:
        return ""
    try:
        address, _ = read_address(raw)
    except WireError:
        return ""
    if address is None or not address.is_ip or not address.is_public(allow_localhost=True):
        return ""
    return str(address)


def _worth_telling(address: Address) -> bool:
    return address.is_public(allow_localhost=True)
