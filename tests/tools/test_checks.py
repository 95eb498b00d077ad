"""The source checks find what they are for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tools import check_layers, check_source, source_tree


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (check_layers, check_source):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return tmp_path


def layers(root: Path, name: str, code: str) -> list[str]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code)
    return [problem.text for problem in check_layers.check_file(path)]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("channeld/commit.py", "from pylightningd.common.amount import Msat"),
        ("channeld/commit.py", "from pylightningd.channeld.state import State"),
        ("channeld/commit.py", "from __future__ import annotations\nimport struct"),
        ("channeld/shell.py", "import asyncio, zmq"),
        ("gossipd/store_io.py", "import os"),
        ("lightningd/db/models.py", "import peewee"),
        ("channeld/commit.py", "if TYPE_CHECKING:\n    import asyncio"),
    ],
)
def test_allowed_imports(tree: Path, name: str, code: str) -> None:
    assert layers(tree, name, code) == []


@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [
        ("channeld/commit.py", "import time", "imports time: only"),
        ("channeld/commit.py", "def f():\n    from os import path", "imports os: only"),
        (
            "channeld/commit.py",
            "from pylightningd.hsmd.derive import x",
            "channeld may import channeld and common",
        ),
        ("common/keys.py", "from pylightningd import hsmd", "common may import common only"),
        (
            "channeld/commit.py",
            "from common.amount import Msat",
            "every import starts with pylightningd",
        ),
        ("channeld/commit.py", "import tests.sim", "every import starts with pylightningd"),
        ("lightningd/turn.py", "import peewee", "imports peewee"),
    ],
)
def test_forbidden_imports(tree: Path, name: str, code: str, complaint: str) -> None:
    problems = layers(tree, name, code)
    assert len(problems) == 1
    assert complaint in problems[0]


@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [
        ("channeld/a.py", "x = 1", "has no docstring"),
        ("channeld/a.py", '"""D."""\ntry:\n    f()\nexcept:\n    pass', "bare except"),
        (
            "channeld/a.py",
            '"""D."""\ntry:\n    f()\nexcept Exception:\n    pass',
            "bugs must reach the top",
        ),
        ("channeld/a.py", '"""D."""\nasyncio.create_task(f())', "use a TaskGroup"),
        ("channeld/a.py", '"""D."""\nprint(1)', "log instead"),
        ("tests/a.py", '"""D."""\ntime.sleep(1)', "wait for a condition"),
    ],
)
def test_bad_habits(tree: Path, name: str, code: str, complaint: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True)
    path.write_text(code)
    problems = [problem.text for problem in check_source.check_file(path)]
    assert len(problems) == 1
    assert complaint in problems[0]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("channeld/a.py", ""),
        ("channeld/a.py", '"""D."""\ntry:\n    f()\nexcept Exception:\n    undo()\n    raise'),
        ("channeld/a.py", '"""D."""\ngroup.create_task(f())'),
        ("tests/a.py", '"""D."""\nasyncio.sleep(0)'),
        ("common/wire/x.py", "# GENERATED from x\nx = 1"),
    ],
)
def test_good_habits(tree: Path, name: str, code: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True)
    path.write_text(code)
    assert list(check_source.check_file(path)) == []


def test_packages_are_the_links() -> None:
    assert {"common", "lightningd", "channeld", "cli"} <= set(source_tree.packages())
    assert "tests" not in source_tree.packages()


def test_every_package_can_be_parsed() -> None:
    for package in source_tree.packages():
        for path in source_tree.python_files(package):
            assert isinstance(source_tree.parse(path), ast.Module)
