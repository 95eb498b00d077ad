"""Signing a funding transaction that both sides made: BOLT 2, "Channel Establishment v2", from commitment_signed on.

The transaction is complete and on disk before this begins. Each side signs the other's first commitment; only with
such a signature on disk are the inputs signed. Then one side's tx_signatures go out, then the other's. A lost connection
changes nothing: `channel_reestablish` says with `next_funding` what is still missing.
"""

from __future__ import annotations

from pylightningd.channeld.commit import commitment_message, sign_request
from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.live import go_on
from pylightningd.channeld.state import Channel, Phase, Signing
from pylightningd.common import features as ft
from pylightningd.common.channel.commitment_spec import make_spec
from pylightningd.common.channel.commitment_tx import CommitmentTx, make_commitment
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel.keyset import derive_keyset
from pylightningd.common.effects import Log, SendPeer, Tell, ask_hsmd, ask_master
from pylightningd.common.errors import FailChannel, WarnPeer
from pylightningd.common.interactive_tx.joint_tx import unsigned_tx
from pylightningd.common.interactive_tx.rules import NegotiationFailed
from pylightningd.common.interactive_tx.witnesses import their_witnesses
from pylightningd.common.keys import BadSignature, InvalidKey, verify_compact
from pylightningd.common.peer_failure import describe_abort, make_abort
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw

GIVEN_UP = 6
"""`kind` of channeld_failed: the opening is undone, nothing of ours can be spent by it."""
RESEND_COMMITMENT = 1
"""Bit of `retransmit_flags`."""


def is_in_use(channel: Channel) -> bool:
    """Whether its messages are legal: also where the option was taken back before all was signed."""
    negotiated = ft.negotiated(channel.our_features, channel.their_features, ft.DUAL_FUND)
    return negotiated or channel.signing is not None


# ---- from lightningd --------------------------------------------------------------------------------


def on_joint_funding(channel: Channel, msg: cw.ChanneldJointFunding) -> ChannelStep[None]:
    """The channel's funding transaction, and how far it has come."""
    yield from ()
    if channel.depth > 0 and msg.got_commitment:
        return
    channel.signing = Signing(
        funding=msg.funding,
        txid=unsigned_tx(msg.funding).txid(),
        got_commitment=msg.got_commitment,
        got_signatures=msg.got_signatures,
        witnesses=msg.witnesses if msg.signed else None,
    )


def on_funding_signed(channel: Channel, msg: cw.ChanneldFundingSigned) -> ChannelStep[None]:
    """Our inputs are signed."""
    signing = channel.signing
    if signing is None:
        yield Log("debug", "channeld_funding_signed: nothing is to be signed")
        return
    if not signing.got_commitment:
        raise TypeError("our inputs were signed before the peer signed our commitment")
    signing.witnesses = msg.witnesses
    yield from _maybe_send_signatures(channel)


def on_abort_funding(channel: Channel, msg: cw.ChanneldAbortFunding) -> ChannelStep[None]:
    """We do not want it any more, if that is still possible."""
    if channel.signing is None or channel.signing.witnesses is not None:
        yield Log("unusual", "too late to abort the funding transaction: it is signed")
        return
    raise NegotiationFailed(msg.reason)


def on_confirmed(channel: Channel) -> None:
    """The transaction is in a block: it needs no more signatures."""
    if channel.signing is not None and channel.signing.got_commitment:
        channel.signing = None


# ---- connecting ---------------------------------------------------------------------------------


def next_funding(channel: Channel) -> pw.ChannelReestablishNextFunding | None:
    """What our channel_reestablish says of it."""
    signing = channel.signing
    # BOLT 2, "Message Retransmission", sender MUST include next_funding where it has not received tx_signatures for
    # its commitment_signed, with the bit set where it has not received commitment_signed either.
    if signing is None or signing.got_signatures:
        return None
    flags = 0 if signing.got_commitment else RESEND_COMMITMENT
    return pw.ChannelReestablishNextFunding(next_funding_txid=signing.txid, retransmit_flags=flags)


def begin(channel: Channel) -> ChannelStep[None]:
    """The transaction was completed on this very connection: sign the peer's commitment."""
    if channel.phase is Phase.SIGNING_FUNDING:
        yield from _send_commitment(channel)


