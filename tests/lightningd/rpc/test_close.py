"""close: each of its parameters, with a master without processes."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common import features as ft
from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.address import script_to_address
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.network import REGTEST
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import closingd_wire as clw
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.rpc.closing import close
from pylightningd.lightningd.rpc.params import feerate as feerate_param
from tests.lightningd.channels.conftest import rig
from tests.lightningd.channels.rig import Rig, peer_id

__all__ = ["rig"]

SCRIPT = sc.p2wpkh(b"\x02" * 33)
OTHER = Outpoint(Txid(b"o" * 32), 7)
TX = Tx(2, (TxIn(Txid(bytes(32)), 0),), (TxOut(Sat(9), SCRIPT),))


def begin(rig: Rig, channel: Channel, **params: Any) -> asyncio.Task[Any]:
    """Call it; it waits until the channel is closed."""
    values: dict[str, Any] = {
        "unilateraltimeout": None,
        "destination": None,
        "fee_negotiation_step": "50%",
        "wrong_funding": None,
        "force_lease_closed": False,
        "feerange": None,
    }
    call: Any = SimpleNamespace(message=lambda *_a: None)
    return rig.wait(close(rig.node, call, channel.channel_id.hex(), **values | params))


def refused(rig: Rig, channel: Channel, **params: Any) -> str:
    """Call it wrongly; what it says. Nothing of the channel has changed."""
    task = begin(rig, channel, **params)
    with pytest.raises(UserError) as error:
        task.result()
    assert channel.state is ChannelState.CHANNELD_NORMAL
    assert not rig.to_worker(cw.ChanneldShutdown)
    return str(error.value)


def started(rig: Rig, channel: Channel) -> clw.ClosingdStart:
    """What closingd is told once both have said shutdown."""
    rig.worker_says(cw.ChanneldShutdownComplete(dbid=1, route_id=channel.route_id or 0))
    (start,) = [
        m for m in rig.node.fleet.links["closingd"].sent if isinstance(m, clw.ClosingdStart)
    ]
    found: clw.ClosingdStart = start
    return found


def test_together(rig: Rig) -> None:
    channel = rig.ready(1)
    task = begin(rig, channel)
    assert channel.state is ChannelState.CHANNELD_SHUTTING_DOWN
    assert not task.done()
    rig.node.closing.resolve(channel, TX, "mutual")
    rig.spin()
    assert task.result()["type"] == "mutual"
    assert task.result()["txs"] == [TX.serialize().hex()]


@pytest.mark.parametrize(("asked", "seconds"), [(20, 20), (None, 48 * 3600)])
def test_alone_after_the_timeout(rig: Rig, asked: int | None, seconds: int) -> None:
    channel = rig.ready(1)
    task = begin(rig, channel, unilateraltimeout=asked)
    states = []
    for wait in (seconds - 1, 1):
        rig.later(wait)
        states.append(channel.state)
    assert states == [ChannelState.CHANNELD_SHUTTING_DOWN, ChannelState.AWAITING_UNILATERAL]
    assert channel.close_cause == "Forcibly closed by `close` command timeout"
    rig.node.closing.resolve(channel, TX, "unilateral")
    rig.spin()
    assert task.result()["type"] == "unilateral"
    steps = rig.node.channels.history.steps(1)
    assert [(s.who, s.event) for s in steps] == [("user", "shutdown"), ("user", "unilateral_close")]
    rig.forgive()  # there is no commitment to broadcast


def test_no_timeout(rig: Rig) -> None:
    channel = rig.ready(1)
    begin(rig, channel, unilateraltimeout=0)
    rig.later(10 * 48 * 3600)
    assert channel.state is ChannelState.CHANNELD_SHUTTING_DOWN


def test_the_timeout_ends_with_the_close(rig: Rig) -> None:
    channel = rig.ready(1)
    begin(rig, channel, unilateraltimeout=20)
    rig.node.closing.resolve(channel, TX, "mutual")
    rig.spin()
    rig.later(21)
    assert channel.state is ChannelState.CHANNELD_SHUTTING_DOWN


def test_destination(rig: Rig) -> None:
    channel = rig.ready(1)
    begin(rig, channel, destination=script_to_address(SCRIPT, REGTEST))
    (sent,) = rig.to_worker(cw.ChanneldShutdown)
    assert sent.script == SCRIPT
    # Once said it cannot be another: the peer has it already.
    task = begin(rig, channel, destination=script_to_address(sc.p2wpkh(b"\x03" * 33), REGTEST))
    with pytest.raises(UserError, match="does not match already-sent shutdown script"):
        task.result()
    again = begin(rig, channel, destination=script_to_address(SCRIPT, REGTEST))
    assert not again.done()
    assert started(rig, channel).local_script == SCRIPT


def test_destination_other_than_promised(rig: Rig) -> None:
    channel = rig.ready(1)
    channel.local_upfront_shutdown_script = sc.p2wpkh(b"\x03" * 33)
    why = refused(rig, channel, destination=script_to_address(SCRIPT, REGTEST))
    assert "opened with a promise" in why


@pytest.mark.parametrize(
    ("text", "step"), [("50%", (50, True)), ("1%", (1, True)), ("10", (10, False))]
)
def test_fee_negotiation_step(rig: Rig, text: str, step: tuple[int, bool]) -> None:
    channel = rig.ready(1)
    begin(rig, channel, fee_negotiation_step=text)
    start = started(rig, channel)
    assert (start.fee_negotiation_step, start.step_is_percent) == step


@pytest.mark.parametrize("text", ["0", "0%", "101%", "-1", "ten", ""])
def test_bad_fee_negotiation_step(rig: Rig, text: str) -> None:
    assert "fee_negotiation_step" in refused(rig, rig.ready(1), fee_negotiation_step=text)


def test_feerange(rig: Rig) -> None:
    channel = rig.ready(1)
    wanted = [feerate_param("feerange", text) for text in ("300perkw", "4000perkw")]
    begin(rig, channel, feerange=wanted)
    start = started(rig, channel)
    assert (start.feerate_min_perkw, start.feerate_max_perkw) == (300, 4000)
    assert 300 <= start.feerate_preferred_perkw <= 4000


def test_feerange_of_one(rig: Rig) -> None:
    one = [feerate_param("feerange", "300perkw")]
    assert "[min, max]" in refused(rig, rig.ready(1), feerange=one)


def agree(rig: Rig) -> None:
    """Both sides have the feature."""
    bits = ft.encode_features([ft.SHUTDOWN_WRONG_FUNDING | 1])
    rig.node.features["init"] = bits
    rig.node.peers.of(peer_id(1)).features = bits


def test_wrong_funding_needs_both_sides(rig: Rig) -> None:
    why = refused(rig, rig.ready(1), wrong_funding=OTHER)
    assert "wrong_funding feature not negotiated (we said no, they said no" in why


def test_wrong_funding(rig: Rig) -> None:
    channel = rig.ready(1)
    agree(rig)
    begin(rig, channel, wrong_funding=OTHER)
    kinds = [type(m) for m in rig.worker.sent[-2:]]
    assert kinds == [cw.ChanneldWrongFunding, cw.ChanneldShutdown]
    assert rig.to_worker(cw.ChanneldWrongFunding)[0].outpoint == OTHER
    assert started(rig, channel).wrong_funding == OTHER
    rig.restart()
    again = rig.node.channels.get(1)
    assert again.wrong_funding == OTHER
    rig.connect(1)
    assert rig.to_worker(cw.ChanneldWrongFunding)[0].outpoint == OTHER


def test_the_peer_names_a_wrong_funding(rig: Rig) -> None:
    channel = rig.ready(1)
    rig.worker_says(cw.ChanneldGotShutdown(dbid=1, script=SCRIPT, wrong_funding=OTHER))
    assert started(rig, channel).wrong_funding == OTHER


def spend_of_other(*witness: bytes) -> Tx:
    return Tx(2, (TxIn(OTHER.txid, OTHER.index, witness=witness),), (TxOut(Sat(9), SCRIPT),))


def test_only_a_close_of_the_wrong_funding_closes(rig: Rig) -> None:
    """The peer may name a coin of its own, and spend it as it likes."""
    channel = rig.ready(1)
    spent: list[Any] = []
    rig.node.onchain.funding_spent = lambda *args: spent.append(args)
    rig.node.onchain.store = SimpleNamespace(spend_of=lambda *_: None)
    watched: list[Any] = []
    rig.node.chain.watch_spend = lambda outpoint, then, **_: watched.append((outpoint, then))
    rig.worker_says(cw.ChanneldGotShutdown(dbid=1, script=SCRIPT, wrong_funding=OTHER))
    another = Outpoint(Txid(b"p" * 32), 7)
    rig.worker_says(cw.ChanneldGotShutdown(dbid=1, script=SCRIPT, wrong_funding=another))
    assert [outpoint for outpoint, _ in watched] == [OTHER]
    ((_, then),) = watched
    points = channel.static.local_basepoints, channel.static.remote_basepoints
    ours = sc.funding_script(*(p.funding_pubkey for p in points))
    rig.turn(lambda: then(spend_of_other(b"", b"sig", b"its own script"), 0, 110))
    assert not spent
    close_of_ours = spend_of_other(b"", b"sig", b"sig", ours)
    rig.turn(lambda: then(close_of_ours, 0, 111))
    assert spent == [(1, close_of_ours, 0, 111)]
    # Once the real output is spent nothing else is the close.
    real = Tx(2, (TxIn(channel.static.funding.txid, channel.static.funding.index),), ())
    rig.node.onchain.store = SimpleNamespace(spend_of=lambda *_: SimpleNamespace(tx=real))
    rig.turn(lambda: then(close_of_ours, 0, 112))
    assert len(spent) == 1


def test_wrong_funding_of_a_used_channel(rig: Rig) -> None:
    channel = rig.ready(1)
    agree(rig)
    channel.next_local_commitment = 2
    assert "used already" in refused(rig, channel, wrong_funding=OTHER)
