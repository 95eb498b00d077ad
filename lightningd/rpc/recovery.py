"""Commands for lost data: staticbackup, recoverchannel, emergencyrecover, getemergencyrecoverdata, recover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.backup import file_io
from pylightningd.lightningd.backup.dry_run import report, report_entries
from pylightningd.lightningd.backup.keeper import Found, open_backup
from pylightningd.lightningd.backup.scb import BadBackup, ScbChannel, decode_channel
from pylightningd.lightningd.backup.secret import BadSecret, NodeSecret, read_secret
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    LIGHTNINGD,
    RECOVER_NODE_IN_USE,
)
from pylightningd.lightningd.rpc.params import Param, array, boolean, string
from pylightningd.lightningd.rpc.registry import command

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_RESTARTING = "Recovery restart in progress"
_NOTHING_DONE = "Dry run: nothing was changed"
_DRY_RUN = Param(boolean, "change nothing: tell what would come back", default=False)
_BACKUP = Param(
    string, "path of the file to use in place of our own emergency.recover", default=None
)


@command(
    "staticbackup",
    family="recovery",
    summary="Show one static channel backup (SCB) for each channel, to be kept somewhere safe",
    examples=["staticbackup"],
)
async def staticbackup(node: Node) -> dict[str, Any]:
    """What `emergency.recover` holds of our channels, not encrypted."""
    return {"scb": [entry.encode().hex() for entry in node.backup.entries()]}


@command(
    "recoverchannel",
    family="recovery",
    summary="Restore channels from {scb} of staticbackup: their peers are asked to close them",
    params={
        "scb": Param(array, "backups in hex, as staticbackup shows them"),
        "dry_run": _DRY_RUN,
    },
    examples=[
        "recoverchannel '[\""
        "00000000000000013497625a774a5e1839f1a4a6b23a6a06493817ae90ff4ed0a536f4202845de2f022d223620a359a47ff7"
        "f7ac447c85c46c923da53389221a0054c11c1e3ca31d59017f000001cd023497625a774a5e1839f1a4a6b23a6a06493817ae"
        "90ff4ed0a536f4202845de2f0000000000000000000f4240000340100000000000"
        "\"]'",
    ],
    errors={-32602: "an entry is no static channel backup"},
)
async def recoverchannel(node: Node, scb: list[Any], dry_run: bool) -> dict[str, Any]:
    """Channels that the database has already are left alone."""
    entries = tuple(_entry(n, item) for n, item in enumerate(scb))
    if dry_run:
        return {"stubs": _would_be(node, entries), "dry_run": await report_entries(node, entries)}
    return _stubs(await node.recovery.restore(entries))


@command(
    "emergencyrecover",
    family="recovery",
    summary="Restore lost channels from emergency.recover, or from what peers kept: their peers are asked to close",
    params={"dry_run": _DRY_RUN, "backup": _BACKUP},
    examples=["emergencyrecover", "emergencyrecover true"],
    errors={-1: "there is no backup, or it is damaged or of another node"},
)
async def emergencyrecover(node: Node, dry_run: bool, backup: str | None) -> dict[str, Any]:
    """The newest backup that knows more than the database counts."""
    if not dry_run and backup is None:
        return _stubs(await node.recovery.emergency_recover())
    found = _best(node) if backup is None else Found(backup, _read(node, backup))
    entries = found.backup.channels
    if not dry_run:
        return _stubs(await node.recovery.restore(entries))
    told = await report(node, found.backup, found.source)
    return {"stubs": _would_be(node, entries), "dry_run": told}


@command(
    "getemergencyrecoverdata",
    family="recovery",
    summary="Show the encrypted content of emergency.recover, and the channels in it",
    examples=["getemergencyrecoverdata"],
    errors={-1: "there is no such file"},
)
async def getemergencyrecoverdata(node: Node) -> dict[str, Any]:
    """As CLN's."""
    try:
        raw = file_io.read(node.backup.path) or b""
        backup = node.backup.open(raw)
    except (BadBackup, OSError) as error:
        raise UserError(LIGHTNINGD, f"Cannot use {node.backup.path}: {error}") from error
    return {
        "filedata": raw.hex(),
        "can_create_penalty": not backup.is_legacy,
        "backed_up_channel_ids": [c.channel_id.hex() for c in backup.channels],
    }


