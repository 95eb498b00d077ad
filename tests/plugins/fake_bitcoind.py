"""An HTTP server that answers like bitcoind, or like a proxy in front of one."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[..., Any]


class RpcFailure(Exception):
    """bitcoind's error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FakeBitcoind:
    """Answers from `methods`; keeps what it was asked."""

    def __init__(self, user: str = "user", password: str = "p/a#s?s@w:d", port: int = 0) -> None:
        self.asked: list[tuple[str, list[Any]]] = []
        self.logins: list[str] = []
        self.login = f"{user}:{password}"
        self.proxy_style = False
        """Errors with status 200, as pyln-testing's proxy sends them."""
        self.warming_up = 0
        self.methods: dict[str, Answer] = {
            "getnetworkinfo": lambda: {"version": 290000, "localrelay": True},
            "getblockchaininfo": lambda: {
                "chain": "regtest", "headers": 7, "blocks": 6, "initialblockdownload": False,
            },
            "getmempoolinfo": lambda: {"mempoolminfee": 0.00001, "minrelaytxfee": 0.000005},
            "estimatesmartfee": lambda *_: {"errors": ["Insufficient data or no feerate found"], "blocks": 0},
        }  # fmt: skip
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                fake.handle(self)

            def log_message(self, *_: object) -> None:
                return None

        ThreadingHTTPServer.allow_reuse_address = True
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port: int = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def handle(self, http: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = http.rfile.read(int(http.headers["Content-Length"]))
        login = base64.b64decode(http.headers["Authorization"].removeprefix("Basic ")).decode()
        self.logins.append(login)
        if login != self.login:
            http.send_response(401)
            http.send_header("Content-Length", "0")
            http.end_headers()
            return
        request = json.loads(body)
        assert http.path == "/"
        assert isinstance(request["params"], list)
        self.asked.append((request["method"], request["params"]))
        status, reply = 200, {"result": None, "error": None, "id": request["id"]}
        try:
            if self.warming_up:
                self.warming_up -= 1
                raise RpcFailure(-28, "Loading block index…")
            if request["method"] not in self.methods:
                raise RpcFailure(-32601, "Method not found")
            reply["result"] = self.methods[request["method"]](*request["params"])
        except RpcFailure as why:
            status = 200 if self.proxy_style else 500
            reply["error"] = {"code": why.code, "message": why.message}
        text = json.dumps(reply).encode()
        http.send_response(status)
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(text)))
        http.end_headers()
        http.wfile.write(text)

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
