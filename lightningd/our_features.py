"""The features we offer, and the name and colour a node has by default. Only what works is offered."""

from __future__ import annotations

from collections.abc import Iterable

from pylightningd.common import features as f
from pylightningd.common.features import Place, features_for

_COMPULSORY = (f.VAR_ONION, f.STATIC_REMOTEKEY, f.PAYMENT_SECRET)
_OPTIONAL = (
    f.DATA_LOSS_PROTECT,
    f.UPFRONT_SHUTDOWN_SCRIPT,
    f.GOSSIP_QUERIES,
    f.GOSSIP_QUERIES_EX,
    f.BASIC_MPP,
    f.LARGE_CHANNELS,
    f.ANCHORS_ZERO_FEE_HTLC,
    f.ROUTE_BLINDING,
    f.SHUTDOWN_ANYSEGWIT,
    f.ONION_MESSAGES,
    f.PROVIDE_STORAGE,
    f.CHANNEL_TYPE,
    f.SCID_ALIAS,
    f.PAYMENT_METADATA,
)
PLACES = (Place.INIT, Place.NODE, Place.CHANNEL, Place.INVOICE)

_FIRST_WORDS = (
    "AMBER", "BRISK", "CALM", "DARING", "EARLY", "FROSTY", "GENTLE", "HUMBLE",
    "IVORY", "JOLLY", "KEEN", "LUCID", "MELLOW", "NIMBLE", "OPAL", "PLUCKY",
)  # fmt: skip
_SECOND_WORDS = (
    "ANCHOR", "BEACON", "CANYON", "DOLPHIN", "EMBER", "FALCON", "GARDEN", "HARBOR",
    "ISLAND", "JIGSAW", "KETTLE", "LANTERN", "MEADOW", "NEBULA", "OTTER", "PYTHON",
)  # fmt: skip


def our_bits(*, wrong_funding: bool = False, dual_fund: bool = False) -> list[int]:
    """The feature bits this version offers; `wrong_funding`, `dual_fund`: also the experimental ones of that name."""
    optional = list(_OPTIONAL)
    if wrong_funding:
        optional.append(f.SHUTDOWN_WRONG_FUNDING)
    if dual_fund:
        optional.append(f.DUAL_FUND)
    return sorted([*_COMPULSORY, *(bit | 1 for bit in optional)])


def forced_bits(bits: Iterable[int], setting: str | None) -> list[int]:
    """`--dev-force-features`: a list of bits that replaces ours, or ``+N`` / ``-N``. Raises ValueError."""
    chosen = set(bits)
    if not setting:
        return sorted(chosen)
    if setting[0] in "+-":
        bit = int(setting[1:])
        (chosen.add if setting[0] == "+" else chosen.discard)(bit)
        return sorted(chosen)
    return sorted(int(part) for part in setting.split("/")[0].split(",") if part)


def feature_bitmaps(bits: Iterable[int]) -> dict[str, bytes]:
    """What we show in each place."""
    chosen = list(bits)
    return {place.value: features_for(place, chosen) for place in PLACES}


def default_alias(node_id: bytes) -> str:
    """Two words and four digits that follow from the node id."""
    return f"{_FIRST_WORDS[node_id[3] & 15]}{_SECOND_WORDS[node_id[4] & 15]}-{node_id[5:7].hex()}"


def default_rgb(node_id: bytes) -> bytes:
    """A node's colour where none is chosen: CLN's rule, the first bytes of the id."""
    return node_id[:3]
