"""The bench's parts that need no node."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import contestant
from bench.__main__ import LOADS, main
from bench.contestant import Contestant, Findings, Sizes, cli_command
from bench.table import ROWS, render
from tests.regtest.node import lightningd_command


def test_every_row_has_its_finding() -> None:
    found = Findings(cli_ms=35.25, payments_per_second=301.0)
    found.cpu_ms_per_invoice["lightningd"] = 0.84
    text = render({"pylightningd": found, "other": Findings()})
    assert len(text.splitlines()) == 1 + len(ROWS) + 3
    (row,) = (line for line in text.splitlines() if line.startswith("lightning-cli"))
    assert row.split()[-4:] == ["35.2", "-", "under", "60"]


def test_the_other_node_is_taken_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "other node" / "lightningd"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    seen: list[tuple[str, list[str]]] = []

    class Bitcoind:
        def __init__(self, *_: object) -> None: ...
        def start(self) -> None: ...
        def close(self) -> None: ...

    def measure(self: Contestant, wanted: set[str]) -> None:
        assert wanted == set(LOADS)
        seen.append((self.name, lightningd_command()))

    monkeypatch.setattr(contestant, "Bitcoind", Bitcoind)
    monkeypatch.setattr(Contestant, "_measure", measure)
    monkeypatch.delenv("LIGHTNINGD", raising=False)
    assert main([f"--lightningd={program}", f"--bitcoind={sys.executable}"]) == 0
    ours = [sys.executable, "-m", "pylightningd.lightningd"]
    assert seen == [("pylightningd", ours), ("other", [str(program)])]
    assert main([f"--lightningd={tmp_path}/none", f"--bitcoind={sys.executable}"]) == 1


def test_each_lightningd_has_its_cli(tmp_path: Path) -> None:
    ours = cli_command(None)
    assert ours is not None
    assert ours[0] == sys.executable
    assert cli_command(str(tmp_path / "lightningd")) is None
    (tmp_path / "lightning-cli").touch()
    assert cli_command(str(tmp_path / "lightningd")) == [str(tmp_path / "lightning-cli")]
    assert Sizes().cli_runs > 10
