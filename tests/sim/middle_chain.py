"""The toy chain as a whole node sees it: a bitcoin backend for the real watcher, and a wallet of a few coins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.chain.backend_io import ChainInfo, FeeAnswer
from pylightningd.lightningd.chain.block import Block, Header
from pylightningd.lightningd.wallet.coin import Coin
from tests.sim.chain import Rejected, ToyChain

COINS, COIN_SAT = 60, 60_000
_DUMMY = (b"\x30" * 71, b"\x02" * 33)
_RESERVE_BLOCKS = 72


def block_hash(chain: ToyChain, height: int) -> bytes:
    """Each block that was ever made has another one."""
    n = height - chain.base - 1
    serial = chain.serials[n] if n >= 0 else 0
    return sha256(b"block %d %d" % (height, serial)).digest()


@dataclass
class ToyBackend:
    """bcli and bitcoind."""

    chain: ToyChain
    lost_until: int = 0
    """Until this height nothing that is sent arrives anywhere."""
    on_send: Callable[[Tx], None] = lambda _tx: None
    sent: set[Txid] = field(default_factory=set)
    refusals: dict[Txid, str] = field(default_factory=dict)

    async def chain_info(self, _last_height: int) -> ChainInfo:
        """As much as there is."""
        return ChainInfo("regtest", self.chain.height, self.chain.height, syncing=False)

    async def fees(self) -> FeeAnswer:
        """What mempools demand, and no estimates."""
        return FeeAnswer(self.chain.min_feerate * 4, ())

    async def block(self, height: int) -> Block | None:
        """Blocks before the story are empty."""
        chain = self.chain
        if height > chain.height:
            return None
        txs = chain.blocks[height - chain.base - 1] if height > chain.base else ()
        header = Header(height, block_hash(chain, height), block_hash(chain, height - 1))
        return Block(header, 0, txs, tuple(tx.txid() for tx in txs))

    async def unspent(self, outpoint: Outpoint) -> TxOut | None:
        """An output in a block that none spends."""
        made = self.chain.made.get(outpoint)
        return None if made is None or outpoint in self.chain.spent else made.output

    async def send(self, tx: Tx, *, allow_high_fees: bool) -> tuple[bool, str]:  # noqa: ARG002
        """Into the mempool, perhaps."""
        return self._submit(tx)

    async def send_package(
        self,
        txs: Sequence[Tx],
        *,
        allow_high_fees: bool,  # noqa: ARG002
    ) -> tuple[bool, str]:
        """All or none."""
        return self._submit(*txs)

    def _submit(self, *txs: Tx) -> tuple[bool, str]:
        for tx in txs:
            self.on_send(tx)
            self.sent.add(tx.txid())
        if self.chain.height < self.lost_until:
            return True, ""
        try:
            self.chain.submit(*txs)
        except Rejected as why:
            self.refusals[txs[-1].txid()] = str(why)
            return False, str(why)
        return True, ""


class ToyWallet:
    """What claims and anchors use of a wallet. Reservations are the only thing that it remembers."""

    def __init__(self, name: str, chain: ToyChain) -> None:
        self._chain = chain
        key = sha256(b"wallet " + name.encode()).digest()
        self.script = sc.p2wpkh(b"\x02" + key)
        self._coins = [Outpoint(Txid(key), n) for n in range(COINS)]
        for outpoint in self._coins:
            chain.mint(outpoint, TxOut(Sat(COIN_SAT), self.script), 1)
        self._reserved: dict[Outpoint, int] = {}
        self.store = SimpleNamespace(get=self._coin, get_tx=self._tx)
        self.told: set[Outpoint] = set()
        """Outputs of closed channels that it was told of."""

    def _coin(self, outpoint: Outpoint) -> Coin | None:
        if outpoint not in self._reserved and outpoint not in self._coins:
            return None
        spent = self._chain.spent.get(outpoint)
        return Coin(
            outpoint=outpoint,
            amount=Sat(COIN_SAT),
            script=self.script,
            key_index=0,
            height=1,
            tx_index=1,
            spend_height=None if spent is None else spent[1],
            spending_txid=None if spent is None else spent[0].txid(),
            reserved_til=self._reserved.get(outpoint, 0),
        )

    def _tx(self, txid: Txid) -> Any:
        for outpoint in self._coins:
            spent = self._chain.spent.get(outpoint)
            if spent is not None and spent[0].txid() == txid:
                return SimpleNamespace(tx=spent[0])
        return None

    def next_index(self) -> int:
        return 5

    def script_of(self, _index: int) -> bytes:
        return self.script

    def add_output(self, outpoint: Outpoint, *_args: Any, **_more: Any) -> None:
        self.told.add(outpoint)

    def add_previous(self, *_args: Any) -> None:
        pass

    def purse(self, *, wrapped_ok: bool) -> Any:
        assert not wrapped_ok
        coins = [c for o in self._coins if (c := self._coin(o)) is not None]
        return SimpleNamespace(coins=[c for c in coins if c.is_spendable(self._chain.height)])

    def reserve(self, coins: Iterable[Coin]) -> None:
        for coin in coins:
            til = max(self._reserved.get(coin.outpoint, 0), self._chain.height) + _RESERVE_BLOCKS
            self._reserved[coin.outpoint] = til

    async def sign_psbt(self, psbt: Psbt, coins: Iterable[Coin]) -> Psbt:
        ours = {c.outpoint for c in coins}
        for n in range(psbt.input_count):
            if psbt.outpoint(n) in ours:
                psbt.set_final_witness(n, _DUMMY)
        return psbt
