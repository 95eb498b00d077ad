"""Signed gossip of made-up nodes, a port that records, and two cores tied together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pylightningd.common.bitcoin.hashes import sha256d
from pylightningd.common.bitcoin.script import funding_script, p2wsh
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.keys import pubkey_from_secret, sign_compact
from pylightningd.common.network import REGTEST
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from pylightningd.gossipd.gossip import Gossip
from pylightningd.gossipd.store import MemoryStore

NOW = 1_700_000_000
CHAIN = REGTEST.chain_hash
QUERIES = bytes((0x0C, 0xC0))
"""gossip_queries and gossip_queries_ex."""
NO_SIG = bytes(64)


def secret(n: int) -> bytes:
    """Private key number n."""
    return (n + 1).to_bytes(32, "big")


def node(n: int) -> NodeId:
    """Node number n."""
    return NodeId(pubkey_from_secret(secret(n)))


def ordered(a: int, b: int) -> tuple[int, int]:
    """Two nodes' numbers, the lesser id first."""
    return (a, b) if node(a) < node(b) else (b, a)


def scid(n: int) -> ShortChannelId:
    """Channel number n."""
    return ShortChannelId.make(100 + n, 1, 0)


def announcement(a: int, b: int, n: int, *, bad: int | None = None) -> bytes:
    """A signed channel_announcement; `bad` names a signature to spoil."""
    one, two = ordered(a, b)
    msg = pw.ChannelAnnouncement(
        node_signature_1=NO_SIG,
        node_signature_2=NO_SIG,
        bitcoin_signature_1=NO_SIG,
        bitcoin_signature_2=NO_SIG,
        features=b"",
        chain_hash=CHAIN,
        short_channel_id=scid(n),
        node_id_1=node(one),
        node_id_2=node(two),
        bitcoin_key_1=node(one + 100),
        bitcoin_key_2=node(two + 100),
    )
    digest = sha256d(msg.encode()[258:])
    sigs = [sign_compact(secret(k), digest) for k in (one, two, one + 100, two + 100)]
    if bad is not None:
        sigs[bad] = sigs[bad - 1]
    return replace(
        msg,
        node_signature_1=sigs[0],
        node_signature_2=sigs[1],
        bitcoin_signature_1=sigs[2],
        bitcoin_signature_2=sigs[3],
    ).encode()


def txout_script(a: int, b: int) -> bytes:
    """The funding output of `announcement`."""
    one, two = ordered(a, b)
    return p2wsh(funding_script(node(one + 100), node(two + 100)))


def update(
    a: int, b: int, n: int, *, timestamp: int = NOW, disabled: bool = False, base: int = 1000
) -> bytes:
    """A signed channel_update of node a for its channel with b."""
    direction = int(node(a) > node(b))
    msg = pw.ChannelUpdate(
        signature=NO_SIG,
        chain_hash=CHAIN,
        short_channel_id=scid(n),
        timestamp=timestamp,
        message_flags=1,
        channel_flags=direction | (2 if disabled else 0),
        cltv_expiry_delta=6,
        htlc_minimum_msat=0,
        fee_base_msat=base,
        fee_proportional_millionths=10,
        htlc_maximum_msat=990_000_000,
    )
    return replace(msg, signature=sign_compact(secret(a), sha256d(msg.encode()[66:]))).encode()


def node_announcement(a: int, *, timestamp: int = NOW, addresses: bytes = b"") -> bytes:
    """A signed node_announcement."""
    msg = pw.NodeAnnouncement(
        signature=NO_SIG,
        features=b"",
        timestamp=timestamp,
        node_id=node(a),
        rgb_color=b"\1\2\3",
        alias=f"node{a}".encode().ljust(32, b"\0"),
        addresses=addresses,
    )
    return replace(msg, signature=sign_compact(secret(a), sha256d(msg.encode()[66:]))).encode()


@dataclass
class Recorder:
    """A port that keeps what goes out."""

    sent: list[tuple[int, bytes]] = field(default_factory=list)
    warned: list[tuple[int, str]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)

    def send(self, connection: int, msgs: Sequence[bytes]) -> None:
        self.sent += [(connection, m) for m in msgs]

    def warn(self, connection: int, text: str) -> None:
        self.warned.append((connection, text))

    def ask_txout(self, scid: int) -> None:
        self.asked.append(scid)

    def tell_master(self, msg: Message) -> None:
        self.told.append(msg)

    def log(self, level: str, text: str, peer_id: NodeId | None = None) -> None:
        self.lines.append((level, text))

    def texts(self) -> list[str]:
        return [t for _, t in self.lines]


class World:
    """One core with its recorder."""

    def __init__(
        self,
        me: int = 50,
        *,
        fast: bool = True,
        fast_prune: bool = False,
        store: MemoryStore | None = None,
    ) -> None:
        self.port = Recorder()
        self.store = store or MemoryStore()
        self.me = me
        self.gossip = Gossip(
            self.port,
            self.store,
            chain_hash=CHAIN,
            node_id=node(me),
            height=1000,
            fast=fast,
            fast_prune=fast_prune,
        )

    def connect(self, connection: int, n: int, features: bytes = QUERIES) -> None:
        self.gossip.peer_connected(connection, node(n), features, NOW)

    def receive(self, connection: int, *raws: bytes, now: float = NOW) -> None:
        for raw in raws:
            self.gossip.peer_message(connection, raw, now)

    def confirm(self, a: int, b: int, n: int, sat: int = 1_000_000) -> None:
        self.gossip.txout(scid(n), sat, txout_script(a, b))

    def publish(self, a: int, b: int, n: int, *, connection: int = 1) -> None:
        """A whole channel, both directions."""
        self.receive(connection, announcement(a, b, n))
        self.confirm(a, b, n)
        self.receive(connection, update(a, b, n), update(b, a, n))


def exchange(left: World, right: World, *, rounds: int = 50) -> None:
    """Carry messages between two cores, each of which is connection 1 of the other, until they are silent."""
    for _ in range(rounds):
        quiet = True
        for one, other in ((left, right), (right, left)):
            sent, one.port.sent = one.port.sent, []
            for connection, raw in sent:
                quiet = False
                assert connection == 1
                other.receive(1, raw)
            if sent:
                one.gossip.room(1)
            for asked in one.port.asked:
                n = ShortChannelId(asked).block - 100
                one.gossip.txout(asked, 1_000_000, txout_script(n, n + 1))
            one.port.asked.clear()
        if quiet:
            return
    raise AssertionError("they never fall silent")
