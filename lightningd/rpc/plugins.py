"""The command `plugin`: start, stop, list plugins of a running node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.plugin_host.options import start_parameters
from pylightningd.lightningd.plugin_host.plugin import State
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, PLUGIN_ERROR
from pylightningd.lightningd.rpc.params import Param, one_of
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

SUBCOMMANDS = ("start", "stop", "startdir", "rescan", "list")


@command(
    "plugin",
    family="plugin",
    summary="Control plugins (start, stop, startdir, rescan, list)",
    params={"subcommand": Param(one_of(*SUBCOMMANDS), "what to do")},
    any_params=True,
    examples=[
        "lightning-cli plugin list",
        "lightning-cli plugin start /path/to/plugin.py",
        "lightning-cli plugin stop plugin.py",
        "lightning-cli plugin startdir /path/to/plugins",
    ],
    errors={
        PLUGIN_ERROR: "the plugin failed to start",
        JSONRPC2_INVALID_PARAMS: "there is no such plugin",
    },
    about="`start` takes the plugin's options as keywords (with -k) or as an array `options` of name=value texts.",
)
async def plugin(node: Node, subcommand: str, extra: Any) -> dict[str, Any]:
    """Run the subcommand."""
    given = _named(subcommand, extra)
    match subcommand:
        case "start":
            return await _start(node, given)
        case "stop":
            return await _stop(node, _one(given, "plugin"))
        case "startdir":
            node.plugins.add_dir(_one(given, "directory"))
            return await _start_new(node, subcommand)
        case "rescan":
            _none(given)
            node.plugins.add_default_dir()
            return await _start_new(node, subcommand)
        case _:
            _none(given)
            return _listed(node, "list")


_POSITIONS = {"start": ("plugin", "options"), "stop": ("plugin",), "startdir": ("directory",)}


def _named(subcommand: str, extra: Any) -> dict[str, Any]:
    """The other parameters by name, however they came."""
    if isinstance(extra, dict):
        return dict(extra)
    names = _POSITIONS.get(subcommand, ())
    if len(extra) > len(names):
        raise UserError(JSONRPC2_INVALID_PARAMS, "Extra parameters must be in object")
    return {name: value for name, value in zip(names, extra, strict=False) if value is not None}


def _one(given: dict[str, Any], name: str) -> str:
    value = _take(given, name)
    _none(given)
    return value


def _take(given: dict[str, Any], name: str) -> str:
    if name not in given:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"missing required parameter: {name}")
    return str(given.pop(name))


def _none(given: dict[str, Any]) -> None:
    if given:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"unknown parameter: {next(iter(given))}")


async def _start(node: Node, given: dict[str, Any]) -> dict[str, Any]:
    path = _take(given, "plugin")
    options = given.pop("options", None)
    if options is not None and not isinstance(options, list):
        raise UserError(JSONRPC2_INVALID_PARAMS, "options: should be an array of name=value texts")
    try:
        params = start_parameters(given, options)
    except ValueError as why:
        raise UserError(JSONRPC2_INVALID_PARAMS, str(why)) from None
    entry = node.plugins.add(path, params=params)
    if entry is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"{path}: already registered")
    await node.plugins.start_all()
    await node.plugins.init_all()
    if entry.state is State.GONE:
        raise UserError(PLUGIN_ERROR, f"{entry.cmd}: {entry.ended_because}")
    return _listed(node, "start")


async def _start_new(node: Node, subcommand: str) -> dict[str, Any]:
    await node.plugins.start_all()
    await node.plugins.init_all()
    return _listed(node, subcommand)


async def _stop(node: Node, name: str) -> dict[str, Any]:
    entry = node.plugins.find(name)
    if entry is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"Could not find plugin {name}")
    if not entry.manifest.dynamic:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"{name} cannot be managed when lightningd is up")
    await node.plugins.stop(entry)
    return {"command": "stop", "result": f"Successfully stopped {entry.shortname}."}


def _listed(node: Node, subcommand: str) -> dict[str, Any]:
    return {
        "command": subcommand,
        "plugins": [
            {"name": p.cmd, "active": p.state is State.RUNNING, "dynamic": p.manifest.dynamic}
            for p in node.plugins.plugins
        ],
    }
