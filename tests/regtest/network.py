"""Several nodes on one chain: making them, connecting, funding, and taking them down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.node import Node, Options
from tests.regtest.waiting import wait_for

ANNOUNCE_DEPTH = 6
WALLET_MARGIN_SAT = 1_000_000
CHANNEL_SAT = 1_000_000
SPEAKING = ("CHANNELD_AWAITING_LOCKIN", "CHANNELD_NORMAL", "CHANNELD_SHUTTING_DOWN")
"""States of a channel that is taken up on each connection."""


class NodeFactory:
    """Nodes l1, l2, ... of one test."""

    def __init__(self, folder: Path, bitcoind: Bitcoind, letter: str = "l") -> None:
        """letter: of the names, from which come the keys. Two factories at work on one chain need two."""
        self.folder = folder
        self._letter = letter
        self.bitcoind = bitcoind
        self.first_height = 0
        """The chain before the first node."""
        self.nodes: list[Node] = []

    # -- nodes

    def make(self, options: Options | None = None, *, start: bool = True, **more: Any) -> Node:
        """One more node, started and in step with the chain. `more`: allow_trouble, may_crash."""
        if not self.nodes:
            if self.bitcoind.mempool():
                # What an earlier test sent in its last moments would be counted by those who wait for transactions.
                self.bitcoind.generate(1)
            # Node ids are the same in every test, and a node looks one block back: hide an earlier test's coins.
            self.bitcoind.rpc("generateblock", self.bitcoind.new_address(), [])
            self.first_height = self.bitcoind.height()
        name = f"{self._letter}{len(self.nodes) + 1}"
        node = Node(name, self.folder / name, self.bitcoind, options, **more)
        self.nodes.append(node)
        if start:
            node.start()
        return node

    def make_many(
        self, count: int, options: Options | list[Options] | None = None, **more: Any
    ) -> list[Node]:
        """Several nodes, started side by side. options: the same for all, or one set for each."""
        each = options if isinstance(options, list) else [options or {}] * count
        made = [self.make(each[n], start=False, **more) for n in range(count)]
        for node in made:
            node.start(wait=False)
        for node in made:
            node.wait_ready()
        return made

    def close(self) -> list[str]:
        """End all nodes, side by side; returns what was wrong."""
        with ThreadPoolExecutor(max(1, len(self.nodes))) as pool:
            each = list(pool.map(Node.close, self.nodes))
        return [problem for problems in each for problem in problems]

    def transcript(self) -> str:
        """The end of each node's log, for a failed test."""
        parts = []
        for node in self.nodes:
            complaint = (
                node.errlog.read_text(errors="replace")[-3000:] if node.errlog.exists() else ""
            )
            parts.append(f"--- {node.name} ({node.folder})\n{node.log.tail()}\n{complaint}")
        return "\n".join(parts)

    # -- the chain

    def mine(self, blocks: int = 1, *, wait_for_mempool: int | str | list[str] = 0) -> None:
        """Mine, and wait until every running node has seen it."""
        self.bitcoind.generate(blocks, wait_for_mempool=wait_for_mempool)
        self.sync()

    def mine_until(self, node: Node, *patterns: str) -> None:
        """Mine what comes into the mempool, block by block, until a node has logged these.

        Where several transactions are on their way, one of them in the mempool says nothing about the others.
        """

        def logged() -> bool:
            if self.bitcoind.mempool():
                self.mine(1)
            return node.log.found(*patterns)

        wait_for(logged, f"{node.name} to log {patterns}")

    def sync(self) -> None:
        """Wait until every running node has seen the newest block."""
        running = [node for node in self.nodes if node.is_running]
        with ThreadPoolExecutor(max(1, len(running))) as pool:
            for _ in pool.map(Node.sync, running):
                pass

    def fund_wallet(self, node: Node, amount_sat: int, *, mine: bool = True) -> str:
        """Give a node confirmed coins; returns the txid."""
        address = node.rpc("newaddr", addresstype="bech32")["bech32"]
        before = node.spendable_sat()
        txid = self.bitcoind.pay(address, amount_sat)
        if mine:
            self.mine(1, wait_for_mempool=txid)
            wait_for(lambda: node.spendable_sat() >= before + amount_sat, f"{node.name}'s coins")
        return txid

    # -- peers and channels

    def connect(self, first: Node, second: Node) -> None:
        """Connect, and wait until both sides know."""
        first.rpc("connect", id=second.id, host="127.0.0.1", port=second.port)
        wait_for(lambda: second.is_connected(first), f"{second.name} to see {first.name}")

    def open_channel(
        self,
        opener: Node,
        accepter: Node,
        amount_sat: int = CHANNEL_SAT,
        *,
        push_msat: int = 0,
        announce: bool = True,
        wait_for_announcement: bool = False,
    ) -> str:
        """Fund, open and lock in a channel; returns its short channel id."""
        if not opener.is_connected(accepter):
            self.connect(opener, accepter)
        if opener.spendable_sat() < amount_sat + WALLET_MARGIN_SAT // 10:
            self.fund_wallet(opener, amount_sat + WALLET_MARGIN_SAT)
        params: dict[str, Any] = {"id": accepter.id, "amount": amount_sat, "announce": announce}
        if push_msat:
            params["push_msat"] = push_msat
        txid = opener.rpc("fundchannel", **params)["txid"]
        depth = ANNOUNCE_DEPTH if wait_for_announcement else 1
        self.mine(depth, wait_for_mempool=txid)
        self.wait_normal(opener, accepter, txid)
        scid = self.channel(opener, accepter, txid)["short_channel_id"]
        if wait_for_announcement:
            self.wait_announced([scid], [opener, accepter])
        return str(scid)

    def channel(self, node: Node, peer: Node, funding_txid: str) -> dict[str, Any]:
        """listpeerchannels' entry for one channel."""
        return next(c for c in node.channels(peer) if c.get("funding_txid") == funding_txid)

    def wait_normal(self, first: Node, second: Node, funding_txid: str) -> None:
        """Wait until a channel can be used, seen from both sides."""
        for node, peer in ((first, second), (second, first)):
            wait_for(
                lambda n=node, p=peer: (
                    self.channel(n, p, funding_txid)["state"] == "CHANNELD_NORMAL"
                ),  # type: ignore[misc]
                f"CHANNELD_NORMAL of {node.name} with {peer.name}",
            )

    def wait_announced(self, scids: list[str], nodes: list[Node]) -> None:
        """Wait until nodes know both directions of these channels as active."""
        for node in nodes:
            for scid in scids:
                wait_for(lambda n=node, s=scid: knows(n, s), f"{node.name} to know channel {scid}")  # type: ignore[misc]

    def line_graph(
        self,
        count: int,
        amount_sat: int = CHANNEL_SAT,
        *,
        options: Options | list[Options] | None = None,
        wait_for_announcement: bool = True,
        **more: Any,
    ) -> list[Node]:
        """l1 - l2 - ... with a channel from each to the next; announced channels are known to all at the end."""
        made = self.make_many(count, options, **more)
        pairs = list(zip(made, made[1:], strict=False))
        for opener, _ in pairs:
            self.fund_wallet(opener, amount_sat + WALLET_MARGIN_SAT, mine=False)
        self.mine(1, wait_for_mempool=len(pairs))
        for opener, _ in pairs:
            wait_for(opener.spendable_sat, f"{opener.name}'s coins")
        txids = []
        for opener, accepter in pairs:
            self.connect(opener, accepter)
            txids.append(opener.rpc("fundchannel", id=accepter.id, amount=amount_sat)["txid"])
        self.mine(ANNOUNCE_DEPTH if wait_for_announcement else 1, wait_for_mempool=txids)
        scids = []
        for (opener, accepter), txid in zip(pairs, txids, strict=True):
            self.wait_normal(opener, accepter, txid)
            scids.append(self.channel(opener, accepter, txid)["short_channel_id"])
        if wait_for_announcement:
            self.wait_announced(scids, made)
        return made

    # -- payments

    def pay(self, payer: Node, payee: Node, amount_msat: int, command: str = "pay") -> str:
        """Pay an invoice of payee's; returns the preimage (hex)."""
        label = f"{payer.name}-{len(payee.rpc('listinvoices')['invoices'])}"
        invoice = payee.rpc("invoice", amount_msat=amount_msat, label=label, description=label)
        name = "invstring" if command == "xpay" else "bolt11"
        result = payer.rpc(command, **{name: invoice["bolt11"]})
        return str(result["payment_preimage"])


def wait_back(*nodes: Node, states: tuple[str, ...] = SPEAKING) -> None:
    """Wait until the channels between nodes, given in a line, are connected and in step, seen from both ends.

    There and back again: when one of them has just restarted, a neighbour may still speak of the old connection
    until it is seen in step itself.
    """
    for node in (*nodes, *reversed(nodes[:-1])):
        wait_for(lambda n=node: _in_step(n, nodes, states), f"{node.name} to be back")  # type: ignore[misc]


def _in_step(node: Node, others: tuple[Node, ...], states: tuple[str, ...]) -> bool:
    ids = {other.id for other in others}
    return all(
        c["peer_connected"] and c.get("reestablished")
        for c in node.channels()
        if c["peer_id"] in ids and c["state"] in states
    )


def knows(node: Node, scid: str) -> bool:
    """Whether a node has both directions of a channel as active."""
    channels = node.rpc("listchannels", short_channel_id=scid)["channels"]
    return len(channels) == 2 and all(channel["active"] for channel in channels)
