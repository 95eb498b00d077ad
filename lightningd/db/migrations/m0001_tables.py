"""The first tables, made from the models."""

from __future__ import annotations

from typing import Any


def upgrade(database: Any) -> None:
    """Make every table."""
    from pylightningd.lightningd.db.models import all_tables

    database.create_tables(all_tables(), safe=True)
