"""Small networks for the payer's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pylightningd.common.keys import pubkey_from_secret
from pylightningd.plugins.gossmap import SET, Gossmap, LocalChannel, LocalHalf
from pylightningd.plugins.pay.attempt import Goal, PartFailure
from pylightningd.plugins.pay.knowledge import Knowledge
from pylightningd.plugins.pay.router import Hint, OwnChannel, Router
from pylightningd.plugins.pay.session import PaySession

SECRETS = {name: bytes([i + 1]) * 32 for i, name in enumerate("us bob carol dave erin".split())}
NODES = {name: pubkey_from_secret(secret) for name, secret in SECRETS.items()}
US = NODES["us"]
BIG = 10**12


def scid(number: int) -> int:
    return (100 + number) << 40 | 1 << 16


def direction(source: str, target: str) -> int:
    return int(NODES[source] > NODES[target])


def public_map(*channels: tuple[int, str, str], **policy: int) -> Gossmap:
    """Public channels (number, one end, other end), all with the same rules both ways."""
    graph = Gossmap(Path("/nonexistent"))
    for number, one, other in channels:
        first, second = sorted((NODES[one], NODES[other]))
        index = graph._insert(scid(number), graph._node(first), graph._node(second), 1)
        graph.capacity_sat[index] = policy.get("capacity_sat", 10**8)
        for half in (2 * index, 2 * index + 1):
            graph.half_flags[half] = SET
            graph.base_fee[half] = policy.get("base", 1000)
            graph.fee_ppm[half] = policy.get("ppm", 10)
            graph.delay[half] = policy.get("delay", 6)
            graph.htlc_max[half] = policy.get("htlc_max", BIG)
    return graph


def own(number: int, peer: str, spendable: int = 10**9, *, usable: bool = True) -> OwnChannel:
    half = LocalHalf(
        enabled=usable,
        base_fee_msat=0,
        fee_ppm=0,
        delay=0,
        htlc_min_msat=0,
        htlc_max_msat=spendable,
    )
    local = LocalChannel(
        scid=scid(number),
        ours=US,
        peer=NODES[peer],
        capacity_msat=BIG,
        outgoing=half,
        incoming=None,
    )
    return OwnChannel(local=local, usable=usable, spendable_msat=spendable, slots=10)


def hint(number: int, source: str, target: str) -> Hint:
    return Hint(
        source=NODES[source],
        destination=NODES[target],
        scid=scid(number),
        base_fee_msat=7,
        fee_ppm=0,
        delay=5,
    )


def session(
    graph: Gossmap, owned: list[OwnChannel], target: str, amount: int, **more: Any
) -> PaySession:
    hints = more.pop("hints", ())
    knowledge = more.pop("knowledge", None) or Knowledge()
    goal: dict[str, Any] = {
        "destination": NODES[target],
        "amount_msat": amount,
        "total_msat": amount,
        "final_delay": 18,
        "max_fee_msat": 100_000,
        "max_delay": 2016,
        "deadline": 60.0,
        "may_split": True,
    }
    made = Goal(**(goal | more))
    return PaySession(made, Router(graph, US, made, owned, hints), knowledge)


def failure(code: int, index: int, raw: bytes | None = None, **more: Any) -> PartFailure:
    message = code.to_bytes(2, "big") if raw is None else raw
    return PartFailure(
        code=204, message="failed", failcode=int(code), index=index, raw=message, **more
    )


UNREADABLE = PartFailure(code=202, message="malformed error reply")
