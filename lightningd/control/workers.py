"""Which channeld worker has which channel, and how a channel gets there.

A worker may act for a channel only after hsmd knows the channel's facts and that the worker's link may ask
for it; `prepare` sees to that order. A worker that died takes only its own channels with it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.bus.link import LinkClosed
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.channeld_wire import (
    ChanneldBlockheight,
    ChanneldForget,
    ChanneldFundingSigned,
    ChanneldInit,
    ChanneldLateMsg,
    ChanneldWrongFunding,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import WITH_PEER
from pylightningd.lightningd.control.channeld import channel_init

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Link
    from pylightningd.lightningd.node import Node


def fee_bounds(node: Node, channel: Channel | None) -> tuple[int, int]:
    """Least and most we let a peer choose as commitment feerate, sat per 1000 weight."""
    feerates = node.chain.feerates
    if channel is not None and channel.ignore_fee_limits:
        return 1, 0xFFFFFFFF
    return feerates.min_acceptable, feerates.max_acceptable


class Workers:
    """The pool of channeld workers."""

    def __init__(self, node: Node, count: int) -> None:
        self._node = node
        self.names = [f"channeld-{i}" for i in range(count)]
        self._prepared: set[int] = set()
        self._greeted: set[str] = set()
        self._parting: dict[int, int] = {}
        """By channel: how many channeld_forget the worker has not answered yet."""
        self._deaf: set[int] = set()
        """Channels whose worker knows more than the database, as a change was undone."""

    def bring_up(self) -> None:
        """Start all workers, side by side and beside everything else; who needs one sooner waits for it."""
        for name in self.names:
            self._node.attempt(self._bring_up(name), f"bring up {name}", self._node.fatal)

    async def _bring_up(self, name: str) -> None:
        try:
            await self._node.fleet.need(name)
        except Exception:
            if not self._node.stopping:  # a node that stops takes down what others are about to use
                raise

    async def greet(self, name: str, link: Link) -> None:
        """A worker runs: at start, or again after it died. Its peers may come back now."""
        node = self._node
        link.on_message = node.channeld.on_message
        link.send(
            ChanneldInit(
                network=node.network.name,
                features=node.features["init"],
                blockheight=node.chain.height,
                commit_time_ms=node.settings.commit_time_ms,
                dev_disable_commit_after=node.settings.disable_commit_after,
                dev_no_htlc_timeout=node.settings.no_htlc_timeout,
            )
        )
        if name in self._greeted:
            mine = {
                c.peer_id
                for c in node.channels
                if self.name_for(c.dbid) == name and c.state in WITH_PEER
            }
            for peer_id in mine:
                node.peers.reconnect_now(peer_id, f"{name} was restarted")
        self._greeted.add(name)

    def name_for(self, dbid: int) -> str:
        """The worker that has, or would have, a channel."""
        return self.names[dbid % len(self.names)]

    async def prepare(self, channel: Channel) -> str:
        """Make sure that a worker knows the channel; returns its name. Awaits hsmd.

        Raises LinkClosed where the worker died meanwhile. A channel that no longer needs its peer is not given out.
        """
        node = self._node
        name = self.name_for(channel.dbid)
        if channel.dbid in self._prepared:
            return name
        link = await node.fleet.need(name)
        await self.tell_hsmd(channel, name)
        if link.closed:
            raise LinkClosed(f"{name} stopped")
        if channel.dbid in self._prepared or channel.state not in WITH_PEER:
            return name  # while we waited another connection brought it there, or it failed
        low, high = fee_bounds(node, channel)
        link.send(channel_init(channel, low, high, node.settings.max_dust_exposure))
        if channel.wrong_funding is not None and channel.static.we_are_opener:
            link.send(ChanneldWrongFunding(dbid=channel.dbid, outpoint=channel.wrong_funding))
        if channel.inflight is not None:
            link.send(channel.inflight.message(channel.dbid))
        channel.worker = name
        self._prepared.add(channel.dbid)
        return name

    async def tell_hsmd(self, channel: Channel, daemon: str) -> None:
        """hsmd learns the channel's facts, and that this daemon may ask for it."""
        hsm = self._node.hsm
        hsm.send(
            hw.HsmdAssignChannel(
                link_id=self._node.fleet.link_id(daemon, "hsmd"),
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )
        )
        await hsm.ask(hw.HsmdSetupChannel(channel=channel.static))

    def send(self, channel: Channel, msg: Message) -> None:
        """Tell the channel's worker something after the commit; dropped if no worker has it.

        That is safe: all a worker must know is in the rows it is started from.
        """
        if channel.worker is None or channel.dbid not in self._prepared:
            return
        self._node.fleet.tell(channel.worker, msg)

    def funding_signed(self, channel: Channel, witnesses: tuple[bytes, ...]) -> None:
        """Our inputs of a funding transaction are signed. Inside the turn that makes it durable."""
        self.send(channel, ChanneldFundingSigned(dbid=channel.dbid, witnesses=witnesses))

    def late_message(self, channel: Channel, route_id: int, msg: bytes) -> None:
        """A message of the peer that went another way. Inside a turn."""
        self.send(channel, ChanneldLateMsg(dbid=channel.dbid, route_id=route_id, msg=msg))

    def release(self, channel: Channel) -> None:
        """The worker has no more to do with the channel. Call inside a turn.

        What it says until it has heard so counts no more; offers that no commitment covers are refused.
        """
        dbid = channel.dbid
        if dbid in self._prepared:
            self.send(channel, ChanneldForget(dbid=dbid))
            self._node.turn.on_rollback(
                partial(
                    self._unrelease,
                    channel,
                    (channel.worker, channel.route_id, channel.reestablished),
                )
            )
            self._prepared.discard(dbid)
            self._deaf.discard(dbid)
            self._parting[dbid] = self._parting.get(dbid, 0) + 1
        if channel.worker in self.names:
            channel.worker = None
        channel.route_id = None
        channel.reestablished = False
        self._node.switch.released(dbid)

    def _unrelease(self, channel: Channel, was: tuple[str | None, int | None, bool]) -> None:
        """The change that let go of it was undone: the worker has it as before."""
        channel.worker, channel.route_id, channel.reestablished = was
        self._prepared.add(channel.dbid)
        self.forgotten(channel.dbid)

    def forgotten(self, dbid: int) -> None:
        """The worker answered a channeld_forget: what it says from now on is new."""
        left = self._parting.pop(dbid, 0) - 1
        if left > 0:
            self._parting[dbid] = left

    def hears(self, dbid: int) -> bool:
        """Whether what a worker says of this channel comes from what we gave it last."""
        return dbid in self._prepared and dbid not in self._parting and dbid not in self._deaf

    def silence(self, dbid: int) -> None:
        """Take no more from the worker about this channel until it is released."""
        if dbid in self._prepared:
            self._deaf.add(dbid)

    def new_block(self, height: int) -> None:
        """Every worker learns the height."""
        for name in self.names:
            link = self._node.fleet.get(name)
            if link is not None:
                link.send(ChanneldBlockheight(height=height))

    async def died(self, name: str) -> None:
        """A worker is gone, and its channels rest until a new one is greeted."""
        node = self._node

        def forget() -> None:
            for dbid in [*self._prepared, *self._parting]:
                if self.name_for(dbid) == name:
                    self._prepared.discard(dbid)
                    self._parting.pop(dbid, None)
                    self._deaf.discard(dbid)
            for channel in node.channels.of_worker(name):
                channel.worker, channel.route_id, channel.reestablished = None, None, False
                node.channel_gossip.channel_changed(channel)
            node.switch.worker_died(name)

        await node.turn.do(forget)
