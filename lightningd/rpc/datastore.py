"""Commands of the datastore: small things that plugins and users keep with the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.db import datastore_io as store
from pylightningd.lightningd.db.datastore_io import Entry, Key
from pylightningd.lightningd.rpc import errors as e
from pylightningd.lightningd.rpc.dispatch import invalid_params
from pylightningd.lightningd.rpc.params import (
    Param,
    ParamType,
    bad_param,
    hex_bytes,
    one_of,
    string,
    text_of,
    u64,
)
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


def _key(param: str, value: Any) -> Key:
    if isinstance(value, list):
        if not value:
            raise bad_param(param, value, "should not be empty")
        parts = [text_of(part) for part in value]
    else:
        parts = [text_of(value)]
    if any(part is None or "\0" in part for part in parts):
        raise bad_param(param, value, "should be string or array")
    return tuple(part for part in parts if part is not None)


KEY = ParamType(
    "key",
    _key,
    {"oneOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]},
)
MODES = ("must-create", "must-replace", "create-or-replace", "must-append", "create-or-append")


def entry_json(entry: Entry) -> dict[str, Any]:
    """A row as callers see it; `string` only where the data is text."""
    shown: dict[str, Any] = {
        "key": list(entry.key),
        "generation": entry.generation,
        "hex": entry.data.hex(),
    }
    try:
        text = entry.data.decode()
    except UnicodeDecodeError:
        return shown
    if "\0" not in text:
        shown["string"] = text
    return shown


def _change(
    node: Node, key: Key, string: str | None, hex: bytes | None, mode: str, generation: int | None
) -> Entry:
    """The row as it will be. Raises UserError where it may not be."""
    if string is not None and hex is not None:
        raise invalid_params("Cannot have both hex and string")
    if string is None and hex is None:
        raise invalid_params("Must have either hex or string")
    data = hex if hex is not None else (string or "").encode()
    if generation is not None and mode not in ("must-replace", "must-append"):
        raise invalid_params("generation only valid with must-replace or must-append")
    old = store.get(node.db, key)
    if old is None:
        _check_place(node, key)
    elif mode == "must-create":
        raise UserError(e.DATASTORE_UPDATE_ALREADY_EXISTS, "Key already exists")
    if old is None and mode in ("must-replace", "must-append"):
        raise UserError(e.DATASTORE_UPDATE_DOES_NOT_EXIST, "Key does not exist")
    if old is None:
        return Entry(key, data, 0)
    if generation is not None and old.generation != generation:
        raise UserError(e.DATASTORE_UPDATE_WRONG_GENERATION, "generation is different")
    if mode.endswith("append"):
        data = old.data + data
    return Entry(key, data, old.generation + 1)


def _check_place(node: Node, key: Key) -> None:
    """A key with data has neither data above nor below it."""
    if next(store.below(node.db, key), None) is not None:
        raise UserError(e.DATASTORE_UPDATE_HAS_CHILDREN, "Key has children already")
    for length in range(1, len(key)):
        if store.get(node.db, key[:length]) is not None:
            parent = ",".join(key[:length])
            raise UserError(e.DATASTORE_UPDATE_NO_CHILDREN, f"Parent key [{parent}] exists")


async def _check_datastore(node: Node, **values: Any) -> None:
    _change(node, **values)


@command(
    "datastore",
    family="datastore",
    summary="Store data with the node, under a key",
    params={
        "key": Param(KEY, "a text, or an array of texts that makes a tree of keys"),
        "string": Param(string, "the data as text", default=None),
        "hex": Param(hex_bytes, "the data as hex", default=None),
        "mode": Param(one_of(*MODES), "what must or may be there already", default="must-create"),
        "generation": Param(u64, "refuse unless it was changed just so often", default=None),
    },
    examples=[
        "datastore test_key hello",
        'datastore -k key=\'["a","b"]\' hex=00ff mode=must-replace',
    ],
    errors={
        e.DATASTORE_UPDATE_ALREADY_EXISTS: "the key exists and mode is must-create",
        e.DATASTORE_UPDATE_DOES_NOT_EXIST: "the key does not exist and mode asks for it",
        e.DATASTORE_UPDATE_WRONG_GENERATION: "generation is another",
        e.DATASTORE_UPDATE_HAS_CHILDREN: "there are keys below this one",
        e.DATASTORE_UPDATE_NO_CHILDREN: "a key above has data",
    },
    check=_check_datastore,
)
async def datastore(
    node: Node, key: Key, string: str | None, hex: bytes | None, mode: str, generation: int | None
) -> dict[str, Any]:
    """See the summary."""

    def change() -> Entry:
        entry = _change(node, key, string, hex, mode, generation)
        store.put(node.db, entry)
        return entry

    return entry_json(await node.turn.do(change))


@command(
    "listdatastore",
    family="datastore",
    summary="List what is stored under a key, or at the top",
    params={"key": Param(KEY, "list what is below this key", default=())},
    examples=["listdatastore test_key"],
)
async def listdatastore(node: Node, key: Key) -> dict[str, Any]:
    """Direct children with their data; of deeper ones only the first part, to show that they exist."""
    shown: list[dict[str, Any]] = []
    last: Key | None = None
    for entry in store.below(node.db, key):
        if len(entry.key) <= len(key) + 1:
            shown.append(entry_json(entry))
        elif entry.key[: len(key) + 1] != last:
            last = entry.key[: len(key) + 1]
            shown.append({"key": list(last)})
    return {"datastore": shown}


def _to_delete(node: Node, key: Key, generation: int | None) -> Entry:
    entry = store.get(node.db, key)
    if entry is None:
        raise UserError(e.DATASTORE_DEL_DOES_NOT_EXIST, "Key does not exist")
    if generation is not None and entry.generation != generation:
        raise UserError(e.DATASTORE_DEL_WRONG_GENERATION, "generation is different")
    return entry


async def _check_deldatastore(node: Node, key: Key, generation: int | None) -> None:
    _to_delete(node, key, generation)


@command(
    "deldatastore",
    family="datastore",
    summary="Remove stored data, and return it",
    params={
        "key": Param(KEY, "the key"),
        "generation": Param(u64, "refuse unless it was changed just so often", default=None),
    },
    examples=["deldatastore test_key"],
    errors={
        e.DATASTORE_DEL_DOES_NOT_EXIST: "there is no such key",
        e.DATASTORE_DEL_WRONG_GENERATION: "generation is another",
    },
    check=_check_deldatastore,
)
async def deldatastore(node: Node, key: Key, generation: int | None) -> dict[str, Any]:
    """See the summary."""

    def change() -> Entry:
        entry = _to_delete(node, key, generation)
        store.delete(node.db, key)
        return entry

    return entry_json(await node.turn.do(change))


@command(
    "datastoreusage",
    family="datastore",
    summary="How many bytes a key and all below it take",
    params={"key": Param(KEY, "count from here; all if empty", default=())},
    examples=["datastoreusage", "datastoreusage test_key"],
)
async def datastoreusage(node: Node, key: Key) -> dict[str, Any]:
    """See the summary."""
    if key and not key[0]:
        key = ()
    total = sum(entry.bytes_used for entry in store.below(node.db, key))
    return {"datastoreusage": {"key": f"[{','.join(key)}]", "total_bytes": total}}
