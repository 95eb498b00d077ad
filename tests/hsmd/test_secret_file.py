"""Every kind of hsm_secret file."""

from __future__ import annotations

import stat
from hashlib import sha256
from pathlib import Path

import pytest

from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.hsmd.secret_file_io import SecretFileError, create, parse, read_or_create
from pylightningd.hsmd.sodium import BadPassphrase, hchacha20, open_message

RITUAL = b"ritual idle hat sunny universe pluck key alpha wing cake have wedding"


def test_a_new_file_is_a_mnemonic_nobody_may_write(tmp_path: Path) -> None:
    path = tmp_path / "hsm_secret"
    secret, created = read_or_create(path, None)
    raw = path.read_bytes()
    assert created
    assert raw[:32] == bytes(32)
    assert secret.mnemonic == raw[32:].decode()
    assert len(secret.mnemonic.split()) == 12
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert len(secret.secret) == 64
    assert read_or_create(path, None) == (secret, False)
    assert list(tmp_path.iterdir()) == [path]
    assert secret.mnemonic not in repr(secret)


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "hsm_secret"
    path.write_bytes(b"x" * 32)
    with pytest.raises(SecretFileError, match="cannot create"):
        create(path, None)
    assert path.read_bytes() == b"x" * 32
    assert list(tmp_path.iterdir()) == [path]


def test_with_a_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "hsm_secret"
    secret, _ = read_or_create(path, b"open")
    assert path.read_bytes()[:32] == sha256(secret.secret).digest()
    assert read_or_create(path, b"open")[0] == secret
    with pytest.raises(SecretFileError, match="Wrong passphrase"):
        read_or_create(path, b"shut")
    with pytest.raises(SecretFileError, match="Passphrase required"):
        read_or_create(path, None)


def test_a_passphrase_file_of_core_lightning() -> None:
    """The node id is the one in its test_wallet.py."""
    from pylightningd.hsmd.secret_file_io import _seed

    head = sha256(_seed(RITUAL.decode(), b"test_passphrase")).digest()
    secret = parse(head + RITUAL, b"test_passphrase").secret
    assert NodeSecrets(secret, is_test_network=True).node_id.hex() == (
        "039020371fb803cd4ce1e9a909b502d7b0a9e0f10cccc35c3e9be959c52d3ba6bd"
    )


@pytest.mark.parametrize(
    ("raw", "passphrase", "text"),
    [
        (b"short", None, "Invalid hsm_secret format"),
        (bytes(32) + b"no such words", None, "Invalid mnemonic"),
        (bytes(32) + b"\xff" * 50, None, "Invalid mnemonic"),
        (bytes(32) + RITUAL, b"x", "Passphrase provided but not needed"),
        (b"e" * 73, None, "Passphrase required"),
    ],
)
def test_what_is_refused(raw: bytes, passphrase: bytes | None, text: str) -> None:
    with pytest.raises(SecretFileError, match=text):
        parse(raw, passphrase)


def test_plain() -> None:
    assert parse(b"p" * 32, None).secret == b"p" * 32


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SecretFileError, match="cannot create"):
        read_or_create(tmp_path / "no" / "hsm_secret", None)


def test_hchacha20_vector() -> None:
    """draft-irtf-cfrg-xchacha, section 2.2.1."""
    out = hchacha20(bytes(range(32)), bytes.fromhex("000000090000004a0000000031415927"))
    assert out.hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"


def test_a_wrong_key_does_not_open_an_encrypted_secret() -> None:
    with pytest.raises(BadPassphrase, match="does not open"):
        open_message(bytes(32), bytes(73))


@pytest.mark.slow
def test_an_encrypted_secret_made_by_libsodium() -> None:
    """Argon2id and secretstream as PyNaCl does them, over the bytes 0 to 31."""
    raw = bytes.fromhex(
        "146b3c5a1c1cc55d32abb8516c5333867349420fe62a32ae1ca5a11b6d5fc14741949a34d8dec2d8"
        "e88f466dfe31769c45566fe57b8471ec0c5cdbf5863358c4d6ceae7a50b50b9f44"
    )
    assert parse(raw, b"the passphrase").secret == bytes(range(32))
    with pytest.raises(SecretFileError, match="Wrong passphrase"):
        parse(raw, b"another")
