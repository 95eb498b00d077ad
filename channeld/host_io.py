"""One channel in a worker: its driver, its timers, its questions. Performs what the machine wants.

A bug in one channel ends here: the channel is held, the worker goes on for the others.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import Any, Protocol

from pylightningd.channeld.events import ChannelEffect, Event, Flush, FromPeer, UseRoute
from pylightningd.channeld.machine import ChannelMachine
from pylightningd.common.bus.link import LinkClosed
from pylightningd.common.effects import (
    Ask,
    AskBoth,
    CancelTimer,
    Disconnect,
    Log,
    Neighbour,
    SendPeer,
    SetTimer,
    Tell,
    TimerFired,
)
from pylightningd.common.ids import NodeId
from pylightningd.common.machine import MachineDriver
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message, Request

BUG = 5
"""`kind` of channeld_failed: our bug, hold the channel."""
QUEUE_LIMIT = 1 << 16
"""Events that may wait behind one step. Peers never get this far (see `PEER_QUEUE`); lightningd offers no more."""
PEER_QUEUE = 2048
"""With so many events waiting, nothing more is read from peers."""


def held_for_bug(dbid: int, reason: str) -> cw.ChanneldFailed:
    """What lightningd is told of a channel that does nothing more."""
    return cw.ChanneldFailed(dbid=dbid, kind=BUG, reason=reason[:1000], remote_point=None)


class Neighbours(Protocol):
    """What a channel needs of its worker."""

    def ask(self, to: Neighbour, request: Request[Any]) -> asyncio.Future[Any]:
        """Send a request."""

    def tell(self, to: Neighbour, msg: Message) -> None:
        """Send a message that has no reply."""

    def send_peer(self, route_id: int, msg: Message) -> None:
        """Send to the peer."""

    def use_route(self, host: ChannelHost, old: int | None, new: int | None) -> None:
        """From now on messages of route `new` are for `host`."""

    def hang_up(self, route_id: int) -> None:
        """Close the connection after what was sent."""

    def on_worked_off(self, host: ChannelHost) -> None:
        """Little waits for this channel."""

    def log(
        self, level: str, text: str, peer_id: NodeId | None = None, dbid: int = 0, **fields: Any
    ) -> None:
        """One line for the log."""


class ChannelHost:
    """One channel."""

    def __init__(
        self,
        machine: ChannelMachine,
        neighbours: Neighbours,
        driver: MachineDriver[Event] | None = None,
    ) -> None:
        """`driver`: one that has been made for the machine already."""
        self.machine = machine
        self._neighbours = neighbours
        self._driver = driver or self._new_driver()
        self._loop = asyncio.get_running_loop()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.route: int | None = None
        self._muted = False
        self._closed = False
        self._perform_by_type: dict[type[Any], Callable[[Any], None]] = {
            SendPeer: self._send_peer,
            Ask: self._ask,
            AskBoth: self._ask_both,
            Tell: self._tell,
            Log: self._log,
            SetTimer: self._set_timer,
            CancelTimer: self._cancel_timer,
            Disconnect: self._disconnect,
            UseRoute: self._use_route,
        }

    @property
    def dbid(self) -> int:
        """Its database id."""
        return self.machine.channel.facts.dbid

    @property
    def is_congested(self) -> bool:
        """Whether so much waits that its peer should not be read."""
        return self._driver.queued > PEER_QUEUE

    def feed(self, event: Event) -> None:
        """One event. The batch it is part of ends with `flush`."""
        self._run(lambda: self._driver.feed(event))

    def flush(self) -> None:
        """The batch is over."""
        self.feed(Flush())

    def peer_error(self, msg: pw.Error) -> None:
        """The peer failed the channel: told at once, whatever the machine waits for, but for its reestablish."""
        if self._driver.waiting is not None and self.machine.is_comparing:
            # It may prove that our commitment is an old one, which must not be broadcast.
            self.feed(FromPeer(msg))
            return
        self._run(lambda: self._driver.past_queue(msg, self.machine.on_error_message(msg)))
        self._muted = True

    def close(self) -> None:
        """Forget the channel."""
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._use_route(UseRoute(None))

    def _new_driver(self) -> MachineDriver[Event]:
        return MachineDriver(self.machine, queue_limit=QUEUE_LIMIT)

    def _run(self, advance: Callable[[], list[Any]]) -> None:
        """Advance the machine and perform what it wants."""
        try:
            effects: list[ChannelEffect] = advance()
            for effect in effects:
                self._perform_by_type[type(effect)](effect)
        except LinkClosed:
            pass  # lightningd or hsmd is gone: the end is near
        except Exception:  # noqa: BLE001 - a bug in one channel must not end the others
            self._hold(traceback.format_exc())

    def _hold(self, trace: str) -> None:
        """A bug: this channel does nothing more, lightningd decides."""
        channel = self.machine.channel
        channel.failed = True
        self._muted = True
        self._driver = self._new_driver()
        self._neighbours.log(
            "broken", f"channel {self.dbid} is held\n{trace}", channel.facts.peer_id, self.dbid
        )
        reason = trace.strip().rpartition("\n")[2]
        self._neighbours.tell("master", held_for_bug(self.dbid, reason))

    # ---- effects ----------------------------------------------------------------------------

    def _send_peer(self, effect: SendPeer) -> None:
        if self.route is not None and not self._muted:
            self._neighbours.send_peer(self.route, effect.msg)

    def _tell(self, effect: Tell) -> None:
        self._neighbours.tell(effect.to, effect.msg)

    def _log(self, effect: Log) -> None:
        peer_id = self.machine.channel.facts.peer_id
        self._neighbours.log(effect.level, effect.text, peer_id, self.dbid, **effect.fields)

    def _disconnect(self, _: Disconnect) -> None:
        if self.route is not None:
            self._neighbours.hang_up(self.route)

    def _use_route(self, effect: UseRoute) -> None:
        old, self.route = self.route, effect.route_id
        self._neighbours.use_route(self, old, effect.route_id)

    def _set_timer(self, effect: SetTimer) -> None:
        self._cancel_timer(CancelTimer(effect.name))
        self._timers[effect.name] = self._loop.call_later(
            effect.seconds, self._timer_fired, effect.name
        )

    def _cancel_timer(self, effect: CancelTimer) -> None:
        timer = self._timers.pop(effect.name, None)
        if timer is not None:
            timer.cancel()

    def _timer_fired(self, name: str) -> None:
        self._timers.pop(name, None)
        self.feed(TimerFired(name))

    # ---- questions --------------------------------------------------------------------------

    def _ask(self, effect: Ask) -> None:
        self._await_replies([self._neighbours.ask(effect.to, effect.request)])

    def _ask_both(self, effect: AskBoth) -> None:
        hsmd = self._neighbours.ask("hsmd", effect.hsmd)
        self._await_replies([hsmd, self._neighbours.ask("master", effect.master)])

    def _await_replies(self, futures: list[asyncio.Future[Any]]) -> None:
        """Resume the step that waits when the last of them is done."""
        driver = self._driver
        missing = len(futures)

        def one_done(_: asyncio.Future[Any]) -> None:
            nonlocal missing
            missing -= 1
            if missing == 0 and driver is self._driver and not self._closed:
                self._replied(futures)

        for future in futures:
            future.add_done_callback(one_done)

    def _replied(self, futures: list[asyncio.Future[Any]]) -> None:
        if any(f.cancelled() for f in futures):
            return
        errors = [e for f in futures if (e := f.exception()) is not None]
        if errors:
            self._failed_to_ask(errors[0])
            return
        replies = [f.result() for f in futures]
        reply = replies[0] if len(replies) == 1 else tuple(replies)
        self._run(lambda: self._driver.resume(reply))
        if not self._driver.queued:
            self._neighbours.on_worked_off(self)

    def _failed_to_ask(self, error: BaseException) -> None:
        # A neighbour that is gone takes this process with it soon; a refusal is a bug of ours.
        if isinstance(error, Exception) and not isinstance(error, LinkClosed):
            self._run(lambda: self._driver.fail(error))
