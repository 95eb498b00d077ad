"""What one channel keeps in the database after a million commitments, written by the node's own row writers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.network import REGTEST
from pylightningd.common.shachain import MAX_INDEX, Shachain, generate_from_seed
from pylightningd.lightningd.channels.channel import LiveHtlc
from pylightningd.lightningd.db.channels_io import ChannelStore
from pylightningd.lightningd.db.connect_io import open_database
from tests.lightningd.channels.rig import make_channel

COMMITMENTS = 1_000_000
ROWS_EVERY = 1000
"""The row is the same size whichever commitment wrote it: not each of a million is written."""
HTLCS = 1000
_TABLES = {
    "channels": "id",
    "channel_sent_updates": "channel_id",
    "channel_feerates": "channel_id",
    "channel_state_changes": "channel_id",
}
_SENT = bytes(1366 + 86)
"""An update_add_htlc with its onion: kept until the peer has revoked."""
_TX_SIZE = 400


@dataclass(frozen=True, slots=True)
class Size:
    """In bytes."""

    channel: int
    """Every row of the channel but HTLCs."""
    dead_htlc: int
    """What one HTLC that is over adds to the file, with its places in indexes."""


def measure(commitments: int = COMMITMENTS) -> Size:
    """Make one channel grow old."""
    with tempfile.TemporaryDirectory(prefix="ln-bench-") as folder:
        path = Path(folder, "w.sqlite3")
        opened = open_database(f"sqlite3://{path}", REGTEST)
        try:
            return _grow(opened.connection, path, commitments)
        finally:
            opened.close()


def _grow(db: Any, path: Path, commitments: int) -> Size:
    store = ChannelStore(db)
    channel = make_channel(1, last_tx=bytes(_TX_SIZE))
    with db.atomic():
        store.insert(channel, store.peer_row(channel.peer_id, "", b""))
    seed = sha256(b"seed").digest()
    secrets = Shachain()
    for number in range(commitments):
        secrets = secrets.insert(MAX_INDEX - number, generate_from_seed(seed, MAX_INDEX - number))
        if number % ROWS_EVERY == 0 or number == commitments - 1:
            channel.shachain = secrets.encode()
            channel.revocations_received = number + 1
            channel.next_local_commitment = channel.next_remote_commitment = number + 2
            channel.last_sent_updates = (_SENT,)
            with db.atomic():
                store.save_commitment(channel)
                store.save_last_tx(channel)
                store.save_sent_updates(channel)
    found = sum(_bytes(db, table, key) for table, key in _TABLES.items())
    return Size(found, _dead_htlc(db, store, path))


def _bytes(db: Any, table: str, key: str) -> int:
    columns = [row[1] for row in db.execute_sql(f"PRAGMA table_info({table})").fetchall()]
    size = " + ".join(f"ifnull(length(CAST({name} AS BLOB)), 1)" for name in columns)
    row = db.execute_sql(f"SELECT sum({size}) FROM {table} WHERE {key}=1").fetchone()
    return int(row[0] or 0)


def _dead_htlc(db: Any, store: ChannelStore, path: Path) -> int:
    before = _file_size(db, path)
    htlcs = [_htlc(n) for n in range(HTLCS)]
    with db.atomic():
        for htlc in htlcs:
            store.insert_htlc(htlc)
            htlc.state = HtlcState.RCVD_REMOVE_ACK_REVOCATION
        store.save_htlc_states(htlcs)
    return (_file_size(db, path) - before) // HTLCS


def _file_size(db: Any, path: Path) -> int:
    db.execute_sql("VACUUM")
    db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def _htlc(number: int) -> LiveHtlc:
    return LiveHtlc(
        dbid=0,
        channel_dbid=1,
        id=number,
        offered_by_us=True,
        state=HtlcState.SENT_ADD_HTLC,
        amount=Msat(1_000_000),
        payment_hash=sha256(number.to_bytes(8, "big")).digest(),
        cltv_expiry=800_000,
        onion=b"",
        received_time=1_700_000_000.5,
    )
