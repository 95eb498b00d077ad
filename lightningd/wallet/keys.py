"""The wallet's public keys: from hsmd's extended keys to scripts and addresses.

CLN's rule: a node whose secret is a mnemonic derives every address (P2WPKH too) on the BIP 86 branch
m/86'/0'/0'/0/index; one with a plain 32-byte seed at m/0/0/index. Index 0 was never given out but is watched.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Literal

import wallycore as wally

from pylightningd.common import keys
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.address import script_to_address
from pylightningd.common.bitcoin.sighash import taproot_tweak
from pylightningd.common.network import Network

Kind = Literal["bech32", "p2tr"]
HARDENED = 1 << 31
KEYSCAN_GAP = 50
"""Keys beyond the last one given out that are watched too, as in CLN."""
_FLAGS = wally.BIP32_FLAG_KEY_PUBLIC | wally.BIP32_FLAG_SKIP_HASH


class AddrType(IntFlag):
    """What an index was given out as; CLN's numbers in table `addresses`."""

    BECH32 = 2
    P2TR = 4
    ALL = 6


class WalletKeys:
    """Derives the keys of one node."""

    def __init__(self, bip32_base: str, bip86_base: str, network: Network) -> None:
        """Base58 extended public keys; `bip86_base` is empty where the secret is no mnemonic."""
        self.bip86 = bool(bip86_base)
        self._network = network
        self._base = wally.bip32_key_from_base58(bip86_base if self.bip86 else bip32_base)

    def pubkey(self, index: int) -> bytes:
        """The key itself, 33 bytes. Raises ValueError beyond the last index."""
        if not 0 <= index < HARDENED:
            raise ValueError(f"there is no key {index}")
        path = [0, index] if self.bip86 else [index]
        key = wally.bip32_key_from_parent_path(self._base, path, _FLAGS)
        return bytes(wally.bip32_key_get_pub_key(key))

    def script(self, index: int, kind: Kind = "p2tr") -> bytes:
        """The scriptpubkey of an address."""
        pubkey = self.pubkey(index)
        return p2tr_of(pubkey) if kind == "p2tr" else sc.p2wpkh(pubkey)

    def address(self, index: int, kind: Kind = "p2tr") -> str:
        """The address."""
        address = script_to_address(self.script(index, kind), self._network)
        if address is None:
            raise ValueError(f"no address for {kind}")
        return address

    def scripts(self, index: int) -> tuple[bytes, ...]:
        """Every script that the key can spend; old nodes gave out P2SH-P2WPKH addresses as well."""
        pubkey = self.pubkey(index)
        both = (sc.p2wpkh(pubkey), p2tr_of(pubkey))
        return both if self.bip86 else (*both, sc.p2sh_p2wpkh(pubkey))


def p2tr_of(pubkey: bytes) -> bytes:
    """Taproot output of a key with no scripts (BIP 86)."""
    inner = keys.xonly(pubkey)
    tweaked, _ = keys.taproot_tweak_pubkey(inner, taproot_tweak(inner))
    return sc.p2tr(tweaked)
