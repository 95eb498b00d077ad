"""The offers plugin's outer ring: calls to the node, clock and entropy, and the requests that wait for an answer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pylightningd.common.entropy import Entropy
from pylightningd.common.features import ONION_MESSAGES, offers
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice.bolt12_keys import NODE_ALIAS_BASE, OFFER_PATH_BASE
from pylightningd.common.keys import is_pubkey
from pylightningd.common.network import NETWORKS, Network
from pylightningd.common.onion.sphinx import OnionTooLarge
from pylightningd.common.wire.onion_wire import BlindedPath, OnionmsgTlv
from pylightningd.plugins.gossmap import Gossmap, GossmapError
from pylightningd.plugins.lib import INVALID_PARAMS, Plugin, RpcError
from pylightningd.plugins.offers import route
from pylightningd.plugins.offers.mail import Letter, Sealed, reply_path, seal
from pylightningd.plugins.offers.request import OFFER_ROUTE_NOT_FOUND

Json = dict[str, Any]


MAX_DIALLING = 10
"""Connections that are being made at a time for answers to strangers; less than the counter's places."""
DIAL_SECONDS = 10


class Unreachable(Exception):
    """No way for onion messages to a node."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes: a node, or the end of a blinded path."""

    node_id: NodeId | None = None
    path: BlindedPath | None = None

    @property
    def end(self) -> bytes:
        """The key of the end."""
        if self.path is not None:
            return self.path.path[-1].blinded_node_id
        assert self.node_id is not None
        return self.node_id


def destinations(paths: tuple[BlindedPath, ...] | None, node_id: bytes | None) -> list[Destination]:
    """All ways that a BOLT 12 message names; its paths if it has some, else the node."""
    # BOLT 12, "Requirements for Invoice Requests", writer: over one of the paths where there are some.
    if paths:
        return [Destination(path=path) for path in paths]
    return [] if node_id is None else [Destination(node_id=NodeId(node_id))]


