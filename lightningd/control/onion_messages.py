"""Onion messages: take a layer off what peers send, pass it on, or give plugins what is for us.

connectd limits how many a peer may send and the link to a slow peer drops them; here is only a bound on how many are
opened at once. Nothing of them is stored, and who sends garbage hears nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError, WireError
from pylightningd.common.features import ONION_MESSAGES, offers
from pylightningd.common.ids import NodeId
from pylightningd.common.keys import is_pubkey
from pylightningd.common.onion.blinding import tweak_key
from pylightningd.common.onion.onion_message import (
    BadOnionMessage,
    FinalMessage,
    ForwardMessage,
    open_onion_message,
)
from pylightningd.common.onion.sphinx import BadOnion, ephemeral_key
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.hsmd_wire import HsmdEcdh
from pylightningd.common.wire.onion_wire import BlindedPath
from pylightningd.lightningd.rpc.errors import LIGHTNINGD

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.peers import Peer

MAX_OPENING = 200
"""Messages of peers whose layer is being taken off; more are dropped."""
MIN_PACKET = 66
"""Bytes of version, key and hmac."""
_PATH_SECRET_SIZE = 32


class Undeliverable(Exception):
    """A message that goes nowhere. Peers are not told; who injected it is."""

    def __init__(self, why: str, onward: ForwardMessage | None = None) -> None:
        super().__init__(why)
        self.onward = onward


class OnionMessages:
    """Handles onion messages, those of peers and our own."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._opening = 0

    def received(self, peer: Peer, raw: bytes) -> None:
        """A peer sent one. Outside turns."""
        if not offers(self._node.features["node"], ONION_MESSAGES):
            return
        try:
            msg = pw.OnionMessage.decode(raw)
        except WireError as error:
            self._node.log(
                "debug", f"Bad onion_message: {error}", source="connectd", peer_id=peer.id
            )
            return
        if self._opening >= MAX_OPENING:
            return
        self._opening += 1
        self._node.attempt(self._receive(peer.id, msg), f"onion message of {peer.id.hex()}")

    async def _receive(self, source: NodeId, msg: pw.OnionMessage) -> None:
        try:
            await self._handle(msg.path_key, msg.onion_message_packet)
        except Undeliverable as why:
            self._node.log("debug", f"onion msg: {why}", source="connectd", peer_id=source)
            self._node.notify("onionmessage_forward_fail", _fail_json(source, msg, why.onward))
        finally:
            self._opening -= 1

    async def inject(self, path_key: bytes, packet: bytes) -> None:
        """Treat a message as if a peer had sent it to us. Raises UserError."""
        try:
            await self._handle(path_key, packet)
        except Undeliverable as why:
            raise UserError(LIGHTNINGD, str(why)) from None

    async def _handle(self, path_key: bytes, packet: bytes) -> None:
        opened = await self._open(path_key, packet)
        if isinstance(opened, ForwardMessage):
            self._forward(opened)
        else:
            self._deliver(opened)

    async def _open(self, path_key: bytes, packet: bytes) -> ForwardMessage | FinalMessage:
        # BOLT 4, "The `onion_message` Message", reader: what does not decrypt is ignored.
        if len(packet) < MIN_PACKET:
            raise Undeliverable(f"a packet of {len(packet)} bytes")
        if not is_pubkey(path_key):
            raise Undeliverable(f"path key {path_key.hex()} is not a public key")
        try:
            key = ephemeral_key(packet)
            path_secret = await self._ecdh(path_key)
            onion_secret = await self._ecdh(tweak_key(key, path_secret))
            return open_onion_message(packet, path_key, path_secret, onion_secret)
        except (BadOnion, BadOnionMessage, ValueError) as error:
            raise Undeliverable(str(error)) from None

    async def _ecdh(self, point: bytes) -> bytes:
        reply = await self._node.hsm.ask(HsmdEcdh(points=(point,)))
        return reply.secrets[0].reveal()

    def _forward(self, onward: ForwardMessage) -> None:
        # BOLT 4, "The `onion_message` Message", reader that is not the last: next_node_id counts before the channel.
        node_id = onward.next_node_id
        if node_id is None:
            assert onward.short_channel_id is not None
            channel = self._node.channels.by_scid(onward.short_channel_id)
            if channel is None:
                raise Undeliverable(f"unknown next scid {onward.short_channel_id}", onward)
            node_id = channel.peer_id
        peer = self._node.peers.get(node_id)
        if peer is None or not peer.connected:
            raise Undeliverable(f"unknown next peer {node_id.hex()}", onward)
        msg = pw.OnionMessage(path_key=onward.path_key, onion_message_packet=onward.packet)
        self._node.peers.send(peer, msg)

    def _deliver(self, final: FinalMessage) -> None:
        payload: dict[str, Any] = {}
        hook = "onion_message_recv"
        if final.path_id is not None:
            if len(final.path_id) != _PATH_SECRET_SIZE:
                raise Undeliverable("a path_id that cannot be ours")
            hook = "onion_message_recv_secret"
            payload["pathsecret"] = final.path_id.hex()
        tlvs = final.tlvs
        reply = "" if tlvs.reply_path is None else " reply_path"
        secret = "" if final.path_id is None else " with pathsecret"
        self._node.log("debug", f"Got onionmsg{secret}{reply}")
        if tlvs.reply_path is not None:
            payload["reply_blindedpath"] = blinded_path_json(tlvs.reply_path)
        for name in ("invoice_request", "invoice", "invoice_error"):
            value: bytes | None = getattr(tlvs, name)
            if value is not None:
                payload[name] = value.hex()
        payload["unknown_fields"] = [
            {"number": kind, "value": value.hex()} for kind, value in tlvs.unknown
        ]
        plugins = self._node.plugins
        if plugins.has_hook(hook):
            self._node.attempt(plugins.call_hook(hook, {"onion_message": payload}), hook)


def blinded_path_json(path: BlindedPath) -> dict[str, Any]:
    """A path as the hooks show it."""
    first = path.first_node_id
    # BOLT 4, "Route Blinding": a sciddir begins with its direction, 0 or 1, a node id with 2 or 3.
    if first[0] < 2:
        scid = int.from_bytes(first[1:9], "big")
        entry: dict[str, Any] = {
            "first_scid": f"{scid >> 40}x{scid >> 16 & 0xFFFFFF}x{scid & 0xFFFF}",
            "first_scid_dir": first[0],
        }
    else:
        entry = {"first_node_id": first.hex()}
    return {
        **entry,
        "first_path_key": path.first_path_key.hex(),
        "hops": [
            {
                "blinded_node_id": hop.blinded_node_id.hex(),
                "encrypted_recipient_data": hop.encrypted_recipient_data.hex(),
            }
            for hop in path.path
        ],
    }


def _fail_json(
    source: NodeId, msg: pw.OnionMessage, onward: ForwardMessage | None
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "source": source.hex(),
        "incoming": msg.onion_message_packet.hex(),
        "path_key": msg.path_key.hex(),
    }
    if onward is not None:
        shown["outgoing"] = onward.packet.hex()
        if onward.next_node_id is not None:
            shown["next_node_id"] = onward.next_node_id.hex()
        else:
            # CLN's connectd has direction 0 where only a channel was named.
            shown["next_short_channel_id_dir"] = f"{onward.short_channel_id}/0"
    return shown
