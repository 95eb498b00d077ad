"""Our channels as the payer needs them, from what listpeerchannels says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pylightningd.plugins.gossmap import LocalChannel, LocalHalf
from pylightningd.plugins.pay.attempt import Json, parse_scid
from pylightningd.plugins.pay.router import OwnChannel

_OPEN = frozenset({"CHANNELD_NORMAL", "CHANNELD_AWAITING_SPLICE"})
_MAX_HTLCS = 483


def own_channels(channels: Iterable[Json], our_id: bytes) -> Iterator[OwnChannel]:
    """Channels that are open, also those that cannot be used at the moment."""
    for channel in channels:
        name = channel.get("short_channel_id") or (channel.get("alias") or {}).get("local")
        if channel.get("state") not in _OPEN or name is None:
            continue
        usable = bool(channel.get("peer_connected")) and channel.get("reestablished", True)
        spendable = int(channel.get("spendable_msat", 0))
        half = LocalHalf(
            enabled=usable,
            base_fee_msat=0,
            fee_ppm=0,
            delay=0,
            htlc_min_msat=int(channel.get("minimum_htlc_out_msat", 0)),
            htlc_max_msat=spendable,
        )
        out = sum(h.get("direction") == "out" for h in channel.get("htlcs", ()))
        local = LocalChannel(
            scid=parse_scid(name),
            ours=our_id,
            peer=bytes.fromhex(channel["peer_id"]),
            capacity_msat=int(channel.get("total_msat", spendable)),
            outgoing=half,
            incoming=None,
        )
        slots = min(int(channel.get("max_accepted_htlcs", _MAX_HTLCS)), _MAX_HTLCS) - out
        yield OwnChannel(local=local, usable=usable, spendable_msat=spendable, slots=max(slots, 0))
