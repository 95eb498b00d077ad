"""A wallet on a real database, signed for by hsmd's own code, with a chain that the test makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pylightningd.common import keys
from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import bip143_sighash, bip341_sighash
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.clock import FakeClock
from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.network import REGTEST
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.enforcement import Enforcement
from pylightningd.hsmd.machine import Hsm
from pylightningd.lightningd.chain.block import Block, Header
from pylightningd.lightningd.chain.feerates import Feerates
from pylightningd.lightningd.db.connect_io import open_database
from pylightningd.lightningd.turn import Turn
from pylightningd.lightningd.wallet import start_io
from pylightningd.lightningd.wallet.coin import Coin
from pylightningd.lightningd.wallet.wallet import Wallet

MNEMONIC_SEED = bytes(range(64))
PLAIN_SEED = bytes(range(32))


class FakeHsm:
    """The signing code of hsmd without its process."""

    def __init__(self, secret: bytes) -> None:
        self.secrets = NodeSecrets(secret, is_test_network=True)
        self._hsm = Hsm(self.secrets, REGTEST, Enforcement())

    async def ask(self, request: Any) -> Any:
        return self._hsm.handle(0, type(request).decode(request.encode()))


class FakeBroadcasts:
    def __init__(self) -> None:
        self.dropped: list[Txid] = []

    def drop(self, txid: Txid) -> None:
        self.dropped.append(txid)


class FakeChain:
    """Blocks made by the test. `refuse` is what the backend says to a broadcast, if it refuses."""

    def __init__(self) -> None:
        self.height = 100
        self.synced = True
        self.refuse: str | None = None
        self.sent: list[Tx] = []
        self.broadcasts = FakeBroadcasts()
        self.feerates = Feerates()
        self.feerates.update(1000, [(2, 15000), (6, 11000), (12, 7500), (100, 3750)])
        self._on_block: list[Callable[[int, Block], None]] = []
        self._on_reorg: list[Callable[[int], None]] = []
        self.when_synced: list[Callable[[], object]] = []

    def on_block(self, callback: Callable[[int, Block], None]) -> None:
        self._on_block.append(callback)

    def on_reorg(self, callback: Callable[[int], None]) -> None:
        self._on_reorg.append(callback)

    def on_synced(self, callback: Callable[[], object]) -> None:
        self.when_synced.append(callback)

    async def broadcast(
        self, tx: Tx, *, keep: bool = True, why: str = "", parents: tuple[Tx, ...] = ()
    ) -> tuple[bool, str]:
        if self.refuse is not None:
            return False, self.refuse
        self.sent.append(tx)
        return True, ""

    def connect(self, height: int, txs: tuple[Tx, ...]) -> None:
        self.height = max(self.height, height)
        block = Block(Header(height, bytes(32), bytes(32)), 0, txs, tuple(t.txid() for t in txs))
        for callback in self._on_block:
            callback(height, block)

    def disconnect(self) -> None:
        for callback in self._on_reorg:
            callback(self.height)
        self.height -= 1


class Rig:
    """Looks like a `Node` as far as the wallet goes. Use inside `run`."""

    network = REGTEST
    developer = True

    def __init__(self, path: Path, secret: bytes = MNEMONIC_SEED) -> None:
        self.path = path
        self.hsm = FakeHsm(secret)
        self.bip32_base = self.hsm.secrets.bip32_base
        self.bip86_base = self.hsm.secrets.bip86_base
        self.node_id = self.hsm.secrets.node_id
        self.config = {"min-emergency-msat": 25_000_000, "allow-deprecated-apis": False}
        self.channels: list[Any] = []
        self.peers: dict[bytes, Any] = {}
        self.entropy = SeededEntropy()
        self.clock = FakeClock()
        self.listened = {"coin_movement"}
        self.plugins = SimpleNamespace(anyone_listens=self.listened.__contains__)
        self.notes: list[tuple[str, Any]] = []
        self.chain = FakeChain()
        self.logs: list[str] = []
        self.bugs: list[str] = []
        self.wallet: Wallet
        self._faucet = 0

    def log(self, level: str, text: str, **_fields: Any) -> None:
        self.logs.append(f"{level}: {text}")

    def attempt(self, coro: Coroutine[Any, Any, Any], name: str) -> Any:
        return self.spawn(coro, name)

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> Any:
        return asyncio.get_running_loop().create_task(coro, name=name)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.database = open_database(f"sqlite3://{self.path}/w.sqlite3", REGTEST)
        self.db = self.database.connection
        self.turn = Turn(
            self.database.store,
            schedule=loop.call_soon,
            make_future=loop.create_future,
            on_bug=lambda when, error: self.bugs.append(f"{when}: {error!r}"),
            on_disk_failure=self.bugs.append,
            notify=lambda topic, payload: self.notes.append((topic, payload)),
        )
        await start_io.start(self)  # type: ignore[arg-type]  # looks like a Node

    async def restart(self) -> None:
        """As after a crash: only the database stays."""
        self.database.close()
        height, self.chain = self.chain.height, FakeChain()
        self.chain.height = height
        await self.start()

    # The chain

    async def mine(self, *txs: Tx) -> None:
        """A block with these transactions after a coinbase of somebody else."""
        coinbase = Tx(2, (TxIn(Txid(bytes(32)), 0xFFFFFFFF),), (TxOut(Sat(1), sc.p2wpkh(b"x")),))
        height = self.chain.height + 1
        await self.turn.do(lambda: self.chain.connect(height, (coinbase, *txs)))
        assert not self.bugs

    async def unmine(self) -> None:
        await self.turn.do(self.chain.disconnect)

    def payment(self, script: bytes, amount: int) -> Tx:
        """A transaction of somebody else that pays us."""
        self._faucet += 1
        source = Txid(sha256(b"faucet %d" % self._faucet).digest())
        return Tx(2, (TxIn(source, 0),), (TxOut(Sat(amount), script),))

    async def fund(self, *amounts: int, kind: Any = "p2tr") -> list[Outpoint]:
        """Confirmed coins of these amounts, each in a transaction of its own, all in one block."""
        txs = []
        for amount in amounts:
            index = await self.wallet.new_key_index()
            txs.append(self.payment(self.wallet.script_of(index, kind), amount))
        await self.mine(*txs)
        return [Outpoint(tx.txid(), 0) for tx in txs]

    def coin(self, outpoint: Outpoint) -> Coin:
        found = self.wallet.store.get(outpoint)
        assert found is not None
        return found

    def run(self, scenario: Callable[[Rig], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            await self.start()
            try:
                await scenario(self)
            finally:
                self.database.close()

        asyncio.run(whole())


def verify(tx: Tx, coins: Iterable[Coin]) -> None:
    """Check every input's witness as consensus does."""
    spent = [coin.output for coin in coins]
    for n, (txin, output) in enumerate(zip(tx.inputs, spent, strict=True)):
        if sc.is_p2tr(output.script):
            (signature,) = txin.witness
            digest = bip341_sighash(tx, n, spent)
            keys.schnorr_verify(output.script[2:], digest, signature)
            continue
        *_, last = txin.witness
        if sc.is_p2wsh(output.script):
            assert sc.p2wsh(last) == output.script
            pubkey, code = last[1:34], last
        elif sc.is_p2sh(output.script):
            assert sc.p2sh_p2wpkh(last) == output.script
            pubkey, code = last, sc.p2wpkh_script_code(last)
        else:
            assert sc.p2wpkh(last) == output.script
            pubkey, code = last, sc.p2wpkh_script_code(last)
        compact, sighash = keys.der_to_sig(txin.witness[0])
        digest = bip143_sighash(tx, n, code, output.amount, sighash)
        keys.verify_compact(pubkey, digest, compact)
