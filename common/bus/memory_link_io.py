"""Two ends of a link in one process, for tests. Messages are encoded and decoded as on a real one."""

from __future__ import annotations

from pylightningd.common.bus.base_link_io import BaseLink
from pylightningd.common.bus.link import Codec, Incoming


class MemoryLink(BaseLink):
    """One end. Make both with `make_pair`."""

    def __init__(self, name: str, codec: Codec) -> None:
        super().__init__(name, codec)
        self.other: MemoryLink | None = None
        self._reading = True
        self._inbox: list[bytes] = []
        self._drain_due = False

    def pause_reading(self) -> None:
        """Take nothing more off the link until `resume_reading`."""
        self._reading = False

    def resume_reading(self) -> None:
        """Read again."""
        self._reading = True
        self._schedule()

    def _transmit(self, batch: bytes) -> bool:
        if self.other is None or self.other.closed:
            return True
        self.other._take(batch)
        return True

    def _take(self, batch: bytes) -> None:
        self._inbox.append(batch)
        self._schedule()

    def _schedule(self) -> None:
        if self._inbox and self._reading and not self._drain_due:
            self._drain_due = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._drain_due = False
        if self.closed or not self._reading:
            return
        inbox, self._inbox = self._inbox, []
        batch: list[Incoming] = []
        for raw in inbox:
            self._received(raw, batch)
        self._deliver(batch)

    def _detach(self) -> None:
        other, self.other = self.other, None
        if other is not None and not other.closed:
            self._loop.call_soon(other.lost, f"{other.name} closed the link")


def make_pair(left: str, right: str, codec: Codec) -> tuple[MemoryLink, MemoryLink]:
    """The end that process `left` holds and the one that `right` holds; each is named for the other."""
    ours, theirs = MemoryLink(right, codec), MemoryLink(left, codec)
    ours.other, theirs.other = theirs, ours
    return ours, theirs
