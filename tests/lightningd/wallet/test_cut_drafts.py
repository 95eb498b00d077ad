"""A stop in the middle of an opening or a withdrawal: the coins are free after the next start, or the transaction goes out."""

from __future__ import annotations

from pathlib import Path

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from tests.lightningd.wallet.rig import Rig

THEIRS = sc.p2wpkh(b"\2" * 33)


def test_coins_of_a_cut_draft_are_free_after_a_start(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        (outpoint,) = await rig.fund(300_000)
        await rig.wallet.draft([(THEIRS, Sat(100_000))], 1000, for_now=True)
        assert rig.coin(outpoint).is_reserved(rig.chain.height)
        await rig.restart()
        assert not rig.coin(outpoint).is_reserved(rig.chain.height)
        assert any("Free again" in line and str(outpoint) in line for line in rig.logs)
        await rig.restart()
        assert len([line for line in rig.logs if "Free again" in line]) == 1

    Rig(tmp_path).run(scenario)


def test_what_was_recorded_stays_reserved(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        (outpoint,) = await rig.fund(300_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(100_000))], 1000, for_now=True)
        tx = await rig.wallet.sign(draft)
        await rig.turn.do(lambda: rig.wallet.record_sent(tx, draft))
        await rig.restart()
        assert rig.coin(outpoint).is_reserved(rig.chain.height)
        assert rig.coin(outpoint).spending_txid == tx.txid()
        assert [stored.tx for stored in rig.wallet.store.unconfirmed_txs()] == [tx]

    Rig(tmp_path).run(scenario)


def test_reservations_that_somebody_asked_for_stay(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        (outpoint,) = await rig.fund(300_000)
        await rig.turn.do(lambda: rig.wallet.reserve([rig.coin(outpoint)]))
        await rig.wallet.draft(
            [(THEIRS, Sat(100_000))], 1000, utxos=[outpoint], reserved_ok=True, for_now=True
        )
        await rig.restart()
        assert rig.coin(outpoint).is_reserved(rig.chain.height)
        draft = await rig.wallet.draft(
            [(THEIRS, Sat(100_000))], 1000, utxos=[outpoint], reserved_ok=True, for_now=True
        )
        await rig.wallet.release(draft)
        assert rig.wallet.drafts.left() == []

    Rig(tmp_path).run(scenario)
