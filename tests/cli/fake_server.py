"""A lightningd that says what the test tells it to: a unix socket in a thread."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any


class FakeServer:
    """Answers `notifications` by itself and the next request with `answer` (text, `$ID` stands for its id)."""

    def __init__(self, path: Path, answer: str, piece_bytes: int = 1 << 20) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answer = answer
        self._piece_bytes = piece_bytes
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._thread.join(timeout=60)
        self._listener.close()

    def _serve(self) -> None:
        self._listener.settimeout(60)
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(60)
            buffer = b""
            while True:
                while b"\n\n" not in buffer:
                    chunk = connection.recv(4096)
                    if not chunk:
                        return
                    buffer += chunk
                line, buffer = buffer.split(b"\n\n", 1)
                request = json.loads(line)
                if request["method"] == "notifications":
                    reply = {"jsonrpc": "2.0", "id": request["id"], "result": {}}
                    connection.sendall(json.dumps(reply).encode() + b"\n\n")
                    continue
                self.requests.append(request)
                data = self._answer.replace("$ID", json.dumps(request["id"])).encode()
                for start in range(0, len(data), self._piece_bytes):
                    connection.sendall(data[start : start + self._piece_bytes])
                return
