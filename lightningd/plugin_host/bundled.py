"""The plugins that come with the node: module of `pylightningd.plugins`, and whether the node can do without."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bundled:
    """One bundled plugin, started as ``python -m pylightningd.plugins.<module>``."""

    module: str
    important: bool = False
    name: str | None = None
    """What it is called in logs and by --disable-plugin, where that is not the module's name."""

    @property
    def shortname(self) -> str:
        """Its name in logs."""
        return self.name or self.module


BUNDLED: tuple[Bundled, ...] = (
    Bundled("bcli", important=True),
    Bundled("topology"),
    Bundled("pay"),
    Bundled("offers"),
)
