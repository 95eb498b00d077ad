"""Static channel backups in Core Lightning's format: bytes to values and back. No keys, no files here.

An entry says just enough to find a channel's peer and to ask it to close: whom, where, which output. With TLVs (what
CLN calls the modern form) it also lets us punish a revoked commitment. A file is one message that holds all entries.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pylightningd.common.address import Address, AddressError, parse_address, read_address
from pylightningd.common.amount import MAX_SAT, Sat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import ChannelId, NodeId, Outpoint, Txid
from pylightningd.common.shachain import MAX_INDEX, Shachain, ShachainError

VERSION = 1
_COMPATIBLE = 0x5555555555555555
"""These bits of the version must agree, says CLN; the others may change at will."""
_LEGACY, _MODERN = 6135, 6137
_TLV_SHACHAIN, _TLV_BASEPOINTS, _TLV_OPENER, _TLV_DELAY = 1, 3, 5, 7
_POINT_SIZE = 33
_DBID_LIMIT = 1 << 48
_ADDRESS_AT = 8 + 32 + _POINT_SIZE
_NO_ADDRESS = Address("ipv4", "0.0.0.0", 0)  # noqa: S104 - means "not known" here
_DEFAULT_PORT = 9735


class BadBackup(ValueError):
    """Bytes that are no backup, or one that this version cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePoints:
    """The peer's basepoints, in CLN's order. Its funding key is not kept."""

    revocation: bytes
    payment: bytes
    htlc: bytes
    delayed_payment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScbChannel:
    """One channel."""

    dbid: int
    """Row of the channel: our keys hang on it."""
    channel_id: ChannelId
    peer_id: NodeId
    address: Address | None
    """Where the peer was reached last; None where that is not known."""
    funding: Outpoint
    funding_amount: Sat
    channel_type: bytes
    """Feature bitmap."""
    shachain: Shachain | None = None
    """The peer's secrets, as far as they were known when the backup was made."""
    remote_points: RemotePoints | None = None
    we_are_opener: bool | None = None
    to_self_delay: int | None = None
    """Blocks for which the peer's own output is locked: what a penalty transaction must know."""

    @property
    def can_punish(self) -> bool:
        """Whether a revoked commitment can be answered."""
        return self.shachain is not None and self.remote_points is not None

    def encode(self) -> bytes:
        """The modern form, as `staticbackup` shows it."""
        tlvs = self._tlvs()
        return self._head(legacy=False) + struct.pack(">I", len(tlvs)) + tlvs

    def encode_legacy(self) -> bytes:
        """The form of CLN before 24.11."""
        return self._head(legacy=True)

    def _head(self, *, legacy: bool) -> bytes:
        return b"".join(
            (
                struct.pack(">Q", self.dbid),
                self.channel_id,
                self.peer_id,
                b"\0" if legacy else b"",
                (self.address or _NO_ADDRESS).encode(),
                self.funding.txid,
                struct.pack(">IQ", self.funding.index, self.funding_amount.sat),
                struct.pack(">H", len(self.channel_type)),
                self.channel_type,
            )
        )

    def _tlvs(self) -> bytes:
        found = b""
        if self.shachain is not None:
            found += _tlv(_TLV_SHACHAIN, encode_shachain(self.shachain))
        if self.remote_points is not None:
            points = self.remote_points
            raw = points.revocation + points.payment + points.htlc + points.delayed_payment
            found += _tlv(_TLV_BASEPOINTS, raw)
        if self.we_are_opener is not None:
            found += _tlv(_TLV_OPENER, bytes((0 if self.we_are_opener else 1,)))
        if self.to_self_delay is not None:
            found += _tlv(_TLV_DELAY, struct.pack(">H", self.to_self_delay))
        return found


@dataclass(frozen=True, slots=True)
class Backup:
    """What a file, or a peer's storage, holds once decrypted."""

    timestamp: int
    """Seconds since 1970 when it was written."""
    channels: tuple[ScbChannel, ...] = field(default=())
    is_legacy: bool = False

    def encode(self) -> bytes:
        """As it is to be encrypted."""
        head = struct.pack(">HQIH", _MODERN, VERSION, self.timestamp, len(self.channels))
        return head + b"".join(channel.encode() for channel in self.channels)


def decode_backup(raw: bytes) -> Backup:
    """Read what `Backup.encode` or CLN wrote. Raises BadBackup."""
    cursor = _Cursor(raw)
    kind, version, timestamp, count = cursor.unpack(">HQIH")
    if kind not in (_LEGACY, _MODERN):
        raise BadBackup(f"this is no channel backup (message {kind})")
    if (version ^ VERSION) & _COMPATIBLE:
        raise BadBackup(f"Incompatible version: it has {version}, we read {VERSION}")
    legacy = kind == _LEGACY
    channels = tuple(_read_channel(cursor, legacy=legacy) for _ in range(count))
    cursor.skip_padding()
    cursor.check_end()
    return Backup(timestamp, channels, legacy)


def decode_channel(raw: bytes) -> ScbChannel:
    """Read one entry of either form, as `recoverchannel` takes it. Raises BadBackup."""
    cursor = _Cursor(raw)
    # An old entry has a zero before the address, and there is no address of type 0.
    channel = _read_channel(cursor, legacy=raw[_ADDRESS_AT : _ADDRESS_AT + 1] == b"\0")
    cursor.check_end()
    return channel


