"""Whose spend of the funding output is it? (BOLT 5, "Commitment Transaction" and the sections after it)"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import commitment_number_of
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.secret import Secret
from pylightningd.common.shachain import MAX_INDEX, Shachain
from pylightningd.onchaind.state import Facts, TxKind


class CloseKind(Enum):
    """The cases of BOLT 5."""

    MUTUAL = "mutual"
    OURS = "ours"
    THEIRS = "theirs"
    """One that we signed and they have not revoked."""
    REVOKED = "revoked"
    FUTURE = "future"
    """Newer than any we remember: we lost data."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Close:
    """The case, with what is needed to derive the commitment's keys."""

    kind: CloseKind
    number: int = 0
    point: bytes | None = None
    """The owner's per-commitment point."""
    secret: Secret | None = None
    """The per-commitment secret, where it is revoked."""

    @property
    def owner(self) -> Side:
        """Whose commitment it is."""
        return Side.LOCAL if self.kind is CloseKind.OURS else Side.REMOTE

    @property
    def tx_kind(self) -> TxKind:
        """For logs."""
        return _TX_KINDS[self.kind]

    @property
    def status(self) -> str:
        """What listpeerchannels says."""
        if self.kind is CloseKind.FUTURE and self.point is None:
            return "ERROR: FUNDS LOST.  Unknown commitment!"
        return _STATUS[self.kind]


_TX_KINDS = {
    CloseKind.MUTUAL: TxKind.MUTUAL_CLOSE,
    CloseKind.OURS: TxKind.OUR_UNILATERAL,
    CloseKind.THEIRS: TxKind.THEIR_UNILATERAL,
    CloseKind.REVOKED: TxKind.THEIR_REVOKED_UNILATERAL,
    CloseKind.FUTURE: TxKind.UNKNOWN_UNILATERAL,
    CloseKind.UNKNOWN: TxKind.UNKNOWN_UNILATERAL,
}
_STATUS = {
    CloseKind.MUTUAL: "Tracking mutual close transaction",
    CloseKind.OURS: "Tracking our own unilateral close",
    CloseKind.THEIRS: "Tracking their unilateral close",
    CloseKind.REVOKED: "Tracking their illegal close: taking all funds",
    CloseKind.FUTURE: "ERROR: Unknown commitment, recovering our funds!",
    CloseKind.UNKNOWN: "ERROR: FUNDS LOST.  Unknown commitment!",
}


def classify(facts: Facts) -> Close:
    """Tell the case of `facts.tx`."""
    told = facts.told
    if told.local_tx and facts.txid == Tx.parse(told.local_tx).txid():
        return Close(CloseKind.OURS, told.local_number, told.local_point)
    number = commitment_number_of(facts.tx, facts.theirs.obscuring_factor)
    # Restored from a static channel backup: see `Channel.is_stub` of the master.
    is_stub = told.future_remote_point == told.channel.peer_id
    if number is None and is_stub:
        return Close(CloseKind.MUTUAL)
    if number is None:
        return Close(CloseKind.MUTUAL if is_mutual_close(facts) else CloseKind.UNKNOWN)
    if number < told.revocations_received:
        secret = Secret(Shachain.decode(told.shachain).lookup(MAX_INDEX - number))
        return Close(CloseKind.REVOKED, number, pubkey_from_secret(secret), secret)
    if number == told.revocations_received and not is_stub:
        return Close(CloseKind.THEIRS, number, told.remote_current_point)
    if number == told.revocations_received + 1 and number <= told.signed_remote:
        return Close(CloseKind.THEIRS, number, told.remote_next_point)
    return Close(CloseKind.FUTURE, number, told.future_remote_point)


def is_mutual_close(facts: Facts) -> bool:
    """Whether it pays to nothing but the two scripts that shutdown named."""
    # BOLT 5, "Mutual Close Handling": there can be several, of different fees; all pay to these scripts.
    scripts = {facts.told.local_shutdown_script, facts.told.remote_shutdown_script} - {b""}
    return bool(facts.tx.outputs) and all(o.script in scripts for o in facts.tx.outputs)
