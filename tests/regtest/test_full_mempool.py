"""A bitcoind whose mempool is full: what pays little is refused, and our transactions must confirm all the same."""

from __future__ import annotations

from tests.regtest.full_mempool import LOW_PERKW, fill_mempool
from tests.regtest.network import NodeFactory
from tests.regtest.waiting import wait_for

DELAY = 5


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
