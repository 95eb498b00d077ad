"""What accept_channel and accept_channel2 say alike, read by who opens."""

from __future__ import annotations

from pylightningd.common import features as ft
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.wire.peer_wire import AcceptChannel, AcceptChannel2
from pylightningd.openingd import params
from pylightningd.openingd.state import Offered, Offered2, Opening


def check_type(offered: ChannelType, msg: AcceptChannel | AcceptChannel2) -> None:
    """The channel type must come back as it was offered. Raises BadParameters."""
    # BOLT 2, "The `accept_channel` Message" (and "The `accept_channel2` Message"), receiver MUST fail without
    # channel_type, and where it is not the one that was offered.
    if msg.tlvs.channel_type is None:
        raise params.BadParameters(
            f"{msg.NAME.removeprefix('WIRE_').lower()} without a channel_type"
        )
    theirs = ChannelType.decode(msg.tlvs.channel_type)
    if theirs != offered:
        raise params.BadParameters(f"Return unoffered channel_type: {','.join(theirs.names())}")


def type_and_depth(
    opening: Opening, phase: Offered | Offered2, msg: AcceptChannel | AcceptChannel2
) -> tuple[ChannelType, int]:
    """The depth to wait for. With option_zeroconf negotiated it is ours to choose, as in CLN."""
    if not ft.negotiated(opening.node.features, opening.their_features, ft.ZEROCONF):
        return phase.channel_type, msg.minimum_depth
    channel_type = phase.channel_type
    if msg.minimum_depth == 0:
        channel_type = channel_type.with_variant(zeroconf=True)
    return channel_type, phase.request.limits.minimum_depth
