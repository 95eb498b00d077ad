"""The basic families of commands, called through the dispatcher on a node without daemons."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from coincurve import PrivateKey

from pylightningd.common.bus.link import Link
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.connectd_wire import ConnectdDevReportFds
from pylightningd.common.wire.hsmd_wire import (
    HsmdDeriveSecret,
    HsmdDeriveSecretReply,
    HsmdSignMessage,
    HsmdSignMessageReply,
)
from pylightningd.lightningd.config_io import load_config
from pylightningd.lightningd.log_io import Log
from pylightningd.lightningd.node import Node
from pylightningd.lightningd.plugin_host.hooks import HookTable
from pylightningd.lightningd.rpc.dispatch import Call
from pylightningd.lightningd.rpc.registry import SCHEMAS, load_families
from pylightningd.lightningd.startup_io import start_commands, start_database
from tests.regtest.reply_check import check_reply

ALICE = PrivateKey(b"\1" * 32)


class FakeHsm:
    """Signs with alice's key."""

    async def ask(self, request: Any) -> Any:
        if isinstance(request, HsmdSignMessage):
            from hashlib import sha256

            text = b"Lightning Signed Message:" + request.message
            digest = sha256(sha256(text).digest()).digest()
            return HsmdSignMessageReply(signature=ALICE.sign_recoverable(digest, hasher=None))
        assert isinstance(request, HsmdDeriveSecret)
        from pylightningd.common.secret import Secret

        return HsmdDeriveSecretReply(secret=Secret(request.info.ljust(32, b"\0")))


class Rig:
    """A node with a loop of its own."""

    def __init__(self, path: Path, *argv: str) -> None:
        (path / "regtest").mkdir()
        self.runner = asyncio.Runner()
        self.node = Node(load_config([f"--lightning-dir={path}", "--regtest", *argv]), Log())
        self.node.node_id = NodeId(ALICE.public_key.format())
        self.node.alias, self.node.rgb = "ALICE", b"\2\3\4"
        fake: Any = FakeHsm()
        hsm: Link = fake
        self.node.hsm = hsm
        no_plugins: Any = SimpleNamespace(hooks=HookTable())
        self.node.plugins = no_plugins
        self.runner.run(self._start())

    async def _start(self) -> None:
        await start_commands(self.node)
        await start_database(self.node)

    def call(self, method: str, params: Any = None, **named: Any) -> dict[str, Any]:
        async def go() -> dict[str, Any]:
            call = Call(method, named or params)
            return await self.node.dispatcher.run(call)

        result = self.runner.run(go())
        check_reply(method, result)
        return result

    def error(self, method: str, params: Any = None, **named: Any) -> UserError:
        with pytest.raises(UserError) as caught:
            self.call(method, params, **named)
        return caught.value

    def close(self) -> None:
        self.node.database.close()
        self.runner.close()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()


def test_getinfo(rig: Rig) -> None:
    rig.node.info.append(lambda: {"num_peers": 3, "blockheight": 101})
    info = rig.call("getinfo")
    assert info["id"] == ALICE.public_key.format().hex()
    assert (info["num_peers"], info["blockheight"], info["network"]) == (3, 101, "regtest")


def test_help(rig: Rig) -> None:
    rows = [row["command"] for row in rig.call("help")["help"]]
    assert "help [command]" in rows
    assert rows == sorted(rows)
    assert not any(row.startswith("dev-") for row in rows)
    assert rig.call("help", ["stop"])["help"][0]["command"] == "stop"
    assert rig.error("help", ["nope"]).code == -32601
    assert rig.error("dev-memleak").message == "Command dev-memleak is developer-only"


def test_check(rig: Rig) -> None:
    assert rig.call("check", ["signmessage", "hi"]) == {"command_to_check": "signmessage"}
    assert rig.call("check", command_to_check="help") == {"command_to_check": "help"}
    assert rig.error("check", ["nope"]).message == "Unknown command 'nope'"
    assert rig.error("check", command_to_check="signmessage", x=1).code == -32602
    assert "missing required parameter: message" in rig.error("check", ["signmessage"]).message
    rig.call("check", command_to_check="datastore", key="a", string="b")
    assert rig.call("listdatastore")["datastore"] == []
    rig.call("datastore", ["a", "b"])
    assert rig.error("check", ["datastore", "a", "b"]).code == 1202


def test_developers(tmp_path: Path) -> None:
    rig = Rig(tmp_path, "--developer")
    assert rig.call("dev-memleak") == {"leaks": []}
    told: list[Any] = []
    fleet: Any = SimpleNamespace(tell=lambda name, msg: told.append((name, msg)))
    rig.node.fleet = fleet
    assert rig.call("dev-report-fds") == {}
    assert told == [("connectd", ConnectdDevReportFds())]
    rig.close()


def test_getlog(rig: Rig) -> None:
    rig.node.log("debug", "d1")
    rig.node.log("info", "seen", source="hsmd", peer_id=rig.node.node_id)
    rig.node.log("broken", "also seen")
    log = rig.call("getlog")["log"]
    assert [row["type"] for row in log] == ["SKIPPED", "INFO", "BROKEN"]
    assert log[1]["node_id"] == rig.node.node_id.hex()
    assert rig.call("getlog", ["debug"])["log"][-3]["log"] == "d1"
    assert rig.error("getlog", ["loud"]).code == -32602


