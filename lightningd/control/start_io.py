"""Brings up the daemons that speak to peers, and gives every channel to its worker."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.bus.link import Link
from pylightningd.common.wire import closingd_wire, connectd_wire, openingd_wire
from pylightningd.lightningd.channels.deadlines import Deadlines
from pylightningd.lightningd.channels.old_copy import check_records
from pylightningd.lightningd.channels.unfunded import Unfunded
from pylightningd.lightningd.control.channeld import ChanneldControl
from pylightningd.lightningd.control.closingd import ClosingControl
from pylightningd.lightningd.control.connectd import ConnectControl
from pylightningd.lightningd.control.gossipd import GossipControl
from pylightningd.lightningd.control.hooks import HtlcHook, PeerHooks
from pylightningd.lightningd.control.joint_watch import JointWatch
from pylightningd.lightningd.control.onchaind import OnchainControl
from pylightningd.lightningd.control.onion_messages import OnionMessages
from pylightningd.lightningd.control.openingd import OpeningControl
from pylightningd.lightningd.control.workers import Workers

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Set `connectd`, `gossip`, `opening`, `closing`, `channeld`, `workers`, `onchain`, the hooks; spawn daemons."""
    node.channeld = ChanneldControl(node)
    node.connectd = ConnectControl(node)
    node.gossip = GossipControl(node)
    node.opening = OpeningControl(node)
    node.dual = node.opening.dual
    node.joint_watch = JointWatch(node)
    node.closing = ClosingControl(node)
    node.onchain = OnchainControl(node)
    node.workers = Workers(node, node.settings.workers)
    node.peer_hooks = PeerHooks(node)
    node.htlc_hook = HtlcHook(node)
    node.onion_messages = OnionMessages(node)
    _declare(node)
    await node.fleet.start_all(["connectd", "gossipd"])
    node.chain.on_block(partial(_on_block, node, Deadlines(node), Unfunded(node)))
    await check_records(node)
    node.onchain.start()
    node.channel_events.start()
    node.joint_watch.start()
    node.closing.start()


def _on_block(
    node: Node, deadlines: Deadlines, unfunded: Unfunded, height: int, _txs: object
) -> None:
    deadlines.on_block(height)
    unfunded.on_block(height)
    node.turn.after_commit(partial(node.workers.new_block, height))


def _declare(node: Node) -> None:
    fleet = node.fleet
    fleet.declare("connectd", partial(_greet_connectd, node), node.peers.connectd_died)
    fleet.declare("gossipd", node.gossip.greet, node.gossip.died)
    fleet.declare("openingd", partial(_greet_openingd, node), partial(_openingd_died, node))
    fleet.declare("closingd", partial(_greet_closingd, node), partial(_closingd_died, node))
    fleet.declare("onchaind", node.onchain.greet, node.onchain.died)
    for name in node.workers.names:
        fleet.declare(name, partial(node.workers.greet, name), partial(node.workers.died, name))


async def _greet_connectd(node: Node, link: Link) -> None:
    """Tell a new connectd where to listen. Raises RuntimeError where it cannot."""
    link.on_message = node.connectd.on_message
    config = node.config
    proxy = config["proxy"] or ""
    reply = await link.ask(
        connectd_wire.ConnectdInit(
            network=node.network.name,
            node_id=node.node_id,
            features=node.features["init"],
            listen=tuple(node.addresses.listen),
            proxy=proxy,
            always_proxy=bool(config["always-use-proxy"]),
            use_dns=not config["disable-dns"],
            timeout_seconds=config["dev-timeout-secs"] or 60,
            dev_disconnect=config["dev-disconnect"] or "",
            dev_no_ping_timer=bool(config["dev-no-ping-timer"]),
            dev_handshake_no_reply=bool(config["dev-handshake-no-reply"]),
        )
    )
    if reply.error:
        node.fatal(f"connectd cannot listen: {reply.error}")
        return
    node.addresses.bound(list(reply.bindings))
    if node.connectd.custom_messages:
        link.send(connectd_wire.ConnectdSetCustommsgs(types=node.connectd.custom_messages))
    if node.connectd.suppresses_gossip:
        link.send(connectd_wire.ConnectdDevSuppressGossip())
    if node.is_up:
        link.send(connectd_wire.ConnectdActivate())
        node.peers.connect_all()


async def _greet_openingd(node: Node, link: Link) -> None:
    link.on_message = node.opening.on_message
    link.send(
        openingd_wire.OpeningdInit(
            network=node.network.name,
            features=node.features["init"],
            dev_any_channel_type=node.settings.any_channel_type,
        )
    )


async def _openingd_died(node: Node) -> None:
    await node.turn.do(node.opening.openingd_died)


async def _greet_closingd(node: Node, link: Link) -> None:
    link.on_message = node.closing.on_message
    link.send(closingd_wire.ClosingdInit(network=node.network.name))


async def _closingd_died(node: Node) -> None:
    await node.turn.do(node.closing.closingd_died)
