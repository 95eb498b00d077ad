# GENERATED from common/wire/common_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `common/wire/common_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.ids import ChannelId, NodeId, Outpoint
from pylightningd.common.wire.runtime import (
    Subtype,
    put,
    read_varbytes,
    to_bool,
    too_short,
    wire_class,
    write_varbytes,
    wrong_length,
)

SPEC_HASH = bytes.fromhex(
    "1f568eb396dfc917ba94477345c86c9ff36f66bdaa24748562ecef21931669e3"
)
"""SHA256 of common/wire/common_wire.csv and what it includes."""


_CHANNEL_CONFIG_0 = struct.Struct(">QQQQHH")


@wire_class
class ChannelConfig(Subtype):
    """BOLT 2 limits that one side sets for the other."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dust_limit", "sat", ""),
        ("max_htlc_value_in_flight", "msat", ""),
        ("channel_reserve", "sat", ""),
        ("htlc_minimum", "msat", ""),
        ("to_self_delay", "u16", ""),
        ("max_accepted_htlcs", "u16", ""),
    )

    __slots__ = (
        "dust_limit",
        "max_htlc_value_in_flight",
        "channel_reserve",
        "htlc_minimum",
        "to_self_delay",
        "max_accepted_htlcs",
    )
    dust_limit: Sat
    max_htlc_value_in_flight: Msat
    channel_reserve: Sat
    htlc_minimum: Msat
    to_self_delay: int  # u16
    max_accepted_htlcs: int  # u16

    def __init__(
        self,
        *,
        dust_limit: Sat,
        max_htlc_value_in_flight: Msat,
        channel_reserve: Sat,
        htlc_minimum: Msat,
        to_self_delay: int,
        max_accepted_htlcs: int,
    ) -> None:
        put(self, "dust_limit", dust_limit)
        put(self, "max_htlc_value_in_flight", max_htlc_value_in_flight)
        put(self, "channel_reserve", channel_reserve)
        put(self, "htlc_minimum", htlc_minimum)
        put(self, "to_self_delay", to_self_delay)
        put(self, "max_accepted_htlcs", max_accepted_htlcs)

    def write(self) -> bytes:
        return _CHANNEL_CONFIG_0.pack(
            self.dust_limit.sat,
            self.max_htlc_value_in_flight.msat,
            self.channel_reserve.sat,
            self.htlc_minimum.msat,
            self.to_self_delay,
            self.max_accepted_htlcs,
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            dust_limit_0_,
            max_htlc_value_in_flight_0_,
            channel_reserve_0_,
            htlc_minimum_0_,
            to_self_delay_,
            max_accepted_htlcs_,
        ) = _CHANNEL_CONFIG_0.unpack_from(buf, pos)
        pos += 36
        value = cls(
            dust_limit=Sat(dust_limit_0_),
            max_htlc_value_in_flight=Msat(max_htlc_value_in_flight_0_),
            channel_reserve=Sat(channel_reserve_0_),
            htlc_minimum=Msat(htlc_minimum_0_),
            to_self_delay=to_self_delay_,
            max_accepted_htlcs=max_accepted_htlcs_,
        )
        return value, pos


_BASEPOINTS_0 = struct.Struct(">33s33s33s33s33s")


@wire_class
class Basepoints(Subtype):
    """The five public keys of one side of a channel (BOLT 3, 'Key Derivation')."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("funding_pubkey", "point", ""),
        ("revocation", "point", ""),
        ("payment", "point", ""),
        ("delayed_payment", "point", ""),
        ("htlc", "point", ""),
    )

    __slots__ = ("funding_pubkey", "revocation", "payment", "delayed_payment", "htlc")
    funding_pubkey: bytes  # 33 bytes
    revocation: bytes  # 33 bytes
    payment: bytes  # 33 bytes
    delayed_payment: bytes  # 33 bytes
    htlc: bytes  # 33 bytes

    def __init__(
        self,
        *,
        funding_pubkey: bytes,
        revocation: bytes,
        payment: bytes,
        delayed_payment: bytes,
        htlc: bytes,
    ) -> None:
        put(self, "funding_pubkey", funding_pubkey)
        put(self, "revocation", revocation)
        put(self, "payment", payment)
        put(self, "delayed_payment", delayed_payment)
        put(self, "htlc", htlc)

    def write(self) -> bytes:
        if (
            len(self.funding_pubkey) != 33
            or len(self.revocation) != 33
            or len(self.payment) != 33
            or len(self.delayed_payment) != 33
            or len(self.htlc) != 33
        ):
            raise wrong_length(self)
        return _BASEPOINTS_0.pack(
            self.funding_pubkey,
            self.revocation,
            self.payment,
            self.delayed_payment,
            self.htlc,
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            funding_pubkey_,
            revocation_,
            payment_,
            delayed_payment_,
            htlc_,
        ) = _BASEPOINTS_0.unpack_from(buf, pos)
        pos += 165
        value = cls(
            funding_pubkey=funding_pubkey_,
            revocation=revocation_,
            payment=payment_,
            delayed_payment=delayed_payment_,
            htlc=htlc_,
        )
        return value, pos


