"""Manifests, hook order and options without any process."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.lightningd.plugin_host.hooks import HookError, HookTable
from pylightningd.lightningd.plugin_host.manifest import (
    HookSpec,
    ManifestError,
    PluginOption,
    parse_manifest,
)
from pylightningd.lightningd.plugin_host.options import (
    option_value,
    option_values,
    start_parameters,
)

BASE: dict[str, Any] = {"options": [], "rpcmethods": []}


def test_full_manifest() -> None:
    manifest = parse_manifest(
        {
            "options": [
                {
                    "name": "a-b",
                    "type": "int",
                    "default": "5",
                    "description": "d",
                    "multi": True,
                    "dynamic": True,
                },
                {
                    "name": "f",
                    "type": "flag",
                    "default": False,
                    "description": "d",
                    "deprecated": ["v24.11", "v25.09"],
                },
            ],
            "rpcmethods": [{"name": "m", "usage": "[x]", "description": "does m", "category": "c"}],
            "subscriptions": ["*"],
            "hooks": [
                "openchannel",
                {"name": "custommsg", "before": ["x"], "after": ["y"], "filters": [7]},
            ],
            "featurebits": {"node": "D0", "init": "", "channel": "0100"},
            "custommessages": [11008],
            "notifications": [{"method": "mine"}],
            "nonnumericids": True,
            "cancheck": True,
            "dynamic": False,
        }
    )
    assert manifest.options[0] == PluginOption(
        "a-b", "int", "d", default=5, multi=True, dynamic=True
    )
    assert manifest.options[1].deprecated
    assert manifest.methods[0].category == "c"
    assert manifest.hooks == (HookSpec("openchannel"), HookSpec("custommsg", ("x",), ("y",), (7,)))
    assert manifest.featurebits == {"node": b"\xd0", "channel": b"\x01\x00"}
    assert (manifest.custommessages, manifest.notifications, manifest.can_check) == (
        (11008,),
        ("mine",),
        True,
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"options": None, "rpcmethods": {}}, '"rpcmethods" is not an array'),
        ({"rpcmethods": [{"name": "x"}]}, '"usage" is missing'),
        ({"rpcmethods": [{"usage": "x"}]}, 'string "name"'),
        ({"options": [{"name": "x", "type": "float", "description": ""}]}, "type should be one of"),
        (
            {"options": [{"name": "x", "type": "flag", "default": True, "description": ""}]},
            "flag is false",
        ),
        (
            {"options": [{"name": "x", "type": "int", "default": "y", "description": ""}]},
            "invalid default",
        ),
        (
            {"options": [{"name": "x", "type": "bool", "multi": True, "description": ""}]},
            "cannot be multi",
        ),
        (
            {"options": [{"name": "x", "type": "int", "multi": 1, "description": ""}]},
            "true or false",
        ),
        ({"subscriptions": [5]}, "should be a string"),
        ({"hooks": [{}]}, "no name in hook"),
        ({"hooks": ["openchannel", "openchannel"]}, "multiple times"),
        ({"custommessages": [70000]}, "not a message type"),
        ({"featurebits": {"node": "xx"}}, "not hex"),
        ({"nonnumericids": False}, "nonnumericids"),
        ({"dynamic": True, "featurebits": {"node": "01"}}, "not dynamic"),
    ],
)
def test_bad_manifests(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ManifestError, match=complaint):
        parse_manifest(BASE | change)


def table(**specs: HookSpec) -> HookTable:
    found = HookTable()
    for plugin, spec in specs.items():
        found.add(f"/p/{plugin}.py", (spec,))
    return found


def test_hook_order() -> None:
    found = table(
        a=HookSpec("openchannel", after=("c.py",)),
        b=HookSpec("openchannel"),
        c=HookSpec("openchannel", before=("/p/b.py", "unknown.py")),
    )
    assert found.chain("openchannel") == ["/p/c.py", "/p/a.py", "/p/b.py"]
    found.remove("/p/c.py")
    assert found.chain("openchannel") == ["/p/a.py", "/p/b.py"]
    assert found.anyone("openchannel")
    assert not found.anyone("invoice_payment")


def test_impossible_order_leaves_the_others_alone() -> None:
    found = table(a=HookSpec("openchannel", after=("b.py",)))
    with pytest.raises(HookError, match="Cannot meet required hook dependencies"):
        found.add("/p/b.py", (HookSpec("openchannel", after=("a.py",)),))
    assert found.chain("openchannel") == ["/p/a.py"]


def test_filters() -> None:
    found = table(a=HookSpec("rpc_command", filters=("pay",)), b=HookSpec("rpc_command"))
    assert found.chain("rpc_command", "pay") == ["/p/a.py", "/p/b.py"]
    assert found.chain("rpc_command", "help") == ["/p/b.py"]
    with pytest.raises(HookError, match="filters must be an array of int"):
        found.add("/p/c.py", (HookSpec("custommsg", filters=("x",)),))
    with pytest.raises(HookError, match="does not allow filters"):
        found.add("/p/c.py", (HookSpec("openchannel", filters=("x",)),))


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("string", ["a", "b"], "b"),
        ("int", ["5"], 5),
        ("bool", ["yes"], True),
        ("bool", ["0"], False),
        ("flag", [True], True),
        ("flag", None, None),
        ("string", None, None),
    ],
)
def test_option_values(kind: str, given: Any, value: Any) -> None:
    assert option_value(PluginOption("x", kind, ""), given) == value


def test_options_of_plugin_start() -> None:
    manifest = parse_manifest(
        BASE | {"options": [{"name": "n", "type": "int", "description": "", "default": 3}]}
    )
    assert option_values(manifest, lambda _: None, {}) == {"n": 3}
    assert option_values(manifest, lambda _: ["4"], {}) == {"n": 4}
    assert option_values(manifest, lambda _: ["4"], {"n": "5"}) == {"n": 5}
    with pytest.raises(ValueError, match="unknown parameter other"):
        option_values(manifest, lambda _: None, {"other": 1})
    with pytest.raises(ValueError, match="--n: should be an integer"):
        option_values(manifest, lambda _: ["x"], {})
    assert start_parameters({}, ["a=1", "flag"]) == {"a": "1", "flag": True}
    with pytest.raises(ValueError, match="Cannot mix"):
        start_parameters({"a": 1}, ["b=1"])
