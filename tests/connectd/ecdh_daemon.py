"""An hsmd that does ECDH only, with the key it is told."""

from __future__ import annotations

import argparse

from pylightningd.common.bus.link import Incoming, Link
from pylightningd.common.daemon_io import DaemonShell, run
from pylightningd.common.keys import ecdh
from pylightningd.common.secret import Secret
from pylightningd.common.wire import connectd_wire, hsmd_wire
from pylightningd.common.wire.hsmd_wire import HsmdEcdh, HsmdEcdhReply


class EcdhShell(DaemonShell):
    """Answers `hsmd_ecdh` on every link."""

    NAME = "hsmd"
    WIRES = (connectd_wire, hsmd_wire)

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--key", required=True)

    def on_master(self, batch: list[Incoming]) -> None:
        raise TypeError(batch)

    def on_link(self, link: Link) -> None:
        link.on_message = self._answer

    def _answer(self, batch: list[Incoming]) -> None:
        key = bytes.fromhex(self.args.key)
        for incoming in batch:
            assert isinstance(incoming.msg, HsmdEcdh)
            secrets = tuple(Secret(ecdh(key, point)) for point in incoming.msg.points)
            incoming.reply(HsmdEcdhReply(secrets=secrets))


if __name__ == "__main__":
    run(EcdhShell)
