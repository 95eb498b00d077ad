# GENERATED from openingd/openingd_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `openingd/openingd_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import ChannelId, NodeId, Outpoint
from pylightningd.common.wire.common_wire import (
    Basepoints,
    ChannelConfig,
    ChannelStatic,
    JointFunding,
    JointInput,
    JointOutput,
)
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Request,
    Subtype,
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
    "ada4ea0751863a4fad1593ffda7ee3d45473faa938254643d0f1c39bf0f01c55"
)
"""SHA256 of openingd/openingd_wire.csv and what it includes."""


_OPENING_LIMITS_0 = struct.Struct(">HQIIIB")


@wire_class
class OpeningLimits(Subtype):
    """What we accept of others and ask for ourselves."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("local_config", "channel_config", ""),
        ("max_to_self_delay", "u16", ""),
        ("min_effective_htlc_capacity", "msat", ""),
        ("feerate_min_perkw", "u32", ""),
        ("feerate_max_perkw", "u32", ""),
        ("minimum_depth", "u32", ""),
        ("allow_dust_reserve", "bool", ""),
    )

    __slots__ = (
        "local_config",
        "max_to_self_delay",
        "min_effective_htlc_capacity",
        "feerate_min_perkw",
        "feerate_max_perkw",
        "minimum_depth",
        "allow_dust_reserve",
    )
    local_config: ChannelConfig
    max_to_self_delay: int  # u16
    min_effective_htlc_capacity: Msat
    feerate_min_perkw: int  # u32
    feerate_max_perkw: int  # u32
    minimum_depth: int  # u32
    allow_dust_reserve: bool

    def __init__(
        self,
        *,
        local_config: ChannelConfig,
        max_to_self_delay: int,
        min_effective_htlc_capacity: Msat,
        feerate_min_perkw: int,
        feerate_max_perkw: int,
        minimum_depth: int,
        allow_dust_reserve: bool,
    ) -> None:
        put(self, "local_config", local_config)
        put(self, "max_to_self_delay", max_to_self_delay)
        put(self, "min_effective_htlc_capacity", min_effective_htlc_capacity)
        put(self, "feerate_min_perkw", feerate_min_perkw)
        put(self, "feerate_max_perkw", feerate_max_perkw)
        put(self, "minimum_depth", minimum_depth)
        put(self, "allow_dust_reserve", allow_dust_reserve)

    def write(self) -> bytes:
        return b"".join(
            (
                self.local_config.write(),
                _OPENING_LIMITS_0.pack(
                    self.max_to_self_delay,
                    self.min_effective_htlc_capacity.msat,
                    self.feerate_min_perkw,
                    self.feerate_max_perkw,
                    self.minimum_depth,
                    self.allow_dust_reserve,
                ),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        local_config_, pos = ChannelConfig.read(buf, pos)
        (
            max_to_self_delay_,
            min_effective_htlc_capacity_0_,
            feerate_min_perkw_,
            feerate_max_perkw_,
            minimum_depth_,
            allow_dust_reserve_0_,
        ) = _OPENING_LIMITS_0.unpack_from(buf, pos)
        pos += 23
        value = cls(
            local_config=local_config_,
            max_to_self_delay=max_to_self_delay_,
            min_effective_htlc_capacity=Msat(min_effective_htlc_capacity_0_),
            feerate_min_perkw=feerate_min_perkw_,
            feerate_max_perkw=feerate_max_perkw_,
            minimum_depth=minimum_depth_,
            allow_dust_reserve=to_bool(allow_dust_reserve_0_),
        )
        return value, pos


_CONTRIBUTION_0 = struct.Struct(">QQH")
_CONTRIBUTION_1 = struct.Struct(">H")
_CONTRIBUTION_2 = struct.Struct(">BB")


@wire_class
class Contribution(Subtype):
    """Dual funding (BOLT 2, 'Channel Establishment v2'). All that a side needs who may put money
    in. Serial ids are the master's choice (randomness): even for the opener, odd for the
    accepter; `ours` of inputs and outputs is true. Outputs: our change. The opener adds the
    funding output itself, as funding_serial_id (accepter: 0). inputs_confirmed: all our
    inputs are (a peer may insist). consult: before our tx_complete the master is shown what
    there is (openingd_proposal) and says what we want then (openingd_contribution).
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("funding_amount", "sat", ""),
        ("funding_serial_id", "u64", ""),
        ("inputs", "joint_input", "num_inputs"),
        ("outputs", "joint_output", "num_outputs"),
        ("inputs_confirmed", "bool", ""),
        ("consult", "bool", ""),
    )

    __slots__ = (
        "funding_amount",
        "funding_serial_id",
        "inputs",
        "outputs",
        "inputs_confirmed",
        "consult",
    )
    funding_amount: Sat
    funding_serial_id: int  # u64
    inputs: tuple[JointInput, ...]
    outputs: tuple[JointOutput, ...]
    inputs_confirmed: bool
    consult: bool

    def __init__(
        self,
        *,
        funding_amount: Sat,
        funding_serial_id: int,
        inputs: tuple[JointInput, ...],
        outputs: tuple[JointOutput, ...],
        inputs_confirmed: bool,
        consult: bool,
    ) -> None:
        put(self, "funding_amount", funding_amount)
        put(self, "funding_serial_id", funding_serial_id)
        put(self, "inputs", inputs)
        put(self, "outputs", outputs)
        put(self, "inputs_confirmed", inputs_confirmed)
        put(self, "consult", consult)

    def write(self) -> bytes:
        return b"".join(
            (
                _CONTRIBUTION_0.pack(
                    self.funding_amount.sat,
                    self.funding_serial_id,
                    len(self.inputs),
                ),
                b"".join([x.write() for x in self.inputs]),
                _CONTRIBUTION_1.pack(len(self.outputs)),
                b"".join([x.write() for x in self.outputs]),
                _CONTRIBUTION_2.pack(self.inputs_confirmed, self.consult),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        funding_amount_0_, funding_serial_id_, num_inputs_ = _CONTRIBUTION_0.unpack_from(buf, pos)
        pos += 18
        inputs_list: list[JointInput] = []
        for _ in range(num_inputs_):
            inputs_one, pos = JointInput.read(buf, pos)
            inputs_list.append(inputs_one)
        inputs_ = tuple(inputs_list)
        (num_outputs_,) = _CONTRIBUTION_1.unpack_from(buf, pos)
        pos += 2
        outputs_list: list[JointOutput] = []
        for _ in range(num_outputs_):
            outputs_one, pos = JointOutput.read(buf, pos)
            outputs_list.append(outputs_one)
        outputs_ = tuple(outputs_list)
        inputs_confirmed_0_, consult_0_ = _CONTRIBUTION_2.unpack_from(buf, pos)
        pos += 2
        value = cls(
            funding_amount=Sat(funding_amount_0_),
            funding_serial_id=funding_serial_id_,
            inputs=inputs_,
            outputs=outputs_,
            inputs_confirmed=to_bool(inputs_confirmed_0_),
            consult=to_bool(consult_0_),
        )
        return value, pos


_OPENINGD_INIT_0 = struct.Struct(">H")
_OPENINGD_INIT_1 = struct.Struct(">B")


@wire_class
class OpeningdInit(Message):
    """Type 400."""

    TYPE: ClassVar[int] = 400
    NAME: ClassVar[str] = "WIRE_OPENINGD_INIT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("network", "utf8", ""),
        ("features", "varbytes", ""),
        ("dev_any_channel_type", "bool", ""),
    )

    __slots__ = ("network", "features", "dev_any_channel_type")
    network: str
    features: bytes
    dev_any_channel_type: bool

    def __init__(
        self,
        *,
        network: str,
        features: bytes,
        dev_any_channel_type: bool,
    ) -> None:
        put(self, "network", network)
        put(self, "features", features)
        put(self, "dev_any_channel_type", dev_any_channel_type)

    def encode(self) -> bytes:
        return b"".join(
            (
                _OPENINGD_INIT_0.pack(400),
                write_string(self.network),
                write_varbytes(self.features),
                _OPENINGD_INIT_1.pack(self.dev_any_channel_type),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _OPENINGD_INIT_0.unpack_from(buf)
            if wire_type != 400:
                raise WireError(f"type {wire_type}, not 400")
            pos = 2
            network_, pos = read_string(buf, pos)
            features_, pos = read_varbytes(buf, pos)
            (dev_any_channel_type_0_,) = _OPENINGD_INIT_1.unpack_from(buf, pos)
            pos += 1
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                network=network_,
                features=features_,
                dev_any_channel_type=to_bool(dev_any_channel_type_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_OPEN_0 = struct.Struct(">HQQ33s32s")
_OPENINGD_OPEN_1 = struct.Struct(">33sQQIB")
_OPENINGD_OPEN_2 = struct.Struct(">Q")


@wire_class
class OpeningdOpen(Message):
    """Open towards the peer on this route. Type 401."""

    TYPE: ClassVar[int] = 401
    NAME: ClassVar[str] = "WIRE_OPENINGD_OPEN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
        ("peer_id", "node_id", ""),
        ("temporary_channel_id", "channel_id", ""),
        ("their_features", "varbytes", ""),
        ("limits", "opening_limits", ""),
        ("basepoints", "basepoints", ""),
        ("first_per_commitment_point", "point", ""),
        ("funding_amount", "sat", ""),
        ("push", "msat", ""),
        ("feerate_perkw", "u32", ""),
        ("announce", "bool", ""),
        ("channel_type", "varbytes", ""),
        ("upfront_shutdown_script", "varbytes", ""),
        ("wanted_reserve", "?sat", ""),
    )

    __slots__ = (
        "dbid",
        "route_id",
        "peer_id",
        "temporary_channel_id",
        "their_features",
        "limits",
        "basepoints",
        "first_per_commitment_point",
        "funding_amount",
        "push",
        "feerate_perkw",
        "announce",
        "channel_type",
        "upfront_shutdown_script",
        "wanted_reserve",
    )
    dbid: int  # u64
    route_id: int  # u64
    peer_id: NodeId
    temporary_channel_id: ChannelId
    their_features: bytes
    limits: OpeningLimits
    basepoints: Basepoints
    first_per_commitment_point: bytes  # 33 bytes
    funding_amount: Sat
    push: Msat
    feerate_perkw: int  # u32
    announce: bool
    channel_type: bytes
    upfront_shutdown_script: bytes
    wanted_reserve: Sat | None

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
        peer_id: NodeId,
        temporary_channel_id: ChannelId,
        their_features: bytes,
        limits: OpeningLimits,
        basepoints: Basepoints,
        first_per_commitment_point: bytes,
        funding_amount: Sat,
        push: Msat,
        feerate_perkw: int,
        announce: bool,
        channel_type: bytes,
        upfront_shutdown_script: bytes,
        wanted_reserve: Sat | None = None,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)
        put(self, "peer_id", peer_id)
        put(self, "temporary_channel_id", temporary_channel_id)
        put(self, "their_features", their_features)
        put(self, "limits", limits)
        put(self, "basepoints", basepoints)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "funding_amount", funding_amount)
        put(self, "push", push)
        put(self, "feerate_perkw", feerate_perkw)
        put(self, "announce", announce)
        put(self, "channel_type", channel_type)
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "wanted_reserve", wanted_reserve)

    def encode(self) -> bytes:
        if (
            len(self.peer_id) != 33
            or len(self.temporary_channel_id) != 32
            or len(self.first_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _OPENINGD_OPEN_0.pack(
                    401,
                    self.dbid,
                    self.route_id,
                    self.peer_id,
                    self.temporary_channel_id,
                ),
                write_varbytes(self.their_features),
                self.limits.write(),
                self.basepoints.write(),
                _OPENINGD_OPEN_1.pack(
                    self.first_per_commitment_point,
                    self.funding_amount.sat,
                    self.push.msat,
                    self.feerate_perkw,
                    self.announce,
                ),
                write_varbytes(self.channel_type),
                write_varbytes(self.upfront_shutdown_script),
                b"\x00" if self.wanted_reserve is None else b"\x01" + _OPENINGD_OPEN_2.pack(
                    self.wanted_reserve.sat,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                dbid_,
                route_id_,
                peer_id_,
                temporary_channel_id_,
            ) = _OPENINGD_OPEN_0.unpack_from(buf)
            if wire_type != 401:
                raise WireError(f"type {wire_type}, not 401")
            pos = 83
            their_features_, pos = read_varbytes(buf, pos)
            limits_, pos = OpeningLimits.read(buf, pos)
            basepoints_, pos = Basepoints.read(buf, pos)
            (
                first_per_commitment_point_,
                funding_amount_0_,
                push_0_,
                feerate_perkw_,
                announce_0_,
            ) = _OPENINGD_OPEN_1.unpack_from(buf, pos)
            pos += 54
            channel_type_, pos = read_varbytes(buf, pos)
            upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            present = read_flag(buf, pos)
            pos += 1
            wanted_reserve_: Sat | None = None
            if present:
                (wanted_reserve_0_,) = _OPENINGD_OPEN_2.unpack_from(buf, pos)
                pos += 8
                wanted_reserve_ = Sat(wanted_reserve_0_)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                route_id=route_id_,
                peer_id=peer_id_,
                temporary_channel_id=temporary_channel_id_,
                their_features=their_features_,
                limits=limits_,
                basepoints=basepoints_,
                first_per_commitment_point=first_per_commitment_point_,
                funding_amount=Sat(funding_amount_0_),
                push=Msat(push_0_),
                feerate_perkw=feerate_perkw_,
                announce=to_bool(announce_0_),
                channel_type=channel_type_,
                upfront_shutdown_script=upfront_shutdown_script_,
                wanted_reserve=wanted_reserve_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_ACCEPTED_0 = struct.Struct(">HQ")
_OPENINGD_ACCEPTED_1 = struct.Struct(">I")


@wire_class
class OpeningdAccepted(Message):
    """accept_channel came and is good: make the funding transaction pay to this script. Type
    402.
    """

    TYPE: ClassVar[int] = 402
    NAME: ClassVar[str] = "WIRE_OPENINGD_ACCEPTED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("funding_scriptpubkey", "varbytes", ""),
        ("channel_type", "varbytes", ""),
        ("minimum_depth", "u32", ""),
    )

    __slots__ = ("dbid", "funding_scriptpubkey", "channel_type", "minimum_depth")
    dbid: int  # u64
    funding_scriptpubkey: bytes
    channel_type: bytes
    minimum_depth: int  # u32

    def __init__(
        self,
        *,
        dbid: int,
        funding_scriptpubkey: bytes,
        channel_type: bytes,
        minimum_depth: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "funding_scriptpubkey", funding_scriptpubkey)
        put(self, "channel_type", channel_type)
        put(self, "minimum_depth", minimum_depth)

    def encode(self) -> bytes:
        return b"".join(
            (
                _OPENINGD_ACCEPTED_0.pack(402, self.dbid),
                write_varbytes(self.funding_scriptpubkey),
                write_varbytes(self.channel_type),
                _OPENINGD_ACCEPTED_1.pack(self.minimum_depth),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _OPENINGD_ACCEPTED_0.unpack_from(buf)
            if wire_type != 402:
                raise WireError(f"type {wire_type}, not 402")
            pos = 10
            funding_scriptpubkey_, pos = read_varbytes(buf, pos)
            channel_type_, pos = read_varbytes(buf, pos)
            (minimum_depth_,) = _OPENINGD_ACCEPTED_1.unpack_from(buf, pos)
            pos += 4
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                funding_scriptpubkey=funding_scriptpubkey_,
                channel_type=channel_type_,
                minimum_depth=minimum_depth_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_FUNDING_0 = struct.Struct(">HQ32sI")


@wire_class
class OpeningdFunding(Message):
    """Type 403."""

    TYPE: ClassVar[int] = 403
    NAME: ClassVar[str] = "WIRE_OPENINGD_FUNDING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("funding", "outpoint", ""),
    )

    __slots__ = ("dbid", "funding")
    dbid: int  # u64
    funding: Outpoint

    def __init__(
        self,
        *,
        dbid: int,
        funding: Outpoint,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "funding", funding)

    def encode(self) -> bytes:
        if len(self.funding.txid) != 32:
            raise wrong_length(self)
        return _OPENINGD_FUNDING_0.pack(403, self.dbid, self.funding.txid, self.funding.index)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, funding_0_, funding_1_ = _OPENINGD_FUNDING_0.unpack(buf)
            if wire_type != 403:
                raise WireError(f"type {wire_type}, not 403")
            return cls(
                dbid=dbid_,
                funding=Outpoint(funding_0_, funding_1_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_GOT_OPEN_0 = struct.Struct(">HQQ33s")
_OPENINGD_GOT_OPEN_1 = struct.Struct(">33s")


@wire_class
class OpeningdGotOpen(Message):
    """An open_channel came. A refusal of the master's own (hooks, limits) is an error message
    instead of this. Type 404.
    """

    TYPE: ClassVar[int] = 404
    NAME: ClassVar[str] = "WIRE_OPENINGD_GOT_OPEN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
        ("peer_id", "node_id", ""),
        ("their_features", "varbytes", ""),
        ("limits", "opening_limits", ""),
        ("basepoints", "basepoints", ""),
        ("first_per_commitment_point", "point", ""),
        ("upfront_shutdown_script", "varbytes", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = (
        "dbid",
        "route_id",
        "peer_id",
        "their_features",
        "limits",
        "basepoints",
        "first_per_commitment_point",
        "upfront_shutdown_script",
        "msg",
    )
    dbid: int  # u64
    route_id: int  # u64
    peer_id: NodeId
    their_features: bytes
    limits: OpeningLimits
    basepoints: Basepoints
    first_per_commitment_point: bytes  # 33 bytes
    upfront_shutdown_script: bytes
    msg: bytes

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
        peer_id: NodeId,
        their_features: bytes,
        limits: OpeningLimits,
        basepoints: Basepoints,
        first_per_commitment_point: bytes,
        upfront_shutdown_script: bytes,
        msg: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)
        put(self, "peer_id", peer_id)
        put(self, "their_features", their_features)
        put(self, "limits", limits)
        put(self, "basepoints", basepoints)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33 or len(self.first_per_commitment_point) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _OPENINGD_GOT_OPEN_0.pack(404, self.dbid, self.route_id, self.peer_id),
                write_varbytes(self.their_features),
                self.limits.write(),
                self.basepoints.write(),
                _OPENINGD_GOT_OPEN_1.pack(self.first_per_commitment_point),
                write_varbytes(self.upfront_shutdown_script),
                write_varbytes(self.msg),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, route_id_, peer_id_ = _OPENINGD_GOT_OPEN_0.unpack_from(buf)
            if wire_type != 404:
                raise WireError(f"type {wire_type}, not 404")
            pos = 51
            their_features_, pos = read_varbytes(buf, pos)
            limits_, pos = OpeningLimits.read(buf, pos)
            basepoints_, pos = Basepoints.read(buf, pos)
            (first_per_commitment_point_,) = _OPENINGD_GOT_OPEN_1.unpack_from(buf, pos)
            pos += 33
            upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                route_id=route_id_,
                peer_id=peer_id_,
                their_features=their_features_,
                limits=limits_,
                basepoints=basepoints_,
                first_per_commitment_point=first_per_commitment_point_,
                upfront_shutdown_script=upfront_shutdown_script_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_DONE_REPLY_0 = struct.Struct(">H")


@wire_class
class OpeningdDoneReply(Message):
    """Type 406."""

    TYPE: ClassVar[int] = 406
    NAME: ClassVar[str] = "WIRE_OPENINGD_DONE_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _OPENINGD_DONE_REPLY_0.pack(406)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _OPENINGD_DONE_REPLY_0.unpack(buf)
            if wire_type != 406:
                raise WireError(f"type {wire_type}, not 406")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_DONE_0 = struct.Struct(">H")
_OPENINGD_DONE_1 = struct.Struct(">BIQI33s")
_OPENINGD_DONE_2 = struct.Struct(">64s")


@wire_class
class OpeningdDone(Request[OpeningdDoneReply]):
    """Both sides: everything is signed. Durable when the reply is here; only then does the
    accepter send funding_signed and the master broadcast (opener). `tx` is our first
    commitment, `signature` the peer's for it. Type 405.
    """

    TYPE: ClassVar[int] = 405
    NAME: ClassVar[str] = "WIRE_OPENINGD_DONE"
    REPLY: ClassVar[type[OpeningdDoneReply]] = OpeningdDoneReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel", "channel_static", ""),
        ("announce", "bool", ""),
        ("minimum_depth", "u32", ""),
        ("push", "msat", ""),
        ("feerate_perkw", "u32", ""),
        ("remote_first_per_commitment_point", "point", ""),
        ("local_upfront_shutdown_script", "varbytes", ""),
        ("remote_upfront_shutdown_script", "varbytes", ""),
        ("tx", "varbytes", ""),
        ("signature", "signature", ""),
    )

    __slots__ = (
        "channel",
        "announce",
        "minimum_depth",
        "push",
        "feerate_perkw",
        "remote_first_per_commitment_point",
        "local_upfront_shutdown_script",
        "remote_upfront_shutdown_script",
        "tx",
        "signature",
    )
    channel: ChannelStatic
    announce: bool
    minimum_depth: int  # u32
    push: Msat
    feerate_perkw: int  # u32
    remote_first_per_commitment_point: bytes  # 33 bytes
    local_upfront_shutdown_script: bytes
    remote_upfront_shutdown_script: bytes
    tx: bytes
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        channel: ChannelStatic,
        announce: bool,
        minimum_depth: int,
        push: Msat,
        feerate_perkw: int,
        remote_first_per_commitment_point: bytes,
        local_upfront_shutdown_script: bytes,
        remote_upfront_shutdown_script: bytes,
        tx: bytes,
        signature: bytes,
    ) -> None:
        put(self, "channel", channel)
        put(self, "announce", announce)
        put(self, "minimum_depth", minimum_depth)
        put(self, "push", push)
        put(self, "feerate_perkw", feerate_perkw)
        put(self, "remote_first_per_commitment_point", remote_first_per_commitment_point)
        put(self, "local_upfront_shutdown_script", local_upfront_shutdown_script)
        put(self, "remote_upfront_shutdown_script", remote_upfront_shutdown_script)
        put(self, "tx", tx)
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.remote_first_per_commitment_point) != 33 or len(self.signature) != 64:
            raise wrong_length(self)
        return b"".join(
            (
                _OPENINGD_DONE_0.pack(405),
                self.channel.write(),
                _OPENINGD_DONE_1.pack(
                    self.announce,
                    self.minimum_depth,
                    self.push.msat,
                    self.feerate_perkw,
                    self.remote_first_per_commitment_point,
                ),
                write_varbytes(self.local_upfront_shutdown_script),
                write_varbytes(self.remote_upfront_shutdown_script),
                write_varbytes(self.tx),
                _OPENINGD_DONE_2.pack(self.signature),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _OPENINGD_DONE_0.unpack_from(buf)
            if wire_type != 405:
                raise WireError(f"type {wire_type}, not 405")
            pos = 2
            channel_, pos = ChannelStatic.read(buf, pos)
            (
                announce_0_,
                minimum_depth_,
                push_0_,
                feerate_perkw_,
                remote_first_per_commitment_point_,
            ) = _OPENINGD_DONE_1.unpack_from(buf, pos)
            pos += 50
            local_upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            remote_upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            tx_, pos = read_varbytes(buf, pos)
            (signature_,) = _OPENINGD_DONE_2.unpack_from(buf, pos)
            pos += 64
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                channel=channel_,
                announce=to_bool(announce_0_),
                minimum_depth=minimum_depth_,
                push=Msat(push_0_),
                feerate_perkw=feerate_perkw_,
                remote_first_per_commitment_point=remote_first_per_commitment_point_,
                local_upfront_shutdown_script=local_upfront_shutdown_script_,
                remote_upfront_shutdown_script=remote_upfront_shutdown_script_,
                tx=tx_,
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_PEER_MSG_0 = struct.Struct(">HQ")


@wire_class
class OpeningdPeerMsg(Message):
    """The opener's side, after openingd_done: a message for the new channel that still came on
    the opening's route (channel_ready of a fast peer). Hand it on to channeld. Type 409.
    """

    TYPE: ClassVar[int] = 409
    NAME: ClassVar[str] = "WIRE_OPENINGD_PEER_MSG"
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
        return b"".join((_OPENINGD_PEER_MSG_0.pack(409, self.dbid), write_varbytes(self.msg)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _OPENINGD_PEER_MSG_0.unpack_from(buf)
            if wire_type != 409:
                raise WireError(f"type {wire_type}, not 409")
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


_OPENINGD_FAILED_0 = struct.Struct(">HQ")


@wire_class
class OpeningdFailed(Message):
    """Type 407."""

    TYPE: ClassVar[int] = 407
    NAME: ClassVar[str] = "WIRE_OPENINGD_FAILED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("reason", "utf8", ""),
    )

    __slots__ = ("dbid", "reason")
    dbid: int  # u64
    reason: str

    def __init__(
        self,
        *,
        dbid: int,
        reason: str,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "reason", reason)

    def encode(self) -> bytes:
        return b"".join((_OPENINGD_FAILED_0.pack(407, self.dbid), write_string(self.reason)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _OPENINGD_FAILED_0.unpack_from(buf)
            if wire_type != 407:
                raise WireError(f"type {wire_type}, not 407")
            pos = 10
            reason_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                reason=reason_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_CANCEL_0 = struct.Struct(">HQ")


@wire_class
class OpeningdCancel(Message):
    """Give up an opening that is not done. Type 408."""

    TYPE: ClassVar[int] = 408
    NAME: ClassVar[str] = "WIRE_OPENINGD_CANCEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("reason", "utf8", ""),
    )

    __slots__ = ("dbid", "reason")
    dbid: int  # u64
    reason: str

    def __init__(
        self,
        *,
        dbid: int,
        reason: str,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "reason", reason)

    def encode(self) -> bytes:
        return b"".join((_OPENINGD_CANCEL_0.pack(408, self.dbid), write_string(self.reason)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _OPENINGD_CANCEL_0.unpack_from(buf)
            if wire_type != 408:
                raise WireError(f"type {wire_type}, not 408")
            pos = 10
            reason_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                reason=reason_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_OPEN2_0 = struct.Struct(">HQQ33s")
_OPENINGD_OPEN2_1 = struct.Struct(">33s33sIIIB")
_OPENINGD_OPEN2_2 = struct.Struct(">BB")


@wire_class
class OpeningdOpen2(Message):
    """Open towards the peer on this route, whose channel_id is the temporary one
    (common/channel/v2_id.py). sign_first_on_tie: our node_id is the lesser one. Type 410.
    """

    TYPE: ClassVar[int] = 410
    NAME: ClassVar[str] = "WIRE_OPENINGD_OPEN2"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
        ("peer_id", "node_id", ""),
        ("their_features", "varbytes", ""),
        ("limits", "opening_limits", ""),
        ("basepoints", "basepoints", ""),
        ("first_per_commitment_point", "point", ""),
        ("second_per_commitment_point", "point", ""),
        ("funding_feerate_perkw", "u32", ""),
        ("commitment_feerate_perkw", "u32", ""),
        ("locktime", "u32", ""),
        ("announce", "bool", ""),
        ("channel_type", "varbytes", ""),
        ("upfront_shutdown_script", "varbytes", ""),
        ("require_confirmed_inputs", "bool", ""),
        ("sign_first_on_tie", "bool", ""),
        ("ours", "contribution", ""),
    )

    __slots__ = (
        "dbid",
        "route_id",
        "peer_id",
        "their_features",
        "limits",
        "basepoints",
        "first_per_commitment_point",
        "second_per_commitment_point",
        "funding_feerate_perkw",
        "commitment_feerate_perkw",
        "locktime",
        "announce",
        "channel_type",
        "upfront_shutdown_script",
        "require_confirmed_inputs",
        "sign_first_on_tie",
        "ours",
    )
    dbid: int  # u64
    route_id: int  # u64
    peer_id: NodeId
    their_features: bytes
    limits: OpeningLimits
    basepoints: Basepoints
    first_per_commitment_point: bytes  # 33 bytes
    second_per_commitment_point: bytes  # 33 bytes
    funding_feerate_perkw: int  # u32
    commitment_feerate_perkw: int  # u32
    locktime: int  # u32
    announce: bool
    channel_type: bytes
    upfront_shutdown_script: bytes
    require_confirmed_inputs: bool
    sign_first_on_tie: bool
    ours: Contribution

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
        peer_id: NodeId,
        their_features: bytes,
        limits: OpeningLimits,
        basepoints: Basepoints,
        first_per_commitment_point: bytes,
        second_per_commitment_point: bytes,
        funding_feerate_perkw: int,
        commitment_feerate_perkw: int,
        locktime: int,
        announce: bool,
        channel_type: bytes,
        upfront_shutdown_script: bytes,
        require_confirmed_inputs: bool,
        sign_first_on_tie: bool,
        ours: Contribution,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)
        put(self, "peer_id", peer_id)
        put(self, "their_features", their_features)
        put(self, "limits", limits)
        put(self, "basepoints", basepoints)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "second_per_commitment_point", second_per_commitment_point)
        put(self, "funding_feerate_perkw", funding_feerate_perkw)
        put(self, "commitment_feerate_perkw", commitment_feerate_perkw)
        put(self, "locktime", locktime)
        put(self, "announce", announce)
        put(self, "channel_type", channel_type)
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "sign_first_on_tie", sign_first_on_tie)
        put(self, "ours", ours)

    def encode(self) -> bytes:
        if (
            len(self.peer_id) != 33
            or len(self.first_per_commitment_point) != 33
            or len(self.second_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _OPENINGD_OPEN2_0.pack(410, self.dbid, self.route_id, self.peer_id),
                write_varbytes(self.their_features),
                self.limits.write(),
                self.basepoints.write(),
                _OPENINGD_OPEN2_1.pack(
                    self.first_per_commitment_point,
                    self.second_per_commitment_point,
                    self.funding_feerate_perkw,
                    self.commitment_feerate_perkw,
                    self.locktime,
                    self.announce,
                ),
                write_varbytes(self.channel_type),
                write_varbytes(self.upfront_shutdown_script),
                _OPENINGD_OPEN2_2.pack(self.require_confirmed_inputs, self.sign_first_on_tie),
                self.ours.write(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, route_id_, peer_id_ = _OPENINGD_OPEN2_0.unpack_from(buf)
            if wire_type != 410:
                raise WireError(f"type {wire_type}, not 410")
            pos = 51
            their_features_, pos = read_varbytes(buf, pos)
            limits_, pos = OpeningLimits.read(buf, pos)
            basepoints_, pos = Basepoints.read(buf, pos)
            (
                first_per_commitment_point_,
                second_per_commitment_point_,
                funding_feerate_perkw_,
                commitment_feerate_perkw_,
                locktime_,
                announce_0_,
            ) = _OPENINGD_OPEN2_1.unpack_from(buf, pos)
            pos += 79
            channel_type_, pos = read_varbytes(buf, pos)
            upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            (
                require_confirmed_inputs_0_,
                sign_first_on_tie_0_,
            ) = _OPENINGD_OPEN2_2.unpack_from(buf, pos)
            pos += 2
            ours_, pos = Contribution.read(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                route_id=route_id_,
                peer_id=peer_id_,
                their_features=their_features_,
                limits=limits_,
                basepoints=basepoints_,
                first_per_commitment_point=first_per_commitment_point_,
                second_per_commitment_point=second_per_commitment_point_,
                funding_feerate_perkw=funding_feerate_perkw_,
                commitment_feerate_perkw=commitment_feerate_perkw_,
                locktime=locktime_,
                announce=to_bool(announce_0_),
                channel_type=channel_type_,
                upfront_shutdown_script=upfront_shutdown_script_,
                require_confirmed_inputs=to_bool(require_confirmed_inputs_0_),
                sign_first_on_tie=to_bool(sign_first_on_tie_0_),
                ours=ours_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_GOT_OPEN2_0 = struct.Struct(">HQQ33s")
_OPENINGD_GOT_OPEN2_1 = struct.Struct(">33s33s")
_OPENINGD_GOT_OPEN2_2 = struct.Struct(">BB")


@wire_class
class OpeningdGotOpen2(Message):
    """An open_channel2 came, and the master (hook openchannel2) is for it. Type 411."""

    TYPE: ClassVar[int] = 411
    NAME: ClassVar[str] = "WIRE_OPENINGD_GOT_OPEN2"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
        ("peer_id", "node_id", ""),
        ("their_features", "varbytes", ""),
        ("limits", "opening_limits", ""),
        ("basepoints", "basepoints", ""),
        ("first_per_commitment_point", "point", ""),
        ("second_per_commitment_point", "point", ""),
        ("upfront_shutdown_script", "varbytes", ""),
        ("require_confirmed_inputs", "bool", ""),
        ("sign_first_on_tie", "bool", ""),
        ("ours", "contribution", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = (
        "dbid",
        "route_id",
        "peer_id",
        "their_features",
        "limits",
        "basepoints",
        "first_per_commitment_point",
        "second_per_commitment_point",
        "upfront_shutdown_script",
        "require_confirmed_inputs",
        "sign_first_on_tie",
        "ours",
        "msg",
    )
    dbid: int  # u64
    route_id: int  # u64
    peer_id: NodeId
    their_features: bytes
    limits: OpeningLimits
    basepoints: Basepoints
    first_per_commitment_point: bytes  # 33 bytes
    second_per_commitment_point: bytes  # 33 bytes
    upfront_shutdown_script: bytes
    require_confirmed_inputs: bool
    sign_first_on_tie: bool
    ours: Contribution
    msg: bytes

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
        peer_id: NodeId,
        their_features: bytes,
        limits: OpeningLimits,
        basepoints: Basepoints,
        first_per_commitment_point: bytes,
        second_per_commitment_point: bytes,
        upfront_shutdown_script: bytes,
        require_confirmed_inputs: bool,
        sign_first_on_tie: bool,
        ours: Contribution,
        msg: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)
        put(self, "peer_id", peer_id)
        put(self, "their_features", their_features)
        put(self, "limits", limits)
        put(self, "basepoints", basepoints)
        put(self, "first_per_commitment_point", first_per_commitment_point)
        put(self, "second_per_commitment_point", second_per_commitment_point)
        put(self, "upfront_shutdown_script", upfront_shutdown_script)
        put(self, "require_confirmed_inputs", require_confirmed_inputs)
        put(self, "sign_first_on_tie", sign_first_on_tie)
        put(self, "ours", ours)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        if (
            len(self.peer_id) != 33
            or len(self.first_per_commitment_point) != 33
            or len(self.second_per_commitment_point) != 33
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _OPENINGD_GOT_OPEN2_0.pack(411, self.dbid, self.route_id, self.peer_id),
                write_varbytes(self.their_features),
                self.limits.write(),
                self.basepoints.write(),
                _OPENINGD_GOT_OPEN2_1.pack(
                    self.first_per_commitment_point,
                    self.second_per_commitment_point,
                ),
                write_varbytes(self.upfront_shutdown_script),
                _OPENINGD_GOT_OPEN2_2.pack(self.require_confirmed_inputs, self.sign_first_on_tie),
                self.ours.write(),
                write_varbytes(self.msg),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, route_id_, peer_id_ = _OPENINGD_GOT_OPEN2_0.unpack_from(buf)
            if wire_type != 411:
                raise WireError(f"type {wire_type}, not 411")
            pos = 51
            their_features_, pos = read_varbytes(buf, pos)
            limits_, pos = OpeningLimits.read(buf, pos)
            basepoints_, pos = Basepoints.read(buf, pos)
            (
                first_per_commitment_point_,
                second_per_commitment_point_,
            ) = _OPENINGD_GOT_OPEN2_1.unpack_from(buf, pos)
            pos += 66
            upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            (
                require_confirmed_inputs_0_,
                sign_first_on_tie_0_,
            ) = _OPENINGD_GOT_OPEN2_2.unpack_from(buf, pos)
            pos += 2
            ours_, pos = Contribution.read(buf, pos)
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                route_id=route_id_,
                peer_id=peer_id_,
                their_features=their_features_,
                limits=limits_,
                basepoints=basepoints_,
                first_per_commitment_point=first_per_commitment_point_,
                second_per_commitment_point=second_per_commitment_point_,
                upfront_shutdown_script=upfront_shutdown_script_,
                require_confirmed_inputs=to_bool(require_confirmed_inputs_0_),
                sign_first_on_tie=to_bool(sign_first_on_tie_0_),
                ours=ours_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_ACCEPTED2_0 = struct.Struct(">HQ32s")
_OPENINGD_ACCEPTED2_1 = struct.Struct(">IQB")


@wire_class
class OpeningdAccepted2(Message):
    """Both sides: open_channel2 and accept_channel2 agree, the construction begins. Type 412."""

    TYPE: ClassVar[int] = 412
    NAME: ClassVar[str] = "WIRE_OPENINGD_ACCEPTED2"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("channel_id", "channel_id", ""),
        ("funding_scriptpubkey", "varbytes", ""),
        ("channel_type", "varbytes", ""),
        ("minimum_depth", "u32", ""),
        ("their_funding", "sat", ""),
        ("requires_confirmed_inputs", "bool", ""),
    )

    __slots__ = (
        "dbid",
        "channel_id",
        "funding_scriptpubkey",
        "channel_type",
        "minimum_depth",
        "their_funding",
        "requires_confirmed_inputs",
    )
    dbid: int  # u64
    channel_id: ChannelId
    funding_scriptpubkey: bytes
    channel_type: bytes
    minimum_depth: int  # u32
    their_funding: Sat
    requires_confirmed_inputs: bool

    def __init__(
        self,
        *,
        dbid: int,
        channel_id: ChannelId,
        funding_scriptpubkey: bytes,
        channel_type: bytes,
        minimum_depth: int,
        their_funding: Sat,
        requires_confirmed_inputs: bool,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "channel_id", channel_id)
        put(self, "funding_scriptpubkey", funding_scriptpubkey)
        put(self, "channel_type", channel_type)
        put(self, "minimum_depth", minimum_depth)
        put(self, "their_funding", their_funding)
        put(self, "requires_confirmed_inputs", requires_confirmed_inputs)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _OPENINGD_ACCEPTED2_0.pack(412, self.dbid, self.channel_id),
                write_varbytes(self.funding_scriptpubkey),
                write_varbytes(self.channel_type),
                _OPENINGD_ACCEPTED2_1.pack(
                    self.minimum_depth,
                    self.their_funding.sat,
                    self.requires_confirmed_inputs,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, channel_id_ = _OPENINGD_ACCEPTED2_0.unpack_from(buf)
            if wire_type != 412:
                raise WireError(f"type {wire_type}, not 412")
            pos = 42
            funding_scriptpubkey_, pos = read_varbytes(buf, pos)
            channel_type_, pos = read_varbytes(buf, pos)
            (
                minimum_depth_,
                their_funding_0_,
                requires_confirmed_inputs_0_,
            ) = _OPENINGD_ACCEPTED2_1.unpack_from(buf, pos)
            pos += 13
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                channel_id=channel_id_,
                funding_scriptpubkey=funding_scriptpubkey_,
                channel_type=channel_type_,
                minimum_depth=minimum_depth_,
                their_funding=Sat(their_funding_0_),
                requires_confirmed_inputs=to_bool(requires_confirmed_inputs_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_PROPOSAL_0 = struct.Struct(">HQH")
_OPENINGD_PROPOSAL_1 = struct.Struct(">H")


@wire_class
class OpeningdProposal(Message):
    """Where `consult` is set: all that is in the transaction now, of both sides, by serial id.
    We have nothing more to add. Type 413.
    """

    TYPE: ClassVar[int] = 413
    NAME: ClassVar[str] = "WIRE_OPENINGD_PROPOSAL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("inputs", "joint_input", "num_inputs"),
        ("outputs", "joint_output", "num_outputs"),
    )

    __slots__ = ("dbid", "inputs", "outputs")
    dbid: int  # u64
    inputs: tuple[JointInput, ...]
    outputs: tuple[JointOutput, ...]

    def __init__(
        self,
        *,
        dbid: int,
        inputs: tuple[JointInput, ...],
        outputs: tuple[JointOutput, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "inputs", inputs)
        put(self, "outputs", outputs)

    def encode(self) -> bytes:
        return b"".join(
            (
                _OPENINGD_PROPOSAL_0.pack(413, self.dbid, len(self.inputs)),
                b"".join([x.write() for x in self.inputs]),
                _OPENINGD_PROPOSAL_1.pack(len(self.outputs)),
                b"".join([x.write() for x in self.outputs]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, num_inputs_ = _OPENINGD_PROPOSAL_0.unpack_from(buf)
            if wire_type != 413:
                raise WireError(f"type {wire_type}, not 413")
            pos = 12
            inputs_list: list[JointInput] = []
            for _ in range(num_inputs_):
                inputs_one, pos = JointInput.read(buf, pos)
                inputs_list.append(inputs_one)
            inputs_ = tuple(inputs_list)
            (num_outputs_,) = _OPENINGD_PROPOSAL_1.unpack_from(buf, pos)
            pos += 2
            outputs_list: list[JointOutput] = []
            for _ in range(num_outputs_):
                outputs_one, pos = JointOutput.read(buf, pos)
                outputs_list.append(outputs_one)
            outputs_ = tuple(outputs_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                inputs=inputs_,
                outputs=outputs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_CONTRIBUTION_0 = struct.Struct(">HQH")
_OPENINGD_CONTRIBUTION_1 = struct.Struct(">H")


@wire_class
class OpeningdContribution(Message):
    """The answer: all that we want in it (not the funding output). If that is what is there, our
    tx_complete follows. The funding_amount cannot change any more. Type 414.
    """

    TYPE: ClassVar[int] = 414
    NAME: ClassVar[str] = "WIRE_OPENINGD_CONTRIBUTION"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("inputs", "joint_input", "num_inputs"),
        ("outputs", "joint_output", "num_outputs"),
    )

    __slots__ = ("dbid", "inputs", "outputs")
    dbid: int  # u64
    inputs: tuple[JointInput, ...]
    outputs: tuple[JointOutput, ...]

    def __init__(
        self,
        *,
        dbid: int,
        inputs: tuple[JointInput, ...],
        outputs: tuple[JointOutput, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "inputs", inputs)
        put(self, "outputs", outputs)

    def encode(self) -> bytes:
        return b"".join(
            (
                _OPENINGD_CONTRIBUTION_0.pack(414, self.dbid, len(self.inputs)),
                b"".join([x.write() for x in self.inputs]),
                _OPENINGD_CONTRIBUTION_1.pack(len(self.outputs)),
                b"".join([x.write() for x in self.outputs]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, num_inputs_ = _OPENINGD_CONTRIBUTION_0.unpack_from(buf)
            if wire_type != 414:
                raise WireError(f"type {wire_type}, not 414")
            pos = 12
            inputs_list: list[JointInput] = []
            for _ in range(num_inputs_):
                inputs_one, pos = JointInput.read(buf, pos)
                inputs_list.append(inputs_one)
            inputs_ = tuple(inputs_list)
            (num_outputs_,) = _OPENINGD_CONTRIBUTION_1.unpack_from(buf, pos)
            pos += 2
            outputs_list: list[JointOutput] = []
            for _ in range(num_outputs_):
                outputs_one, pos = JointOutput.read(buf, pos)
                outputs_list.append(outputs_one)
            outputs_ = tuple(outputs_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                inputs=inputs_,
                outputs=outputs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_CONSTRUCTED_REPLY_0 = struct.Struct(">H")


@wire_class
class OpeningdConstructedReply(Message):
    """Type 416."""

    TYPE: ClassVar[int] = 416
    NAME: ClassVar[str] = "WIRE_OPENINGD_CONSTRUCTED_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _OPENINGD_CONSTRUCTED_REPLY_0.pack(416)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _OPENINGD_CONSTRUCTED_REPLY_0.unpack(buf)
            if wire_type != 416:
                raise WireError(f"type {wire_type}, not 416")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_OPENINGD_CONSTRUCTED_0 = struct.Struct(">H")
_OPENINGD_CONSTRUCTED_1 = struct.Struct(">BII33s")


@wire_class
class OpeningdConstructed(Request[OpeningdConstructedReply]):
    """Both sides: the funding transaction is complete and hsmd knows the channel; nothing is
    signed. Durable when the reply is here (or refused: that is the reason in our tx_abort);
    the rest is channeld's, on this connection as `fresh`, with channeld_joint_funding. `tx`
    is our first commitment. The peer's next messages may come as openingd_peer_msg, on both
    sides. Type 415.
    """

    TYPE: ClassVar[int] = 415
    NAME: ClassVar[str] = "WIRE_OPENINGD_CONSTRUCTED"
    REPLY: ClassVar[type[OpeningdConstructedReply]] = OpeningdConstructedReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel", "channel_static", ""),
        ("announce", "bool", ""),
        ("minimum_depth", "u32", ""),
        ("feerate_perkw", "u32", ""),
        ("remote_first_per_commitment_point", "point", ""),
        ("local_upfront_shutdown_script", "varbytes", ""),
        ("remote_upfront_shutdown_script", "varbytes", ""),
        ("tx", "varbytes", ""),
        ("funding", "joint_funding", ""),
    )

    __slots__ = (
        "channel",
        "announce",
        "minimum_depth",
        "feerate_perkw",
        "remote_first_per_commitment_point",
        "local_upfront_shutdown_script",
        "remote_upfront_shutdown_script",
        "tx",
        "funding",
    )
    channel: ChannelStatic
    announce: bool
    minimum_depth: int  # u32
    feerate_perkw: int  # u32
    remote_first_per_commitment_point: bytes  # 33 bytes
    local_upfront_shutdown_script: bytes
    remote_upfront_shutdown_script: bytes
    tx: bytes
    funding: JointFunding

    def __init__(
        self,
        *,
        channel: ChannelStatic,
        announce: bool,
        minimum_depth: int,
        feerate_perkw: int,
        remote_first_per_commitment_point: bytes,
        local_upfront_shutdown_script: bytes,
        remote_upfront_shutdown_script: bytes,
        tx: bytes,
        funding: JointFunding,
    ) -> None:
        put(self, "channel", channel)
        put(self, "announce", announce)
        put(self, "minimum_depth", minimum_depth)
        put(self, "feerate_perkw", feerate_perkw)
        put(self, "remote_first_per_commitment_point", remote_first_per_commitment_point)
        put(self, "local_upfront_shutdown_script", local_upfront_shutdown_script)
        put(self, "remote_upfront_shutdown_script", remote_upfront_shutdown_script)
        put(self, "tx", tx)
        put(self, "funding", funding)

    def encode(self) -> bytes:
        if len(self.remote_first_per_commitment_point) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _OPENINGD_CONSTRUCTED_0.pack(415),
                self.channel.write(),
                _OPENINGD_CONSTRUCTED_1.pack(
                    self.announce,
                    self.minimum_depth,
                    self.feerate_perkw,
                    self.remote_first_per_commitment_point,
                ),
                write_varbytes(self.local_upfront_shutdown_script),
                write_varbytes(self.remote_upfront_shutdown_script),
                write_varbytes(self.tx),
                self.funding.write(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _OPENINGD_CONSTRUCTED_0.unpack_from(buf)
            if wire_type != 415:
                raise WireError(f"type {wire_type}, not 415")
            pos = 2
            channel_, pos = ChannelStatic.read(buf, pos)
            (
                announce_0_,
                minimum_depth_,
                feerate_perkw_,
                remote_first_per_commitment_point_,
            ) = _OPENINGD_CONSTRUCTED_1.unpack_from(buf, pos)
            pos += 42
            local_upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            remote_upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            tx_, pos = read_varbytes(buf, pos)
            funding_, pos = JointFunding.read(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                channel=channel_,
                announce=to_bool(announce_0_),
                minimum_depth=minimum_depth_,
                feerate_perkw=feerate_perkw_,
                remote_first_per_commitment_point=remote_first_per_commitment_point_,
                local_upfront_shutdown_script=local_upfront_shutdown_script_,
                remote_upfront_shutdown_script=remote_upfront_shutdown_script_,
                tx=tx_,
                funding=funding_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


OpeningdMessage: TypeAlias = (
    OpeningdInit
    | OpeningdOpen
    | OpeningdAccepted
    | OpeningdFunding
    | OpeningdGotOpen
    | OpeningdDone
    | OpeningdDoneReply
    | OpeningdPeerMsg
    | OpeningdFailed
    | OpeningdCancel
    | OpeningdOpen2
    | OpeningdGotOpen2
    | OpeningdAccepted2
    | OpeningdProposal
    | OpeningdContribution
    | OpeningdConstructed
    | OpeningdConstructedReply
)

MESSAGES: dict[int, type[OpeningdMessage]] = {
    400: OpeningdInit,
    401: OpeningdOpen,
    402: OpeningdAccepted,
    403: OpeningdFunding,
    404: OpeningdGotOpen,
    405: OpeningdDone,
    406: OpeningdDoneReply,
    409: OpeningdPeerMsg,
    407: OpeningdFailed,
    408: OpeningdCancel,
    410: OpeningdOpen2,
    411: OpeningdGotOpen2,
    412: OpeningdAccepted2,
    413: OpeningdProposal,
    414: OpeningdContribution,
    415: OpeningdConstructed,
    416: OpeningdConstructedReply,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> OpeningdMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
