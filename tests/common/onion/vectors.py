"""Load the BOLT 4 vectors: every string of hex becomes bytes where the test asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coincurve import PrivateKey

_FOLDER = Path(__file__).parents[2] / "vectors"


def load(name: str) -> Any:
    """The parsed JSON of ``tests/vectors/bolt04-<name>.json``."""
    return json.loads((_FOLDER / f"bolt04-{name}.json").read_text())


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def ecdh(private_key: bytes, point: bytes) -> bytes:
    """What hsmd would answer."""
    return PrivateKey(private_key).ecdh(point)
