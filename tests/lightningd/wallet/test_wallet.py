"""Drafts, signatures, reservations, and what blocks do to coins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import fee_for_weight
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId, Outpoint, Txid
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.lightningd.wallet.coin import CloseInfo
from tests.lightningd.wallet.rig import PLAIN_SEED, Rig, verify

THEIRS = sc.p2wpkh(bytes.fromhex("02" + "11" * 32))
PEER = NodeId(bytes.fromhex("02" + "22" * 32))


class AnchorChannel:
    class channel_type:  # noqa: N801 - stands for an attribute
        has_anchors = True


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_new_keys_are_never_given_out_twice(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        assert [await rig.wallet.new_key_index() for _ in range(3)] == [1, 2, 3]
        await rig.restart()
        assert await rig.wallet.new_key_index() == 4
        row = rig.db.execute_sql("SELECT intval FROM vars WHERE name='bip86_max_index'")
        assert row.fetchone() == (4,)
        assert rig.wallet.is_ours(rig.wallet.script_of(54, "bech32")) == 54
        assert rig.wallet.is_ours(rig.wallet.script_of(55)) is None

    rig.run(scenario)


@pytest.mark.parametrize("kind", ["p2tr", "bech32"])
def test_spend(rig: Rig, kind: Any) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(100_000, 200_000, kind=kind)
        draft = await rig.wallet.draft([(THEIRS, Sat(250_000))], 1000)
        assert len(draft.coins) == 2
        tx = await rig.wallet.sign(draft)
        verify(tx, draft.coins)
        assert draft.txid() == tx.txid()
        assert draft.fee == fee_for_weight(1000, draft.weight)
        # A signature may come out a byte shorter than is reckoned with.
        assert draft.weight - 2 <= tx.weight() <= draft.weight
        assert draft.amounts == (Sat(250_000),)
        assert draft.change == Sat(300_000 - 250_000 - draft.fee.sat)
        assert rig.wallet.is_ours(tx.outputs[1].script) is not None
        assert tx.locktime == rig.chain.height

    rig.run(scenario)


def test_mixed_inputs_of_an_old_wallet(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(100_000, kind="p2tr")
        await rig.fund(100_000, kind="bech32")
        wrapped = rig.wallet.keys.scripts(3)[2]
        await rig.mine(rig.payment(wrapped, 100_000))
        assert len([c for c in rig.wallet.coins() if c.is_wrapped]) == 1
        draft = await rig.wallet.draft([(THEIRS, "all")], 500, wrapped_ok=True)
        tx = await rig.wallet.sign(draft)
        verify(tx, draft.coins)
        assert draft.weight - 4 <= tx.weight() <= draft.weight
        assert draft.amounts == (Sat(300_000 - draft.fee.sat),)

    Rig(tmp_path, PLAIN_SEED).run(scenario)


def test_placeholder_script(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(1_000_000)
        draft = await rig.wallet.draft([(sc.p2wsh(b""), Sat(500_000))], 1000)
        real = sc.p2wsh(b"\x51")
        filled = draft.with_script(0, real)
        assert filled.output_index(real) == 0
        tx = await rig.wallet.sign(filled)
        verify(tx, filled.coins)
        assert tx.outputs[0] == TxOut(Sat(500_000), real)
        with pytest.raises(ValueError, match="cannot take the place"):
            draft.with_script(0, THEIRS)

    rig.run(scenario)


def test_to_remote_of_a_close(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        reply = await rig.hsm.ask(hw.HsmdGetBasepoints(peer_id=PEER, dbid=7))
        script = sc.p2wsh(sc.to_remote_anchors_script(reply.basepoints.payment))
        outpoint = Outpoint(Txid(b"\x09" * 32), 1)

        def add() -> None:
            rig.wallet.add_output(
                outpoint, Sat(80_000), script, 0, rig.chain.height + 1, close=CloseInfo(7, PEER, 1)
            )

        await rig.turn.do(add)
        with pytest.raises(UserError, match="all 0 available"):
            await rig.wallet.draft([(THEIRS, Sat(10_000))], 1000)
        with pytest.raises(UserError, match="csv locked"):
            await rig.wallet.draft([(THEIRS, Sat(10_000))], 1000, utxos=[outpoint])
        await rig.mine()
        draft = await rig.wallet.draft([(THEIRS, Sat(10_000))], 1000)
        tx = await rig.wallet.sign(draft)
        verify(tx, draft.coins)
        assert tx.inputs[0].sequence == 1
        assert draft.weight - 1 <= tx.weight() <= draft.weight
        await rig.wallet.send(tx, draft)
        await rig.mine(tx)
        assert rig.coin(outpoint).is_spent

    rig.run(scenario)


def test_reservations(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(10_000))], 1000)
        assert rig.coin(point).reserved_til == rig.chain.height + 72
        with pytest.raises(UserError, match="Could not afford 10000sat using all 0 available"):
            await rig.wallet.draft([(THEIRS, Sat(10_000))], 1000)
        await rig.restart()
        with pytest.raises(UserError, match=f"UTXO {point} already reserved"):
            await rig.wallet.draft([(THEIRS, Sat(10_000))], 1000, utxos=[point])
        await rig.wallet.release(draft)
        again = await rig.wallet.draft([(THEIRS, Sat(10_000))], 1000)
        rig.chain.height += 72
        assert not rig.coin(point).is_reserved(rig.chain.height)
        assert again.coins[0].outpoint == point

    rig.run(scenario)


def test_what_cannot_be_afforded(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (small, _) = await rig.fund(10_000, 90_000)
        cases: list[tuple[int, dict[str, Any], Any, str]] = [
            (301, {}, [(THEIRS, Sat(100_000))], r"using all 2 available UTXOs: \d+sat short"),
            (301, {"utxos": [small]}, [(THEIRS, Sat(20_000))], "using UTXOs totalling 10000sat"),
            (301, {"minconf": 2}, [(THEIRS, Sat(1_000))], "using all 0"),
            (301, {}, [(THEIRS, "all"), (THEIRS, Sat(200_000))], "other outputs"),
            (302, {}, [(THEIRS, Sat(100))], "dust limit of 294sat"),
            (-32602, {}, [(THEIRS, "all"), (THEIRS, "all")], "'all' in two"),
            (-32602, {"utxos": [Outpoint(Txid(bytes(32)), 0)]}, [(THEIRS, "all")], "Unknown UTXO"),
        ]
        for code, options, outputs, text in cases:
            with pytest.raises(UserError, match=text) as error:
                await rig.wallet.draft(outputs, 1000, **options)
            assert error.value.code == code
        assert not any(c.reserved_til for c in rig.wallet.coins())
        rig.chain.synced = False
        with pytest.raises(UserError, match="still syncing"):
            await rig.wallet.draft([(THEIRS, Sat(100_000))], 1000)

    rig.run(scenario)


def test_emergency_reserve(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(100_000)
        rig.channels.append(AnchorChannel)
        with pytest.raises(UserError, match="min-emergency-msat 25000sat") as error:
            await rig.wallet.draft([(THEIRS, Sat(90_000))], 253)
        assert error.value.code == 313
        draft = await rig.wallet.draft([(THEIRS, "all")], 253)
        assert draft.change == Sat(25_000)
        assert draft.amounts == (Sat(75_000 - draft.fee.sat),)
        tx = await rig.wallet.sign(draft)
        assert draft.fee == fee_for_weight(253, draft.weight)
        verify(tx, draft.coins)
        await rig.wallet.release(draft)
        await rig.fund(30_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(90_000))], 253)
        assert len(draft.coins) == 1

    rig.run(scenario)


def test_sent_mined_unmined_and_mined_again(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(40_000))], 1000)
        tx = await rig.wallet.sign(draft)
        await rig.wallet.send(tx, draft)
        assert rig.chain.sent == [tx]
        change = Outpoint(tx.txid(), 1)
        assert rig.coin(change).height is None
        rig.chain.height += 1000
        assert rig.coin(point).is_reserved(rig.chain.height)
        rig.chain.height -= 1000
        with pytest.raises(UserError, match="all 0 available"):
            await rig.wallet.draft([(THEIRS, Sat(1_000))], 1000)
        child = await rig.wallet.draft([(THEIRS, Sat(1_000))], 1000, minconf=0)
        assert child.coins[0].outpoint == change
        await rig.wallet.release(child)

        await rig.mine(tx)
        assert rig.coin(point).spend_height == rig.chain.height
        assert rig.coin(change).height == rig.chain.height
        assert [s.height for s in rig.wallet.store.txs()] == [101, 102]
        # Seen twice: nothing changes.
        before = rig.wallet.store.all()
        await rig.turn.do(lambda: rig.chain.connect(rig.chain.height, (payment_filler(), tx)))
        assert rig.wallet.store.all() == before

        await rig.unmine()
        assert not rig.coin(point).is_spent
        assert rig.coin(point).is_reserved(rig.chain.height)
        assert rig.coin(change).height is None
        assert [s.txid for s in rig.wallet.store.unconfirmed_txs()] == [tx.txid()]
        await rig.restart()
        for callback in rig.chain.when_synced:
            await callback()  # type: ignore[misc]  # a task of the rig
        assert rig.chain.sent == [tx]
        await rig.mine()
        await rig.mine(tx)
        assert rig.coin(change).height == rig.chain.height

    rig.run(scenario)


def payment_filler() -> Tx:
    return Tx(2, (TxIn(Txid(bytes(32)), 0xFFFFFFFF),), (TxOut(Sat(1), THEIRS),))


def test_deposit_and_reorg(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        await rig.unmine()
        assert rig.coin(point).height is None
        with pytest.raises(UserError, match="all 0 available"):
            await rig.wallet.draft([(THEIRS, Sat(1_000))], 1000)

    rig.run(scenario)


def test_coinbase(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        index = await rig.wallet.new_key_index()
        coinbase = rig.payment(rig.wallet.script_of(index), 5_000_000)
        await rig.turn.do(lambda: rig.chain.connect(101, (coinbase,)))
        point = Outpoint(coinbase.txid(), 0)
        assert rig.coin(point).is_immature(rig.chain.height)
        with pytest.raises(UserError, match="all 0 available"):
            await rig.wallet.draft([(THEIRS, Sat(1_000))], 1000)
        rig.chain.height = 201
        draft = await rig.wallet.draft([(THEIRS, Sat(1_000))], 1000)
        await rig.wallet.release(draft)
        rig.chain.height = 101
        await rig.unmine()
        assert rig.wallet.store.get(point) is None

    rig.run(scenario)


def test_refused_by_the_backend(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(40_000))], 1000)
        tx = await rig.wallet.sign(draft)
        rig.chain.refuse = "min relay fee not met"
        with pytest.raises(UserError, match="min relay fee not met. Unsent tx discarded"):
            await rig.wallet.send(tx, draft)
        await rig.wallet.release(draft)
        assert not rig.coin(point).is_reserved(rig.chain.height)
        assert [c.outpoint for c in rig.wallet.store.all()] == [point]
        assert rig.wallet.store.unconfirmed_txs() == []

    rig.run(scenario)


def test_another_transaction_wins(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        first, second = await rig.fund(100_000, 50_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(120_000))], 1000)
        loser = await rig.wallet.sign(draft)
        await rig.wallet.send(loser, draft)
        child = await rig.wallet.draft([(THEIRS, Sat(5_000))], 1000, minconf=0)
        grandchild = await rig.wallet.sign(child)
        await rig.wallet.send(grandchild, child)
        winner = Tx(2, (TxIn(first.txid, first.index),), (TxOut(Sat(99_000), THEIRS),))
        await rig.mine(winner)
        assert rig.coin(first).spending_txid == winner.txid()
        assert rig.coin(second).spending_txid is None
        assert {c.outpoint for c in rig.wallet.store.all()} == {first, second}
        assert set(rig.chain.broadcasts.dropped) == {loser.txid(), grandchild.txid()}
        assert rig.wallet.store.unconfirmed_txs() == []

    rig.run(scenario)


def test_replaced_by_a_transaction_of_our_own(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        first = await rig.wallet.draft([(THEIRS, Sat(20_000))], 1000)
        old = await rig.wallet.sign(first)
        await rig.wallet.send(old, first)
        second = await rig.wallet.draft(
            [(THEIRS, Sat(20_000))], 2000, utxos=[point], reserved_ok=True
        )
        new = await rig.wallet.sign(second)
        rig.chain.refuse = "insufficient fee"
        with pytest.raises(UserError, match="insufficient fee"):
            await rig.wallet.send(new, second)
        assert rig.coin(point).spending_txid == old.txid()
        rig.chain.refuse = None
        await rig.wallet.send(new, second)
        assert rig.coin(point).spending_txid == new.txid()
        await rig.mine(new)
        assert {c.outpoint for c in rig.wallet.store.all()} == {point, Outpoint(new.txid(), 1)}
        assert rig.wallet.store.unconfirmed_txs() == []
        # Told again of what is confirmed: nothing changes.
        await rig.turn.do(lambda: rig.wallet.record_sent(new))
        assert rig.coin(Outpoint(new.txid(), 1)).height == rig.chain.height
        assert rig.wallet.store.unconfirmed_txs() == []

    rig.run(scenario)


def test_what_a_block_holds_is_not_forgotten(rig: Rig) -> None:
    """A block may come between a refusal, or a replacement, and the turn that notes it."""

    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(20_000))], 1000)
        tx = await rig.wallet.sign(draft)
        await rig.wallet.send(tx, draft)
        await rig.mine(tx)
        before = rig.wallet.store.all(), rig.wallet.store.txs()
        await rig.turn.do(lambda: rig.wallet.forget_sent(tx.txid()))
        await rig.turn.do(lambda: rig.wallet.unrecord_seen(tx.txid()))
        await rig.turn.do(lambda: rig.wallet.store.delete_tx(tx.txid()))
        assert (rig.wallet.store.all(), rig.wallet.store.txs()) == before
        assert rig.coin(point).is_spent

    rig.run(scenario)


def test_a_restored_wallet_finds_its_coins(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.mine(rig.payment(rig.wallet.script_of(40), 10_000))
        assert rig.wallet.max_index == 40
        await rig.mine(rig.payment(rig.wallet.script_of(90), 20_000))
        assert rig.wallet.max_index == 90
        assert await rig.wallet.new_key_index() == 91
        assert sum(c.amount.sat for c in rig.wallet.coins()) == 30_000

    rig.run(scenario)


def test_a_failed_turn_leaves_no_trace(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        draft = await rig.wallet.draft([(THEIRS, Sat(40_000))], 1000)
        tx = await rig.wallet.sign(draft)

        def crash() -> None:
            rig.wallet.record_sent(tx, draft)
            raise RuntimeError("later in the same turn")

        with pytest.raises(RuntimeError, match="later"):
            await rig.turn.do(crash)
        assert rig.coin(point).spending_txid is None
        assert len(rig.wallet.store.all()) == 1

    rig.run(scenario)
