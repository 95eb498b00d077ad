"""Putting a secret in place, and the files of the node that was here before out of the way."""

from __future__ import annotations

import contextlib
import os
import sys

from pylightningd.lightningd.backup.file_io import FILE_NAME
from pylightningd.lightningd.backup.secret import BadSecret, NodeSecret, read_secret
from pylightningd.lightningd.config import Config, ConfigError

ENVIRONMENT = "LIGHTNINGD_RECOVER_SECRET"
"""How `recover` hands the secret to the program that it starts: the command line could be read by everybody."""
_SECRET = "hsm_secret"  # noqa: S105 - a file's name
_BEFORE = ("lightningd.sqlite3", "lightningd.sqlite3-wal", "lightningd.sqlite3-shm", "hsmd_state")


def with_recover(words: list[str]) -> list[str]:
    """The command line, with what `recover` left for us, and offline where it recovers."""
    secret = os.environ.pop(ENVIRONMENT, None)
    if secret is not None:
        words = [*words, f"--recover={secret}"]
    if any(word.split("=")[0] == "--recover" for word in words) and "--offline" not in words:
        words = [*words, "--offline"]
    return words


def secret_to_restore(config: Config) -> NodeSecret | None:
    """What --recover was given, if it was. Raises ConfigError where that is no secret."""
    text = config["recover"]
    try:
        return None if text is None else read_secret(text)
    except BadSecret as error:
        raise ConfigError(f"--recover: {error}") from error


def restore_secret(config: Config) -> None:
    """--recover: make hsm_secret. Raises ConfigError where one is there, or the secret is none."""
    secret = secret_to_restore(config)
    if secret is None:
        return
    folder = config.folders.net_dir
    try:
        content = secret.file_content(config.passphrase)
    except BadSecret as error:
        raise ConfigError(f"--recover: {error}") from error
    path = os.path.join(folder, _SECRET)
    try:
        _create(path, content)
    except FileExistsError:
        raise ConfigError(
            "--recover: hsm_secret already exists! To start a node that was recovered already, leave --recover away"
        ) from None
    except OSError as error:
        raise ConfigError(f"--recover: creating {path}: {error.strerror}") from error


def _create(path: str, content: bytes) -> None:
    temporary = f"{path}.recover.tmp"
    # A crash may have left one: it cannot be opened for writing, and could be another name of the secret itself.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename this fails where the file exists
    finally:
        os.unlink(temporary)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def start_again(secret: str, folder: str) -> None:
    """Put the files of the empty node aside and become a new lightningd that recovers. Does not return."""
    aside = os.path.join(folder, f"lightning.pre-recover.{os.getpid()}")
    os.mkdir(aside, 0o700)
    for name in (*_BEFORE, FILE_NAME, _SECRET):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            os.rename(path, os.path.join(aside, name))
    os.environ[ENVIRONMENT] = secret
    words = [word for word in sys.orig_argv if word != "--daemon"]
    os.execv(sys.executable, words)
