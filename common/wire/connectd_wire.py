# GENERATED from connectd/connectd_wire.csv by tools/generate_wire -- do not edit
# ruff: noqa
"""Messages of `connectd/connectd_wire.csv`: classes, and `decode` for any of them."""

from __future__ import annotations

import struct
from typing import ClassVar, Self, TypeAlias

from pylightningd.common.errors import WireError
from pylightningd.common.ids import ChannelId, NodeId
from pylightningd.common.wire.runtime import (
    DECODE_ERRORS,
    Message,
    Request,
    malformed,
    message_type,
    put,
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
    "de8ced5caa8d7c7495b4c89ce8ef9abf4c64fc2240295ae3720538eebeb33123"
)
"""SHA256 of connectd/connectd_wire.csv and what it includes."""


_CONNECTD_INIT_REPLY_0 = struct.Struct(">H")


@wire_class
class ConnectdInitReply(Message):
    """Type 201."""

    TYPE: ClassVar[int] = 201
    NAME: ClassVar[str] = "WIRE_CONNECTD_INIT_REPLY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("error", "utf8", ""),
        ("bindings", "utf8", "num_bindings"),
    )

    __slots__ = ("error", "bindings")
    error: str
    bindings: tuple[str, ...]

    def __init__(
        self,
        *,
        error: str,
        bindings: tuple[str, ...],
    ) -> None:
        put(self, "error", error)
        put(self, "bindings", bindings)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CONNECTD_INIT_REPLY_0.pack(201),
                write_string(self.error),
                _CONNECTD_INIT_REPLY_0.pack(len(self.bindings)),
                b"".join([write_string(x) for x in self.bindings]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CONNECTD_INIT_REPLY_0.unpack_from(buf)
            if wire_type != 201:
                raise WireError(f"type {wire_type}, not 201")
            pos = 2
            error_, pos = read_string(buf, pos)
            (num_bindings_,) = _CONNECTD_INIT_REPLY_0.unpack_from(buf, pos)
            pos += 2
            bindings_list: list[str] = []
            for _ in range(num_bindings_):
                bindings_one, pos = read_string(buf, pos)
                bindings_list.append(bindings_one)
            bindings_ = tuple(bindings_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                error=error_,
                bindings=bindings_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_INIT_0 = struct.Struct(">H")
_CONNECTD_INIT_1 = struct.Struct(">33s")
_CONNECTD_INIT_2 = struct.Struct(">BBI")
_CONNECTD_INIT_3 = struct.Struct(">BB")


@wire_class
class ConnectdInit(Request[ConnectdInitReply]):
    """Master to connectd, first. Type 200."""

    TYPE: ClassVar[int] = 200
    NAME: ClassVar[str] = "WIRE_CONNECTD_INIT"
    REPLY: ClassVar[type[ConnectdInitReply]] = ConnectdInitReply
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("network", "utf8", ""),
        ("node_id", "node_id", ""),
        ("features", "varbytes", ""),
        ("listen", "utf8", "num_listen"),
        ("proxy", "utf8", ""),
        ("always_proxy", "bool", ""),
        ("use_dns", "bool", ""),
        ("timeout_seconds", "u32", ""),
        ("dev_disconnect", "utf8", ""),
        ("dev_no_ping_timer", "bool", ""),
        ("dev_handshake_no_reply", "bool", ""),
    )

    __slots__ = (
        "network",
        "node_id",
        "features",
        "listen",
        "proxy",
        "always_proxy",
        "use_dns",
        "timeout_seconds",
        "dev_disconnect",
        "dev_no_ping_timer",
        "dev_handshake_no_reply",
    )
    network: str
    node_id: NodeId
    features: bytes
    listen: tuple[str, ...]
    proxy: str
    always_proxy: bool
    use_dns: bool
    timeout_seconds: int  # u32
    dev_disconnect: str
    dev_no_ping_timer: bool
    dev_handshake_no_reply: bool

    def __init__(
        self,
        *,
        network: str,
        node_id: NodeId,
        features: bytes,
        listen: tuple[str, ...],
        proxy: str,
        always_proxy: bool,
        use_dns: bool,
        timeout_seconds: int,
        dev_disconnect: str,
        dev_no_ping_timer: bool,
        dev_handshake_no_reply: bool,
    ) -> None:
        put(self, "network", network)
        put(self, "node_id", node_id)
        put(self, "features", features)
        put(self, "listen", listen)
        put(self, "proxy", proxy)
        put(self, "always_proxy", always_proxy)
        put(self, "use_dns", use_dns)
        put(self, "timeout_seconds", timeout_seconds)
        put(self, "dev_disconnect", dev_disconnect)
        put(self, "dev_no_ping_timer", dev_no_ping_timer)
        put(self, "dev_handshake_no_reply", dev_handshake_no_reply)

    def encode(self) -> bytes:
        if len(self.node_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_INIT_0.pack(200),
                write_string(self.network),
                _CONNECTD_INIT_1.pack(self.node_id),
                write_varbytes(self.features),
                _CONNECTD_INIT_0.pack(len(self.listen)),
                b"".join([write_string(x) for x in self.listen]),
                write_string(self.proxy),
                _CONNECTD_INIT_2.pack(self.always_proxy, self.use_dns, self.timeout_seconds),
                write_string(self.dev_disconnect),
                _CONNECTD_INIT_3.pack(self.dev_no_ping_timer, self.dev_handshake_no_reply),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CONNECTD_INIT_0.unpack_from(buf)
            if wire_type != 200:
                raise WireError(f"type {wire_type}, not 200")
            pos = 2
            network_, pos = read_string(buf, pos)
            (node_id_,) = _CONNECTD_INIT_1.unpack_from(buf, pos)
            pos += 33
            features_, pos = read_varbytes(buf, pos)
            (num_listen_,) = _CONNECTD_INIT_0.unpack_from(buf, pos)
            pos += 2
            listen_list: list[str] = []
            for _ in range(num_listen_):
                listen_one, pos = read_string(buf, pos)
                listen_list.append(listen_one)
            listen_ = tuple(listen_list)
            proxy_, pos = read_string(buf, pos)
            always_proxy_0_, use_dns_0_, timeout_seconds_ = _CONNECTD_INIT_2.unpack_from(buf, pos)
            pos += 6
            dev_disconnect_, pos = read_string(buf, pos)
            dev_no_ping_timer_0_, dev_handshake_no_reply_0_ = _CONNECTD_INIT_3.unpack_from(buf, pos)
            pos += 2
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                network=network_,
                node_id=node_id_,
                features=features_,
                listen=listen_,
                proxy=proxy_,
                always_proxy=to_bool(always_proxy_0_),
                use_dns=to_bool(use_dns_0_),
                timeout_seconds=timeout_seconds_,
                dev_disconnect=dev_disconnect_,
                dev_no_ping_timer=to_bool(dev_no_ping_timer_0_),
                dev_handshake_no_reply=to_bool(dev_handshake_no_reply_0_),
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_ACTIVATE_0 = struct.Struct(">H")


@wire_class
class ConnectdActivate(Message):
    """Start to accept connections. Type 202."""

    TYPE: ClassVar[int] = 202
    NAME: ClassVar[str] = "WIRE_CONNECTD_ACTIVATE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CONNECTD_ACTIVATE_0.pack(202)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CONNECTD_ACTIVATE_0.unpack(buf)
            if wire_type != 202:
                raise WireError(f"type {wire_type}, not 202")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_CONNECT_0 = struct.Struct(">H33sH")


@wire_class
class ConnectdConnect(Message):
    """Reach out; the addresses are tried in order. The answer is peer_connected or
    connect_failed. Type 203.
    """

    TYPE: ClassVar[int] = 203
    NAME: ClassVar[str] = "WIRE_CONNECTD_CONNECT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("addresses", "utf8", "num_addresses"),
    )

    __slots__ = ("peer_id", "addresses")
    peer_id: NodeId
    addresses: tuple[str, ...]

    def __init__(
        self,
        *,
        peer_id: NodeId,
        addresses: tuple[str, ...],
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "addresses", addresses)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_CONNECT_0.pack(203, self.peer_id, len(self.addresses)),
                b"".join([write_string(x) for x in self.addresses]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_, num_addresses_ = _CONNECTD_CONNECT_0.unpack_from(buf)
            if wire_type != 203:
                raise WireError(f"type {wire_type}, not 203")
            pos = 37
            addresses_list: list[str] = []
            for _ in range(num_addresses_):
                addresses_one, pos = read_string(buf, pos)
                addresses_list.append(addresses_one)
            addresses_ = tuple(addresses_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                peer_id=peer_id_,
                addresses=addresses_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_CONNECT_FAILED_0 = struct.Struct(">H33sI")


@wire_class
class ConnectdConnectFailed(Message):
    """Type 204."""

    TYPE: ClassVar[int] = 204
    NAME: ClassVar[str] = "WIRE_CONNECTD_CONNECT_FAILED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("code", "u32", ""),
        ("reason", "utf8", ""),
    )

    __slots__ = ("peer_id", "code", "reason")
    peer_id: NodeId
    code: int  # u32
    reason: str

    def __init__(
        self,
        *,
        peer_id: NodeId,
        code: int,
        reason: str,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "code", code)
        put(self, "reason", reason)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_CONNECT_FAILED_0.pack(204, self.peer_id, self.code),
                write_string(self.reason),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_, code_ = _CONNECTD_CONNECT_FAILED_0.unpack_from(buf)
            if wire_type != 204:
                raise WireError(f"type {wire_type}, not 204")
            pos = 39
            reason_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                peer_id=peer_id_,
                code=code_,
                reason=reason_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_PEER_CONNECTED_0 = struct.Struct(">H33sQ")
_CONNECTD_PEER_CONNECTED_1 = struct.Struct(">B")


@wire_class
class ConnectdPeerConnected(Message):
    """After both init messages. connectd reads nothing more of this peer until the master
    accepts. `connection` is never reused. Type 205.
    """

    TYPE: ClassVar[int] = 205
    NAME: ClassVar[str] = "WIRE_CONNECTD_PEER_CONNECTED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("connection", "u64", ""),
        ("address", "utf8", ""),
        ("incoming", "bool", ""),
        ("features", "varbytes", ""),
        ("remote_address", "utf8", ""),
    )

    __slots__ = ("peer_id", "connection", "address", "incoming", "features", "remote_address")
    peer_id: NodeId
    connection: int  # u64
    address: str
    incoming: bool
    features: bytes
    remote_address: str

    def __init__(
        self,
        *,
        peer_id: NodeId,
        connection: int,
        address: str,
        incoming: bool,
        features: bytes,
        remote_address: str,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "connection", connection)
        put(self, "address", address)
        put(self, "incoming", incoming)
        put(self, "features", features)
        put(self, "remote_address", remote_address)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_PEER_CONNECTED_0.pack(205, self.peer_id, self.connection),
                write_string(self.address),
                _CONNECTD_PEER_CONNECTED_1.pack(self.incoming),
                write_varbytes(self.features),
                write_string(self.remote_address),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_, connection_ = _CONNECTD_PEER_CONNECTED_0.unpack_from(buf)
            if wire_type != 205:
                raise WireError(f"type {wire_type}, not 205")
            pos = 43
            address_, pos = read_string(buf, pos)
            (incoming_0_,) = _CONNECTD_PEER_CONNECTED_1.unpack_from(buf, pos)
            pos += 1
            features_, pos = read_varbytes(buf, pos)
            remote_address_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                peer_id=peer_id_,
                connection=connection_,
                address=address_,
                incoming=to_bool(incoming_0_),
                features=features_,
                remote_address=remote_address_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_ACCEPT_PEER_0 = struct.Struct(">HQ")


@wire_class
class ConnectdAcceptPeer(Message):
    """Type 206."""

    TYPE: ClassVar[int] = 206
    NAME: ClassVar[str] = "WIRE_CONNECTD_ACCEPT_PEER"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
    )

    __slots__ = ("connection",)
    connection: int  # u64

    def __init__(
        self,
        *,
        connection: int,
    ) -> None:
        put(self, "connection", connection)

    def encode(self) -> bytes:
        return _CONNECTD_ACCEPT_PEER_0.pack(206, self.connection)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_ = _CONNECTD_ACCEPT_PEER_0.unpack(buf)
            if wire_type != 206:
                raise WireError(f"type {wire_type}, not 206")
            return cls(
                connection=connection_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_PEER_DISCONNECTED_0 = struct.Struct(">H33sQ")


@wire_class
class ConnectdPeerDisconnected(Message):
    """Type 207."""

    TYPE: ClassVar[int] = 207
    NAME: ClassVar[str] = "WIRE_CONNECTD_PEER_DISCONNECTED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("connection", "u64", ""),
        ("reason", "utf8", ""),
    )

    __slots__ = ("peer_id", "connection", "reason")
    peer_id: NodeId
    connection: int  # u64
    reason: str

    def __init__(
        self,
        *,
        peer_id: NodeId,
        connection: int,
        reason: str,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "connection", connection)
        put(self, "reason", reason)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_PEER_DISCONNECTED_0.pack(207, self.peer_id, self.connection),
                write_string(self.reason),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_, connection_ = _CONNECTD_PEER_DISCONNECTED_0.unpack_from(buf)
            if wire_type != 207:
                raise WireError(f"type {wire_type}, not 207")
            pos = 43
            reason_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                peer_id=peer_id_,
                connection=connection_,
                reason=reason_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_DISCONNECT_0 = struct.Struct(">HQ")


