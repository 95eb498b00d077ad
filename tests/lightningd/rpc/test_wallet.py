"""newaddr, listfunds, withdraw and their kin."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.address import address_to_script, encode_segwit
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ChannelId, Outpoint, ShortChannelId, Txid, txid_hex
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.channels.states import ChannelState
from tests.lightningd.wallet.rig import PLAIN_SEED, Rig, verify
from tests.lightningd.wallet.rpc_rig import call

PAYEE = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
OTHER = encode_segwit("bcrt", 1, bytes.fromhex("33" * 32))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_addresses(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        first = await call(rig, "newaddr")
        assert set(first) == {"p2tr"}
        assert set(await call(rig, "newaddr", "all")) == {"p2tr", "bech32"}
        third = await call(rig, "newaddr", addresstype="bech32")
        assert address_to_script(third["bech32"], REGTEST) == rig.wallet.script_of(3, "bech32")
        listed = (await call(rig, "listaddresses"))["addresses"]
        assert listed[0] == {"keyidx": 1, **first}
        assert listed[2] == {"keyidx": 3, **third}
        assert (await call(rig, "listaddresses", third["bech32"]))["addresses"] == [listed[2]]
        assert (await call(rig, "listaddresses", None, 2, 1))["addresses"] == [listed[1]]
        everything = (await call(rig, "dev-listaddrs"))["addresses"]
        assert [e["keyidx"] for e in everything] == [1, 2, 3]
        rig.config["allow-deprecated-apis"] = True
        assert set(await call(rig, "newaddr")) == {"p2tr", "bech32"}
        with pytest.raises(UserError, match="addresstype: should be one of 'p2tr'"):
            await call(rig, "newaddr", "p2pkh")

    rig.run(scenario)


def test_withdraw(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(1_000_000)
        sent = await call(rig, "withdraw", PAYEE, 300_000, "1000perkw")
        tx = Tx.parse(bytes.fromhex(sent["tx"]))
        assert rig.chain.sent == [tx]
        assert sent["txid"] == txid_hex(tx.txid())
        assert tx.outputs[0].script == address_to_script(PAYEE, REGTEST)
        verify(tx, [rig.coin(point)])

        funds = (await call(rig, "listfunds"))["outputs"]
        assert [(f["status"], f["reserved"]) for f in funds] == [
            ("confirmed", True),
            ("unconfirmed", False),
        ]
        assert funds[0]["reserved_to_block"] == 101 + 144
        await rig.mine(tx)
        funds = (await call(rig, "listfunds"))["outputs"]
        assert [(f["status"], f["blockheight"]) for f in funds] == [("confirmed", 102)]
        spent = (await call(rig, "listfunds", True))["outputs"]
        assert [f["status"] for f in spent] == ["spent", "confirmed"]
        txs = (await call(rig, "listtransactions"))["transactions"]
        assert [(t["blockheight"], t["txindex"]) for t in txs] == [(101, 1), (102, 1)]
        assert txs[1]["rawtx"] == sent["tx"]

        await call(rig, "withdraw", destination=OTHER, satoshi="all")
        last = rig.chain.sent[-1]
        assert len(last.outputs) == 1
        assert last.outputs[0].script == address_to_script(OTHER, REGTEST)

    rig.run(scenario)


def test_withdraw_errors(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        cases: list[tuple[int, str, tuple[Any, ...]]] = [
            (
                -1,
                "Destination address is not on network regtest",
                ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", 1000),
            ),
            (-1, "Could not parse destination address, destination should be", ("nonsense", 1000)),
            (301, "Could not afford 200000sat", (PAYEE, 200_000)),
            (302, "dust", (PAYEE, 5)),
            (-32602, "satoshi: should be a satoshi amount or 'all'", (PAYEE, "much")),
            (-32602, "feerate: should be a feerate", (PAYEE, 1000, "fast")),
            (-32602, "utxos: Please specify", (PAYEE, 1000, None, None, [])),
        ]
        for code, text, args in cases:
            with pytest.raises(UserError, match=text) as error:
                await call(rig, "withdraw", *args)
            assert error.value.code == code
        rig.chain.refuse = "insufficient fee"
        with pytest.raises(UserError, match="Error broadcasting transaction: insufficient fee"):
            await call(rig, "withdraw", PAYEE, 50_000)
        assert rig.coin(point).reserved_til == 0

    rig.run(scenario)


def test_txprepare(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(1_000_000)
        outputs = [{PAYEE: 100_000}, {OTHER: "200000sat"}]
        ready = await call(rig, "txprepare", outputs)
        assert rig.coin(point).is_reserved(rig.chain.height)
        gone = await call(rig, "txdiscard", ready["txid"])
        assert gone["unsigned_tx"] == ready["unsigned_tx"]
        assert not rig.coin(point).is_reserved(rig.chain.height)
        with pytest.raises(UserError, match="not an unreleased txid"):
            await call(rig, "txsend", ready["txid"])
        again = await call(
            rig, "txprepare", [*outputs[:1], {OTHER: "all"}], "normal", None, [str(point)]
        )
        sent = await call(rig, "txsend", again["txid"])
        assert sent["txid"] == again["txid"]
        tx = rig.chain.sent[0]
        verify(tx, [rig.coin(point)])
        assert len(tx.outputs) == 2
        for bad, text in (
            ("x", "should be an array of outputs"),
            ([PAYEE], "output format must be"),
            ([{PAYEE: "lots"}], "'lots' is a invalid satoshi amount"),
        ):
            with pytest.raises(UserError, match=text):
                await call(rig, "txprepare", bad)

    rig.run(scenario)


def test_multiwithdraw(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(1_000_000)
        await call(rig, "multiwithdraw", [{PAYEE: 10_000}, {OTHER: 20_000}])
        assert [o.amount for o in rig.chain.sent[0].outputs[:2]] == [Sat(10_000), Sat(20_000)]

    rig.run(scenario)


def test_upgradewallet(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        assert await call(rig, "upgradewallet") == {"upgraded_outs": 0}
        await rig.mine(rig.payment(rig.wallet.keys.scripts(1)[2], 100_000))
        (shown,) = (await call(rig, "listfunds"))["outputs"]
        assert sc.is_p2wpkh(bytes.fromhex(shown["redeemscript"]))
        coins = rig.wallet.coins()
        assert (await call(rig, "upgradewallet"))["upgraded_outs"] == 1
        verify(rig.chain.sent[0], coins)

    Rig(tmp_path, PLAIN_SEED).run(scenario)


def test_channels_in_listfunds(rig: Rig) -> None:
    peer = bytes.fromhex("02" + "33" * 32)
    funding = Outpoint(Txid(b"\x01" * 32), 1)

    async def scenario(rig: Rig) -> None:
        channel = SimpleNamespace(
            peer_id=peer,
            state=ChannelState.CHANNELD_NORMAL,
            channel_id=ChannelId(bytes(32)),
            to_local=Msat(7_000),
            capacity=Sat(10_000),
            static=SimpleNamespace(funding=funding),
            short_channel_id=ShortChannelId.from_str("103x1x0"),
        )
        rig.channels.append(channel)
        rig.peers[peer] = SimpleNamespace(connection=None)
        (shown,) = (await call(rig, "listfunds"))["channels"]
        assert shown["our_amount_msat"] == 7_000
        assert shown["amount_msat"] == 10_000_000
        assert shown["short_channel_id"] == "103x1x0"
        assert not shown["connected"]

    rig.run(scenario)
