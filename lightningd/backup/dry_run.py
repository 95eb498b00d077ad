"""What a backup would bring back, told without changing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.channel_type import ChannelType
from pylightningd.common.ids import txid_hex
from pylightningd.lightningd.backup.reach_io import listens
from pylightningd.lightningd.backup.scb import Backup, ScbChannel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pylightningd.lightningd.node import Node

_UNCHECKED = "not checked"


async def report(node: Node, backup: Backup, source: str) -> dict[str, Any]:
    """One entry for each channel, with what can be expected. Raises BackendError."""
    channels = [await _channel(node, entry) for entry in backup.channels]
    result: dict[str, Any] = {"source": source, "channels": channels}
    if backup.timestamp:
        result["timestamp"] = backup.timestamp
    return result


async def report_entries(node: Node, entries: Sequence[ScbChannel]) -> dict[str, Any]:
    """The same for entries of `staticbackup`."""
    return await report(node, Backup(0, tuple(entries)), "scb")


async def _channel(node: Node, entry: ScbChannel) -> dict[str, Any]:
    output = await node.chain.backend.unspent(entry.funding)
    fits = output is not None and output.amount == entry.funding_amount
    reachable = await _reachable(node, entry)
    result: dict[str, Any] = {
        "peer_id": entry.peer_id.hex(),
        "channel_id": entry.channel_id.hex(),
        "funding_txid": txid_hex(entry.funding.txid),
        "funding_outnum": entry.funding.index,
        "total_msat": entry.funding_amount.to_msat().msat,
        "channel_type": ChannelType.decode(entry.channel_type).names(),
        "funding_unspent": fits,
        "peer_reachable": reachable,
        "can_punish": entry.can_punish,
        "outcome": _outcome(node.recovery.refusal(entry), fits, reachable),
    }
    if entry.address is not None:
        result["address"] = str(entry.address)
    return result


async def _reachable(node: Node, entry: ScbChannel) -> str:
    """yes, no, or why nobody tried."""
    peer = node.peers.get(entry.peer_id)
    if peer is not None and peer.connected:
        return "yes"
    address = entry.address
    if address is None:
        return "no address"
    if not address.is_ip or node.config["always-use-proxy"]:
        return _UNCHECKED
    return "yes" if await listens(address) else "no"


def _outcome(refusal: str | None, is_unspent: bool, reachable: str) -> str:
    if refusal is not None:
        return f"nothing: {refusal}"
    if not is_unspent:
        return (
            "the funding output is spent, or was never confirmed: what a close of the peer paid us is found if the "
            "blocks since then are looked through (start with --rescan=-HEIGHT)"
        )
    if reachable == "yes":
        return "the peer is asked to close, and our balance comes back to the wallet"
    return (
        "we keep trying to reach the peer, and our balance comes back once it closes; if it has a new address, "
        "connect to it there"
    )
