# GENERATED from common/bus/bus_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `common/bus/bus_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    malformed,
    message_type,
    put,
    read_flag,
    read_string,
    read_varbytes,
    to_bool,
    trailing,
    wire_class,
    write_string,
    write_varbytes,
    wrong_length,
)

SPEC_HASH = bytes.fromhex(
    "ac5881b1e9ec8e95927a249094bf68b7805b85c46e784f668b4a958805a1e5d2"
)
"""SHA256 of common/bus/bus_wire.csv and what it includes."""


_BUS_HELLO_0 = struct.Struct(">H")
_BUS_HELLO_1 = struct.Struct(">32sI32s")


@wire_class
class BusHello(Message):
    """What every daemon and the master say to each other, whatever the daemon's work is. Numbers
    1 to 99 are kept for this file on every link. First message both ways on every link. Type
    1.
    """

    TYPE: ClassVar[int] = 1
    NAME: ClassVar[str] = "WIRE_BUS_HELLO"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("daemon", "utf8", ""),
        ("wire_hash", "sha256", ""),
        ("pid", "u32", ""),
        ("token", "sha256", ""),
    )

    __slots__ = ("daemon", "wire_hash", "pid", "token")
    daemon: str
    wire_hash: bytes  # 32 bytes
    pid: int  # u32
    token: bytes  # 32 bytes

    def __init__(
        self,
        *,
        daemon: str,
        wire_hash: bytes,
        pid: int,
        token: bytes,
    ) -> None:
        put(self, "daemon", daemon)
        put(self, "wire_hash", wire_hash)
        put(self, "pid", pid)
        put(self, "token", token)

    def encode(self) -> bytes:
        if len(self.wire_hash) != 32 or len(self.token) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _BUS_HELLO_0.pack(1),
                write_string(self.daemon),
                _BUS_HELLO_1.pack(self.wire_hash, self.pid, self.token),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _BUS_HELLO_0.unpack_from(buf)
            if wire_type != 1:
                raise WireError(f"type {wire_type}, not 1")
            pos = 2
            daemon_, pos = read_string(buf, pos)
            wire_hash_, pid_, token_ = _BUS_HELLO_1.unpack_from(buf, pos)
            pos += 68
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                daemon=daemon_,
                wire_hash=wire_hash_,
                pid=pid_,
                token=token_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_BUS_ADD_LINK_0 = struct.Struct(">HQ")
_BUS_ADD_LINK_1 = struct.Struct(">32sBQ")


@wire_class
class BusAddLink(Message):
    """Master to daemon: open a link to a sibling. Of the two ends one binds. `capabilities` is
    for hsmd alone: what the other end may ask. Type 2.
    """

    TYPE: ClassVar[int] = 2
    NAME: ClassVar[str] = "WIRE_BUS_ADD_LINK"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("link_id", "u64", ""),
        ("sibling", "utf8", ""),
        ("url", "utf8", ""),
        ("token", "sha256", ""),
        ("bind", "bool", ""),
        ("capabilities", "u64", ""),
    )

    __slots__ = ("link_id", "sibling", "url", "token", "bind", "capabilities")
    link_id: int  # u64
    sibling: str
    url: str
    token: bytes  # 32 bytes
    bind: bool
    capabilities: int  # u64

    def __init__(
        self,
        *,
        link_id: int,
        sibling: str,
        url: str,
        token: bytes,
        bind: bool,
        capabilities: int,
    ) -> None:
        put(self, "link_id", link_id)
        put(self, "sibling", sibling)
        put(self, "url", url)
        put(self, "token", token)
        put(self, "bind", bind)
        put(self, "capabilities", capabilities)

    def encode(self) -> bytes:
        if len(self.token) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _BUS_ADD_LINK_0.pack(2, self.link_id),
                write_string(self.sibling),
                write_string(self.url),
                _BUS_ADD_LINK_1.pack(self.token, self.bind, self.capabilities),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, link_id_ = _BUS_ADD_LINK_0.unpack_from(buf)
            if wire_type != 2:
                raise WireError(f"type {wire_type}, not 2")
            pos = 10
            sibling_, pos = read_string(buf, pos)
            url_, pos = read_string(buf, pos)
            token_, bind_0_, capabilities_ = _BUS_ADD_LINK_1.unpack_from(buf, pos)
            pos += 41
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                link_id=link_id_,
                sibling=sibling_,
                url=url_,
                token=token_,
                bind=to_bool(bind_0_),
                capabilities=capabilities_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_BUS_DROP_LINK_0 = struct.Struct(">HQ")


