"""What was left undone while the peer was away, or while the funding transaction was signed."""

from __future__ import annotations

from pylightningd.channeld import ready, updates
from pylightningd.channeld.announce import send_held
from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.shutdown import maybe_send_shutdown
from pylightningd.channeld.state import Channel


def go_on(channel: Channel) -> ChannelStep[None]:
    """Do it, as far as the phase allows."""
    yield from ready.maybe_send_ready(channel)
    yield from maybe_send_shutdown(channel)
    yield from updates.send_removals(channel)
    yield from send_held(channel)
