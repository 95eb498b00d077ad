"""Where tests kill lightningd. Every message of a daemon that the master commits for is here: `tests/lightningd/test_persist_points.py`.

Names are those of `--dev-crash-at`.
"""

from __future__ import annotations

PAY_POINTS = ("channeld_sending_commitsig", "channeld_got_revoke", "channeld_got_commitsig")
OPEN_POINTS = ("openingd_done", "channeld_sending_channel_ready", "channeld_got_channel_ready")


CLOSE_POINTS = (
    "channeld_got_shutdown",
    "channeld_shutdown_complete",
    "closingd_got_signature",
    "closingd_done",
)
