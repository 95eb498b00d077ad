"""The handshake of BOLT 8, as two generators: bytes in, bytes out, no socket and no static key.

A handshake yields what it wants next (`Send`, `Receive`, `StaticEcdh`) and returns a `Secured`.
The node's private key is not here: its ECDH is asked for, with the other side's point. The
ephemeral key is handed in. What travels afterwards is in `transport.py`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest as hmac_digest
from typing import TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pylightningd.common.ids import NodeId
from pylightningd.common.keys import InvalidKey, check_pubkey, ecdh, pubkey_from_secret
from pylightningd.common.secret import Secret

# BOLT 8, "Handshake State Initialization": the protocol's name and the prologue.
_PROTOCOL = b"Noise_XK_secp256k1_ChaChaPoly_SHA256"
_PROLOGUE = b"lightning"
_NAME_HASH = sha256(_PROTOCOL).digest()
_FIRST_HASH = sha256(_NAME_HASH + _PROLOGUE).digest()

ACT_ONE_SIZE, ACT_TWO_SIZE, ACT_THREE_SIZE = 50, 50, 66
_VERSION = 0
_ZERO_NONCE = bytes(12)
_NONCE_ONE = bytes(4) + (1).to_bytes(8, "little")


class HandshakeError(Exception):
    """The other side broke the handshake. `act` is 1 to 3; the text names the fault."""

    def __init__(self, act: int, text: str) -> None:
        super().__init__(f"act {('one', 'two', 'three')[act - 1]}: {text}")
        self.act = act
        self.text = text


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Receive:
    """Read exactly so many bytes; they are the answer."""

    size: int
    act: int


@dataclass(frozen=True, slots=True)
class StaticEcdh:
    """Compute the ECDH of our node key with this point; the 32 bytes are the answer."""

    point: bytes


@dataclass(frozen=True, slots=True)
class Secured:
    """The outcome: who is there, and what encrypts from now on."""

    remote_id: NodeId
    send_key: Secret
    receive_key: Secret
    chaining_key: Secret


Wish: TypeAlias = Send | Receive | StaticEcdh
Handshake: TypeAlias = Generator[Wish, bytes, Secured]


def hkdf(salt: bytes, material: bytes) -> tuple[bytes, bytes]:
    """HKDF of RFC 5869 with SHA256 and empty info, 64 bytes in two halves."""
    key = hmac_digest(salt, material, "sha256")
    first = hmac_digest(key, b"\x01", "sha256")
    return first, hmac_digest(key, first + b"\x02", "sha256")


class _State:
    """BOLT 8, "Handshake State": the running hash, the chaining key, the temporary key."""

    def __init__(self, responder_id: bytes) -> None:
        self.hash = sha256(_FIRST_HASH + responder_id).digest()
        self.chaining_key = _NAME_HASH
        self.key = bytes(32)

    def mix_hash(self, data: bytes) -> None:
        self.hash = sha256(self.hash + data).digest()

    def mix_key(self, shared: bytes) -> None:
        self.chaining_key, self.key = hkdf(self.chaining_key, shared)

    def encrypt(self, nonce: bytes, plain: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self.key).encrypt(nonce, plain, self.hash)
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, nonce: bytes, sealed: bytes, act: int, what: str) -> bytes:
        try:
            plain = ChaCha20Poly1305(self.key).decrypt(nonce, sealed, self.hash)
        except InvalidTag:
            raise HandshakeError(act, f"bad {what}") from None
        self.mix_hash(sealed)
        return plain

    def split(self) -> tuple[Secret, Secret]:
        """The initiator's sending key and its receiving key."""
        first, second = hkdf(self.chaining_key, b"")
        return Secret(first), Secret(second)


def initiate(local_id: NodeId, remote_id: NodeId, ephemeral: Secret) -> Handshake:
    """Our side of a connection we opened. Raises HandshakeError."""
    state = _State(remote_id)
    # BOLT 8, "Act One", sender: e, es.
    point = pubkey_from_secret(ephemeral)
    state.mix_hash(point)
    try:
        state.mix_key(ecdh(ephemeral, remote_id))
    except InvalidKey:
        raise HandshakeError(1, "the peer's node id is not a point on the curve") from None
    yield Send(b"\0" + point + state.encrypt(_ZERO_NONCE, b""))
    # BOLT 8, "Act Two", receiver: e, ee.
    act_two = yield Receive(ACT_TWO_SIZE, 2)
    remote_point = _open_act(act_two, 2)
    state.mix_hash(remote_point)
    state.mix_key(ecdh(ephemeral, remote_point))
    state.decrypt(_ZERO_NONCE, act_two[34:], 2, "MAC")
    # BOLT 8, "Act Three", sender: s, se.
    sealed_id = state.encrypt(_NONCE_ONE, local_id)
    shared = yield StaticEcdh(remote_point)
    state.mix_key(shared)
    yield Send(b"\0" + sealed_id + state.encrypt(_ZERO_NONCE, b""))
    send_key, receive_key = state.split()
    return Secured(remote_id, send_key, receive_key, Secret(state.chaining_key))


def respond(local_id: NodeId, ephemeral: Secret) -> Handshake:
    """Our side of a connection the other opened. Raises HandshakeError."""
    state = _State(local_id)
    # BOLT 8, "Act One", receiver: e, es.
    act_one = yield Receive(ACT_ONE_SIZE, 1)
    remote_point = _open_act(act_one, 1)
    state.mix_hash(remote_point)
    shared = yield StaticEcdh(remote_point)
    state.mix_key(shared)
    state.decrypt(_ZERO_NONCE, act_one[34:], 1, "MAC")
    # BOLT 8, "Act Two", sender: e, ee.
    point = pubkey_from_secret(ephemeral)
    state.mix_hash(point)
    state.mix_key(ecdh(ephemeral, remote_point))
    yield Send(b"\0" + point + state.encrypt(_ZERO_NONCE, b""))
    # BOLT 8, "Act Three", receiver: s, se.
    act_three = yield Receive(ACT_THREE_SIZE, 3)
    _check_version(act_three, 3)
    remote_id = state.decrypt(_NONCE_ONE, act_three[1:50], 3, "ciphertext")
    _check_point(remote_id, 3)
    state.mix_key(ecdh(ephemeral, remote_id))
    state.decrypt(_ZERO_NONCE, act_three[50:], 3, "MAC")
    receive_key, send_key = state.split()
    return Secured(NodeId(remote_id), send_key, receive_key, Secret(state.chaining_key))


def _open_act(act: bytes, number: int) -> bytes:
    _check_version(act, number)
    return _check_point(act[1:34], number)


def _check_version(act: bytes, number: int) -> None:
    # BOLT 8, "Handshake Versioning": abort on any version but 0.
    if act[0] != _VERSION:
        raise HandshakeError(number, f"unknown version {act[0]}")


def _check_point(point: bytes, number: int) -> bytes:
    try:
        return check_pubkey(point)
    except InvalidKey:
        raise HandshakeError(number, "bad public key") from None
