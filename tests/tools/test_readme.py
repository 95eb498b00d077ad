"""The README's table of what is survived names tests; each of them exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEADING = "## What is survived, and how that was tested"
_NAME = re.compile(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`")


def named_tests(text: str) -> list[tuple[str, str]]:
    """(file, test or nothing) of each row; `::test` alone means the file named before it in the row."""
    found: list[tuple[str, str]] = []
    for row in text.splitlines():
        if not row.startswith("| ") or "|---" in row:
            continue
        file = ""
        cells = row.strip("|").split("|")
        for match in _NAME.finditer(cells[-1]):
            file = match[1] or file
            found.append((file, match[2] or ""))
    return found


def test_the_table_names_tests_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme.split(HEADING)[1].split("\n## ")[0]
    names = named_tests(section)
    assert len(names) >= 20
    for file, test in names:
        path = ROOT / file
        assert path.is_file(), f"README.md names {file}, which is not there"
        source = path.read_text()
        assert "def test_" in source or ".TestCase" in source, f"{file} has no tests"
        if test:
            assert re.search(rf"def {test}\(", source), f"README.md names {file}::{test}"


def test_every_row_names_a_test() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme.split(HEADING)[1].split("\n## ")[0]
    rows = [r for r in section.splitlines() if r.startswith("| ")][1:]
    for row in rows:
        assert named_tests(row), f"no test in: {row}"


def test_links_of_the_disaster_page_lead_somewhere() -> None:
    page = (ROOT / "doc" / "disasters.md").read_text()
    headings = {_anchor(line[3:]) for line in page.splitlines() if line.startswith("## ")}
    wanted = set(re.findall(r"\]\(#([^)]+)\)", page))
    assert wanted
    assert wanted <= headings
    # Each disaster is in the table at the top.
    assert headings <= wanted


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
