"""Ways into blinded paths: BOLT 12 invoices name no destination, only where such paths begin. Pure.

To the router the inside of a path is one more channel, from its introduction point to a node that does not exist
(`Order.destination`), with the path's own fee and delay. So parts, retries and limits work as with any route.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.onion.failure_codes import FailureCode
from pylightningd.common.onion.payload import encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.wire.bolt12_wire import BlindedPayinfo
from pylightningd.common.wire.onion_wire import (
    BlindedPath,
    BlindedPathHop,
    EncryptedDataPaymentRelay,
    Payload,
)
from pylightningd.plugins.pay.attempt import BLINDED_BLOCK, PartFailure
from pylightningd.plugins.pay.router import Hint
from pylightningd.plugins.routing import Hop

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Way:
    """A blinded path that can be used. Fees and delay are those from the introduction point on."""

    introduction: NodeId
    path_key: bytes
    hops: tuple[BlindedPathHop, ...]
    base_fee_msat: int
    fee_ppm: int
    delay: int
    htlc_min_msat: int
    htlc_max_msat: int

    def hint(self, number: int, destination: bytes) -> Hint:
        """As a channel of the map."""
        return Hint(
            source=self.introduction,
            destination=destination,
            scid=BLINDED_BLOCK << 40 | number,
            base_fee_msat=self.base_fee_msat,
            fee_ppm=self.fee_ppm,
            delay=self.delay,
            htlc_min_msat=self.htlc_min_msat,
            htlc_max_msat=self.htlc_max_msat,
        )


def number_of(hop: Hop) -> int:
    """Which way a route ends in, from its last hop."""
    return hop.scid & 0xFFFF


def make_way(introduction: NodeId, path: BlindedPath, cost: BlindedPayinfo) -> Way | None:
    """A path of an invoice; None where it needs something that we do not know."""
    # BOLT 12, "Invoices", reader: a path whose features have an unknown even bit must not be used.
    features = int.from_bytes(cost.features, "big")
    if any(features >> bit & 1 for bit in range(0, features.bit_length(), 2)):
        return None
    return Way(
        introduction=introduction,
        path_key=path.first_path_key,
        hops=tuple(path.path),
        base_fee_msat=cost.fee_base_msat,
        fee_ppm=cost.fee_proportional_millionths,
        delay=cost.cltv_expiry_delta,
        htlc_min_msat=int(cost.htlc_minimum_msat),
        htlc_max_msat=int(cost.htlc_maximum_msat),
    )


def step_over(way: Way, relay: EncryptedDataPaymentRelay, after: NodeId, path_key: bytes) -> Way:
    """The way without its first hop, which is us: we owe ourselves no fee. Raises ValueError."""
    base0, ppm0 = relay.fee_base_msat, relay.fee_proportional_millionths
    # BOLT 4, "`payload` format", creator of encrypted_recipient_data: how fees add up; this is that undone,
    # rounded up.
    base = max(0, -(-(way.base_fee_msat - base0) * _MILLION // (_MILLION + ppm0)))
    ppm = max(0, -(-(way.fee_ppm - ppm0) * _MILLION // (_MILLION + ppm0)))
    if way.delay < relay.cltv_expiry_delta or len(way.hops) < 2:
        raise ValueError("the blinded path contradicts its own data")
    return replace(
        way,
        introduction=after,
        path_key=path_key,
        hops=way.hops[1:],
        base_fee_msat=base,
        fee_ppm=ppm,
        delay=way.delay - relay.cltv_expiry_delta,
    )


def blinded_onion(
    route: Sequence[Hop],
    way: Way,
    *,
    base_height: int,
    total_msat: int,
    payment_hash: bytes,
    session_key: bytes,
) -> tuple[bytes, list[bytes]]:
    """The packet for a route that ends in `way`, and the secret shared with each hop.

    Delays count from `base_height`. Raises OnionTooLarge, or ValueError where a key is invalid.
    """
    plain, inside = route[:-1], route[-1]
    hops = [
        (
            hop.node_id,
            Payload(
                amt_to_forward=Msat(following.amount_msat),
                outgoing_cltv_value=base_height + following.delay,
                short_channel_id=ShortChannelId(following.scid),
            ),
        )
        for hop, following in zip(plain, plain[1:], strict=False)
    ]
    # BOLT 4, "`payload` format", writer: each node of the path gets its data, the first one the path key too,
    # the last one amount, expiry and total; nothing else.
    for index, hop in enumerate(way.hops):
        payload = Payload(encrypted_recipient_data=hop.encrypted_recipient_data)
        if index == 0:
            payload = replace(payload, current_path_key=way.path_key)
        if index == len(way.hops) - 1:
            payload = replace(
                payload,
                amt_to_forward=Msat(inside.amount_msat),
                outgoing_cltv_value=base_height,
                total_amount_msat=Msat(total_msat),
            )
        hops.append((hop.blinded_node_id if index else way.introduction, payload))
    keyed = [(node, encode_hop_payload(payload)) for node, payload in hops]
    return make_onion(session_key, keyed, payment_hash)


def failure_on(route: Sequence[Hop], way: Way, failure: PartFailure) -> PartFailure:
    """A failure as `verdict.judge` takes it: the way is the last channel of the route, its end the destination."""
    introduction = len(route) - 1
    if failure.index is None or failure.failcode is None or failure.index < introduction:
        return failure
    if len(way.hops) == 1 and failure.failcode != FailureCode.INVALID_ONION_BLINDING:
        return replace(failure, index=len(route))
    # Whatever it says, of what is behind the introduction point we know nothing: the way is not to be used again.
    return replace(failure, index=introduction, failcode=int(FailureCode.INVALID_ONION_BLINDING))
