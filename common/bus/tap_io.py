"""A copy of a daemon's traffic for `tools/busdump`, switched on and off by SIGUSR2.

The copy goes to a PUB socket that connects to ``dump`` in the folder of the node's links, which only the
node's user can enter. A dump that cannot keep up loses messages; the daemon never waits for it.
"""

from __future__ import annotations

import struct

import zmq

from pylightningd.common.bus.base_link_io import BaseLink

DUMP_NAME = "dump"
HEAD = struct.Struct(">?QQ")
"""Whether outgoing, link id, request id."""


def dump_url(link_url: str) -> str:
    """Where a dump listens, from the URL of any of the node's links; empty where there is no folder."""
    folder, slash, _ = link_url.rpartition("/")
    return f"{folder}/{DUMP_NAME}" if slash and link_url.startswith("ipc://") else ""


class Tap:
    """Copies what the links of this process carry, while it is on."""

    def __init__(self, daemon: str, link_url: str) -> None:
        self._daemon = daemon.encode()
        self._url = dump_url(link_url)
        self._socket: zmq.Socket[bytes] | None = None

    def toggle(self) -> None:
        """Switch on or off."""
        if self._socket is not None:
            BaseLink.taps.remove(self._copy)
            self._socket.close(0)
            self._socket = None
        elif self._url:
            self._socket = zmq.Context.instance().socket(zmq.PUB)
            self._socket.connect(self._url)
            BaseLink.taps.append(self._copy)

    def _copy(self, link: BaseLink, outgoing: bool, request_id: int, raw: bytes) -> None:
        # Between siblings each message is seen at both ends: what one sends is enough.
        if self._socket is not None and (outgoing or link.link_id == 0):
            head = HEAD.pack(outgoing, link.link_id, request_id)
            self._socket.send_multipart([self._daemon, link.name.encode(), head, raw], zmq.NOBLOCK)
