"""Limits of a construction, and the error that ends one."""

from __future__ import annotations

from pylightningd.common.errors import PeerError

MAX_INPUTS = 252
MAX_OUTPUTS = 252
"""One byte each for the counts in the transaction."""
MAX_ADDS = 4096
"""tx_add_input, and tx_add_output, of the peer in one negotiation."""
MAX_PREVTX_BYTES = 400_000
"""Of the peer's inputs, the transactions that they spend, in one construction: each is stored, and read by the master."""
MAX_WEIGHT = 400_000
MAX_SEQUENCE = 0xFFFFFFFD


class NegotiationFailed(PeerError):
    """The transaction cannot be made: `tx_abort` with the text. Neither `error` nor a force-close."""
