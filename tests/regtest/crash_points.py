"""Where tests kill lightningd. Every message of a daemon that the master commits for is here: `tests/lightningd/test_persist_points.py`.

Names are those of `--dev-crash-at`.
"""

from __future__ import annotations

PAY_POINTS = ("channeld_sending_commitsig", "channeld_got_revoke", "channeld_got_commitsig")
BEGIN_POINTS = {
    "opener": ("Wallet.draft", "OpeningControl.open"),
    "accepter": ("OpeningControl._accept",),
}
"""Of an opening, before anything of it is on disk."""
OPEN_POINTS = ("openingd_done", "channeld_sending_channel_ready", "channeld_got_channel_ready")


TAKE_UP_POINTS = ("connectd_peer_connected", "channeld_reestablished")
FEE_POINTS = ("channeld_sending_commitsig",)
"""The first commitment of a new connection, which brings a new feerate."""
CLOSE_POINTS = (
    "channeld_got_shutdown",
    "channeld_shutdown_complete",
    "closingd_got_signature",
    "closingd_done",
)

BLOCK = "ChainWatcher._connect"
"""The turn of a block: what it holds for the wallet and for channels, their depths and deadlines."""
CLAIM = "Claims._write"
"""A transaction that takes outputs of a closed channel is signed and about to leave."""
ONCHAIN_POINTS = (
    "onchaind_recognised",
    "onchaind_watch",
    "onchaind_claims",
    "onchaind_to_us",
    "onchaind_progress",
)
"""What onchaind says of a commitment as soon as it is told of it, and again at each start."""
RESOLVED_POINTS = ("onchaind_all_resolved",)
PREIMAGE_POINTS = ("onchaind_extracted_preimage",)
"""The peer took an HTLC with the preimage."""
