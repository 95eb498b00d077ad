"""Table of payments: one row for each part that was sent, or tried."""

from __future__ import annotations

from peewee import BlobField, IntegerField, TextField

from pylightningd.lightningd.db.models import Table


class Payments(Table):
    """One part of a payment out."""

    timestamp = IntegerField()
    status = IntegerField()
    payment_hash = BlobField()
    partid = IntegerField()
    groupid = IntegerField()
    destination = BlobField(null=True)
    msatoshi = IntegerField(null=True)
    msatoshi_sent = IntegerField()
    total_msat = IntegerField(null=True)
    payment_preimage = BlobField(null=True)
    path_secrets = BlobField(default=b"")
    route_nodes = BlobField(default=b"")
    route_channels = TextField(default="")
    failonionreply = BlobField(null=True)
    failcode = IntegerField(null=True)
    failindex = IntegerField(null=True)
    failnode = BlobField(null=True)
    failchannel = TextField(null=True)
    faildirection = IntegerField(null=True)
    failmessage = BlobField(null=True)
    faildestperm = IntegerField(default=0)
    faildetail = TextField(null=True)
    description = TextField(null=True)
    """The label (CLN's name for the column)."""
    paydescription = TextField(null=True)
    bolt11 = TextField(null=True)
    local_invreq_id = BlobField(null=True)
    completed_at = IntegerField(null=True)
    updated_index = IntegerField(default=0)

    class Meta:
        table_name = "payments"
        indexes = ((("payment_hash", "partid", "groupid"), True),)


TABLES: tuple[type[Table], ...] = (Payments,)
