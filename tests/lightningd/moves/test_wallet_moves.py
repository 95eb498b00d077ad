"""Moves of the wallet: its account holds its confirmed coins, whatever is told twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from tests.lightningd.wallet.rig import Rig
from tests.lightningd.wallet.rpc_rig import call

PAYEE = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def balance(moves: list[dict[str, Any]], account: str) -> int:
    mine = [m for m in moves if m["account_id"] == account]
    return sum(m["credit_msat"] - m["debit_msat"] for m in mine)


def test_deposits_and_withdrawals(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path)
        await rig.start()
        rig.listened.add("balance_snapshot")
        coins = await rig.fund(100_000, 200_000)
        moves = (await call(rig, "listchainmoves"))["chainmoves"]
        assert [m["primary_tag"] for m in moves] == ["deposit", "deposit"]
        assert balance(moves, "wallet") == 300_000_000
        spend = Tx(2, (TxIn(coins[0].txid, coins[0].index),), (TxOut(Sat(9), b"\x51"),))
        height = rig.chain.height + 1
        await rig.mine(spend)
        await rig.restart()
        # Blocks are read again after a restart, and after a reorganisation.
        await rig.turn.do(lambda: rig.chain.connect(height, (spend,)))
        await rig.unmine()
        await rig.turn.do(lambda: rig.chain.connect(height, (spend,)))
        moves = (await call(rig, "listchainmoves"))["chainmoves"]
        assert balance(moves, "wallet") == 200_000_000
        last = moves[-1]
        assert (last["primary_tag"], last["created_index"]) == ("withdrawal", 3)
        assert (await call(rig, "listchainmoves", "created", 2, 1))["chainmoves"] == [moves[1]]
        told = [payload for topic, payload in rig.notes if topic == "coin_movement"]
        assert [t["created_index"] for t in told] == [1, 2, 3]
        assert told[-1] == {
            **last,
            "version": 2,
            "coin_type": "bcrt",
            "node_id": rig.node_id.hex(),
            "type": "chain_mvt",
        }
        snapshot = [payload for topic, payload in rig.notes if topic == "balance_snapshot"][-1]
        assert snapshot["accounts"] == [
            {"account_id": "wallet", "balance_msat": 200_000_000, "coin_type": "bcrt"}
        ]
        rig.database.close()

    asyncio.run(test())


def test_old_fields_while_they_are_allowed(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path)
        rig.config["allow-deprecated-apis"] = True
        rig.developer = False
        await rig.start()
        await rig.fund(100_000)
        (told,) = [payload for topic, payload in rig.notes if topic == "coin_movement"]
        assert told["tags"] == ["deposit"]
        assert f"{told['utxo_txid']}:{told['vout']}" == told["utxo"]
        rig.database.close()

    asyncio.run(test())


def test_what_sendpsbt_pays_to_others(tmp_path: Path) -> None:
    """txprepare marks what leaves the wallet, as in CLN, so that sendpsbt knows it from a channel's funding."""

    async def test(rig: Rig) -> None:
        await rig.fund(1_000_000)
        ready = await call(rig, "txprepare", [{PAYEE: 300_000}])
        signed = (await call(rig, "signpsbt", ready["psbt"]))["signed_psbt"]
        await call(rig, "sendpsbt", signed)
        await rig.mine(rig.chain.sent[0])
        moves = (await call(rig, "listchainmoves"))["chainmoves"]
        (outside,) = [m for m in moves if m["account_id"] == "external"]
        assert outside["credit_msat"] == 300_000_000
        assert outside["utxo"].startswith(ready["txid"])
        assert outside["originating_account"] == "wallet"

    Rig(tmp_path).run(test)
