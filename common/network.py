"""The bitcoin networks and what differs between them. Figures as in Core Lightning's chainparams."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.amount import Sat

BIP32_MAIN_PUBLIC, BIP32_MAIN_PRIVATE = 0x0488B21E, 0x0488ADE4
BIP32_TEST_PUBLIC, BIP32_TEST_PRIVATE = 0x043587CF, 0x04358394


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One chain. Hashes are in serialised order."""

    name: str
    chain_hash: bytes
    """Hash of the genesis block, as BOLT messages carry it."""
    bech32_hrp: str
    """Human-readable part of segwit addresses."""
    bolt11_hrp: str
    """What follows ``ln`` in invoices."""
    bip70_name: str
    """The chain's name in bitcoind's ``getblockchaininfo``."""
    rpc_port: int
    ln_port: int
    cli_args: tuple[str, ...]
    p2pkh_version: int
    p2sh_version: int
    wif_version: int
    bip32_public: int
    bip32_private: int
    bip32_coin_type: int
    is_test: bool
    first_lightning_block: int = 0
    """No channel is older than this height."""
    dust_limit: Sat = Sat(546)

    @property
    def genesis_hex(self) -> str:
        """The genesis block's hash as bitcoind prints it."""
        return self.chain_hash[::-1].hex()


def _test(
    name: str, chain_hash: str, hrp: str, bolt11_hrp: str, bip70: str, rpc: int, ln: int
) -> Network:
    return Network(
        name=name,
        chain_hash=bytes.fromhex(chain_hash)[::-1],
        bech32_hrp=hrp,
        bolt11_hrp=bolt11_hrp,
        bip70_name=bip70,
        rpc_port=rpc,
        ln_port=ln,
        cli_args=(f"-{name}",),
        p2pkh_version=111,
        p2sh_version=196,
        wif_version=239,
        bip32_public=BIP32_TEST_PUBLIC,
        bip32_private=BIP32_TEST_PRIVATE,
        bip32_coin_type=1,
        is_test=True,
        first_lightning_block=0 if name.startswith("testnet") else 1,
    )


BITCOIN = Network(
    name="bitcoin",
    chain_hash=bytes.fromhex("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")[
        ::-1
    ],
    bech32_hrp="bc",
    bolt11_hrp="bc",
    bip70_name="main",
    rpc_port=8332,
    ln_port=9735,
    cli_args=(),
    p2pkh_version=0,
    p2sh_version=5,
    wif_version=128,
    bip32_public=BIP32_MAIN_PUBLIC,
    bip32_private=BIP32_MAIN_PRIVATE,
    bip32_coin_type=0,
    is_test=False,
    first_lightning_block=504500,
)
REGTEST = _test(
    "regtest",
    "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    "bcrt", "bcrt", "regtest", 18443, 19846,
)  # fmt: skip
SIGNET = _test(
    "signet",
    "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6",
    "tb", "tbs", "signet", 38332, 39735,
)  # fmt: skip
TESTNET = _test(
    "testnet",
    "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943",
    "tb", "tb", "test", 18332, 19735,
)  # fmt: skip
TESTNET4 = _test(
    "testnet4",
    "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    "tb", "tb", "testnet4", 48332, 49735,
)  # fmt: skip

NETWORKS: dict[str, Network] = {n.name: n for n in (BITCOIN, REGTEST, SIGNET, TESTNET, TESTNET4)}


def network_by_name(name: str) -> Network:
    """The network of that name. Raises KeyError with the names there are."""
    try:
        return NETWORKS[name]
    except KeyError:
        raise KeyError(f"network {name!r} is none of {', '.join(NETWORKS)}") from None


def network_by_chain_hash(chain_hash: bytes) -> Network | None:
    """The network with this genesis block (serialised order), if we know it."""
    return next((n for n in NETWORKS.values() if n.chain_hash == chain_hash), None)


def network_by_bolt11_hrp(hrp: str) -> Network | None:
    """The network an invoice is for, from what follows ``ln`` and precedes the amount."""
    return next((n for n in NETWORKS.values() if n.bolt11_hrp == hrp), None)
