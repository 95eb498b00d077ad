"""A master without processes for each test; bugs that nobody expects fail it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lightningd.channels.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    rig.close()
    assert not rig.bugs
    assert not rig.failed_tasks
    assert not [text for level, text in rig.logs if level == "broken"]
