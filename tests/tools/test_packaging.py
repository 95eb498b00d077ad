"""What pip puts into site-packages clashes with nobody, and holds all that runs."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]


def test_everything_installed_is_below_one_name() -> None:
    text = (ROOT / "setup.py").read_text()
    assert 'find_packages(include=["pylightningd", "pylightningd.*"])' in text
    assert "py_modules" not in text and "data_files" not in text
    found = find_packages(str(ROOT), include=["pylightningd", "pylightningd.*"])
    assert {name.partition(".")[0] for name in found} == {"pylightningd"}
    rooms = {name.split(".")[1] for name in found if name.count(".") == 1}
    links = {path.name for path in (ROOT / "pylightningd").iterdir() if path.is_symlink()}
    assert rooms == links


def test_every_folder_with_code_is_a_package() -> None:
    found = set(find_packages(str(ROOT), include=["pylightningd", "pylightningd.*"]))
    for link in (ROOT / "pylightningd").iterdir():
        if not link.is_symlink():
            continue
        for path in link.resolve().rglob("*.py"):
            inner = path.parent.relative_to(link.resolve()).parts
            assert ".".join(("pylightningd", link.name, *inner)) in found, path


def test_programs_on_path() -> None:
    text = (ROOT / "setup.py").read_text()
    programs = dict(re.findall(r'"([\w-]+) = ([\w.]+):main"', text))
    assert set(programs) == {"lightningd", "lightning-cli"}
    for module in programs.values():
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        assert re.search(r"^def main\(", path.read_text(), re.MULTILINE)
