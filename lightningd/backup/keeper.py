"""Keeps ``emergency.recover`` current, and knows what every backup at hand could bring back.

The file is written after the commit that makes a channel durable and before its funding goes out, and again when a
channel is over. Entries of a file that the database knows nothing of are never dropped: the database may be the one
that was lost (or an old copy), and then the file is all there is. The user may put such a file in place at any time, so
each write looks first at what it is about to replace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common.secret import Secret
from pylightningd.common.secretstream import (
    HEADER_SIZE,
    OVERHEAD,
    NotSealedWithThisKey,
    open_sealed,
    seal,
)
from pylightningd.common.shachain import MAX_INDEX, Shachain
from pylightningd.lightningd.backup import file_io
from pylightningd.lightningd.backup.scb import (
    Backup,
    BadBackup,
    RemotePoints,
    ScbChannel,
    address_of,
    decode_backup,
)

if TYPE_CHECKING:
    from pylightningd.common.bus.link import Incoming
    from pylightningd.common.ids import ChannelId
    from pylightningd.common.wire.runtime import Message
    from pylightningd.lightningd.channels.channel import Channel
    from pylightningd.lightningd.node import Node

MAX_BLOB = 65531
"""What fits into `peer_storage`."""
SMALL_BLOB = 1024
"""What LDK keeps at most."""
_MAX_MESSAGE = MAX_BLOB - OVERHEAD
REFRESH_BLOCKS = 6
"""How often the peers' secrets in the file are brought up to date, for penalties after a loss."""


@dataclass(frozen=True, slots=True)
class Found:
    """A backup, and where it was found."""

    source: str
    backup: Backup


