"""Ready-made situations for tests of the channel machine."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.effects import Disconnect
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from tests.sim.peers import Pair, Peer

CID = Pair.open().alice.channel.facts.channel_id
ONION = b"\x00" + Pair.open().bob.hsmd.node_id + bytes(1332)
SWEAR_WORDS = [pw.Warning, cw.ChanneldFailed, Disconnect]
"""What follows a WarnPeer."""


def reach_normal(**kwargs: Any) -> Pair:
    """Connected, nothing in flight."""
    pair = Pair.open(**kwargs)
    pair.connect(fresh=True)
    pair.settle()
    return pair


def reach_htlc(msat: int = 10_000_000, **kwargs: Any) -> Pair:
    """One HTLC of Alice, irrevocable on both sides."""
    pair = reach_normal(**kwargs)
    pair.offer(pair.alice, msat)
    pair.settle()
    assert pair.bob.master.resolvable == [0]
    return pair


def traced(peer: Peer, action: Callable[[], Any]) -> list[type]:
    """The classes of what the peer asked, told and sent because of it."""
    peer.trace.clear()
    action()
    return list(peer.trace)


def failures(peer: Peer) -> list[cw.ChanneldFailed]:
    """What its lightningd heard of failures."""
    return [m for m in peer.master.told if isinstance(m, cw.ChanneldFailed)]


def add(**changes: Any) -> pw.UpdateAddHtlc:
    """A good update_add_htlc, but for the changes."""
    values: dict[str, Any] = {
        "channel_id": CID,
        "id": 0,
        "amount_msat": Msat(1_000_000),
        "payment_hash": sha256(b"x").digest(),
        "cltv_expiry": 500,
        "onion_routing_packet": ONION,
    }
    return pw.UpdateAddHtlc(**(values | changes))


def last_message(peer: Peer) -> Any:
    """The newest message on its way from the peer."""
    return pw.decode(peer.outbox[-1])
