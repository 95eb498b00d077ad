"""A lasting connection to lightningd's socket: bare JSON-RPC, so that the client costs as little as it can."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any


class CallFailedError(Exception):
    """lightningd refused a call."""


class RpcConnection:
    """One call at a time; open several for more."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._next_id = 1

    @classmethod
    async def open(cls, path: Path) -> RpcConnection:
        """Connect by way of the folder's descriptor: a socket's path has at most 107 bytes."""
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            short = f"/proc/self/fd/{folder}/{path.name}"
            return cls(*await asyncio.open_unix_connection(short, limit=1 << 24))
        finally:
            os.close(folder)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One call; returns its result. Raises CallFailedError."""
        request_id = f"bench#{self._next_id}"
        self._next_id += 1
        request = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
        self._writer.write(json.dumps(request).encode() + b"\n\n")
        while True:
            reply = json.loads(await self._reader.readuntil(b"\n\n"))
            if reply.get("id") == request_id:
                break
        if "error" in reply:
            raise CallFailedError(f"{method}: {reply['error']}")
        result: dict[str, Any] = reply["result"]
        return result

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
