"""The plugin host against plugins that speak the raw protocol."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pylightningd.lightningd.plugin_host.bundled import Bundled
from pylightningd.lightningd.plugin_host.host_io import PluginStartError
from pylightningd.lightningd.rpc.errors import PLUGIN_TERMINATED
from tests.lightningd.plugin_host.harness import Host, running_host, write_plugin

pytestmark = pytest.mark.slow

HELLO = """
def hello(params, request):
    send(method="message", params=dict(id=request["id"], level="info", message="thinking"))
    return dict(hello=params.get("name", "world"), id=request["id"])
def fail(params): raise ValueError("no luck")
def report(params): return dict(seen=seen)
METHODS = dict(hello=hello, fail=fail, report=report)
MANIFEST["rpcmethods"] = [dict(name=n, usage="[name]", description="says " + n) for n in METHODS]
MANIFEST["options"] = [
    dict(name="greeting", type="string", default="hi", description="what"),
    dict(name="times", type="int", description="how often", multi=True),
    dict(name="loud", type="flag", description="shout"),
]
MANIFEST["subscriptions"] = ["block_added", "typo", "from_other"]
"""


async def start(host: Host, *paths: str) -> None:
    for path in paths:
        host.host.add(path)
    await host.host.start_all()
    await host.host.init_all()


def test_methods_options_and_notifications(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path, {"times": ["3", "4"], "loud": [True]}) as host:
            await start(host, write_plugin(tmp_path, "hello.py", HELLO))
            told: list[Any] = []
            reply = await host.run(
                "hello",
                {"name": "you"},
                id="cli:hello#1",
                notify=lambda kind, body: told.append((kind, body)),
            )
            assert reply["result"]["hello"] == "you"
            assert reply["result"]["id"].startswith("cli:hello#1/cln:hello#")
            assert told == [
                ("message", {"id": "cli:hello#1", "level": "info", "message": "thinking"})
            ]
            error = (await host.run("fail"))["error"]
            assert error == {"code": -7, "message": "no luck", "data": {"kind": "ValueError"}}
            host.host.publish("block_added", {"height": 5})
            seen = (await host.run("report"))["result"]["seen"]
            init = seen[0][1]
            assert init["options"] == {"greeting": "hi", "times": [3, 4], "loud": True}
            assert init["configuration"]["startup"] is True
            assert init["configuration"]["lightning-dir"] == str(tmp_path)
            assert [
                "block_added",
                {
                    "jsonrpc": "2.0",
                    "method": "block_added",
                    "params": {"block_added": {"height": 5}},
                },
            ] in seen
            assert 'topic "typo" is not a known notification topic' in host.text()

    asyncio.run(main())


def test_own_topics_reach_subscribers_with_their_origin(tmp_path: Path) -> None:
    other = """
def shout(params):
    send(method="from_other", params=dict(from_other=1))
    send(method="undeclared", params={})
    return {}
METHODS = dict(shout=shout)
MANIFEST["rpcmethods"] = [dict(name="shout", usage="")]
MANIFEST["notifications"] = [dict(method="from_other")]
"""

    async def main() -> None:
        async with running_host(tmp_path) as host:
            await start(
                host,
                write_plugin(tmp_path, "other.py", other),
                write_plugin(tmp_path, "hello.py", HELLO),
            )
            await host.run("shout")
            seen = (await host.run("report"))["result"]["seen"]
            assert [
                "from_other",
                {
                    "jsonrpc": "2.0",
                    "method": "from_other",
                    "origin": "other.py",
                    "params": {"from_other": 1},
                },
            ] in seen
            assert 'send a notification to topic "undeclared" it hasn\'t declared' in host.text()

    asyncio.run(main())


def hook_plugin(name: str, hook: str, result: str, more: str = "") -> str:
    return f"""
MANIFEST["hooks"] = [dict(name={hook!r} {more})]
def answer(params):
    log("asked {name}")
    return {result}
