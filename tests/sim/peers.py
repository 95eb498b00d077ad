"""Two channel machines with a wire between them that loses, delays and breaks as a test wants.

Each has its toy lightningd and hsmd. Every send is checked: what commits or revokes must be written down
before. `ladder` is the transcript, printed by failing tests.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pylightningd.channeld import rows
from pylightningd.channeld.events import Flush, FromMaster, FromPeer, RouteClosed, UseRoute
from pylightningd.channeld.machine import ChannelMachine
from pylightningd.channeld.view import View
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel_type import ANCHORS_TYPE, ChannelType
from pylightningd.common.effects import (
    Ask,
    AskBoth,
    CancelTimer,
    Disconnect,
    Log,
    SendPeer,
    SetTimer,
    Tell,
)
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.key_derivation import per_commitment_point
from pylightningd.common.keys import ecdh, pubkey_from_secret
from pylightningd.common.machine import MachineDriver
from pylightningd.common.onion.blinding import tweak_key
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.common_wire import ChannelConfig, ChannelStatic
from pylightningd.common.wire.runtime import Message
from tests.sim.toy_hsmd import ToyHsmd, basepoints_of, secret_of
from tests.sim.toy_master import ToyMaster

FUNDING = Sat(1_000_000)
FEERATE = 1000
INIT = cw.ChanneldInit(
    network="regtest",
    features=bytes.fromhex("08000000"),
    blockheight=100,
    commit_time_ms=10,
    dev_disable_commit_after=0xFFFFFFFF,
    dev_no_htlc_timeout=False,
)


class Crashed(Exception):
    """The plan said so."""


def config(dust: int) -> ChannelConfig:
    """One side's limits."""
    return ChannelConfig(
        dust_limit=Sat(dust),
        max_htlc_value_in_flight=Msat(600_000_000),
        channel_reserve=Sat(10_000),
        htlc_minimum=Msat(1),
        to_self_delay=6,
        max_accepted_htlcs=10,
    )


def path_key_of(payment_hash: bytes) -> bytes | None:
    """A third of all HTLCs is inside a blinded path."""
    return pubkey_from_secret(payment_hash) if payment_hash[0] % 3 == 0 else None


def onion_secret_of(name: str, htlc: cw.Htlc) -> bytes:
    """What a received HTLC's onion is to be opened with."""
    key = secret_of(name, "node")
    point = htlc.onion[1:34]
    if htlc.path_key is not None:
        point = tweak_key(point, ecdh(key, htlc.path_key))
    return ecdh(key, point)


def make_row(
    name: str,
    other: str,
    *,
    opener: bool,
    channel_type: ChannelType = ANCHORS_TYPE,
    push: Msat = Msat(400_000_000),
    ready: bool = True,
) -> cw.ChanneldChannel:
    """A channel just opened, as `name` sees it."""
    funding = Outpoint(Txid(sha256(b"funding").digest()), 1)
    mine, theirs = (FUNDING.to_msat() - push, push) if opener else (push, FUNDING.to_msat() - push)
    their_seed = secret_of(other, "seed")
    fees = FeeStates.settled(Side.LOCAL if opener else Side.REMOTE, FEERATE)
    dusts = {"alice": 546, "bob": 354}
    return cw.ChanneldChannel(
        channel=ChannelStatic(
            dbid=1,
            peer_id=NodeId(ToyHsmd(other).node_id),
            channel_id=funding.channel_id(),
            funding=funding,
            funding_amount=FUNDING,
            we_are_opener=opener,
            channel_type=channel_type.encode(),
            local_config=config(dusts.get(name, 546)),
            remote_config=config(dusts.get(other, 546)),
            local_basepoints=basepoints_of(name),
            remote_basepoints=basepoints_of(other),
        ),
        announce=False,
        minimum_depth=1,
        local_alias=ShortChannelId.make(1, 2, 3),
        depth=0,
        next_local_commitment=1,
        next_remote_commitment=1,
        revocations_received=0,
        to_local=mine,
        to_remote=theirs,
        fees=rows.fee_rows(fees),
        remote_current_point=per_commitment_point(their_seed, 0),
        remote_next_point=per_commitment_point(their_seed, 1) if ready else None,
        shachain=b"",
        htlcs=(),
        next_htlc_id=0,
        next_remote_htlc_id=0,
        last_sent_updates=(),
        last_was_revoke=False,
        sent_channel_ready=ready,
        got_channel_ready=ready,
        local_shutdown_script=b"",
        remote_shutdown_script=b"",
        remote_upfront_shutdown_script=b"",
        their_features=INIT.features,
        feerate_min_perkw=253,
        feerate_max_perkw=100_000,
        max_dust_exposure=Msat(50_000_000),
    )


