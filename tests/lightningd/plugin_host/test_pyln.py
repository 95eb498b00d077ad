"""A plugin written with pyln-client, where it is installed: methods, options, hooks, subscriptions, notifications."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from tests.lightningd.plugin_host.harness import running_host

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("pyln") is None, reason="pyln-client is not installed"
    ),
]

PLUGIN = """#!{python}
from pyln.client import Plugin
plugin = Plugin(dynamic=True)
plugin.add_option("greeting", "Hello", "The greeting")
plugin.add_flag_option("loud", "Shout")
plugin.add_notification_topic("greeted")
seen = []

@plugin.init()
def init(options, configuration, plugin):
    plugin.log("started with " + options["greeting"])

@plugin.method("hello")
def hello(plugin, request, name="world"):
    "Say hello to somebody"
    request.notify("half way")
    plugin.notify("greeted", {{"name": name}})
    return "%s %s" % (plugin.get_option("greeting"), name)

@plugin.async_method("later")
def later(plugin, request):
    request.set_result({{"later": True}})

@plugin.method("seen")
def what(plugin):
    return {{"seen": seen}}

@plugin.hook("openchannel")
def on_open(openchannel, plugin, **kwargs):
    return {{"result": "reject", "error_message": "not from " + openchannel["id"]}}

@plugin.subscribe("block_added")
def on_block(block_added, plugin, **kwargs):
    seen.append(block_added["height"])

plugin.run()
"""


def test_pyln_plugin(tmp_path: Path) -> None:
    path = tmp_path / "greeter.py"
    path.write_text(PLUGIN.format(python=sys.executable))
    path.chmod(0o755)

    async def main() -> None:
        async with running_host(tmp_path, {"greeting": ["Ciao"]}) as host:
            host.host.add(str(path))
            await host.host.start_all()
            await host.host.init_all()
            assert ("info", "plugin-greeter.py", "started with Ciao") in host.log
            told = []
            reply = await host.run(
                "hello", {"name": "you"}, id="x", notify=lambda *a: told.append(a)
            )
            assert reply == {"result": "Ciao you"}
            assert told[0][0] == "message"
            assert told[0][1]["message"] == "half way"
            assert await host.run("later") == {"result": {"later": True}}
            assert "error" in await host.run("hello", {"nobody": 1})
            assert await host.host.call_hook("openchannel", {"openchannel": {"id": "02aa"}}) == [
                {"result": "reject", "error_message": "not from 02aa"}
            ]
            host.host.publish("block_added", {"height": 9, "hash": "00"})
            assert await host.run("seen") == {"result": {"seen": [9]}}
            command = host.host.env.registry.get("hello")
            assert command is not None and command.usage.startswith("hello [name]")

    asyncio.run(main())
