"""Commands of the on-chain wallet: addresses, what there is, and sending it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.address import script_to_address
from pylightningd.common.bitcoin.hashes import hash160
from pylightningd.common.bitcoin.psbt import OUTPUT_EXTERNAL_KEY, Psbt
from pylightningd.common.bitcoin.script import p2wpkh
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.lightningd.rpc.chain import feerate_perkw
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS
from pylightningd.lightningd.rpc.params import (
    Feerate,
    Param,
    boolean,
    feerate,
    one_of,
    outpoint_list,
    sat_or_all,
    string,
    txid,
    u32,
    u64,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.wallet_params import (
    outputs_param,
    sat_or_word,
    script_of_address,
    wanted,
)
from pylightningd.lightningd.wallet import signing
from pylightningd.lightningd.wallet.coin import Coin
from pylightningd.lightningd.wallet.draft import Draft
from pylightningd.lightningd.wallet.funding import Wanted
from pylightningd.lightningd.wallet.keys import AddrType, Kind

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_TXID = "02539f0b8f1c3bd1ab9ac5a7a6a4b3d4c8a1ee3c1a5f27b5a12a8f5c9c0d1e2f"
_TYPES = {"bech32": AddrType.BECH32, "p2tr": AddrType.P2TR, "all": AddrType.ALL}
_SEND_ERRORS = {
    -1: "bitcoind refused the transaction, or the address is wrong",
    301: "there are not enough funds for the amount and the fee",
    302: "an output would be below the dust limit",
    304: "still syncing with bitcoin",
    313: "less than min-emergency-msat would be left",
}
_FEERATE = Param(feerate, "of the transaction: a name, a number of blocks, or a rate", default=None)
_MINCONF = Param(u32, "least confirmations of the coins used", default=1)
_UTXOS = Param(outpoint_list, "spend exactly these coins", default=None)


# Addresses


def _addresses(node: Node, index: int, addrtype: AddrType) -> dict[str, str]:
    kinds: tuple[tuple[Kind, AddrType], ...] = (
        ("bech32", AddrType.BECH32),
        ("p2tr", AddrType.P2TR),
    )
    return {kind: node.wallet.address_of(index, kind) for kind, bit in kinds if addrtype & bit}


@command(
    "newaddr",
    family="wallet",
    summary="Get a new {bech32, p2tr} (or all) address to fund a channel (default is p2tr)",
    params={"addresstype": Param(one_of("p2tr", "bech32", "all"), "kind of address", default=None)},
    examples=["newaddr", "newaddr bech32"],
    errors={-1: "all keys are used up"},
)
async def newaddr(node: Node, addresstype: str | None) -> dict[str, Any]:
    """A new key, as an address."""
    if addresstype is None:
        addresstype = "all" if node.config["allow-deprecated-apis"] else "p2tr"
    index = await node.wallet.new_key_index(_TYPES[addresstype])
    return _addresses(node, index, _TYPES[addresstype])


@command(
    "listaddresses",
    family="wallet",
    summary="List addresses given out, from key {start} on, {limit} at most; or the one {address}",
    params={
        "address": Param(string, "tell about this address alone", default=None),
        "start": Param(u64, "first key index", default=1),
        "limit": Param(u32, "how many", default=None),
    },
    examples=["listaddresses", "-k listaddresses start=6 limit=2"],
)
async def listaddresses(
    node: Node, address: str | None, start: int, limit: int | None
) -> dict[str, Any]:
    """From the table of addresses."""
    if start == 0:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Starting keyidx is 1; Cannot {start} with 0")
    script = None if address is None else script_of_address(node, "address", address)
    rows = node.wallet.store.addresses(start, limit)
    index = None if script is None else node.wallet.is_ours(script)
    shown = [
        {"keyidx": keyidx, **_addresses(node, keyidx, AddrType(addrtype))}
        for keyidx, addrtype in rows
        if script is None or keyidx == index
    ]
    return {"addresses": shown}


@command(
    "dev-listaddrs",
    family="wallet",
    summary="Show addresses list up to derivation {index} (default is the last index)",
    params={"max_index": Param(u64, "last key index", default=None)},
    examples=["dev-listaddrs"],
)
async def dev_listaddrs(node: Node, max_index: int | None) -> dict[str, Any]:
    """Every key with all its addresses."""
    last = node.wallet.max_index if max_index is None else max_index
    shown = []
    for index in range(1, last + 1):
        pubkey = node.wallet.keys.pubkey(index)
        entry = {"keyidx": index, "pubkey": pubkey.hex()}
        entry |= _addresses(node, index, AddrType.ALL)
        shown.append({**entry, "bech32_redeemscript": hash160(pubkey).hex()})
    return {"addresses": shown}


# What there is


def coin_json(node: Node, coin: Coin) -> dict[str, Any]:
    """A coin as listfunds shows it."""
    height = node.wallet.height
    shown: dict[str, Any] = {
        "txid": txid_hex(coin.outpoint.txid),
        "output": coin.outpoint.index,
        "amount_msat": coin.amount.to_msat().msat,
        "scriptpubkey": coin.script.hex(),
    }
    if coin.is_wrapped:
        shown["redeemscript"] = p2wpkh(node.wallet.keys.pubkey(coin.key_index)).hex()
    address = script_to_address(coin.script, node.network)
    if address is not None:
        shown["address"] = address
    shown["status"] = _status(coin, height)
    if coin.height is not None and not coin.is_spent:
        shown["blockheight"] = coin.height
    shown["reserved"] = not coin.is_spent and coin.is_reserved(height)
    if shown["reserved"]:
        shown["reserved_to_block"] = reserved_to(coin, height)
    return shown


def reserved_to(coin: Coin, height: int) -> int:
    """Block up to which a reserved coin is reserved."""
    return max(coin.reserved_til, height + 1)


def _status(coin: Coin, height: int) -> str:
    if coin.is_spent:
        return "spent"
    if coin.height is None:
        return "unconfirmed"
    return "immature" if coin.is_immature(height) else "confirmed"


def _channel_json(node: Node, channel: Any) -> dict[str, Any]:
    peer = node.peers.get(channel.peer_id)
    shown = {
        "peer_id": channel.peer_id.hex(),
        "connected": peer is not None and peer.connection is not None,
        "state": channel.state.name,
        "channel_id": channel.channel_id.hex(),
        "our_amount_msat": channel.to_local.msat,
        "amount_msat": channel.capacity.to_msat().msat,
        "funding_txid": txid_hex(channel.static.funding.txid),
        "funding_output": channel.static.funding.index,
    }
    if channel.short_channel_id is not None:
        shown["short_channel_id"] = str(channel.short_channel_id)
    elif channel.state.name == "CHANNELD_NORMAL":
        shown["short_channel_id"] = str(channel.local_alias)
    return shown


@command(
    "listfunds",
    family="wallet",
    summary="Show available funds from the internal wallet; optionally include {spent}",
    params={"spent": Param(boolean, "also coins that were spent", default=False)},
    examples=["listfunds", "listfunds true"],
)
async def listfunds(node: Node, spent: bool) -> dict[str, Any]:
    """Coins and channels."""
    coins = node.wallet.store.all() if spent else node.wallet.coins()
    return {
        "outputs": [coin_json(node, coin) for coin in coins],
        "channels": [_channel_json(node, channel) for channel in node.channels or ()],
    }


@command(
    "listtransactions",
    family="wallet",
    summary="List transactions that we stored in the wallet",
    examples=["listtransactions"],
)
async def listtransactions(node: Node) -> dict[str, Any]:
    """Transactions that concern us, in the order of the chain."""
    return {
        "transactions": [
            {
                "hash": txid_hex(stored.txid),
                "rawtx": stored.tx.serialize().hex(),
                "blockheight": stored.height or 0,
                "txindex": stored.tx_index or 0,
                "locktime": stored.tx.locktime,
                "version": stored.tx.version,
                "inputs": [
                    {"txid": txid_hex(i.txid), "index": i.index, "sequence": i.sequence}
                    for i in stored.tx.inputs
                ],
                "outputs": [
                    {
                        "index": n,
                        "amount_msat": output.amount.to_msat().msat,
                        "scriptPubKey": output.script.hex(),
                    }
                    for n, output in enumerate(stored.tx.outputs)
                ],
            }
            for stored in node.wallet.store.txs()
        ]
    }


# Sending


async def _prepare(
    node: Node,
    outputs: Sequence[Wanted],
    asked: Feerate | None,
    minconf: int,
    utxos: Sequence[Outpoint] | None,
    default_feerate: str = "opening",
) -> Draft:
    if utxos is not None and not utxos:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            "utxos: Please specify an array of 'txid:output_index', not \"[]\"",
        )
    perkw = feerate_perkw(node, asked, default_feerate)
    draft: Draft = await node.wallet.draft(
        outputs, perkw, minconf=minconf, utxos=utxos, wrapped_ok=True
    )
    return draft


async def _send(node: Node, draft: Draft) -> tuple[Tx, Psbt]:
    """Sign and broadcast; whatever goes wrong, the coins are free again."""
    wallet = node.wallet
    try:
        psbt = await wallet.sign_psbt(wallet.psbt_of(draft), draft.coins)
        tx = signing.extract(psbt)
        await wallet.send(tx, draft)
    except BaseException:
        await wallet.release(draft)
        raise
    await node.turn.do(lambda: note_payees(node, tx, range(len(tx.outputs))))
    return tx, psbt


def note_payees(node: Node, tx: Tx, outputs: Iterable[int]) -> None:
    """What leaves us for somebody else is a move too. `outputs`: those that are not a channel's. In a turn."""
    for n in outputs:
        if node.wallet.is_ours(tx.outputs[n].script) is None:
            node.moves.sent_outside(Outpoint(tx.txid(), n), tx.outputs[n].amount)


