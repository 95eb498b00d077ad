"""The chain watcher on a fake chain: blocks, reorganisations, restarts, a backend that fails."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, ShortChannelId
from pylightningd.lightningd.chain.backend_sync_io import ChainError
from tests.lightningd.chain.fake_chain import FakeChain, make_tx, watched


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pylightningd.lightningd.chain.backend_sync_io.FIRST_RETRY_S", 0.001)


def test_new_node_starts_near_the_tip_and_follows(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(100)
        async with watched(tmp_path, chain) as w:
            blocks: list[int] = []
            w.watcher.on_block(lambda height, txs: blocks.append(height))
            await w.watcher.start()
            assert w.watcher.height == 97
            assert w.watcher.sync_warning() == {
                "warning_lightningd_sync": "Still loading latest blocks from bitcoind."
            }
            w.watcher.begin()
            await w.caught_up()
            chain.mine(2)
            await w.caught_up()
            assert blocks == [98, 99, 100, 101, 102]
            assert w.watcher.store.max_height() == 102
            assert [p["height"] for t, p in w.announced if t == "block_added"] == blocks
            await w.watcher.wait_synced()
            assert w.watcher.sync_warning() == {}
            assert w.watcher.store.hash_at(102) == chain.blocks[102].header.hash

    asyncio.run(main())


def test_depth_of_a_transaction_through_a_reorg(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            depths: list[int] = []
            removed: list[int] = []
            w.watcher.on_reorg(removed.append)
            tx = make_tx(7)
            watch = w.watcher.watch_tx(tx.txid(), depths.append)
            chain.mine(3, tx)
            await w.caught_up()
            assert depths == [1, 2, 3]
            assert (watch.height, watch.tx_index) == (11, 1)
            chain.reorg(3, 4)
            await w.caught_up()
            assert depths == [1, 2, 3, 0]
            assert removed == [13, 12, 11]
            assert watch.height is None
            chain.mine(1, tx)
            await w.caught_up()
            assert depths == [1, 2, 3, 0, 1]
            watch.cancel()
            chain.mine()
            await w.caught_up()
            assert depths[-1] == 1
            assert w.watcher.store.max_height() == chain.height == 16

    asyncio.run(main())


def test_a_spend_callback_may_watch_the_spender(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            funding = make_tx(1)
            outpoint = Outpoint(funding.txid(), 0)
            spend = make_tx(2, outpoint)
            sweep = make_tx(3, Outpoint(spend.txid(), 0))
            events: list[Any] = []

            def on_spend(tx: Any, index: int, height: int) -> None:
                events.append(("spent", tx == spend, index, height))
                w.watcher.watch_tx(tx.txid(), lambda depth: events.append(("depth", depth)))
                w.watcher.watch_spend(
                    Outpoint(tx.txid(), 0), lambda tx, i, h: events.append(("swept", h))
                )

            w.watcher.watch_spend(outpoint, on_spend)
            paid: list[Any] = []
            w.watcher.watch_script(b"mine", lambda tx, index, height: paid.append((index, height)))
            chain.mine(1, funding, spend, sweep, make_tx(9, script=b"mine", outputs=2))
            await w.caught_up()
            assert events == [("spent", True, 0, 11), ("depth", 1), ("swept", 11)]
            assert paid == [(0, 11), (1, 11)]

    asyncio.run(main())


def test_restart_walks_through_the_newest_blocks_again(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        tx = make_tx(5)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            chain.mine(4, tx)
            await w.caught_up()
        chain.mine(1)
        async with watched(tmp_path, chain, rescan=3) as w:
            await w.watcher.start()
            assert w.watcher.height == 14
            known: list[int] = []
            late: list[int] = []
            blocks: list[int] = []
            w.watcher.watch_tx(tx.txid(), known.append, height=11, tx_index=1)
            w.watcher.watch_tx(tx.txid(), late.append, since_height=5)
            w.watcher.on_block(lambda height, _: blocks.append(height))
            removed: list[int] = []
            w.watcher.on_reorg(removed.append)
            w.watcher.begin()
            await w.caught_up()
            async with asyncio.timeout(60):
                while not late:
                    await asyncio.sleep(0)
            assert blocks == [12, 13, 14, 15]
            assert known[0] == 4 and known[-1] == 5
            assert late[-1] == 5
            assert removed == []
            assert [p["height"] for t, p in w.announced if t == "block_added"] == [15]

    asyncio.run(main())


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_reorg_while_the_node_was_down(tmp_path: Path, depth: int) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            chain.mine(10)
            await w.caught_up()
        chain.reorg(depth, depth + 1)
        async with watched(tmp_path, chain, rescan=3) as w:
            removed: list[int] = []
            w.watcher.on_reorg(removed.append)
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            assert removed == list(range(20, 20 - depth, -1))
            assert w.watcher.height == 21
            for height in range(12, 22):
                assert w.watcher.store.hash_at(height) == chain.blocks[height].header.hash

    asyncio.run(main())


def test_reorg_deeper_than_what_was_loaded(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            chain.mine(10)
            await w.caught_up()
        async with watched(tmp_path, chain, rescan=1) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            chain.reorg(6, 8)
            await w.caught_up()
            for height in range(8, 23):
                assert w.watcher.store.hash_at(height) == chain.blocks[height].header.hash

    asyncio.run(main())


def test_a_failing_watcher_is_logged_and_the_others_go_on(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            seen: list[int] = []

            def fail(height: int, txs: object) -> None:
                raise ZeroDivisionError

            w.watcher.on_block(fail)
            w.watcher.on_block(lambda height, _: seen.append(height))
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            assert seen == [8, 9, 10]
            assert "broken A chain watcher failed" in w.text()

    asyncio.run(main())


def test_backend_that_fails_is_waited_for_and_named_once(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        chain.failures = ["Could not connect"] * 4
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            assert w.text().count("Could not connect") == 1
            assert "answers again" in w.text()
            w.watcher.begin()
            await w.caught_up()
            chain.mine()
            chain.failures = ["gone"]
            w.watcher.poll_now()
            async with asyncio.timeout(60):
                while "Waiting for the bitcoin backend: gone" not in w.text():
                    await asyncio.sleep(0)
            await w.caught_up()
            assert w.watcher.height == 11

    asyncio.run(main())


def test_wrong_network_and_a_chain_that_shrank(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(30)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
        short = FakeChain(5)
        async with watched(tmp_path, short) as w:
            with pytest.raises(ChainError, match="bitcoind has gone backwards from 27 to 5 blocks"):
                await w.watcher.start()
        short.getchaininfo = lambda last_height: {  # type: ignore[method-assign]
            "chain": "main", "headercount": 1, "blockcount": 1, "ibd": False,
        }  # fmt: skip
        async with watched(tmp_path, short) as w:
            with pytest.raises(ChainError, match="running on 'main', but we expect 'regtest'"):
                await w.watcher.start()

    asyncio.run(main())


def test_not_synced_until_the_backend_is(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        chain.ibd = True
        async with watched(tmp_path, chain, poll_seconds=0.02) as w:
            await w.watcher.start()
            assert "unusual Waiting for initial block download" in w.text()
            w.watcher.begin()
            await w.caught_up()
            assert w.watcher.sync_warning() == {
                "warning_bitcoind_sync": "Bitcoind is not up-to-date with network."
            }
            chain.ibd = False
            await w.watcher.wait_synced()
            assert "Bitcoin backend now synced." in w.text()

    asyncio.run(main())


def test_wait_height(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            assert await w.watcher.wait_height(9) == 10
            with pytest.raises(UserError, match="Timed out"):
                await w.watcher.wait_height(12, 0.001)
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(w.watcher.wait_height(12, 5))
                await asyncio.sleep(0)
                chain.mine(2)
                await w.caught_up()
            assert waiting.result() == 12

    asyncio.run(main())


def test_get_txout(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        tx = make_tx(4, outputs=2)
        chain.mine(1, tx)
        chain.mine(5)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            found = await w.watcher.get_txout(ShortChannelId.make(11, 1, 1))
            assert found is not None
            assert (found.outpoint, found.amount) == (Outpoint(tx.txid(), 1), tx.outputs[1].amount)
            for missing in ((11, 1, 2), (11, 2, 0), (99, 0, 0)):
                assert await w.watcher.get_txout(ShortChannelId.make(*missing)) is None
            chain.spent.add(Outpoint(tx.txid(), 1))
            assert await w.watcher.get_txout(ShortChannelId.make(11, 1, 1)) is None

    asyncio.run(main())


def test_a_child_goes_with_its_parent_where_it_is_refused_alone(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            parent, child = make_tx(1), make_tx(2)
            assert (await w.watcher.broadcast(child, parents=(parent,)))[0]
            assert chain.packages == []
            chain.refuse = "bad-txns-inputs-missingorspent"
            again = make_tx(3)
            assert await w.watcher.broadcast(again, parents=(parent,)) == (True, "")
            assert chain.packages == [[parent, again]]
            chain.offers_packages = False
            ok, why = await w.watcher.broadcast(make_tx(4), parents=(parent,))
            assert not ok
            assert why == (
                "bad-txns-inputs-missingorspent (as a package: Unknown command 'submitpackage')"
            )

    asyncio.run(main())


def test_broadcast_repeats_until_mined(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            tx, parentless, later = make_tx(1), make_tx(2), make_tx(3)
            results: list[Any] = []
            assert await w.watcher.broadcast(tx, on_result=lambda *r: results.append(r)) == (
                True,
                "",
            )
            assert await w.watcher.broadcast(later, min_block=13) == (True, "")
            chain.refuse = "missing inputs"
            assert await w.watcher.broadcast(parentless, keep=False) == (False, "missing inputs")
            chain.refuse = ""
            assert results == [(True, "")]
            from pylightningd.common.ids import txid_hex

            assert f"debug Broadcasting txid {txid_hex(tx.txid())}" in w.text()
            assert (
                f"debug Deferring broadcast of txid {txid_hex(later.txid())} until block 12"
                in w.text()
            )

            async def sent_after(expected: int) -> set[Any]:
                """What is sent once the newest block is processed."""
                chain.sent.clear()
                await w.caught_up()
                async with asyncio.timeout(60):
                    while len(set(chain.sent)) < expected:
                        await asyncio.sleep(0)
                return set(chain.sent)

            await w.watcher.wait_synced()
            for _ in range(50):
                await asyncio.sleep(0)
            chain.mine()
            assert await sent_after(1) == {tx}
            chain.mine(1, tx)
            assert await sent_after(1) == {later}
            chain.reorg(1, 2)
            assert await sent_after(2) == {tx, later}

    asyncio.run(main())


def test_an_unspent_output_spares_the_walk_back(tmp_path: Path) -> None:
    async def main() -> None:
        chain = FakeChain(10)
        funding = make_tx(1, outputs=2)
        chain.mine(1, funding)
        spend = make_tx(2, Outpoint(funding.txid(), 1))
        chain.mine(20, spend)
        chain.spent.add(Outpoint(funding.txid(), 1))
        async with watched(tmp_path, chain) as w:
            await w.watcher.start()
            w.watcher.begin()
            await w.caught_up()
            chain.fetched.clear()
            spent: list[int] = []
            w.watcher.watch_spend(
                Outpoint(funding.txid(), 0), lambda *_: spent.append(0), since_height=11
            )
            for _ in range(20):
                await asyncio.sleep(0)
            assert [h for h in chain.fetched if h <= chain.height] == []
            w.watcher.watch_spend(
                Outpoint(funding.txid(), 1),
                lambda tx, i, height: spent.append(height),
                since_height=11,
            )
            async with asyncio.timeout(60):
                while not spent:
                    await asyncio.sleep(0)
            assert spent == [12]

    asyncio.run(main())
