# GENERATED from tools/wire/onion.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `tools/wire/onion.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.amount import Msat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Subtype,
    TlvStream,
    UnknownFailure,
    malformed,
    message_type,
    put,
    read_sciddir_or_pubkey,
    too_short,
    trailing,
    wire_class,
    write_sciddir_or_pubkey,
    wrong_length,
)
from pylightningd.common.wire.tlv import (
    TlvError,
    read_bigsize,
    read_records,
    read_tu,
    write_bigsize,
    write_records,
    write_tu,
)

SPEC_HASH = bytes.fromhex(
    "311ce7042c94327708c16c213fcfdc875bcaad485490b1ed5077d570a41b02b6"
)
"""SHA256 of tools/wire/onion.csv and what it includes."""


_BLINDED_PATH_HOP_0 = struct.Struct(">33sH")


@wire_class
class BlindedPathHop(Subtype):
    """BOLT 4, subtype `blinded_path_hop`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("blinded_node_id", "point", ""),
        ("encrypted_recipient_data", "byte", "enclen"),
    )

    __slots__ = ("blinded_node_id", "encrypted_recipient_data")
    blinded_node_id: bytes  # 33 bytes
    encrypted_recipient_data: bytes

    def __init__(
        self,
        *,
        blinded_node_id: bytes,
        encrypted_recipient_data: bytes,
    ) -> None:
        put(self, "blinded_node_id", blinded_node_id)
        put(self, "encrypted_recipient_data", encrypted_recipient_data)

    def write(self) -> bytes:
        if len(self.blinded_node_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _BLINDED_PATH_HOP_0.pack(self.blinded_node_id, len(self.encrypted_recipient_data)),
                self.encrypted_recipient_data,
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        blinded_node_id_, enclen_ = _BLINDED_PATH_HOP_0.unpack_from(buf, pos)
        pos += 35
        if blinded_node_id_[0] | 1 != 3:
            raise WireError("a public key starts with 02 or 03")
        end = pos + enclen_
        if end > len(buf):
            raise too_short("encrypted_recipient_data", enclen_, len(buf) - pos)
        encrypted_recipient_data_ = buf[pos:end]
        pos = end
        value = cls(
            blinded_node_id=blinded_node_id_,
            encrypted_recipient_data=encrypted_recipient_data_,
        )
        return value, pos


_BLINDED_PATH_0 = struct.Struct(">33sB")


@wire_class
class BlindedPath(Subtype):
    """BOLT 4, subtype `blinded_path`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("first_node_id", "sciddir_or_pubkey", ""),
        ("first_path_key", "point", ""),
        ("path", "blinded_path_hop", "num_hops"),
    )

    __slots__ = ("first_node_id", "first_path_key", "path")
    first_node_id: bytes  # sciddir_or_pubkey
    first_path_key: bytes  # 33 bytes
    path: tuple[BlindedPathHop, ...]

    def __init__(
        self,
        *,
        first_node_id: bytes,
        first_path_key: bytes,
        path: tuple[BlindedPathHop, ...],
    ) -> None:
        put(self, "first_node_id", first_node_id)
        put(self, "first_path_key", first_path_key)
        put(self, "path", path)

    def write(self) -> bytes:
        if len(self.first_path_key) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                write_sciddir_or_pubkey(self.first_node_id),
                _BLINDED_PATH_0.pack(self.first_path_key, len(self.path)),
                b"".join([x.write() for x in self.path]),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        first_node_id_, pos = read_sciddir_or_pubkey(buf, pos)
        first_path_key_, num_hops_ = _BLINDED_PATH_0.unpack_from(buf, pos)
        pos += 34
        if first_path_key_[0] | 1 != 3:
            raise WireError("a public key starts with 02 or 03")
        path_list: list[BlindedPathHop] = []
        for _ in range(num_hops_):
            path_one, pos = BlindedPathHop.read(buf, pos)
            path_list.append(path_one)
        path_ = tuple(path_list)
        value = cls(
            first_node_id=first_node_id_,
            first_path_key=first_path_key_,
            path=path_,
        )
        return value, pos


_PAYLOAD_PAYMENT_DATA_0 = struct.Struct(">32s")


