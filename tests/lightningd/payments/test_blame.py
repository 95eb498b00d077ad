"""Failure onions of every code from every hop: who is named."""

from __future__ import annotations

import pytest

from pylightningd.common.onion.failure import make_failure, obfuscate
from pylightningd.common.onion.failure_codes import BADONION, PERM
from pylightningd.common.onion.failure_codes import FailureCode as F
from pylightningd.lightningd.payments.blame import blame, refused_locally
from pylightningd.lightningd.payments.describe import failure_error
from tests.lightningd.payments.rig import END, MIDDLE, PEER, SCIDS, US, make_htlc, make_part

NODES = (PEER, MIDDLE, END)
SECRETS = [bytes([40 + n]) * 32 for n in range(3)]


def sent_part(**more: object):
    values = {
        "path_secrets": b"".join(SECRETS),
        "route_nodes": NODES,
        "route_channels": tuple(SCIDS),
    }
    return make_part(**(values | more))


def came_back(hop: int, message: bytes) -> bytes:
    onion = make_failure(SECRETS[hop], message)
    for earlier in reversed(range(hop)):
        onion = obfuscate(SECRETS[earlier], onion)
    return onion


def direction(one: bytes, other: bytes) -> int:
    return int(one > other)


@pytest.mark.parametrize("code", list(F))
@pytest.mark.parametrize("hop", range(3))
def test_every_code_from_every_hop(code: F, hop: int) -> None:
    raw = code.to_bytes(2, "big") + b"\0" * 10
    htlc = make_htlc(failure_onion=came_back(hop, raw))
    failure = blame(sent_part(), htlc, US)
    assert (failure.code, failure.index, failure.node) == (code, hop + 1, NODES[hop])
    assert failure.message == raw
    channel = min(hop + 1, 2)
    assert failure.channel == SCIDS[channel]
    assert failure.direction == direction(NODES[channel - 1], NODES[channel])
    final = hop == 2 and bool(code & PERM) and not code & BADONION
    assert failure.destination_permanent is final
    part = sent_part()
    part.failure = failure
    error = failure_error(part)
    assert error.code == (203 if final else 204)
    assert error.data["failcodename"] == code.wire_name
    assert error.data["erring_index"] == hop + 1


def test_a_peer_that_cannot_read_our_onion() -> None:
    htlc = make_htlc(malformed_code=int(F.INVALID_ONION_HMAC), malformed_sha256=bytes([3]) * 32)
    failure = blame(sent_part(), htlc, US)
    assert (failure.index, failure.node, failure.channel) == (0, US, SCIDS[0])
    assert failure.message == int(F.INVALID_ONION_HMAC).to_bytes(2, "big") + bytes([3]) * 32


@pytest.mark.parametrize("onion", [b"", b"\1", bytes(292), bytes(60000)])
def test_what_nobody_wrote(onion: bytes) -> None:
    part = sent_part()
    part.failure = blame(part, make_htlc(failure_onion=onion), US)
    assert part.failure.index is None
    error = failure_error(part)
    assert error.code == 202
    assert error.data["onionreply"] == onion.hex()


def test_a_malformed_message_names_its_writer() -> None:
    htlc = make_htlc(failure_onion=came_back(1, b"\x01"))
    failure = blame(sent_part(), htlc, US)
    assert (failure.index, failure.node) == (2, MIDDLE)


def test_an_onion_of_somebody_else() -> None:
    """Of sendonion we know the first node and the number of hops."""
    part = sent_part(route_nodes=(PEER,), route_channels=(SCIDS[0],))
    raw = int(F.UNKNOWN_NEXT_PEER).to_bytes(2, "big")
    first = blame(part, make_htlc(failure_onion=came_back(0, raw)), US)
    assert (first.index, first.node, first.destination_permanent) == (1, PEER, False)
    last = blame(part, make_htlc(failure_onion=came_back(2, raw)), US)
    assert (last.index, last.node, last.destination_permanent) == (3, None, True)
    bare = sent_part(path_secrets=b"")
    assert blame(bare, make_htlc(failure_onion=came_back(0, raw)), US).onion is not None


def test_refused_locally() -> None:
    failure = refused_locally(sent_part(), int(F.TEMPORARY_CHANNEL_FAILURE), "no room", US)
    assert (failure.index, failure.node, failure.channel) == (0, US, SCIDS[0])
    assert failure.direction == direction(US, PEER)
