"""What a bundled plugin is made of: methods, hooks, subscriptions, options (CLN's plugin protocol).

Here is the protocol without its pipes: `lib_io.run(plugin)` connects it to stdin, stdout and the node's
socket. A plugin is written as

    plugin = Plugin()
    plugin.add_option("speed", "int", 5, "How fast")

    @plugin.method("hello", params={"name": may("string", "whom to greet")}, description="Say hello",
                   example="hello Alice")
    async def hello(name: str = "world", *, request: Request) -> dict:
        return {"greeting": f"hello {name}", "speed": plugin.options["speed"]}

Handlers are coroutines; the parameters of a call become their arguments, by name or by place. A keyword
argument `request` is the call itself, to report progress with.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pylightningd.plugins.parameters import Parameters, about_of, usage_of

Json = Any
Handler = Callable[..., Awaitable[Any]]

INVALID_PARAMS = -32602
METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
PLUGIN_ERROR = -3


class RpcError(Exception):
    """A JSON-RPC error: raised by a handler to answer with one, and by `Plugin.rpc` when the node answers one."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Json]:
        """The `error` member of a reply."""
        found: dict[str, Json] = {"code": self.code, "message": self.message}
        if self.data is not None:
            found["data"] = self.data
        return found


@dataclass
class Option:
    """A start option of the node that the plugin adds."""

    name: str
    type: str
    default: Json
    description: str
    multi: bool = False
    dynamic: bool = False
    deprecated: bool | Sequence[str] = False
    dev: bool = False
    """Only with --developer."""
    on_change: Callable[[Json], Awaitable[None]] | None = None

    def manifest(self) -> dict[str, Json]:
        """Its entry in the manifest."""
        found: dict[str, Json] = {
            "name": self.name,
            "type": self.type,
            "description": self.description,
        }
        if self.default is not None and self.type != "flag":
            found["default"] = self.default
        for flag in ("multi", "dynamic", "deprecated"):
            if getattr(self, flag):
                found[flag] = getattr(self, flag)
        return found


@dataclass
class Method:
    """A command that the plugin adds."""

    name: str
    handler: Handler
    usage: str
    description: str
    about: str = ""
    """What ``help`` says further, for instance of each parameter."""
    example: str = ""
    params: Parameters | None = None
    """None where only `usage` tells of them."""

    def manifest(self) -> dict[str, Json]:
        """Its entry in the manifest."""
        found: dict[str, Json] = {
            "name": self.name,
            "usage": self.usage,
            "description": self.description,
        }
        example = f"example: lightning-cli {self.example}" if self.example else ""
        if long_description := "\n".join(part for part in (self.about, example) if part):
            found["long_description"] = long_description
        return found

    def required(self) -> list[str]:
        """The parameters that every call needs, by `usage`."""
        return [word for word in self.usage.split() if not word.startswith("[")]

    def hint(self) -> str:
        """The end of an error about wrong parameters: how to call it."""
        example = f"; example: {self.example}" if self.example else ""
        return f" (usage: {f'{self.name} {self.usage}'.rstrip()}{example})"


@dataclass
class Hook:
    """A hook that the plugin answers."""

    name: str
    handler: Handler
    before: Sequence[str] = ()
    after: Sequence[str] = ()
    filters: Sequence[Json] | None = None

    def manifest(self) -> dict[str, Json]:
        """Its entry in the manifest."""
        found: dict[str, Json] = {"name": self.name}
        if self.before:
            found["before"] = list(self.before)
        if self.after:
            found["after"] = list(self.after)
        if self.filters is not None:
            found["filters"] = list(self.filters)
        return found


@dataclass
class Request:
    """One call that is being answered."""

    plugin: Plugin
    id: Json
    method: str

    def message(self, text: str, level: str = "info") -> None:
        """Tell the caller something while it waits."""
        self.plugin.notify("message", {"id": self.id, "level": level, "message": text})

    def progress(self, num: int, total: int, stage: tuple[int, int] | None = None) -> None:
        """Tell the caller how far the work is."""
        params: dict[str, Json] = {"id": self.id, "num": num, "total": total}
        if stage is not None:
            params["stage"] = {"num": stage[0], "total": stage[1]}
        self.plugin.notify("progress", params)


def _no_transport(*_: Any, **__: Any) -> Any:
    raise RuntimeError("the plugin does not run yet: lib_io.run(plugin) connects it")


