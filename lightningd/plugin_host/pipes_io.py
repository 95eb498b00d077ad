"""The two pipes to a plugin, as plain file descriptors that the loop watches.

They are ours rather than asyncio's streams for one reason: hook `db_write` must be answered while nothing else of
the node runs (`exchange_now`), which a stream that only the loop can empty does not allow.
"""

from __future__ import annotations

import asyncio
import os
import select
import time
from collections.abc import Callable, Sequence

READ_SIZE = 1 << 18
_PATIENCE_MS = 60_000


class Pipes:
    """What goes to a plugin and comes from it, as bytes. `on_data` gets what comes, `on_end` is called once."""

    def __init__(self, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._on_data = on_data
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._unsent = bytearray()
        self._watching_write = False
        self._ended = False
        self.child_stdin, self._write_fd = os.pipe()
        self._read_fd, self.child_stdout = os.pipe()
        os.set_blocking(self._write_fd, False)
        os.set_blocking(self._read_fd, False)

    def begin(self) -> None:
        """The child has its ends: close ours of them and read."""
        os.close(self.child_stdin)
        os.close(self.child_stdout)
        self._loop.add_reader(self._read_fd, self._readable)

    def abandon(self) -> None:
        """There is no child."""
        for fd in (self.child_stdin, self.child_stdout, self._read_fd, self._write_fd):
            os.close(fd)
        self._read_fd = self._write_fd = -1
        self._ended = True

    @property
    def unsent(self) -> int:
        """Bytes that wait for the plugin to read."""
        return len(self._unsent)

    @property
    def ended(self) -> bool:
        """Whether nothing can come any more."""
        return self._ended

    def send(self, data: bytes) -> None:
        """Write, now or when the plugin reads."""
        if self._write_fd < 0:
            return
        self._unsent += data
        self._write_some()
        self._watch_write(bool(self._unsent))

    def _write_some(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: os.write(self._write_fd, self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.close_write()  # it does not listen any more; its end of the other pipe says the rest

    def _watch_write(self, wanted: bool) -> None:
        if wanted == self._watching_write or self._write_fd < 0:
            return
        self._watching_write = wanted
        if wanted:
            self._loop.add_writer(self._write_fd, self._writable)
        else:
            self._loop.remove_writer(self._write_fd)

    def _writable(self) -> None:
        self._write_some()
        self._watch_write(bool(self._unsent))

    def _readable(self) -> None:
        data = self._read()
        if data:
            self._on_data(data)
        elif data is not None:
            self.end()

    def _read(self) -> bytes | None:
        """What is there, empty at the end, None where nothing has come yet."""
        try:
            return os.read(self._read_fd, READ_SIZE)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def end(self) -> None:
        """Nothing comes any more."""
        if not self._ended:
            self._ended = True
            self._loop.remove_reader(self._read_fd)
            os.close(self._read_fd)
            self._read_fd = -1
            self._on_end()

    def close_write(self) -> None:
        """Tell the plugin that no more will come."""
        if self._write_fd >= 0:
            self._watch_write(False)
            os.close(self._write_fd)
            self._write_fd = -1
            self._unsent.clear()

    # Without the loop

    def poll_mask(self, poller: select.poll) -> None:
        """Register what this plugin is waited for."""
        poller.register(self._read_fd, select.POLLIN)
        if self._unsent and self._write_fd >= 0:
            poller.register(self._write_fd, select.POLLOUT)

    def turn_now(self) -> None:
        """Write and read what is possible, outside the loop."""
        if self._write_fd >= 0:
            self._write_some()
        self._readable()


def exchange_now(
    plugins: Sequence[Pipes], done: Callable[[], bool], still_waiting: Callable[[int], None]
) -> None:
    """Serve these pipes only, until `done` or until all have ended; the node stands still meanwhile.

    `still_waiting` is called with the seconds so far when it takes minutes.
    """
    begun = time.monotonic()
    while not done():
        poller = select.poll()
        waiting = [p for p in plugins if not p.ended]
        if not waiting:
            return
        for pipes in waiting:
            pipes.poll_mask(poller)
        if not poller.poll(_PATIENCE_MS):
            still_waiting(int(time.monotonic() - begun))
        for pipes in waiting:
            if not pipes.ended:
                pipes.turn_now()
