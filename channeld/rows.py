"""HTLCs and feerates between the values we compute with and the rows lightningd stores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.wire.channeld_wire import FeeState, HtlcChange
from pylightningd.common.wire.channeld_wire import Htlc as HtlcRow

__all__ = [
    "HtlcRow",
    "change_row",
    "change_rows",
    "fee_rows",
    "fees_from_rows",
    "htlc_from_row",
    "htlc_row",
]

_NO_SHA256 = bytes(32)


def htlc_row(htlc: Htlc, malformed: tuple[int, bytes] | None = None) -> HtlcRow:
    """The whole HTLC; `malformed` is the code and hash of update_fail_malformed_htlc."""
    code, sha256_of_onion = malformed or (0, _NO_SHA256)
    return HtlcRow(
        id=htlc.id,
        offered_by_us=htlc.offerer is Side.LOCAL,
        state=int(htlc.state),
        amount=htlc.amount,
        payment_hash=htlc.payment_hash,
        cltv_expiry=htlc.cltv_expiry,
        onion=htlc.onion,
        path_key=htlc.path_key,
        preimage=htlc.preimage,
        failure_onion=None if code else htlc.failure,
        malformed_code=code,
        malformed_sha256=sha256_of_onion,
    )


def htlc_from_row(row: HtlcRow) -> Htlc:
    """The value; a malformed failure is an empty `failure`."""
    return Htlc(
        id=row.id,
        offerer=Side.LOCAL if row.offered_by_us else Side.REMOTE,
        amount=row.amount,
        payment_hash=row.payment_hash,
        cltv_expiry=row.cltv_expiry,
        state=HtlcState(row.state),
        onion=row.onion,
        path_key=row.path_key,
        preimage=row.preimage,
        failure=b"" if row.malformed_code else row.failure_onion,
    )


def change_row(htlc: Htlc) -> HtlcChange:
    """Only the new state."""
    return HtlcChange(id=htlc.id, offered_by_us=htlc.offerer is Side.LOCAL, state=int(htlc.state))


def change_rows(htlcs: Iterable[Htlc]) -> tuple[HtlcChange, ...]:
    """Only the new states."""
    return tuple([change_row(h) for h in htlcs])


def fee_rows(fees: FeeStates) -> tuple[FeeState, ...]:
    """All feerates, the newest state first."""
    return tuple([FeeState(state=int(s), feerate_perkw=r) for s, r in fees.rates])


def fees_from_rows(opener: Side, fees: Sequence[FeeState]) -> FeeStates:
    """What `fee_rows` wrote, in whatever order it comes back."""
    rates = sorted((HtlcState(f.state), f.feerate_perkw) for f in fees)
    return FeeStates(opener, tuple(rates))
