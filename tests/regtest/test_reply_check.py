"""Replies that break their schema are noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.regtest import reply_check

SCHEMA = {
    "response": {
        "required": ["id"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "pubkey"},
            "n": {"type": "u8"},
            "scid": {"type": "short_channel_id"},
        },
    }
}


@pytest.fixture(autouse=True)
def schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "x-command.json").write_text(json.dumps(SCHEMA))
    monkeypatch.setattr(reply_check, "SCHEMAS", tmp_path)
    reply_check._validator.cache_clear()
    yield
    reply_check._validator.cache_clear()


def test_good_replies() -> None:
    reply_check.check_reply("x-command", {"id": "02" * 33, "n": 255, "scid": "1x2x3"})
    reply_check.check_reply("unknown-command", {"anything": 1})


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        ({}, "'id' is a required property"),
        ({"id": "05" * 33}, "is not of type 'pubkey'"),
        ({"id": "02" * 33, "n": 256}, "256 is not of type 'u8'"),
        ({"id": "02" * 33, "n": True}, "True is not of type 'u8'"),
        ({"id": "02" * 33, "more": 1}, "'more' was unexpected"),
    ],
)
def test_bad_replies(reply: dict[str, Any], complaint: str) -> None:
    with pytest.raises(reply_check.BadReplyError, match=complaint):
        reply_check.check_reply("x-command", reply)
