"""Moves inside channels: payments in and out, forwards, what was pushed; and the end of a channel."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.db.indexes_io import Window
from pylightningd.lightningd.db.moves_io import ChannelMove
from tests.lightningd.channels.rig import Rig, send_part
from tests.lightningd.channels.test_parts import die, resolve

PREIMAGE = b"p" * 32
HASH = sha256(PREIMAGE).digest()


def channel_moves(rig: Rig) -> list[ChannelMove]:
    found: list[ChannelMove] = rig.node.moves.store.channel(Window())
    return found


def moved(rig: Rig, channel: Channel) -> int:
    """The sum of a channel's account."""
    account = channel.channel_id.hex()
    moves: list[Any] = [*channel_moves(rig), *rig.node.moves.store.chain(Window())]
    return sum(m.credit.msat - m.debit.msat for m in moves if m.account == account)


def live(htlc_id: int, *, ours: bool, amount: int, origin: int | None = None) -> LiveHtlc:
    return LiveHtlc(
        dbid=0,
        channel_dbid=1,
        id=htlc_id,
        offered_by_us=ours,
        state=HtlcState.SENT_ADD_COMMIT if ours else HtlcState.RCVD_ADD_COMMIT,
        amount=Msat(amount),
        payment_hash=HASH,
        cltv_expiry=500,
        onion=b"",
        path_key=None,
        preimage=PREIMAGE,
        origin_htlc=origin,
        received_time=1.0,
    )


def test_a_payment_of_ours(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.commit_offers(channel)
    resolve(rig, channel, 0, preimage=PREIMAGE)
    assert not channel_moves(rig)
    die(rig, channel, 0)
    (move,) = channel_moves(rig)
    assert (move.tag, move.debit, move.payment_hash) == ("invoice", Msat(5000), HASH)
    assert move.part is not None
    (told,) = [payload for topic, payload in rig.notes if topic == "coin_movement"]
    assert (told["type"], told["part_id"]) == ("channel_mvt", move.part[0])
    assert told["created_index"] == move.id == 1


def test_a_payment_that_fails_moves_nothing(rig: Rig) -> None:
    channel = rig.ready(1)
    send_part(rig, channel, HASH)
    rig.commit_offers(channel)
    resolve(rig, channel, 0, failure_onion=b"no")
    die(rig, channel, 0)
    assert not channel_moves(rig)


def test_forwards_and_payments_in(rig: Rig) -> None:
    first, second = rig.open_channel(1), rig.open_channel(2)
    store, moves = rig.node.channels.store, rig.node.moves
    came, went = live(0, ours=False, amount=1100), live(0, ours=True, amount=1000)
    went.channel_dbid = second.dbid
    bought = live(1, ours=False, amount=70)

    def settle() -> None:
        store.insert_htlc(came)
        went.origin_htlc = came.dbid
        for htlc in (went, bought):
            store.insert_htlc(htlc)
        for htlc in (came, went, bought):
            store.save_htlc_resolution(htlc)
        moves.htlc_paid(second, went)
        moves.htlc_paid(first, came)
        moves.htlc_paid(first, bought)

    rig.turn(settle)
    assert [(m.tag, m.credit, m.debit, m.fees) for m in channel_moves(rig)] == [
        ("routed", Msat(0), Msat(1000), Msat(100)),
        ("routed", Msat(1100), Msat(0), Msat(100)),
        ("invoice", Msat(70), Msat(0), Msat(0)),
    ]


def test_the_account_of_a_channel_begins_and_ends(rig: Rig) -> None:
    channel = rig.open_channel(1)
    ours = channel.static.we_are_opener
    channel.push = Msat(7_000)
    begin = channel.capacity.to_msat() if ours else Msat(0)
    channel.to_local = begin - channel.push if ours else channel.push
    channel.sent_channel_ready = channel.got_channel_ready = False
    close = Tx(
        2,
        (TxIn(channel.static.funding.txid, channel.static.funding.index),),
        (TxOut(Sat(600), b"\x51"),),
    )
    moves = rig.node.moves
    rig.turn(lambda: moves.channel_open(channel, with_push=True))
    rig.turn(lambda: moves.channel_open(channel, with_push=True))
    assert moved(rig, channel) == channel.to_local.msat
    rig.turn(lambda: moves.channel_closed(channel, close, 77))
    rig.turn(lambda: moves.channel_closed(channel, close, 77))
    assert moved(rig, channel) == 0
    opened, closed = moves.store.chain(Window())
    assert (opened.tags[0], closed.tags) == ("channel_open", ("channel_close",))
    assert (closed.output_count, closed.spending_txid) == (1, close.txid())
    assert opened.peer_id == channel.peer_id
