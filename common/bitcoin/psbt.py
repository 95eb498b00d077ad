"""Partially signed transactions (BIP 174, BIP 370), a thin layer over libwally.

The one mutable thing in this package: a `Psbt` is built up by its owner. Amounts, scripts and
transactions go in and out as our own values. Inside it is always version 2, as in CLN; either
version is read, and `to_base64(version=0)` writes what older wallets read.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import wallycore as wally

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.compact_size import read_compact_size
from pylightningd.common.bitcoin.tx import SEQUENCE_RBF, Tx, TxOut, parse_witness
from pylightningd.common.ids import Outpoint, Txid

_SERIALIZE_FLAGS = 0


def proprietary_key(field_type: int) -> bytes:
    """Key of one of CLN's own fields (BIP 174, proprietary type, prefix "lightning")."""
    return b"\xfc\x09lightning" + bytes((field_type,))


SERIAL_ID_KEY = proprietary_key(1)
"""On inputs and outputs: the serial_id of interactive construction, 8 bytes big-endian."""
INPUT_MARKER_KEY = proprietary_key(2)
"""On inputs: they are ours. The value is one byte, 1."""
OUTPUT_EXTERNAL_KEY = proprietary_key(4)
"""On outputs: they do not pay to our wallet. The value is one byte, 1."""
CHANNEL_IDS_KEY = proprietary_key(8)
"""Global: the channels a splice is about."""


class PsbtError(ValueError):
    """Bytes that are no PSBT, or an operation it does not allow."""


def _wally_tx(tx: Tx) -> Any:
    return wally.tx_from_bytes(tx.serialize(), 0)


