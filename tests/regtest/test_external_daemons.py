"""Each daemon of a node started by hand, as one does to have it under a debugger."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.regtest.network import NodeFactory
from tests.regtest.node import REPOSITORY, Node
from tests.regtest.sending import new_invoice
from tests.regtest.waiting import TIMEOUT_S, wait_for

DAEMONS = ("hsmd", "connectd", "gossipd", "openingd", "channeld-0", "closingd", "onchaind")
TOLD = re.compile(r"Waiting for (\S+)\. Start it with:\n  (.+)\n")


class Developer:
    """Starts what the node says that it waits for."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._home = threading.Event()
        self._thread = threading.Thread(target=self._work, name="developer")
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def _work(self) -> None:
        while not self._home.wait(0.05):
            told = TOLD.findall(self._node.errlog.read_text()) if self._node.errlog.exists() else []
            for name, command in told:
                if name not in self.started:
                    self.started[name] = subprocess.Popen(
                        shlex.split(command), env=os.environ | {"PYTHONPATH": str(REPOSITORY)}
                    )

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._home.set()
            self._thread.join()
            for process in self.started.values():
                if process.poll() is None:
                    process.kill()
                process.wait()


def test_every_daemon_may_be_started_by_hand(node_factory: NodeFactory) -> None:
    l2 = node_factory.make()
    l1 = node_factory.make({"external-daemon": list(DAEMONS), "channeld-workers": 1}, start=False)
    developer = Developer(l1)
    with developer.at_work():
        l1.start()
        node_factory.open_channel(l1, l2)
        l1.rpc("pay", bolt11=new_invoice(l2, 1_000_000)["bolt11"])
        txid = l1.rpc("close", id=l2.id)["txids"][0]
        node_factory.mine(1, wait_for_mempool=txid)
        l1.wait_for_log("onchaind: pid .* running")
        assert sorted(developer.started) == sorted(DAEMONS)
        assert all(process.poll() is None for process in developer.started.values())
        l1.kill9()
        # Without their node they end by themselves, as the others do.
        wait_for(
            lambda: all(process.poll() is not None for process in developer.started.values()),
            "daemons to end",
            TIMEOUT_S,
        )
    l1.options["external-daemon"] = False
    l1.start()
