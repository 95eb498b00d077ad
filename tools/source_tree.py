"""The project's files, for the tools that check them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Problem:
    """One broken rule; path is relative to the project's folder."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@cache
def packages() -> tuple[str, ...]:
    """The folders that become pylightningd.<name>."""
    return tuple(
        sorted(link.name for link in (ROOT / "pylightningd").iterdir() if link.is_symlink())
    )


def python_files(folder: str) -> Iterator[Path]:
    """All Python files below a folder of the project, in order."""
    yield from sorted((ROOT / folder).rglob("*.py"))


def is_generated(path: Path) -> bool:
    """Whether the first line says that a tool wrote the file."""
    with path.open(encoding="utf-8") as file:
        return file.readline().startswith("# GENERATED")


def parse(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def report(tool: str, problems: Iterable[Problem], notices: Iterable[Problem] = ()) -> int:
    """Print what was found; 1 where there are problems (notices do not count)."""
    for notice in notices:
        print(f"{tool}: notice: {notice}")
    count = 0
    for problem in problems:
        print(f"{tool}: {problem}", file=sys.stderr)
        count += 1
    return 1 if count else 0
