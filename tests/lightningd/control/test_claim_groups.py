"""Which claims share a transaction, and when they are cut apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.ids import Outpoint
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.lightningd.control import claim_groups
from pylightningd.lightningd.control.claim_groups import MAX_MEMBERS, RIVAL_BLOCKS, group, split
from tests.onchaind.rig import HEIGHT, Rig, htlc
from tests.onchaind.script_check import check_spend

FAR = HEIGHT + 400
HTLCS = (
    htlc(1, ours=True, cltv=FAR),
    htlc(2, ours=True, cltv=FAR),
    htlc(3, ours=True, cltv=FAR + 1),
    htlc(4, ours=False, cltv=FAR + 2, known=True),
    htlc(5, ours=False, cltv=FAR + 5, known=True),
    htlc(6, ours=False, cltv=HEIGHT + 2, known=True),
)
both = Rig(anchors=True, htlcs=HTLCS)


def cheap(_deadline: int) -> int:
    return 253


def shape(groups: Iterable[list[Claim]]) -> list[list[int]]:
    """The locktimes of those that share a transaction."""
    return sorted(sorted(c.locktime or 0 for c in g) for g in groups)


def of_kind(claims: list[Claim], kind: str) -> list[Claim]:
    return [c for c in claims if c.kind == kind]


def test_htlc_transactions_share_one_where_the_locktime_is_the_same() -> None:
    claims = both.resolve(both.ours.tx).claims
    timeouts = group(of_kind(claims, "OUR_HTLC_TIMEOUT_TX"), FAR + 1, cheap)
    assert shape(timeouts) == [[FAR, FAR], [FAR + 1]]
    tx = both.make_all(timeouts[0])
    assert tx.locktime == FAR
    assert len(tx.outputs) == 3
    for n, claim in enumerate(timeouts[0]):
        spent = both.ours.tx.outputs[claim.outpoint.index]
        check_spend(tx, n, spent.script, spent.amount)
        assert tx.outputs[n] == Tx.parse(claim.tx).outputs[0]


def test_the_second_stages_of_a_shared_transaction_are_found_one_by_one() -> None:
    seen = both.resolve(both.ours.tx)
    (pair, _) = group(of_kind(seen.claims, "OUR_HTLC_TIMEOUT_TX"), FAR, cheap)
    tx = both.make_all(pair)
    before = len(seen.claims)
    seen.spent(tx, FAR + 1)
    further = seen.claims[before:]
    assert [c.outpoint for c in further] == [Outpoint(tx.txid(), n) for n in range(2)]
    (together,) = group(further, FAR + 7, cheap)
    sweep = both.make_all(together)
    for n in range(2):
        check_spend(sweep, n, tx.outputs[n].script, tx.outputs[n].amount)


def test_a_success_that_the_peer_can_soon_time_out_goes_alone() -> None:
    claims = of_kind(both.resolve(both.ours.tx).claims, "OUR_HTLC_SUCCESS_TX")
    sizes = sorted(len(g) for g in group(claims, HEIGHT, cheap))
    assert sizes == [1, 2]
    (alone,) = (g for g in group(claims, HEIGHT, cheap) if len(g) == 1)
    assert alone[0].rival_from == HEIGHT + 3


def test_what_differs_in_urgency_never_shares() -> None:
    claims = both.resolve(both.ours.tx).claims
    for members in group(claims, FAR + 1, cheap):
        assert len({(c.kind, c.locktime) for c in members}) == 1
        assert len({claim_groups.is_contested(c, FAR + 1) for c in members}) == 1


def test_what_is_ripe_does_not_wait_for_what_is_not() -> None:
    first_blocks = (0, HEIGHT + 1, HEIGHT + 2, HEIGHT + 5, HEIGHT + 5)
    claims = [
        replace(c, first_block=block) for c, block in zip(revoked(5), first_blocks, strict=True)
    ]
    found = [sorted(c.first_block for c in g) for g in group(claims, HEIGHT, cheap)]
    assert sorted(found) == [[0, HEIGHT + 1], [HEIGHT + 2], [HEIGHT + 5, HEIGHT + 5]]


def revoked(count: int, **changes: Any) -> list[Claim]:
    rig = Rig(anchors=True, htlcs=(htlc(1, ours=False, cltv=FAR),))
    (claim,) = [
        c for c in rig.resolve(rig.commitment(Side.REMOTE, 2).tx).claims if c.amount == Sat(20_000)
    ]
    return [
        replace(claim, outpoint=Outpoint(claim.outpoint.txid, n), **changes) for n in range(count)
    ]


def test_many_penalties_share_few_transactions() -> None:
    claims = revoked(966, deadline=HEIGHT + 144, rival_from=FAR)
    groups = group(claims, HEIGHT, cheap)
    assert len(groups) == -(-966 // MAX_MEMBERS)
    assert sorted(c.outpoint for g in groups for c in g) == sorted(c.outpoint for c in claims)


def test_fewer_share_the_nearer_the_deadline_of_what_is_contested() -> None:
    claims = revoked(64, deadline=HEIGHT + 12, rival_from=HEIGHT + 1)
    assert [len(split(claims, HEIGHT + n, cheap)) for n in (-1, 0, 6, 9)] == [1, 4, 16, 64]


def test_what_nobody_else_can_take_stays_together() -> None:
    claims = revoked(64, deadline=HEIGHT + 12, rival_from=HEIGHT + 12 + RIVAL_BLOCKS)
    assert len(split(claims, HEIGHT + 11, cheap)) == 1


def test_small_ones_are_not_paid_for_by_large_ones() -> None:
    """In a fee spike a cheater's dust would cost more than it brings."""
    claims = revoked(20, deadline=HEIGHT + 144, rival_from=FAR)
    dust = [replace(c, amount=Sat(500)) for c in claims[:10]]
    both_kinds = [*dust, *claims[10:]]
    assert len(group(both_kinds, HEIGHT, cheap)) == 1
    groups = group(both_kinds, HEIGHT, lambda _d: 10_000)
    assert [{c.amount.sat for c in g} for g in groups] == [{20_000}, {500}]
    assert len(split(both_kinds, HEIGHT, lambda _d: 10_000)) == 2


def test_budgets() -> None:
    (penalty,) = revoked(1)
    assert claim_groups.budget([penalty]) == Sat(18_000)
    claims = both.resolve(both.ours.tx).claims
    success = of_kind(claims, "OUR_HTLC_SUCCESS_TX")[:1]
    assert claim_groups.budget(success) == Sat(10_000)
    (calm,) = of_kind(claims, "OUR_DELAYED_RETURN_TO_WALLET")
    assert claim_groups.budget([calm]).sat == calm.amount.sat // 10


def test_without_anchors_each_htlc_transaction_stays_as_it_was_signed() -> None:
    rig = Rig(anchors=False, htlcs=HTLCS)
    claims = rig.resolve(rig.ours.tx).claims
    assert all(
        len(g) == 1 for g in group(claims, FAR + 1, cheap) if g[0].kind.startswith("OUR_HTLC")
    )
