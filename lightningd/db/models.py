"""All tables. Peewee models stay inside `lightningd/db`; everybody else sees dataclasses and functions.

Conventions, which every `models_<room>.py` keeps:

- names of tables and columns are CLN's where the meaning is the same;
- ids, hashes, scripts and transactions are BLOB in wire order; amounts are INTEGER with the unit in the name;
- every model derives from `Table` and is listed in its module's ``TABLES``;
- rows are written only inside a turn, by functions of `lightningd/db/<room>_io.py`; hot paths use
  ``database.execute_sql`` rather than model instances.

Tables of one room live in `models_<room>.py`; naming the module in `ROOMS` is all it takes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from peewee import BlobField, DatabaseProxy, IntegerField, Model, TextField

ROOMS = (
    "wallet",
    "chain",
    "channels",
    "payments",
    "invoices",
    "datastore",
    "gossip",
    "onchain",
    "moves",
    "runes",
    "offers",
    "backup",
)
"""Modules `models_<room>.py`; one that does not exist yet is skipped."""

database_proxy = DatabaseProxy()


class Table(Model):
    """Base of all models."""

    class Meta:
        database = database_proxy
        legacy_table_names = False


class Version(Table):
    """One row: the version of the tables."""

    version = IntegerField()

    class Meta:
        table_name = "version"
        primary_key = False


class Vars(Table):
    """Named single values."""

    name = TextField(primary_key=True)
    val = TextField(null=True)
    intval = IntegerField(null=True)
    blobval = BlobField(null=True)

    class Meta:
        table_name = "vars"


class DbUpgrades(Table):
    """When and by which version the tables were changed."""

    upgrade_from = IntegerField()
    lightning_version = TextField()

    class Meta:
        table_name = "db_upgrades"
        primary_key = False


TABLES: tuple[type[Table], ...] = (Version, Vars, DbUpgrades)


def all_tables() -> list[type[Table]]:
    """Every model of every room."""
    tables = list(TABLES)
    for room in ROOMS:
        name = f"pylightningd.lightningd.db.models_{room}"
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        tables += module.TABLES
    return tables


def bind(database: Any) -> None:
    """Let the models speak to this database."""
    database_proxy.initialize(database)
    for table in all_tables():
        table.bind(database)
