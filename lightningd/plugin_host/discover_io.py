"""Finding plugins on disk: what counts as one, how names and paths are matched."""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path

_ALLOWED_PUNCTUATION = "-_."


def is_plugin(path: Path) -> bool:
    """A regular, executable file (or a link to one) with a plain name."""
    if path.name == "README.md":
        return False
    if any(not c.isalnum() and c not in _ALLOWED_PUNCTUATION and c.isascii() for c in path.name):
        return False
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & 0o111)


def plugins_in(folder: Path) -> list[Path]:
    """The plugins of one folder, by name. Raises OSError where it cannot be read."""
    return sorted(p for p in folder.iterdir() if is_plugin(p))


def plugins_in_default_dir(folder: Path) -> list[Path]:
    """The plugins of `<lightning-dir>/plugins` and of the folders in it; none where it does not exist."""
    if not folder.is_dir():
        return []
    found = plugins_in(folder)
    for sub in sorted(p for p in folder.iterdir() if p.is_dir()):
        found += plugins_in(sub)
    return found


def canonical(path: str) -> str:
    """The path that a plugin is known by."""
    return os.path.realpath(path)


def matches(command: str, name: str) -> bool:
    """Whether `name`, a path or a bare file name, means the plugin with this path."""
    if os.sep in name:
        return command == name or canonical(command) == canonical(name)
    return os.path.basename(command) == name


def checksum(path: str) -> int:
    """Changes when the file does; 0 for one that cannot be read."""
    try:
        return zlib.crc32(Path(path).read_bytes())
    except OSError:
        return 0


def is_executable(path: str) -> bool:
    """Whether it can be run."""
    return os.access(path, os.X_OK) and os.path.isfile(path)
