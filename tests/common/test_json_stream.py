"""JSON objects out of a byte stream, however it is cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.json_stream import JsonStream, JsonStreamError, to_line

objects = st.lists(
    st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(-9, 9)), max_size=5
)


@given(
    objects=objects,
    cuts=st.lists(st.integers(1, 9), min_size=1),
    end=st.sampled_from(["\n\n", "\n", "", " \n\n\n"]),
    indent=st.booleans(),
)
def test_any_cut_and_any_end(
    objects: list[dict[str, object]], cuts: list[int], end: str, indent: bool
) -> None:
    raw = "".join(json.dumps(o, indent=1 if indent else None) + end for o in objects).encode()
    stream, found, pos, turn = JsonStream(), [], 0, 0
    while pos < len(raw):
        size = cuts[turn % len(cuts)]
        found += stream.feed(raw[pos : pos + size])
        pos, turn = pos + size, turn + 1
    assert found == objects
    assert to_line({"a": 1}) == b'{"a":1}\n\n'


@pytest.mark.parametrize(
    "junk", [b"hello\n\n", b"[1]\n\n", b"5", b'{"a":1} x\n\n', b"{]\n\n", b'"text"\n\n', b"}"]
)
def test_junk(junk: bytes) -> None:
    with pytest.raises(JsonStreamError):
        JsonStream().feed(junk)
