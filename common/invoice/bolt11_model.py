"""A BOLT 11 invoice as a value. Reading is in `bolt11_read`, writing in `bolt11_write`."""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common import features
from pylightningd.common.amount import Msat
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.network import network_by_bolt11_hrp

DEFAULT_EXPIRY = 3600
DEFAULT_MIN_FINAL_CLTV_EXPIRY = 18
P2PKH_VERSION = 17
P2SH_VERSION = 18

# BOLT 9, "Assigned Feature Flags": those with context 9, and those every node is assumed to have.
KNOWN_FEATURES = frozenset(
    {
        features.DATA_LOSS_PROTECT,
        features.VAR_ONION,
        features.STATIC_REMOTEKEY,
        features.PAYMENT_SECRET,
        features.BASIC_MPP,
        features.ROUTE_BLINDING,
        features.ATTRIBUTION_DATA,
        features.CHANNEL_TYPE,
        features.PAYMENT_METADATA,
    }
)
"""Even feature bits an invoice may require of us."""


class InvoiceError(ValueError):
    """An invoice that is malformed or that we must not pay. The text says what was wrong."""


@dataclass(frozen=True, slots=True)
class RouteHint:
    """One hop of a private route: the channel that starts at `node_id`, and what it costs."""

    node_id: NodeId
    short_channel_id: ShortChannelId
    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int


@dataclass(frozen=True, slots=True)
class Fallback:
    """An on-chain address: a witness version (0 to 16) and program, or 17/18 and a 20-byte hash."""

    version: int
    program: bytes

    def script(self) -> bytes:
        """The scriptPubKey."""
        if self.version == P2PKH_VERSION:
            return b"\x76\xa9\x14" + self.program + b"\x88\xac"
        if self.version == P2SH_VERSION:
            return b"\xa9\x14" + self.program + b"\x87"
        opcode = 0x50 + self.version if self.version else 0
        return bytes([opcode, len(self.program)]) + self.program


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field we do not use: its letter and the 5-bit words of its data."""

    tag: str
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A request for payment.

    `currency` is what follows ``ln`` (``bc``, ``tb``, ``tbs``, ``bcrt``). `timestamp` and `expiry` are in
    seconds, `min_final_cltv_expiry` in blocks. `features` is big-endian without leading zero bytes.
    `payee` is recovered from the signature unless `has_payee_field`; a new invoice may leave it None.
    `signature` (r, s, recovery id: 65 bytes) is there once the invoice was read from text.
    """

    currency: str
    timestamp: int
    payment_hash: bytes
    payment_secret: bytes
    amount: Msat | None = None
    description: str | None = None
    description_hash: bytes | None = None
    payee: NodeId | None = None
    has_payee_field: bool = False
    expiry: int = DEFAULT_EXPIRY
    min_final_cltv_expiry: int = DEFAULT_MIN_FINAL_CLTV_EXPIRY
    fallbacks: tuple[Fallback, ...] = ()
    routes: tuple[tuple[RouteHint, ...], ...] = ()
    features: bytes = b""
    metadata: bytes | None = None
    unknown: tuple[UnknownField, ...] = ()
    signature: bytes | None = None

    @property
    def expires_at(self) -> int:
        """Seconds since 1970 after which it must not be paid."""
        return self.timestamp + self.expiry

    @property
    def network(self) -> str:
        """The network's name, or the prefix itself where it is not one we know."""
        network = network_by_bolt11_hrp(self.currency)
        return self.currency if network is None else network.name

    def has_feature(self, bit: int) -> bool:
        """Whether this bit or its odd/even partner is set."""
        return features.offers(self.features, bit)
