"""Tables of channels that are on the chain: the facts onchaind is told again after a restart."""

from __future__ import annotations

from peewee import BlobField, FloatField, ForeignKeyField, IntegerField, TextField

from pylightningd.lightningd.db.models import Table
from pylightningd.lightningd.db.models_channels import Channels


class OnchainSpends(Table):
    """Transactions in blocks that spend a channel's outputs: the funding output, and what follows from it."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    txid = BlobField()
    outnum = IntegerField()
    spender = BlobField()
    blockheight = IntegerField(index=True)

    class Meta:
        table_name = "onchain_spends"
        indexes = ((("channel", "txid", "outnum"), True),)


class OnchainTxs(Table):
    """The transactions themselves: one may spend hundreds of outputs."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    txid = BlobField()
    tx = BlobField()

    class Meta:
        table_name = "onchain_txs"
        indexes = ((("channel", "txid"), True),)


class OnchainClaims(Table):
    """Our newest transaction that takes outputs, by its first input, so that the next one pays more."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    txid = BlobField()
    outnum = IntegerField()
    kind = TextField()
    tx = BlobField()
    fee_satoshi = IntegerField()
    # What was wanted of it, and the height at which it was first sent: not to be raised again by a restart alone.
    feerate_perkw = IntegerField()
    sent_height = IntegerField()

    class Meta:
        table_name = "onchain_claims"
        indexes = ((("channel", "txid", "outnum"), True),)


class OnchainSweeps(Table):
    """The wallet key that a channel's claims pay to."""

    channel = ForeignKeyField(
        Channels, column_name="channel_id", primary_key=True, on_delete="CASCADE"
    )
    keyidx = IntegerField()

    class Meta:
        table_name = "onchain_sweeps"


class ChannelCloseSteps(Table):
    """Why a channel was closed, step by step."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    timestamp = FloatField()
    blockheight = IntegerField()
    who = TextField()
    event = TextField()
    message = TextField()
    txid = BlobField(null=True)

    class Meta:
        table_name = "channel_close_steps"


TABLES: tuple[type[Table], ...] = (
    OnchainSpends,
    OnchainTxs,
    OnchainClaims,
    OnchainSweeps,
    ChannelCloseSteps,
)
