"""Blocks: BOLT 3's block 1, and scanning against full parsing."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.bitcoin.block import parse_block, parse_header, scan_block
from pylightningd.common.bitcoin.compact_size import write_compact_size
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import WireError
from pylightningd.common.ids import txid_hex
from pylightningd.common.network import REGTEST
from tests.common.bitcoin.strategies import txs

# BOLT 3, "Appendix B: Funding Transaction Test Vectors".
BLOCK_1 = bytes.fromhex(
    "0000002006226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910fadbb20ea41a8423ea937"
    "e76e8151636bf6093b70eaff942930d20576600521fdc30f9858ffff7f2000000000010100000001000000000000"
    "0000000000000000000000000000000000000000000000000000ffffffff03510101ffffffff0100f2052a010000"
    "001976a9143ca33c2e4446f4a305f23c80df8ad1afdcf652f988ac00000000"
)


def _block(transactions: list[Tx]) -> bytes:
    header = struct.pack("<I32s32sIII", 4, b"\1" * 32, b"\2" * 32, 3, 4, 5)
    body = b"".join(t.serialize() for t in transactions)
    return header + write_compact_size(len(transactions)) + body


def test_block_1() -> None:
    block = parse_block(BLOCK_1)
    assert block.header.prev_hash == REGTEST.chain_hash
    ((txid, coinbase),) = block.txs
    # The funding transaction of the appendix spends it; one transaction is its own merkle root.
    assert block.header.merkle_root == txid
    assert txid_hex(txid) == "fd2105607605d2302994ffea703b09f66b6351816ee737a93e42a841ea20bbad"
    assert scan_block(BLOCK_1, scripts={coinbase.outputs[0].script})[1][0].paid_outputs == (0,)
    with pytest.raises(WireError):
        parse_header(BLOCK_1[:79])


@given(st.lists(txs, min_size=1, max_size=5))
def test_parse_gives_back_every_transaction(transactions: list[Tx]) -> None:
    block = parse_block(_block(transactions))
    assert [tx for _, tx in block.txs] == transactions
    assert all(txid == tx.txid() for txid, tx in block.txs)
    assert block.header.time == 3


@given(st.lists(txs, min_size=1, max_size=5), st.data())
def test_scan_finds_exactly_what_is_watched(transactions: list[Tx], data: st.DataObject) -> None:
    raw = _block(transactions)
    all_inputs = [i.prevout() for t in transactions for i in t.inputs]
    all_scripts = [o.script for t in transactions for o in t.outputs]
    watched = set(data.draw(st.lists(st.sampled_from(all_inputs), max_size=2)))
    scripts = set(
        data.draw(st.lists(st.sampled_from(all_scripts), max_size=2)) if all_scripts else []
    )
    ids = set(data.draw(st.lists(st.sampled_from([t.txid() for t in transactions]), max_size=2)))
    header, matches = scan_block(raw, outpoints=watched, scripts=scripts, txids=ids)
    assert header == parse_header(raw)
    expected = []
    for n, tx in enumerate(transactions):
        spent = tuple(k for k, i in enumerate(tx.inputs) if i.prevout() in watched)
        paid = tuple(k for k, o in enumerate(tx.outputs) if o.script in scripts)
        if spent or paid or tx.txid() in ids:
            expected.append((n, tx.txid(), tx, spent, paid))
    assert [(m.tx_index, m.txid, m.tx, m.spent_inputs, m.paid_outputs) for m in matches] == expected


@given(st.lists(txs, min_size=1, max_size=3), st.data())
def test_truncated_blocks_raise_wire_error(transactions: list[Tx], data: st.DataObject) -> None:
    raw = _block(transactions)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(WireError):
        parse_block(raw[:cut])
    with pytest.raises(WireError):
        scan_block(raw[:cut])
    with pytest.raises(WireError):
        scan_block(raw + b"\0")
