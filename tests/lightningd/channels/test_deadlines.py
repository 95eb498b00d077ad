"""When HTLCs drive a channel to the chain, and when an outgoing one that is stuck there is given up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.lightningd.channels.channel import LiveHtlc
from pylightningd.lightningd.channels.deadlines import Deadlines, in_deadline, out_deadline
from pylightningd.lightningd.channels.states import ChannelState

EXPIRY = 100


def htlc(*, offered: bool, preimage: bytes | None = None, **more: Any) -> LiveHtlc:
    state = HtlcState.SENT_ADD_ACK_REVOCATION if offered else HtlcState.RCVD_ADD_ACK_REVOCATION
    return LiveHtlc(
        dbid=7,
        channel_dbid=1,
        id=3,
        offered_by_us=offered,
        state=state,
        amount=Msat(1000),
        payment_hash=bytes(32),
        cltv_expiry=more.pop("cltv_expiry", EXPIRY),
        onion=b"",
        preimage=preimage,
        **more,
    )


class Node:
    """What `Deadlines` asks of the node."""

    def __init__(self, state: ChannelState, *htlcs: LiveHtlc) -> None:
        self.failed: list[str] = []
        self.lost: list[int] = []
        self.settings = SimpleNamespace(cltv_delta=6)
        self.channel_events = SimpleNamespace(
            permanent_failure=lambda _channel, _cause, why: self.failed.append(why)
        )
        self.switch = SimpleNamespace(lost_onchain=lambda h, _why: self.lost.append(h.id))
        self.log = lambda *_args, **_fields: None
        channel = SimpleNamespace(dbid=1, peer_id=b"", state=state, htlcs={h.key: h for h in htlcs})
        self.channels: Any = _Channels(channel)


class _Channels(list[Any]):
    def __init__(self, *channels: Any) -> None:
        super().__init__(channels)
        self.rows: dict[int, LiveHtlc] = {}
        self.store = SimpleNamespace(htlc_by_row=self.rows.get)

    def get(self, dbid: int) -> Any:
        return next((c for c in self if c.dbid == dbid), None)


def first_failure(node: Node) -> int | None:
    """The height at which the channel fails."""
    for height in range(EXPIRY - 50, EXPIRY + 50):
        Deadlines(node).on_block(height)  # type: ignore[arg-type]
        if node.failed:
            return height
    return None


def test_offered_htlc_gets_one_block_of_grace() -> None:
    node = Node(ChannelState.CHANNELD_NORMAL, htlc(offered=True))
    assert first_failure(node) == EXPIRY + 1 == out_deadline(htlc(offered=True))
    assert node.failed == ["Offered HTLC 3 SENT_ADD_ACK_REVOCATION cltv 100 hit deadline"]


def test_received_htlc_whose_preimage_we_have_must_be_claimed_in_time() -> None:
    node = Node(ChannelState.CHANNELD_NORMAL, htlc(offered=False, preimage=b"p" * 32))
    assert first_failure(node) == EXPIRY - 3
    assert in_deadline(htlc(offered=False), 7) == EXPIRY - 4


def test_received_htlc_without_preimage_is_the_peers_trouble() -> None:
    assert first_failure(Node(ChannelState.CHANNELD_NORMAL, htlc(offered=False))) is None


@pytest.mark.parametrize("state", [ChannelState.AWAITING_UNILATERAL, ChannelState.ONCHAIN])
def test_a_channel_that_is_closing_fails_no_more(state: ChannelState) -> None:
    assert first_failure(Node(state, htlc(offered=True))) is None


@pytest.mark.parametrize(
    ("state", "given_up"),
    [(ChannelState.CHANNELD_NORMAL, [3]), (ChannelState.ONCHAIN, [])],
)
def test_stuck_on_chain_is_given_up_before_the_incoming_channel_suffers(
    state: ChannelState, given_up: list[int]
) -> None:
    incoming = htlc(offered=False, cltv_expiry=EXPIRY + 10)
    incoming.channel_dbid = 2
    node = Node(ChannelState.ONCHAIN, htlc(offered=True, origin_htlc=9))
    node.channels.rows[9] = incoming
    upstream = SimpleNamespace(dbid=2, peer_id=b"", state=state, htlcs={incoming.key: incoming})
    node.channels.append(upstream)
    Deadlines(node).on_block(EXPIRY + 6)  # type: ignore[arg-type]
    assert not node.lost
    Deadlines(node).on_block(EXPIRY + 7)  # type: ignore[arg-type]
    assert node.lost == given_up
