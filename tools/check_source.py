"""Check the habits that a linter does not know: lost tasks, sleeping tests, blind excepts, silent modules, long files."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.source_tree import ROOT, Problem, is_generated, packages, parse, python_files, report

LONG_FILE_LINES = 500

# asyncio functions whose tasks get lost or outlive their makers.
LOSING_TASKS = {
    "create_task": "use a TaskGroup",
    "ensure_future": "use a TaskGroup",
    "gather": "use a TaskGroup",
    "wait_for": "use asyncio.timeout",
    "get_event_loop": "use get_running_loop",
}
# Who catches everything: the tops of processes, where a bug in one event must not end the whole.
CATCH_ALL_FILES = (
    "_io.py",
    "shell.py",
    "__main__.py",
    "lightningd/rpc/dispatch.py",
    "lightningd/turn.py",
    "plugins/lib.py",
)
# Where tests may wait for real processes.
SLEEPING_FILES = ("tests/regtest/waiting.py",)
PRINTING = ("cli", "tools", "bench", "plugins")


def check_file(path: Path) -> Iterator[Problem]:
    """The rules broken by one file."""
    relative = path.relative_to(ROOT)
    tree = parse(path)
    if tree.body and ast.get_docstring(tree) is None and not is_generated(path):
        yield Problem(relative, 1, "has no docstring that says what is here")
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            yield from _check_except(relative, node)
        elif isinstance(node, ast.Call):
            yield from _check_call(relative, node)


def _check_except(path: Path, node: ast.ExceptHandler) -> Iterator[Problem]:
    if node.type is None:
        yield Problem(path, node.lineno, "bare except: name what is expected")
        return
    names = {inner.id for inner in ast.walk(node.type) if isinstance(inner, ast.Name)}
    blind = names & {"Exception", "BaseException"}
    if (
        not blind
        or path.parts[0] in {"tests", "tools", "bench"}
        or str(path).endswith(CATCH_ALL_FILES)
    ):
        return
    if not _raises_again(node):
        yield Problem(
            path, node.lineno, f"except {blind.pop()}: bugs must reach the top of the process"
        )


def _raises_again(node: ast.ExceptHandler) -> bool:
    return any(
        isinstance(inner, ast.Raise) for statement in node.body for inner in ast.walk(statement)
    )


def _check_call(path: Path, node: ast.Call) -> Iterator[Problem]:
    called = ast.unparse(node.func)
    owner, _, name = called.rpartition(".")
    if owner == "asyncio" and name in LOSING_TASKS and not str(path).endswith(CATCH_ALL_FILES):
        yield Problem(path, node.lineno, f"asyncio.{name}: {LOSING_TASKS[name]}")
    asleep = called in {"time.sleep", "asyncio.sleep"} and ast.unparse(node) != "asyncio.sleep(0)"
    if asleep and path.parts[0] == "tests" and str(path) not in SLEEPING_FILES:
        yield Problem(
            path, node.lineno, f"{called} in a test: wait for a condition, or drive the clock"
        )
    quiet = path.parts[0] not in {*PRINTING, "tests"} and path.name != "__main__.py"
    if called == "print" and quiet and not path.name.endswith("_io.py"):
        yield Problem(path, node.lineno, "print: log instead")


def check_packages() -> Iterator[Problem]:
    """Folders with code must be packages: else they are not installed, and test files of one name shadow each other."""
    for folder in sorted(
        {path.parent for top in (*packages(), "tests") for path in python_files(top)}
    ):
        if not (folder / "__init__.py").exists():
            yield Problem(folder.relative_to(ROOT), 1, "has no __init__.py")


def long_files(files: list[Path]) -> Iterator[Problem]:
    """Files that have grown past what one can hold in mind."""
    for path in files:
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > LONG_FILE_LINES and not is_generated(path):
            yield Problem(path.relative_to(ROOT), count, f"has {count} lines: split it by topic?")


def main() -> int:
    """Check the whole tree; 1 where a rule is broken."""
    folders = [*packages(), "tools", "tests", "bench", "contrib"]
    files = [path for folder in folders for path in python_files(folder)]
    problems = [problem for path in files for problem in check_file(path)]
    problems += check_packages()
    return report("check_source", problems, long_files(files))


if __name__ == "__main__":
    sys.exit(main())
