# GENERATED from tools/wire/peer.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `tools/wire/peer.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Literal, Self, TypeAlias

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import ChannelId, NodeId, ShortChannelId, Txid
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Subtype,
    TlvStream,
    UnknownOdd,
    exactly,
    join_fixed,
    malformed,
    message_type,
    put,
    too_short,
    trailing,
    unknown_message,
    wire_class,
    wrong_length,
)
from pylightningd.common.wire.tlv import (
    TlvError,
    read_bigsize,
    read_records,
    write_bigsize,
    write_records,
)

SPEC_HASH = bytes.fromhex(
    "c67930a6cb12a70c0019f012ca91655a703c80b887fe0e513d13b620979335ab"
)
"""SHA256 of tools/wire/peer.csv and what it includes."""


_WITNESS_0 = struct.Struct(">H")


@wire_class
class Witness(Subtype):
    """BOLT 2, subtype `witness`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("witness_data", "byte", "len"),
    )

    __slots__ = ("witness_data",)
    witness_data: bytes

    def __init__(
        self,
        *,
        witness_data: bytes,
    ) -> None:
        put(self, "witness_data", witness_data)

    def write(self) -> bytes:
        return b"".join((_WITNESS_0.pack(len(self.witness_data)), self.witness_data))

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (len_,) = _WITNESS_0.unpack_from(buf, pos)
        pos += 2
        end = pos + len_
        if end > len(buf):
            raise too_short("witness_data", len_, len(buf) - pos)
        witness_data_ = buf[pos:end]
        pos = end
        value = cls(
            witness_data=witness_data_,
        )
        return value, pos


_CHANNEL_UPDATE_TIMESTAMPS_0 = struct.Struct(">II")


@wire_class
class ChannelUpdateTimestamps(Subtype):
    """BOLT 7, subtype `channel_update_timestamps`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("timestamp_node_id_1", "u32", ""),
        ("timestamp_node_id_2", "u32", ""),
    )

    __slots__ = ("timestamp_node_id_1", "timestamp_node_id_2")
    timestamp_node_id_1: int  # u32
    timestamp_node_id_2: int  # u32

    def __init__(
        self,
        *,
        timestamp_node_id_1: int,
        timestamp_node_id_2: int,
    ) -> None:
        put(self, "timestamp_node_id_1", timestamp_node_id_1)
        put(self, "timestamp_node_id_2", timestamp_node_id_2)

    def write(self) -> bytes:
        return _CHANNEL_UPDATE_TIMESTAMPS_0.pack(self.timestamp_node_id_1, self.timestamp_node_id_2)

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            timestamp_node_id_1_,
            timestamp_node_id_2_,
        ) = _CHANNEL_UPDATE_TIMESTAMPS_0.unpack_from(buf, pos)
        pos += 8
        value = cls(
            timestamp_node_id_1=timestamp_node_id_1_,
            timestamp_node_id_2=timestamp_node_id_2_,
        )
        return value, pos


_CHANNEL_UPDATE_CHECKSUMS_0 = struct.Struct(">II")


@wire_class
class ChannelUpdateChecksums(Subtype):
    """BOLT 7, subtype `channel_update_checksums`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("checksum_node_id_1", "u32", ""),
        ("checksum_node_id_2", "u32", ""),
    )

    __slots__ = ("checksum_node_id_1", "checksum_node_id_2")
    checksum_node_id_1: int  # u32
    checksum_node_id_2: int  # u32

    def __init__(
        self,
        *,
        checksum_node_id_1: int,
        checksum_node_id_2: int,
    ) -> None:
        put(self, "checksum_node_id_1", checksum_node_id_1)
        put(self, "checksum_node_id_2", checksum_node_id_2)

    def write(self) -> bytes:
        return _CHANNEL_UPDATE_CHECKSUMS_0.pack(self.checksum_node_id_1, self.checksum_node_id_2)

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        checksum_node_id_1_, checksum_node_id_2_ = _CHANNEL_UPDATE_CHECKSUMS_0.unpack_from(buf, pos)
        pos += 8
        value = cls(
            checksum_node_id_1=checksum_node_id_1_,
            checksum_node_id_2=checksum_node_id_2_,
        )
        return value, pos


_INIT_TLVS_0 = struct.Struct(">32s")


@wire_class
class InitTlvs(TlvStream):
    """TLV stream `init_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("networks", "chain_hash", "..."),
        ("remote_addr", "byte", "..."),
    )

    __slots__ = ("networks", "remote_addr", "unknown")
    networks: tuple[bytes, ...] | None  # type 1
    remote_addr: bytes | None  # type 3
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        networks: tuple[bytes, ...] | None = None,
        remote_addr: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "networks", networks)
        put(self, "remote_addr", remote_addr)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.networks is not None:
            records.append((1, join_fixed(self.networks, 32)))
        if self.remote_addr is not None:
            records.append((3, self.remote_addr))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        networks_: tuple[bytes, ...] | None = None
        remote_addr_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    networks_ = tuple(
                        [networks_ for (networks_,) in _INIT_TLVS_0.iter_unpack(value)],
                    )
                elif kind == 3:
                    remote_addr_ = value
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"InitTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            networks=networks_,
            remote_addr=remote_addr_,
            unknown=tuple(unknown_),
        )


_NO_INIT_TLVS = InitTlvs()


_TX_ADD_INPUT_TLVS_0 = struct.Struct(">32s")


@wire_class
class TxAddInputTlvs(TlvStream):
    """TLV stream `tx_add_input_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("shared_input_txid", "sha256", ""),
    )

    __slots__ = ("shared_input_txid", "unknown")
    shared_input_txid: Txid | None  # type 0
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        shared_input_txid: Txid | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "shared_input_txid", shared_input_txid)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.shared_input_txid is not None:
            if len(self.shared_input_txid) != 32:
                raise wrong_length(self)
            records.append((0, _TX_ADD_INPUT_TLVS_0.pack(self.shared_input_txid)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        shared_input_txid_: Txid | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    (shared_input_txid_,) = _TX_ADD_INPUT_TLVS_0.unpack(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"TxAddInputTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            shared_input_txid=shared_input_txid_,
            unknown=tuple(unknown_),
        )


_NO_TX_ADD_INPUT_TLVS = TxAddInputTlvs()


_TX_SIGNATURES_TLVS_0 = struct.Struct(">64s")


@wire_class
class TxSignaturesTlvs(TlvStream):
    """TLV stream `tx_signatures_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("shared_input_signature", "signature", ""),
    )

    __slots__ = ("shared_input_signature", "unknown")
    shared_input_signature: bytes | None  # type 0
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        shared_input_signature: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "shared_input_signature", shared_input_signature)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.shared_input_signature is not None:
            if len(self.shared_input_signature) != 64:
                raise wrong_length(self)
            records.append((0, _TX_SIGNATURES_TLVS_0.pack(self.shared_input_signature)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        shared_input_signature_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    (shared_input_signature_,) = _TX_SIGNATURES_TLVS_0.unpack(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"TxSignaturesTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            shared_input_signature=shared_input_signature_,
            unknown=tuple(unknown_),
        )


_NO_TX_SIGNATURES_TLVS = TxSignaturesTlvs()


_TX_INIT_RBF_TLVS_0 = struct.Struct(">q")


@wire_class
class TxInitRbfTlvs(TlvStream):
    """TLV stream `tx_init_rbf_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("funding_output_contribution", "s64", ""),
        ("require_confirmed_inputs", "", ""),
    )

    __slots__ = ("funding_output_contribution", "require_confirmed_inputs", "unknown")
    funding_output_contribution: int | None  # type 0
    require_confirmed_inputs: Literal[True] | None  # type 2
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        funding_output_contribution: int | None = None,
        require_confirmed_inputs: Literal[True] | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "funding_output_contribution", funding_output_contribution)
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.funding_output_contribution is not None:
            records.append((0, _TX_INIT_RBF_TLVS_0.pack(self.funding_output_contribution)))
        if self.require_confirmed_inputs:
            records.append((2, b""))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        funding_output_contribution_: int | None = None
        require_confirmed_inputs_: Literal[True] | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    (funding_output_contribution_,) = _TX_INIT_RBF_TLVS_0.unpack(value)
                elif kind == 2:
                    if value:
                        raise trailing(cls, len(value))
                    require_confirmed_inputs_ = True
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"TxInitRbfTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            funding_output_contribution=funding_output_contribution_,
            require_confirmed_inputs=require_confirmed_inputs_,
            unknown=tuple(unknown_),
        )


_NO_TX_INIT_RBF_TLVS = TxInitRbfTlvs()


_TX_ACK_RBF_TLVS_0 = struct.Struct(">q")


@wire_class
class TxAckRbfTlvs(TlvStream):
    """TLV stream `tx_ack_rbf_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("funding_output_contribution", "s64", ""),
        ("require_confirmed_inputs", "", ""),
    )

    __slots__ = ("funding_output_contribution", "require_confirmed_inputs", "unknown")
    funding_output_contribution: int | None  # type 0
    require_confirmed_inputs: Literal[True] | None  # type 2
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        funding_output_contribution: int | None = None,
        require_confirmed_inputs: Literal[True] | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "funding_output_contribution", funding_output_contribution)
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.funding_output_contribution is not None:
            records.append((0, _TX_ACK_RBF_TLVS_0.pack(self.funding_output_contribution)))
        if self.require_confirmed_inputs:
            records.append((2, b""))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        funding_output_contribution_: int | None = None
        require_confirmed_inputs_: Literal[True] | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    (funding_output_contribution_,) = _TX_ACK_RBF_TLVS_0.unpack(value)
                elif kind == 2:
                    if value:
                        raise trailing(cls, len(value))
                    require_confirmed_inputs_ = True
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"TxAckRbfTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            funding_output_contribution=funding_output_contribution_,
            require_confirmed_inputs=require_confirmed_inputs_,
            unknown=tuple(unknown_),
        )


_NO_TX_ACK_RBF_TLVS = TxAckRbfTlvs()


@wire_class
class OpenChannelTlvs(TlvStream):
    """TLV stream `open_channel_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("upfront_shutdown_script", "byte", "..."),
        ("channel_type", "byte", "..."),
    )

    __slots__ = ("upfront_shutdown_script", "channel_type", "unknown")
    upfront_shutdown_script: bytes | None  # type 0
    channel_type: bytes | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        upfront_shutdown_script: bytes | None = None,
        channel_type: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "channel_type", channel_type)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.upfront_shutdown_script is not None:
            records.append((0, self.upfront_shutdown_script))
        if self.channel_type is not None:
            records.append((1, self.channel_type))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        upfront_shutdown_script_: bytes | None = None
        channel_type_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    upfront_shutdown_script_ = value
                elif kind == 1:
                    channel_type_ = value
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"OpenChannelTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            upfront_shutdown_script=upfront_shutdown_script_,
            channel_type=channel_type_,
            unknown=tuple(unknown_),
        )


_NO_OPEN_CHANNEL_TLVS = OpenChannelTlvs()


@wire_class
class AcceptChannelTlvs(TlvStream):
    """TLV stream `accept_channel_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("upfront_shutdown_script", "byte", "..."),
        ("channel_type", "byte", "..."),
    )

    __slots__ = ("upfront_shutdown_script", "channel_type", "unknown")
    upfront_shutdown_script: bytes | None  # type 0
    channel_type: bytes | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        upfront_shutdown_script: bytes | None = None,
        channel_type: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "channel_type", channel_type)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.upfront_shutdown_script is not None:
            records.append((0, self.upfront_shutdown_script))
        if self.channel_type is not None:
            records.append((1, self.channel_type))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        upfront_shutdown_script_: bytes | None = None
        channel_type_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    upfront_shutdown_script_ = value
                elif kind == 1:
                    channel_type_ = value
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"AcceptChannelTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            upfront_shutdown_script=upfront_shutdown_script_,
            channel_type=channel_type_,
            unknown=tuple(unknown_),
        )


_NO_ACCEPT_CHANNEL_TLVS = AcceptChannelTlvs()


_CHANNEL_READY_TLVS_0 = struct.Struct(">Q")


@wire_class
class ChannelReadyTlvs(TlvStream):
    """TLV stream `channel_ready_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("short_channel_id", "short_channel_id", ""),
    )

    __slots__ = ("short_channel_id", "unknown")
    short_channel_id: ShortChannelId | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        short_channel_id: ShortChannelId | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "short_channel_id", short_channel_id)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.short_channel_id is not None:
            records.append((1, _CHANNEL_READY_TLVS_0.pack(self.short_channel_id)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        short_channel_id_: ShortChannelId | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    (short_channel_id_0_,) = _CHANNEL_READY_TLVS_0.unpack(value)
                    short_channel_id_ = ShortChannelId(short_channel_id_0_)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"ChannelReadyTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            short_channel_id=short_channel_id_,
            unknown=tuple(unknown_),
        )


_NO_CHANNEL_READY_TLVS = ChannelReadyTlvs()


@wire_class
class OpeningTlvs(TlvStream):
    """TLV stream `opening_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("upfront_shutdown_script", "byte", "..."),
        ("channel_type", "byte", "..."),
        ("require_confirmed_inputs", "", ""),
    )

    __slots__ = ("upfront_shutdown_script", "channel_type", "require_confirmed_inputs", "unknown")
    upfront_shutdown_script: bytes | None  # type 0
    channel_type: bytes | None  # type 1
    require_confirmed_inputs: Literal[True] | None  # type 2
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        upfront_shutdown_script: bytes | None = None,
        channel_type: bytes | None = None,
        require_confirmed_inputs: Literal[True] | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "channel_type", channel_type)
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.upfront_shutdown_script is not None:
            records.append((0, self.upfront_shutdown_script))
        if self.channel_type is not None:
            records.append((1, self.channel_type))
        if self.require_confirmed_inputs:
            records.append((2, b""))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        upfront_shutdown_script_: bytes | None = None
        channel_type_: bytes | None = None
        require_confirmed_inputs_: Literal[True] | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    upfront_shutdown_script_ = value
                elif kind == 1:
                    channel_type_ = value
                elif kind == 2:
                    if value:
                        raise trailing(cls, len(value))
                    require_confirmed_inputs_ = True
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"OpeningTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            upfront_shutdown_script=upfront_shutdown_script_,
            channel_type=channel_type_,
            require_confirmed_inputs=require_confirmed_inputs_,
            unknown=tuple(unknown_),
        )


_NO_OPENING_TLVS = OpeningTlvs()


@wire_class
class AcceptTlvs(TlvStream):
    """TLV stream `accept_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("upfront_shutdown_script", "byte", "..."),
        ("channel_type", "byte", "..."),
        ("require_confirmed_inputs", "", ""),
    )

    __slots__ = ("upfront_shutdown_script", "channel_type", "require_confirmed_inputs", "unknown")
    upfront_shutdown_script: bytes | None  # type 0
    channel_type: bytes | None  # type 1
    require_confirmed_inputs: Literal[True] | None  # type 2
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        upfront_shutdown_script: bytes | None = None,
        channel_type: bytes | None = None,
        require_confirmed_inputs: Literal[True] | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "channel_type", channel_type)
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.upfront_shutdown_script is not None:
            records.append((0, self.upfront_shutdown_script))
        if self.channel_type is not None:
            records.append((1, self.channel_type))
        if self.require_confirmed_inputs:
            records.append((2, b""))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        upfront_shutdown_script_: bytes | None = None
        channel_type_: bytes | None = None
        require_confirmed_inputs_: Literal[True] | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    upfront_shutdown_script_ = value
                elif kind == 1:
                    channel_type_ = value
                elif kind == 2:
                    if value:
                        raise trailing(cls, len(value))
                    require_confirmed_inputs_ = True
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"AcceptTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            upfront_shutdown_script=upfront_shutdown_script_,
            channel_type=channel_type_,
            require_confirmed_inputs=require_confirmed_inputs_,
            unknown=tuple(unknown_),
        )


_NO_ACCEPT_TLVS = AcceptTlvs()


@wire_class
class SpliceInitTlvs(TlvStream):
    """TLV stream `splice_init_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("require_confirmed_inputs", "", ""),
    )

    __slots__ = ("require_confirmed_inputs", "unknown")
    require_confirmed_inputs: Literal[True] | None  # type 2
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        require_confirmed_inputs: Literal[True] | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.require_confirmed_inputs:
            records.append((2, b""))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        require_confirmed_inputs_: Literal[True] | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 2:
                    if value:
                        raise trailing(cls, len(value))
                    require_confirmed_inputs_ = True
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"SpliceInitTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            require_confirmed_inputs=require_confirmed_inputs_,
            unknown=tuple(unknown_),
        )


_NO_SPLICE_INIT_TLVS = SpliceInitTlvs()


@wire_class
class SpliceAckTlvs(TlvStream):
    """TLV stream `splice_ack_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("require_confirmed_inputs", "", ""),
    )

    __slots__ = ("require_confirmed_inputs", "unknown")
    require_confirmed_inputs: Literal[True] | None  # type 2
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        require_confirmed_inputs: Literal[True] | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.require_confirmed_inputs:
            records.append((2, b""))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        require_confirmed_inputs_: Literal[True] | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 2:
                    if value:
                        raise trailing(cls, len(value))
                    require_confirmed_inputs_ = True
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"SpliceAckTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            require_confirmed_inputs=require_confirmed_inputs_,
            unknown=tuple(unknown_),
        )


_NO_SPLICE_ACK_TLVS = SpliceAckTlvs()


_SHUTDOWN_WRONG_FUNDING_0 = struct.Struct(">32sI")


@wire_class
class ShutdownWrongFunding(Subtype):
    """Not in BOLT 2: feature 104 of CLN. TLV record `wrong_funding` of `shutdown_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("txid", "sha256", ""),
        ("outnum", "u32", ""),
    )

    __slots__ = ("txid", "outnum")
    txid: Txid
    outnum: int  # u32

    def __init__(
        self,
        *,
        txid: Txid,
        outnum: int,
    ) -> None:
        put(self, "txid", txid)
        put(self, "outnum", outnum)

    def write(self) -> bytes:
        if len(self.txid) != 32:
            raise wrong_length(self)
        return _SHUTDOWN_WRONG_FUNDING_0.pack(self.txid, self.outnum)

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        txid_, outnum_ = _SHUTDOWN_WRONG_FUNDING_0.unpack_from(buf, pos)
        pos += 36
        value = cls(
            txid=txid_,
            outnum=outnum_,
        )
        return value, pos


@wire_class
class ShutdownTlvs(TlvStream):
    """TLV stream `shutdown_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("wrong_funding", "ShutdownWrongFunding", ""),
    )

    __slots__ = ("wrong_funding", "unknown")
    # Not in BOLT 2: feature 104 of CLN.
    wrong_funding: ShutdownWrongFunding | None  # type 100
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        wrong_funding: ShutdownWrongFunding | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "wrong_funding", wrong_funding)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.wrong_funding is not None:
            records.append((100, self.wrong_funding.write()))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        wrong_funding_: ShutdownWrongFunding | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 100:
                    wrong_funding_ = ShutdownWrongFunding.read_all(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"ShutdownTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            wrong_funding=wrong_funding_,
            unknown=tuple(unknown_),
        )


_NO_SHUTDOWN_TLVS = ShutdownTlvs()


