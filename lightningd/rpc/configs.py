"""Commands about the node's options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.config import ConfigError, Setting, Source
from pylightningd.lightningd.config_table import Option
from pylightningd.lightningd.rpc.dispatch import invalid_params
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import Param, anything, bad_param, boolean, string, text_of
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


def _find(node: Node, config: str) -> Option:
    option = node.config.option(config)
    if option is None:
        raise bad_param("config", config, "Unknown config option")
    return option


async def _check_listconfigs(node: Node, config: str | None) -> None:
    if config is not None:
        _find(node, config)


@command(
    "listconfigs",
    family="configs",
    summary="Show the node's options: their values and where they come from",
    params={"config": Param(string, "show this option alone", default=None)},
    examples=["listconfigs", "listconfigs fee-base"],
    check=_check_listconfigs,
)
async def listconfigs(node: Node, config: str | None) -> dict[str, Any]:
    """See the summary."""
    only = None if config is None else _find(node, config)
    return {"configs": node.config.listconfigs(only)}


def _args(option: Option, val: Any) -> list[str | None]:
    """The values to set, as they would stand in a config file. Raises UserError."""
    if option.multi:
        if val is not None and not isinstance(val, list):
            raise invalid_params(f"{option.name} is a multi option: val must be an array")
        return [text_of(item) for item in val or []]
    if isinstance(val, list):
        raise invalid_params(f"{option.name} is not a multi option: val must not be an array")
    if isinstance(val, dict):
        raise bad_param("val", val, "should be a string")
    return [text_of(val)]


def _changeable(node: Node, config: str, val: Any) -> tuple[Option, list[str | None]]:
    option = _find(node, config)
    if not option.dynamic:
        raise bad_param("config", config, "Not a dynamic config option")
    args = _args(option, val)
    try:
        for arg in args:
            node.config.check_setting(
                option,
                Setting(Source.TRANSIENT, option.name if arg is None else f"{option.name}={arg}"),
            )
    except ConfigError as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, str(error)) from None
    return option, args


async def _check_setconfig(node: Node, config: str, val: Any, transient: bool) -> None:
    _changeable(node, config, val)


@command(
    "setconfig",
    family="configs",
    summary="Change an option of the running node, and in its config file",
    params={
        "config": Param(string, "an option that listconfigs shows as dynamic"),
        "val": Param(
            anything,
            "the new value; an array for an option that may be given several times",
            default=None,
        ),
        "transient": Param(boolean, "do not write it to the config file", default=False),
    },
    examples=[
        "setconfig min-capacity-sat 500000",
        "setconfig -k config=min-capacity-sat val=500000 transient=true",
    ],
    check=_check_setconfig,
)
async def setconfig(node: Node, config: str, val: Any, transient: bool) -> dict[str, Any]:
    """A plugin is told of its option first and may refuse."""
    # Writing files is kept out of modules that others import for the registry alone.
    from pylightningd.lightningd.config_io import save_settings

    option, args = _changeable(node, config, val)
    if option.plugin is not None:
        await node.plugins.set_option(option.name, val)
    lines = [option.name if arg is None else f"{option.name}={arg}" for arg in args]
    try:
        if transient:
            settings = [Setting(Source.TRANSIENT, line) for line in lines]
        else:
            settings = save_settings(node.config, option, args)
        node.config.change(option, settings)
    except ConfigError as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, str(error)) from None
    for setting in settings:
        node.log("info", f"setconfig: {setting.line} (updated {setting.shown_source})")
    return {"config": {"config": option.name, **(node.config.shown(option) or {})}}
