"""Tables of the on-chain wallet: addresses given out, coins, transactions."""

from __future__ import annotations

from peewee import AutoField, BlobField, CompositeKey, IntegerField

from pylightningd.lightningd.db.models import Table


class Addresses(Table):
    """Keys given out as addresses. `addrtype`: 2 P2WPKH, 4 P2TR, 6 both."""

    keyidx = IntegerField(index=True)
    addrtype = IntegerField()

    class Meta:
        table_name = "addresses"
        primary_key = False


class OurOutputs(Table):
    """Coins, spent ones too. `blockheight` is 0 while unconfirmed; `txindex` 0 in a block is its coinbase."""

    txid = BlobField()
    outnum = IntegerField()
    blockheight = IntegerField(default=0, index=True)
    txindex = IntegerField(default=0)
    scriptpubkey = BlobField()
    satoshis = IntegerField()
    spendheight = IntegerField(null=True, index=True)
    spending_txid = BlobField(null=True)
    keyindex = IntegerField(default=0)
    reserved_til = IntegerField(default=0)
    # Outputs of a peer's unilateral close, whose key is the channel's.
    channel_dbid = IntegerField(null=True)
    peer_id = BlobField(null=True)
    csv = IntegerField(null=True)

    class Meta:
        table_name = "our_outputs"
        primary_key = CompositeKey("txid", "outnum")


class Transactions(Table):
    """Transactions that concern us. `blockheight` is null while unconfirmed."""

    id = BlobField(primary_key=True)
    blockheight = IntegerField(null=True, index=True)
    txindex = IntegerField(null=True)
    rawtx = BlobField()

    class Meta:
        table_name = "transactions"


class SentAll(Table):
    """Transactions one output of which takes what is left ("all"): who raises the fee may lower it."""

    txid = BlobField(primary_key=True)
    outnum = IntegerField()

    class Meta:
        table_name = "sent_all"


class TxReplacements(Table):
    """Transactions of ours that we have replaced by one that pays more."""

    txid = BlobField(primary_key=True)
    replaced_by = BlobField()

    class Meta:
        table_name = "tx_replacements"


class ChannelTxs(Table):
    """What happened on chain to a channel, to play again to onchaind after a restart."""

    id = AutoField()
    channel_id = IntegerField(index=True)
    type = IntegerField()
    transaction_id = BlobField()
    input_num = IntegerField()
    blockheight = IntegerField()

    class Meta:
        table_name = "channeltxs"


TABLES: tuple[type[Table], ...] = (
    Addresses,
    OurOutputs,
    Transactions,
    SentAll,
    TxReplacements,
    ChannelTxs,
)