METHODS = {{{hook!r}: answer}}
"""


def test_hook_chain_order_and_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            go_on, stop = "dict(result='continue')", "dict(result='reject', error_message='no')"
            await start(
                host,
                write_plugin(
                    tmp_path, "a.py", hook_plugin("a", "openchannel", go_on, ", after=['b.py']")
                ),
                write_plugin(tmp_path, "b.py", hook_plugin("b", "openchannel", go_on)),
                write_plugin(
                    tmp_path, "c.py", hook_plugin("c", "openchannel", stop, ", before=['a.py']")
                ),
            )
            responses = await host.host.call_hook("openchannel", {"openchannel": {}})
            assert responses == [
                {"result": "continue"},
                {"result": "reject", "error_message": "no"},
            ]
            assert [t for _, _, t in host.log if t.startswith("asked")] == ["asked b", "asked c"]
            assert await host.host.call_hook("invoice_payment", {"payment": {}}) == []

    asyncio.run(main())


def test_hook_payload_passes_from_plugin_to_plugin(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            change = "dict(result='continue', payload=params['onion']['payload'] + 'ff')"
            for name in ("a.py", "b.py"):
                host.host.add(
                    write_plugin(tmp_path, name, hook_plugin(name, "htlc_accepted", change))
                )
            await host.host.start_all()
            await host.host.init_all()
            payload = {"onion": {"payload": "00"}, "htlc": {}}
            responses = await host.host.call_hook("htlc_accepted", payload)
            assert [r["payload"] for r in responses] == ["00ff", "00ffff"]

    asyncio.run(main())


def test_rpc_command_replaces_and_returns(tmp_path: Path) -> None:
    body = (
        HELLO
        + """
MANIFEST["hooks"] = [dict(name="rpc_command", filters=["hello", "fail"])]
def rpc_command(params):
    call = params["rpc_command"]
    if call["method"] == "fail":
        return {"return": {"result": {"luck": True}}}
    return {"replace": {"jsonrpc": "2.0", "id": call["id"], "method": "hello", "params": {"name": "replaced"}}}
METHODS["rpc_command"] = rpc_command
"""
    )

    async def main() -> None:
        async with running_host(tmp_path) as host:
            await start(host, write_plugin(tmp_path, "hello.py", body))
            assert (await host.run("hello", {"name": "x"}))["result"]["hello"] == "replaced"
            assert await host.run("fail") == {"result": {"luck": True}}
            assert "result" in await host.run("report")

    asyncio.run(main())


def test_a_plugin_that_dies_fails_its_calls_and_frees_its_names(tmp_path: Path) -> None:
    body = """
def die(params): os._exit(3)
METHODS = dict(die=die)
MANIFEST["rpcmethods"] = [dict(name="die", usage="")]
MANIFEST["options"] = [dict(name="opt", type="string", description="")]
"""

    async def main() -> None:
        async with running_host(tmp_path) as host:
            path = write_plugin(tmp_path, "die.py", body)
            await start(host, path)
            assert (await host.run("die"))["error"]["code"] == PLUGIN_TERMINATED
            assert "Killing plugin: exited during normal operation (exit status 3)" in host.text()
            assert host.options == {} and host.host.plugins == []
            assert "Unknown command" in (await host.run("die"))["error"]["message"]
            await start(host, path)
            assert host.host.owner_of("die") is not None

    asyncio.run(main())


def test_an_important_plugin_takes_the_node_along(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            body = "METHODS = dict(shutdown=lambda _: None, block_added=lambda _: os._exit(1))\nMANIFEST['subscriptions']=['block_added']"
            host.host.add(write_plugin(tmp_path, "vital.py", body), important=True)
            await host.host.start_all()
            await host.host.init_all()
            host.host.publish("block_added", {})
            await host.until_log("Plugin marked as important, shutting down lightningd!")
            assert "vital.py" in host.stopped[0]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("print('Hello, I am not JSON'); sys.stdout.flush(); time.sleep(60)", "not JSON-RPC"),
        ("del MANIFEST['rpcmethods']", '"rpcmethods" is missing'),
        ("MANIFEST['hooks'] = ['no_such_hook']", "Unknown hook name no_such_hook"),
        (
            "MANIFEST['options'] = [dict(name='Bad Name', type='string', description='')]",
            "option 'Bad Name'",
        ),
        (
            "MANIFEST['rpcmethods'] = [dict(name='x', usage='')] * 2",
            'Could not register method "x"',
        ),
        (
            "MANIFEST['notifications'] = [dict(method='connect')]",
            "native notification topic 'connect'",
        ),
        ("MANIFEST['disable'] = 'not today'", "disabled itself: not today"),
        (
            "def init(params): return dict(disable='no backend')",
            "disabled itself at init: no backend",
        ),
        ("def getmanifest(params): os._exit(0)", "exited before replying to getmanifest"),
        ("MANIFEST['dynamic'] = True; MANIFEST['featurebits'] = dict(node='01')", "not dynamic"),
    ],
)
def test_bad_plugins_are_dropped_with_the_reason(tmp_path: Path, body: str, complaint: str) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            await start(
                host,
                write_plugin(tmp_path, "bad.py", body),
                write_plugin(tmp_path, "hello.py", HELLO),
            )
            assert complaint in host.text()
            assert [p.shortname for p in host.host.plugins] == ["hello.py"]
            assert (await host.run("hello"))["result"]["hello"] == "world"

    asyncio.run(main())


def test_an_important_plugin_that_does_not_start_stops_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            host.host.add(
                write_plugin(tmp_path, "bad.py", "del MANIFEST['options']"), important=True
            )
            with pytest.raises(PluginStartError, match="bad.py.*options"):
                await host.host.start_all()

    asyncio.run(main())


def test_two_plugins_with_one_option(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            body = "MANIFEST['options'] = [dict(name='same', type='string', description='')]"
            await start(
                host, write_plugin(tmp_path, "a.py", body), write_plugin(tmp_path, "b.py", body)
            )
            assert "option name 'same' is already taken" in host.text()
            assert [p.shortname for p in host.host.plugins] == ["a.py"]
            assert list(host.options) == ["same"]

    asyncio.run(main())


def test_a_plugin_may_end_its_objects_with_one_newline_and_log_many_lines(tmp_path: Path) -> None:
    body = """
