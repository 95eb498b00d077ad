"""The onion of a keysend payment: sendpay cannot put the preimage into it, so it is made here. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pylightningd.common.amount import Msat
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.onion.payload import KEYSEND_PREIMAGE_TYPE, encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.wire.onion_wire import Payload
from pylightningd.plugins.routing import Hop


def keysend_onion(
    hops: Sequence[Hop],
    *,
    base_height: int,
    preimage: bytes,
    payment_hash: bytes,
    extra: Iterable[tuple[int, bytes]],
    session_key: bytes,
) -> tuple[bytes, list[bytes]]:
    """The packet, and the secret shared with each hop. Delays count from `base_height`."""
    payloads = [
        Payload(
            amt_to_forward=Msat(following.amount_msat),
            outgoing_cltv_value=base_height + following.delay,
            short_channel_id=ShortChannelId(following.scid),
        )
        for following in hops[1:]
    ]
    payloads.append(
        Payload(
            amt_to_forward=Msat(hops[-1].amount_msat),
            outgoing_cltv_value=base_height + hops[-1].delay,
            unknown=tuple(sorted([(KEYSEND_PREIMAGE_TYPE, preimage), *extra])),
        )
    )
    keyed = [
        (hop.node_id, encode_hop_payload(payload))
        for hop, payload in zip(hops, payloads, strict=True)
    ]
    return make_onion(session_key, keyed, payment_hash)
