"""A small JSON-RPC client for lightningd's unix socket: one connection per call, as CLN's test tools do."""

from __future__ import annotations

import itertools
import json
import os
import socket
from pathlib import Path
from typing import Any

from tests.regtest.waiting import TIMEOUT_S

_ids = itertools.count(1)


class RpcError(Exception):
    """lightningd refused a call."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(
            f"{method}: {error.get('message')} ({error.get('code')}) {error.get('data', '')}"
        )
        self.method = method
        self.code: int = error.get("code", 0)
        self.message: str = error.get("message", "")
        self.data: Any = error.get("data")


def connect_unix(path: Path) -> socket.socket:
    """Connect through the folder's descriptor, since a socket's own path has at most 107 bytes. Raises OSError."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            connection.close()
            raise
        return connection
    finally:
        os.close(folder)


def call(
    path: Path, method: str, params: dict[str, Any] | list[Any], timeout_s: float = TIMEOUT_S
) -> dict[str, Any]:
    """One call; returns the result. Raises RpcError, OSError where nobody listens, ConnectionError on a hang-up."""
    request_id = f"tests:{method}#{next(_ids)}"
    request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    with connect_unix(path) as connection:
        connection.settimeout(timeout_s)
        connection.sendall(json.dumps(request).encode() + b"\n\n")
        reply = _read_reply(connection, method, request_id)
    if "error" in reply:
        raise RpcError(method, reply["error"])
    result: dict[str, Any] = reply["result"]
    return result


def _read_reply(connection: socket.socket, method: str, request_id: str) -> dict[str, Any]:
    """Read one reply (lightningd ends each with two newlines), passing over notifications."""
    received = bytearray()
    while True:
        chunk = connection.recv(1 << 16)
        if not chunk:
            raise ConnectionResetError(f"lightningd hung up during {method}")
        received += chunk
        if not received.endswith(b"\n\n"):
            continue
        for text in received.split(b"\n\n"):
            if text.strip():
                reply: dict[str, Any] = json.loads(text)
                if reply.get("id") == request_id:
                    return reply
        received.clear()
