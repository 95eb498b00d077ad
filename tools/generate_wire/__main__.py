"""Regenerate `common/wire/*_wire.py`, or with `--check` only say which of them are out of date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.generate_wire.emit_code import Source, generate
from tools.generate_wire.model import camel
from tools.generate_wire.read_csv import CsvError

_BOLT = {"onion": ("failure", "FailureMessage")}
_OUT = Path("common/wire")
_SKIP = {"tests", "pylightningd", ".venv", "build"}


def sources(root: Path) -> list[Source]:
    """Every CSV below `root` that becomes a module."""
    found: list[Source] = []
    for path in sorted((root / "tools/wire").glob("*.csv")):
        mode, union = _BOLT.get(path.stem, ("peer", camel(path.stem) + "Message"))
        found.append(Source(str(path.relative_to(root)), path.stem, mode, union))
    for path in sorted([*root.glob("*/*_wire.csv"), *root.glob("*/*/*_wire.csv")]):
        if path.relative_to(root).parts[0] in _SKIP:
            continue
        name = path.stem.removesuffix("_wire")
        found.append(Source(str(path.relative_to(root)), name, "internal", camel(name) + "Message"))
    return found


def main(argv: list[str] | None = None, root: Path = Path()) -> int:
    """Exit code: 0, or 1 where a CSV is wrong or, with `--check`, a module is out of date."""
    parser = argparse.ArgumentParser(prog="generate_wire", description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(argv).check
    bad = False
    wanted = set()
    for source in sources(root):
        target = root / _OUT / f"{source.name}_wire.py"
        wanted.add(target.name)
        try:
            text = generate(source, lambda path: (root / path).read_text())
        except (CsvError, FileNotFoundError) as err:
            print(f"{source.path}: {err}", file=sys.stderr)
            bad = True
            continue
        if target.exists() and target.read_text() == text:
            continue
        if check:
            print(
                f"{target} is not what {source.path} makes: run python -m tools.generate_wire",
                file=sys.stderr,
            )
            bad = True
        else:
            target.write_text(text)
    for stray in (root / _OUT).glob("*_wire.py"):
        if stray.name not in wanted:
            print(f"{stray} comes from no csv", file=sys.stderr)
            bad = True
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