@dataclass
class Peer:
    """One side: its machine, its neighbours, and the messages on their way from it."""

    name: str
    master: ToyMaster
    hsmd: ToyHsmd
    ladder: list[str]
    outbox: deque[bytes] = field(default_factory=deque)
    driver: MachineDriver[Any] | None = None
    machine: ChannelMachine | None = None
    route: int | None = None
    """What the machine sends by."""
    open_route: int | None = None
    """What connectd has open; the rest it drops."""
    crash_in: int = -1
    """How many persists until it crashes; negative: it does not."""
    crash_after: bool = False
    """Whether that persist is still made."""
    slow: bool = False
    """Neighbours do not answer until it is False again."""
    sent_commitments: dict[int, Txid] = field(default_factory=dict)
    timers: set[str] = field(default_factory=set)
    trace: list[type] = field(default_factory=list)
    """What it asked, told and sent, in order: the messages' classes."""
    init: cw.ChanneldInit = INIT

    def start(self) -> None:
        """Begin with what lightningd has."""
        self.machine = ChannelMachine.from_row(self.master.snapshot(), self.init)
        self.driver = MachineDriver(self.machine)
        self.route = None
        self.timers.clear()

    @property
    def channel(self) -> Any:
        """The machine's state."""
        assert self.machine is not None
        return self.machine.channel

    def feed(self, *events: Any) -> None:
        """Give it a batch of events, as the shell does."""
        for event in (*events, Flush()):
            assert self.driver is not None
            self._perform(self.driver.feed(event))
        self.answer_all()

    def master_says(self, *msgs: Message) -> None:
        """A batch of lightningd's."""
        self.feed(*(FromMaster(m) for m in msgs))

    def deliver(self, raw: bytes) -> None:
        """A message of the peer."""
        msg = pw.decode(raw)
        assert isinstance(msg, Message)
        self.feed(FromPeer(msg))

    def answer_all(self) -> None:
        """Let lightningd and hsmd answer."""
        while self.driver is not None and self.driver.waiting is not None and not self.slow:
            reply = self._reply(self.driver.waiting)
            self._perform(self.driver.resume(reply))

    def _reply(self, ask: Ask | AskBoth) -> Any:
        facts = self.channel.facts
        if isinstance(ask, AskBoth):
            self.trace += [type(ask.hsmd), type(ask.master)]
        else:
            self.trace.append(type(ask.request))
        if isinstance(ask, AskBoth):
            return self.hsmd.answer(ask.hsmd, facts), self._persist(ask.master)
        if ask.to == "hsmd":
            return self.hsmd.answer(ask.request, facts)
        return self._persist(ask.request)

    def _persist(self, request: Message) -> Message:
        request = type(request).decode(request.encode())
        if self.crash_in == 0:
            if self.crash_after:
                self.master.answer(request)
            raise Crashed
        self.crash_in -= 1
        self.ladder.append(f"{self.name:>6} writes {type(request).NAME}")
        return self.master.answer(request)

    def _perform(self, effects: list[Any]) -> None:
        for effect in effects:
            if isinstance(effect, SendPeer):
                self._send(effect.msg)
            elif isinstance(effect, Tell):
                self.trace.append(type(effect.msg))
                self.master.tell(type(effect.msg).decode(effect.msg.encode()))
            elif isinstance(effect, UseRoute):
                self.route = effect.route_id
            elif isinstance(effect, SetTimer):
                self.timers.add(effect.name)
            elif isinstance(effect, CancelTimer):
                self.timers.discard(effect.name)
            elif isinstance(effect, Disconnect):
                self.trace.append(Disconnect)
            elif isinstance(effect, Log):
                self.ladder.append(f"{self.name:>6} log {effect.level}: {effect.text[:120]}")

    def _send(self, msg: Message) -> None:
        if self.route is None or self.route != self.open_route:
            return
        row = self.master.row
        if isinstance(msg, pw.CommitmentSigned):
            number = row.next_remote_commitment - 1
            txid = self.hsmd.signed[number].txid
            assert max(self.hsmd.signed) == number, "written down before it is sent"
            assert self.sent_commitments.setdefault(number, txid) == txid, "one content a number"
        elif isinstance(msg, pw.RevokeAndAck):
            assert row.next_local_commitment == self.hsmd.revoked + 1, "written down before"
        self.trace.append(type(msg))
        arrow = "---->" if self.name == "alice" else "<----"
        self.ladder.append(f"  {arrow} {type(msg).NAME} {getattr(msg, 'id', '')}")
        self.outbox.append(msg.encode())


