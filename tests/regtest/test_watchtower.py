"""What a watchtower gets of a node is worth something: it punishes a cheater while the node is away."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.regtest.ledger import to_sat
from tests.regtest.network import NodeFactory
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for

TOWER = """#!{python}
import json, sys

for line in iter(sys.stdin.readline, ""):
    if not line.strip():
        continue
    request = json.loads(line)
    method, result = request["method"], {{}}
    if method == "getmanifest":
        result = {{
            "options": [], "rpcmethods": [], "dynamic": True,
            "hooks": [{{"name": "commitment_revocation"}}],
            "subscriptions": [],
        }}
    elif method == "commitment_revocation":
        with open({kept!r}, "a") as kept:
            kept.write(json.dumps(request["params"]) + "\\n")
        result = {{"result": "continue"}}
    if "id" in request:
        print(json.dumps({{"jsonrpc": "2.0", "id": request["id"], "result": result}}) + "\\n", flush=True)
"""


def test_a_penalty_without_the_node(node_factory: NodeFactory) -> None:
    plugin, kept = node_factory.folder / "tower.py", node_factory.folder / "kept"
    plugin.write_text(TOWER.format(python=sys.executable, kept=str(kept)))
    plugin.chmod(0o755)
    kept.touch()
    cheater, victim = node_factory.make_many(2, [{}, {"plugin": str(plugin)}])
    node_factory.open_channel(cheater, victim, push_msat=100_000_000)
    channel_id = cheater.channels()[0]["channel_id"]
    old: list[dict[str, Any]] = []

    def told() -> dict[str, dict[str, Any]]:
        return {entry["commitment_txid"]: entry for entry in read(kept)}

    for amount in (200_000_000, 1_000_000):
        old.append(cheater.rpc("dev-sign-last-tx", id=victim.id))
        send(cheater, victim, amount_msat=amount)
    send(victim, cheater, amount_msat=3_000_000)
    wait_for(lambda: all(tx["txid"] in told() for tx in old), "what the watchtower is told")
    entries = read(kept)
    assert [e["commitnum"] for e in entries] == list(range(len(entries)))
    assert {e["channel_id"] for e in entries} == {channel_id}
    mine = {a["p2tr"] for a in victim.rpc("dev-listaddrs")["addresses"]}
    for node in (victim, cheater):
        node.stop()
    bitcoind = node_factory.bitcoind
    bitcoind.rpc("sendrawtransaction", old[0]["tx"])
    node_factory.mine(1, wait_for_mempool=old[0]["txid"])
    penalty = told()[old[0]["txid"]]["penalty_tx"]
    (output,) = bitcoind.rpc("decoderawtransaction", penalty)["vout"]
    assert output["scriptPubKey"]["address"] in mine
    assert to_sat(output["value"]) > 890_000
    txid = bitcoind.rpc("sendrawtransaction", penalty)
    node_factory.mine(1, wait_for_mempool=txid)


def read(path: Path) -> list[dict[str, Any]]:
    """One entry a line."""
    return [json.loads(line) for line in path.read_text().splitlines()]
