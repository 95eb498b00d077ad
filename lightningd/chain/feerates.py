"""Feerates: what the backend estimates, smoothed, under CLN's names. Pure; all in sat per kiloweight (perkw).

The backend speaks sat per kilo-vbyte (perkb), four times as much. 0 is never used for "unknown": that is None.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.errors import BCLI_NO_FEE_ESTIMATES

FLOOR_PERKW = 253
"""The lowest feerate that nodes relay: 1 sat per vbyte, rounded so that bitcoind's rounding does not fall below."""
HISTORY = 3
SMOOTHING_S = 120
ANCHOR_LOWEST_PERKW = 1250
"""A commitment with anchors must still get into mempools: 5 sat per vbyte."""
MAX_U32 = 0xFFFFFFFF

# Blocks that each purpose may take.
TARGETS = {
    "opening": 12,
    "mutual_close": 100,
    "unilateral_close": 6,
    "delayed_to_us": 12,
    "htlc_resolution": 6,
    "penalty": 12,
}
SPEEDS = {"slow": 100, "normal": 12, "urgent": 6}
FORCED_ORDER = tuple(TARGETS)
"""The order of --force-feerates=opening/mutual_close/unilateral_close/delayed_to_us/htlc_resolution/penalty."""


def perkw_from_perkb(perkb: int) -> int:
    """Round up, so that a floor stays a floor."""
    return (perkb + 3) // 4


