"""The master without processes, see `tests/lightningd/channels/rig.py`."""

from __future__ import annotations

from tests.lightningd.channels.conftest import rig

__all__ = ["rig"]