@wire_class
class PayloadPaymentData(Subtype):
    """TLV record `payment_data` of `payload`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("payment_secret", "byte", "32"),
        ("total_msat", "tu64", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"payment_secret"})

    __slots__ = ("payment_secret", "total_msat")
    payment_secret: bytes  # 32 bytes
    total_msat: Msat

    def __init__(
        self,
        *,
        payment_secret: bytes,
        total_msat: Msat,
    ) -> None:
        put(self, "payment_secret", payment_secret)
        put(self, "total_msat", total_msat)

    def write(self) -> bytes:
        if len(self.payment_secret) != 32:
            raise wrong_length(self)
        return b"".join(
            (_PAYLOAD_PAYMENT_DATA_0.pack(self.payment_secret), write_tu(self.total_msat.msat, 8)),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (payment_secret_,) = _PAYLOAD_PAYMENT_DATA_0.unpack_from(buf, pos)
        pos += 32
        total_msat_ = Msat(read_tu(buf[pos:], 8))
        value = cls(
            payment_secret=payment_secret_,
            total_msat=total_msat_,
        )
        return value, len(buf)


_PAYLOAD_0 = struct.Struct(">Q")
_PAYLOAD_1 = struct.Struct(">33s")


@wire_class
class Payload(TlvStream):
    """TLV stream `payload`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("amt_to_forward", "tu64", ""),
        ("outgoing_cltv_value", "tu32", ""),
        ("short_channel_id", "short_channel_id", ""),
        ("payment_data", "PayloadPaymentData", ""),
        ("encrypted_recipient_data", "byte", "..."),
        ("current_path_key", "point", ""),
        ("payment_metadata", "byte", "..."),
        ("total_amount_msat", "tu64", ""),
    )

    __slots__ = (
        "amt_to_forward",
        "outgoing_cltv_value",
        "short_channel_id",
        "payment_data",
        "encrypted_recipient_data",
        "current_path_key",
        "payment_metadata",
        "total_amount_msat",
        "unknown",
    )
    amt_to_forward: Msat | None  # type 2
    outgoing_cltv_value: int | None  # type 4
    short_channel_id: ShortChannelId | None  # type 6
    payment_data: PayloadPaymentData | None  # type 8
    encrypted_recipient_data: bytes | None  # type 10
    current_path_key: bytes | None  # type 12
    payment_metadata: bytes | None  # type 16
    total_amount_msat: Msat | None  # type 18
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        amt_to_forward: Msat | None = None,
        outgoing_cltv_value: int | None = None,
        short_channel_id: ShortChannelId | None = None,
        payment_data: PayloadPaymentData | None = None,
        encrypted_recipient_data: bytes | None = None,
        current_path_key: bytes | None = None,
        payment_metadata: bytes | None = None,
        total_amount_msat: Msat | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "amt_to_forward", amt_to_forward)
        put(self, "outgoing_cltv_value", outgoing_cltv_value)
        put(self, "short_channel_id", short_channel_id)
        put(self, "payment_data", payment_data)
        put(self, "encrypted_recipient_data", encrypted_recipient_data)
        put(self, "current_path_key", current_path_key)
        put(self, "payment_metadata", payment_metadata)
        put(self, "total_amount_msat", total_amount_msat)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.amt_to_forward is not None:
            records.append((2, write_tu(self.amt_to_forward.msat, 8)))
        if self.outgoing_cltv_value is not None:
            records.append((4, write_tu(self.outgoing_cltv_value, 4)))
        if self.short_channel_id is not None:
            records.append((6, _PAYLOAD_0.pack(self.short_channel_id)))
        if self.payment_data is not None:
            records.append((8, self.payment_data.write()))
        if self.encrypted_recipient_data is not None:
            records.append((10, self.encrypted_recipient_data))
        if self.current_path_key is not None:
            if len(self.current_path_key) != 33:
                raise wrong_length(self)
            records.append((12, _PAYLOAD_1.pack(self.current_path_key)))
        if self.payment_metadata is not None:
            records.append((16, self.payment_metadata))
        if self.total_amount_msat is not None:
            records.append((18, write_tu(self.total_amount_msat.msat, 8)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        amt_to_forward_: Msat | None = None
        outgoing_cltv_value_: int | None = None
        short_channel_id_: ShortChannelId | None = None
        payment_data_: PayloadPaymentData | None = None
        encrypted_recipient_data_: bytes | None = None
        current_path_key_: bytes | None = None
        payment_metadata_: bytes | None = None
        total_amount_msat_: Msat | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 2:
                    amt_to_forward_ = Msat(read_tu(value, 8))
                elif kind == 4:
                    outgoing_cltv_value_ = read_tu(value, 4)
                elif kind == 6:
                    (short_channel_id_0_,) = _PAYLOAD_0.unpack(value)
                    short_channel_id_ = ShortChannelId(short_channel_id_0_)
                elif kind == 8:
                    payment_data_ = PayloadPaymentData.read_all(value)
                elif kind == 10:
                    encrypted_recipient_data_ = value
                elif kind == 12:
                    (current_path_key_,) = _PAYLOAD_1.unpack(value)
                    if current_path_key_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 16:
                    payment_metadata_ = value
                elif kind == 18:
                    total_amount_msat_ = Msat(read_tu(value, 8))
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"Payload: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            amt_to_forward=amt_to_forward_,
            outgoing_cltv_value=outgoing_cltv_value_,
            short_channel_id=short_channel_id_,
            payment_data=payment_data_,
            encrypted_recipient_data=encrypted_recipient_data_,
            current_path_key=current_path_key_,
            payment_metadata=payment_metadata_,
            total_amount_msat=total_amount_msat_,
            unknown=tuple(unknown_),
        )


_NO_PAYLOAD = Payload()


_ENCRYPTED_DATA_PAYMENT_RELAY_0 = struct.Struct(">HI")


@wire_class
class EncryptedDataPaymentRelay(Subtype):
    """TLV record `payment_relay` of `encrypted_data_tlv`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cltv_expiry_delta", "u16", ""),
        ("fee_proportional_millionths", "u32", ""),
        ("fee_base_msat", "tu32", ""),
    )

    __slots__ = ("cltv_expiry_delta", "fee_proportional_millionths", "fee_base_msat")
    cltv_expiry_delta: int  # u16
    fee_proportional_millionths: int  # u32
    fee_base_msat: int  # tu32

    def __init__(
        self,
        *,
        cltv_expiry_delta: int,
        fee_proportional_millionths: int,
        fee_base_msat: int,
    ) -> None:
        put(self, "cltv_expiry_delta", cltv_expiry_delta)
        put(self, "fee_proportional_millionths", fee_proportional_millionths)
        put(self, "fee_base_msat", fee_base_msat)

    def write(self) -> bytes:
        return b"".join(
            (
                _ENCRYPTED_DATA_PAYMENT_RELAY_0.pack(
                    self.cltv_expiry_delta,
                    self.fee_proportional_millionths,
                ),
                write_tu(self.fee_base_msat, 4),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            cltv_expiry_delta_,
            fee_proportional_millionths_,
        ) = _ENCRYPTED_DATA_PAYMENT_RELAY_0.unpack_from(buf, pos)
        pos += 6
        fee_base_msat_ = read_tu(buf[pos:], 4)
        value = cls(
            cltv_expiry_delta=cltv_expiry_delta_,
            fee_proportional_millionths=fee_proportional_millionths_,
            fee_base_msat=fee_base_msat_,
        )
        return value, len(buf)


_ENCRYPTED_DATA_PAYMENT_CONSTRAINTS_0 = struct.Struct(">I")


@wire_class
class EncryptedDataPaymentConstraints(Subtype):
    """TLV record `payment_constraints` of `encrypted_data_tlv`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("max_cltv_expiry", "u32", ""),
        ("htlc_minimum_msat", "tu64", ""),
    )

    __slots__ = ("max_cltv_expiry", "htlc_minimum_msat")
    max_cltv_expiry: int  # u32
    htlc_minimum_msat: int  # tu64

    def __init__(
        self,
        *,
        max_cltv_expiry: int,
        htlc_minimum_msat: int,
    ) -> None:
        put(self, "max_cltv_expiry", max_cltv_expiry)
        put(self, "htlc_minimum_msat", htlc_minimum_msat)

    def write(self) -> bytes:
        return b"".join(
            (
                _ENCRYPTED_DATA_PAYMENT_CONSTRAINTS_0.pack(self.max_cltv_expiry),
                write_tu(self.htlc_minimum_msat, 8),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (max_cltv_expiry_,) = _ENCRYPTED_DATA_PAYMENT_CONSTRAINTS_0.unpack_from(buf, pos)
        pos += 4
        htlc_minimum_msat_ = read_tu(buf[pos:], 8)
        value = cls(
            max_cltv_expiry=max_cltv_expiry_,
            htlc_minimum_msat=htlc_minimum_msat_,
        )
        return value, len(buf)


_ENCRYPTED_DATA_TLV_0 = struct.Struct(">Q")
_ENCRYPTED_DATA_TLV_1 = struct.Struct(">33s")


@wire_class
class EncryptedDataTlv(TlvStream):
    """TLV stream `encrypted_data_tlv`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("padding", "byte", "..."),
        ("short_channel_id", "short_channel_id", ""),
        ("next_node_id", "point", ""),
        ("path_id", "byte", "..."),
        ("next_path_key_override", "point", ""),
        ("payment_relay", "EncryptedDataPaymentRelay", ""),
        ("payment_constraints", "EncryptedDataPaymentConstraints", ""),
        ("allowed_features", "byte", "..."),
    )

    __slots__ = (
        "padding",
        "short_channel_id",
        "next_node_id",
        "path_id",
        "next_path_key_override",
        "payment_relay",
        "payment_constraints",
        "allowed_features",
        "unknown",
    )
    padding: bytes | None  # type 1
    short_channel_id: ShortChannelId | None  # type 2
    next_node_id: NodeId | None  # type 4
    path_id: bytes | None  # type 6
    next_path_key_override: bytes | None  # type 8
    payment_relay: EncryptedDataPaymentRelay | None  # type 10
    payment_constraints: EncryptedDataPaymentConstraints | None  # type 12
    allowed_features: bytes | None  # type 14
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        padding: bytes | None = None,
        short_channel_id: ShortChannelId | None = None,
        next_node_id: NodeId | None = None,
        path_id: bytes | None = None,
        next_path_key_override: bytes | None = None,
        payment_relay: EncryptedDataPaymentRelay | None = None,
        payment_constraints: EncryptedDataPaymentConstraints | None = None,
        allowed_features: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "padding", padding)
        put(self, "short_channel_id", short_channel_id)
        put(self, "next_node_id", next_node_id)
        put(self, "path_id", path_id)
        put(self, "next_path_key_override", next_path_key_override)
        put(self, "payment_relay", payment_relay)
        put(self, "payment_constraints", payment_constraints)
        put(self, "allowed_features", allowed_features)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.padding is not None:
            records.append((1, self.padding))
        if self.short_channel_id is not None:
            records.append((2, _ENCRYPTED_DATA_TLV_0.pack(self.short_channel_id)))
        if self.next_node_id is not None:
            if len(self.next_node_id) != 33:
                raise wrong_length(self)
            records.append((4, _ENCRYPTED_DATA_TLV_1.pack(self.next_node_id)))
        if self.path_id is not None:
            records.append((6, self.path_id))
        if self.next_path_key_override is not None:
            if len(self.next_path_key_override) != 33:
                raise wrong_length(self)
            records.append((8, _ENCRYPTED_DATA_TLV_1.pack(self.next_path_key_override)))
        if self.payment_relay is not None:
            records.append((10, self.payment_relay.write()))
        if self.payment_constraints is not None:
            records.append((12, self.payment_constraints.write()))
        if self.allowed_features is not None:
            records.append((14, self.allowed_features))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        padding_: bytes | None = None
        short_channel_id_: ShortChannelId | None = None
        next_node_id_: NodeId | None = None
        path_id_: bytes | None = None
        next_path_key_override_: bytes | None = None
        payment_relay_: EncryptedDataPaymentRelay | None = None
        payment_constraints_: EncryptedDataPaymentConstraints | None = None
        allowed_features_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    padding_ = value
                elif kind == 2:
                    (short_channel_id_0_,) = _ENCRYPTED_DATA_TLV_0.unpack(value)
                    short_channel_id_ = ShortChannelId(short_channel_id_0_)
                elif kind == 4:
                    (next_node_id_,) = _ENCRYPTED_DATA_TLV_1.unpack(value)
                    if next_node_id_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 6:
                    path_id_ = value
                elif kind == 8:
                    (next_path_key_override_,) = _ENCRYPTED_DATA_TLV_1.unpack(value)
                    if next_path_key_override_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 10:
                    payment_relay_ = EncryptedDataPaymentRelay.read_all(value)
                elif kind == 12:
                    payment_constraints_ = EncryptedDataPaymentConstraints.read_all(value)
                elif kind == 14:
                    allowed_features_ = value
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"EncryptedDataTlv: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            padding=padding_,
            short_channel_id=short_channel_id_,
            next_node_id=next_node_id_,
            path_id=path_id_,
            next_path_key_override=next_path_key_override_,
            payment_relay=payment_relay_,
            payment_constraints=payment_constraints_,
            allowed_features=allowed_features_,
            unknown=tuple(unknown_),
        )


_NO_ENCRYPTED_DATA_TLV = EncryptedDataTlv()


@wire_class
class OnionmsgTlv(TlvStream):
    """TLV stream `onionmsg_tlv`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("reply_path", "blinded_path", ""),
        ("encrypted_recipient_data", "byte", "..."),
        ("invoice_request", "byte", "..."),
        ("invoice", "byte", "..."),
        ("invoice_error", "byte", "..."),
    )

    __slots__ = (
        "reply_path",
        "encrypted_recipient_data",
        "invoice_request",
        "invoice",
        "invoice_error",
        "unknown",
    )
    reply_path: BlindedPath | None  # type 2
    encrypted_recipient_data: bytes | None  # type 4
    invoice_request: bytes | None  # type 64
    invoice: bytes | None  # type 66
    invoice_error: bytes | None  # type 68
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        reply_path: BlindedPath | None = None,
        encrypted_recipient_data: bytes | None = None,
        invoice_request: bytes | None = None,
        invoice: bytes | None = None,
        invoice_error: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "reply_path", reply_path)
        put(self, "encrypted_recipient_data", encrypted_recipient_data)
        put(self, "invoice_request", invoice_request)
        put(self, "invoice", invoice)
        put(self, "invoice_error", invoice_error)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.reply_path is not None:
            records.append((2, self.reply_path.write()))
        if self.encrypted_recipient_data is not None:
            records.append((4, self.encrypted_recipient_data))
        if self.invoice_request is not None:
            records.append((64, self.invoice_request))
        if self.invoice is not None:
            records.append((66, self.invoice))
        if self.invoice_error is not None:
            records.append((68, self.invoice_error))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        reply_path_: BlindedPath | None = None
        encrypted_recipient_data_: bytes | None = None
        invoice_request_: bytes | None = None
        invoice_: bytes | None = None
        invoice_error_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 2:
                    pos = 0
                    reply_path_, pos = BlindedPath.read(value, pos)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 4:
                    encrypted_recipient_data_ = value
                elif kind == 64:
                    invoice_request_ = value
                elif kind == 66:
                    invoice_ = value
                elif kind == 68:
                    invoice_error_ = value
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"OnionmsgTlv: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            reply_path=reply_path_,
            encrypted_recipient_data=encrypted_recipient_data_,
            invoice_request=invoice_request_,
            invoice=invoice_,
            invoice_error=invoice_error_,
            unknown=tuple(unknown_),
        )