def to_style(perkw: int, style: str) -> int:
    """perkw or perkb, for replies; stays a u32."""
    return perkw if style == "perkw" else min(perkw * 4, MAX_U32)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rate with which a transaction confirms within so many blocks."""

    blocks: int
    perkw: int


@dataclass(frozen=True, slots=True)
class FeeSettings:
    """Options of the node that matter here."""

    forced: tuple[int, ...] | None = None
    """Of --force-feerates, in FORCED_ORDER."""
    ignore_limits: bool = False
    max_multiplier: int = 10
    commit_fee_percent: int = 100
    offset_perkw: int = 5
    poll_seconds: float = 30


def parse_forced(text: str) -> tuple[int, ...]:
    """Read --force-feerates: one to six numbers with slashes; the last one counts for the rest. Raises ValueError."""
    parts = text.split("/")
    if len(parts) > len(FORCED_ORDER):
        raise ValueError(
            f"Too many values: there are {len(FORCED_ORDER)}: {'/'.join(FORCED_ORDER)}"
        )
    try:
        rates = [int(p) for p in parts]
    except ValueError:
        raise ValueError(f"{text!r} should be numbers (sat perkw) separated by /") from None
    return tuple(rates + [rates[-1]] * (len(FORCED_ORDER) - len(rates)))


@dataclass
class Feerates:
    """The estimates of now and of some polls before."""

    settings: FeeSettings = field(default_factory=FeeSettings)
    floor_perkw: int = FLOOR_PERKW
    history: deque[tuple[Estimate, ...]] = field(default_factory=lambda: deque(maxlen=HISTORY))
    """Newest first."""
    smoothed: tuple[Estimate, ...] = ()

    # -- input -----------------------------------------------------------------------------------

    def update(self, floor_perkb: int, estimates_perkb: Sequence[tuple[int, int]]) -> bool:
        """Take the backend's answer: (blocks, rate) ascending by blocks. Returns whether anything changed."""
        before = (self.estimates, self.smoothed, self.floor_perkw)
        self.floor_perkw = max(perkw_from_perkb(floor_perkb), FLOOR_PERKW)
        if not estimates_perkb:
            return self.floor_perkw != before[2]
        estimates = self._cleaned(estimates_perkb)
        if [e.blocks for e in self.estimates] != [e.blocks for e in estimates]:
            # Other targets than before cannot be averaged with the old ones.
            self.history.clear()
            self.smoothed = ()
        smoothed = tuple(self._smooth(e) for e in estimates) if self.smoothed else estimates
        self.history.appendleft(estimates)
        self.smoothed = smoothed
        return (self.estimates, self.smoothed, self.floor_perkw) != before

    def _cleaned(self, estimates_perkb: Sequence[tuple[int, int]]) -> tuple[Estimate, ...]:
        """In perkw, not under the floor, and never dearer for more blocks."""
        found: list[Estimate] = []
        for blocks, perkb in sorted(estimates_perkb):
            rate = max(perkw_from_perkb(perkb), self.floor_perkw)
            if found:
                rate = min(rate, found[-1].perkw)
            found.append(Estimate(blocks, rate))
        return tuple(found)

    def _smooth(self, new: Estimate) -> Estimate:
        """Exponential smoothing: 90 % of the weight lies on the last two minutes, however often we poll."""
        alpha = 1 - 0.1 ** (self.settings.poll_seconds / SMOOTHING_S)
        old = _interpolate(self.smoothed, new.blocks) or new.perkw
        mixed = int(new.perkw * alpha + old * (1 - alpha))
        # A difference under a tenth is dropped, or it would creep for ever.
        rate = mixed if abs(new.perkw - mixed) > new.perkw / 10 else new.perkw
        return Estimate(new.blocks, max(rate, self.floor_perkw))

    # -- output ----------------------------------------------------------------------------------

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The newest estimates; empty while there are none."""
        return self.history[0] if self.history else ()

    @property
    def known(self) -> bool:
        """Whether there is any estimate."""
        return bool(self.estimates)

    def for_blocks(self, blocks: int) -> int | None:
        """Rate to confirm within so many blocks; None while unknown."""
        rate = _interpolate(self.estimates, blocks)
        return None if rate is None else max(rate, self.floor_perkw)

    def for_deadline(self, deadline: int, height: int) -> int | None:
        """Rate to confirm by the block `deadline`; for one that is far away, as little as gets relayed."""
        blocks = deadline - height
        if blocks > 200:
            return FLOOR_PERKW
        if blocks > 100:
            return self.floor_perkw
        return self.for_blocks(max(blocks, 1))

    def get(self, name: str) -> int | None:
        """The rate under one of CLN's names; None while unknown.

        opening, mutual_close, unilateral_close, unilateral_anchor_close, delayed_to_us, htlc_resolution, penalty,
        splice; slow, normal, urgent, minimum; min_acceptable, max_acceptable. Raises KeyError for another name.
        """
        if name in ("min_acceptable", "max_acceptable"):
            return self.min_acceptable if name == "min_acceptable" else self.max_acceptable
        if name == "minimum":
            return self.floor_perkw
        if name in SPEEDS:
            return self.for_blocks(SPEEDS[name])
        if name == "splice":
            rate = self.get("opening")
            return (
                None
                if rate is None
                else min(rate + self.settings.offset_perkw, self.max_acceptable)
            )
        if name == "unilateral_anchor_close":
            return self._anchor_close()
        forced = self._forced(name)
        if forced is not None:
            return forced
        if name == "opening":
            return self.for_blocks(TARGETS[name])
        rate = _interpolate(self.smoothed, TARGETS[name])
        if rate is not None and name == "unilateral_close":
            rate = rate * self.settings.commit_fee_percent // 100
        return rate

    def need(self, name: str) -> int:
        """Like `get`; raises UserError where CLN's commands refuse for want of an estimate."""
        rate = self.get(name)
        if rate is None:
            raise no_estimate()
        return rate

    @property
    def min_acceptable(self) -> int:
        """The lowest feerate that we let a peer choose."""
        rates = [e.perkw for estimates in self.history for e in estimates]
        # Half of the slowest seen lately: estimates of two nodes differ.
        return max(min(rates) // 2 if rates else 0, self.floor_perkw)

    @property
    def max_acceptable(self) -> int:
        """The highest feerate that we let a peer choose."""
        rates = [e.perkw for estimates in self.history for e in estimates]
        return min(max(rates) * self.settings.max_multiplier, MAX_U32) if rates else MAX_U32

    def acceptable(self, *, ignore_limits: bool = False) -> tuple[int, int]:
        """Lowest and highest feerate that a peer may choose; anything where limits are ignored (option or channel)."""
        if ignore_limits or self.settings.ignore_limits:
            return 1, MAX_U32
        return self.min_acceptable, self.max_acceptable

    def _anchor_close(self) -> int | None:
        forced = self._forced("unilateral_close")
        if forced is not None:
            return forced
        rate = self.for_blocks(100)
        return None if rate is None else max(rate, ANCHOR_LOWEST_PERKW)

    def _forced(self, name: str) -> int | None:
        index = FORCED_ORDER.index(name) if name in FORCED_ORDER else None
        if index is None:
            raise KeyError(name)
        return self.settings.forced[index] if self.settings.forced is not None else None


def no_estimate() -> UserError:
    """What commands answer while there is no estimate."""
    return UserError(BCLI_NO_FEE_ESTIMATES, "Cannot estimate fees (yet)")


def _interpolate(estimates: Sequence[Estimate], blocks: int) -> int | None:
    """The rate for a number of blocks between two estimates; outside them the nearest one."""
    before = next((e for e in reversed(estimates) if e.blocks <= blocks), None)
    after = next((e for e in estimates if e.blocks > blocks), None)
    if before is None or after is None:
        nearest = before or after
        return None if nearest is None else nearest.perkw
    drop = max(before.perkw - after.perkw, 0)
    return before.perkw - (blocks - before.blocks) * drop // (after.blocks - before.blocks)
