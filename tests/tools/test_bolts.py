"""Citations of the BOLTs are found and checked, and the coverage list may only shrink."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import bolt_coverage, bolt_sections
from tools.bolt_citations import named, quoted
from tools.check_bolts import wrong_citations

TEXT = """# BOLT #2: Peer Protocol

Nodes MUST talk.

## Adding an HTLC: `update_add_htlc`

### Requirements

A sender MUST do this and MUST NOT do that.

```
# no heading MUST
```

## Closing
"""
BOLT = "BOLT"  # apart from its number: this file cites nothing
HERE = Path("channeld/x.py")
SECTIONS = {2: bolt_sections.sections_of(TEXT)}


def test_musts_count_for_the_section_around_them() -> None:
    assert SECTIONS[2] == {
        "Peer Protocol": 1,
        "Adding an HTLC: `update_add_htlc`": 3,
        "Closing": 0,
    }


def test_a_citation_may_run_over_lines_of_a_comment() -> None:
    code = f'x = 1\n    # {BOLT} 2, "Adding an HTLC:\n    # `update_add_htlc`", sender: y\n'
    assert not list(wrong_citations(HERE, code, SECTIONS))
    (citation,) = quoted(HERE, code)
    assert (citation.line, citation.title) == (2, "Adding an HTLC: `update_add_htlc`")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (f'# {BOLT} 2, "Adding an HTLC": y', 'has no section "Adding an HTLC"'),
        (f'# {BOLT} 6, "Closing": y', "there is no BOLT 6"),
    ],
)
def test_wrong_citations_are_reported(code: str, words: str) -> None:
    (problem,) = wrong_citations(HERE, code, SECTIONS)
    assert words in problem.text


def test_a_docstring_may_name_a_section_without_quotes() -> None:
    text = '"""shutdown, both ways (BOLT 2, Closing), and BOLT 2, Nothing of that name."""'
    assert [citation.title for citation in named(HERE, text, SECTIONS)] == ["Closing"]


def test_the_list_of_uncited_sections_is_read_back() -> None:
    sections = {bolt: {"A": 1, "B": 0} for bolt in bolt_coverage.COVERED}
    text = bolt_coverage.page(sections, {(1, "A"): {"x.py"}}, {})
    assert bolt_coverage.listed(text) == {(bolt, "A") for bolt in bolt_coverage.COVERED} - {
        (1, "A")
    }


def test_all_citations_of_the_project_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    from tools import check_bolts

    assert check_bolts.main([]) == 0, capsys.readouterr().err
