"""What the user has set: settings from the command line and the files, their values, and where each came from.

Pure; files are read and written by `config_io.py`. Order is CLN's: general file, network's file, command line; of
an option that may be given once the last wins. A setting that nobody knows is kept until `check_all`, because plugins add
options after the first reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from pylightningd.common.network import Network
from pylightningd.lightningd.config_table import NOT_SUPPORTED, OPTIONS, Folders, Option

IGNORED_FOR_TEST_TOOLS = ("grpc-port", "grpc-host")
"""Options of a plugin that comes with CLN and not with us: CLN's test tools always give them. Taken with --developer."""


class ConfigError(Exception):
    """A setting is wrong; the text says which, where, and what is expected."""


class Source(Enum):
    """Where a setting came from."""

    CMDLINE = "cmdline"
    EXPLICIT_CONF = "explicit conf"
    BASE_CONF = "base conf"
    NETWORK_CONF = "network conf"
    TRANSIENT = "setconfig transient"


@dataclass(frozen=True, slots=True)
class Setting:
    """One line: a name and, after ``=``, a value."""

    source: Source
    line: str
    file: str | None = None
    line_number: int = 0

    @property
    def name(self) -> str:
        """What stands before ``=``."""
        return self.line.partition("=")[0]

    @property
    def arg(self) -> str | None:
        """What stands after ``=``, None where there is no ``=``."""
        _, equals, arg = self.line.partition("=")
        return arg if equals else None

    @property
    def shown_source(self) -> str:
        """As `listconfigs` tells it."""
        return f"{self.file}:{self.line_number}" if self.file else self.source.value

    def error(self, problem: str) -> ConfigError:
        """An error about this setting."""
        if self.file is None:
            return ConfigError(f"--{self.line}: {problem}")
        return ConfigError(
            f"Config file {self.file} line {self.line_number}: {self.line}: {problem}"
        )


