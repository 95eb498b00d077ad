"""Cut a byte stream into JSON objects, as CLN's sockets and plugin pipes carry them.

Writers put an empty line after each object. Readers must not rely on it: any complete object counts.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

_END = b"\n\n"
_WHITE = b" \t\r\n"
_DECODER = json.JSONDecoder()


class JsonStreamError(ValueError):
    """What came is not a stream of JSON objects."""


class JsonStream:
    """Feed bytes, get the objects that are complete. One instance a connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    def __len__(self) -> int:
        """Bytes that wait for the rest of their object."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take what was read and return the objects it completes. Raises JsonStreamError."""
        self._buffer += data
        found: list[dict[str, Any]] = []
        while (end := self._buffer.find(_END, self._searched)) >= 0:
            chunk = bytes(self._buffer[:end])
            del self._buffer[: end + len(_END)]
            self._searched = 0
            found += _parse_chunk(chunk)
        self._searched = max(0, len(self._buffer) - 1)
        if data.rstrip(_WHITE).endswith(b"}") and self._buffer:
            found += self._parse_unterminated()
        elif bytes(self._buffer[:80]).lstrip(_WHITE)[:1] not in (b"", b"{"):
            raise JsonStreamError(f"not a JSON object: {bytes(self._buffer[:80])!r}")
        return found

    def _parse_unterminated(self) -> list[dict[str, Any]]:
        """Try the rest, which may be whole objects of a writer that ends them otherwise."""
        try:
            found = _parse_chunk(bytes(self._buffer))
        except JsonStreamError:
            if not self._buffer.lstrip(_WHITE).startswith(b"{"):
                raise
            return []
        self._buffer.clear()
        self._searched = 0
        return found


def _parse_chunk(chunk: bytes) -> list[dict[str, Any]]:
    if not chunk.strip(_WHITE):
        return []
    try:
        return [_object(orjson.loads(chunk))]
    except orjson.JSONDecodeError:
        return _parse_several(chunk)


def _parse_several(chunk: bytes) -> list[dict[str, Any]]:
    """Objects that follow one another without an empty line between."""
    try:
        text = chunk.decode().lstrip()
        found, pos = [], 0
        while pos < len(text):
            value, pos = _DECODER.raw_decode(text, pos)
            found.append(_object(value))
            while pos < len(text) and text[pos].isspace():
                pos += 1
    except ValueError as why:
        raise JsonStreamError(f"{why}: {chunk[:80]!r}") from None
    return found


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise JsonStreamError(f"a JSON object was expected, not {str(value)[:80]!r}")
    return value


def to_line(message: dict[str, Any]) -> bytes:
    """One object as it goes on the wire."""
    return orjson.dumps(message) + _END
