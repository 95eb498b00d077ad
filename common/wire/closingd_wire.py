# GENERATED from closingd/closingd_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `closingd/closingd_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.amount import Msat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Outpoint
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Request,
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
    "ab063e5c047a08010caa3f8f414d704a30fa7fd1bf1d4a50f5c6d7db9ea795a7"
)
"""SHA256 of closingd/closingd_wire.csv and what it includes."""


_CLOSINGD_INIT_0 = struct.Struct(">H")


@wire_class
class ClosingdInit(Message):
    """Type 500."""

    TYPE: ClassVar[int] = 500
    NAME: ClassVar[str] = "WIRE_CLOSINGD_INIT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("network", "utf8", ""),
    )

    __slots__ = ("network",)
    network: str

    def __init__(
        self,
        *,
        network: str,
    ) -> None:
        put(self, "network", network)

    def encode(self) -> bytes:
        return b"".join((_CLOSINGD_INIT_0.pack(500), write_string(self.network)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CLOSINGD_INIT_0.unpack_from(buf)
            if wire_type != 500:
                raise WireError(f"type {wire_type}, not 500")
            pos = 2
            network_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                network=network_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSINGD_START_0 = struct.Struct(">H")
_CLOSINGD_START_1 = struct.Struct(">QQQ")
_CLOSINGD_START_2 = struct.Struct(">IIIQBB")
_CLOSINGD_START_3 = struct.Struct(">32sI")


@wire_class
class ClosingdStart(Message):
    """Both shutdown scripts are known and no HTLC is left. Amounts from our view. Fees in sat
    for the whole transaction. Type 501.
    """

    TYPE: ClassVar[int] = 501
    NAME: ClassVar[str] = "WIRE_CLOSINGD_START"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel", "channel_static", ""),
        ("route_id", "u64", ""),
        ("to_local", "msat", ""),
        ("to_remote", "msat", ""),
        ("local_script", "varbytes", ""),
        ("remote_script", "varbytes", ""),
        ("feerate_min_perkw", "u32", ""),
        ("feerate_preferred_perkw", "u32", ""),
        ("feerate_max_perkw", "u32", ""),
        ("fee_negotiation_step", "u64", ""),
        ("step_is_percent", "bool", ""),
        ("use_fee_range", "bool", ""),
        ("wrong_funding", "?outpoint", ""),
    )

    __slots__ = (
        "channel",
        "route_id",
        "to_local",
        "to_remote",
        "local_script",
        "remote_script",
        "feerate_min_perkw",
        "feerate_preferred_perkw",
        "feerate_max_perkw",
        "fee_negotiation_step",
        "step_is_percent",
        "use_fee_range",
        "wrong_funding",
    )
    channel: ChannelStatic
    route_id: int  # u64
    to_local: Msat
    to_remote: Msat
    local_script: bytes
    remote_script: bytes
    feerate_min_perkw: int  # u32
    feerate_preferred_perkw: int  # u32
    feerate_max_perkw: int  # u32
    fee_negotiation_step: int  # u64
    step_is_percent: bool
    use_fee_range: bool
    wrong_funding: Outpoint | None

    def __init__(
        self,
        *,
        channel: ChannelStatic,
        route_id: int,
        to_local: Msat,
        to_remote: Msat,
        local_script: bytes,
        remote_script: bytes,
        feerate_min_perkw: int,
        feerate_preferred_perkw: int,
        feerate_max_perkw: int,
        fee_negotiation_step: int,
        step_is_percent: bool,
        use_fee_range: bool,
        wrong_funding: Outpoint | None = None,
    ) -> None:
        put(self, "channel", channel)
        put(self, "route_id", route_id)
        put(self, "to_local", to_local)
        put(self, "to_remote", to_remote)
        put(self, "local_script", local_script)
        put(self, "remote_script", remote_script)
        put(self, "feerate_min_perkw", feerate_min_perkw)
        put(self, "feerate_preferred_perkw", feerate_preferred_perkw)
        put(self, "feerate_max_perkw", feerate_max_perkw)
        put(self, "fee_negotiation_step", fee_negotiation_step)
        put(self, "step_is_percent", step_is_percent)
        put(self, "use_fee_range", use_fee_range)
        put(self, "wrong_funding", wrong_funding)

    def encode(self) -> bytes:
        if (self.wrong_funding is not None and len(self.wrong_funding.txid) != 32):
            raise wrong_length(self)
        return b"".join(
            (
                _CLOSINGD_START_0.pack(501),
                self.channel.write(),
                _CLOSINGD_START_1.pack(self.route_id, self.to_local.msat, self.to_remote.msat),
                write_varbytes(self.local_script),
                write_varbytes(self.remote_script),
                _CLOSINGD_START_2.pack(
                    self.feerate_min_perkw,
                    self.feerate_preferred_perkw,
                    self.feerate_max_perkw,
                    self.fee_negotiation_step,
                    self.step_is_percent,
                    self.use_fee_range,
                ),
                b"\x00" if self.wrong_funding is None else b"\x01" + _CLOSINGD_START_3.pack(
                    self.wrong_funding.txid,
                    self.wrong_funding.index,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CLOSINGD_START_0.unpack_from(buf)
            if wire_type != 501:
                raise WireError(f"type {wire_type}, not 501")
            pos = 2
            channel_, pos = ChannelStatic.read(buf, pos)
            route_id_, to_local_0_, to_remote_0_ = _CLOSINGD_START_1.unpack_from(buf, pos)
            pos += 24
            local_script_, pos = read_varbytes(buf, pos)
            remote_script_, pos = read_varbytes(buf, pos)
            (
                feerate_min_perkw_,
                feerate_preferred_perkw_,
                feerate_max_perkw_,
                fee_negotiation_step_,
                step_is_percent_0_,
                use_fee_range_0_,
            ) = _CLOSINGD_START_2.unpack_from(buf, pos)
            pos += 22
            present = read_flag(buf, pos)
            pos += 1
            wrong_funding_: Outpoint | None = None
            if present:
                wrong_funding_0_, wrong_funding_1_ = _CLOSINGD_START_3.unpack_from(buf, pos)
                pos += 36
                wrong_funding_ = Outpoint(wrong_funding_0_, wrong_funding_1_)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                channel=channel_,
                route_id=route_id_,
                to_local=Msat(to_local_0_),
                to_remote=Msat(to_remote_0_),
                local_script=local_script_,
                remote_script=remote_script_,
                feerate_min_perkw=feerate_min_perkw_,
                feerate_preferred_perkw=feerate_preferred_perkw_,
                feerate_max_perkw=feerate_max_perkw_,
                fee_negotiation_step=fee_negotiation_step_,
                step_is_percent=to_bool(step_is_percent_0_),
                use_fee_range=to_bool(use_fee_range_0_),
                wrong_funding=wrong_funding_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSINGD_GOT_SIGNATURE_REPLY_0 = struct.Struct(">H")


@wire_class
class ClosingdGotSignatureReply(Message):
    """Type 503."""

    TYPE: ClassVar[int] = 503
    NAME: ClassVar[str] = "WIRE_CLOSINGD_GOT_SIGNATURE_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CLOSINGD_GOT_SIGNATURE_REPLY_0.pack(503)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CLOSINGD_GOT_SIGNATURE_REPLY_0.unpack(buf)
            if wire_type != 503:
                raise WireError(f"type {wire_type}, not 503")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSINGD_GOT_SIGNATURE_0 = struct.Struct(">HQ")
_CLOSINGD_GOT_SIGNATURE_1 = struct.Struct(">64s")


@wire_class
class ClosingdGotSignature(Request[ClosingdGotSignatureReply]):
    """After a reconnect: BOLT 2 negotiation starts anew. The peer signed `tx`, which is good for
    us. Durable when the reply is here. Type 502.
    """

    TYPE: ClassVar[int] = 502
    NAME: ClassVar[str] = "WIRE_CLOSINGD_GOT_SIGNATURE"
    REPLY: ClassVar[type[ClosingdGotSignatureReply]] = ClosingdGotSignatureReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("tx", "varbytes", ""),
        ("signature", "signature", ""),
    )

    __slots__ = ("dbid", "tx", "signature")
    dbid: int  # u64
    tx: bytes
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        dbid: int,
        tx: bytes,
        signature: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "tx", tx)
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return b"".join(
            (
                _CLOSINGD_GOT_SIGNATURE_0.pack(502, self.dbid),
                write_varbytes(self.tx),
                _CLOSINGD_GOT_SIGNATURE_1.pack(self.signature),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CLOSINGD_GOT_SIGNATURE_0.unpack_from(buf)
            if wire_type != 502:
                raise WireError(f"type {wire_type}, not 502")
            pos = 10
            tx_, pos = read_varbytes(buf, pos)
            (signature_,) = _CLOSINGD_GOT_SIGNATURE_1.unpack_from(buf, pos)
            pos += 64
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                tx=tx_,
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSINGD_DONE_0 = struct.Struct(">HQ")


@wire_class
class ClosingdDone(Message):
    """Both signed `tx`; it carries both signatures. Type 504."""

    TYPE: ClassVar[int] = 504
    NAME: ClassVar[str] = "WIRE_CLOSINGD_DONE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("tx", "varbytes", ""),
    )

    __slots__ = ("dbid", "tx")
    dbid: int  # u64
    tx: bytes

    def __init__(
        self,
        *,
        dbid: int,
        tx: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "tx", tx)

    def encode(self) -> bytes:
        return b"".join((_CLOSINGD_DONE_0.pack(504, self.dbid), write_varbytes(self.tx)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CLOSINGD_DONE_0.unpack_from(buf)
            if wire_type != 504:
                raise WireError(f"type {wire_type}, not 504")
            pos = 10
            tx_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                tx=tx_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSINGD_FAILED_0 = struct.Struct(">HQB")


@wire_class
class ClosingdFailed(Message):
    """kind: 0 the connection ended or must end (reconnect), 1 the channel failed. Type 505."""

    TYPE: ClassVar[int] = 505
    NAME: ClassVar[str] = "WIRE_CLOSINGD_FAILED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("kind", "u8", ""),
        ("reason", "utf8", ""),
    )

    __slots__ = ("dbid", "kind", "reason")
    dbid: int  # u64
    kind: int  # u8
    reason: str

    def __init__(
        self,
        *,
        dbid: int,
        kind: int,
        reason: str,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "kind", kind)
        put(self, "reason", reason)

    def encode(self) -> bytes:
        return b"".join(
            (_CLOSINGD_FAILED_0.pack(505, self.dbid, self.kind), write_string(self.reason)),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, kind_ = _CLOSINGD_FAILED_0.unpack_from(buf)
            if wire_type != 505:
                raise WireError(f"type {wire_type}, not 505")
            pos = 11
            reason_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                kind=kind_,
                reason=reason_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSINGD_STOP_0 = struct.Struct(">HQ")


@wire_class
class ClosingdStop(Message):
    """Type 506."""

    TYPE: ClassVar[int] = 506
    NAME: ClassVar[str] = "WIRE_CLOSINGD_STOP"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
    )

    __slots__ = ("dbid",)
    dbid: int  # u64

    def __init__(
        self,
        *,
        dbid: int,
    ) -> None:
        put(self, "dbid", dbid)

    def encode(self) -> bytes:
        return _CLOSINGD_STOP_0.pack(506, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CLOSINGD_STOP_0.unpack(buf)
            if wire_type != 506:
                raise WireError(f"type {wire_type}, not 506")
            return cls(
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSINGD_PEER_MSG_0 = struct.Struct(">HQ")


@wire_class
class ClosingdPeerMsg(Message):
    """A closing_signed that came while channeld still had the route. Type 507."""

    TYPE: ClassVar[int] = 507
    NAME: ClassVar[str] = "WIRE_CLOSINGD_PEER_MSG"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("dbid", "msg")
    dbid: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        dbid: int,
        msg: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        return b"".join((_CLOSINGD_PEER_MSG_0.pack(507, self.dbid), write_varbytes(self.msg)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CLOSINGD_PEER_MSG_0.unpack_from(buf)
            if wire_type != 507:
                raise WireError(f"type {wire_type}, not 507")
            pos = 10
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


ClosingdMessage: TypeAlias = (
    ClosingdInit
    | ClosingdStart
    | ClosingdGotSignature
    | ClosingdGotSignatureReply
    | ClosingdDone
    | ClosingdFailed
    | ClosingdStop
    | ClosingdPeerMsg
)

MESSAGES: dict[int, type[ClosingdMessage]] = {
    500: ClosingdInit,
    501: ClosingdStart,
    502: ClosingdGotSignature,
    503: ClosingdGotSignatureReply,
    504: ClosingdDone,
    505: ClosingdFailed,
    506: ClosingdStop,
    507: ClosingdPeerMsg,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> ClosingdMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
