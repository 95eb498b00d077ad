"""Claims from plan to network: signed by hsmd's core, sent, bumped towards their deadline, taken up after a restart."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.control.bump_wish import Wish
from pylightningd.lightningd.control.claim_groups import PENALTY_PERCENT
from pylightningd.lightningd.db.onchain_io import OnchainStore, Spend
from tests.lightningd.control.claims_rig import CHANNEL, FakeNode, finish, open_store
from tests.lightningd.control.fake_wallet import FakeWallet, coin, elsewhere
from tests.onchaind.rig import COIN, HEIGHT, SWEEP, Rig, htlc
from tests.onchaind.script_check import check_spend

RIG = Rig(anchors=True, htlcs=(htlc(1, ours=True),))
REVOKED = RIG.commitment(Side.REMOTE, 2)
PENALTIES = tuple(RIG.resolve(REVOKED.tx).claims)


@pytest.fixture
def store() -> OnchainStore:
    return open_store()


def fee(tx: Tx, *claims: Claim) -> Sat:
    return Sat(sum(c.amount.sat for c in claims)) - tx.outputs[0].amount


def spends(tx: Tx) -> set[Outpoint]:
    return {txin.outpoint for txin in tx.inputs}


ALL = {c.outpoint for c in PENALTIES}


def test_claims_that_come_together_share_a_transaction_and_are_sent_once(
    store: OnchainStore,
) -> None:
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, PENALTIES)
    node.claims.take(CHANNEL, PENALTIES)
    node.run()
    (tx,) = node.sent
    assert spends(tx) == ALL
    assert len(tx.outputs) == 1
    assert tx.outputs[0].script == SWEEP
    for n, txin in enumerate(tx.inputs):
        output = REVOKED.tx.outputs[txin.index]
        check_spend(tx, n, output.script, output.amount)


def test_what_may_not_be_mined_yet_waits(store: OnchainStore) -> None:
    node = FakeNode(store, RIG)
    late = replace(PENALTIES[0], first_block=HEIGHT + 3)
    node.claims.take(CHANNEL, (late, PENALTIES[1]))
    node.run()
    assert [spends(t) for t in node.sent] == [{PENALTIES[1].outpoint}]
    node.rate = 1
    node.block(HEIGHT + 2)
    assert spends(node.sent[-1]) == {late.outpoint}


DELAYED = replace(
    PENALTIES[0], kind="OUR_DELAYED_RETURN_TO_WALLET", deadline=0, first_block=HEIGHT + 5
)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("rate", [300, 1000, 4000])
def test_what_was_made_early_is_sent_with_the_feerate_of_the_day(
    store: OnchainStore, rate: int, restart: bool
) -> None:
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, (DELAYED,))
    node.run()
    assert not node.sent
    (early,) = node.held_back
    if restart:
        node = FakeNode(store, RIG)
        node.claims.take(CHANNEL, (DELAYED,))
        node.run()
        assert list(node.held_back) == [early]
    node.rate = rate
    node.block(HEIGHT + 3)
    assert list(node.held_back) == [early]
    node.block(HEIGHT + 4)
    node.repeat()
    (tx,) = node.sent
    assert (tx.txid() == early) == (rate == 1000)
    assert 0 <= fee(tx, DELAYED).sat - rate * tx.weight() // 1000 <= 5
    node.block(HEIGHT + 5)
    assert len(node.sent) == 1
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, (DELAYED,))
    node.chain.height = HEIGHT + 5
    node.run()
    assert node.sent == [tx]


def test_what_was_made_early_and_is_refused_for_its_fee_pays_more(store: OnchainStore) -> None:
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, (DELAYED,))
    node.run()
    node.refuse = "mempool min fee not met"
    node.block(HEIGHT + 4)
    node.repeat()
    assert len(node.sent) == 1
    node.refuse = ""
    node.block(HEIGHT + 5)
    assert fee(node.sent[1], DELAYED) > fee(node.sent[0], DELAYED)
    node.block(HEIGHT + 6)
    assert len(node.sent) == 2


def test_a_user_may_choose_the_fee_before_it_may_be_sent(store: OnchainStore) -> None:
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, (DELAYED,))
    node.run()
    (early,) = node.held_back
    done = finish(node.claims.bump(early, Wish(feerate_perkw=5000)))
    node.block(HEIGHT + 4)
    node.repeat()
    assert node.sent == [done.tx]


def test_a_claim_pays_more_as_its_deadline_comes_but_not_all(store: OnchainStore) -> None:
    node, claim = FakeNode(store, RIG), PENALTIES[0]
    node.claims.take(CHANNEL, (claim,))
    node.run()
    for height in range(HEIGHT + 1, claim.deadline):
        node.block(height)
    fees = [fee(t, claim).sat for t in node.sent]
    assert len(fees) == claim.deadline - HEIGHT
    assert fees == sorted(set(fees))
    assert [t.txid() for t in node.sent[:-1]] == node.dropped
    node.rate = 10_000_000
    node.block(claim.deadline)
    assert fee(node.sent[-1], claim).sat == claim.amount.sat * PENALTY_PERCENT // 100


def test_a_claim_that_pays_too_little_for_the_mempool_pays_more_at_once(
    store: OnchainStore,
) -> None:
    """The backend's floor may have risen since we asked for it: without a deadline nothing else would raise the fee."""
    node, claim = FakeNode(store, RIG), replace(PENALTIES[0], deadline=0)
    node.refuse = "error code: -26\nerror message:\nmempool min fee not met, 814 < 819"
    node.claims.take(CHANNEL, (claim,))
    node.run()
    fees = [fee(t, claim).sat for t in node.sent]
    assert len(fees) == 3
    assert all(b > a * 12 // 10 for a, b in itertools.pairwise(fees))
    node.refuse = ""
    node.block(HEIGHT + 1)
    assert len(node.sent) == 4
    assert fee(node.sent[-1], claim).sat > fees[-1]
    node.block(HEIGHT + 2)
    assert len(node.sent) == 4


def test_another_refusal_is_no_reason_to_pay_more(store: OnchainStore) -> None:
    node, claim = FakeNode(store, RIG), replace(PENALTIES[0], deadline=0)
    node.refuse = "non-BIP68-final"
    node.claims.take(CHANNEL, (claim,))
    node.run()
    node.block(HEIGHT + 1)
    assert len(node.sent) == 1


def test_before_the_deadline_what_the_peer_could_hold_up_is_cut_apart(store: OnchainStore) -> None:
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, PENALTIES)
    node.run()
    whole = node.sent[0]
    node.block(PENALTIES[0].deadline - 3)
    first, second = node.sent[1:]
    assert spends(first) | spends(second) == ALL
    assert not spends(first) & spends(second)
    # BIP 125, rule 3: the first replaces the whole, so it alone pays more than that did.
    by_outpoint = {c.outpoint: c for c in PENALTIES}
    alone = fee(first, *(by_outpoint[o] for o in spends(first)))
    assert alone > fee(whole, *PENALTIES)
    assert any("Splitting the claim" in line for line in node.lines)


