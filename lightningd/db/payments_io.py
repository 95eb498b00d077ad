"""Rows of payments out, to and from `Part`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.lightningd.db.indexes_io import EVERYTHING, Window
from pylightningd.lightningd.db.wide import from_column, to_column

if TYPE_CHECKING:
    from pylightningd.lightningd.db.connect_io import WalletDatabase


class PaymentStatus(IntEnum):
    """CLN's numbers; in lower case the words of listsendpays."""

    PENDING = 0
    COMPLETE = 1
    FAILED = 2


@dataclass(slots=True, kw_only=True)
class Failure:
    """Why a part failed, as far as we can tell. `index` counts from 0, which is us."""

    code: int = 0
    index: int | None = None
    node: NodeId | None = None
    channel: ShortChannelId | None = None
    direction: int | None = None
    message: bytes = b""
    """The failure message in clear."""
    onion: bytes | None = None
    """What came back, where nobody could read it."""
    destination_permanent: bool = False
    """The destination itself refuses for good: another route does not help."""
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Part:
    """One part of a payment."""

    id: int = 0
    created_at: int
    status: PaymentStatus = PaymentStatus.PENDING
    payment_hash: bytes
    partid: int
    groupid: int
    destination: NodeId | None
    amount: Msat | None
    """What the destination gets."""
    amount_sent: Msat
    """What leaves us."""
    total: Msat | None
    """Of all parts of the group."""
    preimage: bytes | None = None
    path_secrets: bytes = b""
    """32 bytes for each hop, to read a failure with."""
    route_nodes: tuple[NodeId, ...] = ()
    route_channels: tuple[ShortChannelId, ...] = ()
    failure: Failure | None = None
    label: str | None = None
    description: str | None = None
    bolt11: str | None = None
    local_invreq_id: bytes | None = None
    completed_at: int | None = None
    updated_index: int = 0

    @property
    def key(self) -> tuple[bytes, int, int]:
        """Its name."""
        return self.payment_hash, self.partid, self.groupid


