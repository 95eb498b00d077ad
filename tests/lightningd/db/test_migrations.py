"""Steps between versions: applied in one piece or not at all, and leading to what the models say."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peewee
import pytest

from pylightningd.common.network import REGTEST
from pylightningd.lightningd.db import migrations, vars_io
from pylightningd.lightningd.db.connect_io import open_database
from pylightningd.lightningd.db.migrations import MigrationError, current_version, migrate
from pylightningd.lightningd.db.models import all_tables
from tools import freeze_tables

Upgrade = Callable[[Any], None]


def wallet(path: Path) -> Any:
    """A database of version 1 with rows in it, as a node has it open."""
    opened = open_database(f"sqlite3://{path}/w.sqlite3", REGTEST)
    with opened.connection.atomic():
        vars_io.set_int(opened.connection, "kept", 7)
        opened.connection.execute_sql(
            "INSERT INTO peers (node_id, address, feature_bits) VALUES (x'02', '', x'')"
        )
    return opened


def run(database: Any, *toys: Upgrade, **more: Any) -> int:
    """Migrate to the real steps and these."""
    names = [f"toy{i}" for i in range(len(toys))]
    known = dict(zip(names, toys, strict=True))
    steps = (*migrations.STEPS, *names)
    return migrate(
        database, steps=steps, load=lambda n: known.get(n) or migrations.load_step(n), **more
    )


def add_nickname(database: Any) -> None:
    database.execute_sql("ALTER TABLE peers ADD COLUMN nickname TEXT NOT NULL DEFAULT 'bob'")
    database.execute_sql("UPDATE vars SET intval=intval+1 WHERE name='kept'")


def test_rows_go_through_an_upgrade(tmp_path: Path) -> None:
    opened = wallet(tmp_path)
    db, first = opened.connection, len(migrations.STEPS)
    version = db.wallet_version
    assert run(db, add_nickname) == first + 1
    assert current_version(db) == first + 1
    assert db.execute_sql("SELECT nickname FROM peers").fetchall() == [("bob",)]
    assert vars_io.get_int(db, "kept") == 8
    assert db.wallet_version == version + 1
    upgrades = db.execute_sql("SELECT upgrade_from FROM db_upgrades ORDER BY rowid").fetchall()
    assert upgrades == [(0,), (first,)]
    # Not twice, and the next one on top of it.
    assert run(db, add_nickname) == first + 1
    assert run(db, add_nickname, lambda d: vars_io.set_int(d, "kept", 1)) == first + 2
    assert vars_io.get_int(db, "kept") == 1
    opened.close()
    with pytest.raises(Exception, match="written by a newer lightningd"):
        open_database(f"sqlite3://{tmp_path}/w.sqlite3", REGTEST)


def _wrong_sql(database: Any) -> None:
    database.execute_sql("ALTER TABLE nothing ADD COLUMN x")


def _bug(_database: Any) -> None:
    raise KeyError("oops")


def _orphans(database: Any) -> None:
    database.execute_sql("PRAGMA defer_foreign_keys=1")
    database.execute_sql(
        "INSERT INTO channel_feerates (channel_id, hstate, feerate_per_kw) VALUES (99, 1, 253)"
    )


@pytest.mark.parametrize("bad", [_wrong_sql, _bug, _orphans])
def test_a_step_that_fails_leaves_all_as_it_was(tmp_path: Path, bad: Upgrade) -> None:
    opened = wallet(tmp_path)
    db = opened.connection
    before, version = list(db.connection().iterdump()), db.wallet_version
    with pytest.raises(MigrationError, match="step toy1 .*nothing was changed"):
        run(db, add_nickname, bad)
    assert list(db.connection().iterdump()) == before
    assert db.wallet_version == version
    opened.close()
    opened = open_database(f"sqlite3://{tmp_path}/w.sqlite3", REGTEST)
    assert run(opened.connection, add_nickname) == len(migrations.STEPS) + 1
    opened.close()


def test_an_upgrade_must_be_allowed(tmp_path: Path) -> None:
    opened = wallet(tmp_path)
    with pytest.raises(MigrationError, match="--database-upgrade=true"):
        run(opened.connection, add_nickname, allow_upgrade=False)
    opened.close()


def in_memory() -> Any:
    return peewee.SqliteDatabase(":memory:")


def test_the_steps_lead_to_the_models() -> None:
    """A model was changed without a step, or a step without its model, where this fails."""
    stepped, modelled = in_memory(), in_memory()
    with stepped.bind_ctx(all_tables()):
        migrate(stepped)
    with modelled.bind_ctx(all_tables()):
        modelled.create_tables(all_tables())

    def columns(database: Any) -> dict[str, Any]:
        return {
            table._meta.table_name: sorted(
                row[1]
                for row in database.execute_sql(f"PRAGMA table_info({table._meta.table_name})")
            )
            for table in all_tables()
        }

    assert columns(stepped) == columns(modelled)


def test_tables_that_are_written_down_are_the_same_tables(tmp_path: Path) -> None:
    space: dict[str, Any] = {}
    exec(freeze_tables.frozen(freeze_tables.from_models()), space)  # noqa: S102 - our own text
    database = in_memory()
    space["upgrade"](database)
    assert freeze_tables.schema(database) == freeze_tables.from_models()
    plain = sqlite3.connect(tmp_path / "x.sqlite3")
    for statement in space["TABLES"]:
        plain.execute(statement)
    plain.close()
