"""What a record keeps, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylightningd.common import record
from pylightningd.common.effects import Ask, Disconnect, Log, SendPeer, SetTimer, Tell
from pylightningd.common.record import BadRecord, Frame, Kind, Mask
from pylightningd.common.record_io import Recorder
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire
from pylightningd.common.wire.hsmd_wire import HsmdEcdhReply, HsmdRevokeCommitmentReply
from pylightningd.common.wire.peer_wire import Ping
from pylightningd.common.wire.runtime import Request

PING = Ping(num_pong_bytes=1, ignored=b"")


def test_frames_survive_the_file_and_a_cut_end() -> None:
    frames = [
        Frame(Kind.HEADER, b"x" * 32 + b"channeld-0", 1),
        Frame(Kind.FLUSH, b"", 2),
        Frame(Kind.REPLY, record.join([b"a", b"", b"bc"]), 3),
    ]
    data = record.MAGIC + b"".join(f.encode() for f in frames)
    assert list(record.read(data)) == frames
    assert frames[2].parts() == [b"a", b"", b"bc"]
    for cut in range(1, len(frames[2].encode()) + 1):
        assert list(record.read(data[:-cut])) == frames[:2]
    with pytest.raises(BadRecord):
        list(record.read(b"no record"))


def test_effects_are_alike_only_if_they_are() -> None:
    effects = [
        SendPeer(PING),
        Ask("hsmd", PING),  # type: ignore[arg-type]
        Ask("master", PING),  # type: ignore[arg-type]
        Tell("hsmd", PING),
        Tell("master", PING),
        Log("info", "a"),
        Log("info", "a", {"b": 1}),
        SetTimer("a", 1.0),
        SetTimer("a", 2.0),
        Disconnect(),
    ]
    encoded = [record.encode_effect(e) for e in effects]
    assert len(set(encoded)) == len(effects)


def test_ecdh_secrets_are_masked_wherever_they_come_up() -> None:
    mask, secret, zeros = Mask(b"salt"), bytes(range(32)), bytes(32)
    reply = HsmdEcdhReply(secrets=(Secret(secret), Secret(zeros)))
    mask.learn(reply)
    written = mask.apply(reply.encode())
    assert secret not in written and len(written) == len(reply.encode())
    assert zeros in written  # no secret: it means that a key is no point
    other = mask.apply(b"elsewhere " + secret)
    assert other == b"elsewhere " + written[4:36]


def test_every_secret_of_hsmd_is_masked_or_the_peers_anyway() -> None:
    """Whoever adds a reply with a secret that machines are given meets this test."""
    with_secret = {
        reply.NAME
        for request in hsmd_wire.MESSAGES.values()
        if issubclass(request, Request)
        for reply in [request.REPLY]
        if any(kind == "secret" for _, kind, _ in reply.WIRE)
    }
    masked = with_secret - {m.NAME for m in record.PUBLISHED}
    assert HsmdRevokeCommitmentReply.NAME in with_secret
    assert HsmdEcdhReply.NAME in masked
    secret = bytes(range(32))
    assert record.secrets_of(HsmdEcdhReply(secrets=(Secret(secret),))) == [secret]


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "record"), "channeld-0")
    made = recorder.begin(7, PING)
    made.effects([])
    (path,) = (tmp_path / "record").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "record").stat().st_mode & 0o077 == 0
    assert "channeld-0" in path.name and "channel7" in path.name
    kinds = [f.kind for f in record.read(path.read_bytes())]
    assert kinds == [Kind.HEADER, Kind.MADE_FROM]
