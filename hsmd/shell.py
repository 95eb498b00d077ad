"""hsmd's links and files.

The replies to revocations, and our signatures for the chain, wait until the record is on disk; all that are ready in
one wake-up, on any link, share one fdatasync.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from pylightningd.common.bus.link import Incoming, Link
from pylightningd.common.daemon_io import DaemonShell
from pylightningd.common.network import network_by_name
from pylightningd.common.wire import hsmd_wire
from pylightningd.common.wire.hsmd_wire import (
    HsmdInit,
    HsmdInitReply,
    HsmdRevokeCommitment,
    HsmdSignLocalCommitment,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.hsmd.derive import Forced, NodeSecrets
from pylightningd.hsmd.enforcement_io import DamagedState, EnforcementFile
from pylightningd.hsmd.machine import Hsm
from pylightningd.hsmd.permissions import Refusal
from pylightningd.hsmd.secret_file_io import SecretFileError, read_or_create

_DURABLE = (HsmdRevokeCommitment, HsmdSignLocalCommitment)
"""Their replies may not leave before the record is on disk."""


class HsmdShell(DaemonShell):
    """See the module."""

    NAME = "hsmd"
    DESCRIPTION = "Holds every private key of the node, signs, and refuses what it must."
    WIRES = (hsmd_wire,)

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__(args)
        self._hsm: Hsm | None = None
        self._file: EnforcementFile | None = None
        self._held: list[tuple[Incoming, Message]] = []
        self._write_due = False
        self._loop = asyncio.get_running_loop()

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """hsmd's own options."""
        parser.add_argument(
            "--hsm-secret",
            type=Path,
            required=True,
            metavar="PATH",
            help="the node's secret, made if it is not there; hsmd_state is kept beside it",
        )

    def on_master(self, batch: list[Incoming]) -> None:
        """Requests of the master, hsmd_init the first of them."""
        for incoming in batch:
            if isinstance(incoming.msg, HsmdInit):
                self._init(incoming, incoming.msg)
            else:
                self._serve(0, incoming)

    def on_link(self, link: Link) -> None:
        """A sibling that may ask what the link's rights allow."""
        if self._hsm is None:
            raise RuntimeError("the master added a link before hsmd_init")
        self._hsm.add_link(link.link_id, link.capabilities)
        link.on_message = self._on_sibling

    def on_link_closed(self, link: Link) -> None:
        """Its rights end here."""
        if self._hsm is not None:
            self._hsm.drop_link(link.link_id)

    async def stop(self) -> None:
        """Leave nothing unwritten."""
        self._write()

    def _on_sibling(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            self._serve(incoming.link.link_id, incoming)

    def _serve(self, link_id: int, incoming: Incoming) -> None:
        try:
            if self._hsm is None:
                raise Refusal("hsmd_init must come first")
            reply = self._hsm.handle(link_id, incoming.msg)
        except (Refusal, ValueError) as err:
            self._refuse(incoming, f"{err}")
            return
        if self._hsm.records.changed and not self._write_due:
            self._write_due = True
            self._loop.call_soon(self._write)
        if reply is None:
            return
        if isinstance(incoming.msg, _DURABLE) and self._write_due:
            self._held.append((incoming, reply))
        else:
            incoming.reply(reply)

    def _refuse(self, incoming: Incoming, reason: str) -> None:
        who = incoming.link.name
        self.log("unusual", f"Refused {incoming.msg.NAME} of {who}: {reason}", refused_to=who)
        if incoming.request_id:
            incoming.refuse(reason)

    def _write(self) -> None:
        self._write_due = False
        if self._file is not None:
            self._file.write()
        held, self._held = self._held, []
        for incoming, reply in held:
            incoming.reply(reply)

    def _init(self, incoming: Incoming, msg: HsmdInit) -> None:
        if self._hsm is not None:
            self._refuse(incoming, "hsmd_init came twice")
            return
        path: Path = self.args.hsm_secret
        try:
            network = network_by_name(msg.network)
            secret, created = read_or_create(path, msg.passphrase)
            self._file = EnforcementFile(path.with_name("hsmd_state"))
            node = NodeSecrets(secret.secret, is_test_network=network.is_test, forced=_forced(msg))
        except (SecretFileError, DamagedState, KeyError, OSError, ValueError) as err:
            self._refuse(incoming, str(err))
            return
        self._hsm = Hsm(node, network, self._file.records)
        if created:
            self.log("info", f"Created {path}: back it up")
        incoming.reply(
            HsmdInitReply(
                node_id=node.node_id,
                bip32_base=node.bip32_base,
                bip86_base=node.bip86_base,
                bolt12_base=node.bolt12_base,
                has_mnemonic=secret.mnemonic is not None,
            )
        )


def _forced(msg: HsmdInit) -> Forced:
    return Forced(
        node_key=msg.dev_node_key,
        bip32_seed=msg.dev_bip32_seed,
        channel_secrets=msg.dev_channel_secrets or b"",
    )
