"""Measure speed and memory, and print a table.

make bench
make bench ARGS="--lightningd /usr/bin/lightningd"     # another node beside ours, with the same load
make bench ARGS="--only flood --payments 2000"
make bench ARGS="--only channels"                       # a node with 1,000 of them
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from bench.contestant import Contestant, Findings, Sizes
from bench.table import render
from tools.get_bitcoind import NoBitcoindError, get

LOADS = ("start", "memory", "cli", "channels", "invoice", "flood", "direct", "hops")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--lightningd", metavar="PATH", help="also measure this other lightningd (CLN's options)"
    )
    parser.add_argument("--without-ours", action="store_true", help="measure only the other one")
    parser.add_argument("--bitcoind", metavar="PATH", help="take this bitcoind")
    parser.add_argument(
        "--only", metavar="LOAD", action="append", choices=LOADS, help=", ".join(LOADS)
    )
    parser.add_argument("--payments", type=int, default=1000, help="of the flood (default 1000)")
    parser.add_argument("--at-a-time", type=int, default=100, help="in flight (default 100)")
    parser.add_argument("--starts", type=int, default=5, help="how often to start (default 5)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run; 1 where a node misbehaved."""
    args = _parser().parse_args(argv)
    try:
        bitcoind = get(args.bitcoind)
    except NoBitcoindError as error:
        print(error, file=sys.stderr)
        return 1
    sizes = Sizes(payments=args.payments, at_a_time=args.at_a_time, starts=args.starts)
    programs: dict[str, str | None] = {}
    if not args.without_ours:
        programs["pylightningd"] = None
    if args.lightningd:
        other = shutil.which(args.lightningd)
        if other is None:
            print(f"--lightningd: {args.lightningd} is no program", file=sys.stderr)
            return 1
        programs["other"] = str(Path(other).absolute())
    columns: dict[str, Findings] = {}
    for name, command in programs.items():
        columns[name] = Contestant(name, command, bitcoind, sizes).run(set(args.only or LOADS))
    print(render(columns))
    troubles = [f"{name}: {line}" for name, found in columns.items() for line in found.troubles]
    print("\n".join(troubles), file=sys.stderr)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
