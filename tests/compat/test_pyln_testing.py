"""What authors of plugins do with CLN's test tools works on this node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyln.client import RpcError
from pyln.testing.utils import only_one, sync_blockheight, wait_for

EVENTS = str(Path(__file__).parent / "plugins" / "events.py")


def test_start_and_restart(node_factory: Any) -> None:
    l1 = node_factory.get_node(options={"alias": "Bob", "rgb": "112233", "fee-base": 7})
    info = l1.rpc.getinfo()
    assert (info["alias"], info["color"]) == ("Bob", "112233")
    assert l1.rpc.listconfigs()["configs"]["fee-base"]["value_int"] == 7
    l1.restart()
    assert l1.rpc.getinfo()["id"] == info["id"]
    l1.daemon.kill()
    l1.start()
    assert l1.config("cltv-delta") == 6


def test_pay_through_another(node_factory: Any) -> None:
    l1, l2, l3 = node_factory.line_graph(3, wait_for_announce=True)
    l1.wait_for_route(l3)
    invoice = l3.rpc.invoice(123000, "first", "x")["bolt11"]
    l1.rpc.xpay(invoice)
    assert only_one(l3.rpc.listinvoices("first")["invoices"])["status"] == "paid"
    invoice = l3.rpc.invoice(123000, "second", "x")["bolt11"]
    assert l1.rpc.pay(invoice)["status"] == "complete"
    assert only_one(l1.rpc.listpays(invoice)["pays"])["status"] == "complete"
    l1.pay(l2, 1000)
    wait_for(lambda: [f["status"] for f in l2.rpc.listforwards()["forwards"]] == ["settled"] * 2)
    route = l1.rpc.getroute(l3.info["id"], 5000, 1)["route"]
    invoice = l3.rpc.invoice(5000, "third", "x")
    l1.rpc.sendpay(route, invoice["payment_hash"], payment_secret=invoice["payment_secret"])
    assert l1.rpc.waitsendpay(invoice["payment_hash"])["status"] == "complete"
    assert l1.db_query("SELECT count(*) AS n FROM channels") == [{"n": 1}]
    reached = l1.rpc.wait("sendpays", "updated", 0)["updated"]
    newest = only_one(l1.rpc.listsendpays(index="updated", start=reached)["payments"])
    assert newest["payment_hash"] == invoice["payment_hash"]


def test_runes(node_factory: Any) -> None:
    """CLN's own test names these: the tools give both nodes the same hsm_secret."""
    l1 = node_factory.get_node(old_hsmsecret=True)
    assert l1.rpc.createrune()["rune"] == "OSqc7ixY6F-gjcigBfxtzKUI54uzgFSA6YfBQoWGDV89MA=="
    rune = l1.rpc.createrune(restrictions="readonly")["rune"]
    assert l1.rpc.checkrune(rune=rune, method="listpeers")["valid"] is True
    with pytest.raises(RpcError, match="Not permitted"):
        l1.rpc.checkrune(rune=rune, method="pay")


def test_open_and_close(node_factory: Any, bitcoind: Any) -> None:
    l1, l2 = node_factory.get_nodes(2)
    l1.connect(l2)
    l1.fundwallet(10**7)
    l1.fundchannel(l2, 10**6)
    assert l1.channel_state(l2) == "CHANNELD_NORMAL"
    l1.pay(l2, 10**8)
    l1.rpc.close(l2.info["id"])
    bitcoind.generate_block(1, wait_for_mempool=1)
    l1.daemon.wait_for_log(" to ONCHAIN")
    sync_blockheight(bitcoind, [l1, l2])
    assert len(l2.rpc.listfunds()["outputs"]) == 1


def test_unilateral_close(node_factory: Any, bitcoind: Any) -> None:
    l1, l2 = node_factory.line_graph(2)
    l1.pay(l2, 10**8)
    l2.stop()
    l1.rpc.close(l2.info["id"], 1)
    bitcoind.generate_block(1, wait_for_mempool=1)
    l1.daemon.wait_for_log(" to ONCHAIN")
    _, txid, blocks = l1.wait_for_onchaind_tx(
        "OUR_DELAYED_RETURN_TO_WALLET", "OUR_UNILATERAL/DELAYED_OUTPUT_TO_US"
    )
    bitcoind.generate_block(blocks)
    txid = l1.mine_txid_or_rbf(txid)
    sync_blockheight(bitcoind, [l1])
    assert txid in [output["txid"] for output in l1.rpc.listfunds()["outputs"]]


def test_plugin(node_factory: Any) -> None:
    options = {"plugin": EVENTS, "greeting": "Ciao", "shout": None, "many": ["a", "b"]}
    l1 = node_factory.get_node(options=options)
    assert l1.rpc.greet("Ann") == "CIAO ANN"
    assert l1.rpc.call("greet", {"name": "Bob"}) == "CIAO BOB"
    assert l1.rpc.call("later") == {"later": True, "node": l1.info["id"]}
    assert l1.daemon.is_in_log("ready with Ciao on regtest")
    with pytest.raises(RpcError, match="on purpose"):
        l1.rpc.call("fails")
    l1.rpc.plugin_stop(EVENTS)
    with pytest.raises(RpcError, match="Unknown command"):
        l1.rpc.call("greet")
    l1.rpc.plugin_start(EVENTS, greeting="Hi")
    assert l1.rpc.call("greet") == "HI WORLD"


def test_plugin_hears_and_decides(node_factory: Any, bitcoind: Any) -> None:
    l1, l2 = node_factory.line_graph(2, opts=[{}, {"plugin": EVENTS}])
    for line in ("hook peer_connected", "saw connect", "hook openchannel", "saw state"):
        assert l2.daemon.is_in_log(line)
    l1.rpc.xpay(l2.rpc.invoice(4000, "wanted", "x")["bolt11"])
    l2.daemon.wait_for_logs(
        ["hook htlc_accepted 4000", "hook invoice_payment wanted", "saw invoice_payment wanted"]
    )
    with pytest.raises(RpcError):
        l1.rpc.xpay(l2.rpc.invoice(4000, "unwanted", "x")["bolt11"])
    l1.rpc.disconnect(l2.info["id"], force=True)
    l2.daemon.wait_for_log("saw disconnect")
    bitcoind.generate_block(1)
    l2.daemon.wait_for_log("saw block")


def test_inline_plugin(node_factory: Any) -> None:
    def setup(plugin: Any) -> None:
        @plugin.method("greet")
        def greet(name: str, plugin: Any) -> dict[str, str]:
            return {"message": f"hello {name}"}

    l1 = node_factory.get_node(inline_plugin=setup)
    assert l1.rpc.greet("world") == {"message": "hello world"}


def test_disconnect_script(node_factory: Any) -> None:
    l1 = node_factory.get_node(disconnect=["-WIRE_FUNDING_CREATED"])
    l2 = node_factory.get_node()
    l1.fundwallet(2_000_000)
    l1.connect(l2)
    with pytest.raises(RpcError):
        l1.rpc.fundchannel(l2.info["id"], 100_000)
    l1.daemon.wait_for_log("dev_disconnect: -WIRE_FUNDING_CREATED")


def test_reorganisation(node_factory: Any, bitcoind: Any) -> None:
    l1 = node_factory.get_node()
    l1.fundwallet(10**6)
    height = bitcoind.rpc.getblockcount()
    bitcoind.simple_reorg(height - 1, 1)
    l1.daemon.wait_for_log("Removing stale block")
    sync_blockheight(bitcoind, [l1])
    wait_for(lambda: l1.rpc.listfunds()["outputs"] != [])
