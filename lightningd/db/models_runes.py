"""Tables of runes, under CLN's names."""

from __future__ import annotations

from peewee import BigIntegerField, TextField

from pylightningd.lightningd.db.models import Table


class Runes(Table):
    """A rune that we gave out. `id` is its unique id, counted from 0."""

    rune = TextField()
    last_used_nsec = BigIntegerField(null=True)

    class Meta:
        table_name = "runes"


class RunesBlacklist(Table):
    """Unique ids that count no more, both ends included."""

    start_index = BigIntegerField()
    end_index = BigIntegerField()

    class Meta:
        table_name = "runes_blacklist"
        primary_key = False


TABLES: tuple[type[Table], ...] = (Runes, RunesBlacklist)
