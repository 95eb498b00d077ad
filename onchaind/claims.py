"""The ways to take an output, each as one `Claim` (BOLT 3, the witnesses; BOLT 5, who may use which)."""

from __future__ import annotations

from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, Tx
from pylightningd.common.bitcoin.weight import (
    FEERATE_FLOOR_PERKW,
    core_weight,
    fee_for_weight,
    output_weight,
    script_input_weight,
)
from pylightningd.common.secret import Secret
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.onchaind.outputs import Output
from pylightningd.onchaind.state import Facts, TxKind

DELAYED_PAYMENT, LOCAL_HTLC, REMOTE_HTLC, PENALTY = 1, 2, 3, 4
"""`Claim.signer`."""
_SIGNATURE = 71
_P2TR_SCRIPT = bytes(34)
_DUST_SAT = 330


def delayed(facts: Facts, output: Output, number: int) -> Claim:
    """Our own output, once its delay is over."""
    # BOLT 3, "`to_local` Output": <local_delayedsig> <>, with nSequence set to to_self_delay.
    delay = facts.ours.to_self_delay
    return _claim(
        output,
        TxKind.OUR_DELAYED_RETURN_TO_WALLET,
        DELAYED_PAYMENT,
        sequence=delay,
        after=(b"",),
        number=number,
        first_block=output.height + delay,
    )


def local_htlc(
    facts: Facts,
    output: Output,
    tx: Tx,
    remote_signature: bytes,
    preimage: bytes | None,
    number: int,
) -> Claim:
    """The HTLC transaction of our commitment that the peer has signed (DER with its type byte)."""
    # BOLT 3, "HTLC-Timeout and HTLC-Success Transactions": 0 <remotesig> <localsig> <preimage or empty>.
    assert output.htlc is not None
    success = preimage is not None
    return _claim(
        output,
        TxKind.OUR_HTLC_SUCCESS_TX if success else TxKind.OUR_HTLC_TIMEOUT_TX,
        LOCAL_HTLC,
        sequence=tx.inputs[0].sequence,
        locktime=tx.locktime,
        before=(b"", remote_signature),
        after=(preimage or b"",),
        number=number,
        tx=tx.serialize(),
        add_fee=facts.anchors,
        first_block=max(tx.locktime, output.height) + 1,
        deadline=output.htlc.deadline,
        # The peer takes it back after its expiry, or takes ours with the preimage whenever it likes.
        rival_from=output.htlc.cltv_expiry + 1 if success else output.height + 1,
    )


def remote_htlc(facts: Facts, output: Output, preimage: bytes | None, point: bytes) -> Claim:
    """An HTLC output of the peer's commitment: with its preimage, or ours again after its expiry."""
    # BOLT 3, "Offered HTLC Outputs": <remotehtlcsig> <preimage>; "Received HTLC Outputs": <remotehtlcsig> <>.
    assert output.htlc is not None
    locktime = 0 if preimage is not None else output.htlc.cltv_expiry
    return _claim(
        output,
        TxKind.THEIR_HTLC_FULFILL_TO_US if preimage is not None else TxKind.OUR_HTLC_TIMEOUT_TO_US,
        REMOTE_HTLC,
        sequence=facts.csv1 or SEQUENCE_RBF,
        locktime=locktime,
        after=(preimage or b"",),
        point=point,
        first_block=max(locktime, output.height) + 1,
        deadline=output.htlc.deadline,
        rival_from=(output.height if preimage is None else output.htlc.cltv_expiry) + 1,
    )


def penalty(
    output: Output, secret: Secret, selector: bytes, deadline: int, rival_from: int
) -> Claim:
    """Anything of a revoked commitment. `selector`: 1 for delayed outputs, the revocation key for HTLCs."""
    # BOLT 5, "Revoked Transaction Close Handling": by the revocation key, at once.
    return _claim(
        output,
        TxKind.OUR_PENALTY_TX,
        PENALTY,
        sequence=SEQUENCE_RBF,
        after=(selector,),
        secret=secret,
        first_block=output.height + 1,
        deadline=deadline,
        rival_from=rival_from,
    )


def _claim(
    output: Output,
    kind: TxKind,
    signer: int,
    *,
    sequence: int,
    locktime: int = 0,
    before: tuple[bytes, ...] = (),
    after: tuple[bytes, ...],
    number: int = 0,
    point: bytes | None = None,
    secret: Secret | None = None,
    tx: bytes = b"",
    add_fee: bool = False,
    first_block: int,
    deadline: int = 0,
    rival_from: int = 0,
) -> Claim:
    return Claim(
        outpoint=output.outpoint,
        amount=output.amount,
        witness_script=output.witness_script,
        sequence=sequence,
        locktime=locktime,
        before=before,
        after=after,
        signer=signer,
        commitment_number=number,
        point=point,
        revocation_secret=secret,
        tx=tx,
        add_fee=add_fee,
        first_block=first_block,
        deadline=deadline,
        rival_from=rival_from,
        kind=str(kind),
    )


def is_worthwhile(claim: Claim, floor_perkw: int) -> bool:
    """Whether more than dust is left of it at the lowest feerate that anybody relays."""
    items = [len(item) for item in (*claim.before, *claim.after)] + [_SIGNATURE]
    weight = script_input_weight(len(claim.witness_script), *items)
    if not claim.tx:
        weight += core_weight(1, 1) + output_weight(_P2TR_SCRIPT)
    elif not claim.add_fee:
        return True  # Its fee is in it already.
    fee = fee_for_weight(max(floor_perkw, FEERATE_FLOOR_PERKW), weight)
    return claim.amount.sat >= fee.sat + _DUST_SAT
