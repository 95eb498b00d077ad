"""The command `plugin` on a real host."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import pylightningd.lightningd.rpc.plugins  # noqa: F401  registers the command
from pylightningd.lightningd.rpc.dispatch import Call, Dispatcher
from pylightningd.lightningd.rpc.registry import BUILTIN, Registry
from tests.lightningd.plugin_host.harness import Host, running_host, write_plugin
from tests.regtest.reply_check import check_reply

pytestmark = pytest.mark.slow
BODY = """
MANIFEST["options"] = [dict(name="n", type="int", description="", default=1)]
MANIFEST["rpcmethods"] = [dict(name="options", usage="")]
METHODS = dict(options=lambda params: seen[0][1]["options"])
"""


async def plugin(host: Host, *params: Any, **named: Any) -> dict[str, Any]:
    node: Any = SimpleNamespace(plugins=host.host, log=lambda *_, **__: None)
    dispatcher = Dispatcher(node, Registry(BUILTIN, developer=True))
    reply = await dispatcher.answer(Call("plugin", named or list(params)))
    if "result" in reply:
        check_reply("plugin", reply["result"])
    return reply


def test_start_list_stop(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            await host.host.start_all()
            await host.host.init_all()
            path = write_plugin(tmp_path, "one.py", BODY)
            for options in ({"n": 5}, {"options": ["n=5"]}):
                reply = await plugin(host, subcommand="start", plugin=path, **options)
                assert reply["result"] == {
                    "command": "start",
                    "plugins": [{"name": path, "active": True, "dynamic": True}],
                }
                assert await host.run("options") == {"result": {"n": 5}}
                assert (
                    "already registered" in (await plugin(host, "start", path))["error"]["message"]
                )
                assert (await plugin(host, "list"))["result"]["plugins"][0]["name"] == path
                reply = await plugin(host, "stop", "one.py")
                assert reply["result"] == {
                    "command": "stop",
                    "result": "Successfully stopped one.py.",
                }
            assert (await plugin(host, "list"))["result"]["plugins"] == []

    asyncio.run(main())


def test_errors(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            static = write_plugin(tmp_path, "static.py", "MANIFEST['dynamic'] = False")
            host.host.add(static)
            await host.host.start_all()
            await host.host.init_all()
            bad = write_plugin(tmp_path, "bad.py", "del MANIFEST['options']")
            late = write_plugin(tmp_path, "late.py", "MANIFEST['dynamic'] = False")
            one = write_plugin(tmp_path, "one.py", BODY)
            cases: list[tuple[dict[str, Any], int, str]] = [
                (
                    {"subcommand": "start", "plugin": "/no/such"},
                    -32602,
                    "/no/such is not executable: No such file",
                ),
                ({"subcommand": "start"}, -32602, "missing required parameter: plugin"),
                ({"subcommand": "start", "plugin": bad}, -3, '"options" is missing'),
                ({"subcommand": "start", "plugin": late}, -3, "Not a dynamic plugin"),
                ({"subcommand": "start", "plugin": one, "m": 1}, -3, "unknown parameter m"),
                (
                    {"subcommand": "start", "plugin": one, "m": 1, "options": []},
                    -32602,
                    "Cannot mix",
                ),
                (
                    {"subcommand": "stop", "plugin": "static.py"},
                    -32602,
                    "cannot be managed when lightningd is up",
                ),
                ({"subcommand": "stop", "plugin": "x"}, -32602, "Could not find plugin x"),
                (
                    {"subcommand": "startdir", "directory": "/no/such"},
                    -32602,
                    "Failed to open plugin-dir /no/such",
                ),
                ({"subcommand": "list", "more": 1}, -32602, "unknown parameter: more"),
                ({"subcommand": "jump"}, -32602, "subcommand"),
            ]
            for params, code, text in cases:
                error = (await plugin(host, **params))["error"]
                assert (error["code"], text in error["message"]) == (code, True), (params, error)
            assert [p.shortname for p in host.host.plugins] == ["static.py"]

    asyncio.run(main())


def test_rescan_and_startdir(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            await host.host.start_all()
            await host.host.init_all()
            (tmp_path / "plugins").mkdir()
            (tmp_path / "more").mkdir()
            write_plugin(tmp_path / "plugins", "a.py", "")
            write_plugin(tmp_path / "more", "b.py", "")
            assert len((await plugin(host, "rescan"))["result"]["plugins"]) == 1
            assert (
                len((await plugin(host, "startdir", str(tmp_path / "more")))["result"]["plugins"])
                == 2
            )
            write_plugin(tmp_path / "plugins", "a.py", "# changed")
            assert len((await plugin(host, "rescan"))["result"]["plugins"]) == 2
            assert "Plugin changed, needs restart." in host.text()

    asyncio.run(main())
