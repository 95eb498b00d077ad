"""`make help` names every target that somebody may call."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_help_names_all_targets() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY:(.*)$", text, re.MULTILINE)
    assert phony is not None
    targets = set(phony[1].split())
    rules = set(re.findall(r"^([a-z][a-z-]*):(?!=)", text, re.MULTILINE))
    assert rules == targets
    assert set(re.findall(r'@echo "make ([a-z-]+) ', text)) == targets - {"help"}
