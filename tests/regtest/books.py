"""Accounts for every satoshi of some nodes: what they say they have against the chain and against each other.

`check_books` holds at rest: no HTLC is pending. It mines what waits in the mempool first. Amounts: `*_msat` in
millisatoshi, `*_sat` in satoshi.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.htlc_books import resolved_on_chain
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.waiting import wait_for

SAT_PER_BTC = 100_000_000
OPEN = ("CHANNELD_AWAITING_LOCKIN", "CHANNELD_NORMAL", "CHANNELD_SHUTTING_DOWN")
Coin = tuple[str, int]
"""txid (hex) and output number."""


@dataclass
class Ledger:
    """What the chain says about the blocks since the test began."""

    coins: dict[Coin, tuple[str, int]] = field(default_factory=dict)
    """Unspent outputs: address and sat."""
    spent: dict[Coin, str] = field(default_factory=dict)
    """Spent output -> txid of the spender."""
    txs: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_chain(bitcoind: Bitcoind, first_height: int) -> Ledger:
    """The outputs made and spent by the blocks above `first_height`."""
    ledger = Ledger()
    for height in range(first_height + 1, bitcoind.height() + 1):
        block = bitcoind.rpc("getblock", bitcoind.rpc("getblockhash", height), 2)
        for tx in block["tx"]:
            ledger.txs[tx["txid"]] = tx
            for spent in tx["vin"]:
                if "txid" in spent:
                    coin = (spent["txid"], spent["vout"])
                    ledger.spent[coin] = tx["txid"]
                    ledger.coins.pop(coin, None)
            for output in tx["vout"]:
                address = output["scriptPubKey"].get("address", "")
                ledger.coins[tx["txid"], output["n"]] = (address, to_sat(output["value"]))
    return ledger


def to_sat(btc: Any) -> int:
    """bitcoind's amount (a Decimal of bitcoins)."""
    return int(btc * SAT_PER_BTC)


def check_books(factory: NodeFactory, nodes: Iterable[Node] | None = None) -> None:
    """Check all books of the running nodes. Raises AssertionError that says whose and what."""
    members = [n for n in (nodes if nodes is not None else factory.nodes) if n.is_running]
    bitcoind = factory.bitcoind
    wait_for(lambda: not any(c["htlcs"] for n in members for c in n.channels()), "the last HTLCs")
    while True:
        if bitcoind.mempool():
            factory.mine(1)
        factory.sync()
        ledger = read_chain(bitcoind, factory.first_height)
        for node in members:
            check_coins(node, ledger, lambda: bool(bitcoind.mempool()))
        if not bitcoind.mempool():
            break
    for node in members:
        check_income(node)
        check_moves(node, ledger)
    check_channels(members, ledger)


def addresses_of(node: Node) -> set[str]:
    """All addresses of the node's wallet."""
    mine: set[str] = set()
    for entry in node.rpc("dev-listaddrs")["addresses"]:
        mine |= {v for k, v in entry.items() if k != "keyidx"}
    return mine


def paid_by_closes(node: Node, ledger: Ledger) -> set[Coin]:
    """Unspent outputs of the transactions that closed the node's channels: to_remote of one with anchors is a script."""
    spenders = {ledger.spent.get(channel["coin"]) for channel in all_channels(node)}
    return {coin for coin in ledger.coins if coin[0] in spenders}


def check_coins(
    node: Node, ledger: Ledger, something_new: Callable[[], bool] = lambda: False
) -> None:
    """listfunds has exactly the coins that the chain has for the node's addresses, and its parts of closes.

    something_new: whether somebody sent a transaction meanwhile, so that the ledger is to be read again.
    """
    mine = addresses_of(node)
    closes = paid_by_closes(node, ledger)

    def differ() -> dict[str, Any]:
        ours = {
            (o["txid"], o["output"]): o["amount_msat"] // 1000
            for o in node.rpc("listfunds")["outputs"]
        }
        chain = {
            coin: sat
            for coin, (address, sat) in ledger.coins.items()
            if address in mine or coin in closes & ours.keys()
        }
        both = ours.keys() & chain.keys()
        return {
            "only listfunds": {c: ours[c] for c in ours.keys() - chain.keys()},
            "only the chain": {c: chain[c] for c in chain.keys() - ours.keys()},
            "amounts": {c: (ours[c], chain[c]) for c in both if ours[c] != chain[c]},
        }

    def same() -> bool:
        return not any(differ().values()) or something_new()

    try:
        wait_for(same, f"{node.name}'s coins")
    except TimeoutError:
        raise AssertionError(f"coins of {node.name}: {differ()}") from None


