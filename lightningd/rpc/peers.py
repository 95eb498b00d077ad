"""Commands about peers: connect, disconnect, listpeers, ping, sendcustommsg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId
from pylightningd.common.wire import peer_wire
from pylightningd.lightningd.channels.states import RESUMED
from pylightningd.lightningd.control.addresses import address_json
from pylightningd.lightningd.peers import Peer
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, LIGHTNINGD
from pylightningd.lightningd.rpc.params import (
    Param,
    boolean,
    hex_bytes,
    node_id_param,
    one_of,
    string,
    u16,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.utility import log_rows

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_ID = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518"


def _split_target(text: str, host: str | None, port: int | None) -> tuple[NodeId, list[str]]:
    """``id``, ``id@host``, ``id@host:port`` or the parts given apart."""
    hex_id, at, rest = text.partition("@")
    if at and host is not None:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, "Can't specify host as both xxx@yyy and separate argument"
        )
    try:
        raw = bytes.fromhex(hex_id)
    except ValueError:
        raw = b""
    if len(raw) != 33 or raw[0] not in (2, 3):
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"id: should be a node id, or id@host:port: invalid token '{text}'; "
            f"for example: lightning-cli connect {_ID} 127.0.0.1 9735",
        )
    where = rest or host
    if where is None:
        if port is not None:
            raise UserError(JSONRPC2_INVALID_PARAMS, "Can't specify port without host")
        return NodeId(raw), []
    if port is not None:
        where = f"[{where}]:{port}" if ":" in where and where[0] != "[" else f"{where}:{port}"
    return NodeId(raw), [where]


@command(
    "connect",
    family="peers",
    summary="Connect to {id} at {host} (which can end in ':port' if not default). "
    "{id} can also be of the form id@host",
    params={
        "id": Param(string, "the node to connect to, or id@host:port"),
        "host": Param(
            string, "where it listens; left out, what gossip says is tried", default=None
        ),
        "port": Param(u16, "its port; the network's default if left out", default=None),
    },
    examples=[f"connect {_ID} 127.0.0.1 9735", f"connect {_ID}@localhost:9735"],
    errors={
        400: "no address of the node is known",
        401: "none of its addresses worked",
        402: "the node hung up while connecting",
    },
)
async def connect(
    node: Node,
    id: str,
    host: str | None,
    port: int | None,  # noqa: A002 - the command's own name
) -> dict[str, Any]:
    peer_id, addresses = _split_target(id, host, port)
    if peer_id == node.node_id:
        raise UserError(JSONRPC2_INVALID_PARAMS, "id: cannot connect to ourselves")
    peer = await node.peers.connect(peer_id, addresses)
    return {
        "id": peer.id.hex(),
        "features": peer.features.hex(),
        "direction": "in" if peer.incoming else "out",
        "address": address_json(peer.address),
    }


@command(
    "disconnect",
    family="peers",
    summary="Disconnect from {id} that has previously been connected to using connect",
    params={
        "id": Param(node_id_param, "the node to disconnect from"),
        "force": Param(boolean, "also where there is a channel with it", default=False),
    },
    examples=[f"disconnect {_ID} true"],
    errors={-1: "the peer is not connected, or has a channel and force is not set"},
)
async def disconnect(node: Node, id: NodeId, force: bool) -> dict[str, Any]:  # noqa: A002
    peer = node.peers.get(id)
    if peer is None or not peer.connected:
        raise UserError(LIGHTNINGD, "Peer not connected")
    active = [c for c in node.channels.of_peer(id) if c.state in RESUMED]
    if active and not force:
        raise UserError(
            LIGHTNINGD,
            f"Peer has (at least one) channel in state {active[0].state.name}; "
            f"to disconnect all the same: lightning-cli disconnect {id.hex()} true",
        )
    gone = node.peers.when_disconnected(peer)
    node.peers.disconnect(peer, "disconnect command")
    await gone
    return {}


def _peer_json(node: Node, peer: Peer, level: str | None) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": peer.id.hex(),
        "connected": peer.connected,
        "num_channels": len(node.channels.of_peer(peer.id)),
    }
    if peer.connected:
        result["netaddr"] = [peer.address]
        result["features"] = peer.features.hex()
        if peer.remote_address:
            result["remote_addr"] = peer.remote_address
    if level is not None:
        result["log"] = log_rows(
            node, level, (e for e in node.log.kept if e.node_id == peer.id.hex())
        )
    return result


@command(
    "listpeers",
    family="peers",
    summary="Show current peers, if {level} is set, include logs for {id}",
    params={
        "id": Param(node_id_param, "only this peer", default=None),
        "level": Param(
            one_of("io", "trace", "debug", "info", "unusual"),
            "add the peer's log lines of this level and above",
            default=None,
        ),
    },
    examples=["listpeers", f"listpeers {_ID} debug"],
)
async def listpeers(node: Node, id: NodeId | None, level: str | None) -> dict[str, Any]:  # noqa: A002
    peers = [p for p in node.peers.all() if id is None or p.id == id]
    return {"peers": [_peer_json(node, peer, level) for peer in peers]}


@command(
    "ping",
    family="peers",
    summary="Send peer {id} a ping of length {len} (default 128) asking for {pongbytes} (default 128)",
    params={
        "id": Param(node_id_param, "a connected peer"),
        "len": Param(u16, "bytes of padding in the ping", default=128),
        "pongbytes": Param(u16, "bytes asked for; 65532 and more: no reply", default=128),
    },
    examples=[f"ping {_ID} 128 128"],
    errors={-1: "the peer is not connected"},
)
async def ping(node: Node, id: NodeId, len: int, pongbytes: int) -> dict[str, Any]:  # noqa: A002
    if len > 65535 - 2 - 2 - 2:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"len: {len} would result in oversize ping")
    peer = node.peers.get(id)
    if peer is None:
        raise UserError(LIGHTNINGD, "Peer not connected")
    return {"totlen": await node.connectd.ping(peer, len, pongbytes)}


@command(
    "sendcustommsg",
    family="peers",
    summary="Send a custom message to the peer with the given {node_id}",
    params={
        "node_id": Param(node_id_param, "a connected peer"),
        "msg": Param(hex_bytes, "the message: two bytes of type, then its content"),
    },
    examples=[f"sendcustommsg {_ID} 77770012"],
    errors={-1: "the peer is not connected, or the type is one of the protocol's own"},
)
async def sendcustommsg(node: Node, node_id: NodeId, msg: bytes) -> dict[str, Any]:
    if len(msg) < 2:
        raise UserError(JSONRPC2_INVALID_PARAMS, "msg: a message has at least its two-byte type")
    kind = int.from_bytes(msg[:2], "big")
    if kind in peer_wire.MESSAGES:
        raise UserError(
            LIGHTNINGD,
            f"Cannot send messages of type {kind} ({peer_wire.MESSAGES[kind].NAME}). It is not possible "
            "to send messages that have a type managed internally since that might cause issues "
            "with the internal state tracking.",
        )
    if kind % 2 == 0 and not node.peer_hooks.claims_custommsg(kind):
        raise UserError(
            LIGHTNINGD,
            f"Cannot send even-typed {kind} custom message. Currently custom messages are limited "
            "to odd-numbered message types, as even-numbered types might result in disconnections.",
        )
    peer = node.peers.get(node_id)
    if peer is None:
        raise UserError(LIGHTNINGD, "No such peer: connect to it first")
    if not peer.connected:
        raise UserError(LIGHTNINGD, "Peer is not connected")
    await node.turn.do(lambda: node.connectd.send(peer, msg))
    return {"status": "Message sent to connectd for delivery"}
