"""Failure codes of BOLT 4 and their flags, as data. The messages themselves are in `common.wire.onion_wire`."""

from __future__ import annotations

from enum import IntEnum

BADONION = 0x8000
"""The onion could not be read by the node that got it from its peer."""
PERM = 0x4000
"""Permanent; transient where it is not set."""
NODE = 0x2000
"""About the whole node; about one channel where it is not set."""
UPDATE = 0x1000
"""A channel's forwarding parameters were not met; a `channel_update` may follow."""


class FailureCode(IntEnum):
    """`failure_code`, flags included."""

    # BOLT 4, "Failure Messages": names and numbers of all failure codes.
    TEMPORARY_NODE_FAILURE = NODE | 2
    PERMANENT_NODE_FAILURE = PERM | NODE | 2
    REQUIRED_NODE_FEATURE_MISSING = PERM | NODE | 3
    INVALID_ONION_VERSION = BADONION | PERM | 4
    INVALID_ONION_HMAC = BADONION | PERM | 5
    INVALID_ONION_KEY = BADONION | PERM | 6
    TEMPORARY_CHANNEL_FAILURE = UPDATE | 7
    PERMANENT_CHANNEL_FAILURE = PERM | 8
    REQUIRED_CHANNEL_FEATURE_MISSING = PERM | 9
    UNKNOWN_NEXT_PEER = PERM | 10
    AMOUNT_BELOW_MINIMUM = UPDATE | 11
    FEE_INSUFFICIENT = UPDATE | 12
    INCORRECT_CLTV_EXPIRY = UPDATE | 13
    EXPIRY_TOO_SOON = UPDATE | 14
    INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS = PERM | 15
    FINAL_INCORRECT_CLTV_EXPIRY = 18
    FINAL_INCORRECT_HTLC_AMOUNT = 19
    CHANNEL_DISABLED = UPDATE | 20
    EXPIRY_TOO_FAR = 21
    INVALID_ONION_PAYLOAD = PERM | 22
    MPP_TIMEOUT = 23
    INVALID_ONION_BLINDING = BADONION | PERM | 24

    @property
    def wire_name(self) -> str:
        """The name users of CLN know: ``WIRE_`` and the BOLT's name in capitals."""
        return f"WIRE_{self.name}"


def code_name(code: int) -> str:
    """CLN's name for a code, also for codes we do not know."""
    try:
        return FailureCode(code).wire_name
    except ValueError:
        return f"WIRE_UNKNOWN_{code:#06x}"


def is_permanent(code: int) -> bool:
    """Whether PERM is set: trying again as before is no use."""
    return bool(code & PERM)


def is_node_failure(code: int) -> bool:
    """Whether NODE is set: all channels of the erring node are to be avoided, not one."""
    return bool(code & NODE)


def is_update(code: int) -> bool:
    """Whether UPDATE is set: a channel's parameters were not met."""
    return bool(code & UPDATE)


def is_bad_onion(code: int) -> bool:
    """Whether BADONION is set: it travels in `update_fail_malformed_htlc`."""
    return bool(code & BADONION)
