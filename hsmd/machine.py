"""Who asks what: one table of handlers. A request is answered at once, or refused.

hsmd asks nobody, so there are no steps here: `Hsm.handle` returns the reply. What goes to disk
(`enforcement`) is the shell's work; see there which replies wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pylightningd.common.ids import NodeId
from pylightningd.common.network import Network
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.common.wire.runtime import Message
from pylightningd.hsmd import (
    sign_closing,
    sign_commitment,
    sign_node,
    sign_onchain,
    sign_withdrawal,
)
from pylightningd.hsmd.channel import Channel
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.enforcement import Enforcement, compare_records
from pylightningd.hsmd.permissions import FOR_ONE_CHANNEL, Capability, Refusal, check_right


@dataclass(slots=True)
class Caller:
    """One link: its rights, and the channels the master assigned to it."""

    rights: Capability
    dbids: set[int] = field(default_factory=set)


class Hsm:
    """The keys, all channels, and the records of what is never to be signed again."""

    def __init__(self, node: NodeSecrets, network: Network, records: Enforcement) -> None:
        self.node = node
        self.network = network
        self.records = records
        self.callers: dict[int, Caller] = {0: Caller(Capability.MASTER)}
        """By link id; 0 is the master."""
        self._channels: dict[int, Channel] = {}

    def handle(self, link_id: int, msg: Message) -> Message | None:
        """The reply, None for a message that has none.

        Raises Refusal, or a ValueError of the value that cannot be right.
        """
        kind = type(msg)
        caller = self.callers.get(link_id)
        if caller is None:
            raise Refusal("this link has no rights")
        check_right(caller.rights, kind)
        if isinstance(msg, w.HsmdSetupChannel) and not caller.rights & Capability.MASTER:
            self._check_opening(caller, msg)
        if kind in FOR_ONE_CHANNEL:
            dbid: int = msg.dbid  # type: ignore[attr-defined]  # all of FOR_ONE_CHANNEL have it
            if dbid not in caller.dbids and not caller.rights & Capability.MASTER:
                raise Refusal(f"channel {dbid} is not assigned to this link")
            return _CHANNEL_HANDLERS[kind](self, self._channel(dbid), msg)
        handler = _NODE_HANDLERS.get(kind)
        if handler is None:
            raise Refusal(f"{kind.NAME} is nothing that hsmd can be asked now")
        return handler(self, msg)

    def add_link(self, link_id: int, rights: int) -> None:
        """A new link; its rights come from the master. Only the master's own link has MASTER."""
        self.callers[link_id] = Caller(Capability(rights & ~Capability.MASTER))

    def drop_link(self, link_id: int) -> None:
        """A link is gone, and its rights with it."""
        self.callers.pop(link_id, None)

    # ---- channels --------------------------------------------------------------------------

    def _channel(self, dbid: int) -> Channel:
        channel = self._channels.get(dbid)
        if channel is None:
            raise Refusal(f"channel {dbid} is unknown: the master has not named its peer")
        return channel

    def _know(self, peer_id: NodeId, dbid: int) -> Channel:
        channel = self._channels.get(dbid)
        if channel is None or channel.peer_id != peer_id:
            channel = Channel(peer_id, dbid, self.node.channel(peer_id, dbid))
            self._channels[dbid] = channel
        return channel

    def assign(self, msg: w.HsmdAssignChannel) -> None:
        """From now on the link may act for this channel."""
        caller = self.callers.get(msg.link_id)
        if caller is None:
            raise Refusal(f"there is no link {msg.link_id}")
        self._know(msg.peer_id, msg.dbid)
        caller.dbids.add(msg.dbid)

    def unassign(self, msg: w.HsmdUnassignChannel) -> None:
        """No longer."""
        caller = self.callers.get(msg.link_id)
        if caller is not None:
            caller.dbids.discard(msg.dbid)

    def _check_opening(self, caller: Caller, msg: w.HsmdSetupChannel) -> None:
        """A worker may set up what it opens: only its own, and only while commitment 0 is all there is."""
        dbid, peer_id = msg.channel.dbid, msg.channel.peer_id
        if dbid not in caller.dbids or self._channel(dbid).peer_id != peer_id:
            raise Refusal(f"channel {dbid} is not assigned to this link")
        record = self.records.record(self._channel(dbid).record_key)
        if record.revoked >= 0 or record.remote_signed > 0:
            raise Refusal(f"channel {dbid} is past its opening: only the master may set it up")

    def set_up(self, msg: w.HsmdSetupChannel) -> w.HsmdSetupChannelReply:
        """Take a channel's facts."""
        self._know(msg.channel.peer_id, msg.channel.dbid).set_up(msg.channel)
        return w.HsmdSetupChannelReply()

    def basepoints(self, msg: w.HsmdGetBasepoints) -> w.HsmdGetBasepointsReply:
        """Our public keys of a channel."""
        return w.HsmdGetBasepointsReply(basepoints=self._know(msg.peer_id, msg.dbid).points)

    # ---- the wallet ------------------------------------------------------------------------

    def wallet_key(self, wallet_input: w.WalletInput) -> Secret:
        """The private key that opens a wallet input."""
        if wallet_input.close_dbid:
            return self.node.channel(wallet_input.close_peer_id, wallet_input.close_dbid).payment
        return self.node.wallet_key(wallet_input.key_index, bip86=wallet_input.bip86)