def on_reestablish(channel: Channel, msg: pw.ChannelReestablish) -> ChannelStep[None]:
    """What the peer still lacks of it."""
    wanted, signing = msg.tlvs.next_funding, channel.signing
    if wanted is None:
        # It has our tx_signatures, or does not know of the transaction.
        channel.live.sent_signatures = True
        return
    if signing is None or wanted.next_funding_txid != signing.txid:
        yield from _other_funding(channel, wanted)
        return
    # BOLT 2, "Message Retransmission", receiver of next_funding: MUST send commitment_signed again where its bit is
    # set and tx_signatures have not come; and tx_signatures where they have, or where it signs first and has the
    # peer's commitment_signed.
    if not signing.got_signatures and wanted.retransmit_flags & RESEND_COMMITMENT:
        yield from _send_commitment(channel)
    if signing.may_be_sent:
        yield from _send_signatures(channel)


def _other_funding(channel: Channel, wanted: pw.ChannelReestablishNextFunding) -> ChannelStep[None]:
    txid = wanted.next_funding_txid
    if txid == channel.facts.static.funding.txid:
        yield Log("debug", "next_funding is for the funding transaction, which has confirmed")
        return
    # BOLT 2, "Message Retransmission", receiver of next_funding: where it has sent another one MUST fail the channel;
    # otherwise MUST send tx_abort, so that the peer forgets that transaction.
    if next_funding(channel) is not None:
        raise FailChannel(f"next_funding_txid {txid[::-1].hex()} is not ours")
    channel.live.sent_abort = True
    yield SendPeer(make_abort(channel.facts.channel_id, "unknown next_funding_txid"))


# ---- commitment_signed ----------------------------------------------------------------------------


def _send_commitment(channel: Channel) -> ChannelStep[None]:
    spec = make_spec(Side.REMOTE, channel.settled, (), channel.fees)
    # BOLT 2, "The `commitment_signed` Message" of version 2, sender MUST send zero HTLCs: there are none.
    reply = yield from ask_hsmd(sign_request(channel, spec, 0, channel.remote_current_point))
    yield commitment_message(channel, reply)


def on_commitment_signed(channel: Channel, msg: pw.CommitmentSigned) -> ChannelStep[None]:
    """The peer signed our first commitment: from now on our inputs may be signed."""
    signing = _signing(channel)
    if signing.got_commitment:
        yield Log("debug", "Ignoring redundant commitment_signed for the funding transaction")
        return
    commitment = yield from _first_commitment(channel)
    _check_first(signing, commitment, msg)
    # Durable before any tx_signatures of ours: else our money could be locked up with no way out.
    yield from ask_master(
        cw.ChanneldGotFirstCommitsig(
            dbid=channel.facts.dbid, tx=commitment.tx.serialize(), signature=msg.signature
        )
    )
    signing.got_commitment = True
    yield from _maybe_send_signatures(channel)
    yield from _take_early_signatures(channel)


def _first_commitment(channel: Channel) -> ChannelStep[CommitmentTx]:
    reply = yield from ask_hsmd(hw.HsmdGetPerCommitmentPoint(dbid=channel.facts.dbid, number=0))
    local, remote = channel.facts.basepoints
    spec = make_spec(Side.LOCAL, channel.settled, (), channel.fees)
    try:
        keys = derive_keyset(reply.point, local, remote)
    except InvalidKey as err:
        raise NegotiationFailed(f"Cannot derive keyset: {err}") from err
    return make_commitment(channel.facts.params[Side.LOCAL], keys, 0, spec)


def _check_first(signing: Signing, commitment: CommitmentTx, msg: pw.CommitmentSigned) -> None:
    # BOLT 2, "The `commitment_signed` Message" of version 2, receiver MUST fail the negotiation where it has HTLCs.
    if msg.htlc_signature:
        raise NegotiationFailed(
            f"First commitment_signed has {len(msg.htlc_signature)} HTLC signatures"
        )
    named = msg.tlvs.funding_txid
    if named is not None and named != signing.txid:
        raise NegotiationFailed(f"commitment_signed for funding {named[::-1].hex()}")
    try:
        verify_compact(commitment.params.other_funding_key, commitment.sighash(), msg.signature)
    except BadSignature:
        # BOLT 2, "The `tx_abort` Message", sender SHOULD include the raw transaction.
        raise NegotiationFailed(
            f"Bad signature {msg.signature.hex()} on tx {commitment.tx.serialize().hex()}"
        ) from None


# ---- tx_signatures --------------------------------------------------------------------------------


def _maybe_send_signatures(channel: Channel) -> ChannelStep[None]:
    """Send ours where it is time for that; go on where both are exchanged."""
    signing, session = _signing(channel), channel.session
    if session is None or not session.reestablished or not signing.may_be_sent:
        return
    if not session.sent_signatures:
        yield from _send_signatures(channel)
    if signing.is_complete:
        yield from go_on(channel)


