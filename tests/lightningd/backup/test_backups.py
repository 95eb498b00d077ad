"""Rules of emergency.recover, of peers' storage, and of channels made from a backup."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.errors import BackendError, UserError
from pylightningd.common.secret import Secret
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.common_wire import Basepoints
from pylightningd.lightningd.backup import file_io
from pylightningd.lightningd.backup.keeper import MAX_BLOB, SMALL_BLOB, Backups
from pylightningd.lightningd.backup.restore import Recovery
from pylightningd.lightningd.backup.scb import Backup, ScbChannel
from pylightningd.lightningd.backup.storage import BLOCKS_AFTER_CLOSE, PeerStorage
from pylightningd.lightningd.channels.states import Cause, ChannelState
from pylightningd.lightningd.db.backup_io import BackupStore
from tests.lightningd.channels.rig import FakeIncoming, FakeLink, Rig, key, peer_connected, peer_id

KEY = Secret(bytes(range(32)))
STORAGE_BIT = bytes.fromhex("080000000000")
"""Bit 43."""


class BackupRig(Rig):
    """A master with real backups. `folder` is the network folder."""

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self.folder = folder or path
        super().__init__(path)
        self.load()

    def _parts(self, node: Any) -> None:
        super()._parts(node)
        node.features = {"init": STORAGE_BIT}
        node.config["recover"] = None
        node.clock.advance(1_700_000_000)
        node.fatal = self.fatal.append
        node.chain.backend = SimpleNamespace(unspent=self._unspent)
        node.chain.store = SimpleNamespace(min_height=lambda: 500)
        node.hsm.ask = self._ask_hsm
        node.peer_storage = PeerStorage(node, BackupStore(node.db))
        node.recovery = Recovery(node)
        node.backup = Backups(node, KEY, str(self.folder))
        self.unspent: Any = True

    def load(self) -> None:
        self.node.backup.load()

    async def _unspent(self, _outpoint: Any) -> Any:
        return self.unspent or None

    async def _ask_hsm(self, msg: Any) -> Any:
        assert isinstance(msg, hw.HsmdGetBasepoints | hw.HsmdSetupChannel)
        points = Basepoints(
            funding_pubkey=key(41), revocation=key(42), payment=key(43), delayed_payment=key(44), htlc=key(45)
        )  # fmt: skip
        return SimpleNamespace(basepoints=points)

    @property
    def file(self) -> Backup:
        backup: Backup | None = self.node.backup.from_file()
        assert backup is not None
        return backup

    def meet(self, number: int, connection: int = 1, features: bytes = STORAGE_BIT) -> None:
        msg = peer_connected(number, connection)
        self.connectd_says(
            nw.ConnectdPeerConnected(
                peer_id=msg.peer_id,
                connection=connection,
                incoming=False,
                address=msg.address,
                features=features,
                remote_address="",
            )
        )

    def says(self, number: int, msg: Any, connection: int = 1) -> None:
        self.connectd_says(
            nw.ConnectdPeerMsg(peer_id=peer_id(number), connection=connection, msg=msg.encode())
        )

    def sent(self, kind: type[Any]) -> list[Any]:
        """What peers were sent by the master itself."""
        found = []
        for item in self.to_connectd(nw.ConnectdSendMsg):
            if int.from_bytes(item.msg[:2], "big") == kind.TYPE:
                found.append(kind.decode(item.msg))
        return found

    def unusual(self) -> str:
        return "\n".join(text for level, text in self.logs if level == "unusual")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[BackupRig]:
    made = BackupRig(tmp_path)
    yield made
    assert not made.bugs
    assert not made.failed_tasks
    made.close()


def _fresh(old: BackupRig, path: Path, *, with_file: bool) -> BackupRig:
    """Another node with the same secret and an empty database."""
    path.mkdir()
    if with_file:
        (path / file_io.FILE_NAME).write_bytes((old.folder / file_io.FILE_NAME).read_bytes())
    return BackupRig(path)


# ---- the file -----------------------------------------------------------------------------------


def test_the_file_follows_the_channels(rig: BackupRig) -> None:
    assert not rig.node.backup.from_file().channels
    channel = rig.open_channel(3)
    rig.turn(rig.node.backup.changed)
    (entry,) = rig.file.channels
    assert (entry.dbid, entry.peer_id) == (3, peer_id(3))
    assert entry.funding == channel.static.funding
    assert entry.to_self_delay == 6
    assert oct(os.stat(rig.node.backup.path).st_mode & 0o777) == "0o400"
    first = rig.file.timestamp
    rig.turn(rig.node.backup.changed)
    assert rig.file.timestamp == first  # nothing new, nothing written

    def close() -> None:
        rig.node.channels.set_state(channel, ChannelState.CLOSED, Cause.ONCHAIN, "over")
        rig.node.channels.forget(channel)

    rig.turn(close)
    assert rig.file.channels == ()
    assert rig.file.timestamp > first


def test_secrets_that_came_are_written_now_and_then(rig: BackupRig) -> None:
    from tests.lightningd.backup.test_scb import chain_of

    channel = rig.open_channel(3)
    rig.turn(rig.node.backup.changed)
    channel.shachain, channel.revocations_received = chain_of(5).encode(), 5
    rig.turn(lambda: rig.node.backup.on_block(601))
    assert rig.file.channels[0].shachain == chain_of(0)
    rig.turn(lambda: rig.node.backup.on_block(606))
    assert rig.file.channels[0].shachain == chain_of(5)


def test_the_funding_waits_for_the_file(rig: BackupRig) -> None:
    incoming = FakeIncoming(FakeLink("openingd"), None)
    order: list[str] = []
    write = file_io.replace

    def spy(folder: str, content: bytes) -> None:
        order.append("file" if not incoming.replies else "too late")
        write(folder, content)

    reply: Any = "reply"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_io, "replace", spy)
        rig.open_channel(3)
        rig.turn(lambda: rig.node.backup.before_funding(incoming, reply))
    assert order == ["file"]
    assert incoming.replies == ["reply"]


def test_no_funding_without_the_file(rig: BackupRig) -> None:
    incoming = FakeIncoming(FakeLink("openingd"), None)
    old = rig.file

    def no_space(_folder: str, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    reply: Any = "reply"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_io, "replace", no_space)
        rig.open_channel(3)
        rig.turn(lambda: rig.node.backup.before_funding(incoming, reply))
        assert incoming.replies == []
        assert "No space left" in rig.fatal[0]
        rig.turn(rig.node.backup.changed)
    assert ("broken", rig.logs[-1][1]) == rig.logs[-1]
    assert rig.file == old
    rig.forgive()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file_io.replace(str(tmp_path), b"old")
    (tmp_path / "scb.tmp").write_bytes(b"left by a crash")
    file_io.replace(str(tmp_path), b"new")
    assert file_io.read(str(tmp_path / file_io.FILE_NAME)) == b"new"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "rename", lambda *_a: (_ for _ in ()).throw(OSError(5, "I/O error")))
        with pytest.raises(OSError, match="I/O error"):
            file_io.replace(str(tmp_path), b"newest")
    assert file_io.read(str(tmp_path / file_io.FILE_NAME)) == b"new"
    assert not (tmp_path / "scb.tmp").exists()


def test_what_the_database_does_not_know_stays_in_the_file(rig: BackupRig, tmp_path: Path) -> None:
    rig.open_channel(3)
    rig.turn(rig.node.backup.changed)
    fresh = _fresh(rig, tmp_path / "fresh", with_file=True)
    assert "1 channels that the database does not know" in fresh.unusual()
    fresh.open_channel(5)
    fresh.turn(fresh.node.backup.changed)
    assert [e.dbid for e in fresh.file.channels] == [5, 3]
    fresh.close()


def test_a_file_of_another_node_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / file_io.FILE_NAME).write_bytes(bytes(500))
    rig = BackupRig(tmp_path)
    assert "cannot be used" in rig.unusual()
    (aside,) = tmp_path.glob("emergency.recover.unreadable.*")
    assert aside.read_bytes() == bytes(500)
    assert rig.file.channels == ()
    rig.close()


def _lost_many(rig: BackupRig) -> bytes:
    for number in (3, 5, 6):
        rig.open_channel(number)
    rig.turn(rig.node.backup.changed)
    return (rig.folder / file_io.FILE_NAME).read_bytes()


def _numbers(rig: BackupRig) -> list[int]:
    return sorted(e.dbid for e in rig.file.channels)


def test_a_file_put_into_the_running_node_is_not_lost(rig: BackupRig, tmp_path: Path) -> None:
    content = _lost_many(rig)
    fresh = _fresh(rig, tmp_path / "fresh", with_file=False)
    file_io.replace(str(fresh.folder), content)
    asked: list[Any] = []

    async def fail_at_the_second(outpoint: Any) -> Any:
        asked.append(outpoint)
        if len(asked) == 2:
            raise BackendError("bitcoind is gone")
        return True

    fresh.node.chain.backend.unspent = fail_at_the_second
    task = fresh.wait(fresh.node.recovery.emergency_recover())
    with pytest.raises(BackendError):
        task.result()
    assert len(list(fresh.node.channels)) == 1
    assert _numbers(fresh) == [3, 5, 6]
    assert len(fresh.wait(fresh.node.recovery.emergency_recover()).result()) == 2
    assert _numbers(fresh) == [3, 5, 6]
    fresh.close()


def test_a_new_channel_joins_those_of_a_replaced_file(rig: BackupRig, tmp_path: Path) -> None:
    content = _lost_many(rig)
    fresh = _fresh(rig, tmp_path / "fresh", with_file=False)
    file_io.replace(str(fresh.folder), content)
    fresh.open_channel(9)
    fresh.turn(fresh.node.backup.changed)
    assert _numbers(fresh) == [3, 5, 6, 9]
    assert "3 channels that the database does not know" in fresh.unusual()
    assert fresh.file.timestamp > rig.file.timestamp
    fresh.spin()
    assert fresh.turn(fresh.node.channels.store.next_dbid) > 6  # theirs stay free
    fresh.close()


def test_what_restore_does_not_reach_stays_too(rig: BackupRig, tmp_path: Path) -> None:
    """Entries of a peer's blob, or of a number that is taken, are not in the file that is there."""
    _lost_many(rig)
    entries = rig.file.channels
    fresh = _fresh(rig, tmp_path / "fresh", with_file=False)
    fresh.open_channel(9)
    taken = replace(entries[2], dbid=9)
    made = fresh.wait(fresh.node.recovery.restore((*entries[:2], taken))).result()
    assert len(made) == 2
    assert _numbers(fresh) == [3, 5, 9, 9]
    fresh.close()


