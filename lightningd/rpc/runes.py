"""Commands about runes: createrune, showrunes, checkrune, blacklistrune and its other name destroyrune."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId
from pylightningd.common.rune import Alternative, BadRune, Restriction, Rune
from pylightningd.common.wire.hsmd_wire import HsmdDeriveSecret
from pylightningd.lightningd.db.runes_io import RuneStore
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    RUNE_BLACKLISTED,
    RUNE_NOT_AUTHORIZED,
    RUNE_NOT_PERMITTED,
)
from pylightningd.lightningd.rpc.params import (
    Param,
    ParamType,
    anything,
    bad_param,
    boolean,
    node_id_param,
    string,
    u64,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rune_check import (
    NSEC,
    Request,
    Span,
    add_span,
    contains,
    is_ambiguous,
    remove_span,
    whole_number,
)

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_SECRET_NAME = b"commando"
"""What hsmd derives the master rune from: runes came with commando."""
_MAX_BLACKLISTED = 100_000_000
_UNRESTRICTED = (
    "WARNING: This rune has no restrictions! Anyone who has access to this rune could drain funds from your node. "
    "Be careful when giving this to apps that you don't trust. Consider using the restrictions parameter to only allow "
    "access to specific rpc methods."
)
_READONLY = (("method^list", "method^get", "method=summary"), ("method/listdatastore",))


# Parameters


def _rune(param: str, value: Any) -> Rune:
    if not isinstance(value, str):
        raise bad_param(param, value, "should be base64 string")
    try:
        rune = Rune.from_base64(value)
    except BadRune:
        raise bad_param(param, value, "should be base64 string") from None
    number = whole_number(rune.unique_id or "")
    if number is None or number >= 2**63:
        raise bad_param(param, value, "should have valid numeric unique_id")
    return rune


def _restriction(param: str, value: Any) -> Restriction:
    complaint = "not a valid restriction (should be array)"
    if not isinstance(value, list) or not value:
        raise bad_param(param, value, complaint)
    alternatives = []
    for text in value:
        try:
            alternative = Alternative.from_str(text) if isinstance(text, str) else None
        except BadRune:
            alternative = None
        if alternative is None or not alternative.field:
            raise bad_param(param, value, complaint)
        alternatives.append(alternative)
    return tuple(alternatives)


def _restrictions(param: str, value: Any) -> list[Restriction]:
    if value == "readonly":
        value = [list(alternatives) for alternatives in _READONLY]
    if not isinstance(value, list):
        raise bad_param(param, value, "not a valid restriction (should be array)")
    return [_restriction(param, item) for item in value]


def _params(param: str, value: Any) -> Any:
    if not isinstance(value, list | dict):
        raise bad_param(param, value, "must be object or array")
    if isinstance(value, dict) and is_ambiguous(value):
        raise bad_param(param, value, "two spellings of one parameter")
    return value


rune_param = ParamType("rune", _rune, {"type": "string"})
restrictions_param = ParamType("restrictions", _restrictions, anything.schema)
call_params = ParamType("params", _params, anything.schema)


# What they are


async def master_rune(node: Node) -> Rune:
    """The rune that allows everything; only hsmd's secret makes it."""
    reply = await node.hsm.ask(HsmdDeriveSecret(info=_SECRET_NAME))
    return Rune.master(reply.secret.reveal())


def _number(rune: Rune) -> int:
    return int(rune.unique_id or 0)


def _created(rune: Rune) -> dict[str, Any]:
    result: dict[str, Any] = {"rune": rune.to_base64(), "unique_id": rune.unique_id}
    if not rune.conditions:
        result["warning_unrestricted_rune"] = _UNRESTRICTED
    return result


@command(
    "createrune",
    family="runes",
    summary="Create a rune, or narrow {rune}, with these {restrictions}",
    params={
        "rune": Param(rune_param, "narrow this one", default=None),
        "restrictions": Param(
            restrictions_param,
            "readonly, or an array of restrictions, each an array of alternatives such as method=getinfo",
            default=(),
        ),
    },
    examples=["createrune", 'createrune -k restrictions=\'[["method=pay"],["rate=2"]]\''],
)
async def createrune(
    node: Node, rune: Rune | None, restrictions: list[Restriction]
) -> dict[str, Any]:
    if rune is not None:
        for restriction in restrictions:
            rune = rune.restrict(restriction)
        return _created(rune)
    master, store = await master_rune(node), RuneStore(node.db)

    def create() -> Rune:
        number = store.next_id()
        new = master.with_id(number)
        for restriction in restrictions:
            new = new.restrict(restriction)
        store.insert(number, new.to_base64())
        return new

    return _created(await node.turn.do(create))


@command(
    "showrunes",
    family="runes",
    summary="List the runes that were created, or take {rune} apart",
    params={"rune": Param(rune_param, "only this one, ours or not", default=None)},
    examples=["showrunes"],
)
async def showrunes(node: Node, rune: Rune | None) -> dict[str, Any]:
    master, store = await master_rune(node), RuneStore(node.db)
    blacklist = store.blacklist()
    if rune is None:
        return {
            "runes": [
                _shown(Rune.from_base64(row.text), master, blacklist, row.used_at_nsec)
                for row in store.all()
            ]
        }
    row = store.get(_number(rune))
    used = None if row is None else row.used_at_nsec
    shown = _shown(rune, master, blacklist, used)
    if row is None or row.text != rune.to_base64():
        shown["stored"] = False
    return {"runes": [shown]}


