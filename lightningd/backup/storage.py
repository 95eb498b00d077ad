"""Peer storage (BOLT 1, "Peer storage"): we keep a blob for each peer, and peers keep our backup."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common import features as ft
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.backup.keeper import MAX_BLOB
from pylightningd.lightningd.backup.scb import Backup, BadBackup

if TYPE_CHECKING:
    from pylightningd.common.ids import NodeId
    from pylightningd.lightningd.db.backup_io import BackupStore
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.peers import Peer

SECONDS_BETWEEN_UPDATES = 60
BLOCKS_AFTER_CLOSE = 2016
_SWEEP_BLOCKS = 100


class PeerStorage:
    """Both directions."""

    def __init__(self, node: Node, store: BackupStore) -> None:
        self._node = node
        self._store = store
        self._waiting: dict[NodeId, bytes] = {}
        """Updates that came too soon after the last; written when their time has come."""
        self._last_kept: dict[NodeId, float] = {}

    def agreed(self, peer: Peer) -> bool:
        """Whether both sides offer it."""
        ours = self._node.features["init"]
        return ft.negotiated(ours, peer.features, ft.PROVIDE_STORAGE)

    # A connection begins

    def connected(self, peer: Peer) -> None:
        """Hand a peer its blob, and give it ours. Inside a turn, before any channel has its route."""
        if not ft.offers(self._node.features["init"], ft.PROVIDE_STORAGE):
            return
        # BOLT 1, "The `peer_storage` and `peer_storage_retrieval` Messages", MUST send peer_storage_retrieval after init with the last blob stored, and not
        # after channel_reestablish: a peer that lost its data must hear of it first.
        kept = self._waiting.get(peer.id) or self._store.kept_for(peer.id)
        if kept is not None:
            self._say(peer, "sending their backup")
            self._send(peer, pw.PeerStorageRetrieval(blob=kept))
        if self._is_keeper(peer):
            self._give(peer)

    def offer_ours(self) -> None:
        """Our backup changed: give it to all peers that keep one. After a commit."""
        for peer in self._node.peers.all():
            if peer.accepted and self._is_keeper(peer):
                self._node.turn.submit(partial(self._give_if_connected, peer, peer.connection))

    def _is_keeper(self, peer: Peer) -> bool:
        return self.agreed(peer) and bool(self._node.channels.of_peer(peer.id))

    def _give_if_connected(self, peer: Peer, connection: int | None) -> None:
        if peer.connection == connection:
            self._give(peer)

    def _give(self, peer: Peer) -> None:
        blob = self._node.backup.blob
        if blob is not None:
            self._say(peer, "Peer storage sent!")
            self._send(peer, pw.PeerStorage(blob=blob))

    # What peers send; inside turns

    def on_storage(self, peer: Peer, msg: pw.PeerStorage) -> None:
        """A peer wants us to keep something."""
        # BOLT 1, "The `peer_storage` and `peer_storage_retrieval` Messages", receiver MUST store it if it offered the feature and has a channel with the sender.
        if not ft.offers(self._node.features["init"], ft.PROVIDE_STORAGE):
            return
        if not self._node.channels.of_peer(peer.id):
            self._say(peer, "Ignoring peer storage: we have no channel")
            return
        if len(msg.blob) > MAX_BLOB:
            self._say(peer, f"Ignoring peer storage of {len(msg.blob)} bytes")
            return
        now = self._node.clock.now()
        wait = (
            self._last_kept.get(peer.id, -SECONDS_BETWEEN_UPDATES) + SECONDS_BETWEEN_UPDATES - now
        )
        if wait <= 0:
            self._keep(peer.id, msg.blob)
            return
        # BOLT 1, "The `peer_storage` and `peer_storage_retrieval` Messages", MAY delay storage to one update per minute. The newest of them counts.
        if peer.id not in self._waiting:
            later = partial(self._node.turn.submit, partial(self._keep_waiting, peer.id))
            self._node.call_later(wait, later)
        self._waiting[peer.id] = msg.blob

    def _keep_waiting(self, peer_id: NodeId) -> None:
        blob = self._waiting.pop(peer_id, None)
        if blob is not None:
            self._keep(peer_id, blob)

    def _keep(self, peer_id: NodeId, blob: bytes) -> None:
        now = self._node.clock.now()
        self._last_kept[peer_id] = now
        self._store.keep(peer_id, blob, int(now))

    def on_retrieval(self, peer: Peer, msg: pw.PeerStorageRetrieval) -> None:
        """A peer gives our backup back: is it ours, and the newest?"""
        self._say(peer, "Received peer_storage from peer.")
        keeper = self._node.backup
        try:
            backup = keeper.open(msg.blob)
        except BadBackup as error:
            self._node.log(
                "unusual",
                f"PeerStorageFailed!: what the peer kept for us cannot be used: {error}",
                peer_id=peer.id,
                source="backup",
            )
            return
        missing = keeper.unknown(backup)
        if missing:
            keeper.reserve_numbers(missing)
            self._news(peer, msg.blob, backup, len(missing))
        elif keeper.is_from_the_future(backup):
            self._node.log(
                "unusual",
                "The peer kept a newer backup than ours: is this an old copy of the node's folder? Channels whose state "
                "is old must be closed by their peers",
                peer_id=peer.id,
                source="backup",
            )
        elif backup.timestamp < keeper.timestamp and keeper.blob is not None:
            self._node.log(
                "unusual",
                "The peer kept an old backup of ours, not the last one we sent",
                peer_id=peer.id,
                source="backup",
            )

    def _news(self, peer: Peer, blob: bytes, backup: Backup, missing: int) -> None:
        node = self._node
        self._store.put_returned(peer.id, blob, backup.timestamp)
        node.log(
            "unusual",
            f"The peer gave back a backup of ours with {missing} channels that the database does not know. If the "
            "database was lost, emergencyrecover brings their funds back",
            peer_id=peer.id,
            source="backup",
        )
        node.turn.after_commit(node.recovery.backup_came)

    def returned(self) -> list[tuple[NodeId, bytes]]:
        """Backups of ours that came back and knew more than the database, newest first."""
        return self._store.returned()

    # Old ones

    def on_block(self, height: int) -> None:
        """Drop blobs of peers whose channels are long over. Inside the block's turn."""
        # BOLT 1, "The `peer_storage` and `peer_storage_retrieval` Messages", SHOULD wait at least 2016 blocks after all channels are closed.
        if height % _SWEEP_BLOCKS:
            return
        for peer_id, since in self._store.keepers():
            has_channels = bool(self._node.channels.of_peer(peer_id))
            if has_channels or since is None:
                self._store.note_channels(peer_id, None if has_channels else height)
            elif height - since >= BLOCKS_AFTER_CLOSE:
                self._store.drop(peer_id)

    def _send(self, peer: Peer, msg: Any) -> None:
        self._node.connectd.send(peer, msg.encode())

    def _say(self, peer: Peer, text: str) -> None:
        self._node.log("debug", text, peer_id=peer.id, source="backup")
