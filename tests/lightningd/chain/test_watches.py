"""Which watches a block fires."""

from __future__ import annotations

from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.chain.block import Block, parse_block
from pylightningd.lightningd.chain.watches import Paid, Spent, TxSeen, WatchIndex
from tests.lightningd.chain.fake_chain import make_raw_block, make_tx


def block(*txs: object) -> Block:
    return parse_block(make_raw_block(bytes(32), 1, txs), 100)  # type: ignore[arg-type]


def test_order_in_a_transaction_and_several_watches_of_one_thing() -> None:
    index = WatchIndex()
    funding = make_tx(1)
    spend = make_tx(2, Outpoint(funding.txid(), 0), script=b"ours")
    first = index.watch_spend(Outpoint(funding.txid(), 0), lambda *_: None)
    second = index.watch_spend(Outpoint(funding.txid(), 0), lambda *_: None)
    paid = index.watch_script(b"ours", lambda *_: None)
    seen = index.watch_tx(spend.txid(), lambda _: None)
    fired = list(index.scan(block(make_tx(9), funding, spend)))
    assert fired == [
        Spent(first, spend, 0, 2),
        Spent(second, spend, 0, 2),
        Paid(paid, spend, 0, spend.outputs[0], 2),
        TxSeen(seen, spend, 2),
    ]


def test_cancelled_watches_do_not_fire_even_within_the_block() -> None:
    index = WatchIndex()
    tx = make_tx(1)
    first = index.watch_tx(tx.txid(), lambda _: None)
    second = index.watch_tx(tx.txid(), lambda _: None)
    fired = []
    for event in index.scan(block(tx)):
        fired.append(event.watch)
        second.cancel()
    assert fired == [first]
    first.cancel()
    first.cancel()
    assert list(index.scan(block(tx))) == []


def test_heights() -> None:
    index = WatchIndex()
    known = index.watch_tx(make_tx(1).txid(), lambda _: None, height=7)
    index.watch_tx(make_tx(2).txid(), lambda _: None)
    assert index.confirmed() == [known]
    assert index.at_height(7) == [known]
    assert index.at_height(8) == []


def test_who_has_heard_enough_is_left_in_peace() -> None:
    index = WatchIndex()
    always = index.watch_tx(Txid(bytes(32)), lambda _depth: None, height=100)
    three = index.watch_tx(Txid(b"\1" * 32), lambda _depth: None, height=100, enough=3)
    index.watch_tx(Txid(b"\2" * 32), lambda _depth: None, enough=3)
    told = {height: index.deepened(height) for height in range(100, 105)}
    assert told[100] == []
    assert told[101] == told[102] == [always, three]
    assert told[103] == told[104] == [always]
