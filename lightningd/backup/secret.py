"""The node's secret as a user has it: 64 hex digits, a codex32 string, or the words of a mnemonic."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from pylightningd.common.codex32 import Codex32, Codex32Error
from pylightningd.common.hkdf import hkdf
from pylightningd.common.secret import Secret

CODEX32_PREFIX = "cl"
_SIZE = 32


class BadSecret(ValueError):
    """A text that is no secret; says why, but never the text."""


@dataclass(frozen=True, slots=True)
class NodeSecret:
    """What `hsm_secret` is made of."""

    raw: bytes = b""
    """32 bytes; empty where it is a mnemonic."""
    mnemonic: str = ""

    def __repr__(self) -> str:
        return "NodeSecret(<hidden>)"

    def file_content(self, passphrase: bytes | None) -> bytes:
        """What `hsm_secret` must hold. Raises BadSecret where a passphrase cannot be part of it."""
        if not self.mnemonic:
            if passphrase:
                raise BadSecret("a passphrase belongs to a mnemonic only: start without it")
            return self.raw
        head = sha256(self.seed(passphrase)).digest() if passphrase else bytes(_SIZE)
        return head + self.mnemonic.encode("ascii")

    def seed(self, passphrase: bytes | None = None) -> bytes:
        """What all keys follow from: the 32 bytes, or the 64 of BIP 39."""
        if not self.mnemonic:
            return self.raw
        import wallycore as wally

        words = passphrase.decode("utf-8") if passphrase else None
        return bytes(wally.bip39_mnemonic_to_seed512(self.mnemonic, words))

    def backup_key(self, passphrase: bytes | None = None) -> Secret:
        """The key of this node's `emergency.recover`, as hsmd derives it from the label "scb secret"."""
        base = hkdf(_SIZE, b"", self.seed(passphrase), b"derived secrets")
        return Secret(hkdf(_SIZE, b"", base, b"scb secret"))


def read_secret(text: str) -> NodeSecret:
    """Read what a user typed. Raises BadSecret."""
    text = text.strip()
    if text.lower().startswith(CODEX32_PREFIX + "1") and " " not in text:
        return NodeSecret(_from_codex32(text))
    if " " not in text:
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raw = b""
        if not raw:
            raise BadSecret("Not a valid mnemonic, hex, or codex32 string")
        return NodeSecret(_checked(raw))
    return NodeSecret(mnemonic=_checked_words(text))


def _from_codex32(text: str) -> bytes:
    try:
        share = Codex32.decode(text, CODEX32_PREFIX)
    except Codex32Error as error:
        raise BadSecret(f"Invalid codex32 string: {error}") from error
    if not share.is_secret or share.threshold:
        raise BadSecret("This is only one share of codex32!")
    return _checked(share.payload)


def _checked(raw: bytes) -> bytes:
    if len(raw) != _SIZE:
        raise BadSecret("Invalid length: must be 32 bytes")
    return raw


def _checked_words(text: str) -> str:
    import wallycore as wally

    mnemonic = " ".join(text.lower().split())
    known = wally.bip39_get_wordlist("en")
    words = mnemonic.split(" ")
    # BIP 39 has an English word list of 2048 words.
    listed = {wally.bip39_get_word(known, n) for n in range(2048)}
    for place, word in enumerate(words, 1):
        if word not in listed:
            raise BadSecret(f"Word {place} of the mnemonic is not in the list of BIP 39")
    try:
        wally.bip39_mnemonic_validate(known, mnemonic)
    except ValueError:
        raise BadSecret(
            f"Not a valid mnemonic: each of the {len(words)} words is well known, but together they are none. "
            "Is one wrong, missing, or in another place?"
        ) from None
    return mnemonic
