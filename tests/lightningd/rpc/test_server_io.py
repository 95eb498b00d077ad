"""The socket: framing, ids, many requests at once, notifications, filters, hanging up."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import UserError
from pylightningd.lightningd.log_io import Log
from pylightningd.lightningd.rpc.dispatch import Call, Dispatcher
from pylightningd.lightningd.rpc.params import Param, string
from pylightningd.lightningd.rpc.registry import Command, Registry
from pylightningd.lightningd.rpc.server_io import RpcServer, SocketError, make_listener


class FakeNode:
    """What the server needs of a node."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self.log = Log()
        self.gate = asyncio.Event()
        self.finished: list[str] = []

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> None:
        self._group.create_task(coro, name=name)


async def echo(node: Any, text: str) -> dict[str, Any]:
    return {"text": text, "list": [{"a": 1, "b": 2}, {"a": 3}]}


async def slow(node: Any) -> dict[str, Any]:
    await node.gate.wait()
    node.finished.append("slow")
    return {"slow": True}


async def talk(node: Any, call: Call) -> dict[str, Any]:
    call.set_notifications(True)
    call.message("info", "hello")
    call.progress(0, 2)
    return {}


async def refuse(node: Any) -> dict[str, Any]:
    raise UserError(7, "no", {"why": "because"})


async def bug(node: Any) -> dict[str, Any]:
    raise KeyError("oops")


async def not_json(node: Any) -> dict[str, Any]:
    return {"x": object()}


COMMANDS = {
    c.name: c
    for c in (
        Command(
            name="echo", family="t", summary="", params={"text": Param(string, "")}, handler=echo
        ),
        Command(name="slow", family="t", summary="", params={}, handler=slow),
        Command(name="talk", family="t", summary="", params={}, handler=talk, wants_call=True),
        Command(name="refuse", family="t", summary="", params={}, handler=refuse),
        Command(name="bug", family="t", summary="", params={}, handler=bug),
        Command(name="not-json", family="t", summary="", params={}, handler=not_json),
    )
}


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, raw: str) -> None:
        self.writer.write(raw.encode())

    def ask(self, method: str, params: Any = None, id: Any = 1, **more: Any) -> None:
        params = [] if params is None else params
        self.send(
            json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params, **more})
        )

    async def read(self) -> dict[str, Any]:
        raw = await self.reader.readuntil(b"\n\n")
        reply: dict[str, Any] = json.loads(raw)
        return reply


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[tuple[FakeNode, RpcServer, Client]]:
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        node = FakeNode(group)
        server = RpcServer(node, Dispatcher(node, Registry(COMMANDS)))  # type: ignore[arg-type]
        await server.listen(str(tmp_path / "rpc"))
        client = Client(*await asyncio.open_unix_connection(str(tmp_path / "rpc")))
        yield node, server, client
        node.gate.set()
        client.writer.close()
        with suppress(ConnectionError):
            await client.writer.wait_closed()
        await server.close()


def go(
    tmp_path: Path, test: Callable[[FakeNode, RpcServer, Client], Coroutine[Any, Any, None]]
) -> None:
    async def body() -> None:
        async with running(tmp_path) as (node, server, client):
            await test(node, server, client)

    asyncio.run(body())


def test_mode_and_two_servers(tmp_path: Path) -> None:
    async def test(_node: FakeNode, server: RpcServer, _client: Client) -> None:
        assert stat.S_IMODE(os.stat(tmp_path / "rpc").st_mode) == 0o600
        with pytest.raises(SocketError, match="in use"):
            make_listener(str(tmp_path / "rpc"), 0o600)
        while len(server.connections) < 2:  # its probe came as a caller
            await asyncio.sleep(0)

    go(tmp_path, test)
    assert not (tmp_path / "rpc").exists()
    with pytest.raises(SocketError, match="too long"):
        make_listener("/tmp/" + "x" * 200, 0o600)


def test_requests_run_side_by_side(tmp_path: Path) -> None:
    async def test(node: FakeNode, _server: RpcServer, client: Client) -> None:
        client.ask("slow", id="first")
        client.ask("echo", ["hi"], id="second")
        assert (await client.read())["id"] == "second"
        node.gate.set()
        assert await client.read() == {"jsonrpc": "2.0", "id": "first", "result": {"slow": True}}

    go(tmp_path, test)