def _sent(tx: Tx, psbt: Psbt) -> dict[str, Any]:
    return {
        "tx": tx.serialize().hex(),
        "txid": txid_hex(tx.txid()),
        "psbt": psbt.to_base64(),
    }


async def _check_destination(node: Node, destination: str, **_rest: Any) -> None:
    script_of_address(node, "destination", destination)


async def _check_outputs(node: Node, outputs: Any, **_rest: Any) -> None:
    wanted(node, outputs)


@command(
    "withdraw",
    family="wallet",
    summary="Send to {destination} {satoshi} (or 'all') at optional {feerate} using utxos from {minconf} or {utxos}.",
    params={
        "destination": Param(string, "address to pay to"),
        "satoshi": Param(sat_or_all, "how much, or 'all'"),
        "feerate": _FEERATE,
        "minconf": _MINCONF,
        "utxos": _UTXOS,
    },
    examples=[f"withdraw {_ADDRESS} 100000", f"withdraw {_ADDRESS} all slow"],
    errors=_SEND_ERRORS,
    check=_check_destination,
)
async def withdraw(
    node: Node,
    destination: str,
    satoshi: Any,
    feerate: Feerate | None,
    minconf: int,
    utxos: list[Outpoint] | None,
) -> dict[str, Any]:
    """Choose coins, sign, broadcast."""
    script = script_of_address(node, "destination", destination)
    draft = await _prepare(node, [(script, sat_or_word(satoshi))], feerate, minconf, utxos)
    return _sent(*await _send(node, draft))


