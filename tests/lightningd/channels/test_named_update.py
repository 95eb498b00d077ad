"""Failures tell a channel's rules under the very name that the onion used."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.onion.failure import FailureFrom, unwrap
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.peer_wire import ChannelUpdate
from tests.lightningd.channels.rig import Rig, incoming, scid_of

HASH = b"h" * 32
AMOUNT = Msat(500_000)
ALIAS = ShortChannelId(1002)


def update(scid: ShortChannelId) -> bytes:
    return ChannelUpdate(
        signature=bytes(64),
        chain_hash=bytes(32),
        short_channel_id=scid,
        timestamp=1,
        message_flags=1,
        channel_flags=0,
        cltv_expiry_delta=6,
        htlc_minimum_msat=0,
        fee_base_msat=1,
        fee_proportional_millionths=10,
        htlc_maximum_msat=10**9,
    ).encode()


def refused_by(rig: Rig, used: ShortChannelId, known_as: ShortChannelId, gate: Any = None) -> Any:
    """One with too little fee for us."""
    first, second = rig.ready(1), rig.ready(2, 2)
    rig.node.hsm.gate = gate
    second.our_update = update(known_as)
    here = ow.Payload(amt_to_forward=AMOUNT, outgoing_cltv_value=1050, short_channel_id=used)
    htlc = incoming(HASH, 500_000, [here, here])
    rig.receive(first, 0, htlc)
    return htlc


def told(rig: Rig, secret: bytes) -> bytes:
    [failed] = rig.to_worker(cw.ChanneldFailHtlc)
    found = unwrap([secret], failed.failure_onion)
    assert isinstance(found, FailureFrom)
    message = ow.decode(found.message)
    assert isinstance(message, ow.FeeInsufficient)
    return message.channel_update


@pytest.mark.parametrize("used", [ALIAS, scid_of(2)])
@pytest.mark.parametrize("known_as", [ALIAS, scid_of(2), ShortChannelId(77)])
def test_the_name_that_was_used(rig: Rig, used: ShortChannelId, known_as: ShortChannelId) -> None:
    htlc = refused_by(rig, used, known_as)
    assert told(rig, htlc.secret) == update(used)


def test_one_signature_is_enough(rig: Rig) -> None:
    refused_by(rig, ALIAS, scid_of(2))
    first = rig.node.channels.get(1)
    asked = len(rig.node.hsm.sent)
    here = ow.Payload(amt_to_forward=AMOUNT, outgoing_cltv_value=1050, short_channel_id=ALIAS)
    rig.receive(first, 1, incoming(HASH, 500_000, [here, here]))
    assert len(rig.to_worker(cw.ChanneldFailHtlc)) == 2
    assert len(rig.node.hsm.sent) == asked


def test_nothing_is_told_where_it_cannot_be_signed(rig: Rig) -> None:
    gate: asyncio.Future[None] = rig.loop.create_future()
    htlc = refused_by(rig, ALIAS, scid_of(2), gate)
    assert rig.to_worker(cw.ChanneldFailHtlc) == []
    gate.set_exception(ValueError("no"))
    rig.spin()
    rig.forgive()
    assert told(rig, htlc.secret) == b""
