"""The construction of the funding transaction, either side: after accept_channel2, until the master has it.

Nothing is signed here. Once the master has written the channel down, channeld exchanges the signatures: it has
to be able to do so anyhow, after a lost connection.
"""

from __future__ import annotations

from pylightningd.common.bitcoin.script import funding_script, p2wsh
from pylightningd.common.channel.v2_id import v2_channel_id
from pylightningd.common.effects import AliasRoute, Log, SendPeer, Step, Tell, ask_master
from pylightningd.common.ids import ChannelId, Outpoint
from pylightningd.common.interactive_tx.construction import Agreed, Construction, Message
from pylightningd.common.interactive_tx.joint_tx import funding_index, unsigned_tx
from pylightningd.common.interactive_tx.rules import NegotiationFailed
from pylightningd.common.wire.common_wire import JointOutput
from pylightningd.common.wire.openingd_wire import (
    Contribution,
    OpeningdAccepted2,
    OpeningdConstructed,
    OpeningdContribution,
    OpeningdProposal,
)
from pylightningd.openingd import funding as fd
from pylightningd.openingd.state import (
    Building,
    Committing,
    Consulting,
    Finished,
    Opening,
    Terms,
)


def channel_id_of(terms: Terms) -> ChannelId:
    """The name of the channel for good."""
    return v2_channel_id(terms.local_basepoints.revocation, terms.remote_basepoints.revocation)


def start(
    terms: Terms,
    ours: Contribution,
    *,
    feerate_perkw: int,
    locktime: int,
    sign_first_on_tie: bool,
) -> Building:
    """The construction as it begins. Raises NegotiationFailed where what we want cannot be."""
    keys = terms.local_basepoints.funding_pubkey, terms.remote_basepoints.funding_pubkey
    script = p2wsh(funding_script(*keys))
    agreed = Agreed(
        channel_id=channel_id_of(terms),
        we_are_initiator=terms.we_are_opener,
        feerate_perkw=feerate_perkw,
        locktime=locktime,
        dust_limit=max(terms.local_config.dust_limit, terms.remote_config.dust_limit),
        funding_script=script,
        our_funding=ours.funding_amount,
        their_funding=terms.funding_amount - ours.funding_amount,
        sign_first_on_tie=sign_first_on_tie,
    )
    # BOLT 2, "Funding Composition", sender of tx_add_output: the opener adds the channel's funding output.
    output = None
    if terms.we_are_opener:
        output = JointOutput(
            serial_id=ours.funding_serial_id, ours=True, amount=terms.funding_amount, script=script
        )
    building = Building(terms, Construction(agreed), output, ours.consult)
    _want(building, ours)
    return building


def _want(building: Building, ours: Contribution | OpeningdContribution) -> None:
    own = () if building.funding_output is None else (building.funding_output,)
    building.construction.want(ours.inputs, (*ours.outputs, *own))


def announce_terms(opening: Opening, building: Building, *, confirmed: bool) -> Step[None]:
    """The peer's messages may now go by the lasting name; the master learns what was agreed."""
    terms, agreed = building.terms, building.construction.agreed
    opening.channel_id = agreed.channel_id
    yield AliasRoute(agreed.channel_id)
    yield Tell(
        "master",
        OpeningdAccepted2(
            dbid=opening.dbid,
            channel_id=agreed.channel_id,
            funding_scriptpubkey=agreed.funding_script,
            channel_type=terms.channel_type.encode(),
            minimum_depth=terms.minimum_depth,
            their_funding=agreed.their_funding,
            requires_confirmed_inputs=confirmed,
        ),
    )


# ---- taking turns -------------------------------------------------------------------------------


def on_message(opening: Opening, phase: Building, msg: Message) -> Step[None]:
    """The peer's word; then ours."""
    phase.construction.receive(msg)
    yield from our_turn(opening, phase)


def out_of_turn(opening: Opening, phase: Consulting, msg: Message) -> Step[None]:
    """The peer speaks while it is our turn."""
    # BOLT 2, "Interactive Transaction Construction": this is a turn-based protocol.
    yield from ()
    raise NegotiationFailed(f"{msg.NAME} out of turn")


def our_turn(opening: Opening, phase: Building) -> Step[None]:
    """Say what is to be said, ask the master whether that was all, or finish."""
    if phase.construction.is_done:
        yield from _finish(opening, phase)
        return
    message = phase.construction.next_message()
    if message is not None:
        yield SendPeer(message)
    elif phase.consult:
        inputs, outputs = phase.construction.entries()
        opening.phase = Consulting(
            phase.terms, phase.construction, phase.funding_output, phase.consult
        )
        yield Tell("master", OpeningdProposal(dbid=opening.dbid, inputs=inputs, outputs=outputs))
    else:
        yield from _complete(opening, phase)


def on_contribution(opening: Opening, phase: Consulting, msg: OpeningdContribution) -> Step[None]:
    """The master has looked at it, and says what it wants."""
    building = Building(phase.terms, phase.construction, phase.funding_output, phase.consult)
    opening.phase = building
    _want(building, msg)
    message = building.construction.next_message()
    if message is not None:
        yield SendPeer(message)
    else:
        yield from _complete(opening, building)


def _complete(opening: Opening, phase: Building) -> Step[None]:
    yield SendPeer(phase.construction.complete())
    if phase.construction.is_done:
        yield from _finish(opening, phase)


# ---- the end ------------------------------------------------------------------------------------


def _finish(opening: Opening, phase: Building) -> Step[None]:
    """Both are content: have the master write the channel down."""
    terms, joint = phase.terms, phase.construction.result()
    index = funding_index(
        joint.outputs,
        terms.local_basepoints.funding_pubkey,
        terms.remote_basepoints.funding_pubkey,
    )
    assert index is not None
    tx = unsigned_tx(joint)
    outpoint = Outpoint(tx.txid(), index)
    channel = fd.channel_static(opening, terms, outpoint, phase.construction.agreed.channel_id)
    commitment = fd.first_commitment(terms, channel)
    yield Log("debug", f"funding transaction {outpoint} is complete: {tx.serialize().hex()}")
    opening.phase = Committing()
    # BOLT 2, "Channel Establishment v2", sender of `commitment_signed` MUST remember this transaction: so it is on
    # disk before anything is signed.
    yield from ask_master(
        OpeningdConstructed(
            channel=channel,
            announce=terms.announce,
            minimum_depth=terms.minimum_depth,
            feerate_perkw=terms.feerate_perkw,
            remote_first_per_commitment_point=terms.remote_point,
            local_upfront_shutdown_script=terms.local_upfront_script,
            remote_upfront_shutdown_script=terms.remote_upfront_script,
            tx=commitment.tx.serialize(),
            funding=joint,
        )
    )
    opening.phase = Finished(opened=True)
