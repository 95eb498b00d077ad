"""Citations of the BOLTs in the project's files.

A citation is `BOLT n, "Section title"` in a comment or docstring; it may run over lines. A docstring may also name a
section without quotes (`BOLT 2, Channel Close`): that counts for the coverage where a title begins the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.bolt_sections import Sections
from tools.source_tree import ROOT, is_generated, packages, python_files

QUOTED = re.compile(r'\bBOLT (?P<bolt>\d+), "(?P<title>[^"]*)"')
NAMED = re.compile(r"\bBOLT (?P<bolt>\d+), (?P<text>[A-Z`][^\"]{0,120})")
LINE_BREAK = re.compile(r"\s*\n\s*(?:#+ ?)?")


@dataclass(frozen=True)
class Citation:
    """One citation; path is relative to the project's folder."""

    path: Path
    line: int
    bolt: int
    title: str


def quoted(path: Path, text: str) -> Iterator[Citation]:
    """All citations with a quoted title in one file's text."""
    for match in QUOTED.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Citation(path, line, int(match["bolt"]), one_line(match["title"]))


def named(path: Path, text: str, sections: Sections) -> Iterator[Citation]:
    """Sections that are named without quotes, as far as they exist."""
    for match in NAMED.finditer(text):
        bolt, words = int(match["bolt"]), one_line(match["text"])
        fitting = [title for title in sections.get(bolt, {}) if words.startswith(title)]
        if fitting:
            line = text.count("\n", 0, match.start()) + 1
            yield Citation(path, line, bolt, max(fitting, key=len))


def one_line(text: str) -> str:
    """A text that ran over several lines of a comment, as one."""
    return LINE_BREAK.sub(" ", text).strip()


def cited_files() -> Iterator[tuple[Path, str]]:
    """Relative path and text of every hand-written Python file that may cite."""
    for folder in (*packages(), "tests"):
        for path in python_files(folder):
            if not is_generated(path):
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
