"""bcli as a plugin process, on a bitcoind made of Python."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pylightningd.lightningd.plugin_host.bundled import Bundled
from tests.lightningd.plugin_host.harness import Host, running_host
from tests.plugins.fake_bitcoind import FakeBitcoind, RpcFailure

pytestmark = pytest.mark.slow
BCLI = [Bundled("bcli", important=True)]


@pytest.fixture
def bitcoind() -> Iterator[FakeBitcoind]:
    fake = FakeBitcoind()
    yield fake
    fake.stop()


def options(tmp_path: Path, port: int, **more: Any) -> dict[str, list[Any]]:
    given = {
        "bitcoin-datadir": str(tmp_path),
        "bitcoin-rpcport": str(port),
        "bitcoin-rpcuser": "user",
        "bitcoin-rpcpassword": "p/a#s?s@w:d",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return {name: [value] for name, value in given.items() if value is not None}


async def start(host: Host) -> None:
    host.host.add_bundled(BCLI)
    await host.host.start_all()
    await host.host.init_all(backend_only=True)
    await host.host.init_all()
    assert host.host.missing_backend_methods() == []


async def result(host: Host, method: str, params: Any = None) -> dict[str, Any]:
    reply = await host.run(method, params)
    assert "result" in reply, reply
    return dict(reply["result"])


@pytest.mark.parametrize("proxy_style", [False, True])
def test_the_five_calls(tmp_path: Path, bitcoind: FakeBitcoind, proxy_style: bool) -> None:
    bitcoind.proxy_style = proxy_style
    number = str if proxy_style else float

    def blockhash(height: int) -> str:
        if height > 6:
            raise RpcFailure(-8, "Block height out of range")
        return "ab" * 32

    def send(tx: str, *limit: Any) -> str:
        if tx == "00":
            raise RpcFailure(-25, "bad-txns-inputs-missingorspent")
        if tx == "11":
            raise RpcFailure(-27, "Transaction outputs already in utxo set")
        return "cd" * 32

    def mempool_entry(txid: str) -> dict[str, Any]:
        if txid != "ab" * 32:
            raise RpcFailure(-5, "Transaction not in mempool")
        fees = {"base": "0.00000150", "ancestor": "0.00000300", "descendant": "0.00000170"}
        return {
            "vsize": 110, "ancestorcount": 2, "ancestorsize": 220, "descendantcount": 3,
            "descendantsize": 330, "fees": {k: number(v) for k, v in fees.items()},
        }  # fmt: skip

    bitcoind.methods |= {
        "getblockhash": blockhash,
        "getblock": lambda block_hash, verbosity: "00" * 100,
        "gettxout": lambda txid, vout: None if vout else {"value": number("0.00012345"), "scriptPubKey": {"hex": "0014"}},
        "sendrawtransaction": send,
        "getmempoolentry": mempool_entry,
        "getrawtransaction": lambda txid: "0200",
        "submitpackage": lambda txs, _most=None: (
            {"package_msg": "success", "tx-results": {"aa": {"vsize": 1}}}
            if txs[1] == "bb"
            else {
                "package_msg": "transaction failed",
                "tx-results": {"cc": {"error": "min relay fee not met"}, "aa": {}},
            }
        ),
        "estimatesmartfee": lambda blocks, mode: {"feerate": number(f"0.000{16 - blocks // 10:02d}"), "blocks": blocks},
    }  # fmt: skip

    async def main() -> None:
        async with running_host(tmp_path, options(tmp_path, bitcoind.port)) as host:
            await start(host)
            assert await result(host, "getchaininfo", {"last_height": 1}) == {
                "chain": "regtest", "headercount": 7, "blockcount": 6, "ibd": False,
            }  # fmt: skip
            assert await result(host, "getrawblockbyheight", {"height": 6}) == {
                "blockhash": "ab" * 32, "block": "00" * 100,
            }  # fmt: skip
            assert await result(host, "getrawblockbyheight", [7]) == {
                "blockhash": None,
                "block": None,
            }
            assert await result(host, "getutxout", {"txid": "ab" * 32, "vout": 0}) == {
                "amount": 12345,
                "script": "0014",
            }
            assert await result(host, "getutxout", {"txid": "ab" * 32, "vout": 1}) == {
                "amount": None,
                "script": None,
            }
            fees = await result(host, "estimatefees")
            assert fees["feerate_floor"] == 1000
            assert [f["blocks"] for f in fees["feerates"]] == [2, 6, 12, 100]
            assert fees["feerates"][0]["feerate"] == 16000
            assert [p for m, p in bitcoind.asked if m == "estimatesmartfee"] == [
                [2, "CONSERVATIVE"], [6, "ECONOMICAL"], [12, "ECONOMICAL"], [100, "ECONOMICAL"],
            ]  # fmt: skip
            assert await result(host, "sendrawtransaction", {"tx": "ee", "allowhighfees": False}) == {
                "success": True, "errmsg": "",
            }  # fmt: skip
            assert ("sendrawtransaction", ["ee"]) in bitcoind.asked
            assert (await result(host, "sendrawtransaction", {"tx": "11", "allowhighfees": True}))[
                "success"
            ]
            assert ("sendrawtransaction", ["11", 0]) in bitcoind.asked
            refused = await result(host, "sendrawtransaction", {"tx": "00", "allowhighfees": False})
            assert refused["success"] is False
            assert "bad-txns-inputs-missingorspent" in refused["errmsg"]
            sent = await result(host, "submitpackage", {"package": ["aa", "bb"]})
            assert sent == {"success": True, "errmsg": ""}
            assert ("submitpackage", [["aa", "bb"]]) in bitcoind.asked
            sent = await result(host, "submitpackage", [["aa", "cc"], True])
            assert sent == {
                "success": False, "errmsg": "transaction failed: min relay fee not met",
            }  # fmt: skip
            assert ("submitpackage", [["aa", "cc"], 0]) in bitcoind.asked
            assert await result(host, "getmempooltx", {"txid": "ab" * 32}) == {
                "tx": "0200", "fee": 150, "vsize": 110,
                "ancestors": 2, "ancestor_vsize": 220, "ancestor_fee": 300,
                "descendants": 3, "descendant_vsize": 330, "descendant_fee": 170,
            }  # fmt: skip
            assert await result(host, "getmempooltx", {"txid": "cd" * 32}) == {"tx": None}
            log = host.text()
            assert "debug plugin-bcli: sendrawtx exit 0 (bitcoin-cli -regtest" in log
            assert "sendrawtransaction ee) " in log
            assert "sendrawtx exit 25 (" in log
            assert "p/a#s" not in log

    asyncio.run(main())


def test_no_estimates_on_regtest_are_made_up(tmp_path: Path, bitcoind: FakeBitcoind) -> None:
    async def main() -> None:
        async with running_host(tmp_path, options(tmp_path, bitcoind.port)) as host:
            await start(host)
            fees = await result(host, "estimatefees")
            assert [f["feerate"] for f in fees["feerates"]] == [1000] * 4
        async with running_host(
            tmp_path, options(tmp_path, bitcoind.port, dev_no_fake_fees="true")
        ) as host:
            host.host.config = type(host.host.config)(
                lightning_dir=str(tmp_path),
                rpc_file="x",
                network="regtest",
                feature_set={},
                developer=True,
            )
            await start(host)
            assert await result(host, "estimatefees") == {"feerates": [], "feerate_floor": 1000}

    asyncio.run(main())


def test_bitcoind_that_comes_late_is_named_once(tmp_path: Path) -> None:
    async def main() -> None:
        spare = FakeBitcoind()
        spare.stop()
        async with running_host(tmp_path, options(tmp_path, spare.port)) as host:
            await start(host)
            async with asyncio.TaskGroup() as tasks:
                asked = tasks.create_task(result(host, "getchaininfo", {"last_height": 0}))
                await host.until_log("Could not connect to bitcoind")
                late = FakeBitcoind(port=spare.port)
                late.warming_up = 2
                late.proxy_style = True
                await host.until_log("is starting: Loading block index…")
            assert asked.result()["blockcount"] == 6
            await host.until_log("bitcoind answers again.")
            assert host.text().count("Could not connect to bitcoind") == 1
            assert host.text().count("Loading block index") == 1
            # A restart closes the kept connections; nobody needs to know.
            late.stop()
            again = FakeBitcoind(port=spare.port)
            assert (await result(host, "getchaininfo"))["blockcount"] == 6
            again.stop()

    asyncio.run(main())


def test_the_call_fails_after_the_retry_timeout_and_the_plugin_lives(tmp_path: Path) -> None:
    async def main() -> None:
        spare = FakeBitcoind()
        spare.stop()
        given = options(tmp_path, spare.port, bitcoin_retry_timeout="0")
        async with running_host(tmp_path, given) as host:
            await start(host)
            error = (await host.run("getchaininfo"))["error"]
            assert error["code"] == 500
            assert f"Could not connect to bitcoind at 127.0.0.1:{spare.port}" in error["message"]
            sent = await result(host, "sendrawtransaction", {"tx": "00", "allowhighfees": False})
            assert sent["success"] is False
            assert [p.shortname for p in host.host.plugins] == ["bcli"]

    asyncio.run(main())


def test_cookie_that_changes_and_wrong_password(tmp_path: Path, bitcoind: FakeBitcoind) -> None:
    async def main() -> None:
        cookie = tmp_path / "regtest" / ".cookie"
        cookie.parent.mkdir()
        cookie.write_text("__cookie__:one")
        bitcoind.login = "__cookie__:one"
        given = options(tmp_path, bitcoind.port, bitcoin_rpcuser=None, bitcoin_rpcpassword=None)
        async with running_host(tmp_path, given) as host:
            await start(host)
            await result(host, "getchaininfo")
            bitcoind.login = "__cookie__:two"
            async with asyncio.TaskGroup() as tasks:
                asked = tasks.create_task(result(host, "getchaininfo"))
                await host.until_log(f"refuses the user and password from {cookie}")
                cookie.write_text("__cookie__:two")
            assert asked.result()["blockcount"] == 6
            # A restarted bitcoind has made its new cookie before it answers: nobody needs to know.
            cookie.write_text("__cookie__:three")
            bitcoind.login = "__cookie__:three"
            assert (await result(host, "getchaininfo"))["blockcount"] == 6
            assert host.text().count("refuses the user and password") == 1

    asyncio.run(main())


def test_pruned_block_is_fetched_from_a_peer(tmp_path: Path, bitcoind: FakeBitcoind) -> None:
    fetched: list[Any] = []

    def getblock(block_hash: str, verbosity: int) -> str:
        if not fetched:
            raise RpcFailure(-1, "Block not available (pruned data)")
        return "00" * 81

    bitcoind.methods |= {
        "getblockhash": lambda height: "ab" * 32,
        "getblock": getblock,
        "getpeerinfo": lambda: [{"id": 3, "services": "0000000000000408"}, {"id": 4, "services": "0000000000000409"}],
        "getblockfrompeer": lambda block_hash, peer: fetched.append(peer),
    }  # fmt: skip

    async def main() -> None:
        async with running_host(tmp_path, options(tmp_path, bitcoind.port)) as host:
            await start(host)
            assert (await result(host, "getrawblockbyheight", {"height": 2}))["block"] == "00" * 81
            assert fetched == [4]
            assert (
                "bitcoind does not have block 2 any more (Block not available (pruned data))"
                in host.text()
            )

    asyncio.run(main())
