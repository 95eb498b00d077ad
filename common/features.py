"""Feature bits: BOLT 9's table, bitmaps, and what we may do with a peer who sends one.

A bitmap is bytes, big-endian: bit 0 is the lowest bit of the last byte. The shortest form has no
leading zero bytes. Even bits are compulsory, odd ones optional; a feature is named by its even bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from pylightningd.common.errors import WarnPeer


class Place(Enum):
    """Where a bitmap stands; the value is the key CLN's plugins use."""

    INIT = "init"
    GLOBAL_INIT = "globalinit"
    NODE = "node"
    CHANNEL = "channel"
    INVOICE = "invoice"
    BOLT12_OFFER = "bolt12_offer"
    BOLT12_INVREQ = "bolt12_invreq"
    BOLT12_INVOICE = "bolt12_invoice"
    CHANNEL_TYPE = "channel_type"


_LETTERS = {
    "I": Place.INIT,
    "G": Place.GLOBAL_INIT,
    "N": Place.NODE,
    "C": Place.CHANNEL,
    "9": Place.INVOICE,
    "2": Place.BOLT12_INVOICE,
    "T": Place.CHANNEL_TYPE,
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its even bit, the name CLN prints, where it is shown, what it needs."""

    bit: int
    name: str
    places: frozenset[Place] = frozenset()
    depends: tuple[int, ...] = ()


# The even bits.
DATA_LOSS_PROTECT = 0
UPFRONT_SHUTDOWN_SCRIPT = 4
GOSSIP_QUERIES = 6
VAR_ONION = 8
GOSSIP_QUERIES_EX = 10
STATIC_REMOTEKEY = 12
PAYMENT_SECRET = 14
BASIC_MPP = 16
LARGE_CHANNELS = 18
ANCHOR_OUTPUTS_DEPRECATED = 20
ANCHORS_ZERO_FEE_HTLC = 22
ROUTE_BLINDING = 24
SHUTDOWN_ANYSEGWIT = 26
DUAL_FUND = 28
QUIESCE = 34
ATTRIBUTION_DATA = 36
ONION_MESSAGES = 38
PROVIDE_STORAGE = 42
CHANNEL_TYPE = 44
SCID_ALIAS = 46
PAYMENT_METADATA = 48
ZEROCONF = 50
KEYSEND = 54
SIMPLE_CLOSE = 60
SPLICE = 62
SHUTDOWN_WRONG_FUNDING = 104

# BOLT 9, "Assigned Feature Flags"; G is the old second bitmap of `init`, 2 the BOLT 12 invoice. The
# places are those CLN uses.
_TABLE: tuple[tuple[int, str, str, tuple[int, ...]], ...] = (
    (DATA_LOSS_PROTECT, "option_data_loss_protect", "IN", ()),
    (2, "option_initial_routing_sync", "", ()),
    (UPFRONT_SHUTDOWN_SCRIPT, "option_upfront_shutdown_script", "IN", ()),
    (GOSSIP_QUERIES, "option_gossip_queries", "IN", ()),
    (VAR_ONION, "option_var_onion_optin", "IGN9", ()),
    (GOSSIP_QUERIES_EX, "option_gossip_queries_ex", "IN", ()),
    (STATIC_REMOTEKEY, "option_static_remotekey", "IGNT", ()),
    (PAYMENT_SECRET, "option_payment_secret", "IN9", ()),
    (BASIC_MPP, "option_basic_mpp", "IN92", (PAYMENT_SECRET,)),
    (LARGE_CHANNELS, "option_support_large_channel", "IN", ()),
    (ANCHOR_OUTPUTS_DEPRECATED, "option_anchor_outputs", "", ()),
    (ANCHORS_ZERO_FEE_HTLC, "option_anchors", "INT", ()),
    (ROUTE_BLINDING, "option_route_blinding", "IN9", ()),
    (SHUTDOWN_ANYSEGWIT, "option_shutdown_anysegwit", "IN", ()),
    (DUAL_FUND, "option_dual_fund", "IN", ()),
    (30, "option_amp", "", ()),
    (QUIESCE, "option_quiesce", "IN", ()),
    (ATTRIBUTION_DATA, "option_attribution_data", "IN9", ()),
    (ONION_MESSAGES, "option_onion_messages", "IN", ()),
    (PROVIDE_STORAGE, "option_provide_storage", "IN", ()),
    (CHANNEL_TYPE, "option_channel_type", "IN", ()),
    (SCID_ALIAS, "option_scid_alias", "INT", ()),
    (PAYMENT_METADATA, "option_payment_metadata", "9", ()),
    (ZEROCONF, "option_zeroconf", "INT", (SCID_ALIAS,)),
    (KEYSEND, "option_keysend", "N", ()),
    (56, "option_trampoline_routing", "", ()),
    (SIMPLE_CLOSE, "option_simple_close", "IN", (SHUTDOWN_ANYSEGWIT,)),
    (SPLICE, "option_splice", "IN", ()),
    # No name: CLN has none for it either and prints option_unknown_104.
    (SHUTDOWN_WRONG_FUNDING, "", "IN", ()),
    (162, "option_experimental_splice", "", ()),
)

FEATURES: dict[int, Feature] = {
    bit: Feature(bit, name, frozenset(_LETTERS[c] for c in letters), depends)
    for bit, name, letters, depends in _TABLE
}


# ---- bitmaps ------------------------------------------------------------------------------------


def encode_features(bits: Iterable[int]) -> bytes:
    """The shortest bitmap with these bits set."""
    value = 0
    for bit in bits:
        value |= 1 << bit
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode_features(bitmap: bytes) -> frozenset[int]:
    """The bits that are set."""
    return frozenset(feature_bits(bitmap))


def feature_bits(bitmap: bytes) -> Iterator[int]:
    """The bits that are set, in ascending order."""
    value = int.from_bytes(bitmap, "big")
    while value:
        low = value & -value
        yield low.bit_length() - 1
        value ^= low


def has_bit(bitmap: bytes, bit: int) -> bool:
    """Whether exactly this bit is set."""
    place = bit >> 3
    return place < len(bitmap) and bool(bitmap[-1 - place] >> (bit & 7) & 1)


def offers(bitmap: bytes, feature: int) -> bool:
    """Whether the feature is there at all, compulsory or optional."""
    return has_bit(bitmap, feature & ~1) or has_bit(bitmap, feature | 1)


def requires(bitmap: bytes, feature: int) -> bool:
    """Whether the feature is compulsory."""
    return has_bit(bitmap, feature & ~1)


def negotiated(ours: bytes, theirs: bytes, feature: int) -> bool:
    """Whether both sides' `init` have the feature."""
    return offers(ours, feature) and offers(theirs, feature)


def combine_features(*bitmaps: bytes) -> bytes:
    """Every bit that any of them has."""
    value = 0
    for bitmap in bitmaps:
        value |= int.from_bytes(bitmap, "big")
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def without_features(bitmap: bytes, *features: int) -> bytes:
    """The bitmap with both bits of some features cleared."""
    gone = {f & ~1 for f in features}
    return encode_features(b for b in feature_bits(bitmap) if b & ~1 not in gone)


def trim_features(bitmap: bytes) -> bytes:
    """The shortest form."""
    return bitmap.lstrip(b"\0")


def same_features(one: bytes, other: bytes) -> bool:
    """Whether the same bits are set, whatever the lengths."""
    return trim_features(one) == trim_features(other)


def features_for(place: Place, bits: Iterable[int]) -> bytes:
    """Of the bits we support, the bitmap for one place. Unknown bits (from plugins) are left out."""
    return encode_features(
        bit for bit in bits if bit & ~1 in FEATURES and place in FEATURES[bit & ~1].places
    )


# ---- names --------------------------------------------------------------------------------------


def feature_name(bit: int) -> str:
    """As CLN prints it: ``option_static_remotekey/even``."""
    parity = "odd" if bit & 1 else "even"
    known = FEATURES.get(bit & ~1)
    name = known.name if known is not None and known.name else f"option_unknown_{bit & ~1}"
    return f"{name}/{parity}"


def feature_names(bitmap: bytes) -> list[str]:
    """The names of all bits that are set, ascending."""
    return [feature_name(bit) for bit in feature_bits(bitmap)]


# ---- checks -------------------------------------------------------------------------------------


def first_unsupported(ours: bytes, theirs: bytes) -> int | None:
    """The lowest compulsory bit of theirs that we do not offer, if any."""
    for bit in feature_bits(theirs):
        if not bit & 1 and not offers(ours, bit):
            return bit
    return None


def missing_dependency(bitmap: bytes) -> tuple[int, int] | None:
    """A feature in the bitmap and another that it needs and that is not there, as even bits."""
    for feature in FEATURES.values():
        if feature.depends and offers(bitmap, feature.bit):
            for needed in feature.depends:
                if not offers(bitmap, needed):
                    return feature.bit, needed
    return None


def check_peer_features(ours: bytes, theirs: bytes) -> None:
    """Whether we can talk to a peer with these `init` features. Raises WarnPeer."""
    # BOLT 1, "The `init` Message": the receiver closes the connection on an unknown compulsory bit,
    # and where the dependencies of a feature are not all set.
    unknown = first_unsupported(ours, theirs)
    if unknown is not None:
        raise WarnPeer(f"Unsupported feature {unknown} ({feature_name(unknown)})")
    missing = missing_dependency(theirs)
    if missing is not None:
        depender, needed = missing
        raise WarnPeer(
            f"Feature {depender} ({feature_name(depender)}) requires feature {needed} "
            f"({feature_name(needed)}), which is not set"
        )