def _send_signatures(channel: Channel) -> ChannelStep[None]:
    signing = _signing(channel)
    assert signing.witnesses is not None
    channel.live.sent_signatures = True
    # BOLT 2, "The `tx_signatures` Message", sender MUST order witnesses by the serial_id of its inputs.
    yield SendPeer(
        pw.TxSignatures(
            channel_id=channel.facts.channel_id,
            txid=signing.txid,
            witnesses=tuple(pw.Witness(witness_data=w) for w in signing.witnesses),
        )
    )


def on_tx_signatures(channel: Channel, msg: pw.TxSignatures) -> ChannelStep[None]:
    """The peer's inputs are signed: with ours the transaction is whole."""
    signing = channel.signing
    # BOLT 2, "Sharing funding signatures: `tx_signatures`", receiver MUST ignore it after a channel_ready.
    if signing is None or signing.got_signatures:
        yield Log("debug", "Ignoring redundant tx_signatures")
        return
    # BOLT 2, "Sharing funding signatures: `tx_signatures`", sender MUST NOT send it before it has our
    # commitment_signed; and its own came before that.
    if not signing.got_commitment:
        _keep_early(channel, msg)
        return
    their_witnesses(signing.funding, msg)
    yield from ask_master(
        cw.ChanneldGotTxSignatures(
            dbid=channel.facts.dbid,
            witnesses=tuple(w.witness_data for w in msg.witnesses),
        )
    )
    signing.got_signatures = True
    yield from _maybe_send_signatures(channel)


def _keep_early(channel: Channel, msg: pw.TxSignatures) -> None:
    """A commitment_signed right behind the last tx_complete comes by way of lightningd: this may have overtaken it."""
    session = channel.live
    if not session.fresh or session.early_signatures is not None:
        raise NegotiationFailed("tx_signatures before commitment_signed")
    session.early_signatures = msg


def _take_early_signatures(channel: Channel) -> ChannelStep[None]:
    session = channel.session
    if session is None or session.early_signatures is None:
        return
    msg, session.early_signatures = session.early_signatures, None
    assert isinstance(msg, pw.TxSignatures)
    yield from on_tx_signatures(channel, msg)


# ---- giving up ------------------------------------------------------------------------------------


def on_tx_abort(channel: Channel, msg: pw.TxAbort) -> ChannelStep[None]:
    """The peer gives up a negotiation."""
    session, channel_id = channel.live, channel.facts.channel_id
    # BOLT 2, "The `tx_abort` Message", receiver MUST echo it, unless it is the echo of ours.
    if session.sent_abort:
        session.sent_abort = False
        return
    yield SendPeer(make_abort(channel_id, ""))
    if not can_be_undone(channel):
        # BOLT 2, "The `tx_abort` Message", receiver that has sent tx_signatures MUST NOT forget the channel until an
        # input is spent elsewhere.
        yield Log("unusual", f"They sent {describe_abort(msg)}: too late, we have signed")
        return
    text = f"They sent {describe_abort(msg)}"
    yield Log("unusual", text)
    channel.failed = True
    yield Tell("master", given_up(channel, text))


def on_tx_init_rbf(channel: Channel, msg: pw.TxInitRbf) -> ChannelStep[None]:
    """The peer wants a transaction with more fee."""
    yield from ()
    if channel.phase is Phase.SIGNING_FUNDING:
        raise WarnPeer("tx_init_rbf before the signatures are exchanged")
    # BOLT 2, "The `tx_init_rbf` Message", recipient MAY send tx_abort for any reason.
    channel.live.sent_abort = True
    yield Log("debug", f"tx_init_rbf with feerate {msg.feerate}: we do not replace transactions")
    yield SendPeer(make_abort(channel.facts.channel_id, "no replacement now"))


def can_be_undone(channel: Channel) -> bool:
    """Whether the funding transaction lacks something that only we can give, and never gave."""
    signing = channel.signing
    return signing is not None and not signing.may_be_sent


def given_up(channel: Channel, reason: str) -> cw.ChanneldFailed:
    """What lightningd hears then."""
    return cw.ChanneldFailed(
        dbid=channel.facts.dbid, kind=GIVEN_UP, reason=reason, remote_point=None
    )


def _signing(channel: Channel) -> Signing:
    assert channel.signing is not None
    return channel.signing