_CHANNEL_STATIC_0 = struct.Struct(">Q33s32s32sIQB")


@wire_class
class ChannelStatic(Subtype):
    """What never changes in a channel once its funding transaction is known. channel_type is a
    feature bitmap, as on the wire.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("peer_id", "node_id", ""),
        ("channel_id", "channel_id", ""),
        ("funding", "outpoint", ""),
        ("funding_amount", "sat", ""),
        ("we_are_opener", "bool", ""),
        ("channel_type", "varbytes", ""),
        ("local_config", "channel_config", ""),
        ("remote_config", "channel_config", ""),
        ("local_basepoints", "basepoints", ""),
        ("remote_basepoints", "basepoints", ""),
    )

    __slots__ = (
        "dbid",
        "peer_id",
        "channel_id",
        "funding",
        "funding_amount",
        "we_are_opener",
        "channel_type",
        "local_config",
        "remote_config",
        "local_basepoints",
        "remote_basepoints",
    )
    dbid: int  # u64
    peer_id: NodeId
    channel_id: ChannelId
    funding: Outpoint
    funding_amount: Sat
    we_are_opener: bool
    channel_type: bytes
    local_config: ChannelConfig
    remote_config: ChannelConfig
    local_basepoints: Basepoints
    remote_basepoints: Basepoints

    def __init__(
        self,
        *,
        dbid: int,
        peer_id: NodeId,
        channel_id: ChannelId,
        funding: Outpoint,
        funding_amount: Sat,
        we_are_opener: bool,
        channel_type: bytes,
        local_config: ChannelConfig,
        remote_config: ChannelConfig,
        local_basepoints: Basepoints,
        remote_basepoints: Basepoints,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "peer_id", peer_id)
        put(self, "channel_id", channel_id)
        put(self, "funding", funding)
        put(self, "funding_amount", funding_amount)
        put(self, "we_are_opener", we_are_opener)
        put(self, "channel_type", channel_type)
        put(self, "local_config", local_config)
        put(self, "remote_config", remote_config)
        put(self, "local_basepoints", local_basepoints)
        put(self, "remote_basepoints", remote_basepoints)

    def write(self) -> bytes:
        if len(self.peer_id) != 33 or len(self.channel_id) != 32 or len(self.funding.txid) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNEL_STATIC_0.pack(
                    self.dbid,
                    self.peer_id,
                    self.channel_id,
                    self.funding.txid,
                    self.funding.index,
                    self.funding_amount.sat,
                    self.we_are_opener,
                ),
                write_varbytes(self.channel_type),
                self.local_config.write(),
                self.remote_config.write(),
                self.local_basepoints.write(),
                self.remote_basepoints.write(),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            dbid_,
            peer_id_,
            channel_id_,
            funding_0_,
            funding_1_,
            funding_amount_0_,
            we_are_opener_0_,
        ) = _CHANNEL_STATIC_0.unpack_from(buf, pos)
        pos += 118
        channel_type_, pos = read_varbytes(buf, pos)
        local_config_, pos = ChannelConfig.read(buf, pos)
        remote_config_, pos = ChannelConfig.read(buf, pos)
        local_basepoints_, pos = Basepoints.read(buf, pos)
        remote_basepoints_, pos = Basepoints.read(buf, pos)
        value = cls(
            dbid=dbid_,
            peer_id=peer_id_,
            channel_id=channel_id_,
            funding=Outpoint(funding_0_, funding_1_),
            funding_amount=Sat(funding_amount_0_),
            we_are_opener=to_bool(we_are_opener_0_),
            channel_type=channel_type_,
            local_config=local_config_,
            remote_config=remote_config_,
            local_basepoints=local_basepoints_,
            remote_basepoints=remote_basepoints_,
        )
        return value, pos


_COMMITMENT_HTLC_0 = struct.Struct(">QBQ32sI")


@wire_class
class CommitmentHtlc(Subtype):
    """One HTLC as it stands in a commitment. `offered` is from the view of the side whose
    commitment it is in: that side sent it.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("id", "u64", ""),
        ("offered", "bool", ""),
        ("amount", "msat", ""),
        ("payment_hash", "sha256", ""),
        ("cltv_expiry", "u32", ""),
    )

    __slots__ = ("id", "offered", "amount", "payment_hash", "cltv_expiry")
    id: int  # u64
    offered: bool
    amount: Msat
    payment_hash: bytes  # 32 bytes
    cltv_expiry: int  # u32

    def __init__(
        self,
        *,
        id: int,
        offered: bool,
        amount: Msat,
        payment_hash: bytes,
        cltv_expiry: int,
    ) -> None:
        put(self, "id", id)
        put(self, "offered", offered)
        put(self, "amount", amount)
        put(self, "payment_hash", payment_hash)
        put(self, "cltv_expiry", cltv_expiry)

    def write(self) -> bytes:
        if len(self.payment_hash) != 32:
            raise wrong_length(self)
        return _COMMITMENT_HTLC_0.pack(
            self.id,
            self.offered,
            self.amount.msat,
            self.payment_hash,
            self.cltv_expiry,
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            id_,
            offered_0_,
            amount_0_,
            payment_hash_,
            cltv_expiry_,
        ) = _COMMITMENT_HTLC_0.unpack_from(buf, pos)
        pos += 53
        value = cls(
            id=id_,
            offered=to_bool(offered_0_),
            amount=Msat(amount_0_),
            payment_hash=payment_hash_,
            cltv_expiry=cltv_expiry_,
        )
        return value, pos