@command(
    "multiwithdraw",
    family="wallet",
    summary="Send to multiple {outputs} at optional {feerate} using utxos from {minconf} or {utxos}.",
    params={
        "outputs": Param(outputs_param, "what to pay: [{address: amount}, ...]"),
        "feerate": _FEERATE,
        "minconf": _MINCONF,
        "utxos": _UTXOS,
    },
    examples=[f"multiwithdraw '[{{\"{_ADDRESS}\": 100000}}]'"],
    errors=_SEND_ERRORS,
    check=_check_outputs,
)
async def multiwithdraw(
    node: Node,
    outputs: list[tuple[str, Sat | str]],
    feerate: Feerate | None,
    minconf: int,
    utxos: list[Outpoint] | None,
) -> dict[str, Any]:
    """One transaction for all of them."""
    draft = await _prepare(node, wanted(node, outputs), feerate, minconf, utxos, "normal")
    tx, _ = await _send(node, draft)
    return {"tx": tx.serialize().hex(), "txid": txid_hex(tx.txid())}


@command(
    "txprepare",
    family="wallet",
    summary="Create a transaction paying {outputs} at optional {feerate}, using utxos from {minconf} or {utxos}, "
    "without sending it: see txsend and txdiscard",
    params={
        "outputs": Param(outputs_param, "what to pay: [{address: amount}, ...]"),
        "feerate": _FEERATE,
        "minconf": _MINCONF,
        "utxos": _UTXOS,
    },
    examples=[f"txprepare '[{{\"{_ADDRESS}\": 100000}}]'"],
    errors=_SEND_ERRORS,
    check=_check_outputs,
)
async def txprepare(
    node: Node,
    outputs: list[tuple[str, Sat | str]],
    feerate: Feerate | None,
    minconf: int,
    utxos: list[Outpoint] | None,
) -> dict[str, Any]:
    """The coins are reserved until it is sent or discarded, or for 72 blocks."""
    draft = await _prepare(node, wanted(node, outputs), feerate, minconf, utxos)
    node.wallet.prepared[draft.txid()] = draft
    psbt = node.wallet.psbt_of(draft)
    for n, output in enumerate(draft.tx().outputs):
        if node.wallet.is_ours(output.script) is None:
            psbt.set_output_field(n, OUTPUT_EXTERNAL_KEY, b"\1")
    return {**_unsigned(draft), "psbt": psbt.to_base64()}


