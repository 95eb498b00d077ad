# GENERATED from gossipd/gossipd_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `gossipd/gossipd_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.amount import Sat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId, ShortChannelId
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
    too_short,
    trailing,
    wire_class,
    write_string,
    write_varbytes,
    wrong_length,
)

SPEC_HASH = bytes.fromhex(
    "32d5027621d25cd32cf8755d3902258f589f5da527d99011a06a88fa7b59318a"
)
"""SHA256 of gossipd/gossipd_wire.csv and what it includes."""


_GOSSIPD_INIT_REPLY_0 = struct.Struct(">HII")


@wire_class
class GossipdInitReply(Message):
    """Type 301."""

    TYPE: ClassVar[int] = 301
    NAME: ClassVar[str] = "WIRE_GOSSIPD_INIT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("num_channels", "u32", ""),
        ("num_nodes", "u32", ""),
    )

    __slots__ = ("num_channels", "num_nodes")
    num_channels: int  # u32
    num_nodes: int  # u32

    def __init__(
        self,
        *,
        num_channels: int,
        num_nodes: int,
    ) -> None:
        put(self, "num_channels", num_channels)
        put(self, "num_nodes", num_nodes)

    def encode(self) -> bytes:
        return _GOSSIPD_INIT_REPLY_0.pack(301, self.num_channels, self.num_nodes)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_channels_, num_nodes_ = _GOSSIPD_INIT_REPLY_0.unpack(buf)
            if wire_type != 301:
                raise WireError(f"type {wire_type}, not 301")
            return cls(
                num_channels=num_channels_,
                num_nodes=num_nodes_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_INIT_0 = struct.Struct(">H")
_GOSSIPD_INIT_1 = struct.Struct(">33s")
_GOSSIPD_INIT_2 = struct.Struct(">IBB")


@wire_class
class GossipdInit(Request[GossipdInitReply]):
    """Master to gossipd, first. Type 300."""

    TYPE: ClassVar[int] = 300
    NAME: ClassVar[str] = "WIRE_GOSSIPD_INIT"
    REPLY: ClassVar[type[GossipdInitReply]] = GossipdInitReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("network", "utf8", ""),
        ("node_id", "node_id", ""),
        ("features", "varbytes", ""),
        ("store_path", "utf8", ""),
        ("blockheight", "u32", ""),
        ("dev_fast_gossip", "bool", ""),
        ("dev_fast_gossip_prune", "bool", ""),
    )

    __slots__ = (
        "network",
        "node_id",
        "features",
        "store_path",
        "blockheight",
        "dev_fast_gossip",
        "dev_fast_gossip_prune",
    )
    network: str
    node_id: NodeId
    features: bytes
    store_path: str
    blockheight: int  # u32
    dev_fast_gossip: bool
    dev_fast_gossip_prune: bool

    def __init__(
        self,
        *,
        network: str,
        node_id: NodeId,
        features: bytes,
        store_path: str,
        blockheight: int,
        dev_fast_gossip: bool,
        dev_fast_gossip_prune: bool,
    ) -> None:
        put(self, "network", network)
        put(self, "node_id", node_id)
        put(self, "features", features)
        put(self, "store_path", store_path)
        put(self, "blockheight", blockheight)
        put(self, "dev_fast_gossip", dev_fast_gossip)
        put(self, "dev_fast_gossip_prune", dev_fast_gossip_prune)

    def encode(self) -> bytes:
        if len(self.node_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _GOSSIPD_INIT_0.pack(300),
                write_string(self.network),
                _GOSSIPD_INIT_1.pack(self.node_id),
                write_varbytes(self.features),
                write_string(self.store_path),
                _GOSSIPD_INIT_2.pack(
                    self.blockheight,
                    self.dev_fast_gossip,
                    self.dev_fast_gossip_prune,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _GOSSIPD_INIT_0.unpack_from(buf)
            if wire_type != 300:
                raise WireError(f"type {wire_type}, not 300")
            pos = 2
            network_, pos = read_string(buf, pos)
            (node_id_,) = _GOSSIPD_INIT_1.unpack_from(buf, pos)
            pos += 33
            features_, pos = read_varbytes(buf, pos)
            store_path_, pos = read_string(buf, pos)
            (
                blockheight_,
                dev_fast_gossip_0_,
                dev_fast_gossip_prune_0_,
            ) = _GOSSIPD_INIT_2.unpack_from(buf, pos)
            pos += 6
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                network=network_,
                node_id=node_id_,
                features=features_,
                store_path=store_path_,
                blockheight=blockheight_,
                dev_fast_gossip=to_bool(dev_fast_gossip_0_),
                dev_fast_gossip_prune=to_bool(dev_fast_gossip_prune_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_ADD_0 = struct.Struct(">HQ")
_GOSSIPD_ADD_1 = struct.Struct(">Q")


@wire_class
class GossipdAdd(Message):
    """Gossip of our own (already signed), or from addgossip. An empty error means it was taken.
    Type 302.
    """

    TYPE: ClassVar[int] = 302
    NAME: ClassVar[str] = "WIRE_GOSSIPD_ADD"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cookie", "u64", ""),
        ("msg", "varbytes", ""),
        ("known_amount", "?sat", ""),
    )

    __slots__ = ("cookie", "msg", "known_amount")
    cookie: int  # u64
    msg: bytes
    known_amount: Sat | None

    def __init__(
        self,
        *,
        cookie: int,
        msg: bytes,
        known_amount: Sat | None = None,
    ) -> None:
        put(self, "cookie", cookie)
        put(self, "msg", msg)
        put(self, "known_amount", known_amount)

    def encode(self) -> bytes:
        return b"".join(
            (
                _GOSSIPD_ADD_0.pack(302, self.cookie),
                write_varbytes(self.msg),
                b"\x00" if self.known_amount is None else b"\x01" + _GOSSIPD_ADD_1.pack(
                    self.known_amount.sat,
                ),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, cookie_ = _GOSSIPD_ADD_0.unpack_from(buf)
            if wire_type != 302:
                raise WireError(f"type {wire_type}, not 302")
            pos = 10
            msg_, pos = read_varbytes(buf, pos)
            present = read_flag(buf, pos)
            pos += 1
            known_amount_: Sat | None = None
            if present:
                (known_amount_0_,) = _GOSSIPD_ADD_1.unpack_from(buf, pos)
                pos += 8
                known_amount_ = Sat(known_amount_0_)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                cookie=cookie_,
                msg=msg_,
                known_amount=known_amount_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_ADD_DONE_0 = struct.Struct(">HQ")


@wire_class
class GossipdAddDone(Message):
    """Type 303."""

    TYPE: ClassVar[int] = 303
    NAME: ClassVar[str] = "WIRE_GOSSIPD_ADD_DONE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cookie", "u64", ""),
        ("error", "utf8", ""),
    )

    __slots__ = ("cookie", "error")
    cookie: int  # u64
    error: str

    def __init__(
        self,
        *,
        cookie: int,
        error: str,
    ) -> None:
        put(self, "cookie", cookie)
        put(self, "error", error)

    def encode(self) -> bytes:
        return b"".join((_GOSSIPD_ADD_DONE_0.pack(303, self.cookie), write_string(self.error)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, cookie_ = _GOSSIPD_ADD_DONE_0.unpack_from(buf)
            if wire_type != 303:
                raise WireError(f"type {wire_type}, not 303")
            pos = 10
            error_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                cookie=cookie_,
                error=error_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_GET_TXOUT_REPLY_0 = struct.Struct(">HQ")


@wire_class
class GossipdGetTxoutReply(Message):
    """Type 305."""

    TYPE: ClassVar[int] = 305
    NAME: ClassVar[str] = "WIRE_GOSSIPD_GET_TXOUT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("amount", "sat", ""),
        ("scriptpubkey", "varbytes", ""),
    )

    __slots__ = ("amount", "scriptpubkey")
    amount: Sat
    scriptpubkey: bytes

    def __init__(
        self,
        *,
        amount: Sat,
        scriptpubkey: bytes,
    ) -> None:
        put(self, "amount", amount)
        put(self, "scriptpubkey", scriptpubkey)

    def encode(self) -> bytes:
        return b"".join(
            (
                _GOSSIPD_GET_TXOUT_REPLY_0.pack(305, self.amount.sat),
                write_varbytes(self.scriptpubkey),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, amount_0_ = _GOSSIPD_GET_TXOUT_REPLY_0.unpack_from(buf)
            if wire_type != 305:
                raise WireError(f"type {wire_type}, not 305")
            pos = 10
            scriptpubkey_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                amount=Sat(amount_0_),
                scriptpubkey=scriptpubkey_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_GET_TXOUT_0 = struct.Struct(">HQ")


@wire_class
class GossipdGetTxout(Request[GossipdGetTxoutReply]):
    """gossipd asks the master: is there such an output, unspent? Type 304."""

    TYPE: ClassVar[int] = 304
    NAME: ClassVar[str] = "WIRE_GOSSIPD_GET_TXOUT"
    REPLY: ClassVar[type[GossipdGetTxoutReply]] = GossipdGetTxoutReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("short_channel_id", "short_channel_id", ""),
    )

    __slots__ = ("short_channel_id",)
    short_channel_id: ShortChannelId

    def __init__(
        self,
        *,
        short_channel_id: ShortChannelId,
    ) -> None:
        put(self, "short_channel_id", short_channel_id)

    def encode(self) -> bytes:
        return _GOSSIPD_GET_TXOUT_0.pack(304, self.short_channel_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, short_channel_id_0_ = _GOSSIPD_GET_TXOUT_0.unpack(buf)
            if wire_type != 304:
                raise WireError(f"type {wire_type}, not 304")
            return cls(
                short_channel_id=ShortChannelId(short_channel_id_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_BLOCKHEIGHT_0 = struct.Struct(">HI")


@wire_class
class GossipdBlockheight(Message):
    """Type 306."""

    TYPE: ClassVar[int] = 306
    NAME: ClassVar[str] = "WIRE_GOSSIPD_BLOCKHEIGHT"
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
        return _GOSSIPD_BLOCKHEIGHT_0.pack(306, self.height)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, height_ = _GOSSIPD_BLOCKHEIGHT_0.unpack(buf)
            if wire_type != 306:
                raise WireError(f"type {wire_type}, not 306")
            return cls(
                height=height_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_SPENT_0 = struct.Struct(">HII")
_GOSSIPD_SPENT_1 = struct.Struct(">Q")


@wire_class
class GossipdSpent(Message):
    """Funding outputs spent in that block. Type 307."""

    TYPE: ClassVar[int] = 307
    NAME: ClassVar[str] = "WIRE_GOSSIPD_SPENT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("height", "u32", ""),
        ("scids", "short_channel_id", "num_scids"),
    )

    __slots__ = ("height", "scids")
    height: int  # u32
    scids: tuple[ShortChannelId, ...]

    def __init__(
        self,
        *,
        height: int,
        scids: tuple[ShortChannelId, ...],
    ) -> None:
        put(self, "height", height)
        put(self, "scids", scids)

    def encode(self) -> bytes:
        return b"".join(
            (
                _GOSSIPD_SPENT_0.pack(307, self.height, len(self.scids)),
                b"".join([_GOSSIPD_SPENT_1.pack(x) for x in self.scids]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, height_, num_scids_ = _GOSSIPD_SPENT_0.unpack_from(buf)
            if wire_type != 307:
                raise WireError(f"type {wire_type}, not 307")
            pos = 10
            end = pos + num_scids_ * 8
            if end > len(buf):
                raise too_short("scids", num_scids_ * 8, len(buf) - pos)
            scids_ = tuple(
                [
                    ShortChannelId(scids_0_)
                    for (scids_0_,) in _GOSSIPD_SPENT_1.iter_unpack(buf[pos:end])
                ],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                height=height_,
                scids=scids_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_REMOTE_UPDATE_0 = struct.Struct(">H33s")


@wire_class
class GossipdRemoteUpdate(Message):
    """A channel_update of one of our channels' other direction, for listpeerchannels'
    `updates.remote`. Type 308.
    """

    TYPE: ClassVar[int] = 308
    NAME: ClassVar[str] = "WIRE_GOSSIPD_REMOTE_UPDATE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("peer_id", "msg")
    peer_id: NodeId
    msg: bytes

    def __init__(
        self,
        *,
        peer_id: NodeId,
        msg: bytes,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (_GOSSIPD_REMOTE_UPDATE_0.pack(308, self.peer_id), write_varbytes(self.msg)),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_ = _GOSSIPD_REMOTE_UPDATE_0.unpack_from(buf)
            if wire_type != 308:
                raise WireError(f"type {wire_type}, not 308")
            pos = 35
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                peer_id=peer_id_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_GET_ADDRESSES_0 = struct.Struct(">HQ33s")


@wire_class
class GossipdGetAddresses(Message):
    """Where to find a node, from its node_announcement (empty: unknown). Type 309."""

    TYPE: ClassVar[int] = 309
    NAME: ClassVar[str] = "WIRE_GOSSIPD_GET_ADDRESSES"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cookie", "u64", ""),
        ("node_id", "node_id", ""),
    )

    __slots__ = ("cookie", "node_id")
    cookie: int  # u64
    node_id: NodeId

    def __init__(
        self,
        *,
        cookie: int,
        node_id: NodeId,
    ) -> None:
        put(self, "cookie", cookie)
        put(self, "node_id", node_id)

    def encode(self) -> bytes:
        if len(self.node_id) != 33:
            raise wrong_length(self)
        return _GOSSIPD_GET_ADDRESSES_0.pack(309, self.cookie, self.node_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, cookie_, node_id_ = _GOSSIPD_GET_ADDRESSES_0.unpack(buf)
            if wire_type != 309:
                raise WireError(f"type {wire_type}, not 309")
            return cls(
                cookie=cookie_,
                node_id=node_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_ADDRESSES_0 = struct.Struct(">HQH")


@wire_class
class GossipdAddresses(Message):
    """Type 310."""

    TYPE: ClassVar[int] = 310
    NAME: ClassVar[str] = "WIRE_GOSSIPD_ADDRESSES"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cookie", "u64", ""),
        ("addresses", "utf8", "num_addresses"),
    )

    __slots__ = ("cookie", "addresses")
    cookie: int  # u64
    addresses: tuple[str, ...]

    def __init__(
        self,
        *,
        cookie: int,
        addresses: tuple[str, ...],
    ) -> None:
        put(self, "cookie", cookie)
        put(self, "addresses", addresses)

    def encode(self) -> bytes:
        return b"".join(
            (
                _GOSSIPD_ADDRESSES_0.pack(310, self.cookie, len(self.addresses)),
                b"".join([write_string(x) for x in self.addresses]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, cookie_, num_addresses_ = _GOSSIPD_ADDRESSES_0.unpack_from(buf)
            if wire_type != 310:
                raise WireError(f"type {wire_type}, not 310")
            pos = 12
            addresses_list: list[str] = []
            for _ in range(num_addresses_):
                addresses_one, pos = read_string(buf, pos)
                addresses_list.append(addresses_one)
            addresses_ = tuple(addresses_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                cookie=cookie_,
                addresses=addresses_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_GOSSIPD_OUR_CHANNEL_0 = struct.Struct(">HQ33s")


@wire_class
class GossipdOurChannel(Message):
    """scids and nodes to watch: our channels' scids, so that remote_update is sent. Type 311."""

    TYPE: ClassVar[int] = 311
    NAME: ClassVar[str] = "WIRE_GOSSIPD_OUR_CHANNEL"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("short_channel_id", "short_channel_id", ""),
        ("peer_id", "node_id", ""),
    )

    __slots__ = ("short_channel_id", "peer_id")
    short_channel_id: ShortChannelId
    peer_id: NodeId

    def __init__(
        self,
        *,
        short_channel_id: ShortChannelId,
        peer_id: NodeId,
    ) -> None:
        put(self, "short_channel_id", short_channel_id)
        put(self, "peer_id", peer_id)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return _GOSSIPD_OUR_CHANNEL_0.pack(311, self.short_channel_id, self.peer_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, short_channel_id_0_, peer_id_ = _GOSSIPD_OUR_CHANNEL_0.unpack(buf)
            if wire_type != 311:
                raise WireError(f"type {wire_type}, not 311")
            return cls(
                short_channel_id=ShortChannelId(short_channel_id_0_),
                peer_id=peer_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


GossipdMessage: TypeAlias = (
    GossipdInit
    | GossipdInitReply
    | GossipdAdd
    | GossipdAddDone
    | GossipdGetTxout
    | GossipdGetTxoutReply
    | GossipdBlockheight
    | GossipdSpent
    | GossipdRemoteUpdate
    | GossipdGetAddresses
    | GossipdAddresses
    | GossipdOurChannel
)

MESSAGES: dict[int, type[GossipdMessage]] = {
    300: GossipdInit,
    301: GossipdInitReply,
    302: GossipdAdd,
    303: GossipdAddDone,
    304: GossipdGetTxout,
    305: GossipdGetTxoutReply,
    306: GossipdBlockheight,
    307: GossipdSpent,
    308: GossipdRemoteUpdate,
    309: GossipdGetAddresses,
    310: GossipdAddresses,
    311: GossipdOurChannel,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> GossipdMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
