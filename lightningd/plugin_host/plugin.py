"""One plugin as the host sees it: where it is in its life, and what it declared."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pylightningd.lightningd.plugin_host.manifest import Manifest

if TYPE_CHECKING:
    from pylightningd.lightningd.plugin_host.process_io import PluginProcess


class State(enum.Enum):
    """Steps of a plugin's start."""

    UNCONFIGURED = "before sending getmanifest"
    AWAITING_MANIFEST = "before replying to getmanifest"
    NEEDS_INIT = "before we sent init"
    AWAITING_INIT = "before replying to init"
    RUNNING = "during normal operation"
    GONE = "after it ended"


@dataclass(eq=False)
class PluginEntry:
    """A registered plugin."""

    cmd: str
    """Its path; for a bundled one the path it would have, which is what it is known by."""
    argv: tuple[str, ...]
    important: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    """Options from `plugin start`."""
    checksum: int = 0
    index: int = 0
    bundled: bool = False
    state: State = State.UNCONFIGURED
    manifest: Manifest = field(default_factory=Manifest)
    process: PluginProcess | None = None
    commands: list[str] = field(default_factory=list)
    """Those of its commands that are in the registry; likewise `options`."""
    options: list[str] = field(default_factory=list)
    option_values: dict[str, Any] = field(default_factory=dict)
    ended_because: str = ""

    @property
    def shortname(self) -> str:
        """Its name in logs and notifications."""
        return PurePath(self.cmd).name