@wire_class
class BusDropLink(Message):
    """Master to daemon: the sibling is gone; close the link. Type 3."""

    TYPE: ClassVar[int] = 3
    NAME: ClassVar[str] = "WIRE_BUS_DROP_LINK"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("link_id", "u64", ""),
    )

    __slots__ = ("link_id",)
    link_id: int  # u64

    def __init__(
        self,
        *,
        link_id: int,
    ) -> None:
        put(self, "link_id", link_id)

    def encode(self) -> bytes:
        return _BUS_DROP_LINK_0.pack(3, self.link_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, link_id_ = _BUS_DROP_LINK_0.unpack(buf)
            if wire_type != 3:
                raise WireError(f"type {wire_type}, not 3")
            return cls(
                link_id=link_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_BUS_LOG_0 = struct.Struct(">HB")
_BUS_LOG_1 = struct.Struct(">33s")
_BUS_LOG_2 = struct.Struct(">Q")


@wire_class
class BusLog(Message):
    """Daemon to master: one line for the log. `fields` is a JSON object; peer_id and
    channel_dbid name its subject. Type 4.
    """

    TYPE: ClassVar[int] = 4
    NAME: ClassVar[str] = "WIRE_BUS_LOG"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("level", "u8", ""),
        ("peer_id", "?node_id", ""),
        ("channel_dbid", "u64", ""),
        ("text", "utf8", ""),
        ("fields", "varbytes", ""),
    )

    __slots__ = ("level", "peer_id", "channel_dbid", "text", "fields")
    level: int  # u8
    peer_id: NodeId | None
    channel_dbid: int  # u64
    text: str
    fields: bytes

    def __init__(
        self,
        *,
        level: int,
        peer_id: NodeId | None = None,
        channel_dbid: int,
        text: str,
        fields: bytes,
    ) -> None:
        put(self, "level", level)
        put(self, "peer_id", peer_id)
        put(self, "channel_dbid", channel_dbid)
        put(self, "text", text)
        put(self, "fields", fields)

    def encode(self) -> bytes:
        if (self.peer_id is not None and len(self.peer_id) != 33):
            raise wrong_length(self)
        return b"".join(
            (
                _BUS_LOG_0.pack(4, self.level),
                b"\x00" if self.peer_id is None else b"\x01" + _BUS_LOG_1.pack(self.peer_id),
                _BUS_LOG_2.pack(self.channel_dbid),
                write_string(self.text),
                write_varbytes(self.fields),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, level_ = _BUS_LOG_0.unpack_from(buf)
            if wire_type != 4:
                raise WireError(f"type {wire_type}, not 4")
            pos = 3
            present = read_flag(buf, pos)
            pos += 1
            peer_id_: NodeId | None = None
            if present:
                (peer_id_0_,) = _BUS_LOG_1.unpack_from(buf, pos)
                pos += 33
                peer_id_ = peer_id_0_
            (channel_dbid_,) = _BUS_LOG_2.unpack_from(buf, pos)
            pos += 8
            text_, pos = read_string(buf, pos)
            fields_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                level=level_,
                peer_id=peer_id_,
                channel_dbid=channel_dbid_,
                text=text_,
                fields=fields_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_BUS_SHUTDOWN_0 = struct.Struct(">H")


@wire_class
class BusShutdown(Message):
    """Master to daemon: finish and exit. Type 5."""

    TYPE: ClassVar[int] = 5
    NAME: ClassVar[str] = "WIRE_BUS_SHUTDOWN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _BUS_SHUTDOWN_0.pack(5)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _BUS_SHUTDOWN_0.unpack(buf)
            if wire_type != 5:
                raise WireError(f"type {wire_type}, not 5")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_BUS_REFUSED_0 = struct.Struct(">H")


@wire_class
class BusRefused(Message):
    """Any request whose handler raised a refusal that the asker must know of. It stands in for
    the reply. Type 6.
    """

    TYPE: ClassVar[int] = 6
    NAME: ClassVar[str] = "WIRE_BUS_REFUSED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("reason", "utf8", ""),
    )

    __slots__ = ("reason",)
    reason: str

    def __init__(
        self,
        *,
        reason: str,
    ) -> None:
        put(self, "reason", reason)

    def encode(self) -> bytes:
        return b"".join((_BUS_REFUSED_0.pack(6), write_string(self.reason)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _BUS_REFUSED_0.unpack_from(buf)
            if wire_type != 6:
                raise WireError(f"type {wire_type}, not 6")
            pos = 2
            reason_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                reason=reason_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


BusMessage: TypeAlias = (
    BusHello
    | BusAddLink
    | BusDropLink
    | BusLog
    | BusShutdown
    | BusRefused
)

MESSAGES: dict[int, type[BusMessage]] = {
    1: BusHello,
    2: BusAddLink,
    3: BusDropLink,
    4: BusLog,
    5: BusShutdown,
    6: BusRefused,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> BusMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
