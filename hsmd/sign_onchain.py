"""Claims on chain, after a channel's funding output was spent (BOLT 5)."""

from __future__ import annotations

from typing import Protocol

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import bip143_sighash, bip143_sighashes
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.key_derivation import derive_privkey, derive_revocation_privkey
from pylightningd.common.keys import SecretLike, sign_compact
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.channel import Channel
from pylightningd.hsmd.permissions import Refusal


class _Claim(Protocol):
    """What every message for one input has."""

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
    _check_index(tx, claim.input_index)
    code = claim.witness_script if script_code is None else script_code
    return sign_compact(key, bip143_sighash(tx, claim.input_index, code, claim.amount))


def _check_index(tx: Tx, index: int) -> None:
    if index >= len(tx.inputs):
        raise Refusal(f"there is no input {index}")


def sign_claims(channel: Channel, msg: w.HsmdSignClaims) -> w.HsmdSignClaimsReply:
    """Inputs of one transaction that takes outputs of a closed channel. Raises Refusal for one it cannot sign."""
    tx = Tx.parse(msg.tx)
    for claim in msg.inputs:
        _check_index(tx, claim.input_index)
    digests = bip143_sighashes(
        tx, [(c.input_index, c.witness_script, c.amount) for c in msg.inputs]
    )
    keys: dict[tuple[object, ...], SecretLike] = {}
    signatures = []
    for claim, digest in zip(msg.inputs, digests, strict=True):
        of = claim.signer, claim.commitment_number, claim.point, claim.revocation_secret
        if of not in keys:
            keys[of] = _claim_key(channel, claim)
        signatures.append(sign_compact(keys[of], digest))
    return w.HsmdSignClaimsReply(signatures=tuple(signatures))


def _claim_key(channel: Channel, claim: w.ClaimInput) -> SecretLike:
    """The key for one `signer` of hsmd_wire.csv."""
    match claim.signer:
        case 1:
            point = channel.commitment_point(claim.commitment_number)
            return derive_privkey(channel.secrets.delayed_payment, point)
        case 2:
            return channel.htlc_key(channel.commitment_point(claim.commitment_number))
        case 3 if claim.point is not None:
            return channel.htlc_key(claim.point)
        case 4 if claim.revocation_secret is not None:
            return derive_revocation_privkey(channel.secrets.revocation, claim.revocation_secret)
        case _:
            raise Refusal(f"no key fits signer {claim.signer}")


def sign_to_remote(channel: Channel, msg: w.HsmdSignToRemote) -> w.HsmdSignToRemoteReply:
    """Our own balance in the peer's commitment."""
    code = msg.witness_script or sc.p2wpkh_script_code(channel.points.payment)
    return w.HsmdSignToRemoteReply(signature=_sign(msg, channel.secrets.payment, code))


def sign_anchor(channel: Channel, msg: w.HsmdSignAnchor) -> w.HsmdSignAnchorReply:
    """Our anchor. Raises Refusal for any other script: the funding key signs this."""
    if msg.witness_script != sc.anchor_script(channel.points.funding_pubkey):
        raise Refusal("this is not our anchor's script")
    return w.HsmdSignAnchorReply(signature=_sign(msg, channel.secrets.funding))
