"""Alice opens a channel with Bob, both with money: openingd and channeld of either side, and a wire that breaks.

The masters are the plainest that can be: what is durable is in `Side.channel`, `commitment`, `witnesses` and `theirs`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pylightningd.channeld import rows
from pylightningd.channeld.events import FromMaster, RouteClosed
from pylightningd.common import features as ft
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import bip143_sighash
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut, parse_witness
from pylightningd.common.channel.commitment_tx import funding_sighash
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.htlc_states import Side as ChannelSide
from pylightningd.common.channel_type import ANCHORS_TYPE
from pylightningd.common.ids import NodeId, ShortChannelId, Txid
from pylightningd.common.interactive_tx import balance
from pylightningd.common.interactive_tx.joint_tx import (
    inputs_of,
    signed_tx,
    spent_by_all,
    unsigned_tx,
)
from pylightningd.common.key_derivation import per_commitment_point
from pylightningd.common.keys import pubkey_from_secret, sig_to_der, sign_compact, verify_compact
from pylightningd.common.network import REGTEST
from pylightningd.common.route_events import RouteClosed as OpeningRouteClosed
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import openingd_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.common_wire import JointInput, JointOutput
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.state import Node
from pylightningd.openingd.v2_machine import DualOpeningMachine
from tests.openingd.player import Player
from tests.openingd.sides import limits
from tests.sim.peers import INIT, Crashed, Peer
from tests.sim.toy_hsmd import ToyHsmd, basepoints_of, secret_of
from tests.sim.toy_master import ToyMaster

FEATURES = ft.encode_features(
    [
        ft.STATIC_REMOTEKEY + 1,
        ft.ANCHORS_ZERO_FEE_HTLC + 1,
        ft.SHUTDOWN_ANYSEGWIT + 1,
        ft.CHANNEL_TYPE + 1,
        ft.DUAL_FUND + 1,
    ]
)
DUAL_INIT = cw.ChanneldInit(
    network="regtest",
    features=FEATURES,
    blockheight=100,
    commit_time_ms=INIT.commit_time_ms,
    dev_disable_commit_after=INIT.dev_disable_commit_after,
    dev_no_htlc_timeout=False,
)
FEERATE = 1000
NAMES = ("alice", "bob")


class DualMaster(ToyMaster):
    """Writes down what happens to the funding transaction."""

    side: Side

    def answer(self, request: Message) -> Message:
        match request:
            case cw.ChanneldGotFirstCommitsig(tx=tx, signature=signature):
                self.side.check_commitment(tx, signature)
                self.side.commitment = signature
                return cw.ChanneldGotFirstCommitsigReply()
            case cw.ChanneldGotTxSignatures(witnesses=witnesses):
                assert self.side.commitment is not None
                self.side.theirs = witnesses
                return cw.ChanneldGotTxSignaturesReply()
            case _:
                return super().answer(request)


class DualPeer(Peer):
    """channeld's part; told of the joint funding at every start."""

    side: Side

    def start(self) -> None:
        super().start()
        assert self.driver is not None
        self._perform(self.driver.feed(FromMaster(self.side.joint_funding())))

    def _send(self, msg: Message) -> None:
        if isinstance(msg, pw.TxSignatures):
            assert self.side.commitment is not None, "never before the peer's signature is durable"
            assert self.side.witnesses is not None
            if self.route is not None and self.route == self.open_route:
                self.side.gave = True
        if isinstance(msg, pw.ChannelReady):
            assert self.side.whole() is not None, "not before the transaction is whole"
        if self.route is None or self.route != self.open_route:
            return
        self.trace.append(type(msg))
        arrow = "---->" if self.name == "alice" else "<----"
        self.ladder.append(f"  {arrow} {type(msg).NAME}")
        self.outbox.append(msg.encode())


