"""Both ends of one close: Alice is the opener of the channel, Bob is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pylightningd.closingd.machine import ClosingMachine
from pylightningd.common.amount import Msat
from pylightningd.common.wire.closingd_wire import ClosingdStart
from pylightningd.common.wire.runtime import Message
from tests.openingd import sides
from tests.openingd.player import Player
from tests.openingd.sides import ALICE, BOB, Keys

SCRIPTS = {ALICE: b"\x00\x14" + b"a" * 20, BOB: b"\x51\x20" + b"b" * 32}
CID = sides.FUNDING.channel_id()
ALICE_HAS, BOB_HAS = Msat(700_000_900), Msat(299_999_100)
FULL_WEIGHT = (4 + 1 + 41 + 1 + 4 + 9 + 22 + 9 + 34) * 4 + 2 + 222


def start(owner: int, channel: dict[str, Any] | None = None, **changes: Any) -> ClosingdStart:
    """What the master of one end says."""
    other = BOB if owner == ALICE else ALICE
    values: dict[str, Any] = {
        "channel": sides.channel(owner, **({"we_are_opener": owner == ALICE} | (channel or {}))),
        "route_id": 90 + owner,
        "to_local": ALICE_HAS if owner == ALICE else BOB_HAS,
        "to_remote": BOB_HAS if owner == ALICE else ALICE_HAS,
        "local_script": SCRIPTS[owner],
        "remote_script": SCRIPTS[other],
        "feerate_min_perkw": 253,
        "feerate_preferred_perkw": 2500,
        "feerate_max_perkw": 10_000,
        "fee_negotiation_step": 50,
        "step_is_percent": True,
        "use_fee_range": True,
    }
    return ClosingdStart(**(values | changes))


def player(
    owner: int,
    channel: dict[str, Any] | None = None,
    wrap: Callable[[Callable[[Message], Message]], Any] | None = None,
    **changes: Any,
) -> Player:
    """One end that has begun."""
    request = start(owner, channel, **changes)
    keys = Keys(owner, channel=request.channel)
    made = Player(ClosingMachine(request), wrap(keys.answer) if wrap else keys.answer)
    made.master(request)
    return made
