"""The unix socket to lightningd: requests out, JSON values in."""

from __future__ import annotations

# The module socket brings selectors and enum, and makes an enum of each group of constants: a quarter of the start time.
import _socket
import os

from pylightningd.cli.config import NETWORKS, Place
from pylightningd.cli.json_text import decode_at, encode

# Importing typing costs a tenth of the start time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READ_SIZE = 1 << 16


class TalkError(Exception):
    """lightningd cannot be reached, or what it says makes no sense."""


class Connection:
    """One connection; messages are JSON values one after another."""

    def __init__(self, place: Place) -> None:
        self._text = ""
        self._raw = bytearray()
        self._socket = _connect(place)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, request: dict[str, Any]) -> None:
        """Send one request. Raises TalkError."""
        try:
            self._socket.sendall(encode(request).encode() + b"\n\n")
        except OSError as error:
            raise TalkError(f"Writing command: {error.strerror}") from error

    def receive(self) -> tuple[Any, str]:
        """The next JSON value and its exact text. Raises TalkError."""
        while True:
            text = self._text.lstrip()
            # Only the end of an object is worth a try: long replies arrive in many pieces.
            if text.rstrip().endswith("}"):
                try:
                    value, end = decode_at(text, 0)
                except ValueError:
                    pass
                else:
                    self._text = text[end:]
                    return value, text[:end]
            self._read()

    def _read(self) -> None:
        try:
            chunk = self._socket.recv(READ_SIZE)
        except OSError as error:
            raise TalkError(f"reading response: {error.strerror}") from error
        if not chunk:
            rest = self._text.strip()
            if rest:
                raise TalkError(f"Malformed response '{rest[:200]}'")
            raise TalkError("reading response: socket closed")
        self._raw += chunk
        # A character may be cut in two by the end of a piece.
        try:
            self._text += self._raw.decode()
            self._raw.clear()
        except UnicodeDecodeError as error:
            if error.end < len(self._raw) or len(self._raw) - error.start > 3:
                raise TalkError(f"Malformed response: {error}") from error
            self._text += self._raw[: error.start].decode()
            del self._raw[: error.start]


def _connect(place: Place) -> _socket.socket:
    """Connect by the bare file name from inside its folder: a socket's path has at most 107 bytes."""
    try:
        os.chdir(place.net_dir)
    except OSError as error:
        raise TalkError(
            f"Moving into '{place.net_dir}': {error.strerror}\n{_advice(place)}"
        ) from error
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(place.rpc_file)
    except OSError as error:
        connection.close()
        reason = error.strerror or str(error)
        raise TalkError(
            f"Connecting to '{place.rpc_file}': {reason} (in {place.net_dir})\n{_advice(place)}"
        ) from error
    return connection


def _advice(place: Place) -> str:
    """What the user may try: another network whose node is there, or starting lightningd."""
    others = [
        name
        for name in NETWORKS
        if name != place.network
        and os.path.exists(os.path.join(place.base_dir, name, "lightning-rpc"))
    ]
    if others:
        return f"There is a node for another network here: try --network={others[0]}"
    default = os.path.join(os.environ.get("HOME", ""), ".lightning")
    folder = "" if place.base_dir == default else f" --lightning-dir={place.base_dir}"
    return f"Is lightningd running? Start it with: lightningd --network={place.network}{folder}"
