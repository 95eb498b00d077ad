"""The Merkle tree and signature against the BOLT's vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.invoice.bolt12 import decode_string
from pylightningd.common.invoice.bolt12_merkle import (
    is_signature_valid,
    merkle_root,
    signature_hash,
)

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "bolt12-signature-test.json").read_text()
)


def _records(vector: dict[str, Any]) -> bytes:
    """The signed records, which the vector only has in the names of its leaves."""
    names = [next(name for name in leaf if "LnLeaf" in name) for leaf in vector["leaves"]]
    return b"".join(bytes.fromhex(name.split(",")[1].rstrip(")")) for name in names)


@pytest.mark.parametrize("vector", VECTORS, ids=range(len(VECTORS)))
def test_root(vector: dict[str, Any]) -> None:
    assert merkle_root(_records(vector)).hex() == vector["merkle"]


def test_signature() -> None:
    vector = VECTORS[3]
    root = bytes.fromhex(vector["merkle"])
    assert signature_hash("invoice_request", root).hex() == vector["H(signature_tag,merkle)"]
    _, tlvs = decode_string(vector["bolt12"])
    assert merkle_root(tlvs) == root
    signature = bytes.fromhex(vector["signature"])
    bob = bytes.fromhex("0324653eac434488002cc06bbfb7f10fe18991e35f9fe4302dbea6d2353dc0ab1c")
    assert is_signature_valid("invoice_request", tlvs, signature, bob)
    assert not is_signature_valid("invoice", tlvs, signature, bob)
    assert not is_signature_valid("invoice_request", tlvs, signature, b"\x02" + b"\xff" * 32)


def test_nothing_to_sign() -> None:
    with pytest.raises(ValueError, match="no records"):
        merkle_root(b"")
