"""Real nodes with many channels, payments without pause, and everything that can go wrong, for a while.

    python -m tools.chaos --seconds 300 --nodes 5 --channels 20

At the end faults stop, all comes to rest, and the books must add up to the satoshi. The seed, printed first, chooses
the faults; when exactly they strike depends on the machine. Ends with 1, and keeps the nodes' folders, on any violation.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.regtest.bitcoind import Bitcoind, BitcoindError
from tests.regtest.rpc_client import RpcError
from tools.chaos.faults import Faults
from tools.chaos.ledger import Counts
from tools.chaos.traffic import Traffic
from tools.chaos.verdict import judge, settle
from tools.chaos.world import GONE, World, quick
from tools.get_bitcoind import NoBitcoindError, get

TICK_S = 0.1
BLOCK_S = 8.0
LEARN_S = 20.0
ANSWER_S = 5.0
"""A frozen node does not answer, and thaws only when we go on."""


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300.0, help="how long faults last (300)")
    parser.add_argument("--payments", type=int, default=0, help="go on until so many parts succeed")
    parser.add_argument("--faults", type=int, default=0, help="go on until so many faults are done")
    parser.add_argument("--at-most", type=float, default=600.0, help="... or so long (600 s)")
    parser.add_argument("--seed", type=int, help="choose the same faults as an earlier run")
    parser.add_argument("--nodes", type=int, default=5, help="how many (5)")
    parser.add_argument("--channels", type=int, default=20, help="between any two nodes (20)")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between faults (2)")
    parser.add_argument("--rate", type=float, default=8.0, help="payments a second (8)")
    parser.add_argument("--only", help="only these faults, e.g. kill,reorg")
    parser.add_argument("--record", action="store_true", help="keep records for tools.replay")
    parser.add_argument("--keep", action="store_true", help="keep the folders in any case")
    return parser.parse_args(argv)


def run(world: World, args: argparse.Namespace, seed: int) -> None:
    """The whole run."""
    began = time.monotonic()
    options = {"dev-record": str(world.folder / "record")} if args.record else {}
    world.build(args.nodes, args.channels, options)
    print(f"{len(world.edges)} channels after {time.monotonic() - began:.0f} s", flush=True)
    traffic = Traffic(world, seed, threads=6, rate=args.rate)
    faults = Faults(world, seed)
    try:
        storm(world, faults, args)
    finally:
        traffic.stop()
    print("faults are over; waiting for rest", flush=True)
    faults.join()
    settle(world)
    judge(world)


def storm(world: World, faults: Faults, args: argparse.Namespace) -> None:
    """Faults and blocks, until the time is over and enough was done."""
    only = args.only.split(",") if args.only else None
    began = time.monotonic()
    next_fault, next_block, next_look = began, began + BLOCK_S, began + LEARN_S
    while wants_more(world, args, (now := time.monotonic()) - began):
        world.tick()
        if now >= next_fault:
            next_fault = now + args.every
            done = faults.one(only)
            if done:
                print(f"{now - began:7.1f} s  {done}", flush=True)
        if now >= next_block and world.bitcoind_until is None:
            next_block = now + BLOCK_S
            world.bitcoind.generate(1)
            world.counts.blocks += 1
        if now >= next_look and world.bitcoind_until is None:
            next_look = now + LEARN_S
            _learn(world)
        time.sleep(TICK_S)


def wants_more(world: World, args: argparse.Namespace, seconds: float) -> bool:
    """Whether the storm goes on, after so many seconds of it. A slow machine needs longer for the same."""
    if seconds < args.seconds:
        return True
    if seconds >= args.at_most:
        return False
    parts, faults = int(args.payments), int(args.faults)
    return world.counts.faults_done < faults or parts_complete(world, parts) < parts


def parts_complete(world: World, enough: int) -> int:
    """How many parts of payments succeeded, as far as the nodes that answer know. Counts no further than `enough`."""
    complete = 0
    for node in world.nodes:
        if complete >= enough:
            break
        if not world.is_up(node):
            continue
        try:
            parts = quick(node, "listsendpays", timeout_s=ANSWER_S)["payments"]
        except GONE:
            continue
        complete += sum(part["status"] == "complete" for part in parts)
    return complete


def _learn(world: World) -> None:
    if all(world.is_up(n) for n in world.nodes) and not world.frozen:
        try:
            world.learn_edges()
        except GONE:
            return


def report(world: World, seconds: float) -> None:
    """What was survived."""
    counts = world.counts
    print(f"\n{seconds:.0f} s, {counts.blocks} blocks, {counts.restarts} restarts of nodes")
    for title, table in (("faults", counts.faults), ("payments", counts.payments)):
        print(f"{title}:")
        for name, number in sorted(table.items()):
            print(f"  {number:8}  {name}")
    print(f"  {counts.faults_done:8}  faults in all")


def main(argv: list[str] | None = None) -> int:
    """1 where something was wrong."""
    args = parse(argv)
    try:
        program = get(None)
    except NoBitcoindError as error:
        print(error, file=sys.stderr)
        return 1
    seed = random.randrange(1 << 32) if args.seed is None else args.seed
    folder = Path(tempfile.mkdtemp(prefix="ln-chaos-"))
    print(f"seed {seed}, folder {folder}", flush=True)
    world = World(folder, Bitcoind(folder / "bitcoind", program), Counts())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    finished = False
    try:
        world.bitcoind.start()
        run(world, args, seed)
        finished = True
    except (OSError, RuntimeError, AssertionError, RpcError, BitcoindError) as error:
        world.counts.violation(f"the run ended early: {type(error).__name__}: {error}")
    except KeyboardInterrupt:
        print("\nstopping everything...", file=sys.stderr)
    finally:
        for problem in world.close():
            world.counts.violation(problem)
    report(world, time.monotonic() - began)
    if world.counts.violations or not finished or args.keep:
        print(f"\n{len(world.counts.violations)} violations; seed {seed}; all is kept in {folder}")
        for node in world.nodes:
            print(f"  {node.name}: {node.folder}/log")
        return 0 if finished and not world.counts.violations else 1
    shutil.rmtree(folder, ignore_errors=True)
    print(f"nothing was lost; seed {seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
