"""The commitment that the peer revokes, rebuilt from the channel; and the transaction that punishes its use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel.commitment_tx import CommitmentTx, OutputKind
from pylightningd.common.channel.from_wire import commitment_from_wire
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.common.wire.common_wire import CommitmentContent, CommitmentHtlc
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.control.revocations import revoked_commitment, unsigned_penalty
from tests.lightningd.channels.rig import make_channel

S = HtlcState
SCRIPT = bytes.fromhex("5120") + bytes(32)


def channel_with(*htlcs: LiveHtlc, fees: tuple[FeeState, ...] = ()) -> Channel:
    channel = make_channel(1)
    channel.revocations_received, channel.next_remote_commitment = 6, 8
    channel.htlcs = {h.key: h for h in htlcs}
    if fees:
        channel.fees = fees
    return channel


def htlc(number: int, state: HtlcState, amount: int, *, preimage: bytes | None = None) -> LiveHtlc:
    return LiveHtlc(
        dbid=number,
        channel_dbid=1,
        id=number,
        offered_by_us=state < S.RCVD_ADD_HTLC,
        state=state,
        amount=Msat(amount),
        payment_hash=bytes([number]) * 32,
        cltv_expiry=500 + number,
        onion=b"",
        preimage=preimage,
    )


def expected(channel: Channel, *inside: LiveHtlc, moved: int = 0, feerate: int = 0) -> CommitmentTx:
    """Commitment 6 of the peer: `moved` msat are already ours that the balances do not show."""
    ours = sum(h.amount.msat for h in inside if h.offered_by_us)
    theirs = sum(h.amount.msat for h in inside if not h.offered_by_us)
    content = CommitmentContent(
        number=6,
        feerate_perkw=feerate or channel.fees[0].feerate_perkw,
        to_local=Msat(channel.to_remote.msat - theirs - moved),
        to_remote=Msat(channel.to_local.msat - ours + moved),
        htlcs=tuple(
            CommitmentHtlc(
                id=h.id,
                offered=not h.offered_by_us,
                amount=h.amount,
                payment_hash=h.payment_hash,
                cltv_expiry=h.cltv_expiry,
            )
            for h in inside
        ),
    )
    return commitment_from_wire(channel.static, Side.REMOTE, channel.remote_current_point, content)


BIG = 20_000_000


@pytest.mark.parametrize(
    ("state", "is_inside"),
    [
        (S.SENT_ADD_COMMIT, False),
        (S.RCVD_ADD_REVOCATION, True),
        (S.SENT_ADD_ACK_REVOCATION, True),
        (S.RCVD_REMOVE_COMMIT, True),
        (S.SENT_REMOVE_REVOCATION, True),
        (S.SENT_REMOVE_ACK_COMMIT, True),
        (S.RCVD_ADD_COMMIT, False),
        (S.SENT_ADD_REVOCATION, False),
        (S.SENT_ADD_ACK_COMMIT, False),
        (S.RCVD_ADD_ACK_REVOCATION, True),
        (S.SENT_REMOVE_COMMIT, True),
    ],
)
def test_what_our_last_commitment_changed_is_taken_back(state: HtlcState, is_inside: bool) -> None:
    other = htlc(2, S.RCVD_ADD_ACK_REVOCATION, BIG + 1)
    this = htlc(1, state, BIG, preimage=b"p" if "REMOVE" in state.name else None)
    channel = channel_with(this, other)
    inside = (this, other) if is_inside else (other,)
    assert revoked_commitment(channel).tx == expected(channel, *inside).tx


def test_one_that_the_peer_had_removed_before_is_paid() -> None:
    this = htlc(1, S.RCVD_REMOVE_REVOCATION, BIG, preimage=b"p")
    channel = channel_with(this)
    assert revoked_commitment(channel).tx == expected(channel, moved=BIG).tx


def test_the_feerate_before() -> None:
    channel = make_channel(1)
    ours = channel.static.we_are_opener
    new, old = (
        (S.SENT_ADD_COMMIT, S.SENT_ADD_ACK_REVOCATION)
        if ours
        else (S.SENT_ADD_ACK_COMMIT, S.RCVD_ADD_ACK_REVOCATION)
    )
    fees = (
        FeeState(state=int(new), feerate_perkw=9000),
        FeeState(state=int(old), feerate_perkw=1000),
    )
    channel = channel_with(fees=fees)
    assert revoked_commitment(channel).tx == expected(channel, feerate=1000).tx


def test_the_penalty_takes_the_cheaters_balance() -> None:
    commitment = revoked_commitment(channel_with())
    index = commitment.output_index(OutputKind.TO_LOCAL)
    assert index is not None
    amount = commitment.outputs[index].amount
    tx = unsigned_penalty(commitment, SCRIPT, 5000, Sat(546))
    (txin,), (output,) = tx.inputs, tx.outputs
    assert (txin.outpoint.txid, txin.index) == (commitment.txid, index)
    assert output.script == SCRIPT
    witness = (bytes(73), b"\1", commitment.outputs[index].witness_script)
    weight = tx.with_witness(0, witness).weight()
    assert amount.sat - output.amount.sat == 5 * weight
    dear = unsigned_penalty(commitment, SCRIPT, amount.sat * 10, Sat(546))
    assert amount.sat - dear.outputs[0].amount.sat == 253 * weight // 1000


def test_no_penalty_without_a_balance() -> None:
    channel = channel_with()
    channel.to_local, channel.to_remote = channel.to_local + channel.to_remote, Msat(0)
    with pytest.raises(ValueError, match="no non-dust to_them output"):
        unsigned_penalty(revoked_commitment(channel), SCRIPT, 253, Sat(546))
    rich = channel_with()
    commitment = revoked_commitment(replace(rich))
    with pytest.raises(ValueError, match="no non-dust to_them output"):
        unsigned_penalty(commitment, SCRIPT, 253, Sat(10**9))
