"""Secrets as users type them, and the files they become."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.network import REGTEST
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.secret_file_io import parse
from pylightningd.lightningd.backup import secret_file_io
from pylightningd.lightningd.backup.secret import BadSecret, read_secret
from pylightningd.lightningd.config import Config, ConfigError, Setting, Source
from pylightningd.lightningd.config_table import Folders

CODEX32 = "cl10leetsllhdmn9m42vcsamx24zrxgs3qrl7ahwvhw4fnzrhve25gvezzyqqjdsjnzedu43ns"
RAW = bytes.fromhex("ffeeddccbbaa99887766554433221100" * 2)
WORDS = "hockey enroll sure trip track rescue original plate abandon abandon abandon account"


@pytest.mark.parametrize("text", [CODEX32, CODEX32.upper(), RAW.hex(), f" {RAW.hex().upper()}\n"])
def test_32_bytes(text: str) -> None:
    secret = read_secret(text)
    assert secret.file_content(None) == RAW
    assert "ffee" not in repr(secret)
    with pytest.raises(BadSecret, match="mnemonic only"):
        secret.file_content(b"passphrase")


@pytest.mark.parametrize("passphrase", [None, b"a passphrase"])
def test_a_mnemonic_becomes_a_file_that_hsmd_reads(passphrase: bytes | None) -> None:
    secret = read_secret("  " + WORDS.title().replace(" ", "  "))
    content = secret.file_content(passphrase)
    opened = parse(content, passphrase)
    assert opened.mnemonic == WORDS
    assert opened.secret == secret.seed(passphrase)
    if passphrase is None:
        assert content == bytes(32) + WORDS.encode()  # as CLN's test_recover expects


@pytest.mark.parametrize("text", [CODEX32, WORDS])
def test_the_key_of_the_backup_is_what_makesecret_derives(text: str) -> None:
    secret = read_secret(text)
    node = NodeSecrets(secret.seed(), is_test_network=True)
    assert secret.backup_key().reveal() == node.derived_secret(b"scb secret").reveal()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Not a valid mnemonic, hex, or codex32"),
        ("hello", "Not a valid mnemonic, hex, or codex32"),
        ("00" * 31, "must be 32 bytes"),
        (CODEX32[:-1] + "q", "wrong checksum: perhaps character 74 should be 's'"),
        ("CL10LEETSLLHDMN9M42VCSAMX24ZRXGS3QQAT3LTDVAKMT73", "must be 32 bytes"),
        (WORDS.replace("trip", "tripp"), "Word 4 of the mnemonic is not in the list"),
        (WORDS.replace("account", "abandon"), "together they are none"),
        (WORDS.rsplit(" ", 1)[0], "each of the 11 words"),
    ],
)
def test_what_is_no_secret(text: str, why: str) -> None:
    with pytest.raises(BadSecret, match=why):
        read_secret(text)


def _config(folder: Path, *lines: str) -> Config:
    folders = Folders(REGTEST, str(folder), str(folder))
    return Config(folders, [Setting(Source.CMDLINE, line) for line in lines])


def test_recover_makes_the_file_once(tmp_path: Path) -> None:
    config = _config(tmp_path, f"recover={WORDS}")
    secret_file_io.restore_secret(config)
    path = tmp_path / "hsm_secret"
    assert path.read_bytes() == bytes(32) + WORDS.encode()
    assert oct(path.stat().st_mode & 0o777) == "0o400"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ConfigError, match="hsm_secret already exists!"):
        secret_file_io.restore_secret(config)
    with pytest.raises(ConfigError, match="--recover: Not a valid mnemonic"):
        secret_file_io.restore_secret(_config(tmp_path, "recover=nonsense"))
    secret_file_io.restore_secret(_config(tmp_path))


def test_what_a_crash_left_of_recover_is_in_nobodys_way(tmp_path: Path) -> None:
    folder, other = tmp_path / "regtest", tmp_path / "other"
    folder.mkdir()
    path, temporary = folder / "hsm_secret", folder / "hsm_secret.recover.tmp"
    other.write_bytes(b"half")
    other.chmod(0o400)
    os.link(other, temporary)  # root may write to it: the other name tells whether it did
    config = _config(folder, f"recover={WORDS}")
    secret_file_io.restore_secret(config)
    assert path.read_bytes() == bytes(32) + WORDS.encode()
    assert other.read_bytes() == b"half"
    os.link(
        path, temporary
    )  # it died after the secret had its name, before the other name was gone
    with pytest.raises(ConfigError, match="already exists"):
        secret_file_io.restore_secret(config)
    assert path.read_bytes() == bytes(32) + WORDS.encode()
    assert list(folder.iterdir()) == [path]


def test_recovering_is_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    assert secret_file_io.with_recover(["--regtest"]) == ["--regtest"]
    assert secret_file_io.with_recover(["--recover=x"]) == ["--recover=x", "--offline"]
    monkeypatch.setenv(secret_file_io.ENVIRONMENT, "y")
    assert secret_file_io.with_recover(["--offline"]) == ["--offline", "--recover=y"]
    assert secret_file_io.ENVIRONMENT not in os.environ


def test_starting_again_puts_the_old_files_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("hsm_secret", "lightningd.sqlite3", "emergency.recover", "gossip_store"):
        (tmp_path / name).write_text(name)
    started: list[Any] = []
    monkeypatch.setattr(os, "execv", lambda *args: started.append(args))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "x", "--daemon", "-y"])
    monkeypatch.delenv(secret_file_io.ENVIRONMENT, raising=False)
    secret_file_io.start_again("the secret", str(tmp_path))
    assert os.environ.pop(secret_file_io.ENVIRONMENT) == "the secret"
    ((_program, words),) = started
    assert words == ["python", "-m", "x", "-y"]
    aside = tmp_path / f"lightning.pre-recover.{os.getpid()}"
    assert sorted(p.name for p in aside.iterdir()) == [
        "emergency.recover", "hsm_secret", "lightningd.sqlite3",
    ]  # fmt: skip
    assert (tmp_path / "gossip_store").exists()
