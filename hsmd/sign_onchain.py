"""Claims on chain, after a channel's funding output was spent (BOLT 5)."""

from __future__ import annotations

from typing import Protocol

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import bip143_sighash
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.key_derivation import derive_privkey, derive_revocation_privkey
from pylightningd.common.keys import SecretLike, sign_compact
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.channel import Channel
from pylightningd.hsmd.permissions import Refusal


class _Claim(Protocol):
    """What every message here has."""

    @property
    def tx(self) -> bytes: ...
    @property
    def input_index(self) -> int: ...
    @property
    def amount(self) -> Sat: ...
    @property
    def witness_script(self) -> bytes: ...


def _sign(claim: _Claim, key: SecretLike, script_code: bytes | None = None) -> bytes:
    tx = Tx.parse(claim.tx)
    if claim.input_index >= len(tx.inputs):
        raise Refusal(f"there is no input {claim.input_index}")
    code = claim.witness_script if script_code is None else script_code
    return sign_compact(key, bip143_sighash(tx, claim.input_index, code, claim.amount))


def sign_delayed(channel: Channel, msg: w.HsmdSignDelayedPayment) -> w.HsmdSignDelayedPaymentReply:
    """Our to_local output, or the output of one of our HTLC transactions, after its delay."""
    point = channel.commitment_point(msg.commitment_number)
    key = derive_privkey(channel.secrets.delayed_payment, point)
    return w.HsmdSignDelayedPaymentReply(signature=_sign(msg, key))


def sign_local_htlc(channel: Channel, msg: w.HsmdSignLocalHtlc) -> w.HsmdSignLocalHtlcReply:
    """An HTLC transaction of our own commitment, perhaps with inputs added for its fee."""
    point = channel.commitment_point(msg.commitment_number)
    key = channel.htlc_key(point)
    return w.HsmdSignLocalHtlcReply(signature=_sign(msg, key))


def sign_remote_htlc(channel: Channel, msg: w.HsmdSignRemoteHtlc) -> w.HsmdSignRemoteHtlcReply:
    """An HTLC output of the peer's commitment."""
    key = channel.htlc_key(msg.remote_per_commitment_point)
    return w.HsmdSignRemoteHtlcReply(signature=_sign(msg, key))


def sign_penalty(channel: Channel, msg: w.HsmdSignPenalty) -> w.HsmdSignPenaltyReply:
    """An output of a commitment that the peer had revoked."""
    key = derive_revocation_privkey(channel.secrets.revocation, msg.revocation_secret)
    return w.HsmdSignPenaltyReply(signature=_sign(msg, key))


def sign_to_remote(channel: Channel, msg: w.HsmdSignToRemote) -> w.HsmdSignToRemoteReply:
    """Our own balance in the peer's commitment."""
    code = msg.witness_script or sc.p2wpkh_script_code(channel.points.payment)
    return w.HsmdSignToRemoteReply(signature=_sign(msg, channel.secrets.payment, code))


def sign_anchor(channel: Channel, msg: w.HsmdSignAnchor) -> w.HsmdSignAnchorReply:
    """Our anchor. Raises Refusal for any other script: the funding key signs this."""
    if msg.witness_script != sc.anchor_script(channel.points.funding_pubkey):
        raise Refusal("this is not our anchor's script")
    return w.HsmdSignAnchorReply(signature=_sign(msg, channel.secrets.funding))
