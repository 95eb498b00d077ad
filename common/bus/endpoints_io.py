"""URLs of links: the only place that knows what they look like.

``ipc://`` in a folder only we can enter. A path of a Unix socket has about 107 bytes at most, so the
folder is made under a short one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from urllib.parse import urlsplit

import zmq

_MAX_IPC_PATH = 100


class Endpoints:
    """Names for the links of one run of the node. `close` removes the folder."""

    def __init__(self, base: str | None = None) -> None:
        self.folder = tempfile.mkdtemp(prefix="pyln-", dir=base or _short_base())

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


def _short_base() -> str:
    for base in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        if base and len(base) < 60 and os.access(base, os.W_OK | os.X_OK):
            return base
    return "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it


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
