"""Writes records (see `record.py`) when a daemon was started with --dev-record; imported only then."""

from __future__ import annotations

import itertools
import os
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pylightningd.common import record
from pylightningd.common.bus.wire_hash_io import wire_hash
from pylightningd.common.effects import Effect
from pylightningd.common.machine import DEFAULT_QUEUE_LIMIT, Machine, MachineDriver
from pylightningd.common.record import Frame, Kind
from pylightningd.common.wire.runtime import Message

E = TypeVar("E")


class Record:
    """One file, one machine. Each frame is written at once, so that kill -9 leaves all but the last."""

    def __init__(self, path: Path, daemon: str, made_from: Sequence[Message]) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._mask = record.Mask(secrets.token_bytes(16))
        os.write(self._fd, record.MAGIC)
        self._write(Kind.HEADER, wire_hash() + daemon.encode())
        for msg in made_from:
            self._write(Kind.MADE_FROM, msg.encode())

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)

    def event(self, event: Any) -> None:
        """The machine is about to get it."""
        frame = record.encode_event(event)
        self._write(frame.kind, frame.payload)

    def peer_error(self, msg: Message) -> None:
        """The peer's error is about to be given past the queue."""
        self._write(Kind.PEER_ERROR, msg.encode())

    def reply(self, reply: Any) -> None:
        """The waiting step is about to get it."""
        replies = reply if isinstance(reply, tuple) else (reply,)
        for one in replies:
            self._mask.learn(one)
        self._write(Kind.REPLY, record.join(one.encode() for one in replies))

    def refused(self, error: Exception) -> None:
        """The waiting step is about to get an exception."""
        self._write(Kind.REFUSED, f"{type(error).__name__}: {error}".encode())

    def clear(self) -> None:
        """The waiting step is about to be forgotten."""
        self._write(Kind.CLEAR, b"")

    def effects(self, effects: Iterable[Any]) -> None:
        """What came of it."""
        encoded = [record.encode_effect(e) for e in effects]
        if encoded:
            self._write(Kind.EFFECTS, record.join(encoded))

    def _write(self, kind: Kind, payload: bytes) -> None:
        micros = time.time_ns() // 1000
        os.write(self._fd, Frame(kind, self._mask.apply(payload), micros).encode())


class RecordingDriver(MachineDriver[E]):
    """A driver that writes down all it is given, and what came of it."""

    __slots__ = ("_record",)

    def __init__(
        self, machine: Machine[E], made: Record, *, queue_limit: int = DEFAULT_QUEUE_LIMIT
    ) -> None:
        super().__init__(machine, queue_limit=queue_limit)
        self._record = made

    def feed(self, event: E) -> list[Effect]:
        """See MachineDriver."""
        self._record.event(event)
        return self._kept(super().feed(event))

    def resume(self, reply: Any) -> list[Effect]:
        """See MachineDriver."""
        self._record.reply(reply)
        return self._kept(super().resume(reply))

    def fail(self, error: Exception) -> list[Effect]:
        """See MachineDriver."""
        self._record.refused(error)
        return self._kept(super().fail(error))

    def clear(self) -> None:
        """See MachineDriver."""
        self._record.clear()
        super().clear()

    def past_queue(self, msg: Message, effects: list[Any]) -> list[Any]:
        """See MachineDriver."""
        self._record.peer_error(msg)
        return self._kept(effects)

    def _kept(self, effects: list[Any]) -> list[Any]:
        self._record.effects(effects)
        return effects


class Recorder:
    """The records of one daemon, in one folder."""

    def __init__(self, folder: str, daemon: str) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._daemon = re.sub(r"[^\w-]", "_", daemon)
        self._numbers = itertools.count(1)

    def begin(self, dbid: int, *made_from: Message) -> Record:
        """A new file for a machine of this channel."""
        clock = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        name = f"{clock}-{self._daemon}-{os.getpid()}-{next(self._numbers)}-channel{dbid}.record"
        return Record(self._folder / name, self._daemon, made_from)

    def driver(
        self,
        machine: Machine[E],
        dbid: int,
        *made_from: Message,
        queue_limit: int = DEFAULT_QUEUE_LIMIT,
    ) -> MachineDriver[E]:
        """A driver whose machine is recorded."""
        return RecordingDriver(machine, self.begin(dbid, *made_from), queue_limit=queue_limit)
