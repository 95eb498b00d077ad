"""Channels between real nodes: connecting, opening, paying, forwarding, closing, restarting."""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.regtest.books import check_books
from tests.regtest.network import NodeFactory, wait_back
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import (
    invoice_of,
    new_invoice,
    payment_of,
    route_to,
    send,
    start_payment,
)
from tests.regtest.waiting import TIMEOUT_S, wait_for

RECONNECT = {"dev-no-reconnect": False, "dev-fast-reconnect": True}


def pair(factory: NodeFactory, options: dict | None = None, **more: object) -> tuple[Node, Node]:
    """Two nodes with a usable channel, whose first half is l1's and second half l2's."""
    l1, l2 = factory.make_many(2, options)
    factory.open_channel(l1, l2, 1_000_000, push_msat=500_000_000, **more)  # type: ignore[arg-type]
    return l1, l2


def wait_state(node: Node, peer: Node, *states: str) -> None:
    """Wait until all channels with a peer are in one of these states."""
    wait_for(
        lambda: all(s in states for s in node.channel_states(peer)),
        f"{states} of {node.name}'s channel with {peer.name}",
    )


def test_connect_and_disconnect(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2)
    answer = l1.rpc("connect", id=l2.address)
    assert (answer["id"], answer["direction"]) == (l2.id, "out")
    assert answer["address"] == {"type": "ipv4", "address": "127.0.0.1", "port": l2.port}
    assert l1.rpc("connect", id=l2.id)["direction"] == "out"
    wait_for(lambda: l2.is_connected(l1))
    assert l2.rpc("connect", id=l1.id)["direction"] == "in"
    assert l1.rpc("ping", id=l2.id, len=100, pongbytes=50)["totlen"] == 54
    with pytest.raises(RpcError, match="Peer not connected"):
        l1.rpc("ping", id="02" * 33)
    l1.rpc("sendcustommsg", node_id=l2.id, msg="aaff0102")
    with pytest.raises(RpcError, match="even"):
        l1.rpc("sendcustommsg", node_id=l2.id, msg="aafe0102")
    l1.rpc("disconnect", id=l2.id)
    wait_for(lambda: l2.rpc("listpeers") == {"peers": []})
    assert l1.rpc("listpeers") == {"peers": []}
    with pytest.raises(RpcError, match="not connected"):
        l1.rpc("disconnect", id=l2.id)
    node_factory.connect(l2, l1)


def test_connect_errors_name_the_stage(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2)
    with pytest.raises(RpcError) as caught:
        l1.rpc("connect", id=l2.id)
    assert caught.value.code == 400
    with pytest.raises(RpcError, match="Connection refused") as caught:
        l1.rpc("connect", id=l2.id, host="127.0.0.1", port=1)
    assert caught.value.code == 401
    with pytest.raises(RpcError, match="(?i)handshake.*act") as caught:
        l1.rpc("connect", id=l1.id[:2] + l2.id[2:][::-1], host="127.0.0.1", port=l2.port)


