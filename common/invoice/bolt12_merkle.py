"""BOLT 12's Merkle tree over TLV records, and the signatures that are made over its root."""

from __future__ import annotations

from hashlib import sha256

from pylightningd.common.keys import BadSignature, InvalidKey, schnorr_verify
from pylightningd.common.wire.tlv import read_records, write_bigsize

SIGNATURE_TYPES = range(240, 1001)
"""Records that hold signatures and are therefore not signed."""


def tagged_hash(tag: bytes, message: bytes) -> bytes:
    """BIP 340's tagged SHA256."""
    prefix = sha256(tag).digest()
    return sha256(prefix + prefix + message).digest()


def merkle_root(tlvs: bytes) -> bytes:
    """The root over all records of an encoded stream but signatures.

    Raises TlvError where it is not a stream, ValueError where nothing is left to sign.
    """
    # BOLT 12, "Signature Calculation": each record with a nonce that depends on the first record.
    records = [
        (kind, write_bigsize(kind) + write_bigsize(len(value)) + value)
        for kind, _, value in read_records(tlvs)
        if kind not in SIGNATURE_TYPES
    ]
    if not records:
        raise ValueError("there are no records to sign")
    nonce_tag = b"LnNonce" + records[0][1]
    level = [
        _branch(tagged_hash(b"LnLeaf", record), tagged_hash(nonce_tag, write_bigsize(kind)))
        for kind, record in records
    ]
    # BOLT 12, "Signature Calculation": pairs from the left; an odd one goes up as it is.
    while len(level) > 1:
        paired = [_branch(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + (level[-1:] if len(level) % 2 else [])
    return level[0]


def signature_hash(message_name: str, root: bytes, field_name: str = "signature") -> bytes:
    """What BIP 340 signs, for ``invoice_request`` or ``invoice``."""
    return tagged_hash(f"lightning{message_name}{field_name}".encode(), root)


def is_signature_valid(message_name: str, tlvs: bytes, signature: bytes, key: bytes) -> bool:
    """Whether `signature` (64 bytes) over `tlvs` is by `key` (33 bytes)."""
    try:
        schnorr_verify(key[1:], signature_hash(message_name, merkle_root(tlvs)), signature)
    except (BadSignature, InvalidKey):
        return False
    return True


def _branch(left: bytes, right: bytes) -> bytes:
    return tagged_hash(b"LnBranch", min(left, right) + max(left, right))
