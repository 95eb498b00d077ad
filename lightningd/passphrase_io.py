"""Asking for the passphrase of hsm_secret: before the node starts anything, while there is still a terminal.

It is read from stdin, so that a script may pipe it in; on a terminal nothing is shown while it is typed.
"""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from pylightningd.lightningd.config import ConfigError


def ask_passphrase(*, confirm: bool) -> bytes:
    """The line that the user types; twice where a new secret is made. Raises ConfigError."""
    passphrase = _ask("Enter hsm_secret passphrase:")
    if confirm and _ask("Confirm hsm_secret passphrase:") != passphrase:
        raise ConfigError("--hsm-passphrase: the two passphrases are not the same")
    return passphrase


def _ask(prompt: str) -> bytes:
    # Silence first: what is typed in answer to the prompt must not get lost with the change.
    with _without_echo():
        print(prompt, flush=True)
        line = sys.stdin.buffer.readline()
    if not line:
        raise ConfigError(
            "--hsm-passphrase: no passphrase came on standard input: start the node from a terminal, or pipe it in"
        )
    return line.rstrip(b"\r\n")


@contextmanager
def _without_echo() -> Iterator[None]:
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    silent = list(before)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
