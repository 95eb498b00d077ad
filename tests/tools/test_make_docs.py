"""Pages and schemas made from the registry."""

from __future__ import annotations

import json

import pytest

from pylightningd.lightningd.rpc.registry import load_families
from tools import make_docs


def test_page() -> None:
    text = make_docs.page(load_families()["datastore"])
    assert "    lightning-cli datastore key [string] [hex] [mode] [generation]" in text
    assert (
        '- **mode** (must-create|must-replace|create-or-replace|must-append|create-or-append, default "must-create", optional)'
        in text
    )
    assert "- `generation` (u64, optional)" in text
    assert "- 1202: the key exists" in text


def test_index_names_all() -> None:
    commands = load_families()
    text = make_docs.index(commands)
    assert all(f"({name}.md)" in text for name in commands)


def test_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    assert make_docs.main(["--schemas"]) == 0
    schemas = json.loads(capsys.readouterr().out)
    assert schemas["signmessage"]["request"]["required"] == ["message"]
    assert schemas["signmessage"]["response"]["required"]