_CLOSING_TLVS_0 = struct.Struct(">64s")


@wire_class
class ClosingTlvs(TlvStream):
    """TLV stream `closing_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("closer_output_only", "signature", ""),
        ("closee_output_only", "signature", ""),
        ("closer_and_closee_outputs", "signature", ""),
    )

    __slots__ = ("closer_output_only", "closee_output_only", "closer_and_closee_outputs", "unknown")
    closer_output_only: bytes | None  # type 1
    closee_output_only: bytes | None  # type 2
    closer_and_closee_outputs: bytes | None  # type 3
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        closer_output_only: bytes | None = None,
        closee_output_only: bytes | None = None,
        closer_and_closee_outputs: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "closer_output_only", closer_output_only)
        put(self, "closee_output_only", closee_output_only)
        put(self, "closer_and_closee_outputs", closer_and_closee_outputs)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.closer_output_only is not None:
            if len(self.closer_output_only) != 64:
                raise wrong_length(self)
            records.append((1, _CLOSING_TLVS_0.pack(self.closer_output_only)))
        if self.closee_output_only is not None:
            if len(self.closee_output_only) != 64:
                raise wrong_length(self)
            records.append((2, _CLOSING_TLVS_0.pack(self.closee_output_only)))
        if self.closer_and_closee_outputs is not None:
            if len(self.closer_and_closee_outputs) != 64:
                raise wrong_length(self)
            records.append((3, _CLOSING_TLVS_0.pack(self.closer_and_closee_outputs)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        closer_output_only_: bytes | None = None
        closee_output_only_: bytes | None = None
        closer_and_closee_outputs_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    (closer_output_only_,) = _CLOSING_TLVS_0.unpack(value)
                elif kind == 2:
                    (closee_output_only_,) = _CLOSING_TLVS_0.unpack(value)
                elif kind == 3:
                    (closer_and_closee_outputs_,) = _CLOSING_TLVS_0.unpack(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"ClosingTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            closer_output_only=closer_output_only_,
            closee_output_only=closee_output_only_,
            closer_and_closee_outputs=closer_and_closee_outputs_,
            unknown=tuple(unknown_),
        )


_NO_CLOSING_TLVS = ClosingTlvs()


_CLOSING_SIGNED_FEE_RANGE_0 = struct.Struct(">QQ")


@wire_class
class ClosingSignedFeeRange(Subtype):
    """TLV record `fee_range` of `closing_signed_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("min_fee_satoshis", "u64", ""),
        ("max_fee_satoshis", "u64", ""),
    )

    __slots__ = ("min_fee_satoshis", "max_fee_satoshis")
    min_fee_satoshis: Sat
    max_fee_satoshis: Sat

    def __init__(
        self,
        *,
        min_fee_satoshis: Sat,
        max_fee_satoshis: Sat,
    ) -> None:
        put(self, "min_fee_satoshis", min_fee_satoshis)
        put(self, "max_fee_satoshis", max_fee_satoshis)

    def write(self) -> bytes:
        return _CLOSING_SIGNED_FEE_RANGE_0.pack(
            self.min_fee_satoshis.sat,
            self.max_fee_satoshis.sat,
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        min_fee_satoshis_0_, max_fee_satoshis_0_ = _CLOSING_SIGNED_FEE_RANGE_0.unpack_from(buf, pos)
        pos += 16
        value = cls(
            min_fee_satoshis=Sat(min_fee_satoshis_0_),
            max_fee_satoshis=Sat(max_fee_satoshis_0_),
        )
        return value, pos


@wire_class
class ClosingSignedTlvs(TlvStream):
    """TLV stream `closing_signed_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("fee_range", "ClosingSignedFeeRange", ""),
    )

    __slots__ = ("fee_range", "unknown")
    fee_range: ClosingSignedFeeRange | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        fee_range: ClosingSignedFeeRange | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "fee_range", fee_range)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.fee_range is not None:
            records.append((1, self.fee_range.write()))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        fee_range_: ClosingSignedFeeRange | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    fee_range_ = ClosingSignedFeeRange.read_all(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"ClosingSignedTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            fee_range=fee_range_,
            unknown=tuple(unknown_),
        )


_NO_CLOSING_SIGNED_TLVS = ClosingSignedTlvs()


_UPDATE_ADD_HTLC_TLVS_0 = struct.Struct(">33s")


