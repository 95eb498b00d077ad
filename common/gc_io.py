"""The garbage collector, tuned for processes that live long and make much that dies young."""

from __future__ import annotations

import gc

_THRESHOLDS = (10_000, 20, 50)
"""The defaults (700, 10, 10) look for cycles thousands of times a second under load, and find none."""


def settle() -> None:
    """Call once a process has loaded what it needs: none of that is looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
