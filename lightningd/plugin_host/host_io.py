"""The plugin host: which plugins there are, their start, their death, and everything that goes through them.

Start-up is in two steps, because options of plugins are options of the node: `start_all` runs the programs and
reads their manifests, all at once; `init_all` tells them the values. `Environment` is all it knows of the node.
Not here: the protocol's parts (`manifest.py`, `hooks.py`, ...), the command `plugin` (`rpc/plugin.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pylightningd.common.errors import UserError
from pylightningd.common.version import VERSION
from pylightningd.lightningd.plugin_host.hooks import (
    HookError,
    HookTable,
    Payload,
    Response,
    run_chain,
)
from pylightningd.lightningd.plugin_host.manifest import (
    ManifestError,
    PluginOption,
    RpcMethod,
    parse_manifest,
)
from pylightningd.lightningd.plugin_host.notifications import Subscriptions, native_params
from pylightningd.lightningd.plugin_host.options import (
    GivenValues,
    HostConfig,
    init_params,
    option_values,
)
from pylightningd.lightningd.plugin_host.plugin import PluginEntry, State
from pylightningd.lightningd.plugin_host.process_io import (
    PluginCallError,
    PluginDiedError,
    PluginProcess,
)
from pylightningd.lightningd.plugin_host.revive_io import Reviver
from pylightningd.lightningd.plugin_host.roster_io import Roster
from pylightningd.lightningd.rpc.dispatch import Call
from pylightningd.lightningd.rpc.errors import (
    JSONRPC2_INVALID_PARAMS,
    PLUGIN_TERMINATED,
)
from pylightningd.lightningd.rpc.registry import Command, Registry

START_TIMEOUT_S = 60.0
LEVELS = {
    "trace": "trace",
    "debug": "debug",
    "info": "info",
    "warn": "unusual",
    "warning": "unusual",
    "unusual": "unusual",
    "error": "broken",
    "broken": "broken",
}
BACKEND_METHODS = frozenset(
    {"getchaininfo", "estimatefees", "getrawblockbyheight", "getutxout", "sendrawtransaction"}
)


class PluginStartError(Exception):
    """A plugin that the node cannot start without did not start; the text is for the user."""


def _no_options(_: str) -> list[str | bool] | None:
    return None


def _nothing(*_: Any) -> None:
    return None


@dataclass
class Environment:
    """What the host needs of the node."""

    log: Callable[..., None]
    """log(level, text, source=...)"""
    spawn: Callable[..., Any]
    """spawn(coroutine, name): a task of the node."""
    registry: Registry
    stop_node: Callable[[str], None]
    """An important plugin ended: stop with an error."""
    given: GivenValues = _no_options
    declare_option: Callable[[str, PluginOption], None] = _nothing
    """An option came; raises ValueError where its name is taken."""
    withdraw_option: Callable[[str], None] = _nothing
    custommessages_changed: Callable[[list[int]], None] = _nothing
    featurebits: Callable[[str, Mapping[str, bytes]], None] = _nothing
    """A plugin adds feature bits; raises ValueError where they are set already."""
    extra_env: Mapping[str, str] = field(default_factory=dict)


class PluginHost:
    """All plugins of the node."""

    def __init__(
        self, env: Environment, config: HostConfig, default_dir: Path | None = None
    ) -> None:
        self.env = env
        self.config = config
        self.roster = Roster(default_dir, env.log, self.kill)
        self.hooks = HookTable()
        self.subscriptions = Subscriptions()
        self.startup = True
        self.shutting_down = False
        self._reviver = Reviver(self._log, env.spawn, self._start_again)
        # Registering is the roster's work.
        self.add_bundled = self.roster.add_bundled
        self.add = self.roster.add
        self.add_dir = self.roster.add_dir
        self.add_default_dir = self.roster.add_default_dir
        self.clear = self.roster.clear
        self.disable = self.roster.disable
        self.find = self.roster.find

    @property
    def plugins(self) -> list[PluginEntry]:
        """All registered plugins, in the order they came."""
        return self.roster.plugins

    # -- starting ----------------------------------------------------------------------------------

    async def start_all(self) -> None:
        """Run every plugin that does not run yet and read the manifests. Raises PluginStartError at start-up."""
        waiting = [p for p in self.plugins if p.state is State.UNCONFIGURED]
        async with asyncio.TaskGroup() as tasks:
            for entry in waiting:
                tasks.create_task(self._get_manifest(entry), name=f"getmanifest {entry.shortname}")
        for entry in waiting:
            if entry.state is State.NEEDS_INIT:
                self._accept(entry)
        for entry in waiting:
            if entry.state is State.NEEDS_INIT:
                self._warn_of_unknown_topics(entry)
        if self.startup:
            self._stop_if_important_missing(waiting)

    async def init_all(self, *, backend_only: bool = False) -> None:
        """Send init to every plugin that waits for it, and wait for the answers."""
        waiting = [
            p
            for p in self.plugins
            if p.state is State.NEEDS_INIT and (not backend_only or self._is_backend(p))
        ]
        async with asyncio.TaskGroup() as tasks:
            for entry in waiting:
                tasks.create_task(self._init(entry), name=f"init {entry.shortname}")
        if self.startup:
            self._stop_if_important_missing(waiting)
        if not backend_only:
            self.startup = False
            self._tell_custommessages()

    def _is_backend(self, entry: PluginEntry) -> bool:
        return any(m.name in BACKEND_METHODS for m in entry.manifest.methods)

    def missing_backend_methods(self) -> list[str]:
        """The calls of the bitcoin backend that no plugin offers."""
        return sorted(m for m in BACKEND_METHODS if self.env.registry.get(m) is None)

    def _stop_if_important_missing(self, entries: list[PluginEntry]) -> None:
        for entry in entries:
            if entry.important and entry.state is State.GONE:
                raise PluginStartError(
                    f"error starting plugin '{entry.cmd}': {entry.ended_because}. "
                    "It is important, so the node does not start without it."
                )

    async def _get_manifest(self, entry: PluginEntry) -> None:
        entry.process = PluginProcess(
            (*entry.argv, *(("--developer",) if self.config.developer else ())),
            env={
                **os.environ,
                **self.env.extra_env,
                "LIGHTNINGD_PLUGIN": "1",
                "LIGHTNINGD_VERSION": VERSION,
            },
            on_notification=lambda topic, params: self._on_notification(entry, topic, params),
            on_exit=lambda reason: self._on_exit(entry, reason),
            on_trouble=lambda text: self._log(entry, "unusual", f"Killing plugin: {text}"),
            spawn=self.env.spawn,
            name=entry.shortname,
        )
        entry.state = State.AWAITING_MANIFEST
        try:
            await entry.process.start()
        except OSError as why:
            self._on_exit(entry, f"{why.strerror}")
            return
        self.env.log("debug", f"started({entry.process.pid}) {entry.cmd}", source="plugin-manager")
        params = {"allow-deprecated-apis": self.config.allow_deprecated}
        result = await self._ask_at_start(entry, "getmanifest", params)
        if entry.state is State.GONE:
            return
        try:
            manifest = parse_manifest(result)
        except ManifestError as why:
            self.kill(entry, str(why), "unusual")
            return
        if manifest.disable is not None:
            entry.important = False
            self.kill(entry, f"disabled itself: {manifest.disable}", "info")
        elif not self.startup and not manifest.dynamic and not entry.bundled:
            self.kill(entry, "Not a dynamic plugin", "info")
        else:
            entry.manifest = manifest
            entry.state = State.NEEDS_INIT

    async def _ask_at_start(self, entry: PluginEntry, method: str, params: Any) -> Any:
        assert entry.process is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                return await entry.process.request(method, params)
        except TimeoutError:
            self.kill(entry, f"timed out {entry.state.value}", "unusual")
        except PluginCallError as why:
            self.kill(entry, f"it answered {method} with an error: {why}", "unusual")
        except PluginDiedError:
            # The reader says why it ended in the same moment.
            await entry.process.exited.wait()
        return None

    def _accept(self, entry: PluginEntry) -> None:
        """Enter what the manifest declares; a plugin that clashes with others is not used."""
        manifest = entry.manifest
        try:
            for option in manifest.options:
                self.env.declare_option(entry.cmd, option)
                entry.options.append(option.name)
            for method in manifest.methods:
                self._add_command(entry, method)
            self.subscriptions.add(entry.cmd, manifest.subscriptions, manifest.notifications)
            self.hooks.add(entry.cmd, manifest.hooks)
            if manifest.featurebits:
                self.env.featurebits(entry.cmd, manifest.featurebits)
        except (ValueError, HookError) as why:
            self.kill(entry, str(why), "unusual")

    def _warn_of_unknown_topics(self, entry: PluginEntry) -> None:
        for topic in self.subscriptions.unknown(entry.manifest.subscriptions):
            self._log(entry, "unusual", f'topic "{topic}" is not a known notification topic')

    def _add_command(self, entry: PluginEntry, method: RpcMethod) -> None:
        async def run(_node: Any, *, call: Call, params: Any) -> dict[str, Any]:
            return await self.call_method(entry, method.name, params, call)

        async def check(_node: Any, *, call: Call, params: Any) -> None:
            await self._check_method(entry, method.name, params, call)

        known = self.env.registry.get(method.name)
        if known is not None:
            raise ValueError(
                f'Could not register method "{method.name}", a method with that name is already registered'
                + (f" by plugin {known.source}" if known.source else "")
            )
        self.env.registry.add(
            Command(
                name=method.name,
                family=method.category,
                summary=method.description,
                params={},
                handler=run,
                about=method.long_description,
                check=check,
                raw=True,
                usage_text=method.usage,
                source=entry.cmd,
                deprecated=method.deprecated,
            )
        )
        entry.commands.append(method.name)

    async def _init(self, entry: PluginEntry) -> None:
        try:
            entry.option_values = option_values(entry.manifest, self.env.given, entry.params)
        except ValueError as why:
            self.kill(entry, str(why), "unusual")
            return
        entry.state = State.AWAITING_INIT
        params = init_params(self.config, entry.option_values, startup=self.startup)
        result = await self._ask_at_start(entry, "init", params)
        if entry.state is State.GONE:
            return
        if isinstance(result, dict) and "disable" in result:
            entry.important = False
            self.kill(entry, f"disabled itself at init: {result['disable']}", "debug")
            return
        entry.state = State.RUNNING
        if entry.manifest.custommessages:
            self._tell_custommessages()
        self.publish("plugin_started", _described(entry))

    # -- ending --------------------------------------------------------------------------------------

    def kill(self, entry: PluginEntry, why: str, level: str) -> None:
        """End a plugin and forget it."""
        if entry.state is State.GONE:
            return
        self._log(entry, level, f"Killing plugin: {why}")
        self._forget(entry, why)
        if entry.process is not None:
            entry.process.kill()

    async def stop(self, entry: PluginEntry) -> None:
        """Let a plugin end, as `plugin stop` wants it: asked first, if it listens, then killed."""
        entry.important = False
        if "shutdown" in self.subscriptions_of(entry) and entry.process is not None:
            entry.process.notify("shutdown", {})
            if not await entry.process.wait():
                self._log(entry, "unusual", "Timeout on shutdown: killing anyway")
        self.kill(entry, "stopped by lightningd via RPC", "info")

    async def shutdown(self, timeout_s: float = 5.0) -> None:
        """End all plugins but those that see what is written: those that subscribed to `shutdown` get time."""
        self.shutting_down = True
        keep = set(self.hooks.chain("db_write"))
        await self._end([p for p in self.plugins if p.cmd not in keep], timeout_s)

    async def shutdown_last(self, timeout_s: float = 5.0) -> None:
        """Nothing will be written any more: end those that saw it."""
        await self._end(list(self.plugins), timeout_s)

    async def _end(self, entries: list[PluginEntry], timeout_s: float) -> None:
        polite = []
        for entry in entries:
            if entry.process is None:
                continue
            if "shutdown" in self.subscriptions_of(entry) and entry.state is State.RUNNING:
                entry.process.notify("shutdown", {})
                polite.append(entry.process)
            else:
                entry.process.kill()
        try:
            async with asyncio.timeout(timeout_s):
                for process in polite:
                    await process.exited.wait()
        except TimeoutError:
            self.env.log("debug", "Some plugins did not end in time", source="plugin-manager")
        for entry in entries:
            if entry.process is not None:
                entry.process.kill()
            if entry in self.plugins:
                self.plugins.remove(entry)

    def subscriptions_of(self, entry: PluginEntry) -> tuple[str, ...]:
        """The topics that its manifest names."""
        return entry.manifest.subscriptions

    def _on_exit(self, entry: PluginEntry, reason: str) -> None:
        """The process ended by itself, or because we killed it."""
        if entry.state is State.GONE or self.shutting_down:
            return
        was = entry.state
        self._log(entry, "info", f"Killing plugin: exited {was.value} ({reason})")
        self._forget(entry, f"exited {was.value} ({reason})")
        if entry.important and (was is State.RUNNING or not self.startup):
            self._log(entry, "broken", "Plugin marked as important, shutting down lightningd!")
            self.env.stop_node(f"plugin {entry.shortname}, marked as important, ended: {reason}")
        elif entry.bundled and not self.startup:
            self._reviver.ended(entry)

    async def _start_again(self, entry: PluginEntry) -> None:
        if self.shutting_down or self.find(entry.cmd) is not None:
            return
        self.plugins.append(entry)
        await self._get_manifest(entry)
        if entry.state is State.NEEDS_INIT:
            self._accept(entry)
        if entry.state is State.NEEDS_INIT:
            await self._init(entry)

    def _forget(self, entry: PluginEntry, why: str) -> None:
        was_running = entry.state is State.RUNNING
        entry.state = State.GONE
        entry.ended_because = why
        self._withdraw(entry)
        if entry in self.plugins:
            self.plugins.remove(entry)
        if was_running:
            if entry.manifest.custommessages:
                self._tell_custommessages()
            self.publish(
                "plugin_stopped",
                _described(entry),
            )

    def _withdraw(self, entry: PluginEntry) -> None:
        for name in entry.commands:
            self.env.registry.remove(name)
        for name in entry.options:
            self.env.withdraw_option(name)
        self.hooks.remove(entry.cmd)
        self.subscriptions.remove(entry.cmd)

    def _tell_custommessages(self) -> None:
        if self.startup:
            return  # told once all are there
        types = {
            t for p in self.plugins if p.state is State.RUNNING for t in p.manifest.custommessages
        }
        self.env.custommessages_changed(sorted(types))

    # -- commands, hooks, notifications ----------------------------------------------------------------

    async def call_method(
        self, entry: PluginEntry, method: str, params: Any, call: Call
    ) -> dict[str, Any]:
        """Run a plugin's command for a caller. Raises UserError with the plugin's error."""

        def forward(kind: str, body: dict[str, Any]) -> None:
            call.notify(kind, {**body, "id": call.id})

        return await self._request(entry, method, params, cause=call.id, on_notify=forward)

    async def call(self, method: str, params: Any = None) -> Any:
        """Run a plugin's command for the node itself. Raises UserError."""
        entry = self.owner_of(method)
        if entry is None:
            raise UserError(PLUGIN_TERMINATED, f"no plugin offers {method}")
        return await self._request(entry, method, params if params is not None else {}, None, None)

    def owner_of(self, method: str) -> PluginEntry | None:
        """The plugin that offers this command."""
        return next((p for p in self.plugins if method in p.commands), None)

    async def _request(
        self, entry: PluginEntry, method: str, params: Any, cause: Any, on_notify: Any
    ) -> dict[str, Any]:
        if entry.process is None or entry.state is State.GONE:
            raise UserError(PLUGIN_TERMINATED, "Plugin terminated before replying to RPC call.")
        try:
            result: dict[str, Any] = await entry.process.request(
                method,
                params if params is not None else {},
                cause=None if cause is None else str(cause).strip('"'),
                on_notify=on_notify,
            )
        except PluginCallError as error:
            raise UserError(error.code, error.message, error.data) from None
        except PluginDiedError as why:
            raise UserError(PLUGIN_TERMINATED, str(why)) from None
        return result

    async def _check_method(self, entry: PluginEntry, method: str, params: Any, call: Call) -> None:
        if not entry.manifest.can_check:
            return
        checked: Any
        if isinstance(params, list) and params:
            checked = [method, *params]
        else:
            checked = {"command_to_check": method, **(params or {})}
        if isinstance(checked, list):
            # A plugin's check wants names, which only the plugin knows: leave positional calls to the call itself.
            return
        await self._request(entry, "check", checked, call.id, None)

    async def set_option(self, name: str, value: Any) -> bool:
        """Give a dynamic option a new value. False where no plugin has it. Raises UserError with its objection."""
        for entry in self.plugins:
            option = next((o for o in entry.manifest.options if o.name == name), None)
            if option is None:
                continue
            if not option.dynamic:
                raise UserError(
                    JSONRPC2_INVALID_PARAMS, f"{name} cannot change while the node runs"
                )
            params = {"config": name} if value is None else {"config": name, "val": value}
            await self._request(entry, "setconfig", params, None, None)
            entry.option_values[name] = value
            return True
        return False

    def claims_custommsg(self, message_type: int) -> bool:
        """Whether a plugin declared that it handles this type of peer message."""
        return any(
            message_type in p.manifest.custommessages
            for p in self.plugins
            if p.state is State.RUNNING
        )

    def has_hook(self, name: str) -> bool:
        """Whether anybody registered this hook: a cheap question for hot paths."""
        return self.hooks.anyone(name)

    async def call_hook(
        self, name: str, payload: Payload, cause: str | None = None
    ) -> list[Response]:
        """Ask the chain of a hook. Returns the responses in order, empty where nobody registered; see hooks.py.

        A plugin that dies, or answers with an error (it is then killed), counts as not having been asked.
        """
        if not self.hooks.anyone(name):
            return []

        async def ask(plugin: str, hook: str, body: Payload) -> Response | None:
            return await self._ask_hook(plugin, hook, body, cause)

        return await run_chain(self.hooks, name, payload, ask)

    async def _ask_hook(
        self, plugin: str, hook: str, payload: Payload, cause: str | None
    ) -> Response | None:
        entry = next((p for p in self.plugins if p.cmd == plugin), None)
        if entry is None or entry.process is None or entry.state is not State.RUNNING:
            return None
        self.env.log("trace", f"Calling {hook} hook of plugin {entry.shortname}")
        try:
            response = await entry.process.request(hook, payload, cause=cause)
        except PluginDiedError:
            self.env.log("debug", f"Plugin died from {hook} hook call")
            return None
        except PluginCallError as why:
            response = str(why)
        if not isinstance(response, dict):
            self._log(
                entry,
                "broken",
                f"Plugin returned no result from {hook} hook call: {response!r:.200}",
            )
            important = entry.important
            self.kill(entry, f"bad response to the {hook} hook", "unusual")
            if important:
                self.env.stop_node(
                    f"plugin {entry.shortname}, marked as important, failed in hook {hook}"
                )
            return None
        return response

    async def intercept(self, call: Call) -> dict[str, Any] | None:
        """The hook `rpc_command`, as an interceptor of the dispatcher."""
        if not self.hooks.anyone("rpc_command"):
            return None
        payload = {
            "rpc_command": {"id": call.id, "method": call.method, "params": call.params or {}}
        }
        responses = await self.call_hook("rpc_command", payload, _cause(call))
        decision: dict[str, Any] = dict(responses[-1]) if responses else {}
        if "replace" in decision:
            call.method = decision["replace"]["method"]
            call.params = decision["replace"].get("params", {})
            return None
        answer = decision.get("return")
        if isinstance(answer, dict) and ("result" in answer or "error" in answer):
            return {k: answer[k] for k in ("result", "error") if k in answer}
        return None

    def publish(self, topic: str, payload: Any) -> None:
        """Tell every subscriber of a topic of the node. `payload` is the object under the topic's name."""
        self._send_notification(topic, native_params(topic, payload), None)

    def anyone_listens(self, topic: str) -> bool:
        """Whether a payload needs to be made at all."""
        return bool(self.subscriptions.listeners(topic))

    def _send_notification(self, topic: str, params: Any, origin: str | None) -> None:
        for plugin in self.subscriptions.listeners(topic):
            entry = next((p for p in self.plugins if p.cmd == plugin), None)
            if entry is not None and entry.process is not None and entry.state is State.RUNNING:
                entry.process.notify(topic, params, origin)

    def _on_notification(self, entry: PluginEntry, topic: str, params: Any) -> None:
        if topic == "log":
            self._on_log(entry, params)
        elif self.subscriptions.may_publish(entry.cmd, topic):
            self._send_notification(topic, params, entry.shortname)
        else:
            self._log(
                entry,
                "unusual",
                f'Plugin attempted to send a notification to topic "{topic}" it hasn\'t declared in its manifest, '
                "not forwarding to subscribers.",
            )

    def _on_log(self, entry: PluginEntry, params: Any) -> None:
        text = params.get("message") if isinstance(params, dict) else None
        level = LEVELS.get(params.get("level", "info")) if isinstance(params, dict) else None
        if not isinstance(text, str):
            self.kill(
                entry,
                'Log notification from plugin doesn\'t have a string "message" field',
                "unusual",
            )
        elif level is None:
            self.kill(
                entry,
                f"Unknown log-level {params['level']}, valid values are "
                '"trace", "debug", "info", "warn", or "error".',
                "unusual",
            )
        else:
            for line in text.split("\n"):
                self._log(entry, level, line)

    def _log(self, entry: PluginEntry, level: str, text: str) -> None:
        self.env.log(level, text, source=f"plugin-{entry.shortname}")


def _described(entry: PluginEntry) -> dict[str, Any]:
    """Payload of plugin_started and plugin_stopped."""
    return {
        "plugin_name": entry.shortname,
        "plugin_path": entry.cmd,
        "methods": list(entry.commands),
    }


def _cause(call: Call) -> str | None:
    return None if call.id is None else str(call.id).strip('"')
