"""All channels of the node, by every name they have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pylightningd.common.amount import Msat
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.lightningd.channels.channel import (
    RUNTIME_FIELDS,
    Channel,
    LiveHtlc,
    StateChange,
)
from pylightningd.lightningd.channels.close_history import (
    CloseHistory,
    CloseStep,
    event_of,
    who_of,
)
from pylightningd.lightningd.channels.states import (
    CHANNELD_STATES,
    Cause,
    ChannelState,
    check_transition,
)

if TYPE_CHECKING:
    from pylightningd.lightningd.db.channels_io import ChannelStore
    from pylightningd.lightningd.node import Node


class Channels:
    """The open channels (and those being closed). Changed inside turns only."""

    def __init__(self, node: Node, store: ChannelStore) -> None:
        self._node = node
        self.store = store
        self.history = CloseHistory(node.db)
        self._by_dbid: dict[int, Channel] = {}
        self._by_id: dict[ChannelId, Channel] = {}
        self._by_scid: dict[int, Channel] = {}
        self._by_peer: dict[NodeId, dict[int, Channel]] = {}

    def load(self) -> None:
        """Read every channel from the database, at start."""
        for channel in self.store.load_all():
            self._index(channel)

    def add(self, channel: Channel) -> None:
        """A new channel, whose row has just been written."""
        self._index(channel)
        self._node.turn.on_rollback(lambda: self.forget(channel))

    def forget(self, channel: Channel) -> None:
        """It is over: only its row stays."""
        self._by_dbid.pop(channel.dbid, None)
        self._by_id.pop(channel.channel_id, None)
        self._by_peer.get(channel.peer_id, {}).pop(channel.dbid, None)
        for scid in [s for s, c in self._by_scid.items() if c is channel]:
            del self._by_scid[scid]

    def reload(self, dbid: int) -> None:
        """Make memory hold again what the database holds, after a change that failed half-way.

        The objects stay the same ones, for tasks that wait hold on to them.
        """
        channel = self._by_dbid.get(dbid)
        if channel is None or self._node.turn.failed is not None:
            return
        try:
            fresh = self.store.load(dbid)
        except KeyError:
            return  # it was new, and its row was undone as well
        for htlc in fresh.htlcs.values():
            known = channel.htlcs.get(htlc.key)
            if known is not None and known.dbid == htlc.dbid:
                _copy(htlc, known, frozenset({"handled"}))
                fresh.htlcs[htlc.key] = known
        self.forget(channel)
        _copy(fresh, channel, RUNTIME_FIELDS)
        self._index(channel)

    def name_scid(self, channel: Channel, scid: ShortChannelId) -> None:
        """From now on this is the channel's short_channel_id; an earlier one keeps its meaning. Inside a turn."""
        before, holder = channel.short_channel_id, self._by_scid.get(scid)

        def undo() -> None:
            channel.short_channel_id = before
            if holder is None:
                self._by_scid.pop(scid, None)
            else:
                self._by_scid[scid] = holder

        self._node.turn.on_rollback(undo)
        channel.short_channel_id = scid
        self._by_scid[scid] = channel

    def _index(self, channel: Channel) -> None:
        self._by_dbid[channel.dbid] = channel
        self._by_id[channel.channel_id] = channel
        self._by_peer.setdefault(channel.peer_id, {})[channel.dbid] = channel
        self._by_scid[channel.local_alias] = channel
        if channel.short_channel_id is not None:
            self._by_scid[channel.short_channel_id] = channel

    def __iter__(self) -> Iterator[Channel]:
        return iter(list(self._by_dbid.values()))

    def __len__(self) -> int:
        return len(self._by_dbid)

    def get(self, dbid: int) -> Channel | None:
        """By row id."""
        return self._by_dbid.get(dbid)

    def by_channel_id(self, channel_id: ChannelId) -> Channel | None:
        """By BOLT 2's channel_id."""
        return self._by_id.get(channel_id)

    def by_scid(self, scid: ShortChannelId) -> Channel | None:
        """By real scid or by our alias."""
        return self._by_scid.get(scid)

    def by_funding(self, funding: Outpoint) -> Channel | None:
        """By the output that funds it."""
        return self._by_id.get(funding.channel_id())

    def of_peer(self, peer_id: NodeId) -> list[Channel]:
        """Every channel with that node, oldest first."""
        of_peer = self._by_peer.get(peer_id)
        return [of_peer[dbid] for dbid in sorted(of_peer)] if of_peer else []

    def of_worker(self, worker: str) -> list[Channel]:
        """Every channel that a daemon hosts."""
        return [c for c in self._by_dbid.values() if c.worker == worker]

    def best_with(self, peer_id: NodeId) -> Channel | None:
        """The usable channel with that node that can send most; any other if none is usable."""
        channels = self.of_peer(peer_id)
        ready = [c for c in channels if c.is_ready()]
        if ready:
            return max(ready, key=lambda c: c.estimate_spendable().msat)
        return next((c for c in channels if c.state in CHANNELD_STATES), None)

    def better_than(self, named: Channel, amount: Msat) -> Channel:
        """The channel with the same peer that can send most, of those whose policy asks no more; `named` where none is better.

        What fits the policy of `named` fits that of the outcome too: the sender knows only that one.
        """
        policy = named.policy
        fitting = [
            c
            for c in self.of_peer(named.peer_id)
            if c.is_ready()
            and c.policy.fee_base_msat == policy.fee_base_msat
            and c.policy.fee_proportional_millionths == policy.fee_proportional_millionths
            and c.policy.cltv_expiry_delta <= policy.cltv_expiry_delta
            and c.policy.htlc_minimum <= amount <= c.policy.htlc_maximum
            and amount >= c.static.remote_config.htlc_minimum
        ]
        # Of equals the one that was named.
        return max(fitting, key=lambda c: (c.estimate_spendable().msat, c is named), default=named)

    def set_state(self, channel: Channel, new: ChannelState, cause: Cause, message: str) -> None:
        """Move a channel to another state: row, history, log line and notification in one.

        Raises BadTransition. Call inside a turn.
        """
        old = channel.state
        if old is new:
            return
        check_transition(old, new)
        turn = self._node.turn
        turn.on_rollback(lambda: self.reload(channel.dbid))
        channel.state = new
        change = StateChange(
            timestamp=self._node.clock.now(),
            old_state=old,
            new_state=new,
            cause=cause.value,
            message=message,
        )
        channel.state_changes.append(change)
        self.store.add_state_change(channel, change)
        event = event_of(old, new)
        if event is not None:
            self.close_step(channel, who_of(cause), event, message)
        self.store.save(channel)
        self._node.log(
            "info",
            f"State changed from {old.name} to {new.name}",
            peer_id=channel.peer_id,
            dbid=channel.dbid,
        )
        turn.notify("channel_state_changed", state_changed_payload(channel, change))
        if new is ChannelState.CLOSED:
            self._node.backup.changed()

    def close_step(
        self,
        channel: Channel,
        who: str,
        event: str,
        message: str,
        txid: Txid | None = None,
        height: int | None = None,
    ) -> None:
        """Write down a step of the channel's close. Inside a turn."""
        node = self._node
        self.history.add(
            channel.dbid,
            CloseStep(
                timestamp=node.clock.now(),
                height=node.chain.height if height is None else height,
                who=who,
                event=event,
                message=message,
                txid=txid,
            ),
        )


def _copy(source: Channel | LiveHtlc, target: Channel | LiveHtlc, but: frozenset[str]) -> None:
    """Give `target` all fields of `source`, but for some."""
    for name in source.__slots__:
        if name not in but:
            setattr(target, name, getattr(source, name))


def state_changed_payload(channel: Channel, change: StateChange) -> dict[str, object]:
    """What the `channel_state_changed` notification says."""
    payload: dict[str, object] = {
        "peer_id": channel.peer_id.hex(),
        "channel_id": channel.channel_id.hex(),
        "timestamp": iso_time(change.timestamp),
        "new_state": change.new_state.name,
        "cause": change.cause,
        "message": change.message,
    }
    if channel.short_channel_id is not None:
        payload["short_channel_id"] = str(channel.short_channel_id)
    payload["old_state"] = "unknown" if change.old_state is None else change.old_state.name
    return payload


def iso_time(timestamp: float) -> str:
    """UTC with milliseconds, as CLN writes it."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