@wire_class
class UpdateAddHtlcTlvs(TlvStream):
    """TLV stream `update_add_htlc_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("blinded_path", "point", ""),
    )

    __slots__ = ("blinded_path", "unknown")
    blinded_path: bytes | None  # type 0
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        blinded_path: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "blinded_path", blinded_path)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.blinded_path is not None:
            if len(self.blinded_path) != 33:
                raise wrong_length(self)
            records.append((0, _UPDATE_ADD_HTLC_TLVS_0.pack(self.blinded_path)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        blinded_path_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    (blinded_path_,) = _UPDATE_ADD_HTLC_TLVS_0.unpack(value)
                    if blinded_path_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"UpdateAddHtlcTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            blinded_path=blinded_path_,
            unknown=tuple(unknown_),
        )


_NO_UPDATE_ADD_HTLC_TLVS = UpdateAddHtlcTlvs()


_UPDATE_FULFILL_HTLC_ATTRIBUTION_DATA_0 = struct.Struct(">I")
_UPDATE_FULFILL_HTLC_ATTRIBUTION_DATA_1 = struct.Struct(">840s")


@wire_class
class UpdateFulfillHtlcAttributionData(Subtype):
    """TLV record `attribution_data` of `update_fulfill_htlc_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("htlc_hold_times", "u32", "20"),
        ("truncated_hmacs", "byte", "840"),
    )

    __slots__ = ("htlc_hold_times", "truncated_hmacs")
    htlc_hold_times: tuple[int, ...]
    truncated_hmacs: bytes  # 840 bytes

    def __init__(
        self,
        *,
        htlc_hold_times: tuple[int, ...],
        truncated_hmacs: bytes,
    ) -> None:
        put(self, "htlc_hold_times", htlc_hold_times)
        put(self, "truncated_hmacs", truncated_hmacs)

    def write(self) -> bytes:
        if len(self.truncated_hmacs) != 840:
            raise wrong_length(self)
        exactly(self.htlc_hold_times, 20)
        return b"".join(
            (
                b"".join(
                    [_UPDATE_FULFILL_HTLC_ATTRIBUTION_DATA_0.pack(x) for x in self.htlc_hold_times],
                ),
                _UPDATE_FULFILL_HTLC_ATTRIBUTION_DATA_1.pack(self.truncated_hmacs),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        end = pos + 20 * 4
        if end > len(buf):
            raise too_short("htlc_hold_times", 20 * 4, len(buf) - pos)
        htlc_hold_times_ = tuple(
            [
                htlc_hold_times_
                for (htlc_hold_times_,) in _UPDATE_FULFILL_HTLC_ATTRIBUTION_DATA_0.iter_unpack(
                    buf[pos:end],
                )
            ],
        )
        pos = end
        (truncated_hmacs_,) = _UPDATE_FULFILL_HTLC_ATTRIBUTION_DATA_1.unpack_from(buf, pos)
        pos += 840
        value = cls(
            htlc_hold_times=htlc_hold_times_,
            truncated_hmacs=truncated_hmacs_,
        )
        return value, pos


@wire_class
class UpdateFulfillHtlcTlvs(TlvStream):
    """TLV stream `update_fulfill_htlc_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("attribution_data", "UpdateFulfillHtlcAttributionData", ""),
    )

    __slots__ = ("attribution_data", "unknown")
    attribution_data: UpdateFulfillHtlcAttributionData | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        attribution_data: UpdateFulfillHtlcAttributionData | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "attribution_data", attribution_data)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.attribution_data is not None:
            records.append((1, self.attribution_data.write()))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        attribution_data_: UpdateFulfillHtlcAttributionData | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    attribution_data_ = UpdateFulfillHtlcAttributionData.read_all(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(
                    f"UpdateFulfillHtlcTlvs: TLV type {kind}: {err}",
                    kind,
                    offset,
                ) from err
        return cls(
            attribution_data=attribution_data_,
            unknown=tuple(unknown_),
        )


_NO_UPDATE_FULFILL_HTLC_TLVS = UpdateFulfillHtlcTlvs()


_UPDATE_FAIL_HTLC_ATTRIBUTION_DATA_0 = struct.Struct(">I")
_UPDATE_FAIL_HTLC_ATTRIBUTION_DATA_1 = struct.Struct(">840s")


@wire_class
class UpdateFailHtlcAttributionData(Subtype):
    """TLV record `attribution_data` of `update_fail_htlc_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("htlc_hold_times", "u32", "20"),
        ("truncated_hmacs", "byte", "840"),
    )

    __slots__ = ("htlc_hold_times", "truncated_hmacs")
    htlc_hold_times: tuple[int, ...]
    truncated_hmacs: bytes  # 840 bytes

    def __init__(
        self,
        *,
        htlc_hold_times: tuple[int, ...],
        truncated_hmacs: bytes,
    ) -> None:
        put(self, "htlc_hold_times", htlc_hold_times)
        put(self, "truncated_hmacs", truncated_hmacs)

    def write(self) -> bytes:
        if len(self.truncated_hmacs) != 840:
            raise wrong_length(self)
        exactly(self.htlc_hold_times, 20)
        return b"".join(
            (
                b"".join(
                    [_UPDATE_FAIL_HTLC_ATTRIBUTION_DATA_0.pack(x) for x in self.htlc_hold_times],
                ),
                _UPDATE_FAIL_HTLC_ATTRIBUTION_DATA_1.pack(self.truncated_hmacs),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        end = pos + 20 * 4
        if end > len(buf):
            raise too_short("htlc_hold_times", 20 * 4, len(buf) - pos)
        htlc_hold_times_ = tuple(
            [
                htlc_hold_times_
                for (htlc_hold_times_,) in _UPDATE_FAIL_HTLC_ATTRIBUTION_DATA_0.iter_unpack(
                    buf[pos:end],
                )
            ],
        )
        pos = end
        (truncated_hmacs_,) = _UPDATE_FAIL_HTLC_ATTRIBUTION_DATA_1.unpack_from(buf, pos)
        pos += 840
        value = cls(
            htlc_hold_times=htlc_hold_times_,
            truncated_hmacs=truncated_hmacs_,
        )
        return value, pos


@wire_class
class UpdateFailHtlcTlvs(TlvStream):
    """TLV stream `update_fail_htlc_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("attribution_data", "UpdateFailHtlcAttributionData", ""),
    )

    __slots__ = ("attribution_data", "unknown")
    attribution_data: UpdateFailHtlcAttributionData | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        attribution_data: UpdateFailHtlcAttributionData | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "attribution_data", attribution_data)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.attribution_data is not None:
            records.append((1, self.attribution_data.write()))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        attribution_data_: UpdateFailHtlcAttributionData | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    attribution_data_ = UpdateFailHtlcAttributionData.read_all(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"UpdateFailHtlcTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            attribution_data=attribution_data_,
            unknown=tuple(unknown_),
        )


_NO_UPDATE_FAIL_HTLC_TLVS = UpdateFailHtlcTlvs()


_START_BATCH_TLVS_0 = struct.Struct(">H")


@wire_class
class StartBatchTlvs(TlvStream):
    """TLV stream `start_batch_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("message_type", "u16", ""),
    )

    __slots__ = ("message_type", "unknown")
    message_type: int | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        message_type: int | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "message_type", message_type)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.message_type is not None:
            records.append((1, _START_BATCH_TLVS_0.pack(self.message_type)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        message_type_: int | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    (message_type_,) = _START_BATCH_TLVS_0.unpack(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"StartBatchTlvs: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            message_type=message_type_,
            unknown=tuple(unknown_),
        )


_NO_START_BATCH_TLVS = StartBatchTlvs()


_COMMITMENT_SIGNED_TLVS_0 = struct.Struct(">32s")


@wire_class
class CommitmentSignedTlvs(TlvStream):
    """TLV stream `commitment_signed_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("funding_txid", "sha256", ""),
    )

    __slots__ = ("funding_txid", "unknown")
    funding_txid: Txid | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        funding_txid: Txid | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "funding_txid", funding_txid)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.funding_txid is not None:
            if len(self.funding_txid) != 32:
                raise wrong_length(self)
            records.append((1, _COMMITMENT_SIGNED_TLVS_0.pack(self.funding_txid)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        funding_txid_: Txid | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    (funding_txid_,) = _COMMITMENT_SIGNED_TLVS_0.unpack(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(
                    f"CommitmentSignedTlvs: TLV type {kind}: {err}",
                    kind,
                    offset,
                ) from err
        return cls(
            funding_txid=funding_txid_,
            unknown=tuple(unknown_),
        )


_NO_COMMITMENT_SIGNED_TLVS = CommitmentSignedTlvs()


_CHANNEL_REESTABLISH_NEXT_FUNDING_0 = struct.Struct(">32sB")


@wire_class
class ChannelReestablishNextFunding(Subtype):
    """TLV record `next_funding` of `channel_reestablish_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("next_funding_txid", "sha256", ""),
        ("retransmit_flags", "byte", ""),
    )

    __slots__ = ("next_funding_txid", "retransmit_flags")
    next_funding_txid: Txid
    retransmit_flags: int  # byte

    def __init__(
        self,
        *,
        next_funding_txid: Txid,
        retransmit_flags: int,
    ) -> None:
        put(self, "next_funding_txid", next_funding_txid)
        put(self, "retransmit_flags", retransmit_flags)

    def write(self) -> bytes:
        if len(self.next_funding_txid) != 32:
            raise wrong_length(self)
        return _CHANNEL_REESTABLISH_NEXT_FUNDING_0.pack(
            self.next_funding_txid,
            self.retransmit_flags,
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            next_funding_txid_,
            retransmit_flags_,
        ) = _CHANNEL_REESTABLISH_NEXT_FUNDING_0.unpack_from(buf, pos)
        pos += 33
        value = cls(
            next_funding_txid=next_funding_txid_,
            retransmit_flags=retransmit_flags_,
        )
        return value, pos


_CHANNEL_REESTABLISH_MY_CURRENT_FUNDING_LOCKED_0 = struct.Struct(">32sB")


@wire_class
class ChannelReestablishMyCurrentFundingLocked(Subtype):
    """TLV record `my_current_funding_locked` of `channel_reestablish_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("my_current_funding_locked_txid", "sha256", ""),
        ("retransmit_flags", "byte", ""),
    )

    __slots__ = ("my_current_funding_locked_txid", "retransmit_flags")
    my_current_funding_locked_txid: Txid
    retransmit_flags: int  # byte

    def __init__(
        self,
        *,
        my_current_funding_locked_txid: Txid,
        retransmit_flags: int,
    ) -> None:
        put(self, "my_current_funding_locked_txid", my_current_funding_locked_txid)
        put(self, "retransmit_flags", retransmit_flags)

    def write(self) -> bytes:
        if len(self.my_current_funding_locked_txid) != 32:
            raise wrong_length(self)
        return _CHANNEL_REESTABLISH_MY_CURRENT_FUNDING_LOCKED_0.pack(
            self.my_current_funding_locked_txid,
            self.retransmit_flags,
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            my_current_funding_locked_txid_,
            retransmit_flags_,
        ) = _CHANNEL_REESTABLISH_MY_CURRENT_FUNDING_LOCKED_0.unpack_from(buf, pos)
        pos += 33
        value = cls(
            my_current_funding_locked_txid=my_current_funding_locked_txid_,
            retransmit_flags=retransmit_flags_,
        )
        return value, pos


@wire_class
class ChannelReestablishTlvs(TlvStream):
    """TLV stream `channel_reestablish_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("next_funding", "ChannelReestablishNextFunding", ""),
        ("my_current_funding_locked", "ChannelReestablishMyCurrentFundingLocked", ""),
    )

    __slots__ = ("next_funding", "my_current_funding_locked", "unknown")
    next_funding: ChannelReestablishNextFunding | None  # type 1
    my_current_funding_locked: ChannelReestablishMyCurrentFundingLocked | None  # type 5
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        next_funding: ChannelReestablishNextFunding | None = None,
        my_current_funding_locked: ChannelReestablishMyCurrentFundingLocked | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "next_funding", next_funding)
        put(self, "my_current_funding_locked", my_current_funding_locked)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.next_funding is not None:
            records.append((1, self.next_funding.write()))
        if self.my_current_funding_locked is not None:
            records.append((5, self.my_current_funding_locked.write()))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        next_funding_: ChannelReestablishNextFunding | None = None
        my_current_funding_locked_: ChannelReestablishMyCurrentFundingLocked | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    next_funding_ = ChannelReestablishNextFunding.read_all(value)
                elif kind == 5:
                    my_current_funding_locked_ = ChannelReestablishMyCurrentFundingLocked.read_all(
                        value,
                    )
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(
                    f"ChannelReestablishTlvs: TLV type {kind}: {err}",
                    kind,
                    offset,
                ) from err
        return cls(
            next_funding=next_funding_,
            my_current_funding_locked=my_current_funding_locked_,
            unknown=tuple(unknown_),
        )


_NO_CHANNEL_REESTABLISH_TLVS = ChannelReestablishTlvs()


_QUERY_SHORT_CHANNEL_IDS_QUERY_FLAGS_0 = struct.Struct(">B")


@wire_class
class QueryShortChannelIdsQueryFlags(Subtype):
    """TLV record `query_flags` of `query_short_channel_ids_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("encoding_type", "byte", ""),
        ("encoded_query_flags", "byte", "..."),
    )

    __slots__ = ("encoding_type", "encoded_query_flags")
    encoding_type: int  # byte
    encoded_query_flags: bytes

    def __init__(
        self,
        *,
        encoding_type: int,
        encoded_query_flags: bytes,
    ) -> None:
        put(self, "encoding_type", encoding_type)
        put(self, "encoded_query_flags", encoded_query_flags)

    def write(self) -> bytes:
        return b"".join(
            (
                _QUERY_SHORT_CHANNEL_IDS_QUERY_FLAGS_0.pack(self.encoding_type),
                self.encoded_query_flags,
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (encoding_type_,) = _QUERY_SHORT_CHANNEL_IDS_QUERY_FLAGS_0.unpack_from(buf, pos)
        pos += 1
        encoded_query_flags_ = buf[pos:]
        value = cls(
            encoding_type=encoding_type_,
            encoded_query_flags=encoded_query_flags_,
        )
        return value, len(buf)


@wire_class
class QueryShortChannelIdsTlvs(TlvStream):
    """TLV stream `query_short_channel_ids_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("query_flags", "QueryShortChannelIdsQueryFlags", ""),
    )

    __slots__ = ("query_flags", "unknown")
    query_flags: QueryShortChannelIdsQueryFlags | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        query_flags: QueryShortChannelIdsQueryFlags | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "query_flags", query_flags)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.query_flags is not None:
            records.append((1, self.query_flags.write()))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        query_flags_: QueryShortChannelIdsQueryFlags | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    query_flags_ = QueryShortChannelIdsQueryFlags.read_all(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(
                    f"QueryShortChannelIdsTlvs: TLV type {kind}: {err}",
                    kind,
                    offset,
                ) from err
        return cls(
            query_flags=query_flags_,
            unknown=tuple(unknown_),
        )


_NO_QUERY_SHORT_CHANNEL_IDS_TLVS = QueryShortChannelIdsTlvs()


@wire_class
class QueryChannelRangeTlvs(TlvStream):
    """TLV stream `query_channel_range_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("query_option", "bigsize", ""),
    )

    __slots__ = ("query_option", "unknown")
    query_option: int | None  # type 1
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        query_option: int | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "query_option", query_option)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.query_option is not None:
            records.append((1, write_bigsize(self.query_option)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        query_option_: int | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    pos = 0
                    query_option_, pos = read_bigsize(value, pos)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(
                    f"QueryChannelRangeTlvs: TLV type {kind}: {err}",
                    kind,
                    offset,
                ) from err
        return cls(
            query_option=query_option_,
            unknown=tuple(unknown_),
        )


_NO_QUERY_CHANNEL_RANGE_TLVS = QueryChannelRangeTlvs()


_REPLY_CHANNEL_RANGE_TIMESTAMPS_TLV_0 = struct.Struct(">B")


@wire_class
class ReplyChannelRangeTimestampsTlv(Subtype):
    """TLV record `timestamps_tlv` of `reply_channel_range_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("encoding_type", "byte", ""),
        ("encoded_timestamps", "byte", "..."),
    )

    __slots__ = ("encoding_type", "encoded_timestamps")
    encoding_type: int  # byte
    encoded_timestamps: bytes

    def __init__(
        self,
        *,
        encoding_type: int,
        encoded_timestamps: bytes,
    ) -> None:
        put(self, "encoding_type", encoding_type)
        put(self, "encoded_timestamps", encoded_timestamps)

    def write(self) -> bytes:
        return b"".join(
            (
                _REPLY_CHANNEL_RANGE_TIMESTAMPS_TLV_0.pack(self.encoding_type),
                self.encoded_timestamps,
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (encoding_type_,) = _REPLY_CHANNEL_RANGE_TIMESTAMPS_TLV_0.unpack_from(buf, pos)
        pos += 1
        encoded_timestamps_ = buf[pos:]
        value = cls(
            encoding_type=encoding_type_,
            encoded_timestamps=encoded_timestamps_,
        )
        return value, len(buf)


_REPLY_CHANNEL_RANGE_TLVS_0 = struct.Struct(">II")


@wire_class
class ReplyChannelRangeTlvs(TlvStream):
    """TLV stream `reply_channel_range_tlvs`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("timestamps_tlv", "ReplyChannelRangeTimestampsTlv", ""),
        ("checksums_tlv", "channel_update_checksums", "..."),
    )

    __slots__ = ("timestamps_tlv", "checksums_tlv", "unknown")
    timestamps_tlv: ReplyChannelRangeTimestampsTlv | None  # type 1
    checksums_tlv: tuple[ChannelUpdateChecksums, ...] | None  # type 3
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        timestamps_tlv: ReplyChannelRangeTimestampsTlv | None = None,
        checksums_tlv: tuple[ChannelUpdateChecksums, ...] | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "timestamps_tlv", timestamps_tlv)
        put(self, "checksums_tlv", checksums_tlv)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.timestamps_tlv is not None:
            records.append((1, self.timestamps_tlv.write()))
        if self.checksums_tlv is not None:
            records.append((3, b"".join([x.write() for x in self.checksums_tlv])))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        timestamps_tlv_: ReplyChannelRangeTimestampsTlv | None = None
        checksums_tlv_: tuple[ChannelUpdateChecksums, ...] | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    timestamps_tlv_ = ReplyChannelRangeTimestampsTlv.read_all(value)
                elif kind == 3:
                    checksums_tlv_ = tuple(
                        [
                            ChannelUpdateChecksums(
                                checksum_node_id_1=checksum_node_id_1_,
                                checksum_node_id_2=checksum_node_id_2_,
                            )
                            for (
                                checksum_node_id_1_,
                                checksum_node_id_2_,
                            ) in _REPLY_CHANNEL_RANGE_TLVS_0.iter_unpack(value)
                        ],
                    )
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(
                    f"ReplyChannelRangeTlvs: TLV type {kind}: {err}",
                    kind,
                    offset,
                ) from err
        return cls(
            timestamps_tlv=timestamps_tlv_,
            checksums_tlv=checksums_tlv_,
            unknown=tuple(unknown_),
        )


_NO_REPLY_CHANNEL_RANGE_TLVS = ReplyChannelRangeTlvs()


_INIT_0 = struct.Struct(">HH")
_INIT_1 = struct.Struct(">H")


@wire_class
class Init(Message):
    """BOLT 1. Type 16."""

    TYPE: ClassVar[int] = 16
    NAME: ClassVar[str] = "WIRE_INIT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("globalfeatures", "byte", "gflen"),
        ("features", "byte", "flen"),
        ("tlvs", "init_tlvs", ""),
    )

    __slots__ = ("globalfeatures", "features", "tlvs")
    globalfeatures: bytes
    features: bytes
    tlvs: InitTlvs

    def __init__(
        self,
        *,
        globalfeatures: bytes,
        features: bytes,
        tlvs: InitTlvs = _NO_INIT_TLVS,
    ) -> None:
        put(self, "globalfeatures", globalfeatures)
        put(self, "features", features)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        return b"".join(
            (
                _INIT_0.pack(16, len(self.globalfeatures)),
                self.globalfeatures,
                _INIT_1.pack(len(self.features)),
                self.features,
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, gflen_ = _INIT_0.unpack_from(buf)
            if wire_type != 16:
                raise WireError(f"type {wire_type}, not 16")
            pos = 4
            end = pos + gflen_
            if end > len(buf):
                raise too_short("globalfeatures", gflen_, len(buf) - pos)
            globalfeatures_ = buf[pos:end]
            pos = end
            (flen_,) = _INIT_1.unpack_from(buf, pos)
            pos += 2
            end = pos + flen_
            if end > len(buf):
                raise too_short("features", flen_, len(buf) - pos)
            features_ = buf[pos:end]
            pos = end
            tlvs_ = InitTlvs.decode(buf[pos:]) if pos < len(buf) else _NO_INIT_TLVS
            return cls(
                globalfeatures=globalfeatures_,
                features=features_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ERROR_0 = struct.Struct(">H32sH")


@wire_class
class Error(Message):
    """BOLT 1. Type 17."""

    TYPE: ClassVar[int] = 17
    NAME: ClassVar[str] = "WIRE_ERROR"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("data", "byte", "len"),
    )

    __slots__ = ("channel_id", "data")
    channel_id: ChannelId
    data: bytes

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        data: bytes,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "data", data)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join((_ERROR_0.pack(17, self.channel_id, len(self.data)), self.data))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, len_ = _ERROR_0.unpack_from(buf)
            if wire_type != 17:
                raise WireError(f"type {wire_type}, not 17")
            pos = 36
            end = pos + len_
            if end > len(buf):
                raise too_short("data", len_, len(buf) - pos)
            data_ = buf[pos:end]
            pos = end
            return cls(
                channel_id=channel_id_,
                data=data_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_WARNING_0 = struct.Struct(">H32sH")


@wire_class
class Warning(Message):
    """BOLT 1. Type 1."""

    TYPE: ClassVar[int] = 1
    NAME: ClassVar[str] = "WIRE_WARNING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("data", "byte", "len"),
    )

    __slots__ = ("channel_id", "data")
    channel_id: ChannelId
    data: bytes

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        data: bytes,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "data", data)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join((_WARNING_0.pack(1, self.channel_id, len(self.data)), self.data))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, len_ = _WARNING_0.unpack_from(buf)
            if wire_type != 1:
                raise WireError(f"type {wire_type}, not 1")
            pos = 36
            end = pos + len_
            if end > len(buf):
                raise too_short("data", len_, len(buf) - pos)
            data_ = buf[pos:end]
            pos = end
            return cls(
                channel_id=channel_id_,
                data=data_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_PING_0 = struct.Struct(">HHH")


@wire_class
class Ping(Message):
    """BOLT 1. Type 18."""

    TYPE: ClassVar[int] = 18
    NAME: ClassVar[str] = "WIRE_PING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("num_pong_bytes", "u16", ""),
        ("ignored", "byte", "byteslen"),
    )

    __slots__ = ("num_pong_bytes", "ignored")
    num_pong_bytes: int  # u16
    ignored: bytes

    def __init__(
        self,
        *,
        num_pong_bytes: int,
        ignored: bytes,
    ) -> None:
        put(self, "num_pong_bytes", num_pong_bytes)
        put(self, "ignored", ignored)

    def encode(self) -> bytes:
        return b"".join((_PING_0.pack(18, self.num_pong_bytes, len(self.ignored)), self.ignored))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_pong_bytes_, byteslen_ = _PING_0.unpack_from(buf)
            if wire_type != 18:
                raise WireError(f"type {wire_type}, not 18")
            pos = 6
            end = pos + byteslen_
            if end > len(buf):
                raise too_short("ignored", byteslen_, len(buf) - pos)
            ignored_ = buf[pos:end]
            pos = end
            return cls(
                num_pong_bytes=num_pong_bytes_,
                ignored=ignored_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_PONG_0 = struct.Struct(">HH")


@wire_class
class Pong(Message):
    """BOLT 1. Type 19."""

    TYPE: ClassVar[int] = 19
    NAME: ClassVar[str] = "WIRE_PONG"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("ignored", "byte", "byteslen"),
    )

    __slots__ = ("ignored",)
    ignored: bytes

    def __init__(
        self,
        *,
        ignored: bytes,
    ) -> None:
        put(self, "ignored", ignored)

    def encode(self) -> bytes:
        return b"".join((_PONG_0.pack(19, len(self.ignored)), self.ignored))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, byteslen_ = _PONG_0.unpack_from(buf)
            if wire_type != 19:
                raise WireError(f"type {wire_type}, not 19")
            pos = 4
            end = pos + byteslen_
            if end > len(buf):
                raise too_short("ignored", byteslen_, len(buf) - pos)
            ignored_ = buf[pos:end]
            pos = end
            return cls(
                ignored=ignored_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_PEER_STORAGE_0 = struct.Struct(">HH")


@wire_class
class PeerStorage(Message):
    """BOLT 1. Type 7."""

    TYPE: ClassVar[int] = 7
    NAME: ClassVar[str] = "WIRE_PEER_STORAGE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("blob", "byte", "length"),
    )

    __slots__ = ("blob",)
    blob: bytes

    def __init__(
        self,
        *,
        blob: bytes,
    ) -> None:
        put(self, "blob", blob)

    def encode(self) -> bytes:
        return b"".join((_PEER_STORAGE_0.pack(7, len(self.blob)), self.blob))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, length_ = _PEER_STORAGE_0.unpack_from(buf)
            if wire_type != 7:
                raise WireError(f"type {wire_type}, not 7")
            pos = 4
            end = pos + length_
            if end > len(buf):
                raise too_short("blob", length_, len(buf) - pos)
            blob_ = buf[pos:end]
            pos = end
            return cls(
                blob=blob_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_PEER_STORAGE_RETRIEVAL_0 = struct.Struct(">HH")


@wire_class
class PeerStorageRetrieval(Message):
    """BOLT 1. Type 9."""

    TYPE: ClassVar[int] = 9
    NAME: ClassVar[str] = "WIRE_PEER_STORAGE_RETRIEVAL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("blob", "byte", "length"),
    )

    __slots__ = ("blob",)
    blob: bytes

    def __init__(
        self,
        *,
        blob: bytes,
    ) -> None:
        put(self, "blob", blob)

    def encode(self) -> bytes:
        return b"".join((_PEER_STORAGE_RETRIEVAL_0.pack(9, len(self.blob)), self.blob))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, length_ = _PEER_STORAGE_RETRIEVAL_0.unpack_from(buf)
            if wire_type != 9:
                raise WireError(f"type {wire_type}, not 9")
            pos = 4
            end = pos + length_
            if end > len(buf):
                raise too_short("blob", length_, len(buf) - pos)
            blob_ = buf[pos:end]
            pos = end
            return cls(
                blob=blob_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_ADD_INPUT_0 = struct.Struct(">H32sQH")
_TX_ADD_INPUT_1 = struct.Struct(">II")


@wire_class
class TxAddInput(Message):
    """BOLT 2. Type 66."""

    TYPE: ClassVar[int] = 66
    NAME: ClassVar[str] = "WIRE_TX_ADD_INPUT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("serial_id", "u64", ""),
        ("prevtx", "byte", "prevtx_len"),
        ("prevtx_vout", "u32", ""),
        ("sequence", "u32", ""),
        ("tlvs", "tx_add_input_tlvs", ""),
    )

    __slots__ = ("channel_id", "serial_id", "prevtx", "prevtx_vout", "sequence", "tlvs")
    channel_id: ChannelId
    serial_id: int  # u64
    prevtx: bytes
    prevtx_vout: int  # u32
    sequence: int  # u32
    tlvs: TxAddInputTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        serial_id: int,
        prevtx: bytes,
        prevtx_vout: int,
        sequence: int,
        tlvs: TxAddInputTlvs = _NO_TX_ADD_INPUT_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "serial_id", serial_id)
        put(self, "prevtx", prevtx)
        put(self, "prevtx_vout", prevtx_vout)
        put(self, "sequence", sequence)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _TX_ADD_INPUT_0.pack(66, self.channel_id, self.serial_id, len(self.prevtx)),
                self.prevtx,
                _TX_ADD_INPUT_1.pack(self.prevtx_vout, self.sequence),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, serial_id_, prevtx_len_ = _TX_ADD_INPUT_0.unpack_from(buf)
            if wire_type != 66:
                raise WireError(f"type {wire_type}, not 66")
            pos = 44
            end = pos + prevtx_len_
            if end > len(buf):
                raise too_short("prevtx", prevtx_len_, len(buf) - pos)
            prevtx_ = buf[pos:end]
            pos = end
            prevtx_vout_, sequence_ = _TX_ADD_INPUT_1.unpack_from(buf, pos)
            pos += 8
            tlvs_ = TxAddInputTlvs.decode(buf[pos:]) if pos < len(buf) else _NO_TX_ADD_INPUT_TLVS
            return cls(
                channel_id=channel_id_,
                serial_id=serial_id_,
                prevtx=prevtx_,
                prevtx_vout=prevtx_vout_,
                sequence=sequence_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_ADD_OUTPUT_0 = struct.Struct(">H32sQQH")


@wire_class
class TxAddOutput(Message):
    """BOLT 2. Type 67."""

    TYPE: ClassVar[int] = 67
    NAME: ClassVar[str] = "WIRE_TX_ADD_OUTPUT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("serial_id", "u64", ""),
        ("sats", "u64", ""),
        ("script", "byte", "scriptlen"),
    )

    __slots__ = ("channel_id", "serial_id", "sats", "script")
    channel_id: ChannelId
    serial_id: int  # u64
    sats: Sat
    script: bytes

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        serial_id: int,
        sats: Sat,
        script: bytes,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "serial_id", serial_id)
        put(self, "sats", sats)
        put(self, "script", script)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _TX_ADD_OUTPUT_0.pack(
                    67,
                    self.channel_id,
                    self.serial_id,
                    self.sats.sat,
                    len(self.script),
                ),
                self.script,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                serial_id_,
                sats_0_,
                scriptlen_,
            ) = _TX_ADD_OUTPUT_0.unpack_from(buf)
            if wire_type != 67:
                raise WireError(f"type {wire_type}, not 67")
            pos = 52
            end = pos + scriptlen_
            if end > len(buf):
                raise too_short("script", scriptlen_, len(buf) - pos)
            script_ = buf[pos:end]
            pos = end
            return cls(
                channel_id=channel_id_,
                serial_id=serial_id_,
                sats=Sat(sats_0_),
                script=script_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_REMOVE_INPUT_0 = struct.Struct(">H32sQ")


@wire_class
class TxRemoveInput(Message):
    """BOLT 2. Type 68."""

    TYPE: ClassVar[int] = 68
    NAME: ClassVar[str] = "WIRE_TX_REMOVE_INPUT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("serial_id", "u64", ""),
    )

    __slots__ = ("channel_id", "serial_id")
    channel_id: ChannelId
    serial_id: int  # u64

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        serial_id: int,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "serial_id", serial_id)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return _TX_REMOVE_INPUT_0.pack(68, self.channel_id, self.serial_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, serial_id_ = _TX_REMOVE_INPUT_0.unpack_from(buf)
            if wire_type != 68:
                raise WireError(f"type {wire_type}, not 68")
            return cls(
                channel_id=channel_id_,
                serial_id=serial_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_REMOVE_OUTPUT_0 = struct.Struct(">H32sQ")


@wire_class
class TxRemoveOutput(Message):
    """BOLT 2. Type 69."""

    TYPE: ClassVar[int] = 69
    NAME: ClassVar[str] = "WIRE_TX_REMOVE_OUTPUT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("serial_id", "u64", ""),
    )

    __slots__ = ("channel_id", "serial_id")
    channel_id: ChannelId
    serial_id: int  # u64

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        serial_id: int,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "serial_id", serial_id)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return _TX_REMOVE_OUTPUT_0.pack(69, self.channel_id, self.serial_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, serial_id_ = _TX_REMOVE_OUTPUT_0.unpack_from(buf)
            if wire_type != 69:
                raise WireError(f"type {wire_type}, not 69")
            return cls(
                channel_id=channel_id_,
                serial_id=serial_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_COMPLETE_0 = struct.Struct(">H32s")


@wire_class
class TxComplete(Message):
    """BOLT 2. Type 70."""

    TYPE: ClassVar[int] = 70
    NAME: ClassVar[str] = "WIRE_TX_COMPLETE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
    )

    __slots__ = ("channel_id",)
    channel_id: ChannelId

    def __init__(
        self,
        *,
        channel_id: ChannelId,
    ) -> None:
        put(self, "channel_id", channel_id)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return _TX_COMPLETE_0.pack(70, self.channel_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_ = _TX_COMPLETE_0.unpack_from(buf)
            if wire_type != 70:
                raise WireError(f"type {wire_type}, not 70")
            return cls(
                channel_id=channel_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_SIGNATURES_0 = struct.Struct(">H32s32sH")


@wire_class
class TxSignatures(Message):
    """BOLT 2. Type 71."""

    TYPE: ClassVar[int] = 71
    NAME: ClassVar[str] = "WIRE_TX_SIGNATURES"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("txid", "sha256", ""),
        ("witnesses", "witness", "num_witnesses"),
        ("tlvs", "tx_signatures_tlvs", ""),
    )

    __slots__ = ("channel_id", "txid", "witnesses", "tlvs")
    channel_id: ChannelId
    txid: Txid
    witnesses: tuple[Witness, ...]
    tlvs: TxSignaturesTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        txid: Txid,
        witnesses: tuple[Witness, ...],
        tlvs: TxSignaturesTlvs = _NO_TX_SIGNATURES_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "txid", txid)
        put(self, "witnesses", witnesses)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.txid) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _TX_SIGNATURES_0.pack(71, self.channel_id, self.txid, len(self.witnesses)),
                b"".join([x.write() for x in self.witnesses]),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, txid_, num_witnesses_ = _TX_SIGNATURES_0.unpack_from(buf)
            if wire_type != 71:
                raise WireError(f"type {wire_type}, not 71")
            pos = 68
            witnesses_list: list[Witness] = []
            for _ in range(num_witnesses_):
                witnesses_one, pos = Witness.read(buf, pos)
                witnesses_list.append(witnesses_one)
            witnesses_ = tuple(witnesses_list)
            tlvs_ = TxSignaturesTlvs.decode(buf[pos:]) if pos < len(buf) else _NO_TX_SIGNATURES_TLVS
            return cls(
                channel_id=channel_id_,
                txid=txid_,
                witnesses=witnesses_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_INIT_RBF_0 = struct.Struct(">H32sII")


@wire_class
class TxInitRbf(Message):
    """BOLT 2. Type 72."""

    TYPE: ClassVar[int] = 72
    NAME: ClassVar[str] = "WIRE_TX_INIT_RBF"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("locktime", "u32", ""),
        ("feerate", "u32", ""),
        ("tlvs", "tx_init_rbf_tlvs", ""),
    )

    __slots__ = ("channel_id", "locktime", "feerate", "tlvs")
    channel_id: ChannelId
    locktime: int  # u32
    feerate: int  # u32
    tlvs: TxInitRbfTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        locktime: int,
        feerate: int,
        tlvs: TxInitRbfTlvs = _NO_TX_INIT_RBF_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "locktime", locktime)
        put(self, "feerate", feerate)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _TX_INIT_RBF_0.pack(72, self.channel_id, self.locktime, self.feerate),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, locktime_, feerate_ = _TX_INIT_RBF_0.unpack_from(buf)
            if wire_type != 72:
                raise WireError(f"type {wire_type}, not 72")
            tlvs_ = TxInitRbfTlvs.decode(buf[42:]) if 42 < len(buf) else _NO_TX_INIT_RBF_TLVS
            return cls(
                channel_id=channel_id_,
                locktime=locktime_,
                feerate=feerate_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_ACK_RBF_0 = struct.Struct(">H32s")


@wire_class
class TxAckRbf(Message):
    """BOLT 2. Type 73."""

    TYPE: ClassVar[int] = 73
    NAME: ClassVar[str] = "WIRE_TX_ACK_RBF"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("tlvs", "tx_ack_rbf_tlvs", ""),
    )

    __slots__ = ("channel_id", "tlvs")
    channel_id: ChannelId
    tlvs: TxAckRbfTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        tlvs: TxAckRbfTlvs = _NO_TX_ACK_RBF_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join((_TX_ACK_RBF_0.pack(73, self.channel_id), self.tlvs.encode()))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_ = _TX_ACK_RBF_0.unpack_from(buf)
            if wire_type != 73:
                raise WireError(f"type {wire_type}, not 73")
            tlvs_ = TxAckRbfTlvs.decode(buf[34:]) if 34 < len(buf) else _NO_TX_ACK_RBF_TLVS
            return cls(
                channel_id=channel_id_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_TX_ABORT_0 = struct.Struct(">H32sH")


@wire_class
class TxAbort(Message):
    """BOLT 2. Type 74."""

    TYPE: ClassVar[int] = 74
    NAME: ClassVar[str] = "WIRE_TX_ABORT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("data", "byte", "len"),
    )

    __slots__ = ("channel_id", "data")
    channel_id: ChannelId
    data: bytes

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        data: bytes,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "data", data)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join((_TX_ABORT_0.pack(74, self.channel_id, len(self.data)), self.data))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, len_ = _TX_ABORT_0.unpack_from(buf)
            if wire_type != 74:
                raise WireError(f"type {wire_type}, not 74")
            pos = 36
            end = pos + len_
            if end > len(buf):
                raise too_short("data", len_, len(buf) - pos)
            data_ = buf[pos:end]
            pos = end
            return cls(
                channel_id=channel_id_,
                data=data_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPEN_CHANNEL_0 = struct.Struct(">H32s32sQQQQQQIHH33s33s33s33s33s33sB")


@wire_class
class OpenChannel(Message):
    """BOLT 2. Type 32."""

    TYPE: ClassVar[int] = 32
    NAME: ClassVar[str] = "WIRE_OPEN_CHANNEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("chain_hash", "chain_hash", ""),
        ("temporary_channel_id", "byte", "32"),
        ("funding_satoshis", "u64", ""),
        ("push_msat", "u64", ""),
        ("dust_limit_satoshis", "u64", ""),
        ("max_htlc_value_in_flight_msat", "u64", ""),
        ("channel_reserve_satoshis", "u64", ""),
        ("htlc_minimum_msat", "u64", ""),
        ("feerate_per_kw", "u32", ""),
        ("to_self_delay", "u16", ""),
        ("max_accepted_htlcs", "u16", ""),
        ("funding_pubkey", "point", ""),
        ("revocation_basepoint", "point", ""),
        ("payment_basepoint", "point", ""),
        ("delayed_payment_basepoint", "point", ""),
        ("htlc_basepoint", "point", ""),
        ("first_per_commitment_point", "point", ""),
        ("channel_flags", "byte", ""),
        ("tlvs", "open_channel_tlvs", ""),
    )

    __slots__ = (
        "chain_hash",
        "temporary_channel_id",
        "funding_satoshis",
        "push_msat",
        "dust_limit_satoshis",
        "max_htlc_value_in_flight_msat",
        "channel_reserve_satoshis",
        "htlc_minimum_msat",
        "feerate_per_kw",
        "to_self_delay",
        "max_accepted_htlcs",
        "funding_pubkey",
        "revocation_basepoint",
        "payment_basepoint",
        "delayed_payment_basepoint",
        "htlc_basepoint",
        "first_per_commitment_point",
        "channel_flags",
        "tlvs",
    )
    chain_hash: bytes  # 32 bytes
    temporary_channel_id: ChannelId
    funding_satoshis: Sat
    push_msat: Msat
    dust_limit_satoshis: Sat
    max_htlc_value_in_flight_msat: int  # u64
    channel_reserve_satoshis: Sat
    htlc_minimum_msat: int  # u64
    feerate_per_kw: int  # u32
    to_self_delay: int  # u16
    max_accepted_htlcs: int  # u16
    funding_pubkey: bytes  # 33 bytes
    revocation_basepoint: bytes  # 33 bytes
    payment_basepoint: bytes  # 33 bytes
    delayed_payment_basepoint: bytes  # 33 bytes
    htlc_basepoint: bytes  # 33 bytes
    first_per_commitment_point: bytes  # 33 bytes
    channel_flags: int  # byte
    tlvs: OpenChannelTlvs

    def __init__(
        self,
        *,
        chain_hash: bytes,
        temporary_channel_id: ChannelId,
        funding_satoshis: Sat,
        push_msat: Msat,
        dust_limit_satoshis: Sat,
        max_htlc_value_in_flight_msat: int,
        channel_reserve_satoshis: Sat,
        htlc_minimum_msat: int,
        feerate_per_kw: int,
        to_self_delay: int,
        max_accepted_htlcs: int,
        funding_pubkey: bytes,
        revocation_basepoint: bytes,
        payment_basepoint: bytes,
        delayed_payment_basepoint: bytes,
        htlc_basepoint: bytes,
        first_per_commitment_point: bytes,
        channel_flags: int,
        tlvs: OpenChannelTlvs = _NO_OPEN_CHANNEL_TLVS,
    ) -> None:
        put(self, "chain_hash", chain_hash)
        put(self, "temporary_channel_id", temporary_channel_id)
        put(self, "funding_satoshis", funding_satoshis)
        put(self, "push_msat", push_msat)
        put(self, "dust_limit_satoshis", dust_limit_satoshis)
        put(self, "max_htlc_value_in_flight_msat", max_htlc_value_in_flight_msat)
        put(self, "channel_reserve_satoshis", channel_reserve_satoshis)
        put(self, "htlc_minimum_msat", htlc_minimum_msat)
        put(self, "feerate_per_kw", feerate_per_kw)
        put(self, "to_self_delay", to_self_delay)
        put(self, "max_accepted_htlcs", max_accepted_htlcs)
        put(self, "funding_pubkey", funding_pubkey)
        put(self, "revocation_basepoint", revocation_basepoint)
        put(self, "payment_basepoint", payment_basepoint)
        put(self, "delayed_payment_basepoint", delayed_payment_basepoint)
        put(self, "htlc_basepoint", htlc_basepoint)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "channel_flags", channel_flags)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if (
            len(self.chain_hash) != 32
            or len(self.temporary_channel_id) != 32
            or len(self.funding_pubkey) != 33
            or len(self.revocation_basepoint) != 33
            or len(self.payment_basepoint) != 33
            or len(self.delayed_payment_basepoint) != 33
            or len(self.htlc_basepoint) != 33
            or len(self.first_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _OPEN_CHANNEL_0.pack(
                    32,
                    self.chain_hash,
                    self.temporary_channel_id,
                    self.funding_satoshis.sat,
                    self.push_msat.msat,
                    self.dust_limit_satoshis.sat,
                    self.max_htlc_value_in_flight_msat,
                    self.channel_reserve_satoshis.sat,
                    self.htlc_minimum_msat,
                    self.feerate_per_kw,
                    self.to_self_delay,
                    self.max_accepted_htlcs,
                    self.funding_pubkey,
                    self.revocation_basepoint,
                    self.payment_basepoint,
                    self.delayed_payment_basepoint,
                    self.htlc_basepoint,
                    self.first_per_commitment_point,
                    self.channel_flags,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                chain_hash_,
                temporary_channel_id_,
                funding_satoshis_0_,
                push_msat_0_,
                dust_limit_satoshis_0_,
                max_htlc_value_in_flight_msat_,
                channel_reserve_satoshis_0_,
                htlc_minimum_msat_,
                feerate_per_kw_,
                to_self_delay_,
                max_accepted_htlcs_,
                funding_pubkey_,
                revocation_basepoint_,
                payment_basepoint_,
                delayed_payment_basepoint_,
                htlc_basepoint_,
                first_per_commitment_point_,
                channel_flags_,
            ) = _OPEN_CHANNEL_0.unpack_from(buf)
            if wire_type != 32:
                raise WireError(f"type {wire_type}, not 32")
            if (
                funding_pubkey_[0] | 1 != 3
                or revocation_basepoint_[0] | 1 != 3
                or payment_basepoint_[0] | 1 != 3
                or delayed_payment_basepoint_[0] | 1 != 3
                or htlc_basepoint_[0] | 1 != 3
                or first_per_commitment_point_[0] | 1 != 3
            ):
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = OpenChannelTlvs.decode(buf[321:]) if 321 < len(buf) else _NO_OPEN_CHANNEL_TLVS
            return cls(
                chain_hash=chain_hash_,
                temporary_channel_id=temporary_channel_id_,
                funding_satoshis=Sat(funding_satoshis_0_),
                push_msat=Msat(push_msat_0_),
                dust_limit_satoshis=Sat(dust_limit_satoshis_0_),
                max_htlc_value_in_flight_msat=max_htlc_value_in_flight_msat_,
                channel_reserve_satoshis=Sat(channel_reserve_satoshis_0_),
                htlc_minimum_msat=htlc_minimum_msat_,
                feerate_per_kw=feerate_per_kw_,
                to_self_delay=to_self_delay_,
                max_accepted_htlcs=max_accepted_htlcs_,
                funding_pubkey=funding_pubkey_,
                revocation_basepoint=revocation_basepoint_,
                payment_basepoint=payment_basepoint_,
                delayed_payment_basepoint=delayed_payment_basepoint_,
                htlc_basepoint=htlc_basepoint_,
                first_per_commitment_point=first_per_commitment_point_,
                channel_flags=channel_flags_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ACCEPT_CHANNEL_0 = struct.Struct(">H32sQQQQIHH33s33s33s33s33s33s")


@wire_class
class AcceptChannel(Message):
    """BOLT 2. Type 33."""

    TYPE: ClassVar[int] = 33
    NAME: ClassVar[str] = "WIRE_ACCEPT_CHANNEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("temporary_channel_id", "byte", "32"),
        ("dust_limit_satoshis", "u64", ""),
        ("max_htlc_value_in_flight_msat", "u64", ""),
        ("channel_reserve_satoshis", "u64", ""),
        ("htlc_minimum_msat", "u64", ""),
        ("minimum_depth", "u32", ""),
        ("to_self_delay", "u16", ""),
        ("max_accepted_htlcs", "u16", ""),
        ("funding_pubkey", "point", ""),
        ("revocation_basepoint", "point", ""),
        ("payment_basepoint", "point", ""),
        ("delayed_payment_basepoint", "point", ""),
        ("htlc_basepoint", "point", ""),
        ("first_per_commitment_point", "point", ""),
        ("tlvs", "accept_channel_tlvs", ""),
    )

    __slots__ = (
        "temporary_channel_id",
        "dust_limit_satoshis",
        "max_htlc_value_in_flight_msat",
        "channel_reserve_satoshis",
        "htlc_minimum_msat",
        "minimum_depth",
        "to_self_delay",
        "max_accepted_htlcs",
        "funding_pubkey",
        "revocation_basepoint",
        "payment_basepoint",
        "delayed_payment_basepoint",
        "htlc_basepoint",
        "first_per_commitment_point",
        "tlvs",
    )
    temporary_channel_id: ChannelId
    dust_limit_satoshis: Sat
    max_htlc_value_in_flight_msat: int  # u64
    channel_reserve_satoshis: Sat
    htlc_minimum_msat: int  # u64
    minimum_depth: int  # u32
    to_self_delay: int  # u16
    max_accepted_htlcs: int  # u16
    funding_pubkey: bytes  # 33 bytes
    revocation_basepoint: bytes  # 33 bytes
    payment_basepoint: bytes  # 33 bytes
    delayed_payment_basepoint: bytes  # 33 bytes
    htlc_basepoint: bytes  # 33 bytes
    first_per_commitment_point: bytes  # 33 bytes
    tlvs: AcceptChannelTlvs

    def __init__(
        self,
        *,
        temporary_channel_id: ChannelId,
        dust_limit_satoshis: Sat,
        max_htlc_value_in_flight_msat: int,
        channel_reserve_satoshis: Sat,
        htlc_minimum_msat: int,
        minimum_depth: int,
        to_self_delay: int,
        max_accepted_htlcs: int,
        funding_pubkey: bytes,
        revocation_basepoint: bytes,
        payment_basepoint: bytes,
        delayed_payment_basepoint: bytes,
        htlc_basepoint: bytes,
        first_per_commitment_point: bytes,
        tlvs: AcceptChannelTlvs = _NO_ACCEPT_CHANNEL_TLVS,
    ) -> None:
        put(self, "temporary_channel_id", temporary_channel_id)
        put(self, "dust_limit_satoshis", dust_limit_satoshis)
        put(self, "max_htlc_value_in_flight_msat", max_htlc_value_in_flight_msat)
        put(self, "channel_reserve_satoshis", channel_reserve_satoshis)
        put(self, "htlc_minimum_msat", htlc_minimum_msat)
        put(self, "minimum_depth", minimum_depth)
        put(self, "to_self_delay", to_self_delay)
        put(self, "max_accepted_htlcs", max_accepted_htlcs)
        put(self, "funding_pubkey", funding_pubkey)
        put(self, "revocation_basepoint", revocation_basepoint)
        put(self, "payment_basepoint", payment_basepoint)
        put(self, "delayed_payment_basepoint", delayed_payment_basepoint)
        put(self, "htlc_basepoint", htlc_basepoint)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if (
            len(self.temporary_channel_id) != 32
            or len(self.funding_pubkey) != 33
            or len(self.revocation_basepoint) != 33
            or len(self.payment_basepoint) != 33
            or len(self.delayed_payment_basepoint) != 33
            or len(self.htlc_basepoint) != 33
            or len(self.first_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _ACCEPT_CHANNEL_0.pack(
                    33,
                    self.temporary_channel_id,
                    self.dust_limit_satoshis.sat,
                    self.max_htlc_value_in_flight_msat,
                    self.channel_reserve_satoshis.sat,
                    self.htlc_minimum_msat,
                    self.minimum_depth,
                    self.to_self_delay,
                    self.max_accepted_htlcs,
                    self.funding_pubkey,
                    self.revocation_basepoint,
                    self.payment_basepoint,
                    self.delayed_payment_basepoint,
                    self.htlc_basepoint,
                    self.first_per_commitment_point,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                temporary_channel_id_,
                dust_limit_satoshis_0_,
                max_htlc_value_in_flight_msat_,
                channel_reserve_satoshis_0_,
                htlc_minimum_msat_,
                minimum_depth_,
                to_self_delay_,
                max_accepted_htlcs_,
                funding_pubkey_,
                revocation_basepoint_,
                payment_basepoint_,
                delayed_payment_basepoint_,
                htlc_basepoint_,
                first_per_commitment_point_,
            ) = _ACCEPT_CHANNEL_0.unpack_from(buf)
            if wire_type != 33:
                raise WireError(f"type {wire_type}, not 33")
            if (
                funding_pubkey_[0] | 1 != 3
                or revocation_basepoint_[0] | 1 != 3
                or payment_basepoint_[0] | 1 != 3
                or delayed_payment_basepoint_[0] | 1 != 3
                or htlc_basepoint_[0] | 1 != 3
                or first_per_commitment_point_[0] | 1 != 3
            ):
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = AcceptChannelTlvs.decode(buf[272:]) if 272 < len(
                buf,
            ) else _NO_ACCEPT_CHANNEL_TLVS
            return cls(
                temporary_channel_id=temporary_channel_id_,
                dust_limit_satoshis=Sat(dust_limit_satoshis_0_),
                max_htlc_value_in_flight_msat=max_htlc_value_in_flight_msat_,
                channel_reserve_satoshis=Sat(channel_reserve_satoshis_0_),
                htlc_minimum_msat=htlc_minimum_msat_,
                minimum_depth=minimum_depth_,
                to_self_delay=to_self_delay_,
                max_accepted_htlcs=max_accepted_htlcs_,
                funding_pubkey=funding_pubkey_,
                revocation_basepoint=revocation_basepoint_,
                payment_basepoint=payment_basepoint_,
                delayed_payment_basepoint=delayed_payment_basepoint_,
                htlc_basepoint=htlc_basepoint_,
                first_per_commitment_point=first_per_commitment_point_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_FUNDING_CREATED_0 = struct.Struct(">H32s32sH64s")


@wire_class
class FundingCreated(Message):
    """BOLT 2. Type 34."""

    TYPE: ClassVar[int] = 34
    NAME: ClassVar[str] = "WIRE_FUNDING_CREATED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("temporary_channel_id", "byte", "32"),
        ("funding_txid", "sha256", ""),
        ("funding_output_index", "u16", ""),
        ("signature", "signature", ""),
    )

    __slots__ = ("temporary_channel_id", "funding_txid", "funding_output_index", "signature")
    temporary_channel_id: ChannelId
    funding_txid: Txid
    funding_output_index: int  # u16
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        temporary_channel_id: ChannelId,
        funding_txid: Txid,
        funding_output_index: int,
        signature: bytes,
    ) -> None:
        put(self, "temporary_channel_id", temporary_channel_id)
        put(self, "funding_txid", funding_txid)
        put(self, "funding_output_index", funding_output_index)
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if (
            len(self.temporary_channel_id) != 32
            or len(self.funding_txid) != 32
            or len(self.signature) != 64
        ):
            raise wrong_length(self)
        return _FUNDING_CREATED_0.pack(
            34,
            self.temporary_channel_id,
            self.funding_txid,
            self.funding_output_index,
            self.signature,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                temporary_channel_id_,
                funding_txid_,
                funding_output_index_,
                signature_,
            ) = _FUNDING_CREATED_0.unpack_from(buf)
            if wire_type != 34:
                raise WireError(f"type {wire_type}, not 34")
            return cls(
                temporary_channel_id=temporary_channel_id_,
                funding_txid=funding_txid_,
                funding_output_index=funding_output_index_,
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_FUNDING_SIGNED_0 = struct.Struct(">H32s64s")


@wire_class
class FundingSigned(Message):
    """BOLT 2. Type 35."""

    TYPE: ClassVar[int] = 35
    NAME: ClassVar[str] = "WIRE_FUNDING_SIGNED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("signature", "signature", ""),
    )

    __slots__ = ("channel_id", "signature")
    channel_id: ChannelId
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        signature: bytes,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.signature) != 64:
            raise wrong_length(self)
        return _FUNDING_SIGNED_0.pack(35, self.channel_id, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, signature_ = _FUNDING_SIGNED_0.unpack_from(buf)
            if wire_type != 35:
                raise WireError(f"type {wire_type}, not 35")
            return cls(
                channel_id=channel_id_,
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNEL_READY_0 = struct.Struct(">H32s33s")


@wire_class
class ChannelReady(Message):
    """BOLT 2. Type 36."""

    TYPE: ClassVar[int] = 36
    NAME: ClassVar[str] = "WIRE_CHANNEL_READY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("second_per_commitment_point", "point", ""),
        ("tlvs", "channel_ready_tlvs", ""),
    )

    __slots__ = ("channel_id", "second_per_commitment_point", "tlvs")
    channel_id: ChannelId
    second_per_commitment_point: bytes  # 33 bytes
    tlvs: ChannelReadyTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        second_per_commitment_point: bytes,
        tlvs: ChannelReadyTlvs = _NO_CHANNEL_READY_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "second_per_commitment_point", second_per_commitment_point)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.second_per_commitment_point) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNEL_READY_0.pack(36, self.channel_id, self.second_per_commitment_point),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, second_per_commitment_point_ = _CHANNEL_READY_0.unpack_from(buf)
            if wire_type != 36:
                raise WireError(f"type {wire_type}, not 36")
            if second_per_commitment_point_[0] | 1 != 3:
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = ChannelReadyTlvs.decode(buf[67:]) if 67 < len(buf) else _NO_CHANNEL_READY_TLVS
            return cls(
                channel_id=channel_id_,
                second_per_commitment_point=second_per_commitment_point_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPEN_CHANNEL2_0 = struct.Struct(">H32s32sIIQQQQHHI33s33s33s33s33s33s33sB")


@wire_class
class OpenChannel2(Message):
    """BOLT 2. Type 64."""

    TYPE: ClassVar[int] = 64
    NAME: ClassVar[str] = "WIRE_OPEN_CHANNEL2"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("chain_hash", "chain_hash", ""),
        ("temporary_channel_id", "channel_id", ""),
        ("funding_feerate_perkw", "u32", ""),
        ("commitment_feerate_perkw", "u32", ""),
        ("funding_satoshis", "u64", ""),
        ("dust_limit_satoshis", "u64", ""),
        ("max_htlc_value_in_flight_msat", "u64", ""),
        ("htlc_minimum_msat", "u64", ""),
        ("to_self_delay", "u16", ""),
        ("max_accepted_htlcs", "u16", ""),
        ("locktime", "u32", ""),
        ("funding_pubkey", "point", ""),
        ("revocation_basepoint", "point", ""),
        ("payment_basepoint", "point", ""),
        ("delayed_payment_basepoint", "point", ""),
        ("htlc_basepoint", "point", ""),
        ("first_per_commitment_point", "point", ""),
        ("second_per_commitment_point", "point", ""),
        ("channel_flags", "byte", ""),
        ("tlvs", "opening_tlvs", ""),
    )

    __slots__ = (
        "chain_hash",
        "temporary_channel_id",
        "funding_feerate_perkw",
        "commitment_feerate_perkw",
        "funding_satoshis",
        "dust_limit_satoshis",
        "max_htlc_value_in_flight_msat",
        "htlc_minimum_msat",
        "to_self_delay",
        "max_accepted_htlcs",
        "locktime",
        "funding_pubkey",
        "revocation_basepoint",
        "payment_basepoint",
        "delayed_payment_basepoint",
        "htlc_basepoint",
        "first_per_commitment_point",
        "second_per_commitment_point",
        "channel_flags",
        "tlvs",
    )
    chain_hash: bytes  # 32 bytes
    temporary_channel_id: ChannelId
    funding_feerate_perkw: int  # u32
    commitment_feerate_perkw: int  # u32
    funding_satoshis: Sat
    dust_limit_satoshis: Sat
    max_htlc_value_in_flight_msat: int  # u64
    htlc_minimum_msat: int  # u64
    to_self_delay: int  # u16
    max_accepted_htlcs: int  # u16
    locktime: int  # u32
    funding_pubkey: bytes  # 33 bytes
    revocation_basepoint: bytes  # 33 bytes
    payment_basepoint: bytes  # 33 bytes
    delayed_payment_basepoint: bytes  # 33 bytes
    htlc_basepoint: bytes  # 33 bytes
    first_per_commitment_point: bytes  # 33 bytes
    second_per_commitment_point: bytes  # 33 bytes
    channel_flags: int  # byte
    tlvs: OpeningTlvs

    def __init__(
        self,
        *,
        chain_hash: bytes,
        temporary_channel_id: ChannelId,
        funding_feerate_perkw: int,
        commitment_feerate_perkw: int,
        funding_satoshis: Sat,
        dust_limit_satoshis: Sat,
        max_htlc_value_in_flight_msat: int,
        htlc_minimum_msat: int,
        to_self_delay: int,
        max_accepted_htlcs: int,
        locktime: int,
        funding_pubkey: bytes,
        revocation_basepoint: bytes,
        payment_basepoint: bytes,
        delayed_payment_basepoint: bytes,
        htlc_basepoint: bytes,
        first_per_commitment_point: bytes,
        second_per_commitment_point: bytes,
        channel_flags: int,
        tlvs: OpeningTlvs = _NO_OPENING_TLVS,
    ) -> None:
        put(self, "chain_hash", chain_hash)
        put(self, "temporary_channel_id", temporary_channel_id)
        put(self, "funding_feerate_perkw", funding_feerate_perkw)
        put(self, "commitment_feerate_perkw", commitment_feerate_perkw)
        put(self, "funding_satoshis", funding_satoshis)
        put(self, "dust_limit_satoshis", dust_limit_satoshis)
        put(self, "max_htlc_value_in_flight_msat", max_htlc_value_in_flight_msat)
        put(self, "htlc_minimum_msat", htlc_minimum_msat)
        put(self, "to_self_delay", to_self_delay)
        put(self, "max_accepted_htlcs", max_accepted_htlcs)
        put(self, "locktime", locktime)
        put(self, "funding_pubkey", funding_pubkey)
        put(self, "revocation_basepoint", revocation_basepoint)
        put(self, "payment_basepoint", payment_basepoint)
        put(self, "delayed_payment_basepoint", delayed_payment_basepoint)
        put(self, "htlc_basepoint", htlc_basepoint)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "second_per_commitment_point", second_per_commitment_point)
        put(self, "channel_flags", channel_flags)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if (
            len(self.chain_hash) != 32
            or len(self.temporary_channel_id) != 32
            or len(self.funding_pubkey) != 33
            or len(self.revocation_basepoint) != 33
            or len(self.payment_basepoint) != 33
            or len(self.delayed_payment_basepoint) != 33
            or len(self.htlc_basepoint) != 33
            or len(self.first_per_commitment_point) != 33
            or len(self.second_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _OPEN_CHANNEL2_0.pack(
                    64,
                    self.chain_hash,
                    self.temporary_channel_id,
                    self.funding_feerate_perkw,
                    self.commitment_feerate_perkw,
                    self.funding_satoshis.sat,
                    self.dust_limit_satoshis.sat,
                    self.max_htlc_value_in_flight_msat,
                    self.htlc_minimum_msat,
                    self.to_self_delay,
                    self.max_accepted_htlcs,
                    self.locktime,
                    self.funding_pubkey,
                    self.revocation_basepoint,
                    self.payment_basepoint,
                    self.delayed_payment_basepoint,
                    self.htlc_basepoint,
                    self.first_per_commitment_point,
                    self.second_per_commitment_point,
                    self.channel_flags,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                chain_hash_,
                temporary_channel_id_,
                funding_feerate_perkw_,
                commitment_feerate_perkw_,
                funding_satoshis_0_,
                dust_limit_satoshis_0_,
                max_htlc_value_in_flight_msat_,
                htlc_minimum_msat_,
                to_self_delay_,
                max_accepted_htlcs_,
                locktime_,
                funding_pubkey_,
                revocation_basepoint_,
                payment_basepoint_,
                delayed_payment_basepoint_,
                htlc_basepoint_,
                first_per_commitment_point_,
                second_per_commitment_point_,
                channel_flags_,
            ) = _OPEN_CHANNEL2_0.unpack_from(buf)
            if wire_type != 64:
                raise WireError(f"type {wire_type}, not 64")
            if (
                funding_pubkey_[0] | 1 != 3
                or revocation_basepoint_[0] | 1 != 3
                or payment_basepoint_[0] | 1 != 3
                or delayed_payment_basepoint_[0] | 1 != 3
                or htlc_basepoint_[0] | 1 != 3
                or first_per_commitment_point_[0] | 1 != 3
                or second_per_commitment_point_[0] | 1 != 3
            ):
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = OpeningTlvs.decode(buf[346:]) if 346 < len(buf) else _NO_OPENING_TLVS
            return cls(
                chain_hash=chain_hash_,
                temporary_channel_id=temporary_channel_id_,
                funding_feerate_perkw=funding_feerate_perkw_,
                commitment_feerate_perkw=commitment_feerate_perkw_,
                funding_satoshis=Sat(funding_satoshis_0_),
                dust_limit_satoshis=Sat(dust_limit_satoshis_0_),
                max_htlc_value_in_flight_msat=max_htlc_value_in_flight_msat_,
                htlc_minimum_msat=htlc_minimum_msat_,
                to_self_delay=to_self_delay_,
                max_accepted_htlcs=max_accepted_htlcs_,
                locktime=locktime_,
                funding_pubkey=funding_pubkey_,
                revocation_basepoint=revocation_basepoint_,
                payment_basepoint=payment_basepoint_,
                delayed_payment_basepoint=delayed_payment_basepoint_,
                htlc_basepoint=htlc_basepoint_,
                first_per_commitment_point=first_per_commitment_point_,
                second_per_commitment_point=second_per_commitment_point_,
                channel_flags=channel_flags_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ACCEPT_CHANNEL2_0 = struct.Struct(">H32sQQQQIHH33s33s33s33s33s33s33s")


@wire_class
class AcceptChannel2(Message):
    """BOLT 2. Type 65."""

    TYPE: ClassVar[int] = 65
    NAME: ClassVar[str] = "WIRE_ACCEPT_CHANNEL2"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("temporary_channel_id", "channel_id", ""),
        ("funding_satoshis", "u64", ""),
        ("dust_limit_satoshis", "u64", ""),
        ("max_htlc_value_in_flight_msat", "u64", ""),
        ("htlc_minimum_msat", "u64", ""),
        ("minimum_depth", "u32", ""),
        ("to_self_delay", "u16", ""),
        ("max_accepted_htlcs", "u16", ""),
        ("funding_pubkey", "point", ""),
        ("revocation_basepoint", "point", ""),
        ("payment_basepoint", "point", ""),
        ("delayed_payment_basepoint", "point", ""),
        ("htlc_basepoint", "point", ""),
        ("first_per_commitment_point", "point", ""),
        ("second_per_commitment_point", "point", ""),
        ("tlvs", "accept_tlvs", ""),
    )

    __slots__ = (
        "temporary_channel_id",
        "funding_satoshis",
        "dust_limit_satoshis",
        "max_htlc_value_in_flight_msat",
        "htlc_minimum_msat",
        "minimum_depth",
        "to_self_delay",
        "max_accepted_htlcs",
        "funding_pubkey",
        "revocation_basepoint",
        "payment_basepoint",
        "delayed_payment_basepoint",
        "htlc_basepoint",
        "first_per_commitment_point",
        "second_per_commitment_point",
        "tlvs",
    )
    temporary_channel_id: ChannelId
    funding_satoshis: Sat
    dust_limit_satoshis: Sat
    max_htlc_value_in_flight_msat: int  # u64
    htlc_minimum_msat: int  # u64
    minimum_depth: int  # u32
    to_self_delay: int  # u16
    max_accepted_htlcs: int  # u16
    funding_pubkey: bytes  # 33 bytes
    revocation_basepoint: bytes  # 33 bytes
    payment_basepoint: bytes  # 33 bytes
    delayed_payment_basepoint: bytes  # 33 bytes
    htlc_basepoint: bytes  # 33 bytes
    first_per_commitment_point: bytes  # 33 bytes
    second_per_commitment_point: bytes  # 33 bytes
    tlvs: AcceptTlvs

    def __init__(
        self,
        *,
        temporary_channel_id: ChannelId,
        funding_satoshis: Sat,
        dust_limit_satoshis: Sat,
        max_htlc_value_in_flight_msat: int,
        htlc_minimum_msat: int,
        minimum_depth: int,
        to_self_delay: int,
        max_accepted_htlcs: int,
        funding_pubkey: bytes,
        revocation_basepoint: bytes,
        payment_basepoint: bytes,
        delayed_payment_basepoint: bytes,
        htlc_basepoint: bytes,
        first_per_commitment_point: bytes,
        second_per_commitment_point: bytes,
        tlvs: AcceptTlvs = _NO_ACCEPT_TLVS,
    ) -> None:
        put(self, "temporary_channel_id", temporary_channel_id)
        put(self, "funding_satoshis", funding_satoshis)
        put(self, "dust_limit_satoshis", dust_limit_satoshis)
        put(self, "max_htlc_value_in_flight_msat", max_htlc_value_in_flight_msat)
        put(self, "htlc_minimum_msat", htlc_minimum_msat)
        put(self, "minimum_depth", minimum_depth)
        put(self, "to_self_delay", to_self_delay)
        put(self, "max_accepted_htlcs", max_accepted_htlcs)
        put(self, "funding_pubkey", funding_pubkey)
        put(self, "revocation_basepoint", revocation_basepoint)
        put(self, "payment_basepoint", payment_basepoint)
        put(self, "delayed_payment_basepoint", delayed_payment_basepoint)
        put(self, "htlc_basepoint", htlc_basepoint)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "second_per_commitment_point", second_per_commitment_point)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if (
            len(self.temporary_channel_id) != 32
            or len(self.funding_pubkey) != 33
            or len(self.revocation_basepoint) != 33
            or len(self.payment_basepoint) != 33
            or len(self.delayed_payment_basepoint) != 33
            or len(self.htlc_basepoint) != 33
            or len(self.first_per_commitment_point) != 33
            or len(self.second_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _ACCEPT_CHANNEL2_0.pack(
                    65,
                    self.temporary_channel_id,
                    self.funding_satoshis.sat,
                    self.dust_limit_satoshis.sat,
                    self.max_htlc_value_in_flight_msat,
                    self.htlc_minimum_msat,
                    self.minimum_depth,
                    self.to_self_delay,
                    self.max_accepted_htlcs,
                    self.funding_pubkey,
                    self.revocation_basepoint,
                    self.payment_basepoint,
                    self.delayed_payment_basepoint,
                    self.htlc_basepoint,
                    self.first_per_commitment_point,
                    self.second_per_commitment_point,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                temporary_channel_id_,
                funding_satoshis_0_,
                dust_limit_satoshis_0_,
                max_htlc_value_in_flight_msat_,
                htlc_minimum_msat_,
                minimum_depth_,
                to_self_delay_,
                max_accepted_htlcs_,
                funding_pubkey_,
                revocation_basepoint_,
                payment_basepoint_,
                delayed_payment_basepoint_,
                htlc_basepoint_,
                first_per_commitment_point_,
                second_per_commitment_point_,
            ) = _ACCEPT_CHANNEL2_0.unpack_from(buf)
            if wire_type != 65:
                raise WireError(f"type {wire_type}, not 65")
            if (
                funding_pubkey_[0] | 1 != 3
                or revocation_basepoint_[0] | 1 != 3
                or payment_basepoint_[0] | 1 != 3
                or delayed_payment_basepoint_[0] | 1 != 3
                or htlc_basepoint_[0] | 1 != 3
                or first_per_commitment_point_[0] | 1 != 3
                or second_per_commitment_point_[0] | 1 != 3
            ):
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = AcceptTlvs.decode(buf[305:]) if 305 < len(buf) else _NO_ACCEPT_TLVS
            return cls(
                temporary_channel_id=temporary_channel_id_,
                funding_satoshis=Sat(funding_satoshis_0_),
                dust_limit_satoshis=Sat(dust_limit_satoshis_0_),
                max_htlc_value_in_flight_msat=max_htlc_value_in_flight_msat_,
                htlc_minimum_msat=htlc_minimum_msat_,
                minimum_depth=minimum_depth_,
                to_self_delay=to_self_delay_,
                max_accepted_htlcs=max_accepted_htlcs_,
                funding_pubkey=funding_pubkey_,
                revocation_basepoint=revocation_basepoint_,
                payment_basepoint=payment_basepoint_,
                delayed_payment_basepoint=delayed_payment_basepoint_,
                htlc_basepoint=htlc_basepoint_,
                first_per_commitment_point=first_per_commitment_point_,
                second_per_commitment_point=second_per_commitment_point_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_STFU_0 = struct.Struct(">H32sB")


@wire_class
class Stfu(Message):
    """BOLT 2. Type 2."""

    TYPE: ClassVar[int] = 2
    NAME: ClassVar[str] = "WIRE_STFU"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("initiator", "u8", ""),
    )

    __slots__ = ("channel_id", "initiator")
    channel_id: ChannelId
    initiator: int  # u8

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        initiator: int,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "initiator", initiator)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return _STFU_0.pack(2, self.channel_id, self.initiator)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, initiator_ = _STFU_0.unpack_from(buf)
            if wire_type != 2:
                raise WireError(f"type {wire_type}, not 2")
            return cls(
                channel_id=channel_id_,
                initiator=initiator_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_SPLICE_INIT_0 = struct.Struct(">H32sqII33s")


@wire_class
class SpliceInit(Message):
    """BOLT 2. Type 80."""

    TYPE: ClassVar[int] = 80
    NAME: ClassVar[str] = "WIRE_SPLICE_INIT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("funding_contribution_satoshis", "s64", ""),
        ("funding_feerate_perkw", "u32", ""),
        ("locktime", "u32", ""),
        ("funding_pubkey", "point", ""),
        ("tlvs", "splice_init_tlvs", ""),
    )

    __slots__ = (
        "channel_id",
        "funding_contribution_satoshis",
        "funding_feerate_perkw",
        "locktime",
        "funding_pubkey",
        "tlvs",
    )
    channel_id: ChannelId
    funding_contribution_satoshis: int  # s64
    funding_feerate_perkw: int  # u32
    locktime: int  # u32
    funding_pubkey: bytes  # 33 bytes
    tlvs: SpliceInitTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        funding_contribution_satoshis: int,
        funding_feerate_perkw: int,
        locktime: int,
        funding_pubkey: bytes,
        tlvs: SpliceInitTlvs = _NO_SPLICE_INIT_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "funding_contribution_satoshis", funding_contribution_satoshis)
        put(self, "funding_feerate_perkw", funding_feerate_perkw)
        put(self, "locktime", locktime)
        put(self, "funding_pubkey", funding_pubkey)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.funding_pubkey) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _SPLICE_INIT_0.pack(
                    80,
                    self.channel_id,
                    self.funding_contribution_satoshis,
                    self.funding_feerate_perkw,
                    self.locktime,
                    self.funding_pubkey,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                funding_contribution_satoshis_,
                funding_feerate_perkw_,
                locktime_,
                funding_pubkey_,
            ) = _SPLICE_INIT_0.unpack_from(buf)
            if wire_type != 80:
                raise WireError(f"type {wire_type}, not 80")
            if funding_pubkey_[0] | 1 != 3:
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = SpliceInitTlvs.decode(buf[83:]) if 83 < len(buf) else _NO_SPLICE_INIT_TLVS
            return cls(
                channel_id=channel_id_,
                funding_contribution_satoshis=funding_contribution_satoshis_,
                funding_feerate_perkw=funding_feerate_perkw_,
                locktime=locktime_,
                funding_pubkey=funding_pubkey_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_SPLICE_ACK_0 = struct.Struct(">H32sq33s")


@wire_class
class SpliceAck(Message):
    """BOLT 2. Type 81."""

    TYPE: ClassVar[int] = 81
    NAME: ClassVar[str] = "WIRE_SPLICE_ACK"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("funding_contribution_satoshis", "s64", ""),
        ("funding_pubkey", "point", ""),
        ("tlvs", "splice_ack_tlvs", ""),
    )

    __slots__ = ("channel_id", "funding_contribution_satoshis", "funding_pubkey", "tlvs")
    channel_id: ChannelId
    funding_contribution_satoshis: int  # s64
    funding_pubkey: bytes  # 33 bytes
    tlvs: SpliceAckTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        funding_contribution_satoshis: int,
        funding_pubkey: bytes,
        tlvs: SpliceAckTlvs = _NO_SPLICE_ACK_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "funding_contribution_satoshis", funding_contribution_satoshis)
        put(self, "funding_pubkey", funding_pubkey)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.funding_pubkey) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _SPLICE_ACK_0.pack(
                    81,
                    self.channel_id,
                    self.funding_contribution_satoshis,
                    self.funding_pubkey,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                funding_contribution_satoshis_,
                funding_pubkey_,
            ) = _SPLICE_ACK_0.unpack_from(buf)
            if wire_type != 81:
                raise WireError(f"type {wire_type}, not 81")
            if funding_pubkey_[0] | 1 != 3:
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = SpliceAckTlvs.decode(buf[75:]) if 75 < len(buf) else _NO_SPLICE_ACK_TLVS
            return cls(
                channel_id=channel_id_,
                funding_contribution_satoshis=funding_contribution_satoshis_,
                funding_pubkey=funding_pubkey_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_SPLICE_LOCKED_0 = struct.Struct(">H32s32s")


@wire_class
class SpliceLocked(Message):
    """BOLT 2. Type 77."""

    TYPE: ClassVar[int] = 77
    NAME: ClassVar[str] = "WIRE_SPLICE_LOCKED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("splice_txid", "sha256", ""),
    )

    __slots__ = ("channel_id", "splice_txid")
    channel_id: ChannelId
    splice_txid: Txid

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        splice_txid: Txid,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "splice_txid", splice_txid)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.splice_txid) != 32:
            raise wrong_length(self)
        return _SPLICE_LOCKED_0.pack(77, self.channel_id, self.splice_txid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, splice_txid_ = _SPLICE_LOCKED_0.unpack_from(buf)
            if wire_type != 77:
                raise WireError(f"type {wire_type}, not 77")
            return cls(
                channel_id=channel_id_,
                splice_txid=splice_txid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_SHUTDOWN_0 = struct.Struct(">H32sH")


@wire_class
class Shutdown(Message):
    """BOLT 2. Type 38."""

    TYPE: ClassVar[int] = 38
    NAME: ClassVar[str] = "WIRE_SHUTDOWN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("scriptpubkey", "byte", "len"),
        ("tlvs", "shutdown_tlvs", ""),
    )

    __slots__ = ("channel_id", "scriptpubkey", "tlvs")
    channel_id: ChannelId
    scriptpubkey: bytes
    tlvs: ShutdownTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        scriptpubkey: bytes,
        tlvs: ShutdownTlvs = _NO_SHUTDOWN_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "scriptpubkey", scriptpubkey)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _SHUTDOWN_0.pack(38, self.channel_id, len(self.scriptpubkey)),
                self.scriptpubkey,
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, len_ = _SHUTDOWN_0.unpack_from(buf)
            if wire_type != 38:
                raise WireError(f"type {wire_type}, not 38")
            pos = 36
            end = pos + len_
            if end > len(buf):
                raise too_short("scriptpubkey", len_, len(buf) - pos)
            scriptpubkey_ = buf[pos:end]
            pos = end
            tlvs_ = ShutdownTlvs.decode(buf[pos:]) if pos < len(buf) else _NO_SHUTDOWN_TLVS
            return cls(
                channel_id=channel_id_,
                scriptpubkey=scriptpubkey_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSING_COMPLETE_0 = struct.Struct(">H32sH")
_CLOSING_COMPLETE_1 = struct.Struct(">H")
_CLOSING_COMPLETE_2 = struct.Struct(">QI")


@wire_class
class ClosingComplete(Message):
    """BOLT 2. Type 40."""

    TYPE: ClassVar[int] = 40
    NAME: ClassVar[str] = "WIRE_CLOSING_COMPLETE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("closer_scriptpubkey", "byte", "closer_scriptpubkey_len"),
        ("closee_scriptpubkey", "byte", "closee_scriptpubkey_len"),
        ("fee_satoshis", "u64", ""),
        ("locktime", "u32", ""),
        ("tlvs", "closing_tlvs", ""),
    )

    __slots__ = (
        "channel_id",
        "closer_scriptpubkey",
        "closee_scriptpubkey",
        "fee_satoshis",
        "locktime",
        "tlvs",
    )
    channel_id: ChannelId
    closer_scriptpubkey: bytes
    closee_scriptpubkey: bytes
    fee_satoshis: Sat
    locktime: int  # u32
    tlvs: ClosingTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        closer_scriptpubkey: bytes,
        closee_scriptpubkey: bytes,
        fee_satoshis: Sat,
        locktime: int,
        tlvs: ClosingTlvs = _NO_CLOSING_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "closer_scriptpubkey", closer_scriptpubkey)
        put(self, "closee_scriptpubkey", closee_scriptpubkey)
        put(self, "fee_satoshis", fee_satoshis)
        put(self, "locktime", locktime)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _CLOSING_COMPLETE_0.pack(40, self.channel_id, len(self.closer_scriptpubkey)),
                self.closer_scriptpubkey,
                _CLOSING_COMPLETE_1.pack(len(self.closee_scriptpubkey)),
                self.closee_scriptpubkey,
                _CLOSING_COMPLETE_2.pack(self.fee_satoshis.sat, self.locktime),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, closer_scriptpubkey_len_ = _CLOSING_COMPLETE_0.unpack_from(buf)
            if wire_type != 40:
                raise WireError(f"type {wire_type}, not 40")
            pos = 36
            end = pos + closer_scriptpubkey_len_
            if end > len(buf):
                raise too_short("closer_scriptpubkey", closer_scriptpubkey_len_, len(buf) - pos)
            closer_scriptpubkey_ = buf[pos:end]
            pos = end
            (closee_scriptpubkey_len_,) = _CLOSING_COMPLETE_1.unpack_from(buf, pos)
            pos += 2
            end = pos + closee_scriptpubkey_len_
            if end > len(buf):
                raise too_short("closee_scriptpubkey", closee_scriptpubkey_len_, len(buf) - pos)
            closee_scriptpubkey_ = buf[pos:end]
            pos = end
            fee_satoshis_0_, locktime_ = _CLOSING_COMPLETE_2.unpack_from(buf, pos)
            pos += 12
            tlvs_ = ClosingTlvs.decode(buf[pos:]) if pos < len(buf) else _NO_CLOSING_TLVS
            return cls(
                channel_id=channel_id_,
                closer_scriptpubkey=closer_scriptpubkey_,
                closee_scriptpubkey=closee_scriptpubkey_,
                fee_satoshis=Sat(fee_satoshis_0_),
                locktime=locktime_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSING_SIG_0 = struct.Struct(">H32sH")
_CLOSING_SIG_1 = struct.Struct(">H")
_CLOSING_SIG_2 = struct.Struct(">QI")


@wire_class
class ClosingSig(Message):
    """BOLT 2. Type 41."""

    TYPE: ClassVar[int] = 41
    NAME: ClassVar[str] = "WIRE_CLOSING_SIG"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("closer_scriptpubkey", "byte", "closer_scriptpubkey_len"),
        ("closee_scriptpubkey", "byte", "closee_scriptpubkey_len"),
        ("fee_satoshis", "u64", ""),
        ("locktime", "u32", ""),
        ("tlvs", "closing_tlvs", ""),
    )

    __slots__ = (
        "channel_id",
        "closer_scriptpubkey",
        "closee_scriptpubkey",
        "fee_satoshis",
        "locktime",
        "tlvs",
    )
    channel_id: ChannelId
    closer_scriptpubkey: bytes
    closee_scriptpubkey: bytes
    fee_satoshis: Sat
    locktime: int  # u32
    tlvs: ClosingTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        closer_scriptpubkey: bytes,
        closee_scriptpubkey: bytes,
        fee_satoshis: Sat,
        locktime: int,
        tlvs: ClosingTlvs = _NO_CLOSING_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "closer_scriptpubkey", closer_scriptpubkey)
        put(self, "closee_scriptpubkey", closee_scriptpubkey)
        put(self, "fee_satoshis", fee_satoshis)
        put(self, "locktime", locktime)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _CLOSING_SIG_0.pack(41, self.channel_id, len(self.closer_scriptpubkey)),
                self.closer_scriptpubkey,
                _CLOSING_SIG_1.pack(len(self.closee_scriptpubkey)),
                self.closee_scriptpubkey,
                _CLOSING_SIG_2.pack(self.fee_satoshis.sat, self.locktime),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, closer_scriptpubkey_len_ = _CLOSING_SIG_0.unpack_from(buf)
            if wire_type != 41:
                raise WireError(f"type {wire_type}, not 41")
            pos = 36
            end = pos + closer_scriptpubkey_len_
            if end > len(buf):
                raise too_short("closer_scriptpubkey", closer_scriptpubkey_len_, len(buf) - pos)
            closer_scriptpubkey_ = buf[pos:end]
            pos = end
            (closee_scriptpubkey_len_,) = _CLOSING_SIG_1.unpack_from(buf, pos)
            pos += 2
            end = pos + closee_scriptpubkey_len_
            if end > len(buf):
                raise too_short("closee_scriptpubkey", closee_scriptpubkey_len_, len(buf) - pos)
            closee_scriptpubkey_ = buf[pos:end]
            pos = end
            fee_satoshis_0_, locktime_ = _CLOSING_SIG_2.unpack_from(buf, pos)
            pos += 12
            tlvs_ = ClosingTlvs.decode(buf[pos:]) if pos < len(buf) else _NO_CLOSING_TLVS
            return cls(
                channel_id=channel_id_,
                closer_scriptpubkey=closer_scriptpubkey_,
                closee_scriptpubkey=closee_scriptpubkey_,
                fee_satoshis=Sat(fee_satoshis_0_),
                locktime=locktime_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CLOSING_SIGNED_0 = struct.Struct(">H32sQ64s")


@wire_class
class ClosingSigned(Message):
    """BOLT 2. Type 39."""

    TYPE: ClassVar[int] = 39
    NAME: ClassVar[str] = "WIRE_CLOSING_SIGNED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("fee_satoshis", "u64", ""),
        ("signature", "signature", ""),
        ("tlvs", "closing_signed_tlvs", ""),
    )

    __slots__ = ("channel_id", "fee_satoshis", "signature", "tlvs")
    channel_id: ChannelId
    fee_satoshis: Sat
    signature: bytes  # 64 bytes
    tlvs: ClosingSignedTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        fee_satoshis: Sat,
        signature: bytes,
        tlvs: ClosingSignedTlvs = _NO_CLOSING_SIGNED_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "fee_satoshis", fee_satoshis)
        put(self, "signature", signature)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.signature) != 64:
            raise wrong_length(self)
        return b"".join(
            (
                _CLOSING_SIGNED_0.pack(39, self.channel_id, self.fee_satoshis.sat, self.signature),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, fee_satoshis_0_, signature_ = _CLOSING_SIGNED_0.unpack_from(buf)
            if wire_type != 39:
                raise WireError(f"type {wire_type}, not 39")
            tlvs_ = ClosingSignedTlvs.decode(buf[106:]) if 106 < len(
                buf,
            ) else _NO_CLOSING_SIGNED_TLVS
            return cls(
                channel_id=channel_id_,
                fee_satoshis=Sat(fee_satoshis_0_),
                signature=signature_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_UPDATE_ADD_HTLC_0 = struct.Struct(">H32sQQ32sI1366s")


@wire_class
class UpdateAddHtlc(Message):
    """BOLT 2. Type 128."""

    TYPE: ClassVar[int] = 128
    NAME: ClassVar[str] = "WIRE_UPDATE_ADD_HTLC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("id", "u64", ""),
        ("amount_msat", "u64", ""),
        ("payment_hash", "sha256", ""),
        ("cltv_expiry", "u32", ""),
        ("onion_routing_packet", "byte", "1366"),
        ("tlvs", "update_add_htlc_tlvs", ""),
    )

    __slots__ = (
        "channel_id",
        "id",
        "amount_msat",
        "payment_hash",
        "cltv_expiry",
        "onion_routing_packet",
        "tlvs",
    )
    channel_id: ChannelId
    id: int  # u64
    amount_msat: Msat
    payment_hash: bytes  # 32 bytes
    cltv_expiry: int  # u32
    onion_routing_packet: bytes  # 1366 bytes
    tlvs: UpdateAddHtlcTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        id: int,
        amount_msat: Msat,
        payment_hash: bytes,
        cltv_expiry: int,
        onion_routing_packet: bytes,
        tlvs: UpdateAddHtlcTlvs = _NO_UPDATE_ADD_HTLC_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "id", id)
        put(self, "amount_msat", amount_msat)
        put(self, "payment_hash", payment_hash)
        put(self, "cltv_expiry", cltv_expiry)
        put(self, "onion_routing_packet", onion_routing_packet)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if (
            len(self.channel_id) != 32
            or len(self.payment_hash) != 32
            or len(self.onion_routing_packet) != 1366
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _UPDATE_ADD_HTLC_0.pack(
                    128,
                    self.channel_id,
                    self.id,
                    self.amount_msat.msat,
                    self.payment_hash,
                    self.cltv_expiry,
                    self.onion_routing_packet,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                id_,
                amount_msat_0_,
                payment_hash_,
                cltv_expiry_,
                onion_routing_packet_,
            ) = _UPDATE_ADD_HTLC_0.unpack_from(buf)
            if wire_type != 128:
                raise WireError(f"type {wire_type}, not 128")
            tlvs_ = UpdateAddHtlcTlvs.decode(buf[1452:]) if 1452 < len(
                buf,
            ) else _NO_UPDATE_ADD_HTLC_TLVS
            return cls(
                channel_id=channel_id_,
                id=id_,
                amount_msat=Msat(amount_msat_0_),
                payment_hash=payment_hash_,
                cltv_expiry=cltv_expiry_,
                onion_routing_packet=onion_routing_packet_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_UPDATE_FULFILL_HTLC_0 = struct.Struct(">H32sQ32s")


@wire_class
class UpdateFulfillHtlc(Message):
    """BOLT 2. Type 130."""

    TYPE: ClassVar[int] = 130
    NAME: ClassVar[str] = "WIRE_UPDATE_FULFILL_HTLC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("id", "u64", ""),
        ("payment_preimage", "byte", "32"),
        ("tlvs", "update_fulfill_htlc_tlvs", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"payment_preimage"})

    __slots__ = ("channel_id", "id", "payment_preimage", "tlvs")
    channel_id: ChannelId
    id: int  # u64
    payment_preimage: bytes  # 32 bytes
    tlvs: UpdateFulfillHtlcTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        id: int,
        payment_preimage: bytes,
        tlvs: UpdateFulfillHtlcTlvs = _NO_UPDATE_FULFILL_HTLC_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "id", id)
        put(self, "payment_preimage", payment_preimage)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.payment_preimage) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _UPDATE_FULFILL_HTLC_0.pack(130, self.channel_id, self.id, self.payment_preimage),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, id_, payment_preimage_ = _UPDATE_FULFILL_HTLC_0.unpack_from(buf)
            if wire_type != 130:
                raise WireError(f"type {wire_type}, not 130")
            tlvs_ = UpdateFulfillHtlcTlvs.decode(buf[74:]) if 74 < len(
                buf,
            ) else _NO_UPDATE_FULFILL_HTLC_TLVS
            return cls(
                channel_id=channel_id_,
                id=id_,
                payment_preimage=payment_preimage_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_UPDATE_FAIL_HTLC_0 = struct.Struct(">H32sQH")


@wire_class
class UpdateFailHtlc(Message):
    """BOLT 2. Type 131."""

    TYPE: ClassVar[int] = 131
    NAME: ClassVar[str] = "WIRE_UPDATE_FAIL_HTLC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("id", "u64", ""),
        ("reason", "byte", "len"),
        ("tlvs", "update_fail_htlc_tlvs", ""),
    )

    __slots__ = ("channel_id", "id", "reason", "tlvs")
    channel_id: ChannelId
    id: int  # u64
    reason: bytes
    tlvs: UpdateFailHtlcTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        id: int,
        reason: bytes,
        tlvs: UpdateFailHtlcTlvs = _NO_UPDATE_FAIL_HTLC_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "id", id)
        put(self, "reason", reason)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _UPDATE_FAIL_HTLC_0.pack(131, self.channel_id, self.id, len(self.reason)),
                self.reason,
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, id_, len_ = _UPDATE_FAIL_HTLC_0.unpack_from(buf)
            if wire_type != 131:
                raise WireError(f"type {wire_type}, not 131")
            pos = 44
            end = pos + len_
            if end > len(buf):
                raise too_short("reason", len_, len(buf) - pos)
            reason_ = buf[pos:end]
            pos = end
            tlvs_ = UpdateFailHtlcTlvs.decode(buf[pos:]) if pos < len(
                buf,
            ) else _NO_UPDATE_FAIL_HTLC_TLVS
            return cls(
                channel_id=channel_id_,
                id=id_,
                reason=reason_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_UPDATE_FAIL_MALFORMED_HTLC_0 = struct.Struct(">H32sQ32sH")


@wire_class
class UpdateFailMalformedHtlc(Message):
    """BOLT 2. Type 135."""

    TYPE: ClassVar[int] = 135
    NAME: ClassVar[str] = "WIRE_UPDATE_FAIL_MALFORMED_HTLC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("id", "u64", ""),
        ("sha256_of_onion", "sha256", ""),
        ("failure_code", "u16", ""),
    )

    __slots__ = ("channel_id", "id", "sha256_of_onion", "failure_code")
    channel_id: ChannelId
    id: int  # u64
    sha256_of_onion: bytes  # 32 bytes
    failure_code: int  # u16

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        id: int,
        sha256_of_onion: bytes,
        failure_code: int,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "id", id)
        put(self, "sha256_of_onion", sha256_of_onion)
        put(self, "failure_code", failure_code)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.sha256_of_onion) != 32:
            raise wrong_length(self)
        return _UPDATE_FAIL_MALFORMED_HTLC_0.pack(
            135,
            self.channel_id,
            self.id,
            self.sha256_of_onion,
            self.failure_code,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                id_,
                sha256_of_onion_,
                failure_code_,
            ) = _UPDATE_FAIL_MALFORMED_HTLC_0.unpack_from(buf)
            if wire_type != 135:
                raise WireError(f"type {wire_type}, not 135")
            return cls(
                channel_id=channel_id_,
                id=id_,
                sha256_of_onion=sha256_of_onion_,
                failure_code=failure_code_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_START_BATCH_0 = struct.Struct(">H32sH")


@wire_class
class StartBatch(Message):
    """BOLT 2. Type 127."""

    TYPE: ClassVar[int] = 127
    NAME: ClassVar[str] = "WIRE_START_BATCH"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("batch_size", "u16", ""),
        ("tlvs", "start_batch_tlvs", ""),
    )

    __slots__ = ("channel_id", "batch_size", "tlvs")
    channel_id: ChannelId
    batch_size: int  # u16
    tlvs: StartBatchTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        batch_size: int,
        tlvs: StartBatchTlvs = _NO_START_BATCH_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "batch_size", batch_size)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (_START_BATCH_0.pack(127, self.channel_id, self.batch_size), self.tlvs.encode()),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, batch_size_ = _START_BATCH_0.unpack_from(buf)
            if wire_type != 127:
                raise WireError(f"type {wire_type}, not 127")
            tlvs_ = StartBatchTlvs.decode(buf[36:]) if 36 < len(buf) else _NO_START_BATCH_TLVS
            return cls(
                channel_id=channel_id_,
                batch_size=batch_size_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_COMMITMENT_SIGNED_0 = struct.Struct(">H32s64sH")
_COMMITMENT_SIGNED_1 = struct.Struct(">64s")


@wire_class
class CommitmentSigned(Message):
    """BOLT 2. Type 132."""

    TYPE: ClassVar[int] = 132
    NAME: ClassVar[str] = "WIRE_COMMITMENT_SIGNED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("signature", "signature", ""),
        ("htlc_signature", "signature", "num_htlcs"),
        ("tlvs", "commitment_signed_tlvs", ""),
    )

    __slots__ = ("channel_id", "signature", "htlc_signature", "tlvs")
    channel_id: ChannelId
    signature: bytes  # 64 bytes
    htlc_signature: tuple[bytes, ...]
    tlvs: CommitmentSignedTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        signature: bytes,
        htlc_signature: tuple[bytes, ...],
        tlvs: CommitmentSignedTlvs = _NO_COMMITMENT_SIGNED_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "signature", signature)
        put(self, "htlc_signature", htlc_signature)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32 or len(self.signature) != 64:
            raise wrong_length(self)
        return b"".join(
            (
                _COMMITMENT_SIGNED_0.pack(
                    132,
                    self.channel_id,
                    self.signature,
                    len(self.htlc_signature),
                ),
                join_fixed(self.htlc_signature, 64),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, signature_, num_htlcs_ = _COMMITMENT_SIGNED_0.unpack_from(buf)
            if wire_type != 132:
                raise WireError(f"type {wire_type}, not 132")
            pos = 100
            end = pos + num_htlcs_ * 64
            if end > len(buf):
                raise too_short("htlc_signature", num_htlcs_ * 64, len(buf) - pos)
            htlc_signature_ = tuple(
                [
                    htlc_signature_
                    for (htlc_signature_,) in _COMMITMENT_SIGNED_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            tlvs_ = CommitmentSignedTlvs.decode(buf[pos:]) if pos < len(
                buf,
            ) else _NO_COMMITMENT_SIGNED_TLVS
            return cls(
                channel_id=channel_id_,
                signature=signature_,
                htlc_signature=htlc_signature_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_REVOKE_AND_ACK_0 = struct.Struct(">H32s32s33s")


@wire_class
class RevokeAndAck(Message):
    """BOLT 2. Type 133."""

    TYPE: ClassVar[int] = 133
    NAME: ClassVar[str] = "WIRE_REVOKE_AND_ACK"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("per_commitment_secret", "byte", "32"),
        ("next_per_commitment_point", "point", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"per_commitment_secret"})

    __slots__ = ("channel_id", "per_commitment_secret", "next_per_commitment_point")
    channel_id: ChannelId
    per_commitment_secret: bytes  # 32 bytes
    next_per_commitment_point: bytes  # 33 bytes

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        per_commitment_secret: bytes,
        next_per_commitment_point: bytes,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "per_commitment_secret", per_commitment_secret)
        put(self, "next_per_commitment_point", next_per_commitment_point)

    def encode(self) -> bytes:
        if (
            len(self.channel_id) != 32
            or len(self.per_commitment_secret) != 32
            or len(self.next_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return _REVOKE_AND_ACK_0.pack(
            133,
            self.channel_id,
            self.per_commitment_secret,
            self.next_per_commitment_point,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                per_commitment_secret_,
                next_per_commitment_point_,
            ) = _REVOKE_AND_ACK_0.unpack_from(buf)
            if wire_type != 133:
                raise WireError(f"type {wire_type}, not 133")
            if next_per_commitment_point_[0] | 1 != 3:
                raise WireError("a public key starts with 02 or 03")
            return cls(
                channel_id=channel_id_,
                per_commitment_secret=per_commitment_secret_,
                next_per_commitment_point=next_per_commitment_point_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_UPDATE_FEE_0 = struct.Struct(">H32sI")


@wire_class
class UpdateFee(Message):
    """BOLT 2. Type 134."""

    TYPE: ClassVar[int] = 134
    NAME: ClassVar[str] = "WIRE_UPDATE_FEE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("feerate_per_kw", "u32", ""),
    )

    __slots__ = ("channel_id", "feerate_per_kw")
    channel_id: ChannelId
    feerate_per_kw: int  # u32

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        feerate_per_kw: int,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "feerate_per_kw", feerate_per_kw)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return _UPDATE_FEE_0.pack(134, self.channel_id, self.feerate_per_kw)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, channel_id_, feerate_per_kw_ = _UPDATE_FEE_0.unpack_from(buf)
            if wire_type != 134:
                raise WireError(f"type {wire_type}, not 134")
            return cls(
                channel_id=channel_id_,
                feerate_per_kw=feerate_per_kw_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNEL_REESTABLISH_0 = struct.Struct(">H32sQQ32s33s")


@wire_class
class ChannelReestablish(Message):
    """BOLT 2. Type 136."""

    TYPE: ClassVar[int] = 136
    NAME: ClassVar[str] = "WIRE_CHANNEL_REESTABLISH"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("next_commitment_number", "u64", ""),
        ("next_revocation_number", "u64", ""),
        ("your_last_per_commitment_secret", "byte", "32"),
        ("my_current_per_commitment_point", "point", ""),
        ("tlvs", "channel_reestablish_tlvs", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"your_last_per_commitment_secret"})

    __slots__ = (
        "channel_id",
        "next_commitment_number",
        "next_revocation_number",
        "your_last_per_commitment_secret",
        "my_current_per_commitment_point",
        "tlvs",
    )
    channel_id: ChannelId
    next_commitment_number: int  # u64
    next_revocation_number: int  # u64
    your_last_per_commitment_secret: bytes  # 32 bytes
    my_current_per_commitment_point: bytes  # 33 bytes
    tlvs: ChannelReestablishTlvs

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        next_commitment_number: int,
        next_revocation_number: int,
        your_last_per_commitment_secret: bytes,
        my_current_per_commitment_point: bytes,
        tlvs: ChannelReestablishTlvs = _NO_CHANNEL_REESTABLISH_TLVS,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "next_commitment_number", next_commitment_number)
        put(self, "next_revocation_number", next_revocation_number)
        put(self, "your_last_per_commitment_secret", your_last_per_commitment_secret)
        put(self, "my_current_per_commitment_point", my_current_per_commitment_point)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if (
            len(self.channel_id) != 32
            or len(self.your_last_per_commitment_secret) != 32
            or len(self.my_current_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNEL_REESTABLISH_0.pack(
                    136,
                    self.channel_id,
                    self.next_commitment_number,
                    self.next_revocation_number,
                    self.your_last_per_commitment_secret,
                    self.my_current_per_commitment_point,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                next_commitment_number_,
                next_revocation_number_,
                your_last_per_commitment_secret_,
                my_current_per_commitment_point_,
            ) = _CHANNEL_REESTABLISH_0.unpack_from(buf)
            if wire_type != 136:
                raise WireError(f"type {wire_type}, not 136")
            if my_current_per_commitment_point_[0] | 1 != 3:
                raise WireError("a public key starts with 02 or 03")
            tlvs_ = ChannelReestablishTlvs.decode(buf[115:]) if 115 < len(
                buf,
            ) else _NO_CHANNEL_REESTABLISH_TLVS
            return cls(
                channel_id=channel_id_,
                next_commitment_number=next_commitment_number_,
                next_revocation_number=next_revocation_number_,
                your_last_per_commitment_secret=your_last_per_commitment_secret_,
                my_current_per_commitment_point=my_current_per_commitment_point_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONION_MESSAGE_0 = struct.Struct(">H33sH")


@wire_class
class OnionMessage(Message):
    """BOLT 4. Needs `option_onion_messages`. Type 513."""

    TYPE: ClassVar[int] = 513
    NAME: ClassVar[str] = "WIRE_ONION_MESSAGE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("path_key", "point", ""),
        ("onion_message_packet", "byte", "len"),
    )

    __slots__ = ("path_key", "onion_message_packet")
    path_key: bytes  # 33 bytes
    onion_message_packet: bytes

    def __init__(
        self,
        *,
        path_key: bytes,
        onion_message_packet: bytes,
    ) -> None:
        put(self, "path_key", path_key)
        put(self, "onion_message_packet", onion_message_packet)

    def encode(self) -> bytes:
        if len(self.path_key) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _ONION_MESSAGE_0.pack(513, self.path_key, len(self.onion_message_packet)),
                self.onion_message_packet,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, path_key_, len_ = _ONION_MESSAGE_0.unpack_from(buf)
            if wire_type != 513:
                raise WireError(f"type {wire_type}, not 513")
            if path_key_[0] | 1 != 3:
                raise WireError("a public key starts with 02 or 03")
            pos = 37
            end = pos + len_
            if end > len(buf):
                raise too_short("onion_message_packet", len_, len(buf) - pos)
            onion_message_packet_ = buf[pos:end]
            pos = end
            return cls(
                path_key=path_key_,
                onion_message_packet=onion_message_packet_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ANNOUNCEMENT_SIGNATURES_0 = struct.Struct(">H32sQ64s64s")


@wire_class
class AnnouncementSignatures(Message):
    """BOLT 7. Type 259."""

    TYPE: ClassVar[int] = 259
    NAME: ClassVar[str] = "WIRE_ANNOUNCEMENT_SIGNATURES"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel_id", "channel_id", ""),
        ("short_channel_id", "short_channel_id", ""),
        ("node_signature", "signature", ""),
        ("bitcoin_signature", "signature", ""),
    )

    __slots__ = ("channel_id", "short_channel_id", "node_signature", "bitcoin_signature")
    channel_id: ChannelId
    short_channel_id: ShortChannelId
    node_signature: bytes  # 64 bytes
    bitcoin_signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        channel_id: ChannelId,
        short_channel_id: ShortChannelId,
        node_signature: bytes,
        bitcoin_signature: bytes,
    ) -> None:
        put(self, "channel_id", channel_id)
        put(self, "short_channel_id", short_channel_id)
        put(self, "node_signature", node_signature)
        put(self, "bitcoin_signature", bitcoin_signature)

    def encode(self) -> bytes:
        if (
            len(self.channel_id) != 32
            or len(self.node_signature) != 64
            or len(self.bitcoin_signature) != 64
        ):
            raise wrong_length(self)
        return _ANNOUNCEMENT_SIGNATURES_0.pack(
            259,
            self.channel_id,
            self.short_channel_id,
            self.node_signature,
            self.bitcoin_signature,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                channel_id_,
                short_channel_id_0_,
                node_signature_,
                bitcoin_signature_,
            ) = _ANNOUNCEMENT_SIGNATURES_0.unpack_from(buf)
            if wire_type != 259:
                raise WireError(f"type {wire_type}, not 259")
            return cls(
                channel_id=channel_id_,
                short_channel_id=ShortChannelId(short_channel_id_0_),
                node_signature=node_signature_,
                bitcoin_signature=bitcoin_signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNEL_ANNOUNCEMENT_0 = struct.Struct(">H64s64s64s64sH")
_CHANNEL_ANNOUNCEMENT_1 = struct.Struct(">32sQ33s33s33s33s")


@wire_class
class ChannelAnnouncement(Message):
    """BOLT 7. Type 256."""

    TYPE: ClassVar[int] = 256
    NAME: ClassVar[str] = "WIRE_CHANNEL_ANNOUNCEMENT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("node_signature_1", "signature", ""),
        ("node_signature_2", "signature", ""),
        ("bitcoin_signature_1", "signature", ""),
        ("bitcoin_signature_2", "signature", ""),
        ("features", "byte", "len"),
        ("chain_hash", "chain_hash", ""),
        ("short_channel_id", "short_channel_id", ""),
        ("node_id_1", "point", ""),
        ("node_id_2", "point", ""),
        ("bitcoin_key_1", "point", ""),
        ("bitcoin_key_2", "point", ""),
    )

    __slots__ = (
        "node_signature_1",
        "node_signature_2",
        "bitcoin_signature_1",
        "bitcoin_signature_2",
        "features",
        "chain_hash",
        "short_channel_id",
        "node_id_1",
        "node_id_2",
        "bitcoin_key_1",
        "bitcoin_key_2",
    )
    node_signature_1: bytes  # 64 bytes
    node_signature_2: bytes  # 64 bytes
    bitcoin_signature_1: bytes  # 64 bytes
    bitcoin_signature_2: bytes  # 64 bytes
    features: bytes
    chain_hash: bytes  # 32 bytes
    short_channel_id: ShortChannelId
    node_id_1: NodeId
    node_id_2: NodeId
    bitcoin_key_1: bytes  # 33 bytes
    bitcoin_key_2: bytes  # 33 bytes

    def __init__(
        self,
        *,
        node_signature_1: bytes,
        node_signature_2: bytes,
        bitcoin_signature_1: bytes,
        bitcoin_signature_2: bytes,
        features: bytes,
        chain_hash: bytes,
        short_channel_id: ShortChannelId,
        node_id_1: NodeId,
        node_id_2: NodeId,
        bitcoin_key_1: bytes,
        bitcoin_key_2: bytes,
    ) -> None:
        put(self, "node_signature_1", node_signature_1)
        put(self, "node_signature_2", node_signature_2)
        put(self, "bitcoin_signature_1", bitcoin_signature_1)
        put(self, "bitcoin_signature_2", bitcoin_signature_2)
        put(self, "features", features)
        put(self, "chain_hash", chain_hash)
        put(self, "short_channel_id", short_channel_id)
        put(self, "node_id_1", node_id_1)
        put(self, "node_id_2", node_id_2)
        put(self, "bitcoin_key_1", bitcoin_key_1)
        put(self, "bitcoin_key_2", bitcoin_key_2)

    def encode(self) -> bytes:
        if (
            len(self.node_signature_1) != 64
            or len(self.node_signature_2) != 64
            or len(self.bitcoin_signature_1) != 64
            or len(self.bitcoin_signature_2) != 64
            or len(self.chain_hash) != 32
            or len(self.node_id_1) != 33
            or len(self.node_id_2) != 33
            or len(self.bitcoin_key_1) != 33
            or len(self.bitcoin_key_2) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNEL_ANNOUNCEMENT_0.pack(
                    256,
                    self.node_signature_1,
                    self.node_signature_2,
                    self.bitcoin_signature_1,
                    self.bitcoin_signature_2,
                    len(self.features),
                ),
                self.features,
                _CHANNEL_ANNOUNCEMENT_1.pack(
                    self.chain_hash,
                    self.short_channel_id,
                    self.node_id_1,
                    self.node_id_2,
                    self.bitcoin_key_1,
                    self.bitcoin_key_2,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                node_signature_1_,
                node_signature_2_,
                bitcoin_signature_1_,
                bitcoin_signature_2_,
                len_,
            ) = _CHANNEL_ANNOUNCEMENT_0.unpack_from(buf)
            if wire_type != 256:
                raise WireError(f"type {wire_type}, not 256")
            pos = 260
            end = pos + len_
            if end > len(buf):
                raise too_short("features", len_, len(buf) - pos)
            features_ = buf[pos:end]
            pos = end
            (
                chain_hash_,
                short_channel_id_0_,
                node_id_1_,
                node_id_2_,
                bitcoin_key_1_,
                bitcoin_key_2_,
            ) = _CHANNEL_ANNOUNCEMENT_1.unpack_from(buf, pos)
            pos += 172
            if (
                node_id_1_[0] | 1 != 3
                or node_id_2_[0] | 1 != 3
                or bitcoin_key_1_[0] | 1 != 3
                or bitcoin_key_2_[0] | 1 != 3
            ):
                raise WireError("a public key starts with 02 or 03")
            return cls(
                node_signature_1=node_signature_1_,
                node_signature_2=node_signature_2_,
                bitcoin_signature_1=bitcoin_signature_1_,
                bitcoin_signature_2=bitcoin_signature_2_,
                features=features_,
                chain_hash=chain_hash_,
                short_channel_id=ShortChannelId(short_channel_id_0_),
                node_id_1=node_id_1_,
                node_id_2=node_id_2_,
                bitcoin_key_1=bitcoin_key_1_,
                bitcoin_key_2=bitcoin_key_2_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_NODE_ANNOUNCEMENT_0 = struct.Struct(">H64sH")
_NODE_ANNOUNCEMENT_1 = struct.Struct(">I33s3s32sH")


@wire_class
class NodeAnnouncement(Message):
    """BOLT 7. Type 257."""

    TYPE: ClassVar[int] = 257
    NAME: ClassVar[str] = "WIRE_NODE_ANNOUNCEMENT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "signature", ""),
        ("features", "byte", "flen"),
        ("timestamp", "u32", ""),
        ("node_id", "point", ""),
        ("rgb_color", "byte", "3"),
        ("alias", "byte", "32"),
        ("addresses", "byte", "addrlen"),
    )

    __slots__ = ("signature", "features", "timestamp", "node_id", "rgb_color", "alias", "addresses")
    signature: bytes  # 64 bytes
    features: bytes
    timestamp: int  # u32
    node_id: NodeId
    rgb_color: bytes  # 3 bytes
    alias: bytes  # 32 bytes
    addresses: bytes

    def __init__(
        self,
        *,
        signature: bytes,
        features: bytes,
        timestamp: int,
        node_id: NodeId,
        rgb_color: bytes,
        alias: bytes,
        addresses: bytes,
    ) -> None:
        put(self, "signature", signature)
        put(self, "features", features)
        put(self, "timestamp", timestamp)
        put(self, "node_id", node_id)
        put(self, "rgb_color", rgb_color)
        put(self, "alias", alias)
        put(self, "addresses", addresses)

    def encode(self) -> bytes:
        if (
            len(self.signature) != 64
            or len(self.node_id) != 33
            or len(self.rgb_color) != 3
            or len(self.alias) != 32
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _NODE_ANNOUNCEMENT_0.pack(257, self.signature, len(self.features)),
                self.features,
                _NODE_ANNOUNCEMENT_1.pack(
                    self.timestamp,
                    self.node_id,
                    self.rgb_color,
                    self.alias,
                    len(self.addresses),
                ),
                self.addresses,
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_, flen_ = _NODE_ANNOUNCEMENT_0.unpack_from(buf)
            if wire_type != 257:
                raise WireError(f"type {wire_type}, not 257")
            pos = 68
            end = pos + flen_
            if end > len(buf):
                raise too_short("features", flen_, len(buf) - pos)
            features_ = buf[pos:end]
            pos = end
            (
                timestamp_,
                node_id_,
                rgb_color_,
                alias_,
                addrlen_,
            ) = _NODE_ANNOUNCEMENT_1.unpack_from(buf, pos)
            pos += 74
            if node_id_[0] | 1 != 3:
                raise WireError("a public key starts with 02 or 03")
            end = pos + addrlen_
            if end > len(buf):
                raise too_short("addresses", addrlen_, len(buf) - pos)
            addresses_ = buf[pos:end]
            pos = end
            return cls(
                signature=signature_,
                features=features_,
                timestamp=timestamp_,
                node_id=node_id_,
                rgb_color=rgb_color_,
                alias=alias_,
                addresses=addresses_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNEL_UPDATE_0 = struct.Struct(">H64s32sQIBBHQIIQ")


@wire_class
class ChannelUpdate(Message):
    """BOLT 7. Type 258."""

    TYPE: ClassVar[int] = 258
    NAME: ClassVar[str] = "WIRE_CHANNEL_UPDATE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "signature", ""),
        ("chain_hash", "chain_hash", ""),
        ("short_channel_id", "short_channel_id", ""),
        ("timestamp", "u32", ""),
        ("message_flags", "byte", ""),
        ("channel_flags", "byte", ""),
        ("cltv_expiry_delta", "u16", ""),
        ("htlc_minimum_msat", "u64", ""),
        ("fee_base_msat", "u32", ""),
        ("fee_proportional_millionths", "u32", ""),
        ("htlc_maximum_msat", "u64", ""),
    )

    __slots__ = (
        "signature",
        "chain_hash",
        "short_channel_id",
        "timestamp",
        "message_flags",
        "channel_flags",
        "cltv_expiry_delta",
        "htlc_minimum_msat",
        "fee_base_msat",
        "fee_proportional_millionths",
        "htlc_maximum_msat",
    )
    signature: bytes  # 64 bytes
    chain_hash: bytes  # 32 bytes
    short_channel_id: ShortChannelId
    timestamp: int  # u32
    message_flags: int  # byte
    channel_flags: int  # byte
    cltv_expiry_delta: int  # u16
    htlc_minimum_msat: int  # u64
    fee_base_msat: int  # u32
    fee_proportional_millionths: int  # u32
    htlc_maximum_msat: int  # u64

    def __init__(
        self,
        *,
        signature: bytes,
        chain_hash: bytes,
        short_channel_id: ShortChannelId,
        timestamp: int,
        message_flags: int,
        channel_flags: int,
        cltv_expiry_delta: int,
        htlc_minimum_msat: int,
        fee_base_msat: int,
        fee_proportional_millionths: int,
        htlc_maximum_msat: int,
    ) -> None:
        put(self, "signature", signature)
        put(self, "chain_hash", chain_hash)
        put(self, "short_channel_id", short_channel_id)
        put(self, "timestamp", timestamp)
        put(self, "message_flags", message_flags)
        put(self, "channel_flags", channel_flags)
        put(self, "cltv_expiry_delta", cltv_expiry_delta)
        put(self, "htlc_minimum_msat", htlc_minimum_msat)
        put(self, "fee_base_msat", fee_base_msat)
        put(self, "fee_proportional_millionths", fee_proportional_millionths)
        put(self, "htlc_maximum_msat", htlc_maximum_msat)

    def encode(self) -> bytes:
        if len(self.signature) != 64 or len(self.chain_hash) != 32:
            raise wrong_length(self)
        return _CHANNEL_UPDATE_0.pack(
            258,
            self.signature,
            self.chain_hash,
            self.short_channel_id,
            self.timestamp,
            self.message_flags,
            self.channel_flags,
            self.cltv_expiry_delta,
            self.htlc_minimum_msat,
            self.fee_base_msat,
            self.fee_proportional_millionths,
            self.htlc_maximum_msat,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                signature_,
                chain_hash_,
                short_channel_id_0_,
                timestamp_,
                message_flags_,
                channel_flags_,
                cltv_expiry_delta_,
                htlc_minimum_msat_,
                fee_base_msat_,
                fee_proportional_millionths_,
                htlc_maximum_msat_,
            ) = _CHANNEL_UPDATE_0.unpack_from(buf)
            if wire_type != 258:
                raise WireError(f"type {wire_type}, not 258")
            return cls(
                signature=signature_,
                chain_hash=chain_hash_,
                short_channel_id=ShortChannelId(short_channel_id_0_),
                timestamp=timestamp_,
                message_flags=message_flags_,
                channel_flags=channel_flags_,
                cltv_expiry_delta=cltv_expiry_delta_,
                htlc_minimum_msat=htlc_minimum_msat_,
                fee_base_msat=fee_base_msat_,
                fee_proportional_millionths=fee_proportional_millionths_,
                htlc_maximum_msat=htlc_maximum_msat_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_QUERY_SHORT_CHANNEL_IDS_0 = struct.Struct(">H32sH")


@wire_class
class QueryShortChannelIds(Message):
    """BOLT 7. Type 261."""

    TYPE: ClassVar[int] = 261
    NAME: ClassVar[str] = "WIRE_QUERY_SHORT_CHANNEL_IDS"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("chain_hash", "chain_hash", ""),
        ("encoded_short_ids", "byte", "len"),
        ("tlvs", "query_short_channel_ids_tlvs", ""),
    )

    __slots__ = ("chain_hash", "encoded_short_ids", "tlvs")
    chain_hash: bytes  # 32 bytes
    encoded_short_ids: bytes
    tlvs: QueryShortChannelIdsTlvs

    def __init__(
        self,
        *,
        chain_hash: bytes,
        encoded_short_ids: bytes,
        tlvs: QueryShortChannelIdsTlvs = _NO_QUERY_SHORT_CHANNEL_IDS_TLVS,
    ) -> None:
        put(self, "chain_hash", chain_hash)
        put(self, "encoded_short_ids", encoded_short_ids)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.chain_hash) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _QUERY_SHORT_CHANNEL_IDS_0.pack(261, self.chain_hash, len(self.encoded_short_ids)),
                self.encoded_short_ids,
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, chain_hash_, len_ = _QUERY_SHORT_CHANNEL_IDS_0.unpack_from(buf)
            if wire_type != 261:
                raise WireError(f"type {wire_type}, not 261")
            pos = 36
            end = pos + len_
            if end > len(buf):
                raise too_short("encoded_short_ids", len_, len(buf) - pos)
            encoded_short_ids_ = buf[pos:end]
            pos = end
            tlvs_ = QueryShortChannelIdsTlvs.decode(buf[pos:]) if pos < len(
                buf,
            ) else _NO_QUERY_SHORT_CHANNEL_IDS_TLVS
            return cls(
                chain_hash=chain_hash_,
                encoded_short_ids=encoded_short_ids_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_REPLY_SHORT_CHANNEL_IDS_END_0 = struct.Struct(">H32sB")


@wire_class
class ReplyShortChannelIdsEnd(Message):
    """BOLT 7. Type 262."""

    TYPE: ClassVar[int] = 262
    NAME: ClassVar[str] = "WIRE_REPLY_SHORT_CHANNEL_IDS_END"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("chain_hash", "chain_hash", ""),
        ("full_information", "byte", ""),
    )

    __slots__ = ("chain_hash", "full_information")
    chain_hash: bytes  # 32 bytes
    full_information: int  # byte

    def __init__(
        self,
        *,
        chain_hash: bytes,
        full_information: int,
    ) -> None:
        put(self, "chain_hash", chain_hash)
        put(self, "full_information", full_information)

    def encode(self) -> bytes:
        if len(self.chain_hash) != 32:
            raise wrong_length(self)
        return _REPLY_SHORT_CHANNEL_IDS_END_0.pack(262, self.chain_hash, self.full_information)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                chain_hash_,
                full_information_,
            ) = _REPLY_SHORT_CHANNEL_IDS_END_0.unpack_from(buf)
            if wire_type != 262:
                raise WireError(f"type {wire_type}, not 262")
            return cls(
                chain_hash=chain_hash_,
                full_information=full_information_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_QUERY_CHANNEL_RANGE_0 = struct.Struct(">H32sII")


@wire_class
class QueryChannelRange(Message):
    """BOLT 7. Type 263."""

    TYPE: ClassVar[int] = 263
    NAME: ClassVar[str] = "WIRE_QUERY_CHANNEL_RANGE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("chain_hash", "chain_hash", ""),
        ("first_blocknum", "u32", ""),
        ("number_of_blocks", "u32", ""),
        ("tlvs", "query_channel_range_tlvs", ""),
    )

    __slots__ = ("chain_hash", "first_blocknum", "number_of_blocks", "tlvs")
    chain_hash: bytes  # 32 bytes
    first_blocknum: int  # u32
    number_of_blocks: int  # u32
    tlvs: QueryChannelRangeTlvs

    def __init__(
        self,
        *,
        chain_hash: bytes,
        first_blocknum: int,
        number_of_blocks: int,
        tlvs: QueryChannelRangeTlvs = _NO_QUERY_CHANNEL_RANGE_TLVS,
    ) -> None:
        put(self, "chain_hash", chain_hash)
        put(self, "first_blocknum", first_blocknum)
        put(self, "number_of_blocks", number_of_blocks)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.chain_hash) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _QUERY_CHANNEL_RANGE_0.pack(
                    263,
                    self.chain_hash,
                    self.first_blocknum,
                    self.number_of_blocks,
                ),
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                chain_hash_,
                first_blocknum_,
                number_of_blocks_,
            ) = _QUERY_CHANNEL_RANGE_0.unpack_from(buf)
            if wire_type != 263:
                raise WireError(f"type {wire_type}, not 263")
            tlvs_ = QueryChannelRangeTlvs.decode(buf[42:]) if 42 < len(
                buf,
            ) else _NO_QUERY_CHANNEL_RANGE_TLVS
            return cls(
                chain_hash=chain_hash_,
                first_blocknum=first_blocknum_,
                number_of_blocks=number_of_blocks_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_REPLY_CHANNEL_RANGE_0 = struct.Struct(">H32sIIBH")


@wire_class
class ReplyChannelRange(Message):
    """BOLT 7. Type 264."""

    TYPE: ClassVar[int] = 264
    NAME: ClassVar[str] = "WIRE_REPLY_CHANNEL_RANGE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("chain_hash", "chain_hash", ""),
        ("first_blocknum", "u32", ""),
        ("number_of_blocks", "u32", ""),
        ("sync_complete", "byte", ""),
        ("encoded_short_ids", "byte", "len"),
        ("tlvs", "reply_channel_range_tlvs", ""),
    )

    __slots__ = (
        "chain_hash",
        "first_blocknum",
        "number_of_blocks",
        "sync_complete",
        "encoded_short_ids",
        "tlvs",
    )
    chain_hash: bytes  # 32 bytes
    first_blocknum: int  # u32
    number_of_blocks: int  # u32
    sync_complete: int  # byte
    encoded_short_ids: bytes
    tlvs: ReplyChannelRangeTlvs

    def __init__(
        self,
        *,
        chain_hash: bytes,
        first_blocknum: int,
        number_of_blocks: int,
        sync_complete: int,
        encoded_short_ids: bytes,
        tlvs: ReplyChannelRangeTlvs = _NO_REPLY_CHANNEL_RANGE_TLVS,
    ) -> None:
        put(self, "chain_hash", chain_hash)
        put(self, "first_blocknum", first_blocknum)
        put(self, "number_of_blocks", number_of_blocks)
        put(self, "sync_complete", sync_complete)
        put(self, "encoded_short_ids", encoded_short_ids)
        put(self, "tlvs", tlvs)

    def encode(self) -> bytes:
        if len(self.chain_hash) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _REPLY_CHANNEL_RANGE_0.pack(
                    264,
                    self.chain_hash,
                    self.first_blocknum,
                    self.number_of_blocks,
                    self.sync_complete,
                    len(self.encoded_short_ids),
                ),
                self.encoded_short_ids,
                self.tlvs.encode(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                chain_hash_,
                first_blocknum_,
                number_of_blocks_,
                sync_complete_,
                len_,
            ) = _REPLY_CHANNEL_RANGE_0.unpack_from(buf)
            if wire_type != 264:
                raise WireError(f"type {wire_type}, not 264")
            pos = 45
            end = pos + len_
            if end > len(buf):
                raise too_short("encoded_short_ids", len_, len(buf) - pos)
            encoded_short_ids_ = buf[pos:end]
            pos = end
            tlvs_ = ReplyChannelRangeTlvs.decode(buf[pos:]) if pos < len(
                buf,
            ) else _NO_REPLY_CHANNEL_RANGE_TLVS
            return cls(
                chain_hash=chain_hash_,
                first_blocknum=first_blocknum_,
                number_of_blocks=number_of_blocks_,
                sync_complete=sync_complete_,
                encoded_short_ids=encoded_short_ids_,
                tlvs=tlvs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIP_TIMESTAMP_FILTER_0 = struct.Struct(">H32sII")


@wire_class
class GossipTimestampFilter(Message):
    """BOLT 7. Type 265."""

    TYPE: ClassVar[int] = 265
    NAME: ClassVar[str] = "WIRE_GOSSIP_TIMESTAMP_FILTER"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("chain_hash", "chain_hash", ""),
        ("first_timestamp", "u32", ""),
        ("timestamp_range", "u32", ""),
    )

    __slots__ = ("chain_hash", "first_timestamp", "timestamp_range")
    chain_hash: bytes  # 32 bytes
    first_timestamp: int  # u32
    timestamp_range: int  # u32

    def __init__(
        self,
        *,
        chain_hash: bytes,
        first_timestamp: int,
        timestamp_range: int,
    ) -> None:
        put(self, "chain_hash", chain_hash)
        put(self, "first_timestamp", first_timestamp)
        put(self, "timestamp_range", timestamp_range)

    def encode(self) -> bytes:
        if len(self.chain_hash) != 32:
            raise wrong_length(self)
        return _GOSSIP_TIMESTAMP_FILTER_0.pack(
            265,
            self.chain_hash,
            self.first_timestamp,
            self.timestamp_range,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                chain_hash_,
                first_timestamp_,
                timestamp_range_,
            ) = _GOSSIP_TIMESTAMP_FILTER_0.unpack_from(buf)
            if wire_type != 265:
                raise WireError(f"type {wire_type}, not 265")
            return cls(
                chain_hash=chain_hash_,
                first_timestamp=first_timestamp_,
                timestamp_range=timestamp_range_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


PeerMessage: TypeAlias = (
    Init
    | Error
    | Warning
    | Ping
    | Pong
    | PeerStorage
    | PeerStorageRetrieval
    | TxAddInput
    | TxAddOutput
    | TxRemoveInput
    | TxRemoveOutput
    | TxComplete
    | TxSignatures
    | TxInitRbf
    | TxAckRbf
    | TxAbort
    | OpenChannel
    | AcceptChannel
    | FundingCreated
    | FundingSigned
    | ChannelReady
    | OpenChannel2
    | AcceptChannel2
    | Stfu
    | SpliceInit
    | SpliceAck
    | SpliceLocked
    | Shutdown
    | ClosingComplete
    | ClosingSig
    | ClosingSigned
    | UpdateAddHtlc
    | UpdateFulfillHtlc
    | UpdateFailHtlc
    | UpdateFailMalformedHtlc
    | StartBatch
    | CommitmentSigned
    | RevokeAndAck
    | UpdateFee
    | ChannelReestablish
    | OnionMessage
    | AnnouncementSignatures
    | ChannelAnnouncement
    | NodeAnnouncement
    | ChannelUpdate
    | QueryShortChannelIds
    | ReplyShortChannelIdsEnd
    | QueryChannelRange
    | ReplyChannelRange
    | GossipTimestampFilter
)

MESSAGES: dict[int, type[PeerMessage]] = {
    16: Init,
    17: Error,
    1: Warning,
    18: Ping,
    19: Pong,
    7: PeerStorage,
    9: PeerStorageRetrieval,
    66: TxAddInput,
    67: TxAddOutput,
    68: TxRemoveInput,
    69: TxRemoveOutput,
    70: TxComplete,
    71: TxSignatures,
    72: TxInitRbf,
    73: TxAckRbf,
    74: TxAbort,
    32: OpenChannel,
    33: AcceptChannel,
    34: FundingCreated,
    35: FundingSigned,
    36: ChannelReady,
    64: OpenChannel2,
    65: AcceptChannel2,
    2: Stfu,
    80: SpliceInit,
    81: SpliceAck,
    77: SpliceLocked,
    38: Shutdown,
    40: ClosingComplete,
    41: ClosingSig,
    39: ClosingSigned,
    128: UpdateAddHtlc,
    130: UpdateFulfillHtlc,
    131: UpdateFailHtlc,
    135: UpdateFailMalformedHtlc,
    127: StartBatch,
    132: CommitmentSigned,
    133: RevokeAndAck,
    134: UpdateFee,
    136: ChannelReestablish,
    513: OnionMessage,
    259: AnnouncementSignatures,
    256: ChannelAnnouncement,
    257: NodeAnnouncement,
    258: ChannelUpdate,
    261: QueryShortChannelIds,
    262: ReplyShortChannelIdsEnd,
    263: QueryChannelRange,
    264: ReplyChannelRange,
    265: GossipTimestampFilter,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> PeerMessage | UnknownOdd:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        return unknown_message(wire_type, buf)
    return cls.decode(buf)
