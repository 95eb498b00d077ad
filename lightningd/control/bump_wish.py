"""What a caller of bump wants, and what was done."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Txid
from pylightningd.lightningd.rpc.errors import FUND_CANNOT_AFFORD, LIGHTNINGD


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller wants."""

    feerate_perkw: int
    """Of the transaction, with its unconfirmed ancestors and its child together."""
    budget: Sat | None = None
    """The most that may be paid in fees beyond what is paid already."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bumped:
    """What was done, or would be."""

    method: str
    what: str
    fee: Sat
    """Of the new transaction."""
    extra: Sat
    """What it costs beyond what was paid before."""
    weight: int
    before_perkw: int = 0
    """What the transaction paid so far, with its relatives."""
    paid_from: str = ""
    """Where the money comes from: see `bump_plan.Plan`."""
    replaces: Txid | None = None
    """The one in whose place it stands."""
    destination: Sat | None = None
    """Where all there was went to somebody: what he gets now."""
    tx: Tx | None = None


def check_budget(wish: Wish, extra: Sat) -> None:
    """Raise UserError where it costs more than the caller allows."""
    if wish.budget is not None and extra > wish.budget:
        raise UserError(
            FUND_CANNOT_AFFORD,
            f"It costs {extra.sat}sat more, over the budget of {wish.budget.sat}sat",
        )


def check_pays_less(wish: Wish, name: str, feerate_perkw: int) -> None:
    """Raise UserError where it pays what is wanted already."""
    if feerate_perkw >= wish.feerate_perkw:
        raise UserError(LIGHTNINGD, f"{name} pays {feerate_perkw}perkw already")
