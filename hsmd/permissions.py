"""What a link may ask: message type -> rights, and which messages speak for one channel.

The table names every message that can come to hsmd; a test holds it to the wire file. The master's link
has MASTER and may ask anything.
"""

from __future__ import annotations

from enum import IntFlag

from pylightningd.common.wire import hsmd_wire as w
from pylightningd.common.wire.runtime import Message


class Capability(IntFlag):
    """Bits of `bus_add_link.capabilities`."""

    ECDH = 1
    COMMITMENT = 2
    """Points, signatures for the peer's commitment, revoking, checking a secret."""
    SIGN_CLOSE = 4
    ONCHAIN = 8
    MASTER = 16
    GOSSIP = 32


C = Capability

NEEDED: dict[type[Message], Capability] = {
    w.HsmdInit: C.MASTER,
    w.HsmdAssignChannel: C.MASTER,
    w.HsmdUnassignChannel: C.MASTER,
    w.HsmdSetupChannel: C.COMMITMENT,  # while it is being opened; see machine.py
    w.HsmdGetBasepoints: C.MASTER,
    w.HsmdGetPerCommitmentPoint: C.COMMITMENT,
    w.HsmdSignRemoteCommitment: C.COMMITMENT,
    w.HsmdRevokeCommitment: C.COMMITMENT,
    w.HsmdCheckSecret: C.COMMITMENT,
    w.HsmdSignLocalCommitment: C.MASTER,
    w.HsmdCompareRecords: C.MASTER,
    w.HsmdSignMutualClose: C.SIGN_CLOSE,
    w.HsmdSignClaims: C.ONCHAIN,
    w.HsmdSignToRemote: C.ONCHAIN,
    w.HsmdSignAnchor: C.ONCHAIN,
    w.HsmdSignWithdrawal: C.MASTER,
    w.HsmdEcdh: C.ECDH,
    w.HsmdSignChannelAnnouncement: C.GOSSIP,
    w.HsmdSignGossip: C.GOSSIP,
    w.HsmdSignInvoice: C.MASTER,
    w.HsmdSignMessage: C.MASTER,
    w.HsmdDeriveSecret: C.MASTER,
    w.HsmdSignBolt12: C.MASTER,
}

FOR_ONE_CHANNEL: frozenset[type[Message]] = frozenset(
    {
        w.HsmdGetPerCommitmentPoint,
        w.HsmdSignRemoteCommitment,
        w.HsmdRevokeCommitment,
        w.HsmdCheckSecret,
        w.HsmdSignLocalCommitment,
        w.HsmdSignMutualClose,
        w.HsmdSignClaims,
        w.HsmdSignToRemote,
        w.HsmdSignAnchor,
        w.HsmdSignChannelAnnouncement,
    }
)
"""The dbid in these must be assigned to the link that asks."""


class Refusal(Exception):
    """hsmd will not do it; the text goes to the asker."""


def check_right(rights: Capability, message: type[Message]) -> None:
    """Raise Refusal unless a link with these rights may send such a message."""
    if rights & C.MASTER:
        return
    needed = NEEDED.get(message)
    if needed is None or not rights & needed:
        raise Refusal(f"this link has no right to {message.NAME}")
