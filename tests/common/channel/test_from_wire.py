"""From `ChannelStatic` and `CommitmentContent` to BOLT 3's transactions, from both sides' view."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel import from_wire as fw
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel.keyset import Basepoints
from pylightningd.common.channel_type import ANCHORS_TYPE, STATIC_REMOTEKEY_TYPE
from pylightningd.common.ids import channel_id, node_id
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.wire import common_wire as wire
from tests.common.channel import bolt03 as b3


def _points(points: Basepoints, funding: bytes) -> wire.Basepoints:
    return wire.Basepoints(
        funding_pubkey=pubkey_from_secret(funding),
        revocation=points.revocation,
        payment=points.payment,
        delayed_payment=points.delayed_payment,
        htlc=points.htlc,
    )


def _config(dust_limit: int, delay: int) -> wire.ChannelConfig:
    return wire.ChannelConfig(
        dust_limit=Sat(dust_limit),
        max_htlc_value_in_flight=Msat(1),
        channel_reserve=Sat(1),
        htlc_minimum=Msat(0),
        to_self_delay=delay,
        max_accepted_htlcs=483,
    )


def _channel(*, we_are_opener: bool, anchors: bool) -> wire.ChannelStatic:
    # The opener of the vectors has dust limit 546; its peer demands a delay of 144.
    opener = (_config(546, 999), _points(b3.LOCAL_BASE, b3.LOCAL_FUNDING))
    accepter = (_config(777, 144), _points(b3.REMOTE_BASE, b3.REMOTE_FUNDING))
    local, remote = (opener, accepter) if we_are_opener else (accepter, opener)
    kind = ANCHORS_TYPE if anchors else STATIC_REMOTEKEY_TYPE
    return wire.ChannelStatic(
        dbid=1,
        peer_id=node_id(pubkey_from_secret(b"\1" * 32)),
        channel_id=channel_id(bytes(32)),
        funding=b3.FUNDING,
        funding_amount=Sat(10_000_000),
        we_are_opener=we_are_opener,
        channel_type=kind.encode(),
        local_config=local[0],
        remote_config=remote[0],
        local_basepoints=local[1],
        remote_basepoints=remote[1],
    )


def _unsigned(vector: dict[str, Any]) -> str:
    made = b3.commitment(
        anchors=False,
        feerate=vector["local_feerate_per_kw"],
        to_local=vector["to_local_msat"],
        to_remote=vector["to_remote_msat"],
        htlcs=b3.htlcs_for(vector["name"]),
    )
    return made.tx.serialize().hex()


@pytest.mark.parametrize("vector", b3.VECTORS["legacy"], ids=lambda v: v["name"])
@pytest.mark.parametrize("owner", list(Side))
def test_both_sides_make_the_transaction_of_the_vectors(
    owner: Side, vector: dict[str, Any]
) -> None:
    spec = CommitmentSpec(
        Side.LOCAL,
        vector["local_feerate_per_kw"],
        Msat(vector["to_local_msat"]),
        Msat(vector["to_remote_msat"]),
        b3.htlcs_for(vector["name"]),
    )
    content = fw.content_from_spec(spec, b3.NUMBER)
    channel = _channel(we_are_opener=owner is Side.LOCAL, anchors=False)
    made = fw.commitment_from_wire(channel, owner, b3.POINT, content)
    assert made.tx.serialize().hex() == _unsigned(vector)
    assert made.number == b3.NUMBER


def test_anchors_come_from_the_channel_type() -> None:
    params = fw.commitment_params(_channel(we_are_opener=True, anchors=True), Side.LOCAL)
    assert params == b3.params(anchors=True)
    theirs = fw.commitment_params(_channel(we_are_opener=True, anchors=True), Side.REMOTE)
    assert (theirs.to_self_delay, theirs.dust_limit) == (999, Sat(777))
    assert not theirs.owner_is_opener
    assert theirs.obscuring_factor == params.obscuring_factor


def test_spec_round_trip() -> None:
    spec = CommitmentSpec(Side.REMOTE, 253, Msat(1), Msat(2), b3.HTLCS)
    again = fw.spec_from_content(fw.content_from_spec(spec, 5), Side.REMOTE)
    assert again == spec