def test_open_shapes(node_factory: NodeFactory) -> None:
    """Announced, hidden, pushed, with a close_to: both ways, then closed to where was promised."""
    l1, l2 = node_factory.make_many(2)
    for node in (l1, l2):
        node_factory.fund_wallet(node, 2_000_000, mine=False)
    node_factory.mine(1, wait_for_mempool=2)
    node_factory.connect(l1, l2)
    refuge = node_factory.bitcoind.rpc("getnewaddress", "", "bech32")
    made = [l1.rpc("fundchannel", id=l2.id, amount=500_000, push_msat=100_000_000, close_to=refuge)]
    node_factory.mine(1, wait_for_mempool=1)
    wait_for(l2.spendable_sat)
    made.append(l2.rpc("fundchannel", id=l1.id, amount=400_000, announce=False))
    assert made[0]["close_to"]
    node_factory.mine(6, wait_for_mempool=1)
    for done in made:
        node_factory.wait_normal(l1, l2, done["txid"])
    first = node_factory.channel(l1, l2, made[0]["txid"])
    hidden = node_factory.channel(l1, l2, made[1]["txid"])
    assert first["funding"] == {
        "local_funds_msat": 500_000_000,
        "remote_funds_msat": 0,
        "pushed_msat": 100_000_000,
        "withheld": False,
    }
    assert (first["to_us_msat"], first["private"], first["opener"]) == (400_000_000, False, "local")
    assert (hidden["to_us_msat"], hidden["private"], hidden["opener"]) == (0, True, "remote")
    assert "scid_alias/even" in hidden["channel_type"]["names"]
    assert hidden["alias"]["local"] != hidden["alias"]["remote"]
    assert first["close_to"] == made[0]["close_to"]
    for key in ("spendable_msat", "receivable_msat", "our_reserve_msat", "their_to_self_delay"):
        assert first[key] > 0
    assert first["owner"] == "channeld"
    assert [c["new_state"] for c in first["state_changes"]] == ["CHANNELD_NORMAL"]
    # By the hidden channel, which only its aliases may name.
    invoice = new_invoice(l1, 1_000_000)
    hop = {"id": l1.id, "amount_msat": 1_000_000, "delay": 9}
    alias = node_factory.channel(l2, l1, made[1]["txid"])["alias"]["local"]
    start_payment(l2, [hop | {"channel": alias}], invoice)
    assert l2.rpc("waitsendpay", payment_hash=invoice["payment_hash"])["status"] == "complete"
    done = l1.rpc("close", id=first["channel_id"])
    assert done["type"] == "mutual"
    tx = node_factory.bitcoind.rpc("decoderawtransaction", done["txs"][0])
    assert refuge in [o["scriptPubKey"].get("address") for o in tx["vout"]]
    l2.rpc("close", id=hidden["channel_id"])
    node_factory.mine(1, wait_for_mempool=2)
    for node, peer in ((l1, l2), (l2, l1)):
        wait_state(node, peer, "ONCHAIN")
        assert {c["state"] for c in node.rpc("listfunds")["channels"]} == {"ONCHAIN"}


def test_payments_both_ways(node_factory: NodeFactory) -> None:
    l1, l2 = pair(node_factory)
    paid = send(l1, l2, amount_msat=10_000_001)
    send(l2, l1, amount_msat=20_000_002)
    # Dust: no output of a commitment stands for these.
    for amount in (1, 999, 1_000, 353_999, 546_000):
        send(l1, l2, amount_msat=amount)
        send(l2, l1, amount_msat=amount)
    with pytest.raises(RpcError, match="(?i)incorrect_or_unknown") as caught:
        unknown = {"payment_hash": "11" * 32, "payment_secret": "22" * 32}
        start_payment(l1, route_to(l1, l2, amount_msat=5_000), unknown)
        l1.rpc("waitsendpay", payment_hash="11" * 32)
    assert caught.value.code == 203
    assert caught.value.data["failcodename"] == "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS"
    # More than there is: refused here, before anything is sent.
    with pytest.raises(RpcError) as caught:
        invoice = new_invoice(l2)
        start_payment(l1, route_to(l1, l2, amount_msat=900_000_000), invoice)
        l1.rpc("waitsendpay", payment_hash=invoice["payment_hash"])
    assert caught.value.data["erring_index"] == 0
    assert all(not n.channels()[0]["htlcs"] for n in (l1, l2))
    # Paying again is harmless; a paid invoice cannot be paid twice.
    assert payment_of(l1, paid)["status"] == "complete"
    rows = l1.rpc("listhtlcs")["htlcs"]
    assert len(rows) == 13
    assert {r["state"] for r in rows} == {
        "RCVD_REMOVE_ACK_REVOCATION",
        "SENT_REMOVE_ACK_REVOCATION",
    }
    channel = l1.channels()[0]
    assert channel["out_payments_offered"] == 7
    assert channel["out_payments_fulfilled"] == 6
    assert channel["in_payments_fulfilled"] == 6
    l1.restart()
    node_factory.connect(l1, l2)
    wait_back(l1, l2)
    send(l2, l1, amount_msat=1_000)


