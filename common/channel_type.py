"""Channel types: the features a channel keeps for life (BOLT 2, "Defined Channel Types")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pylightningd.common import features as ft

_VARIANTS = (ft.SCID_ALIAS, ft.ZEROCONF)
_BASICS = (
    frozenset({ft.STATIC_REMOTEKEY}),
    frozenset({ft.STATIC_REMOTEKEY, ft.ANCHORS_ZERO_FEE_HTLC}),
)


@dataclass(frozen=True, slots=True)
class ChannelType:
    """A set of even feature bits. May hold what we do not support; see `is_known`."""

    bits: frozenset[int]

    @classmethod
    def decode(cls, bitmap: bytes) -> Self:
        """From a feature bitmap as messages and the database carry it."""
        return cls(ft.decode_features(bitmap))

    def encode(self) -> bytes:
        """As a feature bitmap of the shortest form."""
        return ft.encode_features(self.bits)

    @property
    def has_anchors(self) -> bool:
        """Whether commitments have anchors and fee-free HTLC transactions."""
        return ft.ANCHORS_ZERO_FEE_HTLC in self.bits

    @property
    def has_scid_alias(self) -> bool:
        """Whether only aliases may be used to route through the channel."""
        return ft.SCID_ALIAS in self.bits

    @property
    def has_zeroconf(self) -> bool:
        """Whether the channel may be used before its funding is confirmed."""
        return ft.ZEROCONF in self.bits

    @property
    def is_known(self) -> bool:
        """Whether it is a defined type, with or without variations."""
        return self.bits - set(_VARIANTS) in _BASICS

    def names(self) -> list[str]:
        """As CLN prints them: ``static_remotekey/even``, ascending by bit."""
        return [ft.feature_name(bit).removeprefix("option_") for bit in sorted(self.bits)]

    def with_variant(self, *, scid_alias: bool = False, zeroconf: bool = False) -> Self:
        """The same type with variations added."""
        added = {ft.SCID_ALIAS} if scid_alias else set()
        if zeroconf:
            added.add(ft.ZEROCONF)
        return type(self)(self.bits | added)


STATIC_REMOTEKEY_TYPE = ChannelType(_BASICS[0])
ANCHORS_TYPE = ChannelType(_BASICS[1])


def default_channel_type(ours: bytes, theirs: bytes) -> ChannelType:
    """The type to propose, from both sides' `init` features."""
    if ft.negotiated(ours, theirs, ft.ANCHORS_ZERO_FEE_HTLC):
        return ANCHORS_TYPE
    return STATIC_REMOTEKEY_TYPE


def is_acceptable(proposed: ChannelType, ours: bytes) -> bool:
    """Whether we accept a type from `open_channel`, by our own `init` features."""
    # BOLT 2, "The `open_channel` Message": the receiver fails the channel where the type is not
    # suitable. As in CLN: it must be a defined type, use only what we offer, and have what we require.
    if not proposed.is_known:
        return False
    for bit in (ft.ANCHORS_ZERO_FEE_HTLC, ft.STATIC_REMOTEKEY, *_VARIANTS):
        if bit in proposed.bits:
            if not ft.offers(ours, bit):
                return False
        elif ft.requires(ours, bit):
            return False
    return True
