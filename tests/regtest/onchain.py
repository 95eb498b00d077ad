"""What tests of channels that end on the chain have in common: closing alone, HTLCs that are held, what is shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.regtest.network import NodeFactory, wait_back
from tests.regtest.node import Node
from tests.regtest.sending import new_invoice, route_to, start_payment
from tests.regtest.waiting import wait_for

DELAY = 5
OPTIONS = {"watchtime-blocks": DELAY}
HTLC_MSAT = 50_000_000

HOLD = """#!{python}
import json, os, sys, time

parent = os.getppid()
for line in iter(sys.stdin.readline, ""):
    if not line.strip():
        continue
    request = json.loads(line)
    result = {{}}
    if request["method"] == "getmanifest":
        result = {{"options": [], "rpcmethods": [], "hooks": [{{"name": "htlc_accepted"}}]}}
    elif request["method"] == "htlc_accepted":
        while not os.path.exists({release!r}):
            time.sleep(0.05)
            if os.getppid() != parent:
                sys.exit()
        result = {{"result": "continue"}}
    if "id" in request:
        print(json.dumps({{"jsonrpc": "2.0", "id": request["id"], "result": result}}), flush=True)
        print("", flush=True)
"""


def hold_plugin(folder: Path) -> tuple[Path, Path]:
    """A plugin that holds every incoming HTLC until the second path exists."""
    path, release = folder / "hold.py", folder / "release"
    path.write_text(HOLD.format(python=sys.executable, release=str(release)))
    path.chmod(0o755)
    return path, release


def closed(node: Node) -> dict[str, Any] | None:
    channels = node.rpc("listclosedchannels")["closedchannels"]
    return channels[0] if channels else None


def wait_state(node: Node, state: str) -> None:
    wait_for(lambda: node.channel_states() == [state], f"{node.name} to be {state}")


def statuses(node: Node) -> str:
    return "\n".join(node.channels()[0]["status"])


def close_alone(node: Node) -> str:
    """Close the only channel unilaterally; the peer must be away. Returns the commitment's txid."""
    channel_id = node.channels()[0]["channel_id"]
    return str(node.rpc("close", id=channel_id, unilateraltimeout=1)["txids"][0])


def reconnect(factory: NodeFactory, first: Node, second: Node) -> None:
    factory.connect(first, second)
    wait_back(first, second)


def wait_for_htlc(payer: Node, payee: Node) -> None:
    """Wait until the one HTLC between these two is irrevocable on both sides: a node shows it long before."""
    for node, peer, state in (
        (payer, payee, "SENT_ADD_ACK_REVOCATION"),
        (payee, payer, "RCVD_ADD_ACK_REVOCATION"),
    ):
        wait_for(
            lambda n=node, p=peer, s=state: (
                [h["state"] for c in n.channels() if c["peer_id"] == p.id for h in c["htlcs"]]
                == [s]
            ),  # type: ignore[misc]
            f"{node.name}'s HTLC",
        )


def held_htlc(payer: Node, payee: Node) -> str:
    """An HTLC that is committed on both sides and that the payee holds; its payment_hash."""
    invoice = new_invoice(payee, HTLC_MSAT)
    payment_hash = start_payment(payer, route_to(payer, payee, amount_msat=HTLC_MSAT), invoice)
    wait_for_htlc(payer, payee)
    return payment_hash


def output_of(node: Node, kind: str) -> dict[str, Any]:
    """listpeerchannels' row of the output of this kind."""
    (found,) = [o for o in node.channels()[0]["onchain_outputs"] if o["kind"] == kind]
    return dict(found)