@dataclass
class Plugin:
    """Everything that one plugin offers, and its state while it runs."""

    dynamic: bool = True
    featurebits: dict[str, str] = field(default_factory=dict)
    custommessages: list[int] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    """Topics that it may publish."""
    methods: dict[str, Method] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    subscriptions: dict[str, Handler] = field(default_factory=dict)
    option_table: dict[str, Option] = field(default_factory=dict)
    options: dict[str, Json] = field(default_factory=dict)
    """Values, from the node's configuration; defaults before init."""
    configuration: dict[str, Json] = field(default_factory=dict)
    """What init said: lightning-dir, rpc-file, network, feature_set, startup."""
    developer: bool = False
    allow_deprecated: bool = False
    on_init: Handler | None = None
    # Set by lib_io.run.
    send: Callable[[dict[str, Json]], None] = _no_transport
    spawn: Callable[..., Any] = _no_transport
    """spawn(coroutine, name): work that outlives a call; if it fails, so does the plugin."""
    rpc_call: Callable[..., Awaitable[Json]] = _no_transport

    # -- declaring -------------------------------------------------------------------------------

    def add_option(
        self, name: str, type: str, default: Json, description: str, **more: Any
    ) -> None:
        """Add a start option; `type` is string, string-conceal, int, bool or flag."""
        self.option_table[name] = Option(name, type, default, description, **more)
        self.options[name] = False if type == "flag" else default

    def method(
        self,
        name: str,
        *,
        usage: str = "",
        params: Parameters | None = None,
        description: str = "",
        about: str = "",
        example: str = "",
    ) -> Callable[[Handler], Handler]:
        """Decorate the handler of a command. Usage and help follow from `params` where they are given."""
        if params is not None:
            usage = usage_of(params)
            about = "\n".join(filter(None, (about_of(params), about)))

        def add(handler: Handler) -> Handler:
            self.methods[name] = Method(name, handler, usage, description, about, example, params)
            return handler

        return add

    def hook(self, name: str, **more: Any) -> Callable[[Handler], Handler]:
        """Decorate the handler of a hook; it gets the payload's members as arguments and returns the response."""

        def add(handler: Handler) -> Handler:
            self.hooks[name] = Hook(name, handler, **more)
            return handler

        return add

    def subscribe(self, topic: str) -> Callable[[Handler], Handler]:
        """Decorate the handler of a notification; it gets topic and params."""

        def add(handler: Handler) -> Handler:
            self.subscriptions[topic] = handler
            return handler

        return add

    def init(self, handler: Handler) -> Handler:
        """Decorate what runs at init: no arguments; a returned text disables the plugin and says why."""
        self.on_init = handler
        return handler

    # -- talking to the node -----------------------------------------------------------------------

    async def rpc(self, method: str, params: Json = None, **kwargs: Json) -> Json:
        """Call a command of the node. Raises RpcError with the node's error."""
        return await self.rpc_call(method, params if params is not None else kwargs)

    def log(self, text: str, level: str = "info") -> None:
        """Write to the node's log: trace, debug, info, unusual (warn) or broken (error)."""
        self.notify("log", {"level": level, "message": text})

    def notify(self, topic: str, params: Json) -> None:
        """Publish to a topic that `notifications` declares."""
        self.send({"jsonrpc": "2.0", "method": topic, "params": params})

    # -- being called ------------------------------------------------------------------------------

    def manifest(self) -> dict[str, Json]:
        """The answer to getmanifest."""
        return {
            "options": [
                o.manifest() for o in self.option_table.values() if self.developer or not o.dev
            ],
            "rpcmethods": [m.manifest() for m in self.methods.values()],
            "subscriptions": list(self.subscriptions),
            "hooks": [h.manifest() for h in self.hooks.values()],
            "dynamic": self.dynamic,
            "nonnumericids": True,
            "cancheck": True,
            "featurebits": self.featurebits,
            "custommessages": self.custommessages,
            "notifications": [{"method": topic} for topic in self.notifications],
        }

    async def handle(self, message: dict[str, Json]) -> None:
        """Handle one message of the node, and answer it where it is a request."""
        if "id" not in message:
            await self._handle_notification(message)
            return
        reply: dict[str, Json] = {"jsonrpc": "2.0", "id": message["id"]}
        request = Request(self, message["id"], message.get("method", ""))
        try:
            reply["result"] = await self._answer(request, message.get("params") or {})
        except RpcError as error:
            reply["error"] = error.to_json()
            if error.code == INVALID_PARAMS and request.method in self.methods:
                reply["error"]["message"] += self.methods[request.method].hint()
        except Exception as bug:  # noqa: BLE001 the caller gets an answer, the log the trace
            self.log(
                f"{request.method} failed: {''.join(traceback.format_exception(bug))}", "broken"
            )
            reply["error"] = {"code": INTERNAL_ERROR, "message": f"{type(bug).__name__}: {bug}"}
        self.send(reply)

    async def _answer(self, request: Request, params: Json) -> Json:
        match request.method:
            case "getmanifest":
                self.allow_deprecated = bool(params.get("allow-deprecated-apis"))
                return self.manifest()
            case "init":
                return await self._init(params)
            case "setconfig":
                return await self._setconfig(params)
            case "check":
                return self._check(params)
            case _:
                return await self._call_handler(request, params)

    async def _call_handler(self, request: Request, params: Json) -> Json:
        if (method := self.methods.get(request.method)) is not None:
            return await _call(method.handler, params, request)
        if (hook := self.hooks.get(request.method)) is not None:
            return await _call(hook.handler, params, request)
        raise RpcError(METHOD_NOT_FOUND, f"Unknown command '{request.method}'")

    async def _init(self, params: dict[str, Json]) -> dict[str, Json]:
        self.configuration = params.get("configuration", {})
        self.options.update(params.get("options", {}))
        why = await self.on_init() if self.on_init is not None else None
        return {} if why is None else {"disable": str(why)}

    async def _setconfig(self, params: dict[str, Json]) -> dict[str, Json]:
        name = params.get("config", "")
        option = self.option_table.get(name)
        if option is None or not option.dynamic:
            raise RpcError(INVALID_PARAMS, f"option {name!r} cannot change while the node runs")
        value = params.get("val", True)
        if option.type == "int" and not isinstance(value, list):
            try:
                value = int(value)
            except ValueError:
                raise RpcError(
                    INVALID_PARAMS, f"{name}: should be an integer, not {value!r}"
                ) from None
        if option.on_change is not None:
            await option.on_change(value)
        self.options[name] = value
        return {}

    def _check(self, params: dict[str, Json]) -> dict[str, Json]:
        """Whether a command would accept these parameters, as far as their names and number tell."""
        name = params.get("command_to_check", "")
        method = self.methods.get(name)
        if method is not None:
            given = {k: v for k, v in params.items() if k != "command_to_check"}
            bound = _bind(method.handler, given, Request(self, None, name))
            needed = method.required()
            if len(bound.arguments) < len(needed):
                missing = next(word for word in needed if word not in bound.arguments)
                raise RpcError(
                    INVALID_PARAMS, f"missing required parameter: {missing}{method.hint()}"
                )
        return {"command_to_check": name}

    async def _handle_notification(self, message: dict[str, Json]) -> None:
        topic = message.get("method", "")
        handler = self.subscriptions.get(topic) or self.subscriptions.get("*")
        if handler is None:
            return
        try:
            await handler(topic, message.get("params", {}))
        except Exception as bug:  # noqa: BLE001 as above
            self.log(f"{topic} failed: {''.join(traceback.format_exception(bug))}", "broken")


def _bind(handler: Handler, params: Json, request: Request) -> inspect.BoundArguments:
    signature = inspect.signature(handler)
    extra = {"request": request} if "request" in signature.parameters else {}
    try:
        if isinstance(params, list):
            return signature.bind(*params, **extra)
        return signature.bind(**_by_name(request, params), **extra)
    except TypeError as why:
        text = (
            str(why)
            .replace("'", "")
            .replace("got an unexpected keyword argument", "unknown parameter:")
        )
        raise RpcError(INVALID_PARAMS, f"{request.method}: {text}") from None


def _by_name(request: Request, params: dict[str, Json]) -> dict[str, Json]:
    """Parameters as arguments. Raises RpcError where two spellings mean the same one: no one else may have seen
    the one that counts (a rune's conditions, for instance)."""
    named: dict[str, Json] = {}
    for key, value in params.items():
        name = key.replace("-", "_")
        if name in named:
            raise RpcError(INVALID_PARAMS, f"{request.method}: parameter given twice: {name}")
        named[name] = value
    return named


async def _call(handler: Handler, params: Json, request: Request) -> Json:
    bound = _bind(handler, params, request)
    return await handler(*bound.args, **bound.kwargs)
