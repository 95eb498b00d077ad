#!/usr/bin/env python3
"""An example plugin without any dependency: one option, one command, one notification.

    lightningd --plugin=$PWD/contrib/plugins/hello.py --hello-greeting=Moin
    lightning-cli hello Alice

A plugin is a program that speaks JSON-RPC on its standard input and output. lightningd first asks for its manifest
(what it offers), then sends `init` with its options; after that come calls of its commands and the notifications that
it subscribed to. Messages are separated by an empty line.
"""

from __future__ import annotations

import json
import sys
from typing import Any

options = {"hello-greeting": "Hello"}


def getmanifest(params: Any) -> dict[str, Any]:
    """What this plugin offers."""
    return {
        "dynamic": True,
        "options": [
            {
                "name": "hello-greeting",
                "type": "string",
                "default": options["hello-greeting"],
                "description": "How to greet",
            }
        ],
        "rpcmethods": [
            {"name": "hello", "usage": "[name]", "description": "Greet somebody by {name}"},
        ],
        "subscriptions": ["connect"],
        "hooks": [],
        "nonnumericids": True,
    }


def init(params: dict[str, Any]) -> dict[str, Any]:
    """Take over the options' values."""
    options.update(params["options"])
    return {}


def hello(params: list[Any] | dict[str, Any]) -> dict[str, Any]:
    """The command: parameters come by position or by name, as the user gave them."""
    name = params.get("name") if isinstance(params, dict) else next(iter(params), None)
    return {"greeting": f"{options['hello-greeting']}, {name or 'world'}!"}


def on_connect(params: dict[str, Any]) -> None:
    """A peer has connected."""
    # Older versions of the protocol do not wrap the fields.
    peer_id = params.get("connect", params).get("id")
    log(f"{options['hello-greeting']}, peer {peer_id}!")


METHODS = {"getmanifest": getmanifest, "init": init, "hello": hello}
NOTIFICATIONS = {"connect": on_connect}


def send(message: dict[str, Any]) -> None:
    """Send one message to lightningd."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n\n")
    sys.stdout.flush()


def log(text: str, level: str = "info") -> None:
    """Write a line into lightningd's log."""
    send({"method": "log", "params": {"level": level, "message": text}})


def handle(message: dict[str, Any]) -> None:
    """Answer one request, or act on one notification (which has no id)."""
    name, params = message["method"], message.get("params", {})
    if "id" not in message:
        NOTIFICATIONS[name](params)
    elif name in METHODS:
        send({"id": message["id"], "result": METHODS[name](params)})
    else:
        send(
            {"id": message["id"], "error": {"code": -32601, "message": f"Unknown command '{name}'"}}
        )


def main() -> None:
    """Serve until lightningd closes our input."""
    text = ""
    for line in sys.stdin:
        text += line
        if line == "\n" and text.strip():
            handle(json.loads(text))
            text = ""


if __name__ == "__main__":
    main()
