"""The bitcoin backend: CLN's five calls, answered by a bitcoind over its JSON-RPC.

getchaininfo, estimatefees, getrawblockbyheight, getutxout, sendrawtransaction; and submitpackage and getmempooltx, which CLN has not.
A bitcoind that is absent,
restarting or warming up is waited for, with one line in the log; only when `bitcoin-retry-timeout` has passed
does a call fail, and the caller asks again later. Not here: how bitcoind is reached (`bitcoind_access.py`) and
talked to (`bitcoind_io.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pylightningd.common.network import NETWORKS
from pylightningd.plugins.bitcoind_access import find_access
from pylightningd.plugins.bitcoind_io import (
    Bitcoind,
    BitcoindAwayError,
    BitcoindError,
    PrunedBlocks,
    to_sat,
)
from pylightningd.plugins.lib import INVALID_PARAMS, Plugin, RpcError

BCLI_ERROR = 500
OLDEST_VERSION = 220000
ALREADY_IN_CHAIN = -27
HEIGHT_OUT_OF_RANGE = -8
FALLBACK_FLOOR_PERKB = 1000
ESTIMATES = ((2, "CONSERVATIVE"), (6, "ECONOMICAL"), (12, "ECONOMICAL"), (100, "ECONOMICAL"))
MAX_U32 = 0xFFFFFFFF

plugin = Plugin(dynamic=False)
plugin.add_option(
    "bitcoin-datadir", "string", None, "bitcoind's folder, for its cookie and bitcoin.conf"
)
plugin.add_option(
    "bitcoin-cli", "string", None, "accepted and not needed: bitcoind is called directly"
)
plugin.add_option("bitcoin-rpcuser", "string", None, "bitcoind RPC username")
plugin.add_option("bitcoin-rpcpassword", "string", None, "bitcoind RPC password")
plugin.add_option("bitcoin-rpcconnect", "string", None, "bitcoind RPC host to connect to")
plugin.add_option("bitcoin-rpcport", "int", None, "bitcoind RPC host's port")
plugin.add_option(
    "bitcoin-rpcclienttimeout", "int", 60, "bitcoind RPC timeout in seconds during HTTP requests"
)
plugin.add_option(
    "bitcoin-retry-timeout",
    "int",
    60,
    "how long one call keeps trying to reach bitcoind, in seconds",
)
plugin.add_option("dev-no-fake-fees", "bool", False, "Suppress fee faking for regtest", dev=True)
plugin.add_option(
    "dev-ignore-ibd", "bool", False, "Never tell lightningd of an initial block download", dev=True
)


class Backend:
    """The calls, once init has said where bitcoind is."""

    def __init__(
        self, bitcoind: Bitcoind, *, fake_fees: bool, ignore_ibd: bool, shown_command: str
    ) -> None:
        self.bitcoind = bitcoind
        self.fake_fees = fake_fees
        self.ignore_ibd = ignore_ibd
        self.shown_command = shown_command
        self.checked = False
        self.pruned = PrunedBlocks(bitcoind, plugin.log)

    async def check_once(self) -> None:
        """Look at bitcoind's version and settings when it first answers; it may come long after us."""
        if self.checked:
            return
        info = await self.bitcoind.call("getnetworkinfo")
        self.checked = True
        if info["version"] < OLDEST_VERSION:
            plugin.log(
                f"Unsupported bitcoind version {info['version']}, at least {OLDEST_VERSION} required.",
                "broken",
            )
        if not info.get("localrelay", True):
            plugin.log(
                "bitcoind runs in 'blocksonly' mode: it knows no fees and our transactions may not spread. "
                "Remove `blocksonly` from bitcoin.conf.",
                "broken",
            )
        plugin.log("Connected to bitcoind.")

    async def floor_perkb(self) -> int:
        """The lowest rate that bitcoind lets into its mempool. Raises BitcoindError."""
        info = await self.bitcoind.call("getmempoolinfo")
        return max(to_sat(info["mempoolminfee"]), to_sat(info["minrelaytxfee"]))

    async def estimate_perkb(self, blocks: int, mode: str) -> int | None:
        """bitcoind's estimate. Raises BitcoindError."""
        answer = await self.bitcoind.call("estimatesmartfee", blocks, mode)
        if "feerate" in answer:
            return min(to_sat(answer["feerate"]), MAX_U32)
        return FALLBACK_FLOOR_PERKB if self.fake_fees else None


backend: Backend | None = None


