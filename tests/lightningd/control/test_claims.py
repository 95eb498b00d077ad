"""Claims from plan to network: signed by hsmd's core, sent, bumped towards their deadline, taken up after a restart."""

from __future__ import annotations

from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import peewee
import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Txid
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.control.bump_wish import Wish
from pylightningd.lightningd.control.claims import Claims
from pylightningd.lightningd.db import models
from pylightningd.lightningd.db.onchain_io import OnchainStore
from tests.onchaind.rig import HEIGHT, SWEEP, Rig, htlc

RIG = Rig(anchors=True, htlcs=(htlc(1, ours=True),))
REVOKED = RIG.commitment(Side.REMOTE, 2)
PENALTIES = tuple(RIG.resolve(REVOKED.tx).claims)
CHANNEL: Any = SimpleNamespace(dbid=1, peer_id=b"\x02" * 33)


class FakeNode:
    """The parts of the node that claims use; everything happens at once."""

    def __init__(self, store: OnchainStore) -> None:
        self.sent: list[Tx] = []
        self.dropped: list[Txid] = []
        self.tasks: list[Coroutine[Any, Any, None]] = []
        self.rate = 1000
        self.refuse = ""
        self.lines: list[str] = []
        self.turn = SimpleNamespace(do=self._do, after_commit=lambda effect: effect())
        self.hsm = SimpleNamespace(ask=self._ask)
        self.chain = SimpleNamespace(
            height=HEIGHT,
            feerates=SimpleNamespace(for_deadline=lambda _d, _h: self.rate, floor_perkw=253),
            broadcast=self._broadcast,
            broadcasts=SimpleNamespace(drop=self.dropped.append),
        )
        self.wallet = SimpleNamespace(
            next_index=lambda: 5,
            script_of=lambda _index: SWEEP,
            store=SimpleNamespace(get=lambda _outpoint: None),
        )
        self.claims = Claims(self, store)  # type: ignore[arg-type]

    async def _do(self, fn: Any) -> Any:
        return fn()

    async def _ask(self, request: Any) -> Any:
        return RIG.hsm.handle(0, request)

    async def _broadcast(self, tx: Tx, **_how: Any) -> tuple[bool, str]:
        self.sent.append(tx)
        return not self.refuse, self.refuse

    def spawn(self, coro: Coroutine[Any, Any, None], _name: str) -> None:
        self.tasks.append(coro)

    def log(self, _level: str, text: str, **_fields: Any) -> None:
        self.lines.append(text)

    def run(self) -> None:
        """Finish every task: nothing in them really waits."""
        while self.tasks:
            finish(self.tasks.pop(0))

    def block(self, height: int) -> None:
        self.chain.height = height
        self.claims.on_block(height)
        self.run()


def finish(coro: Coroutine[Any, Any, Any]) -> Any:
    try:
        coro.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


@pytest.fixture
def store() -> OnchainStore:
    database = peewee.SqliteDatabase(":memory:")
    models.bind(database)
    database.create_tables(models.all_tables())
    return OnchainStore(database)


def fee(tx: Tx, claim: Claim) -> Sat:
    return claim.amount - tx.outputs[0].amount


def test_each_claim_is_sent_once(store: OnchainStore) -> None:
    node = FakeNode(store)
    node.claims.take(CHANNEL, PENALTIES)
    node.claims.take(CHANNEL, PENALTIES)
    node.run()
    assert {t.inputs[0].outpoint for t in node.sent} == {c.outpoint for c in PENALTIES}
    assert len(node.sent) == len(PENALTIES)
    assert all(t.outputs[0].script == SWEEP for t in node.sent)


def test_a_claim_pays_more_as_its_deadline_comes(store: OnchainStore) -> None:
    node, claim = FakeNode(store), PENALTIES[0]
    node.claims.take(CHANNEL, (claim,))
    node.run()
    for height in range(HEIGHT + 1, claim.deadline):
        node.block(height)
    fees = [fee(t, claim).sat for t in node.sent]
    assert len(fees) == claim.deadline - HEIGHT
    assert fees == sorted(set(fees))
    assert [t.txid() for t in node.sent[:-1]] == node.dropped


def test_one_that_is_taken_is_left_alone(store: OnchainStore) -> None:
    node, claim = FakeNode(store), PENALTIES[0]
    node.claims.take(CHANNEL, (claim,))
    node.run()
    node.claims.drop(1, claim.outpoint)
    node.block(claim.deadline - 1)
    assert len(node.sent) == 1
    assert node.dropped == [node.sent[0].txid()]


def test_a_restart_sends_the_same_transaction(store: OnchainStore) -> None:
    first, again = FakeNode(store), FakeNode(store)
    for node in (first, again):
        node.claims.take(CHANNEL, PENALTIES[:1])
        node.run()
    assert first.sent == again.sent


def test_bump(store: OnchainStore) -> None:
    node, claim = FakeNode(store), PENALTIES[0]
    node.claims.take(CHANNEL, (claim,))
    node.run()
    txid = node.sent[0].txid()
    assert finish(node.claims.bump(Txid(bytes(32)), Wish(feerate_perkw=1))) is None
    dry = finish(node.claims.bump(txid, Wish(feerate_perkw=5000, dry_run=True)))
    assert len(node.sent) == 1
    with pytest.raises(UserError, match="budget"):
        finish(node.claims.bump(txid, Wish(feerate_perkw=5000, budget=dry.extra - Sat(1))))
    done = finish(node.claims.bump(txid, Wish(feerate_perkw=5000, budget=dry.extra)))
    assert node.sent[1] == done.tx
    assert fee(done.tx, claim) == dry.fee == done.fee
    node.refuse = "insufficient fee"
    with pytest.raises(UserError, match="insufficient fee"):
        finish(node.claims.bump(done.tx.txid(), Wish(feerate_perkw=9000)))
