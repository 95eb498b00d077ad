"""Commitments: points, revocation, signatures for the peer's and our own (BOLT 2, BOLT 3)."""

from __future__ import annotations

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.commitment_tx import (
    CommitmentTx,
    commitment_number_of,
    funding_sighash,
    make_commitment,
)
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel.htlc_tx import htlc_sighashes
from pylightningd.common.channel.keyset import derive_keyset
from pylightningd.common.keys import sign_compact
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.common.wire.common_wire import CommitmentContent
from pylightningd.hsmd.channel import Channel
from pylightningd.hsmd.enforcement import Enforcement
from pylightningd.hsmd.permissions import Refusal


def get_point(
    channel: Channel, msg: w.HsmdGetPerCommitmentPoint
) -> w.HsmdGetPerCommitmentPointReply:
    """Our point of one commitment."""
    return w.HsmdGetPerCommitmentPointReply(point=channel.commitment_point(msg.number))


def sign_remote(
    channel: Channel, records: Enforcement, msg: w.HsmdSignRemoteCommitment
) -> w.HsmdSignRemoteCommitmentReply:
    """Sign the peer's commitment and its HTLC transactions. Raises Refusal for an old number."""
    commitment = remote_commitment(channel, msg.remote_per_commitment_point, msg.content)
    records.sign_remote(channel.record_key, msg.content.number)
    secrets = channel.secrets
    digests = htlc_sighashes(commitment)
    htlc_signatures: tuple[bytes, ...] = ()
    if digests:
        key = channel.htlc_key(msg.remote_per_commitment_point)
        htlc_signatures = tuple([sign_compact(key, d, grind=False) for d in digests])
    return w.HsmdSignRemoteCommitmentReply(
        # Not ground: nobody's weight depends on these, and each try costs what a signature costs.
        signature=sign_compact(secrets.funding, commitment.sighash(), grind=False),
        htlc_signatures=htlc_signatures,
    )


def remote_commitment(channel: Channel, point: bytes, content: CommitmentContent) -> CommitmentTx:
    """The peer's commitment with this content. Raises Refusal where it pays out more than there is."""
    facts = channel.facts
    total = content.to_local.msat + content.to_remote.msat
    total += sum(h.amount.msat for h in content.htlcs)
    if total > facts.static.funding_amount.sat * 1000:
        raise Refusal(f"a commitment of {total}msat is more than the channel holds")
    spec = CommitmentSpec(
        owner=Side.REMOTE,
        feerate_perkw=content.feerate_perkw,
        to_owner=content.to_local,
        to_other=content.to_remote,
        htlcs=tuple(
            [
                Htlc.offered(
                    Side.REMOTE if h.offered else Side.LOCAL,
                    h.id,
                    h.amount,
                    h.payment_hash,
                    h.cltv_expiry,
                )
                for h in content.htlcs
            ]
        ),
    )
    keys = derive_keyset(point, facts.remote_points, facts.local_points)
    return make_commitment(facts.remote_params, keys, content.number, spec)


def revoke(
    channel: Channel, records: Enforcement, msg: w.HsmdRevokeCommitment
) -> w.HsmdRevokeCommitmentReply:
    """Give up one of our commitments. The reply must wait until the record is on disk.

    Raises Refusal for one that was signed for the chain.
    """
    # BOLT 2, "Completing the Transition to the Updated State: `revoke_and_ack`", sender MUST send the secret
    # of the commitment it gives up, and the point of the one after the next.
    reply = w.HsmdRevokeCommitmentReply(
        old_secret=channel.commitment_secret(msg.number),
        next_point=channel.commitment_point(msg.number + 2),
    )
    records.revoke(channel.record_key, msg.number)
    return reply


def sign_local(
    channel: Channel, records: Enforcement, msg: w.HsmdSignLocalCommitment
) -> w.HsmdSignLocalCommitmentReply:
    """Sign our own commitment, to broadcast it. Raises Refusal for a revoked one.

    The reply must wait until the record is on disk.
    """
    facts = channel.facts
    tx = Tx.parse(msg.tx)
    facts.check_spends_funding(tx)
    # What the transaction says counts, not what the message says about it.
    number = commitment_number_of(tx, facts.obscuring_factor)
    if number != msg.number:
        raise Refusal(f"the transaction is commitment {number}, not {msg.number}")
    records.check_sign_local(channel.record_key, number)
    if msg.for_chain:
        records.sign_local(channel.record_key, number)
    digest = funding_sighash(tx, facts.funding_script, facts.static.funding_amount)
    return w.HsmdSignLocalCommitmentReply(signature=sign_compact(channel.secrets.funding, digest))


def check_secret(channel: Channel, msg: w.HsmdCheckSecret) -> w.HsmdCheckSecretReply:
    """Whether the peer knows a secret of ours that it should not know yet."""
    return w.HsmdCheckSecretReply(correct=channel.commitment_secret(msg.number) == msg.secret)