def test_an_old_copy_of_the_file_gives_way_to_ours(rig: BackupRig) -> None:
    old = (rig.folder / file_io.FILE_NAME).read_bytes()
    _lost_many(rig)
    file_io.replace(str(rig.folder), old)
    rig.turn(rig.node.backup.changed)
    assert _numbers(rig) == [3, 5, 6]


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_damaged_file_is_never_overwritten(
    rig: BackupRig, monkeypatch: pytest.MonkeyPatch, is_readable: bool
) -> None:
    for number in (3, 5):
        file_io.replace(str(rig.folder), bytes((number,)) * 500)
        rig.open_channel(number)
        with monkeypatch.context() as patch:
            if not is_readable:
                patch.setattr(file_io, "read", _denied)
            rig.turn(rig.node.backup.changed)
    aside = sorted(rig.folder.glob("emergency.recover.unreadable.*"))
    assert [p.read_bytes()[0] for p in aside] == [3, 5]
    assert _numbers(rig) == [3, 5]


def _denied(_path: str) -> bytes:
    raise PermissionError(13, "Permission denied")


# ---- peers' storage -----------------------------------------------------------------------------


def test_a_peer_gets_its_blob_back_before_its_channels(rig: BackupRig) -> None:
    rig.open_channel(3)
    rig.meet(3)
    rig.says(3, pw.PeerStorage(blob=b"theirs"))
    rig.restart()
    rig.load()
    rig.meet(3, 2)
    said = [
        type(m).__name__
        for m in rig.node.fleet.links["connectd"].sent
        if isinstance(m, nw.ConnectdSendMsg | nw.ConnectdRoute | nw.ConnectdAcceptPeer)
    ]
    assert rig.sent(pw.PeerStorageRetrieval)[0].blob == b"theirs"
    assert said == ["ConnectdSendMsg", "ConnectdSendMsg", "ConnectdRoute", "ConnectdAcceptPeer"]


