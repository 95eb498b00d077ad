"""Blobs that peers gave us to keep, and our own that they gave back."""

from __future__ import annotations

from peewee import BlobField, IntegerField

from pylightningd.lightningd.db.models import Table


class PeerStorage(Table):
    """One row a peer: the last `peer_storage` it sent."""

    node_id = BlobField(primary_key=True)
    blob = BlobField()
    updated_at = IntegerField()
    no_channel_since = IntegerField(null=True)
    """Height at which its last channel was seen to be over."""

    class Meta:
        table_name = "peer_storage"


class ReturnedBackups(Table):
    """One row a peer: a backup of ours, still encrypted, that knew more than our database when it came back."""

    node_id = BlobField(primary_key=True)
    blob = BlobField()
    timestamp = IntegerField()

    class Meta:
        table_name = "returned_backups"


TABLES = (PeerStorage, ReturnedBackups)