def _shown(
    rune: Rune, master: Rune, blacklist: list[Span], used_nsec: int | None
) -> dict[str, Any]:
    result: dict[str, Any] = {"rune": rune.to_base64(), "unique_id": rune.unique_id}
    if contains(blacklist, _number(rune)):
        result["blacklisted"] = True
    if rune.why_not_of(master) is not None:
        result["our_rune"] = False
    if used_nsec is not None:
        result["last_used"] = used_nsec / NSEC
    english = [" OR ".join(a.english for a in r) for r in rune.conditions]
    result["restrictions"] = [
        {
            "alternatives": [
                {
                    "fieldname": a.field,
                    "value": a.value,
                    "condition": a.condition,
                    "english": a.english,
                }
                for a in restriction
            ],
            "english": text,
        }
        for restriction, text in zip(rune.conditions, english, strict=True)
    ]
    result["restrictions_as_english"] = " AND ".join(english)
    return result


_PLAIN = {
    "pname": "parameter ",
    "parr": "parameter #",
    "pnum": "number of parameters",
    "pinv": "invoice parameter ",
}


@command(
    "checkrune",
    family="runes",
    summary="Check that {rune} allows {nodeid} to call {method} with {params}",
    params={
        "rune": Param(rune_param, "the rune"),
        "nodeid": Param(node_id_param, "who calls", default=None),
        "method": Param(string, "the command", default=None),
        "params": Param(call_params, "its parameters, as array or object", default=None),
    },
    examples=["checkrune I9TZsYEWiAwThQye-gYhpWIe1h15szWEN_qNyMSBOdE9MA== -k method=getinfo"],
    errors={
        1501: "the rune is not ours",
        1502: "it does not allow that",
        1503: "it is blacklisted",
    },
)
async def checkrune(
    node: Node, rune: Rune, nodeid: NodeId | None, method: str | None, params: Any
) -> dict[str, Any]:
    master, store, number = await master_rune(node), RuneStore(node.db), _number(rune)

    def check() -> None:
        if contains(store.blacklist(), number):
            raise UserError(RUNE_BLACKLISTED, "Not authorized: Blacklisted rune")
        foreign = rune.why_not_of(master)
        if foreign is not None:
            raise UserError(RUNE_NOT_AUTHORIZED, f"Not authorized: {foreign}")
        row, now = store.get(number), int(node.clock.now() * NSEC)
        caller = None if nodeid is None else nodeid.hex()
        request = Request(now, caller, method, params, None if row is None else row.used_at_nsec)
        why = rune.why_not(request.check)
        if why is not None:
            for prefix, plain in _PLAIN.items():
                if why.startswith(prefix):
                    why = plain + why.removeprefix(prefix)
                    break
            raise UserError(RUNE_NOT_PERMITTED, f"Not permitted: {why}")
        store.used(number, now)

    await node.turn.do(check)
    return {"valid": True}


_BLACKLIST_PARAMS = {
    "start": Param(u64, "the first unique id; lists what there is if left out", default=None),
    "end": Param(u64, "the last one, if there are several", default=None),
    "relist": Param(boolean, "let them count again", default=False),
}


async def _check_blacklist(_node: Node, start: int | None, end: int | None, **_rest: Any) -> None:
    if end is not None and start is None:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Can not specify end without start")
    last = start if end is None else end
    if last is not None and last >= _MAX_BLACKLISTED:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"Cannot blacklist beyond {_MAX_BLACKLISTED}")


async def _blacklist(
    node: Node, start: int | None, end: int | None, relist: bool
) -> dict[str, Any]:
    await _check_blacklist(node, start, end)
    store = RuneStore(node.db)

    def change() -> list[Span]:
        spans = store.blacklist()
        if start is not None:
            span = (start, start if end is None else end)
            spans = remove_span(spans, span) if relist else add_span(spans, span)
            store.set_blacklist(spans)
        return spans

    spans = await node.turn.do(change)
    return {"blacklist": [{"start": first, "end": last} for first, last in spans]}


@command(
    "blacklistrune",
    family="runes",
    summary="Blacklist the runes from unique id {start} to {end}, or list what is blacklisted",
    params=_BLACKLIST_PARAMS,
    examples=["blacklistrune 3", "blacklistrune 3 7", "blacklistrune"],
    check=_check_blacklist,
)
async def blacklistrune(
    node: Node, start: int | None, end: int | None, relist: bool
) -> dict[str, Any]:
    return await _blacklist(node, start, end, relist)


@command(
    "destroyrune",
    family="runes",
    summary="The same as blacklistrune",
    params=_BLACKLIST_PARAMS,
    examples=["destroyrune 3"],
    check=_check_blacklist,
)
async def destroyrune(
    node: Node, start: int | None, end: int | None, relist: bool
) -> dict[str, Any]:
    return await _blacklist(node, start, end, relist)
