"""A link over a ZeroMQ PAIR socket.

The socket's descriptor is edge-triggered: it is drained until EAGAIN, and the events are looked at
again after each send. ZeroMQ does not tell that the other process died; whoever made the link calls
`lost` when it hears of it otherwise.
"""

from __future__ import annotations

import zmq

from pylightningd.common.bus.base_link_io import BaseLink, Handshake
from pylightningd.common.bus.endpoints_io import attach
from pylightningd.common.bus.link import Codec, Incoming

HIGH_WATER_MARK = 256
"""Batches, for each direction."""
_BATCHES_A_WAKE_UP = 64
LINGER_MS = 500


class ZmqLink(BaseLink):
    """One end of a PAIR link."""

    def __init__(
        self,
        url: str,
        *,
        bind: bool,
        name: str,
        codec: Codec,
        handshake: Handshake,
        link_id: int = 0,
        capabilities: int = 0,
    ) -> None:
        super().__init__(
            name, codec, link_id=link_id, capabilities=capabilities, handshake=handshake
        )
        self.url = url
        self._reading = True
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PAIR)
        self._socket.set_hwm(HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.LINGER, LINGER_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL, 5)
        try:
            attach(self._socket, url, bind=bind)
        except zmq.ZMQError as err:
            self._socket.close(0)
            self.closed = True
            raise ConnectionError(f"{url}: {err}") from err
        self._fd: int = self._socket.FD
        self._loop.add_reader(self._fd, self._wake)
        self._loop.call_soon(self._wake)

    def pause_reading(self) -> None:
        """Take nothing more off the link until `resume_reading`; replies stay there as well."""
        self._reading = False

    def resume_reading(self) -> None:
        """Read again."""
        if not self._reading:
            self._reading = True
            if not self.closed:
                self._loop.call_soon(self._wake)

    def _events(self) -> int:
        return 0 if self.closed else int(self._socket.getsockopt(zmq.EVENTS))

    def _wake(self) -> None:
        if self.closed:
            return
        events = self._events()
        if events & zmq.POLLOUT and self._out:
            self._flush()
        if events & zmq.POLLIN and self._reading and not self.closed:
            self._drain()

    def _drain(self) -> None:
        receive = self._socket.recv
        batch: list[Incoming] = []
        # Asking whether there is more costs a tenth of the exception that says there is not.
        for _ in range(_BATCHES_A_WAKE_UP):
            self._received(receive(zmq.NOBLOCK), batch)
            if self.closed or not self._events() & zmq.POLLIN:
                break
        if self.closed:
            return
        self._deliver(batch)
        # A handler may have used the socket, which swallows the edge.
        if self._events() & zmq.POLLIN:
            self._loop.call_soon(self._wake)

    def _transmit(self, batch: bytes) -> bool:
        try:
            self._socket.send(batch, zmq.NOBLOCK)
        except zmq.Again:
            return False
        if self._events() & zmq.POLLIN and self._reading:
            self._loop.call_soon(self._wake)
        return True

    def _detach(self) -> None:
        self._loop.remove_reader(self._fd)
        self._socket.close()
