"""The registry of commands: name, typed parameters, errors, examples, and the function that answers.

Parsing, ``help``, ``check``, error texts and the pages in ``doc/`` come from it. A family of commands is a
module of this package; listing it in `FAMILIES` registers what it decorates with `command`. The shapes of
results are the JSON schemas in `schemas/`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar

from pylightningd.common.errors import UserError
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS, JSONRPC2_METHOD_NOT_FOUND
from pylightningd.lightningd.rpc.params import Param

FAMILIES = (
    "utility",
    "configs",
    "datastore",
    "signing",
    "wallet",
    "psbt",
    "chain",
    "peers",
    "channels",
    "opening",
    "openchannel",
    "closing",
    "bump",
    "recovery",
    "network",
    "forwards",
    "invoices",
    "invoice_drafts",
    "payments",
    "onions",
    "onion_messages",
    "blinded",
    "offers",
    "decode",
    "plugins",
    "waiting",
    "moves",
    "network_events",
    "runes",
    "dev",
    "dev_channels",
)
"""Modules `lightningd/rpc/<family>.py`; one that does not exist yet is skipped."""

Handler = Callable[..., Awaitable[dict[str, Any]]]
Check = Callable[..., Awaitable[None]]
F = TypeVar("F", bound=Handler)
SCHEMAS = Path(__file__).parent / "schemas"


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `handler` gets the node, then (if it wants `call`) the call, then the parameters by name."""

    name: str
    family: str
    summary: str
    params: Mapping[str, Param]
    handler: Handler
    examples: Sequence[str] = ()
    errors: Mapping[int, str] = field(default_factory=dict)
    about: str = ""
    check: Check | None = None
    """Further checks, without side effects, for the command ``check``."""
    dev: bool = False
    """Only with --developer."""
    any_params: bool = False
    """Parameters that are not in the table are handed to the handler in `extra`."""
    wants_call: bool = False
    raw: bool = False
    """The handler gets the parameters as they came (`params=...`): the commands of plugins."""
    usage_text: str | None = None
    """What ``help`` shows after the name, where the table cannot tell: the commands of plugins."""
    source: str | None = None
    """Name of the plugin that has it; None for our own."""
    deprecated: bool = False

    @property
    def usage(self) -> str:
        """Name and parameters, optional ones in brackets."""
        if self.usage_text is not None:
            return f"{self.name} {self.usage_text}".rstrip()
        words = [
            name if p.required else f"[{name}]" for name, p in self.params.items() if not p.dev
        ]
        return " ".join([self.name, *words])

    def schema(self) -> dict[str, Any] | None:
        """The JSON schema of request and response, if there is one."""
        path = SCHEMAS / f"{self.name}.json"
        if not path.exists():
            return None
        loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return loaded


BUILTIN: dict[str, Command] = {}
"""What the modules of FAMILIES have declared."""


def command(
    name: str,
    *,
    family: str,
    summary: str,
    params: Mapping[str, Param] | None = None,
    examples: Sequence[str] = (),
    errors: Mapping[int, str] | None = None,
    about: str = "",
    check: Check | None = None,
    dev: bool = False,
    any_params: bool = False,
) -> Callable[[F], F]:
    """Declare a command: decorates ``async def f(node, [call,] **params) -> dict``.

    The order of `params` is the positional order; those without default come first. `call` is passed if the
    function has a parameter of that name (see `dispatch.Call`).
    """

    def declare(handler: F) -> F:
        known = BUILTIN.get(name)
        if known is not None and known.handler.__module__ != handler.__module__:
            raise ValueError(f"command {name} is declared twice")
        table = dict(params or {})
        _check_table(name, table, handler, any_params)
        BUILTIN[name] = Command(
            name=name,
            family=family,
            summary=summary,
            params=table,
            handler=handler,
            examples=tuple(text.removeprefix("lightning-cli ") for text in examples),
            errors=dict(errors or {}),
            about=about,
            check=check,
            dev=dev or name.startswith("dev-"),
            any_params=any_params,
            wants_call="call" in signature(handler).parameters,
        )
        return handler

    return declare


def _check_table(name: str, table: Mapping[str, Param], handler: Handler, any_params: bool) -> None:
    """A table and a function that do not fit are found when the module is imported."""
    optional_seen = False
    for param, spec in table.items():
        if spec.required and optional_seen:
            raise ValueError(f"{name}: required parameter {param} after an optional one")
        optional_seen = optional_seen or not spec.required
    takes = set(signature(handler).parameters) - {"call"}
    first = next(iter(signature(handler).parameters))
    expected = {first, *table, *(("extra",) if any_params else ())}
    if takes != expected:
        raise ValueError(f"{name}: the table has {sorted(expected)}, the function {sorted(takes)}")


