"""Hypothesis strategies for transactions."""

from __future__ import annotations

from hypothesis import strategies as st

from pylightningd.common.amount import MAX_SAT, Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.ids import Txid

u32 = st.integers(0, 0xFFFFFFFF)
scripts = st.binary(max_size=300)
outputs = st.builds(TxOut, st.integers(0, MAX_SAT).map(Sat), scripts)
inputs = st.builds(
    TxIn,
    st.binary(min_size=32, max_size=32).map(Txid),
    u32,
    st.binary(max_size=30),
    u32,
    st.lists(st.binary(max_size=80), max_size=3).map(tuple),
)
txs = st.builds(
    Tx,
    u32,
    st.lists(inputs, min_size=1, max_size=4).map(tuple),
    st.lists(outputs, max_size=4).map(tuple),
    u32,
)
