"""The example plugin speaks the plugin protocol."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).parents[2] / "contrib" / "plugins" / "hello.py"


def test_manifest_init_command_and_notification() -> None:
    requests = [
        {"id": "1", "method": "getmanifest", "params": {"allow-deprecated-apis": False}},
        {
            "id": "2",
            "method": "init",
            "params": {"options": {"hello-greeting": "Moin"}, "configuration": {}},
        },
        {"id": "3", "method": "hello", "params": ["Alice"]},
        {"id": "4", "method": "hello", "params": {}},
        {"method": "connect", "params": {"connect": {"id": "02aa"}}},
    ]
    text = "".join(json.dumps({"jsonrpc": "2.0"} | request) + "\n\n" for request in requests)
    done = subprocess.run(
        [sys.executable, str(PLUGIN)], input=text, capture_output=True, text=True, check=True
    )
    replies = [json.loads(part) for part in done.stdout.split("\n\n") if part]
    assert replies[0]["result"]["rpcmethods"][0]["name"] == "hello"
    assert replies[2]["result"] == {"greeting": "Moin, Alice!"}
    assert replies[3]["result"] == {"greeting": "Moin, world!"}
    assert replies[4]["params"] == {"level": "info", "message": "Moin, peer 02aa!"}
