"""Table of the blocks that were processed."""

from __future__ import annotations

from peewee import BlobField, IntegerField

from pylightningd.lightningd.db.models import Table


class Blocks(Table):
    """One row a block of the best chain, from the first one we processed. Hashes in serialised order."""

    height = IntegerField(primary_key=True)
    hash = BlobField()
    prev_hash = BlobField(null=True)

    class Meta:
        table_name = "blocks"


TABLES: tuple[type[Table], ...] = (Blocks,)
