"""A plugin host on its own, and plugins written as scripts that need nothing but Python."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pylightningd.lightningd.plugin_host.host_io import Environment, PluginHost
from pylightningd.lightningd.plugin_host.options import HostConfig
from pylightningd.lightningd.rpc.dispatch import Call, Dispatcher
from pylightningd.lightningd.rpc.registry import Registry

# The raw protocol, so that the host is tested against what a foreign plugin does.
SCRIPT = """#!{python}
import json, os, sys, time
MANIFEST = dict(options=[], rpcmethods=[], subscriptions=[], hooks=[], dynamic=True)
seen = []
def send(**message):
    sys.stdout.write(json.dumps(dict(jsonrpc="2.0", **message)) + "\\n\\n")
    sys.stdout.flush()
def log(text, level="info"):
    send(method="log", params=dict(level=level, message=text))
def getmanifest(params): return MANIFEST
def init(params):
    seen.append(("init", params))
    return {{}}
METHODS = {{}}
{body}
METHODS = dict(dict(getmanifest=getmanifest, init=init), **METHODS)
buffer = ""
while True:
    line = sys.stdin.readline()
    if not line: break
    buffer += line
    if line.strip(): continue
    if not buffer.strip():
        continue
    request, buffer = json.loads(buffer), ""
    if "id" not in request:
        seen.append((request["method"], request))
        if request["method"] in METHODS: METHODS[request["method"]](request)
        continue
    try:
        import inspect
        method = METHODS[request["method"]]
        args = [request["params"], request][:len(inspect.signature(method).parameters)]
        send(id=request["id"], result=method(*args))
    except Exception as e:
        send(id=request["id"], error=dict(code=-7, message=str(e), data=dict(kind=type(e).__name__)))
"""


def write_plugin(folder: Path, name: str, body: str) -> str:
    """Write a plugin script and return its path."""
    path = folder / name
    path.write_text(SCRIPT.format(python=sys.executable, body=body))
    path.chmod(0o755)
    return str(path)


@dataclass
class Host:
    """A host, its log, and what it did to the node."""

    host: PluginHost
    dispatcher: Dispatcher
    log: list[tuple[str, str, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    custom_messages: list[list[int]] = field(default_factory=list)
    logged: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, method: str, params: Any = None, **more: Any) -> dict[str, Any]:
        """Call a command."""
        return await self.dispatcher.answer(Call(method, params or {}, **more))

    def text(self) -> str:
        """The log in one piece."""
        return "\n".join(f"{level} {source}: {text}" for level, source, text in self.log)

    async def until_log(self, text: str) -> None:
        """Wait until a line with this text is logged."""
        async with asyncio.timeout(60):
            while text not in self.text():
                self.logged.clear()
                await self.logged.wait()


@asynccontextmanager
async def running_host(
    tmp_path: Path, given: dict[str, list[str | bool]] | None = None
) -> AsyncIterator[Host]:
    """A host without plugins; add some, then `start_all` and `init_all`."""
    registry = Registry(developer=True)
    found: Host | None = None

    def log(level: str, text: str, source: str = "lightningd", **_: Any) -> None:
        assert found is not None
        found.log.append((level, source, text))
        found.logged.set()

    def declare(plugin: str, option: Any) -> None:
        assert found is not None
        if option.name in found.options:
            raise ValueError(f"option name '{option.name}' is already taken")
        found.options[option.name] = plugin

    async with asyncio.TaskGroup() as tasks:
        env = Environment(
            log=log,
            spawn=lambda work, name: tasks.create_task(work, name=name),
            registry=registry,
            stop_node=lambda why: found.stopped.append(why) if found else None,
            given=(given or {}).get,
            declare_option=declare,
            withdraw_option=lambda name: found.options.__delitem__(name) if found else None,
            custommessages_changed=lambda types: (
                found.custom_messages.append(types) if found else None
            ),
        )
        config = HostConfig(
            lightning_dir=str(tmp_path), rpc_file="lightning-rpc", network="regtest", feature_set={}
        )
        host = PluginHost(env, config, default_dir=tmp_path / "plugins")
        dispatcher = Dispatcher(FakeNode(log), registry)  # type: ignore[arg-type]
        dispatcher.interceptors.append(host.intercept)
        found = Host(host, dispatcher)
        try:
            yield found
        finally:
            processes = [p.process for p in host.plugins if p.process is not None]
            await host.shutdown(timeout_s=2)
            for process in processes:
                await process.wait(5)


class FakeNode:
    """What the dispatcher wants of a node."""

    def __init__(self, log: Any) -> None:
        self.log = log