def _unsigned(draft: Draft) -> dict[str, Any]:
    return {
        "unsigned_tx": draft.tx().serialize().hex(),
        "txid": txid_hex(draft.txid()),
    }


def _take_prepared(node: Node, wanted_txid: Txid) -> Draft:
    draft: Draft | None = node.wallet.prepared.pop(wanted_txid, None)
    if draft is None:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, f"not an unreleased txid '{txid_hex(wanted_txid)}'"
        )
    return draft


@command(
    "txdiscard",
    family="wallet",
    summary="Discard a transaction created by txprepare, by {txid}",
    params={"txid": Param(txid, "what txprepare returned")},
    examples=[f"txdiscard {_TXID}"],
)
async def txdiscard(node: Node, txid: Txid) -> dict[str, Any]:
    """Its coins are free again."""
    draft = _take_prepared(node, txid)
    await node.wallet.release(draft)
    return _unsigned(draft)


@command(
    "txsend",
    family="wallet",
    summary="Sign and send a transaction created by txprepare, by {txid}",
    params={"txid": Param(txid, "what txprepare returned")},
    examples=[f"txsend {_TXID}"],
    errors=_SEND_ERRORS,
)
async def txsend(node: Node, txid: Txid) -> dict[str, Any]:
    """Sign and broadcast."""
    return _sent(*await _send(node, _take_prepared(node, txid)))


@command(
    "upgradewallet",
    family="wallet",
    summary="Spend P2SH wrapped outputs into native segwit output",
    params={
        "feerate": _FEERATE,
        "reservedok": Param(boolean, "also coins that are reserved", default=False),
    },
    examples=["upgradewallet", "upgradewallet urgent"],
    errors=_SEND_ERRORS,
)
async def upgradewallet(node: Node, feerate: Feerate | None, reservedok: bool) -> dict[str, Any]:
    """For wallets that began with old versions of CLN."""
    wallet = node.wallet
    height = wallet.height
    old = [
        coin.outpoint
        for coin in wallet.coins()
        if coin.is_wrapped and not (coin.is_reserved(height) and not reservedok)
    ]
    if not old:
        return {"upgraded_outs": 0}
    perkw = feerate_perkw(node, feerate, "opening")
    index = await wallet.new_key_index()
    draft = await wallet.draft(
        [(wallet.script_of(index), "all")],
        perkw,
        utxos=old,
        wrapped_ok=True,
        reserved_ok=reservedok,
    )
    return {**_sent(*await _send(node, draft)), "upgraded_outs": len(old)}
