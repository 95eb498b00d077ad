"""A chain made of numbers, and a backend plugin that serves it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.compact_size import write_compact_size
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_from_hex
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.chain.backend_io import Backend
from pylightningd.lightningd.chain.backend_sync_io import ChainSettings
from pylightningd.lightningd.chain.block import Block, parse_block
from pylightningd.lightningd.chain.watcher_io import ChainWatcher
from pylightningd.lightningd.db.chain_io import ChainStore
from pylightningd.lightningd.db.connect_io import open_database
from pylightningd.lightningd.turn import Turn


def make_tx(
    n: int,
    spends: Outpoint | None = None,
    script: bytes = b"\x00\x14" + bytes(20),
    outputs: int = 1,
) -> Tx:
    """A transaction that differs by `n`."""
    source = spends or Outpoint(Txid(struct.pack("<I", n) + bytes(28)), n)
    return Tx(
        2,
        (TxIn(source.txid, source.index),),
        tuple(TxOut(Sat(1000 + n + i), script) for i in range(outputs)),
        locktime=n,
    )


def make_raw_block(prev_hash: bytes, nonce: int, txs: tuple[Tx, ...]) -> bytes:
    """A block without any work."""
    header = (
        struct.pack("<I", 1) + prev_hash + bytes(32) + struct.pack("<III", 1700000000, 0, nonce)
    )
    return header + write_compact_size(len(txs)) + b"".join(t.serialize() for t in txs)


class FakeChain:
    """The best chain, and the five calls of a backend plugin."""

    def __init__(self, height: int = 0) -> None:
        self.blocks: list[Block] = []
        self.raw: list[bytes] = []
        self.nonce = 0
        self.sent: list[Tx] = []
        self.spent: set[Outpoint] = set()
        self.failures: list[str] = []
        self.refuse = ""
        self.fees: dict[str, Any] = {"feerate_floor": 1000, "feerates": []}
        self.ibd = False
        self.extra_headers = 0
        self.fetched: list[int] = []
        self.offers_packages = True
        self.packages: list[list[Tx]] = []
        self.mine(height + 1)

    @property
    def height(self) -> int:
        return len(self.blocks) - 1

    def mine(self, count: int = 1, *txs: Tx) -> None:
        """Add blocks; the transactions go into the first."""
        for i in range(count):
            self.nonce += 1
            prev = self.blocks[-1].header.hash if self.blocks else bytes(32)
            coinbase = make_tx(1 << 20 | self.nonce)
            raw = make_raw_block(prev, self.nonce, (coinbase, *(txs if i == 0 else ())))
            self.raw.append(raw)
            self.blocks.append(parse_block(raw, len(self.blocks)))

    def reorg(self, depth: int, length: int, *txs: Tx) -> None:
        """Replace the newest `depth` blocks by `length` others."""
        del self.blocks[-depth:], self.raw[-depth:]
        self.mine(length, *txs)

    async def call(self, method: str, params: dict[str, Any]) -> Any:
        """What the plugin answers."""
        await asyncio.sleep(0)
        if self.failures:
            raise UserError(500, self.failures.pop(0))
        return getattr(self, method)(**params)

    def getchaininfo(self, last_height: int) -> Any:
        return {
            "chain": "regtest",
            "headercount": self.height + self.extra_headers,
            "blockcount": self.height,
            "ibd": self.ibd,
        }

    def estimatefees(self) -> Any:
        return self.fees

    def getrawblockbyheight(self, height: int) -> Any:
        self.fetched.append(height)
        if height > self.height:
            return {"blockhash": None, "block": None}
        return {
            "blockhash": self.blocks[height].header.hash[::-1].hex(),
            "block": self.raw[height].hex(),
        }

    def getutxout(self, txid: str, vout: int) -> Any:
        wanted = txid_from_hex(txid)
        for block in self.blocks:
            for found, tx in zip(block.txids, block.txs, strict=True):
                if found == wanted and Outpoint(found, vout) not in self.spent:
                    return {
                        "amount": tx.outputs[vout].amount.sat,
                        "script": tx.outputs[vout].script.hex(),
                    }
        return {"amount": None, "script": None}

    def sendrawtransaction(self, tx: str, allowhighfees: bool) -> Any:
        self.sent.append(Tx.parse(bytes.fromhex(tx)))
        return {"success": not self.refuse, "errmsg": self.refuse}

    def submitpackage(self, package: list[str], allowhighfees: bool) -> Any:
        if not self.offers_packages:
            raise UserError(-32601, "Unknown command 'submitpackage'")
        self.packages.append([Tx.parse(bytes.fromhex(tx)) for tx in package])
        return {"success": True, "errmsg": ""}


class Watched:
    """A watcher on a fake chain, with what it logged and announced."""

    def __init__(self, chain: FakeChain, watcher: ChainWatcher, turn: Turn) -> None:
        self.chain = chain
        self.watcher = watcher
        self.turn = turn
        self.log: list[tuple[str, str]] = []
        self.announced: list[tuple[str, Any]] = []

    def text(self) -> str:
        """The log in one piece."""
        return "\n".join(f"{level} {text}" for level, text in self.log)

    async def caught_up(self) -> None:
        """Wait until the watcher has processed the fake chain's tip."""
        self.watcher.poll_now()
        async with asyncio.timeout(60):
            while True:
                tip = self.watcher._chain.tip
                if tip is not None and tip.hash == self.chain.blocks[-1].header.hash:
                    return
                await asyncio.sleep(0)


@asynccontextmanager
async def watched(tmp_path: Path, chain: FakeChain, **settings: Any) -> AsyncIterator[Watched]:
    """A watcher before `start`."""
    opened = open_database(f"sqlite3://{tmp_path}/lightningd.sqlite3", REGTEST)
    loop = asyncio.get_running_loop()
    found: Watched

    def log(level: str, text: str, **_: Any) -> None:
        found.log.append((level, text))

    turn = Turn(
        opened.store,
        schedule=loop.call_soon,
        make_future=loop.create_future,
        on_bug=lambda when, bug: log("broken", f"{when} {bug!r}"),
        on_disk_failure=lambda text: log("broken", text),
        notify=lambda topic, payload: found.announced.append((topic, payload)),
    )
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            started: list[asyncio.Task[Any]] = []
            watcher = ChainWatcher(
                ChainSettings(REGTEST, **{"poll_seconds": 1000, "rescan": 3, **settings}),
                Backend(chain.call),
                ChainStore(opened.connection),
                turn,
                log=log,
                spawn=lambda work, name: started.append(tasks.create_task(work, name=name)),
            )
            found = Watched(chain, watcher, turn)
            yield found
            stop.set()
            for task in started:
                task.cancel()
    finally:
        opened.close()
