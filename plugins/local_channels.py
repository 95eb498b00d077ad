"""Our own channels, as listpeerchannels tells them, for `Gossmap.overlay`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pylightningd.common.ids import ShortChannelId
from pylightningd.plugins.gossmap import LocalChannel, LocalHalf

NORMAL = ("CHANNELD_NORMAL", "CHANNELD_AWAITING_SPLICE")


def local_channels(
    our_id: bytes, channels: Iterable[dict[str, Any]], *, spendable: bool
) -> list[LocalChannel]:
    """Channels that are in use or wait for their peer.

    With `spendable`, what a direction can carry is what can be sent over it now (else what its policy says).
    """
    found = (_local(our_id, c, spendable=spendable) for c in channels)
    return [c for c in found if c is not None]


def _local(our_id: bytes, channel: dict[str, Any], *, spendable: bool) -> LocalChannel | None:
    alias = channel.get("alias", {})
    name = channel.get("short_channel_id") or alias.get("local")
    if channel["state"] not in NORMAL or name is None:
        return None
    updates = channel.get("updates", {})
    enabled = bool(channel["peer_connected"])
    return LocalChannel(
        scid=int(ShortChannelId.from_str(name)),
        ours=our_id,
        peer=bytes.fromhex(channel["peer_id"]),
        capacity_msat=channel["total_msat"],
        outgoing=_half(
            updates.get("local"),
            enabled=enabled,
            most=channel["spendable_msat"] if spendable else None,
        ),
        incoming=_half(
            updates.get("remote"),
            enabled=enabled,
            most=channel["receivable_msat"] if spendable else None,
        ),
    )


def _half(update: dict[str, Any] | None, *, enabled: bool, most: int | None) -> LocalHalf | None:
    if update is None:
        return None
    high = update["htlc_maximum_msat"]
    return LocalHalf(
        enabled=enabled,
        base_fee_msat=update["fee_base_msat"],
        fee_ppm=update["fee_proportional_millionths"],
        delay=update["cltv_expiry_delta"],
        htlc_min_msat=update["htlc_minimum_msat"],
        htlc_max_msat=high if most is None else min(high, most),
    )


def hint_names(channels: Iterable[dict[str, Any]]) -> dict[int, int]:
    """For channels that are not announced: our name of each, to the one by which its peer knows it."""
    # BOLT 2, "The `channel_ready` Message": an alias is for who sent it to recognise.
    found: dict[int, int] = {}
    for channel in channels:
        alias = channel.get("alias", {})
        ours = channel.get("short_channel_id") or alias.get("local")
        if channel.get("private") and ours is not None and "remote" in alias:
            theirs = int(ShortChannelId.from_str(alias["remote"]))
            found[int(ShortChannelId.from_str(ours))] = theirs
    return found