def test_listconfigs_and_setconfig(rig: Rig) -> None:
    configs = rig.call("listconfigs")["configs"]
    assert configs["network"] == {"value_str": "regtest", "source": "default"}
    assert configs["regtest"] == {"set": True, "source": "cmdline"}
    only = rig.call("listconfigs", ["min-capacity-sat"])["configs"]
    assert only == {"min-capacity-sat": {"value_int": 10000, "source": "default", "dynamic": True}}
    assert "Unknown config option" in rig.error("listconfigs", ["x"]).message
    new = rig.call("setconfig", ["min-capacity-sat", 5])["config"]
    assert new["value_int"] == 5
    assert new["source"].endswith("config.setconfig:2")
    assert rig.node.config.min_capacity_sat == 5
    transient = rig.call("setconfig", config="min-capacity-sat", val="7", transient=True)["config"]
    assert transient["source"] == "setconfig transient"
    assert "Not a dynamic config option" in rig.error("setconfig", ["fee-base", 5]).message
    assert "not a number" in rig.error("setconfig", ["min-capacity-sat", "x"]).message
    assert "must not be an array" in rig.error("setconfig", ["min-capacity-sat", ["1"]]).message


def test_datastore(rig: Rig) -> None:
    row = {"key": ["a", "b"], "generation": 0, "hex": "6869", "string": "hi"}
    assert rig.call("datastore", [["a", "b"], "hi"]) == row
    assert rig.error("datastore", [["a", "b"], "hi"]).code == 1202
    assert rig.error("datastore", ["a", "hi"]).code == 1205
    assert rig.error("datastore", [["a", "b", "c"], "hi"]).message == "Parent key [a,b] exists"
    assert rig.error("datastore", key="x", string="y", mode="must-replace").code == 1203
    more = rig.call("datastore", key=["a", "b"], hex="ff", mode="must-append", generation=0)
    assert more == {"key": ["a", "b"], "generation": 1, "hex": "6869ff"}
    assert (
        rig.error("datastore", key=["a", "b"], hex="ff", mode="must-replace", generation=0).code
        == 1204
    )
    assert (
        rig.error("datastore", key="x", hex="ff", string="y").message
        == "Cannot have both hex and string"
    )
    assert rig.error("datastore", ["x"]).message == "Must have either hex or string"
    assert rig.error("datastore", [[], "x"]).code == -32602
    rig.call("datastore", ["0", "zero"])
    rig.call("datastore", [["a", "c", "d"], "x"])
    rig.call("datastore", ["a0", "x"])
    assert [r["key"] for r in rig.call("listdatastore")["datastore"]] == [["0"], ["a"], ["a0"]]
    assert [r["key"] for r in rig.call("listdatastore", ["a"])["datastore"]] == [
        ["a", "b"],
        ["a", "c"],
    ]
    assert rig.call("listdatastore", [["a", "b"]])["datastore"] == [more]
    usage = rig.call("datastoreusage", ["a"])["datastoreusage"]
    assert usage == {"key": "[a]", "total_bytes": 3 + 3 + 5 + 1}
    assert rig.error("deldatastore", ["a"]).code == 1200
    assert rig.error("deldatastore", key=["a", "b"], generation=5).code == 1201
    assert rig.call("deldatastore", [["a", "b"]]) == more
    assert rig.error("deldatastore", [["a", "b"]]).code == 1200


def test_messages(rig: Rig) -> None:
    signed = rig.call("signmessage", ["this is a test!"])
    checked = rig.call("checkmessage", ["this is a test!", signed["zbase"]])
    assert checked == {"verified": True, "pubkey": rig.node.node_id.hex()}
    assert rig.error("checkmessage", ["another text", signed["zbase"]]).code == 1301
    assert rig.error("checkmessage", ["x", "!"]).message == "zbase is not valid zbase32"
    assert rig.error("checkmessage", ["x", "yy"]).message.startswith("zbase is ")
    assert rig.error("signmessage", ["x" * 65536]).message == "Message must be < 64k"
    assert rig.call("makesecret", ["00ff"])["secret"].startswith("00ff00")
    assert rig.call("makesecret", string="ab")["secret"].startswith("616200")
    assert rig.error("makesecret").message == "Must have either hex or string"


def test_small_ones(rig: Rig) -> None:
    assert rig.call("batching", [True]) == {}
    assert rig.call("deprecations", [True]) == {}
    assert rig.call("notifications", [True]) == {}


def test_every_schema_has_its_command_and_fits_its_parameters() -> None:
    commands = load_families()
    for path in SCHEMAS.glob("*.json"):
        item = commands.get(path.stem)
        if item is None or item.any_params or item.raw:
            continue
        schema = item.schema()
        assert schema is not None
        request = schema["request"]
        ours = [name for name, param in item.params.items() if not param.dev]
        assert set(item.params) >= set(request["properties"]), path.stem
        assert [n for n in ours if item.params[n].required] == request["required"], path.stem


def _guess(word: str) -> Any:
    """As lightning-cli reads a word."""
    return json.loads(word) if word[:1] in ("[", "{") else word


def test_examples_pass_check(rig: Rig) -> None:
    import shlex

    from pylightningd.lightningd.rpc.registry import convert_params

    for item in load_families().values():
        for example in item.examples:
            words = shlex.split(example)
            by_name = "-k" in words[:2]
            if by_name:
                words.remove("-k")
            assert words[0] == item.name, example
            if by_name:
                given: Any = {k: _guess(v) for k, v in (w.split("=", 1) for w in words[1:])}
            elif any("=" in w for w in words[1:]):
                continue
            else:
                given = [_guess(w) for w in words[1:]]
            if "..." not in example:
                convert_params(item, given)
