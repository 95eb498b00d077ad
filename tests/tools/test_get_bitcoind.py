"""Finding bitcoind: the order, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import get_bitcoind
from tools.get_bitcoind import NoBitcoindError


def make_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BITCOIND", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_bitcoind.find() is None
    on_path = make_program(tmp_path / "path" / "bitcoind")
    assert get_bitcoind.get() == on_path
    by_variable = make_program(tmp_path / "variable" / "bitcoind")
    monkeypatch.setenv("BITCOIND", str(by_variable))
    assert get_bitcoind.get() == by_variable
    explicit = make_program(tmp_path / "explicit" / "bitcoind")
    assert get_bitcoind.get(str(explicit)) == explicit


def test_a_chosen_one_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITCOIND", "/nonexistent/bitcoind")
    with pytest.raises(NoBitcoindError, match="BITCOIND names '/nonexistent/bitcoind'"):
        get_bitcoind.get()


def test_other_systems_are_told_where_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert get_bitcoind.main([]) == 1
    err = capsys.readouterr().err
    assert "no apt-get" in err
    assert "BITCOIND=/path/to/bitcoind" in err
    assert not [
        path
        for path in (tmp_path / "cache").rglob("*")
        if path.name != "bitcoind.lock" and path.is_file()
    ]


def test_private_copy_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        get_bitcoind, "_install", lambda prefix: make_program(prefix / "bin" / "bitcoind")
    )
    first = get_bitcoind.get(say=False)
    assert first.is_relative_to(tmp_path / "cache" / "pylightningd")
    monkeypatch.setattr(get_bitcoind, "_install", lambda prefix: pytest.fail("fetched twice"))
    assert get_bitcoind.get() == first


def test_bitcoin_cli_is_the_neighbour(tmp_path: Path) -> None:
    daemon = make_program(tmp_path / "a" / "bitcoind")
    assert get_bitcoind.bitcoin_cli(daemon) is None
    cli = make_program(tmp_path / "a" / "bitcoin-cli")
    assert get_bitcoind.bitcoin_cli(daemon) == cli
