"""Our own commitment, broadcast before the data was lost: of a channel from a backup nobody remembers it.

The transaction itself says its number; hsmd has the key's point for any number. Only the delay that the peer once asked
for is unknown, but it is in the script, and there are few: trying them all takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bus.link import Refused
from pylightningd.common.channel.commitment_tx import commitment_number_of
from pylightningd.common.channel.from_wire import commitment_keyset, commitment_params
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.wire import hsmd_wire as hw

if TYPE_CHECKING:
    from pylightningd.common.bitcoin.tx import Tx
    from pylightningd.common.wire.common_wire import ChannelStatic
    from pylightningd.lightningd.node import Node

LONGEST_DELAY = 2016
"""Blocks: nobody accepts more."""


@dataclass(frozen=True, slots=True)
class OwnCommitment:
    """What onchaind must know of it."""

    static: ChannelStatic
    """With the delay filled in."""
    number: int
    point: bytes


async def find_own_commitment(node: Node, static: ChannelStatic, tx: Tx) -> OwnCommitment | None:
    """What `tx` is, if it is a commitment of ours with an output for us."""
    factor = commitment_params(static, Side.LOCAL).obscuring_factor
    number = commitment_number_of(tx, factor)
    if number is None:
        return None
    try:
        request = hw.HsmdGetPerCommitmentPoint(dbid=static.dbid, number=number)
        reply = await node.hsm.ask(request)
    except Refused:
        return None  # a number that no channel gets to: it was not ours
    delay = delay_of(static, tx, reply.point)
    if delay is None:
        return None
    config = replace(static.remote_config, to_self_delay=delay)
    return OwnCommitment(replace(static, remote_config=config), number, reply.point)


def delay_of(static: ChannelStatic, tx: Tx, point: bytes) -> int | None:
    """Blocks for which `tx`, if it is our commitment with this point, locks our output."""
    keys = commitment_keyset(static, Side.LOCAL, point)
    scripts = {output.script for output in tx.outputs}
    for delay in range(1, LONGEST_DELAY + 1):
        to_local = sc.to_local_script(keys.revocation, keys.owner_delayed, delay)
        if sc.p2wsh(to_local) in scripts:
            return delay
    return None
