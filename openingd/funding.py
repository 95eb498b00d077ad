"""From agreed terms and a funding outpoint to two signed first commitments."""

from __future__ import annotations

from pylightningd.common.channel.commitment_tx import CommitmentTx
from pylightningd.common.channel.from_wire import commitment_from_wire
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.effects import Step, ask_hsmd, ask_master
from pylightningd.common.errors import FailChannel
from pylightningd.common.ids import ChannelId, Outpoint
from pylightningd.common.keys import BadSignature, InvalidKey, verify_compact
from pylightningd.common.wire.common_wire import ChannelStatic, CommitmentContent
from pylightningd.common.wire.hsmd_wire import HsmdSetupChannel, HsmdSignRemoteCommitment
from pylightningd.common.wire.openingd_wire import OpeningdDone
from pylightningd.openingd.state import Committing, Opening, Terms


def channel_static(
    opening: Opening, terms: Terms, funding: Outpoint, channel_id: ChannelId | None = None
) -> ChannelStatic:
    """The facts of the new channel; `channel_id` where it does not follow from the funding (version 2)."""
    return ChannelStatic(
        dbid=opening.dbid,
        peer_id=opening.peer_id,
        channel_id=channel_id or funding.channel_id(),
        funding=funding,
        funding_amount=terms.funding_amount,
        we_are_opener=terms.we_are_opener,
        channel_type=terms.channel_type.encode(),
        local_config=terms.local_config,
        remote_config=terms.remote_config,
        local_basepoints=terms.local_basepoints,
        remote_basepoints=terms.remote_basepoints,
    )


def first_content(terms: Terms, owner: Side) -> CommitmentContent:
    """What commitment 0 of `owner` says."""
    opener = terms.funding_amount.to_msat() - terms.push
    owner_is_opener = terms.we_are_opener is (owner is Side.LOCAL)
    to_owner, to_other = (opener, terms.push) if owner_is_opener else (terms.push, opener)
    return CommitmentContent(
        number=0,
        feerate_perkw=terms.feerate_perkw,
        to_local=to_owner,
        to_remote=to_other,
        htlcs=(),
    )


def first_commitment(terms: Terms, channel: ChannelStatic) -> CommitmentTx:
    """Our commitment 0. Raises FailChannel where the peer's keys add up to no key."""
    content = first_content(terms, Side.LOCAL)
    try:
        return commitment_from_wire(channel, Side.LOCAL, terms.local_point, content)
    except InvalidKey as err:
        raise FailChannel(f"Cannot derive keyset: {err}") from err


def verify_first_signature(commitment: CommitmentTx, terms: Terms, signature: bytes) -> None:
    """Check the peer's signature of our commitment 0. Raises FailChannel."""
    # BOLT 2, "The `funding_created` Message" and "The `funding_signed` Message", recipient: an incorrect
    # signature, or one that is not low-S, MUST fail the channel (or close the connection).
    key = terms.remote_basepoints.funding_pubkey
    try:
        verify_compact(key, commitment.sighash(), signature)
    except BadSignature:
        raise FailChannel(
            f"Bad signature {signature.hex()} on tx {commitment.tx.serialize().hex()} "
            f"using key {key.hex()} (channel_type={','.join(terms.channel_type.names())})"
        ) from None


def sign_remote(terms: Terms, channel: ChannelStatic) -> Step[bytes]:
    """Tell hsmd of the channel and let it sign the peer's commitment 0."""
    yield from ask_hsmd(HsmdSetupChannel(channel=channel))
    reply = yield from ask_hsmd(
        HsmdSignRemoteCommitment(
            dbid=channel.dbid,
            remote_per_commitment_point=terms.remote_point,
            content=first_content(terms, Side.REMOTE),
        )
    )
    return reply.signature


def commit(
    opening: Opening,
    terms: Terms,
    channel: ChannelStatic,
    commitment: CommitmentTx,
    signature: bytes,
) -> Step[None]:
    """Have the master write the channel down. It is durable when this returns."""
    opening.phase = Committing()
    yield from ask_master(
        OpeningdDone(
            channel=channel,
            announce=terms.announce,
            minimum_depth=terms.minimum_depth,
            push=terms.push,
            feerate_perkw=terms.feerate_perkw,
            remote_first_per_commitment_point=terms.remote_point,
            local_upfront_shutdown_script=terms.local_upfront_script,
            remote_upfront_shutdown_script=terms.remote_upfront_script,
            tx=commitment.tx.serialize(),
            signature=signature,
        )
    )