class Registry:
    """The commands that a node answers: our own and those of plugins."""

    def __init__(
        self, commands: Mapping[str, Command] | None = None, *, developer: bool = False
    ) -> None:
        self._commands = dict(commands or {})
        self.developer = developer

    def add(self, item: Command) -> None:
        """Add a plugin's command. Raises ValueError where the name is taken."""
        if item.name in self._commands:
            raise ValueError(f"command {item.name} exists already")
        self._commands[item.name] = item

    def remove(self, name: str) -> None:
        """Forget a plugin's command."""
        self._commands.pop(name, None)

    def get(self, name: str) -> Command | None:
        """The command of that name, developers' commands included."""
        return self._commands.get(name)

    def find(self, name: str) -> Command:
        """The command of that name. Raises UserError as the dispatcher answers it."""
        found = self._commands.get(name)
        if found is None:
            raise UserError(
                JSONRPC2_METHOD_NOT_FOUND, f"Unknown command '{name}'{self.suggestion(name)}"
            )
        if found.dev and not self.developer:
            raise UserError(JSONRPC2_METHOD_NOT_FOUND, f"Command {name} is developer-only")
        return found

    def suggestion(self, name: str) -> str:
        """What may have been meant, as the end of an error text."""
        from difflib import get_close_matches

        close = get_close_matches(name.lower(), [item.name for item in self.all()], 3)
        return f": did you mean {' or '.join(close)}?" if close else ""

    def all(self) -> list[Command]:
        """What may be called now, by name."""
        allowed = (c for c in self._commands.values() if self.developer or not c.dev)
        return sorted(allowed, key=lambda c: c.name)


def load_families() -> dict[str, Command]:
    """Import every family and return the commands."""
    for family in FAMILIES:
        name = f"pylightningd.lightningd.rpc.{family}"
        try:
            import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
    return BUILTIN


def convert_params(item: Command, given: Any, *, developer: bool = True) -> dict[str, Any]:
    """Read the parameters of a call, in order or by name. Raises UserError in CLN's words plus an example."""
    if given is None:
        given = []
    if isinstance(given, list):
        values, extra = _by_position(item, given, developer)
    elif isinstance(given, dict):
        values, extra = _by_name(item, given, developer)
    else:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Expected array or object for params")
    for name, param in item.params.items():
        if name not in values:
            if param.required:
                raise UserError(
                    JSONRPC2_INVALID_PARAMS, f"missing required parameter: {name}{hint(item)}"
                )
            values[name] = param.default
    if item.any_params:
        values["extra"] = extra
    return values


def _by_position(item: Command, given: list[Any], developer: bool) -> tuple[dict[str, Any], Any]:
    if len(given) > len(item.params) and not item.any_params:
        raise UserError(
            JSONRPC2_INVALID_PARAMS,
            f"too many parameters: got {len(given)}, expected {len(item.params)}{hint(item)}",
        )
    values = {}
    for i, ((name, param), value) in enumerate(zip(item.params.items(), given, strict=False)):
        if value is None:
            continue
        if param.dev and not developer:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"Parameter {i} is developer-only")
        values[name] = _convert(item, name, param, value)
    return values, given[len(item.params) :]


def _by_name(item: Command, given: dict[str, Any], developer: bool) -> tuple[dict[str, Any], Any]:
    values, extra = {}, {}
    for name, value in given.items():
        param = item.params.get(name)
        if param is None:
            if item.any_params:
                extra[name] = value
                continue
            raise UserError(
                JSONRPC2_INVALID_PARAMS,
                f"unknown parameter: {name}, this may be caused by a failure to autodetect key=value-style "
                "parameters. Please try using the -k flag and explicit key=value pairs of parameters."
                + hint(item),
            )
        if param.dev and not developer:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"Parameter '{name}' is developer-only")
        if value is not None:
            values[name] = _convert(item, name, param, value)
    return values, extra


def _convert(item: Command, name: str, param: Param, value: Any) -> Any:
    try:
        return param.type(name, value)
    except UserError as error:
        if error.code != JSONRPC2_INVALID_PARAMS:
            raise
        raise UserError(error.code, error.message + hint(item), error.data) from None


def hint(item: Command) -> str:
    """How a correct call looks."""
    if item.examples:
        return f" (usage: {item.usage}; example: {item.examples[0]})"
    return f" (usage: {item.usage})"
