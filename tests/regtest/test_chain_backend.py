"""bcli and the chain watcher on a real bitcoind: blocks, a reorganisation, a restart, a broadcast."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import Outpoint, ShortChannelId, txid_from_hex
from pylightningd.lightningd.plugin_host.bundled import Bundled
from tests.lightningd.chain.fake_chain import Watched, watched
from tests.lightningd.plugin_host.harness import Host, running_host
from tests.regtest.bitcoind import Bitcoind
from tests.regtest.waiting import TIMEOUT_S


def options(bitcoind: Bitcoind) -> dict[str, list[Any]]:
    return {"bitcoin-datadir": [str(bitcoind.folder)]}


async def start(host: Host, w: Watched) -> None:
    host.host.add_bundled([Bundled("bcli", important=True)])
    await host.host.start_all()
    await host.host.init_all()
    await w.watcher.start()
    w.watcher.begin()


async def at_tip(bitcoind: Bitcoind, w: Watched) -> None:
    """Wait until the watcher is where bitcoind is."""
    best = bytes.fromhex(bitcoind.rpc("getbestblockhash"))[::-1]
    moved = asyncio.Event()
    w.watcher.on_block(lambda _height, _block: moved.set())
    async with asyncio.timeout(TIMEOUT_S):
        while (tip := w.watcher._chain.tip) is None or tip.hash != best:
            moved.clear()
            w.watcher.poll_now()
            await moved.wait()


def test_chain_on_a_real_bitcoind(tmp_path: Path, bitcoind: Bitcoind) -> None:
    async def main() -> None:
        async with running_host(tmp_path, options(bitcoind)) as host:
            async with watched(tmp_path, SimpleNamespace(call=host.host.call)) as w:  # type: ignore[arg-type]
                await start(host, w)
                await at_tip(bitcoind, w)
                assert w.watcher.height == bitcoind.height()
                assert w.watcher.feerates.get("opening") == 253

                # A payment is seen, counted, and spoilt by a reorganisation.
                address = bitcoind.new_address()
                script = bytes.fromhex(bitcoind.rpc("getaddressinfo", address)["scriptPubKey"])
                txid = txid_from_hex(bitcoind.pay(address, 1_000_000))
                depths: list[int] = []
                paid: list[tuple[int, int]] = []
                watch = w.watcher.watch_tx(txid, depths.append)
                script_watch = w.watcher.watch_script(
                    script, lambda tx, index, height: paid.append((index, height))
                )
                bitcoind.generate(2, wait_for_mempool=1)
                await at_tip(bitcoind, w)
                assert depths == [1, 2]
                assert watch.height is not None and watch.tx_index == 1
                output, height = paid[0]
                scid = ShortChannelId.make(height, 1, output)
                found = await w.watcher.get_txout(scid)
                assert found is not None
                assert (found.outpoint, found.amount.sat, found.script) == (
                    Outpoint(txid, output),
                    1_000_000,
                    script,
                )
                bitcoind.reorg(2, 4, keep_mempool=False)
                await at_tip(bitcoind, w)
                assert depths[-1] == 0
                script_watch.cancel()
                bitcoind.generate(1, wait_for_mempool=1)
                await at_tip(bitcoind, w)
                assert depths[-1] == 1

                # A transaction of ours, a refused one, and its spend.
                raw = bitcoind.rpc("createrawtransaction", [], [{address: "0.5"}])
                funded = bitcoind.rpc("fundrawtransaction", raw)["hex"]
                tx = Tx.parse(
                    bytes.fromhex(bitcoind.rpc("signrawtransactionwithwallet", funded)["hex"])
                )
                spends: list[int] = []
                w.watcher.watch_spend(
                    tx.inputs[0].outpoint, lambda tx, index, height: spends.append(height)
                )
                assert await w.watcher.broadcast(tx) == (True, "")
                await host.until_log(f"sendrawtransaction {tx.serialize().hex()}) ")
                assert "plugin-bcli: sendrawtx exit 0 (bitcoin-cli -regtest" in host.text()
                unsigned = Tx.parse(bytes.fromhex(funded))
                ok, why = await w.watcher.broadcast(unsigned, keep=False)
                assert not ok and "error code: -2" in why
                bitcoind.generate(1, wait_for_mempool=1)
                await at_tip(bitcoind, w)
                assert spends == [bitcoind.height()]

                # bitcoind goes away and comes back: nothing is lost.
                bitcoind.stop()
                w.watcher.poll_now()
                await host.until_log("Could not connect to bitcoind")
                await asyncio.to_thread(bitcoind.start)
                bitcoind.generate(1)
                await at_tip(bitcoind, w)
                assert host.text().count("Could not connect to bitcoind") == 1
                assert "broken" not in host.text() + w.text()

    asyncio.run(main())
