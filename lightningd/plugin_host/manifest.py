"""What a plugin answers to getmanifest, read and checked. Pure.

Field by field as CLN's plugin protocol has it; errors are texts for the log, the plugin is then not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

OPTION_NAME = re.compile(r"[0-9a-z_-]+")
OPTION_TYPES = ("string", "string-conceal", "int", "bool", "flag")
FEATURE_PLACES = ("init", "node", "channel", "invoice")


class ManifestError(ValueError):
    """The manifest is not what the protocol says; the text names the field."""


@dataclass(frozen=True, slots=True)
class PluginOption:
    """A start option that the plugin adds."""

    name: str
    type: str
    description: str
    default: Any = None
    multi: bool = False
    dynamic: bool = False
    deprecated: bool = False

    @property
    def takes_value(self) -> bool:
        """Whether `--name` must be followed by a value."""
        return self.type != "flag"

    def convert(self, text: str | bool) -> Any:
        """A value as it stood on the command line, as the plugin gets it. Raises ValueError."""
        if self.type == "int":
            try:
                return int(text)
            except ValueError:
                raise ValueError(f"--{self.name}: should be an integer, not {text!r}") from None
        if self.type in ("bool", "flag"):
            return _to_bool(self.name, text)
        return text


@dataclass(frozen=True, slots=True)
class RpcMethod:
    """A command that the plugin adds."""

    name: str
    usage: str
    description: str = ""
    long_description: str = ""
    category: str = "plugin"
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class HookSpec:
    """A hook that the plugin wants, and its place in the chain."""

    name: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    filters: tuple[str | int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a plugin declares."""

    options: tuple[PluginOption, ...] = ()
    methods: tuple[RpcMethod, ...] = ()
    subscriptions: tuple[str, ...] = ()
    hooks: tuple[HookSpec, ...] = ()
    dynamic: bool = False
    featurebits: Mapping[str, bytes] | None = None
    custommessages: tuple[int, ...] = ()
    notifications: tuple[str, ...] = ()
    can_check: bool = False
    disable: str | None = None
    """Why the plugin does not want to run, if so: then nothing else counts."""


def parse_manifest(result: Any) -> Manifest:
    """Read the `result` of getmanifest. Raises ManifestError."""
    if not isinstance(result, dict):
        raise ManifestError(f"the manifest is not an object: {result!r:.200}")
    if "disable" in result:
        return Manifest(disable=str(result["disable"]))
    if result.get("nonnumericids", True) is False:
        raise ManifestError(
            '"nonnumericids": false is no longer supported: request ids are strings'
        )
    for required in ("options", "rpcmethods"):
        if required not in result:
            raise ManifestError(f'"{required}" is missing')
    dynamic = _flag(result, "dynamic", "getmanifest")
    featurebits = _featurebits(result.get("featurebits"))
    if dynamic and featurebits:
        raise ManifestError("custom featurebits are for plugins that are not dynamic")
    return Manifest(
        options=tuple(_option(o) for o in _list(result, "options")),
        methods=tuple(_method(m) for m in _list(result, "rpcmethods")),
        subscriptions=tuple(_string(s, "subscriptions") for s in _list(result, "subscriptions")),
        hooks=_hooks(_list(result, "hooks")),
        dynamic=dynamic,
        featurebits=featurebits,
        custommessages=tuple(_u16(m) for m in _list(result, "custommessages")),
        notifications=tuple(_topic(n) for n in _list(result, "notifications")),
        can_check=_flag(result, "cancheck", "getmanifest"),
    )


def _list(source: Mapping[str, Any], name: str) -> list[Any]:
    value = source.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ManifestError(f'"{name}" is not an array')
    return value


def _flag(source: Mapping[str, Any], name: str, where: str) -> bool:
    value = source.get(name, False)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise ManifestError(f'{where}: "{name}" should be true or false, not {value!r}')
    return value


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ManifestError(f'"{where}": should be a string, not {value!r:.100}')
    return value