def send(**message):
    sys.stdout.write(json.dumps(dict(jsonrpc="2.0", **message), indent=1) + "\\n")
    sys.stdout.flush()
def init(params):
    log("one\\ntwo", "warn")
    return {}
"""

    async def main() -> None:
        async with running_host(tmp_path) as host:
            await start(host, write_plugin(tmp_path, "odd.py", body))
            assert ("unusual", "plugin-odd.py", "one") in host.log
            assert ("unusual", "plugin-odd.py", "two") in host.log

    asyncio.run(main())


def test_default_dir_disable_and_clear(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            (tmp_path / "plugins" / "sub").mkdir(parents=True)
            write_plugin(tmp_path / "plugins", "one.py", "")
            write_plugin(tmp_path / "plugins" / "sub", "two.py", "")
            write_plugin(tmp_path / "plugins", "three.py", "")
            (tmp_path / "plugins" / "notes.txt").write_text("not executable")
            host.host.disable("three.py")
            host.host.add_default_dir()
            assert [p.shortname for p in host.host.plugins] == ["one.py", "two.py"]
            host.host.disable("two.py")
            assert [p.shortname for p in host.host.plugins] == ["one.py"]
            host.host.clear()
            assert host.host.plugins == []

    asyncio.run(main())


def test_custommsg_goes_to_those_who_want_its_type(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_host(tmp_path) as host:
            go_on = "dict(result='continue')"
            await start(
                host,
                write_plugin(
                    tmp_path, "a.py", hook_plugin("a", "custommsg", go_on, ", filters=[0x8001]")
                ),
                write_plugin(tmp_path, "b.py", hook_plugin("b", "custommsg", go_on)),
                write_plugin(tmp_path, "c.py", "MANIFEST['custommessages'] = [0x8002]"),
            )
            assert (
                len(await host.host.call_hook("custommsg", {"peer_id": "02", "payload": "8001aa"}))
                == 2
            )
            assert (
                len(await host.host.call_hook("custommsg", {"peer_id": "02", "payload": "8002aa"}))
                == 1
            )
            assert host.host.claims_custommsg(0x8002)
            assert not host.host.claims_custommsg(0x8001)
            assert host.custom_messages[-1] == [0x8002]
            taker = host.host.find("c.py")
            assert taker is not None
            await host.host.stop(taker)
            assert host.custom_messages[-1] == []

    asyncio.run(main())


def test_a_bundled_plugin_that_died_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pylightningd.lightningd.plugin_host.revive_io.FIRST_DELAY_S", 0.0)

    async def main() -> None:
        async with running_host(tmp_path) as host:
            host.host.add_bundled([Bundled("topology")])
            await host.host.start_all()
            await host.host.init_all()
            first = host.host.find("topology")
            assert first is not None
            assert first.process is not None
            started = asyncio.Event()
            monkeypatch.setattr(
                host.host,
                "publish",
                lambda topic, _: started.set() if topic == "plugin_started" else None,
            )
            first.process.kill()
            await asyncio.wait_for(started.wait(), 60)
            again = host.host.find("topology")
            assert again is not None
            assert again is not first
            assert host.dispatcher.registry.get("getroute") is not None
            assert not host.stopped

    asyncio.run(main())
