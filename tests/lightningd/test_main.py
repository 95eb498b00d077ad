"""How lightningd ends when it cannot start."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.lightningd import __main__ as main
from pylightningd.lightningd import node as node_module
from pylightningd.lightningd import startup_io
from pylightningd.lightningd.supervise_io import DaemonFailed


@pytest.mark.parametrize(
    ("error", "is_bug"), [(DaemonFailed("connectd did not start"), False), (KeyError("x"), True)]
)
def test_a_daemon_that_does_not_start_is_no_bug_of_lightningd(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    error: Exception,
    is_bug: bool,
) -> None:
    lines: list[str] = []

    def make_node(_config: Any, _log: Any) -> Any:
        log: Any = lambda level, text: lines.append(f"{level} {text}")  # noqa: E731
        log.write_crash_log = lambda text: None
        return SimpleNamespace(log=log)

    async def run_node(_node: Any, _on_up: Any) -> None:
        raise ExceptionGroup("while daemons start", [error])

    monkeypatch.setattr(node_module, "Node", make_node)
    monkeypatch.setattr(startup_io, "run_node", run_node)
    assert main._live(None, None, lambda: None) == 1  # type: ignore[arg-type]  # noqa: SLF001
    printed = capsys.readouterr().err
    assert str(error) in printed
    assert ("FATAL" in printed) is is_bug
    assert any("FATAL" in line for line in lines) is is_bug