def all_channels(node: Node) -> list[dict[str, Any]]:
    """Channels that were ever funded: id, our part when opened and now, state (msat)."""
    found = []
    for channel in node.channels():
        pushed = channel["funding"].get("pushed_msat", 0)
        found.append(_entry(channel, channel["to_us_msat"], pushed, channel["state"]))
    known = {c["channel_id"] for c in found}
    for channel in node.rpc("listclosedchannels")["closedchannels"]:
        if channel["channel_id"] not in known:
            pushed = channel.get("funding_pushed_msat", 0)
            found.append(_entry(channel, channel["final_to_us_msat"], pushed, "CLOSED"))
    return found


def _entry(channel: dict[str, Any], now_msat: int, pushed: int, state: str) -> dict[str, Any]:
    ours = channel["opener"] == "local"
    return {
        "channel_id": channel["channel_id"],
        "coin": (channel["funding_txid"], channel["funding_outnum"]),
        "total_msat": channel["total_msat"],
        "begin_msat": channel["total_msat"] - pushed if ours else pushed,
        "now_msat": now_msat,
        "state": state,
    }


def check_income(node: Node) -> None:
    """What a node's channels gained since they were opened is what it was paid, less what it paid, plus its fees."""
    channels = all_channels(node)
    gained = sum(c["now_msat"] - c["begin_msat"] for c in channels)
    gained += sum(resolved_on_chain(node, channels).values())
    invoices = node.rpc("listinvoices")["invoices"]
    received = sum(i["amount_received_msat"] for i in invoices if i["status"] == "paid")
    parts = node.rpc("listsendpays")["payments"]
    assert not [p for p in parts if p["status"] == "pending"], f"{node.name} has pending payments"
    sent = sum(p["amount_sent_msat"] for p in parts if p["status"] == "complete")
    forwards = node.rpc("listforwards")["forwards"]
    assert not [f for f in forwards if f["status"] == "offered"], f"{node.name} has open forwards"
    fees = sum(f["fee_msat"] for f in forwards if f["status"] == "settled")
    assert gained == received - sent + fees, (
        f"{node.name}: channels gained {gained}, received {received}, sent {sent}, fees {fees} msat"
    )
    assert node.rpc("getinfo")["fees_collected_msat"] == fees


def check_moves(node: Node, ledger: Ledger) -> None:
    """The accounts that a bookkeeping plugin adds up hold what there is: the wallet its coins, channels our balances."""
    if node.log.contains("Removing stale block"):
        return  # what was true in blocks that are gone is never taken back, as in CLN
    balances: dict[str, int] = {}
    moves = [
        *node.rpc("listchainmoves")["chainmoves"],
        *node.rpc("listchannelmoves")["channelmoves"],
    ]
    for move in moves:
        if move["primary_tag"] != "channel_proposed":
            account, change = move["account_id"], move["credit_msat"] - move["debit_msat"]
            balances[account] = balances.get(account, 0) + change
    coins = [o for o in node.rpc("listfunds")["outputs"] if o["status"] != "unconfirmed"]
    expected = {"wallet": sum(o["amount_msat"] for o in coins)}
    for channel in all_channels(node):
        if channel["channel_id"] in balances:
            is_open = channel["coin"] not in ledger.spent
            expected[channel["channel_id"]] = channel["now_msat"] if is_open else 0
    held = {account: balances.get(account, 0) for account in expected}
    assert held == expected, f"{node.name}: its moves add up to {held}, it has {expected}"


def check_channels(nodes: list[Node], ledger: Ledger) -> None:
    """Both ends of a channel agree, and its money is in its funding output or in the transaction that spent it."""
    sides: dict[str, list[tuple[Node, dict[str, Any]]]] = {}
    for node in nodes:
        for channel in all_channels(node):
            sides.setdefault(channel["channel_id"], []).append((node, channel))
    for ends in sides.values():
        (node, channel) = ends[0]
        total = channel["total_msat"]
        if len(ends) == 2:
            parts = [c["now_msat"] for _, c in ends]
            assert sum(parts) == total, f"channel of {node.name}: {parts} is not {total}"
        coin = channel["coin"]
        if coin in ledger.coins:
            assert ledger.coins[coin][1] * 1000 == total, f"funding of {channel}"
        elif coin in ledger.spent:
            check_close(ends, ledger.txs[ledger.spent[coin]])
        else:
            # Before the funding is mined, or where its opener never had it: nothing was paid there.
            assert channel["now_msat"] == channel["begin_msat"], f"{channel} is not on the chain"


def check_close(ends: list[tuple[Node, dict[str, Any]]], tx: dict[str, Any]) -> None:
    """A closed channel's transaction pays out all but a fee that is not absurd."""
    channel = ends[0][1]
    paid = sum(to_sat(o["value"]) for o in tx["vout"])
    fee = channel["total_msat"] // 1000 - paid
    dust = 2 * 546
    assert 0 < fee <= tx["weight"] * 100 + dust, f"the close of {channel} pays {fee} sat in fees"
    for node, end in ends:
        assert end["state"] not in OPEN, f"{node.name} has {end}, which was spent"
