"""CLN's own test tools (PyPI: pyln-testing) drive our node. `make check-compat` installs and runs them.

They bring their own fixtures: node_factory, bitcoind, executor and so on. Without them this folder holds no tests.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

# Seconds, read by the tools as they are loaded: waiting long costs nothing when all goes well.
os.environ.setdefault("TIMEOUT", "120")
# Compiled modules as an installed node has them, also where the surroundings forbid to write them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault(
    "PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / f"pylightningd-compiled-{os.getuid()}")
)

SCHEMAS = Path(__file__).parents[2] / "lightningd" / "rpc" / "schemas"

if find_spec("pyln") is None or find_spec("pyln.testing") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from pyln.testing import fixtures, utils
    from pyln.testing.fixtures import *  # noqa: F403  # that is how they are meant to be taken

    # Bitcoin Knots refuses a wallet's own transactions of locktime 21, which come up by chance. Others ignore the word.
    utils.BITCOIND_CONFIG["corepolicy"] = 1

    @pytest.fixture(autouse=True)
    def jsonschemas() -> dict[str, Any]:
        """Every request and reply is held to its schema."""
        return {path.stem: fixtures._load_schema(path) for path in SCHEMAS.glob("*.json")}

    @pytest.hookimpl(tryfirst=True, hookwrapper=True)
    def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, None]:
        """The folder of a failed test is kept."""
        outcome = yield
        report = outcome.get_result()
        setattr(item, f"rep_{report.when}", report)
