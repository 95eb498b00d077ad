"""A channel's short_channel_id is learnt as a whole or not at all."""

from __future__ import annotations

import pytest

from pylightningd.common.ids import ShortChannelId
from tests.lightningd.channels.rig import Rig


def test_a_scid_whose_row_failed_is_not_learnt(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain's guard undoes the row of a watcher that fails, and the rest of the block's turn goes on."""
    channel = rig.open_channel(1)
    before, scid = channel.short_channel_id, ShortChannelId.make(500, 3, 0)

    def fails(_channel: object) -> None:
        raise ValueError("no")

    def work() -> None:
        with pytest.raises(ValueError, match="no"), rig.node.turn.nested():
            rig.node.channel_events._learn_scid(channel, 500, 3)

    with monkeypatch.context() as patched:
        patched.setattr(rig.node.channels.store, "save", fails)
        rig.turn(work)
    assert channel.short_channel_id == before
    assert rig.node.channels.by_scid(scid) is None
    rig.turn(lambda: rig.node.channel_events._learn_scid(channel, 500, 3))
    assert channel.short_channel_id == scid
    assert rig.node.channels.by_scid(scid) is channel


def test_channels_of_a_peer_stay_in_order(rig: Rig) -> None:
    first = rig.open_channel(1)
    rig.turn(lambda: rig.node.channels.reload(first.dbid))
    assert rig.node.channels.of_peer(first.peer_id) == [first]
    rig.turn(lambda: rig.node.channels.forget(first))
    assert rig.node.channels.of_peer(first.peer_id) == []
