"""Just enough of a lightningd to test the harness: answers getinfo and stop; `--fake-broken` logs a bug at the end."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

GETINFO = {
    "id": "02" * 33,
    "alias": "fake",
    "color": "020202",
    "num_peers": 0,
    "num_pending_channels": 0,
    "num_active_channels": 0,
    "num_inactive_channels": 0,
    "address": [],
    "version": "v26.06",
    "blockheight": 10**6,
    "network": "regtest",
    "fees_collected_msat": 0,
    "lightning-dir": "/",
}


def main() -> int:
    options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:])
    folder = Path(options["lightning-dir"])
    if "fake-fail" in options:
        print("bad option", file=sys.stderr)
        return 3
    os.chdir(folder / options["network"])
    Path("lightning-rpc").unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("lightning-rpc")
    listener.listen()
    with open(folder / "log", "a") as log:
        print("x INFO lightningd: Server started with public key 02", file=log, flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                request = json.loads(connection.recv(65536))
                result = (
                    GETINFO if request["method"] == "getinfo" else {"result": "Shutdown complete"}
                )
                reply = {"jsonrpc": "2.0", "id": request["id"], "result": result}
                if request["method"] not in {"getinfo", "stop"}:
                    reply = reply | {"error": {"code": -32601, "message": "Unknown command"}}
                connection.sendall(json.dumps(reply).encode() + b"\n\n")
            if request["method"] == "stop":
                if "fake-broken" in options:
                    print("x **BROKEN** lightningd: it is", file=log)
                return 0


if __name__ == "__main__":
    sys.exit(main())
