"""What a signature covers: BIP 143 (segwit version 0) and BIP 341 (taproot, key path).

For the many HTLC transactions of one commitment use `channel.htlc_tx.htlc_sighashes`, which does not
build them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.compact_size import with_length
from pylightningd.common.bitcoin.hashes import sha256d, tagged_hash
from pylightningd.common.bitcoin.tx import Tx, TxOut

SIGHASH_DEFAULT = 0x00
SIGHASH_ALL = 0x01
SIGHASH_NONE = 0x02
SIGHASH_SINGLE = 0x03
SIGHASH_ANYONECANPAY = 0x80
SIGHASH_SINGLE_ANYONECANPAY = SIGHASH_SINGLE | SIGHASH_ANYONECANPAY
_ZERO32 = bytes(32)


def bip143_sighash(
    tx: Tx, index: int, script_code: bytes, amount: Sat, sighash: int = SIGHASH_ALL
) -> bytes:
    """Digest for one segwit version 0 input that spends `amount`, 32 bytes.

    `script_code` is the witness script (p2wsh) or `script.p2wpkh_script_code` (p2wpkh).
    """
    base = sighash & 0x1F
    anyone = bool(sighash & SIGHASH_ANYONECANPAY)
    prevouts = sequences = outputs = _ZERO32
    if not anyone:
        prevouts = sha256d(b"".join(i.prevout() for i in tx.inputs))
        if base not in (SIGHASH_NONE, SIGHASH_SINGLE):
            sequences = sha256d(b"".join(struct.pack("<I", i.sequence) for i in tx.inputs))
    if base == SIGHASH_SINGLE:
        if index < len(tx.outputs):
            outputs = sha256d(tx.outputs[index].serialize())
    elif base != SIGHASH_NONE:
        outputs = sha256d(b"".join(o.serialize() for o in tx.outputs))
    txin = tx.inputs[index]
    return sha256d(
        struct.pack("<I", tx.version)
        + prevouts
        + sequences
        + txin.prevout()
        + with_length(script_code)
        + struct.pack("<QI", amount.sat, txin.sequence)
        + outputs
        + struct.pack("<II", tx.locktime, sighash)
    )


def bip143_sighashes(tx: Tx, inputs: Iterable[tuple[int, bytes, Sat]]) -> list[bytes]:
    """`bip143_sighash` with SIGHASH_ALL of many inputs (index, script code, amount), the common part made once."""
    start = (
        struct.pack("<I", tx.version)
        + sha256d(b"".join(i.prevout() for i in tx.inputs))
        + sha256d(b"".join(struct.pack("<I", i.sequence) for i in tx.inputs))
    )
    end = sha256d(b"".join(o.serialize() for o in tx.outputs)) + struct.pack(
        "<II", tx.locktime, SIGHASH_ALL
    )
    return [
        sha256d(
            start
            + tx.inputs[index].prevout()
            + with_length(script_code)
            + struct.pack("<QI", amount.sat, tx.inputs[index].sequence)
            + end
        )
        for index, script_code, amount in inputs
    ]


def bip341_sighash(
    tx: Tx, index: int, spent: Sequence[TxOut], sighash: int = SIGHASH_DEFAULT
) -> bytes:
    """Digest for one taproot input spent by its key, 32 bytes. `spent`: what each input spends, in order."""
    base = sighash & 3
    anyone = bool(sighash & SIGHASH_ANYONECANPAY)
    if base == SIGHASH_SINGLE and index >= len(tx.outputs):
        raise ValueError(f"input {index} signs an output that does not exist")
    parts = [b"\0", bytes((sighash,)), struct.pack("<II", tx.version, tx.locktime)]
    if not anyone:
        parts += [
            sha256(b"".join(i.prevout() for i in tx.inputs)).digest(),
            sha256(b"".join(struct.pack("<Q", o.amount.sat) for o in spent)).digest(),
            sha256(b"".join(with_length(o.script) for o in spent)).digest(),
            sha256(b"".join(struct.pack("<I", i.sequence) for i in tx.inputs)).digest(),
        ]
    if base not in (SIGHASH_NONE, SIGHASH_SINGLE):
        parts.append(sha256(b"".join(o.serialize() for o in tx.outputs)).digest())
    parts.append(b"\0")  # key path, no annex
    if anyone:
        txin = tx.inputs[index]
        parts += [
            txin.prevout(),
            spent[index].serialize(),
            struct.pack("<I", txin.sequence),
        ]
    else:
        parts.append(struct.pack("<I", index))
    if base == SIGHASH_SINGLE:
        parts.append(sha256(tx.outputs[index].serialize()).digest())
    return tagged_hash("TapSighash", b"".join(parts))


def taproot_tweak(internal_key: bytes, merkle_root: bytes = b"") -> bytes:
    """BIP 341's tweak for an x-only internal key; no root for an output with only a key path."""
    return tagged_hash("TapTweak", internal_key + merkle_root)
