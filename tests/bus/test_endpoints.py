"""Folders of links: private, short enough, and cleaned up after a crash."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pylightningd.common.bus.endpoints_io import Endpoints, check_url


def test_a_folder_of_the_node_is_used_and_removed(tmp_path: Path) -> None:
    base = tmp_path / "n"
    base.mkdir()
    left_behind = base / "bus-old"
    left_behind.mkdir()
    (left_behind / "lock").touch()
    (left_behind / "socket").touch()
    (base / "hsm_secret").touch()
    endpoints = Endpoints(str(base))
    folder = Path(endpoints.folder)
    assert sorted(p.name for p in base.iterdir() if p != folder) == ["hsm_secret"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    endpoints.close()
    assert not folder.exists()


def test_the_folder_of_a_node_that_runs_is_left_alone(tmp_path: Path) -> None:
    base = tmp_path / "n"
    base.mkdir()
    first, second = Endpoints(str(base)), Endpoints(str(base))
    assert Path(first.folder).exists()
    assert first.folder != second.folder
    first.close()
    second.close()
    assert not list(base.iterdir())


def test_a_long_name_leads_to_a_temporary_folder(tmp_path: Path) -> None:
    base = tmp_path / ("x" * 80)
    base.mkdir()
    endpoints = Endpoints(str(base))
    assert not list(base.iterdir())
    assert len(endpoints.new_url()) < 107
    assert endpoints.new_url() != endpoints.new_url()
    endpoints.close()


def test_urls_are_checked() -> None:
    assert check_url("ipc:///x") == "ipc:///x"
    with pytest.raises(ValueError, match="neither ipc"):
        check_url("inproc://x")
