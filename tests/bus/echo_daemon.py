"""A daemon for tests: it signs a message by echoing it, and obeys a few words."""

from __future__ import annotations

import sys

from pylightningd.common.bus.link import Incoming, Link
from pylightningd.common.daemon_io import DaemonShell, run
from pylightningd.common.wire import hsmd_wire
from pylightningd.common.wire.hsmd_wire import HsmdSignMessage, HsmdSignMessageReply


class EchoShell(DaemonShell):
    NAME = "echo"
    WIRES = (hsmd_wire,)

    async def start(self) -> None:
        self.log("info", "echo is up", number=7, raw=b"\x01")

    async def on_master(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            msg = incoming.msg
            assert isinstance(msg, HsmdSignMessage)
            if msg.message == b"crash":
                raise RuntimeError("told to crash")
            if msg.message == b"stderr":
                print("a word on stderr", file=sys.stderr, flush=True)
            if msg.message.startswith(b"via "):
                link = self.link_to(msg.message[4:].decode())
                assert link is not None
                reply = await link.ask(HsmdSignMessage(message=b"hop"))
                incoming.reply(reply)
            else:
                incoming.reply(HsmdSignMessageReply(signature=msg.message.ljust(65, b".")))

    def on_link(self, link: Link) -> None:
        self.pump(link, self.on_master)
        self.log("debug", f"link {link.link_id} to {link.name}, rights {link.capabilities}")

    def on_link_closed(self, link: Link) -> None:
        self.log("debug", f"lost {link.name}")


if __name__ == "__main__":
    run(EchoShell)
