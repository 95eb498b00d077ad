"""What a hop's payload tells us to do with an HTLC: forward it or keep it (BOLT 4's rules for the reader).

The order of work: `peel` the onion, `decode_hop_payload`, ask `path_key_of` which path key applies, have
hsmd do ECDH with it where there is one and `unblind` with the result, then `read_instructions`.
Whether we can and want to forward (channel, fee, time) is for the HTLC switch.
"""

from __future__ import annotations

from dataclasses import dataclass

from pylightningd.common.amount import Msat
from pylightningd.common.errors import WireError
from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.keys import is_pubkey
from pylightningd.common.onion.blinding import Unblinded
from pylightningd.common.onion.payload import (
    AMT_TO_FORWARD,
    CURRENT_PATH_KEY,
    ENCRYPTED_RECIPIENT_DATA,
    OUTGOING_CLTV_VALUE,
    SHORT_CHANNEL_ID,
    TOTAL_AMOUNT_MSAT,
    BadPayload,
)
from pylightningd.common.wire.onion_wire import (
    EncryptedDataPaymentRelay,
    EncryptedDataTlv,
    Payload,
)

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Pass it on, to a channel or (only in blinded paths) to a node.

    `next_path_key` goes into the outgoing `update_add_htlc`; it is None outside blinded paths.
    """

    short_channel_id: ShortChannelId | None
    next_node_id: NodeId | None
    amt_to_forward: Msat
    outgoing_cltv_value: int
    next_path_key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """It is for us. `path_id` is what we put into our blinded path, None outside of one."""

    amt_to_forward: Msat
    outgoing_cltv_value: int
    total_msat: Msat
    payment_secret: bytes | None
    payment_metadata: bytes | None
    path_id: bytes | None
    payload: Payload


def path_key_of(payload: Payload, update_add_path_key: bytes | None) -> bytes | None:
    """The path key to do ECDH with, None where we are not in a blinded path. Raises BadPayload."""
    inner = payload.current_path_key
    if payload.encrypted_recipient_data is None:
        # BOLT 4, "Packet Structure", reader outside a blinded path: no path key from either place.
        if update_add_path_key is not None:
            raise BadPayload(
                "a path key without encrypted_recipient_data", ENCRYPTED_RECIPIENT_DATA
            )
        if inner is not None:
            raise BadPayload("current_path_key without encrypted_recipient_data", CURRENT_PATH_KEY)
        return None
    # BOLT 4, "Packet Structure", reader: the path key is in the message or in the payload, never in both.
    if update_add_path_key is not None and inner is not None:
        raise BadPayload("current_path_key although the message has a path key", CURRENT_PATH_KEY)
    if update_add_path_key is None and inner is None:
        raise BadPayload("encrypted_recipient_data without a path key", CURRENT_PATH_KEY)
    key = inner if update_add_path_key is None else update_add_path_key
    if key is None or not is_pubkey(key):
        raise BadPayload("the path key is not a public key", CURRENT_PATH_KEY)
    return key


def read_instructions(
    payload: Payload,
    *,
    is_final: bool,
    amount: Msat,
    cltv_expiry: int,
    unblinded: Unblinded | None = None,
) -> Forward | Final:
    """What to do with an incoming HTLC of `amount` and `cltv_expiry`. Raises BadPayload.

    `unblinded` is there exactly where `path_key_of` gave a key. Inside a blinded path the failure to
    send is `invalid_onion_blinding` whatever the reason (see `must_hide_reason`).
    """
    if unblinded is None:
        return _plain_final(payload) if is_final else _plain_forward(payload)
    data = _read_encrypted(unblinded.data)
    _check_constraints(data, amount, cltv_expiry)
    if is_final:
        return _blinded_final(payload, data)
    return _blinded_forward(payload, data, unblinded, amount, cltv_expiry)


def must_hide_reason(
    payload: Payload | None, update_add_path_key: bytes | None, *, is_final: bool
) -> bool:
    """Whether every failure of this HTLC has to be `invalid_onion_blinding`."""
    # BOLT 4, "Failure Messages", erring node: with a path key in the message, or in the payload of a
    # node that is not the last.
    if update_add_path_key is not None:
        return True
    return payload is not None and payload.current_path_key is not None and not is_final


def _plain_amounts(payload: Payload) -> tuple[Msat, int]:
    # BOLT 4, "Packet Structure", reader: amt_to_forward and outgoing_cltv_value must be present.
    if payload.amt_to_forward is None:
        raise BadPayload("no amt_to_forward", AMT_TO_FORWARD)
    if payload.outgoing_cltv_value is None:
        raise BadPayload("no outgoing_cltv_value", OUTGOING_CLTV_VALUE)
    return payload.amt_to_forward, payload.outgoing_cltv_value


def _plain_forward(payload: Payload) -> Forward:
    amount, cltv = _plain_amounts(payload)
    if payload.short_channel_id is None:
        raise BadPayload("no short_channel_id", SHORT_CHANNEL_ID)
    return Forward(
        short_channel_id=payload.short_channel_id,
        next_node_id=None,
        amt_to_forward=amount,
        outgoing_cltv_value=cltv,
        next_path_key=None,
    )


def _plain_final(payload: Payload) -> Final:
    amount, cltv = _plain_amounts(payload)
    data = payload.payment_data
    return Final(
        amt_to_forward=amount,
        outgoing_cltv_value=cltv,
        # BOLT 4, "Packet Structure", reader: an absent total_msat is amt_to_forward.
        total_msat=amount if data is None else data.total_msat,
        payment_secret=None if data is None else data.payment_secret,
        payment_metadata=payload.payment_metadata,
        path_id=None,
        payload=payload,
    )


def _read_encrypted(raw: bytes) -> EncryptedDataTlv:
    try:
        data = EncryptedDataTlv.decode(raw)
    except WireError as error:
        raise BadPayload(f"encrypted_recipient_data: {error}", ENCRYPTED_RECIPIENT_DATA) from None
    # BOLT 4, "Packet Structure", reader: no feature bits are known for blinded paths, so any set bit fails.
    if data.allowed_features is not None and any(data.allowed_features):
        raise BadPayload("unknown bit in allowed_features", ENCRYPTED_RECIPIENT_DATA)
    if data.short_channel_id is not None and data.next_node_id is not None:
        raise BadPayload("both short_channel_id and next_node_id", ENCRYPTED_RECIPIENT_DATA)
    return data


def _check_constraints(data: EncryptedDataTlv, amount: Msat, cltv_expiry: int) -> None:
    limits = data.payment_constraints
    if limits is None:
        return
    # BOLT 4, "Packet Structure", reader: the HTLC must meet payment_constraints.
    if cltv_expiry > limits.max_cltv_expiry:
        raise BadPayload(
            f"expiry {cltv_expiry} is above {limits.max_cltv_expiry}", ENCRYPTED_RECIPIENT_DATA
        )
    if amount.msat < limits.htlc_minimum_msat:
        raise BadPayload(
            f"{amount} is below {limits.htlc_minimum_msat}msat", ENCRYPTED_RECIPIENT_DATA
        )


def _blinded_forward(
    payload: Payload, data: EncryptedDataTlv, unblinded: Unblinded, amount: Msat, cltv_expiry: int
) -> Forward:
    # BOLT 4, "Packet Structure", reader in the middle of a blinded path: nothing but the two blinding fields.
    bare = Payload(
        encrypted_recipient_data=payload.encrypted_recipient_data,
        current_path_key=payload.current_path_key,
    )
    if payload != bare:
        raise BadPayload("a field that does not belong into a blinded path", _extra_type(payload))
    if data.short_channel_id is None and data.next_node_id is None:
        raise BadPayload("no next hop in encrypted_recipient_data", ENCRYPTED_RECIPIENT_DATA)
    if data.payment_relay is None:
        raise BadPayload("no payment_relay in encrypted_recipient_data", ENCRYPTED_RECIPIENT_DATA)
    forwarded, cltv = relay_amounts(data.payment_relay, amount, cltv_expiry)
    return Forward(
        short_channel_id=data.short_channel_id,
        next_node_id=data.next_node_id,
        amt_to_forward=forwarded,
        outgoing_cltv_value=cltv,
        next_path_key=data.next_path_key_override or unblinded.next_path_key,
    )


def relay_amounts(
    relay: EncryptedDataPaymentRelay, amount: Msat, cltv_expiry: int
) -> tuple[Msat, int]:
    """Amount and expiry to forward, of what came in. Raises BadPayload where nothing is left."""
    # BOLT 4, "Packet Structure", reader: amt_to_forward from payment_relay, rounded up.
    parts = _MILLION + relay.fee_proportional_millionths
    above_base_msat = amount.msat - relay.fee_base_msat
    cltv = cltv_expiry - relay.cltv_expiry_delta
    if above_base_msat < 0 or cltv < 0:
        raise BadPayload("payment_relay leaves nothing to forward", ENCRYPTED_RECIPIENT_DATA)
    return Msat((above_base_msat * _MILLION + parts - 1) // parts), cltv


def _blinded_final(payload: Payload, data: EncryptedDataTlv) -> Final:
    amount, cltv = _plain_amounts(payload)
    total = payload.total_amount_msat
    if total is None:
        raise BadPayload("no total_amount_msat", TOTAL_AMOUNT_MSAT)
    # BOLT 4, "Packet Structure", reader at the end of a blinded path: only these five fields.
    bare = Payload(
        amt_to_forward=amount,
        outgoing_cltv_value=cltv,
        total_amount_msat=total,
        encrypted_recipient_data=payload.encrypted_recipient_data,
        current_path_key=payload.current_path_key,
    )
    if payload != bare:
        raise BadPayload("a field that does not belong into a blinded path", _extra_type(payload))
    return Final(
        amt_to_forward=amount,
        outgoing_cltv_value=cltv,
        total_msat=total,
        payment_secret=None,
        payment_metadata=None,
        path_id=data.path_id,
        payload=payload,
    )


def _extra_type(payload: Payload) -> int:
    """Type of the first record beside those of a blinded path's end."""
    if payload.short_channel_id is not None:
        return SHORT_CHANNEL_ID
    return payload.unknown[0][0] if payload.unknown else 0
