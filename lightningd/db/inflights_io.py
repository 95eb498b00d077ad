"""Rows of funding transactions that both sides made (table channel_funding_inflights). Called inside turns only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.wire.common_wire import JointFunding
from pylightningd.lightningd.channels.inflight import Inflight
from pylightningd.lightningd.db.blobs import pack_blobs, unpack_blobs

if TYPE_CHECKING:
    from pylightningd.lightningd.channels.channel import Channel


def insert_inflight(db: Any, channel: Channel, inflight: Inflight) -> None:
    """Both sides agree on the transaction."""
    static, funding = channel.static, inflight.funding
    db.execute_sql(
        "INSERT INTO channel_funding_inflights (channel_id, funding_tx_id, funding_tx_outnum, funding_feerate,"
        " funding_satoshi, our_funding_satoshi, funding_psbt, funding_tx_remote_sigs_received, joint_funding,"
        " wallet_signs) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
        (
            channel.dbid,
            static.funding.txid,
            static.funding.index,
            funding.feerate_perkw,
            static.funding_amount.sat,
            funding.our_funding.sat,
            inflight.psbt().to_bytes(),
            funding.write(),
            int(inflight.wallet_signs),
        ),
    )
    update_inflight(db, channel, inflight)


def update_inflight(db: Any, channel: Channel, inflight: Inflight) -> None:
    """Signatures came. The PSBT stays without them: they have columns of their own, and it may be long."""
    db.execute_sql(
        "UPDATE channel_funding_inflights SET last_tx=?, last_sig=?,"
        " funding_tx_remote_sigs_received=?, local_witnesses=?, remote_witnesses=? WHERE channel_id=?",
        (
            channel.last_tx if inflight.got_commitment else None,
            channel.last_sig if inflight.got_commitment else None,
            int(inflight.theirs is not None),
            _packed(inflight.ours),
            _packed(inflight.theirs),
            channel.dbid,
        ),
    )


def load_inflight(db: Any, dbid: int) -> Inflight | None:
    """The channel's funding transaction, where it was made by both and is not locked in."""
    row = db.execute_sql(
        "SELECT joint_funding, wallet_signs, last_sig, local_witnesses, remote_witnesses"
        " FROM channel_funding_inflights WHERE channel_id=?",
        (dbid,),
    ).fetchone()
    if row is None:
        return None
    return Inflight(
        funding=JointFunding.read(bytes(row[0]))[0],
        wallet_signs=bool(row[1]),
        got_commitment=row[2] is not None,
        ours=_unpacked(row[3]),
        theirs=_unpacked(row[4]),
    )


def _packed(witnesses: tuple[bytes, ...] | None) -> bytes | None:
    return None if witnesses is None else pack_blobs(witnesses)


def _unpacked(column: Any) -> tuple[bytes, ...] | None:
    return None if column is None else unpack_blobs(bytes(column))