@pytest.mark.parametrize("restart", [False, True])
def test_a_part_whose_whole_is_dead_need_not_outbid_it(store: OnchainStore, restart: bool) -> None:
    node = FakeNode(store, RIG)
    node.rate = 10_000_000
    node.claims.take(CHANNEL, PENALTIES)
    node.run()
    node.block(PENALTIES[0].deadline - 3)
    large, small = sorted(PENALTIES, key=lambda c: -c.amount.sat)
    # The whole pays more than the larger part alone may.
    assert [spends(t) for t in node.sent] == [ALL, {small.outpoint}]
    if restart:
        taken = elsewhere(replace(COIN, outpoint=small.outpoint))
        store.put_spend(1, Spend(small.outpoint, taken, node.chain.height))
        node = FakeNode(store, RIG)
        node.claims.take(CHANNEL, (large,))
        node.run()
    else:
        node.claims.drop(1, small.outpoint)
        node.run()
    assert spends(node.sent[-1]) == {large.outpoint}
    assert any("Broadcast for onchaind" in line for line in node.lines)


def test_a_transaction_is_made_anew_without_the_part_that_somebody_took(
    store: OnchainStore,
) -> None:
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, PENALTIES)
    node.run()
    node.claims.drop(1, PENALTIES[0].outpoint)
    node.run()
    assert spends(node.sent[1]) == {PENALTIES[1].outpoint}
    assert node.dropped == [node.sent[0].txid()]
    # The next restart knows the new one only.
    again = FakeNode(store, RIG)
    again.claims.take(CHANNEL, PENALTIES[1:])
    again.run()
    assert again.sent == [node.sent[1]]