def test_only_peers_with_channels_are_kept_for(rig: BackupRig) -> None:
    rig.meet(4)
    rig.says(4, pw.PeerStorage(blob=b"spam"))
    assert BackupStore(rig.node.db).kept_for(peer_id(4)) is None
    assert rig.sent(pw.PeerStorage) == []  # nor are they given ours
    rig.open_channel(3)
    rig.meet(3, 2)
    rig.says(3, pw.PeerStorage(blob=bytes(MAX_BLOB + 1)), 2)
    assert BackupStore(rig.node.db).kept_for(peer_id(3)) is None
    rig.says(3, pw.PeerStorage(blob=bytes(MAX_BLOB)), 2)
    assert BackupStore(rig.node.db).kept_for(peer_id(3)) == bytes(MAX_BLOB)


def test_one_update_a_minute_and_the_newest_counts(rig: BackupRig) -> None:
    store = BackupStore(rig.node.db)
    rig.open_channel(3)
    rig.meet(3)
    for blob in (b"one", b"two", b"three"):
        rig.says(3, pw.PeerStorage(blob=blob))
    assert store.kept_for(peer_id(3)) == b"one"
    rig.meet(3, 2)  # what waits is the last that was stored, for the peer
    assert rig.sent(pw.PeerStorageRetrieval)[-1].blob == b"three"
    rig.later(61)
    assert store.kept_for(peer_id(3)) == b"three"
    rig.says(3, pw.PeerStorage(blob=b"four"), 2)
    rig.later(61)
    assert store.kept_for(peer_id(3)) == b"four"


