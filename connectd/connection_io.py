"""A live connection: what is sent and when, how it is kept alive, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from pylightningd.connectd.disconnect_script import Break
from pylightningd.connectd.establish_io import Established, make_warning
from pylightningd.connectd.gossip_stream import GossipStream
from pylightningd.connectd.onion_limit import OnionLimit
from pylightningd.connectd.ping import TIMER_SECONDS, Due, Pinger

if TYPE_CHECKING:
    from pylightningd.connectd.hub_io import Hub

DRAIN_SECONDS: Final = 5.0
"""How long a peer has to take what is left when we close."""
MAX_UNSENT_BYTES: Final = 32 << 20
"""A peer that leaves more than this unread is dropped."""
SKIP_OVER_BYTES: Final = 1 << 20
"""With more than this unsent, pongs and onion messages are not added to it."""


class Connection:
    """One peer. `number` names the connection for the master and is never used again."""

    def __init__(self, hub: Hub, number: int, made: Established) -> None:
        self.hub = hub
        self.number = number
        self.peer_id = made.peer_id
        self.features = made.init.features
        self.address = str(made.address)
        self.incoming = made.incoming
        self.accepted = False
        self.closing = False
        """No message is taken in or out any more."""
        self.reason = ""
        self.pinger = Pinger(hub.clock.monotonic())
        self.onion_limit = OnionLimit(hub.clock.monotonic())
        self._made = made
        self._socket = made.socket
        self._cipher = made.transport
        self._out: list[bytes] = []
        self._flush_due = False
        self._gossip = GossipStream()
        self._not_reading: set[str] = {"accept"}
        self._deaf = False
        self._mute = False
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._socket.transport.pause_reading()
        self._socket.on_lost = self._on_lost
        self._socket.on_writable = self._schedule

    # ---- in ----------------------------------------------------------------------------------

    def accept(self) -> None:
        """The master is ready for this peer: read it."""
        if self.accepted or self.closing:
            return
        self.accepted = True
        self._set_ping_timer()
        inbox = list(self._made.inbox)
        self._made.inbox.clear()
        self._socket.on_bytes = self._on_bytes
        rest = self._socket.drain()
        if rest:
            inbox += self._cipher.receive(rest)
        self.read_again("accept")
        self._deliver(inbox)

    def stop_reading(self, why: str) -> None:
        """Leave the peer's bytes where they are, until all reasons are gone."""
        if not self._not_reading and not self._socket.transport.is_closing():
            self._socket.transport.pause_reading()
        self._not_reading.add(why)

    def read_again(self, why: str) -> None:
        """One reason is gone."""
        if why not in self._not_reading:
            return
        self._not_reading.discard(why)
        if not self._not_reading and not self._socket.transport.is_closing():
            self._socket.transport.resume_reading()

    def deafen(self) -> None:
        """Take no notice of what the peer says (test script)."""
        self._deaf = True

    def _on_bytes(self, data: bytes) -> None:
        if not self._deaf and not self.closing:
            self._deliver(self._cipher.receive(data))

    def _deliver(self, messages: list[bytes]) -> None:
        if messages:
            self.pinger.last_received = self.hub.clock.monotonic()
            self.hub.on_peer_messages(self, messages)
        if self._cipher.failed and not self.closing:
            # BOLT 8, "Receiving and Decrypting Messages": a bad MAC ends the connection at once.
            self.abort("bad packet (its MAC is wrong)")

    # ---- out ---------------------------------------------------------------------------------

    def send(self, raw: bytes) -> None:
        """Send a message of a channel, or of the connection itself."""
        if self.closing or self._mute:
            return
        fate = self.hub.on_send(self.peer_id, int.from_bytes(raw[:2], "big"))
        if fate is not Break.NORMAL and not self._survives(fate, raw):
            return
        self._out.append(self._cipher.encrypt(raw))
        self._schedule()

    def send_if_room(self, raw: bytes) -> None:
        """The same, but drop it where the peer does not read."""
        if self._unsent() < SKIP_OVER_BYTES:
            self.send(raw)

    def send_gossip(self, messages: tuple[bytes, ...]) -> None:
        """Send when nothing more urgent waits."""
        if not self.closing:
            self._gossip.add(messages)
            self._schedule()

    def _survives(self, fate: Break, raw: bytes) -> bool:
        """What the test script wants; False where the message is not to be sent now."""
        if fate is Break.CLOSE_BEFORE:
            self.close("dev_disconnect")
        elif fate is Break.CLOSE_AFTER:
            self._out.append(self._cipher.encrypt(raw))
            self.close("dev_disconnect")
        elif fate is Break.MUTE_AFTER:
            self._out.append(self._cipher.encrypt(raw))
            self._schedule()
            self._mute = self._deaf = True
        elif fate is Break.BLACK_HOLE:
            self._mute = self._deaf = True
        return False

    def _unsent(self) -> int:
        return self._socket.transport.get_write_buffer_size()

    def _schedule(self) -> None:
        if not self._flush_due and not self._ended:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Write what waits, in one piece; gossip only where the socket takes it."""
        self._flush_due = False
        if self._ended:
            return
        if self._gossip and not self._socket.write_paused and not self.closing:
            for raw in self._gossip.take():
                self.send(raw)
            for _ in range(self._gossip.room()):
                self.hub.tell_gossip_room(self.number)
            self._flush_due = False
            if self._gossip:
                self._schedule()
        out, self._out = self._out, []
        if out:
            self._socket.transport.write(b"".join(out) if len(out) > 1 else out[0])
            if self._unsent() > MAX_UNSENT_BYTES:
                self.abort("peer does not read what we send")

    # ---- ping --------------------------------------------------------------------------------

    def _set_ping_timer(self) -> None:
        if not self.hub.no_ping_timer:
            least, most = TIMER_SECONDS
            delay = least + self.hub.entropy.below((most - least) * 1000) / 1000
            self._timer = self._loop.call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        if self.closing:
            return
        due = self.pinger.on_timer(self.hub.clock.monotonic())
        if due is Due.HANG_UP:
            self.hub.log("debug", "Last ping unreturned: hanging up", peer_id=self.peer_id)
            self.abort("last ping unreturned")
            return
        if due is Due.PING:
            self.send(self.pinger.probe().encode())
        self._set_ping_timer()

    # ---- the end -----------------------------------------------------------------------------

    def warn(self, text: str) -> None:
        """Tell the peer what it did wrong, and close."""
        self.hub.log("unusual", f"Sending warning: {text}", peer_id=self.peer_id)
        self.send(make_warning(text))
        self.close(text)

    def close(self, reason: str) -> None:
        """Send what is queued, then close; the peer has a few seconds to take it."""
        if self.closing:
            return
        self._begin_end(reason)
        self._flush()
        transport = self._socket.transport
        if self._ended or transport.is_closing():
            return
        # Closing with unread bytes would reset the connection and lose our last words: say that we
        # are done, and read until the peer is done too.
        if transport.can_write_eof():
            transport.write_eof()
        # What it says meanwhile is dropped; kept, as before `accept`, it would fill our buffer, and its end not be seen.
        self._socket.on_bytes = self._on_bytes
        self._socket.drain()
        if self._not_reading:
            transport.resume_reading()
        self._timer = self._loop.call_later(DRAIN_SECONDS, transport.abort)

    def abort(self, reason: str) -> None:
        """Close at once."""
        self._begin_end(reason)
        self._socket.abort()
        self.finish()

    def finish(self) -> None:
        """It is over: tell everyone, once."""
        if self._ended:
            return
        self._ended = True
        self._stop_timer()
        self._out.clear()
        self.hub.on_ended(self)

    def _begin_end(self, reason: str) -> None:
        self.closing = True
        self.reason = self.reason or reason
        self._stop_timer()

    def _on_lost(self, reason: str) -> None:
        self._begin_end(reason)
        self.finish()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
