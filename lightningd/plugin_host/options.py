"""Options of plugins: from the node's configuration to what `init` carries. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pylightningd.lightningd.plugin_host.manifest import Manifest, PluginOption

GivenValues = Callable[[str], list[str | bool] | None]
"""Name of an option -> what the user set it to, in order, or None where it is not set."""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """What the node tells each plugin about itself at init."""

    lightning_dir: str
    """The network's folder."""
    rpc_file: str
    network: str
    feature_set: Mapping[str, str]
    """Our feature bits in hex: init, node, channel, invoice."""
    proxy: Mapping[str, Any] | None = None
    always_use_proxy: bool = False
    developer: bool = False
    allow_deprecated: bool = False


def option_value(option: PluginOption, given: list[str | bool] | None) -> Any:
    """The value that the plugin gets; None where there is none. Raises ValueError."""
    if given is None:
        if option.type == "flag" or option.default is None:
            return None
        return (
            option.default
            if not option.multi or isinstance(option.default, list)
            else [option.default]
        )
    values = [option.convert(value) for value in given]
    return values if option.multi else values[-1]


def option_values(
    manifest: Manifest, given: GivenValues, started_with: Mapping[str, Any]
) -> dict[str, Any]:
    """All values for one plugin; `started_with` are those of `plugin start`. Raises ValueError."""
    names = {o.name for o in manifest.options}
    for name in started_with:
        if name not in names:
            raise ValueError(f"unknown parameter {name}")
    found: dict[str, Any] = {}
    for option in manifest.options:
        if option.name in started_with:
            raw = started_with[option.name]
            value = option_value(option, raw if isinstance(raw, list) else [raw])
        else:
            value = option_value(option, given(option.name))
        if value is not None:
            found[option.name] = value
    return found


def init_params(config: HostConfig, options: Mapping[str, Any], *, startup: bool) -> dict[str, Any]:
    """`params` of the init call."""
    configuration: dict[str, Any] = {
        "lightning-dir": config.lightning_dir,
        "rpc-file": config.rpc_file,
        "startup": startup,
        "network": config.network,
        "feature_set": dict(config.feature_set),
    }
    if config.proxy is not None:
        configuration["proxy"] = dict(config.proxy)
        configuration["torv3-enabled"] = True
        configuration["always_use_proxy"] = config.always_use_proxy
    return {"options": dict(options), "configuration": configuration}


def start_parameters(extra: Mapping[str, Any], options: list[Any] | None) -> dict[str, Any]:
    """Options given to `plugin start`: as keywords or as "name=value" texts. Raises ValueError."""
    if options is None:
        return dict(extra)
    if extra:
        raise ValueError("Cannot mix 'options' array with keyword options")
    found: dict[str, Any] = {}
    for text in options:
        if not isinstance(text, str):
            raise ValueError("options array entries must be strings")
        name, equals, value = text.partition("=")
        found[name] = value if equals else True
    return found
