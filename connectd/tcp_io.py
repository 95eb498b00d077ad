"""Sockets: the protocol object of one, how to listen and how to dial."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Final, cast

from pylightningd.common.address import Address
from pylightningd.connectd.address import Target, UnixSocket, is_wildcard, parse_listen
from pylightningd.connectd.tor_io import connect_by_proxy

WRITE_HIGH: Final = 256 << 10
"""Bytes that wait in a socket's buffer when gossip stops."""
SETUP_BUFFER: Final = 128 << 10
"""Bytes of one peer that we take before it has introduced itself."""
_BACKLOG: Final = 128


class PeerClosed(ConnectionError):
    """The peer hung up."""


class PeerSocket(asyncio.Protocol):
    """Bytes of one connection. First `read` and `read_some` are awaited; later `on_bytes` takes all."""

    def __init__(self, on_made: Callable[[PeerSocket], None] | None = None) -> None:
        self.transport: asyncio.Transport
        self.on_bytes: Callable[[bytes], None] | None = None
        self.on_lost: Callable[[str], None] | None = None
        self.on_writable: Callable[[], None] | None = None
        self.write_paused = False
        self.closed_by: str | None = None
        """Why it is closed; None while it is open."""
        self._on_made = on_made
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None

    # ---- asyncio's calls -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's.
        transport = cast("asyncio.Transport", transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_HIGH)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._on_made is not None:
            self._on_made(self)

    def data_received(self, data: bytes) -> None:
        if self.on_bytes is not None:
            self.on_bytes(data)
            return
        self._buffer += data
        if len(self._buffer) > SETUP_BUFFER:
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._closed("peer closed connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed("peer closed connection" if exc is None else error_text(exc))
        if self.on_lost is not None:
            self.on_lost(self.closed_by or "")

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self.on_writable is not None:
            self.on_writable()

    # ---- for the setup of the connection ---------------------------------------------------

    async def read(self, size: int) -> bytes:
        """Exactly so many bytes. Raises PeerClosed."""
        while len(self._buffer) < size:
            await self._more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def read_some(self) -> bytes:
        """What is there, at least a byte. Raises PeerClosed."""
        while not self._buffer:
            await self._more()
        return self.drain()

    def drain(self) -> bytes:
        """What is there and was not read."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send. Raises PeerClosed: hsmd may answer after the peer has left, and uvloop's transport is then no more."""
        if self.closed_by is not None:
            raise PeerClosed(self.closed_by)
        self.transport.write(data)

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        if hasattr(self, "transport"):
            self.transport.abort()

    async def _more(self) -> None:
        if self.closed_by is not None:
            raise PeerClosed(self.closed_by)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _closed(self, reason: str) -> None:
        if self.closed_by is None:
            self.closed_by = reason
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


# ---- listening ----------------------------------------------------------------------------------


class ListenError(Exception):
    """An address cannot be listened on; the text names it and says why."""


class Listeners:
    """Bound sockets; peers can connect at once, but are served only after `serve`."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._paths: list[str] = []
        self.bindings: list[str] = []

    def bind(self, texts: tuple[str, ...], default_port: int) -> None:
        """Bind all. Raises ListenError or AddressError; then nothing stays bound."""
        try:
            for text in texts:
                targets = parse_listen(text, default_port)
                bound = [t for t in targets if self._bind(t, may_fail=_is_spare(t, targets))]
                if not bound:
                    raise ListenError(f"Failed to bind socket for {text}: neither IPv6 nor IPv4")
        except BaseException:
            self.close()
            raise

    async def serve(self, on_peer: Callable[[PeerSocket], None]) -> None:
        """Take connections; `on_peer` is called with each."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            if sock.family == socket.AF_UNIX:
                server = await loop.create_unix_server(lambda: PeerSocket(on_peer), sock=sock)
            else:
                server = await loop.create_server(lambda: PeerSocket(on_peer), sock=sock)
            self._servers.append(server)

    def close(self) -> None:
        """Free all ports and paths."""
        for server in self._servers:
            server.close()
        for sock in self._sockets:
            sock.close()
        for path in self._paths:
            try:
                os.unlink(path)
            except OSError:
                continue
        self._sockets, self._servers, self._paths, self.bindings = [], [], [], []

    def _bind(self, target: Target, *, may_fail: bool) -> bool:
        try:
            sock = self._make(target)
        except OSError as err:
            if may_fail:
                return False
            hint = " (is another node running here?)" if err.errno == errno.EADDRINUSE else ""
            text = f"Failed to bind socket for {target}: {error_text(err)}{hint}"
            raise ListenError(text) from err
        self._sockets.append(sock)
        if isinstance(target, UnixSocket):
            self._paths.append(target.path)
            self.bindings.append(target.path)
        else:
            port = sock.getsockname()[1]
            self.bindings.append(str(Address(target.kind, target.host, port)))
        return True

    def _make(self, target: Target) -> socket.socket:
        if isinstance(target, UnixSocket):
            family, where = socket.AF_UNIX, target.path
            _remove_stale(target.path)
        else:
            family = socket.AF_INET6 if target.kind == "ipv6" else socket.AF_INET
            where = (target.host, target.port)  # type: ignore[assignment]  # what the family wants
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(where)
            sock.listen(_BACKLOG)
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
        return sock


def _is_spare(target: Target, targets: tuple[Target, ...]) -> bool:
    """Of a wildcard's two, one may be missing: machines without IPv6 exist."""
    return len(targets) > 1 and is_wildcard(target)


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens on any more."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
    except OSError:
        return
    finally:
        probe.close()


# ---- dialling -----------------------------------------------------------------------------------


class NeedProxy(OSError):
    """The address needs a proxy and there is none."""


async def dial(
    target: Target, proxy: Address | None, *, always_proxy: bool, seconds: float
) -> PeerSocket:
    """Connect to one address that needs no lookup (or by the proxy, that makes its own).

    Raises OSError or TimeoutError.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        if isinstance(target, UnixSocket):
            _, peer = await loop.create_unix_connection(PeerSocket, target.path)
            return peer
        if always_proxy or not target.is_ip:
            if proxy is None:
                raise NeedProxy("need a proxy")
            sock = await connect_by_proxy(proxy, target.host, target.port, seconds)
            sock.setblocking(False)
            _, peer = await loop.create_connection(PeerSocket, sock=sock)
            return peer
        _, peer = await loop.create_connection(PeerSocket, target.host, target.port)
        return peer


async def resolve(name: Address, seconds: float) -> list[Address]:
    """The IP addresses of a host name. Raises socket.gaierror or TimeoutError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(seconds):
        infos = await loop.getaddrinfo(name.host, name.port, type=socket.SOCK_STREAM)
    found: dict[Address, None] = {}
    for family, _, _, _, where in infos:
        host = str(where[0]).partition("%")[0]
        if family == socket.AF_INET:
            found[Address("ipv4", host, name.port)] = None
        elif family == socket.AF_INET6:
            found[Address("ipv6", host, name.port)] = None
    return list(found)


def peer_address(peer: PeerSocket) -> Target:
    """Who is at the other end of an incoming connection."""
    where = peer.transport.get_extra_info("peername")
    if not isinstance(where, tuple):
        return UnixSocket(str(peer.transport.get_extra_info("sockname") or "(unix socket)"))
    host = where[0].removeprefix("::ffff:").partition("%")[0]
    return Address("ipv6" if ":" in host else "ipv4", host, where[1])


def error_text(error: BaseException) -> str:
    """What went wrong, in the system's usual words."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
