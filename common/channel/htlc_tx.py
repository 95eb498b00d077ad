"""HTLC-timeout and HTLC-success transactions: the second stage of the owner's own commitment.

BOLT 3, "HTLC-Timeout and HTLC-Success Transactions". To sign or check the signatures of a whole
commitment use `htlc_sighashes`, which hashes straight from bytes without building transactions.
"""

from __future__ import annotations

import struct

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.compact_size import with_length
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL, SIGHASH_SINGLE_ANYONECANPAY
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.commitment_tx import (
    CommitmentOutput,
    CommitmentTx,
    OutputKind,
)
from pylightningd.common.channel.fees import htlc_success_fee, htlc_timeout_fee
from pylightningd.common.keys import sig_to_der

_ZERO32 = bytes(32)


def remote_sighash_type(*, anchors: bool) -> int:
    """How the other party signs HTLC transactions: under anchors, others may add inputs and outputs."""
    # BOLT 5, "Generation of HTLC Transactions".
    return SIGHASH_SINGLE_ANYONECANPAY if anchors else SIGHASH_ALL


def htlc_sighashes(commitment: CommitmentTx, sighash: int | None = None) -> list[bytes]:
    """Digests of all HTLC transactions, in the order `commitment_signed` sends signatures.

    Without `sighash`, what the *other* party signs (and sends); the owner's own signature, made when
    broadcasting, is SIGHASH_ALL.
    """
    params, keys, rate = commitment.params, commitment.keys, commitment.feerate_perkw
    if sighash is None:
        sighash = remote_sighash_type(anchors=params.anchors)
    all_inputs = not sighash & 0x80
    sequence = struct.pack("<I", 1 if params.anchors else 0)
    sequences = sha256d(sequence) if all_inputs else _ZERO32
    timeout_fee = htlc_timeout_fee(rate, anchors=params.anchors).sat
    success_fee = htlc_success_fee(rate, anchors=params.anchors).sat
    paid_to = with_length(
        sc.p2wsh(sc.to_local_script(keys.revocation, keys.owner_delayed, params.to_self_delay))
    )
    txid = commitment.txid
    pack_u32, pack_u64 = struct.Struct("<I").pack, struct.Struct("<Q").pack
    version, tail = pack_u32(2), pack_u32(sighash)
    digests: list[bytes] = []
    for index, output in enumerate(commitment.outputs):
        htlc = output.htlc
        if htlc is None:
            continue
        amount_sat = output.amount.sat
        if output.kind is OutputKind.OFFERED_HTLC:
            locktime, fee = htlc.cltv_expiry, timeout_fee
        else:
            locktime, fee = 0, success_fee
        prevout = txid + pack_u32(index)
        digests.append(
            sha256d(
                version
                + (sha256d(prevout) if all_inputs else _ZERO32)
                + sequences
                + prevout
                + with_length(output.witness_script)
                + pack_u64(amount_sat)
                + sequence
                + sha256d(pack_u64(amount_sat - fee) + paid_to)
                + pack_u32(locktime)
                + tail
            )
        )
    return digests


def make_htlc_tx(commitment: CommitmentTx, index: int) -> Tx:
    """The unsigned HTLC transaction that spends output `index` of the commitment.

    Raises ValueError where that output is no HTLC.
    """
    output = _htlc_output(commitment, index)
    params, keys, rate = commitment.params, commitment.keys, commitment.feerate_perkw
    assert output.htlc is not None
    if output.kind is OutputKind.OFFERED_HTLC:
        locktime = output.htlc.cltv_expiry
        fee = htlc_timeout_fee(rate, anchors=params.anchors)
    else:
        locktime, fee = 0, htlc_success_fee(rate, anchors=params.anchors)
    script = sc.to_local_script(keys.revocation, keys.owner_delayed, params.to_self_delay)
    return Tx(
        version=2,
        inputs=(TxIn(commitment.txid, index, b"", 1 if params.anchors else 0),),
        outputs=(TxOut(output.amount - fee, sc.p2wsh(script)),),
        locktime=locktime,
    )


def make_htlc_txs(commitment: CommitmentTx) -> list[tuple[int, Tx]]:
    """All HTLC transactions with the index of the output each spends, in the order of signatures."""
    return [
        (index, make_htlc_tx(commitment, index))
        for index, output in enumerate(commitment.outputs)
        if output.htlc is not None
    ]


def signed_htlc_tx(
    commitment: CommitmentTx,
    index: int,
    owner_sig: bytes,
    other_sig: bytes,
    preimage: bytes | None = None,
) -> Tx:
    """Ready to broadcast, from compact signatures; `preimage` for an HTLC the owner received."""
    output = _htlc_output(commitment, index)
    witness = (
        b"",
        sig_to_der(other_sig, remote_sighash_type(anchors=commitment.params.anchors)),
        sig_to_der(owner_sig, SIGHASH_ALL),
        preimage if preimage is not None else b"",
        output.witness_script,
    )
    return make_htlc_tx(commitment, index).with_witness(0, witness)


def htlc_tx_fee(commitment: CommitmentTx, index: int) -> Sat:
    """Fee of the HTLC transaction that spends output `index`."""
    output = _htlc_output(commitment, index)
    fee = htlc_timeout_fee if output.kind is OutputKind.OFFERED_HTLC else htlc_success_fee
    return fee(commitment.feerate_perkw, anchors=commitment.params.anchors)


def _htlc_output(commitment: CommitmentTx, index: int) -> CommitmentOutput:
    output = commitment.outputs[index]
    if output.htlc is None:
        raise ValueError(f"output {index} of the commitment is {output.kind.value}, not an HTLC")
    return output