@dataclass
class Side:
    """One node."""

    name: str
    brings: int
    """Of its own in the channel, sat; with zero it has no coin at all."""
    coin: int
    """The coin it has, sat."""
    ladder: list[str]
    world: World
    signs_at_once: bool = True
    player: Player | None = None
    peer: DualPeer | None = None
    channel: ow.OpeningdConstructed | None = None
    commitment: bytes | None = None
    witnesses: tuple[bytes, ...] | None = None
    theirs: tuple[bytes, ...] | None = None
    forgot: bool = False
    gave: bool = False
    """Its tx_signatures went out."""
    failures: list[Message] = field(default_factory=list)

    @property
    def other_name(self) -> str:
        return NAMES[1 - NAMES.index(self.name)]

    @property
    def opens(self) -> bool:
        return self.name == "alice"

    # ---- opening ----------------------------------------------------------------------------

    def contribution(self) -> ow.Contribution:
        """One coin, and change where something is left."""
        parity = 0 if self.opens else 1
        inputs: tuple[JointInput, ...] = ()
        outputs: tuple[JointOutput, ...] = ()
        if self.coin:
            txin = TxIn(Txid(sha256(self.name.encode()).digest()), 0)
            script = sc.p2wpkh(self.coin_key)
            prevtx = Tx(2, (txin,), (TxOut(Sat(self.coin), script),)).serialize()
            inputs = (
                JointInput(
                    serial_id=10 + parity, ours=True, prevtx=prevtx, vout=0, sequence=0xFFFFFFFD
                ),
            )
            change_script = sc.p2wpkh(pubkey_from_secret(secret_of(self.name, "change")))
            scripts = [change_script] + ([sc.p2wsh(b"")] if self.opens else [])
            fee = balance.share_fee(
                FEERATE, balance.share_weight([script], scripts, initiator=self.opens)
            )
            change = self.coin - self.brings - fee.sat
            assert change > 546
            outputs = (
                JointOutput(
                    serial_id=20 + parity, ours=True, amount=Sat(change), script=change_script
                ),
            )
        return ow.Contribution(
            funding_amount=Sat(self.brings),
            funding_serial_id=30 if self.opens else 0,
            inputs=inputs,
            outputs=outputs,
            inputs_confirmed=True,
            consult=False,
        )

    @property
    def coin_key(self) -> bytes:
        return pubkey_from_secret(secret_of(self.name, "coin"))

    def begin(self, raw: bytes | None = None) -> None:
        """openingd starts: Alice with her wish, Bob with her open_channel2."""
        seed = ToyHsmd(self.name).seed
        values: dict[str, Any] = {
            "dbid": 1,
            "route_id": 1,
            "peer_id": NodeId(ToyHsmd(self.other_name).node_id),
            "their_features": FEATURES,
            "limits": limits(),
            "basepoints": basepoints_of(self.name),
            "first_per_commitment_point": per_commitment_point(seed, 0),
            "second_per_commitment_point": per_commitment_point(seed, 1),
            "upfront_shutdown_script": b"",
            "require_confirmed_inputs": False,
            "sign_first_on_tie": ToyHsmd(self.name).node_id < ToyHsmd(self.other_name).node_id,
            "ours": self.contribution(),
        }
        request: ow.OpeningdOpen2 | ow.OpeningdGotOpen2
        if raw is None:
            request = ow.OpeningdOpen2(
                funding_feerate_perkw=FEERATE,
                commitment_feerate_perkw=2500,
                locktime=100,
                announce=False,
                channel_type=ANCHORS_TYPE.encode(),
                **values,
            )
        else:
            request = ow.OpeningdGotOpen2(msg=raw, **values)
        machine = DualOpeningMachine(Node(REGTEST, FEATURES), request)
        self.player = Player(machine, self._on_constructed)
        self.player.master(request)

    def _on_constructed(self, request: Message) -> Message:
        assert isinstance(request, ow.OpeningdConstructed)
        self.world.ladder.append(f"{self.name:>6} writes the channel")
        self.channel = request
        return ow.OpeningdConstructedReply()

    # ---- channeld ---------------------------------------------------------------------------

    def row(self) -> cw.ChanneldChannel:
        assert self.channel is not None
        msg = self.channel
        opener = ChannelSide.LOCAL if self.opens else ChannelSide.REMOTE
        their_seed = ToyHsmd(self.other_name).seed
        assert msg.remote_first_per_commitment_point == per_commitment_point(their_seed, 0)
        return cw.ChanneldChannel(
            channel=msg.channel,
            announce=msg.announce,
            minimum_depth=self.world.minimum_depth,
            local_alias=ShortChannelId.make(1, 2, 3),
            depth=0,
            next_local_commitment=1,
            next_remote_commitment=1,
            revocations_received=0,
            to_local=msg.funding.our_funding.to_msat(),
            to_remote=msg.funding.their_funding.to_msat(),
            fees=rows.fee_rows(FeeStates.settled(opener, msg.feerate_perkw)),
            remote_current_point=msg.remote_first_per_commitment_point,
            remote_next_point=None,
            shachain=b"",
            htlcs=(),
            next_htlc_id=0,
            next_remote_htlc_id=0,
            last_sent_updates=(),
            last_was_revoke=False,
            sent_channel_ready=False,
            got_channel_ready=False,
            local_shutdown_script=b"",
            remote_shutdown_script=b"",
            remote_upfront_shutdown_script=b"",
            their_features=FEATURES,
            feerate_min_perkw=253,
            feerate_max_perkw=100_000,
            max_dust_exposure=Msat(50_000_000),
        )

    def joint_funding(self) -> cw.ChanneldJointFunding:
        assert self.channel is not None
        return cw.ChanneldJointFunding(
            dbid=1,
            funding=self.channel.funding,
            got_commitment=self.commitment is not None,
            got_signatures=self.theirs is not None,
            signed=self.witnesses is not None,
            witnesses=self.witnesses or (),
        )

    def hand_over(self) -> None:
        """The channel is written down: channeld has it from now on."""
        master = DualMaster(self.row())
        master.side = self
        self.peer = DualPeer(self.name, master, ToyHsmd(self.name), self.ladder, init=DUAL_INIT)
        self.peer.side = self
        self.peer.start()

    def check_commitment(self, raw: bytes, signature: bytes) -> None:
        """The commitment that the master is given is one that it can broadcast."""
        assert self.channel is not None
        assert raw == self.channel.tx
        static = self.channel.channel
        script = sc.funding_script(
            static.local_basepoints.funding_pubkey, static.remote_basepoints.funding_pubkey
        )
        digest = funding_sighash(Tx.parse(raw), script, static.funding_amount)
        verify_compact(static.remote_basepoints.funding_pubkey, digest, signature)

    def sign(self) -> None:
        """Our inputs; durable, and only then channeld hears of it."""
        assert self.channel is not None
        assert self.commitment is not None
        funding = self.channel.funding
        tx, spent = unsigned_tx(funding), spent_by_all(funding)
        stacks = []
        for index in inputs_of(funding, ours=True):
            code = sc.p2wpkh_script_code(self.coin_key)
            digest = bip143_sighash(tx, index, code, spent[index].output.amount)
            signature = sig_to_der(sign_compact(secret_of(self.name, "coin"), digest), 1)
            stacks.append(
                TxIn(Txid(bytes(32)), 0, witness=(signature, self.coin_key)).serialize_witness()
            )
        self.witnesses = tuple(stacks)
        self.tell(cw.ChanneldFundingSigned(dbid=1, witnesses=self.witnesses))

    def tell(self, msg: Message) -> None:
        """To channeld."""
        if self.peer is not None:
            peer = self.peer
            self.world.guarded(self, lambda: peer.master_says(msg))

    def whole(self) -> Tx | None:
        """The transaction with all signatures, if the master has them."""
        if self.channel is None or self.witnesses is None or self.theirs is None:
            return None
        ours = [parse_witness(w) for w in self.witnesses]
        theirs = [parse_witness(w) for w in self.theirs]
        return signed_tx(self.channel.funding, ours, theirs)

    def look_after(self) -> None:
        """What the master does by itself."""
        if self.player is not None and self.player.machine.finished:
            if self.channel is not None and self.peer is None and not self.forgot:
                self.hand_over()
                self.world.connect_one(self, fresh=True)
            self.failures += [m for m in self.player.told() if isinstance(m, ow.OpeningdFailed)]
        if self.peer is None:
            return
        failed = [m for m in self.peer.master.told if isinstance(m, cw.ChanneldFailed)]
        self.failures += failed
        self.peer.master.told.clear()
        if any(m.kind == 6 for m in failed):
            assert not self.gave, "what we have signed is not forgotten"
            self.forgot, self.peer, self.channel = True, None, None
        elif self.signs_at_once and self.commitment is not None and self.witnesses is None:
            self.sign()