class Config:
    """The node's options and their values: ``config["fee-base"]`` or ``config.fee_base``.

    A flag is a bool, a repeatable option a list, anything else the value, its default, or None.
    """

    def __init__(
        self, folders: Folders, settings: Iterable[Setting], options: Sequence[Option] = OPTIONS
    ) -> None:
        self.folders = folders
        self.settings = list(settings)
        self._options: dict[str, Option] = {}
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._changed: dict[str, list[Callable[[Any], None]]] = {}
        self.setconfig_file: str | None = next(
            (s.file for s in self.settings if s.file and s.file.endswith(".setconfig")), None
        )
        self.developer = any(s.name == "developer" for s in self.settings)
        self.passphrase: bytes | None = None
        """Of hsm_secret, as the user typed it."""
        self.recover_as: str | None = None
        """Set by `recover`: the secret to start anew with, once this node has stopped."""
        for option in options:
            self.add(option)

    @property
    def network(self) -> Network:
        """The network we are on."""
        return self.folders.network

    # Options

    def add(self, option: Option) -> None:
        """Add an option, e.g. a plugin's. Raises ValueError where a name is taken."""
        for name in (option.name, *option.aliases):
            if name in self._names:
                raise ValueError(f"option {name} exists already")
        for name in (option.name, *option.aliases):
            self._names[name] = option.name
        self._options[option.name] = option

    def remove(self, name: str) -> None:
        """Take a plugin's option away. What the user set stays, for when it comes back."""
        option = self._options.pop(name, None)
        if option is not None:
            for alias in (option.name, *option.aliases):
                del self._names[alias]
        self._values.pop(name, None)

    def option(self, name: str) -> Option | None:
        """The option of that name or alias."""
        return self._options.get(self._names.get(name, ""))

    def options(self) -> list[Option]:
        """All options, in the order they were added."""
        return list(self._options.values())

    # Values

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            option = self.option(name)
            if option is None:
                raise KeyError(f"there is no option --{name}")
            self._values[option.name] = self._read(option)
            name = option.name
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name.replace("_", "-")]
        except KeyError as error:
            raise AttributeError(str(error)) from None

    def is_set(self, name: str) -> bool:
        """Has the user set it?"""
        return bool(self.settings_of(name))

    def given(self, name: str) -> list[str | bool] | None:
        """The texts the user gave, True for a bare name; None where it is not set. For options of plugins."""
        found = self.settings_of(name)
        return [True if s.arg is None else s.arg for s in found] or None

    def settings_of(self, name: str) -> list[Setting]:
        """What counts of what the user set for an option: the last, or all for a repeatable one."""
        option = self.option(name)
        names = {option.name, *option.aliases} if option is not None else {name}
        found = [s for s in self.settings if s.name in names]
        if option is None or option.multi:
            transient = [s for s in found if s.source is Source.TRANSIENT]
            return transient or found
        return found[-1:]

    def in_order(self, names: Iterable[str]) -> list[tuple[str, str | None]]:
        """Settings of several options as they came, e.g. all that add and remove plugins."""
        wanted = set(names)
        return [(s.name, s.arg) for s in self.settings if s.name in wanted]

    def _read(self, option: Option) -> Any:
        found = [self._parse(option, setting) for setting in self.settings_of(option.name)]
        if option.multi:
            return found
        return found[-1] if found else option.default_for(self.folders)

    def _parse(self, option: Option, setting: Setting) -> Any:
        """Raises ConfigError."""
        if option.dev and not self.developer:
            raise setting.error("requires --developer")
        arg = setting.arg
        if option.is_flag:
            if arg is not None:
                raise setting.error("doesn't allow an argument")
            return True
        if arg is None:
            arg = option.bare
        if arg is None:
            raise setting.error(f"requires an argument ({option.kind.name})")
        try:
            return option.kind.parse(arg if option.keep_whitespace else arg.strip())
        except ValueError as error:
            raise setting.error(str(error)) from None

    def check_setting(self, option: Option, setting: Setting) -> None:
        """Raises ConfigError where the value does not fit the option."""
        self._parse(option, setting)

    def check_known(self) -> None:
        """Read all options we know, before plugins add theirs. Raises ConfigError."""
        for setting in self.settings:
            option = self.option(setting.name)
            if option is not None:
                self._parse(option, setting)

    def check_all(self) -> None:
        """Read everything, now that all options are known. Raises ConfigError."""
        self.check_known()
        for setting in self.settings:
            if self.option(setting.name) is None and not self._given_by_test_tools(setting.name):
                raise setting.error(f"unknown option{self._similar(setting.name)}")
        if self["always-use-proxy"] and self["proxy"] is None:
            raise ConfigError(
                "--always-use-proxy needs --proxy, for example --proxy=127.0.0.1:9050"
            )
        if self["daemon"] and not self["log-file"]:
            raise ConfigError("--daemon needs --log-file, for example --log-file=lightningd.log")

    def _given_by_test_tools(self, name: str) -> bool:
        return bool(self["developer"]) and name in IGNORED_FOR_TEST_TOOLS

    def _similar(self, name: str) -> str:
        # difflib is only imported for an error.
        from difflib import get_close_matches

        close = get_close_matches(name, [n for n in self._names if len(n) > 1], 1)
        return f" (did you mean --{close[0]}?)" if close else ""

    def program_of(self, daemon: str) -> str:
        """The path that --subdaemon gives for a kind of daemon, the last one given; empty for our own."""
        return {name: str(path) for name, path in self["subdaemon"]}.get(daemon, "")

    # Changing a running node

    def on_change(self, name: str, changed: Callable[[Any], None]) -> None:
        """Call `changed` with the new value when `setconfig` sets it."""
        self._changed.setdefault(name, []).append(changed)

    def change(self, option: Option, settings: list[Setting]) -> None:
        """Put new settings in the place of those of the same source. Raises ConfigError and changes nothing."""
        for setting in settings:
            self._parse(option, setting)
        names = {option.name, *option.aliases}
        transient = any(s.source is Source.TRANSIENT for s in settings)
        self.settings = [
            s
            for s in self.settings
            if s.name not in names
            or not (s.source is Source.TRANSIENT or (not transient and s.file is not None))
        ]
        self.settings += settings
        self._values.pop(option.name, None)
        for changed in self._changed.get(option.name, ()):
            changed(self[option.name])

    # Showing

    def listconfigs(self, only: Option | None = None) -> dict[str, Any]:
        """The ``configs`` member of the result."""
        shown = {}
        for option in self._options.values() if only is None else (only,):
            hidden = (option.hidden or option.dev) and not self.is_set(option.name)
            if option.exits or (hidden and only is None):
                continue
            entry = self.shown(option)
            if entry is not None:
                shown[option.name] = entry
        return shown

    def shown(self, option: Option) -> dict[str, Any] | None:
        """One entry of `listconfigs`; None where there is nothing to show."""
        found = self.settings_of(option.name)
        source = found[-1].shown_source if found else "default"
        entry: dict[str, Any]
        if option.is_flag:
            entry = {"set": bool(found), "source": source}
        elif option.multi:
            entry = {
                option.kind.shown_as.replace("value_", "values_"): [
                    self._shown(option, value) for value in self[option.name]
                ],
                "sources": [s.shown_source for s in found],
            }
        else:
            value = self[option.name]
            if value is None:
                return None
            entry = {option.kind.shown_as: self._shown(option, value), "source": source}
        if option.plugin is not None:
            entry["plugin"] = option.plugin
        if option.dynamic:
            entry["dynamic"] = True
        return entry

    @staticmethod
    def _shown(option: Option, value: Any) -> Any:
        return "..." if option.conceal else option.kind.show(value)

    def show_default(self, name: str, value: Any) -> None:
        """Give an option that was not set the value that the node has derived (alias, rgb)."""
        option = self._options[name]
        self._options[name] = replace(option, default=value)
        self._values.pop(name, None)