def test_one_that_is_taken_is_left_alone(store: OnchainStore) -> None:
    node = FakeNode(store, RIG)
    node.claims.take(CHANNEL, PENALTIES)
    node.run()
    node.held = []
    for claim in PENALTIES:
        node.claims.drop(1, claim.outpoint)
    node.commit()
    node.block(PENALTIES[0].deadline - 1)
    assert len(node.sent) == 1
    assert node.dropped == [node.sent[0].txid()]


def test_a_restart_sends_the_same_transaction(store: OnchainStore) -> None:
    first, again = FakeNode(store, RIG), FakeNode(store, RIG)
    for node in (first, again):
        node.claims.take(CHANNEL, PENALTIES)
        node.run()
    assert first.sent == again.sent


def test_a_restart_alone_raises_nothing(store: OnchainStore) -> None:
    """Also shortly before the deadline, where each block does."""
    node, claim = FakeNode(store, RIG), PENALTIES[0]
    node.claims.take(CHANNEL, (claim,))
    node.run()
    late = claim.deadline - 5
    node.block(late)
    newest = node.sent[-1]
    for _ in range(3):
        node = FakeNode(store, RIG)
        node.chain.height = late
        node.claims.take(CHANNEL, (claim,))
        node.run()
        node.block(late)
        assert node.sent == [newest]
    node.block(late + 1)
    assert fee(node.sent[-1], claim) > fee(newest, claim)


def test_a_restart_after_a_part_was_taken(store: OnchainStore) -> None:
    """The stored transaction is of no use, but what is made instead outbids it: it may wait in mempools yet."""
    first, again = FakeNode(store, RIG), FakeNode(store, RIG)
    first.claims.take(CHANNEL, PENALTIES)
    first.run()
    again.claims.take(CHANNEL, PENALTIES[:1])
    again.run()
    (tx,) = again.sent
    assert spends(tx) == {PENALTIES[0].outpoint}
    assert fee(tx, PENALTIES[0]) > fee(first.sent[0], *PENALTIES)


def test_bump(store: OnchainStore) -> None:
    node, claim = FakeNode(store, RIG), PENALTIES[0]
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
    assert done.replaces == txid
    with pytest.raises(UserError, match="already"):
        finish(node.claims.bump(done.tx.txid(), Wish(feerate_perkw=5000)))
    node.refuse = "insufficient fee"
    with pytest.raises(UserError, match="insufficient fee. The claim's .* is kept and tried again"):
        finish(node.claims.bump(done.tx.txid(), Wish(feerate_perkw=9000)))
    refused = node.sent[-1]
    node.refuse = ""
    node.block(HEIGHT + 1)
    assert fee(node.sent[-1], claim) > fee(refused, claim)


