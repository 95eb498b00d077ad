"""Versions of the tables, oldest first. A step is never changed after a release; it only gets successors.

A step `mNNNN_name.py` has ``def upgrade(database) -> None``, which changes tables and rows with plain SQL. It must not use the
models: those are of today, and the step is run on what was there before it. The number of the last step applied is the database's
version. A new wallet runs all of them.

**To change a table**: change its model, write `m0002_what_it_does.py`, name it in `STEPS`::

    def upgrade(database: Any) -> None:
        database.execute_sql("ALTER TABLE channels ADD COLUMN nickname TEXT NOT NULL DEFAULT ''")

`tests/lightningd/db/test_migrations.py` holds the steps to the models. All missing steps are one transaction: one that fails leaves
the wallet as it was.

Until the first release there is one step, which makes all tables from the models. `python -m tools.freeze_tables` writes them down
in it: from then on every change is a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from pylightningd.common.version import VERSION

STEPS = ("m0001_tables",)

Upgrade = Callable[[Any], None]


class MigrationError(Exception):
    """The tables have a version we cannot use."""


def load_step(name: str) -> Upgrade:
    """The function of a step."""
    upgrade: Upgrade = import_module(f"{__name__}.{name}").upgrade
    return upgrade


def current_version(database: Any) -> int:
    """The version of the tables; 0 for an empty database. Raises MigrationError for a foreign database.

    `database` needs `execute_sql`.
    """
    tables = {
        row[0] for row in database.execute_sql("SELECT name FROM sqlite_master WHERE type='table'")
    }
    if not tables:
        return 0
    if "version" not in tables:
        raise MigrationError(
            f"it is not a wallet: it has tables ({', '.join(sorted(tables)[:3])}) but no version"
        )
    row = database.execute_sql("SELECT version FROM version").fetchone()
    return int(row[0]) if row is not None else 0


def check_version(version: int, newest: int = len(STEPS)) -> None:
    """Raise MigrationError for tables that are newer than this program."""
    if version > newest:
        raise MigrationError(
            f"it has version {version}, written by a newer lightningd; this one ({VERSION}) knows versions "
            f"up to {newest}. Use the newer program: going back would damage the wallet."
        )


def migrate(
    database: Any,
    *,
    allow_upgrade: bool = True,
    steps: Sequence[str] = STEPS,
    load: Callable[[str], Upgrade] = load_step,
) -> int:
    """Apply the missing steps in one transaction and return the version. Raises MigrationError, with nothing changed."""
    before, newest = current_version(database), len(steps)
    check_version(before, newest)
    if before == newest:
        return before
    if before and not allow_upgrade:
        raise MigrationError(
            f"Refusing to upgrade from version {before} to {newest}: give --database-upgrade=true "
            "to allow it (there is no way back)"
        )
    with database.atomic():
        for name in steps[before:]:
            _apply(database, name, load(name))
        database.execute_sql("DELETE FROM version")
        database.execute_sql("INSERT INTO version (version) VALUES (?)", (newest,))
        database.execute_sql(
            "INSERT INTO db_upgrades (upgrade_from, lightning_version) VALUES (?, ?)",
            (before, VERSION),
        )
    return newest


def _apply(database: Any, name: str, upgrade: Upgrade) -> None:
    try:
        upgrade(database)
        # The checks of single statements do not see a table that was made anew under an old name.
        broken = database.execute_sql("PRAGMA foreign_key_check").fetchall()
    except Exception as error:
        raise MigrationError(
            f"step {name} failed, nothing was changed: {type(error).__name__}: {error}"
        ) from error
    if broken:
        raise MigrationError(
            f"step {name} would leave {len(broken)} rows of {broken[0][0]} without what they belong to; "
            "nothing was changed"
        )
