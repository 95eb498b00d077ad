"""Pages and schemas made from the registry."""

from __future__ import annotations

import inspect
import json
from importlib import import_module

import pytest

from pylightningd.lightningd.rpc.registry import Command, load_families
from pylightningd.plugins.lib import Plugin
from tools import make_docs


def test_page() -> None:
    text = make_docs.page(load_families()["datastore"])
    assert "    lightning-cli datastore key [string] [hex] [mode] [generation]" in text
    assert (
        '- **mode** (must-create|must-replace|create-or-replace|must-append|create-or-append, default "must-create", optional)'
        in text
    )
    assert "- `generation` (u64, optional)" in text
    assert "- 1202: the key exists" in text


def test_index_names_all() -> None:
    commands = load_families()
    text = make_docs.index(commands)
    assert all(f"({name}.md)" in text for name in commands)


def test_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    assert make_docs.main(["--schemas"]) == 0
    schemas = json.loads(capsys.readouterr().out)
    assert schemas["signmessage"]["request"]["required"] == ["message"]
    assert schemas["signmessage"]["response"]["required"]


BUNDLED = [(n, c) for n, c in make_docs.all_commands().items() if c.source is not None]


def test_commands_of_bundled_plugins_have_their_parameters_in_the_schemas() -> None:
    schemas = make_docs.all_schemas(make_docs.all_commands())
    xpay = schemas["xpay"]["request"]
    assert xpay["required"] == ["invstring"]
    assert not xpay["additionalProperties"]
    assert xpay["properties"]["maxfee"]["type"] == "msat"
    assert "dev_use_shadow" in xpay["properties"]
    assert schemas["getroute"]["request"]["required"] == ["id", "amount_msat", "riskfactor"]
    assert schemas["offer"]["request"]["properties"]["quantity_max"]["type"] == "u64"


@pytest.mark.parametrize(("name", "item"), BUNDLED, ids=[name for name, _ in BUNDLED])
def test_what_a_plugin_declares_is_what_its_handler_takes(name: str, item: Command) -> None:
    """In this order, for calls by place; behind them only names that must be spelt out."""
    assert item.source is not None
    module = next(m for m in make_docs.BUNDLED if m.partition(".")[0] == item.source)
    plugin: Plugin = import_module(f"pylightningd.plugins.{module}").plugin
    taken = inspect.signature(plugin.methods[name].handler).parameters.values()
    placed = [p.name for p in taken if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "request"]
    assert list(item.params) == placed
    assert all(param.about for param in item.params.values())
