"""Write doc/bolt-coverage.md: which section of which BOLT is cited by which code and which tests.

`--check` fails where a section with a MUST has lost its last citation in the code, or a new one came without any: the
list of those may only shrink (`python -m tools.bolt_coverage --allow-growth` writes it all the same).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tools import bolt_sections
from tools.bolt_citations import cited_files, named, quoted
from tools.bolt_sections import Sections
from tools.source_tree import ROOT

PAGE = ROOT / "doc" / "bolt-coverage.md"
COVERED = {
    1: "Base protocol",
    2: "Peer protocol for channel management",
    3: "Transactions and scripts",
    4: "Onion routing",
    5: "On-chain handling",
    7: "Routing gossip",
    8: "Transport",
    9: "Feature flags",
    11: "Invoices",
    12: "Offers",
}
"""The BOLTs we care for. 0 defines words, 10 is DNS bootstrap, which we do not do."""

Users = dict[tuple[int, str], set[str]]
"""(BOLT, title) -> files that cite it."""


def collect(sections: Sections) -> tuple[Users, Users]:
    """Who cites what: code, tests."""
    code: Users = defaultdict(set)
    tests: Users = defaultdict(set)
    for path, text in cited_files():
        users = tests if path.parts[0] == "tests" else code
        for citation in (*quoted(path, text), *named(path, text, sections)):
            users[citation.bolt, citation.title].add(_short(path))
    return code, tests


def _short(path: Path) -> str:
    return str(path.relative_to("tests") if path.parts[0] == "tests" else path)


def uncited(sections: Sections, code: Users) -> list[tuple[int, str]]:
    """Sections with a MUST that no code cites."""
    return [
        (bolt, title)
        for bolt in COVERED
        for title, musts in sections[bolt].items()
        if musts and not code.get((bolt, title))
    ]


def page(sections: Sections, code: Users, tests: Users) -> str:
    """The whole page."""
    bare = uncited(sections, code)
    parts = [
        "# The BOLTs and the code that cites them",
        "Made by `python -m tools.bolt_coverage`; do not edit. A section is listed if it holds a MUST or somebody"
        " cites it. That a section is cited says where to look, not that every word of it is obeyed.",
    ]
    for bolt, name in COVERED.items():
        rows = list(_rows(bolt, sections[bolt], code, tests))
        parts.append(f"## BOLT {bolt}: {name}")
        parts.append("\n".join(["| Section | MUSTs | Code | Tests |", "|---|---|---|---|", *rows]))
    parts.append("## Sections with a MUST that no code cites")
    parts.append("This list may only shrink.")
    parts.append("\n".join(f"- BOLT {bolt}, {title}" for bolt, title in bare) or "None.")
    return "\n\n".join(parts) + "\n"


def _rows(bolt: int, titles: dict[str, int], code: Users, tests: Users) -> Iterator[str]:
    for title, musts in titles.items():
        in_code = ", ".join(sorted(code.get((bolt, title), ())))
        in_tests = ", ".join(sorted(tests.get((bolt, title), ())))
        if musts or in_code or in_tests:
            yield f"| {title} | {musts or ''} | {in_code} | {in_tests} |"


def listed(text: str) -> set[tuple[int, str]]:
    """The uncited sections that a page lists."""
    tail = text.partition("## Sections with a MUST that no code cites")[2]
    return {(int(n), title) for n, title in re.findall(r"^- BOLT (\d+), (.+)$", tail, re.M)}


def main(argv: list[str] | None = None) -> int:
    """Write or check the page; 1 where the list of uncited sections grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--allow-growth", action="store_true", help="write even a longer list")
    args = parser.parse_args(argv)
    sections = bolt_sections.load()
    code, tests = collect(sections)
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    grown = sorted(set(uncited(sections, code)) - listed(old)) if old else []
    if grown and not args.allow_growth:
        for bolt, title in grown:
            print(f'bolt_coverage: no code cites BOLT {bolt}, "{title}" any more', file=sys.stderr)
        return 1
    new = page(sections, code, tests)
    if args.check:
        if new != old:
            print("bolt_coverage: notice: doc/bolt-coverage.md is stale: make generate")
        return 0
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
