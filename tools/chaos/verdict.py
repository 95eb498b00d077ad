"""After the storm: everything comes to rest, and everything must add up."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

from tests.regtest.account import addresses_of
from tests.regtest.books import settle_books
from tests.regtest.ledger import read_chain, to_sat
from tests.regtest.node import Node
from tests.regtest.waiting import wait_for
from tools.chaos.world import GONE, World, channels_of, quick

REST_S = 240.0
MOST_BLOCKS = 400
ANCHOR_SAT = 330
_UNFUNDED = ("CHANNELD_AWAITING_LOCKIN", "AWAITING_UNILATERAL")
_AT_REST = ("CHANNELD_NORMAL", "ONCHAIN", "CLOSED")

# BROKEN lines that faults must make: a killed daemon or plugin, a full disk.
PARDONED = (
    r"was killed by signal 9"
    r"|: the node cannot go on"
    r"|Cannot write the wallet database"
    r"|did not start: "
    r"|Plugin marked as important, shutting down"
    r"|plugin bcli, marked as important, ended: killed by signal 9"
)


def settle(world: World) -> None:
    """Faults are over: let all nodes come up, meet, and finish what they have begun. Violations where they do not."""
    world.raise_all()
    for node in world.nodes:
        for peer in world.nodes:
            if peer is not node:
                _meet(node, peer)
    deadline = time.monotonic() + REST_S
    blocks = 0
    while time.monotonic() < deadline and blocks < MOST_BLOCKS:
        world.tick()
        waits = unrest(world)
        if not waits:
            return
        if any(w.startswith("chain") for w in waits):
            world.factory.mine(1)
            blocks += 1
        else:
            time.sleep(0.3)
    for text in unrest(world)[:30]:
        world.counts.violation(f"not at rest: {text}")


def _meet(node: Node, peer: Node) -> None:
    try:
        quick(node, "connect", id=peer.id, host="127.0.0.1", port=peer.port)
    except GONE:
        return  # both may dial at once; who is not connected at the end is found below


def unrest(world: World) -> list[str]:
    """What is not finished; those that wait for blocks begin with "chain"."""
    found = []
    all_channels = {node.name: channels_of(node) for node in world.nodes}
    ends = Counter(c["channel_id"] for cs in all_channels.values() for c in cs)
    for node in world.nodes:
        parts = quick(node, "listsendpays", status="pending")["payments"]
        found += [f"{node.name}: payment {p['payment_hash'][:16]} pending" for p in parts]
        for channel in all_channels[node.name]:
            why = restless(channel, ends[channel["channel_id"]])
            if why:
                found.append(f"{why} {node.name} {channel['channel_id'][:16]} {channel['state']}")
    if world.bitcoind.mempool():
        found.append("chain: mempool")
    return found


def restless(channel: dict[str, Any], ends: int) -> str:
    """Why a channel is not at rest; empty if it is."""
    state = channel["state"]
    if state == "CHANNELD_NORMAL":
        # Perhaps it was told to close by a command that its node did not live to take.
        if not channel.get("reestablished"):
            return "channel: not reestablished:"
        return "channel: HTLCs:" if channel["htlcs"] else ""
    if state in _UNFUNDED and ends == 1:
        return ""  # its opener crashed before it knew of the channel
    if state == "ONCHAIN":
        return "chain:" if channel["htlcs"] or _resolving(channel) else ""
    return "chain:"


def _resolving(channel: dict[str, Any]) -> bool:
    """Whether onchaind still waits for something to be spent, not only for depth."""
    last = channel["status"][-1] if channel["status"] else ""
    return not re.search(r"All outputs resolved|mutual close", last)


def judge(world: World) -> None:
    """Check everything; what is wrong becomes a violation."""
    counts = world.counts
    try:
        settle_books(world.factory)
    except (AssertionError, TimeoutError) as error:
        counts.violation(f"books: {error}")
    for check in (check_payments, check_flow, check_closes, check_logs):
        try:
            check(world)
        except AssertionError as error:
            counts.violation(str(error))


def check_payments(world: World) -> None:
    """An invoice is paid if and only if a payer says so, with the amount it was for; nothing is pending."""
    sent: dict[str, list[dict[str, Any]]] = {}
    for node in world.nodes:
        for part in quick(node, "listsendpays")["payments"]:
            sent.setdefault(part["payment_hash"], []).append(part)
    totals = Counter(p["status"] for parts in sent.values() for p in parts)
    world.counts.payments["parts complete"] = totals["complete"]
    world.counts.payments["parts failed"] = totals["failed"]
    world.counts.payments["parts pending"] = totals["pending"]
    if totals["pending"]:
        world.counts.violation(f"{totals['pending']} payments are pending")
    for node in world.nodes:
        for invoice in quick(node, "listinvoices")["invoices"]:
            parts = [p for p in sent.get(invoice["payment_hash"], []) if p["status"] == "complete"]
            paid = invoice["status"] == "paid"
            name = f"invoice {invoice['label']} of {node.name} ({invoice['payment_hash']})"
            if paid != bool(parts):
                world.counts.violation(f"{name}: paid {paid}, but the payer has {parts}")
            elif paid:
                # sendpay's amount_msat of a part is what its last hop is given.
                given = sum(p.get("amount_msat", 0) for p in parts)
                if given and given != invoice["amount_received_msat"]:
                    got = invoice["amount_received_msat"]
                    world.counts.violation(f"{name}: received {got}, the payer gave {given} msat")


def check_flow(world: World) -> None:
    """Follow all coins that nodes were given: each ended in a node's wallet, an open channel, an anchor or a fee."""
    ledger = read_chain(world.bitcoind, world.factory.first_height)
    mine: set[str] = set()
    listed: set[tuple[str, int]] = set()
    """What listfunds has, once: two nodes that claim the same coin would both have it."""
    for node in world.nodes:
        mine |= addresses_of(node)
        coins = {(o["txid"], o["output"]) for o in quick(node, "listfunds")["outputs"]}
        if coins & listed:
            world.counts.violation(f"{node.name} lists another's coins: {coins & listed}")
        listed |= coins
    fundings = {
        (c["funding_txid"], c["funding_outnum"]) for n in world.nodes for c in channels_of(n)
    }
    ours: set[str] = set()
    """Transactions that spend a coin of the nodes."""
    given = fees = 0
    for txid, tx in ledger.txs.items():
        inputs = [(i["txid"], i["vout"]) for i in tx["vin"] if "txid" in i]
        before = [_output(ledger.txs, c) for c in inputs]
        if any(c[0] in ours for c in inputs) or any(b and b[0] in mine for b in before):
            ours.add(txid)
            fees += sum(b[1] for b in before if b) - sum(to_sat(o["value"]) for o in tx["vout"])
            if None in before:
                world.counts.violation(f"{txid} has an input from before the run")
        else:
            given += sum(
                to_sat(o["value"]) for o in tx["vout"] if o["scriptPubKey"].get("address") in mine
            )
    held = locked = anchors = 0
    for coin, (address, sat) in ledger.coins.items():
        if address in mine or coin in listed:
            held += sat
        elif coin[0] in ours:
            if coin in fundings:
                locked += sat
            elif sat == ANCHOR_SAT:
                anchors += sat
            else:
                world.counts.violation(f"{sat} sat in {coin} belong to nobody")
    if given != held + locked + anchors + fees:
        world.counts.violation(
            f"given {given}, but {held} held + {locked} in channels + {anchors} in anchors + {fees} fees (sat)"
        )
    world.counts.payments["on-chain fees, sat"] = fees