def _u16(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 16:
        raise ManifestError(f'"custommessages": {value!r:.100} is not a message type')
    return value


def _deprecated(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, list) and 1 <= len(value) <= 2:
        return True
    raise ManifestError(
        f'"deprecated" must be true, false or an array of 1 or 2 versions, not {value!r:.100}'
    )


def _option(entry: Any) -> PluginOption:
    if not isinstance(entry, dict) or not {"name", "type", "description"} <= entry.keys():
        raise ManifestError('an option is missing "name", "description" or "type"')
    name, kind = _string(entry["name"], "options.name"), entry["type"]
    if not OPTION_NAME.fullmatch(name):
        raise ManifestError(f"option {name!r}: names are lowercase letters, digits, _ and -")
    if kind not in OPTION_TYPES:
        raise ManifestError(
            f"option {name}: type should be one of {', '.join(OPTION_TYPES)}, not {kind!r}"
        )
    multi = _flag(entry, "multi", name)
    if multi and kind in ("bool", "flag"):
        raise ManifestError(f"option {name}: a {kind} cannot be multi")
    option = PluginOption(
        name=name,
        type=kind,
        description=str(entry["description"]),
        multi=multi,
        dynamic=_flag(entry, "dynamic", name),
        deprecated=_deprecated(entry.get("deprecated")),
    )
    return _with_default(option, entry.get("default"))


def _with_default(option: PluginOption, default: Any) -> PluginOption:
    if option.type == "flag":
        if default not in (None, False, "false"):
            raise ManifestError(
                f"option {option.name}: the default of a flag is false, not {default!r}"
            )
        return option
    if default is None:
        return option
    try:
        converted = (
            [option.convert(d) for d in default]
            if isinstance(default, list)
            else option.convert(default)
        )
    except (ValueError, TypeError) as why:
        raise ManifestError(f"option {option.name}: invalid default: {why}") from None
    return replace(option, default=converted)


def _method(entry: Any) -> RpcMethod:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ManifestError(f'rpcmethod does not have a string "name": {entry!r:.100}')
    name = entry["name"]
    if "usage" not in entry:
        raise ManifestError(f'rpcmethod {name}: "usage" is missing')
    return RpcMethod(
        name=name,
        usage=_string(entry["usage"], f"rpcmethods.{name}.usage"),
        description=str(entry.get("description") or ""),
        long_description=str(entry.get("long_description") or ""),
        category=str(entry.get("category") or "plugin"),
        deprecated=_deprecated(entry.get("deprecated")),
    )


def _hooks(entries: list[Any]) -> tuple[HookSpec, ...]:
    found: dict[str, HookSpec] = {}
    for entry in entries:
        spec = _hook(entry)
        if spec.name in found:
            raise ManifestError(f"hook {spec.name} is registered multiple times")
        found[spec.name] = spec
    return tuple(found.values())


def _hook(entry: Any) -> HookSpec:
    if isinstance(entry, str):
        return HookSpec(entry)
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise ManifestError(f"no name in hook {entry!r:.100}")
    filters = entry.get("filters")
    if filters is not None and not isinstance(filters, list):
        raise ManifestError(f"hook {entry['name']}: filters must be an array")
    return HookSpec(
        entry["name"],
        before=tuple(_string(b, "before") for b in _list(entry, "before")),
        after=tuple(_string(a, "after") for a in _list(entry, "after")),
        filters=None if filters is None else tuple(filters),
    )


def _topic(entry: Any) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("method"), str):
        raise ManifestError('"notifications": each is an object with a string "method"')
    return str(entry["method"])


def _featurebits(entry: Any) -> dict[str, bytes] | None:
    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise ManifestError('"featurebits" is not an object')
    found: dict[str, bytes] = {}
    for place in FEATURE_PLACES:
        text = entry.get(place)
        if not text:
            continue
        try:
            found[place] = bytes.fromhex(_string(text, f"featurebits.{place}"))
        except ValueError:
            raise ManifestError(f"featurebits.{place} is not hex: {text!r:.100}") from None
    return found


def _to_bool(name: str, text: str | bool) -> bool:
    if isinstance(text, bool):
        return text
    if str(text).lower() in ("true", "yes", "1", "on", ""):
        return True
    if str(text).lower() in ("false", "no", "0", "off"):
        return False
    raise ValueError(f"--{name}: should be true or false, not {text!r}")
