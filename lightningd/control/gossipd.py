"""What the master tells gossipd, and what its messages mean. What we announce is in `channels/channel_gossip.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.errors import BackendError
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId
from pylightningd.common.wire import gossipd_wire as gw
from pylightningd.lightningd.db import gossip_io

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming, Link
    from pylightningd.common.wire.runtime import Message
    from pylightningd.lightningd.chain.block import Block
    from pylightningd.lightningd.node import Node

_GONE = "gossipd is being restarted"


class GossipControl:
    """The master's side of the link to gossipd."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._txos = gossip_io.load_txos(node.db)
        self._adding: dict[int, Any] = {}
        self._asking: dict[int, Any] = {}
        self._next_cookie = 1
        self._ready = False
        self._missed: list[ShortChannelId] = []
        """Channels whose funding was spent while no gossipd ran."""
        self._handlers: dict[type, Callable[[Any], None]] = {
            gw.GossipdAddDone: self._on_add_done,
            gw.GossipdAddresses: self._on_addresses,
            gw.GossipdRemoteUpdate: self._on_remote_update,
        }
        node.chain.on_block(self._on_block)

    # Life of the daemon

    async def greet(self, link: Link) -> None:
        """A gossipd runs: tell it who we are, and all that it must know of us."""
        node = self._node
        link.on_message = self.on_message
        await link.ask(
            gw.GossipdInit(
                network=node.network.name,
                node_id=node.node_id,
                features=node.features["init"],
                store_path=f"{node.config.folders.net_dir}/gossip_store",
                blockheight=node.chain.height,
                dev_fast_gossip=bool(node.config["dev-fast-gossip"]),
                dev_fast_gossip_prune=bool(node.config["dev-fast-gossip-prune"]),
            )
        )
        self._ready = True
        self._tell_spent(node.chain.height)
        node.channel_gossip.gossipd_started()

    async def died(self) -> None:
        """Nobody answers any more what was asked; the next one is told everything."""
        self._ready = False
        adding, self._adding = self._adding, {}
        asking, self._asking = self._asking, {}
        for future in adding.values():
            _settle(future, _GONE)
        for future in asking.values():
            _settle(future, ())

    def _send(self, msg: Message) -> bool:
        link = self._node.fleet.get("gossipd")
        if link is None or not self._ready:
            return False
        link.send(msg)
        return True

    # What gossipd says

    def on_message(self, batch: list[Incoming]) -> None:
        """Messages of gossipd."""
        for incoming in batch:
            if isinstance(incoming.msg, gw.GossipdGetTxout):
                name = f"look up {incoming.msg.short_channel_id}"
                self._node.spawn(self._look_up(incoming), name)
            else:
                self._handlers[type(incoming.msg)](incoming.msg)

    async def _look_up(self, incoming: Incoming) -> None:
        """Answer with the unspent output, or with an empty script."""
        msg: Any = incoming.msg
        scid = msg.short_channel_id
        try:
            found = await self._node.chain.get_txout(scid)
        except BackendError as why:
            incoming.refuse(str(why))
            return
        if found is None:
            incoming.reply(gw.GossipdGetTxoutReply(amount=Sat(0), scriptpubkey=b""))
            return
        await self._node.turn.do(partial(self.watch, found.outpoint, scid))
        incoming.reply(gw.GossipdGetTxoutReply(amount=found.amount, scriptpubkey=found.script))

    def _on_add_done(self, msg: gw.GossipdAddDone) -> None:
        future = self._adding.pop(msg.cookie, None)
        if future is not None:
            _settle(future, msg.error)

    def _on_addresses(self, msg: gw.GossipdAddresses) -> None:
        future = self._asking.pop(msg.cookie, None)
        if future is not None:
            _settle(future, msg.addresses)

    def _on_remote_update(self, msg: gw.GossipdRemoteUpdate) -> None:
        gossip = self._node.channel_gossip
        self._node.turn.submit(partial(gossip.remote_update, msg.peer_id, msg.msg))

    # What the node wants of it

    async def add(self, raw: bytes, known_amount: Sat | None = None) -> str:
        """Hand over a gossip message. Returns why it was not taken, or an empty text."""
        cookie, future = self._new_cookie(self._adding)
        if not self._send(gw.GossipdAdd(cookie=cookie, msg=raw, known_amount=known_amount)):
            del self._adding[cookie]
            return _GONE
        error: str = await future
        return error

    async def addresses_of(self, peer_id: NodeId) -> list[str]:
        """Where a node says it can be reached; empty if nobody knows."""
        cookie, future = self._new_cookie(self._asking)
        if not self._send(gw.GossipdGetAddresses(cookie=cookie, node_id=peer_id)):
            del self._asking[cookie]
            return []
        return list(await future)

    def our_channel(self, scid: ShortChannelId, peer_id: NodeId) -> None:
        """Tell it a name of a channel of ours, so that it passes on the peer's updates."""
        self._send(gw.GossipdOurChannel(short_channel_id=scid, peer_id=peer_id))

    def _new_cookie(self, table: dict[int, Any]) -> tuple[int, Any]:
        cookie = self._next_cookie
        self._next_cookie += 1
        table[cookie] = self._node.new_future()
        return cookie, table[cookie]

    # Funding outputs

    def watch(self, outpoint: Outpoint, scid: ShortChannelId) -> None:
        """Tell gossipd once this output is spent. Inside a turn."""
        key = (bytes(outpoint.txid), outpoint.index)
        old = self._txos.get(key)
        if old == int(scid):
            return
        if old is not None:
            # A reorganisation gave the channel another name: the one it had is as good as spent.
            gossip_io.remove_txo(self._node.db, outpoint.txid, outpoint.index)
            self._node.turn.after_commit(lambda: self._tell_renamed(ShortChannelId(old)))
        self._txos[key] = int(scid)
        gossip_io.add_txo(self._node.db, outpoint, scid)
        self._node.turn.on_rollback(lambda: self._put_back(key, old))

    def _put_back(self, key: tuple[bytes, int], old: int | None) -> None:
        if old is None:
            self._txos.pop(key, None)
        else:
            self._txos[key] = old

    def _tell_renamed(self, old: ShortChannelId) -> None:
        self._missed.append(old)
        self._tell_spent(self._node.chain.height)

    def _on_block(self, height: int, block: Block) -> None:
        """In a block's turn: the height, and funding outputs it spends."""
        spent: list[ShortChannelId] = []
        if self._txos:
            for tx in block.txs:
                for spend in tx.inputs:
                    key = (bytes(spend.outpoint.txid), spend.outpoint.index)
                    if key in self._txos:
                        spent.append(ShortChannelId(self._txos.pop(key)))
                        gossip_io.remove_txo(self._node.db, spend.outpoint.txid, key[1])
        self._node.turn.after_commit(lambda: self._tell_block(height, spent))

    def _tell_block(self, height: int, spent: list[ShortChannelId]) -> None:
        self._missed += spent
        self._tell_spent(height)
        self._send(gw.GossipdBlockheight(height=height))

    def _tell_spent(self, height: int) -> None:
        if self._missed and self._send(gw.GossipdSpent(height=height, scids=tuple(self._missed))):
            self._missed.clear()


def _settle(future: Any, result: object) -> None:
    if not future.done():
        future.set_result(result)
