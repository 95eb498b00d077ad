"""Hypothesis strategies for generated messages, made from the `WIRE` table of each class."""

from __future__ import annotations

import types
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from pylightningd.common.amount import MAX_MSAT, MAX_SAT, Msat, Sat
from pylightningd.common.ids import Outpoint, ShortChannelId, Txid
from pylightningd.common.secret import Secret
from pylightningd.common.wire.runtime import TlvStream, WireStruct

_LENGTHS = {
    "sha256": 32, "preimage": 32, "chain_hash": 32, "channel_id": 32, "sha256_double": 32,
    "bitcoin_txid": 32, "txid": 32, "signature": 64, "bip340sig": 64,
}  # fmt: skip
_POINTS = {"point", "pubkey", "node_id"}
_BITS = {
    "byte": 8,
    "u8": 8,
    "u16": 16,
    "u32": 32,
    "u64": 64,
    "tu16": 16,
    "tu32": 32,
    "tu64": 64,
    "bigsize": 64,
}
_FEW = 40
_made: dict[type[WireStruct], st.SearchStrategy[Any]] = {}

_point = st.builds(
    lambda head, x: bytes([head]) + x, st.sampled_from((2, 3)), st.binary(min_size=32, max_size=32)
)
_sciddir = st.builds(
    lambda head, x: bytes([head]) + x, st.sampled_from((0, 1)), st.binary(min_size=8, max_size=8)
)
_unknown = st.dictionaries(
    st.integers(1 << 19, (1 << 63) - 1).map(lambda n: 2 * n + 1), st.binary(max_size=20), max_size=2
).map(lambda found: tuple(sorted(found.items())))


def message(cls: type[WireStruct]) -> st.SearchStrategy[Any]:
    """Values of a generated message, subtype or TLV stream."""
    if cls not in _made:
        _made[cls] = _build(cls)
    return _made[cls]


def _build(cls: type[WireStruct]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    parts = {name: _field(hints[name], kind.lstrip("?"), count) for name, kind, count in cls.WIRE}
    if issubclass(cls, TlvStream):
        parts["unknown"] = _unknown
    return st.builds(cls, **parts)


def _field(hint: Any, kind: str, count: str) -> st.SearchStrategy[Any]:
    if get_origin(hint) is types.UnionType:
        inner = next(arg for arg in get_args(hint) if arg is not type(None))
        return st.none() | _field(inner, kind, count)
    if kind == "":
        return st.just(True) if not isinstance(hint, type) else message(hint)
    if get_origin(hint) is tuple:
        number = int(count) if count.isdigit() else None
        low, high = (number, number) if number is not None else (0, 4)
        return st.lists(_one(get_args(hint)[0], kind), min_size=low, max_size=high).map(tuple)
    if kind in ("byte", "u8") and count:
        size = int(count) if count.isdigit() else None
        return st.binary(min_size=size or 0, max_size=size if size is not None else _FEW)
    return _one(hint, kind)


def _one(hint: Any, kind: str) -> st.SearchStrategy[Any]:
    if isinstance(hint, type) and issubclass(hint, WireStruct):
        return message(hint)
    by_class = {
        Msat: st.integers(0, MAX_MSAT).map(Msat),
        Sat: st.integers(0, MAX_SAT).map(Sat),
        ShortChannelId: st.integers(0, (1 << 64) - 1).map(ShortChannelId),
        Outpoint: st.builds(
            Outpoint, st.binary(min_size=32, max_size=32).map(Txid), st.integers(0, (1 << 32) - 1)
        ),
        Secret: st.binary(min_size=32, max_size=32).map(Secret),
        bool: st.booleans(),
        str: st.text(max_size=_FEW),
    }
    if hint in by_class:
        return by_class[hint]
    if hint is int:
        if kind.startswith("s"):
            half = 1 << int(kind[1:]) - 1
            return st.integers(-half, half - 1)
        return st.integers(0, (1 << _BITS[kind]) - 1)
    if kind in _POINTS:
        return _point
    if kind == "sciddir_or_pubkey":
        return _point | _sciddir
    if kind == "varbytes":
        return st.binary(max_size=_FEW)
    return st.binary(min_size=_LENGTHS[kind], max_size=_LENGTHS[kind])
