"""Three nodes on a regtest chain of their own: connect, open channels, pay through the middle, restart, close, count.

make demo                 # everything is stopped and removed at the end
make demo ARGS=--keep     # the network stays up; the aliases to use it are printed
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.regtest.bitcoind import SAT_PER_BTC, Bitcoind, BitcoindError
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.waiting import wait_for
from tools.get_bitcoind import NoBitcoindError, bitcoin_cli, get

FUNDS_SAT = 2_000_000
CHANNEL_SAT = 1_000_000
PAYMENT_SAT = 250_000
RETURN_SAT = 100_000
BAR_WIDTH = 40

# The tests' options, but for those that make a node give up: here a fault should be seen and survived.
OPTIONS: dict[str, Any] = {
    "dev-crash-after": False,
    "dev-fail-on-subdaemon-fail": False,
    "dev-no-reconnect": False,
    "dev-save-plugin-io": False,
    "log-level": "debug",
}


class Demo:
    """One run: its processes, and what has been mined in it."""

    def __init__(self, folder: Path, bitcoind: Path) -> None:
        self.folder = folder
        self.bitcoind = Bitcoind(folder / "bitcoind", bitcoind)
        self.nodes = NodeFactory(folder, self.bitcoind)
        self._started_at = time.monotonic()

    def say(self, text: str) -> None:
        """One step of progress."""
        print(f"[{time.monotonic() - self._started_at:5.1f} s] {text}", flush=True)

    def run(self) -> None:
        """The whole story. Raises where something does not come out as it should."""
        self.say("starting bitcoind (regtest) and mining the first coins")
        self.bitcoind.start()
        self.say("starting l1, l2, l3")
        l1, l2, l3 = self.nodes.make_many(3, OPTIONS)
        for node in (l1, l2, l3):
            print(f"          {node.name}  {node.id}")
        first_height = self.bitcoind.height()
        self.fund(l1, l2)
        scids = self.open_channels([(l1, l2), (l2, l3)])
        self.say("waiting until l1 knows the way to l3")
        self.nodes.wait_announced(scids, [l1, l2, l3])
        pairs = [(l1, l2, scids[0]), (l2, l3, scids[1])]
        self.draw("the channels at first", pairs)
        self.pay(l1, l3, PAYMENT_SAT)
        self.draw("the channels after the payment", pairs)
        self.restart(l2, pairs)
        self.pay(l3, l1, RETURN_SAT)
        self.draw("the channels after the second payment", pairs)
        self.close_channels([(l1, l2), (l2, l3)])
        self.count([l1, l2, l3], first_height)

    def fund(self, *openers: Node) -> None:
        """Give the openers coins."""
        self.say(f"sending {FUNDS_SAT:,} sat to {' and '.join(node.name for node in openers)}")
        txids = [self.nodes.fund_wallet(node, FUNDS_SAT, mine=False) for node in openers]
        self.nodes.mine(1, wait_for_mempool=txids)
        for node in openers:
            wait_for(lambda n=node: n.spendable_sat() == FUNDS_SAT, f"{node.name}'s coins")  # type: ignore[misc]

    def open_channels(self, pairs: list[tuple[Node, Node]]) -> list[str]:
        """Open one announced channel for each pair; returns their short channel ids."""
        txids = []
        for opener, accepter in pairs:
            self.say(
                f"{opener.name} connects to {accepter.name} and opens a channel of {CHANNEL_SAT:,} sat"
            )
            self.nodes.connect(opener, accepter)
            txids.append(opener.rpc("fundchannel", id=accepter.id, amount=CHANNEL_SAT)["txid"])
        self.say("mining six blocks: the channels become usable and are announced")
        self.nodes.mine(6, wait_for_mempool=txids)
        scids = []
        for (opener, accepter), txid in zip(pairs, txids, strict=True):
            self.nodes.wait_normal(opener, accepter, txid)
            scids.append(str(self.nodes.channel(opener, accepter, txid)["short_channel_id"]))
        return scids

    def pay(self, payer: Node, payee: Node, amount_sat: int) -> None:
        """Pay one invoice."""
        label = f"{payer.name} to {payee.name}"
        invoice = payee.rpc(
            "invoice", amount_msat=amount_sat * 1000, label=label, description="a demonstration"
        )
        self.say(
            f"{payer.name} pays {payee.name}'s invoice of {amount_sat:,} sat: {invoice['bolt11'][:40]}..."
        )
        started_at = time.monotonic()
        paid = payer.rpc("pay", bolt11=invoice["bolt11"])
        took_ms = (time.monotonic() - started_at) * 1000
        fee_msat = paid["amount_sent_msat"] - paid["amount_msat"]
        status = payee.rpc("listinvoices", label=label)["invoices"][0]["status"]
        if paid["status"] != "complete" or status != "paid":
            raise RuntimeError(f"the payment is {paid['status']}, the invoice {status}")
        self.say(
            f"paid in {took_ms:.0f} ms; l2 earned {fee_msat / 1000:,.3f} sat for passing it on"
        )
        print(f"          proof of payment (preimage): {paid['payment_preimage']}", flush=True)

    def draw(self, title: str, pairs: list[tuple[Node, Node, str]]) -> None:
        """Show who owns how much of each channel, once nothing is under way in it."""
        self.say(title)
        for left, right, scid in pairs:
            channel = wait_for(
                lambda x=left, y=right, s=scid: settled_channel(x, y, s),  # type: ignore[misc]
                f"the channel of {left.name} and {right.name} to be at rest",
            )
            assert channel is not None
            ours_msat, total_msat = channel["to_us_msat"], channel["total_msat"]
            filled = round(BAR_WIDTH * ours_msat / total_msat)
            bar = "#" * filled + "." * (BAR_WIDTH - filled)
            print(
                f"          {left.name} {ours_msat / 1000:>13,.3f} [{bar}] "
                f"{(total_msat - ours_msat) / 1000:>13,.3f} {right.name}",
                flush=True,
            )

    def restart(self, node: Node, pairs: list[tuple[Node, Node, str]]) -> None:
        """Stop a node and start it again; its peers come back by themselves."""
        self.say(f"stopping {node.name} and starting it again")
        node.stop()
        node.start()
        for left, right, _ in pairs:
            for one, other in ((left, right), (right, left)):
                wait_for(
                    lambda x=one, y=other: is_reestablished(x, y),  # type: ignore[misc]
                    f"{one.name} to have its channel with {other.name} again",
                )
        self.say(f"{node.name} has its peers and channels again")

    def close_channels(self, pairs: list[tuple[Node, Node]]) -> None:
        """Close by agreement and mine the closing transactions."""
        txids = []
        for closer, peer in pairs:
            result = closer.rpc("close", id=peer.id)
            txid = result["txids"][-1] if "txids" in result else result["txid"]
            self.say(f"{closer.name} and {peer.name} close by {result['type']} agreement: {txid}")
            txids.append(txid)
        self.nodes.mine(1, wait_for_mempool=txids)

    def count(self, nodes: list[Node], first_height: int) -> None:
        """Show what each wallet holds; with the miners' fees it must be all that was put in."""
        put_in_sat = 2 * FUNDS_SAT
        fees_sat = self.fees_since(first_height + 2)

        def held() -> dict[str, int]:
            return {node.name: node.spendable_sat() for node in nodes}

        wait_for(
            lambda: sum(held().values()) + fees_sat == put_in_sat,
            "every satoshi to be accounted for",
        )
        self.say("on the chain again:")
        for name, amount_sat in held().items():
            print(f"          {name:<12}{amount_sat:>12,} sat")
        print(f"          {'miners':<12}{fees_sat:>12,} sat")
        print(
            f"          {'together':<12}{put_in_sat:>12,} sat, which is what was put in", flush=True
        )

    def fees_since(self, height: int) -> int:
        """Fees, in sat, of all transactions from this block on."""
        total_sat = 0
        for number in range(height, self.bitcoind.height() + 1):
            block = self.bitcoind.rpc("getblock", self.bitcoind.rpc("getblockhash", number), 2)
            total_sat += sum(int(tx.get("fee", 0) * SAT_PER_BTC) for tx in block["tx"])
        return total_sat

    def print_aliases(self) -> None:
        """How to use the network that was left running, and how to stop it."""
        cli = f"{Path(sys.executable).parent}/lightning-cli"
        print("\nThe network is left running. To use it:\n")
        for node in self.nodes.nodes:
            print(
                f"  alias {node.name}-cli='{cli} --lightning-dir={node.folder} --network=regtest'"
            )
        print(
            f"  alias bt-cli='{bitcoin_cli(self.bitcoind.program)} -datadir={self.bitcoind.folder}'"
        )
        stops = "; ".join(f"{node.name}-cli stop" for node in self.nodes.nodes)
        # They answer before they have ended: what is removed under them comes back.
        alive = f'"$(ls {self.folder}/*/*.pid {self.folder}/*/*/*.pid 2>/dev/null)"'
        wait = f"while [ {alive} ]; do sleep 0.2; done"
        print(
            f"\nLogs: {self.folder}/l*/log. To stop it:\n\n  {stops}; bt-cli stop; {wait}; rm -r {self.folder}\n"
        )

    def close(self) -> list[str]:
        """Stop everything; returns what went wrong."""
        problems = self.nodes.close()
        self.bitcoind.close()
        return problems


