# GENERATED from channeld/channeld_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `channeld/channeld_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.amount import Msat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Outpoint, ShortChannelId
from pylightningd.common.secret import Secret
from pylightningd.common.wire.common_wire import ChannelStatic, JointFunding
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Request,
    Subtype,
    join_fixed,
    malformed,
    message_type,
    put,
    read_flag,
    read_string,
    read_varbytes,
    to_bool,
    too_short,
    trailing,
    wire_class,
    write_string,
    write_varbytes,
    wrong_length,
)

SPEC_HASH = bytes.fromhex(
    "f9e0eb10d7c197dd353b895752cdb1bdac7c4cd1188f2596a485d8f0df7327d8"
)
"""SHA256 of channeld/channeld_wire.csv and what it includes."""


_HTLC_0 = struct.Struct(">QBBQ32sI1366s")
_HTLC_1 = struct.Struct(">33s")
_HTLC_2 = struct.Struct(">32s")
_HTLC_3 = struct.Struct(">H32s")


@wire_class
class Htlc(Subtype):
    """An HTLC. `state` is one of the 20 of common/channel/htlc_states.py, from our view. Of
    preimage, failure_onion and malformed at most one is set: how it is to be, or was,
    removed. malformed: failure code (0: none), with the onion's hash.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("id", "u64", ""),
        ("offered_by_us", "bool", ""),
        ("state", "u8", ""),
        ("amount", "msat", ""),
        ("payment_hash", "sha256", ""),
        ("cltv_expiry", "u32", ""),
        ("onion", "byte", "1366"),
        ("path_key", "?point", ""),
        ("preimage", "?preimage", ""),
        ("failure_onion", "?varbytes", ""),
        ("malformed_code", "u16", ""),
        ("malformed_sha256", "sha256", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"preimage"})

    __slots__ = (
        "id",
        "offered_by_us",
        "state",
        "amount",
        "payment_hash",
        "cltv_expiry",
        "onion",
        "path_key",
        "preimage",
        "failure_onion",
        "malformed_code",
        "malformed_sha256",
    )
    id: int  # u64
    offered_by_us: bool
    state: int  # u8
    amount: Msat
    payment_hash: bytes  # 32 bytes
    cltv_expiry: int  # u32
    onion: bytes  # 1366 bytes
    path_key: bytes | None
    preimage: bytes | None
    failure_onion: bytes | None
    malformed_code: int  # u16
    malformed_sha256: bytes  # 32 bytes

    def __init__(
        self,
        *,
        id: int,
        offered_by_us: bool,
        state: int,
        amount: Msat,
        payment_hash: bytes,
        cltv_expiry: int,
        onion: bytes,
        path_key: bytes | None = None,
        preimage: bytes | None = None,
        failure_onion: bytes | None = None,
        malformed_code: int,
        malformed_sha256: bytes,
    ) -> None:
        put(self, "id", id)
        put(self, "offered_by_us", offered_by_us)
        put(self, "state", state)
        put(self, "amount", amount)
        put(self, "payment_hash", payment_hash)
        put(self, "cltv_expiry", cltv_expiry)
        put(self, "onion", onion)
        put(self, "path_key", path_key)
        put(self, "preimage", preimage)
        put(self, "failure_onion", failure_onion)
        put(self, "malformed_code", malformed_code)
        put(self, "malformed_sha256", malformed_sha256)

    def write(self) -> bytes:
        if (
            len(self.payment_hash) != 32
            or len(self.onion) != 1366
            or (self.path_key is not None and len(self.path_key) != 33)
            or (self.preimage is not None and len(self.preimage) != 32)
            or len(self.malformed_sha256) != 32
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _HTLC_0.pack(
                    self.id,
                    self.offered_by_us,
                    self.state,
                    self.amount.msat,
                    self.payment_hash,
                    self.cltv_expiry,
                    self.onion,
                ),
                b"\x00" if self.path_key is None else b"\x01" + _HTLC_1.pack(self.path_key),
                b"\x00" if self.preimage is None else b"\x01" + _HTLC_2.pack(self.preimage),
                b"\x00" if self.failure_onion is None else b"\x01" + write_varbytes(
                    self.failure_onion,
                ),
                _HTLC_3.pack(self.malformed_code, self.malformed_sha256),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            id_,
            offered_by_us_0_,
            state_,
            amount_0_,
            payment_hash_,
            cltv_expiry_,
            onion_,
        ) = _HTLC_0.unpack_from(buf, pos)
        pos += 1420
        present = read_flag(buf, pos)
        pos += 1
        path_key_: bytes | None = None
        if present:
            (path_key_0_,) = _HTLC_1.unpack_from(buf, pos)
            pos += 33
            path_key_ = path_key_0_
        present = read_flag(buf, pos)
        pos += 1
        preimage_: bytes | None = None
        if present:
            (preimage_0_,) = _HTLC_2.unpack_from(buf, pos)
            pos += 32
            preimage_ = preimage_0_
        present = read_flag(buf, pos)
        pos += 1
        failure_onion_: bytes | None = None
        if present:
            failure_onion_, pos = read_varbytes(buf, pos)
        malformed_code_, malformed_sha256_ = _HTLC_3.unpack_from(buf, pos)
        pos += 34
        value = cls(
            id=id_,
            offered_by_us=to_bool(offered_by_us_0_),
            state=state_,
            amount=Msat(amount_0_),
            payment_hash=payment_hash_,
            cltv_expiry=cltv_expiry_,
            onion=onion_,
            path_key=path_key_,
            preimage=preimage_,
            failure_onion=failure_onion_,
            malformed_code=malformed_code_,
            malformed_sha256=malformed_sha256_,
        )
        return value, pos


_HTLC_CHANGE_0 = struct.Struct(">QBB")


@wire_class
class HtlcChange(Subtype):
    """An HTLC that changed its state."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("id", "u64", ""),
        ("offered_by_us", "bool", ""),
        ("state", "u8", ""),
    )

    __slots__ = ("id", "offered_by_us", "state")
    id: int  # u64
    offered_by_us: bool
    state: int  # u8

    def __init__(
        self,
        *,
        id: int,
        offered_by_us: bool,
        state: int,
    ) -> None:
        put(self, "id", id)
        put(self, "offered_by_us", offered_by_us)
        put(self, "state", state)

    def write(self) -> bytes:
        return _HTLC_CHANGE_0.pack(self.id, self.offered_by_us, self.state)

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        id_, offered_by_us_0_, state_ = _HTLC_CHANGE_0.unpack_from(buf, pos)
        pos += 10
        value = cls(
            id=id_,
            offered_by_us=to_bool(offered_by_us_0_),
            state=state_,
        )
        return value, pos


_FEE_STATE_0 = struct.Struct(">BI")


