"""The first tables, made from the models."""

from __future__ import annotations

from typing import Any


def upgrade(database: Any) -> None:
    """Make every table."""
    from pylightningd.lightningd.db.models import all_tables

    # Backup plugins know a new wallet by this very line, which is also CLN's first.
    database.execute_sql("CREATE TABLE version (version INTEGER)")
    database.create_tables(all_tables(), safe=True)
