"""Hooks: which plugins answer one, in which order, and what their answers mean for the chain. Pure.

A hook is a chain: every plugin that registered (and whose filters match) is asked in turn. A response of
``{"result": "continue"}`` passes on to the next, possibly with a changed payload; what else ends the chain is the
hook's own rule below. The caller gets all responses in order; the last one decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pylightningd.lightningd.plugin_host.manifest import HookSpec

Payload = dict[str, Any]
Response = Mapping[str, Any]


def _passes_on(response: Response) -> bool:
    return response.get("result") == "continue"


def _always(_: Response) -> bool:
    return True


def _keep(payload: Payload, _: Response) -> Payload:
    return payload


def _htlc_accepted(payload: Payload, response: Response) -> Payload:
    """Later plugins see the onion payload, the destination and the TLVs that an earlier one put in."""
    changed = dict(payload)
    if "payload" in response:
        changed["onion"] = {**payload["onion"], "payload": response["payload"]}
    if "forward_to" in response:
        changed["forward_to"] = response["forward_to"]
    if "extra_tlvs" in response:
        changed["htlc"] = {**payload["htlc"], "extra_tlvs": response["extra_tlvs"]}
    return changed


def _psbt_of(member: str) -> Callable[[Payload, Response], Payload]:
    def update(payload: Payload, response: Response) -> Payload:
        if "psbt" not in response:
            return payload
        return {**payload, member: {**payload[member], "psbt": response["psbt"]}}

    return update


def _message_type(payload: Payload) -> int:
    return int(payload["payload"][:4], 16)


@dataclass(frozen=True, slots=True)
class HookKind:
    """The rules of one hook."""

    passes_on: Callable[[Response], bool] = _passes_on
    """Does the chain go on after this response?"""
    update: Callable[[Payload, Response], Payload] = _keep
    """The payload for the next plugin."""
    filters: Literal["none", "str", "int"] = "none"
    filter_value: Callable[[Payload], str | int | None] = lambda _: None
    """What of the payload the filters look at."""


HOOKS: dict[str, HookKind] = {
    "commitment_revocation": HookKind(passes_on=_always),
    "custommsg": HookKind(passes_on=_always, filters="int", filter_value=_message_type),
    "db_write": HookKind(passes_on=_passes_on),
    "htlc_accepted": HookKind(update=_htlc_accepted),
    "invoice_payment": HookKind(),
    "onion_message_recv": HookKind(),
    "onion_message_recv_secret": HookKind(),
    "openchannel": HookKind(),
    "openchannel2": HookKind(),
    "openchannel2_changed": HookKind(update=_psbt_of("openchannel2_changed")),
    "openchannel2_sign": HookKind(update=_psbt_of("openchannel2_sign")),
    "peer_connected": HookKind(),
    "rbf_channel": HookKind(),
    "recover": HookKind(passes_on=_always),
    "rpc_command": HookKind(filters="str", filter_value=lambda p: str(p["rpc_command"]["method"])),
}


class HookError(ValueError):
    """A plugin's registration of a hook cannot be accepted; the text says why."""


@dataclass
class _Chain:
    specs: dict[str, HookSpec] = field(default_factory=dict)
    order: tuple[str, ...] = ()


class HookTable:
    """The chains of all hooks. Plugins are known by their paths."""

    def __init__(self) -> None:
        self._chains: dict[str, _Chain] = {name: _Chain() for name in HOOKS}

    def add(self, plugin: str, specs: tuple[HookSpec, ...]) -> None:
        """Enter a plugin. Raises HookError and then has entered nothing."""
        for spec in specs:
            _check(spec)
        for spec in specs:
            self._chains[spec.name].specs[plugin] = spec
        try:
            for spec in specs:
                chain = self._chains[spec.name]
                chain.order = _sorted(spec.name, chain.specs)
        except HookError:
            self.remove(plugin)
            raise

    def remove(self, plugin: str) -> None:
        """Forget a plugin."""
        for chain in self._chains.values():
            if chain.specs.pop(plugin, None) is not None:
                chain.order = tuple(p for p in chain.order if p != plugin)

    def chain(self, name: str, filter_value: str | int | None = None) -> list[str]:
        """The plugins to ask, in order."""
        chain = self._chains[name]
        return [p for p in chain.order if _matches(chain.specs[p], filter_value)]

    def anyone(self, name: str) -> bool:
        """Whether any plugin registered this hook: a cheap question for hot paths."""
        return bool(self._chains[name].order)


def _check(spec: HookSpec) -> None:
    kind = HOOKS.get(spec.name)
    if kind is None:
        raise HookError(f"Unknown hook name {spec.name}")
    if spec.filters is None:
        return
    if kind.filters == "none":
        raise HookError(f"Hook {spec.name} does not allow filters")
    wanted = str if kind.filters == "str" else int
    for value in spec.filters:
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise HookError(
                f"Hook {spec.name}: filters must be an array of {kind.filters}, not {value!r}"
            )


def _matches(spec: HookSpec, filter_value: str | int | None) -> bool:
    return spec.filters is None or filter_value in spec.filters


def _sorted(name: str, specs: Mapping[str, HookSpec]) -> tuple[str, ...]:
    """Order by `before` and `after`, else as they came. Raises HookError where that is impossible."""
    must_precede: dict[str, set[str]] = {p: set() for p in specs}
    for plugin, spec in specs.items():
        for other in _named(spec.after, specs):
            must_precede[plugin].add(other)
        for other in _named(spec.before, specs):
            must_precede[other].add(plugin)
    ordered: list[str] = []
    waiting = list(specs)
    while waiting:
        ready = next((p for p in waiting if must_precede[p] <= set(ordered)), None)
        if ready is None:
            raise HookError(
                f"Cannot meet required hook dependencies: {name} of {', '.join(waiting)} wait for one another"
            )
        waiting.remove(ready)
        ordered.append(ready)
    return tuple(ordered)


def _named(names: tuple[str, ...], specs: Mapping[str, HookSpec]) -> list[str]:
    """The registered plugins that these names mean: whole paths or bare file names."""
    return [p for p in specs if p in names or p.rpartition("/")[2] in names]


Ask = Callable[[str, str, Payload], Awaitable[Response | None]]
"""(plugin, hook, payload) -> response, or None where the plugin died or is gone."""


async def run_chain(table: HookTable, name: str, payload: Payload, ask: Ask) -> list[Response]:
    """Ask every plugin of the chain. Returns the responses; an empty list means nobody had anything to say."""
    kind = HOOKS[name]
    responses: list[Response] = []
    for plugin in table.chain(name, kind.filter_value(payload)):
        response = await ask(plugin, name, payload)
        if response is None:
            continue
        responses.append(response)
        if not kind.passes_on(response):
            break
        payload = kind.update(payload, response)
    return responses