def test_a_claim_that_may_pay_no_more_tells_what_it_pays(store: OnchainStore) -> None:
    node, claim = FakeNode(store, RIG), replace(PENALTIES[0], deadline=0)
    node.rate = 1_000_000
    node.claims.take(CHANNEL, (claim,))
    node.run()
    (tx,) = node.sent
    ((_, stored),) = store.claims(CHANNEL.dbid)
    assert 0 <= stored.feerate_perkw - fee(tx, claim).sat * 1000 // tx.weight() <= 100
    node.block(HEIGHT + 1)
    assert node.sent == [tx]
    assert not any("Cannot take" in line for line in node.lines)
    done = finish(node.claims.bump(tx.txid(), Wish(feerate_perkw=stored.feerate_perkw + 1000)))
    assert done.before_perkw == stored.feerate_perkw


# Coins that pay the fee

WITH_COINS = Rig(anchors=True, htlcs=(htlc(1, ours=False, known=True, cltv=HEIGHT + 300),))
(SUCCESS,) = (c for c in WITH_COINS.resolve(WITH_COINS.ours.tx).claims if c.add_fee)
A, B = coin(1, 60_000), coin(2)


def paid_by(tx: Tx) -> set[Outpoint]:
    return spends(tx) - {SUCCESS.outpoint}


@pytest.mark.parametrize("restart", [False, True])
def test_a_claim_whose_coin_is_gone_takes_another(store: OnchainStore, restart: bool) -> None:
    wallet = FakeWallet(lambda: node.chain.height)
    wallet.coins.update({A.outpoint: A, B.outpoint: B})
    node = FakeNode(store, WITH_COINS, wallet)
    node.claims.take(CHANNEL, (SUCCESS,))
    node.run()
    assert [paid_by(t) for t in node.sent] == [{A.outpoint}]
    wallet.mined(elsewhere(A))
    if restart:
        node = FakeNode(store, WITH_COINS, wallet)
        node.claims.take(CHANNEL, (SUCCESS,))
        node.run()
        assert [paid_by(t) for t in node.sent] == [{B.outpoint}]
    node.block(SUCCESS.deadline - 5)
    assert paid_by(node.sent[-1]) == {B.outpoint}
    assert wallet.coins[B.outpoint].is_reserved(node.chain.height)


def test_a_bump_leaves_a_coin_alone_that_is_on_its_way_elsewhere(store: OnchainStore) -> None:
    wallet = FakeWallet(lambda: node.chain.height, A, B)
    node = FakeNode(store, WITH_COINS, wallet)
    node.claims.take(CHANNEL, (SUCCESS,))
    node.run()
    wallet.coins[A.outpoint] = replace(A, spending_txid=Txid(b"w" * 32))
    node.block(SUCCESS.deadline - 5)
    assert paid_by(node.sent[-1]) == {B.outpoint}


@pytest.mark.parametrize("restart", [False, True])
def test_what_our_own_claim_has_taken_is_not_lost(store: OnchainStore, restart: bool) -> None:
    """The wallet may hear of the block before the claims do."""
    wallet = FakeWallet(lambda: node.chain.height, A, B)
    node = FakeNode(store, WITH_COINS, wallet)
    node.claims.take(CHANNEL, (SUCCESS,))
    node.run()
    wallet.mined(node.sent[0])
    if restart:
        node = FakeNode(store, WITH_COINS, wallet)
        node.claims.take(CHANNEL, (SUCCESS,))
        node.run()
    node.block(HEIGHT + 1)
    assert [paid_by(t) for t in node.sent] == [{A.outpoint}]


def test_coins_stay_reserved_for_as_long_as_the_claim_waits(store: OnchainStore) -> None:
    wallet = FakeWallet(lambda: node.chain.height, A)
    node = FakeNode(store, WITH_COINS, wallet)
    node.claims.take(CHANNEL, (SUCCESS,))
    node.run()
    for height in range(HEIGHT + 1, SUCCESS.deadline - 20):
        node.block(height)
        assert wallet.coins[A.outpoint].is_reserved(height)
    assert len(node.sent) == 1
