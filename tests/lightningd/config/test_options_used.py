"""No option is ignored in silence: the code reads it, or the start refuses it, or the page says that it does nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pylightningd.lightningd.__main__ import main
from pylightningd.lightningd.config import usage
from pylightningd.lightningd.config_io import load_config
from pylightningd.lightningd.config_table import NOT_SUPPORTED, OPTIONS, WITHOUT_EFFECT

ROOT = Path(__file__).parents[3]
COMPATIBILITY = ROOT / "doc" / "compatibility.md"


def _sources() -> str:
    files = [p for folder in ("cli", "lightningd") for p in (ROOT / folder).rglob("*.py")]
    return "\n".join(path.read_text() for path in files if path.name != "config_table.py")


def test_every_option_does_something_or_says_that_it_does_not() -> None:
    text = _sources()
    for option in OPTIONS:
        name = option.name.replace("-", "_")
        pattern = rf"[\"']{option.name}[\"']|config\.{name}\b|[\"']{name}[\"']"
        is_read = re.search(pattern, text) is not None
        is_excused = option.name in {*NOT_SUPPORTED, *WITHOUT_EFFECT}
        assert is_read or is_excused, f"--{option.name} is taken and never looked at"
        assert not (is_read and is_excused), f"--{option.name} is read, so it is no excuse"


def test_the_page_names_what_has_no_effect() -> None:
    page = COMPATIBILITY.read_text()
    for name in (*NOT_SUPPORTED, *WITHOUT_EFFECT):
        assert f"`--{name}`" in page, f"doc/compatibility.md does not name --{name}"


@pytest.mark.parametrize("name", NOT_SUPPORTED)
def test_what_cannot_be_obeyed_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option = next(o for o in OPTIONS if o.name == name)
    value = {"bool": "=true", "node id": "=02" + "11" * 32, "u64": "=65537"}.get(
        option.kind.name, "=x"
    )
    word = f"--{name}{'' if option.is_flag else value}"
    assert main(["--developer", f"--lightning-dir={tmp_path}/new", "--regtest", word]) == 1
    assert "is not supported by this node" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert f"--{name}" not in usage(load_config(["--developer"]))


def test_what_is_switched_off_is_taken(tmp_path: Path) -> None:
    from pylightningd.lightningd.__main__ import _refuse_unsupported

    _refuse_unsupported(load_config([f"--lightning-dir={tmp_path}", "--message-padding=false"]))
