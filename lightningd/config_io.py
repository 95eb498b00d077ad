"""Config files: reading them in CLN's order, and writing what `setconfig` changes.

``<lightning-dir>/config``, then ``<lightning-dir>/<network>/config``; or the one file of ``--conf``. A line is an option
without its dashes; ``#`` starts a comment; ``include FILE`` is relative to the file it stands in.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

from pylightningd.common.network import NETWORKS
from pylightningd.lightningd.config import Config, ConfigError, Setting, Source, parse_arguments
from pylightningd.lightningd.config_table import NETWORK_FLAGS, OPTIONS, Folders, Option

MAX_INCLUDE_DEPTH = 100
_BUILTIN = {name: option for option in OPTIONS for name in (option.name, *option.aliases)}


def load_config(argv: Sequence[str]) -> Config:
    """Read the command line and the files. Raises ConfigError."""
    given = parse_arguments(argv, _BUILTIN.get)
    conf = _last(given, "conf")
    base_dir = _last(given, "lightning-dir")
    if conf is not None:
        from_files = read_file(os.path.abspath(conf), Source.EXPLICIT_CONF, must_exist=True)
        _forbid(from_files, ("conf",), "not permitted in configuration files")
        base_dir = base_dir or _last(from_files, "lightning-dir")
        base_dir = os.path.abspath(os.path.expanduser(base_dir or default_base_dir()))
        network = _network([*from_files, *given])
    else:
        base_dir = os.path.abspath(os.path.expanduser(base_dir or default_base_dir()))
        from_files = read_file(os.path.join(base_dir, "config"), Source.BASE_CONF)
        network = _network([*from_files, *given])
        own = read_file(os.path.join(base_dir, network, "config"), Source.NETWORK_CONF)
        _forbid(
            own,
            ("network", *NETWORK_FLAGS),
            "not permitted in network-specific configuration files",
        )
        from_files += own
        _forbid(from_files, ("conf",), "not permitted in configuration files")
        _forbid(from_files, ("lightning-dir",), "not permitted in implicit configuration files")
    folders = Folders(NETWORKS[network], base_dir, os.path.join(base_dir, network))
    return Config(folders, [*from_files, *given])


def default_base_dir() -> str:
    """``~/.lightning``, or the current folder where there is no HOME."""
    home = os.environ.get("HOME")
    return os.path.join(home, ".lightning") if home else os.getcwd()


def _last(settings: Sequence[Setting], name: str) -> str | None:
    found = None
    for setting in settings:
        if setting.name == name:
            if not setting.arg:
                raise setting.error("requires an argument")
            found = setting.arg
    return found


def _network(settings: Sequence[Setting]) -> str:
    name = "bitcoin"
    for setting in settings:
        if setting.name in NETWORK_FLAGS:
            name = NETWORK_FLAGS[setting.name]
        elif setting.name == "network":
            name = (setting.arg or "").strip()
            if name not in NETWORKS:
                raise setting.error(
                    f"Unknown network name '{name}': expected one of {', '.join(NETWORKS)}"
                )
    return name


def _forbid(settings: Sequence[Setting], names: Sequence[str], problem: str) -> None:
    for setting in settings:
        if setting.name in names:
            raise setting.error(problem)


def read_file(
    path: str, source: Source, *, must_exist: bool = False, depth: int = 0
) -> list[Setting]:
    """The settings of a file and of those it includes. Raises ConfigError."""
    if depth > MAX_INCLUDE_DEPTH:
        raise ConfigError(f"Include loop with {path}")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not must_exist:
            return []
        raise ConfigError(f"Opening and reading {path}: {error.strerror}") from error
    settings: list[Setting] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("include "):
            included = os.path.join(os.path.dirname(path), line[len("include ") :])
            settings += read_file(included, source, must_exist=True, depth=depth + 1)
        else:
            settings.append(Setting(source, line, path, number))
    return settings


def save_settings(config: Config, option: Option, args: Sequence[str | None]) -> list[Setting]:
    """Write new values of an option to ``config.setconfig`` and return them as settings. Raises ConfigError.

    The first time, the file is made and the config file gets a line that includes it.
    """
    lines = [option.name if arg is None else f"{option.name}={arg}" for arg in args]
    for setting in (Setting(Source.NETWORK_CONF, line) for line in lines):
        config.check_setting(option, setting)
    try:
        path = config.setconfig_file or _make_setconfig_file(config)
        config.setconfig_file = path
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            old = file.read().splitlines()
        names = {option.name, *option.aliases}
        kept = [line for line in old if line.partition("=")[0] not in names]
        _replace(path, kept + lines)
    except OSError as error:
        raise ConfigError(
            f"Cannot write to config file {error.filename}: {error.strerror}"
        ) from error
    _renumber(config, path, kept)
    first = len(kept) + 1
    return [Setting(Source.NETWORK_CONF, line, path, first + i) for i, line in enumerate(lines)]


def _make_setconfig_file(config: Config) -> str:
    conf = config["conf"]
    base = os.path.abspath(conf) if conf else os.path.join(config.folders.net_dir, "config")
    path = base + ".setconfig"
    if not os.path.exists(path):
        _replace(
            path, ["# Written by the command setconfig. You may edit it while the node is stopped."]
        )
    old = []
    if os.path.exists(base):
        with open(base, encoding="utf-8", errors="surrogateescape") as file:
            old = file.read().splitlines()
    include = f"include {os.path.basename(path)}"
    if include not in old:
        _replace(base, [*old, include])
    return path


def _renumber(config: Config, path: str, kept: Sequence[str]) -> None:
    """Lines have moved up: `listconfigs` must tell where they are now."""
    numbers = {line: i for i, line in enumerate(kept, 1)}
    config.settings = [
        Setting(s.source, s.line, s.file, numbers.get(s.line, s.line_number))
        if s.file == path
        else s
        for s in config.settings
    ]


def _replace(path: str, lines: Sequence[str]) -> None:
    """Write a file so that a crash leaves the old one or the new one."""
    folder = os.path.dirname(path)
    fd, temporary = tempfile.mkstemp(dir=folder, prefix=".config-")
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
