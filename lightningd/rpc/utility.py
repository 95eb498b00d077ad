"""Commands about the node itself and about calling it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.log import LEVELS, Level, LogEntry
from pylightningd.common.version import VERSION
from pylightningd.lightningd.rpc.dispatch import Call, invalid_params
from pylightningd.lightningd.rpc.errors import JSONRPC2_METHOD_NOT_FOUND
from pylightningd.lightningd.rpc.params import Param, boolean, one_of, string
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


@command(
    "getinfo",
    family="utility",
    summary="Show a summary of the node's state",
    examples=["getinfo"],
)
async def getinfo(node: Node) -> dict[str, Any]:
    """Each room adds its part through `node.info`."""
    result: dict[str, Any] = {
        "id": node.node_id.hex(),
        "alias": node.alias,
        "color": node.rgb.hex(),
        "num_peers": 0,
        "num_pending_channels": 0,
        "num_active_channels": 0,
        "num_inactive_channels": 0,
        "address": [],
        "binding": [],
        "version": VERSION,
        "blockheight": 0,
        "network": node.network.name,
        "fees_collected_msat": 0,
        "lightning-dir": node.config.folders.net_dir,
        "our_features": {place: bits.hex() for place, bits in node.features.items()},
    }
    for part in node.info:
        result.update(part())
    return result


@command(
    "help",
    family="utility",
    summary="List the commands, or describe one",
    params={"command": Param(string, "describe this command alone", default=None)},
    examples=["help", "help getinfo"],
)
async def help_(node: Node, command: str | None) -> dict[str, Any]:
    """See the summary."""
    registry = node.registry
    if command is None:
        rows = [{"command": item.usage} for item in registry.all()]
        return {"help": rows, "format-hint": "simple"}
    item = registry.get(command)
    if item is None:
        raise UserError(
            JSONRPC2_METHOD_NOT_FOUND, f"Unknown command {command}{registry.suggestion(command)}"
        )
    if item.dev and not node.developer:
        raise UserError(JSONRPC2_METHOD_NOT_FOUND, f"Developer-only command {command}")
    words = [item.summary, item.about]
    words += [f"{name}: {p.about} ({p.type.name})" for name, p in item.params.items()]
    words += [f"example: lightning-cli {example}" for example in item.examples]
    row = {
        "command": item.usage,
        "category": item.family,
        "description": item.summary,
        "verbose": "\n".join(word for word in words if word),
    }
    return {"help": [row], "format-hint": "simple"}


@command(
    "check",
    family="utility",
    summary="Check the parameters of a command without running it",
    params={"command_to_check": Param(string, "the command; its parameters follow")},
    examples=["check command_to_check=sendpay", "check invoice 100 label description"],
    any_params=True,
)
async def check(node: Node, call: Call, command_to_check: str, extra: Any) -> dict[str, Any]:
    """Everything that the command itself checks before it changes anything."""
    await node.dispatcher.check(command_to_check, extra, call)
    return {"command_to_check": command_to_check}


@command("stop", family="utility", summary="Shut down the node", examples=["stop"])
async def stop(node: Node) -> dict[str, Any]:
    """Answers when all is closed."""
    node.log("unusual", "JSON-RPC shutdown")
    node.request_stop("JSON-RPC shutdown")
    await node.until_stopped()
    return {"result": "Shutdown complete"}


_LEVEL_NAMES = ("broken", "unusual", "info", "debug", "trace", "io")


@command(
    "getlog",
    family="utility",
    summary="Show the log that is in memory",
    params={"level": Param(one_of(*_LEVEL_NAMES), "the least level to show", default="info")},
    examples=["getlog", "getlog debug"],
)
async def getlog(node: Node, level: str) -> dict[str, Any]:
    """Entries below the level are counted, not shown."""
    rows = log_rows(node, level, node.log.kept, node.log.skipped)
    return {
        "created_at": f"{node.log.created_at:.9f}",
        "bytes_used": node.log.kept_bytes,
        "bytes_max": node.log.max_bytes,
        "log": rows,
    }


def log_rows(
    node: Node, level: str, entries: Iterable[LogEntry], skipped: int = 0
) -> list[dict[str, Any]]:
    """Log entries as commands show them; those below the level are counted."""
    rows: list[dict[str, Any]] = []
    for entry in entries:
        if entry.level < LEVELS[level]:
            skipped += 1
            continue
        if skipped:
            rows.append({"type": "SKIPPED", "num_skipped": skipped})
            skipped = 0
        rows.append(_entry_json(entry, node.log.created_at))
    if skipped:
        rows.append({"type": "SKIPPED", "num_skipped": skipped})
    return rows


def _entry_json(entry: LogEntry, start: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "type": entry.level.name,
        "time": f"{max(0.0, entry.time - start):.9f}",
        "source": entry.source,
        "log": entry.text,
    }
    if entry.node_id:
        row["node_id"] = entry.node_id
    if entry.level is Level.IO:
        text, _, data = entry.text.rpartition(" ")
        row["type"] = "IO_OUT" if text.endswith("[OUT]") else "IO_IN"
        row["log"] = text.removesuffix("[IN]").removesuffix("[OUT]").rstrip()
        row["data"] = data
    return row


@command(
    "notifications",
    family="utility",
    summary="Ask for notifications of progress on this connection, or no longer",
    params={"enable": Param(boolean, "whether to send them")},
    examples=["notifications true"],
)
async def notifications(node: Node, call: Call, enable: bool) -> dict[str, Any]:
    """See the summary."""
    call.set_notifications(enable)
    return {}


@command(
    "batching",
    family="utility",
    summary="Allow the node to delay commits of this connection's commands",
    params={"enable": Param(boolean, "whether many commands follow")},
    examples=["batching true"],
    about="Commands that arrive together share one commit in any case, so this changes nothing.",
)
async def batching(node: Node, enable: bool) -> dict[str, Any]:
    """See `about`."""
    return {}


@command(
    "deprecations",
    family="utility",
    summary="Allow or refuse deprecated features on this connection",
    params={"enable": Param(boolean, "whether they are allowed")},
    examples=["deprecations false"],
)
async def deprecations(node: Node, enable: bool) -> dict[str, Any]:
    """Nothing that a command answers depends on it: who asks for fewer old fields gets them all the same."""
    return {}


@command(
    "dev-memleak",
    family="dev",
    summary="Look for leaked memory",
    examples=["dev-memleak"],
    about="Memory is managed by Python: there is nothing to find.",
)
async def dev_memleak(node: Node) -> dict[str, Any]:
    """For CLN's test tools."""
    return {"leaks": []}


@command(
    "dev",
    family="dev",
    summary="Small tools for tests: crash, rhash, slowcmd",
    params={
        "subcommand": Param(one_of("crash", "rhash", "slowcmd"), "which"),
        "secret": Param(string, "for rhash: a preimage in hex", default=None),
    },
    examples=["dev rhash 0000000000000000000000000000000000000000000000000000000000000000"],
    dev=True,
)
async def dev(node: Node, subcommand: str, secret: str | None) -> dict[str, Any]:
    """See the summary."""
    if subcommand == "crash":
        node.fail("command dev crash", RuntimeError("Crash at user request"))
        await node.until_stopped()
        return {}
    if subcommand == "rhash":
        from hashlib import sha256

        try:
            return {"rhash": sha256(bytes.fromhex(secret or "")).hexdigest()}
        except ValueError:
            raise invalid_params("secret: should be a 32 byte hex value") from None
    return {"msec": 0}
