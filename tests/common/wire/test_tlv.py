"""BOLT 1, appendices A to D, and the helpers for TLV records."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pylightningd.common.errors import WireError
from pylightningd.common.wire import onion_wire, peer_wire
from pylightningd.common.wire.tlv import (
    TlvError,
    read_bigsize,
    read_records,
    read_tu,
    write_bigsize,
    write_records,
    write_tu,
)  # fmt: skip
from tools.generate_wire.emit_code import Source, generate

_VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors/bolt1.json").read_text()
)
_NAMESPACES = """
tlvtype,n1,tlv1,1
tlvdata,n1,tlv1,amount_msat,tu64,
tlvtype,n1,tlv2,2
tlvdata,n1,tlv2,scid,short_channel_id,
tlvtype,n1,tlv3,3
tlvdata,n1,tlv3,node_id,point,
tlvdata,n1,tlv3,amount_msat_1,u64,
tlvdata,n1,tlv3,amount_msat_2,u64,
tlvtype,n1,tlv4,254
tlvdata,n1,tlv4,cltv_delta,u16,
tlvtype,n2,tlv1,0
tlvdata,n2,tlv1,amount_msat,tu64,
tlvtype,n2,tlv2,11
tlvdata,n2,tlv2,cltv_expiry,tu32,
"""


@pytest.fixture(scope="module")
def namespaces() -> dict[str, Any]:
    """The streams that appendix B assumes, generated as any other."""
    module = ModuleType("wire_of_appendix_b")
    sys.modules[module.__name__] = module
    exec(
        generate(Source("tools/wire/b.csv", "b", "peer", "B"), lambda _: _NAMESPACES), vars(module)
    )
    return {"n1": module.N1, "n2": module.N2}


@pytest.mark.parametrize("case", _VECTORS["bigsize_decode"], ids=lambda case: case["name"])
def test_bigsize_decoding(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["bytes"])
    if "exp_error" in case:
        with pytest.raises(WireError, match="BigSize"):
            read_bigsize(raw)
    else:
        assert read_bigsize(raw) == (case["value"], len(raw))


@pytest.mark.parametrize("case", _VECTORS["bigsize_encode"], ids=lambda case: case["name"])
def test_bigsize_encoding(case: dict[str, Any]) -> None:
    assert write_bigsize(case["value"]).hex() == case["bytes"]


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_bigsize_refuses_what_does_not_fit(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        write_bigsize(value)


@pytest.mark.parametrize(
    "case", _VECTORS["tlv"], ids=lambda case: f"{case['stream'][:24]}-{case['note'][:24]}"
)
def test_tlv_streams(case: dict[str, Any], namespaces: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["stream"])
    for name in ("n1", "n2") if case["namespace"] == "any" else (case["namespace"],):
        if case["valid"]:
            assert namespaces[name].decode(raw).encode() == raw
        else:
            with pytest.raises(TlvError):
                namespaces[name].decode(raw)


def test_tlv_values(namespaces: dict[str, Any]) -> None:
    n1 = namespaces["n1"]
    assert n1.decode(bytes.fromhex("01020100")).tlv1.msat == 256
    assert str(n1.decode(bytes.fromhex("02080000000000000226")).tlv2) == "0x0x550"
    assert n1.decode(bytes.fromhex("fd00fe020226")).tlv4 == 550
    assert n1.decode(bytes.fromhex("2100")).unknown == ((0x21, b""),)


@pytest.mark.parametrize("raw", _VECTORS["init_valid"])
def test_init_with_a_valid_extension(raw: str) -> None:
    assert isinstance(peer_wire.decode(bytes.fromhex(raw)), peer_wire.Init)


@pytest.mark.parametrize("raw", _VECTORS["init_invalid"])
def test_init_with_an_invalid_extension(raw: str) -> None:
    with pytest.raises(WireError):
        peer_wire.decode(bytes.fromhex(raw))


@pytest.mark.parametrize("case", _VECTORS["signed"], ids=lambda case: str(case["value"]))
def test_signed_integers(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["bytes"])
    code = {1: "b", 2: "h", 4: "i", 8: "q"}[len(raw)]
    assert struct.unpack(">" + code, raw) == (case["value"],)
    assert struct.pack(">" + code, case["value"]) == raw


def test_truncated_integers() -> None:
    assert write_tu(0, 4) == b""
    assert read_tu(b"", 4) == 0
    assert read_tu(write_tu(0x010203, 4), 4) == 0x010203
    with pytest.raises(ValueError, match="does not fit"):
        write_tu(1 << 32, 4)
    with pytest.raises(WireError, match="not minimal"):
        read_tu(b"\0\1", 4)
    with pytest.raises(WireError, match="at most 2"):
        read_tu(b"\1\1\1", 2)


def test_records_are_sorted_and_unique() -> None:
    raw = write_records([(300, b"b"), (1, b"a")])
    assert [(kind, value) for kind, _, value in read_records(raw)] == [(1, b"a"), (300, b"b")]
    with pytest.raises(ValueError, match="twice"):
        write_records([(1, b"a"), (1, b"b")])


def test_an_error_says_which_record_is_wrong() -> None:
    with pytest.raises(TlvError, match="unknown and even") as caught:
        onion_wire.Payload.decode(bytes.fromhex("0201010401027c00"))
    assert (caught.value.tlv_type, caught.value.offset) == (0x7C, 8)
    with pytest.raises(TlvError, match="not minimal") as caught:
        onion_wire.Payload.decode(bytes.fromhex("02020001"))
    assert (caught.value.tlv_type, caught.value.offset) == (2, 2)
