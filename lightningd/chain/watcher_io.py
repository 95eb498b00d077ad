"""The chain watcher: follows the best chain block by block and tells everybody what it means for them.

One block is one turn: its row, and all that watchers change because of it, are one transaction. A reorganisation
takes blocks off the same way, one turn each. After a restart the newest blocks are walked through again
(``--rescan``), so that nothing is missed that was watched too late or not written down.

Not here: which block comes next (`blocks.py`), who waits for what (`watches.py`), feerates (`feerates.py`).
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import peewee

from pylightningd.common.amount import Sat
from pylightningd.common.errors import BackendError, UserError
from pylightningd.common.ids import Outpoint, ShortChannelId, Txid
from pylightningd.lightningd.chain.backend_io import Backend
from pylightningd.lightningd.chain.backend_sync_io import BackendSync, ChainError, ChainSettings
from pylightningd.lightningd.chain.block import Block
from pylightningd.lightningd.chain.broadcaster_io import Broadcaster
from pylightningd.lightningd.chain.feerates import Feerates
from pylightningd.lightningd.chain.turn_like import TurnLike
from pylightningd.lightningd.chain.watches import (
    OnDepth,
    OnPaid,
    OnSpend,
    Paid,
    ScriptWatch,
    SpendWatch,
    Spent,
    TxSeen,
    TxWatch,
    WatchIndex,
)
from pylightningd.lightningd.db.chain_io import ChainStore

R = TypeVar("R")
OnBlock = Callable[[int, Block], object]
OnReorg = Callable[[int], object]
CACHED_BLOCKS = 12
WAIT_TIMEOUT = 2000


@dataclass(frozen=True, slots=True)
class ChannelTxOut:
    """A channel's funding output as the chain has it."""

    outpoint: Outpoint
    amount: Sat
    script: bytes


@dataclass(eq=False)
class _HeightWaiter:
    height: int
    reached: asyncio.Event


@dataclass(frozen=True, slots=True)
class _Late:
    """A watch that may have come after its block."""

    watch: SpendWatch | TxWatch
    first: int
    last: int
    """Heights to look through."""


