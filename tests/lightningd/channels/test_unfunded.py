"""When a channel that a peer never paid into is forgotten."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.ids import ShortChannelId
from pylightningd.lightningd.backup.restore import stub
from pylightningd.lightningd.backup.scb import ScbChannel
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.channels.unfunded import KEPT, Unfunded
from tests.lightningd.channels.rig import Rig, make_channel


class _Node:
    """What `Unfunded` asks of the node."""

    def __init__(self, channels: list[Channel], timeout: int) -> None:
        self.channels: Any = _Channels(channels)
        self.settings = SimpleNamespace(max_funding_unconfirmed=timeout)
        self.logs: list[str] = []
        self.log = lambda _level, text, **_fields: self.logs.append(text)
        self.workers = SimpleNamespace(release=lambda _channel: None)
        self.chain = SimpleNamespace(forget_broadcasts=lambda _owner: None)


class _Channels(list[Channel]):
    def set_state(self, channel: Channel, new: ChannelState, *_why: object) -> None:
        channel.state = new

    def forget(self, channel: Channel) -> None:
        self.remove(channel)


def unfunded(number: int, **changes: Any) -> Channel:
    """A peer's channel, asked for in block `number`, of which the chain has nothing."""
    fields = {
        "state": ChannelState.CHANNELD_AWAITING_LOCKIN,
        "short_channel_id": None,
        "max_to_local": Msat(0),
        "first_block": number,
    }
    channel = make_channel(number, **{**fields, **changes})
    return _as_accepter(channel)


def _as_accepter(channel: Channel) -> Channel:
    channel.static = replace(channel.static, we_are_opener=False)
    return channel


def left(channels: list[Channel], height: int, timeout: int = 50) -> list[int]:
    node: Any = _Node(channels, timeout)
    Unfunded(node).on_block(height)
    return [c.dbid for c in node.channels]


def test_the_oldest_goes_and_the_newest_is_kept() -> None:
    assert left([unfunded(1), unfunded(2), unfunded(3)], 53) == [3]
    assert left([unfunded(1), unfunded(2), unfunded(3)], 52) == [2, 3]
    assert left([unfunded(1), unfunded(2), unfunded(3)], 51) == [1, 2, 3]


def test_by_default_a_hundred_are_kept() -> None:
    many = [unfunded(n) for n in range(1, KEPT + 4)]
    assert left(many, 3000, timeout=2016) == list(range(4, KEPT + 4))
    assert len(left([unfunded(1), unfunded(2)], 10**6, timeout=2016)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"short_channel_id": ShortChannelId.make(1, 1, 1)},
        {"max_to_local": Msat(1)},
        {"state": ChannelState.FUNDING_SPEND_SEEN},
        {"state": ChannelState.AWAITING_UNILATERAL},
        {"state": ChannelState.CHANNELD_NORMAL},
        {"future_remote_point": b"\x02" * 33},
        {"htlcs": {(False, 0): object()}},
    ],
)
def test_one_that_was_funded_or_ever_held_money_of_ours_stays(changes: dict[str, Any]) -> None:
    assert left([unfunded(1, **changes), unfunded(2), unfunded(3)], 1000) == [1, 3]


def test_what_came_from_a_static_backup_stays_however_long_its_peer_takes() -> None:
    known = unfunded(1).static
    entry = ScbChannel(
        dbid=1,
        channel_id=known.channel_id,
        peer_id=known.peer_id,
        address=None,
        funding=known.funding,
        funding_amount=known.funding_amount,
        channel_type=known.channel_type,
        we_are_opener=False,
    )
    alias = ShortChannelId.make(1, 1, 1)
    restored = stub(entry, known.local_basepoints, first_block=1, now=0.0, alias=alias)
    assert not restored.static.we_are_opener and restored.is_stub
    assert left([restored, unfunded(2), unfunded(3)], 10_000) == [1, 3]


def test_our_own_stays() -> None:
    ours = make_channel(
        1, short_channel_id=None, state=ChannelState.CHANNELD_AWAITING_LOCKIN, first_block=1
    )
    assert ours.static.we_are_opener
    assert left([ours, unfunded(2), unfunded(3)], 1000) == [1, 3]


def test_in_a_real_turn_the_row_is_closed_and_its_id_free(rig: Rig) -> None:
    node = rig.node
    node.settings.max_funding_unconfirmed = 10
    node.chain.forget_broadcasts = lambda _owner: None
    for number in (1, 2):
        channel = rig.open_channel(number, state=ChannelState.CHANNELD_AWAITING_LOCKIN)
        _as_accepter(channel)
        channel.short_channel_id = None
        channel.max_to_local = Msat(0)
        channel.first_block = number
    rig.loop.run_until_complete(node.turn.do(lambda: Unfunded(node).on_block(100)))
    assert [c.dbid for c in node.channels] == [2]
    assert node.channels.store.load(1).state is ChannelState.CLOSED
    assert any(text.startswith("Forgetting channel: It has been 99 blocks") for _, text in rig.logs)
    assert not rig.bugs
