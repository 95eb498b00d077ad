"""The JSON-RPC socket `lightning-rpc`: requests in, replies out, in any order, many at once.

As in CLN: objects follow one another with or without white space; each reply ends with an empty line; an id
comes back as it was sent; a command goes on when its caller hangs up, and its result is dropped.

Backpressure: a connection with `MAX_IN_FLIGHT` requests open, or whose replies are not read, is not read from
until that changes.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from typing import TYPE_CHECKING, Any, cast

import orjson

from pylightningd.common.errors import UserError
from pylightningd.common.json_stream import JsonStream, JsonStreamError, to_line
from pylightningd.lightningd.rpc.dispatch import Call, Dispatcher, error_object
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_REQUEST
from pylightningd.lightningd.rpc.filter import apply_filter, check_filter

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

MAX_IN_FLIGHT = 1000
MAX_REQUEST_BYTES = 256 * 1024 * 1024
FAREWELL_SECONDS = 2.0
MAX_SOCKET_PATH = 107


class SocketError(Exception):
    """The socket cannot be made; the text is for the user."""


class RpcServer:
    """Listens on the unix socket and makes a `Connection` for each caller."""

    def __init__(self, node: Node, dispatcher: Dispatcher) -> None:
        self.node = node
        self.dispatcher = dispatcher
        self.connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._count = 0
        self.closing = False
        self._path = ""

    async def listen(self, path: str, mode: int = 0o600) -> None:
        """Make the socket and answer calls from now on. Raises SocketError."""
        listener = make_listener(path, mode)
        self._path = path
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._connected, sock=listener, backlog=512)

    def _connected(self) -> Connection:
        self._count += 1
        return Connection(self, f"jsonrpc#{self._count}")

    async def close(self) -> None:
        """Stop listening, let what is written reach the callers, hang up."""
        self.closing = True
        if self._server is not None:
            self._server.close()
            self._server = None
            try:
                os.unlink(self._path)
            except OSError:
                pass  # somebody was faster
        for connection in list(self.connections):
            connection.finish()
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                while self.connections:
                    await next(iter(self.connections)).gone
        except TimeoutError:
            for connection in list(self.connections):
                connection.abort()


class Connection(asyncio.Protocol):
    """One caller."""

    def __init__(self, server: RpcServer, name: str) -> None:
        self._server = server
        self._node = server.node
        self.name = name
        self.wants_notifications = False
        self._stream = JsonStream()
        self._transport: asyncio.Transport | None = None
        self._in_flight = 0
        self._clogged = False
        self._paused = False
        self._half_closed = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # Called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)
        if self._server.closing:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone. Its commands go on."""
        self._transport = None
        self._server.connections.discard(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def eof_received(self) -> bool:
        """The caller has no more requests; it may still wait for replies."""
        if self._in_flight == 0 or self._transport is None or _hung_up(self._transport):
            return False
        self._half_closed = True
        return True

    def pause_writing(self) -> None:
        """The caller does not read its replies."""
        self._clogged = True
        self._throttle()

    def resume_writing(self) -> None:
        """The caller reads again."""
        self._clogged = False
        self._throttle()

    def data_received(self, data: bytes) -> None:
        """Start a task for each request that is complete."""
        if self._node.log.wants("io", self.name):
            self._node.log("io", "[IN] " + data.hex(), source=self.name)
        try:
            requests = self._stream.feed(data)
            if len(self._stream) > MAX_REQUEST_BYTES:
                raise JsonStreamError(f"a request has more than {MAX_REQUEST_BYTES} bytes")
        except JsonStreamError as error:
            self._malformed(f"Invalid token in json input: {error}")
            return
        for request in requests:
            self._begin(request)
        self._throttle()

    def _throttle(self) -> None:
        """Read on or do not, as things stand."""
        if self._transport is None or self._transport.is_closing() or self._half_closed:
            return
        full = self._clogged or self._in_flight >= MAX_IN_FLIGHT
        if full and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        elif not full and self._paused:
            self._paused = False
            self._transport.resume_reading()

    # Requests and replies

    def _begin(self, request: dict[str, Any]) -> None:
        problem = _problem(request)
        if problem is not None:
            self._malformed(problem)
            return
        method = request.get("method")
        call = Call(
            method=method,  # type: ignore[arg-type]  # the dispatcher refuses what is not a string
            params=request.get("params"),
            id=request["id"],
            source=self.name,
            notify=self._notify,
            set_notifications=self._set_notifications,
            connection=self,
        )
        self._in_flight += 1
        self._node.spawn(self._answer(call, request.get("filter")), f"{self.name} {method}")

    async def _answer(self, call: Call, wanted: Any) -> None:
        try:
            if wanted is not None:
                try:
                    check_filter(wanted)
                except UserError as error:
                    self._reply(call.id, {"error": error_object(error)})
                    return
            reply = await self._server.dispatcher.answer(call)
            if wanted is not None and isinstance(reply.get("result"), dict):
                reply = {"result": apply_filter(reply["result"], wanted)}
            self._reply(call.id, reply)
        finally:
            self._in_flight -= 1
            self._throttle()
            if self._in_flight == 0 and self._half_closed:
                self.finish()

    def _reply(self, request_id: Any, reply: dict[str, Any]) -> None:
        if self._transport is None:
            self._node.log("debug", "Command returned result after jcon close", source=self.name)
            return
        try:
            line = to_line({"jsonrpc": "2.0", "id": request_id, **reply})
        except orjson.JSONEncodeError as error:
            self._node.log("broken", f"A result is not JSON: {error}", source=self.name)
            text = f"Internal error: the result cannot be written as JSON: {error}"
            line = to_line(
                {"jsonrpc": "2.0", "id": request_id, "error": {"code": -1, "message": text}}
            )
        self._write(line)

    def _malformed(self, problem: str) -> None:
        """Say what is wrong, and hang up: where one request is broken the next cannot be found."""
        error = {"code": JSONRPC2_INVALID_REQUEST, "message": problem}
        self._write(to_line({"jsonrpc": "2.0", "id": None, "error": error}))
        self.finish()

    def _write(self, line: bytes) -> None:
        if self._transport is None:
            return
        if self._node.log.wants("io", self.name):
            self._node.log("io", "[OUT] " + line.hex(), source=self.name)
        self._transport.write(line)

    def _notify(self, method: str, params: dict[str, Any]) -> None:
        if self.wants_notifications:
            self._write(to_line({"jsonrpc": "2.0", "method": method, "params": params}))

    def _set_notifications(self, on: bool) -> None:
        self.wants_notifications = on

    def finish(self) -> None:
        """Hang up once all is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up now."""
        if self._transport is not None:
            self._transport.abort()


def _hung_up(transport: asyncio.Transport) -> bool:
    """Has the caller closed both directions?"""
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), 0)
    return any(events & select.POLLHUP for _fd, events in poll.poll(0))


def _problem(request: dict[str, Any]) -> str | None:
    """What makes this not a request at all."""
    if "id" not in request:
        return "No id"
    if isinstance(request["id"], dict | list):
        return "Expected string/primitive for id"
    if request.get("jsonrpc") != "2.0":
        return 'jsonrpc: "2.0" must be specified in the request'
    return None


def make_listener(path: str, mode: int) -> socket.socket:
    """A listening socket at `path`, in place of a dead one. Raises SocketError."""
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise SocketError(
            f"rpc filename '{path}' too long: a socket's path has at most {MAX_SOCKET_PATH} bytes. "
            "Use a shorter --lightning-dir or --rpc-file, for example --rpc-file=/tmp/lightning-rpc"
        )
    if _is_answered(path):
        raise SocketError(f"rpc filename '{path}' in use: is another lightningd running?")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    old_mask = os.umask(0o177)
    try:
        if os.path.lexists(path):
            os.unlink(path)
        listener.bind(path)
        os.chmod(path, mode)
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise SocketError(f"Binding rpc socket to '{path}': {error.strerror}") from error
    finally:
        os.umask(old_mask)
    listener.setblocking(False)
    return listener


def _is_answered(path: str) -> bool:
    """Does somebody listen there?"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