def _check_in_use(node: Node) -> None:
    if node.config["recover"] is not None:
        raise UserError(RECOVER_NODE_IN_USE, "Already doing recover")
    if len(node.channels) or node.channels.store.load_closed():
        raise UserError(RECOVER_NODE_IN_USE, "Node has channels!")
    if node.wallet.max_index > 0:
        raise UserError(RECOVER_NODE_IN_USE, "Node has already issued bitcoin addresses!")
    if node.config.is_set("wallet"):
        raise UserError(
            LIGHTNINGD, "Only the default --wallet is supported for the recover command"
        )


async def _check_recover(node: Node, hsmsecret: str, dry_run: bool, backup: str | None) -> None:
    _secret(hsmsecret)
    if not dry_run:
        _check_in_use(node)
        if backup is not None:
            raise UserError(JSONRPC2_INVALID_PARAMS, "backup: only with dry_run")


@command(
    "recover",
    family="recovery",
    summary="Restart this fresh node with the secret {hsmsecret}, and restore channels from its backup if there is one",
    params={
        "hsmsecret": Param(
            string, "64 hex digits, a codex32 string (cl1…), or the words of a mnemonic"
        ),
        "dry_run": _DRY_RUN,
        "backup": Param(
            string, "with dry_run: path of the emergency.recover of that secret", default=None
        ),
    },
    examples=["recover cl10leetsllhdmn9m42vcsamx24zrxgs3qrl7ahwvhw4fnzrhve25gvezzyqqjdsjnzedu43ns"],
    errors={
        -1: "the backup cannot be used",
        -32602: "this is no secret",
        1600: "the node is in use already",
    },
    check=_check_recover,
)
async def recover(node: Node, hsmsecret: str, dry_run: bool, backup: str | None) -> dict[str, Any]:
    """The files of this node are put aside, then it starts again, offline."""
    await _check_recover(node, hsmsecret, dry_run, backup)
    if dry_run:
        result: dict[str, Any] = {"result": _NOTHING_DONE}
        if backup is not None:
            found = _read(node, backup, _secret(hsmsecret))
            result["dry_run"] = await report(node, found, backup)
        return result
    node.config.recover_as = hsmsecret
    node.request_stop("recover: starting again with another secret")
    await node.until_stopped()
    return {"result": _RESTARTING}


# Pieces


def _stubs(made: list[ScbChannel]) -> dict[str, Any]:
    return {"stubs": [entry.channel_id.hex() for entry in made]}


def _would_be(node: Node, entries: tuple[ScbChannel, ...]) -> list[str]:
    return [e.channel_id.hex() for e in entries if node.recovery.refusal(e) is None]


def _entry(number: int, item: Any) -> ScbChannel:
    try:
        return decode_channel(bytes.fromhex(item))
    except (BadBackup, ValueError, TypeError) as error:
        why = error if isinstance(error, BadBackup) else "not hex"
        raise UserError(
            JSONRPC2_INVALID_PARAMS, f"scb: entry {number} is no static channel backup: {why}"
        ) from error


def _secret(text: str) -> NodeSecret:
    try:
        return read_secret(text)
    except BadSecret as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"hsmsecret: {error}") from error


def _best(node: Node) -> Found:
    try:
        found = node.backup.best()
    except (BadBackup, OSError) as error:
        raise UserError(LIGHTNINGD, f"Cannot use {node.backup.path}: {error}") from error
    if found is None:
        raise UserError(LIGHTNINGD, f"There is no {node.backup.path}")
    return found


def _read(node: Node, path: str, secret: NodeSecret | None = None) -> Any:
    """A backup file of this node, or of another whose secret is given. Raises UserError."""
    try:
        raw = file_io.read(path)
        if raw is None:
            raise UserError(LIGHTNINGD, f"There is no file {path}")
        return node.backup.open(raw) if secret is None else open_backup(secret.backup_key(), raw)
    except (BadBackup, OSError) as error:
        raise UserError(LIGHTNINGD, f"Cannot use {path}: {error}") from error
