"""Blinded paths to us, for BOLT 12 invoices: where payers begin, and what the whole path costs them.

A node that the network knows gives itself as the introduction point; one that has unannounced channels only
gives a path through each peer that knows route blinding. What ties a payment to its invoice is the path_id,
which only we can make and only the payer of that invoice can bring back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from pylightningd.common import features as ft
from pylightningd.common.amount import MAX_MSAT, Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.onion.blinding import make_blinded_path
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.bolt12_wire import BlindedPayinfo
from pylightningd.common.wire.onion_wire import (
    BlindedPath,
    EncryptedDataPaymentConstraints,
    EncryptedDataPaymentRelay,
    EncryptedDataTlv,
)
from pylightningd.lightningd.channels.channel import Channel, RemotePolicy
from pylightningd.lightningd.channels.states import ChannelState

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

MAX_PATHS = 3
PATH_LIFE_BLOCKS = 1008
"""How much later than the invoice a path may be used: payers add to expiries to hide where they are."""
_SECONDS_PER_BLOCK = 600
_SECRET_NAME = b"bolt12-invoice-base"


@dataclass(frozen=True, slots=True)
class PaymentPath:
    """A path to us and what it costs to use it."""

    path: BlindedPath
    cost: BlindedPayinfo


@dataclass(frozen=True, slots=True)
class _Way:
    """A peer through which we can be paid."""

    peer: NodeId
    scid: ShortChannelId
    policy: RemotePolicy
    receivable: Msat


async def path_id_for(node: Node, payment_hash: bytes) -> bytes:
    """The secret that ties a blinded path to the invoice of that hash: nobody else can derive it."""
    reply = await node.hsm.ask(hw.HsmdDeriveSecret(info=_SECRET_NAME))
    base: bytes = reply.secret.reveal()
    return sha256(base + payment_hash).digest()


def make_payment_paths(
    node: Node, path_id: bytes, amount: Msat | None, final_cltv: int, expiry_seconds: int
) -> list[PaymentPath]:
    """Paths for a new invoice, best first; never none. `final_cltv`: blocks that the last HTLC leaves us."""
    last_block = node.chain.height + PATH_LIFE_BLOCKS + expiry_seconds // _SECONDS_PER_BLOCK
    max_cltv = last_block + final_cltv
    if not is_announced(node):
        ways = _best_ways(_ways(node.channels), amount)
        if ways:
            return [_path_through(node, way, path_id, final_cltv, max_cltv) for way in ways]
    return [_path_to_ourselves(node, path_id, final_cltv, max_cltv)]


def is_announced(node: Node) -> bool:
    """Whether the network knows how to reach us."""
    return any(
        c.state is ChannelState.CHANNELD_NORMAL
        and c.announce
        and c.short_channel_id is not None
        and c.remote_announcement_sigs is not None
        for c in node.channels
    )


def _ways(channels: Iterable[Channel]) -> list[_Way]:
    found = []
    for channel in channels:
        scid = channel.remote_alias or channel.short_channel_id
        if (
            channel.is_ready()
            and channel.supports(ft.ROUTE_BLINDING)
            and channel.remote_policy is not None
            and scid is not None
        ):
            found.append(
                _Way(channel.peer_id, scid, channel.remote_policy, channel.estimate_receivable())
            )
    return found


def _best_ways(ways: list[_Way], amount: Msat | None) -> list[_Way]:
    """Those that can bring the most, without those of no use: first the best of each peer, then others."""
    useful = [
        way
        for way in sorted(ways, key=lambda way: way.receivable.msat, reverse=True)
        # Several small ones may do together, for parts are allowed.
        if way.receivable > Msat(0) and (amount is None or way.policy.htlc_minimum <= amount)
    ]
    best: dict[NodeId, _Way] = {}
    for way in useful:
        best.setdefault(way.peer, way)
    others = [way for way in useful if best[way.peer] is not way]
    return [*best.values(), *others][:MAX_PATHS]


def _path_to_ourselves(node: Node, path_id: bytes, final_cltv: int, max_cltv: int) -> PaymentPath:
    """We are the introduction point, and the end."""
    path, _ = make_blinded_path(
        node.entropy.take(32), [(node.node_id, _end(path_id, max_cltv, 0).encode())]
    )
    cost = BlindedPayinfo(
        fee_base_msat=0,
        fee_proportional_millionths=0,
        cltv_expiry_delta=final_cltv,
        htlc_minimum_msat=0,
        htlc_maximum_msat=MAX_MSAT,
        features=b"",
    )
    return PaymentPath(path, cost)


def _path_through(
    node: Node, way: _Way, path_id: bytes, final_cltv: int, max_cltv: int
) -> PaymentPath:
    """A peer of ours is the introduction point; it learns which channel to use and nothing else."""
    policy = way.policy
    # BOLT 4, "`payload` format", creator of encrypted_recipient_data: relay and constraints for each hop but
    # the last, and the largest minimum of all; the expiry grows by each hop's delta.
    minimum = policy.htlc_minimum.msat
    relay = EncryptedDataTlv(
        short_channel_id=way.scid,
        payment_relay=EncryptedDataPaymentRelay(
            cltv_expiry_delta=policy.cltv_expiry_delta,
            fee_proportional_millionths=policy.fee_proportional_millionths,
            fee_base_msat=policy.fee_base_msat,
        ),
        payment_constraints=EncryptedDataPaymentConstraints(
            max_cltv_expiry=max_cltv + policy.cltv_expiry_delta, htlc_minimum_msat=minimum
        ),
    )
    end = _end(path_id, max_cltv, minimum)
    path, _ = make_blinded_path(
        node.entropy.take(32),
        list(zip((way.peer, node.node_id), _padded([relay, end]), strict=True)),
    )
    cost = BlindedPayinfo(
        fee_base_msat=policy.fee_base_msat,
        fee_proportional_millionths=policy.fee_proportional_millionths,
        cltv_expiry_delta=policy.cltv_expiry_delta + final_cltv,
        htlc_minimum_msat=minimum,
        htlc_maximum_msat=min(policy.htlc_maximum, way.receivable).msat,
        features=b"",
    )
    return PaymentPath(path, cost)


def _end(path_id: bytes, max_cltv: int, minimum_msat: int) -> EncryptedDataTlv:
    return EncryptedDataTlv(
        path_id=path_id,
        payment_constraints=EncryptedDataPaymentConstraints(
            max_cltv_expiry=max_cltv, htlc_minimum_msat=minimum_msat
        ),
    )


def _padded(hops: list[EncryptedDataTlv]) -> list[bytes]:
    """All of one length."""
    # BOLT 4, "Route Blinding", writer: SHOULD pad, so that the length tells nobody which hop it is.
    plain = [len(hop.encode()) for hop in hops]
    wanted = max(plain) + 2
    return [
        EncryptedDataTlv(padding=bytes(wanted - size - 2)).encode() + hop.encode()
        for hop, size in zip(hops, plain, strict=True)
    ]
