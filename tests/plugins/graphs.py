"""Maps for tests: a store file with channels of made-up nodes, and a slow search to compare with."""

from __future__ import annotations

import struct
from pathlib import Path

import google_crc32c

from pylightningd.common.ids import ShortChannelId
from pylightningd.common.wire.peer_wire import (
    ChannelAnnouncement,
    ChannelUpdate,
    NodeAnnouncement,
)

SIG = bytes(64)


def node(n: int) -> bytes:
    """Node number n: ids ascend with n."""
    return bytes((2,)) + n.to_bytes(32, "big")


def scid(n: int) -> ShortChannelId:
    """Channel number n."""
    return ShortChannelId.make(n, 1, 0)


class StoreFile:
    """A gossip_store that a test writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"\x10")
        self.raw((4107).to_bytes(2, "big") + bytes(32))

    def raw(self, msg: bytes, flags: int = 0x2000) -> None:
        """One record."""
        crc = google_crc32c.extend(0, msg)
        with self.path.open("ab") as file:
            file.write(struct.pack(">HHII", flags, len(msg), crc, 0) + msg)

    def channel(self, n: int, a: int, b: int, sat: int = 1_000_000, features: bytes = b"") -> None:
        """An announcement."""
        one, two = sorted((node(a), node(b)))
        msg = ChannelAnnouncement(
            node_signature_1=SIG,
            node_signature_2=SIG,
            bitcoin_signature_1=SIG,
            bitcoin_signature_2=SIG,
            features=features,
            chain_hash=bytes(32),
            short_channel_id=scid(n),
            node_id_1=one,  # type: ignore[arg-type]
            node_id_2=two,  # type: ignore[arg-type]
            bitcoin_key_1=one,
            bitcoin_key_2=two,
        )
        self.raw(msg.encode())
        self.raw((4101).to_bytes(2, "big") + sat.to_bytes(8, "big"))

    def update(
        self,
        n: int,
        a: int,
        b: int,
        *,
        base: int = 0,
        ppm: int = 0,
        delay: int = 6,
        low: int = 0,
        high: int = 990_000_000,
        disabled: bool = False,
    ) -> None:
        """The direction from a to b."""
        msg = ChannelUpdate(
            signature=SIG,
            chain_hash=bytes(32),
            short_channel_id=scid(n),
            timestamp=1000 + n,
            message_flags=1,
            channel_flags=int(a > b) | (2 if disabled else 0),
            cltv_expiry_delta=delay,
            htlc_minimum_msat=low,
            fee_base_msat=base,
            fee_proportional_millionths=ppm,
            htlc_maximum_msat=high,
        )
        self.raw(msg.encode())

    def both(self, n: int, a: int, b: int, sat: int = 1_000_000, **terms: int) -> None:
        """A channel with the same terms both ways."""
        self.channel(n, a, b, sat)
        self.update(n, a, b, **terms)
        self.update(n, b, a, **terms)

    def name(self, a: int, alias: bytes, addresses: bytes = b"", features: bytes = b"\x80") -> None:
        """A node_announcement."""
        msg = NodeAnnouncement(
            signature=SIG,
            features=features,
            timestamp=77,
            node_id=node(a),  # type: ignore[arg-type]
            rgb_color=b"\1\2\3",
            alias=alias.ljust(32, b"\0"),
            addresses=addresses,
        )
        self.raw(msg.encode())

    def delete(self, n: int) -> None:
        """The marker of a channel that is gone."""
        self.raw((4103).to_bytes(2, "big") + scid(n).to_bytes(8, "big"))
