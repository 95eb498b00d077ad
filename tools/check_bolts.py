"""Check that every section of a BOLT that the code cites exists: `# BOLT 2, "Section title": the rule in our words`.

Titles come from tools/bolt_sections.json. With BOLTDIR=<clone of the BOLTs> that file, too, is checked against the
commit in tools/bolt_version; `--update` writes it.
"""

from __future__ import annotations

import argparse
import difflib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools import bolt_sections
from tools.bolt_citations import cited_files, quoted
from tools.bolt_sections import Sections
from tools.source_tree import ROOT, Problem, report


def wrong_citations(path: Path, text: str, sections: Sections) -> Iterator[Problem]:
    """Citations in one file of sections that do not exist."""
    for citation in quoted(path, text):
        titles = sections.get(citation.bolt)
        if titles is None:
            yield Problem(path, citation.line, f"there is no BOLT {citation.bolt}")
        elif citation.title not in titles:
            close = difflib.get_close_matches(citation.title, titles, n=1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            text_of_it = f'BOLT {citation.bolt} has no section "{citation.title}"{hint}'
            yield Problem(path, citation.line, text_of_it)


def check_data(folder: str, *, update: bool) -> Iterator[Problem]:
    """Compare, or replace, the committed titles with those of a clone."""
    data = bolt_sections.DATA
    try:
        wanted = bolt_sections.to_json(bolt_sections.read_checkout(Path(folder)))
    except (OSError, subprocess.CalledProcessError) as error:
        yield Problem(Path("BOLTDIR"), 1, f"{folder} has not the commit of {_version()}: {error}")
        return
    if update:
        data.write_text(wanted, encoding="utf-8")
    elif not data.exists() or data.read_text(encoding="utf-8") != wanted:
        yield Problem(
            data.relative_to(ROOT), 1, "is stale: run python -m tools.check_bolts --update"
        )


def _version() -> str:
    return str(bolt_sections.VERSION.relative_to(ROOT))


def main(argv: list[str] | None = None) -> int:
    """Check all citations; 1 where one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--update", action="store_true", help="write bolt_sections.json from BOLTDIR"
    )
    args = parser.parse_args(argv)
    folder = os.environ.get("BOLTDIR")
    problems: list[Problem] = []
    if folder:
        problems += check_data(folder, update=args.update)
    elif args.update:
        parser.error("--update needs BOLTDIR=<clone of the BOLTs>")
    sections = bolt_sections.load()
    for path, text in cited_files():
        problems += wrong_citations(path, text, sections)
    if not folder and sys.stdout.isatty():
        print("check_bolts: notice: no BOLTDIR given, titles are those of tools/bolt_sections.json")
    return report("check_bolts", problems)


if __name__ == "__main__":
    sys.exit(main())
