"""`error`, `warning` and `tx_abort`: how we write ours, and how we quote the peer's (BOLT 1, BOLT 2)."""

from __future__ import annotations

from pylightningd.common.ids import ChannelId
from pylightningd.common.wire.peer_wire import Error, TxAbort
from pylightningd.common.wire.peer_wire import Warning as PeerWarning

MAX_TEXT_BYTES = 4000
"""What we send; a transaction in hex may make a text long."""
_ALL_CHANNELS = bytes(32)


def make_error(channel_id: ChannelId, text: str) -> Error:
    """An `error` about one channel."""
    return Error(channel_id=channel_id, data=_data(text))


def make_warning(channel_id: ChannelId, text: str) -> PeerWarning:
    """A `warning` about one channel."""
    return PeerWarning(channel_id=channel_id, data=_data(text))


def describe(msg: Error | PeerWarning) -> str:
    """What the peer says, safe to print."""
    kind = "ERROR" if isinstance(msg, Error) else "WARNING"
    about = "" if msg.channel_id == _ALL_CHANNELS else f" channel {msg.channel_id.hex()}"
    # BOLT 1, "The `error` and `warning` Messages", receiver: what is not all printable ASCII is not
    # to be printed as it is.
    printable = all(32 <= byte <= 126 for byte in msg.data)
    text = msg.data.decode("ascii") if printable else msg.data.hex()
    return f"{kind}{about}: {text}"


def _data(text: str) -> bytes:
    return text.encode("ascii", "replace")[:MAX_TEXT_BYTES]


def make_abort(channel_id: ChannelId, text: str) -> TxAbort:
    """A `tx_abort` about one negotiation; an echo of the peer's says nothing."""
    return TxAbort(channel_id=channel_id, data=_data(text))


def describe_abort(msg: TxAbort) -> str:
    """What the peer says, safe to print."""
    # BOLT 2, "The `tx_abort` Message", receiver: data that is not all printable ASCII is not to be printed as it is.
    printable = all(32 <= byte <= 126 for byte in msg.data)
    text = msg.data.decode("ascii") if printable else msg.data.hex()
    return f"tx_abort: {text}" if text else "tx_abort"
