"""Write doc/commands/<name>.md, and with --schemas the JSON schemas, from the registry of commands.

`python -m tools.make_docs` writes, `--check` only compares and fails where something is stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pylightningd.lightningd.rpc import params
from pylightningd.lightningd.rpc.registry import Command, load_families
from pylightningd.plugins.lib import Method, Plugin

BUNDLED = ("topology", "pay.__main__", "offers.__main__")
"""Bundled plugins with commands for users, as modules; each has its object in `plugin`."""

ROOT = Path(__file__).parent.parent
COMMANDS = ROOT / "doc" / "commands"


KINDS: dict[str, params.ParamType] = {
    "array": params.array,
    "boolean": params.boolean,
    "hash": params.hash32,
    "hex": params.hex_bytes,
    "label": params.label,
    "msat": params.msat,
    "msat_or_any": params.msat_or_any,
    "node_id": params.node_id,
    "number": params.number,
    "object": params.obj,
    "short_channel_id": params.scid,
    "string": params.string,
    "u32": params.u32,
    "u64": params.u64,
}
"""What the kinds of parameters that plugins declare are called among the master's."""


async def _elsewhere(**_params: Any) -> dict[str, Any]:
    raise NotImplementedError("commands of plugins run in their plugin")


def commands_of(plugin: Plugin, name: str) -> dict[str, Command]:
    """The commands of a bundled plugin."""
    return {
        method.name: Command(
            name=method.name,
            family=f"plugin {name}",
            summary=method.description or method.name,
            params=_params_of(method),
            handler=_elsewhere,
            about="" if method.params else _list(method.about),
            any_params=method.params is None,
            examples=(method.example,) if method.example else (),
            usage_text=method.usage,
            source=name,
        )
        for method in plugin.methods.values()
    }


def _params_of(method: Method) -> dict[str, params.Param]:
    return {
        name: params.Param(
            KINDS[said.kind],
            said.about,
            default=params.REQUIRED if said.required else None,
            dev=said.dev,
        )
        for name, said in (method.params or {}).items()
    }


def _list(text: str) -> str:
    return "\n".join(f"- {line}" for line in text.splitlines() if line)


def all_commands() -> dict[str, Command]:
    """Those of the master and of the bundled plugins."""
    commands = dict(load_families())
    for module in BUNDLED:
        plugin = import_module(f"pylightningd.plugins.{module}").plugin
        commands.update(commands_of(plugin, module.partition(".")[0]))
    return commands


def page(item: Command) -> str:
    """One command's page."""
    parts = [f"# {item.name}", f"{item.summary}.", f"    lightning-cli {item.usage}"]
    if item.dev:
        parts.append("Only with `--developer`.")
    if item.about:
        parts.append(item.about)
    if item.source:
        parts.append(f"A command of the bundled plugin `{item.source}`.")
    if item.params:
        parts += ["## Parameters", "\n".join(_params(item))]
    schema = item.schema()
    if schema is not None:
        parts += ["## Result", "\n".join(_fields(schema["response"])) or "An empty object."]
    if item.errors:
        rows = [f"- {code}: {text}" for code, text in sorted(item.errors.items())]
        parts += ["## Errors", "\n".join(rows)]
    if item.examples:
        lines = [f"    lightning-cli {example}" for example in item.examples]
        parts += ["## Examples", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _params(item: Command) -> Iterator[str]:
    for name, param in item.params.items():
        words = [param.type.name]
        if not param.required and param.default not in (None, (), []):
            words.append(f"default {_shown(param.default)}")
        if not param.required:
            words.append("optional")
        if param.dev:
            words.append("only with `--developer`")
        about = f": {param.about}" if param.about else ""
        yield f"- **{name}** ({', '.join(words)}){about}"


def _shown(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | int | str) else str(value)


def _fields(schema: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """The fields of an object as a nested list."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        if not field or "type" not in field:
            continue
        words = [str(field["type"])]
        if "enum" in field:
            words.append("one of " + ", ".join(f"`{value}`" for value in field["enum"]))
        if name not in required:
            words.append("optional")
        yield f"{'  ' * depth}- `{name}` ({', '.join(words)})"
        inner = field.get("items", field)
        if isinstance(inner, dict) and "properties" in inner:
            yield from _fields(inner, depth + 1)


def index(commands: Mapping[str, Command]) -> str:
    """The page that lists all."""
    families: dict[str, list[Command]] = {}
    for item in commands.values():
        families.setdefault(item.family, []).append(item)
    parts = ["# Commands", "Made from the registry by `python -m tools.make_docs`; do not edit."]
    for family in sorted(families):
        rows = [
            f"- [{c.name}]({c.name}.md): {c.summary}"
            for c in sorted(families[family], key=lambda c: c.name)
        ]
        parts += [f"## {family}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def request_schema(item: Command) -> dict[str, Any]:
    """The parameters as a JSON schema."""
    return {
        "type": "object",
        "additionalProperties": item.any_params,
        "required": [name for name, param in item.params.items() if param.required],
        "properties": {
            name: {**param.type.schema, "description": param.about}
            for name, param in item.params.items()
        },
    }


def all_schemas(commands: Mapping[str, Command]) -> dict[str, Any]:
    """Request and response of every command."""
    return {
        name: {
            "summary": item.summary,
            "request": request_schema(item),
            "response": (item.schema() or {}).get("response", {}),
        }
        for name, item in sorted(commands.items())
    }


def pages(commands: Mapping[str, Command]) -> dict[str, str]:
    """File name to text."""
    made = {f"{name}.md": page(item) for name, item in commands.items()}
    made["README.md"] = index(commands)
    return made


def main(argv: list[str] | None = None) -> int:
    """Write or check the pages; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell which pages are stale")
    parser.add_argument(
        "--schemas", action="store_true", help="print all JSON schemas and do nothing else"
    )
    args = parser.parse_args(argv)
    commands = all_commands()
    if args.schemas:
        print(json.dumps(all_schemas(commands), indent=1))
        return 0
    wanted = pages(commands)
    there = {path.name: path.read_text(encoding="utf-8") for path in COMMANDS.glob("*.md")}
    stale = sorted(n for n in wanted.keys() | there.keys() if wanted.get(n) != there.get(n))
    if args.check:
        for name in stale:
            print(f"doc/commands/{name} is stale: run python -m tools.make_docs", file=sys.stderr)
        return 1 if stale else 0
    COMMANDS.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in wanted:
            (COMMANDS / name).write_text(wanted[name], encoding="utf-8")
        else:
            (COMMANDS / name).unlink()
    print(f"{len(wanted)} pages, {len(stale)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
