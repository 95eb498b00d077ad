"""Free loopback ports that no other test run takes meanwhile."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from typing import IO

# Below the range that Linux gives to outgoing connections, so none of those can take one of ours.
FIRST, LAST = 12_000, 31_000
_LOCKS = Path(tempfile.gettempdir()) / f"pylightningd-ports-{os.getuid()}"
_held: dict[int, IO[str]] = {}
_next = FIRST + os.getpid() * 97 % (LAST - FIRST)


def reserve_port() -> int:
    """A port that is free now and stays ours (a locked file says so) until it is released or this process ends."""
    global _next
    _LOCKS.mkdir(exist_ok=True)
    for _ in range(LAST - FIRST):
        port = _next
        _next = FIRST + (_next + 1 - FIRST) % (LAST - FIRST)
        if port in _held:
            continue
        lock = open(_LOCKS / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        if _is_free(port):
            _held[port] = lock
            return port
        lock.close()
    raise RuntimeError("no free port")


def release_port(port: int) -> None:
    """Give a port back."""
    lock = _held.pop(port, None)
    if lock is not None:
        lock.close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