def address_of(text: str) -> Address | None:
    """A peer's address as text, if it is of a kind that a backup can hold."""
    try:
        return parse_address(text, _DEFAULT_PORT)
    except AddressError:
        return None


# ---- pieces -------------------------------------------------------------------------------------


class _Cursor:
    """Reads from the front. Raises BadBackup where there is too little."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._pos = raw, 0

    @property
    def at_end(self) -> bool:
        return self._pos == len(self._raw)

    def take(self, size: int) -> bytes:
        part = self._raw[self._pos : self._pos + size]
        if len(part) != size:
            raise BadBackup("the backup is cut short")
        self._pos += size
        return part

    def unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def address(self) -> Address | None:
        try:
            found, self._pos = read_address(self._raw, self._pos)
        except (WireError, ValueError) as error:
            raise BadBackup(f"the peer's address: {error}") from error
        return None if found is None or found.port == 0 else found

    def skip_padding(self) -> None:
        """What peers keep is filled up with zeros."""
        if not any(self._raw[self._pos :]):
            self._pos = len(self._raw)

    def check_end(self) -> None:
        if not self.at_end:
            raise BadBackup(f"{len(self._raw) - self._pos} bytes too many")


def _read_channel(cursor: _Cursor, *, legacy: bool) -> ScbChannel:
    (dbid,) = cursor.unpack(">Q")
    if not 0 < dbid < _DBID_LIMIT:
        raise BadBackup(f"there is no channel number {dbid}")
    channel_id, peer_id = ChannelId(cursor.take(32)), NodeId(cursor.take(_POINT_SIZE))
    if peer_id[0] not in (2, 3):
        raise BadBackup("the peer's node id is no public key")
    if legacy:
        cursor.take(1)  # as CLN: it means nothing
    address = cursor.address()
    txid = Txid(cursor.take(32))
    index, amount = cursor.unpack(">IQ")
    if amount > MAX_SAT:
        raise BadBackup(f"a channel of {amount} sat")
    (size,) = cursor.unpack(">H")
    channel_type = cursor.take(size)
    tlvs: dict[int, bytes] = {}
    if not legacy and not cursor.at_end:
        tlvs = _read_tlvs(cursor)
    opener, delay = tlvs.get(_TLV_OPENER), tlvs.get(_TLV_DELAY)
    return ScbChannel(
        dbid=dbid,
        channel_id=channel_id,
        peer_id=peer_id,
        address=address,
        funding=Outpoint(txid, index),
        funding_amount=Sat(amount),
        channel_type=channel_type,
        shachain=decode_shachain(tlvs[_TLV_SHACHAIN]) if _TLV_SHACHAIN in tlvs else None,
        remote_points=_points(tlvs[_TLV_BASEPOINTS]) if _TLV_BASEPOINTS in tlvs else None,
        we_are_opener=None if opener is None else opener == b"\0",
        to_self_delay=None if delay is None else int.from_bytes(delay, "big"),
    )


def _read_tlvs(cursor: _Cursor) -> dict[int, bytes]:
    (size,) = cursor.unpack(">I")
    inner = _Cursor(cursor.take(size))
    found: dict[int, bytes] = {}
    while not inner.at_end:
        kind = _read_bigsize(inner)
        value = inner.take(_read_bigsize(inner))
        # As everywhere in the protocol: an even type that is not known changes what the rest means.
        if kind % 2 == 0:
            raise BadBackup(f"a part of type {kind}, which this version does not know")
        found[kind] = value
    return found


def _read_bigsize(cursor: _Cursor) -> int:
    first = cursor.take(1)[0]
    if first < 0xFD:
        return first
    return int.from_bytes(cursor.take(1 << (first - 0xFC)), "big")


def _tlv(kind: int, value: bytes) -> bytes:
    size = len(value)
    length = bytes((size,)) if size < 0xFD else b"\xfd" + struct.pack(">H", size)
    return bytes((kind,)) + length + value


def _points(raw: bytes) -> RemotePoints:
    if len(raw) != 4 * _POINT_SIZE:
        raise BadBackup(f"basepoints of {len(raw)} bytes")
    parts = [raw[n : n + _POINT_SIZE] for n in range(0, len(raw), _POINT_SIZE)]
    return RemotePoints(
        revocation=parts[0], payment=parts[1], htlc=parts[2], delayed_payment=parts[3]
    )


def encode_shachain(chain: Shachain) -> bytes:
    """Lowest index, number of entries, then each by its slot."""
    entries = b"".join(struct.pack(">Q", index) + secret for index, secret in chain.known)
    return struct.pack(">QI", chain.next_index + 1, len(chain.known)) + entries


def decode_shachain(raw: bytes) -> Shachain:
    """Read what `encode_shachain` wrote. Raises BadBackup."""
    cursor = _Cursor(raw)
    lowest, count = cursor.unpack(">QI")
    entries: list[tuple[int, bytes]] = []
    for _ in range(count):
        (index,) = cursor.unpack(">Q")
        entries.append((index, cursor.take(32)))
    cursor.check_end()
    packed = b"".join(struct.pack(">BQ", slot, i) + s for slot, (i, s) in enumerate(entries))
    try:
        chain = Shachain.decode(packed)
    except ShachainError as error:
        raise BadBackup(f"the peer's secrets: {error}") from error
    if lowest not in (chain.next_index + 1, 0) or lowest > MAX_INDEX + 1:
        raise BadBackup("the peer's secrets do not fit together")
    return chain
