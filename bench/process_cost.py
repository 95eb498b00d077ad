"""What processes cost, from /proc: CPU time and proportional set size."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")


def cpu_ms(pids: Iterable[int]) -> dict[int, float]:
    """User and system time of each process so far, with that of its threads."""
    spent = {}
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        spent[pid] = (int(fields[11]) + int(fields[12])) * _TICK_MS
    return spent


def spent_since(before: dict[int, float], names: dict[int, str]) -> Counter[str]:
    """CPU time in ms by process name since `before`."""
    total: Counter[str] = Counter()
    for pid, now_ms in cpu_ms(names).items():
        total[names[pid]] += now_ms - before.get(pid, 0.0)
    return total


def pss_kib(pids: Iterable[int]) -> dict[int, int]:
    """Proportional set size: what is shared with others counts by its share."""
    sizes = {}
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
        sizes[pid] = int(found[1]) if found else 0
    return sizes


_MODULE = re.compile(r"-m pylightningd\.([\w.]+)(?:.*--name (\S+))?")


def short_name(command: str) -> str:
    """`channeld-0` of a command line; for others the program's name."""
    found = _MODULE.search(command)
    if found:
        return found[2] or found[1]
    return Path(command.split(" ", 1)[0]).name
