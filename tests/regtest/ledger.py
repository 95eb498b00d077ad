"""What the chain of a test says: the outputs that its blocks made and spent, and what waits in the mempool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.regtest.bitcoind import Bitcoind

SAT_PER_BTC = 100_000_000
LARGE_VSIZE = 20_000
"""A waiting transaction above this is junk that fills the mempool, and no business of any node."""
Coin = tuple[str, int]
"""txid (hex) and output number."""


@dataclass
class Ledger:
    """What the chain says about the blocks since the test began."""

    coins: dict[Coin, tuple[str, int]] = field(default_factory=dict)
    """Unspent outputs: address and sat."""
    made: dict[Coin, tuple[str, int]] = field(default_factory=dict)
    """All outputs, spent ones too."""
    spent: dict[Coin, str] = field(default_factory=dict)
    """Spent output -> txid of the spender."""
    txs: dict[str, dict[str, Any]] = field(default_factory=dict)
    waiting: dict[Coin, int] = field(default_factory=dict)
    """Outputs in the mempool: sat."""
    about_to_go: set[Coin] = field(default_factory=set)
    """Outputs that are spent in the mempool."""

    def add(self, tx: dict[str, Any]) -> None:
        """A transaction of a block."""
        self.txs[tx["txid"]] = tx
        for spent in tx["vin"]:
            if "txid" in spent:
                coin = (spent["txid"], spent["vout"])
                self.spent[coin] = tx["txid"]
                self.coins.pop(coin, None)
        for output in tx["vout"]:
            address = output["scriptPubKey"].get("address", "")
            made = (address, to_sat(output["value"]))
            self.coins[tx["txid"], output["n"]] = self.made[tx["txid"], output["n"]] = made

    def add_waiting(self, tx: dict[str, Any]) -> None:
        """A transaction of the mempool."""
        self.about_to_go |= {(spent["txid"], spent["vout"]) for spent in tx["vin"]}
        for output in tx["vout"]:
            self.waiting[tx["txid"], output["n"]] = to_sat(output["value"])


def read_chain(bitcoind: Bitcoind, first_height: int, *, mempool: bool = False) -> Ledger:
    """The outputs made and spent by the blocks above `first_height`, and by the mempool if that is wanted."""
    ledger = Ledger()
    heights = range(first_height + 1, bitcoind.height() + 1)
    hashes = bitcoind.rpc_many("getblockhash", [(height,) for height in heights])
    for block in bitcoind.rpc_many("getblock", [(hash_, 2) for hash_ in hashes]):
        for tx in block["tx"]:
            ledger.add(tx)
    if mempool:
        entries = bitcoind.rpc("getrawmempool", True)
        small = [txid for txid, entry in entries.items() if entry["vsize"] < LARGE_VSIZE]
        for tx in bitcoind.rpc_many("getrawtransaction", [(txid, True) for txid in small]):
            ledger.add_waiting(tx)
    return ledger


def to_sat(btc: Any) -> int:
    """bitcoind's amount (a Decimal of bitcoins)."""
    return int(btc * SAT_PER_BTC)
