"""The last step of starting: decide about what a crash left open, then let peers in and reach out to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.common.wire.connectd_wire import ConnectdActivate

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Everything runs: take up the channels."""
    await node.turn.do(node.switch.recover)
    await node.turn.do(node.payments.recover)
    node.chain.on_feerates(node.channel_events.feerates_changed)
    node.is_up = True
    node.dual.recover()
    node.workers.bring_up()
    connectd = node.fleet.get("connectd")
    if connectd is not None and not node.config["offline"]:
        connectd.send(ConnectdActivate())
    if node.settings.reconnect:
        node.peers.connect_all()
