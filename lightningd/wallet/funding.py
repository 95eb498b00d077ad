"""From what the caller wants paid to a draft: choice of coins, change, the emergency reserve. Pure.

The emergency reserve is what the wallet keeps so that commitments with anchors can be bumped: spending that would
leave less is refused, or pays itself that much as change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import TxOut
from pylightningd.common.bitcoin.weight import core_weight, output_weight
from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.errors import (
    FUND_CANNOT_AFFORD,
    FUND_CANNOT_AFFORD_WITH_EMERGENCY,
    FUND_OUTPUT_IS_DUST,
    FUNDING_STILL_SYNCING_BITCOIN,
    JSONRPC2_INVALID_PARAMS,
)
from pylightningd.lightningd.wallet import selection
from pylightningd.lightningd.wallet.coin import Coin, dust_limit
from pylightningd.lightningd.wallet.selection import Settled, Want

All = Literal["all"]
Wanted = tuple[bytes, "Sat | All"]
ALL_DUST = 546
"""Least that "all" must come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What there is to spend from."""

    coins: Sequence[Coin]
    """Spendable now, and deep enough for the caller; or, if `given`, exactly those to spend."""
    given: bool = False
    others_sat: int = 0
    """Confirmed coins that may not be chosen here but count as left in the wallet."""
    emergency_sat: int = 0
    """What must stay; 0 where there is no channel with anchors."""
    synced: bool = True


@dataclass(frozen=True, slots=True)
class Funded:
    """The choice."""

    coins: tuple[Coin, ...]
    settled: Settled


def fund(purse: Purse, want: Want, *, everything: bool, as_change: bool) -> Funded:
    """Choose coins for a transaction whose outputs are in `want`. Raises UserError in CLN's words.

    With `everything` all coins go, and what they bring beyond the fee is the excess (`target_sat` must be 0).
    """
    if purse.given:
        chosen: Sequence[Coin] = purse.coins
        _check_given(chosen, want, everything)
    elif everything:
        chosen = purse.coins
        _check_all(purse, want)
    else:
        chosen = _choose(purse, want)
    as_change = as_change and not everything
    keep = _must_keep(purse, chosen)
    settled = _settle(chosen, want, as_change, keep)
    if settled is None and as_change and not purse.given:
        # More coins than needed, so that enough comes back as change.
        places = selection.choose(purse.coins, want, keep)
        if places is not None:
            chosen = [purse.coins[n] for n in places]
            settled = _settle(chosen, want, as_change, _must_keep(purse, chosen))
    if settled is None:
        raise UserError(
            FUND_CANNOT_AFFORD_WITH_EMERGENCY,
            f"We would not have enough left for min-emergency-msat {purse.emergency_sat}sat",
        )
    return Funded(tuple(chosen), settled)


def _choose(purse: Purse, want: Want) -> Sequence[Coin]:
    # Unconfirmed coins only where the others are not enough.
    confirmed = [coin for coin in purse.coins if coin.height is not None]
    for coins in (confirmed, purse.coins):
        places = selection.choose(coins, want)
        if places is not None:
            return [coins[n] for n in places]
    _check_synced(purse)
    short = -want.left_over(purse.coins)
    raise UserError(
        FUND_CANNOT_AFFORD,
        f"Could not afford {want.target_sat}sat using all {len(purse.coins)} available UTXOs: "
        f"{max(short, 0)}sat short",
    )


def _settle(coins: Sequence[Coin], want: Want, as_change: bool, keep: int) -> Settled | None:
    return selection.settle(
        want.left_over(coins), want.weight(coins), want, as_change=as_change, keep_sat=keep
    )


def _must_keep(purse: Purse, chosen: Sequence[Coin]) -> int:
    """How much of the emergency reserve the change must hold."""
    if not purse.emergency_sat:
        return 0
    spent = {coin.outpoint for coin in chosen}
    staying = sum(
        c.amount.sat for c in purse.coins if c.outpoint not in spent and c.height is not None
    )
    return max(0, purse.emergency_sat - staying - purse.others_sat)


def _check_given(coins: Sequence[Coin], want: Want, everything: bool) -> None:
    left = want.left_over(coins)
    using = (
        f"using UTXOs totalling {selection.total(coins)}sat with weight {want.weight(coins)} "
        f"at feerate {want.feerate_perkw}"
    )
    if everything and left < ALL_DUST:
        raise UserError(FUND_CANNOT_AFFORD, f"Could not afford anything {using}")
    if left < 0:
        raise UserError(FUND_CANNOT_AFFORD, f"Could not afford {want.target_sat}sat {using}")


def _check_all(purse: Purse, want: Want) -> None:
    if not purse.coins:
        _check_synced(purse)
        raise UserError(
            FUND_CANNOT_AFFORD, "Could not afford all using all 0 available UTXOs: all short"
        )
    if want.left_over(purse.coins) < ALL_DUST:
        _check_synced(purse)
        raise UserError(FUND_CANNOT_AFFORD, f"All {len(purse.coins)} inputs could not afford fees")


def _check_synced(purse: Purse) -> None:
    if not purse.synced:
        raise UserError(
            FUNDING_STILL_SYNCING_BITCOIN,
            "Cannot afford: still syncing with bitcoin network...",
        )


def fund_outputs(
    purse: Purse,
    wanted: Sequence[Wanted],
    feerate_perkw: int,
    *,
    change_ok: bool = True,
    min_witness_wu: int = 0,
) -> tuple[Funded, tuple[TxOut, ...]]:
    """Choose coins for these outputs; the outputs come back with "all" filled in, without the change.

    Raises UserError: not enough (301), an output below the dust limit (302), emergency reserve (313).
    """
    alls = [n for n, (_, amount) in enumerate(wanted) if not isinstance(amount, Sat)]
    if len(alls) > 1:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Cannot use 'all' in two outputs")
    fixed = [amount.sat for _, amount in wanted if isinstance(amount, Sat)]
    for script, amount in wanted:
        if isinstance(amount, Sat):
            _check_dust(script, amount)
    scripts = [script for script, _ in wanted]
    want = Want(
        target_sat=0 if alls else sum(fixed),
        start_weight=core_weight(1, len(wanted)) + sum(map(output_weight, scripts)),
        feerate_perkw=feerate_perkw,
        outputs=len(wanted),
        change_ok=change_ok,
        min_witness_wu=min_witness_wu,
    )
    funded = fund(purse, want, everything=bool(alls), as_change=change_ok)
    amounts = [amount for _, amount in wanted]
    if alls:
        rest = funded.settled.excess_sat - sum(fixed)
        if rest < 0:
            raise UserError(
                FUND_CANNOT_AFFORD, f"Could not afford the other outputs: {-rest}sat short"
            )
        if rest < ALL_DUST:
            raise UserError(
                FUND_CANNOT_AFFORD, f"Could not afford 'all' output: only {rest}sat left"
            )
        amounts[alls[0]] = Sat(rest)
        funded = replace(funded, settled=replace(funded.settled, excess_sat=0))
    pairs = zip(scripts, amounts, strict=True)
    return funded, tuple(TxOut(a, s) for s, a in pairs if isinstance(a, Sat))


def _check_dust(script: bytes, amount: Sat) -> None:
    limit = dust_limit(script)
    if amount < limit:
        raise UserError(
            FUND_OUTPUT_IS_DUST,
            f"Output of {amount} is below the dust limit of {limit}: nodes would not relay the transaction",
        )
