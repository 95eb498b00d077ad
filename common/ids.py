"""Names of things: nodes, channels, transactions. Bytes inside, text only at the JSON and log border."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType, Self

NodeId = NewType("NodeId", bytes)
"""A node's public key, 33 bytes compressed."""
ChannelId = NewType("ChannelId", bytes)
"""32 bytes, from the funding outpoint (BOLT 2) or temporary while opening."""
Txid = NewType("Txid", bytes)
"""32 bytes in the order of a serialised transaction; only `txid_hex` turns it round."""

_SCID_TEXT = re.compile(r"(\d+)x(\d+)x(\d+)")


def node_id(raw: bytes) -> NodeId:
    """Check the shape of a node id. Raises ValueError. Whether it is on the curve is not checked."""
    if len(raw) != 33 or raw[0] not in (2, 3):
        raise ValueError(f"a node id is 33 bytes and starts with 02 or 03, not {raw.hex()!r}")
    return NodeId(raw)


def channel_id(raw: bytes) -> ChannelId:
    """Check the length of a channel id. Raises ValueError."""
    if len(raw) != 32:
        raise ValueError(f"a channel id is 32 bytes, not {len(raw)}")
    return ChannelId(raw)


def txid(raw: bytes) -> Txid:
    """Check the length of a txid in serialised order. Raises ValueError."""
    if len(raw) != 32:
        raise ValueError(f"a txid is 32 bytes, not {len(raw)}")
    return Txid(raw)


def txid_hex(raw: Txid) -> str:
    """The text people know a transaction by: hex of the bytes in reverse order."""
    return raw[::-1].hex()


def txid_from_hex(text: str) -> Txid:
    """Read what `txid_hex` writes. Raises ValueError."""
    return txid(bytes.fromhex(text)[::-1])


@dataclass(frozen=True, slots=True, order=True)
class Outpoint:
    """One output of one transaction."""

    txid: Txid
    index: int

    def __str__(self) -> str:
        return f"{txid_hex(self.txid)}:{self.index}"

    @classmethod
    def from_str(cls, text: str) -> Self:
        """Read ``txid:index``. Raises ValueError."""
        left, _, right = text.partition(":")
        return cls(txid_from_hex(left), int(right))

    def channel_id(self) -> ChannelId:
        """The channel_id of a channel funded by this output."""
        # BOLT 2, "Definition of `channel_id`": the funding txid with its last two bytes (big-endian)
        # altered by the output index.
        low = int.from_bytes(self.txid[30:], "big") ^ self.index
        return ChannelId(self.txid[:30] + low.to_bytes(2, "big"))


class ShortChannelId(int):
    """Where a funding output stands in the chain: block, transaction and output in 64 bits (BOLT 7)."""

    __slots__ = ()

    @classmethod
    def make(cls, block: int, tx_index: int, output: int) -> Self:
        """Put it together. Raises ValueError where a part does not fit its bits."""
        if not (0 <= block < 1 << 24 and 0 <= tx_index < 1 << 24 and 0 <= output < 1 << 16):
            raise ValueError(f"{block}x{tx_index}x{output} does not fit a short_channel_id")
        return cls(block << 40 | tx_index << 16 | output)

    @classmethod
    def from_str(cls, text: str) -> Self:
        """Read ``BLOCKxTXxOUTPUT``. Raises ValueError."""
        match = _SCID_TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"a short_channel_id looks like 103x1x0, not {text!r}")
        return cls.make(*map(int, match.groups()))

    @property
    def block(self) -> int:
        """Height of the block that holds the funding transaction."""
        return self >> 40

    @property
    def tx_index(self) -> int:
        """Place of the funding transaction in its block."""
        return self >> 16 & 0xFFFFFF

    @property
    def output(self) -> int:
        """Index of the funding output."""
        return self & 0xFFFF

    def __str__(self) -> str:
        return f"{self.block}x{self.tx_index}x{self.output}"

    def __repr__(self) -> str:
        return f"ShortChannelId({self})"
