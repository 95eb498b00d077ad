"""gossipd's process: links, timers, the store's file. Decides nothing; see `gossip.py`."""

from __future__ import annotations

import argparse
import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pylightningd.common.bus.link import Incoming, Link, LinkClosed, Refused
from pylightningd.common.clock_io import SystemClock
from pylightningd.common.daemon_io import DaemonShell
from pylightningd.common.ids import ChannelId, ShortChannelId
from pylightningd.common.network import network_by_name
from pylightningd.common.wire import connectd_wire as cw
from pylightningd.common.wire import gossipd_wire as gw
from pylightningd.common.wire.peer_wire import Warning as WarningMsg
from pylightningd.common.wire.runtime import Message
from pylightningd.gossipd.gossip import Gossip
from pylightningd.gossipd.store_io import FileStore

SLICE_SECONDS = 0.005
"""Of checking signatures, before the loop may do something else."""
TICK_SECONDS, FAST_TICK_SECONDS = 5.0, 1.0
MAX_WAITING = 5000
"""Messages of peers; beyond, connectd's link is not read."""
LOOKUPS = 8
"""Funding outputs asked for at once."""


class GossipdShell(DaemonShell):
    """See the module."""

    NAME = "gossipd"
    DESCRIPTION = "Keeps the map of the network: checks, stores, asks for and passes on gossip."
    WIRES = (gw, cw)

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self._clock = SystemClock()
        self._gossip: Gossip | None = None
        self._connectd: Link | None = None
        self._early: list[Incoming] = []
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._work = asyncio.Event()
        self._lookups: deque[int] = deque()
        self._looking = 0
        self._paused = False
        self._master_handlers: dict[type[Message], Callable[[Any], None]] = {
            gw.GossipdAdd: self._on_add,
            gw.GossipdBlockheight: lambda m: self._core.intake.new_height(m.height),
            gw.GossipdSpent: lambda m: self._core.intake.spent(m.height, m.scids),
            gw.GossipdGetAddresses: self._on_get_addresses,
            gw.GossipdOurChannel: lambda m: self._core.our_channel(m.short_channel_id, m.peer_id),
        }

    @property
    def _core(self) -> Gossip:
        if self._gossip is None:
            raise RuntimeError("lightningd must send gossipd_init first")
        return self._gossip

    # The master

    def on_master(self, batch: list[Incoming]) -> None:
        """Messages of lightningd."""
        for incoming in batch:
            msg: Any = incoming.msg
            if isinstance(msg, gw.GossipdInit):
                self._init(incoming, msg)
            else:
                self._master_handlers[type(msg)](msg)

    def _init(self, incoming: Incoming, msg: gw.GossipdInit) -> None:
        # Never closed: what runs in the last moments of the process may still read it, and each write is whole.
        store = FileStore(Path(msg.store_path), self.log)
        core = self._gossip = Gossip(
            self,
            store,
            chain_hash=network_by_name(msg.network).chain_hash,
            node_id=msg.node_id,
            height=msg.blockheight,
            fast=msg.dev_fast_gossip,
            fast_prune=msg.dev_fast_gossip_prune,
        )
        orphans = core.graph.load(store.records())
        if orphans:
            self.log("debug", f"gossip_store: {orphans} records had lost their channel")
        channels, nodes = core.counts()
        self.log("debug", f"gossip_store: {channels} channels, {nodes} nodes")
        incoming.reply(gw.GossipdInitReply(num_channels=channels, num_nodes=nodes))
        self.spawn(self._tick(FAST_TICK_SECONDS if msg.dev_fast_gossip else TICK_SECONDS), "tick")
        self.spawn(self._check_waiting(), "check gossip")
        early, self._early = self._early, []
        self._on_connectd(early)

    def _on_add(self, msg: gw.GossipdAdd) -> None:
        amount = None if msg.known_amount is None else msg.known_amount.sat
        error = self._core.add(msg.msg, amount, self._clock.now())
        self.master.send(gw.GossipdAddDone(cookie=msg.cookie, error=error))

    def _on_get_addresses(self, msg: gw.GossipdGetAddresses) -> None:
        found = self._core.addresses(msg.node_id)
        self.master.send(gw.GossipdAddresses(cookie=msg.cookie, addresses=found))

    # connectd

    def on_link(self, link: Link) -> None:
        """A link to connectd."""
        if link.name == "connectd":
            self._connectd = link
            link.on_message = self._on_connectd

    def on_link_closed(self, link: Link) -> None:
        """connectd is gone, and every peer with it."""
        if link is self._connectd:
            self._connectd = None
            self._waiting.clear()
            self._early.clear()
            self._paused = False
            if self._gossip is not None:
                for connection in list(self._gossip.peers):
                    self._gossip.peer_gone(connection, self._clock.now())

    def _on_connectd(self, batch: list[Incoming]) -> None:
        if self._gossip is None:
            self._early += batch
            return
        for incoming in batch:
            msg: Any = incoming.msg
            if isinstance(msg, cw.ConnectdGossipIn):
                self._waiting.append((msg.connection, msg.msg))
            elif isinstance(msg, cw.ConnectdGossipRoom):
                self._core.room(msg.connection)
            elif isinstance(msg, cw.ConnectdGossipPeer):
                now = self._clock.now()
                self._core.peer_connected(msg.connection, msg.peer_id, msg.features, now)
            elif isinstance(msg, cw.ConnectdGossipPeerGone):
                self._core.peer_gone(msg.connection, self._clock.now())
            else:
                raise TypeError(f"connectd sent {msg.NAME}")
        if self._waiting:
            self._work.set()
        if len(self._waiting) > MAX_WAITING and self._connectd is not None and not self._paused:
            self._paused = True
            self._connectd.pause_reading()

    async def _check_waiting(self) -> None:
        """Work off what peers sent, a few milliseconds at a time."""
        while True:
            await self._work.wait()
            until = self._clock.monotonic() + SLICE_SECONDS
            while self._waiting and self._clock.monotonic() < until:
                connection, raw = self._waiting.popleft()
                self._core.peer_message(connection, raw, self._clock.now())
            if self._paused and len(self._waiting) < MAX_WAITING // 2:
                self._paused = False
                if self._connectd is not None:
                    self._connectd.resume_reading()
            if not self._waiting:
                self._work.clear()
            await asyncio.sleep(0)

    async def _tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self._core.tick(self._clock.now())

    # Port

    def send(self, connection: int, msgs: Sequence[bytes]) -> None:
        """See `Port`."""
        if self._connectd is not None:
            self._connectd.send(cw.ConnectdGossipOut(connection=connection, msgs=tuple(msgs)))

    def warn(self, connection: int, text: str) -> None:
        """See `Port`."""
        if self._connectd is not None:
            warning = WarningMsg(channel_id=ChannelId(bytes(32)), data=text.encode()[:1000])
            self._connectd.send(cw.ConnectdGossipWarn(connection=connection, msg=warning.encode()))

    def ask_txout(self, scid: int) -> None:
        """See `Port`."""
        self._lookups.append(scid)
        if self._looking < LOOKUPS:
            self._looking += 1
            self.spawn(self._look_up(), "look up funding outputs")

    async def _look_up(self) -> None:
        """Ask for one output after the other until there are none."""
        try:
            while self._lookups:
                scid = self._lookups.popleft()
                request = gw.GossipdGetTxout(short_channel_id=ShortChannelId(scid))
                try:
                    reply = await self.master.ask(request)
                except Refused as why:
                    self.log("debug", f"{ShortChannelId(scid)} cannot be looked up: {why}")
                    self._core.intake.txout_unanswered(scid)
                else:
                    self._core.txout(scid, reply.amount.sat, reply.scriptpubkey)
        except LinkClosed:
            pass
        finally:
            self._looking -= 1

    def tell_master(self, msg: Message) -> None:
        """See `Port`."""
        self.master.send(msg)
