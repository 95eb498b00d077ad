"""Write today's tables down in the first migration, for the first release: `python -m tools.freeze_tables`.

Afterwards the models may change only together with a new step in `lightningd/db/migrations/`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import peewee

from pylightningd.lightningd.db import migrations
from pylightningd.lightningd.db.models import all_tables

TARGET = Path(__file__).parent.parent / "lightningd/db/migrations/m0001_tables.py"
MARK = "TABLES = ("


def schema(database: Any) -> list[str]:
    """The statements that make a database's tables and indexes, in an order that is always the same."""
    rows = database.execute_sql(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " ORDER BY type DESC, name"
    )
    return [row[0] for row in rows.fetchall()]


def from_models() -> list[str]:
    """What the models make."""
    database = peewee.SqliteDatabase(":memory:")
    with database.bind_ctx(all_tables()):
        migrations.load_step("m0001_tables")(database)
        return schema(database)


def frozen(statements: list[str]) -> str:
    """The text of the migration."""
    lines = "".join(f"    {statement!r},\n" for statement in statements)
    return f'''"""The first tables, as they were in the first release. Never changed."""

from __future__ import annotations

from typing import Any

# fmt: off
# ruff: noqa: E501
{MARK}
{lines})
# fmt: on


def upgrade(database: Any) -> None:
    """Make every table."""
    for statement in TABLES:
        database.execute_sql(statement)
'''


def main() -> int:
    """Write it, once."""
    if MARK in TARGET.read_text():
        print(f"{TARGET} is frozen: a change of the tables is a new step", file=sys.stderr)
        return 1
    TARGET.write_text(frozen(from_models()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
