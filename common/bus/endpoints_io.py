"""URLs of links: the only place that knows what they look like.

``ipc://`` in a folder only we can enter. The path of a Unix socket has about 107 bytes at most.
"""

from __future__ import annotations

import fcntl
import glob
import os
import secrets
import shutil
import tempfile
from urllib.parse import urlsplit

import zmq

_MAX_IPC_PATH = 100
_PREFIX = "bus-"
_LOCK = "lock"
_FOLDER_AND_NAME = len("/bus-12345678/0123456789abcdef")


class Endpoints:
    """Names for the links of one run of the node. `close` removes the folder.

    It is made in `base`, where what killed runs left behind is removed. Where that name is too long for
    sockets, or there is none, it is a temporary one. While we live a lock in it says so.
    """

    def __init__(self, base: str | None = None) -> None:
        if base is not None:
            for stale in glob.glob(f"{glob.escape(base)}/{_PREFIX}*"):
                _remove_if_abandoned(stale)
        if base is None or len(os.fsencode(base)) > _MAX_IPC_PATH - _FOLDER_AND_NAME:
            base = None
        self.folder = tempfile.mkdtemp(prefix=_PREFIX if base else "pyln-", dir=base)
        self._lock = os.open(f"{self.folder}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def new_url(self) -> str:
        """A URL that was never used. Raises ValueError where the folder's name is too long."""
        path = f"{self.folder}/{secrets.token_hex(8)}"
        if len(os.fsencode(path)) > _MAX_IPC_PATH:
            raise ValueError(
                f"{path} is too long for a Unix socket; set TMPDIR to a shorter folder"
            )
        return f"ipc://{path}"

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _remove_if_abandoned(folder: str) -> None:
    try:
        lock = os.open(f"{folder}/{_LOCK}", os.O_RDWR)
    except OSError:
        return  # just being made, or none of ours
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def new_token() -> bytes:
    """What the two ends of a new link know and nobody else."""
    return secrets.token_bytes(32)


def check_url(url: str) -> str:
    """Return it. Raises ValueError where it is no URL of a link."""
    if urlsplit(url).scheme not in ("ipc", "tcp"):
        raise ValueError(f"{url!r} is neither ipc:// nor tcp://")
    return url


def attach(socket: zmq.Socket[bytes], url: str, *, bind: bool) -> None:
    """Bind or connect a socket. Raises zmq.ZMQError or ValueError."""
    check_url(url)
    if bind:
        socket.bind(url)
    else:
        socket.connect(url)
