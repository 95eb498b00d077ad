"""Bitcoin transactions as values.

Plain bytes and struct, so that a commitment with a thousand outputs stays cheap. Txids are in
serialised order (see `common.ids`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Self

from pylightningd.common.amount import MAX_SAT, Sat
from pylightningd.common.bitcoin.compact_size import (
    read_compact_size,
    with_length,
    write_compact_size,
)
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Outpoint, Txid

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
SEQUENCE_FINAL = 0xFFFFFFFF
SEQUENCE_RBF = 0xFFFFFFFD


@dataclass(frozen=True, slots=True)
class TxIn:
    """One input; `witness` is its stack, empty where there is none."""

    txid: Txid
    index: int
    script_sig: bytes = b""
    sequence: int = SEQUENCE_FINAL
    witness: tuple[bytes, ...] = ()

    @property
    def outpoint(self) -> Outpoint:
        """What it spends."""
        return Outpoint(self.txid, self.index)

    def prevout(self) -> bytes:
        """What it spends, as serialised: 36 bytes."""
        return self.txid + _U32.pack(self.index)

    def serialize(self) -> bytes:
        """Without its witness."""
        return (
            self.txid
            + _U32.pack(self.index)
            + with_length(self.script_sig)
            + _U32.pack(self.sequence)
        )

    def serialize_witness(self) -> bytes:
        """The witness stack, its count first."""
        return write_compact_size(len(self.witness)) + b"".join(map(with_length, self.witness))


@dataclass(frozen=True, slots=True)
class TxOut:
    """One output."""

    amount: Sat
    script: bytes

    def serialize(self) -> bytes:
        """Amount and script as they stand in a transaction."""
        return _U64.pack(self.amount.sat) + with_length(self.script)


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction, signed or not."""

    version: int
    inputs: tuple[TxIn, ...]
    outputs: tuple[TxOut, ...]
    locktime: int = 0

    def has_witness(self) -> bool:
        """Whether any input carries a witness."""
        return any(i.witness for i in self.inputs)

    def serialize(self, *, witness: bool = True) -> bytes:
        """Bytes as the network wants them; without witnesses (for the txid) where asked or none exist."""
        with_witness = witness and self.has_witness()
        parts = [_U32.pack(self.version)]
        if with_witness:
            parts.append(b"\0\1")
        parts.append(write_compact_size(len(self.inputs)))
        parts += [i.serialize() for i in self.inputs]
        parts.append(write_compact_size(len(self.outputs)))
        parts += [o.serialize() for o in self.outputs]
        if with_witness:
            parts += [i.serialize_witness() for i in self.inputs]
        parts.append(_U32.pack(self.locktime))
        return b"".join(parts)

    def txid(self) -> Txid:
        """Its id. Computed anew at each call."""
        return Txid(sha256d(self.serialize(witness=False)))

    def weight(self) -> int:
        """BIP 141 weight in weight units, of what is there (missing witnesses count nothing)."""
        return 3 * len(self.serialize(witness=False)) + len(self.serialize())

    def with_witness(self, index: int, witness: tuple[bytes, ...]) -> Self:
        """The same transaction with the witness of one input put in place."""
        inputs = list(self.inputs)
        inputs[index] = replace(inputs[index], witness=witness)
        return replace(self, inputs=tuple(inputs))

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a whole transaction, nothing left over. Raises WireError, nothing else."""
        tx, end = cls.parse_from(raw, 0)
        if end != len(raw):
            raise WireError(f"{len(raw) - end} bytes follow the transaction")
        return tx

    @classmethod
    def parse_from(cls, raw: bytes, pos: int) -> tuple[Self, int]:
        """Read a transaction that starts at `pos`, and say where it ends. Raises WireError."""
        try:
            return cls._parse_from(raw, pos)
        except struct.error:
            raise WireError("a transaction is cut short") from None

    @classmethod
    def _parse_from(cls, raw: bytes, pos: int) -> tuple[Self, int]:
        (version,) = _U32.unpack_from(raw, pos)
        pos += 4
        segwit = raw[pos : pos + 2] == b"\0\1"
        if segwit:
            pos += 2
        inputs, pos = _parse_inputs(raw, pos)
        outputs, pos = _parse_outputs(raw, pos)
        if segwit:
            for n, txin in enumerate(inputs):
                stack, pos = _parse_stack(raw, pos)
                inputs[n] = replace(txin, witness=stack)
            if not any(i.witness for i in inputs):
                raise WireError("a transaction announces witnesses and has none")
        (locktime,) = _U32.unpack_from(raw, pos)
        return cls(version, tuple(inputs), tuple(outputs), locktime), pos + 4


def _take(raw: bytes, pos: int, n: int) -> tuple[bytes, int]:
    end = pos + n
    if end > len(raw):
        raise WireError(f"a transaction wants {n} bytes at {pos} and has {len(raw) - pos}")
    return raw[pos:end], end


def _take_bytes(raw: bytes, pos: int) -> tuple[bytes, int]:
    n, pos = read_compact_size(raw, pos)
    return _take(raw, pos, n)


def _parse_inputs(raw: bytes, pos: int) -> tuple[list[TxIn], int]:
    count, pos = read_compact_size(raw, pos)
    inputs: list[TxIn] = []
    for _ in range(count):
        txid, pos = _take(raw, pos, 32)
        (index,) = _U32.unpack_from(raw, pos)
        script, pos = _take_bytes(raw, pos + 4)
        (sequence,) = _U32.unpack_from(raw, pos)
        pos += 4
        inputs.append(TxIn(Txid(txid), index, script, sequence))
    return inputs, pos


def _parse_outputs(raw: bytes, pos: int) -> tuple[list[TxOut], int]:
    count, pos = read_compact_size(raw, pos)
    outputs: list[TxOut] = []
    for _ in range(count):
        (amount,) = _U64.unpack_from(raw, pos)
        if amount > MAX_SAT:
            raise WireError(f"an output of {amount} satoshi is more than there is")
        script, pos = _take_bytes(raw, pos + 8)
        outputs.append(TxOut(Sat(amount), script))
    return outputs, pos


def _parse_stack(raw: bytes, pos: int) -> tuple[tuple[bytes, ...], int]:
    count, pos = read_compact_size(raw, pos)
    stack: list[bytes] = []
    for _ in range(count):
        item, pos = _take_bytes(raw, pos)
        stack.append(item)
    return tuple(stack), pos


def parse_witness(raw: bytes) -> tuple[bytes, ...]:
    """A witness stack on its own, its count first. Raises WireError."""
    stack, end = _parse_stack(raw, 0)
    if end != len(raw):
        raise WireError(f"{len(raw) - end} bytes follow the witness")
    return stack