def _backend() -> Backend:
    if backend is None:
        raise RpcError(BCLI_ERROR, "bcli is not initialised yet")
    return backend


def _failed(method: str, why: Exception) -> RpcError:
    return RpcError(BCLI_ERROR, f"{method}: {why}")


@plugin.init
async def init() -> str | None:
    """Learn where bitcoind is. Nothing is asked of it yet: it may start after us."""
    global backend
    options = plugin.options
    network = NETWORKS[plugin.configuration["network"]]
    retry_timeout_s = float(options["bitcoin-retry-timeout"])
    bitcoind = Bitcoind(
        lambda: find_access(options, network, Path.home()),
        plugin.log,
        timeout_s=max(float(options["bitcoin-rpcclienttimeout"]), retry_timeout_s),
        retry_timeout_s=retry_timeout_s,
    )
    backend = Backend(
        bitcoind,
        fake_fees=network.name == "regtest" and not options["dev-no-fake-fees"],
        ignore_ibd=bool(options["dev-ignore-ibd"]),
        shown_command=_shown_command(options, network.cli_args),
    )
    return None


def _shown_command(options: dict[str, Any], cli_args: tuple[str, ...]) -> str:
    """The bitcoin-cli call that would do the same; the log shows it, without secrets."""
    parts = [options.get("bitcoin-cli") or "bitcoin-cli", *cli_args]
    if options.get("bitcoin-datadir"):
        parts.append(f"-datadir={options['bitcoin-datadir']}")
    for name in ("rpcconnect", "rpcport"):
        if options.get(f"bitcoin-{name}"):
            parts.append(f"-{name}={options[f'bitcoin-{name}']}")
    if options.get("bitcoin-rpcuser"):
        parts.append("-rpcuser=...")
    return " ".join([*parts, "-stdin"])


@plugin.method(
    "getchaininfo", usage="[last_height]", description="What chain bitcoind has, and how far"
)
async def getchaininfo(last_height: int | None = None) -> dict[str, Any]:
    """Chain name, headers, blocks, and whether the first download is still going on."""
    try:
        await _backend().check_once()
        info = await _backend().bitcoind.call("getblockchaininfo")
    except (BitcoindError, BitcoindAwayError) as why:
        raise _failed("getblockchaininfo", why) from None
    return {
        "chain": info["chain"],
        "headercount": info["headers"],
        "blockcount": info["blocks"],
        "ibd": False if _backend().ignore_ibd else info["initialblockdownload"],
    }


@plugin.method("estimatefees", description="Feerates for some numbers of blocks, in sat per kvB")
async def estimatefees() -> dict[str, Any]:
    """The estimates; an empty list where bitcoind cannot estimate."""
    unknown = {"feerates": [], "feerate_floor": FALLBACK_FLOOR_PERKB}
    rates: list[dict[str, int]] = []
    try:
        floor = await _backend().floor_perkb()
        for blocks, mode in ESTIMATES:
            rate = await _backend().estimate_perkb(blocks, mode)
            if rate is None:
                return unknown
            if rate > 0:
                rates.append({"blocks": blocks, "feerate": max(rate, floor)})
    except BitcoindError:
        return unknown
    except BitcoindAwayError as why:
        raise _failed("estimatefees", why) from None
    return {"feerates": rates, "feerate_floor": floor}


def _refuse(name: str, expected: str, value: Any) -> RpcError:
    text = f"{name}: should be {expected}: invalid token '{json.dumps(value)}'"
    return RpcError(INVALID_PARAMS, text)


def _number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) > MAX_U32:
        raise _refuse(name, "an unsigned 32 bit integer", value)
    return int(value)


def _hex(name: str, value: Any) -> str:
    try:
        bytes.fromhex(value)
    except (TypeError, ValueError):
        raise _refuse(name, "a hex value", value) from None
    return str(value)


@plugin.method(
    "getrawblockbyheight",
    usage="height",
    description="One block of the best chain",
    example="getrawblockbyheight 100",
)
async def getrawblockbyheight(height: int) -> dict[str, Any]:
    """The block in hex, or nulls where the chain is not that long."""
    height = _number("height", height)
    bitcoind = _backend().bitcoind
    try:
        try:
            block_hash = await bitcoind.call("getblockhash", height)
        except BitcoindError as error:
            if error.code != HEIGHT_OUT_OF_RANGE:
                plugin.log(f"getblockhash {height}: {error.message}", "debug")
            return {"blockhash": None, "block": None}
        block = await _backend().pruned.get(height, block_hash)
    except (BitcoindError, BitcoindAwayError) as why:
        raise _failed(f"getblock {height}", why) from None
    return {"blockhash": block_hash, "block": block}


