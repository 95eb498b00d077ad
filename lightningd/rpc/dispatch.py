"""From a request to its result: find the command, read the parameters, run it, turn errors into answers.

Where it came from (a socket, a plugin) does not matter here: see `server_io.py` and the plugin host.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pylightningd.common.bus.link import LinkClosed
from pylightningd.common.errors import BackendError, UserError
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    JSONRPC2_INVALID_REQUEST,
    LIGHTNINGD,
)
from pylightningd.lightningd.rpc.registry import Command, Registry, convert_params, hint

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

Interceptor = Callable[["Call"], Awaitable[dict[str, Any] | None]]
"""May look at a call before it runs: returns None to go on (it may have changed `method` and `params`), or a
whole reply, ``{"result": ...}`` or ``{"error": ...}``."""


def _silent(_method: str, _params: dict[str, Any]) -> None:
    return None


@dataclass(slots=True)
class Call:
    """One request that is being answered."""

    method: str
    params: Any
    id: Any = None
    source: str = "jsonrpc"
    """For the log: which connection or plugin asks."""
    notify: Callable[[str, dict[str, Any]], None] = _silent
    """Send a notification (`method`, `params`) to the caller, if it wants any."""
    set_notifications: Callable[[bool], None] = lambda _on: None
    connection: Any = None

    def message(self, level: str, text: str) -> None:
        """Tell the caller something while it waits."""
        self.notify("message", {"id": self.id, "level": level, "message": text})

    def progress(self, num: int, total: int, stage: tuple[int, int] | None = None) -> None:
        """Tell the caller how far we are: step `num` of `total`, in stage (number, of how many)."""
        params: dict[str, Any] = {"id": self.id, "num": num, "total": total}
        if stage is not None:
            params["stage"] = {"num": stage[0], "total": stage[1]}
        self.notify("progress", params)


class Dispatcher:
    """Runs calls against a registry."""

    def __init__(self, node: Node, registry: Registry) -> None:
        self.node = node
        self.registry = registry
        self.interceptors: list[Interceptor] = []
        """The plugin host puts the hook `rpc_command` here."""

    async def answer(self, call: Call) -> dict[str, Any]:
        """The reply's ``result`` or ``error`` member, alone in a dict. Never raises but for cancellation."""
        try:
            for interceptor in self.interceptors:
                reply = await interceptor(call)
                if reply is not None:
                    return reply
            return {"result": await self.run(call)}
        except UserError as error:
            return {"error": error_object(error)}
        except BackendError as error:
            return {"error": {"code": LIGHTNINGD, "message": str(error)}}
        except LinkClosed as error:
            # A daemon ended while it was asked: its own end is logged, and this command did nothing wrong.
            return {
                "error": {"code": LIGHTNINGD, "message": f"{call.method} was cut short: {error}"}
            }
        except Exception as error:
            self.node.log(
                "broken",
                f"Command {call.method} failed with an internal error: "
                + "".join(traceback.format_exception(error)),
            )
            return {
                "error": {
                    "code": LIGHTNINGD,
                    "message": f"Internal error in {call.method}: {type(error).__name__}: {error} "
                    "(this is a bug; the log has the details)",
                }
            }

    async def run(self, call: Call) -> dict[str, Any]:
        """The result of a call. Raises UserError."""
        item = self.find(call.method)
        if item.raw:
            return await item.handler(self.node, call=call, params=call.params)
        values = convert_params(item, call.params, developer=self.registry.developer)
        if item.wants_call:
            values["call"] = call
        try:
            return await item.handler(self.node, **values)
        except UserError as error:
            # A value that the command itself could not read: shown how to call it, as for the others.
            shown = "example:" in error.message or "usage:" in error.message
            if (
                error.code != JSONRPC2_INVALID_PARAMS
                or "invalid token" not in error.message
                or shown
            ):
                raise
            raise UserError(error.code, error.message + hint(item), error.data) from error

    async def call(self, method: str, params: Any = None) -> dict[str, Any]:
        """Call a command from inside the node. Raises UserError."""
        return await self.run(Call(method, params, source="lightningd"))

    async def check(self, method: str, params: Any, call: Call) -> None:
        """Everything of a call but its effects. Raises UserError."""
        item = self.find(method)
        if item.raw:
            if item.check is not None:
                await item.check(self.node, call=call, params=params)
            return
        values = convert_params(item, params, developer=self.registry.developer)
        if item.check is not None:
            await item.check(self.node, **values)

    def find(self, method: Any) -> Command:
        """The command to run. Raises UserError."""
        if not isinstance(method, str):
            raise UserError(
                JSONRPC2_INVALID_REQUEST,
                "No method" if method is None else "Expected string for method",
            )
        return self.registry.find(method)


def error_object(error: UserError) -> dict[str, Any]:
    """A UserError as the ``error`` member of a reply."""
    reply: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        reply["data"] = error.data
    return reply


def invalid_params(text: str) -> UserError:
    """Shorthand for handlers that find parameters at odds with one another."""
    return UserError(JSONRPC2_INVALID_PARAMS, text)
