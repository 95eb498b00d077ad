"""The order of messages in an opening: which may come in which phase, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pylightningd.common.bus.link import Refused
from pylightningd.common.effects import Disconnect, Log, SendPeer, Step, Tell
from pylightningd.common.errors import FailChannel, IgnorePeer, PeerError, WarnPeer
from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.machine import Outcome
from pylightningd.common.peer_failure import describe, make_error, make_warning
from pylightningd.common.route_events import (
    BadPeerBytes,
    FromMaster,
    FromPeer,
    RouteClosed,
    RouteEvent,
)
from pylightningd.common.wire.openingd_wire import (
    OpeningdCancel,
    OpeningdFailed,
    OpeningdFunding,
    OpeningdGotOpen,
    OpeningdOpen,
)
from pylightningd.common.wire.peer_wire import (
    AcceptChannel,
    Error,
    FundingCreated,
    FundingSigned,
)
from pylightningd.common.wire.peer_wire import (
    Warning as PeerWarning,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd import v1_accepter, v1_opener
from pylightningd.openingd.state import (
    Accepted,
    Committing,
    Created,
    Finished,
    Fresh,
    Invited,
    Node,
    Offered,
    Opening,
    Phase,
)

Handler: TypeAlias = Callable[[Opening, Any, Any], Step[None]]

FROM_PEER: dict[tuple[type[Phase], type[Message]], Handler] = {
    (Offered, AcceptChannel): v1_opener.on_accept_channel,
    (Created, FundingSigned): v1_opener.on_funding_signed,
    (Invited, FundingCreated): v1_accepter.on_funding_created,
}
"""A message of the peer that is not here, or not in this phase, ends the opening."""

FROM_MASTER: dict[tuple[type[Phase], type[Message]], Handler] = {
    (Fresh, OpeningdOpen): v1_opener.begin,
    (Fresh, OpeningdGotOpen): v1_accepter.begin,
    (Accepted, OpeningdFunding): v1_opener.on_funding,
}

_AWAITED: dict[type[Phase], str] = {
    Offered: "accept_channel",
    Accepted: "the funding transaction of our own side",
    Created: "funding_signed",
    Invited: "funding_created",
}


class OpeningMachine:
    """One opening of either side. Begins with `openingd_open` or `openingd_got_open`."""

    def __init__(self, node: Node, request: OpeningdOpen | OpeningdGotOpen) -> None:
        self._opening = Opening(
            node=node,
            dbid=request.dbid,
            peer_id=request.peer_id,
            their_features=request.their_features,
            channel_id=_temporary_id(request),
        )
        self.dbid: int = request.dbid
        self.peer_id: NodeId = request.peer_id
        self.we_are_opener = isinstance(request, OpeningdOpen)

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return self._opening.phase

    @property
    def finished(self) -> bool:
        """Whether it is over, well or not."""
        return isinstance(self.phase, Finished)

    @property
    def opened(self) -> bool:
        """Whether there is a channel now."""
        return isinstance(self.phase, Finished) and self.phase.opened

    @property
    def hands_on(self) -> bool:
        """Whether the peer may speak of the new channel while the master still writes it down."""
        return self.we_are_opener

    @property
    def interruptible(self) -> bool:
        """Until the master writes the channel down the end of the connection undoes everything."""
        return not isinstance(self.phase, Committing)

    def handle(self, event: RouteEvent) -> Outcome:
        """The step for an event."""
        if self.finished:
            return None
        if isinstance(event, FromPeer):
            return self._guarded(self._from_peer(event.msg))
        if isinstance(event, FromMaster):
            return self._guarded(self._from_master(event.msg))
        if isinstance(event, BadPeerBytes):
            raise FailChannel(f"Bad message: {event.why}")
        assert isinstance(event, RouteClosed)
        return self._opening.give_up("peer connection lost during opening")

    def on_peer_error(self, err: PeerError) -> Step[None]:
        """Say `error`, with the same words for peer, log and master."""
        if isinstance(err, IgnorePeer):
            return
        text, channel_id = str(err), self._opening.channel_id
        if isinstance(err, FailChannel):
            yield SendPeer(make_error(channel_id, text))
        elif isinstance(err, WarnPeer):
            yield SendPeer(make_warning(channel_id, text))
            yield Disconnect()
        else:
            yield Disconnect()
        yield from self._opening.give_up(text)

    def on_bug(self, what: str) -> Outcome:
        """Only the master learns of it."""
        return [Tell("master", OpeningdFailed(dbid=self.dbid, reason=f"internal error: {what}"))]

    def _from_peer(self, msg: Message) -> Step[None]:
        if isinstance(msg, Error | PeerWarning):
            yield from self._opening.give_up(f"They sent {describe(msg)}")
            return
        phase = self.phase
        handler = FROM_PEER.get((type(phase), type(msg)))
        if handler is None:
            awaited = _AWAITED.get(type(phase), "nothing")
            raise FailChannel(f"Unexpected message {msg.NAME} while waiting for {awaited}")
        yield from handler(self._opening, phase, msg)

    def _from_master(self, msg: Message) -> Step[None]:
        if isinstance(msg, OpeningdCancel):
            self._opening.phase = Finished(opened=False)
            yield Log("debug", f"opening canceled: {msg.reason}")
            yield SendPeer(make_error(self._opening.channel_id, msg.reason))
            return
        handler = FROM_MASTER.get((type(self.phase), type(msg)))
        if handler is None:
            raise TypeError(f"the master sent {msg.NAME} in phase {self.phase!r}")
        yield from handler(self._opening, self.phase, msg)

    def _guarded(self, step: Step[None]) -> Step[None]:
        """A refusal of hsmd or the master ends the opening, politely."""
        try:
            yield from step
        except Refused as err:
            yield Log("unusual", f"a request was refused: {err}")
            raise FailChannel(f"Cannot open: {err}") from err


def _temporary_id(request: OpeningdOpen | OpeningdGotOpen) -> ChannelId:
    if isinstance(request, OpeningdOpen):
        return request.temporary_channel_id
    return v1_accepter.temporary_id_of(request.msg)
