"""Section titles of the BOLTs, read from their text; `bolt_sections.json` keeps them, so that checks need no checkout."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tools.source_tree import ROOT

DATA = ROOT / "tools" / "bolt_sections.json"
VERSION = ROOT / "tools" / "bolt_version"

Sections = dict[int, dict[str, int]]
"""BOLT number -> title -> how many MUST and MUST NOT stand right under that title."""

HEADING = re.compile(r"(?P<marks>#{1,6})\s+(?:BOLT #\d+: )?(?P<title>.*?)\s*#*$")
UNDER_PARENT = ("Requirements", "Rationale")
"""Titles that many sections have: what stands below them belongs to the section around them."""
MUST = re.compile(r"\bMUST\b")


def sections_of(text: str) -> dict[str, int]:
    """Titles of one BOLT in their order, each with its count of MUSTs. Titles that come twice are summed."""
    found: dict[str, int] = {}
    title, in_code = "", False
    around: list[tuple[int, str]] = []
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            in_code = not in_code
        heading = None if in_code else HEADING.match(line)
        if heading:
            depth = len(heading["marks"])
            around = [outer for outer in around if outer[0] < depth]
            if heading["title"] in UNDER_PARENT and around:
                title = around[-1][1]
            else:
                title = heading["title"]
                around.append((depth, title))
            found.setdefault(title, 0)
        elif title:
            found[title] += len(MUST.findall(line))
    return found


def read_checkout(folder: Path) -> Sections:
    """The sections of a clone (bare or not) at the commit in `bolt_version`. Raises OSError or CalledProcessError."""
    commit = VERSION.read_text(encoding="utf-8").strip()
    names = _git(folder, "ls-tree", "--name-only", commit).split()
    sections: Sections = {}
    for name in names:
        numbered = re.fullmatch(r"(\d\d)-.*\.md", name)
        if numbered:
            sections[int(numbered[1])] = sections_of(_git(folder, "show", f"{commit}:{name}"))
    return sections


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True)
    return done.stdout.decode()


def load() -> Sections:
    """The sections as committed."""
    data = json.loads(DATA.read_text(encoding="utf-8"))
    return {int(number): titles for number, titles in data["bolts"].items()}


def to_json(sections: Sections) -> str:
    """The text of `bolt_sections.json`."""
    commit = VERSION.read_text(encoding="utf-8").strip()
    bolts = {str(number): titles for number, titles in sorted(sections.items())}
    return json.dumps({"commit": commit, "bolts": bolts}, indent=1, ensure_ascii=False) + "\n"