class Backups:
    """The node's own backup, as file and as blob for peers."""

    def __init__(self, node: Node, key: Secret, folder: str) -> None:
        """`key` is the node's derived secret of the label "scb secret"."""
        self._node = node
        self._key = key
        self._folder = folder
        self._foreign: tuple[ScbChannel, ...] = ()
        """Entries that the database knows nothing of."""
        self._written: tuple[ScbChannel, ...] | None = None
        self._raw: bytes | None = None
        """The file as we read or wrote it last: with other bytes it was put there by somebody else."""
        self._is_replaced = False
        """Somebody else's file was looked at, and ours is not back in its place yet."""
        self.timestamp = 0
        """When the present content was first written."""
        self._loaded_timestamp = 0
        """The same of the content that the start found."""
        self._own_timestamps: set[int] = set()
        """Of what was written since the start."""
        self._blob: bytes | None = None
        self._secrets = 0
        """How many secrets the peers had revealed in all when `on_block` looked last."""
        self._too_large = False

    # Start

    def load(self) -> None:
        """Read the file, then write what the database knows. Raises OSError."""
        raw = file_io.read(self.path)
        if raw is not None:
            self._take(raw)
        elif len(self._node.channels) == 0:
            self._node.log("info", "Creating Emergency Recovery", source="backup")
        self.refresh()

    @property
    def path(self) -> str:
        """Of the file."""
        return f"{self._folder}/{file_io.FILE_NAME}"

    def _take(self, raw: bytes) -> None:
        backup = self._open_or_put_aside(raw)
        if backup is None:
            return
        self._raw, self._foreign = raw, self.unknown(backup)
        self._written, self.timestamp = (backup.channels, backup.timestamp)
        self._loaded_timestamp = backup.timestamp
        if backup.is_legacy:
            self._written = None
        self._blob = self._fitting(backup)
        self._tell_of_unknown(self._foreign)

    def _take_in_replaced(self) -> None:
        """What somebody else put in the file's place is not lost when ours is written. Raises OSError."""
        try:
            raw = file_io.read(self.path)
        except PermissionError as error:
            self._put_aside(error.strerror or str(error))
            raw = None
        if raw == self._raw:
            return
        backup = None if raw is None else self._open_or_put_aside(raw)
        if backup is not None:
            self.timestamp = max(self.timestamp, backup.timestamp)
            unknown = self.unknown(backup)
            self._tell_of_unknown(unknown)
            self.expect(unknown)
        self._raw, self._is_replaced = raw, True

    def _open_or_put_aside(self, raw: bytes) -> Backup | None:
        try:
            return self.open(raw)
        except BadBackup as error:
            self._put_aside(str(error))
            return None

    def _put_aside(self, why: str) -> None:
        name = file_io.move_aside(self._folder, int(self._node.clock.now()))
        self._node.log(
            "unusual",
            f"{file_io.FILE_NAME} cannot be used ({why}): it is now called {name}",
            source="backup",
        )

    def _tell_of_unknown(self, entries: tuple[ScbChannel, ...]) -> None:
        if entries:
            self._node.log(
                "unusual",
                f"{file_io.FILE_NAME} has {len(entries)} channels that the database does not know. If the "
                "database was lost, emergencyrecover brings their funds back",
                source="backup",
            )

    # Content

    def entries(self) -> tuple[ScbChannel, ...]:
        """One for each channel that is not over."""
        return tuple(self._entry(c) for c in self._node.channels)

    def _entry(self, channel: Channel) -> ScbChannel:
        static, peer = channel.static, self._node.peers.of(channel.peer_id)
        points = static.remote_basepoints
        return ScbChannel(
            dbid=channel.dbid,
            channel_id=channel.channel_id,
            peer_id=channel.peer_id,
            address=address_of(peer.reachable_address or peer.address),
            funding=static.funding,
            funding_amount=static.funding_amount,
            channel_type=static.channel_type,
            shachain=Shachain.decode(channel.shachain),
            remote_points=RemotePoints(
                revocation=points.revocation,
                payment=points.payment,
                htlc=points.htlc,
                delayed_payment=points.delayed_payment,
            ),
            we_are_opener=static.we_are_opener,
            to_self_delay=static.local_config.to_self_delay,
        )

    def unknown(self, backup: Backup) -> tuple[ScbChannel, ...]:
        """Its entries that the database has no row of."""
        return tuple(e for e in backup.channels if not self.is_known(e.channel_id))

    def reserve_numbers(self, entries: Iterable[ScbChannel]) -> None:
        """New channels must not take the numbers of those that may yet be restored. Inside a turn."""
        highest = max((e.dbid for e in entries), default=0)
        if highest:
            self._node.channels.store.reserve_dbid(highest)

    @property
    def foreign(self) -> tuple[ScbChannel, ...]:
        """Entries of the file that the database knows nothing of."""
        return self._foreign

    def is_known(self, channel_id: ChannelId) -> bool:
        """Whether the database has, or had, this channel."""
        channels = self._node.channels
        return channels.by_channel_id(channel_id) is not None or channels.store.knows(channel_id)

    def is_from_the_future(self, backup: Backup) -> bool:
        """Whether this node wrote it after all that it remembers: then it runs on an old copy of its folder."""
        return (
            0 < self._loaded_timestamp < backup.timestamp
            and backup.timestamp not in self._own_timestamps
        )

    def expect(self, entries: Iterable[ScbChannel]) -> None:
        """Keep those that the database does not know in the file, and their numbers free, until it does."""
        kept = {e.channel_id: e for e in self._foreign}
        for entry in entries:
            before = kept.get(entry.channel_id)
            if self.is_known(entry.channel_id):
                continue
            if before is None or _usefulness(entry) > _usefulness(before):
                kept[entry.channel_id] = entry
        self._foreign = tuple(kept.values())
        if self._foreign:
            self._node.turn.submit(partial(self.reserve_numbers, self._foreign))

    def restored(self, channel_ids: set[ChannelId]) -> None:
        """These are in the database now. Call inside a turn."""
        before = self._foreign
        self._foreign = tuple(e for e in before if e.channel_id not in channel_ids)
        self._node.turn.on_rollback(partial(setattr, self, "_foreign", before))
        self.changed()

    # Writing

    def before_funding(self, incoming: Incoming, reply: Message) -> None:
        """Answer a daemon once the file is written: what it waits with lets a funding go out. Inside a turn."""
        self._node.turn.after_commit(partial(self._write_and_reply, incoming, reply))

    def _write_and_reply(self, incoming: Any, reply: Message) -> None:
        try:
            self.refresh()
        except OSError as error:
            # The funding has not gone out; once the file can be written, the next start lets it.
            self._node.fatal(f"Cannot write {self.path}: {error.strerror or error}")
            return
        incoming.reply(reply)

    def changed(self) -> None:
        """A channel came or went: bring the file up to date after the commit. Inside a turn."""
        self._node.turn.after_commit(self.refresh_or_complain)

    def refresh_or_complain(self) -> None:
        """Bring the file up to date; where that fails the old one stays."""
        try:
            self.refresh()
        except OSError as error:
            self._node.log(
                "broken",
                f"Cannot write {self.path}, an older backup stays: {error.strerror or error}",
                source="backup",
            )

    def on_block(self, height: int) -> None:
        """The peers' secrets grow with every payment: not each is worth a write."""
        if height % REFRESH_BLOCKS or not self._node.is_up:
            return
        secrets = sum(channel.revocations_received for channel in self._node.channels)
        if secrets != self._secrets:
            self._secrets = secrets
            self._node.turn.after_commit(self.refresh_or_complain)

    def refresh(self) -> None:
        """Write the file if its content changed, and offer it to the peers. Raises OSError."""
        self._take_in_replaced()
        entries = self.entries()
        here = {e.channel_id for e in entries}
        wanted = entries + tuple(e for e in self._foreign if e.channel_id not in here)
        if wanted == self._written and not self._is_replaced:
            return
        # A clock that was set back must not make the newer backup look like the older one.
        timestamp = max(int(self._node.clock.now()), self.timestamp + 1)
        backup = Backup(timestamp, wanted)
        sealed = self.seal(backup)
        file_io.replace(self._folder, sealed)
        self._raw, self._is_replaced = sealed, False
        self._node.log("debug", "Updating the SCB file...", source="backup")
        self._written, self.timestamp = wanted, timestamp
        self._own_timestamps.add(timestamp)
        self._blob = self._fitting(backup)
        self._node.peer_storage.offer_ours()

    def _fitting(self, backup: Backup) -> bytes | None:
        """What peers are given to keep: without the peers' secrets where all of it is too large."""
        message = backup.encode()
        if len(message) > _MAX_MESSAGE:
            slim = tuple(replace(c, shachain=None) for c in backup.channels)
            message = Backup(backup.timestamp, slim).encode()
        if len(message) <= _MAX_MESSAGE:
            self._too_large = False
            return self._sealed(_padded(message))
        if not self._too_large:
            self._too_large = True
            self._node.log(
                "unusual",
                f"Peer backup would be {len(message) + OVERHEAD} bytes: too large for peers to keep. Copy "
                f"{file_io.FILE_NAME} to a safe place yourself",
                source="backup",
            )
        return None

    @property
    def blob(self) -> bytes | None:
        """What peers are to keep for us; None where there is nothing, or it does not fit."""
        return self._blob if self._written else None

    # The cipher

    def seal(self, backup: Backup) -> bytes:
        """As the file holds it."""
        return self._sealed(backup.encode())

    def _sealed(self, message: bytes) -> bytes:
        return seal(self._key.reveal(), self._node.entropy.take(HEADER_SIZE), message)

    def open(self, raw: bytes) -> Backup:
        """What a file or a peer's storage holds. Raises BadBackup."""
        return open_backup(self._key, raw)

    def from_file(self) -> Backup | None:
        """What the file holds now; None where there is none. Raises BadBackup, OSError."""
        raw = file_io.read(self.path)
        return None if raw is None else self.open(raw)

    def best(self) -> Found | None:
        """The newest backup, of file and peers', that knows channels which the database does not; else the file.

        Raises BadBackup, OSError.
        """
        mine = self.from_file()
        found = [] if mine is None else [Found("file", mine)]
        for peer_id, blob in self._node.peer_storage.returned():
            try:
                found.append(Found(f"peer {peer_id.hex()}", self.open(blob)))
            except BadBackup:
                continue  # kept by a version that could read it
        useful = [f for f in found if self.unknown(f.backup)]
        if useful:
            return max(useful, key=lambda f: f.backup.timestamp)
        return found[0] if found else None


