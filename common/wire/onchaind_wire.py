# GENERATED from onchaind/onchaind_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `onchaind/onchaind_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Outpoint
from pylightningd.common.secret import Secret
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Subtype,
    exactly_all,
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
    "c6779bcce1b0c5449356462a4d5f0bae5a7fad0af6218eb493f168f5be24ae7f"
)
"""SHA256 of onchaind/onchaind_wire.csv and what it includes."""


_ONCHAIN_HTLC_0 = struct.Struct(">QBQ32sI")
_ONCHAIN_HTLC_1 = struct.Struct(">32s")
_ONCHAIN_HTLC_2 = struct.Struct(">BI")


@wire_class
class OnchainHtlc(Subtype):
    """An HTLC that may have an output. `live`: neither dead nor forgotten, so somebody waits for
    how it ends. `deadline`: height by which it should be resolved on chain.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("id", "u64", ""),
        ("offered_by_us", "bool", ""),
        ("amount", "msat", ""),
        ("payment_hash", "sha256", ""),
        ("cltv_expiry", "u32", ""),
        ("preimage", "?preimage", ""),
        ("live", "bool", ""),
        ("deadline", "u32", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"preimage"})

    __slots__ = (
        "id",
        "offered_by_us",
        "amount",
        "payment_hash",
        "cltv_expiry",
        "preimage",
        "live",
        "deadline",
    )
    id: int  # u64
    offered_by_us: bool
    amount: Msat
    payment_hash: bytes  # 32 bytes
    cltv_expiry: int  # u32
    preimage: bytes | None
    live: bool
    deadline: int  # u32

    def __init__(
        self,
        *,
        id: int,
        offered_by_us: bool,
        amount: Msat,
        payment_hash: bytes,
        cltv_expiry: int,
        preimage: bytes | None = None,
        live: bool,
        deadline: int,
    ) -> None:
        put(self, "id", id)
        put(self, "offered_by_us", offered_by_us)
        put(self, "amount", amount)
        put(self, "payment_hash", payment_hash)
        put(self, "cltv_expiry", cltv_expiry)
        put(self, "preimage", preimage)
        put(self, "live", live)
        put(self, "deadline", deadline)

    def write(self) -> bytes:
        if len(self.payment_hash) != 32 or (self.preimage is not None and len(self.preimage) != 32):
            raise wrong_length(self)
        return b"".join(
            (
                _ONCHAIN_HTLC_0.pack(
                    self.id,
                    self.offered_by_us,
                    self.amount.msat,
                    self.payment_hash,
                    self.cltv_expiry,
                ),
                b"\x00" if self.preimage is None else b"\x01" + _ONCHAIN_HTLC_1.pack(self.preimage),
                _ONCHAIN_HTLC_2.pack(self.live, self.deadline),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            id_,
            offered_by_us_0_,
            amount_0_,
            payment_hash_,
            cltv_expiry_,
        ) = _ONCHAIN_HTLC_0.unpack_from(buf, pos)
        pos += 53
        present = read_flag(buf, pos)
        pos += 1
        preimage_: bytes | None = None
        if present:
            (preimage_0_,) = _ONCHAIN_HTLC_1.unpack_from(buf, pos)
            pos += 32
            preimage_ = preimage_0_
        live_0_, deadline_ = _ONCHAIN_HTLC_2.unpack_from(buf, pos)
        pos += 5
        value = cls(
            id=id_,
            offered_by_us=to_bool(offered_by_us_0_),
            amount=Msat(amount_0_),
            payment_hash=payment_hash_,
            cltv_expiry=cltv_expiry_,
            preimage=preimage_,
            live=to_bool(live_0_),
            deadline=deadline_,
        )
        return value, pos


_CLAIM_0 = struct.Struct(">32sIQ")
_CLAIM_1 = struct.Struct(">IIB")
_CLAIM_2 = struct.Struct(">B")
_CLAIM_3 = struct.Struct(">BQ")
_CLAIM_4 = struct.Struct(">33s")
_CLAIM_5 = struct.Struct(">32s")
_CLAIM_6 = struct.Struct(">BIII")


@wire_class
class Claim(Subtype):
    """One way to take an output. Witness: the items of `before`, our signature, the items of
    `after`, the witness script. signer: what hsmd must sign it as (1 delayed_payment, 2
    local_htlc, 3 remote_htlc, 4 penalty). `tx`: empty, or the HTLC transaction that the peer
    has signed; with add_fee it pays none, and inputs and outputs may be added behind the
    first. first_block: the first that may hold it. deadline: height by which it should be in
    a block; 0: no hurry. rival_from: first block that may hold another's spend of the same
    output; 0: nobody else can.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("outpoint", "outpoint", ""),
        ("amount", "sat", ""),
        ("witness_script", "varbytes", ""),
        ("sequence", "u32", ""),
        ("locktime", "u32", ""),
        ("before", "varbytes", "num_before"),
        ("after", "varbytes", "num_after"),
        ("signer", "u8", ""),
        ("commitment_number", "u64", ""),
        ("point", "?point", ""),
        ("revocation_secret", "?secret", ""),
        ("tx", "varbytes", ""),
        ("add_fee", "bool", ""),
        ("first_block", "u32", ""),
        ("deadline", "u32", ""),
        ("rival_from", "u32", ""),
        ("kind", "utf8", ""),
    )

    __slots__ = (
        "outpoint",
        "amount",
        "witness_script",
        "sequence",
        "locktime",
        "before",
        "after",
        "signer",
        "commitment_number",
        "point",
        "revocation_secret",
        "tx",
        "add_fee",
        "first_block",
        "deadline",
        "rival_from",
        "kind",
    )
    outpoint: Outpoint
    amount: Sat
    witness_script: bytes
    sequence: int  # u32
    locktime: int  # u32
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]
    signer: int  # u8
    commitment_number: int  # u64
    point: bytes | None
    revocation_secret: Secret | None
    tx: bytes
    add_fee: bool
    first_block: int  # u32
    deadline: int  # u32
    rival_from: int  # u32
    kind: str

    def __init__(
        self,
        *,
        outpoint: Outpoint,
        amount: Sat,
        witness_script: bytes,
        sequence: int,
        locktime: int,
        before: tuple[bytes, ...],
        after: tuple[bytes, ...],
        signer: int,
        commitment_number: int,
        point: bytes | None = None,
        revocation_secret: Secret | None = None,
        tx: bytes,
        add_fee: bool,
        first_block: int,
        deadline: int,
        rival_from: int,
        kind: str,
    ) -> None:
        put(self, "outpoint", outpoint)
        put(self, "amount", amount)
        put(self, "witness_script", witness_script)
        put(self, "sequence", sequence)
        put(self, "locktime", locktime)
        put(self, "before", before)
        put(self, "after", after)
        put(self, "signer", signer)
        put(self, "commitment_number", commitment_number)
        put(self, "point", point)
        put(self, "revocation_secret", revocation_secret)
        put(self, "tx", tx)
        put(self, "add_fee", add_fee)
        put(self, "first_block", first_block)
        put(self, "deadline", deadline)
        put(self, "rival_from", rival_from)
        put(self, "kind", kind)

    def write(self) -> bytes:
        if (
            len(self.outpoint.txid) != 32
            or (self.point is not None and len(self.point) != 33)
            or (self.revocation_secret is not None and len(self.revocation_secret) != 32)
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _CLAIM_0.pack(self.outpoint.txid, self.outpoint.index, self.amount.sat),
                write_varbytes(self.witness_script),
                _CLAIM_1.pack(self.sequence, self.locktime, len(self.before)),
                b"".join([write_varbytes(x) for x in self.before]),
                _CLAIM_2.pack(len(self.after)),
                b"".join([write_varbytes(x) for x in self.after]),
                _CLAIM_3.pack(self.signer, self.commitment_number),
                b"\x00" if self.point is None else b"\x01" + _CLAIM_4.pack(self.point),
                b"\x00" if self.revocation_secret is None else b"\x01" + _CLAIM_5.pack(
                    self.revocation_secret.reveal(),
                ),
                write_varbytes(self.tx),
                _CLAIM_6.pack(self.add_fee, self.first_block, self.deadline, self.rival_from),
                write_string(self.kind),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        outpoint_0_, outpoint_1_, amount_0_ = _CLAIM_0.unpack_from(buf, pos)
        pos += 44
        witness_script_, pos = read_varbytes(buf, pos)
        sequence_, locktime_, num_before_ = _CLAIM_1.unpack_from(buf, pos)
        pos += 9
        before_list: list[bytes] = []
        for _ in range(num_before_):
            before_one, pos = read_varbytes(buf, pos)
            before_list.append(before_one)
        before_ = tuple(before_list)
        (num_after_,) = _CLAIM_2.unpack_from(buf, pos)
        pos += 1
        after_list: list[bytes] = []
        for _ in range(num_after_):
            after_one, pos = read_varbytes(buf, pos)
            after_list.append(after_one)
        after_ = tuple(after_list)
        signer_, commitment_number_ = _CLAIM_3.unpack_from(buf, pos)
        pos += 9
        present = read_flag(buf, pos)
        pos += 1
        point_: bytes | None = None
        if present:
            (point_0_,) = _CLAIM_4.unpack_from(buf, pos)
            pos += 33
            point_ = point_0_
        present = read_flag(buf, pos)
        pos += 1
        revocation_secret_: Secret | None = None
        if present:
            (revocation_secret_0_,) = _CLAIM_5.unpack_from(buf, pos)
            pos += 32
            revocation_secret_ = Secret(revocation_secret_0_)
        tx_, pos = read_varbytes(buf, pos)
        add_fee_0_, first_block_, deadline_, rival_from_ = _CLAIM_6.unpack_from(buf, pos)
        pos += 13
        kind_, pos = read_string(buf, pos)
        value = cls(
            outpoint=Outpoint(outpoint_0_, outpoint_1_),
            amount=Sat(amount_0_),
            witness_script=witness_script_,
            sequence=sequence_,
            locktime=locktime_,
            before=before_,
            after=after_,
            signer=signer_,
            commitment_number=commitment_number_,
            point=point_,
            revocation_secret=revocation_secret_,
            tx=tx_,
            add_fee=to_bool(add_fee_0_),
            first_block=first_block_,
            deadline=deadline_,
            rival_from=rival_from_,
            kind=kind_,
        )
        return value, pos


_ONCHAIN_OUTPUT_0 = struct.Struct(">32sIQ")
_ONCHAIN_OUTPUT_1 = struct.Struct(">32s")
_ONCHAIN_OUTPUT_2 = struct.Struct(">I")
_ONCHAIN_OUTPUT_3 = struct.Struct(">IIII")


@wire_class
class OnchainOutput(Subtype):
    """onchaind to master: how things stand, in words and output by output. resolved_by is empty
    while an output is open; then claim_block is the first block that may hold our claim, 0
    where we have none, and rival_block the first that may hold another's spend instead (0:
    nobody's); an output that we do not claim counts as resolved at the height ignore_block
    (0: only when it is spent).
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("outpoint", "outpoint", ""),
        ("amount", "sat", ""),
        ("made_by", "utf8", ""),
        ("kind", "utf8", ""),
        ("payment_hash", "?sha256", ""),
        ("height", "u32", ""),
        ("claim_kind", "utf8", ""),
        ("claim_block", "u32", ""),
        ("deadline", "u32", ""),
        ("rival_block", "u32", ""),
        ("ignore_block", "u32", ""),
        ("resolved_by", "utf8", ""),
        ("resolved_height", "u32", ""),
    )

    __slots__ = (
        "outpoint",
        "amount",
        "made_by",
        "kind",
        "payment_hash",
        "height",
        "claim_kind",
        "claim_block",
        "deadline",
        "rival_block",
        "ignore_block",
        "resolved_by",
        "resolved_height",
    )
    outpoint: Outpoint
    amount: Sat
    made_by: str
    kind: str
    payment_hash: bytes | None
    height: int  # u32
    claim_kind: str
    claim_block: int  # u32
    deadline: int  # u32
    rival_block: int  # u32
    ignore_block: int  # u32
    resolved_by: str
    resolved_height: int  # u32

    def __init__(
        self,
        *,
        outpoint: Outpoint,
        amount: Sat,
        made_by: str,
        kind: str,
        payment_hash: bytes | None = None,
        height: int,
        claim_kind: str,
        claim_block: int,
        deadline: int,
        rival_block: int,
        ignore_block: int,
        resolved_by: str,
        resolved_height: int,
    ) -> None:
        put(self, "outpoint", outpoint)
        put(self, "amount", amount)
        put(self, "made_by", made_by)
        put(self, "kind", kind)
        put(self, "payment_hash", payment_hash)
        put(self, "height", height)
        put(self, "claim_kind", claim_kind)
        put(self, "claim_block", claim_block)
        put(self, "deadline", deadline)
        put(self, "rival_block", rival_block)
        put(self, "ignore_block", ignore_block)
        put(self, "resolved_by", resolved_by)
        put(self, "resolved_height", resolved_height)

    def write(self) -> bytes:
        if (
            len(self.outpoint.txid) != 32
            or (self.payment_hash is not None and len(self.payment_hash) != 32)
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _ONCHAIN_OUTPUT_0.pack(self.outpoint.txid, self.outpoint.index, self.amount.sat),
                write_string(self.made_by),
                write_string(self.kind),
                b"\x00" if self.payment_hash is None else b"\x01" + _ONCHAIN_OUTPUT_1.pack(
                    self.payment_hash,
                ),
                _ONCHAIN_OUTPUT_2.pack(self.height),
                write_string(self.claim_kind),
                _ONCHAIN_OUTPUT_3.pack(
                    self.claim_block,
                    self.deadline,
                    self.rival_block,
                    self.ignore_block,
                ),
                write_string(self.resolved_by),
                _ONCHAIN_OUTPUT_2.pack(self.resolved_height),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        outpoint_0_, outpoint_1_, amount_0_ = _ONCHAIN_OUTPUT_0.unpack_from(buf, pos)
        pos += 44
        made_by_, pos = read_string(buf, pos)
        kind_, pos = read_string(buf, pos)
        present = read_flag(buf, pos)
        pos += 1
        payment_hash_: bytes | None = None
        if present:
            (payment_hash_0_,) = _ONCHAIN_OUTPUT_1.unpack_from(buf, pos)
            pos += 32
            payment_hash_ = payment_hash_0_
        (height_,) = _ONCHAIN_OUTPUT_2.unpack_from(buf, pos)
        pos += 4
        claim_kind_, pos = read_string(buf, pos)
        (
            claim_block_,
            deadline_,
            rival_block_,
            ignore_block_,
        ) = _ONCHAIN_OUTPUT_3.unpack_from(buf, pos)
        pos += 16
        resolved_by_, pos = read_string(buf, pos)
        (resolved_height_,) = _ONCHAIN_OUTPUT_2.unpack_from(buf, pos)
        pos += 4
        value = cls(
            outpoint=Outpoint(outpoint_0_, outpoint_1_),
            amount=Sat(amount_0_),
            made_by=made_by_,
            kind=kind_,
            payment_hash=payment_hash_,
            height=height_,
            claim_kind=claim_kind_,
            claim_block=claim_block_,
            deadline=deadline_,
            rival_block=rival_block_,
            ignore_block=ignore_block_,
            resolved_by=resolved_by_,
            resolved_height=resolved_height_,
        )
        return value, pos


_ONCHAIND_INIT_0 = struct.Struct(">H")


@wire_class
class OnchaindInit(Message):
    """Master to onchaind, first. Type 700."""

    TYPE: ClassVar[int] = 700
    NAME: ClassVar[str] = "WIRE_ONCHAIND_INIT"
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
        return b"".join((_ONCHAIND_INIT_0.pack(700), write_string(self.network)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _ONCHAIND_INIT_0.unpack_from(buf)
            if wire_type != 700:
                raise WireError(f"type {wire_type}, not 700")
            pos = 2
            network_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                network=network_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_CHANNEL_0 = struct.Struct(">HI")
_ONCHAIND_CHANNEL_1 = struct.Struct(">IIQ33s")
_ONCHAIND_CHANNEL_2 = struct.Struct(">H")
_ONCHAIND_CHANNEL_3 = struct.Struct(">I")
_ONCHAIND_CHANNEL_4 = struct.Struct(">QQ33s")
_ONCHAIND_CHANNEL_5 = struct.Struct(">33s")
_ONCHAIND_CHANNEL_6 = struct.Struct(">III")
_ONCHAIND_CHANNEL_7 = struct.Struct(">64s")


@wire_class
class OnchaindChannel(Message):
    """Master to onchaind: `tx`, in the block at `height`, spends this channel's funding output.
    All that is known follows from here, so the same message after a restart or a
    reorganisation starts anew; `epoch` tells answers of the different starts apart. local_tx
    is our newest commitment, local_feerates what it may pay; htlc_signatures are the peer's,
    in output order. Commitments of the peer below revocations_received are revoked;
    signed_remote is the newest we signed. htlcs: the live ones; for a revoked commitment
    every one there ever was. Type 701.
    """

    TYPE: ClassVar[int] = 701
    NAME: ClassVar[str] = "WIRE_ONCHAIND_CHANNEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("epoch", "u32", ""),
        ("channel", "channel_static", ""),
        ("tx", "varbytes", ""),
        ("height", "u32", ""),
        ("tip", "u32", ""),
        ("local_number", "u64", ""),
        ("local_point", "point", ""),
        ("local_tx", "varbytes", ""),
        ("local_feerates", "u32", "num_feerates"),
        ("htlc_signatures", "signature", "num_signatures"),
        ("revocations_received", "u64", ""),
        ("signed_remote", "u64", ""),
        ("remote_current_point", "point", ""),
        ("remote_next_point", "?point", ""),
        ("future_remote_point", "?point", ""),
        ("shachain", "varbytes", ""),
        ("local_shutdown_script", "varbytes", ""),
        ("remote_shutdown_script", "varbytes", ""),
        ("reasonable_depth", "u32", ""),
        ("min_feerate_perkw", "u32", ""),
        ("htlcs", "onchain_htlc", "num_htlcs"),
    )

    __slots__ = (
        "epoch",
        "channel",
        "tx",
        "height",
        "tip",
        "local_number",
        "local_point",
        "local_tx",
        "local_feerates",
        "htlc_signatures",
        "revocations_received",
        "signed_remote",
        "remote_current_point",
        "remote_next_point",
        "future_remote_point",
        "shachain",
        "local_shutdown_script",
        "remote_shutdown_script",
        "reasonable_depth",
        "min_feerate_perkw",
        "htlcs",
    )
    epoch: int  # u32
    channel: ChannelStatic
    tx: bytes
    height: int  # u32
    tip: int  # u32
    local_number: int  # u64
    local_point: bytes  # 33 bytes
    local_tx: bytes
    local_feerates: tuple[int, ...]
    htlc_signatures: tuple[bytes, ...]
    revocations_received: int  # u64
    signed_remote: int  # u64
    remote_current_point: bytes  # 33 bytes
    remote_next_point: bytes | None
    future_remote_point: bytes | None
    shachain: bytes
    local_shutdown_script: bytes
    remote_shutdown_script: bytes
    reasonable_depth: int  # u32
    min_feerate_perkw: int  # u32
    htlcs: tuple[OnchainHtlc, ...]

    def __init__(
        self,
        *,
        epoch: int,
        channel: ChannelStatic,
        tx: bytes,
        height: int,
        tip: int,
        local_number: int,
        local_point: bytes,
        local_tx: bytes,
        local_feerates: tuple[int, ...],
        htlc_signatures: tuple[bytes, ...],
        revocations_received: int,
        signed_remote: int,
        remote_current_point: bytes,
        remote_next_point: bytes | None = None,
        future_remote_point: bytes | None = None,
        shachain: bytes,
        local_shutdown_script: bytes,
        remote_shutdown_script: bytes,
        reasonable_depth: int,
        min_feerate_perkw: int,
        htlcs: tuple[OnchainHtlc, ...],
    ) -> None:
        put(self, "epoch", epoch)
        put(self, "channel", channel)
        put(self, "tx", tx)
        put(self, "height", height)
        put(self, "tip", tip)
        put(self, "local_number", local_number)
        put(self, "local_point", local_point)
        put(self, "local_tx", local_tx)
        put(self, "local_feerates", local_feerates)
        put(self, "htlc_signatures", htlc_signatures)
        put(self, "revocations_received", revocations_received)
        put(self, "signed_remote", signed_remote)
        put(self, "remote_current_point", remote_current_point)
        put(self, "remote_next_point", remote_next_point)
        put(self, "future_remote_point", future_remote_point)
        put(self, "shachain", shachain)
        put(self, "local_shutdown_script", local_shutdown_script)
        put(self, "remote_shutdown_script", remote_shutdown_script)
        put(self, "reasonable_depth", reasonable_depth)
        put(self, "min_feerate_perkw", min_feerate_perkw)
        put(self, "htlcs", htlcs)

    def encode(self) -> bytes:
        if (
            len(self.local_point) != 33
            or len(self.remote_current_point) != 33
            or (self.remote_next_point is not None and len(self.remote_next_point) != 33)
            or (self.future_remote_point is not None and len(self.future_remote_point) != 33)
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _ONCHAIND_CHANNEL_0.pack(701, self.epoch),
                self.channel.write(),
                write_varbytes(self.tx),
                _ONCHAIND_CHANNEL_1.pack(
                    self.height,
                    self.tip,
                    self.local_number,
                    self.local_point,
                ),
                write_varbytes(self.local_tx),
                _ONCHAIND_CHANNEL_2.pack(len(self.local_feerates)),
                b"".join([_ONCHAIND_CHANNEL_3.pack(x) for x in self.local_feerates]),
                _ONCHAIND_CHANNEL_2.pack(len(self.htlc_signatures)),
                join_fixed(self.htlc_signatures, 64),
                _ONCHAIND_CHANNEL_4.pack(
                    self.revocations_received,
                    self.signed_remote,
                    self.remote_current_point,
                ),
                b"\x00" if self.remote_next_point is None else b"\x01" + _ONCHAIND_CHANNEL_5.pack(
                    self.remote_next_point,
                ),
                b"\x00" if self.future_remote_point is None else b"\x01" + _ONCHAIND_CHANNEL_5.pack(
                    self.future_remote_point,
                ),
                write_varbytes(self.shachain),
                write_varbytes(self.local_shutdown_script),
                write_varbytes(self.remote_shutdown_script),
                _ONCHAIND_CHANNEL_6.pack(
                    self.reasonable_depth,
                    self.min_feerate_perkw,
                    len(self.htlcs),
                ),
                b"".join([x.write() for x in self.htlcs]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, epoch_ = _ONCHAIND_CHANNEL_0.unpack_from(buf)
            if wire_type != 701:
                raise WireError(f"type {wire_type}, not 701")
            pos = 6
            channel_, pos = ChannelStatic.read(buf, pos)
            tx_, pos = read_varbytes(buf, pos)
            height_, tip_, local_number_, local_point_ = _ONCHAIND_CHANNEL_1.unpack_from(buf, pos)
            pos += 49
            local_tx_, pos = read_varbytes(buf, pos)
            (num_feerates_,) = _ONCHAIND_CHANNEL_2.unpack_from(buf, pos)
            pos += 2
            end = pos + num_feerates_ * 4
            if end > len(buf):
                raise too_short("local_feerates", num_feerates_ * 4, len(buf) - pos)
            local_feerates_ = tuple(
                [
                    local_feerates_
                    for (local_feerates_,) in _ONCHAIND_CHANNEL_3.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (num_signatures_,) = _ONCHAIND_CHANNEL_2.unpack_from(buf, pos)
            pos += 2
            end = pos + num_signatures_ * 64
            if end > len(buf):
                raise too_short("htlc_signatures", num_signatures_ * 64, len(buf) - pos)
            htlc_signatures_ = tuple(
                [
                    htlc_signatures_
                    for (htlc_signatures_,) in _ONCHAIND_CHANNEL_7.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            (
                revocations_received_,
                signed_remote_,
                remote_current_point_,
            ) = _ONCHAIND_CHANNEL_4.unpack_from(buf, pos)
            pos += 49
            present = read_flag(buf, pos)
            pos += 1
            remote_next_point_: bytes | None = None
            if present:
                (remote_next_point_0_,) = _ONCHAIND_CHANNEL_5.unpack_from(buf, pos)
                pos += 33
                remote_next_point_ = remote_next_point_0_
            present = read_flag(buf, pos)
            pos += 1
            future_remote_point_: bytes | None = None
            if present:
                (future_remote_point_0_,) = _ONCHAIND_CHANNEL_5.unpack_from(buf, pos)
                pos += 33
                future_remote_point_ = future_remote_point_0_
            shachain_, pos = read_varbytes(buf, pos)
            local_shutdown_script_, pos = read_varbytes(buf, pos)
            remote_shutdown_script_, pos = read_varbytes(buf, pos)
            (
                reasonable_depth_,
                min_feerate_perkw_,
                num_htlcs_,
            ) = _ONCHAIND_CHANNEL_6.unpack_from(buf, pos)
            pos += 12
            htlcs_list: list[OnchainHtlc] = []
            for _ in range(num_htlcs_):
                htlcs_one, pos = OnchainHtlc.read(buf, pos)
                htlcs_list.append(htlcs_one)
            htlcs_ = tuple(htlcs_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                epoch=epoch_,
                channel=channel_,
                tx=tx_,
                height=height_,
                tip=tip_,
                local_number=local_number_,
                local_point=local_point_,
                local_tx=local_tx_,
                local_feerates=local_feerates_,
                htlc_signatures=htlc_signatures_,
                revocations_received=revocations_received_,
                signed_remote=signed_remote_,
                remote_current_point=remote_current_point_,
                remote_next_point=remote_next_point_,
                future_remote_point=future_remote_point_,
                shachain=shachain_,
                local_shutdown_script=local_shutdown_script_,
                remote_shutdown_script=remote_shutdown_script_,
                reasonable_depth=reasonable_depth_,
                min_feerate_perkw=min_feerate_perkw_,
                htlcs=htlcs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_BLOCK_0 = struct.Struct(">HI")


@wire_class
class OnchaindBlock(Message):
    """Master to onchaind: the chain has a new block. Comes after the spends that are in it. Type
    702.
    """

    TYPE: ClassVar[int] = 702
    NAME: ClassVar[str] = "WIRE_ONCHAIND_BLOCK"
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
        return _ONCHAIND_BLOCK_0.pack(702, self.height)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, height_ = _ONCHAIND_BLOCK_0.unpack(buf)
            if wire_type != 702:
                raise WireError(f"type {wire_type}, not 702")
            return cls(
                height=height_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_SPENT_0 = struct.Struct(">HQ")
_ONCHAIND_SPENT_1 = struct.Struct(">I")


@wire_class
class OnchaindSpent(Message):
    """Master to onchaind: a block holds a transaction that spends a watched output. Type 703."""

    TYPE: ClassVar[int] = 703
    NAME: ClassVar[str] = "WIRE_ONCHAIND_SPENT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("tx", "varbytes", ""),
        ("height", "u32", ""),
    )

    __slots__ = ("dbid", "tx", "height")
    dbid: int  # u64
    tx: bytes
    height: int  # u32

    def __init__(
        self,
        *,
        dbid: int,
        tx: bytes,
        height: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "tx", tx)
        put(self, "height", height)

    def encode(self) -> bytes:
        return b"".join(
            (
                _ONCHAIND_SPENT_0.pack(703, self.dbid),
                write_varbytes(self.tx),
                _ONCHAIND_SPENT_1.pack(self.height),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _ONCHAIND_SPENT_0.unpack_from(buf)
            if wire_type != 703:
                raise WireError(f"type {wire_type}, not 703")
            pos = 10
            tx_, pos = read_varbytes(buf, pos)
            (height_,) = _ONCHAIND_SPENT_1.unpack_from(buf, pos)
            pos += 4
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                tx=tx_,
                height=height_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_PREIMAGE_0 = struct.Struct(">HQ32s")


@wire_class
class OnchaindPreimage(Message):
    """Master to onchaind: the preimage of an HTLC that was offered to us is known now. Type 704."""

    TYPE: ClassVar[int] = 704
    NAME: ClassVar[str] = "WIRE_ONCHAIND_PREIMAGE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("preimage", "preimage", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"preimage"})

    __slots__ = ("dbid", "preimage")
    dbid: int  # u64
    preimage: bytes  # 32 bytes

    def __init__(
        self,
        *,
        dbid: int,
        preimage: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "preimage", preimage)

    def encode(self) -> bytes:
        if len(self.preimage) != 32:
            raise wrong_length(self)
        return _ONCHAIND_PREIMAGE_0.pack(704, self.dbid, self.preimage)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, preimage_ = _ONCHAIND_PREIMAGE_0.unpack(buf)
            if wire_type != 704:
                raise WireError(f"type {wire_type}, not 704")
            return cls(
                dbid=dbid_,
                preimage=preimage_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_FORGET_0 = struct.Struct(">HQ")


@wire_class
class OnchaindForget(Message):
    """Master to onchaind: no more of this channel. Type 705."""

    TYPE: ClassVar[int] = 705
    NAME: ClassVar[str] = "WIRE_ONCHAIND_FORGET"
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
        return _ONCHAIND_FORGET_0.pack(705, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _ONCHAIND_FORGET_0.unpack(buf)
            if wire_type != 705:
                raise WireError(f"type {wire_type}, not 705")
            return cls(
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_RECOGNISED_0 = struct.Struct(">HQI")
_ONCHAIND_RECOGNISED_1 = struct.Struct(">Q")


@wire_class
class OnchaindRecognised(Message):
    """onchaind to master: what kind of spend it is, in the words of listpeerchannels. number: of
    the commitment, 0 for a mutual close. Type 710.
    """

    TYPE: ClassVar[int] = 710
    NAME: ClassVar[str] = "WIRE_ONCHAIND_RECOGNISED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("status", "utf8", ""),
        ("number", "u64", ""),
    )

    __slots__ = ("dbid", "epoch", "status", "number")
    dbid: int  # u64
    epoch: int  # u32
    status: str
    number: int  # u64

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        status: str,
        number: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "status", status)
        put(self, "number", number)

    def encode(self) -> bytes:
        return b"".join(
            (
                _ONCHAIND_RECOGNISED_0.pack(710, self.dbid, self.epoch),
                write_string(self.status),
                _ONCHAIND_RECOGNISED_1.pack(self.number),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_ = _ONCHAIND_RECOGNISED_0.unpack_from(buf)
            if wire_type != 710:
                raise WireError(f"type {wire_type}, not 710")
            pos = 14
            status_, pos = read_string(buf, pos)
            (number_,) = _ONCHAIND_RECOGNISED_1.unpack_from(buf, pos)
            pos += 8
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                status=status_,
                number=number_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_WATCH_0 = struct.Struct(">HQIIH")
_ONCHAIND_WATCH_1 = struct.Struct(">32sI")


@wire_class
class OnchaindWatch(Message):
    """onchaind to master: tell when these outputs, made at `height`, are spent. Type 711."""

    TYPE: ClassVar[int] = 711
    NAME: ClassVar[str] = "WIRE_ONCHAIND_WATCH"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("height", "u32", ""),
        ("outpoints", "outpoint", "num_outpoints"),
    )

    __slots__ = ("dbid", "epoch", "height", "outpoints")
    dbid: int  # u64
    epoch: int  # u32
    height: int  # u32
    outpoints: tuple[Outpoint, ...]

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        height: int,
        outpoints: tuple[Outpoint, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "height", height)
        put(self, "outpoints", outpoints)

    def encode(self) -> bytes:
        exactly_all([x.txid for x in self.outpoints], 32)
        return b"".join(
            (
                _ONCHAIND_WATCH_0.pack(
                    711,
                    self.dbid,
                    self.epoch,
                    self.height,
                    len(self.outpoints),
                ),
                b"".join([_ONCHAIND_WATCH_1.pack(x.txid, x.index) for x in self.outpoints]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_, height_, num_outpoints_ = _ONCHAIND_WATCH_0.unpack_from(buf)
            if wire_type != 711:
                raise WireError(f"type {wire_type}, not 711")
            pos = 20
            end = pos + num_outpoints_ * 36
            if end > len(buf):
                raise too_short("outpoints", num_outpoints_ * 36, len(buf) - pos)
            outpoints_ = tuple(
                [
                    Outpoint(outpoints_0_, outpoints_1_)
                    for outpoints_0_, outpoints_1_ in _ONCHAIND_WATCH_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                height=height_,
                outpoints=outpoints_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_CLAIMS_0 = struct.Struct(">HQIH")


@wire_class
class OnchaindClaims(Message):
    """onchaind to master: take these outputs. Type 712."""

    TYPE: ClassVar[int] = 712
    NAME: ClassVar[str] = "WIRE_ONCHAIND_CLAIMS"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("claims", "claim", "num_claims"),
    )

    __slots__ = ("dbid", "epoch", "claims")
    dbid: int  # u64
    epoch: int  # u32
    claims: tuple[Claim, ...]

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        claims: tuple[Claim, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "claims", claims)

    def encode(self) -> bytes:
        return b"".join(
            (
                _ONCHAIND_CLAIMS_0.pack(712, self.dbid, self.epoch, len(self.claims)),
                b"".join([x.write() for x in self.claims]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_, num_claims_ = _ONCHAIND_CLAIMS_0.unpack_from(buf)
            if wire_type != 712:
                raise WireError(f"type {wire_type}, not 712")
            pos = 16
            claims_list: list[Claim] = []
            for _ in range(num_claims_):
                claims_one, pos = Claim.read(buf, pos)
                claims_list.append(claims_one)
            claims_ = tuple(claims_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                claims=claims_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_UNCLAIM_0 = struct.Struct(">HQI32sI")


@wire_class
class OnchaindUnclaim(Message):
    """onchaind to master: somebody has taken an output: no more claims of it. Type 713."""

    TYPE: ClassVar[int] = 713
    NAME: ClassVar[str] = "WIRE_ONCHAIND_UNCLAIM"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("outpoint", "outpoint", ""),
    )

    __slots__ = ("dbid", "epoch", "outpoint")
    dbid: int  # u64
    epoch: int  # u32
    outpoint: Outpoint

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        outpoint: Outpoint,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "outpoint", outpoint)

    def encode(self) -> bytes:
        if len(self.outpoint.txid) != 32:
            raise wrong_length(self)
        return _ONCHAIND_UNCLAIM_0.pack(
            713,
            self.dbid,
            self.epoch,
            self.outpoint.txid,
            self.outpoint.index,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_, outpoint_0_, outpoint_1_ = _ONCHAIND_UNCLAIM_0.unpack(buf)
            if wire_type != 713:
                raise WireError(f"type {wire_type}, not 713")
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                outpoint=Outpoint(outpoint_0_, outpoint_1_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_TO_US_0 = struct.Struct(">HQI32sIQ")
_ONCHAIND_TO_US_1 = struct.Struct(">II")


@wire_class
class OnchaindToUs(Message):
    """onchaind to master: an output that is ours alone (to_remote in the peer's commitment).
    csv: blocks it is locked. Type 714.
    """

    TYPE: ClassVar[int] = 714
    NAME: ClassVar[str] = "WIRE_ONCHAIND_TO_US"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("outpoint", "outpoint", ""),
        ("amount", "sat", ""),
        ("script", "varbytes", ""),
        ("csv", "u32", ""),
        ("height", "u32", ""),
    )

    __slots__ = ("dbid", "epoch", "outpoint", "amount", "script", "csv", "height")
    dbid: int  # u64
    epoch: int  # u32
    outpoint: Outpoint
    amount: Sat
    script: bytes
    csv: int  # u32
    height: int  # u32

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        outpoint: Outpoint,
        amount: Sat,
        script: bytes,
        csv: int,
        height: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "outpoint", outpoint)
        put(self, "amount", amount)
        put(self, "script", script)
        put(self, "csv", csv)
        put(self, "height", height)

    def encode(self) -> bytes:
        if len(self.outpoint.txid) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _ONCHAIND_TO_US_0.pack(
                    714,
                    self.dbid,
                    self.epoch,
                    self.outpoint.txid,
                    self.outpoint.index,
                    self.amount.sat,
                ),
                write_varbytes(self.script),
                _ONCHAIND_TO_US_1.pack(self.csv, self.height),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                dbid_,
                epoch_,
                outpoint_0_,
                outpoint_1_,
                amount_0_,
            ) = _ONCHAIND_TO_US_0.unpack_from(buf)
            if wire_type != 714:
                raise WireError(f"type {wire_type}, not 714")
            pos = 58
            script_, pos = read_varbytes(buf, pos)
            csv_, height_ = _ONCHAIND_TO_US_1.unpack_from(buf, pos)
            pos += 8
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                outpoint=Outpoint(outpoint_0_, outpoint_1_),
                amount=Sat(amount_0_),
                script=script_,
                csv=csv_,
                height=height_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_EXTRACTED_PREIMAGE_0 = struct.Struct(">HQI32s")


@wire_class
class OnchaindExtractedPreimage(Message):
    """onchaind to master: the peer has shown this preimage on the chain. Type 715."""

    TYPE: ClassVar[int] = 715
    NAME: ClassVar[str] = "WIRE_ONCHAIND_EXTRACTED_PREIMAGE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("preimage", "preimage", ""),
    )
    HIDDEN: ClassVar[frozenset[str]] = frozenset({"preimage"})

    __slots__ = ("dbid", "epoch", "preimage")
    dbid: int  # u64
    epoch: int  # u32
    preimage: bytes  # 32 bytes

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        preimage: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "preimage", preimage)

    def encode(self) -> bytes:
        if len(self.preimage) != 32:
            raise wrong_length(self)
        return _ONCHAIND_EXTRACTED_PREIMAGE_0.pack(715, self.dbid, self.epoch, self.preimage)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_, preimage_ = _ONCHAIND_EXTRACTED_PREIMAGE_0.unpack(buf)
            if wire_type != 715:
                raise WireError(f"type {wire_type}, not 715")
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                preimage=preimage_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_HTLC_GONE_0 = struct.Struct(">HQIQ")


@wire_class
class OnchaindHtlcGone(Message):
    """onchaind to master: an HTLC that we offered can no longer be fulfilled. `why` for logs and
    payers. Type 716.
    """

    TYPE: ClassVar[int] = 716
    NAME: ClassVar[str] = "WIRE_ONCHAIND_HTLC_GONE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("id", "u64", ""),
        ("why", "utf8", ""),
    )

    __slots__ = ("dbid", "epoch", "id", "why")
    dbid: int  # u64
    epoch: int  # u32
    id: int  # u64
    why: str

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        id: int,
        why: str,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "id", id)
        put(self, "why", why)

    def encode(self) -> bytes:
        return b"".join(
            (
                _ONCHAIND_HTLC_GONE_0.pack(716, self.dbid, self.epoch, self.id),
                write_string(self.why),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_, id_ = _ONCHAIND_HTLC_GONE_0.unpack_from(buf)
            if wire_type != 716:
                raise WireError(f"type {wire_type}, not 716")
            pos = 22
            why_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                id=id_,
                why=why_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_PROGRESS_0 = struct.Struct(">HQI")
_ONCHAIND_PROGRESS_1 = struct.Struct(">H")


@wire_class
class OnchaindProgress(Message):
    """Type 717."""

    TYPE: ClassVar[int] = 717
    NAME: ClassVar[str] = "WIRE_ONCHAIND_PROGRESS"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("status", "utf8", ""),
        ("outputs", "onchain_output", "num_outputs"),
    )

    __slots__ = ("dbid", "epoch", "status", "outputs")
    dbid: int  # u64
    epoch: int  # u32
    status: str
    outputs: tuple[OnchainOutput, ...]

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        status: str,
        outputs: tuple[OnchainOutput, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "status", status)
        put(self, "outputs", outputs)

    def encode(self) -> bytes:
        return b"".join(
            (
                _ONCHAIND_PROGRESS_0.pack(717, self.dbid, self.epoch),
                write_string(self.status),
                _ONCHAIND_PROGRESS_1.pack(len(self.outputs)),
                b"".join([x.write() for x in self.outputs]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_ = _ONCHAIND_PROGRESS_0.unpack_from(buf)
            if wire_type != 717:
                raise WireError(f"type {wire_type}, not 717")
            pos = 14
            status_, pos = read_string(buf, pos)
            (num_outputs_,) = _ONCHAIND_PROGRESS_1.unpack_from(buf, pos)
            pos += 2
            outputs_list: list[OnchainOutput] = []
            for _ in range(num_outputs_):
                outputs_one, pos = OnchainOutput.read(buf, pos)
                outputs_list.append(outputs_one)
            outputs_ = tuple(outputs_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                status=status_,
                outputs=outputs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_ONCHAIND_ALL_RESOLVED_0 = struct.Struct(">HQIH")
_ONCHAIND_ALL_RESOLVED_1 = struct.Struct(">Q")


@wire_class
class OnchaindAllResolved(Message):
    """onchaind to master: every output is resolved for good. won: HTLCs that the peer offered
    and we have taken. Type 718.
    """

    TYPE: ClassVar[int] = 718
    NAME: ClassVar[str] = "WIRE_ONCHAIND_ALL_RESOLVED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("epoch", "u32", ""),
        ("won", "u64", "num_won"),
    )

    __slots__ = ("dbid", "epoch", "won")
    dbid: int  # u64
    epoch: int  # u32
    won: tuple[int, ...]

    def __init__(
        self,
        *,
        dbid: int,
        epoch: int,
        won: tuple[int, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "epoch", epoch)
        put(self, "won", won)

    def encode(self) -> bytes:
        return b"".join(
            (
                _ONCHAIND_ALL_RESOLVED_0.pack(718, self.dbid, self.epoch, len(self.won)),
                b"".join([_ONCHAIND_ALL_RESOLVED_1.pack(x) for x in self.won]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, epoch_, num_won_ = _ONCHAIND_ALL_RESOLVED_0.unpack_from(buf)
            if wire_type != 718:
                raise WireError(f"type {wire_type}, not 718")
            pos = 16
            end = pos + num_won_ * 8
            if end > len(buf):
                raise too_short("won", num_won_ * 8, len(buf) - pos)
            won_ = tuple([won_ for (won_,) in _ONCHAIND_ALL_RESOLVED_1.iter_unpack(buf[pos:end])])
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                epoch=epoch_,
                won=won_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


OnchaindMessage: TypeAlias = (
    OnchaindInit
    | OnchaindChannel
    | OnchaindBlock
    | OnchaindSpent
    | OnchaindPreimage
    | OnchaindForget
    | OnchaindRecognised
    | OnchaindWatch
    | OnchaindClaims
    | OnchaindUnclaim
    | OnchaindToUs
    | OnchaindExtractedPreimage
    | OnchaindHtlcGone
    | OnchaindProgress
    | OnchaindAllResolved
)

MESSAGES: dict[int, type[OnchaindMessage]] = {
    700: OnchaindInit,
    701: OnchaindChannel,
    702: OnchaindBlock,
    703: OnchaindSpent,
    704: OnchaindPreimage,
    705: OnchaindForget,
    710: OnchaindRecognised,
    711: OnchaindWatch,
    712: OnchaindClaims,
    713: OnchaindUnclaim,
    714: OnchaindToUs,
    715: OnchaindExtractedPreimage,
    716: OnchaindHtlcGone,
    717: OnchaindProgress,
    718: OnchaindAllResolved,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> OnchaindMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