_NO_ONIONMSG_TLV = OnionmsgTlv()


_TEMPORARY_NODE_FAILURE_0 = struct.Struct(">H")


@wire_class
class TemporaryNodeFailure(Message):
    """BOLT 4, failure message. Type 8194."""

    TYPE: ClassVar[int] = 8194
    NAME: ClassVar[str] = "WIRE_TEMPORARY_NODE_FAILURE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _TEMPORARY_NODE_FAILURE_0.pack(8194)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _TEMPORARY_NODE_FAILURE_0.unpack_from(buf)
            if wire_type != 8194:
                raise WireError(f"type {wire_type}, not 8194")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_PERMANENT_NODE_FAILURE_0 = struct.Struct(">H")


@wire_class
class PermanentNodeFailure(Message):
    """BOLT 4, failure message. Type 24578."""

    TYPE: ClassVar[int] = 24578
    NAME: ClassVar[str] = "WIRE_PERMANENT_NODE_FAILURE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _PERMANENT_NODE_FAILURE_0.pack(24578)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _PERMANENT_NODE_FAILURE_0.unpack_from(buf)
            if wire_type != 24578:
                raise WireError(f"type {wire_type}, not 24578")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_REQUIRED_NODE_FEATURE_MISSING_0 = struct.Struct(">H")