def test_invoices(node_factory: NodeFactory) -> None:
    l1, l2 = pair(node_factory)
    first, second, third = (new_invoice(l2, a) for a in (1000, 2000, "any"))
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(l2.rpc, "waitinvoice", label=second["label"])
        last = pool.submit(l2.rpc, "waitanyinvoice")
        start_payment(l1, route_to(l1, l2, amount_msat=2000), second)
        assert one.result()["amount_received_msat"] == 2000
        assert last.result()["label"] == second["label"]
    l1.rpc("waitsendpay", payment_hash=second["payment_hash"])
    start_payment(l1, route_to(l1, l2, amount_msat=777), third)
    after = l2.rpc("waitanyinvoice", lastpay_index=1)
    assert (after["label"], after["amount_received_msat"]) == (third["label"], 777)
    # Too little, too much, with the wrong secret: failed and not marked.
    for amount, change in ((999, {}), (2001, {}), (1000, {"payment_secret": "33" * 32})):
        start_payment(l1, route_to(l1, l2, amount_msat=amount), first | change)
        with pytest.raises(RpcError) as caught:
            l1.rpc("waitsendpay", payment_hash=first["payment_hash"])
        assert caught.value.code == 203
    assert invoice_of(l2, first["label"])["status"] == "unpaid"
    with pytest.raises(RpcError):
        l2.rpc("delinvoice", label=first["label"], status="paid")
    l2.rpc("delinvoice", label=first["label"], status="unpaid")
    start_payment(l1, route_to(l1, l2, amount_msat=1000), first)
    with pytest.raises(RpcError):
        l1.rpc("waitsendpay", payment_hash=first["payment_hash"])
    with pytest.raises(RpcError):
        l2.rpc("invoice", amount_msat=1, label=second["label"], description="again")


def test_many_at_once_both_ways(node_factory: NodeFactory) -> None:
    l1, l2 = pair(node_factory)
    jobs = []
    for payer, payee in ((l1, l2), (l2, l1)):
        route = route_to(payer, payee, amount_msat=1_000_000)
        jobs += [(payer, route, new_invoice(payee, 1_000_000)) for _ in range(30)]
    jobs = list(itertools.chain(*zip(jobs[:30], jobs[30:], strict=True)))
    for payer, route, invoice in jobs:
        start_payment(payer, route, invoice)
    for payer, _, invoice in jobs:
        paid = payer.rpc(
            "waitsendpay", payment_hash=invoice["payment_hash"], timeout=int(TIMEOUT_S)
        )
        assert paid["status"] == "complete"
    wait_for(lambda: l1.channels()[0]["out_payments_fulfilled"] == 30)


def test_forward_with_fees(node_factory: NodeFactory) -> None:
    l1, l2, l3 = node_factory.line_graph(
        3, options=[{}, {"fee-base": 10, "fee-per-satoshi": 1000}, {}], wait_for_announcement=False
    )
    send(l1, l2, l3, amount_msat=100_000_000, fees_msat=100_010)
    forward = l2.rpc("listforwards")["forwards"][0]
    assert (forward["status"], forward["fee_msat"]) == ("settled", 100_010)
    assert (forward["in_msat"], forward["out_msat"]) == (100_100_010, 100_000_000)
    invoice = new_invoice(l3, 1_000_000)

    def fails(fees_msat: int, name: str, given: dict = invoice) -> None:
        start_payment(l1, route_to(l1, l2, l3, amount_msat=1_000_000, fees_msat=fees_msat), given)
        with pytest.raises(RpcError) as caught:
            l1.rpc("waitsendpay", payment_hash=given["payment_hash"])
        assert caught.value.data["failcodename"] == name

    fails(1009, "WIRE_FEE_INSUFFICIENT")
    unknown = {"payment_hash": "11" * 32, "payment_secret": "22" * 32}
    fails(1010, "WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS", unknown)
    # New fees; those who have not heard of them may pay the old ones for a while.
    l2.rpc("setchannel", id=l3.id, feebase=5000, feeppm=0)
    send(l1, l2, l3, amount_msat=1_000_000, fees_msat=1010)
    send(l1, l2, l3, amount_msat=1_000_000, fees_msat=5000)
    l2.rpc("setchannel", id=l3.id, feebase=6000, feeppm=0, enforcedelay=0)
    fails(5000, "WIRE_FEE_INSUFFICIENT")
    # Without the next peer.
    l3.stop()
    wait_for(lambda: not l2.is_connected(l3))
    invoice = {"payment_hash": "44" * 32, "payment_secret": "22" * 32}
    hops = route_to(l1, l2, amount_msat=1_006_000)
    hops[0]["delay"] += 6
    scid = l2.channels(l3)[0]["short_channel_id"]
    hops.append({"id": l3.id, "channel": scid, "amount_msat": 1_000_000, "delay": 9})
    start_payment(l1, hops, invoice)
    with pytest.raises(RpcError, match="(?i)temporary_channel_failure"):
        l1.rpc("waitsendpay", payment_hash="44" * 32)
    l3.start()
    node_factory.connect(l3, l2)
    wait_back(l2, l3)
    statuses = [f["status"] for f in l2.rpc("listforwards")["forwards"]]
    assert statuses.count("settled") == 3
    assert statuses.count("failed") == 1
    assert statuses.count("local_failed") == 3


