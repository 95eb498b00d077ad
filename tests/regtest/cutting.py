"""Two nodes whose connection breaks where a test says, by `--dev-disconnect`."""

from __future__ import annotations

import re

from tests.regtest.network import NodeFactory, wait_back
from tests.regtest.node import Node

OPTIONS = {"dev-no-reconnect": False, "dev-fast-reconnect": True}
BEFORE, AFTER, RECEIVED, DROPPED, COUNTED, MUTE, HOLE = "-+<$=x0"
CUTS = (BEFORE, AFTER, RECEIVED)


class Scissors:
    """l1 and l2, with a channel that is always there, so that they reconnect by themselves."""

    def __init__(self, factory: NodeFactory, *, coins_sat: int = 0) -> None:
        self.factory = factory
        paths = [factory.folder / f"cuts-{n}" for n in (1, 2)]
        for path in paths:
            path.write_text("")
        options = [OPTIONS | {"dev-disconnect": path} for path in paths]
        self.l1, self.l2 = factory.make_many(2, options)
        self.both = (self.l1, self.l2)
        self._paths = dict(zip(self.both, paths, strict=True))
        self._armed = 0
        factory.open_channel(self.l1, self.l2, push_msat=500_000_000)
        if coins_sat:
            factory.fund_wallet(self.l1, coins_sat)
        self.wait_whole()

    def other(self, node: Node) -> Node:
        """Whom it talks to."""
        return self.l2 if node is self.l1 else self.l1

    def arm(self, kind: str, message: str, sender: Node, count: int = 1) -> Node:
        """Let the connection break at the sender's next, or later, message of this name; returns whose line it is."""
        node = self.other(sender) if kind == RECEIVED else sender
        # The same line twice means a different thing each time: the second time in other words.
        self._armed += 1
        suffix = "" if count == 1 and self._armed % 2 else f"*{count}"
        if count > 1 and self._armed % 2:
            suffix = f"*0{count}"
        for each in self.both:
            lines = f"{kind}{message}{suffix}\n" if each is node else ""
            new = self._paths[each].with_suffix(".new")
            new.write_text(lines)
            new.replace(self._paths[each])
            each.log.mark()
        return node

    def wait_used(self, node: Node, kind: str, message: str) -> None:
        """Wait until a line was used."""
        node.wait_for_log(rf"dev_disconnect: {re.escape(kind + message)} \({message}\)")

    def wait_back(self, node: Node, kind: str, message: str) -> None:
        """Wait until a line was used, and then until all is well again."""
        self.wait_used(node, kind, message)
        # In the log of the one that cut there is nothing of the old connection behind that line.
        node.wait_for_log("peer_in WIRE_CHANNEL_REESTABLISH")
        self.wait_whole()

    def wait_whole(self) -> None:
        """Wait until both are connected and all their channels are in step, seen from both."""
        wait_back(*self.both)