def _padded(message: bytes) -> bytes:
    """For peers: of one of two sizes, whatever is in it."""
    # BOLT 1, "The `peer_storage` and `peer_storage_retrieval` Messages", sender SHOULD pad the blob to exactly 65531
    # bytes: its size tells how many channels we have. CLN reads such a blob, as it ignores what follows the last
    # entry, but sends none: LDK refuses all above 1024 bytes. So a backup that is small enough for LDK stays so, as
    # one that is kept is worth more than a size that is hidden, and only that it is small can be seen.
    # The file is not padded: no peer sees it, and it may be larger.
    size = SMALL_BLOB if len(message) + OVERHEAD <= SMALL_BLOB else MAX_BLOB
    return message.ljust(size - OVERHEAD, b"\0")


def _usefulness(entry: ScbChannel) -> tuple[bool, int]:
    """Of two entries for one channel the one that can punish more revoked commitments is kept."""
    known = 0 if entry.shachain is None else MAX_INDEX - entry.shachain.next_index
    return entry.can_punish, known


def open_backup(key: Secret, raw: bytes) -> Backup:
    """Decrypt and read. Raises BadBackup."""
    if len(raw) < OVERHEAD:
        raise BadBackup("it is too short")
    try:
        return decode_backup(open_sealed(key.reveal(), raw))
    except NotSealedWithThisKey:
        raise BadBackup("it is damaged, or of another node") from None
