"""Brings up the channels: reads them, and makes the parts that act on them. No daemon is running yet."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from pylightningd.lightningd.channels.channel_gossip import ChannelGossip
from pylightningd.lightningd.channels.events import ChannelEvents
from pylightningd.lightningd.channels.forward import Switch
from pylightningd.lightningd.channels.forward_json import forward_event
from pylightningd.lightningd.channels.registry import Channels
from pylightningd.lightningd.channels.resolve import Resolver
from pylightningd.lightningd.channels.settings import read_settings
from pylightningd.lightningd.channels.states import CLOSING, OPENING, ChannelState
from pylightningd.lightningd.control.addresses import Addresses
from pylightningd.lightningd.db.channels_io import ChannelStore
from pylightningd.lightningd.db.forwards_io import ForwardStore
from pylightningd.lightningd.peers import Peers

if TYPE_CHECKING:
    from pylightningd.lightningd.channels.channel import LiveHtlc
    from pylightningd.lightningd.node import Node


async def start(node: Node) -> None:
    """Set `settings`, `channels`, `peers`, `switch`, `resolver`, `channel_events`, `channel_gossip`."""
    node.settings = read_settings(node.config, len(os.sched_getaffinity(0)))
    node.addresses = Addresses(node.config, node.network.ln_port)
    node.channels = Channels(node, ChannelStore(node.db))
    node.peers = Peers(node)
    node.resolver = Resolver(node)
    node.switch = Switch(node, ForwardStore(node.db))
    node.switch.forwards.on_change = partial(_tell_forward, node)
    node.channel_events = ChannelEvents(node)
    node.channel_gossip = ChannelGossip(node)
    node.channels.load()
    node.peers.load()
    node.info.append(lambda: _counts(node))
    node.info.append(node.addresses.info)


def _counts(node: Node) -> dict[str, object]:
    """getinfo's numbers of peers and channels."""
    states = [channel.state for channel in node.channels]
    return {
        "num_peers": len(node.peers.all()),
        "num_pending_channels": sum(s in OPENING for s in states),
        "num_active_channels": sum(
            s in (ChannelState.CHANNELD_NORMAL, ChannelState.CHANNELD_SHUTTING_DOWN) for s in states
        ),
        "num_inactive_channels": sum(
            s in CLOSING and s is not ChannelState.CHANNELD_SHUTTING_DOWN for s in states
        ),
        "fees_collected_msat": node.switch.forwards.fees_collected().msat,
    }


def _tell_forward(node: Node, incoming: LiveHtlc) -> None:
    if node.plugins.anyone_listens("forward_event"):
        row = node.switch.forwards.of(incoming)
        node.turn.notify("forward_event", forward_event(row, incoming.payment_hash))
