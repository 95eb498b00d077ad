"""The parts of the node that claims use, without processes: signatures by hsmd's core, a network that takes everything."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import peewee

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import Txid
from pylightningd.lightningd.control.claims import Claims
from pylightningd.lightningd.db import models
from pylightningd.lightningd.db.onchain_io import OnchainStore
from tests.lightningd.control.fake_wallet import FakeWallet
from tests.onchaind.rig import HEIGHT, Rig

CHANNEL: Any = SimpleNamespace(dbid=1, peer_id=b"\x02" * 33)


class FakeNode:
    """The parts of the node that claims use; everything happens at once."""

    def __init__(self, store: OnchainStore, rig: Rig, wallet: FakeWallet | None = None) -> None:
        self._rig = rig
        self.sent: list[Tx] = []
        self.held_back: dict[Txid, tuple[Tx, dict[str, Any]]] = {}
        self.dropped: list[Txid] = []
        self.tasks: list[Coroutine[Any, Any, None]] = []
        self.rate = 1000
        self.refuse = ""
        self.lines: list[str] = []
        self.held: list[Callable[[], object]] | None = None
        self.turn = SimpleNamespace(
            do=self._do, after_commit=self._after_commit, submit=lambda fn: fn()
        )
        self.hsm = SimpleNamespace(ask=self._ask)
        self.chain = SimpleNamespace(
            height=HEIGHT,
            feerates=SimpleNamespace(for_deadline=lambda _d, _h: self.rate, floor_perkw=253),
            broadcast=self._broadcast,
            broadcasts=SimpleNamespace(drop=self._drop),
        )
        self.wallet = wallet or FakeWallet(lambda: self.chain.height)
        self.claims = Claims(self, store)  # type: ignore[arg-type]

    def _after_commit(self, effect: Callable[[], object]) -> None:
        if self.held is None:
            effect()
        else:
            self.held.append(effect)

    def commit(self) -> None:
        """Of the turn that began with `held = []`."""
        effects, self.held = self.held or [], None
        for effect in effects:
            effect()
        self.run()

    async def _do(self, fn: Any) -> Any:
        return fn()

    async def _ask(self, request: Any) -> Any:
        return self._rig.hsm.handle(0, request)

    async def _broadcast(self, tx: Tx, **how: Any) -> tuple[bool, str]:
        if self.chain.height + 1 < how["min_block"]:
            self.held_back[tx.txid()] = tx, how
            return True, ""
        self.sent.append(tx)
        how["on_result"](not self.refuse, self.refuse)
        return not self.refuse, self.refuse

    def _drop(self, txid: Txid) -> None:
        self.dropped.append(txid)
        self.held_back.pop(txid, None)

    def repeat(self) -> None:
        """Send what was held back and may go now."""
        for txid, (tx, how) in list(self.held_back.items()):
            if self.chain.height + 1 >= how["min_block"]:
                del self.held_back[txid]
                finish(self._broadcast(tx, **how))

    def spawn(self, coro: Coroutine[Any, Any, None], _name: str) -> None:
        self.tasks.append(coro)

    def log(self, _level: str, text: str, **_fields: Any) -> None:
        self.lines.append(text)

    def run(self) -> None:
        """Finish every task: nothing in them really waits."""
        while self.tasks:
            finish(self.tasks.pop(0))

    def block(self, height: int) -> None:
        self.chain.height = height
        self.claims.on_block(height)
        self.run()


def finish(coro: Coroutine[Any, Any, Any]) -> Any:
    try:
        coro.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def open_store() -> OnchainStore:
    """An empty one, in memory."""
    database = peewee.SqliteDatabase(":memory:")
    models.bind(database)
    database.create_tables(models.all_tables())
    return OnchainStore(database)
