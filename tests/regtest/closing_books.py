"""Channels that end on the chain: what a node says of their outputs against what the chain has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.regtest.account import Account, Channel
from tests.regtest.ledger import Coin, Ledger

DUST_SAT = 546
SETTLED = ("SENT_ADD_ACK_REVOCATION", "RCVD_ADD_ACK_REVOCATION")
NOT_OURS = ("OUTPUT_TO_THEM", "DELAYED_OUTPUT_TO_THEM", "ANCHOR_TO_US", "ANCHOR_TO_THEM")
"""Outputs that nobody waits for: to the peer without a claim of ours, and anchors, which anybody may take."""


def check_outputs(account: Account, ledger: Ledger) -> Iterator[str]:
    """Every output of a unilateral close is known with its amount, pending while it is unspent and no longer."""
    for channel in account.channels:
        if not channel.outputs or channel.coin not in ledger.spent:
            continue
        rows = {_coin(row["outpoint"]): row for row in channel.outputs}
        close = ledger.spent[channel.coin]
        made = {coin for coin in ledger.made if coin[0] == close}
        if made - rows.keys():
            yield f"{channel}: outputs {made - rows.keys()} of its close are not told"
        for coin, row in rows.items():
            if coin not in ledger.made:
                yield f"{channel}: {row} is not on the chain"
            elif ledger.made[coin][1] * 1000 != row["amount_msat"]:
                yield f"{channel}: {row} has {ledger.made[coin][1]} sat on the chain"
            spender = row.get("resolved_by", "").partition(" ")[2]
            if spender and ledger.spent.get(coin) != spender:
                yield f"{channel}: {row} is spent by {ledger.spent.get(coin)}"
            if "resolved_by" not in row and coin in ledger.spent and row["kind"] not in NOT_OURS:
                yield f"{channel}: {row} waits, but {ledger.spent[coin]} has spent it"
        yield from _check_balance(channel, [r for c, r in rows.items() if c[0] == close])


def _coin(outpoint: str) -> Coin:
    txid, _, index = outpoint.partition(":")
    return txid, int(index)


def _check_balance(channel: Channel, rows: list[dict[str, Any]]) -> Iterator[str]:
    """The side that pays no fee gets its balance to the satoshi, less what it has in HTLCs."""
    if any(row["made_by"] not in ("OUR_UNILATERAL", "THEIR_UNILATERAL") for row in rows):
        return  # revoked, or not known: other balances than the last
    if any(htlc["state"] not in SETTLED for htlc in channel.htlcs):
        return  # in one commitment, and not in the other
    side, kinds = "in", ("OUTPUT_TO_THEM", "DELAYED_OUTPUT_TO_THEM")
    balance_msat = channel.total_msat - channel.now_msat
    if not channel.opened_by_us:
        side, kinds = "out", ("OUTPUT_TO_US", "DELAYED_OUTPUT_TO_US")
        balance_msat = channel.now_msat
    balance_msat -= sum(h["amount_msat"] for h in channel.htlcs if h["direction"] == side)
    paid_sat = sum(row["amount_msat"] for row in rows if row["kind"] in kinds) // 1000
    expected_sat = balance_msat // 1000
    if paid_sat != expected_sat and (paid_sat or expected_sat >= DUST_SAT):
        yield f"{channel}: its close pays {paid_sat} sat to who did not open it, not {expected_sat}"
