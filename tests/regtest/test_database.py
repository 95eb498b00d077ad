"""The database of a real node: old copies of it, plugins that see each write, the live copy."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.regtest.network import NodeFactory
from tests.regtest.node import NETWORK, Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

MIRROR = """#!{python}
import json, os, sqlite3, sys

mirror = sqlite3.connect({mirror!r}, isolation_level=None)
mirror.execute("PRAGMA foreign_keys = ON")
version = 0
for line in iter(sys.stdin.readline, ""):
    if not line.strip():
        continue
    request = json.loads(line)
    result = {{}}
    if request["method"] == "getmanifest":
        result = {{"options": [], "rpcmethods": [], "hooks": [{{"name": "db_write"}}]}}
    elif request["method"] == "db_write":
        params = request["params"]
        assert params["data_version"] > version, params
        version = params["data_version"]
        if os.path.exists({refuse!r}):
            result = {{"result": "I have no room"}}
        else:
            mirror.execute("BEGIN")
            for statement in params["writes"]:
                mirror.execute(statement)
            mirror.execute("COMMIT")
            result = {{"result": "continue"}}
    if "id" in request:
        print(json.dumps({{"jsonrpc": "2.0", "id": request["id"], "result": result}}), flush=True)
        print("", flush=True)
"""


def _dump(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    try:
        return list(database.iterdump())
    finally:
        database.close()


def _put_back(node: Node, old: Path) -> None:
    """An old copy of the database, and of nothing else."""
    folder = node.folder / NETWORK
    for path in folder.glob("lightningd.sqlite3*"):
        path.unlink()
    shutil.copy(old, folder / "lightningd.sqlite3")


@pytest.mark.books("l1 has forgotten what it paid since its copy was made", nodes="l2")
def test_an_old_copy_of_the_database_costs_nothing(node_factory: NodeFactory) -> None:
    """hsmd knows better: nothing is broadcast, the user reads why, the peer is asked to close, the coins come home."""
    l1, l2 = node_factory.make_many(2)
    node_factory.open_channel(l1, l2)
    send(l1, l2, amount_msat=100_000_000)
    l1.stop()
    old = node_factory.folder / "old.sqlite3"
    shutil.copy(l1.folder / NETWORK / "lightningd.sqlite3", old)
    l1.start()
    node_factory.connect(l1, l2)
    for node in (l1, l2):
        wait_for(lambda n=node: n.channels()[0].get("reestablished"), "the channel")  # type: ignore[misc]
    send(l1, l2, amount_msat=300_000_000)
    l1.stop()
    l2.stop()
    _put_back(l1, old)
    l1.allow_trouble = "Unknown commitment, recovering our funds"
    l1.start()
    l1.wait_for_log("The database is an old copy: .* of our commitments are revoked")
    channel = l1.channels()[0]
    assert channel["state"] == "AWAITING_UNILATERAL"
    assert "The database is an old copy" in "".join(channel["status"])
    with pytest.raises(RpcError, match="only the peer can close it"):
        l1.rpc("close", id=channel["channel_id"], unilateraltimeout=1)
    l1.restart()
    assert not node_factory.bitcoind.mempool()
    l2.start()
    node_factory.connect(l1, l2)
    wait_for(node_factory.bitcoind.mempool, "the peer's commitment")
    node_factory.mine(1)
    wait_for(lambda: l1.channels()[0]["state"] == "ONCHAIN", "l1 to see it")
    node_factory.mine(1)
    # 1,000,000 less what was paid and the fee of the commitment.
    wait_for(lambda: l1.spendable_sat() > 590_000, "l1's coins")


def test_plugins_see_every_write(node_factory: NodeFactory) -> None:
    mirror, refuse = node_factory.folder / "mirror.sqlite3", node_factory.folder / "refuse"
    plugin = node_factory.folder / "mirror.py"
    plugin.write_text(MIRROR.format(python=sys.executable, mirror=str(mirror), refuse=str(refuse)))
    plugin.chmod(0o755)
    copy = node_factory.folder / "copy.sqlite3"
    l1 = node_factory.make(
        {"plugin": plugin, "wallet": f"sqlite3://{node_factory.folder}/w.sqlite3:{copy}"}
    )
    l2 = node_factory.make()
    node_factory.open_channel(l1, l2)
    send(l1, l2, amount_msat=100_000)
    l1.stop()
    database = node_factory.folder / "w.sqlite3"
    assert _dump(mirror) == _dump(database)
    assert _dump(copy) == _dump(database)
    for path in (database, copy, l1.folder / NETWORK / "hsmd_state"):
        assert path.stat().st_mode & 0o777 == 0o600, path
    l1.start()
    l1.allow_trouble = "returned failed db_write"
    before = _dump(mirror)
    refuse.touch()
    with pytest.raises((RpcError, OSError)):
        l1.rpc("datastore", key="k", string="v")
    assert l1.wait_exit() == 1
    assert _dump(mirror) == before
    assert not any('INTO "datastore"' in line for line in _dump(database))
