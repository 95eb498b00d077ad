"""The options that channels and peers look at, read once, with their units as types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pylightningd.common.amount import MAX_MSAT, Msat, Sat
from pylightningd.common.onion.failure import MIN_BODY

if TYPE_CHECKING:
    from pylightningd.lightningd.config import Config

_MAX_TO_SELF_DELAY = 2016
_NEVER = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """See `config_table.py` for what each option means."""

    fee_base: int
    fee_per_satoshi: int
    cltv_delta: int
    cltv_final: int
    htlc_minimum: Msat
    htlc_maximum: Msat
    watchtime_blocks: int
    funding_confirms: int
    max_concurrent_htlcs: int
    max_to_self_delay: int
    min_capacity: Sat
    max_dust_exposure: Msat
    allow_dust_reserve: bool
    ignore_fee_limits: bool
    feerate_offset_perkw: int
    commit_time_ms: int
    disable_commit_after: int
    reconnect: bool
    fast_reconnect: bool
    workers: int
    no_htlc_timeout: bool
    """For tests: channeld waits for ever for a revoke_and_ack."""
    onion_reply_length: int
    """Bytes that failure message and padding fill at the least."""
    any_channel_type: bool
    """For tests: any channel_type may be asked for, and is accepted."""
    max_funding_unconfirmed: int
    """Blocks that a peer's channel may wait for its funding transaction."""
    shutdown_destination_may_change: bool
    """For tests: close may name another address than was promised to the peer."""
    reconnect_private: bool
    """Whether to reach out to peers whose channels are all unannounced."""
    fast_gossip_prune: bool
    """For tests: an update of ours is said again after 90 seconds, since it holds for two minutes."""
    strict_forwarding: bool
    """For tests: an HTLC goes out on the channel that its onion names, never on a better one with the same peer."""


def read_settings(config: Config, cores: int) -> Settings:
    """From what the user set; `cores` is how many this process may use."""
    after = config["dev-disable-commit-after"]
    return Settings(
        fee_base=config["fee-base"],
        fee_per_satoshi=config["fee-per-satoshi"],
        cltv_delta=config["cltv-delta"],
        cltv_final=config["cltv-final"],
        htlc_minimum=Msat(config["htlc-minimum-msat"]),
        htlc_maximum=Msat(min(config["htlc-maximum-msat"], MAX_MSAT)),
        watchtime_blocks=config["watchtime-blocks"],
        funding_confirms=config["funding-confirms"],
        max_concurrent_htlcs=config["max-concurrent-htlcs"],
        max_to_self_delay=_MAX_TO_SELF_DELAY,
        min_capacity=Sat(config["min-capacity-sat"]),
        max_dust_exposure=Msat(min(config["max-dust-htlc-exposure-msat"], MAX_MSAT)),
        allow_dust_reserve=config["dev-allowdustreserve"],
        ignore_fee_limits=config["ignore-fee-limits"],
        feerate_offset_perkw=config["commit-feerate-offset"],
        commit_time_ms=config["commit-time"],
        disable_commit_after=_NEVER if after < 0 else after,
        reconnect=not (config["dev-no-reconnect"] or config["offline"]),
        fast_reconnect=bool(config["dev-fast-reconnect"]),
        workers=config["channeld-workers"] or cores,
        no_htlc_timeout=bool(config["dev-no-htlc-timeout"]),
        onion_reply_length=config["dev-onion-reply-length"] or MIN_BODY,
        any_channel_type=bool(config["dev-any-channel-type"]),
        max_funding_unconfirmed=config["dev-max-funding-unconfirmed-blocks"],
        shutdown_destination_may_change=bool(config["dev-allow-shutdown-destination-change"]),
        reconnect_private=not config["dev-no-reconnect-private"],
        fast_gossip_prune=bool(config["dev-fast-gossip-prune"]),
        strict_forwarding=bool(config["dev-strict-forwarding"]),
    )