@wire_class
class FeeState(Subtype):
    """A feerate and how far it has come: the same 20 states, sent (added by us) or received."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("state", "u8", ""),
        ("feerate_perkw", "u32", ""),
    )

    __slots__ = ("state", "feerate_perkw")
    state: int  # u8
    feerate_perkw: int  # u32

    def __init__(
        self,
        *,
        state: int,
        feerate_perkw: int,
    ) -> None:
        put(self, "state", state)
        put(self, "feerate_perkw", feerate_perkw)

    def write(self) -> bytes:
        return _FEE_STATE_0.pack(self.state, self.feerate_perkw)

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        state_, feerate_perkw_ = _FEE_STATE_0.unpack_from(buf, pos)
        pos += 5
        value = cls(
            state=state_,
            feerate_perkw=feerate_perkw_,
        )
        return value, pos


_ONION_SECRET_0 = struct.Struct(">Q32sB")


@wire_class
class OnionSecret(Subtype):
    """Subtype `onion_secret`."""

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("id", "u64", ""),
        ("secret", "secret", ""),
        ("too_dusty", "bool", ""),
    )

    __slots__ = ("id", "secret", "too_dusty")
    id: int  # u64
    secret: Secret
    too_dusty: bool

    def __init__(
        self,
        *,
        id: int,
        secret: Secret,
        too_dusty: bool,
    ) -> None:
        put(self, "id", id)
        put(self, "secret", secret)
        put(self, "too_dusty", too_dusty)

    def write(self) -> bytes:
        if len(self.secret) != 32:
            raise wrong_length(self)
        return _ONION_SECRET_0.pack(self.id, self.secret.reveal(), self.too_dusty)

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        id_, secret_0_, too_dusty_0_ = _ONION_SECRET_0.unpack_from(buf, pos)
        pos += 41
        value = cls(
            id=id_,
            secret=Secret(secret_0_),
            too_dusty=to_bool(too_dusty_0_),
        )
        return value, pos


_CHANNELD_INIT_0 = struct.Struct(">H")
_CHANNELD_INIT_1 = struct.Struct(">IIIB")


@wire_class
class ChanneldInit(Message):
    """Master to worker, first. Type 600."""

    TYPE: ClassVar[int] = 600
    NAME: ClassVar[str] = "WIRE_CHANNELD_INIT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("network", "utf8", ""),
        ("features", "varbytes", ""),
        ("blockheight", "u32", ""),
        ("commit_time_ms", "u32", ""),
        ("dev_disable_commit_after", "u32", ""),
        ("dev_no_htlc_timeout", "bool", ""),
    )

    __slots__ = (
        "network",
        "features",
        "blockheight",
        "commit_time_ms",
        "dev_disable_commit_after",
        "dev_no_htlc_timeout",
    )
    network: str
    features: bytes
    blockheight: int  # u32
    commit_time_ms: int  # u32
    dev_disable_commit_after: int  # u32
    # Wait for ever for a revoke_and_ack.
    dev_no_htlc_timeout: bool

    def __init__(
        self,
        *,
        network: str,
        features: bytes,
        blockheight: int,
        commit_time_ms: int,
        dev_disable_commit_after: int,
        dev_no_htlc_timeout: bool,
    ) -> None:
        put(self, "network", network)
        put(self, "features", features)
        put(self, "blockheight", blockheight)
        put(self, "commit_time_ms", commit_time_ms)
        put(self, "dev_disable_commit_after", dev_disable_commit_after)
        put(self, "dev_no_htlc_timeout", dev_no_htlc_timeout)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_INIT_0.pack(600),
                write_string(self.network),
                write_varbytes(self.features),
                _CHANNELD_INIT_1.pack(
                    self.blockheight,
                    self.commit_time_ms,
                    self.dev_disable_commit_after,
                    self.dev_no_htlc_timeout,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_INIT_0.unpack_from(buf)
            if wire_type != 600:
                raise WireError(f"type {wire_type}, not 600")
            pos = 2
            network_, pos = read_string(buf, pos)
            features_, pos = read_varbytes(buf, pos)
            (
                blockheight_,
                commit_time_ms_,
                dev_disable_commit_after_,
                dev_no_htlc_timeout_0_,
            ) = _CHANNELD_INIT_1.unpack_from(buf, pos)
            pos += 13
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                network=network_,
                features=features_,
                blockheight=blockheight_,
                commit_time_ms=commit_time_ms_,
                dev_disable_commit_after=dev_disable_commit_after_,
                dev_no_htlc_timeout=to_bool(dev_no_htlc_timeout_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_CHANNEL_0 = struct.Struct(">H")
_CHANNELD_CHANNEL_1 = struct.Struct(">BI")
_CHANNELD_CHANNEL_2 = struct.Struct(">Q")
_CHANNELD_CHANNEL_3 = struct.Struct(">IQQQQQH")
_CHANNELD_CHANNEL_4 = struct.Struct(">33s")
_CHANNELD_CHANNEL_5 = struct.Struct(">QQH")
_CHANNELD_CHANNEL_6 = struct.Struct(">BBB")
_CHANNELD_CHANNEL_7 = struct.Struct(">IIQ")


@wire_class
class ChanneldChannel(Message):
    """Master to worker: here is a channel. No route yet: it waits for channeld_connected. Type
    601.
    """

    TYPE: ClassVar[int] = 601
    NAME: ClassVar[str] = "WIRE_CHANNELD_CHANNEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel", "channel_static", ""),
        ("announce", "bool", ""),
        ("minimum_depth", "u32", ""),
        ("short_channel_id", "?short_channel_id", ""),
        ("local_alias", "?short_channel_id", ""),
        ("depth", "u32", ""),
        ("next_local_commitment", "u64", ""),
        ("next_remote_commitment", "u64", ""),
        ("revocations_received", "u64", ""),
        ("to_local", "msat", ""),
        ("to_remote", "msat", ""),
        ("fees", "fee_state", "num_fees"),
        ("remote_current_point", "point", ""),
        ("remote_next_point", "?point", ""),
        ("shachain", "varbytes", ""),
        ("htlcs", "htlc", "num_htlcs"),
        ("next_htlc_id", "u64", ""),
        ("next_remote_htlc_id", "u64", ""),
        ("last_sent_updates", "varbytes", "num_last_sent"),
        ("last_was_revoke", "bool", ""),
        ("sent_channel_ready", "bool", ""),
        ("got_channel_ready", "bool", ""),
        ("local_shutdown_script", "varbytes", ""),
        ("remote_shutdown_script", "varbytes", ""),
        ("remote_upfront_shutdown_script", "varbytes", ""),
        ("their_features", "varbytes", ""),
        ("feerate_min_perkw", "u32", ""),
        ("feerate_max_perkw", "u32", ""),
        ("max_dust_exposure", "msat", ""),
    )

    __slots__ = (
        "channel",
        "announce",
        "minimum_depth",
        "short_channel_id",
        "local_alias",
        "depth",
        "next_local_commitment",
        "next_remote_commitment",
        "revocations_received",
        "to_local",
        "to_remote",
        "fees",
        "remote_current_point",
        "remote_next_point",
        "shachain",
        "htlcs",
        "next_htlc_id",
        "next_remote_htlc_id",
        "last_sent_updates",
        "last_was_revoke",
        "sent_channel_ready",
        "got_channel_ready",
        "local_shutdown_script",
        "remote_shutdown_script",
        "remote_upfront_shutdown_script",
        "their_features",
        "feerate_min_perkw",
        "feerate_max_perkw",
        "max_dust_exposure",
    )
    channel: ChannelStatic
    announce: bool
    minimum_depth: int  # u32
    short_channel_id: ShortChannelId | None
    local_alias: ShortChannelId | None
    depth: int  # u32
    next_local_commitment: int  # u64
    next_remote_commitment: int  # u64
    revocations_received: int  # u64
    to_local: Msat
    to_remote: Msat
    fees: tuple[FeeState, ...]
    remote_current_point: bytes  # 33 bytes
    remote_next_point: bytes | None
    shachain: bytes
    htlcs: tuple[Htlc, ...]
    next_htlc_id: int  # u64
    next_remote_htlc_id: int  # u64
    last_sent_updates: tuple[bytes, ...]
    last_was_revoke: bool
    sent_channel_ready: bool
    got_channel_ready: bool
    local_shutdown_script: bytes
    remote_shutdown_script: bytes
    remote_upfront_shutdown_script: bytes
    their_features: bytes
    feerate_min_perkw: int  # u32
    feerate_max_perkw: int  # u32
    max_dust_exposure: Msat

    def __init__(
        self,
        *,
        channel: ChannelStatic,
        announce: bool,
        minimum_depth: int,
        short_channel_id: ShortChannelId | None = None,
        local_alias: ShortChannelId | None = None,
        depth: int,
        next_local_commitment: int,
        next_remote_commitment: int,
        revocations_received: int,
        to_local: Msat,
        to_remote: Msat,
        fees: tuple[FeeState, ...],
        remote_current_point: bytes,
        remote_next_point: bytes | None = None,
        shachain: bytes,
        htlcs: tuple[Htlc, ...],
        next_htlc_id: int,
        next_remote_htlc_id: int,
        last_sent_updates: tuple[bytes, ...],
        last_was_revoke: bool,
        sent_channel_ready: bool,
        got_channel_ready: bool,
        local_shutdown_script: bytes,
        remote_shutdown_script: bytes,
        remote_upfront_shutdown_script: bytes,
        their_features: bytes,
        feerate_min_perkw: int,
        feerate_max_perkw: int,
        max_dust_exposure: Msat,
    ) -> None:
        put(self, "channel", channel)
        put(self, "announce", announce)
        put(self, "minimum_depth", minimum_depth)
        put(self, "short_channel_id", short_channel_id)
        put(self, "local_alias", local_alias)
        put(self, "depth", depth)
        put(self, "next_local_commitment", next_local_commitment)
        put(self, "next_remote_commitment", next_remote_commitment)
        put(self, "revocations_received", revocations_received)
        put(self, "to_local", to_local)
        put(self, "to_remote", to_remote)
        put(self, "fees", fees)
        put(self, "remote_current_point", remote_current_point)
        put(self, "remote_next_point", remote_next_point)
        put(self, "shachain", shachain)
        put(self, "htlcs", htlcs)
        put(self, "next_htlc_id", next_htlc_id)
        put(self, "next_remote_htlc_id", next_remote_htlc_id)
        put(self, "last_sent_updates", last_sent_updates)
        put(self, "last_was_revoke", last_was_revoke)
        put(self, "sent_channel_ready", sent_channel_ready)
        put(self, "got_channel_ready", got_channel_ready)
        put(self, "local_shutdown_script", local_shutdown_script)
        put(self, "remote_shutdown_script", remote_shutdown_script)
        put(self, "remote_upfront_shutdown_script", remote_upfront_shutdown_script)
        put(self, "their_features", their_features)
        put(self, "feerate_min_perkw", feerate_min_perkw)
        put(self, "feerate_max_perkw", feerate_max_perkw)
        put(self, "max_dust_exposure", max_dust_exposure)

    def encode(self) -> bytes:
        if (
            len(self.remote_current_point) != 33
            or (self.remote_next_point is not None and len(self.remote_next_point) != 33)
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_CHANNEL_0.pack(601),
                self.channel.write(),
                _CHANNELD_CHANNEL_1.pack(self.announce, self.minimum_depth),
                b"\x00" if self.short_channel_id is None else b"\x01" + _CHANNELD_CHANNEL_2.pack(
                    self.short_channel_id,
                ),
                b"\x00" if self.local_alias is None else b"\x01" + _CHANNELD_CHANNEL_2.pack(
                    self.local_alias,
                ),
                _CHANNELD_CHANNEL_3.pack(
                    self.depth,
                    self.next_local_commitment,
                    self.next_remote_commitment,
                    self.revocations_received,
                    self.to_local.msat,
                    self.to_remote.msat,
                    len(self.fees),
                ),
                b"".join([x.write() for x in self.fees]),
                _CHANNELD_CHANNEL_4.pack(self.remote_current_point),
                b"\x00" if self.remote_next_point is None else b"\x01" + _CHANNELD_CHANNEL_4.pack(
                    self.remote_next_point,
                ),
                write_varbytes(self.shachain),
                _CHANNELD_CHANNEL_0.pack(len(self.htlcs)),
                b"".join([x.write() for x in self.htlcs]),
                _CHANNELD_CHANNEL_5.pack(
                    self.next_htlc_id,
                    self.next_remote_htlc_id,
                    len(self.last_sent_updates),
                ),
                b"".join([write_varbytes(x) for x in self.last_sent_updates]),
                _CHANNELD_CHANNEL_6.pack(
                    self.last_was_revoke,
                    self.sent_channel_ready,
                    self.got_channel_ready,
                ),
                write_varbytes(self.local_shutdown_script),
                write_varbytes(self.remote_shutdown_script),
                write_varbytes(self.remote_upfront_shutdown_script),
                write_varbytes(self.their_features),
                _CHANNELD_CHANNEL_7.pack(
                    self.feerate_min_perkw,
                    self.feerate_max_perkw,
                    self.max_dust_exposure.msat,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_CHANNEL_0.unpack_from(buf)
            if wire_type != 601:
                raise WireError(f"type {wire_type}, not 601")
            pos = 2
            channel_, pos = ChannelStatic.read(buf, pos)
            announce_0_, minimum_depth_ = _CHANNELD_CHANNEL_1.unpack_from(buf, pos)
            pos += 5
            present = read_flag(buf, pos)
            pos += 1
            short_channel_id_: ShortChannelId | None = None
            if present:
                (short_channel_id_0_,) = _CHANNELD_CHANNEL_2.unpack_from(buf, pos)
                pos += 8
                short_channel_id_ = ShortChannelId(short_channel_id_0_)
            present = read_flag(buf, pos)
            pos += 1
            local_alias_: ShortChannelId | None = None
            if present:
                (local_alias_0_,) = _CHANNELD_CHANNEL_2.unpack_from(buf, pos)
                pos += 8
                local_alias_ = ShortChannelId(local_alias_0_)
            (
                depth_,
                next_local_commitment_,
                next_remote_commitment_,
                revocations_received_,
                to_local_0_,
                to_remote_0_,
                num_fees_,
            ) = _CHANNELD_CHANNEL_3.unpack_from(buf, pos)
            pos += 46
            end = pos + num_fees_ * 5
            if end > len(buf):
                raise too_short("fees", num_fees_ * 5, len(buf) - pos)
            fees_ = tuple(
                [
                    FeeState(state=state_, feerate_perkw=feerate_perkw_)
                    for state_, feerate_perkw_ in _CHANNELD_CHANNEL_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (remote_current_point_,) = _CHANNELD_CHANNEL_4.unpack_from(buf, pos)
            pos += 33
            present = read_flag(buf, pos)
            pos += 1
            remote_next_point_: bytes | None = None
            if present:
                (remote_next_point_0_,) = _CHANNELD_CHANNEL_4.unpack_from(buf, pos)
                pos += 33
                remote_next_point_ = remote_next_point_0_
            shachain_, pos = read_varbytes(buf, pos)
            (num_htlcs_,) = _CHANNELD_CHANNEL_0.unpack_from(buf, pos)
            pos += 2
            htlcs_list: list[Htlc] = []
            for _ in range(num_htlcs_):
                htlcs_one, pos = Htlc.read(buf, pos)
                htlcs_list.append(htlcs_one)
            htlcs_ = tuple(htlcs_list)
            (
                next_htlc_id_,
                next_remote_htlc_id_,
                num_last_sent_,
            ) = _CHANNELD_CHANNEL_5.unpack_from(buf, pos)
            pos += 18
            last_sent_updates_list: list[bytes] = []
            for _ in range(num_last_sent_):
                last_sent_updates_one, pos = read_varbytes(buf, pos)
                last_sent_updates_list.append(last_sent_updates_one)
            last_sent_updates_ = tuple(last_sent_updates_list)
            (
                last_was_revoke_0_,
                sent_channel_ready_0_,
                got_channel_ready_0_,
            ) = _CHANNELD_CHANNEL_6.unpack_from(buf, pos)
            pos += 3
            local_shutdown_script_, pos = read_varbytes(buf, pos)
            remote_shutdown_script_, pos = read_varbytes(buf, pos)
            remote_upfront_shutdown_script_, pos = read_varbytes(buf, pos)
            their_features_, pos = read_varbytes(buf, pos)
            (
                feerate_min_perkw_,
                feerate_max_perkw_,
                max_dust_exposure_0_,
            ) = _CHANNELD_CHANNEL_7.unpack_from(buf, pos)
            pos += 16
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                channel=channel_,
                announce=to_bool(announce_0_),
                minimum_depth=minimum_depth_,
                short_channel_id=short_channel_id_,
                local_alias=local_alias_,
                depth=depth_,
                next_local_commitment=next_local_commitment_,
                next_remote_commitment=next_remote_commitment_,
                revocations_received=revocations_received_,
                to_local=Msat(to_local_0_),
                to_remote=Msat(to_remote_0_),
                fees=fees_,
                remote_current_point=remote_current_point_,
                remote_next_point=remote_next_point_,
                shachain=shachain_,
                htlcs=htlcs_,
                next_htlc_id=next_htlc_id_,
                next_remote_htlc_id=next_remote_htlc_id_,
                last_sent_updates=last_sent_updates_,
                last_was_revoke=to_bool(last_was_revoke_0_),
                sent_channel_ready=to_bool(sent_channel_ready_0_),
                got_channel_ready=to_bool(got_channel_ready_0_),
                local_shutdown_script=local_shutdown_script_,
                remote_shutdown_script=remote_shutdown_script_,
                remote_upfront_shutdown_script=remote_upfront_shutdown_script_,
                their_features=their_features_,
                feerate_min_perkw=feerate_min_perkw_,
                feerate_max_perkw=feerate_max_perkw_,
                max_dust_exposure=Msat(max_dust_exposure_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_FORGET_0 = struct.Struct(">HQ")


@wire_class
class ChanneldForget(Message):
    """Type 602."""

    TYPE: ClassVar[int] = 602
    NAME: ClassVar[str] = "WIRE_CHANNELD_FORGET"
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
        return _CHANNELD_FORGET_0.pack(602, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_FORGET_0.unpack(buf)
            if wire_type != 602:
                raise WireError(f"type {wire_type}, not 602")
            return cls(
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_CONNECTED_0 = struct.Struct(">HQQB")


@wire_class
class ChanneldConnected(Message):
    """The peer is here: reestablish on this route (never before on this channel when `fresh`:
    just opened on this connection). Type 603.
    """

    TYPE: ClassVar[int] = 603
    NAME: ClassVar[str] = "WIRE_CHANNELD_CONNECTED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
        ("fresh", "bool", ""),
        ("their_features", "varbytes", ""),
    )

    __slots__ = ("dbid", "route_id", "fresh", "their_features")
    dbid: int  # u64
    route_id: int  # u64
    fresh: bool
    their_features: bytes

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
        fresh: bool,
        their_features: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)
        put(self, "fresh", fresh)
        put(self, "their_features", their_features)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_CONNECTED_0.pack(603, self.dbid, self.route_id, self.fresh),
                write_varbytes(self.their_features),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, route_id_, fresh_0_ = _CHANNELD_CONNECTED_0.unpack_from(buf)
            if wire_type != 603:
                raise WireError(f"type {wire_type}, not 603")
            pos = 19
            their_features_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                route_id=route_id_,
                fresh=to_bool(fresh_0_),
                their_features=their_features_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_BLOCKHEIGHT_0 = struct.Struct(">HI")


@wire_class
class ChanneldBlockheight(Message):
    """Type 604."""

    TYPE: ClassVar[int] = 604
    NAME: ClassVar[str] = "WIRE_CHANNELD_BLOCKHEIGHT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("height", "u32", ""),
    )

    __slots__ = ("height",)
    height: int  # u32

    def __init__(
        self,
        *,
        height: int,
    ) -> None:
        put(self, "height", height)

    def encode(self) -> bytes:
        return _CHANNELD_BLOCKHEIGHT_0.pack(604, self.height)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, height_ = _CHANNELD_BLOCKHEIGHT_0.unpack(buf)
            if wire_type != 604:
                raise WireError(f"type {wire_type}, not 604")
            return cls(
                height=height_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_FUNDING_DEPTH_0 = struct.Struct(">HQI")
_CHANNELD_FUNDING_DEPTH_1 = struct.Struct(">Q")


@wire_class
class ChanneldFundingDepth(Message):
    """Type 605."""

    TYPE: ClassVar[int] = 605
    NAME: ClassVar[str] = "WIRE_CHANNELD_FUNDING_DEPTH"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("depth", "u32", ""),
        ("short_channel_id", "?short_channel_id", ""),
        ("local_alias", "?short_channel_id", ""),
    )

    __slots__ = ("dbid", "depth", "short_channel_id", "local_alias")
    dbid: int  # u64
    depth: int  # u32
    short_channel_id: ShortChannelId | None
    local_alias: ShortChannelId | None

    def __init__(
        self,
        *,
        dbid: int,
        depth: int,
        short_channel_id: ShortChannelId | None = None,
        local_alias: ShortChannelId | None = None,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "depth", depth)
        put(self, "short_channel_id", short_channel_id)
        put(self, "local_alias", local_alias)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_FUNDING_DEPTH_0.pack(605, self.dbid, self.depth),
                b"\x00" if self.short_channel_id is None else b"\x01" + _CHANNELD_FUNDING_DEPTH_1.pack(
                    self.short_channel_id,
                ),
                b"\x00" if self.local_alias is None else b"\x01" + _CHANNELD_FUNDING_DEPTH_1.pack(
                    self.local_alias,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, depth_ = _CHANNELD_FUNDING_DEPTH_0.unpack_from(buf)
            if wire_type != 605:
                raise WireError(f"type {wire_type}, not 605")
            pos = 14
            present = read_flag(buf, pos)
            pos += 1
            short_channel_id_: ShortChannelId | None = None
            if present:
                (short_channel_id_0_,) = _CHANNELD_FUNDING_DEPTH_1.unpack_from(buf, pos)
                pos += 8
                short_channel_id_ = ShortChannelId(short_channel_id_0_)
            present = read_flag(buf, pos)
            pos += 1
            local_alias_: ShortChannelId | None = None
            if present:
                (local_alias_0_,) = _CHANNELD_FUNDING_DEPTH_1.unpack_from(buf, pos)
                pos += 8
                local_alias_ = ShortChannelId(local_alias_0_)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                depth=depth_,
                short_channel_id=short_channel_id_,
                local_alias=local_alias_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_OFFER_HTLC_0 = struct.Struct(">HQQQI32s1366s")
_CHANNELD_OFFER_HTLC_1 = struct.Struct(">33s")


@wire_class
class ChanneldOfferHtlc(Message):
    """Offer an HTLC. The answer is htlc_offered with the same cookie: its id, or why not.
    `failure` is then a BOLT 4 failure message. Type 606.
    """

    TYPE: ClassVar[int] = 606
    NAME: ClassVar[str] = "WIRE_CHANNELD_OFFER_HTLC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("cookie", "u64", ""),
        ("amount", "msat", ""),
        ("cltv_expiry", "u32", ""),
        ("payment_hash", "sha256", ""),
        ("onion", "byte", "1366"),
        ("path_key", "?point", ""),
    )

    __slots__ = ("dbid", "cookie", "amount", "cltv_expiry", "payment_hash", "onion", "path_key")
    dbid: int  # u64
    cookie: int  # u64
    amount: Msat
    cltv_expiry: int  # u32
    payment_hash: bytes  # 32 bytes
    onion: bytes  # 1366 bytes
    path_key: bytes | None

    def __init__(
        self,
        *,
        dbid: int,
        cookie: int,
        amount: Msat,
        cltv_expiry: int,
        payment_hash: bytes,
        onion: bytes,
        path_key: bytes | None = None,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "cookie", cookie)
        put(self, "amount", amount)
        put(self, "cltv_expiry", cltv_expiry)
        put(self, "payment_hash", payment_hash)
        put(self, "onion", onion)
        put(self, "path_key", path_key)

    def encode(self) -> bytes:
        if (
            len(self.payment_hash) != 32
            or len(self.onion) != 1366
            or (self.path_key is not None and len(self.path_key) != 33)
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_OFFER_HTLC_0.pack(
                    606,
                    self.dbid,
                    self.cookie,
                    self.amount.msat,
                    self.cltv_expiry,
                    self.payment_hash,
                    self.onion,
                ),
                b"\x00" if self.path_key is None else b"\x01" + _CHANNELD_OFFER_HTLC_1.pack(
                    self.path_key,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                dbid_,
                cookie_,
                amount_0_,
                cltv_expiry_,
                payment_hash_,
                onion_,
            ) = _CHANNELD_OFFER_HTLC_0.unpack_from(buf)
            if wire_type != 606:
                raise WireError(f"type {wire_type}, not 606")
            pos = 1428
            present = read_flag(buf, pos)
            pos += 1
            path_key_: bytes | None = None
            if present:
                (path_key_0_,) = _CHANNELD_OFFER_HTLC_1.unpack_from(buf, pos)
                pos += 33
                path_key_ = path_key_0_
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                cookie=cookie_,
                amount=Msat(amount_0_),
                cltv_expiry=cltv_expiry_,
                payment_hash=payment_hash_,
                onion=onion_,
                path_key=path_key_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_HTLC_OFFERED_0 = struct.Struct(">HQQQH")


@wire_class
class ChanneldHtlcOffered(Message):
    """Type 607."""

    TYPE: ClassVar[int] = 607
    NAME: ClassVar[str] = "WIRE_CHANNELD_HTLC_OFFERED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("cookie", "u64", ""),
        ("id", "u64", ""),
        ("failure_code", "u16", ""),
        ("error", "utf8", ""),
    )

    __slots__ = ("dbid", "cookie", "id", "failure_code", "error")
    dbid: int  # u64
    cookie: int  # u64
    id: int  # u64
    failure_code: int  # u16
    error: str

    def __init__(
        self,
        *,
        dbid: int,
        cookie: int,
        id: int,
        failure_code: int,
        error: str,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "cookie", cookie)
        put(self, "id", id)
        put(self, "failure_code", failure_code)
        put(self, "error", error)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_HTLC_OFFERED_0.pack(
                    607,
                    self.dbid,
                    self.cookie,
                    self.id,
                    self.failure_code,
                ),
                write_string(self.error),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                dbid_,
                cookie_,
                id_,
                failure_code_,
            ) = _CHANNELD_HTLC_OFFERED_0.unpack_from(buf)
            if wire_type != 607:
                raise WireError(f"type {wire_type}, not 607")
            pos = 28
            error_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                cookie=cookie_,
                id=id_,
                failure_code=failure_code_,
                error=error_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_FULFILL_HTLC_0 = struct.Struct(">HQQ32s")


@wire_class
class ChanneldFulfillHtlc(Message):
    """Remove an HTLC the peer offered. The master has written it down before. Type 608."""

    TYPE: ClassVar[int] = 608
    NAME: ClassVar[str] = "WIRE_CHANNELD_FULFILL_HTLC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("id", "u64", ""),
        ("preimage", "preimage", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"preimage"})

    __slots__ = ("dbid", "id", "preimage")
    dbid: int  # u64
    id: int  # u64
    preimage: bytes  # 32 bytes

    def __init__(
        self,
        *,
        dbid: int,
        id: int,
        preimage: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "id", id)
        put(self, "preimage", preimage)

    def encode(self) -> bytes:
        if len(self.preimage) != 32:
            raise wrong_length(self)
        return _CHANNELD_FULFILL_HTLC_0.pack(608, self.dbid, self.id, self.preimage)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, id_, preimage_ = _CHANNELD_FULFILL_HTLC_0.unpack(buf)
            if wire_type != 608:
                raise WireError(f"type {wire_type}, not 608")
            return cls(
                dbid=dbid_,
                id=id_,
                preimage=preimage_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_FAIL_HTLC_0 = struct.Struct(">HQQ")
_CHANNELD_FAIL_HTLC_1 = struct.Struct(">H32s")


@wire_class
class ChanneldFailHtlc(Message):
    """Type 609."""

    TYPE: ClassVar[int] = 609
    NAME: ClassVar[str] = "WIRE_CHANNELD_FAIL_HTLC"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("id", "u64", ""),
        ("failure_onion", "varbytes", ""),
        ("malformed_code", "u16", ""),
        ("malformed_sha256", "sha256", ""),
    )

    __slots__ = ("dbid", "id", "failure_onion", "malformed_code", "malformed_sha256")
    dbid: int  # u64
    id: int  # u64
    failure_onion: bytes
    malformed_code: int  # u16
    malformed_sha256: bytes  # 32 bytes

    def __init__(
        self,
        *,
        dbid: int,
        id: int,
        failure_onion: bytes,
        malformed_code: int,
        malformed_sha256: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "id", id)
        put(self, "failure_onion", failure_onion)
        put(self, "malformed_code", malformed_code)
        put(self, "malformed_sha256", malformed_sha256)

    def encode(self) -> bytes:
        if len(self.malformed_sha256) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_FAIL_HTLC_0.pack(609, self.dbid, self.id),
                write_varbytes(self.failure_onion),
                _CHANNELD_FAIL_HTLC_1.pack(self.malformed_code, self.malformed_sha256),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, id_ = _CHANNELD_FAIL_HTLC_0.unpack_from(buf)
            if wire_type != 609:
                raise WireError(f"type {wire_type}, not 609")
            pos = 18
            failure_onion_, pos = read_varbytes(buf, pos)
            malformed_code_, malformed_sha256_ = _CHANNELD_FAIL_HTLC_1.unpack_from(buf, pos)
            pos += 34
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                id=id_,
                failure_onion=failure_onion_,
                malformed_code=malformed_code_,
                malformed_sha256=malformed_sha256_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_FEERATES_0 = struct.Struct(">HQIII")


@wire_class
class ChanneldFeerates(Message):
    """New feerate wanted (we are opener), and the range we accept from the peer. Type 610."""

    TYPE: ClassVar[int] = 610
    NAME: ClassVar[str] = "WIRE_CHANNELD_FEERATES"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("feerate_perkw", "u32", ""),
        ("feerate_min_perkw", "u32", ""),
        ("feerate_max_perkw", "u32", ""),
    )

    __slots__ = ("dbid", "feerate_perkw", "feerate_min_perkw", "feerate_max_perkw")
    dbid: int  # u64
    feerate_perkw: int  # u32
    feerate_min_perkw: int  # u32
    feerate_max_perkw: int  # u32

    def __init__(
        self,
        *,
        dbid: int,
        feerate_perkw: int,
        feerate_min_perkw: int,
        feerate_max_perkw: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "feerate_perkw", feerate_perkw)
        put(self, "feerate_min_perkw", feerate_min_perkw)
        put(self, "feerate_max_perkw", feerate_max_perkw)

    def encode(self) -> bytes:
        return _CHANNELD_FEERATES_0.pack(
            610,
            self.dbid,
            self.feerate_perkw,
            self.feerate_min_perkw,
            self.feerate_max_perkw,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                dbid_,
                feerate_perkw_,
                feerate_min_perkw_,
                feerate_max_perkw_,
            ) = _CHANNELD_FEERATES_0.unpack(buf)
            if wire_type != 610:
                raise WireError(f"type {wire_type}, not 610")
            return cls(
                dbid=dbid_,
                feerate_perkw=feerate_perkw_,
                feerate_min_perkw=feerate_min_perkw_,
                feerate_max_perkw=feerate_max_perkw_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_SHUTDOWN_0 = struct.Struct(">HQ")


@wire_class
class ChanneldShutdown(Message):
    """Type 611."""

    TYPE: ClassVar[int] = 611
    NAME: ClassVar[str] = "WIRE_CHANNELD_SHUTDOWN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("script", "varbytes", ""),
    )

    __slots__ = ("dbid", "script")
    dbid: int  # u64
    script: bytes

    def __init__(
        self,
        *,
        dbid: int,
        script: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "script", script)

    def encode(self) -> bytes:
        return b"".join((_CHANNELD_SHUTDOWN_0.pack(611, self.dbid), write_varbytes(self.script)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_SHUTDOWN_0.unpack_from(buf)
            if wire_type != 611:
                raise WireError(f"type {wire_type}, not 611")
            pos = 10
            script_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                script=script_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_WRONG_FUNDING_0 = struct.Struct(">HQ32sI")


@wire_class
class ChanneldWrongFunding(Message):
    """We paid to another output than was negotiated: our shutdown names it. Before
    channeld_shutdown, and after channeld_channel. Type 613.
    """

    TYPE: ClassVar[int] = 613
    NAME: ClassVar[str] = "WIRE_CHANNELD_WRONG_FUNDING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("outpoint", "outpoint", ""),
    )

    __slots__ = ("dbid", "outpoint")
    dbid: int  # u64
    outpoint: Outpoint

    def __init__(
        self,
        *,
        dbid: int,
        outpoint: Outpoint,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "outpoint", outpoint)

    def encode(self) -> bytes:
        if len(self.outpoint.txid) != 32:
            raise wrong_length(self)
        return _CHANNELD_WRONG_FUNDING_0.pack(
            613,
            self.dbid,
            self.outpoint.txid,
            self.outpoint.index,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, outpoint_0_, outpoint_1_ = _CHANNELD_WRONG_FUNDING_0.unpack(buf)
            if wire_type != 613:
                raise WireError(f"type {wire_type}, not 613")
            return cls(
                dbid=dbid_,
                outpoint=Outpoint(outpoint_0_, outpoint_1_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_JOINT_FUNDING_0 = struct.Struct(">HQ")
_CHANNELD_JOINT_FUNDING_1 = struct.Struct(">BBBH")


@wire_class
class ChanneldJointFunding(Message):
    """Dual funding (BOLT 2, 'Channel Establishment v2'). After channeld_channel and before
    channeld_connected, until all of it is done: the funding transaction is complete, but not
    all signatures are there. `got_commitment`: the peer's signature of our first commitment
    is durable. `signed`: our witnesses (each encoded as in tx_signatures, in the order of our
    inputs) are; the peer may have them. Type 614.
    """

    TYPE: ClassVar[int] = 614
    NAME: ClassVar[str] = "WIRE_CHANNELD_JOINT_FUNDING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("funding", "joint_funding", ""),
        ("got_commitment", "bool", ""),
        ("got_signatures", "bool", ""),
        ("signed", "bool", ""),
        ("witnesses", "varbytes", "num_witnesses"),
    )

    __slots__ = ("dbid", "funding", "got_commitment", "got_signatures", "signed", "witnesses")
    dbid: int  # u64
    funding: JointFunding
    got_commitment: bool
    got_signatures: bool
    signed: bool
    witnesses: tuple[bytes, ...]

    def __init__(
        self,
        *,
        dbid: int,
        funding: JointFunding,
        got_commitment: bool,
        got_signatures: bool,
        signed: bool,
        witnesses: tuple[bytes, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "funding", funding)
        put(self, "got_commitment", got_commitment)
        put(self, "got_signatures", got_signatures)
        put(self, "signed", signed)
        put(self, "witnesses", witnesses)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_JOINT_FUNDING_0.pack(614, self.dbid),
                self.funding.write(),
                _CHANNELD_JOINT_FUNDING_1.pack(
                    self.got_commitment,
                    self.got_signatures,
                    self.signed,
                    len(self.witnesses),
                ),
                b"".join([write_varbytes(x) for x in self.witnesses]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_JOINT_FUNDING_0.unpack_from(buf)
            if wire_type != 614:
                raise WireError(f"type {wire_type}, not 614")
            pos = 10
            funding_, pos = JointFunding.read(buf, pos)
            (
                got_commitment_0_,
                got_signatures_0_,
                signed_0_,
                num_witnesses_,
            ) = _CHANNELD_JOINT_FUNDING_1.unpack_from(buf, pos)
            pos += 5
            witnesses_list: list[bytes] = []
            for _ in range(num_witnesses_):
                witnesses_one, pos = read_varbytes(buf, pos)
                witnesses_list.append(witnesses_one)
            witnesses_ = tuple(witnesses_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                funding=funding_,
                got_commitment=to_bool(got_commitment_0_),
                got_signatures=to_bool(got_signatures_0_),
                signed=to_bool(signed_0_),
                witnesses=witnesses_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_FUNDING_SIGNED_0 = struct.Struct(">HQH")


@wire_class
class ChanneldFundingSigned(Message):
    """Our inputs are signed, and that is durable: from now on the channel must be remembered.
    Never before got_first_commitsig. Type 615.
    """

    TYPE: ClassVar[int] = 615
    NAME: ClassVar[str] = "WIRE_CHANNELD_FUNDING_SIGNED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("witnesses", "varbytes", "num_witnesses"),
    )

    __slots__ = ("dbid", "witnesses")
    dbid: int  # u64
    witnesses: tuple[bytes, ...]

    def __init__(
        self,
        *,
        dbid: int,
        witnesses: tuple[bytes, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "witnesses", witnesses)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_FUNDING_SIGNED_0.pack(615, self.dbid, len(self.witnesses)),
                b"".join([write_varbytes(x) for x in self.witnesses]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, num_witnesses_ = _CHANNELD_FUNDING_SIGNED_0.unpack_from(buf)
            if wire_type != 615:
                raise WireError(f"type {wire_type}, not 615")
            pos = 12
            witnesses_list: list[bytes] = []
            for _ in range(num_witnesses_):
                witnesses_one, pos = read_varbytes(buf, pos)
                witnesses_list.append(witnesses_one)
            witnesses_ = tuple(witnesses_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                witnesses=witnesses_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_ABORT_FUNDING_0 = struct.Struct(">HQ")


@wire_class
class ChanneldAbortFunding(Message):
    """Give up an opening that is not `signed` (openchannel_abort): tx_abort, then
    channeld_failed kind 6. Type 616.
    """

    TYPE: ClassVar[int] = 616
    NAME: ClassVar[str] = "WIRE_CHANNELD_ABORT_FUNDING"
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
        return b"".join((_CHANNELD_ABORT_FUNDING_0.pack(616, self.dbid), write_string(self.reason)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_ABORT_FUNDING_0.unpack_from(buf)
            if wire_type != 616:
                raise WireError(f"type {wire_type}, not 616")
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


_CHANNELD_LATE_MSG_0 = struct.Struct(">HQQ")


@wire_class
class ChanneldLateMsg(Message):
    """A peer message that reached openingd when the channel's route was ours already: as if it
    came on that route. Type 617.
    """

    TYPE: ClassVar[int] = 617
    NAME: ClassVar[str] = "WIRE_CHANNELD_LATE_MSG"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("dbid", "route_id", "msg")
    dbid: int  # u64
    route_id: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
        msg: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        return b"".join(
            (_CHANNELD_LATE_MSG_0.pack(617, self.dbid, self.route_id), write_varbytes(self.msg)),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, route_id_ = _CHANNELD_LATE_MSG_0.unpack_from(buf)
            if wire_type != 617:
                raise WireError(f"type {wire_type}, not 617")
            pos = 18
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                route_id=route_id_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_SEND_0 = struct.Struct(">HQ")


@wire_class
class ChanneldSend(Message):
    """Send these encoded messages (announcement_signatures, channel_update) once the channel is
    reestablished. Type 612.
    """

    TYPE: ClassVar[int] = 612
    NAME: ClassVar[str] = "WIRE_CHANNELD_SEND"
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
        return b"".join((_CHANNELD_SEND_0.pack(612, self.dbid), write_varbytes(self.msg)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_SEND_0.unpack_from(buf)
            if wire_type != 612:
                raise WireError(f"type {wire_type}, not 612")
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


_CHANNELD_SENDING_COMMITSIG_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldSendingCommitsigReply(Message):
    """Type 621."""

    TYPE: ClassVar[int] = 621
    NAME: ClassVar[str] = "WIRE_CHANNELD_SENDING_COMMITSIG_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CHANNELD_SENDING_COMMITSIG_REPLY_0.pack(621)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_SENDING_COMMITSIG_REPLY_0.unpack(buf)
            if wire_type != 621:
                raise WireError(f"type {wire_type}, not 621")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_SENDING_COMMITSIG_0 = struct.Struct(">HQQH")
_CHANNELD_SENDING_COMMITSIG_1 = struct.Struct(">H")
_CHANNELD_SENDING_COMMITSIG_2 = struct.Struct(">QBB")
_CHANNELD_SENDING_COMMITSIG_3 = struct.Struct(">BI")


@wire_class
class ChanneldSendingCommitsig(Request[ChanneldSendingCommitsigReply]):
    """Worker to master, each durable when its reply is here. About to send commitment_signed for
    remote commitment `number`. Type 620.
    """

    TYPE: ClassVar[int] = 620
    NAME: ClassVar[str] = "WIRE_CHANNELD_SENDING_COMMITSIG"
    REPLY: ClassVar[type[ChanneldSendingCommitsigReply]] = ChanneldSendingCommitsigReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("number", "u64", ""),
        ("added", "htlc", "num_added"),
        ("changed", "htlc_change", "num_changed"),
        ("fees", "fee_state", "num_fees"),
        ("updates", "varbytes", "num_updates"),
    )

    __slots__ = ("dbid", "number", "added", "changed", "fees", "updates")
    dbid: int  # u64
    number: int  # u64
    added: tuple[Htlc, ...]
    changed: tuple[HtlcChange, ...]
    fees: tuple[FeeState, ...]
    updates: tuple[bytes, ...]

    def __init__(
        self,
        *,
        dbid: int,
        number: int,
        added: tuple[Htlc, ...],
        changed: tuple[HtlcChange, ...],
        fees: tuple[FeeState, ...],
        updates: tuple[bytes, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "number", number)
        put(self, "added", added)
        put(self, "changed", changed)
        put(self, "fees", fees)
        put(self, "updates", updates)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_SENDING_COMMITSIG_0.pack(620, self.dbid, self.number, len(self.added)),
                b"".join([x.write() for x in self.added]),
                _CHANNELD_SENDING_COMMITSIG_1.pack(len(self.changed)),
                b"".join([x.write() for x in self.changed]),
                _CHANNELD_SENDING_COMMITSIG_1.pack(len(self.fees)),
                b"".join([x.write() for x in self.fees]),
                _CHANNELD_SENDING_COMMITSIG_1.pack(len(self.updates)),
                b"".join([write_varbytes(x) for x in self.updates]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, number_, num_added_ = _CHANNELD_SENDING_COMMITSIG_0.unpack_from(buf)
            if wire_type != 620:
                raise WireError(f"type {wire_type}, not 620")
            pos = 20
            added_list: list[Htlc] = []
            for _ in range(num_added_):
                added_one, pos = Htlc.read(buf, pos)
                added_list.append(added_one)
            added_ = tuple(added_list)
            (num_changed_,) = _CHANNELD_SENDING_COMMITSIG_1.unpack_from(buf, pos)
            pos += 2
            end = pos + num_changed_ * 10
            if end > len(buf):
                raise too_short("changed", num_changed_ * 10, len(buf) - pos)
            changed_ = tuple(
                [
                    HtlcChange(id=id_, offered_by_us=to_bool(offered_by_us_0_), state=state_)
                    for (
                        id_,
                        offered_by_us_0_,
                        state_,
                    ) in _CHANNELD_SENDING_COMMITSIG_2.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (num_fees_,) = _CHANNELD_SENDING_COMMITSIG_1.unpack_from(buf, pos)
            pos += 2
            end = pos + num_fees_ * 5
            if end > len(buf):
                raise too_short("fees", num_fees_ * 5, len(buf) - pos)
            fees_ = tuple(
                [
                    FeeState(state=state_, feerate_perkw=feerate_perkw_)
                    for (
                        state_,
                        feerate_perkw_,
                    ) in _CHANNELD_SENDING_COMMITSIG_3.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (num_updates_,) = _CHANNELD_SENDING_COMMITSIG_1.unpack_from(buf, pos)
            pos += 2
            updates_list: list[bytes] = []
            for _ in range(num_updates_):
                updates_one, pos = read_varbytes(buf, pos)
                updates_list.append(updates_one)
            updates_ = tuple(updates_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                number=number_,
                added=added_,
                changed=changed_,
                fees=fees_,
                updates=updates_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_COMMITSIG_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldGotCommitsigReply(Message):
    """Type 623."""

    TYPE: ClassVar[int] = 623
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_COMMITSIG_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CHANNELD_GOT_COMMITSIG_REPLY_0.pack(623)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_GOT_COMMITSIG_REPLY_0.unpack(buf)
            if wire_type != 623:
                raise WireError(f"type {wire_type}, not 623")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_COMMITSIG_0 = struct.Struct(">HQQ")
_CHANNELD_GOT_COMMITSIG_1 = struct.Struct(">64sH")
_CHANNELD_GOT_COMMITSIG_2 = struct.Struct(">QQH")
_CHANNELD_GOT_COMMITSIG_3 = struct.Struct(">H")
_CHANNELD_GOT_COMMITSIG_4 = struct.Struct(">64s")
_CHANNELD_GOT_COMMITSIG_5 = struct.Struct(">QBB")
_CHANNELD_GOT_COMMITSIG_6 = struct.Struct(">BI")


@wire_class
class ChanneldGotCommitsig(Request[ChanneldGotCommitsigReply]):
    """The peer signed our commitment `number`; `tx` unsigned. Our revoke_and_ack for number-1
    follows the reply at once, so `changed` and `fees` give the states after it
    (SENT_..._REVOCATION), and last_was_revoke becomes true. Added: HTLCs first seen in it.
    Removed: HTLCs of ours whose removal the peer asked for, first seen in it (with preimage
    or failure). Type 622.
    """

    TYPE: ClassVar[int] = 622
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_COMMITSIG"
    REPLY: ClassVar[type[ChanneldGotCommitsigReply]] = ChanneldGotCommitsigReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("number", "u64", ""),
        ("tx", "varbytes", ""),
        ("signature", "signature", ""),
        ("htlc_signatures", "signature", "num_htlc_signatures"),
        ("to_local", "msat", ""),
        ("to_remote", "msat", ""),
        ("added", "htlc", "num_added"),
        ("removed", "htlc", "num_removed"),
        ("changed", "htlc_change", "num_changed"),
        ("fees", "fee_state", "num_fees"),
    )

    __slots__ = (
        "dbid",
        "number",
        "tx",
        "signature",
        "htlc_signatures",
        "to_local",
        "to_remote",
        "added",
        "removed",
        "changed",
        "fees",
    )
    dbid: int  # u64
    number: int  # u64
    tx: bytes
    signature: bytes  # 64 bytes
    htlc_signatures: tuple[bytes, ...]
    to_local: Msat
    to_remote: Msat
    added: tuple[Htlc, ...]
    removed: tuple[Htlc, ...]
    changed: tuple[HtlcChange, ...]
    fees: tuple[FeeState, ...]

    def __init__(
        self,
        *,
        dbid: int,
        number: int,
        tx: bytes,
        signature: bytes,
        htlc_signatures: tuple[bytes, ...],
        to_local: Msat,
        to_remote: Msat,
        added: tuple[Htlc, ...],
        removed: tuple[Htlc, ...],
        changed: tuple[HtlcChange, ...],
        fees: tuple[FeeState, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "number", number)
        put(self, "tx", tx)
        put(self, "signature", signature)
        put(self, "htlc_signatures", htlc_signatures)
        put(self, "to_local", to_local)
        put(self, "to_remote", to_remote)
        put(self, "added", added)
        put(self, "removed", removed)
        put(self, "changed", changed)
        put(self, "fees", fees)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_GOT_COMMITSIG_0.pack(622, self.dbid, self.number),
                write_varbytes(self.tx),
                _CHANNELD_GOT_COMMITSIG_1.pack(self.signature, len(self.htlc_signatures)),
                join_fixed(self.htlc_signatures, 64),
                _CHANNELD_GOT_COMMITSIG_2.pack(
                    self.to_local.msat,
                    self.to_remote.msat,
                    len(self.added),
                ),
                b"".join([x.write() for x in self.added]),
                _CHANNELD_GOT_COMMITSIG_3.pack(len(self.removed)),
                b"".join([x.write() for x in self.removed]),
                _CHANNELD_GOT_COMMITSIG_3.pack(len(self.changed)),
                b"".join([x.write() for x in self.changed]),
                _CHANNELD_GOT_COMMITSIG_3.pack(len(self.fees)),
                b"".join([x.write() for x in self.fees]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, number_ = _CHANNELD_GOT_COMMITSIG_0.unpack_from(buf)
            if wire_type != 622:
                raise WireError(f"type {wire_type}, not 622")
            pos = 18
            tx_, pos = read_varbytes(buf, pos)
            signature_, num_htlc_signatures_ = _CHANNELD_GOT_COMMITSIG_1.unpack_from(buf, pos)
            pos += 66
            end = pos + num_htlc_signatures_ * 64
            if end > len(buf):
                raise too_short("htlc_signatures", num_htlc_signatures_ * 64, len(buf) - pos)
            htlc_signatures_ = tuple(
                [
                    htlc_signatures_
                    for (htlc_signatures_,) in _CHANNELD_GOT_COMMITSIG_4.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            to_local_0_, to_remote_0_, num_added_ = _CHANNELD_GOT_COMMITSIG_2.unpack_from(buf, pos)
            pos += 18
            added_list: list[Htlc] = []
            for _ in range(num_added_):
                added_one, pos = Htlc.read(buf, pos)
                added_list.append(added_one)
            added_ = tuple(added_list)
            (num_removed_,) = _CHANNELD_GOT_COMMITSIG_3.unpack_from(buf, pos)
            pos += 2
            removed_list: list[Htlc] = []
            for _ in range(num_removed_):
                removed_one, pos = Htlc.read(buf, pos)
                removed_list.append(removed_one)
            removed_ = tuple(removed_list)
            (num_changed_,) = _CHANNELD_GOT_COMMITSIG_3.unpack_from(buf, pos)
            pos += 2
            end = pos + num_changed_ * 10
            if end > len(buf):
                raise too_short("changed", num_changed_ * 10, len(buf) - pos)
            changed_ = tuple(
                [
                    HtlcChange(id=id_, offered_by_us=to_bool(offered_by_us_0_), state=state_)
                    for (
                        id_,
                        offered_by_us_0_,
                        state_,
                    ) in _CHANNELD_GOT_COMMITSIG_5.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (num_fees_,) = _CHANNELD_GOT_COMMITSIG_3.unpack_from(buf, pos)
            pos += 2
            end = pos + num_fees_ * 5
            if end > len(buf):
                raise too_short("fees", num_fees_ * 5, len(buf) - pos)
            fees_ = tuple(
                [
                    FeeState(state=state_, feerate_perkw=feerate_perkw_)
                    for (
                        state_,
                        feerate_perkw_,
                    ) in _CHANNELD_GOT_COMMITSIG_6.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                number=number_,
                tx=tx_,
                signature=signature_,
                htlc_signatures=htlc_signatures_,
                to_local=Msat(to_local_0_),
                to_remote=Msat(to_remote_0_),
                added=added_,
                removed=removed_,
                changed=changed_,
                fees=fees_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_REVOKE_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldGotRevokeReply(Message):
    """Type 625."""

    TYPE: ClassVar[int] = 625
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_REVOKE_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CHANNELD_GOT_REVOKE_REPLY_0.pack(625)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_GOT_REVOKE_REPLY_0.unpack(buf)
            if wire_type != 625:
                raise WireError(f"type {wire_type}, not 625")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_REVOKE_0 = struct.Struct(">HQQ32s33s")
_CHANNELD_GOT_REVOKE_1 = struct.Struct(">H")
_CHANNELD_GOT_REVOKE_2 = struct.Struct(">QBB")
_CHANNELD_GOT_REVOKE_3 = struct.Struct(">Q32sB")
_CHANNELD_GOT_REVOKE_4 = struct.Struct(">BI")


@wire_class
class ChanneldGotRevoke(Request[ChanneldGotRevokeReply]):
    """The peer revoked remote commitment `number`. Of HTLCs that are now irrevocably committed,
    `onion_secrets` has the ECDH secret of each newly committed received one, in the order of
    `changed` (zeros: its key is no point). too_dusty: with it, more is lost to fees on the
    chain than max_dust_exposure allows, so it is to be failed whatever it is for. Type 624.
    """

    TYPE: ClassVar[int] = 624
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_REVOKE"
    REPLY: ClassVar[type[ChanneldGotRevokeReply]] = ChanneldGotRevokeReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("number", "u64", ""),
        ("secret", "secret", ""),
        ("next_point", "point", ""),
        ("shachain", "varbytes", ""),
        ("changed", "htlc_change", "num_changed"),
        ("onion_secrets", "onion_secret", "num_secrets"),
        ("fees", "fee_state", "num_fees"),
    )

    __slots__ = (
        "dbid",
        "number",
        "secret",
        "next_point",
        "shachain",
        "changed",
        "onion_secrets",
        "fees",
    )
    dbid: int  # u64
    number: int  # u64
    secret: Secret
    next_point: bytes  # 33 bytes
    shachain: bytes
    changed: tuple[HtlcChange, ...]
    onion_secrets: tuple[OnionSecret, ...]
    fees: tuple[FeeState, ...]

    def __init__(
        self,
        *,
        dbid: int,
        number: int,
        secret: Secret,
        next_point: bytes,
        shachain: bytes,
        changed: tuple[HtlcChange, ...],
        onion_secrets: tuple[OnionSecret, ...],
        fees: tuple[FeeState, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "number", number)
        put(self, "secret", secret)
        put(self, "next_point", next_point)
        put(self, "shachain", shachain)
        put(self, "changed", changed)
        put(self, "onion_secrets", onion_secrets)
        put(self, "fees", fees)

    def encode(self) -> bytes:
        if len(self.secret) != 32 or len(self.next_point) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_GOT_REVOKE_0.pack(
                    624,
                    self.dbid,
                    self.number,
                    self.secret.reveal(),
                    self.next_point,
                ),
                write_varbytes(self.shachain),
                _CHANNELD_GOT_REVOKE_1.pack(len(self.changed)),
                b"".join([x.write() for x in self.changed]),
                _CHANNELD_GOT_REVOKE_1.pack(len(self.onion_secrets)),
                b"".join([x.write() for x in self.onion_secrets]),
                _CHANNELD_GOT_REVOKE_1.pack(len(self.fees)),
                b"".join([x.write() for x in self.fees]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                dbid_,
                number_,
                secret_0_,
                next_point_,
            ) = _CHANNELD_GOT_REVOKE_0.unpack_from(buf)
            if wire_type != 624:
                raise WireError(f"type {wire_type}, not 624")
            pos = 83
            shachain_, pos = read_varbytes(buf, pos)
            (num_changed_,) = _CHANNELD_GOT_REVOKE_1.unpack_from(buf, pos)
            pos += 2
            end = pos + num_changed_ * 10
            if end > len(buf):
                raise too_short("changed", num_changed_ * 10, len(buf) - pos)
            changed_ = tuple(
                [
                    HtlcChange(id=id_, offered_by_us=to_bool(offered_by_us_0_), state=state_)
                    for (
                        id_,
                        offered_by_us_0_,
                        state_,
                    ) in _CHANNELD_GOT_REVOKE_2.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (num_secrets_,) = _CHANNELD_GOT_REVOKE_1.unpack_from(buf, pos)
            pos += 2
            end = pos + num_secrets_ * 41
            if end > len(buf):
                raise too_short("onion_secrets", num_secrets_ * 41, len(buf) - pos)
            onion_secrets_ = tuple(
                [
                    OnionSecret(id=id_, secret=Secret(secret_0_), too_dusty=to_bool(too_dusty_0_))
                    for (
                        id_,
                        secret_0_,
                        too_dusty_0_,
                    ) in _CHANNELD_GOT_REVOKE_3.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (num_fees_,) = _CHANNELD_GOT_REVOKE_1.unpack_from(buf, pos)
            pos += 2
            end = pos + num_fees_ * 5
            if end > len(buf):
                raise too_short("fees", num_fees_ * 5, len(buf) - pos)
            fees_ = tuple(
                [
                    FeeState(state=state_, feerate_perkw=feerate_perkw_)
                    for state_, feerate_perkw_ in _CHANNELD_GOT_REVOKE_4.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                number=number_,
                secret=Secret(secret_0_),
                next_point=next_point_,
                shachain=shachain_,
                changed=changed_,
                onion_secrets=onion_secrets_,
                fees=fees_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_CHANNEL_READY_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldGotChannelReadyReply(Message):
    """Type 629."""

    TYPE: ClassVar[int] = 629
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_CHANNEL_READY_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CHANNELD_GOT_CHANNEL_READY_REPLY_0.pack(629)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_GOT_CHANNEL_READY_REPLY_0.unpack(buf)
            if wire_type != 629:
                raise WireError(f"type {wire_type}, not 629")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_CHANNEL_READY_0 = struct.Struct(">HQ33s")
_CHANNELD_GOT_CHANNEL_READY_1 = struct.Struct(">Q")


@wire_class
class ChanneldGotChannelReady(Request[ChanneldGotChannelReadyReply]):
    """Type 628."""

    TYPE: ClassVar[int] = 628
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_CHANNEL_READY"
    REPLY: ClassVar[type[ChanneldGotChannelReadyReply]] = ChanneldGotChannelReadyReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("next_point", "point", ""),
        ("alias", "?short_channel_id", ""),
    )

    __slots__ = ("dbid", "next_point", "alias")
    dbid: int  # u64
    next_point: bytes  # 33 bytes
    alias: ShortChannelId | None

    def __init__(
        self,
        *,
        dbid: int,
        next_point: bytes,
        alias: ShortChannelId | None = None,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "next_point", next_point)
        put(self, "alias", alias)

    def encode(self) -> bytes:
        if len(self.next_point) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_GOT_CHANNEL_READY_0.pack(628, self.dbid, self.next_point),
                b"\x00" if self.alias is None else b"\x01" + _CHANNELD_GOT_CHANNEL_READY_1.pack(
                    self.alias,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, next_point_ = _CHANNELD_GOT_CHANNEL_READY_0.unpack_from(buf)
            if wire_type != 628:
                raise WireError(f"type {wire_type}, not 628")
            pos = 43
            present = read_flag(buf, pos)
            pos += 1
            alias_: ShortChannelId | None = None
            if present:
                (alias_0_,) = _CHANNELD_GOT_CHANNEL_READY_1.unpack_from(buf, pos)
                pos += 8
                alias_ = ShortChannelId(alias_0_)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                next_point=next_point_,
                alias=alias_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_SENDING_CHANNEL_READY_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldSendingChannelReadyReply(Message):
    """Type 631."""

    TYPE: ClassVar[int] = 631
    NAME: ClassVar[str] = "WIRE_CHANNELD_SENDING_CHANNEL_READY_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CHANNELD_SENDING_CHANNEL_READY_REPLY_0.pack(631)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_SENDING_CHANNEL_READY_REPLY_0.unpack(buf)
            if wire_type != 631:
                raise WireError(f"type {wire_type}, not 631")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_SENDING_CHANNEL_READY_0 = struct.Struct(">HQ")


@wire_class
class ChanneldSendingChannelReady(Request[ChanneldSendingChannelReadyReply]):
    """Type 630."""

    TYPE: ClassVar[int] = 630
    NAME: ClassVar[str] = "WIRE_CHANNELD_SENDING_CHANNEL_READY"
    REPLY: ClassVar[type[ChanneldSendingChannelReadyReply]] = ChanneldSendingChannelReadyReply
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
        return _CHANNELD_SENDING_CHANNEL_READY_0.pack(630, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_SENDING_CHANNEL_READY_0.unpack(buf)
            if wire_type != 630:
                raise WireError(f"type {wire_type}, not 630")
            return cls(
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_SHUTDOWN_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldGotShutdownReply(Message):
    """The reply has our own script, to send shutdown back if we have not yet. Type 633."""

    TYPE: ClassVar[int] = 633
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_SHUTDOWN_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("local_script", "varbytes", ""),
    )

    __slots__ = ("local_script",)
    local_script: bytes

    def __init__(
        self,
        *,
        local_script: bytes,
    ) -> None:
        put(self, "local_script", local_script)

    def encode(self) -> bytes:
        return b"".join(
            (_CHANNELD_GOT_SHUTDOWN_REPLY_0.pack(633), write_varbytes(self.local_script)),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_GOT_SHUTDOWN_REPLY_0.unpack_from(buf)
            if wire_type != 633:
                raise WireError(f"type {wire_type}, not 633")
            pos = 2
            local_script_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                local_script=local_script_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_SHUTDOWN_0 = struct.Struct(">HQ")
_CHANNELD_GOT_SHUTDOWN_1 = struct.Struct(">32sI")


@wire_class
class ChanneldGotShutdown(Request[ChanneldGotShutdownReply]):
    """Type 632."""

    TYPE: ClassVar[int] = 632
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_SHUTDOWN"
    REPLY: ClassVar[type[ChanneldGotShutdownReply]] = ChanneldGotShutdownReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("script", "varbytes", ""),
        ("wrong_funding", "?outpoint", ""),
    )

    __slots__ = ("dbid", "script", "wrong_funding")
    dbid: int  # u64
    script: bytes
    wrong_funding: Outpoint | None

    def __init__(
        self,
        *,
        dbid: int,
        script: bytes,
        wrong_funding: Outpoint | None = None,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "script", script)
        put(self, "wrong_funding", wrong_funding)

    def encode(self) -> bytes:
        if (self.wrong_funding is not None and len(self.wrong_funding.txid) != 32):
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_GOT_SHUTDOWN_0.pack(632, self.dbid),
                write_varbytes(self.script),
                b"\x00" if self.wrong_funding is None else b"\x01" + _CHANNELD_GOT_SHUTDOWN_1.pack(
                    self.wrong_funding.txid,
                    self.wrong_funding.index,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_GOT_SHUTDOWN_0.unpack_from(buf)
            if wire_type != 632:
                raise WireError(f"type {wire_type}, not 632")
            pos = 10
            script_, pos = read_varbytes(buf, pos)
            present = read_flag(buf, pos)
            pos += 1
            wrong_funding_: Outpoint | None = None
            if present:
                wrong_funding_0_, wrong_funding_1_ = _CHANNELD_GOT_SHUTDOWN_1.unpack_from(buf, pos)
                pos += 36
                wrong_funding_ = Outpoint(wrong_funding_0_, wrong_funding_1_)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                script=script_,
                wrong_funding=wrong_funding_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_FIRST_COMMITSIG_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldGotFirstCommitsigReply(Message):
    """Type 635."""

    TYPE: ClassVar[int] = 635
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_FIRST_COMMITSIG_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CHANNELD_GOT_FIRST_COMMITSIG_REPLY_0.pack(635)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_GOT_FIRST_COMMITSIG_REPLY_0.unpack(buf)
            if wire_type != 635:
                raise WireError(f"type {wire_type}, not 635")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_FIRST_COMMITSIG_0 = struct.Struct(">HQ")
_CHANNELD_GOT_FIRST_COMMITSIG_1 = struct.Struct(">64s")


@wire_class
class ChanneldGotFirstCommitsig(Request[ChanneldGotFirstCommitsigReply]):
    """Dual funding: the peer signed our first commitment `tx` (unsigned here). After the reply
    the master signs our inputs: channeld_funding_signed. Type 634.
    """

    TYPE: ClassVar[int] = 634
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_FIRST_COMMITSIG"
    REPLY: ClassVar[type[ChanneldGotFirstCommitsigReply]] = ChanneldGotFirstCommitsigReply
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
                _CHANNELD_GOT_FIRST_COMMITSIG_0.pack(634, self.dbid),
                write_varbytes(self.tx),
                _CHANNELD_GOT_FIRST_COMMITSIG_1.pack(self.signature),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_GOT_FIRST_COMMITSIG_0.unpack_from(buf)
            if wire_type != 634:
                raise WireError(f"type {wire_type}, not 634")
            pos = 10
            tx_, pos = read_varbytes(buf, pos)
            (signature_,) = _CHANNELD_GOT_FIRST_COMMITSIG_1.unpack_from(buf, pos)
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


_CHANNELD_GOT_TX_SIGNATURES_REPLY_0 = struct.Struct(">H")


@wire_class
class ChanneldGotTxSignaturesReply(Message):
    """Type 637."""

    TYPE: ClassVar[int] = 637
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_TX_SIGNATURES_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CHANNELD_GOT_TX_SIGNATURES_REPLY_0.pack(637)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CHANNELD_GOT_TX_SIGNATURES_REPLY_0.unpack(buf)
            if wire_type != 637:
                raise WireError(f"type {wire_type}, not 637")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_GOT_TX_SIGNATURES_0 = struct.Struct(">HQH")


@wire_class
class ChanneldGotTxSignatures(Request[ChanneldGotTxSignaturesReply]):
    """Dual funding: the peer's tx_signatures, checked, encoded as there, in the order of the
    peer's inputs. With ours the transaction is whole: the master broadcasts it. Type 636.
    """

    TYPE: ClassVar[int] = 636
    NAME: ClassVar[str] = "WIRE_CHANNELD_GOT_TX_SIGNATURES"
    REPLY: ClassVar[type[ChanneldGotTxSignaturesReply]] = ChanneldGotTxSignaturesReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("witnesses", "varbytes", "num_witnesses"),
    )

    __slots__ = ("dbid", "witnesses")
    dbid: int  # u64
    witnesses: tuple[bytes, ...]

    def __init__(
        self,
        *,
        dbid: int,
        witnesses: tuple[bytes, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "witnesses", witnesses)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CHANNELD_GOT_TX_SIGNATURES_0.pack(636, self.dbid, len(self.witnesses)),
                b"".join([write_varbytes(x) for x in self.witnesses]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, num_witnesses_ = _CHANNELD_GOT_TX_SIGNATURES_0.unpack_from(buf)
            if wire_type != 636:
                raise WireError(f"type {wire_type}, not 636")
            pos = 12
            witnesses_list: list[bytes] = []
            for _ in range(num_witnesses_):
                witnesses_one, pos = read_varbytes(buf, pos)
                witnesses_list.append(witnesses_one)
            witnesses_ = tuple(witnesses_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                witnesses=witnesses_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_REESTABLISHED_0 = struct.Struct(">HQQ")


@wire_class
class ChanneldReestablished(Message):
    """Worker to master, events. The route tells of which connection; one that has ended since is
    of no interest. Type 640.
    """

    TYPE: ClassVar[int] = 640
    NAME: ClassVar[str] = "WIRE_CHANNELD_REESTABLISHED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
    )

    __slots__ = ("dbid", "route_id")
    dbid: int  # u64
    route_id: int  # u64

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)

    def encode(self) -> bytes:
        return _CHANNELD_REESTABLISHED_0.pack(640, self.dbid, self.route_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, route_id_ = _CHANNELD_REESTABLISHED_0.unpack(buf)
            if wire_type != 640:
                raise WireError(f"type {wire_type}, not 640")
            return cls(
                dbid=dbid_,
                route_id=route_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_SHUTDOWN_COMPLETE_0 = struct.Struct(">HQQ")


@wire_class
class ChanneldShutdownComplete(Message):
    """Both shutdowns exchanged, nothing pending: hand over to closingd. The route is the
    worker's no more. Type 641.
    """

    TYPE: ClassVar[int] = 641
    NAME: ClassVar[str] = "WIRE_CHANNELD_SHUTDOWN_COMPLETE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("route_id", "u64", ""),
    )

    __slots__ = ("dbid", "route_id")
    dbid: int  # u64
    route_id: int  # u64

    def __init__(
        self,
        *,
        dbid: int,
        route_id: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "route_id", route_id)

    def encode(self) -> bytes:
        return _CHANNELD_SHUTDOWN_COMPLETE_0.pack(641, self.dbid, self.route_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, route_id_ = _CHANNELD_SHUTDOWN_COMPLETE_0.unpack(buf)
            if wire_type != 641:
                raise WireError(f"type {wire_type}, not 641")
            return cls(
                dbid=dbid_,
                route_id=route_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_PEER_MSG_0 = struct.Struct(">HQ")


@wire_class
class ChanneldPeerMsg(Message):
    """Messages that the master handles: announcement_signatures, channel_update. Type 642."""

    TYPE: ClassVar[int] = 642
    NAME: ClassVar[str] = "WIRE_CHANNELD_PEER_MSG"
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
        return b"".join((_CHANNELD_PEER_MSG_0.pack(642, self.dbid), write_varbytes(self.msg)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_PEER_MSG_0.unpack_from(buf)
            if wire_type != 642:
                raise WireError(f"type {wire_type}, not 642")
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


_CHANNELD_FAILED_0 = struct.Struct(">HQB")
_CHANNELD_FAILED_1 = struct.Struct(">33s")


@wire_class
class ChanneldFailed(Message):
    """kind 0: transient, the connection is closed and reestablished. 1: we failed the channel
    (error was sent). 2: the peer sent error. 3: we lost data: never broadcast; wait for the
    peer to close. 4: the peer lost data or asks so: close unilaterally. 5: our bug: hold the
    channel. 6: dual funding, not yet `signed`: the opening was given up (tx_abort or error,
    either side); forget the channel. Type 643.
    """

    TYPE: ClassVar[int] = 643
    NAME: ClassVar[str] = "WIRE_CHANNELD_FAILED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("kind", "u8", ""),
        ("reason", "utf8", ""),
        ("remote_point", "?point", ""),
    )

    __slots__ = ("dbid", "kind", "reason", "remote_point")
    dbid: int  # u64
    kind: int  # u8
    reason: str
    remote_point: bytes | None

    def __init__(
        self,
        *,
        dbid: int,
        kind: int,
        reason: str,
        remote_point: bytes | None = None,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "kind", kind)
        put(self, "reason", reason)
        put(self, "remote_point", remote_point)

    def encode(self) -> bytes:
        if (self.remote_point is not None and len(self.remote_point) != 33):
            raise wrong_length(self)
        return b"".join(
            (
                _CHANNELD_FAILED_0.pack(643, self.dbid, self.kind),
                write_string(self.reason),
                b"\x00" if self.remote_point is None else b"\x01" + _CHANNELD_FAILED_1.pack(
                    self.remote_point,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, kind_ = _CHANNELD_FAILED_0.unpack_from(buf)
            if wire_type != 643:
                raise WireError(f"type {wire_type}, not 643")
            pos = 11
            reason_, pos = read_string(buf, pos)
            present = read_flag(buf, pos)
            pos += 1
            remote_point_: bytes | None = None
            if present:
                (remote_point_0_,) = _CHANNELD_FAILED_1.unpack_from(buf, pos)
                pos += 33
                remote_point_ = remote_point_0_
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                kind=kind_,
                reason=reason_,
                remote_point=remote_point_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_WARNING_0 = struct.Struct(">HQ")


@wire_class
class ChanneldWarning(Message):
    """Type 644."""

    TYPE: ClassVar[int] = 644
    NAME: ClassVar[str] = "WIRE_CHANNELD_WARNING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("text", "utf8", ""),
    )

    __slots__ = ("dbid", "text")
    dbid: int  # u64
    text: str

    def __init__(
        self,
        *,
        dbid: int,
        text: str,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "text", text)

    def encode(self) -> bytes:
        return b"".join((_CHANNELD_WARNING_0.pack(644, self.dbid), write_string(self.text)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_WARNING_0.unpack_from(buf)
            if wire_type != 644:
                raise WireError(f"type {wire_type}, not 644")
            pos = 10
            text_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                text=text_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_FORGOTTEN_0 = struct.Struct(">HQ")


@wire_class
class ChanneldForgotten(Message):
    """The answer to channeld_forget: the last that the worker says of the channel, until it is
    given it again. Type 645.
    """

    TYPE: ClassVar[int] = 645
    NAME: ClassVar[str] = "WIRE_CHANNELD_FORGOTTEN"
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
        return _CHANNELD_FORGOTTEN_0.pack(645, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_FORGOTTEN_0.unpack(buf)
            if wire_type != 645:
                raise WireError(f"type {wire_type}, not 645")
            return cls(
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CHANNELD_DEV_REENABLE_COMMIT_0 = struct.Struct(">HQ")


@wire_class
class ChanneldDevReenableCommit(Message):
    """dev-reenable-commit Type 650."""

    TYPE: ClassVar[int] = 650
    NAME: ClassVar[str] = "WIRE_CHANNELD_DEV_REENABLE_COMMIT"
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
        return _CHANNELD_DEV_REENABLE_COMMIT_0.pack(650, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _CHANNELD_DEV_REENABLE_COMMIT_0.unpack(buf)
            if wire_type != 650:
                raise WireError(f"type {wire_type}, not 650")
            return cls(
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


ChanneldMessage: TypeAlias = (
    ChanneldInit
    | ChanneldChannel
    | ChanneldForget
    | ChanneldConnected
    | ChanneldBlockheight
    | ChanneldFundingDepth
    | ChanneldOfferHtlc
    | ChanneldHtlcOffered
    | ChanneldFulfillHtlc
    | ChanneldFailHtlc
    | ChanneldFeerates
    | ChanneldShutdown
    | ChanneldWrongFunding
    | ChanneldJointFunding
    | ChanneldFundingSigned
    | ChanneldAbortFunding
    | ChanneldLateMsg
    | ChanneldSend
    | ChanneldSendingCommitsig
    | ChanneldSendingCommitsigReply
    | ChanneldGotCommitsig
    | ChanneldGotCommitsigReply
    | ChanneldGotRevoke
    | ChanneldGotRevokeReply
    | ChanneldGotChannelReady
    | ChanneldGotChannelReadyReply
    | ChanneldSendingChannelReady
    | ChanneldSendingChannelReadyReply
    | ChanneldGotShutdown
    | ChanneldGotShutdownReply
    | ChanneldGotFirstCommitsig
    | ChanneldGotFirstCommitsigReply
    | ChanneldGotTxSignatures
    | ChanneldGotTxSignaturesReply
    | ChanneldReestablished
    | ChanneldShutdownComplete
    | ChanneldPeerMsg
    | ChanneldFailed
    | ChanneldWarning
    | ChanneldForgotten
    | ChanneldDevReenableCommit
)

MESSAGES: dict[int, type[ChanneldMessage]] = {
    600: ChanneldInit,
    601: ChanneldChannel,
    602: ChanneldForget,
    603: ChanneldConnected,
    604: ChanneldBlockheight,
    605: ChanneldFundingDepth,
    606: ChanneldOfferHtlc,
    607: ChanneldHtlcOffered,
    608: ChanneldFulfillHtlc,
    609: ChanneldFailHtlc,
    610: ChanneldFeerates,
    611: ChanneldShutdown,
    613: ChanneldWrongFunding,
    614: ChanneldJointFunding,
    615: ChanneldFundingSigned,
    616: ChanneldAbortFunding,
    617: ChanneldLateMsg,
    612: ChanneldSend,
    620: ChanneldSendingCommitsig,
    621: ChanneldSendingCommitsigReply,
    622: ChanneldGotCommitsig,
    623: ChanneldGotCommitsigReply,
    624: ChanneldGotRevoke,
    625: ChanneldGotRevokeReply,
    628: ChanneldGotChannelReady,
    629: ChanneldGotChannelReadyReply,
    630: ChanneldSendingChannelReady,
    631: ChanneldSendingChannelReadyReply,
    632: ChanneldGotShutdown,
    633: ChanneldGotShutdownReply,
    634: ChanneldGotFirstCommitsig,
    635: ChanneldGotFirstCommitsigReply,
    636: ChanneldGotTxSignatures,
    637: ChanneldGotTxSignaturesReply,
    640: ChanneldReestablished,
    641: ChanneldShutdownComplete,
    642: ChanneldPeerMsg,
    643: ChanneldFailed,
    644: ChanneldWarning,
    645: ChanneldForgotten,
    650: ChanneldDevReenableCommit,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> ChanneldMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
