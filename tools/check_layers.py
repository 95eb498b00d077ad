"""Check who imports what.

Two rules. A daemon imports `common` and itself only, and `common` imports no daemon: so each daemon can be read, tested
and replaced alone. And only the outer ring (`__main__.py`, `shell.py`, `*_io.py`) touches clocks, entropy, sockets, files'
names, databases and event loops: so all the rest can be driven by a test.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.source_tree import ROOT, Problem, packages, parse, python_files, report

PROJECT = "pylightningd"

OUTER_RING_ONLY = frozenset(
    "asyncio fcntl multiprocessing os peewee playhouse pwd random secrets select selectors signal socket sqlite3 "
    "subprocess threading time uvloop zmq".split()
)
OUTER_RING_FILES = frozenset({"__main__.py", "shell.py"})

# Whole programs or folders whose job is the outside world.
OUTSIDE_THE_RINGS = ("cli", "plugins")

# path or folder -> modules it may import all the same, because that is what it is for.
ALLOWED: dict[str, frozenset[str]] = {
    "common/clock.py": frozenset({"time"}),  # the only place that reads the clock
    "common/entropy.py": frozenset({"os", "secrets"}),  # the only source of randomness
    "common/log.py": frozenset({"time"}),  # a log line says when
    "lightningd/db": frozenset(
        {"peewee", "playhouse", "sqlite3"}
    ),  # SQL lives here and nowhere else
}

# package -> packages of this project that it may import beside itself.
MAY_IMPORT = {"common": frozenset[str]()}
DEFAULT_IMPORTS = frozenset({"common"})


def check_file(path: Path) -> Iterator[Problem]:
    """The rules broken by one file."""
    relative = path.relative_to(ROOT)
    package = relative.parts[0]
    for node, module in _imports(parse(path)):
        top, _, rest = module.partition(".")
        if top == PROJECT:
            yield from _check_neighbour(relative, node, package, rest.partition(".")[0])
        elif top in packages() or top in {"tests", "tools", "bench"}:
            yield Problem(
                relative, node.lineno, f"imports {module}: every import starts with {PROJECT}."
            )
        elif top in OUTER_RING_ONLY and not _may_touch(relative, top):
            message = f"imports {top}: only __main__.py, shell.py and *_io.py may"
            yield Problem(relative, node.lineno, message)


def _check_neighbour(path: Path, node: ast.stmt, package: str, other: str) -> Iterator[Problem]:
    allowed = MAY_IMPORT.get(package, DEFAULT_IMPORTS)
    if other and other != package and other not in allowed:
        names = " and ".join(sorted({package, *allowed}))
        yield Problem(
            path, node.lineno, f"imports {PROJECT}.{other}: {package} may import {names} only"
        )


def _may_touch(path: Path, module: str) -> bool:
    if (
        path.name in OUTER_RING_FILES
        or path.name.endswith("_io.py")
        or path.parts[0] in OUTSIDE_THE_RINGS
    ):
        return True
    folders = [str(path), *(str(folder) for folder in path.parents)]
    return any(module in ALLOWED.get(folder, ()) for folder in folders)


def _imports(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every import with the module's full name; those for type checkers alone do not count."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
        elif node in skipped:
            continue
        elif isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module == PROJECT:
                yield from ((node, f"{PROJECT}.{alias.name}") for alias in node.names)
            else:
                yield node, "." * node.level + (node.module or "")


def main() -> int:
    """Check the whole tree; 1 where a rule is broken."""
    files = [path for package in packages() for path in python_files(package)]
    return report("check_layers", [problem for path in files for problem in check_file(path)])


if __name__ == "__main__":
    sys.exit(main())
