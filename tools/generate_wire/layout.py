"""Break long lines of generated code, so that people can read it and diffs stay small."""

from __future__ import annotations

import textwrap

WIDTH = 100
_OPEN, _CLOSE = "([{", ")]}"


def fold(line: str) -> list[str]:
    """The line as it is, or over several lines where it is too long and can be broken."""
    if len(line) <= WIDTH:
        return [line]
    text = line.lstrip(" ")
    indent = line[: len(line) - len(text)]
    if text.startswith("# "):
        return textwrap.wrap(
            text[2:], WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
        )
    return _folded(indent, text)


def _folded(indent: str, text: str) -> list[str]:
    left, sign, right = text.partition(" = ")
    if sign and "(" not in left and len(_split(left, ", ")) > 1:
        # Many targets of one assignment.
        names = [f"{indent}    {name}," for name in left.split(", ")]
        return [f"{indent}(", *names, *fold(f"{indent}) = {right}")]
    if text.startswith("if ") and text.endswith(":"):
        first, *others = _split(text[3:-1], " or ")
        if others:
            terms = [f"{indent}    {first}", *(f"{indent}    or {term}" for term in others)]
            return [f"{indent}if (", *terms, f"{indent}):"]
    targets, loop, source = text.removeprefix("for ").partition(" in ")
    if text.startswith("for ") and loop and len(_split(targets, ", ")) > 1:
        names = [f"{indent}    {name}," for name in targets.split(", ")]
        return [f"{indent}for (", *names, f"{indent}) in {source}"]
    return _bracket(indent, text)


def _bracket(indent: str, text: str) -> list[str]:
    """Break inside the last bracket that stands at the outside."""
    span = _last_bracket(text)
    if span is None:
        return [indent + text]
    start, end = span
    inner = text[start + 1 : end]
    loop = _split(inner, " for ")
    if len(loop) > 1:
        parts = [loop[0], *(f"for {part}" for part in loop[1:])]
    else:
        parts = [f"{part}," for part in _split(inner, ", ")]
    lines = [indent + text[: start + 1]]
    for part in parts:
        lines += fold(f"{indent}    {part}")
    return [*lines, indent + text[end:]]


def _split(text: str, mark: str) -> list[str]:
    """Split where `mark` is outside of all brackets."""
    parts: list[str] = []
    depth = start = 0
    for i, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSE)
        if depth == 0 and text.startswith(mark, i):
            parts.append(text[start:i])
            start = i + len(mark)
    return [*parts, text[start:]]


def _last_bracket(text: str) -> tuple[int, int] | None:
    depth, start, found = 0, 0, None
    for i, char in enumerate(text):
        if char in _OPEN:
            if depth == 0:
                start = i
            depth += 1
        elif char in _CLOSE:
            depth -= 1
            if depth == 0 and i > start + 1:
                found = (start, i)
    return found