class PaymentStore:
    """Reads and writes parts; writes belong to the turn that is running."""

    def __init__(self, db: WalletDatabase) -> None:
        self._db = db

    def insert(self, part: Part) -> None:
        """A new part; sets its id. Its name must be new."""
        part.id = self._db.indexes.bump("sendpays", "created", lambda: _waited(part))
        self._db.execute_sql(
            "INSERT INTO payments (id, timestamp, status, payment_hash, partid, groupid, destination,"
            " msatoshi, msatoshi_sent, total_msat, path_secrets, route_nodes, route_channels,"
            " description, paydescription, bolt11, local_invreq_id, faildestperm, updated_index)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
            (
                part.id,
                part.created_at,
                int(part.status),
                part.payment_hash,
                to_column(part.partid),
                to_column(part.groupid),
                part.destination,
                None if part.amount is None else part.amount.msat,
                part.amount_sent.msat,
                None if part.total is None else part.total.msat,
                part.path_secrets,
                b"".join(part.route_nodes),
                "/".join(map(str, part.route_channels)),
                part.label,
                part.description,
                part.bolt11,
                part.local_invreq_id,
            ),
        )

    def complete(self, part: Part) -> None:
        """It was paid."""
        self._updated(part)
        self._db.execute_sql(
            "UPDATE payments SET status=?, payment_preimage=?, completed_at=?, path_secrets=x'',"
            " updated_index=? WHERE id=?",
            (int(part.status), part.preimage, part.completed_at, part.updated_index, part.id),
        )

    def fail(self, part: Part) -> None:
        """It was not."""
        self._updated(part)
        failure = part.failure or Failure()
        self._db.execute_sql(
            "UPDATE payments SET status=?, completed_at=?, failcode=?, failindex=?, failnode=?,"
            " failchannel=?, faildirection=?, failmessage=?, failonionreply=?, faildestperm=?,"
            " faildetail=?, updated_index=? WHERE id=?",
            (
                int(part.status),
                part.completed_at,
                failure.code,
                failure.index,
                failure.node,
                None if failure.channel is None else str(failure.channel),
                failure.direction,
                failure.message,
                failure.onion,
                int(failure.destination_permanent),
                failure.detail,
                part.updated_index,
                part.id,
            ),
        )

    def _updated(self, part: Part) -> None:
        part.updated_index = self._db.indexes.bump("sendpays", "updated", lambda: _waited(part))

    def get(self, part_id: int) -> Part | None:
        """By row id."""
        found = self._parts("id=?", part_id)
        return found[0] if found else None

    def of_hash(self, payment_hash: bytes) -> list[Part]:
        """All parts that pay one hash, oldest first."""
        return self._parts("payment_hash=?", payment_hash)

    def groups(self, payment_hash: bytes) -> list[int]:
        """The groups of all parts that pay one hash."""
        rows = self._db.execute_sql(
            "SELECT groupid FROM payments WHERE payment_hash=?", (payment_hash,)
        ).fetchall()
        return [from_column(row[0]) for row in rows]

    def of_request(self, invreq_id: bytes) -> list[Part]:
        """All parts that pay for an invoice request of ours, oldest first."""
        return self._parts("local_invreq_id=?", invreq_id)

    def pending(self) -> list[Part]:
        """Parts whose end is open."""
        return self._parts("status=?", int(PaymentStatus.PENDING))

    def all(self) -> list[Part]:
        """Every part, oldest first."""
        return self.listed(EVERYTHING)

    def listed(
        self,
        window: Window,
        payment_hash: bytes | None = None,
        status: PaymentStatus | None = None,
    ) -> list[Part]:
        """Those of this part of the list that pay this hash and stand so, where that is given."""
        ending, values = window.sql()
        where = ""
        wanted: list[bytes | int] = []
        if payment_hash is not None:
            where = "payment_hash=? AND "
            wanted.append(payment_hash)
        if status is not None:
            where += "status=? AND "
            wanted.append(int(status))
        return self._select(where + ending, *wanted, *values)

    def delete(self, parts: list[Part]) -> None:
        """Forget parts."""
        for part in parts:
            self._db.indexes.bump("sendpays", "deleted", partial(_waited, part))
            part_id = part.id
            # A later part may get the same number: it is not to be taken for what this HTLC paid.
            self._db.execute_sql(
                "UPDATE channel_htlcs SET origin_payment=NULL WHERE origin_payment=?", (part_id,)
            )
            self._db.execute_sql("DELETE FROM payments WHERE id=?", (part_id,))

    def _parts(self, where: str, value: object) -> list[Part]:
        return self._select(f"{where} ORDER BY id", value)

    def _select(self, where: str, *values: object) -> list[Part]:
        cursor = self._db.execute_sql(f"SELECT * FROM payments WHERE {where}", values)
        rows = cursor.fetchall()
        if not rows:
            return []
        names = [column[0] for column in cursor.description]
        return [_part(dict(zip(names, row, strict=True))) for row in rows]


def _waited(part: Part) -> dict[str, Any]:
    """What command `wait` tells of a part."""
    return {
        "status": part.status.name.lower(),
        "partid": part.partid,
        "groupid": part.groupid,
        "payment_hash": part.payment_hash.hex(),
    }


def _msat(value: int | None) -> Msat | None:
    return None if value is None else Msat(value)


def _part(row: dict[str, Any]) -> Part:
    status = PaymentStatus(row["status"])
    nodes = row["route_nodes"]
    return Part(
        id=row["id"],
        created_at=row["timestamp"],
        status=status,
        payment_hash=row["payment_hash"],
        partid=from_column(row["partid"]),
        groupid=from_column(row["groupid"]),
        destination=row["destination"],
        amount=_msat(row["msatoshi"]),
        amount_sent=Msat(row["msatoshi_sent"]),
        total=_msat(row["total_msat"]),
        preimage=row["payment_preimage"],
        path_secrets=row["path_secrets"],
        route_nodes=tuple(NodeId(nodes[i : i + 33]) for i in range(0, len(nodes), 33)),
        route_channels=tuple(
            ShortChannelId.from_str(text) for text in row["route_channels"].split("/") if text
        ),
        failure=_failure(row) if status is PaymentStatus.FAILED else None,
        label=row["description"],
        description=row["paydescription"],
        bolt11=row["bolt11"],
        local_invreq_id=row["local_invreq_id"],
        completed_at=row["completed_at"],
        updated_index=row["updated_index"],
    )


def _failure(row: dict[str, Any]) -> Failure:
    channel = row["failchannel"]
    return Failure(
        code=row["failcode"] or 0,
        index=row["failindex"],
        node=row["failnode"],
        channel=None if channel is None else ShortChannelId.from_str(channel),
        direction=row["faildirection"],
        message=row["failmessage"] or b"",
        onion=row["failonionreply"],
        destination_permanent=bool(row["faildestperm"]),
        detail=row["faildetail"] or "",
    )
