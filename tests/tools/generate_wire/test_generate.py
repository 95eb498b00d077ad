"""The generator itself: what it makes of each CSV construct, what it refuses, and that the tree is up to date."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.secret import Secret
from pylightningd.common.wire.runtime import Request, UnknownFailure
from tools.generate_wire.__main__ import main, sources
from tools.generate_wire.emit_code import Source, generate
from tools.generate_wire.read_csv import CsvError

_TOP = Path(__file__).parents[3]


def _make(text: str, mode: str = "internal", **others: str) -> Any:
    files = {
        "x/x_wire.csv": text,
        **{f"x/{name}_wire.csv": other for name, other in others.items()},
    }
    module = ModuleType("generated_for_a_test")
    sys.modules[module.__name__] = module
    exec(generate(Source("x/x_wire.csv", "x", mode, "XMessage"), files.__getitem__), vars(module))
    return module


def test_length_fields_vanish_and_bytes_and_arrays_come_back() -> None:
    x = _make(
        "subtype,pair\nsubtypedata,pair,key,secret,\nsubtypedata,pair,amount,msat,\n"
        "msgtype,m,5\nmsgdata,m,n,u16,\nmsgdata,m,raw,u8,n\nmsgdata,m,k,u8,\nmsgdata,m,pairs,pair,k\n"
        "msgdata,m,j,u8,\nmsgdata,m,ids,u32,j\nmsgdata,m,i,u16,\nmsgdata,m,names,wirestring,i\n"
    )
    value = x.M(
        raw=b"abc",
        pairs=(x.Pair(key=Secret(b"k" * 32), amount=Msat(7)),),
        ids=(1, 2**32 - 1),
        names=("a", "žluť"),
    )
    assert value.encode().startswith(b"\0\5\0\3abc\1kkk")
    assert x.decode(value.encode()) == value
    assert "kkk" not in repr(value)


def test_optional_fields_take_a_presence_byte() -> None:
    x = _make("msgtype,m,5\nmsgdata,m,a,?u32,\nmsgdata,m,o,?outpoint,\nmsgdata,m,s,?wirestring,\n")
    assert x.M().encode() == b"\0\5\0\0\0"
    full = x.M(a=1, o=Outpoint(Txid(b"t" * 32), 3), s="x")
    assert x.decode(full.encode()) == full
    with pytest.raises(WireError, match="bool of 2"):
        x.decode(b"\0\5\2\0\0")


def test_a_reply_makes_a_request() -> None:
    x = _make("msgtype,ask,1\nmsgtype,ask_reply,2\nmsgdata,ask_reply,v,sat,\n")
    assert issubclass(x.Ask, Request)
    assert x.Ask.REPLY is x.AskReply
    assert x.decode(x.AskReply(v=Sat(5)).encode()) == x.AskReply(v=Sat(5))


def test_an_amount_beyond_all_bitcoin_is_a_wire_error() -> None:
    x = _make("msgtype,m,1\nmsgdata,m,v,sat,\n")
    with pytest.raises(WireError, match="M: "):
        x.decode(b"\0\1" + b"\xff" * 8)


def test_included_subtypes_are_imported() -> None:
    common = (_TOP / "common/wire/common_wire.csv").read_text()
    text = "include,x/common_wire.csv\nmsgtype,m,1\nmsgdata,m,keys,basepoints,\n"
    x = _make(text, common=common)
    assert x.M.__annotations__["keys"] == "Basepoints"
    assert x.SPEC_HASH != _make(text, common=common + "# other\n").SPEC_HASH


def test_comments_become_docstrings() -> None:
    x = _make('# Says "hello".\n# Twice.\nmsgtype,m,1\n')
    assert x.M.__doc__ == "Says 'hello'. Twice. Type 1."


def test_failures_of_any_unknown_code_are_kept() -> None:
    x = _make("msgtype,m,1\n", mode="failure")
    assert x.decode(b"\0\2abc") == UnknownFailure(2, b"abc")


def test_internal_files_refuse_every_unknown_type() -> None:
    x = _make("msgtype,m,1\n")
    for raw in (b"\0\2", b"\0\3"):
        with pytest.raises(WireError, match="unknown message type"):
            x.decode(raw)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("msgtype,m\n", "needs 3 columns"),
        ("message,m,1\n", "line 1"),
        ("msgdata,m,a,u8,\n", "line 1"),
        ("msgtype,m,1\nmsgtype,n,1\n", "is there already"),
        ("msgtype,m,1\nmsgdata,m,a,nonsense,\n", "no such type"),
        ("msgtype,m,1\nmsgdata,m,a,u8,n\n", "counted by no earlier"),
        ("msgtype,m,1\nmsgdata,m,a,tu32,\nmsgdata,m,b,u8,\n", "not the last"),
        ("msgtype,m,1\nmsgdata,m,n,u8,\nmsgdata,m,a,u8,n\nmsgdata,m,b,u8,n\n", "counts two"),
        ("subtype,s\nsubtypedata,s,s,s,\n", "contains itself"),
        ("subtype,outpoint\nsubtypedata,outpoint,a,u8,\n", "taken already"),
    ],
)
def test_a_wrong_line_is_refused(text: str, match: str) -> None:
    with pytest.raises(CsvError, match=match):
        _make(text)


def test_committed_modules_are_what_the_csvs_make() -> None:
    stale = [
        source.path
        for source in sources(_TOP)
        if generate(source, lambda path: (_TOP / path).read_text())
        != (_TOP / f"common/wire/{source.name}_wire.py").read_text()
    ]
    assert stale == []


def test_check_finds_a_stale_module_and_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "common/wire").mkdir(parents=True)
    (tmp_path / "x/x_wire.csv").write_text("msgtype,m,1\n")
    target = tmp_path / "common/wire/x_wire.py"
    assert main(["--check"], tmp_path) == 1
    assert not target.exists()
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "x/x_wire.csv").write_text("msgtype,m,3\n")
    assert main(["--check"], tmp_path) == 1
    assert "TYPE: ClassVar[int] = 1" in target.read_text()
