"""A hop's payload in a payment onion: the generated `Payload` TLVs with a BigSize length in front.

Which fields a hop must and must not have is in `instructions`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pylightningd.common.errors import WireError
from pylightningd.common.wire.onion_wire import InvalidOnionPayload, Payload
from pylightningd.common.wire.tlv import (
    TlvError,
    read_bigsize,
    read_records,
    write_bigsize,
    write_records,
)

KEYSEND_PREIMAGE_TYPE = 5482373484
"""Even record that carries the preimage of a payment without invoice; its value is 32 bytes."""
ACCEPTED_EVEN_TYPES = frozenset({KEYSEND_PREIMAGE_TYPE})
AMT_TO_FORWARD = 2
OUTGOING_CLTV_VALUE = 4
SHORT_CHANNEL_ID = 6
PAYMENT_DATA = 8
ENCRYPTED_RECIPIENT_DATA = 10
CURRENT_PATH_KEY = 12
TOTAL_AMOUNT_MSAT = 18
_MAX_OFFSET = 0xFFFF


class BadPayload(ValueError):
    """A payload we do not understand or that lacks something. Becomes `invalid_onion_payload`.

    `tlv_type` is 0 where no single record is to blame; `offset` counts from the payload's length prefix.
    """

    def __init__(self, why: str, tlv_type: int = 0, offset: int = 0) -> None:
        super().__init__(why)
        self.tlv_type = tlv_type
        self.offset = offset

    def failure(self) -> InvalidOnionPayload:
        """The failure message for it."""
        return InvalidOnionPayload(type=self.tlv_type, offset=min(self.offset, _MAX_OFFSET))


def encode_hop_payload(payload: Payload) -> bytes:
    """The bytes for `sphinx.make_onion`. `payload.unknown` may hold records of any type, even ones too."""
    return with_length(payload.encode())


def with_length(tlvs: bytes) -> bytes:
    """A TLV stream with its length in front."""
    return write_bigsize(len(tlvs)) + tlvs


def decode_hop_payload(
    raw: bytes, accepted_types: Collection[int] = ACCEPTED_EVEN_TYPES
) -> Payload:
    """Read what `sphinx.peel` found. Raises BadPayload.

    Even records in `accepted_types` that `Payload` has no field for end up in its `unknown`.
    """
    start = 0
    try:
        start = _stream_start(raw)
        return _decode(raw[start:], accepted_types)
    except TlvError as error:
        raise BadPayload(str(error), error.tlv_type or 0, start + error.offset) from None
    except WireError as error:
        raise BadPayload(str(error)) from None


def keysend_preimage(payload: Payload) -> bytes | None:
    """The preimage of a spontaneous payment, where there is one."""
    return next((value for kind, value in payload.unknown if kind == KEYSEND_PREIMAGE_TYPE), None)


def record_offset(raw: bytes, tlv_type: int) -> int:
    """Where the value of a record begins in a payload with its length, 0 where there is none.

    `raw` must have been read by `decode_hop_payload`.
    """
    start = _stream_start(raw)
    records = read_records(raw[start:])
    return next((start + offset for kind, offset, _ in records if kind == tlv_type), 0)


def _stream_start(raw: bytes) -> int:
    length, start = read_bigsize(raw)
    if length != len(raw) - start:
        raise WireError(f"length is {length}, but {len(raw) - start} bytes follow")
    return start


def _decode(tlvs: bytes, accepted_types: Collection[int]) -> Payload:
    try:
        return Payload.decode(tlvs)
    except TlvError as error:
        if error.tlv_type not in accepted_types:
            raise
    # Rare: an even record Payload does not know but we do. Read the rest without it. An offset in an
    # error of this second reading is then off by the bytes taken out.
    records = read_records(tlvs)
    taken = [
        (kind, value) for kind, _, value in records if kind in accepted_types and kind % 2 == 0
    ]
    left = [(kind, value) for kind, _, value in records if (kind, value) not in taken]
    payload = Payload.decode(write_records(left))
    return replace(payload, unknown=tuple(sorted((*payload.unknown, *taken))))
