"""What a run has done and survived: counted for the report."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counts:
    """Shared by all threads."""

    faults: Counter[str] = field(default_factory=Counter)
    payments: Counter[str] = field(default_factory=Counter)
    """By kind and outcome as the payer was told at once; the books are made from the nodes' own lists."""
    restarts: int = 0
    blocks: int = 0
    violations: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def faults_done(self) -> int:
        """Of all kinds."""
        with self._lock:
            return sum(self.faults.values())

    def payment(self, what: str) -> None:
        """One more."""
        with self._lock:
            self.payments[what] += 1

    def fault(self, what: str) -> None:
        """One more."""
        with self._lock:
            self.faults[what] += 1

    def violation(self, text: str) -> None:
        """Something that must never happen."""
        with self._lock:
            self.violations.append(text)
        print(f"VIOLATION: {text}", flush=True)
