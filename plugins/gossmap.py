"""The network's map in memory, read from gossipd's store file and kept up with it.

Compact: arrays with one place for each channel, or for each half (direction) of a channel; half `h` is direction ``h & 1``
of channel ``h >> 1``, from node_1 to node_2 where the direction is 0. 50,000 channels take about 10 MB and load in a second.

Channels that only we know of, and what we know better of others, are put on top for the time of one search: `overlay`.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

VERSION = 16
_HEADER = struct.Struct(">HHII")
_UPDATE = struct.Struct(">QIBBHQIIQ")
"""channel_update from short_channel_id to htlc_maximum_msat."""
_DELETED, _COMPLETED = 0x8000, 0x2000
_ANNOUNCEMENT, _NODE, _CHANNEL_UPDATE = 256, 257, 258
_AMOUNT, _DELETE_CHAN, _ENDED = 4101, 4103, 4105
_CHUNK = 4_000_000
SET, DISABLED = 1, 2
"""Bits of `half_flags`: there is an update; it says disabled."""
_U32, _U16 = 0xFFFFFFFF, 0xFFFF


class GossmapError(Exception):
    """The store is not there, or of a version that we cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHalf:
    """One direction of a channel, as we know it. Amounts in msat."""

    enabled: bool
    base_fee_msat: int
    fee_ppm: int
    delay: int
    htlc_min_msat: int
    htlc_max_msat: int
    """Where we know what can be sent, that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalChannel:
    """A channel of ours, announced or not."""

    scid: int
    ours: bytes
    peer: bytes
    capacity_msat: int
    outgoing: LocalHalf | None
    incoming: LocalHalf | None


class Gossmap:
    """The map. Call `refresh` before using it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.generation = 0
        """Another one where the store was replaced: offsets mean other messages now."""
        self._clear()

    def close(self) -> None:
        """Let go of the file; `refresh` would open it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __del__(self) -> None:
        self.close()

    def _clear(self) -> None:
        self.generation += 1
        self._offset = 1
        # Nodes
        self.node_ids: list[bytes] = []
        self.node_index: dict[bytes, int] = {}
        self.node_offsets = array("Q")
        """Of the message of each node's announcement, 0 if there is none."""
        self.node_channels: list[array[int]] = []
        """Channels of each node."""
        # Channels
        self.channel_index: dict[int, int] = {}
        self.scids = array("Q")
        self.node_1 = array("I")
        self.node_2 = array("I")
        self.capacity_sat = array("Q")
        self.channel_offsets = array("Q")
        """Of the message of each channel_announcement; 0 for what is not in the store."""
        self.channel_features: dict[int, bytes] = {}
        """By channel; hardly any has some."""
        # Halves
        self.half_flags = array("B")
        self.base_fee = array("I")
        self.fee_ppm = array("I")
        self.delay = array("H")
        self.htlc_min = array("Q")
        self.htlc_max = array("Q")
        self.last_update = array("I")
        self.message_flags = array("B")
        self._free: list[int] = []
        self._last_added = -1

    # Reading

    def refresh(self) -> bool:
        """Read what is new in the store; returns whether there was anything. Raises GossmapError."""
        if self._file is None or self._was_replaced():
            self._open()
        before = self._offset
        while self._read_more():
            pass
        return self._offset != before

    def _was_replaced(self) -> bool:
        if self._file is None:
            return True
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        mine = Path(f"/dev/fd/{self._file.fileno()}").stat()
        return (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev) or (
            there.st_size < self._offset
        )

    def _open(self) -> None:
        self.close()
        try:
            self._file = self._path.open("rb", buffering=0)
        except OSError as why:
            self._file = None
            raise GossmapError(f"{self._path}: {why.strerror}") from None
        version = self._file.read(1)
        if version != bytes((VERSION,)):
            raise GossmapError(f"{self._path} has version {version.hex()}, not {VERSION:02x}")
        self._clear()

    def _read_more(self) -> bool:
        """Take in one chunk; False at the end."""
        if self._file is None:
            return False
        self._file.seek(self._offset)
        data = self._file.read(_CHUNK)
        used = self._take(data)
        self._offset += used
        return used > 0

    def _take(self, data: bytes) -> int:
        """Take in whole records; returns their length."""
        unpack = _HEADER.unpack_from
        base = self._offset
        size = len(data)
        pos = 0
        while pos + 12 <= size:
            flags, length, _, _ = unpack(data, pos)
            start = pos + 12
            end = start + length
            if end > size or not flags & _COMPLETED:
                break
            pos = end
            if flags & _DELETED:
                continue
            kind = data[start] << 8 | data[start + 1]
            if kind == _CHANNEL_UPDATE:
                self._add_update(data, start)
            elif kind == _ANNOUNCEMENT:
                self._add_channel(data, start, base + start)
            elif kind == _AMOUNT:
                if self._last_added >= 0:
                    amount = int.from_bytes(data[start + 2 : start + 10], "big")
                    self.capacity_sat[self._last_added] = amount
            elif kind == _NODE:
                self._add_node(data, start, base + start)
            elif kind == _DELETE_CHAN:
                self._remove(int.from_bytes(data[start + 2 : start + 10], "big"))
        return pos

    def _add_channel(self, data: bytes, at: int, offset: int) -> None:
        features_length = data[at + 258] << 8 | data[at + 259]
        pos = at + 292 + features_length
        scid = int.from_bytes(data[pos : pos + 8], "big")
        if scid in self.channel_index:
            self._last_added = -1
            return
        first = self._node(data[pos + 8 : pos + 41])
        second = self._node(data[pos + 41 : pos + 74])
        self._last_added = self._insert(scid, first, second, offset)
        if features_length:
            features = data[at + 260 : at + 260 + features_length]
            self.channel_features[self._last_added] = features

    def _insert(self, scid: int, first: int, second: int, offset: int) -> int:
        if self._free:
            index = self._free.pop()
            self.scids[index], self.channel_offsets[index] = scid, offset
            self.node_1[index], self.node_2[index] = first, second
            self.capacity_sat[index] = 0
            self.half_flags[2 * index] = self.half_flags[2 * index + 1] = 0
        else:
            index = len(self.scids)
            self.scids.append(scid)
            self.channel_offsets.append(offset)
            self.node_1.append(first)
            self.node_2.append(second)
            self.capacity_sat.append(0)
            for table in (
                self.half_flags,
                self.base_fee,
                self.fee_ppm,
                self.delay,
                self.htlc_min,
                self.htlc_max,
                self.last_update,
                self.message_flags,
            ):
                table.append(0)
                table.append(0)
        self.channel_index[scid] = index
        self.node_channels[first].append(index)
        self.node_channels[second].append(index)
        return index

    def _node(self, node_id: bytes) -> int:
        index = self.node_index.get(node_id)
        if index is None:
            index = self.node_index[node_id] = len(self.node_ids)
            self.node_ids.append(node_id)
            self.node_offsets.append(0)
            self.node_channels.append(array("I"))
        return index

    def _add_update(self, data: bytes, at: int) -> None:
        (
            scid, timestamp, message_flags, channel_flags, delay, low, base, ppm, high
        ) = _UPDATE.unpack_from(data, at + 98)  # fmt: skip
        index = self.channel_index.get(scid)
        if index is None:
            return
        half = index * 2 + (channel_flags & 1)
        self.half_flags[half] = SET | (channel_flags & DISABLED)
        self.base_fee[half] = base
        self.fee_ppm[half] = ppm
        self.delay[half] = delay
        self.htlc_min[half] = low
        self.htlc_max[half] = high
        self.last_update[half] = timestamp
        self.message_flags[half] = message_flags

    def _add_node(self, data: bytes, at: int, offset: int) -> None:
        pos = at + 72 + (data[at + 66] << 8 | data[at + 67])
        index = self.node_index.get(data[pos : pos + 33])
        if index is not None:
            self.node_offsets[index] = offset

    def _remove(self, scid: int) -> None:
        index = self.channel_index.pop(scid, None)
        if index is None:
            return
        for node in (self.node_1[index], self.node_2[index]):
            self.node_channels[node].remove(index)
            if not self.node_channels[node]:
                self.node_offsets[node] = 0
        self.half_flags[2 * index] = self.half_flags[2 * index + 1] = 0
        self.channel_features.pop(index, None)
        self._free.append(index)

    def message(self, offset: int) -> bytes:
        """The message of the store that starts at `offset`."""
        if self._file is None:
            raise GossmapError("the store is not open")
        self._file.seek(offset - 12)
        header = self._file.read(12)
        return self._file.read(_HEADER.unpack(header)[1])

    # Asking

    def half(self, scid: int, direction: int) -> int | None:
        """The number of a direction of a channel."""
        index = self.channel_index.get(scid)
        return None if index is None else 2 * index + direction

    def source(self, half: int) -> int:
        """The node that sends over a half."""
        return self.node_2[half >> 1] if half & 1 else self.node_1[half >> 1]

    def destination(self, half: int) -> int:
        """The node that a half leads to."""
        return self.node_1[half >> 1] if half & 1 else self.node_2[half >> 1]

    def is_public(self, index: int) -> bool:
        """Whether a channel is in the store."""
        return self.channel_offsets[index] != 0

    def nodes(self) -> Iterator[int]:
        """Nodes that have a channel."""
        return (i for i, channels in enumerate(self.node_channels) if channels)

    # On top

    @contextmanager
    def overlay(self, channels: Iterable[LocalChannel], *, replace: bool = True) -> Iterator[None]:
        """Add what we know of our own channels until the end of the block (in which nothing may wait).

        With `replace`, what we know of public ones is used as well: it counts more than what was announced.
        """
        undo: list[tuple[array[int], int, int]] = []
        added: list[int] = []
        nodes = len(self.node_ids)
        try:
            for channel in channels:
                known = self.channel_index.get(channel.scid)
                if known is not None and not replace:
                    continue
                if known is None:
                    known = self._add_local(channel)
                    added.append(channel.scid)
                self._set_local(known, channel, undo)
            yield
        finally:
            for table, place, value in reversed(undo):
                table[place] = value
            for scid in added:
                self._remove(scid)
            self._forget_nodes(nodes)

    def _add_local(self, channel: LocalChannel) -> int:
        one, two = sorted((channel.ours, channel.peer))
        index = self._insert(channel.scid, self._node(one), self._node(two), 0)
        self.capacity_sat[index] = channel.capacity_msat // 1000
        return index

    def _set_local(
        self, index: int, channel: LocalChannel, undo: list[tuple[array[int], int, int]]
    ) -> None:
        outgoing = int(channel.ours > channel.peer)
        for direction, half in ((outgoing, channel.outgoing), (1 - outgoing, channel.incoming)):
            if half is None:
                continue
            place = 2 * index + direction
            for table, value in (
                (self.half_flags, SET if half.enabled else SET | DISABLED),
                (self.base_fee, min(half.base_fee_msat, _U32)),
                (self.fee_ppm, min(half.fee_ppm, _U32)),
                (self.delay, min(half.delay, _U16)),
                (self.htlc_min, half.htlc_min_msat),
                (self.htlc_max, half.htlc_max_msat),
                (self.last_update, 0 if not self.is_public(index) else self.last_update[place]),
                (self.message_flags, 1),
            ):
                undo.append((table, place, table[place]))
                table[place] = value

    def _forget_nodes(self, count: int) -> None:
        """Nodes that came with an overlay go with it."""
        while len(self.node_ids) > count:
            del self.node_index[self.node_ids.pop()]
            self.node_offsets.pop()
            self.node_channels.pop()
