"""One plugin process: JSON-RPC over its stdin and stdout. Its stderr is ours.

Not here: what the messages mean (`host_io.py`). A plugin that dies fails every call that waits for it; one
that writes garbage, or does not read what it is sent, is killed.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pylightningd.common.json_stream import JsonStream, JsonStreamError, to_line
from pylightningd.lightningd.plugin_host.pipes_io import Pipes, exchange_now
from pylightningd.lightningd.process_io import own_process_group

MAX_UNREAD = 64 << 20
"""Bytes that may wait for a plugin that does not read."""
STOP_TIMEOUT_S = 30.0
_REQUEST_NUMBERS = itertools.count()


class PluginCallError(Exception):
    """The plugin answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class PluginDiedError(Exception):
    """The plugin went away before it answered."""


OnNotify = Callable[[str, dict[str, Any]], None]


@dataclass
class _Pending:
    future: asyncio.Future[Any]
    on_notify: OnNotify | None


class PluginProcess:
    """A running plugin."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        on_notification: Callable[[str, dict[str, Any]], None],
        on_exit: Callable[[str], None],
        on_trouble: Callable[[str], None],
        spawn: Callable[..., Any],
        name: str,
    ) -> None:
        """`on_exit` is called once, with the reason, whatever ended it; `on_trouble` says why we kill it."""
        self._argv = argv
        self._env = dict(env)
        self._on_notification = on_notification
        self._on_exit = on_exit
        self._on_trouble = on_trouble
        self._spawn = spawn
        self._name = name
        self._process: asyncio.subprocess.Process | None = None
        self._pipes: Pipes | None = None
        self._stream = JsonStream()
        self._silent = asyncio.Event()
        """Nothing comes from it any more."""
        self._garbage = ""
        self._held: list[dict[str, Any]] | None = None
        """While the node stands still for `ask_all_now`: what else the plugin says, for later."""
        self._pending: dict[str, _Pending] = {}
        self._answers: dict[str, dict[str, Any] | None] = {}
        """To what `ask_all_now` asked, by request id."""
        self.exited = asyncio.Event()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid if self._process is not None else 0

    async def start(self) -> None:
        """Start the program. Raises OSError."""
        pipes = Pipes(self._on_data, self._silent.set)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=pipes.child_stdin,
                stdout=pipes.child_stdout,
                env=self._env,
                preexec_fn=own_process_group,
            )
        except BaseException:
            pipes.abandon()
            raise
        self._pipes = pipes
        pipes.begin()
        self._spawn(self._until_it_ends(), f"plugin-{self._name}")

    async def request(
        self,
        method: str,
        params: Any,
        *,
        cause: str | None = None,
        on_notify: OnNotify | None = None,
    ) -> Any:
        """Call a method and return its result. Raises PluginCallError or PluginDiedError.

        `cause` is the id of the command that made us ask; it is put before our own, so that logs can be followed.
        """
        if self.exited.is_set():
            raise PluginDiedError("Plugin terminated before replying to RPC call.")
        request_id = f"cln:{method}#{next(_REQUEST_NUMBERS)}"
        if cause:
            request_id = f"{cause}/{request_id}"
        pending = _Pending(asyncio.get_running_loop().create_future(), on_notify)
        self._pending[request_id] = pending
        try:
            self._write({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
            return await pending.future
        finally:
            self._pending.pop(request_id, None)

    # Asking while the node stands still

    def ask_now(self, method: str, params: Any) -> str:
        """Send a request whose answer `ask_all_now` waits for; its id."""
        request_id = f"cln:{method}#{next(_REQUEST_NUMBERS)}"
        self._answers[request_id] = None
        self._held = []
        self._write({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return request_id

    def answered_now(self, request_id: str) -> bool:
        """Whether the answer has come, or none can come."""
        gone = self._pipes is None or self._pipes.ended or bool(self._garbage)
        return gone or self._answers[request_id] is not None

    def take_answer(self, request_id: str) -> dict[str, Any] | None:
        """The answer, None where the plugin went away; what it said besides is handled when the loop runs again."""
        held, self._held = self._held or [], None
        loop = asyncio.get_running_loop()
        for message in held:
            loop.call_soon(self._handle_late, message)
        return self._answers.pop(request_id)

    def _handle_late(self, message: dict[str, Any]) -> None:
        try:
            self._handle(message)
        except JsonStreamError as why:
            self._garbage = f"it wrote what is not JSON-RPC: {why}"
            self._on_trouble(self._garbage)
            self.kill()

    def notify(self, method: str, params: Any, origin: str | None = None) -> None:
        """Send a notification."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if origin is not None:
            message["origin"] = origin
        self._write({**message, "params": params})

    def kill(self) -> None:
        """End it now."""
        if self._process is not None and self._process.returncode is None:
            try:
                self._process.kill()
            except ProcessLookupError:
                pass

    async def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Wait until it has exited; False where it took too long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.exited.wait()
        except TimeoutError:
            return False
        return True

    def close_stdin(self) -> None:
        """Tell it that no more will come."""
        if self._pipes is not None:
            self._pipes.close_write()

    def _write(self, message: dict[str, Any]) -> None:
        if self._pipes is None:
            return
        self._pipes.send(to_line(message))
        if self._pipes.unsent > MAX_UNREAD:
            self._on_trouble(f"it does not read: {MAX_UNREAD >> 20} MB wait for it")
            self.kill()

    def _on_data(self, data: bytes) -> None:
        if self._garbage:
            return
        try:
            for message in self._stream.feed(data):
                self._handle(message)
        except JsonStreamError as why:
            self._garbage = f"it wrote what is not JSON-RPC: {why}"
            self._on_trouble(self._garbage)
            self.kill()

    async def _until_it_ends(self) -> None:
        await self._silent.wait()
        assert self._process is not None and self._pipes is not None
        # Nobody can talk to a plugin that has closed its stdout.
        if not self._garbage and not await self._exits_soon():
            self.kill()
        code = await self._process.wait()
        self._pipes.close_write()
        self._finish(self._garbage or _how_it_ended(code))

    async def _exits_soon(self) -> bool:
        assert self._process is not None
        try:
            async with asyncio.timeout(1):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    def _handle(self, message: dict[str, Any]) -> None:
        if "id" in message and str(message["id"]) in self._answers:
            self._answers[str(message["id"])] = message
            return
        if self._held is not None and message.get("method") != "log":
            self._held.append(message)
            return
        if "id" in message:
            self._handle_reply(message)
            return
        method, params = message.get("method"), message.get("params")
        if not isinstance(method, str) or params is None:
            raise JsonStreamError(f'a notification without "method" or "params": {message!r:.200}')
        if method in ("message", "progress"):
            self._forward(method, params)
        else:
            self._on_notification(method, params)

    def _handle_reply(self, message: dict[str, Any]) -> None:
        pending = self._pending.get(str(message["id"]))
        if pending is None or pending.future.done():
            return
        error = message.get("error")
        if error is None:
            pending.future.set_result(message.get("result"))
        elif isinstance(error, dict):
            pending.future.set_exception(
                PluginCallError(
                    error.get("code", -3), str(error.get("message", "")), error.get("data")
                )
            )
        else:
            pending.future.set_exception(PluginCallError(-3, str(error)))

    def _forward(self, method: str, params: Any) -> None:
        """Pass `message` and `progress` to whoever made the call they belong to."""
        if not isinstance(params, dict) or "id" not in params:
            raise JsonStreamError(f'{method}: JSON-RPC notify "id"-field is not present')
        pending = self._pending.get(str(params["id"]))
        if pending is not None and pending.on_notify is not None:
            pending.on_notify(method, params)

    def _finish(self, reason: str) -> None:
        self.exited.set()
        for pending in list(self._pending.values()):
            if not pending.future.done():
                pending.future.set_exception(
                    PluginDiedError("Plugin terminated before replying to RPC call.")
                )
        self._on_exit(reason)


def ask_all_now(
    plugins: Sequence[PluginProcess],
    method: str,
    params: Any,
    still_waiting: Callable[[int], None],
) -> list[dict[str, Any] | None]:
    """Ask all at once and wait for all answers; nothing else of the node runs. None: the plugin went away.

    An answer is the whole JSON-RPC object. `still_waiting` is told the seconds when it takes minutes.
    """
    ids = [plugin.ask_now(method, params) for plugin in plugins]
    pairs = list(zip(plugins, ids, strict=True))
    exchange_now(
        [plugin._pipes for plugin in plugins if plugin._pipes is not None],
        lambda: all(plugin.answered_now(i) for plugin, i in pairs),
        still_waiting,
    )
    return [plugin.take_answer(i) for plugin, i in pairs]


def _how_it_ended(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit status {code}"
