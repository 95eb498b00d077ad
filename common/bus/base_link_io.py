"""All of a link but its transport: batching, questions and their replies, the hello."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias, TypeVar

from pylightningd.common.bus.link import (
    FIRST_OWN_TYPE,
    REPLY_BIT,
    Codec,
    HelloMismatch,
    Incoming,
    LinkClosed,
    LinkFull,
    OnMessage,
    Refused,
    decode_message,
    pack_batch,
    unpack_batch,
)
from pylightningd.common.errors import WireError
from pylightningd.common.wire.bus_wire import BusHello, BusRefused
from pylightningd.common.wire.runtime import Message, Request

R = TypeVar("R", bound=Message)

MAX_BATCH = 512
"""Messages that leave together at most."""
PAUSE_AT_MESSAGES = 2000
PAUSE_AT_BYTES = 4 << 20
MAX_QUEUED_BYTES = 256 << 20
_ID_MASK = REPLY_BIT - 1
Tap: TypeAlias = "Callable[[BaseLink, bool, int, bytes], None]"


@dataclass(frozen=True, slots=True)
class Handshake:
    """The hello to send and what the other end's must hold."""

    hello: BusHello
    expected_proof: bytes


class BaseLink:
    """Subclasses give `_transmit` and feed `_received`; see `link.Link` for the meaning of each part."""

    taps: ClassVar[list[Tap]] = []
    """Called with (link, outgoing, request id, message) for each message, where busdump listens."""

    def __init__(
        self,
        name: str,
        codec: Codec,
        *,
        link_id: int = 0,
        capabilities: int = 0,
        handshake: Handshake | None = None,
    ) -> None:
        self.name = name
        self.link_id = link_id
        self.capabilities = capabilities
        self.closed = False
        self.closed_because = ""
        self.paused = False
        self.on_closed: Callable[[str], None] | None = None
        self.on_paused: Callable[[bool], None] | None = None
        self.on_control: Callable[[Message], None] | None = None
        """Takes the bus's own messages (log, add_link, ...) out of the batches."""
        self.dropped = 0
        """Messages sent after the link was closed."""
        self._codec = codec
        self._loop = asyncio.get_running_loop()
        self._on_message: OnMessage | None = None
        self._held: list[Incoming] = []
        self._ids: list[int] = []
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._flush_due = False
        self._asks: dict[int, asyncio.Future[Any]] = {}
        self._next_id = 1
        self._handshake = handshake
        self.ready: asyncio.Future[BusHello] = self._loop.create_future()
        """The other end's hello. Fails with HelloMismatch or LinkClosed."""
        if handshake is not None:
            self.send(handshake.hello)

    def pause_reading(self) -> None:
        """Take nothing more off the link until `resume_reading`; replies stay there as well."""
        raise NotImplementedError

    def resume_reading(self) -> None:
        """Read again."""
        raise NotImplementedError

    # ---- out -------------------------------------------------------------------------------

    def send(self, msg: Message, *, request_id: int = 0, trace_id: int = 0) -> None:
        """Queue a message; all of one loop iteration leave together. To a closed link: dropped."""
        if self.closed:
            self.dropped += 1
            return
        raw = msg.encode()
        for tap in self.taps:
            tap(self, True, request_id, raw)
        self._ids += (request_id, trace_id)
        self._out.append(raw)
        self._out_bytes += len(raw)
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)
        elif not self.paused and (
            self._out_bytes > PAUSE_AT_BYTES or len(self._out) > PAUSE_AT_MESSAGES
        ):
            self._set_paused(True)
        if self._out_bytes > MAX_QUEUED_BYTES:
            raise LinkFull(f"{self._out_bytes} bytes wait for {self.name}")

    def ask(self, req: Request[R], *, trace_id: int = 0) -> asyncio.Future[R]:
        """Send a request and await the reply. Raises Refused or LinkClosed."""
        if self.closed:
            raise LinkClosed(self.closed_because)
        request_id = self._next_id
        self._next_id += 1
        future: asyncio.Future[R] = self._loop.create_future()
        self._asks[request_id] = future
        self.send(req, request_id=request_id, trace_id=trace_id)
        return future

    @property
    def asks_pending(self) -> int:
        """How many of our questions have no reply yet."""
        return len(self._asks)

    def _transmit(self, batch: bytes) -> bool:
        """Hand one batch to the transport; False where it takes none now."""
        raise NotImplementedError

    def _flush(self) -> None:
        self._flush_due = False
        while self._out and not self.closed:
            batch = self._out[:MAX_BATCH]
            if not self._transmit(pack_batch(self._ids, batch)):
                break
            self._sent(batch)
        self._update_paused()

    def _sent(self, batch: list[bytes]) -> None:
        if len(batch) == len(self._out):
            self._out, self._ids, self._out_bytes = [], [], 0
            return
        del self._out[: len(batch)]
        del self._ids[: 2 * len(batch)]
        self._out_bytes -= sum(map(len, batch))

    def _update_paused(self) -> None:
        much = self._out_bytes > PAUSE_AT_BYTES or len(self._out) > PAUSE_AT_MESSAGES
        if much != self.paused:
            self._set_paused(much)

    def _set_paused(self, paused: bool) -> None:
        self.paused = paused
        if self.on_paused is not None:
            self.on_paused(paused)

    # ---- in --------------------------------------------------------------------------------

    @property
    def on_message(self) -> OnMessage | None:
        """Called with all messages of one wake-up. What comes before it is set is kept."""
        return self._on_message

    @on_message.setter
    def on_message(self, handler: OnMessage | None) -> None:
        self._on_message = handler
        if handler is not None and self._held:
            self._loop.call_soon(self._deliver, [])

    def _received(self, raw: bytes, batch: list[Incoming]) -> None:
        """Sort what came together: replies to their futures, all else into `batch`. Raises WireError."""
        codec = self._codec
        for request_id, trace_id, frame in unpack_batch(raw):
            for tap in self.taps:
                tap(self, False, request_id, frame)
            msg = decode_message(codec, frame)
            if self._handshake is not None and not self.ready.done():
                self._check_hello(msg, self._handshake)
            elif request_id & REPLY_BIT:
                self._resolve(request_id & _ID_MASK, msg)
            elif msg.TYPE < FIRST_OWN_TYPE and self.on_control is not None:
                self.on_control(msg)
            else:
                batch.append(Incoming(self, msg, request_id, trace_id))
            if self.closed:
                return

    def _deliver(self, batch: list[Incoming]) -> None:
        if self._held:
            batch = self._held + batch
            self._held = []
        if not batch:
            return
        if self._on_message is None:
            self._held = batch
        else:
            self._on_message(batch)

    def _resolve(self, request_id: int, msg: Message) -> None:
        future = self._asks.pop(request_id, None)
        if future is None:
            raise WireError(f"{self.name} answers question {request_id}, which nobody asked")
        if future.done():
            return  # cancelled by the asker
        if isinstance(msg, BusRefused):
            future.set_exception(Refused(msg.reason))
            future.exception()  # whoever asked and went away need not look at it
        else:
            future.set_result(msg)

    def _check_hello(self, msg: Message, handshake: Handshake) -> None:
        if not isinstance(msg, BusHello):
            self._fail(HelloMismatch(f"{self.name} began with {msg.NAME}, not with a hello"))
        elif msg.token != handshake.expected_proof:
            self._fail(
                HelloMismatch(f"{msg.daemon} (pid {msg.pid}) does not know this link's token")
            )
        elif msg.wire_hash != handshake.hello.wire_hash:
            self._fail(
                HelloMismatch(
                    f"{msg.daemon} (pid {msg.pid}) was built from other message definitions "
                    f"({msg.wire_hash.hex()[:16]} there, {handshake.hello.wire_hash.hex()[:16]} here): "
                    "install the same version everywhere and restart the node"
                )
            )
        else:
            self.ready.set_result(msg)

    # ---- end -------------------------------------------------------------------------------

    def close(self, reason: str = "") -> None:
        """Send what is queued, as far as it goes without waiting, and hang up."""
        if not self.closed:
            self._flush()
            self._end(LinkClosed(reason or f"the link to {self.name} was closed"))

    def lost(self, reason: str) -> None:
        """The other end is known to be gone."""
        if not self.closed:
            self._fail(LinkClosed(reason))

    def _fail(self, error: Exception) -> None:
        self._end(error)
        if self.on_closed is not None:
            self.on_closed(str(error))

    def _end(self, error: Exception) -> None:
        self.closed = True
        self.closed_because = str(error)
        self._detach()
        self._out, self._ids, self._held, self._out_bytes = [], [], [], 0
        if self.paused:
            self._set_paused(False)
        asks, self._asks = list(self._asks.values()), {}
        for future in (*asks, self.ready):
            if not future.done():
                future.set_exception(error)
                future.exception()

    def _detach(self) -> None:
        """Let go of the transport."""
        raise NotImplementedError
