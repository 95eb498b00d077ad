"""Which channeld worker has which channel, and how a channel gets there.

A worker may act for a channel only after hsmd knows the channel's facts and that the worker's link may ask
for it; `prepare` sees to that order. A worker that died takes only its own channels with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.channeld_wire import (
    ChanneldBlockheight,
    ChanneldForget,
    ChanneldInit,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import WITH_PEER
from pylightningd.lightningd.control.channeld import channel_init

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


class Workers:
    """The pool of channeld workers."""

    def __init__(self, node: Node, count: int) -> None:
        self._node = node
        self.names = [f"channeld-{i}" for i in range(count)]
        self._prepared: set[int] = set()

    async def start(self) -> None:
        """Spawn every worker and link it to hsmd and connectd."""
        for name in self.names:
            await self.start_one(name)

    async def start_one(self, name: str) -> None:
        """Spawn one, at start or after it died."""
        node = self._node
        link = await node.fleet.start(name)
        link.on_message = node.channeld.on_message
        link.send(
            ChanneldInit(
                network=node.network.name,
                features=node.features["init"],
                blockheight=node.chain.height,
                commit_time_ms=node.settings.commit_time_ms,
                dev_disable_commit_after=node.settings.disable_commit_after,
            )
        )
        await node.fleet.link(name, "hsmd", capabilities=hw_capabilities())
        await node.fleet.link(name, "connectd")

    def name_for(self, dbid: int) -> str:
        """The worker that has, or would have, a channel."""
        return self.names[dbid % len(self.names)]

    async def prepare(self, channel: Channel) -> str:
        """Make sure that a worker knows the channel; returns its name. Awaits hsmd."""
        node = self._node
        name = self.name_for(channel.dbid)
        if channel.dbid in self._prepared:
            return name
        await self.tell_hsmd(channel, name)
        low, high = node.fee_bounds(channel)
        node.fleet.get(name).send(channel_init(channel, low, high, node.settings.max_dust_exposure))
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
        link = self._node.fleet.get(channel.worker)
        self._node.turn.send(link, msg)

    def release(self, channel: Channel) -> None:
        """The worker has no more to do with the channel. Call inside a turn."""
        if channel.dbid in self._prepared:
            self.send(channel, ChanneldForget(dbid=channel.dbid))
            self._prepared.discard(channel.dbid)
        channel.worker = None
        channel.route_id = None
        channel.reestablished = False

    def new_block(self, height: int) -> None:
        """Every worker learns the height."""
        for name in self.names:
            link = self._node.fleet.get(name)
            if link is not None:
                link.send(ChanneldBlockheight(height=height))

    async def died(self, name: str) -> None:
        """A worker is gone: reconnect its peers once a new one runs."""
        node = self._node
        lost = node.channels.of_worker(name)

        def forget() -> None:
            for channel in lost:
                self._prepared.discard(channel.dbid)
                channel.worker, channel.route_id, channel.reestablished = None, None, False
            node.switch.worker_died(name)

        await node.turn.do(forget)
        await self.start_one(name)
        for peer_id in {c.peer_id for c in lost if c.state in WITH_PEER}:
            node.peers.reconnect_now(peer_id, f"{name} was restarted")


def hw_capabilities() -> int:
    """What a channeld worker may ask of hsmd: ECDH and commitments of its channels."""
    ecdh, commitment = 1, 2
    return ecdh | commitment
