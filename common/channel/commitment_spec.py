"""What a commitment transaction says, before it is a transaction.

A pure fold: settled balances, live HTLCs and feerates give the balances and HTLCs of either side's
commitment. `make_commitment` turns a spec into a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from pylightningd.common.amount import AmountError, Msat
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Event, Side


class Overdrawn(ValueError):
    """HTLCs that their offerer cannot pay for."""


@dataclass(frozen=True, slots=True)
class Balances:
    """What each side owns with no HTLC in between."""

    local: Msat
    remote: Msat

    def of(self, side: Side) -> Msat:
        """One side's."""
        return self.local if side is Side.LOCAL else self.remote

    def pay(self, payer: Side, amount: Msat) -> Self:
        """After one side gave the other something. Raises Overdrawn."""
        try:
            if payer is Side.LOCAL:
                return type(self)(self.local - amount, self.remote + amount)
            return type(self)(self.local + amount, self.remote - amount)
        except AmountError as e:
            raise Overdrawn(f"{payer.name} cannot pay {amount}: {e}") from None


@dataclass(frozen=True, slots=True)
class CommitmentSpec:
    """One side's commitment, from its owner's view. `to_owner` and `to_other` are before fees."""

    owner: Side
    feerate_perkw: int
    to_owner: Msat
    to_other: Msat
    htlcs: tuple[Htlc, ...]

    def balance(self, side: Side) -> Msat:
        """What is due to a side outside HTLCs, before fees."""
        return self.to_owner if side is self.owner else self.to_other


def make_spec(
    owner: Side, settled: Balances, htlcs: Iterable[Htlc], fees: FeeStates
) -> CommitmentSpec:
    """The newest commitment of `owner`. Raises Overdrawn.

    `settled` counts every dead HTLC (see `settle`) and no live one; `htlcs` are the live ones.
    """
    owed = [settled.local.msat, settled.remote.msat]
    inside: list[Htlc] = []
    for htlc in htlcs:
        if hs.is_committed(htlc.state, owner):
            owed[htlc.offerer] -= htlc.amount.msat
            inside.append(htlc)
        elif htlc.preimage is not None and hs.was_committed(htlc.state, owner):
            owed[htlc.offerer] -= htlc.amount.msat
            owed[htlc.offerer.other] += htlc.amount.msat
    if min(owed) < 0:
        poor = Side.LOCAL if owed[Side.LOCAL] < 0 else Side.REMOTE
        raise Overdrawn(f"{poor.name} offers {-owed[poor]}msat more than it has")
    return CommitmentSpec(
        owner,
        fees.feerate(owner),
        Msat(owed[owner]),
        Msat(owed[owner.other]),
        tuple(inside),
    )


def next_spec(
    owner: Side, settled: Balances, htlcs: Iterable[Htlc], fees: FeeStates
) -> CommitmentSpec:
    """The commitment of `owner` as the next commitment_signed would make it. Raises Overdrawn."""
    event = Event.SENT_COMMIT if owner is Side.REMOTE else Event.RCVD_COMMIT
    return make_spec(owner, settled, [h.after(event) for h in htlcs], fees.after(event))


def settle(settled: Balances, htlcs: Iterable[Htlc]) -> tuple[Balances, tuple[Htlc, ...]]:
    """Fold dead HTLCs into the balances; what is left alive comes back."""
    alive: list[Htlc] = []
    for htlc in htlcs:
        if not hs.is_dead(htlc.state):
            alive.append(htlc)
        elif htlc.preimage is not None:
            settled = settled.pay(htlc.offerer, htlc.amount)
    return settled, tuple(alive)