@plugin.method(
    "getutxout", usage="txid vout", description="An unspent output, or nulls where it is spent"
)
async def getutxout(txid: str, vout: int) -> dict[str, Any]:
    """Amount in satoshi and script."""
    txid, vout = _hex("txid", txid), _number("vout", vout)
    try:
        found = await _backend().bitcoind.call("gettxout", txid, vout)
    except BitcoindError:
        found = None
    except BitcoindAwayError as why:
        raise _failed("gettxout", why) from None
    if not found:
        return {"amount": None, "script": None}
    return {"amount": to_sat(found["value"]), "script": found["scriptPubKey"]["hex"]}


@plugin.method(
    "sendrawtransaction", usage="tx allowhighfees", description="Give a transaction to the network"
)
async def sendrawtransaction(tx: str, allowhighfees: bool = False) -> dict[str, Any]:
    """Whether bitcoind took it, and if not, why."""
    tx = _hex("tx", tx)
    limit = [0] if allowhighfees else []
    shown = " ".join([_backend().shown_command, "sendrawtransaction", tx, *map(str, limit)])
    try:
        await _backend().bitcoind.call("sendrawtransaction", tx, *limit)
    except BitcoindError as error:
        plugin.log(f"sendrawtx exit {abs(error.code)} ({shown}) {error}", "debug")
        return {"success": error.code == ALREADY_IN_CHAIN, "errmsg": str(error)}
    except BitcoindAwayError as why:
        return {"success": False, "errmsg": str(why)}
    plugin.log(f"sendrawtx exit 0 ({shown}) ", "debug")
    return {"success": True, "errmsg": ""}


@plugin.method(
    "submitpackage",
    usage="package allowhighfees",
    description="Give transactions to the network that it takes together only: parents, then their child",
)
async def submitpackage(package: list[str], allowhighfees: bool = False) -> dict[str, Any]:
    """Whether bitcoind took them all, and if not, why. CLN's backends do not have this call: it may be missing."""
    if not isinstance(package, list):
        raise _refuse("package", "an array", package)
    txs = [_hex("package", tx) for tx in package]
    try:
        answer = await _backend().bitcoind.call(
            "submitpackage", txs, *([0] if allowhighfees else [])
        )
    except (BitcoindError, BitcoindAwayError) as why:
        plugin.log(f"submitpackage of {len(txs)}: {why}", "debug")
        return {"success": False, "errmsg": str(why)}
    message = str(answer["package_msg"])
    errors = {str(r["error"]) for r in answer.get("tx-results", {}).values() if r.get("error")}
    plugin.log(f"submitpackage of {len(txs)}: {message} {', '.join(sorted(errors))}", "debug")
    if message == "success":
        return {"success": True, "errmsg": ""}
    return {"success": False, "errmsg": ": ".join([message, *sorted(errors)])}


@plugin.method(
    "getmempooltx",
    usage="txid",
    description="An unconfirmed transaction, and what weighs on it and pays for it; nulls where there is none",
)
async def getmempooltx(txid: str) -> dict[str, Any]:
    """Sizes in virtual bytes, fees in satoshi. CLN's backends do not have this call: it may be missing."""
    txid, bitcoind = _hex("txid", txid), _backend().bitcoind
    try:
        entry = await bitcoind.call("getmempoolentry", txid)
        raw = await bitcoind.call("getrawtransaction", txid)
    except BitcoindError:
        # It may have left between the two questions.
        return {"tx": None}
    except BitcoindAwayError as why:
        raise _failed("getmempoolentry", why) from None
    fees = entry["fees"]
    return {
        "tx": raw,
        "fee": to_sat(fees["base"]),
        "vsize": entry["vsize"],
        "ancestors": entry["ancestorcount"],
        "ancestor_vsize": entry["ancestorsize"],
        "ancestor_fee": to_sat(fees["ancestor"]),
        "descendants": entry["descendantcount"],
        "descendant_vsize": entry["descendantsize"],
        "descendant_fee": to_sat(fees["descendant"]),
    }


def main() -> None:
    """Run as a plugin of lightningd."""
    from pylightningd.plugins.lib_io import run

    run(plugin)


if __name__ == "__main__":
    main()
