"""A joint opening in the master, from its row on: what may be forgotten, what is tied, what is sent, and when."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.script import p2wpkh
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.errors import BackendError, UserError
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import openingd_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.common_wire import JointFunding, JointInput, JointOutput
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.inflight import BadSignatures, Inflight
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.channels.unfunded import UNSIGNED_BLOCKS, Unfunded
from pylightningd.lightningd.control.joint_watch import FORGET_DEPTH, JointWatch
from pylightningd.lightningd.control.openingd import OpeningControl
from pylightningd.lightningd.rpc.dev_channels import dev_forget_channel
from pylightningd.lightningd.rpc.openchannel import openchannel_signed
from pylightningd.lightningd.rpc.wallet_params import GivenPsbt
from tests.lightningd.channels.rig import FakeIncoming, Rig, peer_disconnected

S = ChannelState
OURS = (TxIn(Txid(bytes(32)), 0, witness=(b"ours", b"key")).serialize_witness(),)
THEIRS = (TxIn(Txid(bytes(32)), 0, witness=(b"theirs",)).serialize_witness(),)


def coin(n: int) -> Tx:
    return Tx(
        2, (TxIn(Txid(bytes([n]) * 32), 0),), (TxOut(Sat(700_000), p2wpkh(bytes([2]) * 33)),), 0
    )


def joint(*, we_pay: bool = True, we_sign_first: bool = True) -> JointFunding:
    """Both have an input; or only the peer has."""
    inputs = [
        JointInput(serial_id=1, ours=False, prevtx=coin(1).serialize(), vout=0, sequence=0xFFFFFFFD)
    ]
    if we_pay:
        inputs.insert(
            0,
            JointInput(
                serial_id=0, ours=True, prevtx=coin(2).serialize(), vout=0, sequence=0xFFFFFFFD
            ),
        )
    output = JointOutput(
        serial_id=4, ours=True, amount=Sat(1_000_000), script=bytes([0, 32, *bytes(32)])
    )
    return JointFunding(
        locktime=7,
        feerate_perkw=1000,
        our_funding=Sat(400_000 if we_pay else 0),
        their_funding=Sat(600_000 if we_pay else 1_000_000),
        we_sign_first=we_sign_first,
        inputs=tuple(inputs),
        outputs=(output,),
    )


class Scene:
    """A rig with a channel in DUALOPEND_OPEN_COMMIT_READY."""

    def __init__(self, rig: Rig, **changes: Any) -> None:
        self.rig, node = rig, rig.node
        self.calls: list[tuple[str, Any]] = []
        self.spends: dict[Outpoint, Any] = {}
        self.depths: dict[Txid, Any] = {}
        node.config["require-confirmed-inputs"] = False
        node.opening = OpeningControl(node)
        node.dual = node.opening.dual
        node.joint_watch = JointWatch(node)
        node.wallet = SimpleNamespace(
            untie=lambda txid, *, unreserve: self.calls.append(("untie", unreserve)),
            record_sent=lambda tx, *, blocks: self.calls.append(("record", tx)),
            script_of=lambda _i: bytes(22),
        )
        node.chain.watch_spend = self._watch_spend
        node.chain.watch_tx = self._watch_tx
        node.chain.forget_broadcasts = lambda owner: None
        node.chain.broadcast = self._broadcast
        inflight = Inflight(funding=joint(**changes), wallet_signs=False)
        self.channel: Channel = rig.open_channel(
            1,
            state=S.DUALOPEND_OPEN_COMMIT_READY,
            inflight=inflight,
            our_funding=Sat(400_000),
            short_channel_id=None,
        )
        rig.connect(1)
        rig.turn(lambda: node.joint_watch.watch(self.channel))

    def _watch_spend(self, outpoint: Outpoint, callback: Any, **_more: Any) -> Any:
        self.spends[outpoint] = callback
        return SimpleNamespace(cancel=lambda: self.spends.pop(outpoint, None))

    def _watch_tx(self, txid: Txid, callback: Any, **_more: Any) -> Any:
        self.depths[txid] = callback
        return SimpleNamespace(cancel=lambda: self.depths.pop(txid, None))

    async def _broadcast(self, tx: Tx, **_more: Any) -> tuple[bool, str]:
        self.calls.append(("broadcast", tx))
        return True, ""

    def first_commitsig(self) -> FakeIncoming:
        msg = cw.ChanneldGotFirstCommitsig(
            dbid=self.channel.dbid, tx=self.channel.last_tx, signature=bytes(range(64))
        )
        return self.rig.worker_says(msg)[0]

    def their_signatures(self) -> FakeIncoming:
        msg = cw.ChanneldGotTxSignatures(dbid=self.channel.dbid, witnesses=THEIRS)
        return self.rig.worker_says(msg)[0]

    def stored(self) -> Channel:
        channel: Channel = self.rig.node.channels.store.load(self.channel.dbid)
        return channel

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def scene(rig: Rig) -> Scene:
    return Scene(rig)


def test_the_row_comes_back(scene: Scene) -> None:
    stored = scene.stored()
    assert stored.inflight == scene.channel.inflight
    assert (stored.our_funding, stored.our_funds) == (Sat(400_000), Sat(400_000))
    given = scene.rig.to_worker(cw.ChanneldJointFunding)
    assert [(g.got_commitment, g.signed, g.got_signatures) for g in given] == [
        (False, False, False)
    ]


def test_signatures_come_in_the_safe_order(scene: Scene) -> None:
    rig, channel = scene.rig, scene.channel
    with pytest.raises(ValueError, match="before the peer's commitment_signed"):
        rig.turn(lambda: rig.node.dual.signed(channel, OURS))
    assert channel.inflight is not None and not channel.inflight.is_signed
    assert scene.first_commitsig().replies == [cw.ChanneldGotFirstCommitsigReply()]
    assert channel.state is S.DUALOPEND_OPEN_COMMITTED
    assert scene.stored().last_sig == bytes(range(64))
    rig.failed_tasks.clear()  # there is no plugin that signs
    rig.turn(lambda: rig.node.dual.signed(channel, OURS))
    assert [m.witnesses for m in rig.to_worker(cw.ChanneldFundingSigned)] == [OURS]
    assert scene.names() == []
    assert scene.their_signatures().replies == [cw.ChanneldGotTxSignaturesReply()]
    assert scene.names() == ["record", "broadcast"]
    whole: Tx = scene.calls[-1][1]
    assert [i.witness for i in whole.inputs] == [(b"ours", b"key"), (b"theirs",)]
    assert scene.stored().state is S.DUALOPEND_AWAITING_LOCKIN
    assert "openchannel_peer_sigs" in [topic for topic, _ in rig.notes]


def test_theirs_may_come_first(scene: Scene) -> None:
    scene.first_commitsig()
    scene.rig.failed_tasks.clear()
    scene.their_signatures()
    assert scene.names() == []
    scene.rig.turn(lambda: scene.rig.node.dual.signed(scene.channel, OURS))
    assert scene.names() == ["record", "broadcast"]


def test_a_restart_goes_on(scene: Scene) -> None:
    scene.first_commitsig()
    scene.rig.failed_tasks.clear()
    scene.rig.turn(lambda: scene.rig.node.dual.signed(scene.channel, OURS))
    scene.rig.forgive()
    scene.rig.restart()
    again = scene.rig.node.channels.get(scene.channel.dbid)
    assert again is not None and again.inflight is not None
    assert again.inflight.is_signed and not again.inflight.is_whole


def test_what_we_have_not_signed_is_forgotten(scene: Scene) -> None:
    """An error of the peer, or an abort of ours: no commitment is sent, the coins are free, the peer hears of it."""
    rig, channel = scene.rig, scene.channel
    scene.first_commitsig()
    rig.failed_tasks.clear()
    rig.turn(lambda: rig.node.dual.abort(channel, Cause.USER, "no"))
    assert scene.names() == ["untie"]
    assert rig.node.channels.get(channel.dbid) is None
    assert rig.node.onchain.commitments == []
    assert scene.spends == {}
    sent = [pw.decode(m.msg) for m in rig.to_connectd(nw.ConnectdSendMsg)]
    assert [m for m in sent if isinstance(m, pw.TxAbort)] == [
        pw.TxAbort(channel_id=channel.channel_id, data=b"no")
    ]
    assert ("channel_open_failed", {"channel_id": channel.channel_id.hex()}) in rig.notes
    assert rig.node.channels.store.load(channel.dbid).inflight is None


def test_an_error_before_we_sign_closes_nothing(scene: Scene) -> None:
    rig, channel = scene.rig, scene.channel
    events = rig.node.channel_events
    rig.turn(lambda: events.permanent_failure(channel, Cause.REMOTE, "they sent an error"))
    assert rig.node.channels.get(channel.dbid) is None
    assert rig.node.onchain.commitments == []


def test_what_we_have_signed_is_remembered(scene: Scene) -> None:
    rig, channel = scene.rig, scene.channel
    scene.first_commitsig()
    rig.failed_tasks.clear()
    rig.turn(lambda: rig.node.dual.signed(channel, OURS))
    rig.turn(lambda: rig.node.dual.abort(channel, Cause.USER, "no"))
    given_up = cw.ChanneldFailed(dbid=channel.dbid, kind=6, reason="tx_abort", remote_point=None)
    rig.worker_says(given_up)
    assert scene.names() == []
    # The worker that gave up is of no more use: it gets the channel anew, with our signatures.
    (again,) = rig.node.channels
    assert again.dbid == channel.dbid
    assert len(rig.to_worker(cw.ChanneldForget)) == 1
    rig.connectd_says(peer_disconnected(1, 1))
    rig.connect(1, connection=2)
    assert rig.to_worker(cw.ChanneldJointFunding)[-1].signed


@pytest.mark.parametrize("how", ["abort", "tx_abort", "error"])
def test_signatures_that_wait_for_theirs_may_be_forgotten(rig: Rig, how: str) -> None:
    """We put in more, so the peer signs first; instead it gives up when we have signed, too."""
    scene = Scene(rig, we_sign_first=False)
    channel, node = scene.channel, rig.node
    scene.first_commitsig()
    rig.failed_tasks.clear()
    rig.turn(lambda: node.dual.signed(channel, OURS))
    if how == "abort":
        rig.turn(lambda: node.dual.abort(channel, Cause.USER, "no"))
    elif how == "tx_abort":
        rig.worker_says(
            cw.ChanneldFailed(dbid=channel.dbid, kind=6, reason="no", remote_point=None)
        )
    else:
        events = node.channel_events
        rig.turn(lambda: events.permanent_failure(channel, Cause.REMOTE, "an error"))
    assert node.channels.get(channel.dbid) is None
    assert scene.names() == ["untie"]
    # What the worker still says of it comes to nothing.
    assert scene.their_signatures().replies == []
    assert scene.names() == ["untie"]


def test_signatures_that_the_peer_may_have_are_remembered(rig: Rig) -> None:
    scene = Scene(rig, we_sign_first=False)
    scene.first_commitsig()
    scene.rig.failed_tasks.clear()
    scene.their_signatures()
    assert rig.node.dual.may_forget(scene.channel)
    rig.turn(lambda: rig.node.dual.signed(scene.channel, OURS))
    assert not rig.node.dual.may_forget(scene.channel)


def test_openchannel_signed_of_an_opening_that_ends_in_the_same_moment(scene: Scene) -> None:
    rig, channel, node = scene.rig, scene.channel, scene.rig.node
    scene.first_commitsig()
    rig.failed_tasks.clear()
    inflight = channel.inflight
    assert inflight is not None
    inflight.ours = OURS
    signed = GivenPsbt(inflight.psbt(), 0)
    inflight.ours = None
    asked = rig.loop.create_task(openchannel_signed(node, channel.channel_id, signed))
    node.turn.submit(lambda: node.dual.abort(channel, Cause.USER, "no"))
    rig.spin()
    with pytest.raises(UserError, match="given up"):
        asked.result()


def test_another_spend_ends_it_when_it_is_deep(scene: Scene) -> None:
    rig, channel = scene.rig, scene.channel
    scene.first_commitsig()
    rig.failed_tasks.clear()
    rig.turn(lambda: rig.node.dual.signed(channel, OURS))
    theirs = Outpoint(coin(1).txid(), 0)
    other = Tx(2, (TxIn(theirs.txid, 0),), (), 0)
    rig.turn(lambda: scene.spends[theirs](other, 0, 1001))
    rig.turn(lambda: scene.depths[other.txid()](FORGET_DEPTH - 1))
    assert rig.node.channels.get(channel.dbid) is channel
    rig.turn(lambda: scene.depths[other.txid()](FORGET_DEPTH))
    assert rig.node.channels.get(channel.dbid) is None
    assert scene.names() == ["untie"]


def test_without_inputs_we_sign_at_once(rig: Rig) -> None:
    scene = Scene(rig, we_pay=False)
    scene.first_commitsig()
    assert [m.witnesses for m in rig.to_worker(cw.ChanneldFundingSigned)] == [()]
    scene.their_signatures()
    # Nothing of it is ours: the wallet has no part in it, but it is sent all the same.
    assert scene.names() == ["broadcast"]


def test_lockin_ends_the_interest(scene: Scene) -> None:
    rig, channel = scene.rig, scene.channel
    scene.first_commitsig()
    rig.failed_tasks.clear()
    rig.turn(lambda: rig.node.dual.signed(channel, OURS))
    scene.their_signatures()
    rig.turn(lambda: rig.node.dual.locked_in(channel))
    assert channel.inflight is None and scene.spends == {}
    assert scene.stored().inflight is None


def test_lockin_without_confirmations_keeps_the_watch(scene: Scene) -> None:
    rig, channel, node = scene.rig, scene.channel, scene.rig.node
    scene.first_commitsig()
    rig.failed_tasks.clear()
    rig.turn(lambda: node.dual.signed(channel, OURS))
    scene.their_signatures()
    channel.depth = 0
    channel.sent_channel_ready = False
    channel.got_channel_ready = True
    rig.worker_says(cw.ChanneldSendingChannelReady(dbid=channel.dbid))
    assert channel.state is S.CHANNELD_NORMAL
    assert len(scene.spends) == 2
    assert scene.stored().inflight == channel.inflight
    node.channel_events._funding[channel.dbid] = SimpleNamespace(height=1001, tx_index=1)
    rig.turn(lambda: node.channel_events._depth(channel.dbid, 1))
    assert channel.inflight is None and scene.spends == {}
    assert scene.stored().inflight is None


@pytest.mark.parametrize("we_are_opener", [False, True])
def test_coins_do_not_wait_for_ever_for_a_peer_that_opens(
    scene: Scene, we_are_opener: bool
) -> None:
    rig, channel, node = scene.rig, scene.channel, scene.rig.node
    channel.static = replace(channel.static, we_are_opener=we_are_opener)
    node.settings.max_funding_unconfirmed = 2016
    unfunded = Unfunded(node)
    rig.turn(lambda: unfunded.on_block(channel.first_block + UNSIGNED_BLOCKS - 1))
    assert scene.names() == []
    rig.turn(lambda: unfunded.on_block(channel.first_block + UNSIGNED_BLOCKS))
    assert scene.names() == ([] if we_are_opener else ["untie"])


def test_what_the_peer_may_have_is_waited_for(scene: Scene) -> None:
    rig, channel, node = scene.rig, scene.channel, scene.rig.node
    channel.static = replace(channel.static, we_are_opener=False)
    node.settings.max_funding_unconfirmed = 2016
    scene.first_commitsig()
    rig.failed_tasks.clear()
    rig.turn(lambda: node.dual.signed(channel, OURS))
    rig.turn(lambda: Unfunded(node).on_block(channel.first_block + 100))
    assert scene.names() == []


def test_dev_forget_channel_frees_the_coins(scene: Scene) -> None:
    rig, channel, node = scene.rig, scene.channel, scene.rig.node

    async def unspent(_outpoint: Outpoint) -> None:
        return None

    node.chain.backend = SimpleNamespace(unspent=unspent)
    asked = rig.wait(dev_forget_channel(node, channel.peer_id, None, None, False))
    assert not asked.result()["funding_unspent"]
    assert scene.names() == ["untie"] and scene.spends == {}
    assert node.channels.get(channel.dbid) is None
    assert node.channels.store.load(channel.dbid).inflight is None


@pytest.mark.parametrize(
    ("we_pay", "answer", "refused"),
    [
        (True, "unspent", False),
        (True, "missing", True),
        (True, "away", False),
        # No coins of ours: nothing waits for it.
        (False, "missing", False),
    ],
)
def test_the_peers_inputs_must_exist(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, we_pay: bool, answer: str, refused: bool
) -> None:
    scene = Scene(rig)
    asked: list[Outpoint] = []
    done: list[Any] = []

    async def unspent(outpoint: Outpoint) -> TxOut | None:
        asked.append(outpoint)
        if answer == "away":
            raise BackendError("away")
        return TxOut(Sat(700_000), bytes(22)) if answer == "unspent" else None

    rig.node.chain.backend = SimpleNamespace(unspent=unspent)
    dual = rig.node.dual
    monkeypatch.setattr(dual, "_on_constructed", lambda msg, _incoming: done.append(msg))
    msg = ow.OpeningdConstructed(
        channel=scene.channel.static,
        announce=False,
        minimum_depth=1,
        feerate_perkw=1000,
        remote_first_per_commitment_point=bytes([2]) * 33,
        local_upfront_shutdown_script=b"",
        remote_upfront_shutdown_script=b"",
        tx=b"",
        funding=joint(we_pay=we_pay),
    )
    incoming = FakeIncoming(rig.worker, msg, 1)
    rig.turn(lambda: dual.handle(incoming))
    rig.spin()
    assert asked == ([Outpoint(coin(1).txid(), 0)] if we_pay else [])
    assert bool(done) is not refused
    assert bool(incoming.replies) is refused


def test_a_psbt_must_be_of_this_transaction_and_finished() -> None:
    inflight = Inflight(funding=joint(), wallet_signs=False)
    with pytest.raises(BadSignatures, match="not finalized"):
        inflight.our_witnesses(inflight.psbt())
    other = Inflight(funding=joint(we_pay=False), wallet_signs=False)
    with pytest.raises(BadSignatures, match="another transaction"):
        inflight.our_witnesses(other.psbt())
    inflight.ours = OURS
    assert inflight.our_witnesses(inflight.psbt()) == OURS


def test_a_close_waits_for_the_signatures(scene: Scene) -> None:
    rig = scene.rig
    with pytest.raises(UserError, match="lacks signatures"):
        rig.turn(lambda: rig.node.closing.begin(scene.channel, None))
    assert scene.channel.to_local + scene.channel.to_remote >= Msat(0)