def test_old_blobs_go_long_after_the_last_channel(rig: BackupRig) -> None:
    store, storage = BackupStore(rig.node.db), rig.node.peer_storage
    channel = rig.open_channel(3)
    rig.meet(3)
    rig.says(3, pw.PeerStorage(blob=b"theirs"))
    rig.turn(lambda: storage.on_block(5000))
    rig.turn(lambda: rig.node.channels.forget(channel))
    for height in (5100, 5100 + BLOCKS_AFTER_CLOSE - 16):
        rig.turn(lambda h=height: storage.on_block(h))  # type: ignore[misc]
        assert store.kept_for(peer_id(3)) == b"theirs"
    rig.turn(lambda: storage.on_block(5100 + BLOCKS_AFTER_CLOSE + 84))
    assert store.kept_for(peer_id(3)) is None


def test_ours_is_given_at_each_connection_and_when_it_changes(rig: BackupRig) -> None:
    rig.open_channel(3)
    rig.turn(rig.node.backup.changed)
    rig.meet(3)
    (first,) = rig.sent(pw.PeerStorage)
    assert rig.node.backup.open(first.blob) == rig.file
    assert len(first.blob) == SMALL_BLOB  # LDK takes no larger one
    rig.load()  # as a start does: nothing to write, the same to offer
    assert len(rig.node.backup.blob) == SMALL_BLOB
    rig.open_channel(5)
    rig.turn(rig.node.backup.changed)
    rig.spin()
    last = rig.sent(pw.PeerStorage)[-1]
    assert len(rig.node.backup.open(last.blob).channels) == 2
    rig.open_channel(6)
    rig.meet(6, 9, features=b"")  # it does not offer to keep anything
    assert all(m.connection != 9 for m in rig.to_connectd(nw.ConnectdSendMsg))


def test_peers_cannot_tell_what_is_in_it_by_its_size(rig: BackupRig) -> None:
    from tests.lightningd.backup.test_scb import channel

    keeper: Any = rig.node.backup
    sizes = []
    for count in (0, 1, 2, 30, 100):
        backup = Backup(1, tuple(channel(dbid=n + 1) for n in range(count)))
        blob = keeper._fitting(backup)
        assert keeper.open(blob) == backup
        sizes.append(len(blob))
    assert (sizes[0], sizes[-1], set(sizes)) == (SMALL_BLOB, MAX_BLOB, {SMALL_BLOB, MAX_BLOB})


