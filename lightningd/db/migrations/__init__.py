"""Versions of the tables, oldest first. A step is never changed after a release; it only gets successors.

A step `mNNNN_name.py` has ``def upgrade(database) -> None``. The number of the last one applied is the
database's version. Until the first release all tables are made by `m0001` from the models.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pylightningd.common.version import VERSION

STEPS = ("m0001_tables",)


class MigrationError(Exception):
    """The tables have a version we cannot use."""


def current_version(database: Any) -> int:
    """The version of the tables; 0 for an empty database. Raises MigrationError for a foreign database."""
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


def migrate(database: Any, *, allow_upgrade: bool = True) -> int:
    """Apply the missing steps in one transaction and return the version. Raises MigrationError."""
    before = current_version(database)
    if before > len(STEPS):
        raise MigrationError(
            f"it has version {before}, written by a newer lightningd; this one ({VERSION}) knows versions "
            f"up to {len(STEPS)}. Use the newer program: going back would damage the wallet."
        )
    if before == len(STEPS):
        return before
    if before and not allow_upgrade:
        raise MigrationError(
            f"Refusing to upgrade from version {before} to {len(STEPS)}: give --database-upgrade=true "
            "to allow it (there is no way back)"
        )
    with database.atomic():
        for name in STEPS[before:]:
            import_module(f"{__name__}.{name}").upgrade(database)
        database.execute_sql("DELETE FROM version")
        database.execute_sql("INSERT INTO version (version) VALUES (?)", (len(STEPS),))
        database.execute_sql(
            "INSERT INTO db_upgrades (upgrade_from, lightning_version) VALUES (?, ?)",
            (before, VERSION),
        )
    return len(STEPS)
