"""A small `make chaos`: it must come to its end, find nothing wrong, and have done something."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


PARTS, FAULTS = 11, 4


@pytest.mark.timeout(900)
def test_a_short_storm() -> None:
    """How much must be done is fixed; how long that takes is the machine's affair."""
    words = "--seconds 15 --nodes 3 --channels 3 --every 1.5 --seed 11".split()
    words += ["--payments", str(PARTS), "--faults", str(FAULTS), "--at-most", "300"]
    done = subprocess.run(
        [sys.executable, "-m", "tools.chaos", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"nothing was lost; seed 11$", done.stdout, re.M)
    assert int(re.search(r"(\d+)  parts complete", done.stdout)[1]) >= PARTS  # type: ignore[index]
    assert int(re.search(r"(\d+)  faults in all", done.stdout)[1]) >= FAULTS  # type: ignore[index]
