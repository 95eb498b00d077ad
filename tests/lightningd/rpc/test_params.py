"""Every type of parameter: what it takes, what it makes of it, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, ShortChannelId, txid_from_hex
from pylightningd.lightningd.rpc import params as p

ID = "02" + "11" * 32
H32 = "ab" * 32

GOOD: list[tuple[p.ParamType, Any, Any]] = [
    (p.u8, 255, 255),
    (p.u32, "5", 5),
    (p.u64, 2**64 - 1, 2**64 - 1),
    (p.s64, "-3", -3),
    (p.boolean, True, True),
    (p.boolean, "false", False),
    (p.number, "0.5", 0.5),
    (p.millionths, "0.5", 500000),
    (p.millionths, 10, 10_000_000),
    (p.string, 5, "5"),
    (p.string, True, "true"),
    (p.label, 5, "5"),
    (p.one_of("a", "b"), "b", "b"),
    (p.hex_bytes, "00ff", b"\x00\xff"),
    (p.hex_bytes, "", b""),
    (p.secret32, H32, bytes.fromhex(H32)),
    (p.node_id, ID, bytes.fromhex(ID)),
    (p.scid, "103x1x0", ShortChannelId.make(103, 1, 0)),
    (p.scid_dir, "103x1x0/1", (ShortChannelId.make(103, 1, 0), 1)),
    (p.scid_or_id, H32, bytes.fromhex(H32)),
    (p.scid_or_id, "1x2x3", ShortChannelId.make(1, 2, 3)),
    (p.peer_or_channel, ID, bytes.fromhex(ID)),
    (p.txid, "01" + "00" * 31, txid_from_hex("01" + "00" * 31)),
    (p.outpoint_list, [H32 + ":1"], [Outpoint(txid_from_hex(H32), 1)]),
    (p.msat, 1000, Msat(1000)),
    (p.msat, "1sat", Msat(1000)),
    (p.msat, "0.00000001btc", Msat(1000)),
    (p.msat, "1btc", Msat(100_000_000_000)),
    (p.sat, "1000msat", Sat(1)),
    (p.sat, "21000000btc", Sat(2_100_000_000_000_000)),
    (p.sat, 5, Sat(5)),
    (p.msat_or_any, "any", p.ANY),
    (p.sat_or_all, "all", p.ALL),
    (p.feerate, "slow", p.Feerate(name="slow")),
    (p.feerate, "6blocks", p.Feerate(blocks=6)),
    (p.feerate, "1000perkw", p.Feerate(perkw=1000)),
    (p.feerate, 4001, p.Feerate(perkw=1001)),
    (p.feerate, "1perkb", p.Feerate(perkw=253)),
    (p.array, [1], [1]),
    (p.obj, {"a": 1}, {"a": 1}),
    (p.string_or_array(), "x", ["x"]),
    (p.string_or_array(), ["x", 1], ["x", "1"]),
]

BAD: list[tuple[p.ParamType, Any, str]] = [
    (p.u32, 2**32, "should be an unsigned 32 bit integer"),
    (p.u32, -1, "should be an unsigned 32 bit integer"),
    (p.u32, 1.5, "should be an unsigned 32 bit integer"),
    (p.u64, "１", "should be an unsigned 64 bit integer"),
    (p.boolean, "yes", "should be 'true' or 'false'"),
    (p.boolean, 1, "should be 'true' or 'false'"),
    (p.number, "nan", "non-negative floating-point"),
    (p.millionths, "NaN", "non-negative floating-point"),
    (p.string, ["x"], "should be a string"),
    (p.label, True, "should be a string or number"),
    (p.one_of("a", "b"), "c", "should be one of 'a', 'b'"),
    (p.hex_bytes, "abc", "should be a hex value"),
    (p.hex_bytes, "ab cd", "should be a hex value"),
    (p.secret32, "ab", "should be a 32 byte hex value"),
    (p.node_id, "04" + "11" * 32, "should be a node id"),
    (p.node_id, None, "should be a node id"),
    (p.scid, "1x2", "of form NxNxN"),
    (p.scid_dir, "1x2x3/2", "of form NxNxN/N"),
    (p.outpoint, H32, "should be a txid:outnum"),
    (p.msat, "1.5sat", "should be a millisatoshi amount"),
    (p.msat, "0.000000000001btc", "should be a millisatoshi amount"),
    (p.msat, "-1", "should be a millisatoshi amount"),
    (p.msat, ".", "should be a millisatoshi amount"),
    (p.msat, "", "should be a millisatoshi amount"),
    (p.sat, "1msat", "should be a satoshi amount"),
    (p.sat, "21000001btc", "should be a satoshi amount"),
    (p.msat_or_any, 0, "or 'any'"),
    (p.feerate, "fast", "should be a feerate"),
    (p.array, "x", "should be an array"),
    (p.obj, [], "should be an object"),
    (p.array_of(p.u8), [1, 300], r"p\[1\]: should be an unsigned 8 bit"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), GOOD)
def test_good(kind: p.ParamType, value: Any, expected: Any) -> None:
    got = kind("p", value)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(("kind", "value", "text"), BAD)
def test_bad(kind: p.ParamType, value: Any, text: str) -> None:
    with pytest.raises(UserError, match=text) as caught:
        kind("p", value)
    assert caught.value.code == -32602
    assert "invalid token '" in caught.value.message
