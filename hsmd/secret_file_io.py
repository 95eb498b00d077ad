"""The file ``hsm_secret``: read each kind Core Lightning writes, make a new one.

* 32 bytes: the secret itself (before v25.12).
* 73 bytes: that, encrypted with a passphrase (libsodium's secretstream); see `sodium`.
* 32 bytes and a mnemonic: zeros, or, where a passphrase belongs to it, SHA256 of the resulting seed.
"""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import wallycore as wally

from pylightningd.hsmd.derive import key_fingerprint

_PLAIN_SIZE = 32
_ENCRYPTED_SIZE = 73
_NO_PASSPHRASE = bytes(32)
_ENTROPY_SIZE = 16


class SecretFileError(Exception):
    """The file cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class HsmSecret:
    """What the file holds, once opened."""

    secret: bytes
    """32 bytes, or the 64-byte BIP 39 seed."""
    mnemonic: str | None = None

    def __repr__(self) -> str:
        return "HsmSecret(<hidden>)"


def read_or_create(path: Path, passphrase: bytes | None) -> tuple[HsmSecret, bool]:
    """The node's secret, and whether it was made just now. Raises SecretFileError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        create(path, passphrase)
        return parse(path.read_bytes(), passphrase), True
    except OSError as err:
        raise SecretFileError(f"cannot read {path}: {err.strerror}") from err
    return parse(raw, passphrase), False


def parse(raw: bytes, passphrase: bytes | None) -> HsmSecret:
    """Open the content of a file. Raises SecretFileError."""
    if len(raw) < _PLAIN_SIZE:
        raise SecretFileError(f"Invalid hsm_secret format: {len(raw)} bytes")
    if len(raw) == _PLAIN_SIZE:
        return HsmSecret(raw)
    if len(raw) == _ENCRYPTED_SIZE:
        return HsmSecret(_decrypt(raw, passphrase))
    return _open_mnemonic(raw[:_PLAIN_SIZE], raw[_PLAIN_SIZE:], passphrase)


def _decrypt(raw: bytes, passphrase: bytes | None) -> bytes:
    if passphrase is None:
        raise SecretFileError("Passphrase required but not provided")
    from pylightningd.hsmd.sodium import BadPassphrase, decrypt_secret  # rare, and slow to load

    try:
        return decrypt_secret(raw, passphrase)
    except BadPassphrase as err:
        raise SecretFileError("Wrong passphrase") from err


def _open_mnemonic(fingerprint: bytes, text: bytes, passphrase: bytes | None) -> HsmSecret:
    protected = fingerprint != _NO_PASSPHRASE
    if protected and passphrase is None:
        raise SecretFileError("Passphrase required but not provided")
    if not protected and passphrase is not None:
        raise SecretFileError("Passphrase provided but not needed")
    try:
        # As a C string: whatever follows a zero byte does not count.
        mnemonic = text.split(b"\0", 1)[0].decode("ascii")
        seed = _seed(mnemonic, passphrase)
    except (UnicodeDecodeError, ValueError) as err:
        raise SecretFileError("Invalid mnemonic") from err
    if protected and not hmac.compare_digest(key_fingerprint(seed), fingerprint):
        raise SecretFileError("Wrong passphrase")
    return HsmSecret(seed, mnemonic)


def _seed(mnemonic: str, passphrase: bytes | None) -> bytes:
    wally.bip39_mnemonic_validate(wally.bip39_get_wordlist("en"), mnemonic)
    return bytes(
        wally.bip39_mnemonic_to_seed512(
            mnemonic, passphrase.decode("utf-8") if passphrase else None
        )
    )


def create(path: Path, passphrase: bytes | None) -> None:
    """Write a fresh 12-word mnemonic: whole or not at all, and never over a file that is there.

    Raises SecretFileError, also where the file exists.
    """
    words = wally.bip39_get_wordlist("en")
    mnemonic = str(wally.bip39_mnemonic_from_bytes(words, secrets.token_bytes(_ENTROPY_SIZE)))
    head = key_fingerprint(_seed(mnemonic, passphrase)) if passphrase else _NO_PASSPHRASE
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(head + mnemonic.encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # unlike a rename this fails where the file exists
        finally:
            os.unlink(temporary)
        sync_folder(path.parent)
    except OSError as err:
        raise SecretFileError(f"cannot create {path}: {err.strerror}") from err


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