def _output(txs: dict[str, Any], coin: tuple[str, int]) -> tuple[str, int] | None:
    tx = txs.get(coin[0])
    if tx is None:
        return None
    output = tx["vout"][coin[1]]
    return output["scriptPubKey"].get("address", ""), to_sat(output["value"])


def check_closes(world: World) -> None:
    """No channel closed alone without an order, and nothing revoked is on the chain."""
    ledger = read_chain(world.bitcoind, world.factory.first_height)
    seen: set[str] = set()
    for node in world.nodes:
        gone = quick(node, "listclosedchannels")["closedchannels"]
        for channel in [*channels_of(node), *gone]:
            spender = ledger.spent.get(
                (channel.get("funding_txid", ""), channel.get("funding_outnum", 0))
            )
            if spender is None or channel["channel_id"] in seen:
                continue
            seen.add(channel["channel_id"])
            # BOLT 3, "Commitment Transaction Structure": the upper byte of the input's sequence is 0x80.
            alone = ledger.txs[spender]["vin"][0]["sequence"] >> 24 == 0x80
            if alone and channel["channel_id"] not in world.ordered:
                world.counts.violation(
                    f"{node.name}: channel {channel['channel_id']} was closed alone without an order: "
                    f"{channel.get('status')} {channel.get('state_changes')}"
                )
            if not alone and channel["channel_id"] not in world.closing:
                world.counts.violation(
                    f"{node.name}: {channel['channel_id']} was closed, nobody asked"
                )


def check_logs(world: World) -> None:
    """No BROKEN line but of faults, no word of cheating."""
    for node in world.nodes:
        lines = node.log.trouble(PARDONED)
        for line in lines[:8]:
            world.counts.violation(f"{node.name} logged: {line[:600]}")
        if len(lines) > 8:
            world.counts.violation(f"{node.name} logged {len(lines) - 8} more such lines")
        cheat = node.log.contains(r"illegal close|REVOKED_UNILATERAL|Unknown spend")
        if cheat:
            world.counts.violation(f"{node.name} saw a revoked or unknown spend: {cheat}")


def wait_quiet(world: World) -> None:
    """Wait until no payment is under way, with everything up."""
    wait_for(lambda: not unrest(world), "rest", REST_S)
