"""Counters of rows: they move with the rows, survive, and wake those who wait after the commit."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId
from pylightningd.common.network import REGTEST
from pylightningd.lightningd.db.connect_io import OpenDatabase, open_database
from pylightningd.lightningd.db.indexes_io import Indexes, Window
from pylightningd.lightningd.db.invoices_io import InvoiceRow, InvoiceState, InvoiceStore
from pylightningd.lightningd.db.payments_io import Part, PaymentStatus, PaymentStore


class Future:
    def __init__(self) -> None:
        self.results: list[Any] = []

    def set_result(self, result: Any) -> None:
        self.results.append(result)

    def done(self) -> bool:
        return bool(self.results)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[OpenDatabase]:
    opened = open_database(f"sqlite3://{tmp_path}/w.sqlite3", REGTEST)
    yield opened
    opened.close()


def indexes(database: OpenDatabase) -> Indexes:
    found: Indexes = database.connection.indexes
    return found


def bump(database: OpenDatabase, times: int = 1) -> None:
    for n in range(times):
        indexes(database).bump("invoices", "created", lambda n=n: {"label": f"i{n}"})


def saved(database: OpenDatabase) -> int | None:
    row = database.connection.execute_sql(
        "SELECT intval FROM vars WHERE name='last_invoices_created_index'"
    ).fetchone()
    return None if row is None else row[0]


def test_a_failed_function_counts_nothing(database: OpenDatabase) -> None:
    store = database.store
    store.begin()
    store.savepoint()
    bump(database, 2)
    store.release()
    store.savepoint()
    bump(database, 5)
    store.rollback_to_savepoint()
    store.savepoint()
    bump(database)
    store.release()
    store.commit()
    assert indexes(database).value("invoices", "created") == 3 == saved(database)


def test_what_follows_a_failed_function_is_written(database: OpenDatabase) -> None:
    store = database.store
    store.begin()
    store.savepoint()
    bump(database)
    store.rollback_to_savepoint()
    store.savepoint()
    bump(database)
    store.release()
    store.commit()
    assert indexes(database).value("invoices", "created") == 1 == saved(database)


def test_a_failed_commit_counts_nothing(database: OpenDatabase) -> None:
    store = database.store
    store.begin()
    bump(database)
    store.commit()
    store.begin()
    store.savepoint()
    bump(database, 2)
    store.release()
    store.savepoint()
    bump(database, 2)
    store.rollback()
    assert indexes(database).value("invoices", "created") == 1 == saved(database)


def test_those_who_wait_hear_after_the_commit(database: OpenDatabase) -> None:
    store, now, soon, later = database.store, Future(), Future(), Future()
    indexes(database).wait("invoices", "created", 0, now)
    assert now.results[0].value == 0
    assert now.results[0].row is None
    indexes(database).wait("invoices", "created", 1, soon)
    indexes(database).wait("invoices", "created", 9, later)
    store.begin()
    store.savepoint()
    bump(database)
    store.rollback_to_savepoint()
    store.savepoint()
    bump(database, 2)
    store.release()
    assert not soon.results
    store.commit()
    (told,) = soon.results
    assert (told.value, told.row) == (1, {"label": "i0"})
    assert not later.results


def test_counters_survive_and_numbers_are_never_used_again(tmp_path: Path) -> None:
    database = open_database(f"sqlite3://{tmp_path}/w.sqlite3", REGTEST)
    invoices, store = InvoiceStore(database.connection), database.store
    rows = [invoice(n) for n in range(3)]
    store.begin()
    for row in rows:
        invoices.insert(row)
    invoices.delete(rows[2])
    store.commit()
    database.close()
    database = open_database(f"sqlite3://{tmp_path}/w.sqlite3", REGTEST)
    invoices, store, last = InvoiceStore(database.connection), database.store, invoice(9)
    store.begin()
    invoices.insert(last)
    store.commit()
    assert [row.id for row in (*rows, last)] == [1, 2, 3, 4]
    assert indexes(database).value("invoices", "deleted") == 1
    database.close()


def invoice(n: int) -> InvoiceRow:
    return InvoiceRow(
        label=f"label{n}",
        payment_hash=sha256(bytes([n])).digest(),
        preimage=bytes([n]),
        payment_secret=bytes(32),
        amount=Msat(1000),
        expires_at=100 + n,
        bolt11=f"lnbcrt{n}",
        description="tea",
        min_final_cltv=10,
    )


def test_invoices_in_both_orders(database: OpenDatabase) -> None:
    invoices, store = InvoiceStore(database.connection), database.store
    rows = [invoice(n) for n in range(4)]
    store.begin()
    for row in rows:
        invoices.insert(row)
    rows[2].state = InvoiceState.PAID
    invoices.save(rows[2])
    invoices.forget_description(rows[0])
    store.commit()

    def labels(*window: Any) -> list[str]:
        return [row.label[5:] for row in invoices.listed(Window(*window))]

    assert labels("created", 0, None) == ["0", "1", "2", "3"]
    assert labels("created", 2, 2) == ["1", "2"]
    assert labels("updated", 0, None) == ["2", "0"]
    assert labels("updated", 2, None) == ["0"]
    assert labels("updated", 2**64 - 1, None) == []
    assert [row.updated_index for row in invoices.all()] == [2, 0, 1, 0]
    assert invoices.expire(101)[0].updated_index == 3


def test_what_wait_tells_of_an_invoice(database: OpenDatabase) -> None:
    invoices, store, row = InvoiceStore(database.connection), database.store, invoice(1)
    told = {name: Future() for name in ("created", "updated", "deleted")}
    for name, future in told.items():
        indexes(database).wait("invoices", name, 1, future)
    store.begin()
    invoices.insert(row)
    row.state = InvoiceState.PAID
    invoices.save(row)
    invoices.delete(row)
    store.commit()
    assert {name: future.results[0].row for name, future in told.items()} == {
        "created": {"status": "unpaid", "label": "label1", "bolt11": "lnbcrt1"},
        "updated": {"status": "paid", "label": "label1"},
        "deleted": {"status": "paid", "label": "label1", "bolt11": "lnbcrt1"},
    }


def test_parts_in_both_orders(database: OpenDatabase) -> None:
    payments, store = PaymentStore(database.connection), database.store
    parts = [
        Part(
            created_at=1,
            payment_hash=bytes(32),
            partid=n,
            groupid=1,
            destination=NodeId(bytes(33)),
            amount=Msat(1),
            amount_sent=Msat(1),
            total=Msat(1),
        )
        for n in range(3)
    ]
    deleted = Future()
    indexes(database).wait("sendpays", "deleted", 1, deleted)
    store.begin()
    for part in parts:
        payments.insert(part)
    parts[1].status = PaymentStatus.COMPLETE
    payments.complete(parts[1])
    parts[0].status = PaymentStatus.FAILED
    payments.fail(parts[0])
    payments.delete([parts[2]])
    store.commit()
    assert [p.partid for p in payments.listed(Window("updated"))] == [1, 0]
    assert [p.partid for p in payments.listed(Window(), None, PaymentStatus.FAILED)] == [0]
    assert payments.listed(Window(), bytes([1] * 32)) == []
    assert deleted.results[0].row == {
        "status": "pending",
        "partid": 2,
        "groupid": 1,
        "payment_hash": "00" * 32,
    }
