"""Funding outputs of public channels, so that each block tells which of them are spent."""

from __future__ import annotations

from peewee import BlobField, CompositeKey, IntegerField

from pylightningd.lightningd.db.models import Table


class GossipTxos(Table):
    """An unspent funding output that gossipd has asked for."""

    txid = BlobField()
    outnum = IntegerField()
    scid = IntegerField()

    class Meta:
        table_name = "gossip_txos"
        primary_key = CompositeKey("txid", "outnum")


TABLES = (GossipTxos,)