def is_reestablished(node: Node, peer: Node) -> bool:
    """Whether every channel of the two can be used, as this node sees it: connected alone is too early."""
    channels = node.channels(peer)
    return bool(channels) and all(channel.get("reestablished") for channel in channels)


def settled_channel(left: Node, right: Node, scid: str) -> dict[str, Any] | None:
    """The left node's channel, or None while the two still agree on a change."""
    ours = next(c for c in left.channels(right) if c.get("short_channel_id") == scid)
    theirs = next(c for c in right.channels(left) if c.get("short_channel_id") == scid)
    balanced = ours["to_us_msat"] + theirs["to_us_msat"] == ours["total_msat"]
    return ours if balanced and not ours["htlcs"] and not theirs["htlcs"] else None


def main(argv: list[str] | None = None) -> int:
    """Run the demonstration; 1 where something went wrong (the folder is then kept)."""
    parser = argparse.ArgumentParser(
        prog="demo", description="three nodes pay one another on regtest"
    )
    parser.add_argument("--keep", action="store_true", help="leave the network running")
    parser.add_argument("--bitcoind", metavar="PATH", help="take this bitcoind")
    args = parser.parse_args(argv)
    try:
        bitcoind = get(args.bitcoind)
    except NoBitcoindError as error:
        print(error, file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="ln-demo-"))
    demo = Demo(folder, bitcoind)
    finished = kept = False
    problems: list[str] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        demo.run()
        finished = True
        if args.keep:
            demo.print_aliases()
            kept = True
    except (OSError, RuntimeError, AssertionError, RpcError, BitcoindError) as error:
        print(f"\nThe demonstration failed: {error}\n\n{demo.nodes.transcript()}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nstopping everything...", file=sys.stderr)
    finally:
        if not kept:
            problems = demo.close()
    if problems:
        print("\n".join(problems), file=sys.stderr)
    if not finished or problems:
        print(f"The nodes' folders are kept in {folder}", file=sys.stderr)
        return 1
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
        demo.say("done; all processes are stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
