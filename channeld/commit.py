"""commitment_signed, both ways: BOLT 2, "Committing Updates So Far: `commitment_signed`".

A round starts when something waits for the peer's commitment and no revoke_and_ack is owed to us; what
comes meanwhile piles up for the next. Nothing leaves before lightningd has written it down.
"""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.channeld import rows
from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.state import LIVE, Channel, HtlcKey
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.commitment_spec import CommitmentSpec, make_spec, settle
from pylightningd.common.channel.commitment_tx import CommitmentTx, make_commitment
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Event, HtlcState, Side
from pylightningd.common.channel.htlc_tx import htlc_sighashes
from pylightningd.common.channel.keyset import derive_keyset
from pylightningd.common.effects import Log, SendPeer, SetTimer, ask_both, ask_hsmd, ask_master
from pylightningd.common.errors import WarnPeer
from pylightningd.common.keys import BadSignature, verify_compact
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.common_wire import CommitmentContent, CommitmentHtlc

REVOKE_TIMER = "revoke"
REVOKE_SECONDS = 60
"""A peer that has not answered a commitment_signed by then is hung up on."""

_NEXT: dict[Event, tuple[HtlcState | None, ...]] = {
    event: tuple(hs.next_state_on(state, event) for state in HtlcState) for event in Event
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a message does to a channel, before it is written down and applied."""

    htlcs: list[Htlc]
    """Those that change, as they will be."""
    fees: FeeStates


def change_on(channel: Channel, *events: Event) -> Change:
    """What these messages, one after the other, do."""
    table: list[HtlcState | None] = [None] * len(HtlcState)
    for state in HtlcState:
        moved = state
        for event in events:
            moved = _NEXT[event][moved] or moved
        table[state] = moved if moved is not state else None
    changed: list[Htlc] = []
    for htlc in channel.htlcs.values():
        state_after = table[htlc.state]
        if state_after is not None:
            changed.append(_in_state(htlc, state_after))
    fees = channel.fees
    for event in events:
        fees = fees.after(event)
    return Change(changed, fees)


def _in_state(htlc: Htlc, state: HtlcState) -> Htlc:
    """A copy in another state; in the hot loop, where `replace` costs four times as much."""
    return Htlc(
        id=htlc.id,
        offerer=htlc.offerer,
        amount=htlc.amount,
        payment_hash=htlc.payment_hash,
        cltv_expiry=htlc.cltv_expiry,
        state=state,
        onion=htlc.onion,
        path_key=htlc.path_key,
        preimage=htlc.preimage,
        failure=htlc.failure,
    )


def apply(channel: Channel, change: Change) -> None:
    """Make it so."""
    for htlc in change.htlcs:
        channel.put(htlc)
    if change.fees != channel.fees:
        channel.set_fees(change.fees)
    channel.bury(change.htlcs)


def spec_after(channel: Channel, owner: Side, change: Change) -> CommitmentSpec:
    """The newest commitment of `owner` once `change` is made."""
    htlcs: dict[HtlcKey, Htlc] = dict(channel.htlcs)
    for htlc in change.htlcs:
        htlcs[htlc.key] = htlc
    return make_spec(owner, channel.settled, htlcs.values(), change.fees)


# ---- sending --------------------------------------------------------------------------------------


def has_changes(channel: Channel) -> bool:
    """Whether anything waits for our next commitment_signed."""
    return bool(channel.views[Side.REMOTE].pending) or channel.fees.is_pending(Side.REMOTE)


def should_commit(channel: Channel) -> bool:
    """Whether to start a round now."""
    # BOLT 2, "Committing Updates So Far: `commitment_signed`", sender MUST NOT send a commitment_signed
    # without any update.
    return (
        has_changes(channel)
        and not channel.awaiting_revoke
        and channel.phase in LIVE
        and channel.sent_channel_ready
        and channel.got_channel_ready
        and channel.commits_allowed != 0
    )


def send_commit(channel: Channel) -> ChannelStep[None]:
    """Sign all that waits: in parallel hsmd signs and lightningd writes it down."""
    session = channel.live
    change = change_on(channel, Event.SENT_COMMIT)
    updates = tuple(session.unsigned_updates)
    # From here on lightningd takes them for added, even where we never hear its reply.
    session.offers = {}
    reply, _ = yield from ask_both(
        sign_request(
            channel,
            spec_after(channel, Side.REMOTE, change),
            channel.next_remote,
            _next_point(channel),
        ),
        cw.ChanneldSendingCommitsig(
            dbid=channel.facts.dbid,
            number=channel.next_remote,
            added=tuple(
                [rows.htlc_row(h) for h in change.htlcs if h.state is HtlcState.SENT_ADD_COMMIT]
            ),
            changed=rows.change_rows(
                h for h in change.htlcs if h.state is not HtlcState.SENT_ADD_COMMIT
            ),
            fees=rows.fee_rows(change.fees),
            updates=updates,
        ),
    )
    apply(channel, change)
    channel.next_remote += 1
    channel.last_sent_updates = updates
    channel.last_was_revoke = False
    session.unsigned_updates = []
    for htlc in change.htlcs:
        if htlc.state is HtlcState.SENT_REMOVE_COMMIT:
            channel.removals.pop(htlc.id, None)
    if channel.commits_allowed:
        channel.commits_allowed -= 1
    yield commitment_message(channel, reply)
    yield from _expect_revoke(channel)


def _expect_revoke(channel: Channel) -> ChannelStep[None]:
    if not channel.waits_for_ever:
        yield SetTimer(REVOKE_TIMER, REVOKE_SECONDS)


def resend_commit(channel: Channel) -> ChannelStep[None]:
    """The last commitment_signed with its updates once more."""
    for update in channel.last_sent_updates:
        yield SendPeer(pw.decode(update))  # type: ignore[arg-type]  # our own: never UnknownOdd
    spec = make_spec(Side.REMOTE, channel.settled, channel.htlcs.values(), channel.fees)
    request = sign_request(channel, spec, channel.next_remote - 1, _next_point(channel))
    reply = yield from ask_hsmd(request)
    yield commitment_message(channel, reply)
    yield from _expect_revoke(channel)


def _next_point(channel: Channel) -> bytes:
    assert channel.remote_next_point is not None
    return channel.remote_next_point


def sign_request(
    channel: Channel, spec: CommitmentSpec, number: int, point: bytes
) -> hw.HsmdSignRemoteCommitment:
    """What hsmd is to sign: the peer's commitment of this number, with the peer's point for it."""
    return hw.HsmdSignRemoteCommitment(
        dbid=channel.facts.dbid,
        remote_per_commitment_point=point,
        content=CommitmentContent(
            number=number,
            feerate_perkw=spec.feerate_perkw,
            to_local=spec.to_owner,
            to_remote=spec.to_other,
            htlcs=tuple(
                [
                    CommitmentHtlc(
                        id=h.id,
                        offered=h.offerer is Side.REMOTE,
                        amount=h.amount,
                        payment_hash=h.payment_hash,
                        cltv_expiry=h.cltv_expiry,
                    )
                    for h in spec.htlcs
                ]
            ),
        ),
    )


def commitment_message(channel: Channel, reply: hw.HsmdSignRemoteCommitmentReply) -> SendPeer:
    """Our commitment_signed."""
    return SendPeer(
        pw.CommitmentSigned(
            channel_id=channel.facts.channel_id,
            signature=reply.signature,
            htlc_signature=reply.htlc_signatures,
        )
    )


# ---- receiving ------------------------------------------------------------------------------------


def on_commitment_signed(channel: Channel, msg: pw.CommitmentSigned) -> ChannelStep[None]:
    """The peer signed our next commitment: check it, have it written down, revoke the one before."""
    change = change_on(channel, Event.RCVD_COMMIT, Event.SENT_REVOCATION)
    yield from _check_not_empty(channel, change)
    spec = spec_after(channel, Side.LOCAL, change)
    commitment = _local_commitment(channel, spec)
    _check_signatures(channel, commitment, msg)
    # Durable before we give up the commitment before it, or we might be left with none that is valid.
    yield from ask_master(_got_commitsig(channel, change, commitment, msg))
    revoked = yield from ask_hsmd(
        hw.HsmdRevokeCommitment(dbid=channel.facts.dbid, number=channel.next_local - 1)
    )
    apply(channel, change)
    channel.next_local += 1
    channel.local_next_point = revoked.next_point
    channel.last_was_revoke = True
    yield revoke_message(channel, revoked)


def revoke_message(channel: Channel, revoked: hw.HsmdRevokeCommitmentReply) -> SendPeer:
    """Our revoke_and_ack."""
    # BOLT 2, "Completing the Transition to the Updated State: `revoke_and_ack`", sender MUST give the secret
    # of the previous commitment and the point of the next one.
    return SendPeer(
        pw.RevokeAndAck(
            channel_id=channel.facts.channel_id,
            per_commitment_secret=revoked.old_secret.reveal(),
            next_per_commitment_point=revoked.next_point,
        )
    )


def _check_not_empty(channel: Channel, change: Change) -> ChannelStep[None]:
    # BOLT 2, "Committing Updates So Far: `commitment_signed`", sender MUST NOT send a commitment_signed
    # without any update. Some peers do now and then; as in CLN one is borne, two in a row are not.
    session = channel.live
    empty = not change.htlcs and change.fees == channel.fees
    if empty and session.last_was_empty:
        raise WarnPeer("commit_sig with no changes (again!)")
    session.last_was_empty = empty
    if empty:
        yield Log("debug", f"Empty commitment at #{channel.next_local}")


def _local_commitment(channel: Channel, spec: CommitmentSpec) -> CommitmentTx:
    assert channel.local_next_point is not None
    local, remote = channel.facts.basepoints
    keys = derive_keyset(channel.local_next_point, local, remote)
    return make_commitment(channel.facts.params[Side.LOCAL], keys, channel.next_local, spec)


def _check_signatures(channel: Channel, commitment: CommitmentTx, msg: pw.CommitmentSigned) -> None:
    digests = htlc_sighashes(commitment)
    # BOLT 2, "Committing Updates So Far: `commitment_signed`", receiver MUST warn or fail where the signature
    # is not valid, or where num_htlcs is not the number of HTLC outputs.
    funding_key = commitment.params.other_funding_key
    _check_signature(funding_key, commitment.sighash(), msg.signature, channel, commitment)
    if len(digests) != len(msg.htlc_signature):
        raise WarnPeer(f"Expected {len(digests)} htlc sigs, not {len(msg.htlc_signature)}")
    # BOLT 2, "Committing Updates So Far: `commitment_signed`", receiver MUST warn or fail where any HTLC
    # signature is not valid.
    htlc_key = commitment.keys.other_htlc
    for digest, signature in zip(digests, msg.htlc_signature, strict=True):
        _check_signature(htlc_key, digest, signature, channel, commitment)


def _check_signature(
    key: bytes, digest: bytes, signature: bytes, channel: Channel, commitment: CommitmentTx
) -> None:
    try:
        verify_compact(key, digest, signature)
    except BadSignature:
        raise WarnPeer(
            f"Bad commit_sig signature {channel.next_local} {signature.hex()} for tx "
            f"{commitment.tx.serialize().hex()} key {key.hex()} feerate {commitment.feerate_perkw}"
        ) from None


def _got_commitsig(
    channel: Channel, change: Change, commitment: CommitmentTx, msg: pw.CommitmentSigned
) -> cw.ChanneldGotCommitsig:
    added: list[rows.HtlcRow] = []
    removed: list[rows.HtlcRow] = []
    others: list[Htlc] = []
    for htlc in change.htlcs:
        if htlc.state is HtlcState.SENT_ADD_REVOCATION:
            added.append(rows.htlc_row(htlc))
        elif htlc.state is HtlcState.SENT_REMOVE_REVOCATION:
            removed.append(rows.htlc_row(htlc, channel.malformed.get(htlc.id)))
        else:
            others.append(htlc)
    settled, _ = settle(channel.settled, others)
    return cw.ChanneldGotCommitsig(
        dbid=channel.facts.dbid,
        number=channel.next_local,
        tx=commitment.tx.serialize(),
        signature=msg.signature,
        htlc_signatures=msg.htlc_signature,
        to_local=settled.local,
        to_remote=settled.remote,
        added=tuple(added),
        removed=tuple(removed),
        changed=rows.change_rows(others),
        fees=rows.fee_rows(change.fees),
    )
