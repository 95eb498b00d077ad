"""Which claims of a channel share a transaction, and what each may cost. Pure.

Claims share one where that is cheaper and harms none of them: they must be able to (same locktime, same kind), be as
urgent as each other, and the peer must not be able to hold the urgent ones up by taking one of them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.weight import SIGNATURE_SIZE, script_input_weight
from pylightningd.common.wire.onchaind_wire import Claim

MAX_MEMBERS = 100
"""A penalty input weighs about 410 and an HTLC transaction's part 880, of the 400,000 that nodes relay."""
RIVAL_BLOCKS = 6
"""So many blocks before the peer can take an output as well it counts as contested."""
_SIZES = ((3, 1), (6, 4), (12, 16))
"""Contested claims with so few blocks left share a transaction with so many at most."""
_CLASS_BLOCKS = 36
"""Deadlines within so many blocks are alike, as long as they are far away."""
PENALTY_PERCENT, HURRY_PERCENT, CALM_PERCENT = 90, 50, 10
"""The most that fees may take of the value at stake: of a cheater's money, of what is lost at its deadline, of what waits."""

Rate: TypeAlias = Callable[[int], int]
"""Feerate (sat per 1000 weight) for a deadline."""


def input_weight(claim: Claim) -> int:
    """Weight of the input that spends the output."""
    items = [len(item) for item in (*claim.before, *claim.after)] + [SIGNATURE_SIZE]
    return script_input_weight(len(claim.witness_script), *items)


def deadline_of(claims: Iterable[Claim]) -> int:
    """The earliest; 0 where there is no hurry."""
    return min((c.deadline for c in claims if c.deadline), default=0)


def budget(claims: Iterable[Claim]) -> Sat:
    """The most that we pay in fees for them, unless a user says otherwise."""
    return Sat(sum(c.amount.sat * _percent(c) // 100 for c in claims))


def _percent(claim: Claim) -> int:
    if claim.revocation_secret is not None:
        return PENALTY_PERCENT
    return HURRY_PERCENT if claim.deadline else CALM_PERCENT


def is_fixed(claim: Claim) -> bool:
    """Whether its transaction can be no other than the one both have signed."""
    return bool(claim.tx) and not claim.add_fee


def is_contested(claim: Claim, height: int) -> bool:
    """Whether the peer can take it too, now or soon, so that ours may be held up."""
    return bool(claim.rival_from) and claim.rival_from <= height + RIVAL_BLOCKS


def group(claims: Iterable[Claim], height: int, rate: Rate) -> list[list[Claim]]:
    """Put claims together, the most valuable transaction first. `height`: of the newest block."""
    found: dict[tuple[object, ...], list[Claim]] = {}
    for claim in claims:
        found.setdefault(_key(claim, height, rate), []).append(claim)
    groups: list[list[Claim]] = []
    for members in found.values():
        # The most urgent first, so that what is cut apart is cut by urgency.
        members.sort(key=lambda c: (c.deadline or 1 << 32, -c.amount.sat, c.outpoint))
        size = _size(members, height)
        groups += [members[n : n + size] for n in range(0, len(members), size)]
    return sorted(groups, key=lambda g: -value(g))


def split(claims: Sequence[Claim], height: int, rate: Rate) -> list[list[Claim]]:
    """What has become of a transaction that no block took: the groups it should be cut into, the most valuable first.

    One group as long as nothing presses.
    """
    found: dict[tuple[bool, bool], list[Claim]] = {}
    for claim in claims:
        presses = is_contested(claim, height) and _hurries(claim, height)
        found.setdefault((presses, _is_poor(claim, rate)), []).append(claim)
    groups = []
    for members in found.values():
        size = _size(members, height)
        groups += [members[n : n + size] for n in range(0, len(members), size)]
    return sorted(groups, key=lambda g: -value(g))


def _hurries(claim: Claim, height: int) -> bool:
    return bool(claim.deadline) and claim.deadline - height <= _SIZES[-1][0]


def _is_poor(claim: Claim, rate: Rate) -> bool:
    """Not worth its own input: the others must not pay for it."""
    cost = rate(claim.deadline) * input_weight(claim) // 1000
    return not is_fixed(claim) and cost > claim.amount.sat * _percent(claim) // 100


def value(claims: Iterable[Claim]) -> int:
    """Satoshi at stake."""
    return sum(c.amount.sat for c in claims)


def _key(claim: Claim, height: int, rate: Rate) -> tuple[object, ...]:
    """Claims with the same key may share a transaction."""
    if is_fixed(claim):
        return (claim.outpoint,)
    # The peer's signature covers the locktime (BOLT 3, "HTLC-Timeout and HTLC-Success Transactions").
    # What is ripe need not wait for what only has to age.
    shape = claim.add_fee, claim.locktime, claim.kind, max(claim.first_block, height + 1)
    contested = is_contested(claim, height)
    left = claim.deadline - height if claim.deadline else None
    if left is None:
        urgency = -1
    elif contested:
        far = len(_SIZES) + max(left, 0) // _CLASS_BLOCKS
        urgency = next((n for n, (blocks, _) in enumerate(_SIZES) if left <= blocks), far)
    else:
        urgency = 1000 + max(left, 0) // _CLASS_BLOCKS
    return (*shape, contested, urgency, _is_poor(claim, rate))


def _size(members: Sequence[Claim], height: int) -> int:
    """How many may share a transaction: fewer and fewer where the peer could spoil it shortly before a deadline."""
    deadline = deadline_of(members)
    if not deadline or not any(is_contested(c, height) for c in members):
        return MAX_MEMBERS
    left = deadline - height
    return next((size for blocks, size in _SIZES if left <= blocks), MAX_MEMBERS)
