"""`make demo ARGS=--keep`: the whole story, a network that can be used by its aliases, and stopped as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.regtest.waiting import wait_for

ROOT = Path(__file__).parents[2]
STEPS = (
    "starting bitcoind",
    "starting l1, l2, l3",
    "opens a channel of 1,000,000 sat",
    "l1 pays l3's invoice of 250,000 sat",
    "stopping l2 and starting it again",
    "l3 pays l1's invoice of 100,000 sat",
    "close by mutual agreement",
    "4,000,000 sat, which is what was put in",
)


def _shell(lines: list[str]) -> subprocess.CompletedProcess[str]:
    """As a user types it."""
    words = ["bash", "-O", "expand_aliases", "-c", "\n".join(lines)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.timeout(300)
def test_the_demonstration_and_its_network() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo", "--keep"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    at = [done.stdout.find(step) for step in STEPS]
    assert -1 not in at and at == sorted(at), (at, done.stdout)
    aliases = [line.strip() for line in done.stdout.splitlines() if line.startswith("  alias ")]
    stop = next(line for line in done.stdout.splitlines() if line.startswith("  l1-cli stop"))
    folder = re.search(r"rm -r (\S+)", stop)
    assert folder is not None
    try:
        assert len(aliases) == 4
        asked = _shell([*aliases, "l2-cli getinfo", "bt-cli getblockcount"])
        assert asked.returncode == 0, asked.stderr
        assert '"alias": "l2"' in asked.stdout
        assert int(asked.stdout.split()[-1]) > 100
    finally:
        stopped = _shell([*aliases, stop])
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    wait_for(lambda: not Path(folder[1]).exists(), "the folder to be gone")