def test_mutual_close_with_fee_range(node_factory: NodeFactory) -> None:
    l1, l2 = pair(node_factory)
    send(l1, l2, amount_msat=1_234_567)
    done = l1.rpc("close", id=l2.id, feerange=["253perkw", "5000perkw"])
    assert done["type"] == "mutual"
    tx = node_factory.bitcoind.rpc("decoderawtransaction", done["txs"][0])
    assert len(tx["vout"]) == 2
    node_factory.mine(1, wait_for_mempool=done["txids"][0])
    for node, peer in ((l1, l2), (l2, l1)):
        wait_state(node, peer, "ONCHAIN")
    with pytest.raises(RpcError, match="already closed"):
        l1.rpc("close", id=l2.id)
    check_books(node_factory)
    node_factory.mine(100)
    for node in (l1, l2):
        wait_for(lambda n=node: not n.channels(), "the channel to be forgotten")
        closed = node.rpc("listclosedchannels")["closedchannels"]
        assert closed[0]["close_cause"] in ("user", "remote")
    check_books(node_factory)
    l1.restart()
    assert l1.channels() == []
    assert len(l1.rpc("listclosedchannels")["closedchannels"]) == 1


def test_close_ends_when_the_peer_closes_alone(node_factory: NodeFactory) -> None:
    """Both want to close while they cannot speak; who waits for the other hears of its close from the chain."""
    l1, l2 = pair(node_factory)
    l1.rpc("disconnect", id=l2.id, force=True)
    wait_for(lambda: not l2.is_connected(l1))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(l1.rpc, "close", id=l2.id)
        wait_state(l1, l2, "CHANNELD_SHUTTING_DOWN")
        alone = l2.rpc("close", id=l1.id, unilateraltimeout=1)
        assert alone["type"] == "unilateral"
        node_factory.mine(1, wait_for_mempool=alone["txids"][0])
        assert waiting.result() == alone
    wait_state(l1, l2, "ONCHAIN")
    wait_state(l2, l1, "ONCHAIN")


def test_close_waits_for_pending_htlc(node_factory: NodeFactory, tmp_path: Path) -> None:
    """An HTLC that the receiver holds delays the close; when it is settled the close goes on by itself."""
    plugin = hold_plugin(tmp_path)
    l1, l2 = node_factory.make_many(2, [{}, {"plugin": plugin}])
    node_factory.open_channel(l1, l2, push_msat=500_000_000)
    invoice = new_invoice(l2, 3_000_000)
    start_payment(l1, route_to(l1, l2, amount_msat=3_000_000), invoice)
    wait_for(lambda: l2.channels()[0]["htlcs"] and (tmp_path / "asked").exists())
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(l1.rpc, "close", id=l2.id)
        wait_state(l1, l2, "CHANNELD_SHUTTING_DOWN")
        wait_state(l2, l1, "CHANNELD_SHUTTING_DOWN")
        with pytest.raises(RpcError):
            start_payment(
                l1,
                [
                    {
                        "id": l2.id,
                        "channel": l1.channels()[0]["short_channel_id"],
                        "delay": 9,
                        "amount_msat": 1000,
                    }
                ],
                new_invoice(l2, 1000),
            )
        (tmp_path / "release").write_text("now")
        assert closing.result()["type"] == "mutual"
    assert payment_of(l1, invoice["payment_hash"])["status"] == "complete"
    node_factory.mine(1, wait_for_mempool=1)
    wait_state(l1, l2, "ONCHAIN")
    wait_state(l2, l1, "ONCHAIN")