@dataclass
class Pair:
    """Alice, who opened, and Bob."""

    alice: Peer
    bob: Peer
    ladder: list[str]
    connected: bool = False
    next_route: int = 1
    preimages: dict[bytes, bytes] = field(default_factory=dict)
    next_cookie: int = 1

    @classmethod
    def open(cls, **kwargs: Any) -> Pair:
        """Two sides of a new channel, not connected."""
        ladder: list[str] = []
        peers = []
        for name, other, opener in (("alice", "bob", True), ("bob", "alice", False)):
            row = make_row(name, other, opener=opener, **kwargs)
            script = b"\x00\x14" + sha256(name.encode()).digest()[:20]
            peers.append(Peer(name, ToyMaster(row, script=script), ToyHsmd(name), ladder))
        pair = cls(peers[0], peers[1], ladder)
        for peer in pair.both:
            peer.start()
        return pair

    @property
    def both(self) -> tuple[Peer, Peer]:
        """The opener first."""
        return self.alice, self.bob

    def other(self, peer: Peer) -> Peer:
        """Who it talks to."""
        return self.bob if peer is self.alice else self.alice

    def guarded(self, peer: Peer, action: Any) -> None:
        """Run it; where the peer's plan says crash, crash."""
        try:
            action()
        except Crashed:
            self.crash(peer)

    def crash(self, peer: Peer) -> None:
        """The worker dies and starts again from what is written down."""
        self.ladder.append(f"{peer.name:>6} CRASHES")
        peer.crash_in = -1
        peer.slow = False
        peer.driver = None
        self.cut(skip=peer)
        peer.master.worker_died()
        peer.start()

    def connect(self, *, fresh: bool = False) -> None:
        """A new connection."""
        assert not self.connected
        self.connected = True
        self.ladder.append("  ===== connected")
        for peer in self.both:
            route, self.next_route = self.next_route, self.next_route + 1
            peer.open_route = route
            msg = cw.ChanneldConnected(
                dbid=1, route_id=route, fresh=fresh, their_features=INIT.features
            )
            self.guarded(peer, lambda p=peer, m=msg: p.master_says(m))

    def cut(self, *, skip: Peer | None = None) -> None:
        """Drop the connection and all that is on it."""
        if not self.connected:
            return
        self.connected = False
        self.ladder.append("  ===== cut")
        for peer in self.both:
            peer.outbox.clear()
        for peer in self.both:
            route, peer.open_route = peer.open_route, None
            if peer is not skip and route is not None:
                self.guarded(peer, lambda p=peer, r=route: p.feed(RouteClosed(r)))
        for peer in self.both:
            peer.outbox.clear()

    def deliver_one(self, sender: Peer) -> bool:
        """One message arrives; False where there was none."""
        if not sender.outbox:
            return False
        raw = sender.outbox.popleft()
        receiver = self.other(sender)
        self.guarded(receiver, lambda: receiver.deliver(raw))
        return True

    def offer(self, peer: Peer, msat: int, cltv_expiry: int = 500) -> int:
        """lightningd of `peer` wants to pay; the cookie."""
        cookie, self.next_cookie = self.next_cookie, self.next_cookie + 1
        preimage = sha256(b"preimage %d" % cookie).digest()
        payment_hash = sha256(preimage).digest()
        self.preimages[payment_hash] = preimage
        receiver = self.other(peer)
        key = receiver.hsmd.node_id
        peer.master.offers[cookie] = None
        msg = cw.ChanneldOfferHtlc(
            dbid=1,
            cookie=cookie,
            amount=Msat(msat),
            cltv_expiry=cltv_expiry,
            payment_hash=payment_hash,
            onion=b"\x00" + key + bytes(1332),
            path_key=path_key_of(payment_hash),
        )
        self.guarded(peer, lambda: peer.master_says(msg))
        return cookie

    def resolve(self, peer: Peer, htlc_id: int, how: str) -> None:
        """lightningd of `peer` fulfills or fails an HTLC it was offered."""
        htlc = peer.master.htlcs[False, htlc_id]
        preimage = self.preimages[htlc.payment_hash] if how == "fulfill" else None
        msg = peer.master.decide(htlc_id, preimage, malformed=how == "malformed")
        self.guarded(peer, lambda: peer.master_says(msg))

    def say(self, peer: Peer, *msgs: Message) -> None:
        """lightningd of `peer` says something."""
        self.guarded(peer, lambda: peer.master_says(*msgs))

    def settle(self, *, limit: int = 2000) -> None:
        """Deliver everything until nothing is on its way."""
        for peer in self.both:
            peer.slow = False
            self.guarded(peer, peer.answer_all)
        for _ in range(limit):
            moved = [self.deliver_one(peer) for peer in self.both]
            if not any(moved):
                return
        raise AssertionError("the peers never stop talking")

    # ---- invariants -------------------------------------------------------------------------

    def check(self) -> None:
        """What must hold at any moment."""
        for peer in self.both:
            self._check_peer(peer)
        self._check_commitments()

    def _check_peer(self, peer: Peer) -> None:
        channel = peer.channel
        total = FUNDING.to_msat()
        assert channel.settled.local + channel.settled.remote == total
        assert peer.master.row.to_local + peer.master.row.to_remote == total
        for view in channel.views:
            assert sum(view.owed_msat) + sum(view.in_flight_msat) == total.msat
            fresh = View(view.owner, view.dust_limit, view.anchors)
            fresh.rebuild(channel.settled, channel.htlcs.values(), view.feerate_perkw)
            assert fresh == view, "running totals are right"
        for htlc in peer.master.htlcs.values():
            assert htlc.path_key == path_key_of(htlc.payment_hash), "a path key stays with its HTLC"
        failed = [m for m in peer.master.told if isinstance(m, cw.ChanneldFailed)]
        assert not failed, f"{peer.name} closes: {failed}"

    def _check_commitments(self) -> None:
        for peer in self.both:
            mine = peer.master.row
            theirs = self.other(peer).master.row
            ahead = mine.next_remote_commitment - theirs.next_local_commitment
            assert 0 <= ahead <= 1, "a commitment is at most one message ahead"
            behind = theirs.next_local_commitment - 1 - mine.revocations_received
            assert 0 <= behind <= 1, "a revocation is at most one message ahead"

    def check_at_rest(self) -> None:
        """What must hold when nothing is on its way and the peers are connected."""
        a, b = self.alice.master.row, self.bob.master.row
        assert (a.to_local, a.to_remote) == (b.to_remote, b.to_local)
        assert a.next_local_commitment == b.next_remote_commitment
        assert b.next_local_commitment == a.next_remote_commitment
        for peer in self.both:
            states = {(h.offered_by_us, h.id): h.state for h in peer.master.htlcs.values()}
            assert all(s in (4, 14) for s in states.values()), f"stuck: {states}"
            assert not self.timers_running(peer)
            for htlc in peer.master.htlcs.values():
                if not htlc.offered_by_us and type(peer.hsmd) is ToyHsmd:
                    assert peer.master.secrets[htlc.id] == onion_secret_of(peer.name, htlc)

    def timers_running(self, peer: Peer) -> bool:
        """Whether it still waits for a revoke_and_ack."""
        return "revoke" in peer.timers
