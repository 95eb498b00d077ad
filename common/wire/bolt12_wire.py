# GENERATED from tools/wire/bolt12.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `tools/wire/bolt12.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self

from pylightningd.common.amount import Msat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.onion_wire import BlindedPath
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Subtype,
    TlvStream,
    join_fixed,
    put,
    read_string,
    too_short,
    trailing,
    wire_class,
    write_string,
    wrong_length,
)
from pylightningd.common.wire.tlv import TlvError, read_records, read_tu, write_records, write_tu

SPEC_HASH = bytes.fromhex(
    "2190e2cdfea197bb150de216ffcf0eac31e9154a8fabfc9f50b990c1df990779"
)
"""SHA256 of tools/wire/bolt12.csv and what it includes."""


_BLINDED_PAYINFO_0 = struct.Struct(">IIHQQH")


@wire_class
class BlindedPayinfo(Subtype):
    """BOLT 12, subtype `blinded_payinfo`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("fee_base_msat", "u32", ""),
        ("fee_proportional_millionths", "u32", ""),
        ("cltv_expiry_delta", "u16", ""),
        ("htlc_minimum_msat", "u64", ""),
        ("htlc_maximum_msat", "u64", ""),
        ("features", "byte", "flen"),
    )

    __slots__ = (
        "fee_base_msat",
        "fee_proportional_millionths",
        "cltv_expiry_delta",
        "htlc_minimum_msat",
        "htlc_maximum_msat",
        "features",
    )
    fee_base_msat: int  # u32
    fee_proportional_millionths: int  # u32
    cltv_expiry_delta: int  # u16
    htlc_minimum_msat: int  # u64
    htlc_maximum_msat: int  # u64
    features: bytes

    def __init__(
        self,
        *,
        fee_base_msat: int,
        fee_proportional_millionths: int,
        cltv_expiry_delta: int,
        htlc_minimum_msat: int,
        htlc_maximum_msat: int,
        features: bytes,
    ) -> None:
        put(self, "fee_base_msat", fee_base_msat)
        put(self, "fee_proportional_millionths", fee_proportional_millionths)
        put(self, "cltv_expiry_delta", cltv_expiry_delta)
        put(self, "htlc_minimum_msat", htlc_minimum_msat)
        put(self, "htlc_maximum_msat", htlc_maximum_msat)
        put(self, "features", features)

    def write(self) -> bytes:
        return b"".join(
            (
                _BLINDED_PAYINFO_0.pack(
                    self.fee_base_msat,
                    self.fee_proportional_millionths,
                    self.cltv_expiry_delta,
                    self.htlc_minimum_msat,
                    self.htlc_maximum_msat,
                    len(self.features),
                ),
                self.features,
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            fee_base_msat_,
            fee_proportional_millionths_,
            cltv_expiry_delta_,
            htlc_minimum_msat_,
            htlc_maximum_msat_,
            flen_,
        ) = _BLINDED_PAYINFO_0.unpack_from(buf, pos)
        pos += 28
        end = pos + flen_
        if end > len(buf):
            raise too_short("features", flen_, len(buf) - pos)
        features_ = buf[pos:end]
        pos = end
        value = cls(
            fee_base_msat=fee_base_msat_,
            fee_proportional_millionths=fee_proportional_millionths_,
            cltv_expiry_delta=cltv_expiry_delta_,
            htlc_minimum_msat=htlc_minimum_msat_,
            htlc_maximum_msat=htlc_maximum_msat_,
            features=features_,
        )
        return value, pos


_FALLBACK_ADDRESS_0 = struct.Struct(">BH")


@wire_class
class FallbackAddress(Subtype):
    """BOLT 12, subtype `fallback_address`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("version", "byte", ""),
        ("address", "byte", "len"),
    )

    __slots__ = ("version", "address")
    version: int  # byte
    address: bytes

    def __init__(
        self,
        *,
        version: int,
        address: bytes,
    ) -> None:
        put(self, "version", version)
        put(self, "address", address)

    def write(self) -> bytes:
        return b"".join((_FALLBACK_ADDRESS_0.pack(self.version, len(self.address)), self.address))

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        version_, len_ = _FALLBACK_ADDRESS_0.unpack_from(buf, pos)
        pos += 3
        end = pos + len_
        if end > len(buf):
            raise too_short("address", len_, len(buf) - pos)
        address_ = buf[pos:end]
        pos = end
        value = cls(
            version=version_,
            address=address_,
        )
        return value, pos


_OFFER_0 = struct.Struct(">32s")
_OFFER_1 = struct.Struct(">33s")


