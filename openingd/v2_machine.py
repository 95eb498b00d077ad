"""The order of messages in an opening of version 2, and how it ends early: with `tx_abort`, not `error`."""

from __future__ import annotations

from pylightningd.common import features as ft
from pylightningd.common.effects import Disconnect, Log, SendPeer, Step
from pylightningd.common.errors import DisconnectPeer, IgnorePeer, PeerError
from pylightningd.common.ids import NodeId
from pylightningd.common.interactive_tx.rules import NegotiationFailed
from pylightningd.common.peer_failure import describe, describe_abort, make_abort
from pylightningd.common.wire.openingd_wire import (
    OpeningdCancel,
    OpeningdContribution,
    OpeningdGotOpen,
    OpeningdGotOpen2,
    OpeningdOpen,
    OpeningdOpen2,
)
from pylightningd.common.wire.peer_wire import (
    AcceptChannel2,
    Error,
    TxAbort,
    TxAddInput,
    TxAddOutput,
    TxComplete,
    TxRemoveInput,
    TxRemoveOutput,
)
from pylightningd.common.wire.peer_wire import (
    Warning as PeerWarning,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd import v2_accepter, v2_building, v2_opener
from pylightningd.openingd.machine import Handler, OpeningMachine
from pylightningd.openingd.state import (
    Building,
    Consulting,
    Finished,
    Fresh,
    Node,
    Offered2,
    Opening,
    Phase,
)

_CONSTRUCTION = (TxAddInput, TxAddOutput, TxRemoveInput, TxRemoveOutput, TxComplete)

FROM_PEER2: dict[tuple[type[Phase], type[Message]], Handler] = {
    (Offered2, AcceptChannel2): v2_opener.on_accept_channel2,
    **{(Building, kind): v2_building.on_message for kind in _CONSTRUCTION},
    **{(Consulting, kind): v2_building.out_of_turn for kind in _CONSTRUCTION},
}
"""A message of the peer that is not here, or not in this phase, ends the opening."""

FROM_MASTER2: dict[tuple[type[Phase], type[Message]], Handler] = {
    (Fresh, OpeningdOpen2): v2_opener.begin,
    (Fresh, OpeningdGotOpen2): v2_accepter.begin,
    (Consulting, OpeningdContribution): v2_building.on_contribution,
}

_AWAITED: dict[type[Phase], str] = {
    Offered2: "accept_channel2",
    Building: "the peer's inputs and outputs",
    Consulting: "our own side",
}


class DualOpeningMachine(OpeningMachine):
    """One opening of either side. Begins with `openingd_open2` or `openingd_got_open2`."""

    def __init__(self, node: Node, request: OpeningdOpen2 | OpeningdGotOpen2) -> None:
        opens = isinstance(request, OpeningdOpen2)
        self._opening = Opening(
            node=node,
            dbid=request.dbid,
            peer_id=request.peer_id,
            their_features=request.their_features,
            channel_id=v2_opener.temporary_id_of(request)
            if isinstance(request, OpeningdOpen2)
            else v2_accepter.temporary_id_of(request.msg),
        )
        self.dbid: int = request.dbid
        self.peer_id: NodeId = request.peer_id
        self.we_are_opener = opens

    @property
    def hands_on(self) -> bool:
        """Whether the peer may go on at once when it is done: so both sides, in the order of the messages."""
        return True

    def on_peer_error(self, err: PeerError) -> Step[None]:
        """Say `tx_abort`, with the same words for peer, log and master."""
        if isinstance(err, IgnorePeer):
            return
        text = str(err)
        # BOLT 2, "The `tx_abort` Message": it takes both back to the start, and nothing else is harmed.
        if not isinstance(err, DisconnectPeer):
            yield SendPeer(make_abort(self._opening.channel_id, text))
        else:
            yield Disconnect()
        yield from self._opening.give_up(text)

    def _from_peer(self, msg: Message) -> Step[None]:
        phase = self.phase
        if isinstance(msg, Error | PeerWarning):
            yield from self._opening.give_up(f"They sent {describe(msg)}")
        elif isinstance(msg, TxAbort):
            # BOLT 2, "The `tx_abort` Message", receiver MUST echo it where it has not sent one.
            yield SendPeer(make_abort(self._opening.channel_id, ""))
            yield from self._opening.give_up(f"They sent {describe_abort(msg)}")
        else:
            handler = FROM_PEER2.get((type(phase), type(msg)))
            if handler is None:
                awaited = _AWAITED.get(type(phase), "nothing")
                raise NegotiationFailed(
                    f"Unexpected message {msg.NAME} while waiting for {awaited}"
                )
            yield from handler(self._opening, phase, msg)

    def _from_master(self, msg: Message) -> Step[None]:
        opening = self._opening
        if isinstance(msg, OpeningdCancel):
            fresh = isinstance(self.phase, Fresh)
            opening.phase = Finished(opened=False)
            yield Log("debug", f"opening canceled: {msg.reason}")
            if not fresh:
                yield SendPeer(make_abort(opening.channel_id, msg.reason))
            return
        if isinstance(msg, OpeningdContribution) and not isinstance(self.phase, Consulting):
            yield Log("debug", "openingd_contribution: nobody waits for it any more")
            return
        if not ft.negotiated(opening.node.features, opening.their_features, ft.DUAL_FUND):
            yield from opening.give_up("option_dual_fund was not negotiated")
            return
        handler = FROM_MASTER2.get((type(self.phase), type(msg)))
        if handler is None:
            raise TypeError(f"the master sent {msg.NAME} in phase {self.phase!r}")
        yield from handler(opening, self.phase, msg)


def make_machine(
    node: Node, msg: OpeningdOpen | OpeningdGotOpen | OpeningdOpen2 | OpeningdGotOpen2
) -> OpeningMachine:
    """The machine of the version that the master asks for."""
    if isinstance(msg, OpeningdOpen2 | OpeningdGotOpen2):
        return DualOpeningMachine(node, msg)
    return OpeningMachine(node, msg)