def parse_arguments(argv: Sequence[str], known: Callable[[str], Option | None]) -> list[Setting]:
    """The command line as settings; ``--name value`` becomes ``name=value``. Raises ConfigError."""
    settings: list[Setting] = []
    words = list(reversed(argv))
    while words:
        word = words.pop()
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            raise ConfigError(
                f"no arguments accepted, but got '{word}'. Options start with --, "
                "for example --network=regtest"
            )
        line = word[2:] if word.startswith("--") else word[1:]
        name = line.partition("=")[0]
        option = known(name)
        if "=" not in line and words:
            # An option that a plugin will add is taken to want a value if one follows.
            follows = not words[-1].startswith("-")
            wants = option is not None and not option.is_flag and option.bare is None
            if wants or (option is None and follows):
                line = f"{line}={words.pop()}"
        if option is not None and name != option.name and name in option.aliases:
            line = option.name + line[len(name) :]
        settings.append(Setting(Source.CMDLINE, line))
    return settings


def usage(config: Config, program: str = "lightningd") -> str:
    """The text of --help."""
    rows = [
        f"Usage: {program}",
        f"A bitcoin lightning daemon (default values shown for network: {config.network.name}).",
    ]
    for option in config.options():
        if option.hidden or option.name in NOT_SUPPORTED or (option.dev and not config.developer):
            continue
        names = "|".join(("--" if len(n) > 1 else "-") + n for n in (option.name, *option.aliases))
        value = "" if option.is_flag else f" <{option.kind.name}>"
        default = option.default_for(config.folders)
        if default not in (None, [], "", False):
            shown = "…" if option.conceal else option.kind.show(default)
            about = f"{option.help} (default: {shown})"
        else:
            about = option.help
        left = names + value
        gap = " " * (44 - len(left)) if len(left) < 44 else "\n" + " " * 44
        rows.append(f"{left}{gap}{about}")
    return "\n".join(rows)
