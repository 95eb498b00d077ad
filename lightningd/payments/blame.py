"""Whose fault is it: from a failure onion, or from what channeld said, to a `Failure`."""

from __future__ import annotations

from pylightningd.common.ids import NodeId
from pylightningd.common.onion.failure import FailureFrom, unwrap
from pylightningd.common.onion.failure_codes import is_bad_onion, is_permanent
from pylightningd.lightningd.channels.channel import LiveHtlc
from pylightningd.lightningd.db.payments_io import Failure, Part

_SECRET = 32


def blame(part: Part, htlc: LiveHtlc, our_id: NodeId) -> Failure:
    """Read how an HTLC of ours came back. Takes anything a peer may send."""
    if htlc.malformed_code:
        # BOLT 2, "Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`":
        # our peer itself could not read the onion, and we are the node before it.
        failure = refused_locally(
            part, htlc.malformed_code, "the first peer cannot read it", our_id
        )
        failure.message += htlc.malformed_sha256
        return failure
    onion = htlc.failure_onion or b""
    secrets = [
        part.path_secrets[i : i + _SECRET] for i in range(0, len(part.path_secrets), _SECRET)
    ]
    if not secrets:
        return Failure(onion=onion, detail="failed: only the maker of the onion can read why")
    found = unwrap(secrets, onion)
    if isinstance(found, FailureFrom):
        return _at(part, found.hop, found.message, our_id)
    if found.hop is not None and part.route_nodes:
        node = part.route_nodes[min(found.hop, len(part.route_nodes) - 1)]
        return Failure(
            onion=onion, index=found.hop + 1, node=node, detail="failure message is malformed"
        )
    return Failure(onion=onion, detail="failure onion is unreadable: no hop wrote it")


def _at(part: Part, hop: int, message: bytes, our_id: NodeId) -> Failure:
    """Hop 0 is the first node after us. It is blamed for the channel that it should have used next."""
    code = int.from_bytes(message[:2], "big")
    # Of an onion that somebody else made we know how many hops it has, and only the first of them.
    last = max(len(part.path_secrets) // _SECRET, len(part.route_nodes)) - 1
    failure = Failure(code=code, index=hop + 1, message=message)
    failure.destination_permanent = hop == last and is_permanent(code) and not is_bad_onion(code)
    if hop < len(part.route_nodes):
        failure.node = part.route_nodes[hop]
    # BOLT 4, "Failure Messages": with BADONION the node before the one that cannot read it tells us, and
    # the fault is on the channel between; the final node stands behind its last channel.
    channel = hop if hop == last else hop + 1
    if channel < len(part.route_channels) and channel < len(part.route_nodes):
        failure.channel = part.route_channels[channel]
        before = our_id if channel == 0 else part.route_nodes[channel - 1]
        failure.direction = 0 if before < part.route_nodes[channel] else 1
    return failure


def refused_locally(part: Part, code: int, text: str, our_id: NodeId) -> Failure:
    """Our own channel could not take the HTLC."""
    failure = Failure(code=code, index=0, node=our_id, detail=text, message=code.to_bytes(2, "big"))
    if part.route_channels and part.route_nodes:
        failure.channel = part.route_channels[0]
        failure.direction = 0 if our_id < part.route_nodes[0] else 1
    return failure
