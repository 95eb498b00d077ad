"""Time to punish a revoked commitment with 483 HTLCs in each direction: planned, signed and handed to the network.

    python -m bench.punish
    python -m bench.punish --profile

onchaind's engine and hsmd's core do the work, in one process; messages are encoded and decoded as on the bus.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.onchaind.machine import Resolver, Say
from tests.lightningd.control.claims_rig import CHANNEL, FakeNode, open_store
from tests.onchaind.rig import HEIGHT, Rig, htlc
from tests.onchaind.script_check import check_spend

EACH_WAY = 483
DELAY = 144
LIMIT_S = 2.0


class _Node(FakeNode):
    """With hsmd behind an encoded link."""

    async def _ask(self, request: Any) -> Any:
        reply: Any = await super()._ask(hw.decode(request.encode()))
        return hw.decode(reply.encode())


def make_rig() -> Rig:
    """The channel."""
    htlcs = tuple(
        replace(
            htlc(0, ours=n % 2 == 0, sat=10_000 + n, cltv=HEIGHT + 100 + n % 50, live=n < 30),
            id=n,
            payment_hash=sha256(n.to_bytes(4, "big")).digest(),
        )
        for n in range(2 * EACH_WAY)
    )
    rig = Rig(anchors=True, htlcs=htlcs)
    static = rig.channel
    rig.channel = replace(
        static,
        local_config=replace(static.local_config, to_self_delay=DELAY),
        remote_config=replace(static.remote_config, to_self_delay=DELAY),
    )
    return rig


def punish(rig: Rig, told: bytes) -> tuple[_Node, dict[str, float]]:
    """From the message of the master to the broadcasts; seconds by step."""
    store = open_store()
    start = time.perf_counter()
    resolver = Resolver(_decoded(told))
    plans = [p for p in resolver.start() if not isinstance(p, Say)]
    heard = [ow.decode(p.encode()) for p in plans]
    planned = time.perf_counter()
    node = _Node(store, rig)
    for plan in heard:
        if isinstance(plan, ow.OnchaindClaims):
            node.claims.take(CHANNEL, plan.claims)
    node.run()
    end = time.perf_counter()
    return node, {"planned": planned - start, "signed and sent": end - planned, "all": end - start}


def _decoded(told: bytes) -> ow.OnchaindChannel:
    msg = ow.decode(told)
    assert isinstance(msg, ow.OnchaindChannel)
    return msg


def main() -> int:
    """Print it; 1 where it takes too long."""
    parser = argparse.ArgumentParser(
        prog="bench.punish", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    args = parser.parse_args()
    rig = make_rig()
    tx = rig.commitment(Side.REMOTE, 2, feerate=253).tx
    told = rig.told(tx).encode()
    profile = cProfile.Profile()
    if args.profile:
        profile.enable()
    node, seconds = punish(rig, told)
    profile.disable()
    inputs = sum(len(t.inputs) for t in node.sent)
    print(f"{inputs} outputs taken by {len(node.sent)} transactions")
    for name, value in seconds.items():
        print(f"{name:>16} {value:6.3f} s")
    for sent in node.sent:
        for n, txin in enumerate(sent.inputs):
            output = tx.outputs[txin.index]
            check_spend(sent, n, output.script, output.amount)
    if args.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    return 0 if seconds["all"] < LIMIT_S else 1


if __name__ == "__main__":
    raise SystemExit(main())
