"""The table that `make bench` prints."""

from __future__ import annotations

from bench.contestant import Findings

ROWS = (
    ("payments/s, one channel", "payments_per_second", "{:.0f}", 250.0, "at least"),
    ("direct payment, median ms", "direct_ms", "{:.1f}", 50.0, "under"),
    ("two hops, median ms", "two_hops_ms", "{:.1f}", 100.0, "under"),
    ("invoice, median ms", "invoice_ms", "{:.2f}", 2.2, "under"),
    ("start to first answer, median s", "start_s", "{:.2f}", 1.5, "under"),
    ("lightning-cli, start to exit, median ms", "cli_ms", "{:.1f}", 60.0, "under"),
    ("1,000 channels: start to reestablish, s", "ready_s", "{:.2f}", 5.0, "under"),
    ("1,000 channels: a block, median ms", "block_ms", "{:.1f}", 50.0, "under"),
    ("a channel after 1e6 commitments, kB", "channel_kb", "{:.1f}", 10.0, "under"),
    ("idle node, all processes, MiB (PSS)", "idle_mib", "{:.0f}", 400.0, "under"),
)
LABEL_WIDTH, COLUMN_WIDTH = 42, 16


def render(columns: dict[str, Findings]) -> str:
    """One column for each program, and the goal."""
    lines = [f"{'':{LABEL_WIDTH}}" + "".join(f"{c:>{COLUMN_WIDTH}}" for c in (*columns, "goal"))]
    for label, attribute, form, goal, relation in ROWS:
        values = [getattr(found, attribute) for found in columns.values()]
        cells = ["-" if value is None else form.format(value) for value in values]
        cells.append(f"{relation} {goal:g}")
        lines.append(f"{label:{LABEL_WIDTH}}" + "".join(f"{c:>{COLUMN_WIDTH}}" for c in cells))
    for name, found in columns.items():
        lines += _details(f"{name}: CPU ms a payment", found.cpu_ms_per_payment, "{:.2f}")
        lines += _details(f"{name}: CPU ms an invoice", found.cpu_ms_per_invoice, "{:.2f}")
        lines += _details(f"{name}: idle MiB", found.idle_mib_by_process, "{:.0f}")
    return "\n".join(lines)


def _details(title: str, parts: dict[str, float], form: str) -> list[str]:
    if not parts:
        return []
    lines = ["", f"{title} (together {form.format(sum(parts.values()))})"]
    for name, value in sorted(parts.items(), key=lambda item: -item[1]):
        if form.format(value).strip("0."):
            lines.append(f"  {name:{LABEL_WIDTH - 2}}{form.format(value):>{COLUMN_WIDTH}}")
    return lines