HOLD_PLUGIN = '''#!{python}
"""Holds every HTLC until a file `release` appears in this folder."""
import json, os, sys, time
HERE = os.path.dirname(os.path.abspath(__file__))
def reply(request, result):
    print(json.dumps({{"jsonrpc": "2.0", "id": request["id"], "result": result}}), end="\\n\\n", flush=True)
for line in sys.stdin:
    if not line.strip():
        continue
    request = json.loads(line)
    if request["method"] == "getmanifest":
        reply(request, {{"options": [], "rpcmethods": [], "dynamic": True,
                         "hooks": [{{"name": "htlc_accepted"}}]}})
    elif request["method"] == "init":
        reply(request, {{}})
    elif request["method"] == "htlc_accepted":
        open(os.path.join(HERE, "asked"), "w").close()
        while not os.path.exists(os.path.join(HERE, "release")):
            time.sleep(0.02)
        reply(request, {{"result": "continue"}})
'''


def hold_plugin(folder: Path) -> str:
    """A plugin that holds HTLCs until `release` exists in its folder; it makes `asked` when it has one."""
    path = folder / "hold.py"
    path.write_text(HOLD_PLUGIN.format(python=sys.executable))
    path.chmod(0o755)
    return str(path)


def test_restart_in_each_state(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2, RECONNECT)
    node_factory.fund_wallet(l1, 2_000_000)
    node_factory.connect(l1, l2)
    txid = l1.rpc("fundchannel", id=l2.id, amount=1_000_000, push_msat=400_000_000)["txid"]
    for node in (l1, l2):
        node.restart()
        assert node.channel_states() == ["CHANNELD_AWAITING_LOCKIN"]
    wait_back(l1, l2)
    l2.stop()
    node_factory.mine(1, wait_for_mempool=txid)
    l2.start()
    node_factory.wait_normal(l1, l2, txid)
    wait_back(l1, l2)
    send(l1, l2, amount_msat=5_000_000)
    for node in (l1, l2):
        node.restart()
        wait_back(l1, l2)
    send(l2, l1, amount_msat=7_000_000)
    # The close begins while the peer is away, and goes on through restarts.
    l2.stop()
    wait_for(lambda: not l1.is_connected(l2))
    with pytest.raises((RpcError, OSError)):
        l1.call("close", {"id": l2.id}, timeout_s=0.5)
    wait_state(l1, l2, "CHANNELD_SHUTTING_DOWN")
    l1.restart()
    assert l1.channel_states() == ["CHANNELD_SHUTTING_DOWN"]
    l2.start()
    wait_state(l1, l2, "CLOSINGD_COMPLETE")
    for node in (l1, l2):
        node.restart()
    node_factory.mine(1, wait_for_mempool=1)
    wait_state(l1, l2, "ONCHAIN")
    wait_state(l2, l1, "ONCHAIN")
    for node in (l1, l2):
        node.restart()
        assert node.channel_states() == ["ONCHAIN"]


def test_both_reconnect_at_once(node_factory: NodeFactory) -> None:
    """Both dial after a cut: they agree on one connection and stay there."""
    l1, l2 = pair(node_factory, RECONNECT)
    for _ in range(3):
        l1.rpc("disconnect", id=l2.id, force=True)
        wait_for(lambda: pays_again(l1, l2), "a connection that stays")


def pays_again(payer: Node, payee: Node) -> bool:
    """Whether a payment goes through; where both have just dialled, the first connection may give way to the second."""
    wait_back(payer, payee)
    try:
        send(payer, payee, amount_msat=1_000)
    except RpcError:
        return False
    return True
