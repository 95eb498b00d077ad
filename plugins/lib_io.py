"""Pipes and sockets of a bundled plugin: stdin and stdout to the node, the node's unix socket for calls."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from pylightningd.common.json_stream import JsonStream, JsonStreamError, to_line
from pylightningd.plugins.lib import PLUGIN_ERROR, Json, Plugin, RpcError

READ_SIZE = 1 << 18


def run(plugin: Plugin, argv: list[str] | None = None) -> None:
    """Run a plugin until the node closes its stdin."""
    args = sys.argv[1:] if argv is None else argv
    plugin.developer = "--developer" in args
    by_hand = "LIGHTNINGD_PLUGIN" not in os.environ and sys.stdin.isatty()
    if by_hand or not {"-h", "--help"}.isdisjoint(args):
        print(_describe(plugin))
        return
    asyncio.run(_serve(plugin))


def _describe(plugin: Plugin) -> str:
    """What is shown to a person who starts the plugin by hand."""
    lines = ["This is a plugin: lightningd starts it, it does not run alone."]
    lines += [f"  --{o.name}  {o.description}" for o in plugin.option_table.values()]
    lines += [f"  {m.name} {m.usage}  {m.description}" for m in plugin.methods.values()]
    return "\n".join(lines)


async def _serve(plugin: Plugin) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=READ_SIZE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    plugin.send = lambda message: transport.write(to_line(message))
    rpc = RpcClient(plugin)
    plugin.rpc_call = rpc.call
    stream = JsonStream()
    async with asyncio.TaskGroup() as tasks:

        def spawn(coroutine: Coroutine[Any, Any, Any], name: str = "work") -> asyncio.Task[Any]:
            return tasks.create_task(coroutine, name=name)

        plugin.spawn = spawn
        while data := await reader.read(READ_SIZE):
            for message in stream.feed(data):
                spawn(plugin.handle(message), str(message.get("method")))
        # The node is gone, or wants us gone: nothing that still runs has anybody to answer.
        transport.close()
        os._exit(0)


class RpcClient:
    """Calls to the node over its unix socket, each on a connection of its own, which is then kept."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._idle: list[Connection] = []
        self._next_id = 0

    def _path(self) -> Path:
        config = self._plugin.configuration
        return Path(config.get("lightning-dir", "."), config.get("rpc-file", "lightning-rpc"))

    async def call(self, method: str, params: Json, wanted: Json = None) -> Json:
        """Call a command and return its result, or only what the filter `wanted` names. Raises RpcError."""
        self._next_id += 1
        request = {
            "jsonrpc": "2.0",
            "id": f"plugin:{method}#{self._next_id}",
            "method": method,
            "params": params,
        }
        if wanted is not None:
            request["filter"] = wanted
        reply = await self._exchange(request)
        if "error" in reply:
            error = reply["error"]
            raise RpcError(
                error.get("code", PLUGIN_ERROR), error.get("message", ""), error.get("data")
            )
        return reply.get("result")

    async def _connection(self) -> Connection:
        while self._idle:
            kept = self._idle.pop()
            if kept.usable():
                return kept
            kept.close()
        try:
            return await Connection.open(self._path())
        except OSError as why:
            raise RpcError(PLUGIN_ERROR, f"lightningd at {self._path()}: {why}") from None

    async def _exchange(self, request: dict[str, Json]) -> dict[str, Json]:
        connection = await self._connection()
        try:
            reply = await connection.exchange(request)
        except (OSError, JsonStreamError) as why:
            connection.close()
            raise RpcError(PLUGIN_ERROR, f"lightningd closed the connection: {why}") from None
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return reply


class Connection:
    """One connection to the node, used for one call at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._stream = JsonStream()

    @classmethod
    async def open(cls, path: Path) -> Connection:
        """Connect. Raises OSError."""
        return cls(*await asyncio.open_unix_connection(path, limit=READ_SIZE))

    def usable(self) -> bool:
        """Whether the other side still has it open, as far as we know."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def exchange(self, request: dict[str, Json]) -> dict[str, Json]:
        """Send a request and wait for its reply; notifications in between are dropped. Raises OSError."""
        self._writer.write(to_line(request))
        await self._writer.drain()
        while data := await self._reader.read(READ_SIZE):
            for message in self._stream.feed(data):
                if message.get("id") == request["id"]:
                    return message
        raise ConnectionResetError("end of file before the reply")

    def close(self) -> None:
        """Close it at once."""
        self._writer.close()
