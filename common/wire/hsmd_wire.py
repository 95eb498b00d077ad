# GENERATED from hsmd/hsmd_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `hsmd/hsmd_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.amount import Sat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId, Outpoint
from pylightningd.common.secret import Secret
from pylightningd.common.wire.common_wire import Basepoints, ChannelStatic, CommitmentContent
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Request,
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
    "dcb90bd3fa7a231192c770fd6efb38c1dd5e429e24a4a79c9fa7c16c19ead03f"
)
"""SHA256 of hsmd/hsmd_wire.csv and what it includes."""


_COMMITMENT_RECORD_0 = struct.Struct(">33sQQQQ")


@wire_class
class CommitmentRecord(Subtype):
    """What a channel has gone through, as counts: local commitments revoked, remote ones signed;
    `broadcast` is one more than the number of the local commitment that was signed for the
    chain, 0 where none was.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("dbid", "u64", ""),
        ("revoked", "u64", ""),
        ("remote_signed", "u64", ""),
        ("broadcast", "u64", ""),
    )

    __slots__ = ("peer_id", "dbid", "revoked", "remote_signed", "broadcast")
    peer_id: NodeId
    dbid: int  # u64
    revoked: int  # u64
    remote_signed: int  # u64
    broadcast: int  # u64

    def __init__(
        self,
        *,
        peer_id: NodeId,
        dbid: int,
        revoked: int,
        remote_signed: int,
        broadcast: int,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "dbid", dbid)
        put(self, "revoked", revoked)
        put(self, "remote_signed", remote_signed)
        put(self, "broadcast", broadcast)

    def write(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return _COMMITMENT_RECORD_0.pack(
            self.peer_id,
            self.dbid,
            self.revoked,
            self.remote_signed,
            self.broadcast,
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        (
            peer_id_,
            dbid_,
            revoked_,
            remote_signed_,
            broadcast_,
        ) = _COMMITMENT_RECORD_0.unpack_from(buf, pos)
        pos += 65
        value = cls(
            peer_id=peer_id_,
            dbid=dbid_,
            revoked=revoked_,
            remote_signed=remote_signed_,
            broadcast=broadcast_,
        )
        return value, pos


_CLAIM_INPUT_0 = struct.Struct(">IQ")
_CLAIM_INPUT_1 = struct.Struct(">BQ")
_CLAIM_INPUT_2 = struct.Struct(">33s")
_CLAIM_INPUT_3 = struct.Struct(">32s")


@wire_class
class ClaimInput(Subtype):
    """On-chain claims, all inputs of one transaction that the channel's keys open. `tx` is
    without signatures; input `input_index` spends `amount` locked by `witness_script`.
    signer: 1 delayed output (commitment_number), 2 HTLC transaction of our commitment
    (commitment_number), 3 HTLC output of the peer's commitment (point), 4 output of a revoked
    one (revocation_secret). Signatures are SIGHASH_ALL, in the order asked.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("input_index", "u32", ""),
        ("amount", "sat", ""),
        ("witness_script", "varbytes", ""),
        ("signer", "u8", ""),
        ("commitment_number", "u64", ""),
        ("point", "?point", ""),
        ("revocation_secret", "?secret", ""),
    )

    __slots__ = (
        "input_index",
        "amount",
        "witness_script",
        "signer",
        "commitment_number",
        "point",
        "revocation_secret",
    )
    input_index: int  # u32
    amount: Sat
    witness_script: bytes
    signer: int  # u8
    commitment_number: int  # u64
    point: bytes | None
    revocation_secret: Secret | None

    def __init__(
        self,
        *,
        input_index: int,
        amount: Sat,
        witness_script: bytes,
        signer: int,
        commitment_number: int,
        point: bytes | None = None,
        revocation_secret: Secret | None = None,
    ) -> None:
        put(self, "input_index", input_index)
        put(self, "amount", amount)
        put(self, "witness_script", witness_script)
        put(self, "signer", signer)
        put(self, "commitment_number", commitment_number)
        put(self, "point", point)
        put(self, "revocation_secret", revocation_secret)

    def write(self) -> bytes:
        if (
            (self.point is not None and len(self.point) != 33)
            or (self.revocation_secret is not None and len(self.revocation_secret) != 32)
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _CLAIM_INPUT_0.pack(self.input_index, self.amount.sat),
                write_varbytes(self.witness_script),
                _CLAIM_INPUT_1.pack(self.signer, self.commitment_number),
                b"\x00" if self.point is None else b"\x01" + _CLAIM_INPUT_2.pack(self.point),
                b"\x00" if self.revocation_secret is None else b"\x01" + _CLAIM_INPUT_3.pack(
                    self.revocation_secret.reveal(),
                ),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        input_index_, amount_0_ = _CLAIM_INPUT_0.unpack_from(buf, pos)
        pos += 12
        witness_script_, pos = read_varbytes(buf, pos)
        signer_, commitment_number_ = _CLAIM_INPUT_1.unpack_from(buf, pos)
        pos += 9
        present = read_flag(buf, pos)
        pos += 1
        point_: bytes | None = None
        if present:
            (point_0_,) = _CLAIM_INPUT_2.unpack_from(buf, pos)
            pos += 33
            point_ = point_0_
        present = read_flag(buf, pos)
        pos += 1
        revocation_secret_: Secret | None = None
        if present:
            (revocation_secret_0_,) = _CLAIM_INPUT_3.unpack_from(buf, pos)
            pos += 32
            revocation_secret_ = Secret(revocation_secret_0_)
        value = cls(
            input_index=input_index_,
            amount=Sat(amount_0_),
            witness_script=witness_script_,
            signer=signer_,
            commitment_number=commitment_number_,
            point=point_,
            revocation_secret=revocation_secret_,
        )
        return value, pos


_WALLET_INPUT_0 = struct.Struct(">32sIQ")
_WALLET_INPUT_1 = struct.Struct(">IBQ33sI")


@wire_class
class WalletInput(Subtype):
    """Wallet inputs: sign those inputs of the PSBT (base64) named here. A key is a BIP 32 index,
    on the BIP 86 branch or CLN's old one, or a channel's to_remote key (close_dbid not 0) for
    outputs of unilateral closes.
    """

    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("outpoint", "outpoint", ""),
        ("amount", "sat", ""),
        ("scriptpubkey", "varbytes", ""),
        ("key_index", "u32", ""),
        ("bip86", "bool", ""),
        ("close_dbid", "u64", ""),
        ("close_peer_id", "node_id", ""),
        ("csv_blocks", "u32", ""),
    )

    __slots__ = (
        "outpoint",
        "amount",
        "scriptpubkey",
        "key_index",
        "bip86",
        "close_dbid",
        "close_peer_id",
        "csv_blocks",
    )
    outpoint: Outpoint
    amount: Sat
    scriptpubkey: bytes
    key_index: int  # u32
    bip86: bool
    close_dbid: int  # u64
    close_peer_id: NodeId
    csv_blocks: int  # u32

    def __init__(
        self,
        *,
        outpoint: Outpoint,
        amount: Sat,
        scriptpubkey: bytes,
        key_index: int,
        bip86: bool,
        close_dbid: int,
        close_peer_id: NodeId,
        csv_blocks: int,
    ) -> None:
        put(self, "outpoint", outpoint)
        put(self, "amount", amount)
        put(self, "scriptpubkey", scriptpubkey)
        put(self, "key_index", key_index)
        put(self, "bip86", bip86)
        put(self, "close_dbid", close_dbid)
        put(self, "close_peer_id", close_peer_id)
        put(self, "csv_blocks", csv_blocks)

    def write(self) -> bytes:
        if len(self.outpoint.txid) != 32 or len(self.close_peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _WALLET_INPUT_0.pack(self.outpoint.txid, self.outpoint.index, self.amount.sat),
                write_varbytes(self.scriptpubkey),
                _WALLET_INPUT_1.pack(
                    self.key_index,
                    self.bip86,
                    self.close_dbid,
                    self.close_peer_id,
                    self.csv_blocks,
                ),
            ),
        )

    @classmethod
    def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:
        outpoint_0_, outpoint_1_, amount_0_ = _WALLET_INPUT_0.unpack_from(buf, pos)
        pos += 44
        scriptpubkey_, pos = read_varbytes(buf, pos)
        (
            key_index_,
            bip86_0_,
            close_dbid_,
            close_peer_id_,
            csv_blocks_,
        ) = _WALLET_INPUT_1.unpack_from(buf, pos)
        pos += 50
        value = cls(
            outpoint=Outpoint(outpoint_0_, outpoint_1_),
            amount=Sat(amount_0_),
            scriptpubkey=scriptpubkey_,
            key_index=key_index_,
            bip86=to_bool(bip86_0_),
            close_dbid=close_dbid_,
            close_peer_id=close_peer_id_,
            csv_blocks=csv_blocks_,
        )
        return value, pos


