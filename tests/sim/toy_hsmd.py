"""An hsmd for one channel in memory: real keys and signatures, and it refuses what a real one must refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from pylightningd.channeld.state import Facts
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.commitment_tx import CommitmentTx, make_commitment
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.channel.htlc_tx import htlc_sighashes
from pylightningd.common.channel.keyset import derive_keyset
from pylightningd.common.key_derivation import (
    derive_privkey,
    per_commitment_point,
    per_commitment_secret,
)
from pylightningd.common.keys import ecdh, pubkey_from_secret, sign_compact
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.common_wire import Basepoints, CommitmentContent
from pylightningd.common.wire.runtime import Message


def secret_of(name: str, what: str) -> bytes:
    """A fixed private key."""
    return sha256(f"{name}/{what}".encode()).digest()


def basepoints_of(name: str) -> Basepoints:
    """The public halves."""
    kinds = ("funding_pubkey", "revocation", "payment", "delayed_payment", "htlc")
    return Basepoints(**{k: pubkey_from_secret(secret_of(name, k)) for k in kinds})


@dataclass
class ToyHsmd:
    """Survives crashes of the channel's worker."""

    name: str
    revoked: int = 0
    """Commitments below this number are given up."""
    signed: dict[int, CommitmentTx] = field(default_factory=dict)
    """What was signed last for the peer, by number."""

    @property
    def seed(self) -> bytes:
        """Of our per-commitment secrets."""
        return secret_of(self.name, "seed")

    @property
    def node_id(self) -> bytes:
        """Our node's key."""
        return pubkey_from_secret(secret_of(self.name, "node"))

    def answer(self, request: Message, facts: Facts) -> Message:
        """The reply to a request."""
        match request:
            case hw.HsmdGetPerCommitmentPoint(number=number):
                return hw.HsmdGetPerCommitmentPointReply(
                    point=per_commitment_point(self.seed, number)
                )
            case hw.HsmdRevokeCommitment(number=number):
                assert number <= self.revoked, "revokes in order"
                self.revoked = max(self.revoked, number + 1)
                return hw.HsmdRevokeCommitmentReply(
                    old_secret=per_commitment_secret(self.seed, number),
                    next_point=per_commitment_point(self.seed, number + 2),
                )
            case hw.HsmdCheckSecret(number=number, secret=secret):
                return hw.HsmdCheckSecretReply(
                    correct=secret == per_commitment_secret(self.seed, number)
                )
            case hw.HsmdEcdh(points=points):
                key = secret_of(self.name, "node")
                return hw.HsmdEcdhReply(secrets=tuple(Secret(ecdh(key, p)) for p in points))
            case hw.HsmdSignRemoteCommitment():
                return self._sign(request, facts)
            case _:
                raise AssertionError(f"unexpected {request!r}")

    def _sign(
        self, request: hw.HsmdSignRemoteCommitment, facts: Facts
    ) -> hw.HsmdSignRemoteCommitmentReply:
        point = request.remote_per_commitment_point
        local, remote = facts.basepoints
        keys = derive_keyset(point, remote, local)
        commitment = make_commitment(
            facts.params[Side.REMOTE], keys, request.content.number, spec_of(request.content)
        )
        self.signed[request.content.number] = commitment
        htlc_key = derive_privkey(secret_of(self.name, "htlc"), point)
        return hw.HsmdSignRemoteCommitmentReply(
            signature=sign_compact(secret_of(self.name, "funding_pubkey"), commitment.sighash()),
            htlc_signatures=tuple(sign_compact(htlc_key, d) for d in htlc_sighashes(commitment)),
        )


def spec_of(content: CommitmentContent) -> CommitmentSpec:
    """The peer's commitment, its owner's HTLCs being REMOTE's."""
    htlcs = tuple(
        Htlc(
            id=h.id,
            offerer=Side.REMOTE if h.offered else Side.LOCAL,
            amount=h.amount,
            payment_hash=h.payment_hash,
            cltv_expiry=h.cltv_expiry,
            state=HtlcState.SENT_ADD_ACK_REVOCATION,
        )
        for h in content.htlcs
    )
    return CommitmentSpec(
        Side.REMOTE, content.feerate_perkw, content.to_local, content.to_remote, htlcs
    )