class ChainWatcher(BackendSync):
    """See the module. Call `start` when the backend runs, `begin` once everybody has registered watches."""

    def __init__(
        self,
        settings: ChainSettings,
        backend: Backend,
        store: ChainStore,
        turn: TurnLike,
        *,
        log: Callable[..., None],
        spawn: Callable[..., Any],
    ) -> None:
        super().__init__(settings, backend, store, log)
        self.turn = turn
        self._spawn = spawn
        self.feerates = Feerates(settings.fees)
        self.watches = WatchIndex()
        self.broadcaster = Broadcaster(backend, lambda: self.height, log)
        self.broadcasts = self.broadcaster.broadcasts
        self.broadcast = self.broadcaster.broadcast
        self.synced = False
        """Whether we have every block that the backend has, and the backend is synced itself."""
        self._on_block: list[OnBlock] = []
        self._on_reorg: list[OnReorg] = []
        self._on_feerates: list[Callable[[], object]] = []
        self._on_synced: list[Callable[[], object]] = []
        self._waiters: list[_HeightWaiter] = []
        self._poke = asyncio.Event()
        self._begun = False
        self._cache: OrderedDict[int, Block] = OrderedDict()
        self._fetching: dict[int, asyncio.Future[Block | None]] = {}
        self._late: list[_Late] = []
        self._synced_event = asyncio.Event()

    # -- what others ask -----------------------------------------------------------------------------

    @property
    def network_height(self) -> int:
        """Height of the network as far as the backend knows headers."""
        return max(self.height, self.header_count)

    def on_block(self, callback: OnBlock) -> None:
        """Call back inside the turn of each new block: (height, block).

        Also for the blocks that are walked through again after a restart: it must not matter to see one twice.
        """
        self._on_block.append(callback)

    def on_reorg(self, callback: OnReorg) -> None:
        """Call back inside the turn that takes a block off: (its height). Highest block first."""
        self._on_reorg.append(callback)

    def on_feerates(self, callback: Callable[[], object]) -> None:
        """Call back (outside turns) when feerates have changed."""
        self._on_feerates.append(callback)

    def on_synced(self, callback: Callable[[], object]) -> None:
        """Call back (outside turns) when the node is in step with the chain, or at once if it is."""
        if self.synced:
            callback()
        else:
            self._on_synced.append(callback)

    def watch_tx(
        self,
        txid: Txid,
        on_depth: OnDepth,
        *,
        height: int | None = None,
        tx_index: int | None = None,
        since_height: int | None = None,
        enough: int | None = None,
    ) -> TxWatch:
        """Count a transaction's confirmations; the callback gets the depth in each block's turn, 0 after a reorg.

        Once it has heard of a depth of `enough` or more it is left in peace by further blocks.

        `height` where the owner knows the block that holds it: it is then told the present depth. `since_height`
        where it may be in a block that was processed already: those are then looked through.
        The watch's `height` and `tx_index` say where it is.
        """
        watch = self.watches.watch_tx(txid, on_depth, height, tx_index, enough)
        if height is not None and self._begun:
            self.turn.submit(lambda: self._tell_depth(watch))
        elif since_height is not None:
            self._look_back(watch, since_height)
        return watch

    def watch_spend(
        self, outpoint: Outpoint, on_spend: OnSpend, *, since_height: int | None = None
    ) -> SpendWatch:
        """Wait for an output to be spent; the callback gets (transaction, input, height). Stays until cancelled.

        `since_height` where the spending may be in a block that was processed already.
        """
        watch = self.watches.watch_spend(outpoint, on_spend)
        if since_height is not None:
            self._look_back(watch, since_height)
        return watch

    def watch_script(self, script: bytes, on_paid: OnPaid) -> ScriptWatch:
        """Wait for outputs with a script; the callback gets (transaction, output, height)."""
        return self.watches.watch_script(script, on_paid)

    def sync_warning(self) -> dict[str, str]:
        """What getinfo says while we are behind; nothing once in step."""
        if not self.backend_synced:
            return {"warning_bitcoind_sync": "Bitcoind is not up-to-date with network."}
        if not self.synced:
            return {"warning_lightningd_sync": "Still loading latest blocks from bitcoind."}
        return {}

    async def wait_synced(self) -> None:
        """Wait until the node is in step with the chain."""
        await self._synced_event.wait()

    async def wait_height(self, height: int, timeout_s: float | None = None) -> int:
        """Wait for a block height and return the height then. Raises UserError 2000 when the time is over."""
        if self.height >= height:
            return self.height
        waiter = _HeightWaiter(height, asyncio.Event())
        self._waiters.append(waiter)
        # Who waits for a block has reason to think that it is there.
        self.poll_now()
        try:
            async with asyncio.timeout(timeout_s):
                await waiter.reached.wait()
        except TimeoutError:
            raise UserError(WAIT_TIMEOUT, "Timed out.") from None
        finally:
            self._waiters.remove(waiter)
        return self.height

    async def get_txout(self, scid: ShortChannelId) -> ChannelTxOut | None:
        """The unspent output that a short_channel_id names; None where there is none. Raises BackendError."""
        if scid.block > self.height:
            return None
        block = await self.get_block(scid.block)
        if block is None or scid.tx_index >= len(block.txs):
            return None
        outputs = block.txs[scid.tx_index].outputs
        if scid.output >= len(outputs):
            return None
        outpoint = Outpoint(block.txids[scid.tx_index], scid.output)
        unspent = await self.backend.unspent(outpoint)
        return None if unspent is None else ChannelTxOut(outpoint, unspent.amount, unspent.script)

    async def get_block(self, height: int) -> Block | None:
        """A block of the best chain, from memory where it is new or was asked for lately. Raises BackendError."""
        if height in self._cache:
            self._cache.move_to_end(height)
            return self._cache[height]
        if height not in self._fetching:
            future = self._fetching[height] = asyncio.get_running_loop().create_future()
            try:
                block = await self.backend.block(height)
            except BaseException as why:
                future.set_exception(
                    why if isinstance(why, BackendError) else BackendError(f"{why!r}")
                )
                future.exception()
                raise
            finally:
                del self._fetching[height]
            if block is not None:
                self._remember(block)
            future.set_result(block)
            return block
        return await asyncio.shield(self._fetching[height])

    def forget_broadcasts(self, owner: object) -> None:
        """Stop repeating the transactions of an owner."""
        self.broadcasts.drop_owner(owner)

    def poll_now(self) -> None:
        """Look for blocks at once."""
        self._poke.set()

    # -- start -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Wait for the backend, learn the feerates, find the block to go on from. Raises ChainError."""
        stored = self.store.max_height()
        self._stored_height = -1 if stored is None else stored
        info = await self._first_info()
        if info.chain != self.settings.network.bip70_name:
            raise ChainError(
                f"Wrong network! Our Bitcoin backend is running on '{info.chain}', but we expect "
                f"'{self.settings.network.bip70_name}'. Give the right --network, or the port of the right bitcoind "
                "(--bitcoin-rpcport)."
            )
        first = self._first_height(stored, info)
        await self._wait_for_blocks(first, info)
        await self._retrying(self._update_feerates)
        await self._find_root(first)

    def begin(self) -> None:
        """Start following the chain. Watches that are registered later may miss blocks (`since_height` helps)."""
        self._begun = True
        self.turn.submit(self._tell_all_depths)
        self._spawn(self._follow(), "chain: blocks")
        self._spawn(self._poll_feerates(), "chain: feerates")
        self._spawn(self.broadcaster.repeat_forever(), "chain: rebroadcast")
        if not self.backend_synced:
            self._spawn(self._watch_backend_sync(), "chain: sync")
        if self._late:
            self._spawn(self._scan_back(), "chain: look back")

    async def stop(self) -> None:
        """The node ends: a backend that goes away now is nothing unusual."""
        self._stopping = True

    # -- blocks ----------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Process blocks for as long as the node runs."""
        while True:
            before = self._chain.tip
            try:
                while await self._step():
                    pass
                self._note_working()
                self._caught_up(moved=self._chain.tip != before)
            except BackendError as why:
                self._note_trouble(why)
            try:
                async with asyncio.timeout(self.settings.poll_seconds):
                    await self._poke.wait()
            except TimeoutError:
                pass
            self._poke.clear()

    async def _step(self) -> bool:
        """Ask for the next block and process it; False where there is none. Raises BackendError."""
        block = await self.backend.block(self._chain.next_height)
        if block is None:
            return False
        if self._chain.fits(block.header):
            begin = time.perf_counter()
            await self.turn.do(partial(self._connect, block))
            took_ms = (time.perf_counter() - begin) * 1000
            self._log("debug", f"Block {block.height} handled in {took_ms:.1f} ms", source="chain")
            self._remember(block)
        else:
            await self.turn.do(self._disconnect)
        return True

    def _connect(self, block: Block) -> None:
        """One block, inside its turn."""
        height = block.height
        self._log("debug", f"Adding block {height}: {block.header.hash[::-1].hex()}")
        if height <= self._stored_height and self.store.hash_at(height) != block.header.hash:
            self._remove_rows_from(height)
        again = height <= self._stored_height
        if not again:
            self.store.add(block.header)
            self._set_stored(height)
        self._chain.connect(block.header)
        self.turn.on_rollback(self._chain.disconnect)
        self.broadcasts.on_block(height, block.txids)
        self._fire(block)
        for callback in self._on_block:
            self._guarded(partial(callback, height, block))
        if not again:
            for watch in self.watches.deepened(height):
                self._tell_depth(watch)
            shown = {"hash": block.header.hash[::-1].hex(), "height": height}
            self.turn.notify("block_added", shown)
        self.turn.after_commit(self._wake_waiters)

    def _fire(self, block: Block) -> None:
        for fired in self.watches.scan(block):
            match fired:
                case Spent(watch=spend, tx=tx, input_index=index):
                    self._guarded(partial(spend.on_spend, tx, index, block.height))
                case Paid(watch=script, tx=tx, output_index=index):
                    self._guarded(partial(script.on_paid, tx, index, block.height))
                case TxSeen(watch=seen, tx=tx, tx_index=index):
                    seen.height, seen.tx_index, seen.tx = block.height, index, tx
                    self._tell_depth(seen)

    def _disconnect(self) -> None:
        """Take the tip off, inside its turn."""
        header = self._chain.disconnect()
        self.turn.on_rollback(lambda: self._chain.connect(header))
        self._remove_rows_from(header.height)
        below = self.store.header_at(header.height - 1) if self._chain.tip is None else None
        if below is not None:
            # The reorganisation goes deeper than what we hold in memory.
            self._chain.connect(below)
            self.turn.on_rollback(self._chain.disconnect)

    def _remove_rows_from(self, height: int) -> None:
        """Undo the blocks from the highest down to `height`."""
        for gone in range(max(self._stored_height, height), height - 1, -1):
            self._log("debug", f"Removing stale block {gone}")
            self.broadcasts.on_reorg(gone)
            self._cache.pop(gone, None)
            for watch in self.watches.at_height(gone):
                watch.height = watch.tx_index = None
                self._guarded(partial(watch.on_depth, 0))
            for callback in self._on_reorg:
                self._guarded(partial(callback, gone))
        self.store.remove_from(height)
        self._set_stored(min(self._stored_height, height - 1))

    def _set_stored(self, height: int) -> None:
        before = self._stored_height
        self._stored_height = height
        self.turn.on_rollback(lambda: setattr(self, "_stored_height", before))

    def _tell_depth(self, watch: TxWatch) -> None:
        if watch.height is not None and not watch.cancelled and watch.height <= self.height:
            depth = self.height - watch.height + 1
            self._guarded(lambda: watch.on_depth(depth))

    def _tell_all_depths(self) -> None:
        for watch in self.watches.confirmed():
            self._tell_depth(watch)

    def _guarded(self, callback: Callable[[], object]) -> None:
        """A watcher that fails must not keep the others, and the node, from seeing the chain."""
        try:
            with self.turn.nested(), self.store.guard():
                callback()
        except (sqlite3.OperationalError, peewee.OperationalError):
            # The disk, not the watcher: the turn decides.
            raise
        except Exception as bug:  # noqa: BLE001
            trace = "".join(traceback.format_exception(bug))
            self._log("broken", f"A chain watcher failed at height {self._chain.height}: {trace}")

    def _wake_waiters(self) -> None:
        for waiter in self._waiters:
            if self.height >= waiter.height:
                waiter.reached.set()

    def _caught_up(self, *, moved: bool) -> None:
        if moved and len(self.broadcasts):
            self._spawn(self.broadcaster.repeat(), "chain: rebroadcast after a block")
        if self.backend_synced and not self.synced:
            self.synced = True
            self._synced_event.set()
            callbacks, self._on_synced = self._on_synced, []
            for callback in callbacks:
                callback()

    def _remember(self, block: Block) -> None:
        self._cache[block.height] = block
        self._cache.move_to_end(block.height)
        while len(self._cache) > CACHED_BLOCKS:
            self._cache.popitem(last=False)

    # -- watches that come late --------------------------------------------------------------------------

    def _look_back(self, watch: SpendWatch | TxWatch, since_height: int) -> None:
        if since_height > self._chain.height:
            return
        self._late.append(_Late(watch, since_height, self._chain.height))
        if self._begun and len(self._late) == 1:
            self._spawn(self._scan_back(), "chain: look back")

    async def _scan_back(self) -> None:
        """Look for what late watches wait for in the blocks that were processed before they came."""
        # Watches that are registered in one go are served by one walk through the blocks.
        await asyncio.sleep(0)
        late, self._late = self._late, []
        late = [item for item in late if not await self._surely_unspent(item.watch)]
        if not late:
            return
        for height in range(min(item.first for item in late), max(item.last for item in late) + 1):
            waiting = [
                i.watch for i in late if i.first <= height <= i.last and not i.watch.cancelled
            ]
            if not waiting:
                continue
            block = await self._retrying(partial(self.get_block, height))
            if block is None:
                return
            await self.turn.do(partial(self._fire_late, block, waiting))

    async def _surely_unspent(self, watch: SpendWatch | TxWatch) -> bool:
        """One question spares a walk through all the blocks since the output was made."""
        if isinstance(watch, TxWatch):
            return False
        return await self._retrying(partial(self.backend.unspent, watch.outpoint)) is not None

    def _fire_late(self, block: Block, late: list[SpendWatch | TxWatch]) -> None:
        only = set(map(id, late))
        for fired in self.watches.scan(block):
            if id(fired.watch) not in only:
                continue
            match fired:
                case Spent(watch=spend, tx=tx, input_index=index):
                    self._guarded(partial(spend.on_spend, tx, index, block.height))
                case TxSeen(watch=seen, tx=tx, tx_index=index) if seen.height is None:
                    seen.height, seen.tx_index, seen.tx = block.height, index, tx
                    self._tell_depth(seen)

    # -- feerates ---------------------------------------------------------------------------

    async def _poll_feerates(self) -> None:
        while True:
            await asyncio.sleep(self.settings.poll_seconds)
            try:
                await self._update_feerates()
            except BackendError as why:
                self._note_trouble(why)

    async def _update_feerates(self) -> None:
        answer = await self.backend.fees()
        if not answer.estimates_perkb and not self.feerates.known:
            level = "debug" if self.settings.network.is_test else "unusual"
            self._log(level, "Unable to estimate any fees")
        if self.feerates.update(answer.floor_perkb, answer.estimates_perkb):
            for callback in self._on_feerates:
                callback()
