"""Fills a bitcoind's mempool, so that it refuses what pays little."""

from __future__ import annotations

from decimal import Decimal

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.ids import txid_from_hex
from tests.regtest.bitcoind import Bitcoind

LOW_PERKW = 253
COUNT = 80
OUTPUTS, OUTPUT_SAT = 2500, 330
"""Of one large transaction: 78 kB, and several times that in bitcoind's memory."""


def fill_mempool(bitcoind: Bitcoind) -> int:
    """Restart bitcoind with room for 5 MB and send more than that. Returns the new least feerate, perkw."""
    bitcoind.stop()
    bitcoind.start("-maxmempool=5")
    addresses = {bitcoind.new_address(): Decimal("0.1") for _ in range(COUNT)}
    txid = bitcoind.rpc("sendmany", "", {a: str(v) for a, v in addresses.items()})
    bitcoind.generate(1)
    coins = [
        out["n"]
        for out in bitcoind.rpc("gettransaction", txid, True, True)["decoded"]["vout"]
        if out["value"] == Decimal("0.1")
    ]
    junk = (TxOut(Sat(OUTPUT_SAT), sc.p2wpkh(b"\x02" * 33)),) * OUTPUTS
    while floor_perkw(bitcoind) < 4 * LOW_PERKW:
        # Dearer and dearer, so that each pushes a cheaper one out.
        left = 10_000_000 - OUTPUTS * OUTPUT_SAT - 400_000 - (COUNT - len(coins)) * 20_000
        change = TxOut(Sat(left), junk[0].script)
        tx = Tx(2, (TxIn(txid_from_hex(txid), coins.pop()),), (*junk, change), 0)
        signed = bitcoind.rpc("signrawtransactionwithwallet", tx.serialize().hex())["hex"]
        bitcoind.rpc("sendrawtransaction", signed, 0)
    return floor_perkw(bitcoind)


def floor_perkw(bitcoind: Bitcoind) -> int:
    """What it asks at least now, sat per 1000 weight."""
    return int(bitcoind.rpc("getmempoolinfo")["mempoolminfee"] * 25_000_000)
