"""Addresses are CLN's."""

from __future__ import annotations

import wallycore as wally

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.lightningd.wallet.keys import WalletKeys

ABANDON = " ".join(["abandon"] * 11 + ["about"])


def test_mnemonic_wallets_use_bip86() -> None:
    seed = bytearray(64)
    wally.bip39_mnemonic_to_seed(ABANDON, "", seed)
    secrets = NodeSecrets(bytes(seed), is_test_network=False)
    keys = WalletKeys(secrets.bip32_base, secrets.bip86_base, BITCOIN)
    # BIP 86, "Test vectors", first and second receiving address.
    assert keys.address(0) == "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
    assert keys.address(1) == "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"
    assert sc.is_p2wpkh(keys.script(1, "bech32"))
    assert keys.address(1, "bech32").startswith("bc1q")
    assert len(keys.scripts(1)) == 2


def test_plain_seeds_use_the_old_branch() -> None:
    secrets = NodeSecrets(bytes(32), is_test_network=True)
    keys = WalletKeys(secrets.bip32_base, "", REGTEST)
    from pylightningd.common.keys import pubkey_from_secret

    assert keys.pubkey(5) == pubkey_from_secret(secrets.wallet_key(5, bip86=False))
    assert keys.address(5).startswith("bcrt1p")
    assert sc.is_p2sh(keys.scripts(5)[2])
