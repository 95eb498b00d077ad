"""The forms in which a reply is shown. Each function returns text that ends with a newline."""

from __future__ import annotations

from pylightningd.cli.json_text import BLANKS, Number, decode_at, scalar

# Importing typing costs a tenth of the start time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INDENT = "   "
BAR_WIDTH = 60
HELP_TAIL = "---\nrun `lightning-cli help <command>` for more information on a specific command\n"


def member_texts(text: str) -> dict[str, str]:
    """Each member of a JSON object as its exact text. Raises ValueError."""
    found: dict[str, str] = {}
    position = _skip_blanks(text, text.index("{") + 1)
    while text[position] != "}":
        name, position = decode_at(text, position)
        start = _skip_blanks(text, text.index(":", position) + 1)
        _, end = decode_at(text, start)
        found[name] = text[start:end]
        position = _skip_blanks(text, end)
        if text[position] == ",":
            position = _skip_blanks(text, position + 1)
    return found


def _skip_blanks(text: str, position: int) -> int:
    while text[position] in BLANKS:
        position += 1
    return position


def as_json(value: Any) -> str:
    """CLN's layout: three blanks a level."""
    parts: list[str] = []
    _add_json(parts, value, "\n")
    parts.append("\n")
    return "".join(parts)


def _add_json(parts: list[str], value: Any, newline: str) -> None:
    if isinstance(value, dict) and value:
        separator = "{" + newline + INDENT
        for name, member in value.items():
            parts += (separator, scalar(name), ": ")
            _add_json(parts, member, newline + INDENT)
            separator = "," + newline + INDENT
        parts += (newline, "}")
    elif isinstance(value, list) and value:
        separator = "[" + newline + INDENT
        for member in value:
            parts.append(separator)
            _add_json(parts, member, newline + INDENT)
            separator = "," + newline + INDENT
        parts += (newline, "]")
    else:
        parts.append(scalar(value))


def as_human(value: Any) -> str:
    """Names and values without JSON's marks; an object of one member is shown as that member alone."""
    parts: list[str] = []
    _add_human(parts, value, "\n")
    return "".join(parts)


def _add_human(parts: list[str], value: Any, end: str) -> None:
    if isinstance(value, dict):
        if len(value) == 1:
            _add_human(parts, next(iter(value.values())), "\n")
            return
        for name, member in value.items():
            parts += (name, "=")
            _add_human(parts, member, "\n")
    elif isinstance(value, list):
        for member in value:
            _add_human(parts, member, "\n")
    else:
        parts += (value if isinstance(value, str) else scalar(value), end)


def as_flat(value: Any, prefix: str = "") -> str:
    """One `path=value` line for each number, string and literal."""
    if isinstance(value, dict):
        dot = "." if prefix else ""
        return "".join(as_flat(member, f"{prefix}{dot}{name}") for name, member in value.items())
    if isinstance(value, list):
        return "".join(as_flat(member, f"{prefix}[{n}]") for n, member in enumerate(value))
    text = scalar(value)
    if isinstance(value, str) and not isinstance(value, Number):
        text = text[1:-1]
    return f"{prefix}={text}\n"


def as_help_list(result: Any) -> str:
    """All commands by category (developer's last) and name, one paragraph each."""
    commands = [row for row in result.get("help", []) if "command" in row]
    commands.sort(key=_help_order)
    return "".join(as_human(row["command"]) + "\n" for row in commands) + HELP_TAIL


def as_help_page(result: Any) -> str:
    """One command: how to call it, what it does, its parameters, an example."""
    row = result["help"][0]
    about = "\n".join(_unique_lines(row.get("description", ""), row.get("verbose", "")))
    return str(row["command"]) + "\n" + (f"\n{about}\n" if about else "")


def _unique_lines(*texts: str) -> list[str]:
    """The lines of the texts; one that says the same as the line before is left out."""
    lines: list[str] = []
    for line in "\n".join(texts).splitlines():
        if not lines or line != lines[-1]:
            lines.append(line)
    return lines


def _help_order(row: dict[str, str]) -> tuple[bool, str, str]:
    category = row.get("category", "")
    return category == "developer", category, row["command"]


def progress_line(params: dict[str, Any]) -> str:
    """One state of a progress bar, for a `progress` notification. Raises KeyError, TypeError where it has no numbers."""
    number, total = int(params["num"]), int(params["total"])
    text = "\r# "
    stage = params.get("stage")
    if stage is not None:
        width = len(str(stage["total"]))
        text += f"Stage {stage['num'] + 1:>{width}}/{stage['total']} "
    filled = BAR_WIDTH * number // (total - 1) if total > 1 else BAR_WIDTH
    text += f"{number + 1:>{len(str(total))}}/{total} |{'=' * filled:<{BAR_WIDTH}}|"
    return text + ("\n" if number + 1 == total else "")
