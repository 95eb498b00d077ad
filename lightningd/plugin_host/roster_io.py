"""Which plugins there are: bundled, named by options, found in folders, disabled."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pylightningd.common.errors import UserError
from pylightningd.lightningd.plugin_host.bundled import BUNDLED, Bundled
from pylightningd.lightningd.plugin_host.discover_io import (
    canonical,
    checksum,
    is_executable,
    matches,
    plugins_in,
    plugins_in_default_dir,
)
from pylightningd.lightningd.plugin_host.plugin import PluginEntry
from pylightningd.lightningd.rpc.errors import JSONRPC2_INVALID_PARAMS


class Roster:
    """The registered plugins, in the order they came."""

    def __init__(
        self,
        default_dir: Path | None,
        log: Callable[..., None],
        kill: Callable[[PluginEntry, str, str], None],
    ) -> None:
        """`kill` ends a running plugin whose file has changed."""
        self.default_dir = default_dir
        self._log = log
        self._kill = kill
        self.plugins: list[PluginEntry] = []
        self.disabled: list[str] = []
        self._index = 0

    def add_bundled(self, table: Iterable[Bundled] = BUNDLED) -> None:
        """Register what comes with the node."""
        for item in table:
            module = f"pylightningd.plugins.{item.module}"
            path = Path(sys.modules["pylightningd"].__path__[0], "plugins", item.shortname)
            self._register(
                PluginEntry(
                    cmd=str(path),
                    argv=(sys.executable, "-m", module),
                    important=item.important,
                    bundled=True,
                )
            )

    def add(
        self, path: str, *, important: bool = False, params: Mapping[str, Any] | None = None
    ) -> PluginEntry | None:
        """Register a plugin; None where it is there already. Raises UserError where it cannot be run."""
        found = self._resolve(path)
        known = self.find(found)
        if known is not None:
            known.important = known.important or important
            if known.checksum == checksum(found) or known.important:
                return None
            self._kill(known, "Plugin changed, needs restart.", "info")
        return self._register(
            PluginEntry(
                cmd=found,
                argv=(found,),
                important=important,
                params=params or {},
                checksum=checksum(found),
            )
        )

    def add_dir(self, folder: str) -> None:
        """Register all plugins of a folder. Raises UserError."""
        try:
            paths = plugins_in(Path(folder))
        except OSError as why:
            raise UserError(
                JSONRPC2_INVALID_PARAMS, f"Failed to open plugin-dir {folder}: {why.strerror}"
            ) from None
        self._add_found(paths)

    def add_default_dir(self) -> None:
        """Register the plugins of `<lightning-dir>/plugins`."""
        if self.default_dir is not None:
            self._add_found(plugins_in_default_dir(self.default_dir))

    def clear(self) -> None:
        """Forget all that was registered so far (--clear-plugins)."""
        self._log("info", "clear-plugins removing all plugins", source="plugin-manager")
        self.plugins.clear()

    def disable(self, name: str) -> None:
        """Do not start the plugin with this name or path, now or later (--disable-plugin)."""
        self.disabled.append(name)
        for entry in [p for p in self.plugins if matches(p.cmd, name)]:
            self._log("info", f"{entry.cmd}: disabled via disable-plugin", source="plugin-manager")
            self.plugins.remove(entry)

    def find(self, name: str) -> PluginEntry | None:
        """The plugin with this path or file name."""
        return next((p for p in self.plugins if matches(p.cmd, name)), None)

    def _add_found(self, paths: list[Path]) -> None:
        for path in paths:
            if any(matches(str(path), name) for name in self.disabled):
                self._log("info", f"{path}: disabled via disable-plugin", source="plugin-manager")
            else:
                self.add(str(path))

    def _resolve(self, path: str) -> str:
        candidates = [path]
        if self.default_dir is not None:
            candidates.append(str(self.default_dir / path))
        for candidate in candidates:
            if is_executable(candidate):
                return canonical(candidate)
        reason = "Permission denied" if os.path.exists(path) else "No such file or directory"
        raise UserError(JSONRPC2_INVALID_PARAMS, f"{path} is not executable: {reason}")

    def _register(self, entry: PluginEntry) -> PluginEntry | None:
        if any(matches(entry.cmd, name) for name in self.disabled):
            self._log("info", f"{entry.cmd}: disabled via disable-plugin", source="plugin-manager")
            return None
        entry.index = self._index
        self._index += 1
        self.plugins.append(entry)
        return entry
