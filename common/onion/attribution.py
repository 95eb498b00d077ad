"""Attribution data (BOLT 4): hold times and truncated HMACs that travel back beside a failure or a preimage.

They let the origin see how long each hop kept an HTLC, and where a failure was spoilt on its way.
The wire form is 920 bytes: 20 hold times of 4 bytes, then 210 HMACs of 4 bytes. Block x of the HMACs
holds those of the node x hops downstream, for each distance y it may have from the end, largest y first.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from pylightningd.common.onion.crypto import derive_key, mac, xor_stream
from pylightningd.common.onion.failure import obfuscate

MAX_ROUTE = 20
UNIT_SIZE = 4
HOLD_TIMES_SIZE = MAX_ROUTE * UNIT_SIZE
ATTRIBUTION_SIZE = HOLD_TIMES_SIZE + MAX_ROUTE * (MAX_ROUTE + 1) // 2 * UNIT_SIZE
_MAX_HOLD_TIME = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Attribution:
    """Hold times (units of 100 ms) of the hops from the first on whose HMAC is right.

    `broken_at` is the first hop whose HMAC is not, None where all are; blame lies with it or with the
    hop before it.
    """

    hold_times: tuple[int, ...]
    broken_at: int | None


def attribute(
    shared_secret: bytes, hold_time: int, packet: bytes, downstream: bytes | None = None
) -> bytes:
    """The attribution data a node sends back. `hold_time` is in units of 100 ms.

    `packet` is the failure onion before this node's own `obfuscate` (at the erring node: that of
    `make_failure` obfuscated once more, which undoes it), and empty beside a preimage. `downstream` is
    the data received; None at the node that starts it, or where the next node sent none.
    """
    # BOLT 4, "Returning Errors", intermediate nodes: shift what came, or start from zeroes.
    if downstream is None or len(downstream) != ATTRIBUTION_SIZE:
        data = bytes(ATTRIBUTION_SIZE)
    else:
        data = _shift_right(downstream)
    data = min(hold_time, _MAX_HOLD_TIME).to_bytes(UNIT_SIZE, "big") + data[UNIT_SIZE:]
    um_key = derive_key(b"um", shared_secret)
    own = b"".join(_hmac(um_key, packet, data, y) for y in range(MAX_ROUTE - 1, -1, -1))
    data = data[:HOLD_TIMES_SIZE] + own + data[HOLD_TIMES_SIZE + len(own) :]
    return _obfuscate(shared_secret, data)


def read_attribution(
    shared_secrets: Sequence[bytes], packet: bytes, attribution: bytes, hops: int | None = None
) -> Attribution:
    """Check attribution data at the origin of a route with these secrets. Takes any bytes, raises nothing.

    `packet` is the failure onion as received, empty beside a preimage. `hops` limits how many are
    looked at: pass the erring hop's index + 1 for a failure that could be read.
    """
    if len(attribution) != ATTRIBUTION_SIZE:
        return Attribution((), 0)
    last = len(shared_secrets) - 1
    hold_times: list[int] = []
    for hop, secret in enumerate(shared_secrets[: min(hops or MAX_ROUTE, MAX_ROUTE)]):
        packet = obfuscate(secret, packet) if packet else packet
        attribution = _obfuscate(secret, attribution)
        # BOLT 4, "Returning Errors", origin node: the HMAC for the hop's place in the route.
        y = min(last, MAX_ROUTE - 1) - hop
        at = _place(0, y)
        expected = _hmac(derive_key(b"um", secret), packet, attribution, y)
        if not hmac.compare_digest(expected, attribution[at : at + UNIT_SIZE]):
            return Attribution(tuple(hold_times), hop)
        hold_times.append(int.from_bytes(attribution[:UNIT_SIZE], "big"))
        attribution = _shift_left(attribution)
    return Attribution(tuple(hold_times), None)


def _place(x: int, y: int) -> int:
    """Where ``hmac_x_y`` stands in the data."""
    block = x * MAX_ROUTE - x * (x - 1) // 2
    return HOLD_TIMES_SIZE + (block + MAX_ROUTE - 1 - x - y) * UNIT_SIZE


def _hmac(um_key: bytes, packet: bytes, data: bytes, y: int) -> bytes:
    """``hmac_0_y`` over `data`, which already has this node's hold time in front."""
    # BOLT 4, "Returning Errors", erring node: packet, the first y+1 hold times, and the HMACs of the y
    # nodes downstream, each for the place it has if this node has place y.
    parts = [packet, data[: (y + 1) * UNIT_SIZE]]
    for x in range(1, y + 1):
        at = _place(x, y - x)
        parts.append(data[at : at + UNIT_SIZE])
    return mac(um_key, b"".join(parts))[:UNIT_SIZE]


def _shift_right(data: bytes) -> bytes:
    """Make room for a node in front; each HMAC block loses the one for the largest distance."""
    parts = [bytes(UNIT_SIZE), data[: HOLD_TIMES_SIZE - UNIT_SIZE], bytes(MAX_ROUTE * UNIT_SIZE)]
    for x in range(MAX_ROUTE - 1):
        start = _place(x, MAX_ROUTE - 1 - x)
        parts.append(data[start + UNIT_SIZE : _place(x, 0) + UNIT_SIZE])
    return b"".join(parts)


def _shift_left(data: bytes) -> bytes:
    """Undo `_shift_right`, with zeroes for what it dropped."""
    parts = [data[UNIT_SIZE:HOLD_TIMES_SIZE], bytes(UNIT_SIZE)]
    for x in range(1, MAX_ROUTE):
        parts.append(bytes(UNIT_SIZE))
        parts.append(data[_place(x, MAX_ROUTE - 1 - x) : _place(x, 0) + UNIT_SIZE])
    return b"".join(parts) + bytes(UNIT_SIZE)


def _obfuscate(shared_secret: bytes, data: bytes) -> bytes:
    return xor_stream(derive_key(b"ammagext", shared_secret), data)