@wire_class
class ConnectdDisconnect(Message):
    """Close after sending what is queued. Type 208."""

    TYPE: ClassVar[int] = 208
    NAME: ClassVar[str] = "WIRE_CONNECTD_DISCONNECT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
    )

    __slots__ = ("connection",)
    connection: int  # u64

    def __init__(
        self,
        *,
        connection: int,
    ) -> None:
        put(self, "connection", connection)

    def encode(self) -> bytes:
        return _CONNECTD_DISCONNECT_0.pack(208, self.connection)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_ = _CONNECTD_DISCONNECT_0.unpack(buf)
            if wire_type != 208:
                raise WireError(f"type {wire_type}, not 208")
            return cls(
                connection=connection_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_ROUTE_0 = struct.Struct(">HQ32sQQH")


@wire_class
class ConnectdRoute(Message):
    """From now on messages of this channel_id on this connection belong to link `link_id` under
    the name `route_id` (never reused). connectd holds them until that link says route_ready.
    `pending` are messages the master got before. Type 209.
    """

    TYPE: ClassVar[int] = 209
    NAME: ClassVar[str] = "WIRE_CONNECTD_ROUTE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
        ("channel_id", "channel_id", ""),
        ("link_id", "u64", ""),
        ("route_id", "u64", ""),
        ("pending", "varbytes", "num_pending"),
    )

    __slots__ = ("connection", "channel_id", "link_id", "route_id", "pending")
    connection: int  # u64
    channel_id: ChannelId
    link_id: int  # u64
    route_id: int  # u64
    pending: tuple[bytes, ...]

    def __init__(
        self,
        *,
        connection: int,
        channel_id: ChannelId,
        link_id: int,
        route_id: int,
        pending: tuple[bytes, ...],
    ) -> None:
        put(self, "connection", connection)
        put(self, "channel_id", channel_id)
        put(self, "link_id", link_id)
        put(self, "route_id", route_id)
        put(self, "pending", pending)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_ROUTE_0.pack(
                    209,
                    self.connection,
                    self.channel_id,
                    self.link_id,
                    self.route_id,
                    len(self.pending),
                ),
                b"".join([write_varbytes(x) for x in self.pending]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (
                wire_type,
                connection_,
                channel_id_,
                link_id_,
                route_id_,
                num_pending_,
            ) = _CONNECTD_ROUTE_0.unpack_from(buf)
            if wire_type != 209:
                raise WireError(f"type {wire_type}, not 209")
            pos = 60
            pending_list: list[bytes] = []
            for _ in range(num_pending_):
                pending_one, pos = read_varbytes(buf, pos)
                pending_list.append(pending_one)
            pending_ = tuple(pending_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                connection=connection_,
                channel_id=channel_id_,
                link_id=link_id_,
                route_id=route_id_,
                pending=pending_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_UNROUTE_0 = struct.Struct(">HQ")


@wire_class
class ConnectdUnroute(Message):
    """Type 210."""

    TYPE: ClassVar[int] = 210
    NAME: ClassVar[str] = "WIRE_CONNECTD_UNROUTE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("route_id", "u64", ""),
    )

    __slots__ = ("route_id",)
    route_id: int  # u64

    def __init__(
        self,
        *,
        route_id: int,
    ) -> None:
        put(self, "route_id", route_id)

    def encode(self) -> bytes:
        return _CONNECTD_UNROUTE_0.pack(210, self.route_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, route_id_ = _CONNECTD_UNROUTE_0.unpack(buf)
            if wire_type != 210:
                raise WireError(f"type {wire_type}, not 210")
            return cls(
                route_id=route_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_PEER_MSG_0 = struct.Struct(">H33sQ")


@wire_class
class ConnectdPeerMsg(Message):
    """A message that no route takes, and messages that are for the whole connection (error,
    warning, custom messages, onion messages). Type 211.
    """

    TYPE: ClassVar[int] = 211
    NAME: ClassVar[str] = "WIRE_CONNECTD_PEER_MSG"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("peer_id", "node_id", ""),
        ("connection", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("peer_id", "connection", "msg")
    peer_id: NodeId
    connection: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        peer_id: NodeId,
        connection: int,
        msg: bytes,
    ) -> None:
        put(self, "peer_id", peer_id)
        put(self, "connection", connection)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_PEER_MSG_0.pack(211, self.peer_id, self.connection),
                write_varbytes(self.msg),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, peer_id_, connection_ = _CONNECTD_PEER_MSG_0.unpack_from(buf)
            if wire_type != 211:
                raise WireError(f"type {wire_type}, not 211")
            pos = 43
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                peer_id=peer_id_,
                connection=connection_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_SEND_MSG_0 = struct.Struct(">HQ")


@wire_class
class ConnectdSendMsg(Message):
    """Type 212."""

    TYPE: ClassVar[int] = 212
    NAME: ClassVar[str] = "WIRE_CONNECTD_SEND_MSG"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("connection", "msg")
    connection: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        connection: int,
        msg: bytes,
    ) -> None:
        put(self, "connection", connection)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        return b"".join((_CONNECTD_SEND_MSG_0.pack(212, self.connection), write_varbytes(self.msg)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_ = _CONNECTD_SEND_MSG_0.unpack_from(buf)
            if wire_type != 212:
                raise WireError(f"type {wire_type}, not 212")
            pos = 10
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                connection=connection_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_PING_0 = struct.Struct(">HQQHH")


@wire_class
class ConnectdPing(Message):
    """The ping command. length is what the pong had; an empty error means it came. Type 213."""

    TYPE: ClassVar[int] = 213
    NAME: ClassVar[str] = "WIRE_CONNECTD_PING"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
        ("cookie", "u64", ""),
        ("num_pong_bytes", "u16", ""),
        ("len", "u16", ""),
    )

    __slots__ = ("connection", "cookie", "num_pong_bytes", "len")
    connection: int  # u64
    cookie: int  # u64
    num_pong_bytes: int  # u16
    len: int  # u16

    def __init__(
        self,
        *,
        connection: int,
        cookie: int,
        num_pong_bytes: int,
        len: int,
    ) -> None:
        put(self, "connection", connection)
        put(self, "cookie", cookie)
        put(self, "num_pong_bytes", num_pong_bytes)
        put(self, "len", len)

    def encode(self) -> bytes:
        return _CONNECTD_PING_0.pack(
            213,
            self.connection,
            self.cookie,
            self.num_pong_bytes,
            self.len,
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_, cookie_, num_pong_bytes_, len_ = _CONNECTD_PING_0.unpack(buf)
            if wire_type != 213:
                raise WireError(f"type {wire_type}, not 213")
            return cls(
                connection=connection_,
                cookie=cookie_,
                num_pong_bytes=num_pong_bytes_,
                len=len_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_PING_DONE_0 = struct.Struct(">HQH")


@wire_class
class ConnectdPingDone(Message):
    """Type 214."""

    TYPE: ClassVar[int] = 214
    NAME: ClassVar[str] = "WIRE_CONNECTD_PING_DONE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("cookie", "u64", ""),
        ("total_length", "u16", ""),
        ("error", "utf8", ""),
    )

    __slots__ = ("cookie", "total_length", "error")
    cookie: int  # u64
    total_length: int  # u16
    error: str

    def __init__(
        self,
        *,
        cookie: int,
        total_length: int,
        error: str,
    ) -> None:
        put(self, "cookie", cookie)
        put(self, "total_length", total_length)
        put(self, "error", error)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CONNECTD_PING_DONE_0.pack(214, self.cookie, self.total_length),
                write_string(self.error),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, cookie_, total_length_ = _CONNECTD_PING_DONE_0.unpack_from(buf)
            if wire_type != 214:
                raise WireError(f"type {wire_type}, not 214")
            pos = 12
            error_, pos = read_string(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                cookie=cookie_,
                total_length=total_length_,
                error=error_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_SET_CUSTOMMSGS_0 = struct.Struct(">HH")
_CONNECTD_SET_CUSTOMMSGS_1 = struct.Struct(">H")


@wire_class
class ConnectdSetCustommsgs(Message):
    """Types of custom messages (odd, or even ones a plugin claims) to pass on. Type 215."""

    TYPE: ClassVar[int] = 215
    NAME: ClassVar[str] = "WIRE_CONNECTD_SET_CUSTOMMSGS"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("types", "u16", "num_types"),
    )

    __slots__ = ("types",)
    types: tuple[int, ...]

    def __init__(
        self,
        *,
        types: tuple[int, ...],
    ) -> None:
        put(self, "types", types)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CONNECTD_SET_CUSTOMMSGS_0.pack(215, len(self.types)),
                b"".join([_CONNECTD_SET_CUSTOMMSGS_1.pack(x) for x in self.types]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, num_types_ = _CONNECTD_SET_CUSTOMMSGS_0.unpack_from(buf)
            if wire_type != 215:
                raise WireError(f"type {wire_type}, not 215")
            pos = 4
            end = pos + num_types_ * 2
            if end > len(buf):
                raise too_short("types", num_types_ * 2, len(buf) - pos)
            types_ = tuple(
                [types_ for (types_,) in _CONNECTD_SET_CUSTOMMSGS_1.iter_unpack(buf[pos:end])],
            )
            pos = end
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                types=types_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_DEV_SUPPRESS_GOSSIP_0 = struct.Struct(">H")


@wire_class
class ConnectdDevSuppressGossip(Message):
    """For tests: send no more gossip to peers, except answers to queries about other things than
    channels and nodes. Type 216.
    """

    TYPE: ClassVar[int] = 216
    NAME: ClassVar[str] = "WIRE_CONNECTD_DEV_SUPPRESS_GOSSIP"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CONNECTD_DEV_SUPPRESS_GOSSIP_0.pack(216)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CONNECTD_DEV_SUPPRESS_GOSSIP_0.unpack(buf)
            if wire_type != 216:
                raise WireError(f"type {wire_type}, not 216")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_DEV_REPORT_FDS_0 = struct.Struct(">H")


@wire_class
class ConnectdDevReportFds(Message):
    """For tests: write a line to the log for each open file descriptor. Type 217."""

    TYPE: ClassVar[int] = 217
    NAME: ClassVar[str] = "WIRE_CONNECTD_DEV_REPORT_FDS"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = ()

    __slots__ = ()

    def encode(self) -> bytes:
        return _CONNECTD_DEV_REPORT_FDS_0.pack(217)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            (wire_type,) = _CONNECTD_DEV_REPORT_FDS_0.unpack(buf)
            if wire_type != 217:
                raise WireError(f"type {wire_type}, not 217")
            return cls()
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_ROUTE_READY_0 = struct.Struct(">HQ")


@wire_class
class ConnectdRouteReady(Message):
    """Links to channeld, openingd, closingd: the traffic of a route. Type 230."""

    TYPE: ClassVar[int] = 230
    NAME: ClassVar[str] = "WIRE_CONNECTD_ROUTE_READY"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("route_id", "u64", ""),
    )

    __slots__ = ("route_id",)
    route_id: int  # u64

    def __init__(
        self,
        *,
        route_id: int,
    ) -> None:
        put(self, "route_id", route_id)

    def encode(self) -> bytes:
        return _CONNECTD_ROUTE_READY_0.pack(230, self.route_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, route_id_ = _CONNECTD_ROUTE_READY_0.unpack(buf)
            if wire_type != 230:
                raise WireError(f"type {wire_type}, not 230")
            return cls(
                route_id=route_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_PEER_IN_0 = struct.Struct(">HQ")


@wire_class
class ConnectdPeerIn(Message):
    """Type 231."""

    TYPE: ClassVar[int] = 231
    NAME: ClassVar[str] = "WIRE_CONNECTD_PEER_IN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("route_id", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("route_id", "msg")
    route_id: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        route_id: int,
        msg: bytes,
    ) -> None:
        put(self, "route_id", route_id)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        return b"".join((_CONNECTD_PEER_IN_0.pack(231, self.route_id), write_varbytes(self.msg)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, route_id_ = _CONNECTD_PEER_IN_0.unpack_from(buf)
            if wire_type != 231:
                raise WireError(f"type {wire_type}, not 231")
            pos = 10
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                route_id=route_id_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_PEER_OUT_0 = struct.Struct(">HQ")


@wire_class
class ConnectdPeerOut(Message):
    """Type 232."""

    TYPE: ClassVar[int] = 232
    NAME: ClassVar[str] = "WIRE_CONNECTD_PEER_OUT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("route_id", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("route_id", "msg")
    route_id: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        route_id: int,
        msg: bytes,
    ) -> None:
        put(self, "route_id", route_id)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        return b"".join((_CONNECTD_PEER_OUT_0.pack(232, self.route_id), write_varbytes(self.msg)))

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, route_id_ = _CONNECTD_PEER_OUT_0.unpack_from(buf)
            if wire_type != 232:
                raise WireError(f"type {wire_type}, not 232")
            pos = 10
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                route_id=route_id_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_ROUTE_CLOSED_0 = struct.Struct(">HQ")


@wire_class
class ConnectdRouteClosed(Message):
    """The connection ended; nothing more comes on this route. Type 233."""

    TYPE: ClassVar[int] = 233
    NAME: ClassVar[str] = "WIRE_CONNECTD_ROUTE_CLOSED"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("route_id", "u64", ""),
    )

    __slots__ = ("route_id",)
    route_id: int  # u64

    def __init__(
        self,
        *,
        route_id: int,
    ) -> None:
        put(self, "route_id", route_id)

    def encode(self) -> bytes:
        return _CONNECTD_ROUTE_CLOSED_0.pack(233, self.route_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, route_id_ = _CONNECTD_ROUTE_CLOSED_0.unpack(buf)
            if wire_type != 233:
                raise WireError(f"type {wire_type}, not 233")
            return cls(
                route_id=route_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_ROUTE_ALIAS_0 = struct.Struct(">HQ32s")


@wire_class
class ConnectdRouteAlias(Message):
    """This channel_id is also of that route (funding_signed carries the final channel_id). Type
    234.
    """

    TYPE: ClassVar[int] = 234
    NAME: ClassVar[str] = "WIRE_CONNECTD_ROUTE_ALIAS"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("route_id", "u64", ""),
        ("channel_id", "channel_id", ""),
    )

    __slots__ = ("route_id", "channel_id")
    route_id: int  # u64
    channel_id: ChannelId

    def __init__(
        self,
        *,
        route_id: int,
        channel_id: ChannelId,
    ) -> None:
        put(self, "route_id", route_id)
        put(self, "channel_id", channel_id)

    def encode(self) -> bytes:
        if len(self.channel_id) != 32:
            raise wrong_length(self)
        return _CONNECTD_ROUTE_ALIAS_0.pack(234, self.route_id, self.channel_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, route_id_, channel_id_ = _CONNECTD_ROUTE_ALIAS_0.unpack(buf)
            if wire_type != 234:
                raise WireError(f"type {wire_type}, not 234")
            return cls(
                route_id=route_id_,
                channel_id=channel_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_ROUTE_DISCONNECT_0 = struct.Struct(">HQ")


@wire_class
class ConnectdRouteDisconnect(Message):
    """Close the connection after sending what is queued (after a warning or error). Type 235."""

    TYPE: ClassVar[int] = 235
    NAME: ClassVar[str] = "WIRE_CONNECTD_ROUTE_DISCONNECT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("route_id", "u64", ""),
    )

    __slots__ = ("route_id",)
    route_id: int  # u64

    def __init__(
        self,
        *,
        route_id: int,
    ) -> None:
        put(self, "route_id", route_id)

    def encode(self) -> bytes:
        return _CONNECTD_ROUTE_DISCONNECT_0.pack(235, self.route_id)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, route_id_ = _CONNECTD_ROUTE_DISCONNECT_0.unpack(buf)
            if wire_type != 235:
                raise WireError(f"type {wire_type}, not 235")
            return cls(
                route_id=route_id_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_GOSSIP_PEER_0 = struct.Struct(">HQ33s")


@wire_class
class ConnectdGossipPeer(Message):
    """Link to gossipd. Type 240."""

    TYPE: ClassVar[int] = 240
    NAME: ClassVar[str] = "WIRE_CONNECTD_GOSSIP_PEER"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
        ("peer_id", "node_id", ""),
        ("features", "varbytes", ""),
    )

    __slots__ = ("connection", "peer_id", "features")
    connection: int  # u64
    peer_id: NodeId
    features: bytes

    def __init__(
        self,
        *,
        connection: int,
        peer_id: NodeId,
        features: bytes,
    ) -> None:
        put(self, "connection", connection)
        put(self, "peer_id", peer_id)
        put(self, "features", features)

    def encode(self) -> bytes:
        if len(self.peer_id) != 33:
            raise wrong_length(self)
        return b"".join(
            (
                _CONNECTD_GOSSIP_PEER_0.pack(240, self.connection, self.peer_id),
                write_varbytes(self.features),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_, peer_id_ = _CONNECTD_GOSSIP_PEER_0.unpack_from(buf)
            if wire_type != 240:
                raise WireError(f"type {wire_type}, not 240")
            pos = 43
            features_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                connection=connection_,
                peer_id=peer_id_,
                features=features_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_GOSSIP_PEER_GONE_0 = struct.Struct(">HQ")


@wire_class
class ConnectdGossipPeerGone(Message):
    """Type 241."""

    TYPE: ClassVar[int] = 241
    NAME: ClassVar[str] = "WIRE_CONNECTD_GOSSIP_PEER_GONE"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
    )

    __slots__ = ("connection",)
    connection: int  # u64

    def __init__(
        self,
        *,
        connection: int,
    ) -> None:
        put(self, "connection", connection)

    def encode(self) -> bytes:
        return _CONNECTD_GOSSIP_PEER_GONE_0.pack(241, self.connection)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_ = _CONNECTD_GOSSIP_PEER_GONE_0.unpack(buf)
            if wire_type != 241:
                raise WireError(f"type {wire_type}, not 241")
            return cls(
                connection=connection_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_GOSSIP_IN_0 = struct.Struct(">HQ")


@wire_class
class ConnectdGossipIn(Message):
    """Type 242."""

    TYPE: ClassVar[int] = 242
    NAME: ClassVar[str] = "WIRE_CONNECTD_GOSSIP_IN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("connection", "msg")
    connection: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        connection: int,
        msg: bytes,
    ) -> None:
        put(self, "connection", connection)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        return b"".join(
            (_CONNECTD_GOSSIP_IN_0.pack(242, self.connection), write_varbytes(self.msg)),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_ = _CONNECTD_GOSSIP_IN_0.unpack_from(buf)
            if wire_type != 242:
                raise WireError(f"type {wire_type}, not 242")
            pos = 10
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                connection=connection_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_GOSSIP_OUT_0 = struct.Struct(">HQH")


@wire_class
class ConnectdGossipOut(Message):
    """connectd answers each batch with gossip_room when it is on its way, so that a slow peer
    slows only its own gossip. Type 243.
    """

    TYPE: ClassVar[int] = 243
    NAME: ClassVar[str] = "WIRE_CONNECTD_GOSSIP_OUT"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
        ("msgs", "varbytes", "num_msgs"),
    )

    __slots__ = ("connection", "msgs")
    connection: int  # u64
    msgs: tuple[bytes, ...]

    def __init__(
        self,
        *,
        connection: int,
        msgs: tuple[bytes, ...],
    ) -> None:
        put(self, "connection", connection)
        put(self, "msgs", msgs)

    def encode(self) -> bytes:
        return b"".join(
            (
                _CONNECTD_GOSSIP_OUT_0.pack(243, self.connection, len(self.msgs)),
                b"".join([write_varbytes(x) for x in self.msgs]),
            ),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_, num_msgs_ = _CONNECTD_GOSSIP_OUT_0.unpack_from(buf)
            if wire_type != 243:
                raise WireError(f"type {wire_type}, not 243")
            pos = 12
            msgs_list: list[bytes] = []
            for _ in range(num_msgs_):
                msgs_one, pos = read_varbytes(buf, pos)
                msgs_list.append(msgs_one)
            msgs_ = tuple(msgs_list)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                connection=connection_,
                msgs=msgs_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_GOSSIP_ROOM_0 = struct.Struct(">HQ")


@wire_class
class ConnectdGossipRoom(Message):
    """Type 244."""

    TYPE: ClassVar[int] = 244
    NAME: ClassVar[str] = "WIRE_CONNECTD_GOSSIP_ROOM"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
    )

    __slots__ = ("connection",)
    connection: int  # u64

    def __init__(
        self,
        *,
        connection: int,
    ) -> None:
        put(self, "connection", connection)

    def encode(self) -> bytes:
        return _CONNECTD_GOSSIP_ROOM_0.pack(244, self.connection)

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_ = _CONNECTD_GOSSIP_ROOM_0.unpack(buf)
            if wire_type != 244:
                raise WireError(f"type {wire_type}, not 244")
            return cls(
                connection=connection_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


_CONNECTD_GOSSIP_WARN_0 = struct.Struct(">HQ")


@wire_class
class ConnectdGossipWarn(Message):
    """gossipd found a rule broken: send this warning (an encoded message) and close. Type 245."""

    TYPE: ClassVar[int] = 245
    NAME: ClassVar[str] = "WIRE_CONNECTD_GOSSIP_WARN"
    WIRE: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "u64", ""),
        ("msg", "varbytes", ""),
    )

    __slots__ = ("connection", "msg")
    connection: int  # u64
    msg: bytes

    def __init__(
        self,
        *,
        connection: int,
        msg: bytes,
    ) -> None:
        put(self, "connection", connection)
        put(self, "msg", msg)

    def encode(self) -> bytes:
        return b"".join(
            (_CONNECTD_GOSSIP_WARN_0.pack(245, self.connection), write_varbytes(self.msg)),
        )

    @classmethod
    def decode(cls, buf: bytes) -> Self:
        try:
            wire_type, connection_ = _CONNECTD_GOSSIP_WARN_0.unpack_from(buf)
            if wire_type != 245:
                raise WireError(f"type {wire_type}, not 245")
            pos = 10
            msg_, pos = read_varbytes(buf, pos)
            if pos != len(buf):
                raise trailing(cls, len(buf) - pos)
            return cls(
                connection=connection_,
                msg=msg_,
            )
        except DECODE_ERRORS as err:
            raise malformed(cls, err) from err


ConnectdMessage: TypeAlias = (
    ConnectdInit
    | ConnectdInitReply
    | ConnectdActivate
    | ConnectdConnect
    | ConnectdConnectFailed
    | ConnectdPeerConnected
    | ConnectdAcceptPeer
    | ConnectdPeerDisconnected
    | ConnectdDisconnect
    | ConnectdRoute
    | ConnectdUnroute
    | ConnectdPeerMsg
    | ConnectdSendMsg
    | ConnectdPing
    | ConnectdPingDone
    | ConnectdSetCustommsgs
    | ConnectdDevSuppressGossip
    | ConnectdDevReportFds
    | ConnectdRouteReady
    | ConnectdPeerIn
    | ConnectdPeerOut
    | ConnectdRouteClosed
    | ConnectdRouteAlias
    | ConnectdRouteDisconnect
    | ConnectdGossipPeer
    | ConnectdGossipPeerGone
    | ConnectdGossipIn
    | ConnectdGossipOut
    | ConnectdGossipRoom
    | ConnectdGossipWarn
)

MESSAGES: dict[int, type[ConnectdMessage]] = {
    200: ConnectdInit,
    201: ConnectdInitReply,
    202: ConnectdActivate,
    203: ConnectdConnect,
    204: ConnectdConnectFailed,
    205: ConnectdPeerConnected,
    206: ConnectdAcceptPeer,
    207: ConnectdPeerDisconnected,
    208: ConnectdDisconnect,
    209: ConnectdRoute,
    210: ConnectdUnroute,
    211: ConnectdPeerMsg,
    212: ConnectdSendMsg,
    213: ConnectdPing,
    214: ConnectdPingDone,
    215: ConnectdSetCustommsgs,
    216: ConnectdDevSuppressGossip,
    217: ConnectdDevReportFds,
    230: ConnectdRouteReady,
    231: ConnectdPeerIn,
    232: ConnectdPeerOut,
    233: ConnectdRouteClosed,
    234: ConnectdRouteAlias,
    235: ConnectdRouteDisconnect,
    240: ConnectdGossipPeer,
    241: ConnectdGossipPeerGone,
    242: ConnectdGossipIn,
    243: ConnectdGossipOut,
    244: ConnectdGossipRoom,
    245: ConnectdGossipWarn,
}
"""Every message of this file by its type."""


def decode(buf: bytes) -> ConnectdMessage:
    """Read any message of this file. Raises WireError and nothing else."""
    wire_type = message_type(buf)
    cls = MESSAGES.get(wire_type)
    if cls is None:
        raise WireError(f"unknown message type {wire_type}")
    return cls.decode(buf)
