"""The log: CLN's lines, levels by subsystem, files, memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pylightningd.common.log import Level
from pylightningd.lightningd import log_io
from pylightningd.lightningd.log_io import Log

PEER = bytes.fromhex("02" + "ab" * 32)


def make(path: Path, **settings: object) -> Log:
    log = Log(now=lambda: 1_700_000_000.1234)
    log("debug", "before the options are known")
    log.configure(files=[str(path / "log")], **settings)  # type: ignore[arg-type]
    return log


def lines(path: Path) -> list[str]:
    return (path / "log").read_text().splitlines()


def test_lines(tmp_path: Path) -> None:
    log = make(tmp_path, levels=["debug"], prefix="l1 ")
    log("info", "hello")
    log("broken", "one\ntwo")
    log("debug", "x", source="channeld", peer_id=PEER, dbid=7)
    log("unusual", "y", peer_id=PEER, dbid=7)
    log("trace", "unseen")
    stamp = "l1 2023-11-14T22:13:20.123Z"
    assert lines(tmp_path) == [
        f"{stamp} DEBUG   lightningd: before the options are known",
        f"{stamp} INFO    lightningd: hello",
        f"{stamp} **BROKEN** lightningd: one",
        f"{stamp} **BROKEN** lightningd: two",
        f"{stamp} DEBUG   {PEER.hex()}-channeld-chan#7: x",
        f"{stamp} UNUSUAL {PEER.hex()}-chan#7: y",
    ]


def test_levels_by_subsystem(tmp_path: Path) -> None:
    extra = tmp_path / "gossip"
    log = make(tmp_path, levels=["info", "io:connectd", f"trace:gossipd:{extra}"], timestamps=False)
    assert log.wants("io", "connectd")
    assert not log.wants("debug", "lightningd")
    log("io", "[IN] 00", source="connectd")
    log("debug", "unseen")
    log("trace", "store", source="gossipd")
    assert lines(tmp_path) == ["IO      connectd: [IN] 00"]
    assert extra.read_text() == "TRACE   gossipd: store\n"


def test_a_wrong_level(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown log level 'loud'"):
        make(tmp_path, levels=["loud"])


def test_reopen_after_rotation(tmp_path: Path) -> None:
    log = make(tmp_path)
    log("info", "old")
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.reopen()
    log("info", "new")
    assert len(lines(tmp_path)) == 1
    log.close()


def test_json(tmp_path: Path) -> None:
    log = make(tmp_path, json_format=True)
    log("info", "hello", peer_id=PEER, height=5)
    assert json.loads(lines(tmp_path)[-1]) == {
        "timestamp": "2023-11-14T22:13:20.123Z",
        "level": "info",
        "source": "lightningd",
        "event": "hello",
        "peer_id": PEER.hex(),
        "height": 5,
    }


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_io, "KEPT_BYTES", 1000)
    log = Log()
    for i in range(100):
        log("info", f"{i:010d}")
    assert log.kept_bytes <= 1000
    assert log.skipped == 100 - len(log.kept)
    assert log.kept[-1].text == "0000000099"
    assert log.kept[-1].level is Level.INFO


def test_crash_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = Log()
    log("info", "last words")
    name = log.write_crash_log("Trace: boom")
    assert name is not None
    text = Path(name).read_text()
    assert text.startswith("Trace: boom\n")
    assert "last words" in text
