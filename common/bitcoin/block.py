"""Raw blocks: everything in one (`parse_block`), or only what somebody watches for (`scan_block`).

A full block has thousands of transactions of which none or one is ours, so scanning walks the bytes
and makes a `Tx` only for a match.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from dataclasses import dataclass, field

from pylightningd.common.bitcoin.compact_size import read_compact_size
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Txid

_HEADER = struct.Struct("<I32s32sIII")
_U32 = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """The 80 bytes before the transactions. Hashes are in serialised order."""

    hash: bytes
    version: int
    prev_hash: bytes
    merkle_root: bytes
    time: int
    """Seconds since 1970, as its miner says."""
    bits: int
    nonce: int


@dataclass(frozen=True, slots=True)
class Block:
    """A header and all transactions, with their ids."""

    header: BlockHeader
    txs: tuple[tuple[Txid, Tx], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A transaction somebody watches for."""

    tx_index: int
    """Place in the block."""
    txid: Txid
    tx: Tx
    spent_inputs: tuple[int, ...]
    """Inputs that spend a watched outpoint."""
    paid_outputs: tuple[int, ...]
    """Outputs that pay to a watched script."""


@dataclass(slots=True)
class _Span:
    """Where the parts of one transaction lie."""

    start: int
    body: int = 0
    """First byte of the inputs' count."""
    witness: int = 0
    """First byte after the outputs."""
    end: int = 0
    segwit: bool = False
    spent: list[int] = field(default_factory=list)
    paid: list[int] = field(default_factory=list)


def parse_header(raw: bytes) -> BlockHeader:
    """The header of a raw block. Raises WireError."""
    if len(raw) < _HEADER.size:
        raise WireError(f"a block header is {_HEADER.size} bytes, not {len(raw)}")
    version, prev_hash, merkle_root, time, bits, nonce = _HEADER.unpack_from(raw)
    return BlockHeader(sha256d(raw[:80]), version, prev_hash, merkle_root, time, bits, nonce)


def parse_block(raw: bytes) -> Block:
    """The whole block. Raises WireError."""
    header = parse_header(raw)
    count, pos = read_compact_size(raw, _HEADER.size)
    txs: list[tuple[Txid, Tx]] = []
    for _ in range(count):
        tx, pos = Tx.parse_from(raw, pos)
        txs.append((tx.txid(), tx))
    _check_end(raw, pos)
    return Block(header, tuple(txs))


def scan_block(
    raw: bytes,
    *,
    outpoints: Container[bytes] = (),
    scripts: Container[bytes] = (),
    txids: Container[bytes] = (),
) -> tuple[BlockHeader, list[Match]]:
    """The header, and the transactions that are watched, in the order of the block. Raises WireError.

    `outpoints` holds serialised ones (36 bytes, `TxIn.prevout`); `scripts` scriptpubkeys; `txids`
    ids of transactions expected (hashing all of them costs more than the rest; leave it empty
    where nothing is waited for).
    """
    header = parse_header(raw)
    count, pos = read_compact_size(raw, _HEADER.size)
    want_txids = bool(txids)
    matches: list[Match] = []
    try:
        for tx_index in range(count):
            span = _scan_tx(raw, pos, outpoints, scripts)
            pos = span.end
            txid = _txid(raw, span) if want_txids else None
            if span.spent or span.paid or (txid is not None and txid in txids):
                matches.append(_match(raw, tx_index, span))
    except struct.error:
        raise WireError("a block is cut short") from None
    _check_end(raw, pos)
    return header, matches


def _check_end(raw: bytes, pos: int) -> None:
    if pos != len(raw):
        raise WireError(f"a block ends at byte {pos}, not {len(raw)}")


def _scan_tx(raw: bytes, pos: int, outpoints: Container[bytes], scripts: Container[bytes]) -> _Span:
    """Walk one transaction; note watched inputs and outputs."""
    span = _Span(start=pos)
    pos += 4
    if raw[pos : pos + 2] == b"\0\1":
        span.segwit = True
        pos += 2
    span.body = pos
    inputs, pos = read_compact_size(raw, pos)
    for n in range(inputs):
        if raw[pos : pos + 36] in outpoints:
            span.spent.append(n)
        pos += 36
        size, pos = read_compact_size(raw, pos)
        pos += size + 4
    outputs, pos = read_compact_size(raw, pos)
    for n in range(outputs):
        size, pos = read_compact_size(raw, pos + 8)
        if raw[pos : pos + size] in scripts:
            span.paid.append(n)
        pos += size
    span.witness = pos
    if span.segwit:
        pos = _skip_witnesses(raw, pos, inputs)
    span.end = pos + 4
    if span.end > len(raw):
        raise WireError("a block is cut short")
    return span


def _skip_witnesses(raw: bytes, pos: int, inputs: int) -> int:
    for _ in range(inputs):
        items, pos = read_compact_size(raw, pos)
        for _ in range(items):
            size, pos = read_compact_size(raw, pos)
            pos += size
    return pos


def _txid(raw: bytes, span: _Span) -> Txid:
    if not span.segwit:
        return Txid(sha256d(raw[span.start : span.end]))
    return Txid(
        sha256d(
            raw[span.start : span.start + 4]
            + raw[span.body : span.witness]
            + raw[span.end - 4 : span.end]
        )
    )


def _match(raw: bytes, tx_index: int, span: _Span) -> Match:
    tx, _ = Tx.parse_from(raw, span.start)
    return Match(tx_index, _txid(raw, span), tx, tuple(span.spent), tuple(span.paid))