@pytest.mark.parametrize("request_id", ["a", 5, -1.5, None, True, "x/cln:y#1"])
def test_ids_come_back(tmp_path: Path, request_id: Any) -> None:
    async def test(_node: FakeNode, _server: RpcServer, client: Client) -> None:
        client.ask("echo", {"text": "é"}, id=request_id)
        reply = await client.read()
        assert reply["id"] == request_id
        assert reply["result"]["text"] == "é"

    go(tmp_path, test)


def test_pieces_and_lumps(tmp_path: Path) -> None:
    async def test(_node: FakeNode, _server: RpcServer, client: Client) -> None:
        one = '{"jsonrpc":"2.0","id":%d,"method":"echo","params":["}{"]}'
        client.send(one % 1 + one % 2 + "\n\n" + one % 3)
        assert {(await client.read())["id"] for _ in range(3)} == {1, 2, 3}
        for char in one % 4:
            client.send(char)
            await client.writer.drain()
        assert (await client.read())["id"] == 4

    go(tmp_path, test)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("hello\n\n", "Invalid token in json input"),
        ("[1]\n\n", "Invalid token in json input"),
        ('{"jsonrpc":"2.0","method":"x"}', "No id"),
        ('{"jsonrpc":"2.0","method":"x","id":[1]}', "Expected string/primitive for id"),
        ('{"method":"x","id":1}', "must be specified in the request"),
    ],
)
def test_malformed_hangs_up(tmp_path: Path, raw: str, text: str) -> None:
    async def test(_node: FakeNode, _server: RpcServer, client: Client) -> None:
        client.send(raw)
        reply = await client.read()
        assert reply["id"] is None
        assert reply["error"]["code"] == -32600
        assert text in reply["error"]["message"]
        assert await client.reader.read() == b""

    go(tmp_path, test)


def test_errors(tmp_path: Path) -> None:
    async def test(node: FakeNode, _server: RpcServer, client: Client) -> None:
        async def error(method: Any, params: Any = None) -> dict[str, Any]:
            client.ask(method, params)
            reply: dict[str, Any] = (await client.read())["error"]
            return reply

        assert await error("nope") == {"code": -32601, "message": "Unknown command 'nope'"}
        assert await error("refuse") == {"code": 7, "message": "no", "data": {"why": "because"}}
        assert (await error("echo"))["code"] == -32602
        assert (await error(5))["code"] == -32600
        assert "this is a bug" in (await error("bug"))["message"]
        assert "cannot be written" in (await error("not-json"))["message"]
        assert any("oops" in entry.text for entry in node.log.kept)

    go(tmp_path, test)


def test_notifications(tmp_path: Path) -> None:
    async def test(_node: FakeNode, _server: RpcServer, client: Client) -> None:
        client.ask("talk", id="n")
        first, second, reply = [await client.read() for _ in range(3)]
        assert first["params"] == {"id": "n", "level": "info", "message": "hello"}
        assert second["method"] == "progress"
        assert reply["result"] == {}

    go(tmp_path, test)


def test_filter(tmp_path: Path) -> None:
    async def test(_node: FakeNode, _server: RpcServer, client: Client) -> None:
        client.ask("echo", ["x"], filter={"list": [{"a": True}]})
        assert (await client.read())["result"] == {"list": [{"a": 1}, {"a": 3}]}
        client.ask("echo", ["x"], filter={"text": [True]})
        assert "warning_parameter_filter" in (await client.read())["result"]
        client.ask("echo", ["x"], filter={"text": False})
        assert "value must be true" in (await client.read())["error"]["message"]

    go(tmp_path, test)


def test_half_closed_callers_get_their_reply(tmp_path: Path) -> None:
    async def test(node: FakeNode, _server: RpcServer, client: Client) -> None:
        client.ask("slow")
        client.writer.write_eof()
        await asyncio.sleep(0)
        node.gate.set()
        assert (await client.read())["result"] == {"slow": True}
        assert await client.reader.read() == b""

    go(tmp_path, test)


def test_a_command_goes_on_without_its_caller(tmp_path: Path) -> None:
    async def test(node: FakeNode, server: RpcServer, client: Client) -> None:
        client.ask("slow")
        client.ask("echo", ["x"])
        await client.read()
        (connection,) = server.connections
        client.writer.transport.abort()
        await connection.gone
        node.gate.set()
        while not node.finished:
            await asyncio.sleep(0)

    go(tmp_path, test)
