"""Small pieces of generated text: imports, docstrings, tables and attributes of a class."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from tools.generate_wire.layout import WIDTH
from tools.generate_wire.model import Field


def import_lines(home: str, names: list[str]) -> list[str]:
    """An import, over several lines where it is long."""
    line = f"from {home} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {home} import (", *(f"    {name}," for name in names), ")"]


def indented(lines: list[str], by: int = 4) -> list[str]:
    """The lines, `by` spaces to the right."""
    return [" " * by + line if line else "" for line in lines]


def return_line(expression: str) -> str:
    """A return statement."""
    return f"return {expression}"


def call_lines(head: str, args: dict[str, str]) -> list[str]:
    """A call with keyword arguments, one on a line."""
    if not args:
        return [f"{head}()"]
    return [f"{head}(", *(f"    {name}={value}," for name, value in args.items()), ")"]


def docstring(comment: list[str]) -> list[str]:
    """The docstring that the comment lines make together."""
    text = " ".join(line for line in comment if line).replace("\\", "\\\\").replace('"', "'")
    lines = textwrap.wrap(text, WIDTH - 10)
    if len(lines) == 1:
        return [f'"""{lines[0]}"""', ""]
    return [f'"""{lines[0]}', *lines[1:], '"""', ""]


def tuple_lines(head: str, items: list[str]) -> list[str]:
    """An assignment of a tuple, one item on a line."""
    return [f"{head} (", *(f"    {item}," for item in items), ")"] if items else [f"{head} ()"]


def wire_table(fields: list[Field]) -> list[str]:
    """The `WIRE` and `HIDDEN` attributes of a class."""
    items = [
        f'("{f.attr}", "{"?" if f.optional else ""}{f.csv_type}", "{count_text(f)}")'
        for f in fields
        if f.length_of is None
    ]
    hidden = [f for f in fields if f.length_of is None]
    return [
        *tuple_lines("WIRE: ClassVar[tuple[tuple[str, str, str], ...]] =", items),
        *hidden_names(hidden),
    ]


def hidden_names(fields: list[Field]) -> list[str]:
    """The `HIDDEN` attribute, where a field is."""
    names = [f'"{f.attr}"' for f in fields if f.hidden]
    return (
        [f"HIDDEN: ClassVar[frozenset[str]] = frozenset({{{', '.join(names)}}})"] if names else []
    )


def count_text(item: Field) -> str:
    """The count as the CSV has it, without options."""
    return "" if item.csv_count.startswith("option_") else item.csv_count


@dataclass(frozen=True)
class Attribute:
    """One attribute of a generated class."""

    name: str
    python: str
    default: str = ""
    """Expression; empty: it must be given."""
    note: str = ""
    comment: tuple[str, ...] = ()


def attributes_of(fields: list[Field]) -> list[Attribute]:
    """What fields become in the class."""
    found = []
    for item in fields:
        default = "None" if item.optional else getattr(item.type, "empty", "")
        note = ""
        if item.python == "int":
            note = item.csv_type
        elif item.python == "bytes" and item.shape == "one" and item.csv_type != "varbytes":
            size = getattr(item.type, "size", None)
            note = f"{size} bytes" if size else item.csv_type
        comment = tuple(line for line in item.comment if line)
        found.append(Attribute(item.attr, item.python, default, note, comment))
    return found


def attribute_lines(attributes: list[Attribute]) -> list[str]:
    """The slots, their annotations, and the `__init__` that fills them.

    Spelled out since `@dataclass` needs most of a millisecond for each class at each start.
    """
    if not attributes:
        return ["", "__slots__ = ()"]
    names = ", ".join(f'"{a.name}"' for a in attributes)
    lines = ["", f"__slots__ = ({names}{',' if len(attributes) == 1 else ''})"]
    for item in attributes:
        lines += [f"# {line}" for line in item.comment]
        note = f"  # {item.note}" if item.note else ""
        lines.append(f"{item.name}: {item.python}{note}")
    arguments = [
        f"{a.name}: {a.python}{f' = {a.default}' if a.default else ''}," for a in attributes
    ]
    return [
        *lines,
        "",
        "def __init__(",
        *indented(["self,", "*,", *arguments]),
        ") -> None:",
        *indented([f'put(self, "{a.name}", {a.name})' for a in attributes]),
    ]
