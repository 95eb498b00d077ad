"""What a bookkeeping plugin is told, against what there is: balances of accounts, and the fees of transactions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.regtest.account import Account
from tests.regtest.ledger import Ledger, to_sat

CLOSED = ("ONCHAIN", "CLOSED")
"""Perhaps by a transaction that spends another output than the funding (`wrong_funding`)."""


def check_moves(account: Account, ledger: Ledger) -> Iterator[str]:
    """The accounts that a plugin adds up hold what there is: the wallet its coins, channels our balances."""
    if account.reorganised:
        return  # what was true in blocks that are gone is never taken back, as in CLN
    balances: dict[str, int] = defaultdict(int)
    for move in [*account.chain_moves, *account.channel_moves]:
        if move["primary_tag"] != "channel_proposed":
            balances[move["account_id"]] += move["credit_msat"] - move["debit_msat"]
    known = account.coins.keys() & ledger.coins.keys()
    expected = {"wallet": sum(ledger.coins[coin][1] for coin in known) * 1000}
    for channel in account.channels:
        if channel.channel_id in balances:
            is_open = channel.coin not in ledger.spent and channel.state not in CLOSED
            expected[channel.channel_id] = channel.now_msat if is_open else 0
    held = {name: balances[name] for name in expected}
    if held != expected:
        yield f"its moves add up to {held}, it has {expected}"


def check_fees(account: Account, ledger: Ledger) -> Iterator[str]:
    """Of a transaction that only spends what is ours, the moves know the fee."""
    if account.reorganised:
        return
    gone: dict[str, int] = defaultdict(int)
    arrived: dict[str, int] = defaultdict(int)
    credited: set[str] = set()
    for move in account.chain_moves:
        if move["primary_tag"] == "channel_proposed":
            continue
        gone[move.get("spending_txid", "")] += move["debit_msat"]
        if not move.get("spending_txid"):
            arrived[move["utxo"].partition(":")[0]] += move["credit_msat"]
            credited.add(move["utxo"])
    for channel in account.channels:
        if channel.opened_by_us and "{}:{}".format(*channel.coin) not in credited:
            # In a block, but not in use yet: credited once it is.
            arrived[channel.coin[0]] += channel.total_msat
        for row in channel.outputs:
            if row["outpoint"] not in credited:
                # Nobody's yet: credited once it is taken.
                arrived[row["outpoint"].partition(":")[0]] += row["amount_msat"]
    for txid, tx in ledger.txs.items():
        inputs = [(i["txid"], i["vout"]) for i in tx["vin"] if "txid" in i]
        if txid not in gone or any(coin not in ledger.made for coin in inputs):
            continue
        spent_sat = sum(ledger.made[coin][1] for coin in inputs)
        if gone[txid] != spent_sat * 1000:
            continue  # another's money is in it
        fee_msat = (spent_sat - sum(to_sat(o["value"]) for o in tx["vout"])) * 1000
        if gone[txid] - arrived[txid] != fee_msat:
            told = gone[txid] - arrived[txid]
            yield f"{txid} pays {fee_msat} msat in fees, its moves say {told}: {tx['vout']}"