@wire_class
class RequiredNodeFeatureMissing(Message):
    """BOLT 4, failure message. Type 24579."""

    TYPE: ClassVar[int] = 24579
    NAME: ClassVar[str] = "WIRE_REQUIRED_NODE_FEATURE_MISSING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _REQUIRED_NODE_FEATURE_MISSING_0.pack(24579)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _REQUIRED_NODE_FEATURE_MISSING_0.unpack_from(buf)
            if wire_type != 24579:
                raise WireError(f"type {wire_type}, not 24579")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_INVALID_ONION_VERSION_0 = struct.Struct(">H32s")


@wire_class
class InvalidOnionVersion(Message):
    """BOLT 4, failure message. Type 49156."""

    TYPE: ClassVar[int] = 49156
    NAME: ClassVar[str] = "WIRE_INVALID_ONION_VERSION"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sha256_of_onion", "sha256", ""),
    )

    __slots__ = ("sha256_of_onion",)
    sha256_of_onion: bytes  # 32 bytes

    def __init__(
        self,
        *,
        sha256_of_onion: bytes,
    ) -> None:
        put(self, "sha256_of_onion", sha256_of_onion)

    def encode(self) -> bytes:
        if len(self.sha256_of_onion) != 32:
            raise wrong_length(self)
        return _INVALID_ONION_VERSION_0.pack(49156, self.sha256_of_onion)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, sha256_of_onion_ = _INVALID_ONION_VERSION_0.unpack_from(buf)
            if wire_type != 49156:
                raise WireError(f"type {wire_type}, not 49156")
            return cls(
                sha256_of_onion=sha256_of_onion_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_INVALID_ONION_HMAC_0 = struct.Struct(">H32s")


@wire_class
class InvalidOnionHmac(Message):
    """BOLT 4, failure message. Type 49157."""

    TYPE: ClassVar[int] = 49157
    NAME: ClassVar[str] = "WIRE_INVALID_ONION_HMAC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sha256_of_onion", "sha256", ""),
    )

    __slots__ = ("sha256_of_onion",)
    sha256_of_onion: bytes  # 32 bytes

    def __init__(
        self,
        *,
        sha256_of_onion: bytes,
    ) -> None:
        put(self, "sha256_of_onion", sha256_of_onion)

    def encode(self) -> bytes:
        if len(self.sha256_of_onion) != 32:
            raise wrong_length(self)
        return _INVALID_ONION_HMAC_0.pack(49157, self.sha256_of_onion)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, sha256_of_onion_ = _INVALID_ONION_HMAC_0.unpack_from(buf)
            if wire_type != 49157:
                raise WireError(f"type {wire_type}, not 49157")
            return cls(
                sha256_of_onion=sha256_of_onion_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_INVALID_ONION_KEY_0 = struct.Struct(">H32s")


@wire_class
class InvalidOnionKey(Message):
    """BOLT 4, failure message. Type 49158."""

    TYPE: ClassVar[int] = 49158
    NAME: ClassVar[str] = "WIRE_INVALID_ONION_KEY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sha256_of_onion", "sha256", ""),
    )

    __slots__ = ("sha256_of_onion",)
    sha256_of_onion: bytes  # 32 bytes

    def __init__(
        self,
        *,
        sha256_of_onion: bytes,
    ) -> None:
        put(self, "sha256_of_onion", sha256_of_onion)

    def encode(self) -> bytes:
        if len(self.sha256_of_onion) != 32:
            raise wrong_length(self)
        return _INVALID_ONION_KEY_0.pack(49158, self.sha256_of_onion)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, sha256_of_onion_ = _INVALID_ONION_KEY_0.unpack_from(buf)
            if wire_type != 49158:
                raise WireError(f"type {wire_type}, not 49158")
            return cls(
                sha256_of_onion=sha256_of_onion_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TEMPORARY_CHANNEL_FAILURE_0 = struct.Struct(">HH")


@wire_class
class TemporaryChannelFailure(Message):
    """BOLT 4, failure message. Type 4103."""

    TYPE: ClassVar[int] = 4103
    NAME: ClassVar[str] = "WIRE_TEMPORARY_CHANNEL_FAILURE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_update", "byte", "len"),
    )

    __slots__ = ("channel_update",)
    channel_update: bytes

    def __init__(
        self,
        *,
        channel_update: bytes,
    ) -> None:
        put(self, "channel_update", channel_update)

    def encode(self) -> bytes:
        return b"".join(
            (
                _TEMPORARY_CHANNEL_FAILURE_0.pack(4103, len(self.channel_update)),
                self.channel_update,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, len_ = _TEMPORARY_CHANNEL_FAILURE_0.unpack_from(buf)
            if wire_type != 4103:
                raise WireError(f"type {wire_type}, not 4103")
            pos = 4
            end = pos + len_
            if end > len(buf):
                raise too_short("channel_update", len_, len(buf) - pos)
            channel_update_ = buf[pos:end]
            pos = end
            return cls(
                channel_update=channel_update_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_PERMANENT_CHANNEL_FAILURE_0 = struct.Struct(">H")


@wire_class
class PermanentChannelFailure(Message):
    """BOLT 4, failure message. Type 16392."""

    TYPE: ClassVar[int] = 16392
    NAME: ClassVar[str] = "WIRE_PERMANENT_CHANNEL_FAILURE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _PERMANENT_CHANNEL_FAILURE_0.pack(16392)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _PERMANENT_CHANNEL_FAILURE_0.unpack_from(buf)
            if wire_type != 16392:
                raise WireError(f"type {wire_type}, not 16392")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_REQUIRED_CHANNEL_FEATURE_MISSING_0 = struct.Struct(">H")


@wire_class
class RequiredChannelFeatureMissing(Message):
    """BOLT 4, failure message. Type 16393."""

    TYPE: ClassVar[int] = 16393
    NAME: ClassVar[str] = "WIRE_REQUIRED_CHANNEL_FEATURE_MISSING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _REQUIRED_CHANNEL_FEATURE_MISSING_0.pack(16393)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _REQUIRED_CHANNEL_FEATURE_MISSING_0.unpack_from(buf)
            if wire_type != 16393:
                raise WireError(f"type {wire_type}, not 16393")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_UNKNOWN_NEXT_PEER_0 = struct.Struct(">H")


@wire_class
class UnknownNextPeer(Message):
    """BOLT 4, failure message. Type 16394."""

    TYPE: ClassVar[int] = 16394
    NAME: ClassVar[str] = "WIRE_UNKNOWN_NEXT_PEER"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _UNKNOWN_NEXT_PEER_0.pack(16394)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _UNKNOWN_NEXT_PEER_0.unpack_from(buf)
            if wire_type != 16394:
                raise WireError(f"type {wire_type}, not 16394")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_AMOUNT_BELOW_MINIMUM_0 = struct.Struct(">HQH")


@wire_class
class AmountBelowMinimum(Message):
    """BOLT 4, failure message. Type 4107."""

    TYPE: ClassVar[int] = 4107
    NAME: ClassVar[str] = "WIRE_AMOUNT_BELOW_MINIMUM"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("htlc_msat", "u64", ""),
        ("channel_update", "byte", "len"),
    )

    __slots__ = ("htlc_msat", "channel_update")
    htlc_msat: Msat
    channel_update: bytes

    def __init__(
        self,
        *,
        htlc_msat: Msat,
        channel_update: bytes,
    ) -> None:
        put(self, "htlc_msat", htlc_msat)
        put(self, "channel_update", channel_update)

    def encode(self) -> bytes:
        return b"".join(
            (
                _AMOUNT_BELOW_MINIMUM_0.pack(4107, self.htlc_msat.msat, len(self.channel_update)),
                self.channel_update,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, htlc_msat_0_, len_ = _AMOUNT_BELOW_MINIMUM_0.unpack_from(buf)
            if wire_type != 4107:
                raise WireError(f"type {wire_type}, not 4107")
            pos = 12
            end = pos + len_
            if end > len(buf):
                raise too_short("channel_update", len_, len(buf) - pos)
            channel_update_ = buf[pos:end]
            pos = end
            return cls(
                htlc_msat=Msat(htlc_msat_0_),
                channel_update=channel_update_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_FEE_INSUFFICIENT_0 = struct.Struct(">HQH")


@wire_class
class FeeInsufficient(Message):
    """BOLT 4, failure message. Type 4108."""

    TYPE: ClassVar[int] = 4108
    NAME: ClassVar[str] = "WIRE_FEE_INSUFFICIENT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("htlc_msat", "u64", ""),
        ("channel_update", "byte", "len"),
    )

    __slots__ = ("htlc_msat", "channel_update")
    htlc_msat: Msat
    channel_update: bytes

    def __init__(
        self,
        *,
        htlc_msat: Msat,
        channel_update: bytes,
    ) -> None:
        put(self, "htlc_msat", htlc_msat)
        put(self, "channel_update", channel_update)

    def encode(self) -> bytes:
        return b"".join(
            (
                _FEE_INSUFFICIENT_0.pack(4108, self.htlc_msat.msat, len(self.channel_update)),
                self.channel_update,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, htlc_msat_0_, len_ = _FEE_INSUFFICIENT_0.unpack_from(buf)
            if wire_type != 4108:
                raise WireError(f"type {wire_type}, not 4108")
            pos = 12
            end = pos + len_
            if end > len(buf):
                raise too_short("channel_update", len_, len(buf) - pos)
            channel_update_ = buf[pos:end]
            pos = end
            return cls(
                htlc_msat=Msat(htlc_msat_0_),
                channel_update=channel_update_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_INCORRECT_CLTV_EXPIRY_0 = struct.Struct(">HIH")


@wire_class
class IncorrectCltvExpiry(Message):
    """BOLT 4, failure message. Type 4109."""

    TYPE: ClassVar[int] = 4109
    NAME: ClassVar[str] = "WIRE_INCORRECT_CLTV_EXPIRY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cltv_expiry", "u32", ""),
        ("channel_update", "byte", "len"),
    )

    __slots__ = ("cltv_expiry", "channel_update")
    cltv_expiry: int  # u32
    channel_update: bytes

    def __init__(
        self,
        *,
        cltv_expiry: int,
        channel_update: bytes,
    ) -> None:
        put(self, "cltv_expiry", cltv_expiry)
        put(self, "channel_update", channel_update)

    def encode(self) -> bytes:
        return b"".join(
            (
                _INCORRECT_CLTV_EXPIRY_0.pack(4109, self.cltv_expiry, len(self.channel_update)),
                self.channel_update,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, cltv_expiry_, len_ = _INCORRECT_CLTV_EXPIRY_0.unpack_from(buf)
            if wire_type != 4109:
                raise WireError(f"type {wire_type}, not 4109")
            pos = 8
            end = pos + len_
            if end > len(buf):
                raise too_short("channel_update", len_, len(buf) - pos)
            channel_update_ = buf[pos:end]
            pos = end
            return cls(
                cltv_expiry=cltv_expiry_,
                channel_update=channel_update_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_EXPIRY_TOO_SOON_0 = struct.Struct(">HH")


@wire_class
class ExpiryTooSoon(Message):
    """BOLT 4, failure message. Type 4110."""

    TYPE: ClassVar[int] = 4110
    NAME: ClassVar[str] = "WIRE_EXPIRY_TOO_SOON"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_update", "byte", "len"),
    )

    __slots__ = ("channel_update",)
    channel_update: bytes

    def __init__(
        self,
        *,
        channel_update: bytes,
    ) -> None:
        put(self, "channel_update", channel_update)

    def encode(self) -> bytes:
        return b"".join(
            (_EXPIRY_TOO_SOON_0.pack(4110, len(self.channel_update)), self.channel_update),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, len_ = _EXPIRY_TOO_SOON_0.unpack_from(buf)
            if wire_type != 4110:
                raise WireError(f"type {wire_type}, not 4110")
            pos = 4
            end = pos + len_
            if end > len(buf):
                raise too_short("channel_update", len_, len(buf) - pos)
            channel_update_ = buf[pos:end]
            pos = end
            return cls(
                channel_update=channel_update_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS_0 = struct.Struct(">HQI")


@wire_class
class IncorrectOrUnknownPaymentDetails(Message):
    """BOLT 4, failure message. Type 16399."""

    TYPE: ClassVar[int] = 16399
    NAME: ClassVar[str] = "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("htlc_msat", "u64", ""),
        ("height", "u32", ""),
    )

    __slots__ = ("htlc_msat", "height")
    htlc_msat: Msat
    height: int  # u32

    def __init__(
        self,
        *,
        htlc_msat: Msat,
        height: int,
    ) -> None:
        put(self, "htlc_msat", htlc_msat)
        put(self, "height", height)

    def encode(self) -> bytes:
        return _INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS_0.pack(16399, self.htlc_msat.msat, self.height)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                htlc_msat_0_,
                height_,
            ) = _INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS_0.unpack_from(buf)
            if wire_type != 16399:
                raise WireError(f"type {wire_type}, not 16399")
            return cls(
                htlc_msat=Msat(htlc_msat_0_),
                height=height_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_FINAL_INCORRECT_CLTV_EXPIRY_0 = struct.Struct(">HI")


@wire_class
class FinalIncorrectCltvExpiry(Message):
    """BOLT 4, failure message. Type 18."""

    TYPE: ClassVar[int] = 18
    NAME: ClassVar[str] = "WIRE_FINAL_INCORRECT_CLTV_EXPIRY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cltv_expiry", "u32", ""),
    )

    __slots__ = ("cltv_expiry",)
    cltv_expiry: int  # u32

    def __init__(
        self,
        *,
        cltv_expiry: int,
    ) -> None:
        put(self, "cltv_expiry", cltv_expiry)

    def encode(self) -> bytes:
        return _FINAL_INCORRECT_CLTV_EXPIRY_0.pack(18, self.cltv_expiry)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, cltv_expiry_ = _FINAL_INCORRECT_CLTV_EXPIRY_0.unpack_from(buf)
            if wire_type != 18:
                raise WireError(f"type {wire_type}, not 18")
            return cls(
                cltv_expiry=cltv_expiry_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_FINAL_INCORRECT_HTLC_AMOUNT_0 = struct.Struct(">HQ")


@wire_class
class FinalIncorrectHtlcAmount(Message):
    """BOLT 4, failure message. Type 19."""

    TYPE: ClassVar[int] = 19
    NAME: ClassVar[str] = "WIRE_FINAL_INCORRECT_HTLC_AMOUNT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("incoming_htlc_amt", "u64", ""),
    )

    __slots__ = ("incoming_htlc_amt",)
    incoming_htlc_amt: Msat

    def __init__(
        self,
        *,
        incoming_htlc_amt: Msat,
    ) -> None:
        put(self, "incoming_htlc_amt", incoming_htlc_amt)

    def encode(self) -> bytes:
        return _FINAL_INCORRECT_HTLC_AMOUNT_0.pack(19, self.incoming_htlc_amt.msat)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, incoming_htlc_amt_0_ = _FINAL_INCORRECT_HTLC_AMOUNT_0.unpack_from(buf)
            if wire_type != 19:
                raise WireError(f"type {wire_type}, not 19")
            return cls(
                incoming_htlc_amt=Msat(incoming_htlc_amt_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNEL_DISABLED_0 = struct.Struct(">HHH")


@wire_class
class ChannelDisabled(Message):
    """BOLT 4, failure message. Type 4116."""

    TYPE: ClassVar[int] = 4116
    NAME: ClassVar[str] = "WIRE_CHANNEL_DISABLED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("disabled_flags", "u16", ""),
        ("channel_update", "byte", "len"),
    )

    __slots__ = ("disabled_flags", "channel_update")
    disabled_flags: int  # u16
    channel_update: bytes

    def __init__(
        self,
        *,
        disabled_flags: int,
        channel_update: bytes,
    ) -> None:
        put(self, "disabled_flags", disabled_flags)
        put(self, "channel_update", channel_update)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNEL_DISABLED_0.pack(4116, self.disabled_flags, len(self.channel_update)),
                self.channel_update,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, disabled_flags_, len_ = _CHANNEL_DISABLED_0.unpack_from(buf)
            if wire_type != 4116:
                raise WireError(f"type {wire_type}, not 4116")
            pos = 6
            end = pos + len_
            if end > len(buf):
                raise too_short("channel_update", len_, len(buf) - pos)
            channel_update_ = buf[pos:end]
            pos = end
            return cls(
                disabled_flags=disabled_flags_,
                channel_update=channel_update_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_EXPIRY_TOO_FAR_0 = struct.Struct(">H")


@wire_class
class ExpiryTooFar(Message):
    """BOLT 4, failure message. Type 21."""

    TYPE: ClassVar[int] = 21
    NAME: ClassVar[str] = "WIRE_EXPIRY_TOO_FAR"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _EXPIRY_TOO_FAR_0.pack(21)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _EXPIRY_TOO_FAR_0.unpack_from(buf)
            if wire_type != 21:
                raise WireError(f"type {wire_type}, not 21")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_INVALID_ONION_PAYLOAD_0 = struct.Struct(">H")


@wire_class
class InvalidOnionPayload(Message):
    """BOLT 4, failure message. Type 16406."""

    TYPE: ClassVar[int] = 16406
    NAME: ClassVar[str] = "WIRE_INVALID_ONION_PAYLOAD"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("type", "bigsize", ""),
        ("offset", "u16", ""),
    )

    __slots__ = ("type", "offset")
    type: int  # bigsize
    offset: int  # u16

    def __init__(
        self,
        *,
        type: int,
        offset: int,
    ) -> None:
        put(self, "type", type)
        put(self, "offset", offset)

    def encode(self) -> bytes:
        return b"".join(
            (
                _INVALID_ONION_PAYLOAD_0.pack(16406),
                write_bigsize(self.type),
                _INVALID_ONION_PAYLOAD_0.pack(self.offset),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _INVALID_ONION_PAYLOAD_0.unpack_from(buf)
            if wire_type != 16406:
                raise WireError(f"type {wire_type}, not 16406")
            pos = 2
            type_, pos = read_bigsize(buf, pos)
            (offset_,) = _INVALID_ONION_PAYLOAD_0.unpack_from(buf, pos)
            pos += 2
            return cls(
                type=type_,
                offset=offset_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_MPP_TIMEOUT_0 = struct.Struct(">H")


@wire_class
class MppTimeout(Message):
    """BOLT 4, failure message. Type 23."""

    TYPE: ClassVar[int] = 23
    NAME: ClassVar[str] = "WIRE_MPP_TIMEOUT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _MPP_TIMEOUT_0.pack(23)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _MPP_TIMEOUT_0.unpack_from(buf)
            if wire_type != 23:
                raise WireError(f"type {wire_type}, not 23")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_INVALID_ONION_BLINDING_0 = struct.Struct(">H32s")


@wire_class
class InvalidOnionBlinding(Message):
    """BOLT 4, failure message. Type 49176."""

    TYPE: ClassVar[int] = 49176
    NAME: ClassVar[str] = "WIRE_INVALID_ONION_BLINDING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("sha256_of_onion", "sha256", ""),
    )

    __slots__ = ("sha256_of_onion",)
    sha256_of_onion: bytes  # 32 bytes

    def __init__(
        self,
        *,
        sha256_of_onion: bytes,
    ) -> None:
        put(self, "sha256_of_onion", sha256_of_onion)

    def encode(self) -> bytes:
        if len(self.sha256_of_onion) != 32:
            raise wrong_length(self)
        return _INVALID_ONION_BLINDING_0.pack(49176, self.sha256_of_onion)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, sha256_of_onion_ = _INVALID_ONION_BLINDING_0.unpack_from(buf)
            if wire_type != 49176:
                raise WireError(f"type {wire_type}, not 49176")
            return cls(
                sha256_of_onion=sha256_of_onion_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


FailureMessage: TypeAlias = (
    TemporaryNodeFailure
    | PermanentNodeFailure
    | RequiredNodeFeatureMissing
    | InvalidOnionVersion
    | InvalidOnionHmac
    | InvalidOnionKey
    | TemporaryChannelFailure
    | PermanentChannelFailure
    | RequiredChannelFeatureMissing
    | UnknownNextPeer
    | AmountBelowMinimum
    | FeeInsufficient
    | IncorrectCltvExpiry
    | ExpiryTooSoon
    | IncorrectOrUnknownPaymentDetails
    | FinalIncorrectCltvExpiry
    | FinalIncorrectHtlcAmount
    | ChannelDisabled
    | ExpiryTooFar
    | InvalidOnionPayload
    | MppTimeout
    | InvalidOnionBlinding
)

MESSAGES: dict[int, type[FailureMessage]] = {
    8194: TemporaryNodeFailure,
    24578: PermanentNodeFailure,
    24579: RequiredNodeFeatureMissing,
    49156: InvalidOnionVersion,
    49157: InvalidOnionHmac,
    49158: InvalidOnionKey,
    4103: TemporaryChannelFailure,
    16392: PermanentChannelFailure,
    16393: RequiredChannelFeatureMissing,
    16394: UnknownNextPeer,
    4107: AmountBelowMinimum,
    4108: FeeInsufficient,
    4109: IncorrectCltvExpiry,
    4110: ExpiryTooSoon,
    16399: IncorrectOrUnknownPaymentDetails,
    18: FinalIncorrectCltvExpiry,
    19: FinalIncorrectHtlcAmount,
    4116: ChannelDisabled,
    21: ExpiryTooFar,
    16406: InvalidOnionPayload,
    23: MppTimeout,
    49176: InvalidOnionBlinding,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> FailureMessage | UnknownFailure:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        return UnknownFailure(wire_type, buf[2:])
    return cls.decode(buf)