def test_a_backup_too_large_for_peers_is_slimmed(rig: BackupRig) -> None:
    from tests.lightningd.backup.test_scb import chain_of, channel

    keeper: Any = rig.node.backup
    chain = chain_of(200)
    many = tuple(channel(dbid=n, shachain=chain) for n in range(1, 250))
    backup = Backup(1, many)
    sealed = keeper.seal(backup)
    assert len(sealed) > MAX_BLOB
    slim = keeper._fitting(backup)
    assert len(slim) == MAX_BLOB
    assert [e.dbid for e in keeper.open(slim).channels] == [e.dbid for e in many]
    huge = Backup(1, many * 4)
    assert keeper._fitting(huge) is None
    assert "too large for peers" in rig.unusual()


def test_what_comes_back_is_checked(rig: BackupRig) -> None:
    rig.open_channel(3)
    rig.turn(rig.node.backup.changed)
    rig.meet(3)
    (ours,) = rig.sent(pw.PeerStorage)
    rig.says(3, pw.PeerStorageRetrieval(blob=ours.blob))
    assert rig.unusual() == ""
    rig.says(3, pw.PeerStorageRetrieval(blob=b"rubbish"))
    assert "PeerStorageFailed!" in rig.unusual()
    rig.node.clock.advance(100)
    rig.open_channel(5)
    rig.turn(rig.node.backup.changed)
    rig.says(3, pw.PeerStorageRetrieval(blob=ours.blob))
    assert "kept an old backup" in rig.unusual()
    assert rig.node.peer_storage.returned() == []


def test_a_newer_backup_than_ours_means_an_old_copy(rig: BackupRig) -> None:
    rig.open_channel(3)
    rig.turn(rig.node.backup.changed)
    rig.restart()
    rig.node.clock.advance(1000)
    rig.load()
    newer = rig.node.backup.seal(Backup(rig.file.timestamp + 5, rig.file.channels))
    rig.meet(3)
    rig.says(3, pw.PeerStorageRetrieval(blob=newer))
    assert "is this an old copy" in rig.unusual()


# ---- restoring ----------------------------------------------------------------------------------


def _lost(rig: BackupRig) -> ScbChannel:
    rig.open_channel(3)
    rig.node.peers.of(peer_id(3)).reachable_address = "127.0.0.1:9999"
    rig.turn(rig.node.backup.changed)
    (entry,) = rig.file.channels
    return entry


def test_a_stub_from_the_file(rig: BackupRig, tmp_path: Path) -> None:
    entry = _lost(rig)
    fresh = _fresh(rig, tmp_path / "fresh", with_file=True)
    made = fresh.wait(fresh.node.recovery.emergency_recover()).result()
    assert made == [entry]
    channel = fresh.node.channels.get(3)
    assert channel.is_stub
    assert channel.state is ChannelState.AWAITING_UNILATERAL
    assert fresh.node.channel_events.must_not_broadcast(channel)
    assert channel.static.local_basepoints.payment == key(43)
    assert channel.static.remote_basepoints.payment == key(13)
    assert channel.first_block == fresh.node.chain.height
    (dial,) = fresh.to_connectd(nw.ConnectdConnect)
    assert dial.addresses == ("127.0.0.1:9999",)
    assert fresh.wait(fresh.node.recovery.emergency_recover()).result() == []
    assert fresh.turn(fresh.node.channels.store.next_dbid) == 4
    assert fresh.file.channels[0].dbid == 3

    # Connected: it is asked to close; its own reestablish is answered with an error.
    fresh.meet(3)
    (asked,) = fresh.sent(pw.ChannelReestablish)
    assert (asked.next_commitment_number, asked.next_revocation_number) == (0, 0)
    fresh.says(3, asked)
    (error,) = fresh.sent(pw.Error)
    assert error.channel_id == entry.channel_id
    assert fresh.to_connectd(nw.ConnectdRoute) == []

    # Whatever the peer says, and after a restart too: nothing of it is ever broadcast by us.
    fresh.says(3, pw.Error(channel_id=entry.channel_id, data=b"you first"))
    fresh.restart()
    fresh.load()
    fresh.node.channel_events.start()
    fresh.spin()
    assert fresh.node.onchain.commitments == []
    channel = fresh.node.channels.get(3)
    with pytest.raises(UserError, match="only the peer can close it"):
        fresh.turn(lambda: fresh.node.channel_events.close_again(channel))
    assert fresh.node.peers.wants_connection(fresh.node.peers.of(peer_id(3)))
    assert not fresh.bugs
    fresh.close()


