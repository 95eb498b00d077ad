"""From a connected socket to a peer with a name: the handshake, then both `init` messages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from pylightningd.common.address import Address
from pylightningd.common.errors import WarnPeer, WireError
from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.secret import Secret
from pylightningd.common.wire import peer_wire
from pylightningd.connectd.address import Target
from pylightningd.connectd.disconnect_script import Break
from pylightningd.connectd.init import PeerInit, make_init, read_init
from pylightningd.connectd.noise import (
    Handshake,
    HandshakeError,
    Receive,
    Secured,
    Send,
    initiate,
    respond,
)
from pylightningd.connectd.tcp_io import PeerClosed, PeerSocket
from pylightningd.connectd.transport import Transport

HANDSHAKE = "Cryptographic handshake"
INIT = "Exchanging init messages"
_MOST_BEFORE_INIT = 10


class SetupFailed(Exception):
    """The connection did not come about; `stage` and the text are for people."""

    def __init__(self, stage: str, text: str) -> None:
        super().__init__(f"{stage}: {text}")
        self.stage = stage


@dataclass(slots=True)
class Local:
    """What every connection needs to know of us."""

    node_id: NodeId
    features: bytes
    chain_hash: bytes
    ecdh: Callable[[bytes], Awaitable[bytes]]
    """Of the node key with a point."""
    ephemeral: Callable[[], Secret]
    """A fresh private key."""
    on_send: Callable[[NodeId, int], Break]
    on_receive: Callable[[NodeId, int], Break]
    mute_after_handshake: bool = False
    """For tests: neither send nor read init."""


@dataclass(slots=True)
class Established:
    """A peer that introduced itself."""

    socket: PeerSocket
    transport: Transport
    peer_id: NodeId
    init: PeerInit
    address: Target
    incoming: bool
    inbox: deque[bytes] = field(default_factory=deque)
    """Messages that came right behind its init."""


class Setup:
    """One attempt; `stage` tells at any time how far it is."""

    def __init__(self, local: Local, socket: PeerSocket, address: Target) -> None:
        self._local = local
        self._socket = socket
        self._address = address
        self._act = 0
        self._heard = ""
        self.stage = HANDSHAKE

    async def run(self, remote_id: NodeId | None) -> Established:
        """As initiator where the peer's id is known, else as responder. Raises SetupFailed."""
        try:
            secured = await self._handshake(remote_id)
            self.stage = INIT
            if self._local.mute_after_handshake:
                await asyncio.Event().wait()
            return await self._init(secured, incoming=remote_id is None)
        except HandshakeError as err:
            raise SetupFailed(self.stage, str(err)) from err
        except WarnPeer as err:
            raise SetupFailed(self.stage, str(err)) from err
        except PeerClosed as err:
            raise SetupFailed(self.stage, self._why_closed(err)) from err

    def timed_out(self) -> SetupFailed:
        """The failure where time ran out at this moment."""
        if self.stage == HANDSHAKE:
            where = (
                f" waiting for act {('', 'one', 'two', 'three')[self._act]}" if self._act else ""
            )
            return SetupFailed(self.stage, f"timed out{where}")
        return SetupFailed(self.stage, "timed out waiting for the peer's init")

    async def _handshake(self, remote_id: NodeId | None) -> Secured:
        local = self._local
        handshake: Handshake
        if remote_id is None:
            handshake = respond(local.node_id, local.ephemeral())
        else:
            handshake = initiate(local.node_id, remote_id, local.ephemeral())
        try:
            wish = next(handshake)
            while True:
                if isinstance(wish, Send):
                    self._socket.write(wish.data)
                    answer = b""
                elif isinstance(wish, Receive):
                    self._act = wish.act
                    answer = await self._socket.read(wish.size)
                else:
                    answer = await local.ecdh(wish.point)
                wish = handshake.send(answer)
        except StopIteration as stop:
            secured: Secured = stop.value
            return secured

    async def _init(self, secured: Secured, *, incoming: bool) -> Established:
        transport = Transport(secured)
        peer_id = secured.remote_id
        shown = self._address if incoming and isinstance(self._address, Address) else None
        # BOLT 1, "The `init` Message", sender MUST send init first.
        mute = self._send_init(transport, peer_id, shown)
        inbox: deque[bytes] = deque()
        raw = await self._first(transport, peer_id, inbox, mute=mute)
        try:
            init = read_init(raw, self._local.features, self._local.chain_hash)
        except WarnPeer as err:
            self._warn(transport, str(err))
            raise
        return Established(self._socket, transport, peer_id, init, self._address, incoming, inbox)

    def _send_init(self, transport: Transport, peer_id: NodeId, shown: Address | None) -> bool:
        """Send our init, or do what the test script says. True where the peer must hear no more of us."""
        init = make_init(self._local.features, self._local.chain_hash, shown)
        fate = self._local.on_send(peer_id, init.TYPE)
        if fate is Break.CLOSE_BEFORE:
            raise SetupFailed(INIT, "dev_disconnect")
        if fate not in (Break.DROP, Break.BLACK_HOLE):
            self._socket.write(transport.encrypt(init.encode()))
        if fate is Break.CLOSE_AFTER:
            self._socket.transport.close()
            raise SetupFailed(INIT, "dev_disconnect")
        return fate in (Break.MUTE_AFTER, Break.BLACK_HOLE)

    async def _first(
        self, transport: Transport, peer_id: NodeId, inbox: deque[bytes], *, mute: bool
    ) -> bytes:
        """The peer's init. What comes behind it stays in `inbox`."""
        for _ in range(_MOST_BEFORE_INIT):
            while not inbox:
                inbox.extend(transport.receive(await self._socket.read_some()))
                if mute:
                    inbox.clear()
                if transport.failed and not inbox:
                    raise SetupFailed(INIT, "bad packet (its MAC is wrong)")
            raw = inbox.popleft()
            wire_type = int.from_bytes(raw[:2], "big") if len(raw) >= 2 else -1
            if self._local.on_receive(peer_id, wire_type) is Break.CLOSE_AFTER_RECEIVE:
                raise SetupFailed(INIT, "dev_disconnect")
            if wire_type == peer_wire.Init.TYPE:
                return raw
            self._before_init(transport, wire_type, raw)
        raise SetupFailed(INIT, f"{_MOST_BEFORE_INIT} messages before init")

    def _before_init(self, transport: Transport, wire_type: int, raw: bytes) -> None:
        """Anything but init came. Raises WarnPeer unless it may be ignored."""
        text = complaint(raw)
        if text:
            self._heard = text
        if wire_type == peer_wire.Error.TYPE:
            raise SetupFailed(INIT, f"peer refused: {text or 'error'}")
        # BOLT 1, "The `init` Message": it is the first message of any connection.
        known = wire_type in peer_wire.MESSAGES and wire_type != peer_wire.Warning.TYPE
        if wire_type < 0 or wire_type & 1 == 0 or known:
            error = WarnPeer(f"Expected init, got message type {wire_type}")
            self._warn(transport, str(error))
            raise error

    def _warn(self, transport: Transport, text: str) -> None:
        with suppress(PeerClosed):
            self._socket.write(transport.encrypt(make_warning(text)))
        self._socket.transport.close()

    def _why_closed(self, err: PeerClosed) -> str:
        text = str(err)
        if self.stage == HANDSHAKE:
            return f"{text} (wrong key?)" if self._act == 2 else text
        return f"{text} (it said: {self._heard})" if self._heard else text


def make_warning(text: str) -> bytes:
    """A warning about the whole connection, encoded."""
    data = text.encode("ascii", "replace")[:1024]
    return peer_wire.Warning(channel_id=ChannelId(bytes(32)), data=data).encode()


def complaint(raw: bytes) -> str:
    """The text of an error or warning, safe to print; empty for any other message."""
    try:
        msg = peer_wire.decode(raw)
    except WireError:
        return ""
    if not isinstance(msg, peer_wire.Error | peer_wire.Warning):
        return ""
    # BOLT 1, "The `error` and `warning` Messages", receiver SHOULD NOT print what is not printable ASCII.
    if all(32 <= byte <= 126 for byte in msg.data):
        return msg.data.decode("ascii") or "(no text)"
    return msg.data.hex()
