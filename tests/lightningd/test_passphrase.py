"""The passphrase comes from standard input, whether piped in or typed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pylightningd.lightningd.config import ConfigError
from pylightningd.lightningd.passphrase_io import ask_passphrase


@pytest.fixture
def stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What standard input reads."""
    path = tmp_path / "typed"
    path.write_bytes(b"")
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        yield path


def test_once_for_a_secret_that_exists(stdin: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stdin.write_bytes(b"correct horse\r\nmore")
    assert ask_passphrase(confirm=False) == b"correct horse"
    assert capsys.readouterr().out == "Enter hsm_secret passphrase:\n"


def test_twice_for_a_new_one(stdin: Path) -> None:
    stdin.write_bytes(b"a\na\n")
    assert ask_passphrase(confirm=True) == b"a"


def test_two_that_differ(stdin: Path) -> None:
    stdin.write_bytes(b"a\nb\n")
    with pytest.raises(ConfigError, match="not the same"):
        ask_passphrase(confirm=True)


@pytest.mark.usefixtures("stdin")
def test_nothing_to_read() -> None:
    with pytest.raises(ConfigError, match="pipe it in"):
        ask_passphrase(confirm=False)


def test_a_terminal_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = os.openpty()
    terminal = os.fdopen(theirs, "r")
    monkeypatch.setattr(sys, "stdin", terminal)

    class Stdout:
        """Answers the prompt, as a person does."""

        def write(self, text: str) -> None:
            if text.startswith("Enter"):
                os.write(ours, b"typed\n")

        def flush(self) -> None:
            return None

    monkeypatch.setattr(sys, "stdout", Stdout())
    assert ask_passphrase(confirm=False) == b"typed"
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 100)
    except BlockingIOError:
        shown = b""
    assert b"typed" not in shown
    capsys.readouterr()
    os.close(ours)
    terminal.close()
