"""A record of two simulated peers, replayed: the same events lead to the same effects, and to a test that says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pylightningd.common.record_io import Recorder
from pylightningd.common.wire import channeld_wire as cw
from tests.sim.peers import INIT, Pair, Peer
from tools import replay
from tools.replay_core import Story
from tools.replay_core import replay as steps_of

ROOT = Path(__file__).parents[2]


def recorded(tmp_path: Path) -> list[Path]:
    """A life: payments both ways that succeed and fail, a new feerate, a lost connection, shutdown."""
    pair = Pair.open()
    recorder = Recorder(str(tmp_path), "channeld-0")
    for peer in pair.both:
        begin(recorder, peer)
    pair.connect(fresh=True)
    pair.settle()
    pair.offer(pair.alice, 20_000_000)
    pair.offer(pair.bob, 30_000_000)
    pair.settle()
    pair.resolve(pair.bob, 0, "fulfill")
    pair.resolve(pair.alice, 0, "fail")
    pair.settle()
    feerates = cw.ChanneldFeerates(
        dbid=1, feerate_perkw=2000, feerate_min_perkw=253, feerate_max_perkw=100_000
    )
    pair.say(pair.alice, feerates)
    pair.settle()
    pair.cut()
    pair.connect()
    pair.settle()
    pair.say(pair.bob, cw.ChanneldShutdown(dbid=1, script=pair.bob.master.script))
    pair.settle()
    return sorted(tmp_path.iterdir())


def begin(recorder: Recorder, peer: Peer) -> None:
    """Give a peer that has not begun a driver that records."""
    assert peer.machine is not None
    peer.driver = recorder.driver(peer.machine, 1, INIT, peer.master.snapshot())


def test_a_record_has_the_same_effects_again(tmp_path: Path) -> None:
    for path in recorded(tmp_path):
        story = Story.load(path)
        done = list(steps_of(story))
        assert len(done) == len(story.steps) > 30
        assert [d.number for d in done if d.error or d.differs] == []
        sent = "".join(line for d in done for line in replay.show_step(d, effects_only=True))
        for name in ("CommitmentSigned", "RevokeAndAck", "ChannelReestablish", "Shutdown"):
            assert f"to the peer      {name}" in sent


def test_it_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(recorded(tmp_path)[0])
    assert replay.main([path]) == 0
    whole = capsys.readouterr().out
    assert replay.main([path, "--stop-at", "5"]) == 0
    assert whole.startswith(capsys.readouterr().out)
    assert replay.main([path, "--effects-only"]) == 0
    effects = capsys.readouterr().out
    assert "    1 " in whole and "ChanneldConnected" in whole
    assert "ChanneldConnected" not in effects
    assert replay.main([str(tmp_path / "missing")]) == 2


def test_what_differs_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path)[0]
    data = path.read_bytes()
    path.write_bytes(data.replace(b"reestablish", b"REESTABLISH"))
    if path.read_bytes() == data:
        path.write_bytes(data.replace((2000).to_bytes(4, "big"), (2001).to_bytes(4, "big"), 1))
    assert replay.main([str(path)]) == 1
    assert "this differs" in capsys.readouterr().out


@pytest.mark.slow
def test_it_becomes_a_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path / "records")[0]
    assert replay.main([str(path), "--as-test", "--stop-at", "12"]) == 0
    test = tmp_path / "test_made.py"
    test.write_text(capsys.readouterr().out)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