@wire_class
class Offer(TlvStream):
    """TLV stream `offer`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("offer_chains", "chain_hash", "..."),
        ("offer_metadata", "byte", "..."),
        ("offer_currency", "utf8", "..."),
        ("offer_amount", "tu64", ""),
        ("offer_description", "utf8", "..."),
        ("offer_features", "byte", "..."),
        ("offer_absolute_expiry", "tu64", ""),
        ("offer_paths", "blinded_path", "..."),
        ("offer_issuer", "utf8", "..."),
        ("offer_quantity_max", "tu64", ""),
        ("offer_issuer_id", "point", ""),
    )

    __slots__ = (
        "offer_chains",
        "offer_metadata",
        "offer_currency",
        "offer_amount",
        "offer_description",
        "offer_features",
        "offer_absolute_expiry",
        "offer_paths",
        "offer_issuer",
        "offer_quantity_max",
        "offer_issuer_id",
        "unknown",
    )
    offer_chains: tuple[bytes, ...] | None  # type 2
    offer_metadata: bytes | None  # type 4
    offer_currency: str | None  # type 6
    offer_amount: int | None  # type 8
    offer_description: str | None  # type 10
    offer_features: bytes | None  # type 12
    offer_absolute_expiry: int | None  # type 14
    offer_paths: tuple[BlindedPath, ...] | None  # type 16
    offer_issuer: str | None  # type 18
    offer_quantity_max: int | None  # type 20
    offer_issuer_id: bytes | None  # type 22
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        offer_chains: tuple[bytes, ...] | None = None,
        offer_metadata: bytes | None = None,
        offer_currency: str | None = None,
        offer_amount: int | None = None,
        offer_description: str | None = None,
        offer_features: bytes | None = None,
        offer_absolute_expiry: int | None = None,
        offer_paths: tuple[BlindedPath, ...] | None = None,
        offer_issuer: str | None = None,
        offer_quantity_max: int | None = None,
        offer_issuer_id: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "offer_chains", offer_chains)
        put(self, "offer_metadata", offer_metadata)
        put(self, "offer_currency", offer_currency)
        put(self, "offer_amount", offer_amount)
        put(self, "offer_description", offer_description)
        put(self, "offer_features", offer_features)
        put(self, "offer_absolute_expiry", offer_absolute_expiry)
        put(self, "offer_paths", offer_paths)
        put(self, "offer_issuer", offer_issuer)
        put(self, "offer_quantity_max", offer_quantity_max)
        put(self, "offer_issuer_id", offer_issuer_id)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.offer_chains is not None:
            records.append((2, join_fixed(self.offer_chains, 32)))
        if self.offer_metadata is not None:
            records.append((4, self.offer_metadata))
        if self.offer_currency is not None:
            records.append((6, self.offer_currency.encode()))
        if self.offer_amount is not None:
            records.append((8, write_tu(self.offer_amount, 8)))
        if self.offer_description is not None:
            records.append((10, self.offer_description.encode()))
        if self.offer_features is not None:
            records.append((12, self.offer_features))
        if self.offer_absolute_expiry is not None:
            records.append((14, write_tu(self.offer_absolute_expiry, 8)))
        if self.offer_paths is not None:
            records.append((16, b"".join([x.write() for x in self.offer_paths])))
        if self.offer_issuer is not None:
            records.append((18, self.offer_issuer.encode()))
        if self.offer_quantity_max is not None:
            records.append((20, write_tu(self.offer_quantity_max, 8)))
        if self.offer_issuer_id is not None:
            if len(self.offer_issuer_id) != 33:
                raise wrong_length(self)
            records.append((22, _OFFER_1.pack(self.offer_issuer_id)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        offer_chains_: tuple[bytes, ...] | None = None
        offer_metadata_: bytes | None = None
        offer_currency_: str | None = None
        offer_amount_: int | None = None
        offer_description_: str | None = None
        offer_features_: bytes | None = None
        offer_absolute_expiry_: int | None = None
        offer_paths_: tuple[BlindedPath, ...] | None = None
        offer_issuer_: str | None = None
        offer_quantity_max_: int | None = None
        offer_issuer_id_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 2:
                    offer_chains_ = tuple(
                        [offer_chains_ for (offer_chains_,) in _OFFER_0.iter_unpack(value)],
                    )
                elif kind == 4:
                    offer_metadata_ = value
                elif kind == 6:
                    offer_currency_ = value.decode("utf-8")
                elif kind == 8:
                    offer_amount_ = read_tu(value, 8)
                elif kind == 10:
                    offer_description_ = value.decode("utf-8")
                elif kind == 12:
                    offer_features_ = value
                elif kind == 14:
                    offer_absolute_expiry_ = read_tu(value, 8)
                elif kind == 16:
                    pos = 0
                    offer_paths_list: list[BlindedPath] = []
                    while pos < len(value):
                        offer_paths_one, pos = BlindedPath.read(value, pos)
                        offer_paths_list.append(offer_paths_one)
                    offer_paths_ = tuple(offer_paths_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 18:
                    offer_issuer_ = value.decode("utf-8")
                elif kind == 20:
                    offer_quantity_max_ = read_tu(value, 8)
                elif kind == 22:
                    (offer_issuer_id_,) = _OFFER_1.unpack(value)
                    if offer_issuer_id_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"Offer: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            offer_chains=offer_chains_,
            offer_metadata=offer_metadata_,
            offer_currency=offer_currency_,
            offer_amount=offer_amount_,
            offer_description=offer_description_,
            offer_features=offer_features_,
            offer_absolute_expiry=offer_absolute_expiry_,
            offer_paths=offer_paths_,
            offer_issuer=offer_issuer_,
            offer_quantity_max=offer_quantity_max_,
            offer_issuer_id=offer_issuer_id_,
            unknown=tuple(unknown_),
        )


_NO_OFFER = Offer()


_INVOICE_REQUEST_INVREQ_BIP353_NAME_0 = struct.Struct(">B")


@wire_class
class InvoiceRequestInvreqBip353Name(Subtype):
    """TLV record `invreq_bip_353_name` of `invoice_request`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("name", "byte", "name_len"),
        ("domain", "byte", "domain_len"),
    )

    __slots__ = ("name", "domain")
    name: bytes
    domain: bytes

    def __init__(
        self,
        *,
        name: bytes,
        domain: bytes,
    ) -> None:
        put(self, "name", name)
        put(self, "domain", domain)

    def write(self) -> bytes:
        return b"".join(
            (
                _INVOICE_REQUEST_INVREQ_BIP353_NAME_0.pack(len(self.name)),
                self.name,
                _INVOICE_REQUEST_INVREQ_BIP353_NAME_0.pack(len(self.domain)),
                self.domain,
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (name_len_,) = _INVOICE_REQUEST_INVREQ_BIP353_NAME_0.unpack_from(buf, pos)
        pos += 1
        end = pos + name_len_
        if end > len(buf):
            raise too_short("name", name_len_, len(buf) - pos)
        name_ = buf[pos:end]
        pos = end
        (domain_len_,) = _INVOICE_REQUEST_INVREQ_BIP353_NAME_0.unpack_from(buf, pos)
        pos += 1
        end = pos + domain_len_
        if end > len(buf):
            raise too_short("domain", domain_len_, len(buf) - pos)
        domain_ = buf[pos:end]
        pos = end
        value = cls(
            name=name_,
            domain=domain_,
        )
        return value, pos


_INVOICE_REQUEST_0 = struct.Struct(">32s")
_INVOICE_REQUEST_1 = struct.Struct(">33s")
_INVOICE_REQUEST_2 = struct.Struct(">64s")


@wire_class
class InvoiceRequest(TlvStream):
    """TLV stream `invoice_request`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("invreq_metadata", "byte", "..."),
        ("offer_chains", "chain_hash", "..."),
        ("offer_metadata", "byte", "..."),
        ("offer_currency", "utf8", "..."),
        ("offer_amount", "tu64", ""),
        ("offer_description", "utf8", "..."),
        ("offer_features", "byte", "..."),
        ("offer_absolute_expiry", "tu64", ""),
        ("offer_paths", "blinded_path", "..."),
        ("offer_issuer", "utf8", "..."),
        ("offer_quantity_max", "tu64", ""),
        ("offer_issuer_id", "point", ""),
        ("invreq_chain", "chain_hash", ""),
        ("invreq_amount", "tu64", ""),
        ("invreq_features", "byte", "..."),
        ("invreq_quantity", "tu64", ""),
        ("invreq_payer_id", "point", ""),
        ("invreq_payer_note", "utf8", "..."),
        ("invreq_paths", "blinded_path", "..."),
        ("invreq_bip_353_name", "InvoiceRequestInvreqBip353Name", ""),
        ("signature", "bip340sig", ""),
    )

    __slots__ = (
        "invreq_metadata",
        "offer_chains",
        "offer_metadata",
        "offer_currency",
        "offer_amount",
        "offer_description",
        "offer_features",
        "offer_absolute_expiry",
        "offer_paths",
        "offer_issuer",
        "offer_quantity_max",
        "offer_issuer_id",
        "invreq_chain",
        "invreq_amount",
        "invreq_features",
        "invreq_quantity",
        "invreq_payer_id",
        "invreq_payer_note",
        "invreq_paths",
        "invreq_bip_353_name",
        "signature",
        "unknown",
    )
    invreq_metadata: bytes | None  # type 0
    offer_chains: tuple[bytes, ...] | None  # type 2
    offer_metadata: bytes | None  # type 4
    offer_currency: str | None  # type 6
    offer_amount: int | None  # type 8
    offer_description: str | None  # type 10
    offer_features: bytes | None  # type 12
    offer_absolute_expiry: int | None  # type 14
    offer_paths: tuple[BlindedPath, ...] | None  # type 16
    offer_issuer: str | None  # type 18
    offer_quantity_max: int | None  # type 20
    offer_issuer_id: bytes | None  # type 22
    invreq_chain: bytes | None  # type 80
    invreq_amount: Msat | None  # type 82
    invreq_features: bytes | None  # type 84
    invreq_quantity: int | None  # type 86
    invreq_payer_id: bytes | None  # type 88
    invreq_payer_note: str | None  # type 89
    invreq_paths: tuple[BlindedPath, ...] | None  # type 90
    invreq_bip_353_name: InvoiceRequestInvreqBip353Name | None  # type 91
    signature: bytes | None  # type 240
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        invreq_metadata: bytes | None = None,
        offer_chains: tuple[bytes, ...] | None = None,
        offer_metadata: bytes | None = None,
        offer_currency: str | None = None,
        offer_amount: int | None = None,
        offer_description: str | None = None,
        offer_features: bytes | None = None,
        offer_absolute_expiry: int | None = None,
        offer_paths: tuple[BlindedPath, ...] | None = None,
        offer_issuer: str | None = None,
        offer_quantity_max: int | None = None,
        offer_issuer_id: bytes | None = None,
        invreq_chain: bytes | None = None,
        invreq_amount: Msat | None = None,
        invreq_features: bytes | None = None,
        invreq_quantity: int | None = None,
        invreq_payer_id: bytes | None = None,
        invreq_payer_note: str | None = None,
        invreq_paths: tuple[BlindedPath, ...] | None = None,
        invreq_bip_353_name: InvoiceRequestInvreqBip353Name | None = None,
        signature: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "invreq_metadata", invreq_metadata)
        put(self, "offer_chains", offer_chains)
        put(self, "offer_metadata", offer_metadata)
        put(self, "offer_currency", offer_currency)
        put(self, "offer_amount", offer_amount)
        put(self, "offer_description", offer_description)
        put(self, "offer_features", offer_features)
        put(self, "offer_absolute_expiry", offer_absolute_expiry)
        put(self, "offer_paths", offer_paths)
        put(self, "offer_issuer", offer_issuer)
        put(self, "offer_quantity_max", offer_quantity_max)
        put(self, "offer_issuer_id", offer_issuer_id)
        put(self, "invreq_chain", invreq_chain)
        put(self, "invreq_amount", invreq_amount)
        put(self, "invreq_features", invreq_features)
        put(self, "invreq_quantity", invreq_quantity)
        put(self, "invreq_payer_id", invreq_payer_id)
        put(self, "invreq_payer_note", invreq_payer_note)
        put(self, "invreq_paths", invreq_paths)
        put(self, "invreq_bip_353_name", invreq_bip_353_name)
        put(self, "signature", signature)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.invreq_metadata is not None:
            records.append((0, self.invreq_metadata))
        if self.offer_chains is not None:
            records.append((2, join_fixed(self.offer_chains, 32)))
        if self.offer_metadata is not None:
            records.append((4, self.offer_metadata))
        if self.offer_currency is not None:
            records.append((6, self.offer_currency.encode()))
        if self.offer_amount is not None:
            records.append((8, write_tu(self.offer_amount, 8)))
        if self.offer_description is not None:
            records.append((10, self.offer_description.encode()))
        if self.offer_features is not None:
            records.append((12, self.offer_features))
        if self.offer_absolute_expiry is not None:
            records.append((14, write_tu(self.offer_absolute_expiry, 8)))
        if self.offer_paths is not None:
            records.append((16, b"".join([x.write() for x in self.offer_paths])))
        if self.offer_issuer is not None:
            records.append((18, self.offer_issuer.encode()))
        if self.offer_quantity_max is not None:
            records.append((20, write_tu(self.offer_quantity_max, 8)))
        if self.offer_issuer_id is not None:
            if len(self.offer_issuer_id) != 33:
                raise wrong_length(self)
            records.append((22, _INVOICE_REQUEST_1.pack(self.offer_issuer_id)))
        if self.invreq_chain is not None:
            if len(self.invreq_chain) != 32:
                raise wrong_length(self)
            records.append((80, _INVOICE_REQUEST_0.pack(self.invreq_chain)))
        if self.invreq_amount is not None:
            records.append((82, write_tu(self.invreq_amount.msat, 8)))
        if self.invreq_features is not None:
            records.append((84, self.invreq_features))
        if self.invreq_quantity is not None:
            records.append((86, write_tu(self.invreq_quantity, 8)))
        if self.invreq_payer_id is not None:
            if len(self.invreq_payer_id) != 33:
                raise wrong_length(self)
            records.append((88, _INVOICE_REQUEST_1.pack(self.invreq_payer_id)))
        if self.invreq_payer_note is not None:
            records.append((89, self.invreq_payer_note.encode()))
        if self.invreq_paths is not None:
            records.append((90, b"".join([x.write() for x in self.invreq_paths])))
        if self.invreq_bip_353_name is not None:
            records.append((91, self.invreq_bip_353_name.write()))
        if self.signature is not None:
            if len(self.signature) != 64:
                raise wrong_length(self)
            records.append((240, _INVOICE_REQUEST_2.pack(self.signature)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        invreq_metadata_: bytes | None = None
        offer_chains_: tuple[bytes, ...] | None = None
        offer_metadata_: bytes | None = None
        offer_currency_: str | None = None
        offer_amount_: int | None = None
        offer_description_: str | None = None
        offer_features_: bytes | None = None
        offer_absolute_expiry_: int | None = None
        offer_paths_: tuple[BlindedPath, ...] | None = None
        offer_issuer_: str | None = None
        offer_quantity_max_: int | None = None
        offer_issuer_id_: bytes | None = None
        invreq_chain_: bytes | None = None
        invreq_amount_: Msat | None = None
        invreq_features_: bytes | None = None
        invreq_quantity_: int | None = None
        invreq_payer_id_: bytes | None = None
        invreq_payer_note_: str | None = None
        invreq_paths_: tuple[BlindedPath, ...] | None = None
        invreq_bip_353_name_: InvoiceRequestInvreqBip353Name | None = None
        signature_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    invreq_metadata_ = value
                elif kind == 2:
                    offer_chains_ = tuple(
                        [
                            offer_chains_
                            for (offer_chains_,) in _INVOICE_REQUEST_0.iter_unpack(value)
                        ],
                    )
                elif kind == 4:
                    offer_metadata_ = value
                elif kind == 6:
                    offer_currency_ = value.decode("utf-8")
                elif kind == 8:
                    offer_amount_ = read_tu(value, 8)
                elif kind == 10:
                    offer_description_ = value.decode("utf-8")
                elif kind == 12:
                    offer_features_ = value
                elif kind == 14:
                    offer_absolute_expiry_ = read_tu(value, 8)
                elif kind == 16:
                    pos = 0
                    offer_paths_list: list[BlindedPath] = []
                    while pos < len(value):
                        offer_paths_one, pos = BlindedPath.read(value, pos)
                        offer_paths_list.append(offer_paths_one)
                    offer_paths_ = tuple(offer_paths_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 18:
                    offer_issuer_ = value.decode("utf-8")
                elif kind == 20:
                    offer_quantity_max_ = read_tu(value, 8)
                elif kind == 22:
                    (offer_issuer_id_,) = _INVOICE_REQUEST_1.unpack(value)
                    if offer_issuer_id_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 80:
                    (invreq_chain_,) = _INVOICE_REQUEST_0.unpack(value)
                elif kind == 82:
                    invreq_amount_ = Msat(read_tu(value, 8))
                elif kind == 84:
                    invreq_features_ = value
                elif kind == 86:
                    invreq_quantity_ = read_tu(value, 8)
                elif kind == 88:
                    (invreq_payer_id_,) = _INVOICE_REQUEST_1.unpack(value)
                    if invreq_payer_id_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 89:
                    invreq_payer_note_ = value.decode("utf-8")
                elif kind == 90:
                    pos = 0
                    invreq_paths_list: list[BlindedPath] = []
                    while pos < len(value):
                        invreq_paths_one, pos = BlindedPath.read(value, pos)
                        invreq_paths_list.append(invreq_paths_one)
                    invreq_paths_ = tuple(invreq_paths_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 91:
                    invreq_bip_353_name_ = InvoiceRequestInvreqBip353Name.read_all(value)
                elif kind == 240:
                    (signature_,) = _INVOICE_REQUEST_2.unpack(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"InvoiceRequest: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            invreq_metadata=invreq_metadata_,
            offer_chains=offer_chains_,
            offer_metadata=offer_metadata_,
            offer_currency=offer_currency_,
            offer_amount=offer_amount_,
            offer_description=offer_description_,
            offer_features=offer_features_,
            offer_absolute_expiry=offer_absolute_expiry_,
            offer_paths=offer_paths_,
            offer_issuer=offer_issuer_,
            offer_quantity_max=offer_quantity_max_,
            offer_issuer_id=offer_issuer_id_,
            invreq_chain=invreq_chain_,
            invreq_amount=invreq_amount_,
            invreq_features=invreq_features_,
            invreq_quantity=invreq_quantity_,
            invreq_payer_id=invreq_payer_id_,
            invreq_payer_note=invreq_payer_note_,
            invreq_paths=invreq_paths_,
            invreq_bip_353_name=invreq_bip_353_name_,
            signature=signature_,
            unknown=tuple(unknown_),
        )


_NO_INVOICE_REQUEST = InvoiceRequest()


_INVOICE_INVREQ_BIP353_NAME_0 = struct.Struct(">B")


@wire_class
class InvoiceInvreqBip353Name(Subtype):
    """TLV record `invreq_bip_353_name` of `invoice`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("name", "byte", "name_len"),
        ("domain", "byte", "domain_len"),
    )

    __slots__ = ("name", "domain")
    name: bytes
    domain: bytes

    def __init__(
        self,
        *,
        name: bytes,
        domain: bytes,
    ) -> None:
        put(self, "name", name)
        put(self, "domain", domain)

    def write(self) -> bytes:
        return b"".join(
            (
                _INVOICE_INVREQ_BIP353_NAME_0.pack(len(self.name)),
                self.name,
                _INVOICE_INVREQ_BIP353_NAME_0.pack(len(self.domain)),
                self.domain,
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (name_len_,) = _INVOICE_INVREQ_BIP353_NAME_0.unpack_from(buf, pos)
        pos += 1
        end = pos + name_len_
        if end > len(buf):
            raise too_short("name", name_len_, len(buf) - pos)
        name_ = buf[pos:end]
        pos = end
        (domain_len_,) = _INVOICE_INVREQ_BIP353_NAME_0.unpack_from(buf, pos)
        pos += 1
        end = pos + domain_len_
        if end > len(buf):
            raise too_short("domain", domain_len_, len(buf) - pos)
        domain_ = buf[pos:end]
        pos = end
        value = cls(
            name=name_,
            domain=domain_,
        )
        return value, pos


_INVOICE_0 = struct.Struct(">32s")
_INVOICE_1 = struct.Struct(">33s")
_INVOICE_2 = struct.Struct(">64s")


@wire_class
class Invoice(TlvStream):
    """TLV stream `invoice`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("invreq_metadata", "byte", "..."),
        ("offer_chains", "chain_hash", "..."),
        ("offer_metadata", "byte", "..."),
        ("offer_currency", "utf8", "..."),
        ("offer_amount", "tu64", ""),
        ("offer_description", "utf8", "..."),
        ("offer_features", "byte", "..."),
        ("offer_absolute_expiry", "tu64", ""),
        ("offer_paths", "blinded_path", "..."),
        ("offer_issuer", "utf8", "..."),
        ("offer_quantity_max", "tu64", ""),
        ("offer_issuer_id", "point", ""),
        ("invreq_chain", "chain_hash", ""),
        ("invreq_amount", "tu64", ""),
        ("invreq_features", "byte", "..."),
        ("invreq_quantity", "tu64", ""),
        ("invreq_payer_id", "point", ""),
        ("invreq_payer_note", "utf8", "..."),
        ("invreq_paths", "blinded_path", "..."),
        ("invreq_bip_353_name", "InvoiceInvreqBip353Name", ""),
        ("invoice_paths", "blinded_path", "..."),
        ("invoice_blindedpay", "blinded_payinfo", "..."),
        ("invoice_created_at", "tu64", ""),
        ("invoice_relative_expiry", "tu32", ""),
        ("invoice_payment_hash", "sha256", ""),
        ("invoice_amount", "tu64", ""),
        ("invoice_fallbacks", "fallback_address", "..."),
        ("invoice_features", "byte", "..."),
        ("invoice_node_id", "point", ""),
        ("signature", "bip340sig", ""),
    )

    __slots__ = (
        "invreq_metadata",
        "offer_chains",
        "offer_metadata",
        "offer_currency",
        "offer_amount",
        "offer_description",
        "offer_features",
        "offer_absolute_expiry",
        "offer_paths",
        "offer_issuer",
        "offer_quantity_max",
        "offer_issuer_id",
        "invreq_chain",
        "invreq_amount",
        "invreq_features",
        "invreq_quantity",
        "invreq_payer_id",
        "invreq_payer_note",
        "invreq_paths",
        "invreq_bip_353_name",
        "invoice_paths",
        "invoice_blindedpay",
        "invoice_created_at",
        "invoice_relative_expiry",
        "invoice_payment_hash",
        "invoice_amount",
        "invoice_fallbacks",
        "invoice_features",
        "invoice_node_id",
        "signature",
        "unknown",
    )
    invreq_metadata: bytes | None  # type 0
    offer_chains: tuple[bytes, ...] | None  # type 2
    offer_metadata: bytes | None  # type 4
    offer_currency: str | None  # type 6
    offer_amount: int | None  # type 8
    offer_description: str | None  # type 10
    offer_features: bytes | None  # type 12
    offer_absolute_expiry: int | None  # type 14
    offer_paths: tuple[BlindedPath, ...] | None  # type 16
    offer_issuer: str | None  # type 18
    offer_quantity_max: int | None  # type 20
    offer_issuer_id: bytes | None  # type 22
    invreq_chain: bytes | None  # type 80
    invreq_amount: Msat | None  # type 82
    invreq_features: bytes | None  # type 84
    invreq_quantity: int | None  # type 86
    invreq_payer_id: bytes | None  # type 88
    invreq_payer_note: str | None  # type 89
    invreq_paths: tuple[BlindedPath, ...] | None  # type 90
    invreq_bip_353_name: InvoiceInvreqBip353Name | None  # type 91
    invoice_paths: tuple[BlindedPath, ...] | None  # type 160
    invoice_blindedpay: tuple[BlindedPayinfo, ...] | None  # type 162
    invoice_created_at: int | None  # type 164
    invoice_relative_expiry: int | None  # type 166
    invoice_payment_hash: bytes | None  # type 168
    invoice_amount: Msat | None  # type 170
    invoice_fallbacks: tuple[FallbackAddress, ...] | None  # type 172
    invoice_features: bytes | None  # type 174
    invoice_node_id: NodeId | None  # type 176
    signature: bytes | None  # type 240
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        invreq_metadata: bytes | None = None,
        offer_chains: tuple[bytes, ...] | None = None,
        offer_metadata: bytes | None = None,
        offer_currency: str | None = None,
        offer_amount: int | None = None,
        offer_description: str | None = None,
        offer_features: bytes | None = None,
        offer_absolute_expiry: int | None = None,
        offer_paths: tuple[BlindedPath, ...] | None = None,
        offer_issuer: str | None = None,
        offer_quantity_max: int | None = None,
        offer_issuer_id: bytes | None = None,
        invreq_chain: bytes | None = None,
        invreq_amount: Msat | None = None,
        invreq_features: bytes | None = None,
        invreq_quantity: int | None = None,
        invreq_payer_id: bytes | None = None,
        invreq_payer_note: str | None = None,
        invreq_paths: tuple[BlindedPath, ...] | None = None,
        invreq_bip_353_name: InvoiceInvreqBip353Name | None = None,
        invoice_paths: tuple[BlindedPath, ...] | None = None,
        invoice_blindedpay: tuple[BlindedPayinfo, ...] | None = None,
        invoice_created_at: int | None = None,
        invoice_relative_expiry: int | None = None,
        invoice_payment_hash: bytes | None = None,
        invoice_amount: Msat | None = None,
        invoice_fallbacks: tuple[FallbackAddress, ...] | None = None,
        invoice_features: bytes | None = None,
        invoice_node_id: NodeId | None = None,
        signature: bytes | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "invreq_metadata", invreq_metadata)
        put(self, "offer_chains", offer_chains)
        put(self, "offer_metadata", offer_metadata)
        put(self, "offer_currency", offer_currency)
        put(self, "offer_amount", offer_amount)
        put(self, "offer_description", offer_description)
        put(self, "offer_features", offer_features)
        put(self, "offer_absolute_expiry", offer_absolute_expiry)
        put(self, "offer_paths", offer_paths)
        put(self, "offer_issuer", offer_issuer)
        put(self, "offer_quantity_max", offer_quantity_max)
        put(self, "offer_issuer_id", offer_issuer_id)
        put(self, "invreq_chain", invreq_chain)
        put(self, "invreq_amount", invreq_amount)
        put(self, "invreq_features", invreq_features)
        put(self, "invreq_quantity", invreq_quantity)
        put(self, "invreq_payer_id", invreq_payer_id)
        put(self, "invreq_payer_note", invreq_payer_note)
        put(self, "invreq_paths", invreq_paths)
        put(self, "invreq_bip_353_name", invreq_bip_353_name)
        put(self, "invoice_paths", invoice_paths)
        put(self, "invoice_blindedpay", invoice_blindedpay)
        put(self, "invoice_created_at", invoice_created_at)
        put(self, "invoice_relative_expiry", invoice_relative_expiry)
        put(self, "invoice_payment_hash", invoice_payment_hash)
        put(self, "invoice_amount", invoice_amount)
        put(self, "invoice_fallbacks", invoice_fallbacks)
        put(self, "invoice_features", invoice_features)
        put(self, "invoice_node_id", invoice_node_id)
        put(self, "signature", signature)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.invreq_metadata is not None:
            records.append((0, self.invreq_metadata))
        if self.offer_chains is not None:
            records.append((2, join_fixed(self.offer_chains, 32)))
        if self.offer_metadata is not None:
            records.append((4, self.offer_metadata))
        if self.offer_currency is not None:
            records.append((6, self.offer_currency.encode()))
        if self.offer_amount is not None:
            records.append((8, write_tu(self.offer_amount, 8)))
        if self.offer_description is not None:
            records.append((10, self.offer_description.encode()))
        if self.offer_features is not None:
            records.append((12, self.offer_features))
        if self.offer_absolute_expiry is not None:
            records.append((14, write_tu(self.offer_absolute_expiry, 8)))
        if self.offer_paths is not None:
            records.append((16, b"".join([x.write() for x in self.offer_paths])))
        if self.offer_issuer is not None:
            records.append((18, self.offer_issuer.encode()))
        if self.offer_quantity_max is not None:
            records.append((20, write_tu(self.offer_quantity_max, 8)))
        if self.offer_issuer_id is not None:
            if len(self.offer_issuer_id) != 33:
                raise wrong_length(self)
            records.append((22, _INVOICE_1.pack(self.offer_issuer_id)))
        if self.invreq_chain is not None:
            if len(self.invreq_chain) != 32:
                raise wrong_length(self)
            records.append((80, _INVOICE_0.pack(self.invreq_chain)))
        if self.invreq_amount is not None:
            records.append((82, write_tu(self.invreq_amount.msat, 8)))
        if self.invreq_features is not None:
            records.append((84, self.invreq_features))
        if self.invreq_quantity is not None:
            records.append((86, write_tu(self.invreq_quantity, 8)))
        if self.invreq_payer_id is not None:
            if len(self.invreq_payer_id) != 33:
                raise wrong_length(self)
            records.append((88, _INVOICE_1.pack(self.invreq_payer_id)))
        if self.invreq_payer_note is not None:
            records.append((89, self.invreq_payer_note.encode()))
        if self.invreq_paths is not None:
            records.append((90, b"".join([x.write() for x in self.invreq_paths])))
        if self.invreq_bip_353_name is not None:
            records.append((91, self.invreq_bip_353_name.write()))
        if self.invoice_paths is not None:
            records.append((160, b"".join([x.write() for x in self.invoice_paths])))
        if self.invoice_blindedpay is not None:
            records.append((162, b"".join([x.write() for x in self.invoice_blindedpay])))
        if self.invoice_created_at is not None:
            records.append((164, write_tu(self.invoice_created_at, 8)))
        if self.invoice_relative_expiry is not None:
            records.append((166, write_tu(self.invoice_relative_expiry, 4)))
        if self.invoice_payment_hash is not None:
            if len(self.invoice_payment_hash) != 32:
                raise wrong_length(self)
            records.append((168, _INVOICE_0.pack(self.invoice_payment_hash)))
        if self.invoice_amount is not None:
            records.append((170, write_tu(self.invoice_amount.msat, 8)))
        if self.invoice_fallbacks is not None:
            records.append((172, b"".join([x.write() for x in self.invoice_fallbacks])))
        if self.invoice_features is not None:
            records.append((174, self.invoice_features))
        if self.invoice_node_id is not None:
            if len(self.invoice_node_id) != 33:
                raise wrong_length(self)
            records.append((176, _INVOICE_1.pack(self.invoice_node_id)))
        if self.signature is not None:
            if len(self.signature) != 64:
                raise wrong_length(self)
            records.append((240, _INVOICE_2.pack(self.signature)))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        invreq_metadata_: bytes | None = None
        offer_chains_: tuple[bytes, ...] | None = None
        offer_metadata_: bytes | None = None
        offer_currency_: str | None = None
        offer_amount_: int | None = None
        offer_description_: str | None = None
        offer_features_: bytes | None = None
        offer_absolute_expiry_: int | None = None
        offer_paths_: tuple[BlindedPath, ...] | None = None
        offer_issuer_: str | None = None
        offer_quantity_max_: int | None = None
        offer_issuer_id_: bytes | None = None
        invreq_chain_: bytes | None = None
        invreq_amount_: Msat | None = None
        invreq_features_: bytes | None = None
        invreq_quantity_: int | None = None
        invreq_payer_id_: bytes | None = None
        invreq_payer_note_: str | None = None
        invreq_paths_: tuple[BlindedPath, ...] | None = None
        invreq_bip_353_name_: InvoiceInvreqBip353Name | None = None
        invoice_paths_: tuple[BlindedPath, ...] | None = None
        invoice_blindedpay_: tuple[BlindedPayinfo, ...] | None = None
        invoice_created_at_: int | None = None
        invoice_relative_expiry_: int | None = None
        invoice_payment_hash_: bytes | None = None
        invoice_amount_: Msat | None = None
        invoice_fallbacks_: tuple[FallbackAddress, ...] | None = None
        invoice_features_: bytes | None = None
        invoice_node_id_: NodeId | None = None
        signature_: bytes | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 0:
                    invreq_metadata_ = value
                elif kind == 2:
                    offer_chains_ = tuple(
                        [offer_chains_ for (offer_chains_,) in _INVOICE_0.iter_unpack(value)],
                    )
                elif kind == 4:
                    offer_metadata_ = value
                elif kind == 6:
                    offer_currency_ = value.decode("utf-8")
                elif kind == 8:
                    offer_amount_ = read_tu(value, 8)
                elif kind == 10:
                    offer_description_ = value.decode("utf-8")
                elif kind == 12:
                    offer_features_ = value
                elif kind == 14:
                    offer_absolute_expiry_ = read_tu(value, 8)
                elif kind == 16:
                    pos = 0
                    offer_paths_list: list[BlindedPath] = []
                    while pos < len(value):
                        offer_paths_one, pos = BlindedPath.read(value, pos)
                        offer_paths_list.append(offer_paths_one)
                    offer_paths_ = tuple(offer_paths_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 18:
                    offer_issuer_ = value.decode("utf-8")
                elif kind == 20:
                    offer_quantity_max_ = read_tu(value, 8)
                elif kind == 22:
                    (offer_issuer_id_,) = _INVOICE_1.unpack(value)
                    if offer_issuer_id_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 80:
                    (invreq_chain_,) = _INVOICE_0.unpack(value)
                elif kind == 82:
                    invreq_amount_ = Msat(read_tu(value, 8))
                elif kind == 84:
                    invreq_features_ = value
                elif kind == 86:
                    invreq_quantity_ = read_tu(value, 8)
                elif kind == 88:
                    (invreq_payer_id_,) = _INVOICE_1.unpack(value)
                    if invreq_payer_id_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 89:
                    invreq_payer_note_ = value.decode("utf-8")
                elif kind == 90:
                    pos = 0
                    invreq_paths_list: list[BlindedPath] = []
                    while pos < len(value):
                        invreq_paths_one, pos = BlindedPath.read(value, pos)
                        invreq_paths_list.append(invreq_paths_one)
                    invreq_paths_ = tuple(invreq_paths_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 91:
                    invreq_bip_353_name_ = InvoiceInvreqBip353Name.read_all(value)
                elif kind == 160:
                    pos = 0
                    invoice_paths_list: list[BlindedPath] = []
                    while pos < len(value):
                        invoice_paths_one, pos = BlindedPath.read(value, pos)
                        invoice_paths_list.append(invoice_paths_one)
                    invoice_paths_ = tuple(invoice_paths_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 162:
                    pos = 0
                    invoice_blindedpay_list: list[BlindedPayinfo] = []
                    while pos < len(value):
                        invoice_blindedpay_one, pos = BlindedPayinfo.read(value, pos)
                        invoice_blindedpay_list.append(invoice_blindedpay_one)
                    invoice_blindedpay_ = tuple(invoice_blindedpay_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 164:
                    invoice_created_at_ = read_tu(value, 8)
                elif kind == 166:
                    invoice_relative_expiry_ = read_tu(value, 4)
                elif kind == 168:
                    (invoice_payment_hash_,) = _INVOICE_0.unpack(value)
                elif kind == 170:
                    invoice_amount_ = Msat(read_tu(value, 8))
                elif kind == 172:
                    pos = 0
                    invoice_fallbacks_list: list[FallbackAddress] = []
                    while pos < len(value):
                        invoice_fallbacks_one, pos = FallbackAddress.read(value, pos)
                        invoice_fallbacks_list.append(invoice_fallbacks_one)
                    invoice_fallbacks_ = tuple(invoice_fallbacks_list)
                    if pos != len(value):
                        raise trailing(cls, len(value) - pos)
                elif kind == 174:
                    invoice_features_ = value
                elif kind == 176:
                    (invoice_node_id_,) = _INVOICE_1.unpack(value)
                    if invoice_node_id_[0] | 1 != 3:
                        raise WireError("a public key starts with 02 or 03")
                elif kind == 240:
                    (signature_,) = _INVOICE_2.unpack(value)
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"Invoice: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            invreq_metadata=invreq_metadata_,
            offer_chains=offer_chains_,
            offer_metadata=offer_metadata_,
            offer_currency=offer_currency_,
            offer_amount=offer_amount_,
            offer_description=offer_description_,
            offer_features=offer_features_,
            offer_absolute_expiry=offer_absolute_expiry_,
            offer_paths=offer_paths_,
            offer_issuer=offer_issuer_,
            offer_quantity_max=offer_quantity_max_,
            offer_issuer_id=offer_issuer_id_,
            invreq_chain=invreq_chain_,
            invreq_amount=invreq_amount_,
            invreq_features=invreq_features_,
            invreq_quantity=invreq_quantity_,
            invreq_payer_id=invreq_payer_id_,
            invreq_payer_note=invreq_payer_note_,
            invreq_paths=invreq_paths_,
            invreq_bip_353_name=invreq_bip_353_name_,
            invoice_paths=invoice_paths_,
            invoice_blindedpay=invoice_blindedpay_,
            invoice_created_at=invoice_created_at_,
            invoice_relative_expiry=invoice_relative_expiry_,
            invoice_payment_hash=invoice_payment_hash_,
            invoice_amount=invoice_amount_,
            invoice_fallbacks=invoice_fallbacks_,
            invoice_features=invoice_features_,
            invoice_node_id=invoice_node_id_,
            signature=signature_,
            unknown=tuple(unknown_),
        )


_NO_INVOICE = Invoice()


@wire_class
class InvoiceError(TlvStream):
    """TLV stream `invoice_error`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("erroneous_field", "tu64", ""),
        ("suggested_value", "byte", "..."),
        ("error", "utf8", "..."),
    )

    __slots__ = ("erroneous_field", "suggested_value", "error", "unknown")
    erroneous_field: int | None  # type 1
    suggested_value: bytes | None  # type 3
    error: str | None  # type 5
    unknown: tuple[tuple[int, bytes], ...]  # odd records, in order

    def __init__(
        self,
        *,
        erroneous_field: int | None = None,
        suggested_value: bytes | None = None,
        error: str | None = None,
        unknown: tuple[tuple[int, bytes], ...] = (),
    ) -> None:
        put(self, "erroneous_field", erroneous_field)
        put(self, "suggested_value", suggested_value)
        put(self, "error", error)
        put(self, "unknown", unknown)

    def encode(self) -> bytes:
        records = list(self.unknown)
        if self.erroneous_field is not None:
            records.append((1, write_tu(self.erroneous_field, 8)))
        if self.suggested_value is not None:
            records.append((3, self.suggested_value))
        if self.error is not None:
            records.append((5, self.error.encode()))
        return write_records(records)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        erroneous_field_: int | None = None
        suggested_value_: bytes | None = None
        error_: str | None = None
        unknown_: list[tuple[int, bytes]] = []
        for kind, offset, value in read_records(buf):
            try:
                if kind == 1:
                    erroneous_field_ = read_tu(value, 8)
                elif kind == 3:
                    suggested_value_ = value
                elif kind == 5:
                    error_ = value.decode("utf-8")
                elif kind & 1:
                    unknown_.append((kind, value))
                else:
                    raise WireError("unknown and even")
            except DECODE_ERRORS as err:
                raise TlvError(f"InvoiceError: TLV type {kind}: {err}", kind, offset) from err
        return cls(
            erroneous_field=erroneous_field_,
            suggested_value=suggested_value_,
            error=error_,
            unknown=tuple(unknown_),
        )


_NO_INVOICE_ERROR = InvoiceError()
