"""bump of wallet transactions and deposits: RBF or CPFP, the money for it, relatives, rules of mempools, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.address import encode_segwit
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, txid_hex
from pylightningd.lightningd.control.bumping import Bumper
from pylightningd.lightningd.wallet import start_io
from tests.lightningd.wallet.mempool import Mempool, parse
from tests.lightningd.wallet.rig import Rig, verify
from tests.lightningd.wallet.rpc_rig import call

PAYEE = encode_segwit("bcrt", 1, bytes.fromhex("33" * 32))
THEIRS = sc.p2wpkh(bytes(33))
Scenario = Callable[[Rig, Mempool], Coroutine[Any, Any, None]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Scenario], None]:
    def go(scenario: Scenario) -> None:
        async def whole(rig: Rig) -> None:
            nothing = SimpleNamespace(bump=_none)
            rig.onchain = SimpleNamespace(claims=nothing, anchors=nothing)  # type: ignore[attr-defined]
            await scenario(rig, Mempool(rig))
            assert not rig.bugs

        Rig(tmp_path).run(whole)

    return go


async def _none(*_args: Any) -> None:
    return None


async def withdraw(rig: Rig, amount: Any, feerate: int = 300) -> Tx:
    return parse(await call(rig, "withdraw", PAYEE, amount, f"{feerate}perkw"))


async def bump(rig: Rig, tx: Tx, feerate: int, **more: Any) -> dict[str, Any]:
    return await call(rig, "bump", txid=txid_hex(tx.txid()), feerate=f"{feerate}perkw", **more)


def close_to(rate: int, wanted: int) -> bool:
    """Signatures are a byte shorter now and then."""
    return wanted <= rate <= wanted * 102 // 100


def anchors(rig: Rig, *funding: Outpoint) -> None:
    """A channel with anchors for each of these: a reserve must stay."""
    found: Any = _Channels(
        SimpleNamespace(
            dbid=n,
            channel_type=SimpleNamespace(has_anchors=True),
            static=SimpleNamespace(funding=outpoint, we_are_opener=True),
        )
        for n, outpoint in enumerate(funding, 1)
    )
    found.store = SimpleNamespace(mutual_close=lambda _dbid: b"")
    rig.channels = found


class _Channels(list[Any]):
    store: Any


def test_the_change_pays_and_the_mempool_takes_it(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        (point,) = await rig.fund(1_000_000)
        first = await withdraw(rig, 300_000)
        dry = await bump(rig, first, 2000, dry_run=True)
        assert "tx" not in dry
        assert rig.wallet.store.get_tx(first.txid()) is not None
        done = await bump(rig, first, 2000, budget=dry["extra_fee_msat"] // 1000)
        tx = parse(done)
        assert (done["method"], done["paid_from"], done["kind"]) == ("rbf", "change", "withdrawal")
        assert done["replaces"] == txid_hex(first.txid())
        assert list(mempool.txs) == [tx.txid()]
        assert mempool.fee(tx) * 1000 == done["fee_msat"] == dry["fee_msat"]
        assert tx.outputs[0] == first.outputs[0]
        assert close_to(mempool.package_perkw(tx), 2000)
        verify(tx, [rig.coin(point)])
        # The first txid still names it, also after a restart.
        await rig.restart()
        mempool.begin(rig)
        mempool.txs[tx.txid()] = tx
        again = await bump(rig, first, 4000)
        assert again["replaces"] == txid_hex(tx.txid())
        with pytest.raises(UserError, match="perkw already"):
            await bump(rig, first, 4000)
        await rig.mine(parse(again))
        with pytest.raises(UserError, match="in block"):
            await bump(rig, first, 9000)

    run(scenario)


def test_a_small_step_still_pays_for_its_relay(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(1_000_000)
        first = await withdraw(rig, 300_000, 1000)
        tx = parse(await bump(rig, first, 1010))
        assert mempool.fee(tx) >= 1250 * first.weight() // 1000

    run(scenario)


def test_no_change_so_a_new_coin_pays(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        (spent,) = await rig.fund(100_000)
        first = await withdraw(rig, 99_800)
        assert len(first.outputs) == 1
        with pytest.raises(UserError, match="other coins are enough") as refused:
            await bump(rig, first, 5000)
        assert refused.value.code == 301
        large, small = await rig.fund(400_000, 50_000)
        dry = await bump(rig, first, 5000, dry_run=True)
        assert rig.coin(small).reserved_til == 0
        with pytest.raises(UserError, match="budget"):
            await bump(rig, first, 5000, budget=10)
        assert rig.coin(small).reserved_til == 0
        done = await bump(rig, first, 5000)
        tx = parse(done)
        assert (done["method"], done["paid_from"]) == ("rbf", "coins")
        assert {i.outpoint for i in tx.inputs} == {spent, small}
        assert tx.outputs[0] == first.outputs[0]
        assert rig.wallet.is_ours(tx.outputs[1].script)
        assert close_to(mempool.package_perkw(tx), 5000)
        assert done["extra_fee_msat"] == dry["extra_fee_msat"]
        verify(tx, [rig.coin(spent), rig.coin(small)])
        # Where the backend refuses, all is as before.
        mempool.floor_perkw = 1_000_000
        with pytest.raises(UserError, match="mempool min fee"):
            await bump(rig, first, 100_000)
        assert rig.coin(large).reserved_til == 0
        assert rig.coin(small).spending_txid == tx.txid()

    run(scenario)


def test_all_is_what_is_left(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(100_000)
        first = await withdraw(rig, "all")
        await rig.fund(70_000)
        dry = await bump(rig, first, 5000, dry_run=True)
        assert dry["paid_from"] == "destination"
        tx = first
        for rate in (5000, 7000):
            done = await bump(rig, first, rate)
            tx = parse(done)
            assert [o.script for o in tx.outputs] == [first.outputs[0].script]
            assert done["destination_msat"] == tx.outputs[0].amount.sat * 1000
            assert close_to(mempool.package_perkw(tx), rate)
        assert list(mempool.txs) == [tx.txid()]

    run(scenario)


def test_little_change_goes_whole(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(100_000)
        first = await withdraw(rig, 99_000)
        assert len(first.outputs) == 2
        done = await bump(rig, first, 1200)
        tx = parse(done)
        assert (done["paid_from"], tx.outputs) == ("change", first.outputs[:1])
        assert mempool.package_perkw(tx) >= 1200

    run(scenario)


def test_the_reserve_stays(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(100_000)
        anchors(rig, Outpoint(rig.payment(THEIRS, 1).txid(), 0))
        first = await withdraw(rig, "all")
        assert sorted(o.amount.sat for o in first.outputs)[0] == 25_000
        done = await bump(rig, first, 5000)
        tx = parse(done)
        assert done["paid_from"] == "destination"
        assert rig.wallet.is_ours(tx.outputs[1].script)
        assert tx.outputs[1].amount == Sat(25_000)
        await rig.mine(tx)
        # Not of "all": there is nothing but the reserve to pay with.
        await rig.fund(40_000)
        second = await withdraw(rig, 39_000)
        with pytest.raises(UserError, match="emergency reserve of 25000sat") as refused:
            await bump(rig, second, 20_000)
        assert refused.value.code == 313
        assert mempool.txs

    run(scenario)


def test_a_funding_is_never_replaced(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(1_000_000)
        funding = await withdraw(rig, 300_000)
        anchors(rig, Outpoint(funding.txid(), 0))
        done = await bump(rig, funding, 3000)
        first = parse(done)
        assert (done["kind"], done["method"], done["paid_from"]) == ("funding", "cpfp", "outputs")
        assert set(mempool.txs) == {funding.txid(), first.txid()}
        assert close_to(mempool.package_perkw(first), 3000)
        assert mempool.packages[-1] == (funding, first)
        # Again by the parent's txid, then by the child's: the child is raised, and what counts is the package.
        with pytest.raises(UserError, match="already"):
            await bump(rig, funding, 3000)
        child = first
        for number, name in enumerate((funding, first, funding)):
            rate = 4000 + 1000 * number
            done = await bump(rig, name, rate)
            child = parse(done)
            assert done["kind"] == ("funding" if name is funding else "child")
            assert set(mempool.txs) == {funding.txid(), child.txid()}
            assert close_to(mempool.package_perkw(child), rate)
            await rig.restart()
            mempool.begin(rig)
            mempool.txs = {t.txid(): t for t in (funding, child)}
        height = rig.chain.height
        assert [c.outpoint.txid for c in rig.wallet.coins() if c.is_spendable(height)] == [
            child.txid()
        ]

    run(scenario)


def test_a_funding_without_an_output_of_ours(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, _mempool: Mempool) -> None:
        await rig.fund(300_000, 500_000)
        funding = await withdraw(rig, 299_800)
        assert len(funding.outputs) == 1
        anchors(rig, Outpoint(funding.txid(), 0))
        with pytest.raises(UserError, match="depends on its txid.*no output.*until fees fall"):
            await bump(rig, funding, 3000)

    run(scenario)


def test_what_another_of_ours_spends_is_not_replaced(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(1_000_000)
        first = await withdraw(rig, 300_000)
        point = Outpoint(first.txid(), 1)
        second = parse(
            await call(
                rig,
                "withdraw",
                destination=PAYEE,
                satoshi=100_000,
                feerate="300perkw",
                utxos=[f"{txid_hex(point.txid)}:1"],
            )
        )
        done = await bump(rig, first, 2000)
        tx = parse(done)
        assert (done["method"], done["replaces"]) == ("cpfp", txid_hex(second.txid()))
        assert set(mempool.txs) == {first.txid(), tx.txid()}
        assert tx.outputs[0] == second.outputs[0]
        assert close_to(mempool.package_perkw(tx), 2000)

    run(scenario)


def test_what_the_payee_spends_already_costs_more_to_drive_out(
    run: Callable[[Scenario], None],
) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(1_000_000)
        first = await withdraw(rig, 300_000)
        spend = Tx(2, (TxIn(first.txid(), 0),), (TxOut(Sat(290_000), THEIRS),))
        mempool.add(spend)
        done = await bump(rig, first, 1000)
        # Cheaper than 10,000 sat more: a child.
        assert (done["method"], done["paid_from"]) == ("cpfp", "outputs")
        assert done["extra_fee_msat"] < 2_000_000
        assert spend.txid() in mempool.txs

    run(scenario)


def test_a_deposit(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        script = rig.wallet.script_of(await rig.wallet.new_key_index())
        paid = rig.payment(THEIRS, 60_000)
        paid = Tx(2, paid.inputs, (*paid.outputs, TxOut(Sat(200_000), script)))
        mempool.add(paid, 260_150)
        with pytest.raises(UserError, match="Output 0 of .* is not ours"):
            await call(rig, "bump", f"{txid_hex(paid.txid())}:0", "2000perkw")
        done = await call(rig, "bump", f"{txid_hex(paid.txid())}:1", "2000perkw")
        first = parse(done)
        assert (done["kind"], done["method"]) == ("deposit", "cpfp")
        assert close_to(mempool.package_perkw(first), 2000)
        # A restart sends both again; the child is raised by either name.
        await rig.restart()
        mempool.txs.clear()
        mempool.begin(rig)
        mempool.foreign[paid.inputs[0].outpoint] = 260_150
        await start_io.rebroadcast(rig)  # type: ignore[arg-type]
        assert mempool.packages == [(paid,), (paid, first)]
        child = parse(await bump(rig, paid, 3000))
        assert set(mempool.txs) == {paid.txid(), child.txid()}
        assert close_to(mempool.package_perkw(child), 3000)
        done = await bump(rig, child, 4000)
        assert done["kind"] == "child"
        # The payer takes his payment back: nothing of it stays in the wallet.
        await rig.mine(Tx(2, paid.inputs, (TxOut(Sat(260_000), THEIRS),)))
        assert (await call(rig, "listfunds"))["outputs"] == []
        assert rig.wallet.store.unconfirmed_txs() == []

    run(scenario)


def test_what_is_not_ours(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        other = mempool.add(rig.payment(THEIRS, 60_000), 61_000)
        with pytest.raises(UserError, match="nothing of it is ours"):
            await bump(rig, other, 2000)
        mempool.knows = False
        with pytest.raises(UserError, match="Unknown transaction"):
            await bump(rig, other, 2000)
        with pytest.raises(UserError, match="should be a txid or a txid:outnum"):
            await call(rig, "bump", "nonsense")
        # What the wallet knows does without.
        await rig.fund(1_000_000)
        tx = parse(await bump(rig, await withdraw(rig, 300_000), 2000))
        assert close_to(mempool.package_perkw(tx), 2000)

    run(scenario)


def test_too_many_relatives(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        script = rig.wallet.script_of(await rig.wallet.new_key_index())
        paid = mempool.add(rig.payment(script, 200_000), 200_150)
        paid = mempool.add(
            Tx(
                2,
                (TxIn(paid.txid(), 0),),
                (TxOut(Sat(100_000), script), TxOut(Sat(99_000), THEIRS)),
            )
        )
        last = Outpoint(paid.txid(), 1)
        for n in range(24):
            spend = mempool.add(
                Tx(2, (TxIn(last.txid, last.index),), (TxOut(Sat(98_000 - n), THEIRS),))
            )
            last = Outpoint(spend.txid(), 0)
        with pytest.raises(UserError, match="too many unconfirmed descendants"):
            await bump(rig, paid, 50_000)

    run(scenario)


def test_a_stop_before_the_old_one_is_forgotten(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(1_000_000)
        first = await withdraw(rig, 300_000)
        second = parse(await bump(rig, first, 2000))
        # As if only the last turn were missing.
        await rig.turn.do(lambda: rig.wallet.store.delete_tx(second.txid()))
        await rig.turn.do(lambda: rig.wallet.record_seen(first))
        await rig.turn.do(lambda: rig.wallet.record_sent(second))
        await rig.restart()
        mempool.begin(rig)
        mempool.txs = {second.txid(): second}
        for name in (first, second):
            done = await bump(rig, name, 3000, dry_run=True)
            assert done["replaces"] == txid_hex(second.txid())

    run(scenario)


@pytest.mark.parametrize("event", ["spent", "reserved", "mined", "replaced"])
def test_what_changes_while_the_backend_is_asked(
    run: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """A replacement must not drive out what spends from the old one by now."""

    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(1_000_000, 500_000)
        first = await withdraw(rig, 300_000)
        change = Outpoint(first.txid(), 1)
        original = Bumper._do

        async def late(self: Bumper, *args: Any) -> Any:
            monkeypatch.setattr(Bumper, "_do", original)
            if event == "spent":
                utxos = [f"{txid_hex(change.txid)}:1"]
                await call(
                    rig,
                    "withdraw",
                    destination=PAYEE,
                    satoshi=9000,
                    utxos=utxos,
                    feerate="300perkw",
                )
            elif event == "reserved":
                await rig.turn.do(lambda: rig.wallet.reserve([rig.coin(change)]))
            elif event == "mined":
                await rig.mine(first)
            else:
                await bump(rig, first, 2500)
            return await original(self, *args)

        monkeypatch.setattr(Bumper, "_do", late)
        with pytest.raises(UserError, match="in a block already|in the meantime: try again"):
            await bump(rig, first, 2000)
        assert not rig.wallet.being_raised
        assert any(c.is_spendable(rig.chain.height) for c in rig.wallet.coins())
        assert (first.txid() in mempool.txs) == (event != "replaced")

    run(scenario)


def test_one_bump_at_a_time(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(1_000_000)
        first = await withdraw(rig, 300_000)
        refusals: list[UserError] = []

        async def attempt(feerate: int) -> None:
            try:
                await bump(rig, first, feerate)
            except UserError as refused:
                refusals.append(refused)

        async with asyncio.TaskGroup() as tasks:
            for feerate in (2000, 3000):
                tasks.create_task(attempt(feerate), name=f"bump to {feerate}")
        (refused,) = refusals
        assert "is being raised just now" in str(refused)
        assert len(mempool.txs) == 1
        assert len(rig.wallet.store.unconfirmed_txs()) == 1

    run(scenario)


def test_coins_are_reserved_once(run: Callable[[Scenario], None]) -> None:
    async def scenario(rig: Rig, mempool: Mempool) -> None:
        await rig.fund(100_000)
        first = await withdraw(rig, 80_000)
        before = {i.outpoint: rig.coin(i.outpoint).reserved_til for i in first.inputs}
        for rate in (1000, 2000, 3000):
            tx = parse(await bump(rig, first, rate))
            for i in tx.inputs:
                assert rig.coin(i.outpoint).is_reserved(rig.chain.height)
                if i.outpoint in before:
                    assert rig.coin(i.outpoint).reserved_til == before[i.outpoint]
        mempool.floor_perkw = 1_000_000
        with pytest.raises(UserError, match="mempool min fee"):
            await bump(rig, first, 5000)
        for outpoint, til in before.items():
            assert rig.coin(outpoint).reserved_til == til

    run(scenario)
