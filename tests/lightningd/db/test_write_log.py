"""Statements as text: run again they write the very same values."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylightningd.lightningd.db.write_log_io import WriteLog, expand, literal

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
)


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_values_come_back_as_they_were(values: list[Any]) -> None:
    sql = f"SELECT 'a?''b', {', '.join('?' * len(values))}, \"?\" FROM (SELECT 1 AS \"?\")"
    database = sqlite3.connect(":memory:")
    rows = [
        database.execute(sql, values).fetchall(),
        database.execute(expand(sql, values)).fetchall(),
    ]
    database.close()
    assert rows[0] == rows[1]
    assert [[type(v) for v in row] for row in rows[0]] == [[type(v) for v in r] for r in rows[1]]


def test_what_is_no_value() -> None:
    with pytest.raises(TypeError):
        literal([])


def test_savepoints() -> None:
    log = WriteLog()
    for sql in (
        "BEGIN", "SAVEPOINT turn", "INSERT 1", 'SAVEPOINT "s1";', "DELETE 2", 'ROLLBACK TO SAVEPOINT "s1";',
        "SELECT 1", "UPDATE 3", 'RELEASE SAVEPOINT "s1";', "RELEASE turn", "SAVEPOINT turn", "INSERT 4",
        "ROLLBACK TO turn", "RELEASE turn", "UPDATE 5",
    ):  # fmt: skip
        log.done(sql, None)
    assert log.statements == ["INSERT 1", "UPDATE 3", "UPDATE 5"]
