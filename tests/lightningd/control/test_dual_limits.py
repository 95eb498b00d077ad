"""What a peer's joint openings may cost us: how many at a time, and how often their transactions are read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.ids import ChannelId
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.peer_wire import OpenChannel2, OpeningTlvs
from pylightningd.lightningd.channels import inflight as inflight_module
from pylightningd.lightningd.channels.inflight import Inflight
from pylightningd.lightningd.control.opening import Opening
from tests.lightningd.channels.rig import Rig
from tests.lightningd.channels.rig_fakes import key
from tests.lightningd.control.test_dualopend import OURS, THEIRS, Scene, joint


@pytest.fixture
def scene(rig: Rig) -> Scene:
    return Scene(rig)


def open_channel2(number: int) -> bytes:
    return OpenChannel2(
        chain_hash=bytes(32),
        temporary_channel_id=ChannelId(bytes([number]) * 32),
        funding_feerate_perkw=1000,
        commitment_feerate_perkw=1000,
        funding_satoshis=Sat(100_000),
        dust_limit_satoshis=Sat(546),
        max_htlc_value_in_flight_msat=0,
        htlc_minimum_msat=0,
        to_self_delay=6,
        max_accepted_htlcs=10,
        locktime=number,
        funding_pubkey=key(1),
        revocation_basepoint=key(1),
        payment_basepoint=key(1),
        delayed_payment_basepoint=key(1),
        htlc_basepoint=key(1),
        first_per_commitment_point=key(1),
        second_per_commitment_point=key(1),
        channel_flags=0,
        tlvs=OpeningTlvs(),
    ).encode()


def test_four_at_a_time_are_answered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that waits for its lock-in counts, and so do those that came in one burst; what we open does not."""
    rig, channel = scene.rig, scene.channel
    node, dual = rig.node, rig.node.dual
    peer = node.peers.of(channel.peer_id)
    answered: list[int] = []

    async def prepare(_peer: Any, *, we_are_opener: bool) -> tuple[Opening, Any, bytes]:
        opening = Opening(
            dbid=100 + len(node.opening.openings),
            peer_id=peer.id,
            connection=1,
            we_are_opener=we_are_opener,
            final_key_index=0,
            close_to=None,
        )
        node.opening.openings[opening.dbid] = opening
        return opening, None, b""

    async def ask(_msg: Any) -> Any:
        return SimpleNamespace(point=key(1))

    async def answer(_peer: Any, opening: Any, *_more: Any) -> None:
        answered.append(opening.locktime)

    monkeypatch.setattr(node.opening, "prepare", prepare)
    monkeypatch.setattr(node.hsm, "ask", ask)
    monkeypatch.setattr(dual, "_answer", answer)

    def ask_for(*numbers: int) -> None:
        for number in numbers:
            dual.on_open_channel2(peer, open_channel2(number))
        rig.spin()

    assert channel.static.we_are_opener
    ask_for(1)
    channel.static = replace(channel.static, we_are_opener=False)
    ask_for(2, 3, 4, 5)
    assert answered == [1, 2, 3]
    assert len(node.opening.openings) == 3
    sent = [pw.decode(m.msg) for m in rig.to_connectd(nw.ConnectdSendMsg)]
    refusals = [m for m in sent if isinstance(m, pw.Error)]
    assert [m.channel_id for m in refusals] == [bytes([n]) * 32 for n in (4, 5)]
    assert all(b"wait until one is locked in" in m.data for m in refusals)
    channel.inflight = None
    ask_for(6)
    assert answered == [1, 2, 3, 6]


def test_what_the_inputs_spend_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = inflight_module.outpoint_of

    def counted(entry: Any) -> Any:
        read.append(entry.serial_id)
        return real(entry)

    monkeypatch.setattr(inflight_module, "outpoint_of", counted)
    inflight = Inflight(funding=joint(), wallet_signs=False)
    unsigned = inflight.tx()
    inflight.ours = OURS
    assert inflight.outpoints(ours=True) + inflight.outpoints(ours=False) == [
        i.outpoint for i in unsigned.inputs
    ]
    assert inflight.tx().txid() == unsigned.txid()
    assert sorted(read) == [0, 1]


def test_the_psbt_is_written_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Inflight] = []
    real = Inflight.psbt

    def counted(self: Inflight) -> Any:
        made.append(self)
        return real(self)

    scene.first_commitsig()
    scene.rig.failed_tasks.clear()
    rows = "SELECT funding_psbt FROM channel_funding_inflights"
    before = scene.rig.database.connection.execute_sql(rows).fetchall()
    monkeypatch.setattr(Inflight, "psbt", counted)
    inflight = scene.channel.inflight
    assert inflight is not None
    inflight.ours, inflight.theirs = OURS, THEIRS
    scene.rig.turn(lambda: scene.rig.node.channels.store.save_inflight(scene.channel))
    assert made == []
    assert scene.rig.database.connection.execute_sql(rows).fetchall() == before
    assert scene.stored().inflight == inflight
