"""Transactions: known ones, round trips, and damaged bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.compact_size import read_compact_size, write_compact_size
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut, parse_witness
from pylightningd.common.errors import WireError
from pylightningd.common.ids import txid_hex
from tests.common.bitcoin.strategies import txs
from tests.common.channel.bolt03 import VECTORS


def test_known_transaction() -> None:
    tx = Tx.parse(bytes.fromhex(VECTORS["funding_tx"]))
    assert txid_hex(tx.txid()) == "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be"
    assert tx.outputs[0].amount == Sat(10_000_000)
    assert tx.serialize().hex() == VECTORS["funding_tx"]
    assert tx.weight() == 4 * len(tx.serialize())


def test_weight_counts_witness_once() -> None:
    tx = Tx.parse(bytes.fromhex(VECTORS["legacy"][0]["commit_tx"]))
    assert tx.has_witness()
    assert len(tx.inputs[0].witness) == 4
    bare = len(tx.serialize(witness=False))
    assert tx.weight() == bare * 3 + len(tx.serialize())
    assert 720 <= tx.weight() <= 724  # BOLT 3's expected weight, signatures being shorter


@given(txs)
def test_round_trip(tx: Tx) -> None:
    raw = tx.serialize()
    assert Tx.parse(raw) == tx
    assert Tx.parse_from(b"xy" + raw, 2) == (tx, 2 + len(raw))
    bare = Tx.parse(tx.serialize(witness=False))
    assert bare.txid() == tx.txid()


@given(txs, st.data())
def test_truncation_raises_wire_error(tx: Tx, data: st.DataObject) -> None:
    raw = tx.serialize()
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(WireError):
        Tx.parse(raw[:cut])


@given(st.binary(max_size=200))
def test_garbage_raises_only_wire_error(raw: bytes) -> None:
    try:
        Tx.parse(raw)
    except WireError:
        pass


def test_trailing_bytes_and_superfluous_witness() -> None:
    tx = Tx(2, (TxIn(bytes(32), 0),), (TxOut(Sat(1), b""),))  # type: ignore[arg-type]
    with pytest.raises(WireError, match="1 bytes follow"):
        Tx.parse(tx.serialize() + b"\0")
    raw = tx.serialize()
    with pytest.raises(WireError, match="announces witnesses"):
        Tx.parse(raw[:4] + b"\0\1" + raw[4:-4] + b"\0" + raw[-4:])
    with pytest.raises(WireError, match="more than there is"):
        Tx.parse(raw[:47] + b"\xff" * 8 + raw[55:])


@given(st.integers(0, 2**64 - 1))
def test_compact_size(n: int) -> None:
    raw = write_compact_size(n)
    assert read_compact_size(raw, 0) == (n, len(raw))
    with pytest.raises(WireError):
        read_compact_size(raw[:-1], 0)


def test_compact_size_must_be_shortest() -> None:
    for raw in ("fdfc00", "feffff0000", "ffffffffff00000000"):
        with pytest.raises(WireError, match="shortest"):
            read_compact_size(bytes.fromhex(raw), 0)


def test_witness_alone() -> None:
    assert parse_witness(b"\x02\x01a\x00") == (b"a", b"")
    with pytest.raises(WireError):
        parse_witness(b"\x01\x01ab")
