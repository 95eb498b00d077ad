"""Secrets and aliases that CLN makes for BOLT 12, from bases that hsmd derives (`makesecret string=...`).

The same bases give the same values, so what a node published stays valid when it changes its software.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from pylightningd.common.keys import point_tweak_add

INVOICE_PATH_BASE: Final = b"bolt12-invoice-base"
"""Of the path_id in the paths of our invoices."""
OFFER_PATH_BASE: Final = b"offer-blinded-path"
"""Of the path_id in the paths of our offers and invoice requests."""
NODE_ALIAS_BASE: Final = b"node-alias-base"
"""Of the transient keys that sign our invoice requests."""


def path_secret(base: bytes, what: bytes) -> bytes:
    """The path_id that proves that a path is the one we made for `what`: a payment_hash, or an id without paths."""
    return sha256(base + what).digest()


def alias_tweak(base: bytes, metadata: bytes) -> bytes:
    """The number between the node's key and the key of an invoice request with this invreq_metadata."""
    return sha256(base + metadata).digest()


def payer_key(node_id: bytes, base: bytes, metadata: bytes) -> bytes:
    """The public key of an invoice request of ours. `base` is of NODE_ALIAS_BASE."""
    # BOLT 12, "Requirements for Invoice Requests", writer: a transient key; ours follows from the metadata,
    # so that nothing is to be remembered.
    return point_tweak_add(node_id, alias_tweak(base, metadata))