class Psbt:
    """A PSBT. Indexes count inputs and outputs from 0."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    # ---- making and reading -----------------------------------------------------------------

    @classmethod
    def new(cls, *, locktime: int = 0, tx_version: int = 2) -> Self:
        """An empty one that may grow."""
        psbt = cls(wally.psbt_init(2, 0, 0, 0, 0))
        wally.psbt_set_tx_version(psbt._raw, tx_version)
        wally.psbt_set_fallback_locktime(psbt._raw, locktime)
        wally.psbt_set_tx_modifiable_flags(
            psbt._raw, wally.WALLY_PSBT_TXMOD_INPUTS | wally.WALLY_PSBT_TXMOD_OUTPUTS
        )
        return psbt

    @classmethod
    def from_tx(cls, tx: Tx) -> Self:
        """For an unsigned transaction."""
        psbt = cls(wally.psbt_from_tx(_wally_tx(tx), 0, 0))
        psbt.set_version(2)
        return psbt

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read either version. Raises PsbtError."""
        try:
            psbt = cls(wally.psbt_from_bytes(raw, 0))
        except ValueError as e:
            raise PsbtError("these bytes are not a PSBT") from e
        psbt.set_version(2)
        return psbt

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """Read either version. Raises PsbtError."""
        try:
            return cls.from_bytes(base64.b64decode(text, validate=True))
        except binascii.Error as e:
            raise PsbtError("a PSBT is base64, and this is not") from e

    def to_bytes(self, version: int = 2) -> bytes:
        """Serialised, in the version asked for."""
        source = self if version == 2 else self.clone()
        source.set_version(version)
        return bytes(wally.psbt_to_bytes(source._raw, _SERIALIZE_FLAGS))

    def to_base64(self, version: int = 2) -> str:
        """Serialised as text."""
        return base64.b64encode(self.to_bytes(version)).decode()

    def clone(self) -> Self:
        """A copy that shares nothing."""
        return type(self)(wally.psbt_clone(self._raw, 0))

    def set_version(self, version: int) -> None:
        """Convert to version 0 or 2. Raises PsbtError."""
        if wally.psbt_get_version(self._raw) != version:
            self._do(wally.psbt_set_version, 0, version)

    def _do(self, function: Any, *args: Any) -> Any:
        try:
            return function(self._raw, *args)
        except (ValueError, RuntimeError) as e:
            raise PsbtError(f"{function.__name__}: {e}") from e

    # ---- what is in it ----------------------------------------------------------------------

    @property
    def input_count(self) -> int:
        """How many inputs."""
        return int(wally.psbt_get_num_inputs(self._raw))

    @property
    def output_count(self) -> int:
        """How many outputs."""
        return int(wally.psbt_get_num_outputs(self._raw))

    def unsigned_tx(self) -> Tx:
        """The transaction without script_sigs and witnesses."""
        raw = wally.psbt_extract(
            self._raw, wally.WALLY_PSBT_EXTRACT_NON_FINAL
        ) if self.input_count else None  # fmt: skip
        if raw is None:
            return Tx(int(wally.psbt_get_tx_version(self._raw)), (), self.outputs(), self.locktime)
        tx = Tx.parse(bytes(wally.tx_to_bytes(raw, wally.WALLY_TX_FLAG_USE_WITNESS)))
        return _without_signatures(tx)

    def txid(self) -> Txid:
        """Id of the transaction, once all its inputs are segwit."""
        return self.unsigned_tx().txid()

    @property
    def locktime(self) -> int:
        """The transaction's locktime."""
        return int(wally.psbt_get_locktime(self._raw))

    def outpoint(self, index: int) -> Outpoint:
        """What an input spends."""
        return Outpoint(
            Txid(bytes(self._do(wally.psbt_get_input_previous_txid, index))),
            int(self._do(wally.psbt_get_input_output_index, index)),
        )

    def spent_output(self, index: int) -> TxOut | None:
        """The output an input spends, if the PSBT says: from its witness_utxo, or the whole transaction."""
        utxo = self._do(wally.psbt_get_input_utxo, index)
        if utxo is not None:
            previous = Tx.parse(bytes(wally.tx_to_bytes(utxo, wally.WALLY_TX_FLAG_USE_WITNESS)))
            point = self.outpoint(index)
            if previous.txid() != point.txid or point.index >= len(previous.outputs):
                raise PsbtError(f"input {index}: the utxo is not the transaction it spends")
            return previous.outputs[point.index]
        output = self._do(wally.psbt_get_input_witness_utxo, index)
        if output is None:
            return None
        return TxOut(
            Sat(wally.tx_output_get_satoshi(output)), bytes(wally.tx_output_get_script(output))
        )

    def previous_tx(self, index: int) -> Tx | None:
        """The whole transaction that an input spends from, if the PSBT has it."""
        utxo = self._do(wally.psbt_get_input_utxo, index)
        if utxo is None:
            return None
        return Tx.parse(bytes(wally.tx_to_bytes(utxo, wally.WALLY_TX_FLAG_USE_WITNESS)))

    def output(self, index: int) -> TxOut:
        """One output."""
        return TxOut(
            Sat(self._do(wally.psbt_get_output_amount, index)),
            bytes(self._do(wally.psbt_get_output_script, index)),
        )

    def outputs(self) -> tuple[TxOut, ...]:
        """All outputs."""
        return tuple(self.output(n) for n in range(self.output_count))

    def fee(self) -> Sat:
        """Inputs minus outputs. Raises PsbtError where a utxo is missing or outputs exceed inputs."""
        total = 0
        for n in range(self.input_count):
            spent = self.spent_output(n)
            if spent is None:
                raise PsbtError(f"input {n} has no utxo")
            total += spent.amount.sat
        fee = total - sum(o.amount.sat for o in self.outputs())
        if fee < 0:
            raise PsbtError(f"the outputs exceed the inputs by {-fee}sat")
        return Sat(fee)

    # ---- building ---------------------------------------------------------------------------

    def add_input(
        self,
        outpoint: Outpoint,
        *,
        sequence: int = SEQUENCE_RBF,
        utxo: TxOut | None = None,
        previous_tx: Tx | None = None,
        witness_script: bytes | None = None,
        redeem_script: bytes | None = None,
        at: int | None = None,
    ) -> int:
        """Put an input in place (at the end, or at `at`) and return its index."""
        index = self.input_count if at is None else at
        tx_input = wally.tx_input_init(outpoint.txid, outpoint.index, sequence, None, None)
        self._do(wally.psbt_add_tx_input_at, index, 0, tx_input)
        if utxo is not None:
            self.set_witness_utxo(index, utxo)
        if previous_tx is not None:
            self._do(wally.psbt_set_input_utxo, index, _wally_tx(previous_tx))
        if witness_script is not None:
            self._do(wally.psbt_set_input_witness_script, index, witness_script)
        if redeem_script is not None:
            self._do(wally.psbt_set_input_redeem_script, index, redeem_script)
        return index

    def add_output(self, output: TxOut, *, at: int | None = None) -> int:
        """Put an output in place (at the end, or at `at`) and return its index."""
        index = self.output_count if at is None else at
        tx_output = wally.tx_output_init(output.amount.sat, output.script)
        self._do(wally.psbt_add_tx_output_at, index, 0, tx_output)
        return index

    def remove_input(self, index: int) -> None:
        """Take an input out."""
        self._do(wally.psbt_remove_input, index)

    def remove_output(self, index: int) -> None:
        """Take an output out."""
        self._do(wally.psbt_remove_output, index)

    def set_output_amount(self, index: int, amount: Sat) -> None:
        """Change what an output pays."""
        self._do(wally.psbt_set_output_amount, index, amount.sat)

    def set_witness_utxo(self, index: int, utxo: TxOut) -> None:
        """Say which segwit output an input spends."""
        self._do(
            wally.psbt_set_input_witness_utxo,
            index,
            wally.tx_output_init(utxo.amount.sat, utxo.script),
        )

    def set_previous_tx(self, index: int, tx: Tx) -> None:
        """Give the whole transaction that an input spends from."""
        self._do(wally.psbt_set_input_utxo, index, _wally_tx(tx))

    def set_locktime(self, locktime: int) -> None:
        """Change the locktime."""
        self._do(wally.psbt_set_fallback_locktime, locktime)

    def set_sighash(self, index: int, sighash: int) -> None:
        """Say how an input is to be signed."""
        self._do(wally.psbt_set_input_sighash, index, sighash)

    def set_witness_script(self, index: int, script: bytes) -> None:
        """Say which script a p2wsh input reveals."""
        self._do(wally.psbt_set_input_witness_script, index, script)

    def set_redeem_script(self, index: int, script: bytes) -> None:
        """Say which script a p2sh input reveals."""
        self._do(wally.psbt_set_input_redeem_script, index, script)

    def add_keypath(
        self, index: int, pubkey: bytes, fingerprint: bytes, path: tuple[int, ...]
    ) -> None:
        """Say how the key of an input is derived."""
        self._do(wally.psbt_add_input_keypath, index, pubkey, fingerprint, list(path))

    # ---- signing ----------------------------------------------------------------------------

    def add_signature(self, index: int, pubkey: bytes, der_with_type: bytes) -> None:
        """A partial signature, DER with its sighash byte."""
        self._do(wally.psbt_add_input_signature, index, pubkey, der_with_type)

    def sighash(self, index: int) -> int:
        """How an input is to be signed; 0 where the PSBT does not say."""
        return int(self._do(wally.psbt_get_input_sighash, index))

    def set_taproot_signature(self, index: int, signature: bytes) -> None:
        """The key-path signature of a taproot input, 64 or 65 bytes."""
        self._do(wally.psbt_set_input_taproot_signature, index, signature)

    def partial_signatures(self, index: int) -> tuple[bytes, ...]:
        """The partial signatures of an input, DER with their sighash bytes."""
        count = int(self._do(wally.psbt_get_input_signatures_size, index))
        return tuple(
            bytes(self._do(wally.psbt_get_input_signature, index, n)) for n in range(count)
        )

    def witness_script(self, index: int) -> bytes | None:
        """The script that a p2wsh input reveals, if the PSBT says."""
        if not int(self._do(wally.psbt_get_input_witness_script_len, index)):
            return None
        return bytes(self._do(wally.psbt_get_input_witness_script, index))

    def set_final_witness(self, index: int, witness: tuple[bytes, ...]) -> None:
        """Finish an input by hand."""
        stack = wally.tx_witness_stack_init(len(witness))
        for item in witness:
            wally.tx_witness_stack_add(stack, item)
        self._do(wally.psbt_set_input_final_witness, index, stack)

    def final_witness(self, index: int) -> tuple[bytes, ...] | None:
        """The finished witness of an input, if it has one."""
        stack = self._do(wally.psbt_get_input_final_witness, index)
        if stack is None:
            return None
        return parse_witness(bytes(wally.tx_witness_stack_to_bytes(stack)))

    def finalize(self) -> bool:
        """Finish every input that has all its signatures; whether all are finished now."""
        self._do(wally.psbt_finalize, 0)
        return self.is_finalized

    @property
    def is_finalized(self) -> bool:
        """Whether every input is finished."""
        return bool(wally.psbt_is_finalized(self._raw))

    def is_input_finalized(self, index: int) -> bool:
        """Whether one input is finished."""
        return bool(self._do(wally.psbt_is_input_finalized, index))

    def extract(self) -> Tx:
        """The signed transaction. Raises PsbtError unless every input is finished."""
        raw = self._do(wally.psbt_extract, wally.WALLY_PSBT_EXTRACT_FINAL)
        return Tx.parse(bytes(wally.tx_to_bytes(raw, wally.WALLY_TX_FLAG_USE_WITNESS)))

    def combine(self, other: Self) -> None:
        """Take over what another PSBT of the same transaction knows. Raises PsbtError."""
        self._do(wally.psbt_combine, other._raw)

    # ---- own fields -------------------------------------------------------------------------

    def input_field(self, index: int, key: bytes) -> bytes | None:
        """An unknown or proprietary field of an input."""
        found = int(self._do(wally.psbt_find_input_unknown, index, key))
        if not found:
            return None
        return bytes(wally.psbt_get_input_unknown(self._raw, index, found - 1))

    def output_field(self, index: int, key: bytes) -> bytes | None:
        """An unknown or proprietary field of an output."""
        found = int(self._do(wally.psbt_find_output_unknown, index, key))
        if not found:
            return None
        return bytes(wally.psbt_get_output_unknown(self._raw, index, found - 1))

    def set_input_field(self, index: int, key: bytes, value: bytes) -> None:
        """Add or replace an unknown or proprietary field of an input; the others stay."""
        fields = {k: v for k in self._keys(index) if (v := self.input_field(index, k)) is not None}
        fields[key] = value
        self._do(wally.psbt_set_input_unknowns, index, _map_of(fields))

    def set_output_field(self, index: int, key: bytes, value: bytes) -> None:
        """Add or replace an unknown or proprietary field of an output; the others stay."""
        keys = self._keys(self.input_count + index)
        fields = {k: v for k in keys if (v := self.output_field(index, k)) is not None}
        fields[key] = value
        self._do(wally.psbt_set_output_unknowns, index, _map_of(fields))

    def _keys(self, place: int) -> list[bytes]:
        """All keys of one map, inputs first and then outputs; libwally does not list them."""
        raw = self.to_bytes()
        pos = 5  # the magic
        for _ in range(place + 1):
            _, pos = _read_map(raw, pos)
        return _read_map(raw, pos)[0]


def _read_map(raw: bytes, pos: int) -> tuple[list[bytes], int]:
    """The keys of the map at `pos`, and where the next one starts."""
    keys: list[bytes] = []
    while True:
        size, pos = read_compact_size(raw, pos)
        if size == 0:
            return keys, pos
        keys.append(raw[pos : pos + size])
        pos += size
        size, pos = read_compact_size(raw, pos)
        pos += size


def _map_of(fields: Mapping[bytes, bytes]) -> Any:
    found = wally.map_init(len(fields), None)
    for key, value in fields.items():
        if not value:
            raise PsbtError("libwally keeps no empty values in a PSBT")
        wally.map_add(found, key, value)
    return found


def _without_signatures(tx: Tx) -> Tx:
    return replace(tx, inputs=tuple(replace(i, script_sig=b"", witness=()) for i in tx.inputs))
