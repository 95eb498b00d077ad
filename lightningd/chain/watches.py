"""Who waits for what in the chain: confirmations of a transaction, the spending of an output, payments to a script.

A pure index: `scan` says which watches a block fires, the watcher calls them. Watches live in memory; their owners
register them again at start, from their own rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.chain.block import Block

OnDepth = Callable[[int], object]
"""Called with the depth: 1 in the newest block, more as blocks come, 0 when a reorganisation took it out."""
OnSpend = Callable[[Tx, int, int], object]
"""Called with the spending transaction, the number of the input, and the block's height."""
OnPaid = Callable[[Tx, int, int], object]
"""Called with the transaction, the number of the output, and the block's height."""


@dataclass(eq=False)
class Watch:
    """Common part: a watch ends when its owner cancels it."""

    index: WatchIndex
    cancelled: bool = False

    def cancel(self) -> None:
        """Stop watching. May be called from its own callback."""
        if not self.cancelled:
            self.cancelled = True
            self.index.remove(self)


@dataclass(eq=False)
class TxWatch(Watch):
    """Waits for a transaction and counts its confirmations."""

    txid: Txid = Txid(b"")
    on_depth: OnDepth = lambda _: None
    height: int | None = None
    """Block that holds it, once there is one; `tx_index` is its place there."""
    tx_index: int | None = None
    tx: Tx | None = None
    """The transaction, where it was seen in a block since the start."""
    enough: int | None = None
    """A depth beyond which its owner need not hear of each further block; None: always."""


@dataclass(eq=False)
class SpendWatch(Watch):
    """Waits for an output to be spent."""

    outpoint: Outpoint = Outpoint(Txid(b""), 0)
    on_spend: OnSpend = lambda _tx, _index, _height: None


@dataclass(eq=False)
class ScriptWatch(Watch):
    """Waits for outputs with a script."""

    script: bytes = b""
    on_paid: OnPaid = lambda _tx, _index, _height: None


@dataclass(frozen=True, slots=True)
class TxSeen:
    """A watched transaction is in the block."""

    watch: TxWatch
    tx: Tx
    tx_index: int


@dataclass(frozen=True, slots=True)
class Spent:
    """A watched output is spent."""

    watch: SpendWatch
    tx: Tx
    input_index: int
    tx_index: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A watched script is paid."""

    watch: ScriptWatch
    tx: Tx
    output_index: int
    output: TxOut
    tx_index: int


Fired = TxSeen | Spent | Paid
W = TypeVar("W", bound=Watch)
K = TypeVar("K")


class _Bucket(Generic[K, W]):
    """Watches by key, in the order they came."""

    def __init__(self) -> None:
        self._by_key: dict[K, list[W]] = {}

    def add(self, key: K, watch: W) -> None:
        self._by_key.setdefault(key, []).append(watch)

    def remove(self, key: K, watch: W) -> None:
        watches = self._by_key.get(key, [])
        if watch in watches:
            watches.remove(watch)
        if not watches:
            self._by_key.pop(key, None)

    def get(self, key: K) -> tuple[W, ...]:
        watches = self._by_key.get(key)
        return tuple(watches) if watches else ()

    def all(self) -> Iterator[W]:
        for watches in self._by_key.values():
            yield from watches


class WatchIndex:
    """All watches."""

    def __init__(self) -> None:
        self._txs: _Bucket[Txid, TxWatch] = _Bucket()
        self._spends: _Bucket[Outpoint, SpendWatch] = _Bucket()
        self._scripts: _Bucket[bytes, ScriptWatch] = _Bucket()

    def watch_tx(
        self,
        txid: Txid,
        on_depth: OnDepth,
        height: int | None = None,
        tx_index: int | None = None,
        enough: int | None = None,
    ) -> TxWatch:
        """Watch a transaction; `height` where its owner knows that it is confirmed."""
        watch = TxWatch(
            self, txid=txid, on_depth=on_depth, height=height, tx_index=tx_index, enough=enough
        )
        self._txs.add(txid, watch)
        return watch

    def watch_spend(self, outpoint: Outpoint, on_spend: OnSpend) -> SpendWatch:
        """Watch an output."""
        watch = SpendWatch(self, outpoint=outpoint, on_spend=on_spend)
        self._spends.add(outpoint, watch)
        return watch

    def watch_script(self, script: bytes, on_paid: OnPaid) -> ScriptWatch:
        """Watch a script."""
        watch = ScriptWatch(self, script=script, on_paid=on_paid)
        self._scripts.add(script, watch)
        return watch

    def remove(self, watch: Watch) -> None:
        """Forget a watch: its `cancel` does this."""
        match watch:
            case TxWatch():
                self._txs.remove(watch.txid, watch)
            case SpendWatch():
                self._spends.remove(watch.outpoint, watch)
            case ScriptWatch():
                self._scripts.remove(watch.script, watch)
            case _:
                raise TypeError(f"{watch!r} is of no known kind")

    def scan(self, block: Block) -> Iterator[Fired]:
        """What a block fires, transaction by transaction: spends, then payments, then the transaction itself.

        Lazy, so that a callback of an earlier event may add watches that a later transaction, or the same one,
        fires: whoever learns of a spend often wants to watch the spending transaction.
        """
        for tx_index, (tx, txid) in enumerate(zip(block.txs, block.txids, strict=True)):
            for input_index, txin in enumerate(tx.inputs):
                for spend in self._spends.get(txin.outpoint):
                    if not spend.cancelled:
                        yield Spent(spend, tx, input_index, tx_index)
            for output_index, output in enumerate(tx.outputs):
                for script in self._scripts.get(output.script):
                    if not script.cancelled:
                        yield Paid(script, tx, output_index, output, tx_index)
            for seen in self._txs.get(txid):
                if not seen.cancelled:
                    yield TxSeen(seen, tx, tx_index)

    def confirmed(self) -> list[TxWatch]:
        """Transactions that are in a block."""
        return [w for w in self._txs.all() if w.height is not None]

    def deepened(self, height: int) -> list[TxWatch]:
        """Whose owners want to hear that there is one more block, `height`, on top of them."""
        return [
            w
            for w in self._txs.all()
            if w.height is not None
            and w.height < height
            and (w.enough is None or height - w.height < w.enough)
        ]

    def at_height(self, height: int) -> list[TxWatch]:
        """Transactions in the block of this height: when the block goes, they are unconfirmed again."""
        return [w for w in self._txs.all() if w.height == height]


def outpoints_spent(txs: Iterable[Tx]) -> set[Outpoint]:
    """Everything that these transactions spend."""
    return {txin.outpoint for tx in txs for txin in tx.inputs}
