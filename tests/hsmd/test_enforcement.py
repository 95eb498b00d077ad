"""Numbers that only grow, in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylightningd.common.ids import NodeId
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd import enforcement_io
from pylightningd.hsmd.enforcement import NONE, Enforcement, channel_key, compare_records
from pylightningd.hsmd.enforcement_io import DamagedState, EnforcementFile
from pylightningd.hsmd.permissions import Refusal

PEER = NodeId(b"\2" * 33)
KEY = channel_key(PEER, 1)


def test_a_revoked_commitment_is_not_signed() -> None:
    records = Enforcement()
    records.check_sign_local(KEY, 0)
    records.revoke(KEY, 5)  # the first we hear of: an older node's channel
    records.revoke(KEY, 6)
    records.revoke(KEY, 6)
    records.revoke(KEY, 3)
    for number in (0, 5, 6):
        with pytest.raises(Refusal, match="revoked"):
            records.check_sign_local(KEY, number)
    records.check_sign_local(KEY, 7)
    with pytest.raises(Refusal, match="before 7"):
        records.revoke(KEY, 8)


def test_remote_commitments_may_be_signed_again_but_not_older_ones() -> None:
    records = Enforcement()
    records.sign_remote(KEY, 4)
    records.sign_remote(KEY, 4)
    with pytest.raises(Refusal, match="older than 4"):
        records.sign_remote(KEY, 3)
    assert records.record(KEY) == (NONE, 4, NONE)


def test_channels_are_told_apart_by_peer_and_dbid() -> None:
    keys = {KEY, channel_key(PEER, 2), channel_key(NodeId(b"\3" * 33), 1)}
    assert len(keys) == 3


def test_the_file_remembers(tmp_path: Path) -> None:
    path = tmp_path / "hsmd_state"
    file = EnforcementFile(path)
    file.records.revoke(KEY, 0)
    file.write()
    file.records.revoke(KEY, 1)
    file.records.sign_remote(KEY, 9)
    file.write()
    assert not file.records.changed
    file.close()
    again = EnforcementFile(path)
    assert again.records.record(KEY) == (1, 9, NONE)
    again.close()


@pytest.mark.parametrize("cut", range(1, 44))
def test_a_torn_record_is_cut_off(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "hsmd_state"
    file = EnforcementFile(path)
    for number in (3, 4):
        file.records.revoke(KEY, number)
        file.write()
    file.close()
    path.write_bytes(path.read_bytes()[:-cut])
    again = EnforcementFile(path)
    assert again.records.record(KEY) == (3, NONE, NONE)
    again.records.revoke(KEY, 4)
    again.write()
    again.close()
    last = EnforcementFile(path)
    assert last.records.record(KEY) == (4, NONE, NONE)
    last.close()


def test_damage_in_the_middle_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "hsmd_state"
    file = EnforcementFile(path)
    for number in (3, 4):
        file.records.revoke(KEY, number)
        file.write()
    file.close()
    raw = bytearray(path.read_bytes())
    raw[20] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedState, match="byte 8"):
        EnforcementFile(path)
    path.write_bytes(b"something else")
    with pytest.raises(DamagedState, match="backup"):
        EnforcementFile(path)


def test_the_file_is_rewritten_when_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enforcement_io, "_SLACK_RECORDS", 10)
    path = tmp_path / "hsmd_state"
    file = EnforcementFile(path)
    for number in range(100):
        file.records.revoke(KEY, number)
        file.write()
    assert path.stat().st_size < 20 * 36
    file.close()
    again = EnforcementFile(path)
    assert again.records.record(KEY) == (99, NONE, NONE)
    again.close()
    assert [p.name for p in tmp_path.iterdir()] == ["hsmd_state"]


def test_what_may_be_on_the_chain_is_not_revoked() -> None:
    records = Enforcement()
    records.revoke(KEY, 4)
    records.sign_local(KEY, 5)
    assert records.must_sync
    for number in (5, 6):
        with pytest.raises(Refusal, match="5 was signed for the chain"):
            records.revoke(KEY, number)
    records.revoke(KEY, 4)
    records.check_sign_local(KEY, 6)
    records.sign_local(KEY, 6)
    with pytest.raises(Refusal, match="6 was signed for the chain"):
        records.revoke(KEY, 6)


def test_the_first_of_all_may_be_signed_and_is_then_not_revoked() -> None:
    records = Enforcement()
    records.check_sign_local(KEY, 0)
    records.sign_local(KEY, 0)
    with pytest.raises(Refusal, match="0 was signed for the chain"):
        records.revoke(KEY, 0)


def _told(revoked: int, remote_signed: int) -> w.HsmdCompareRecords:
    record = w.CommitmentRecord(
        peer_id=PEER, dbid=1, revoked=revoked, remote_signed=remote_signed, broadcast=0
    )
    return w.HsmdCompareRecords(records=(record,))


def test_the_database_only_raises_numbers() -> None:
    """An old database learns how far we were; a lost hsmd_state learns from the database."""
    records = Enforcement()
    (known,) = compare_records(records, _told(8, 9)).records
    assert (known.revoked, known.remote_signed, known.broadcast) == (0, 0, 0)
    assert records.record(KEY) == (7, 8, NONE)
    assert records.changed == {KEY: None}
    records.changed.clear()
    records.sign_local(KEY, 8)
    records.changed.clear()
    (known,) = compare_records(records, _told(3, 4)).records
    assert (known.revoked, known.remote_signed, known.broadcast) == (8, 9, 9)
    assert records.record(KEY) == (7, 8, 8)
    assert not records.changed
    with pytest.raises(Refusal, match="revoked"):
        records.check_sign_local(KEY, 7)
    records.revoke(KEY, 7)
