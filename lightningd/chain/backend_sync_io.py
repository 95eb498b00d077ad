"""The backend at the other end: wait until it answers, is on the right chain, and has the blocks that we have.

The part of `ChainWatcher` that does not follow blocks yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from pylightningd.common.errors import BackendError
from pylightningd.common.network import Network
from pylightningd.lightningd.chain.backend_io import Backend, ChainInfo
from pylightningd.lightningd.chain.blocks import HeaderChain
from pylightningd.lightningd.chain.feerates import FeeSettings
from pylightningd.lightningd.db.chain_io import ChainStore

R = TypeVar("R")
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 30.0


class ChainError(Exception):
    """The node cannot run on this backend; the text is for the user."""


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Options of the node that matter here."""

    network: Network
    poll_seconds: float = 30
    rescan: int = 15
    """Blocks to walk through again at start; negative: the height to start from."""
    fees: FeeSettings = FeeSettings()


class BackendSync:
    """The backend, and how far it and we are."""

    def __init__(
        self,
        settings: ChainSettings,
        backend: Backend,
        store: ChainStore,
        log: Callable[..., None],
    ) -> None:
        self.settings = settings
        self.backend = backend
        self.store = store
        self._log = log
        self.header_count = 0
        self.backend_synced = False
        self._chain = HeaderChain()
        self._stored_height = -1
        """Highest block with a row: above our tip while the newest blocks are walked through again."""
        self._stopping = False
        self._trouble: str | None = None

    @property
    def height(self) -> int:
        """Height of the newest block that was processed."""
        return max(self._chain.height, self._stored_height)

    def poll_now(self) -> None:
        """Look for blocks at once."""
        raise NotImplementedError

    async def _first_info(self) -> ChainInfo:
        info = await self._retrying(lambda: self.backend.chain_info(max(self._stored_height, 0)))
        self._note_sync(info, first=True)
        return info

    def _first_height(self, stored: int | None, info: ChainInfo) -> int:
        rescan = self.settings.rescan
        if rescan < 0:
            return -rescan
        newest = info.blocks if stored is None else stored
        return max(newest - rescan, 0)

    async def _wait_for_blocks(self, height: int, info: ChainInfo) -> None:
        """Wait for a backend that has lost blocks and is getting them back. Raises ChainError where it is not."""
        told = False
        while info.blocks < height:
            if info.headers < height and not info.syncing:
                raise ChainError(
                    f"bitcoind has gone backwards from {height} to {info.blocks} blocks! Is it the right bitcoind? "
                    f"If its chain was really made anew, give --rescan=-{info.blocks}."
                )
            if not told:
                self._log(
                    "unusual",
                    f"bitcoind has {info.blocks} blocks, we had {height} before: waiting until it is there again",
                )
                told = True
            await asyncio.sleep(min(self.settings.poll_seconds, 5))
            info = await self._retrying(lambda: self.backend.chain_info(height))
            self._note_sync(info, first=False)

    async def _find_root(self, height: int) -> None:
        """The block to go on from: the newest that we know, or have no row of, at or below `height`."""
        while True:
            block = await self._retrying(partial(self.backend.block, height))
            if block is None:
                raise ChainError(f"the bitcoin backend does not give block {height} out")
            known = self.store.hash_at(height)
            if known is None or known == block.header.hash or height == 0:
                self._chain = HeaderChain([block.header])
                return
            height -= 1

    async def _retrying(self, ask: Callable[[], Awaitable[R]]) -> R:
        """Repeat until the backend answers."""
        delay_s = FIRST_RETRY_S
        while True:
            try:
                answer = await ask()
            except BackendError as why:
                self._note_trouble(why)
            else:
                self._note_working()
                return answer
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_RETRY_S)

    def _note_trouble(self, why: BackendError) -> None:
        """Say it once; the backend plugin has its own line for a bitcoind that is away."""
        if str(why) != self._trouble:
            self._trouble = str(why)
            self._log(
                "debug" if self._stopping else "unusual", f"Waiting for the bitcoin backend: {why}"
            )

    def _note_working(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._log("info", "The bitcoin backend answers again.")

    def _note_sync(self, info: ChainInfo, *, first: bool) -> None:
        self.header_count = info.headers
        if not info.syncing and info.headers == info.blocks:
            if not self.backend_synced and not first:
                self._log("unusual", "Bitcoin backend now synced.")
            self.backend_synced = True
            return
        if info.syncing:
            text = "Waiting for initial block download (this can take a while!)"
        else:
            text = f"Waiting for bitcoind to catch up ({info.blocks} blocks of {info.headers})"
        self._log("unusual" if first else "debug", text)

    async def _watch_backend_sync(self) -> None:
        while not self.backend_synced:
            await asyncio.sleep(self.settings.poll_seconds / 4)
            info = await self._retrying(lambda: self.backend.chain_info(self.height))
            self._note_sync(info, first=False)
        self.poll_now()
