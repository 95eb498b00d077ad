"""channel_id of channels opened with `open_channel2`: BOLT 2, "`channel_id`, v2"."""

from __future__ import annotations

from hashlib import sha256

from pylightningd.common.ids import ChannelId

_NO_POINT = bytes(33)


def v2_channel_id(revocation_basepoint: bytes, other_revocation_basepoint: bytes) -> ChannelId:
    """The id both sides use once each knows the other's revocation basepoint; in whichever order they are given."""
    # BOLT 2, "`channel_id`, v2": SHA256 of the lesser basepoint, then the greater.
    lesser, greater = sorted((revocation_basepoint, other_revocation_basepoint))
    return ChannelId(sha256(lesser + greater).digest())


def v2_temporary_channel_id(revocation_basepoint: bytes) -> ChannelId:
    """The id in open_channel2 and accept_channel2, from the opener's revocation basepoint."""
    # BOLT 2, "`channel_id`, v2": with zeroes for the basepoint that the opener does not know yet.
    return v2_channel_id(_NO_POINT, revocation_basepoint)
