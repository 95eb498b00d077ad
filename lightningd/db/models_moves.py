"""Tables of what moved the node's money, and of connections that came and went."""

from __future__ import annotations

from peewee import SQL, BlobField, IntegerField, TextField

from pylightningd.lightningd.db.models import Table

NO_BYTES = SQL("DEFAULT x''")


class ChainMoves(Table):
    """Money that a transaction in a block moved. `tags`: the first one is the primary one."""

    account = TextField()
    tags = TextField()
    credit = IntegerField()
    debit = IntegerField()
    timestamp = IntegerField()
    txid = BlobField()
    outnum = IntegerField()
    spending_txid = BlobField(constraints=[NO_BYTES])
    peer_id = BlobField(null=True)
    payment_hash = BlobField(null=True)
    block_height = IntegerField()
    output_sat = IntegerField()
    originating_account = TextField(null=True)
    output_count = IntegerField(default=0)

    class Meta:
        table_name = "chain_moves"
        indexes = ((("txid", "outnum"), False),)


class ChannelMoves(Table):
    """Money that moved inside a channel."""

    account = TextField()
    tag = TextField()
    credit = IntegerField()
    debit = IntegerField()
    timestamp = IntegerField()
    payment_hash = BlobField(null=True)
    payment_part_id = IntegerField(null=True)
    payment_group_id = IntegerField(null=True)
    fees = IntegerField()

    class Meta:
        table_name = "channel_moves"


class NetworkEvents(Table):
    """A connection that was made, failed or ended, or a ping that was answered."""

    peer_id = BlobField()
    type = TextField()
    timestamp = IntegerField()
    reason = TextField(null=True)
    duration_nsec = IntegerField(null=True)
    connect_attempted = IntegerField(null=True)

    class Meta:
        table_name = "network_events"


TABLES: tuple[type[Table], ...] = (ChainMoves, ChannelMoves, NetworkEvents)
