"""The library for bundled plugins: binding of parameters, errors, options, and calls to the node."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pylightningd.plugins.lib import Plugin, Request, RpcError
from pylightningd.plugins.lib_io import RpcClient


def make() -> tuple[Plugin, list[dict[str, Any]]]:
    plugin = Plugin()
    sent: list[dict[str, Any]] = []
    plugin.send = sent.append

    @plugin.method("add", usage="a [b]", description="Add")
    async def add(a: int, b: int = 1, *, request: Request) -> dict[str, Any]:
        request.message("adding")
        if a < 0:
            raise RpcError(-5, "negative", {"a": a})
        return {"sum": a + b, "ratio": a / b}

    @plugin.hook("openchannel", before=["x"])
    async def openchannel(openchannel: dict[str, Any]) -> dict[str, Any]:
        return {"result": "continue", "id": openchannel["id"]}

    @plugin.subscribe("connect")
    async def connect(topic: str, params: dict[str, Any]) -> None:
        plugin.log(f"{topic} {params['connect']['id']}", "debug")

    plugin.add_option("speed", "int", 3, "How fast", dynamic=True)
    plugin.add_option("secret", "string", None, "For developers", dev=True)
    return plugin, sent


def ask(method: str, params: Any) -> dict[str, Any]:
    plugin, sent = make()
    asyncio.run(plugin.handle({"jsonrpc": "2.0", "id": "7", "method": method, "params": params}))
    assert sent[-1]["id"] == "7"
    return sent[-1]


@pytest.mark.parametrize("params", [[4, 2], {"a": 4, "b": 2}])
def test_call(params: Any) -> None:
    assert ask("add", params)["result"] == {"sum": 6, "ratio": 2.0}


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ([-1], -5, "negative"),
        ([], -32602, "add: missing a required argument: a"),
        ({"a": 1, "c": 2}, -32602, "c"),
        ([1, 2, 3], -32602, "too many positional arguments"),
        ([1, 0], -32603, "ZeroDivisionError"),
    ],
)
def test_errors(params: Any, code: int, text: str) -> None:
    error = ask("add", params)["error"]
    assert error["code"] == code
    assert text in error["message"]


@pytest.mark.parametrize("method", ["keep", "check"])
def test_two_spellings_of_one_parameter(method: str) -> None:
    plugin, sent = make()

    @plugin.method("keep", usage="amount_msat", description="Keep")
    async def keep(amount_msat: int) -> dict[str, Any]:
        return {"kept": amount_msat}

    def ask_for(params: dict[str, Any]) -> dict[str, Any]:
        named = {"command_to_check": "keep"} if method == "check" else {}
        message = {"jsonrpc": "2.0", "id": "7", "method": method, "params": {**named, **params}}
        asyncio.run(plugin.handle(message))
        return sent[-1]

    for one in ({"amount_msat": 1}, {"amount-msat": 1}):
        assert "result" in ask_for(one)
    for both in ({"amount_msat": 1, "amount-msat": 2}, {"amount-msat": 2, "amount_msat": 1}):
        error = ask_for(both)["error"]
        assert error["code"] == -32602
        assert "keep: parameter given twice: amount_msat" in error["message"]


def test_manifest_hook_notification_and_check() -> None:
    manifest = ask("getmanifest", {})["result"]
    assert manifest["rpcmethods"] == [{"name": "add", "usage": "a [b]", "description": "Add"}]
    assert manifest["hooks"] == [{"name": "openchannel", "before": ["x"]}]
    assert [o["name"] for o in manifest["options"]] == ["speed"]
    assert manifest["subscriptions"] == ["connect"]
    assert ask("openchannel", {"openchannel": {"id": 1}})["result"] == {
        "result": "continue",
        "id": 1,
    }
    assert ask("nothing", {})["error"]["code"] == -32601
    assert "result" in ask("check", {"command_to_check": "add", "a": 1})
    assert ask("check", {"command_to_check": "add"})["error"]["code"] == -32602
    plugin, sent = make()
    asyncio.run(plugin.handle({"method": "connect", "params": {"connect": {"id": "02"}}}))
    assert sent == [
        {"jsonrpc": "2.0", "method": "log", "params": {"level": "debug", "message": "connect 02"}}
    ]


def test_options() -> None:
    async def main() -> None:
        plugin, sent = make()
        assert plugin.options["speed"] == 3
        await plugin.handle(
            {"id": "1", "method": "init", "params": {"options": {"speed": 4}, "configuration": {}}}
        )
        assert plugin.options["speed"] == 4
        await plugin.handle(
            {"id": "2", "method": "setconfig", "params": {"config": "speed", "val": "9"}}
        )
        assert plugin.options["speed"] == 9
        await plugin.handle(
            {"id": "3", "method": "setconfig", "params": {"config": "speed", "val": "x"}}
        )
        assert sent[-1]["error"]["message"] == "speed: should be an integer, not 'x'"

    asyncio.run(main())


def test_calls_to_the_node(tmp_path: Path) -> None:
    connections = 0
    served: list[asyncio.StreamWriter] = []

    async def next_request(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\n\n")
        except asyncio.IncompleteReadError:
            return b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        served.append(writer)
        while (raw := await next_request(reader)) != b"":
            request = json.loads(raw)
            reply = {"jsonrpc": "2.0", "id": request["id"]}
            if request["method"] == "fail":
                reply["error"] = {"code": 42, "message": "no", "data": [1]}
            else:
                reply["result"] = request["params"]
            writer.write(b'{"method": "message", "params": {}}\n\n')
            writer.write(json.dumps(reply).encode() + b"\n\n")

    async def main() -> None:
        plugin = Plugin()
        plugin.configuration = {"lightning-dir": str(tmp_path), "rpc-file": "rpc"}
        client = RpcClient(plugin)
        plugin.rpc_call = client.call
        with pytest.raises(RpcError, match=str(tmp_path)):
            await plugin.rpc("getinfo")
        server = await asyncio.start_unix_server(serve, tmp_path / "rpc")
        assert await plugin.rpc("echo", a=1) == {"a": 1}
        assert await plugin.rpc("echo", [1]) == [1]
        with pytest.raises(RpcError, match="no") as error:
            await plugin.rpc("fail")
        assert (error.value.code, error.value.data) == (42, [1])
        assert connections == 1
        async with asyncio.TaskGroup() as tasks:
            for _ in range(5):
                tasks.create_task(plugin.rpc("echo"))
        assert connections == 5
        for kept in client._idle:
            kept.close()
            await kept._writer.wait_closed()
        for writer in served:
            writer.close()
            await writer.wait_closed()
        server.close()

    asyncio.run(main())
