"""Table of the datastore: what plugins and users keep with the node."""

from __future__ import annotations

from peewee import BigIntegerField, BlobField

from pylightningd.lightningd.db.models import Table


class Datastore(Table):
    """`key` is its parts joined by a zero byte, so that children sort after their parent."""

    key = BlobField(primary_key=True)
    data = BlobField()
    generation = BigIntegerField()

    class Meta:
        table_name = "datastore"


TABLES = (Datastore,)
