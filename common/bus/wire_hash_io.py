"""The hash of all message definitions, which both ends of a link must share.

It is read from the text of the generated modules, so that a daemon need not import those it does not use.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from pathlib import Path

import pylightningd.common.wire as wire_package

_HASH = re.compile(rb'^SPEC_HASH = bytes\.fromhex\(\s*"([0-9a-f]{64})"', re.M)


@cache
def wire_hash() -> bytes:
    """SHA256 over name and SPEC_HASH of every generated module, 32 bytes."""
    digest = sha256()
    folder = Path(next(iter(wire_package.__path__)))
    for path in sorted(folder.glob("*_wire.py")):
        found = _HASH.search(path.read_bytes())
        if found is None:
            raise RuntimeError(f"{path} has no SPEC_HASH; run python -m tools.generate_wire")
        digest.update(path.stem.encode() + b"\0" + found[1] + b"\n")
    return digest.digest()