_COMMITMENT_CONTENT_0 = struct.Struct(">QIQQH")
_COMMITMENT_CONTENT_1 = struct.Struct(">QBQ32sI")


@wire_class
class CommitmentContent(Subtype):
    """Content of one commitment transaction. to_local and to_remote from the view of the side
    whose commitment it is.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("number", "u64", ""),
        ("feerate_perkw", "u32", ""),
        ("to_local", "msat", ""),
        ("to_remote", "msat", ""),
        ("htlcs", "commitment_htlc", "num_htlcs"),
    )

    __slots__ = ("number", "feerate_perkw", "to_local", "to_remote", "htlcs")
    number: int  # u64
    feerate_perkw: int  # u32
    to_local: Msat
    to_remote: Msat
    htlcs: tuple[CommitmentHtlc, ...]

    def __init__(
        self,
        *,
        number: int,
        feerate_perkw: int,
        to_local: Msat,
        to_remote: Msat,
        htlcs: tuple[CommitmentHtlc, ...],
    ) -> None:
        put(self, "number", number)
        put(self, "feerate_perkw", feerate_perkw)
        put(self, "to_local", to_local)
        put(self, "to_remote", to_remote)
        put(self, "htlcs", htlcs)

    def write(self) -> bytes:
        return b"".join(
            (
                _COMMITMENT_CONTENT_0.pack(
                    self.number,
                    self.feerate_perkw,
                    self.to_local.msat,
                    self.to_remote.msat,
                    len(self.htlcs),
                ),
                b"".join([x.write() for x in self.htlcs]),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            number_,
            feerate_perkw_,
            to_local_0_,
            to_remote_0_,
            num_htlcs_,
        ) = _COMMITMENT_CONTENT_0.unpack_from(buf, pos)
        pos += 30
        end = pos + num_htlcs_ * 53
        if end > len(buf):
            raise too_short("htlcs", num_htlcs_ * 53, len(buf) - pos)
        htlcs_ = tuple(
            [
                CommitmentHtlc(
                    id=id_,
                    offered=to_bool(offered_0_),
                    amount=Msat(amount_0_),
                    payment_hash=payment_hash_,
                    cltv_expiry=cltv_expiry_,
                )
                for (
                    id_,
                    offered_0_,
                    amount_0_,
                    payment_hash_,
                    cltv_expiry_,
                ) in _COMMITMENT_CONTENT_1.iter_unpack(buf[pos:end])
            ],
        )
        pos = end
        value = cls(
            number=number_,
            feerate_perkw=feerate_perkw_,
            to_local=Msat(to_local_0_),
            to_remote=Msat(to_remote_0_),
            htlcs=htlcs_,
        )
        return value, pos


_JOINT_INPUT_0 = struct.Struct(">QB")
_JOINT_INPUT_1 = struct.Struct(">II")


@wire_class
class JointInput(Subtype):
    """One input or output of a transaction that both sides make (BOLT 2, 'Interactive
    Transaction Construction'). `ours`: we added it.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("serial_id", "u64", ""),
        ("ours", "bool", ""),
        ("prevtx", "varbytes", ""),
        ("vout", "u32", ""),
        ("sequence", "u32", ""),
    )

    __slots__ = ("serial_id", "ours", "prevtx", "vout", "sequence")
    serial_id: int  # u64
    ours: bool
    prevtx: bytes
    vout: int  # u32
    sequence: int  # u32

    def __init__(
        self,
        *,
        serial_id: int,
        ours: bool,
        prevtx: bytes,
        vout: int,
        sequence: int,
    ) -> None:
        put(self, "serial_id", serial_id)
        put(self, "ours", ours)
        put(self, "prevtx", prevtx)
        put(self, "vout", vout)
        put(self, "sequence", sequence)

    def write(self) -> bytes:
        return b"".join(
            (
                _JOINT_INPUT_0.pack(self.serial_id, self.ours),
                write_varbytes(self.prevtx),
                _JOINT_INPUT_1.pack(self.vout, self.sequence),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        serial_id_, ours_0_ = _JOINT_INPUT_0.unpack_from(buf, pos)
        pos += 9
        prevtx_, pos = read_varbytes(buf, pos)
        vout_, sequence_ = _JOINT_INPUT_1.unpack_from(buf, pos)
        pos += 8
        value = cls(
            serial_id=serial_id_,
            ours=to_bool(ours_0_),
            prevtx=prevtx_,
            vout=vout_,
            sequence=sequence_,
        )
        return value, pos


_JOINT_OUTPUT_0 = struct.Struct(">QBQ")


@wire_class
class JointOutput(Subtype):
    """Subtype `joint_output`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("serial_id", "u64", ""),
        ("ours", "bool", ""),
        ("amount", "sat", ""),
        ("script", "varbytes", ""),
    )

    __slots__ = ("serial_id", "ours", "amount", "script")
    serial_id: int  # u64
    ours: bool
    amount: Sat
    script: bytes

    def __init__(
        self,
        *,
        serial_id: int,
        ours: bool,
        amount: Sat,
        script: bytes,
    ) -> None:
        put(self, "serial_id", serial_id)
        put(self, "ours", ours)
        put(self, "amount", amount)
        put(self, "script", script)

    def write(self) -> bytes:
        return b"".join(
            (
                _JOINT_OUTPUT_0.pack(self.serial_id, self.ours, self.amount.sat),
                write_varbytes(self.script),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        serial_id_, ours_0_, amount_0_ = _JOINT_OUTPUT_0.unpack_from(buf, pos)
        pos += 17
        script_, pos = read_varbytes(buf, pos)
        value = cls(
            serial_id=serial_id_,
            ours=to_bool(ours_0_),
            amount=Sat(amount_0_),
            script=script_,
        )
        return value, pos


_JOINT_FUNDING_0 = struct.Struct(">IIQQBH")
_JOINT_FUNDING_1 = struct.Struct(">H")


@wire_class
class JointFunding(Subtype):
    """A funding transaction that both sides have completed: version 2, inputs and outputs in the
    order of the transaction. we_sign_first: our tx_signatures go out before the peer's come.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("locktime", "u32", ""),
        ("feerate_perkw", "u32", ""),
        ("our_funding", "sat", ""),
        ("their_funding", "sat", ""),
        ("we_sign_first", "bool", ""),
        ("inputs", "joint_input", "num_inputs"),
        ("outputs", "joint_output", "num_outputs"),
    )

    __slots__ = (
        "locktime",
        "feerate_perkw",
        "our_funding",
        "their_funding",
        "we_sign_first",
        "inputs",
        "outputs",
    )
    locktime: int  # u32
    feerate_perkw: int  # u32
    our_funding: Sat
    their_funding: Sat
    we_sign_first: bool
    inputs: tuple[JointInput, ...]
    outputs: tuple[JointOutput, ...]

    def __init__(
        self,
        *,
        locktime: int,
        feerate_perkw: int,
        our_funding: Sat,
        their_funding: Sat,
        we_sign_first: bool,
        inputs: tuple[JointInput, ...],
        outputs: tuple[JointOutput, ...],
    ) -> None:
        put(self, "locktime", locktime)
        put(self, "feerate_perkw", feerate_perkw)
        put(self, "our_funding", our_funding)
        put(self, "their_funding", their_funding)
        put(self, "we_sign_first", we_sign_first)
        put(self, "inputs", inputs)
        put(self, "outputs", outputs)

    def write(self) -> bytes:
        return b"".join(
            (
                _JOINT_FUNDING_0.pack(
                    self.locktime,
                    self.feerate_perkw,
                    self.our_funding.sat,
                    self.their_funding.sat,
                    self.we_sign_first,
                    len(self.inputs),
                ),
                b"".join([x.write() for x in self.inputs]),
                _JOINT_FUNDING_1.pack(len(self.outputs)),
                b"".join([x.write() for x in self.outputs]),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            locktime_,
            feerate_perkw_,
            our_funding_0_,
            their_funding_0_,
            we_sign_first_0_,
            num_inputs_,
        ) = _JOINT_FUNDING_0.unpack_from(buf, pos)
        pos += 27
        inputs_list: list[JointInput] = []
        for _ in range(num_inputs_):
            inputs_one, pos = JointInput.read(buf, pos)
            inputs_list.append(inputs_one)
        inputs_ = tuple(inputs_list)
        (num_outputs_,) = _JOINT_FUNDING_1.unpack_from(buf, pos)
        pos += 2
        outputs_list: list[JointOutput] = []
        for _ in range(num_outputs_):
            outputs_one, pos = JointOutput.read(buf, pos)
            outputs_list.append(outputs_one)
        outputs_ = tuple(outputs_list)
        value = cls(
            locktime=locktime_,
            feerate_perkw=feerate_perkw_,
            our_funding=Sat(our_funding_0_),
            their_funding=Sat(their_funding_0_),
            we_sign_first=to_bool(we_sign_first_0_),
            inputs=inputs_,
            outputs=outputs_,
        )
        return value, pos
