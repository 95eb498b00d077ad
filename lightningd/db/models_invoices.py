"""Table of invoices."""

from __future__ import annotations

from peewee import BlobField, IntegerField, TextField

from pylightningd.lightningd.db.models import Table


class Invoices(Table):
    """One invoice. `state` 0: unpaid, 1: paid, 2: expired."""

    state = IntegerField()
    msatoshi = IntegerField(null=True)
    payment_hash = BlobField(unique=True)
    payment_key = BlobField()
    payment_secret = BlobField()
    label = TextField(unique=True)
    expiry_time = IntegerField()
    pay_index = IntegerField(null=True, unique=True)
    msatoshi_received = IntegerField(null=True)
    paid_timestamp = IntegerField(null=True)
    bolt11 = TextField(null=True)
    description = TextField(null=True)
    min_final_cltv = IntegerField()
    local_offer_id = BlobField(null=True)
    updated_index = IntegerField(default=0)

    class Meta:
        table_name = "invoices"
        indexes = ((("state", "expiry_time"), False),)


TABLES: tuple[type[Table], ...] = (Invoices,)
