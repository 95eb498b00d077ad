"""Tables of peers, channels, HTLCs and forwards."""

from __future__ import annotations

from peewee import (
    SQL,
    BlobField,
    CompositeKey,
    FloatField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from pylightningd.lightningd.db.models import Table

# Defaults that the database itself knows: rows are written with plain SQL.
ZERO = SQL("DEFAULT 0")
NO_BYTES = SQL("DEFAULT x''")
ZERO_HASH = SQL(f"DEFAULT x'{bytes(32).hex()}'")


class Peers(Table):
    """Nodes we have, or had, a channel with."""

    node_id = BlobField(unique=True)
    address = TextField(default="")
    feature_bits = BlobField(default=b"")

    class Meta:
        table_name = "peers"


class ChannelConfigs(Table):
    """The limits one side set for the other."""

    dust_limit_satoshis = IntegerField()
    max_htlc_value_in_flight_msat = IntegerField()
    channel_reserve_satoshis = IntegerField()
    htlc_minimum_msat = IntegerField()
    to_self_delay = IntegerField()
    max_accepted_htlcs = IntegerField()

    class Meta:
        table_name = "channel_configs"


class Channels(Table):
    """One row a channel. `id` is the number hsmd derives its keys from and is never used again."""

    peer = ForeignKeyField(Peers, column_name="peer_id")
    scid = IntegerField(null=True, index=True)
    full_channel_id = BlobField(index=True)
    channel_type = BlobField()
    channel_config_local = ForeignKeyField(ChannelConfigs, column_name="channel_config_local")
    channel_config_remote = ForeignKeyField(ChannelConfigs, column_name="channel_config_remote")
    state = IntegerField(index=True)
    funder = IntegerField()
    channel_flags = IntegerField()
    minimum_depth = IntegerField()
    funding_tx_id = BlobField()
    funding_tx_outnum = IntegerField()
    funding_satoshi = IntegerField()
    our_funding_satoshi = IntegerField(null=True)
    push_msatoshi = IntegerField()
    local_basepoints = BlobField()
    remote_basepoints = BlobField()
    local_upfront_shutdown_script = BlobField()
    remote_upfront_shutdown_script = BlobField()
    close_to = BlobField(null=True)
    shutdown_keyidx_local = IntegerField()
    opened_at = FloatField()
    first_blocknum = IntegerField()
    # Commitments
    next_index_local = IntegerField()
    next_index_remote = IntegerField()
    revocations_received = IntegerField()
    per_commit_remote = BlobField()
    next_per_commit_remote = BlobField(null=True)
    shachain_remote = BlobField()
    next_htlc_id = IntegerField()
    next_remote_htlc_id = IntegerField()
    last_was_revoke = IntegerField()
    msatoshi_local = IntegerField()
    msatoshi_remote = IntegerField()
    msatoshi_to_us_min = IntegerField()
    msatoshi_to_us_max = IntegerField()
    counters = TextField()
    last_tx = BlobField(constraints=[NO_BYTES])
    last_sig = BlobField(constraints=[NO_BYTES])
    last_htlc_sigs = BlobField(constraints=[NO_BYTES])
    mutual_close_tx = BlobField(constraints=[NO_BYTES])
    future_per_commitment_point = BlobField(null=True)
    # Life
    sent_channel_ready = IntegerField()
    funding_locked_remote = IntegerField()
    alias_local = IntegerField()
    alias_remote = IntegerField(null=True)
    shutdown_scriptpubkey_local = BlobField()
    shutdown_scriptpubkey_remote = BlobField()
    shutdown_wrong_txid = BlobField(null=True)
    shutdown_wrong_outnum = IntegerField(null=True)
    closer = TextField(null=True)
    close_cause = TextField()
    # Forwarding and gossip
    feerate_base = IntegerField()
    feerate_ppm = IntegerField()
    cltv_expiry_delta = IntegerField()
    htlc_minimum_msat = IntegerField()
    htlc_maximum_msat = IntegerField()
    ignore_fee_limits = IntegerField()
    remote_policy = TextField()
    remote_ann_sigs = BlobField()
    our_update = BlobField()
    last_stable_connection = IntegerField()

    class Meta:
        table_name = "channels"


class ChannelFundingInflights(Table):
    """Funding transactions that both sides made and that are not locked in (dual funding). CLN's names where it has them."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    funding_tx_id = BlobField()
    funding_tx_outnum = IntegerField()
    funding_feerate = IntegerField()
    funding_satoshi = IntegerField()
    our_funding_satoshi = IntegerField()
    funding_psbt = BlobField()
    last_tx = BlobField(null=True)
    last_sig = BlobField(null=True)
    funding_tx_remote_sigs_received = IntegerField()
    # Ours
    joint_funding = BlobField()
    wallet_signs = IntegerField()
    local_witnesses = BlobField(null=True)
    remote_witnesses = BlobField(null=True)

    class Meta:
        table_name = "channel_funding_inflights"
        primary_key = CompositeKey("channel", "funding_tx_id")


class ChannelSentUpdates(Table):
    """What the last commitment_signed we sent covered, as sent: long, so not part of a row that each round writes."""

    channel = ForeignKeyField(Channels, column_name="channel_id", primary_key=True)
    updates = BlobField()

    class Meta:
        table_name = "channel_sent_updates"


class ChannelFeerates(Table):
    """Feerates on their way into both commitments, by state."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    hstate = IntegerField()
    feerate_per_kw = IntegerField()

    class Meta:
        table_name = "channel_feerates"
        primary_key = CompositeKey("channel", "hstate")


class ChannelStateChanges(Table):
    """A channel's history."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    timestamp = FloatField()
    old_state = IntegerField(null=True)
    new_state = IntegerField()
    cause = TextField()
    message = TextField()

    class Meta:
        table_name = "channel_state_changes"


class ChannelHtlcs(Table):
    """HTLCs, dead ones too. `direction` 1: we offered it."""

    channel = ForeignKeyField(Channels, column_name="channel_id", on_delete="CASCADE")
    channel_htlc_id = IntegerField()
    direction = IntegerField()
    origin_htlc = IntegerField(null=True)
    origin_payment = IntegerField(null=True)
    msatoshi = IntegerField()
    cltv_expiry = IntegerField()
    payment_hash = BlobField()
    payment_key = BlobField(null=True)
    routing_onion = BlobField()
    path_key = BlobField(null=True)
    failuremsg = BlobField(null=True)
    malformed_onion = IntegerField(constraints=[ZERO])
    malformed_sha256 = BlobField(constraints=[ZERO_HASH])
    hstate = IntegerField()
    shared_secret = BlobField(null=True)
    received_time = FloatField()
    resolved_time = FloatField(null=True)
    updated_index = IntegerField(constraints=[ZERO])

    class Meta:
        table_name = "channel_htlcs"
        indexes = (
            (("channel", "channel_htlc_id", "direction"), True),
            (("origin_htlc",), False),
            (("origin_payment",), False),
        )


class Forwards(Table):
    """Each HTLC we forwarded, or were to. `in_htlc` is the row of the received HTLC."""

    in_htlc = IntegerField(unique=True)
    in_channel_scid = IntegerField()
    in_htlc_id = IntegerField()
    out_channel_scid = IntegerField(null=True)
    out_htlc_id = IntegerField(null=True)
    in_msatoshi = IntegerField()
    out_msatoshi = IntegerField(null=True)
    state = IntegerField()
    received_time = FloatField()
    resolved_time = FloatField(null=True)
    failcode = IntegerField(default=0)
    forward_style = IntegerField(default=1)
    updated_index = IntegerField(default=0)

    class Meta:
        table_name = "forwards"


TABLES: tuple[type[Table], ...] = (
    Peers,
    ChannelConfigs,
    Channels,
    ChannelFundingInflights,
    ChannelSentUpdates,
    ChannelFeerates,
    ChannelStateChanges,
    ChannelHtlcs,
    Forwards,
)