_HSMD_INIT_REPLY_0 = struct.Struct(">H33s")
_HSMD_INIT_REPLY_1 = struct.Struct(">33sB")


@wire_class
class HsmdInitReply(Message):
    """Type 101."""

    TYPE: ClassVar[int] = 101
    NAME: ClassVar[str] = "WIRE_HSMD_INIT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("node_id", "node_id", ""),
        ("bip32_base", "utf8", ""),
        ("bip86_base", "utf8", ""),
        ("bolt12_base", "point", ""),
        ("has_mnemonic", "bool", ""),
    )

    __slots__ = ("node_id", "bip32_base", "bip86_base", "bolt12_base", "has_mnemonic")
    node_id: NodeId
    # base58 xpub of CLN's m/0/0 branch (P2WPKH and old P2TR addresses) and, for mnemonic secrets,
    # of m/86'/0'/0' (empty otherwise)
    bip32_base: str
    bip86_base: str
    bolt12_base: bytes  # 33 bytes
    has_mnemonic: bool

    def __init__(
        self,
        *,
        node_id: NodeId,
        bip32_base: str,
        bip86_base: str,
        bolt12_base: bytes,
        has_mnemonic: bool,
    ) -> None:
        put(self, "node_id", node_id)
        put(self, "bip32_base", bip32_base)
        put(self, "bip86_base", bip86_base)
        put(self, "bolt12_base", bolt12_base)
        put(self, "has_mnemonic", has_mnemonic)

    def encode(self) -> bytes:
        if len(self.node_id) != 33 or len(self.bolt12_base) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _HSMD_INIT_REPLY_0.pack(101, self.node_id),
                write_string(self.bip32_base),
                write_string(self.bip86_base),
                _HSMD_INIT_REPLY_1.pack(self.bolt12_base, self.has_mnemonic),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, node_id_ = _HSMD_INIT_REPLY_0.unpack_from(buf)
            if wire_type != 101:
                raise WireError(f"type {wire_type}, not 101")
            pos = 35
            bip32_base_, pos = read_string(buf, pos)
            bip86_base_, pos = read_string(buf, pos)
            bolt12_base_, has_mnemonic_0_ = _HSMD_INIT_REPLY_1.unpack_from(buf, pos)
            pos += 34
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                node_id=node_id_,
                bip32_base=bip32_base_,
                bip86_base=bip86_base_,
                bolt12_base=bolt12_base_,
                has_mnemonic=to_bool(has_mnemonic_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_INIT_0 = struct.Struct(">H")
_HSMD_INIT_1 = struct.Struct(">32s")


@wire_class
class HsmdInit(Request[HsmdInitReply]):
    """Master to hsmd, once: make or read hsm_secret (its path is hsmd's own option) and tell the
    public parts. Type 100.
    """

    TYPE: ClassVar[int] = 100
    NAME: ClassVar[str] = "WIRE_HSMD_INIT"
    REPLY: ClassVar[type[HsmdInitReply]] = HsmdInitReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("network", "utf8", ""),
        ("passphrase", "?varbytes", ""),
        ("dev_node_key", "?secret", ""),
        ("dev_bip32_seed", "?secret", ""),
        ("dev_channel_secrets", "?varbytes", ""),
    )

    __slots__ = ("network", "passphrase", "dev_node_key", "dev_bip32_seed", "dev_channel_secrets")
    network: str
    passphrase: bytes | None
    # For tests: use these in the place of what follows from hsm_secret. The secrets of all channels
    # are 6 x 32 bytes.
    dev_node_key: Secret | None
    dev_bip32_seed: Secret | None
    dev_channel_secrets: bytes | None

    def __init__(
        self,
        *,
        network: str,
        passphrase: bytes | None = None,
        dev_node_key: Secret | None = None,
        dev_bip32_seed: Secret | None = None,
        dev_channel_secrets: bytes | None = None,
    ) -> None:
        put(self, "network", network)
        put(self, "passphrase", passphrase)
        put(self, "dev_node_key", dev_node_key)
        put(self, "dev_bip32_seed", dev_bip32_seed)
        put(self, "dev_channel_secrets", dev_channel_secrets)

    def encode(self) -> bytes:
        if (
            (self.dev_node_key is not None and len(self.dev_node_key) != 32)
            or (self.dev_bip32_seed is not None and len(self.dev_bip32_seed) != 32)
        ):
            raise wrong_length(self)
        return b"".join(
            (
                _HSMD_INIT_0.pack(100),
                write_string(self.network),
                b"\x00" if self.passphrase is None else b"\x01" + write_varbytes(self.passphrase),
                b"\x00" if self.dev_node_key is None else b"\x01" + _HSMD_INIT_1.pack(
                    self.dev_node_key.reveal(),
                ),
                b"\x00" if self.dev_bip32_seed is None else b"\x01" + _HSMD_INIT_1.pack(
                    self.dev_bip32_seed.reveal(),
                ),
                b"\x00" if self.dev_channel_secrets is None else b"\x01" + write_varbytes(
                    self.dev_channel_secrets,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_INIT_0.unpack_from(buf)
            if wire_type != 100:
                raise WireError(f"type {wire_type}, not 100")
            pos = 2
            network_, pos = read_string(buf, pos)
            present = read_flag(buf, pos)
            pos += 1
            passphrase_: bytes | None = None
            if present:
                passphrase_, pos = read_varbytes(buf, pos)
            present = read_flag(buf, pos)
            pos += 1
            dev_node_key_: Secret | None = None
            if present:
                (dev_node_key_0_,) = _HSMD_INIT_1.unpack_from(buf, pos)
                pos += 32
                dev_node_key_ = Secret(dev_node_key_0_)
            present = read_flag(buf, pos)
            pos += 1
            dev_bip32_seed_: Secret | None = None
            if present:
                (dev_bip32_seed_0_,) = _HSMD_INIT_1.unpack_from(buf, pos)
                pos += 32
                dev_bip32_seed_ = Secret(dev_bip32_seed_0_)
            present = read_flag(buf, pos)
            pos += 1
            dev_channel_secrets_: bytes | None = None
            if present:
                dev_channel_secrets_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                network=network_,
                passphrase=passphrase_,
                dev_node_key=dev_node_key_,
                dev_bip32_seed=dev_bip32_seed_,
                dev_channel_secrets=dev_channel_secrets_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_ASSIGN_CHANNEL_0 = struct.Struct(">HQ33sQ")


@wire_class
class HsmdAssignChannel(Message):
    """Master to hsmd: link `link_id` may act for this channel from now on (removed by unassign
    or with the link). Type 102.
    """

    TYPE: ClassVar[int] = 102
    NAME: ClassVar[str] = "WIRE_HSMD_ASSIGN_CHANNEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("link_id", "u64", ""),
        ("peer_id", "node_id", ""),
        ("dbid", "u64", ""),
    )

    __slots__ = ("link_id", "peer_id", "dbid")
    link_id: int  # u64
    peer_id: NodeId
    dbid: int  # u64

    def __init__(
        self,
        *,
        link_id: int,
        peer_id: NodeId,
        dbid: int,
    ) -> None:
        put(self, "link_id", link_id)
        put(self, "peer_id", peer_id)
        put(self, "dbid", dbid)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return _HSMD_ASSIGN_CHANNEL_0.pack(102, self.link_id, self.peer_id, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, link_id_, peer_id_, dbid_ = _HSMD_ASSIGN_CHANNEL_0.unpack(buf)
            if wire_type != 102:
                raise WireError(f"type {wire_type}, not 102")
            return cls(
                link_id=link_id_,
                peer_id=peer_id_,
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_UNASSIGN_CHANNEL_0 = struct.Struct(">HQQ")


@wire_class
class HsmdUnassignChannel(Message):
    """Type 103."""

    TYPE: ClassVar[int] = 103
    NAME: ClassVar[str] = "WIRE_HSMD_UNASSIGN_CHANNEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("link_id", "u64", ""),
        ("dbid", "u64", ""),
    )

    __slots__ = ("link_id", "dbid")
    link_id: int  # u64
    dbid: int  # u64

    def __init__(
        self,
        *,
        link_id: int,
        dbid: int,
    ) -> None:
        put(self, "link_id", link_id)
        put(self, "dbid", dbid)

    def encode(self) -> bytes:
        return _HSMD_UNASSIGN_CHANNEL_0.pack(103, self.link_id, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, link_id_, dbid_ = _HSMD_UNASSIGN_CHANNEL_0.unpack(buf)
            if wire_type != 103:
                raise WireError(f"type {wire_type}, not 103")
            return cls(
                link_id=link_id_,
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SETUP_CHANNEL_REPLY_0 = struct.Struct(">H")


@wire_class
class HsmdSetupChannelReply(Message):
    """Type 105."""

    TYPE: ClassVar[int] = 105
    NAME: ClassVar[str] = "WIRE_HSMD_SETUP_CHANNEL_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _HSMD_SETUP_CHANNEL_REPLY_0.pack(105)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SETUP_CHANNEL_REPLY_0.unpack(buf)
            if wire_type != 105:
                raise WireError(f"type {wire_type}, not 105")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SETUP_CHANNEL_0 = struct.Struct(">H")


@wire_class
class HsmdSetupChannel(Request[HsmdSetupChannelReply]):
    """Tell the static facts of a channel, before anything of it is signed. Repeated after every
    start. Type 104.
    """

    TYPE: ClassVar[int] = 104
    NAME: ClassVar[str] = "WIRE_HSMD_SETUP_CHANNEL"
    REPLY: ClassVar[type[HsmdSetupChannelReply]] = HsmdSetupChannelReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("channel", "channel_static", ""),
    )

    __slots__ = ("channel",)
    channel: ChannelStatic

    def __init__(
        self,
        *,
        channel: ChannelStatic,
    ) -> None:
        put(self, "channel", channel)

    def encode(self) -> bytes:
        return b"".join((_HSMD_SETUP_CHANNEL_0.pack(104), self.channel.write()))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SETUP_CHANNEL_0.unpack_from(buf)
            if wire_type != 104:
                raise WireError(f"type {wire_type}, not 104")
            pos = 2
            channel_, pos = ChannelStatic.read(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                channel=channel_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_GET_BASEPOINTS_REPLY_0 = struct.Struct(">H")


@wire_class
class HsmdGetBasepointsReply(Message):
    """Type 107."""

    TYPE: ClassVar[int] = 107
    NAME: ClassVar[str] = "WIRE_HSMD_GET_BASEPOINTS_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("basepoints", "basepoints", ""),
    )

    __slots__ = ("basepoints",)
    basepoints: Basepoints

    def __init__(
        self,
        *,
        basepoints: Basepoints,
    ) -> None:
        put(self, "basepoints", basepoints)

    def encode(self) -> bytes:
        return b"".join((_HSMD_GET_BASEPOINTS_REPLY_0.pack(107), self.basepoints.write()))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_GET_BASEPOINTS_REPLY_0.unpack_from(buf)
            if wire_type != 107:
                raise WireError(f"type {wire_type}, not 107")
            pos = 2
            basepoints_, pos = Basepoints.read(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                basepoints=basepoints_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_GET_BASEPOINTS_0 = struct.Struct(">H33sQ")


@wire_class
class HsmdGetBasepoints(Request[HsmdGetBasepointsReply]):
    """Type 106."""

    TYPE: ClassVar[int] = 106
    NAME: ClassVar[str] = "WIRE_HSMD_GET_BASEPOINTS"
    REPLY: ClassVar[type[HsmdGetBasepointsReply]] = HsmdGetBasepointsReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("dbid", "u64", ""),
    )

    __slots__ = ("peer_id", "dbid")
    peer_id: NodeId
    dbid: int  # u64

    def __init__(
        self,
        *,
        peer_id: NodeId,
        dbid: int,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "dbid", dbid)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return _HSMD_GET_BASEPOINTS_0.pack(106, self.peer_id, self.dbid)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_, dbid_ = _HSMD_GET_BASEPOINTS_0.unpack(buf)
            if wire_type != 106:
                raise WireError(f"type {wire_type}, not 106")
            return cls(
                peer_id=peer_id_,
                dbid=dbid_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_GET_PER_COMMITMENT_POINT_REPLY_0 = struct.Struct(">H33s")


@wire_class
class HsmdGetPerCommitmentPointReply(Message):
    """Type 109."""

    TYPE: ClassVar[int] = 109
    NAME: ClassVar[str] = "WIRE_HSMD_GET_PER_COMMITMENT_POINT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("point", "point", ""),
    )

    __slots__ = ("point",)
    point: bytes  # 33 bytes

    def __init__(
        self,
        *,
        point: bytes,
    ) -> None:
        put(self, "point", point)

    def encode(self) -> bytes:
        if len(self.point) != 33:
            raise wrong_length(self)
        return _HSMD_GET_PER_COMMITMENT_POINT_REPLY_0.pack(109, self.point)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, point_ = _HSMD_GET_PER_COMMITMENT_POINT_REPLY_0.unpack(buf)
            if wire_type != 109:
                raise WireError(f"type {wire_type}, not 109")
            return cls(
                point=point_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_GET_PER_COMMITMENT_POINT_0 = struct.Struct(">HQQ")


@wire_class
class HsmdGetPerCommitmentPoint(Request[HsmdGetPerCommitmentPointReply]):
    """Our point for local commitment `number`; with it the secret of number-2 once that is
    revoked (as in CLN). Type 108.
    """

    TYPE: ClassVar[int] = 108
    NAME: ClassVar[str] = "WIRE_HSMD_GET_PER_COMMITMENT_POINT"
    REPLY: ClassVar[type[HsmdGetPerCommitmentPointReply]] = HsmdGetPerCommitmentPointReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("number", "u64", ""),
    )

    __slots__ = ("dbid", "number")
    dbid: int  # u64
    number: int  # u64

    def __init__(
        self,
        *,
        dbid: int,
        number: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "number", number)

    def encode(self) -> bytes:
        return _HSMD_GET_PER_COMMITMENT_POINT_0.pack(108, self.dbid, self.number)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, number_ = _HSMD_GET_PER_COMMITMENT_POINT_0.unpack(buf)
            if wire_type != 108:
                raise WireError(f"type {wire_type}, not 108")
            return cls(
                dbid=dbid_,
                number=number_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_REMOTE_COMMITMENT_REPLY_0 = struct.Struct(">H64sH")
_HSMD_SIGN_REMOTE_COMMITMENT_REPLY_1 = struct.Struct(">64s")


@wire_class
class HsmdSignRemoteCommitmentReply(Message):
    """Type 111."""

    TYPE: ClassVar[int] = 111
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_REMOTE_COMMITMENT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "signature", ""),
        ("htlc_signatures", "signature", "num_htlc_signatures"),
    )

    __slots__ = ("signature", "htlc_signatures")
    signature: bytes  # 64 bytes
    htlc_signatures: tuple[bytes, ...]

    def __init__(
        self,
        *,
        signature: bytes,
        htlc_signatures: tuple[bytes, ...],
    ) -> None:
        put(self, "signature", signature)
        put(self, "htlc_signatures", htlc_signatures)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return b"".join(
            (
                _HSMD_SIGN_REMOTE_COMMITMENT_REPLY_0.pack(
                    111,
                    self.signature,
                    len(self.htlc_signatures),
                ),
                join_fixed(self.htlc_signatures, 64),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                signature_,
                num_htlc_signatures_,
            ) = _HSMD_SIGN_REMOTE_COMMITMENT_REPLY_0.unpack_from(buf)
            if wire_type != 111:
                raise WireError(f"type {wire_type}, not 111")
            pos = 68
            end = pos + num_htlc_signatures_ * 64
            if end > len(buf):
                raise too_short("htlc_signatures", num_htlc_signatures_ * 64, len(buf) - pos)
            htlc_signatures_ = tuple(
                [
                    htlc_signatures_
                    for (htlc_signatures_,) in _HSMD_SIGN_REMOTE_COMMITMENT_REPLY_1.iter_unpack(
                        buf[pos:end],
                    )
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                signature=signature_,
                htlc_signatures=htlc_signatures_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_REMOTE_COMMITMENT_0 = struct.Struct(">HQ33s")


@wire_class
class HsmdSignRemoteCommitment(Request[HsmdSignRemoteCommitmentReply]):
    """Sign the peer's commitment, built here from its content, and its HTLC transactions in
    output order. Type 110.
    """

    TYPE: ClassVar[int] = 110
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_REMOTE_COMMITMENT"
    REPLY: ClassVar[type[HsmdSignRemoteCommitmentReply]] = HsmdSignRemoteCommitmentReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("remote_per_commitment_point", "point", ""),
        ("content", "commitment_content", ""),
    )

    __slots__ = ("dbid", "remote_per_commitment_point", "content")
    dbid: int  # u64
    remote_per_commitment_point: bytes  # 33 bytes
    content: CommitmentContent

    def __init__(
        self,
        *,
        dbid: int,
        remote_per_commitment_point: bytes,
        content: CommitmentContent,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "remote_per_commitment_point", remote_per_commitment_point)
        put(self, "content", content)

    def encode(self) -> bytes:
        if len(self.remote_per_commitment_point) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _HSMD_SIGN_REMOTE_COMMITMENT_0.pack(
                    110,
                    self.dbid,
                    self.remote_per_commitment_point,
                ),
                self.content.write(),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                dbid_,
                remote_per_commitment_point_,
            ) = _HSMD_SIGN_REMOTE_COMMITMENT_0.unpack_from(buf)
            if wire_type != 110:
                raise WireError(f"type {wire_type}, not 110")
            pos = 43
            content_, pos = CommitmentContent.read(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                remote_per_commitment_point=remote_per_commitment_point_,
                content=content_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_REVOKE_COMMITMENT_REPLY_0 = struct.Struct(">H32s33s")


@wire_class
class HsmdRevokeCommitmentReply(Message):
    """Type 113."""

    TYPE: ClassVar[int] = 113
    NAME: ClassVar[str] = "WIRE_HSMD_REVOKE_COMMITMENT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("old_secret", "secret", ""),
        ("next_point", "point", ""),
    )

    __slots__ = ("old_secret", "next_point")
    old_secret: Secret
    next_point: bytes  # 33 bytes

    def __init__(
        self,
        *,
        old_secret: Secret,
        next_point: bytes,
    ) -> None:
        put(self, "old_secret", old_secret)
        put(self, "next_point", next_point)

    def encode(self) -> bytes:
        if len(self.old_secret) != 32 or len(self.next_point) != 33:
            raise wrong_length(self)
        return _HSMD_REVOKE_COMMITMENT_REPLY_0.pack(113, self.old_secret.reveal(), self.next_point)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, old_secret_0_, next_point_ = _HSMD_REVOKE_COMMITMENT_REPLY_0.unpack(buf)
            if wire_type != 113:
                raise WireError(f"type {wire_type}, not 113")
            return cls(
                old_secret=Secret(old_secret_0_),
                next_point=next_point_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_REVOKE_COMMITMENT_0 = struct.Struct(">HQQ")


@wire_class
class HsmdRevokeCommitment(Request[HsmdRevokeCommitmentReply]):
    """Give up local commitment `number`: hsmd never signs it again. Returns its secret and the
    point of number+2. Type 112.
    """

    TYPE: ClassVar[int] = 112
    NAME: ClassVar[str] = "WIRE_HSMD_REVOKE_COMMITMENT"
    REPLY: ClassVar[type[HsmdRevokeCommitmentReply]] = HsmdRevokeCommitmentReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("number", "u64", ""),
    )

    __slots__ = ("dbid", "number")
    dbid: int  # u64
    number: int  # u64

    def __init__(
        self,
        *,
        dbid: int,
        number: int,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "number", number)

    def encode(self) -> bytes:
        return _HSMD_REVOKE_COMMITMENT_0.pack(112, self.dbid, self.number)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, number_ = _HSMD_REVOKE_COMMITMENT_0.unpack(buf)
            if wire_type != 112:
                raise WireError(f"type {wire_type}, not 112")
            return cls(
                dbid=dbid_,
                number=number_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_LOCAL_COMMITMENT_REPLY_0 = struct.Struct(">H64s")


@wire_class
class HsmdSignLocalCommitmentReply(Message):
    """Type 115."""

    TYPE: ClassVar[int] = 115
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_LOCAL_COMMITMENT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "signature", ""),
    )

    __slots__ = ("signature",)
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        signature: bytes,
    ) -> None:
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return _HSMD_SIGN_LOCAL_COMMITMENT_REPLY_0.pack(115, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_ = _HSMD_SIGN_LOCAL_COMMITMENT_REPLY_0.unpack(buf)
            if wire_type != 115:
                raise WireError(f"type {wire_type}, not 115")
            return cls(
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_LOCAL_COMMITMENT_0 = struct.Struct(">HQQ")
_HSMD_SIGN_LOCAL_COMMITMENT_1 = struct.Struct(">B")


@wire_class
class HsmdSignLocalCommitment(Request[HsmdSignLocalCommitmentReply]):
    """Sign our own commitment transaction, to broadcast it: hsmd never revokes it then. Only
    dev-sign-last-tx says for_chain = 0. Type 114.
    """

    TYPE: ClassVar[int] = 114
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_LOCAL_COMMITMENT"
    REPLY: ClassVar[type[HsmdSignLocalCommitmentReply]] = HsmdSignLocalCommitmentReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("number", "u64", ""),
        ("tx", "varbytes", ""),
        ("for_chain", "bool", ""),
    )

    __slots__ = ("dbid", "number", "tx", "for_chain")
    dbid: int  # u64
    number: int  # u64
    tx: bytes
    for_chain: bool

    def __init__(
        self,
        *,
        dbid: int,
        number: int,
        tx: bytes,
        for_chain: bool,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "number", number)
        put(self, "tx", tx)
        put(self, "for_chain", for_chain)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_SIGN_LOCAL_COMMITMENT_0.pack(114, self.dbid, self.number),
                write_varbytes(self.tx),
                _HSMD_SIGN_LOCAL_COMMITMENT_1.pack(self.for_chain),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, number_ = _HSMD_SIGN_LOCAL_COMMITMENT_0.unpack_from(buf)
            if wire_type != 114:
                raise WireError(f"type {wire_type}, not 114")
            pos = 18
            tx_, pos = read_varbytes(buf, pos)
            (for_chain_0_,) = _HSMD_SIGN_LOCAL_COMMITMENT_1.unpack_from(buf, pos)
            pos += 1
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                number=number_,
                tx=tx_,
                for_chain=to_bool(for_chain_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_MUTUAL_CLOSE_REPLY_0 = struct.Struct(">H64s")


@wire_class
class HsmdSignMutualCloseReply(Message):
    """Type 117."""

    TYPE: ClassVar[int] = 117
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_MUTUAL_CLOSE_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "signature", ""),
    )

    __slots__ = ("signature",)
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        signature: bytes,
    ) -> None:
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return _HSMD_SIGN_MUTUAL_CLOSE_REPLY_0.pack(117, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_ = _HSMD_SIGN_MUTUAL_CLOSE_REPLY_0.unpack(buf)
            if wire_type != 117:
                raise WireError(f"type {wire_type}, not 117")
            return cls(
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_MUTUAL_CLOSE_0 = struct.Struct(">HQ")


@wire_class
class HsmdSignMutualClose(Request[HsmdSignMutualCloseReply]):
    """Type 116."""

    TYPE: ClassVar[int] = 116
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_MUTUAL_CLOSE"
    REPLY: ClassVar[type[HsmdSignMutualCloseReply]] = HsmdSignMutualCloseReply
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
        return b"".join((_HSMD_SIGN_MUTUAL_CLOSE_0.pack(116, self.dbid), write_varbytes(self.tx)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _HSMD_SIGN_MUTUAL_CLOSE_0.unpack_from(buf)
            if wire_type != 116:
                raise WireError(f"type {wire_type}, not 116")
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


_HSMD_COMPARE_RECORDS_REPLY_0 = struct.Struct(">HH")
_HSMD_COMPARE_RECORDS_REPLY_1 = struct.Struct(">33sQQQQ")


@wire_class
class HsmdCompareRecordsReply(Message):
    """Type 119."""

    TYPE: ClassVar[int] = 119
    NAME: ClassVar[str] = "WIRE_HSMD_COMPARE_RECORDS_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("records", "commitment_record", "num_records"),
    )

    __slots__ = ("records",)
    records: tuple[CommitmentRecord, ...]

    def __init__(
        self,
        *,
        records: tuple[CommitmentRecord, ...],
    ) -> None:
        put(self, "records", records)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_COMPARE_RECORDS_REPLY_0.pack(119, len(self.records)),
                b"".join([x.write() for x in self.records]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_records_ = _HSMD_COMPARE_RECORDS_REPLY_0.unpack_from(buf)
            if wire_type != 119:
                raise WireError(f"type {wire_type}, not 119")
            pos = 4
            end = pos + num_records_ * 65
            if end > len(buf):
                raise too_short("records", num_records_ * 65, len(buf) - pos)
            records_ = tuple(
                [
                    CommitmentRecord(
                        peer_id=peer_id_,
                        dbid=dbid_,
                        revoked=revoked_,
                        remote_signed=remote_signed_,
                        broadcast=broadcast_,
                    )
                    for (
                        peer_id_,
                        dbid_,
                        revoked_,
                        remote_signed_,
                        broadcast_,
                    ) in _HSMD_COMPARE_RECORDS_REPLY_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                records=records_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_COMPARE_RECORDS_0 = struct.Struct(">HH")
_HSMD_COMPARE_RECORDS_1 = struct.Struct(">33sQQQQ")


@wire_class
class HsmdCompareRecords(Request[HsmdCompareRecordsReply]):
    """Once after each start: the channels as the database has them. hsmd tells what it knew, in
    the same order, and takes over what is higher. Type 118.
    """

    TYPE: ClassVar[int] = 118
    NAME: ClassVar[str] = "WIRE_HSMD_COMPARE_RECORDS"
    REPLY: ClassVar[type[HsmdCompareRecordsReply]] = HsmdCompareRecordsReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("records", "commitment_record", "num_records"),
    )

    __slots__ = ("records",)
    records: tuple[CommitmentRecord, ...]

    def __init__(
        self,
        *,
        records: tuple[CommitmentRecord, ...],
    ) -> None:
        put(self, "records", records)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_COMPARE_RECORDS_0.pack(118, len(self.records)),
                b"".join([x.write() for x in self.records]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_records_ = _HSMD_COMPARE_RECORDS_0.unpack_from(buf)
            if wire_type != 118:
                raise WireError(f"type {wire_type}, not 118")
            pos = 4
            end = pos + num_records_ * 65
            if end > len(buf):
                raise too_short("records", num_records_ * 65, len(buf) - pos)
            records_ = tuple(
                [
                    CommitmentRecord(
                        peer_id=peer_id_,
                        dbid=dbid_,
                        revoked=revoked_,
                        remote_signed=remote_signed_,
                        broadcast=broadcast_,
                    )
                    for (
                        peer_id_,
                        dbid_,
                        revoked_,
                        remote_signed_,
                        broadcast_,
                    ) in _HSMD_COMPARE_RECORDS_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                records=records_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_CLAIMS_REPLY_0 = struct.Struct(">HH")
_HSMD_SIGN_CLAIMS_REPLY_1 = struct.Struct(">64s")


@wire_class
class HsmdSignClaimsReply(Message):
    """Type 121."""

    TYPE: ClassVar[int] = 121
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_CLAIMS_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signatures", "signature", "num_signatures"),
    )

    __slots__ = ("signatures",)
    signatures: tuple[bytes, ...]

    def __init__(
        self,
        *,
        signatures: tuple[bytes, ...],
    ) -> None:
        put(self, "signatures", signatures)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_SIGN_CLAIMS_REPLY_0.pack(121, len(self.signatures)),
                join_fixed(self.signatures, 64),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_signatures_ = _HSMD_SIGN_CLAIMS_REPLY_0.unpack_from(buf)
            if wire_type != 121:
                raise WireError(f"type {wire_type}, not 121")
            pos = 4
            end = pos + num_signatures_ * 64
            if end > len(buf):
                raise too_short("signatures", num_signatures_ * 64, len(buf) - pos)
            signatures_ = tuple(
                [
                    signatures_
                    for (signatures_,) in _HSMD_SIGN_CLAIMS_REPLY_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                signatures=signatures_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_CLAIMS_0 = struct.Struct(">HQ")
_HSMD_SIGN_CLAIMS_1 = struct.Struct(">H")


@wire_class
class HsmdSignClaims(Request[HsmdSignClaimsReply]):
    """Type 120."""

    TYPE: ClassVar[int] = 120
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_CLAIMS"
    REPLY: ClassVar[type[HsmdSignClaimsReply]] = HsmdSignClaimsReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("tx", "varbytes", ""),
        ("inputs", "claim_input", "num_inputs"),
    )

    __slots__ = ("dbid", "tx", "inputs")
    dbid: int  # u64
    tx: bytes
    inputs: tuple[ClaimInput, ...]

    def __init__(
        self,
        *,
        dbid: int,
        tx: bytes,
        inputs: tuple[ClaimInput, ...],
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "tx", tx)
        put(self, "inputs", inputs)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_SIGN_CLAIMS_0.pack(120, self.dbid),
                write_varbytes(self.tx),
                _HSMD_SIGN_CLAIMS_1.pack(len(self.inputs)),
                b"".join([x.write() for x in self.inputs]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _HSMD_SIGN_CLAIMS_0.unpack_from(buf)
            if wire_type != 120:
                raise WireError(f"type {wire_type}, not 120")
            pos = 10
            tx_, pos = read_varbytes(buf, pos)
            (num_inputs_,) = _HSMD_SIGN_CLAIMS_1.unpack_from(buf, pos)
            pos += 2
            inputs_list: list[ClaimInput] = []
            for _ in range(num_inputs_):
                inputs_one, pos = ClaimInput.read(buf, pos)
                inputs_list.append(inputs_one)
            inputs_ = tuple(inputs_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                tx=tx_,
                inputs=inputs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_TO_REMOTE_REPLY_0 = struct.Struct(">H64s")


@wire_class
class HsmdSignToRemoteReply(Message):
    """Type 129."""

    TYPE: ClassVar[int] = 129
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_TO_REMOTE_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "signature", ""),
    )

    __slots__ = ("signature",)
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        signature: bytes,
    ) -> None:
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return _HSMD_SIGN_TO_REMOTE_REPLY_0.pack(129, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_ = _HSMD_SIGN_TO_REMOTE_REPLY_0.unpack(buf)
            if wire_type != 129:
                raise WireError(f"type {wire_type}, not 129")
            return cls(
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_TO_REMOTE_0 = struct.Struct(">HQ")
_HSMD_SIGN_TO_REMOTE_1 = struct.Struct(">IQ")


@wire_class
class HsmdSignToRemote(Request[HsmdSignToRemoteReply]):
    """Our to_remote output on the peer's commitment (witness_script empty: plain P2WPKH) or our
    anchor output: one input, as above. Type 128.
    """

    TYPE: ClassVar[int] = 128
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_TO_REMOTE"
    REPLY: ClassVar[type[HsmdSignToRemoteReply]] = HsmdSignToRemoteReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("tx", "varbytes", ""),
        ("input_index", "u32", ""),
        ("amount", "sat", ""),
        ("witness_script", "varbytes", ""),
    )

    __slots__ = ("dbid", "tx", "input_index", "amount", "witness_script")
    dbid: int  # u64
    tx: bytes
    input_index: int  # u32
    amount: Sat
    witness_script: bytes

    def __init__(
        self,
        *,
        dbid: int,
        tx: bytes,
        input_index: int,
        amount: Sat,
        witness_script: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "tx", tx)
        put(self, "input_index", input_index)
        put(self, "amount", amount)
        put(self, "witness_script", witness_script)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_SIGN_TO_REMOTE_0.pack(128, self.dbid),
                write_varbytes(self.tx),
                _HSMD_SIGN_TO_REMOTE_1.pack(self.input_index, self.amount.sat),
                write_varbytes(self.witness_script),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _HSMD_SIGN_TO_REMOTE_0.unpack_from(buf)
            if wire_type != 128:
                raise WireError(f"type {wire_type}, not 128")
            pos = 10
            tx_, pos = read_varbytes(buf, pos)
            input_index_, amount_0_ = _HSMD_SIGN_TO_REMOTE_1.unpack_from(buf, pos)
            pos += 12
            witness_script_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                tx=tx_,
                input_index=input_index_,
                amount=Sat(amount_0_),
                witness_script=witness_script_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_ANCHOR_REPLY_0 = struct.Struct(">H64s")


@wire_class
class HsmdSignAnchorReply(Message):
    """Type 131."""

    TYPE: ClassVar[int] = 131
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_ANCHOR_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "signature", ""),
    )

    __slots__ = ("signature",)
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        signature: bytes,
    ) -> None:
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return _HSMD_SIGN_ANCHOR_REPLY_0.pack(131, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_ = _HSMD_SIGN_ANCHOR_REPLY_0.unpack(buf)
            if wire_type != 131:
                raise WireError(f"type {wire_type}, not 131")
            return cls(
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_ANCHOR_0 = struct.Struct(">HQ")
_HSMD_SIGN_ANCHOR_1 = struct.Struct(">IQ")


@wire_class
class HsmdSignAnchor(Request[HsmdSignAnchorReply]):
    """Type 130."""

    TYPE: ClassVar[int] = 130
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_ANCHOR"
    REPLY: ClassVar[type[HsmdSignAnchorReply]] = HsmdSignAnchorReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("tx", "varbytes", ""),
        ("input_index", "u32", ""),
        ("amount", "sat", ""),
        ("witness_script", "varbytes", ""),
    )

    __slots__ = ("dbid", "tx", "input_index", "amount", "witness_script")
    dbid: int  # u64
    tx: bytes
    input_index: int  # u32
    amount: Sat
    witness_script: bytes

    def __init__(
        self,
        *,
        dbid: int,
        tx: bytes,
        input_index: int,
        amount: Sat,
        witness_script: bytes,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "tx", tx)
        put(self, "input_index", input_index)
        put(self, "amount", amount)
        put(self, "witness_script", witness_script)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_SIGN_ANCHOR_0.pack(130, self.dbid),
                write_varbytes(self.tx),
                _HSMD_SIGN_ANCHOR_1.pack(self.input_index, self.amount.sat),
                write_varbytes(self.witness_script),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_ = _HSMD_SIGN_ANCHOR_0.unpack_from(buf)
            if wire_type != 130:
                raise WireError(f"type {wire_type}, not 130")
            pos = 10
            tx_, pos = read_varbytes(buf, pos)
            input_index_, amount_0_ = _HSMD_SIGN_ANCHOR_1.unpack_from(buf, pos)
            pos += 12
            witness_script_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                dbid=dbid_,
                tx=tx_,
                input_index=input_index_,
                amount=Sat(amount_0_),
                witness_script=witness_script_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_CHECK_SECRET_REPLY_0 = struct.Struct(">HB")


@wire_class
class HsmdCheckSecretReply(Message):
    """Type 133."""

    TYPE: ClassVar[int] = 133
    NAME: ClassVar[str] = "WIRE_HSMD_CHECK_SECRET_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("correct", "bool", ""),
    )

    __slots__ = ("correct",)
    correct: bool

    def __init__(
        self,
        *,
        correct: bool,
    ) -> None:
        put(self, "correct", correct)

    def encode(self) -> bytes:
        return _HSMD_CHECK_SECRET_REPLY_0.pack(133, self.correct)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, correct_0_ = _HSMD_CHECK_SECRET_REPLY_0.unpack(buf)
            if wire_type != 133:
                raise WireError(f"type {wire_type}, not 133")
            return cls(
                correct=to_bool(correct_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_CHECK_SECRET_0 = struct.Struct(">HQQ32s")


@wire_class
class HsmdCheckSecret(Request[HsmdCheckSecretReply]):
    """Is `secret` the one of our local commitment `number`? (data loss protection) Type 132."""

    TYPE: ClassVar[int] = 132
    NAME: ClassVar[str] = "WIRE_HSMD_CHECK_SECRET"
    REPLY: ClassVar[type[HsmdCheckSecretReply]] = HsmdCheckSecretReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("dbid", "u64", ""),
        ("number", "u64", ""),
        ("secret", "secret", ""),
    )

    __slots__ = ("dbid", "number", "secret")
    dbid: int  # u64
    number: int  # u64
    secret: Secret

    def __init__(
        self,
        *,
        dbid: int,
        number: int,
        secret: Secret,
    ) -> None:
        put(self, "dbid", dbid)
        put(self, "number", number)
        put(self, "secret", secret)

    def encode(self) -> bytes:
        if len(self.secret) != 32:
            raise wrong_length(self)
        return _HSMD_CHECK_SECRET_0.pack(132, self.dbid, self.number, self.secret.reveal())

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, dbid_, number_, secret_0_ = _HSMD_CHECK_SECRET_0.unpack(buf)
            if wire_type != 132:
                raise WireError(f"type {wire_type}, not 132")
            return cls(
                dbid=dbid_,
                number=number_,
                secret=Secret(secret_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_WITHDRAWAL_REPLY_0 = struct.Struct(">H")


@wire_class
class HsmdSignWithdrawalReply(Message):
    """Type 141."""

    TYPE: ClassVar[int] = 141
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_WITHDRAWAL_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("psbt", "utf8", ""),
    )

    __slots__ = ("psbt",)
    psbt: str

    def __init__(
        self,
        *,
        psbt: str,
    ) -> None:
        put(self, "psbt", psbt)

    def encode(self) -> bytes:
        return b"".join((_HSMD_SIGN_WITHDRAWAL_REPLY_0.pack(141), write_string(self.psbt)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SIGN_WITHDRAWAL_REPLY_0.unpack_from(buf)
            if wire_type != 141:
                raise WireError(f"type {wire_type}, not 141")
            pos = 2
            psbt_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                psbt=psbt_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_WITHDRAWAL_0 = struct.Struct(">HH")


@wire_class
class HsmdSignWithdrawal(Request[HsmdSignWithdrawalReply]):
    """Type 140."""

    TYPE: ClassVar[int] = 140
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_WITHDRAWAL"
    REPLY: ClassVar[type[HsmdSignWithdrawalReply]] = HsmdSignWithdrawalReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("inputs", "wallet_input", "num_inputs"),
        ("psbt", "utf8", ""),
    )

    __slots__ = ("inputs", "psbt")
    inputs: tuple[WalletInput, ...]
    psbt: str

    def __init__(
        self,
        *,
        inputs: tuple[WalletInput, ...],
        psbt: str,
    ) -> None:
        put(self, "inputs", inputs)
        put(self, "psbt", psbt)

    def encode(self) -> bytes:
        return b"".join(
            (
                _HSMD_SIGN_WITHDRAWAL_0.pack(140, len(self.inputs)),
                b"".join([x.write() for x in self.inputs]),
                write_string(self.psbt),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_inputs_ = _HSMD_SIGN_WITHDRAWAL_0.unpack_from(buf)
            if wire_type != 140:
                raise WireError(f"type {wire_type}, not 140")
            pos = 4
            inputs_list: list[WalletInput] = []
            for _ in range(num_inputs_):
                inputs_one, pos = WalletInput.read(buf, pos)
                inputs_list.append(inputs_one)
            inputs_ = tuple(inputs_list)
            psbt_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                inputs=inputs_,
                psbt=psbt_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_ECDH_REPLY_0 = struct.Struct(">HH")
_HSMD_ECDH_REPLY_1 = struct.Struct(">32s")


@wire_class
class HsmdEcdhReply(Message):
    """Type 151."""

    TYPE: ClassVar[int] = 151
    NAME: ClassVar[str] = "WIRE_HSMD_ECDH_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("secrets", "secret", "num_secrets"),
    )

    __slots__ = ("secrets",)
    secrets: tuple[Secret, ...]

    def __init__(
        self,
        *,
        secrets: tuple[Secret, ...],
    ) -> None:
        put(self, "secrets", secrets)

    def encode(self) -> bytes:
        exactly_all([x for x in self.secrets], 32)
        return b"".join(
            (
                _HSMD_ECDH_REPLY_0.pack(151, len(self.secrets)),
                b"".join([_HSMD_ECDH_REPLY_1.pack(x.reveal()) for x in self.secrets]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_secrets_ = _HSMD_ECDH_REPLY_0.unpack_from(buf)
            if wire_type != 151:
                raise WireError(f"type {wire_type}, not 151")
            pos = 4
            end = pos + num_secrets_ * 32
            if end > len(buf):
                raise too_short("secrets", num_secrets_ * 32, len(buf) - pos)
            secrets_ = tuple(
                [
                    Secret(secrets_0_)
                    for (secrets_0_,) in _HSMD_ECDH_REPLY_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                secrets=secrets_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_ECDH_0 = struct.Struct(">HH")
_HSMD_ECDH_1 = struct.Struct(">33s")


@wire_class
class HsmdEcdh(Request[HsmdEcdhReply]):
    """The node key Type 150."""

    TYPE: ClassVar[int] = 150
    NAME: ClassVar[str] = "WIRE_HSMD_ECDH"
    REPLY: ClassVar[type[HsmdEcdhReply]] = HsmdEcdhReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("points", "point", "num_points"),
    )

    __slots__ = ("points",)
    points: tuple[bytes, ...]

    def __init__(
        self,
        *,
        points: tuple[bytes, ...],
    ) -> None:
        put(self, "points", points)

    def encode(self) -> bytes:
        return b"".join((_HSMD_ECDH_0.pack(150, len(self.points)), join_fixed(self.points, 33)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_points_ = _HSMD_ECDH_0.unpack_from(buf)
            if wire_type != 150:
                raise WireError(f"type {wire_type}, not 150")
            pos = 4
            end = pos + num_points_ * 33
            if end > len(buf):
                raise too_short("points", num_points_ * 33, len(buf) - pos)
            points_ = tuple([points_ for (points_,) in _HSMD_ECDH_1.iter_unpack(buf[pos:end])])
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                points=points_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_CHANNEL_ANNOUNCEMENT_REPLY_0 = struct.Struct(">H64s64s")


@wire_class
class HsmdSignChannelAnnouncementReply(Message):
    """Type 153."""

    TYPE: ClassVar[int] = 153
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_CHANNEL_ANNOUNCEMENT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("node_signature", "signature", ""),
        ("bitcoin_signature", "signature", ""),
    )

    __slots__ = ("node_signature", "bitcoin_signature")
    node_signature: bytes  # 64 bytes
    bitcoin_signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        node_signature: bytes,
        bitcoin_signature: bytes,
    ) -> None:
        put(self, "node_signature", node_signature)
        put(self, "bitcoin_signature", bitcoin_signature)

    def encode(self) -> bytes:
        if len(self.node_signature) != 64 or len(self.bitcoin_signature) != 64:
            raise wrong_length(self)
        return _HSMD_SIGN_CHANNEL_ANNOUNCEMENT_REPLY_0.pack(
            153,
            self.node_signature,
            self.bitcoin_signature,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                node_signature_,
                bitcoin_signature_,
            ) = _HSMD_SIGN_CHANNEL_ANNOUNCEMENT_REPLY_0.unpack(buf)
            if wire_type != 153:
                raise WireError(f"type {wire_type}, not 153")
            return cls(
                node_signature=node_signature_,
                bitcoin_signature=bitcoin_signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_CHANNEL_ANNOUNCEMENT_0 = struct.Struct(">H33sQ")


@wire_class
class HsmdSignChannelAnnouncement(Request[HsmdSignChannelAnnouncementReply]):
    """`announcement` from `features` on (what is signed); node key and this channel's funding
    key. Type 152.
    """

    TYPE: ClassVar[int] = 152
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_CHANNEL_ANNOUNCEMENT"
    REPLY: ClassVar[type[HsmdSignChannelAnnouncementReply]] = HsmdSignChannelAnnouncementReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("dbid", "u64", ""),
        ("announcement", "varbytes", ""),
    )

    __slots__ = ("peer_id", "dbid", "announcement")
    peer_id: NodeId
    dbid: int  # u64
    announcement: bytes

    def __init__(
        self,
        *,
        peer_id: NodeId,
        dbid: int,
        announcement: bytes,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "dbid", dbid)
        put(self, "announcement", announcement)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _HSMD_SIGN_CHANNEL_ANNOUNCEMENT_0.pack(152, self.peer_id, self.dbid),
                write_varbytes(self.announcement),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_, dbid_ = _HSMD_SIGN_CHANNEL_ANNOUNCEMENT_0.unpack_from(buf)
            if wire_type != 152:
                raise WireError(f"type {wire_type}, not 152")
            pos = 43
            announcement_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                peer_id=peer_id_,
                dbid=dbid_,
                announcement=announcement_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_GOSSIP_REPLY_0 = struct.Struct(">H")


@wire_class
class HsmdSignGossipReply(Message):
    """Type 155."""

    TYPE: ClassVar[int] = 155
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_GOSSIP_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("message", "varbytes", ""),
    )

    __slots__ = ("message",)
    message: bytes

    def __init__(
        self,
        *,
        message: bytes,
    ) -> None:
        put(self, "message", message)

    def encode(self) -> bytes:
        return b"".join((_HSMD_SIGN_GOSSIP_REPLY_0.pack(155), write_varbytes(self.message)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SIGN_GOSSIP_REPLY_0.unpack_from(buf)
            if wire_type != 155:
                raise WireError(f"type {wire_type}, not 155")
            pos = 2
            message_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                message=message_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_GOSSIP_0 = struct.Struct(">H")


@wire_class
class HsmdSignGossip(Request[HsmdSignGossipReply]):
    """`message` is a whole channel_update or node_announcement with any signature in it; the
    reply has it with ours. Type 154.
    """

    TYPE: ClassVar[int] = 154
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_GOSSIP"
    REPLY: ClassVar[type[HsmdSignGossipReply]] = HsmdSignGossipReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("message", "varbytes", ""),
    )

    __slots__ = ("message",)
    message: bytes

    def __init__(
        self,
        *,
        message: bytes,
    ) -> None:
        put(self, "message", message)

    def encode(self) -> bytes:
        return b"".join((_HSMD_SIGN_GOSSIP_0.pack(154), write_varbytes(self.message)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SIGN_GOSSIP_0.unpack_from(buf)
            if wire_type != 154:
                raise WireError(f"type {wire_type}, not 154")
            pos = 2
            message_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                message=message_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_INVOICE_REPLY_0 = struct.Struct(">H65s")


@wire_class
class HsmdSignInvoiceReply(Message):
    """Type 157."""

    TYPE: ClassVar[int] = 157
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_INVOICE_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "byte", "65"),
    )

    __slots__ = ("signature",)
    signature: bytes  # 65 bytes

    def __init__(
        self,
        *,
        signature: bytes,
    ) -> None:
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 65:
            raise wrong_length(self)
        return _HSMD_SIGN_INVOICE_REPLY_0.pack(157, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_ = _HSMD_SIGN_INVOICE_REPLY_0.unpack(buf)
            if wire_type != 157:
                raise WireError(f"type {wire_type}, not 157")
            return cls(
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_INVOICE_0 = struct.Struct(">H")


@wire_class
class HsmdSignInvoice(Request[HsmdSignInvoiceReply]):
    """BOLT 11: `hrp` and the data part as bytes (5-bit groups packed and zero padded). 65 bytes:
    r, s, recovery id. Type 156.
    """

    TYPE: ClassVar[int] = 156
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_INVOICE"
    REPLY: ClassVar[type[HsmdSignInvoiceReply]] = HsmdSignInvoiceReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("hrp", "utf8", ""),
        ("data", "varbytes", ""),
    )

    __slots__ = ("hrp", "data")
    hrp: str
    data: bytes

    def __init__(
        self,
        *,
        hrp: str,
        data: bytes,
    ) -> None:
        put(self, "hrp", hrp)
        put(self, "data", data)

    def encode(self) -> bytes:
        return b"".join(
            (_HSMD_SIGN_INVOICE_0.pack(156), write_string(self.hrp), write_varbytes(self.data)),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SIGN_INVOICE_0.unpack_from(buf)
            if wire_type != 156:
                raise WireError(f"type {wire_type}, not 156")
            pos = 2
            hrp_, pos = read_string(buf, pos)
            data_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                hrp=hrp_,
                data=data_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_MESSAGE_REPLY_0 = struct.Struct(">H65s")


@wire_class
class HsmdSignMessageReply(Message):
    """Type 159."""

    TYPE: ClassVar[int] = 159
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_MESSAGE_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "byte", "65"),
    )

    __slots__ = ("signature",)
    signature: bytes  # 65 bytes

    def __init__(
        self,
        *,
        signature: bytes,
    ) -> None:
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 65:
            raise wrong_length(self)
        return _HSMD_SIGN_MESSAGE_REPLY_0.pack(159, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_ = _HSMD_SIGN_MESSAGE_REPLY_0.unpack(buf)
            if wire_type != 159:
                raise WireError(f"type {wire_type}, not 159")
            return cls(
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_MESSAGE_0 = struct.Struct(">H")


@wire_class
class HsmdSignMessage(Request[HsmdSignMessageReply]):
    """Type 158."""

    TYPE: ClassVar[int] = 158
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_MESSAGE"
    REPLY: ClassVar[type[HsmdSignMessageReply]] = HsmdSignMessageReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("message", "varbytes", ""),
    )

    __slots__ = ("message",)
    message: bytes

    def __init__(
        self,
        *,
        message: bytes,
    ) -> None:
        put(self, "message", message)

    def encode(self) -> bytes:
        return b"".join((_HSMD_SIGN_MESSAGE_0.pack(158), write_varbytes(self.message)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SIGN_MESSAGE_0.unpack_from(buf)
            if wire_type != 158:
                raise WireError(f"type {wire_type}, not 158")
            pos = 2
            message_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                message=message_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_DERIVE_SECRET_REPLY_0 = struct.Struct(">H32s")


@wire_class
class HsmdDeriveSecretReply(Message):
    """Type 161."""

    TYPE: ClassVar[int] = 161
    NAME: ClassVar[str] = "WIRE_HSMD_DERIVE_SECRET_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("secret", "secret", ""),
    )

    __slots__ = ("secret",)
    secret: Secret

    def __init__(
        self,
        *,
        secret: Secret,
    ) -> None:
        put(self, "secret", secret)

    def encode(self) -> bytes:
        if len(self.secret) != 32:
            raise wrong_length(self)
        return _HSMD_DERIVE_SECRET_REPLY_0.pack(161, self.secret.reveal())

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, secret_0_ = _HSMD_DERIVE_SECRET_REPLY_0.unpack(buf)
            if wire_type != 161:
                raise WireError(f"type {wire_type}, not 161")
            return cls(
                secret=Secret(secret_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_DERIVE_SECRET_0 = struct.Struct(">H")


@wire_class
class HsmdDeriveSecret(Request[HsmdDeriveSecretReply]):
    """makesecret and other derived secrets: HKDF as CLN's derive_secret. Type 160."""

    TYPE: ClassVar[int] = 160
    NAME: ClassVar[str] = "WIRE_HSMD_DERIVE_SECRET"
    REPLY: ClassVar[type[HsmdDeriveSecretReply]] = HsmdDeriveSecretReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("info", "varbytes", ""),
    )

    __slots__ = ("info",)
    info: bytes

    def __init__(
        self,
        *,
        info: bytes,
    ) -> None:
        put(self, "info", info)

    def encode(self) -> bytes:
        return b"".join((_HSMD_DERIVE_SECRET_0.pack(160), write_varbytes(self.info)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_DERIVE_SECRET_0.unpack_from(buf)
            if wire_type != 160:
                raise WireError(f"type {wire_type}, not 160")
            pos = 2
            info_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                info=info_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_BOLT12_REPLY_0 = struct.Struct(">H64s")


@wire_class
class HsmdSignBolt12Reply(Message):
    """Type 163."""

    TYPE: ClassVar[int] = 163
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_BOLT12_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("signature", "bip340sig", ""),
    )

    __slots__ = ("signature",)
    signature: bytes  # 64 bytes

    def __init__(
        self,
        *,
        signature: bytes,
    ) -> None:
        put(self, "signature", signature)

    def encode(self) -> bytes:
        if len(self.signature) != 64:
            raise wrong_length(self)
        return _HSMD_SIGN_BOLT12_REPLY_0.pack(163, self.signature)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, signature_ = _HSMD_SIGN_BOLT12_REPLY_0.unpack(buf)
            if wire_type != 163:
                raise WireError(f"type {wire_type}, not 163")
            return cls(
                signature=signature_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_HSMD_SIGN_BOLT12_0 = struct.Struct(">H")
_HSMD_SIGN_BOLT12_1 = struct.Struct(">32s")


@wire_class
class HsmdSignBolt12(Request[HsmdSignBolt12Reply]):
    """BOLT 12 signature with the node key, or (an invoice_request whose `public_tweak`, its
    invreq_metadata, is not empty) with the alias that follows from it. Type 162.
    """

    TYPE: ClassVar[int] = 162
    NAME: ClassVar[str] = "WIRE_HSMD_SIGN_BOLT12"
    REPLY: ClassVar[type[HsmdSignBolt12Reply]] = HsmdSignBolt12Reply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("messagename", "utf8", ""),
        ("fieldname", "utf8", ""),
        ("merkle_root", "sha256", ""),
        ("public_tweak", "varbytes", ""),
    )

    __slots__ = ("messagename", "fieldname", "merkle_root", "public_tweak")
    messagename: str
    fieldname: str
    merkle_root: bytes  # 32 bytes
    public_tweak: bytes

    def __init__(
        self,
        *,
        messagename: str,
        fieldname: str,
        merkle_root: bytes,
        public_tweak: bytes,
    ) -> None:
        put(self, "messagename", messagename)
        put(self, "fieldname", fieldname)
        put(self, "merkle_root", merkle_root)
        put(self, "public_tweak", public_tweak)

    def encode(self) -> bytes:
        if len(self.merkle_root) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _HSMD_SIGN_BOLT12_0.pack(162),
                write_string(self.messagename),
                write_string(self.fieldname),
                _HSMD_SIGN_BOLT12_1.pack(self.merkle_root),
                write_varbytes(self.public_tweak),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _HSMD_SIGN_BOLT12_0.unpack_from(buf)
            if wire_type != 162:
                raise WireError(f"type {wire_type}, not 162")
            pos = 2
            messagename_, pos = read_string(buf, pos)
            fieldname_, pos = read_string(buf, pos)
            (merkle_root_,) = _HSMD_SIGN_BOLT12_1.unpack_from(buf, pos)
            pos += 32
            public_tweak_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                messagename=messagename_,
                fieldname=fieldname_,
                merkle_root=merkle_root_,
                public_tweak=public_tweak_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


HsmdMessage: TypeAlias = (
    HsmdInit
    | HsmdInitReply
    | HsmdAssignChannel
    | HsmdUnassignChannel
    | HsmdSetupChannel
    | HsmdSetupChannelReply
    | HsmdGetBasepoints
    | HsmdGetBasepointsReply
    | HsmdGetPerCommitmentPoint
    | HsmdGetPerCommitmentPointReply
    | HsmdSignRemoteCommitment
    | HsmdSignRemoteCommitmentReply
    | HsmdRevokeCommitment
    | HsmdRevokeCommitmentReply
    | HsmdSignLocalCommitment
    | HsmdSignLocalCommitmentReply
    | HsmdSignMutualClose
    | HsmdSignMutualCloseReply
    | HsmdCompareRecords
    | HsmdCompareRecordsReply
    | HsmdSignClaims
    | HsmdSignClaimsReply
    | HsmdSignToRemote
    | HsmdSignToRemoteReply
    | HsmdSignAnchor
    | HsmdSignAnchorReply
    | HsmdCheckSecret
    | HsmdCheckSecretReply
    | HsmdSignWithdrawal
    | HsmdSignWithdrawalReply
    | HsmdEcdh
    | HsmdEcdhReply
    | HsmdSignChannelAnnouncement
    | HsmdSignChannelAnnouncementReply
    | HsmdSignGossip
    | HsmdSignGossipReply
    | HsmdSignInvoice
    | HsmdSignInvoiceReply
    | HsmdSignMessage
    | HsmdSignMessageReply
    | HsmdDeriveSecret
    | HsmdDeriveSecretReply
    | HsmdSignBolt12
    | HsmdSignBolt12Reply
)

MESSAGES: dict[int, type[HsmdMessage]] = {
    100: HsmdInit,
    101: HsmdInitReply,
    102: HsmdAssignChannel,
    103: HsmdUnassignChannel,
    104: HsmdSetupChannel,
    105: HsmdSetupChannelReply,
    106: HsmdGetBasepoints,
    107: HsmdGetBasepointsReply,
    108: HsmdGetPerCommitmentPoint,
    109: HsmdGetPerCommitmentPointReply,
    110: HsmdSignRemoteCommitment,
    111: HsmdSignRemoteCommitmentReply,
    112: HsmdRevokeCommitment,
    113: HsmdRevokeCommitmentReply,
    114: HsmdSignLocalCommitment,
    115: HsmdSignLocalCommitmentReply,
    116: HsmdSignMutualClose,
    117: HsmdSignMutualCloseReply,
    118: HsmdCompareRecords,
    119: HsmdCompareRecordsReply,
    120: HsmdSignClaims,
    121: HsmdSignClaimsReply,
    128: HsmdSignToRemote,
    129: HsmdSignToRemoteReply,
    130: HsmdSignAnchor,
    131: HsmdSignAnchorReply,
    132: HsmdCheckSecret,
    133: HsmdCheckSecretReply,
    140: HsmdSignWithdrawal,
    141: HsmdSignWithdrawalReply,
    150: HsmdEcdh,
    151: HsmdEcdhReply,
    152: HsmdSignChannelAnnouncement,
    153: HsmdSignChannelAnnouncementReply,
    154: HsmdSignGossip,
    155: HsmdSignGossipReply,
    156: HsmdSignInvoice,
    157: HsmdSignInvoiceReply,
    158: HsmdSignMessage,
    159: HsmdSignMessageReply,
    160: HsmdDeriveSecret,
    161: HsmdDeriveSecretReply,
    162: HsmdSignBolt12,
    163: HsmdSignBolt12Reply,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> HsmdMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
