"""Tables of offers and of invoice requests that we published. `status`: see `offers_io.OfferStatus`."""

from __future__ import annotations

from peewee import BlobField, IntegerField, TextField

from pylightningd.lightningd.db.models import Table


class Offers(Table):
    """One offer of ours. The id is the Merkle root of its fields."""

    offer_id = BlobField(primary_key=True)
    bolt12 = TextField()
    label = TextField(null=True)
    status = IntegerField()
    force_paths = IntegerField(default=0)

    class Meta:
        table_name = "offers"


class Invoicerequests(Table):
    """One invoice request of ours that answers no offer."""

    invreq_id = BlobField(primary_key=True)
    bolt12 = TextField()
    label = TextField(null=True)
    status = IntegerField()

    class Meta:
        table_name = "invoicerequests"


TABLES: tuple[type[Table], ...] = (Offers, Invoicerequests)
