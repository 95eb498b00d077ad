"""Every key of the node from its one secret, exactly as Core Lightning derives them.

The secret is 32 bytes (an old plain file) or the 64-byte BIP 39 seed of a mnemonic. HKDF is RFC 5869
with SHA256. The labels are wired into every existing node and can never change.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import wallycore as wally

from pylightningd.common.hkdf import hkdf
from pylightningd.common.ids import NodeId
from pylightningd.common.keys import is_secret_key, pubkey_from_secret
from pylightningd.common.secret import Secret
from pylightningd.common.wire.common_wire import Basepoints

_HARDENED = 0x80000000
_BOLT12_BRANCH = 9735
BIP86_SEED_SIZE = 64


@dataclass(frozen=True, slots=True)
class ChannelSecrets:
    """Our private keys of one channel, and the points that go with them."""

    funding: Secret
    revocation: Secret
    htlc: Secret
    payment: Secret
    delayed_payment: Secret
    shaseed: Secret
    points: Basepoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Forced:
    """For tests: what to use in the place of what follows from the node's secret."""

    node_key: Secret | None = None
    bip32_seed: Secret | None = None
    channel_secrets: bytes = b""
    """Of every channel: funding, revocation, payment, delayed payment, htlc, shaseed."""


_NOTHING = Forced()


class NodeSecrets:
    """All that follows from the node's secret. Expensive to build, cheap to ask."""

    def __init__(self, secret: bytes, *, is_test_network: bool, forced: Forced = _NOTHING) -> None:
        """Raises ValueError for a secret of another size, and where what is forced is no key."""
        if len(secret) not in (32, BIP86_SEED_SIZE):
            raise ValueError(f"the node's secret is 32 or 64 bytes, not {len(secret)}")
        self._private_version = (
            wally.BIP32_VER_TEST_PRIVATE if is_test_network else wally.BIP32_VER_MAIN_PRIVATE
        )
        self._channel_secrets = _read_channel_secrets(forced.channel_secrets)
        self.node_key = forced.node_key or Secret(_node_key(secret))
        self.node_id = NodeId(pubkey_from_secret(self.node_key))
        self._peer_seed = hkdf(32, b"", secret[:32], b"peer seed")
        self._derived_base = hkdf(32, b"", secret, b"derived secrets")
        if forced.bip32_seed is None:
            master = _old_master(secret, self._private_version)
        else:
            master = wally.bip32_key_from_seed(forced.bip32_seed.reveal(), self._private_version, 0)
        self._bip32 = _child(_child(master, 0), 0)
        self.bolt12_key = Secret(_private(_child(master, _BOLT12_BRANCH | _HARDENED)))
        self._bip86: Any = None
        if len(secret) == BIP86_SEED_SIZE:
            root = wally.bip32_key_from_seed(secret, self._private_version, 0)
            self._bip86 = _child(_child(_child(root, 86 | _HARDENED), _HARDENED), _HARDENED)
            self._bip86_receive = _child(self._bip86, 0)

    @property
    def bip32_base(self) -> str:
        """Public key of m/0/0, base58: parent of the old wallet's keys."""
        return str(wally.bip32_key_to_base58(self._bip32, wally.BIP32_FLAG_KEY_PUBLIC))

    @property
    def bip86_base(self) -> str:
        """Public key of m/86'/0'/0', base58; empty without a mnemonic. Keys are its children 0/index."""
        if self._bip86 is None:
            return ""
        return str(wally.bip32_key_to_base58(self._bip86, wally.BIP32_FLAG_KEY_PUBLIC))

    @property
    def bolt12_base(self) -> bytes:
        """Public key of m/9735'."""
        return pubkey_from_secret(self.bolt12_key)

    def wallet_key(self, index: int, *, bip86: bool) -> Secret:
        """Private key of a wallet address. Raises ValueError where there is no such branch or index."""
        if not 0 <= index < _HARDENED:
            raise ValueError(f"key index {index} is out of range")
        if bip86 and self._bip86 is None:
            raise ValueError("this node's secret is no mnemonic, so it has no BIP 86 keys")
        parent = self._bip86_receive if bip86 else self._bip32
        return Secret(_private(_child(parent, index)))

    def derived_secret(self, info: bytes) -> Secret:
        """What `makesecret` and others get for a label."""
        return Secret(hkdf(32, b"", self._derived_base, info))

    def channel(self, peer_id: NodeId, dbid: int) -> ChannelSecrets:
        """The keys of the channel that is row `dbid` with this peer."""
        if self._channel_secrets is not None:
            return self._channel_secrets
        salt = peer_id + struct.pack("<Q", dbid)
        seed = hkdf(32, salt, self._peer_seed, b"per-peer seed")
        raw = hkdf(6 * 32, b"", seed, b"c-lightning")
        funding, revocation, htlc, payment, delayed, shaseed = (
            Secret(raw[n : n + 32]) for n in range(0, 6 * 32, 32)
        )
        return _with_points(funding, revocation, htlc, payment, delayed, shaseed)


def _with_points(
    funding: Secret,
    revocation: Secret,
    htlc: Secret,
    payment: Secret,
    delayed: Secret,
    shaseed: Secret,
) -> ChannelSecrets:
    points = Basepoints(
        funding_pubkey=pubkey_from_secret(funding),
        revocation=pubkey_from_secret(revocation),
        payment=pubkey_from_secret(payment),
        delayed_payment=pubkey_from_secret(delayed),
        htlc=pubkey_from_secret(htlc),
    )
    return ChannelSecrets(funding, revocation, htlc, payment, delayed, shaseed, points)


def _read_channel_secrets(raw: bytes) -> ChannelSecrets | None:
    """In the order of --dev-force-channel-secrets, which is not that of the derivation."""
    if not raw:
        return None
    if len(raw) != 6 * 32:
        raise ValueError(f"the forced channel secrets are {6 * 32} bytes, not {len(raw)}")
    funding, revocation, payment, delayed, htlc, shaseed = (
        Secret(raw[n : n + 32]) for n in range(0, 6 * 32, 32)
    )
    return _with_points(funding, revocation, htlc, payment, delayed, shaseed)


def _node_key(secret: bytes) -> bytes:
    salt = 0
    while True:
        key = hkdf(32, struct.pack("<I", salt), secret[:32], b"nodeid")
        if is_secret_key(key):
            return key
        salt += 1


def _old_master(secret: bytes, version: int) -> Any:
    salt = 0
    while True:
        seed = hkdf(32, struct.pack("<I", salt), secret, b"bip32 seed")
        try:
            return wally.bip32_key_from_seed(seed, version, 0)
        except ValueError:
            salt += 1


def _child(parent: Any, index: int) -> Any:
    return wally.bip32_key_from_parent(parent, index, wally.BIP32_FLAG_KEY_PRIVATE)


def _private(key: Any) -> bytes:
    return bytes(wally.bip32_key_get_priv_key(key))


def key_fingerprint(secret: bytes) -> bytes:
    """The hash that a file with a passphrase begins with: SHA256 of the BIP 39 seed."""
    return sha256(secret).digest()