_NODE_HANDLERS: dict[type[Message], Callable[[Hsm, Any], Message | None]] = {
    w.HsmdAssignChannel: lambda h, m: h.assign(m),
    w.HsmdUnassignChannel: lambda h, m: h.unassign(m),
    w.HsmdSetupChannel: lambda h, m: h.set_up(m),
    w.HsmdGetBasepoints: lambda h, m: h.basepoints(m),
    w.HsmdCompareRecords: lambda h, m: compare_records(h.records, m),
    w.HsmdSignWithdrawal: lambda h, m: sign_withdrawal.sign_withdrawal(m, h.wallet_key),
    w.HsmdEcdh: lambda h, m: sign_node.do_ecdh(h.node, m),
    w.HsmdSignGossip: lambda h, m: sign_node.sign_gossip(h.node, h.network, m),
    w.HsmdSignInvoice: lambda h, m: sign_node.sign_invoice(h.node, m),
    w.HsmdSignMessage: lambda h, m: sign_node.sign_message(h.node, m),
    w.HsmdDeriveSecret: lambda h, m: w.HsmdDeriveSecretReply(secret=h.node.derived_secret(m.info)),
    w.HsmdSignBolt12: lambda h, m: sign_node.sign_bolt12(h.node, m),
}

_CHANNEL_HANDLERS: dict[type[Message], Callable[[Hsm, Channel, Any], Message]] = {
    w.HsmdGetPerCommitmentPoint: lambda h, c, m: sign_commitment.get_point(c, m),
    w.HsmdSignRemoteCommitment: lambda h, c, m: sign_commitment.sign_remote(c, h.records, m),
    w.HsmdRevokeCommitment: lambda h, c, m: sign_commitment.revoke(c, h.records, m),
    w.HsmdSignLocalCommitment: lambda h, c, m: sign_commitment.sign_local(c, h.records, m),
    w.HsmdCheckSecret: lambda h, c, m: sign_commitment.check_secret(c, m),
    w.HsmdSignMutualClose: lambda h, c, m: sign_closing.sign_mutual_close(c, m),
    w.HsmdSignClaims: lambda h, c, m: sign_onchain.sign_claims(c, m),
    w.HsmdSignToRemote: lambda h, c, m: sign_onchain.sign_to_remote(c, m),
    w.HsmdSignAnchor: lambda h, c, m: sign_onchain.sign_anchor(c, m),
    w.HsmdSignChannelAnnouncement: lambda h, c, m: sign_node.sign_channel_announcement(
        h.node, h.network, c, m
    ),
}