def test_a_spent_funding_is_looked_for_in_all_known_blocks(rig: BackupRig, tmp_path: Path) -> None:
    _lost(rig)
    fresh = _fresh(rig, tmp_path / "fresh", with_file=True)
    fresh.unspent = False
    fresh.wait(fresh.node.recovery.emergency_recover()).result()
    assert fresh.node.channels.get(3).first_block == 500
    fresh.close()


def test_a_backup_from_a_peer(rig: BackupRig, tmp_path: Path) -> None:
    entry = _lost(rig)
    blob = (rig.folder / file_io.FILE_NAME).read_bytes()
    old = rig.node.backup.seal(Backup(5, (entry,)))
    fresh = _fresh(rig, tmp_path / "fresh", with_file=False)
    fresh.node.clock.advance(50_000)
    for number, what in ((7, blob), (8, old)):
        fresh.meet(number, number)
        fresh.says(number, pw.PeerStorageRetrieval(blob=what), number)
    assert fresh.unusual().count("does not know") == 2
    assert fresh.node.channels.get(3) is None  # nobody has asked yet
    found = fresh.node.backup.best()
    assert found.source == f"peer {peer_id(7).hex()}"
    # A channel that is opened now takes no number of one that may come back.
    assert fresh.turn(fresh.node.channels.store.next_dbid) == 4
    # A peer cannot replace what it gave by something older.
    fresh.says(7, pw.PeerStorageRetrieval(blob=old), 7)
    assert fresh.node.backup.best().backup.timestamp == rig.file.timestamp
    assert fresh.wait(fresh.node.recovery.emergency_recover()).result() == [entry]
    assert [e.dbid for e in fresh.file.channels] == [3]
    fresh.close()


def test_recovering_uses_what_comes_at_once(rig: BackupRig, tmp_path: Path) -> None:
    _lost(rig)
    blob = (rig.folder / file_io.FILE_NAME).read_bytes()
    fresh = _fresh(rig, tmp_path / "fresh", with_file=False)
    fresh.node.recovery.automatic = True
    fresh.meet(3)
    fresh.says(3, pw.PeerStorageRetrieval(blob=blob))
    assert fresh.node.channels.get(3).is_stub
    assert len(fresh.sent(pw.ChannelReestablish)) == 1
    fresh.close()


def test_what_cannot_be_restored(rig: BackupRig, tmp_path: Path) -> None:
    entry = _lost(rig)
    assert rig.node.recovery.refusal(entry) == "the database has this channel already"
    path = tmp_path / "fresh"
    path.mkdir()
    fresh = BackupRig(path)
    with pytest.raises(UserError, match="no peer has given a backup back"):
        (fresh.folder / file_io.FILE_NAME).unlink()
        fresh.wait(fresh.node.recovery.emergency_recover()).result()
    other = fresh.open_channel(3, to_local=Msat(1))
    different = ScbChannel(
        dbid=3,
        channel_id=entry.peer_id[1:],  # type: ignore[arg-type]
        peer_id=entry.peer_id,
        address=None,
        funding=entry.funding,
        funding_amount=entry.funding_amount,
        channel_type=b"",
    )
    assert "another channel number 3" in fresh.node.recovery.refusal(different)
    assert fresh.wait(fresh.node.recovery.restore((different,))).result() == []
    assert fresh.node.channels.get(3) is other
    fresh.close()