@dataclass
class Waiting:
    """A message whose answer is awaited."""

    answer: asyncio.Future[Letter] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Post:
    """Sends onion messages and knows the answers to them; what the node is called, and its secrets."""

    def __init__(self, plugin: Plugin, entropy: Entropy) -> None:
        self._plugin = plugin
        self.entropy = entropy
        self._map: Gossmap | None = None
        self._carriers: route.Carriers | None = None
        self._our_id: NodeId | None = None
        self._bases: dict[bytes, bytes] = {}
        self._waiting: dict[bytes, Waiting] = {}
        self._dialling = 0

    # What we know

    @property
    def network(self) -> Network:
        """The chain we are on."""
        return NETWORKS[self._plugin.configuration["network"]]

    def now(self) -> int:
        """Seconds since 1970."""
        return int(time.time())

    async def our_id(self) -> NodeId:
        """The node's id."""
        if self._our_id is None:
            info = await self._plugin.rpc("getinfo")
            self._our_id = NodeId(bytes.fromhex(info["id"]))
        return self._our_id

    async def _base(self, name: bytes) -> bytes:
        if name not in self._bases:
            made = await self._plugin.rpc("makesecret", string=name.decode())
            self._bases[name] = bytes.fromhex(made["secret"])
        return self._bases[name]

    async def path_base(self) -> bytes:
        """The secret behind the paths that we publish."""
        return await self._base(OFFER_PATH_BASE)

    async def alias_base(self) -> bytes:
        """The secret behind the keys that sign our requests."""
        return await self._base(NODE_ALIAS_BASE)

    def graph(self) -> Gossmap:
        """The network as it is known now."""
        if self._map is None:
            folder = Path(self._plugin.configuration.get("lightning-dir", "."))
            self._map = Gossmap(folder / "gossip_store")
            self._carriers = route.Carriers(self._map)
        try:
            self._map.refresh()
        except GossmapError as why:
            self._plugin.log(f"no map of the network: {why}", "debug")
        return self._map

    async def best_peer(self) -> NodeId | None:
        """The peer that others reach best: public, passes onion messages on, and has most to send us."""
        # BOLT 12, "Requirements For Offers", writer: paths from publicly reachable nodes.
        try:
            listed = (await self._plugin.rpc("listincoming"))["incoming"]
        except RpcError as why:
            self._plugin.log(f"listincoming: {why}", "debug")
            return None
        usable = [
            c
            for c in listed
            if c["enabled"] and offers(bytes.fromhex(c.get("peer_features", "")), ONION_MESSAGES)
        ]
        best = max(usable, key=lambda c: int(c["incoming_capacity_msat"]), default=None)
        return None if best is None else NodeId(bytes.fromhex(best["id"]))

    async def entrance(self) -> NodeId | None:
        """The peer to begin published paths at; None where everybody can find us without."""
        graph, our_id = self.graph(), await self.our_id()
        said = route.announcement(graph, our_id)
        if route.is_public(graph, our_id) and said is not None and said.addresses:
            return None
        best = await self.best_peer()
        if best is None and not route.is_public(graph, our_id):
            self._plugin.log("No incoming channel to public peer, so no blinded path", "unusual")
        return best

    # Ways

    async def _peers(self) -> tuple[list[NodeId], list[Json]]:
        listed: list[Json] = (await self._plugin.rpc("listpeers"))["peers"]
        connected = [
            NodeId(bytes.fromhex(p["id"]))
            for p in listed
            if p["connected"] and offers(bytes.fromhex(p.get("features", "")), ONION_MESSAGES)
        ]
        return connected, listed

    async def _door(self, path: BlindedPath) -> NodeId:
        """The node where a blinded path begins. Raises Unreachable."""
        first = path.first_node_id
        if first[0] > 1:
            return NodeId(first)
        scid = int.from_bytes(first[1:9], "big")
        found = route.end_of_channel(self.graph(), scid, first[0])
        if found is None:
            found = await self._end_of_own_channel(scid, first[0])
        if found is None:
            raise Unreachable("Cannot resolve scidd")
        return found

    async def _end_of_own_channel(self, scid: int, direction: int) -> NodeId | None:
        text = f"{scid >> 40}x{scid >> 16 & 0xFFFFFF}x{scid & 0xFFFF}"
        for channel in (await self._plugin.rpc("listpeerchannels"))["channels"]:
            alias = channel.get("alias", {})
            if text in (channel.get("short_channel_id"), alias.get("local"), alias.get("remote")):
                ends = sorted((await self.our_id(), NodeId(bytes.fromhex(channel["peer_id"]))))
                return ends[direction]
        return None

    async def _known_way(self, target: NodeId) -> list[NodeId] | None:
        """Nodes from us to `target` over connections that there are."""
        our_id = await self.our_id()
        if target == our_id:
            return [our_id]
        peers, _ = await self._peers()
        return route.find_way(self.graph(), our_id, peers, target, self._carriers)

    async def _dial(self, target: NodeId) -> list[NodeId]:
        """Connect to a node: that is the way then. Raises Unreachable."""
        if self._plugin.options["fetchinvoice-noconnect"]:
            raise Unreachable("fetchinvoice-noconnect set: not initiating a new connection")
        self._plugin.log(f"connecting directly to {target.hex()}", "debug")
        try:
            await self._plugin.rpc("connect", id=target.hex())
        except RpcError as why:
            raise Unreachable(why.message) from None
        return [await self.our_id(), target]

    async def _dial_stranger(self, target: NodeId) -> list[NodeId]:
        """Connect to a node that somebody else named: not for long, and to few at a time. Raises Unreachable."""
        if self._dialling >= MAX_DIALLING:
            raise Unreachable("too many connections are being made")
        self._dialling += 1
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                return await self._dial(target)
        except TimeoutError:
            raise Unreachable(f"no connection within {DIAL_SECONDS} seconds") from None
        finally:
            self._dialling -= 1

    # Sending

    async def _send(self, sealed: Sealed) -> None:
        await self._plugin.rpc(
            "injectonionmessage", path_key=sealed.path_key.hex(), message=sealed.packet.hex()
        )

    async def reply(
        self, path: BlindedPath, content: OnionmsgTlv, *, may_connect: bool = True
    ) -> None:
        """Answer over somebody's reply path; one that cannot be used is nobody's business.

        With `may_connect` we connect to where it begins if there is no other way.
        """
        try:
            if not all(is_pubkey(hop.blinded_node_id) for hop in path.path) or not path.path:
                raise Unreachable("the reply_path is no path")
            door = await self._door(path)
            way = await self._known_way(door)
            if way is None and not may_connect:
                raise Unreachable("it is not worth a connection")
            if way is None:
                way = await self._dial_stranger(door)
            await self._send(seal(self.entropy, way, path, content))
        except (Unreachable, RpcError, OnionTooLarge) as why:
            self._plugin.log(f"Failed to send reply: {why}", "debug")

    async def ask(
        self, where: list[Destination], content: OnionmsgTlv
    ) -> tuple[Destination, Waiting, bytes]:
        """Send a message with a reply path to the first destination that can be reached.

        Returns it, the answer to come, and the secret for `forget`. Raises RpcError.
        """
        why = "there is nobody to ask"
        for destination in where:
            try:
                door = destination.node_id or await self._door(destination.path)  # type: ignore[arg-type]  # one of both
                way = await self._known_way(door) or await self._dial(door)
            except Unreachable as reason:
                why = f"could not route or connect directly to {_described(destination)}: {reason}"
                self._plugin.log(f"establish path failed: {reason}", "debug")
                continue
            waiting, secret = Waiting(), self.entropy.take(32)
            # Who published a path can reach its door: nothing else is sure. A node finds its own neighbours.
            public = destination.path is None and (
                len(way) < 2 or route.is_public(self.graph(), way[-2])
            )
            back = reply_path(self.entropy, way, secret, neighbour_is_public=public)
            letter = OnionmsgTlv(
                reply_path=back, invoice_request=content.invoice_request, invoice=content.invoice
            )
            self._waiting[secret] = waiting
            try:
                await self._send(seal(self.entropy, way, destination.path, letter))
            except OnionTooLarge as error:
                self.forget(secret)
                raise RpcError(INVALID_PARAMS, f"Creating onion failed: {error}") from None
            except BaseException:
                self.forget(secret)
                raise
            return destination, waiting, secret
        raise RpcError(OFFER_ROUTE_NOT_FOUND, f"Failed: {why}")

    def forget(self, secret: bytes) -> None:
        """Nobody waits for that answer any more."""
        self._waiting.pop(secret, None)

    def take(self, letter: Letter) -> bool:
        """Give an answer to who waits for it. False where it answers nothing that we sent."""
        # BOLT 4, "The `onion_message` Message": only what came over a reply path is an answer to it, and once.
        if letter.path_secret is None:
            return False
        waiting = self._waiting.pop(letter.path_secret, None)
        if waiting is None:
            return False
        if not waiting.answer.done():
            waiting.answer.set_result(letter)
        return True


def _described(destination: Destination) -> str:
    if destination.path is not None:
        return f"blinded path at {destination.path.first_node_id.hex()}"
    return destination.end.hex()
