"""A block as the watcher wants it: header, transactions, and their ids."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pylightningd.common.bitcoin.compact_size import read_compact_size
from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Txid

HEADER_SIZE = 80
_TIME = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Header:
    """Place of a block in the chain. Hashes in serialised order."""

    height: int
    hash: bytes
    prev_hash: bytes

    def __str__(self) -> str:
        return f"{self.height}: {self.hash[::-1].hex()}"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the best chain."""

    header: Header
    time: int
    txs: tuple[Tx, ...]
    txids: tuple[Txid, ...]

    @property
    def height(self) -> int:
        """Its height."""
        return self.header.height


def parse_block(raw: bytes, height: int) -> Block:
    """Read a serialised block; its height is not in it. Raises WireError."""
    if len(raw) <= HEADER_SIZE:
        raise WireError(f"a block of {len(raw)} bytes")
    header = Header(height, sha256d(raw[:HEADER_SIZE]), raw[4:36])
    (time,) = _TIME.unpack_from(raw, 68)
    count, pos = read_compact_size(raw, HEADER_SIZE)
    txs: list[Tx] = []
    for _ in range(count):
        tx, pos = Tx.parse_from(raw, pos)
        txs.append(tx)
    if pos != len(raw):
        raise WireError(f"{len(raw) - pos} bytes follow the block")
    return Block(header, time, tuple(txs), tuple(tx.txid() for tx in txs))
