"""A bitcoind whose mempool is full: what pays little is refused, and our commitments must confirm all the same."""

from __future__ import annotations

from decimal import Decimal

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.ids import txid_from_hex
from tests.regtest.bitcoind import Bitcoind
from tests.regtest.network import NodeFactory
from tests.regtest.waiting import wait_for

DELAY = 5
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
    while _floor_perkw(bitcoind) < 4 * LOW_PERKW:
        # Dearer and dearer, so that each pushes a cheaper one out.
        left = 10_000_000 - OUTPUTS * OUTPUT_SAT - 400_000 - (COUNT - len(coins)) * 20_000
        change = TxOut(Sat(left), junk[0].script)
        tx = Tx(2, (TxIn(txid_from_hex(txid), coins.pop()),), (*junk, change), 0)
        signed = bitcoind.rpc("signrawtransactionwithwallet", tx.serialize().hex())["hex"]
        bitcoind.rpc("sendrawtransaction", signed, 0)
    return _floor_perkw(bitcoind)


def _floor_perkw(bitcoind: Bitcoind) -> int:
    return int(bitcoind.rpc("getmempoolinfo")["mempoolminfee"] * 25_000_000)


def test_commitment_goes_with_the_child_of_its_anchor(node_factory: NodeFactory) -> None:
    """Alone it pays too little for a full mempool; as a package with its child it gets in, and into a block."""
    bitcoind = node_factory.bitcoind
    options = {"watchtime-blocks": DELAY, "force-feerates": LOW_PERKW}
    l1, l2 = node_factory.make_many(2, options)
    node_factory.open_channel(l1, l2, push_msat=200_000_000)
    node_factory.fund_wallet(l1, 100_000)
    l2.stop()
    try:
        floor = fill_mempool(bitcoind)
        node_factory.sync()
        wait_for(
            lambda: l1.rpc("feerates", style="perkw")["perkw"]["floor"] >= floor, "the new floor"
        )
        channel = l1.channels()[0]
        txid = l1.rpc("close", id=channel["channel_id"], unilateraltimeout=1)["txids"][0]
        l1.wait_for_log(
            f"Creating anchor spend [0-9a-f]{{64}} with fee [0-9]+sat to bring {txid} to"
        )
        l1.wait_for_log(f"Package of {txid} and [0-9a-f]{{64}} is taken")
        assert txid in bitcoind.mempool()
        entry = bitcoind.rpc("getmempoolentry", txid)
        assert entry["descendantcount"] == 2
        alone = int(entry["fees"]["base"] * 100_000_000) * 1000 // entry["weight"]
        assert alone < floor
        node_factory.mine(1)
        wait_for(lambda: l1.channel_states() == ["ONCHAIN"], "the close")
    finally:
        bitcoind.stop()
        bitcoind.start()
