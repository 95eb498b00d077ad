"""The driver of protocol machines: one event at a time, one waiting question at a time.

A machine turns an event into a step (see `common.effects`). While a step waits for a reply, further
events wait here and are replayed in order, so no handler ever sees a half-made change. The driver does
no I/O: the shell performs the effects it returns, in order, and gives back replies with `resume`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from pylightningd.common.effects import Ask, AskBoth, Effect, Log, Step
from pylightningd.common.errors import PeerError

DEFAULT_QUEUE_LIMIT = 4096
"""Events that may wait behind one step; a shell stops reading well before."""

Outcome: TypeAlias = Step[None] | Iterable[Effect] | None
"""What a handler may return: a step, ready effects, or nothing to do."""

E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class Machine(Protocol[E_contra]):
    """What the driver needs of a machine."""

    def handle(self, event: E_contra) -> Outcome:
        """The step for an event. Raises PeerError, here or from the step."""

    def on_peer_error(self, err: PeerError) -> Outcome:
        """What follows from a broken rule. Must not raise PeerError itself."""


class QueueFull(RuntimeError):
    """More events than may wait: the shell did not stop reading."""


class NotWaiting(RuntimeError):
    """A reply came where no step asked for one."""


class DriverBroken(RuntimeError):
    """A step failed from a bug; its machine is in an unknown state and takes no more events."""


class MachineDriver(Generic[E]):
    """Feeds one machine."""

    __slots__ = ("_broken", "_events", "_limit", "_machine", "_step", "waiting")

    def __init__(self, machine: Machine[E], *, queue_limit: int = DEFAULT_QUEUE_LIMIT) -> None:
        self._machine = machine
        self._events: deque[E] = deque()
        self._limit = queue_limit
        self._step: Generator[Effect, Any, None] | None = None
        self._broken = False
        self.waiting: Ask | AskBoth | None = None
        """The question whose reply `resume` is to bring, None while no step waits."""

    @property
    def queued(self) -> int:
        """How many events wait for the step that waits."""
        return len(self._events)

    @property
    def should_pause(self) -> bool:
        """Whether the shell had better stop reading: half the queue is full."""
        return len(self._events) * 2 >= self._limit

    def feed(self, event: E) -> list[Effect]:
        """The effects of an event; none yet where an earlier step still waits.

        Raises QueueFull, and whatever bug a step raises: then the driver is broken for good.
        """
        self._check()
        if self.waiting is not None:
            if len(self._events) >= self._limit:
                raise QueueFull(f"{self._limit} events wait already")
            self._events.append(event)
            return []
        effects: list[Effect] = []
        self._begin(event, effects)
        return effects

    def resume(self, reply: Any) -> list[Effect]:
        """Give the waiting step its reply; for AskBoth a pair. Then replay what waited behind it."""
        return self._continue(reply, None)

    def fail(self, error: Exception) -> list[Effect]:
        """Raise `error` in the waiting step, in place of a reply."""
        return self._continue(None, error)

    def clear(self) -> None:
        """Forget the waiting step and all queued events (the peer is gone). Its reply must not be given."""
        step, self._step, self.waiting = self._step, None, None
        self._events.clear()
        if step is not None:
            step.close()

    def past_queue(self, msg: Any, effects: list[Any]) -> list[Any]:
        """Effects of a message that the shell gave the machine itself, for it may not wait: a record notes them."""
        return effects

    def _check(self) -> None:
        if self._broken:
            raise DriverBroken("an earlier step failed from a bug")

    def _continue(self, reply: Any, error: Exception | None) -> list[Effect]:
        self._check()
        step = self._step
        if step is None:
            raise NotWaiting("no step waits for a reply")
        effects: list[Effect] = []
        self._advance(step, reply, error, effects, guard=True)
        while self.waiting is None and self._events:
            self._begin(self._events.popleft(), effects)
        return effects

    def _begin(self, event: E, effects: list[Effect]) -> None:
        try:
            outcome = self._machine.handle(event)
        except PeerError as err:
            self._peer_error(err, effects)
        except BaseException:
            self._broken = True
            raise
        else:
            self._run(outcome, effects, guard=True)

    def _run(self, outcome: Outcome, effects: list[Effect], *, guard: bool) -> None:
        if outcome is None:
            return
        if isinstance(outcome, Generator):
            self._advance(outcome, None, None, effects, guard=guard)
        else:
            effects.extend(outcome)

    def _advance(
        self,
        step: Generator[Effect, Any, None],
        reply: Any,
        error: Exception | None,
        effects: list[Effect],
        *,
        guard: bool,
    ) -> None:
        """Run a step up to its next question or its end.

        What it yielded since its last question counts only if it gets that far: where it raises,
        only its log lines remain.
        """
        self._step = self.waiting = None
        mine: list[Effect] = []
        try:
            effect = step.throw(error) if error is not None else step.send(reply)
            while True:
                mine.append(effect)
                if isinstance(effect, Ask | AskBoth):
                    self._step, self.waiting = step, effect
                    break
                effect = next(step)
        except StopIteration:
            pass
        except PeerError as err:
            effects.extend([e for e in mine if isinstance(e, Log)])
            if not guard:
                self._broken = True
                raise
            self._peer_error(err, effects)
            return
        except BaseException:
            self._broken = True
            raise
        effects.extend(mine)

    def _peer_error(self, err: PeerError, effects: list[Effect]) -> None:
        try:
            outcome = self._machine.on_peer_error(err)
        except BaseException:
            self._broken = True
            raise
        self._run(outcome, effects, guard=False)
