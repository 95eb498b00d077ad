"""Our own transactions, given to the network again and again until they are in a block. Pure.

The watcher sends what `due` names and tells the outcome. A transaction that may not be mined before some height is
held back until the block before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import Txid

FINAL_DEPTH = 100
"""Blocks after which no reorganisation is expected to bring a transaction back."""

OnResult = Callable[[bool, str], object]
"""Called after the first attempt: whether the backend took it, and its message if not."""


@dataclass(eq=False)
class Outgoing:
    """A transaction on its way."""

    tx: Tx
    txid: Txid
    min_block: int = 0
    """First block that may hold it."""
    allow_high_fees: bool = False
    owner: object = None
    """Whose it is, so that all of an owner's can be dropped at once."""
    on_result: OnResult | None = None
    refresh: Callable[[], Tx | None] | None = None
    """Called before each repetition: the transaction to send now (it may have a higher fee), or None to stop."""
    why: str | None = None
    parents: tuple[Tx, ...] = ()
    """Unconfirmed transactions that it pays for: where it is refused alone, they go with it as a package."""
    sent: bool = False
    confirmed_at: int | None = None
    """Height of the block that holds it."""

    def may_go(self, height: int) -> bool:
        """Whether the next block may hold it."""
        return self.confirmed_at is None and height + 1 >= self.min_block


class Broadcasts:
    """All transactions that are not yet deep in the chain."""

    def __init__(self) -> None:
        self._outgoing: dict[Txid, Outgoing] = {}

    def add(self, outgoing: Outgoing) -> bool:
        """Keep a transaction for repetition; False where it is there already."""
        if outgoing.txid in self._outgoing:
            return False
        self._outgoing[outgoing.txid] = outgoing
        return True

    def drop(self, txid: Txid) -> None:
        """Forget one that is of no use any more."""
        self._outgoing.pop(txid, None)

    def drop_owner(self, owner: object) -> None:
        """Forget all of one owner."""
        for txid in [t for t, o in self._outgoing.items() if o.owner == owner]:
            del self._outgoing[txid]

    def on_block(self, height: int, txids: Iterable[Txid]) -> None:
        """A block holds these transactions: ours among them need no repetition, unless the block goes."""
        for txid in txids:
            if txid in self._outgoing:
                self._outgoing[txid].confirmed_at = height
        for txid, outgoing in list(self._outgoing.items()):
            if outgoing.confirmed_at is not None and height - outgoing.confirmed_at >= FINAL_DEPTH:
                del self._outgoing[txid]

    def on_reorg(self, height: int) -> None:
        """The block of this height is gone, and what it held must be sent again."""
        for outgoing in self._outgoing.values():
            if outgoing.confirmed_at is not None and outgoing.confirmed_at >= height:
                outgoing.confirmed_at = None

    def due(self, height: int) -> list[Outgoing]:
        """What to send now, with the newest version of each."""
        ready: list[Outgoing] = []
        for txid, outgoing in list(self._outgoing.items()):
            if not outgoing.may_go(height):
                continue
            if outgoing.sent and outgoing.refresh is not None:
                newer = outgoing.refresh()
                del self._outgoing[txid]
                if newer is None:
                    continue
                outgoing.tx, outgoing.txid = newer, newer.txid()
                self._outgoing[outgoing.txid] = outgoing
            ready.append(outgoing)
        return ready

    def __contains__(self, txid: Txid) -> bool:
        return txid in self._outgoing

    def __len__(self) -> int:
        return len(self._outgoing)