class World:
    """The two and their wire."""

    def __init__(
        self,
        brings: tuple[int, int] = (600_000, 400_000),
        coins: tuple[int, int] = (2_000_000, 1_000_000),
        minimum_depth: int = 1,
    ) -> None:
        self.ladder: list[str] = []
        self.minimum_depth = minimum_depth
        self.sides = [
            Side(name, brings[n], coins[n], self.ladder, self) for n, name in enumerate(NAMES)
        ]
        self.connected = True
        self.next_route = 2
        self.delivered = 0
        self._waiting: dict[str, deque[bytes]] = {name: deque() for name in NAMES}

    @property
    def alice(self) -> Side:
        return self.sides[0]

    @property
    def bob(self) -> Side:
        return self.sides[1]

    def other(self, side: Side) -> Side:
        return self.sides[1 - self.sides.index(side)]

    def open(self) -> None:
        """Alice begins."""
        self.alice.begin()

    # ---- the wire ---------------------------------------------------------------------------

    def _collect(self) -> None:
        for side in self.sides:
            self._empty(side)
            side.look_after()
            self._empty(side)

    def _empty(self, side: Side) -> None:
        for source in (side.player, side.peer):
            if source is not None:
                self._waiting[side.name].extend(source.outbox)
                source.outbox.clear()

    def step(self, sender: Side) -> bool:
        """One message arrives; False where there is none."""
        self._collect()
        box = self._waiting[sender.name]
        if not self.connected or not box:
            return False
        raw = box.popleft()
        self.delivered += 1
        self.receive(self.other(sender), raw)
        self._collect()
        return True

    def step_both(self) -> bool:
        """One message of each; False where there is none."""
        moved = [self.step(side) for side in self.sides]
        return any(moved)

    def receive(self, side: Side, raw: bytes) -> None:
        """As connectd gives it to whom it belongs to."""
        if raw[:2] == pw.OpenChannel2.TYPE.to_bytes(2, "big"):
            side.begin(raw)
        elif side.peer is not None:
            peer = side.peer
            self.guarded(side, lambda: peer.deliver(raw))
        elif side.player is not None and not side.player.machine.finished:
            msg = pw.decode(raw)
            assert isinstance(msg, Message)
            side.player.peer(msg)
        elif raw[:2] == pw.ChannelReestablish.TYPE.to_bytes(2, "big"):
            # The master of a node that does not know the channel.
            error = pw.Error(channel_id=raw[2:34], data=b"Unknown channel")  # type: ignore[arg-type]
            self._waiting[side.name].append(error.encode())

    def guarded(self, side: Side, action: Any) -> None:
        """Run it; a crash is one of channeld: the connection ends, and it starts again from what is durable."""
        try:
            action()
        except Crashed:
            self.ladder.append(f"{side.name:>6} CRASHES")
            assert side.peer is not None
            side.peer.crash_in = -1
            side.peer.driver = None
            self.cut(crashed=side)
            side.peer.start()

    def cut(self, crashed: Side | None = None) -> None:
        """The connection ends, with all that was on it."""
        self.connected = False
        self.ladder.append("  ===== cut")
        for side in self.sides:
            if side.player is not None:
                if not side.player.machine.finished:
                    side.player.feed(OpeningRouteClosed())
                side.player.outbox.clear()
            if side.peer is not None:
                route, side.peer.open_route = side.peer.open_route, None
                if side is not crashed and route is not None:
                    side.peer.feed(RouteClosed(route))
                side.peer.outbox.clear()
        for box in self._waiting.values():
            box.clear()

    def connect_one(self, side: Side, *, fresh: bool) -> None:
        """channeld hears of the connection."""
        assert side.peer is not None
        if not self.connected:
            return
        route, self.next_route = self.next_route, self.next_route + 1
        side.peer.open_route = route
        side.tell(
            cw.ChanneldConnected(dbid=1, route_id=route, fresh=fresh, their_features=FEATURES)
        )

    def reconnect(self) -> None:
        """A new connection: whoever has the channel reestablishes it."""
        self._collect()
        self.connected = True
        self.ladder.append("  ===== connected")
        for side in self.sides:
            side.player = None
            if side.peer is not None:
                self.connect_one(side, fresh=False)

    def settle(self, limit: int = 200) -> None:
        """Deliver until both are silent."""
        for _ in range(limit):
            if not self.step_both():
                return
        raise AssertionError("the peers never stop talking")

    def run_until(self, delivered: int) -> bool:
        """Deliver, one of each side in turn, until so many were; False where all was said before."""
        while self.delivered < delivered:
            progress = False
            for side in self.sides:
                if self.delivered < delivered:
                    progress |= self.step(side)
            if not progress:
                return False
        return True

    # ---- what must hold -----------------------------------------------------------------------

    def check(self) -> None:
        """At any time: who gave its signatures knows how to get its money back, and nobody forgets what may confirm."""
        for side in self.sides:
            if side.gave:
                assert side.commitment is not None
                assert side.channel is not None
            other = self.other(side)
            if side.whole() is not None:
                assert other.channel is not None, "one could broadcast what the other forgot"
        whole = [s.whole() for s in self.sides]
        if whole[0] is not None and whole[1] is not None:
            assert whole[0] == whole[1]

    def check_end(self) -> str:
        """At rest and connected: both have it, or neither. What happened."""
        self.check()
        if all(s.channel is None for s in self.sides):
            return "forgotten"
        assert all(s.whole() is not None for s in self.sides), "stuck"
        for side in self.sides:
            assert side.peer is not None
            side.tell(cw.ChanneldFundingDepth(dbid=1, depth=1, short_channel_id=None))
        self.settle()
        for side in self.sides:
            assert side.peer is not None
            assert side.peer.channel.phase.value == "normal"
        return "open"
