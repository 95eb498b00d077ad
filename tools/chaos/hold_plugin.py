#!/usr/bin/env python3
"""A plugin that holds some HTLCs for a while: those whose payment hash begins with a byte below `hold-below`.

It answers out of order, so a held HTLC delays no other.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

_OUT = threading.Lock()
_settings = {"hold-below": 32, "hold-ms": 3000}


def answer(request_id: Any, result: dict[str, Any]) -> None:
    """Reply to one call."""
    text = json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result})
    with _OUT:
        sys.stdout.write(text + "\n\n")
        sys.stdout.flush()


def options() -> list[dict[str, Any]]:
    """What may be set when the node starts."""
    return [
        {"name": name, "type": "int", "default": value, "description": "see the plugin"}
        for name, value in _settings.items()
    ]


def on_htlc(request: dict[str, Any]) -> None:
    """Let it go on, now or later."""
    first = int(request["params"]["htlc"]["payment_hash"][:2], 16)
    go_on = {"result": "continue"}
    if first >= _settings["hold-below"]:
        answer(request["id"], go_on)
        return
    timer = threading.Timer(_settings["hold-ms"] / 1000, answer, (request["id"], go_on))
    timer.daemon = True
    timer.start()


def handle(request: dict[str, Any]) -> None:
    """One call of lightningd."""
    method = request["method"]
    if method == "htlc_accepted":
        on_htlc(request)
    elif method == "getmanifest":
        manifest = {"options": options(), "rpcmethods": [], "hooks": [{"name": "htlc_accepted"}]}
        answer(request["id"], manifest | {"dynamic": True})
    elif "id" in request:
        _settings.update(request["params"].get("options", {}))
        answer(request["id"], {})


def main() -> None:
    """Read calls until the node is gone."""
    for line in sys.stdin:
        if line.strip():
            handle(json.loads(line))


if __name__ == "__main__":
    main()
