"""Moves of money as JSON: what listchainmoves, listchannelmoves and the notification coin_movement say."""

from __future__ import annotations

from typing import Any

from pylightningd.common.ids import txid_hex
from pylightningd.lightningd.db.moves_io import ChainMove, ChannelMove

Json = dict[str, Any]
VERSION = 2
"""Of the notification."""


def chain_json(move: ChainMove) -> Json:
    """A move on the chain."""
    result: Json = {
        "created_index": move.id,
        "account_id": move.account,
        "credit_msat": move.credit.msat,
        "debit_msat": move.debit.msat,
        "timestamp": move.timestamp,
        "primary_tag": move.tags[0],
        "extra_tags": list(move.tags[1:]),
        "utxo": f"{txid_hex(move.outpoint.txid)}:{move.outpoint.index}",
    }
    if move.peer_id is not None:
        result["peer_id"] = move.peer_id.hex()
    if move.originating_account is not None:
        result["originating_account"] = move.originating_account
    if move.spending_txid is not None:
        result["spending_txid"] = txid_hex(move.spending_txid)
    if move.payment_hash is not None:
        result["payment_hash"] = move.payment_hash.hex()
    result["output_msat"] = move.output.to_msat().msat
    if move.output_count:
        result["output_count"] = move.output_count
    result["blockheight"] = move.height
    return result


def channel_json(move: ChannelMove) -> Json:
    """A move inside a channel."""
    result: Json = {
        "created_index": move.id,
        "account_id": move.account,
        "credit_msat": move.credit.msat,
        "debit_msat": move.debit.msat,
        "timestamp": move.timestamp,
        "primary_tag": move.tag,
    }
    if move.payment_hash is not None:
        result["payment_hash"] = move.payment_hash.hex()
    if move.part is not None:
        result["part_id"], result["group_id"] = move.part
    result["fees_msat"] = move.fees.msat
    return result


def movement(move: ChainMove | ChannelMove, coin_type: str, node_id: bytes, *, old: bool) -> Json:
    """The notification. `old`: with the fields that are on their way out."""
    head: Json = {
        "version": VERSION,
        "coin_type": coin_type,
        "node_id": node_id.hex(),
        "type": "chain_mvt" if isinstance(move, ChainMove) else "channel_mvt",
    }
    if isinstance(move, ChannelMove):
        tags = {"tags": [move.tag]} if old else {}
        return {**head, **channel_json(move), **tags, "extra_tags": []}
    result = {**head, **chain_json(move)}
    if old:
        result["tags"] = list(move.tags)
        result["utxo_txid"] = txid_hex(move.outpoint.txid)
        result["vout"] = move.outpoint.index
        if move.spending_txid is not None:
            result["txid"] = txid_hex(move.spending_txid)
    return result
