"""Alice opens to Bob with open_channel2, each with a coin of their own; money and serial ids of BOLT 3, Appendix G."""

from __future__ import annotations

from typing import Any

from pylightningd.common import features as ft
from pylightningd.common.amount import Sat
from pylightningd.common.channel_type import ANCHORS_TYPE
from pylightningd.common.network import REGTEST
from pylightningd.common.wire.openingd_wire import (
    Contribution,
    OpeningdConstructed,
    OpeningdConstructedReply,
    OpeningdGotOpen2,
    OpeningdOpen2,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.state import Node
from pylightningd.openingd.v2_machine import DualOpeningMachine
from tests.common.interactive_tx import vectors as v
from tests.openingd import sides
from tests.openingd.player import Player
from tests.openingd.sides import ALICE, BOB, NODE_IDS, Keys, limits

FEATURES = ft.combine_features(
    sides.FEATURES, ft.encode_features([ft.DUAL_FUND + 1, ft.LARGE_CHANNELS + 1])
)


def answer(request: Message) -> Message:
    """A master to whom everything is right."""
    assert isinstance(request, OpeningdConstructed)
    return OpeningdConstructedReply()


def alice_brings(**changes: Any) -> Contribution:
    values: dict[str, Any] = {
        "funding_amount": v.FUNDING,
        "funding_serial_id": v.FUNDING_SERIAL_ID,
        "inputs": (v.OPENER_INPUT,),
        "outputs": (v.OPENER_CHANGE,),
        "inputs_confirmed": True,
        "consult": False,
    }
    return Contribution(**(values | changes))


def bob_brings(**changes: Any) -> Contribution:
    values: dict[str, Any] = {
        "funding_amount": v.FUNDING,
        "funding_serial_id": 0,
        "inputs": (v.ACCEPTER_INPUT,),
        "outputs": (v.ACCEPTER_CHANGE,),
        "inputs_confirmed": True,
        "consult": False,
    }
    return Contribution(**(values | changes))


NOTHING = Contribution(
    funding_amount=Sat(0),
    funding_serial_id=0,
    inputs=(),
    outputs=(),
    inputs_confirmed=True,
    consult=False,
)


def open_request(**changes: Any) -> OpeningdOpen2:
    keys = Keys(ALICE)
    values: dict[str, Any] = {
        "dbid": 7,
        "route_id": 70,
        "peer_id": NODE_IDS[BOB],
        "their_features": FEATURES,
        "limits": limits(),
        "basepoints": keys.basepoints,
        "first_per_commitment_point": keys.first_point,
        "second_per_commitment_point": keys.point(6),
        "funding_feerate_perkw": v.FEERATE,
        "commitment_feerate_perkw": 2500,
        "locktime": v.LOCKTIME,
        "announce": True,
        "channel_type": ANCHORS_TYPE.encode(),
        "upfront_shutdown_script": sides.UPFRONT,
        "require_confirmed_inputs": False,
        "sign_first_on_tie": NODE_IDS[ALICE] < NODE_IDS[BOB],
        "ours": alice_brings(),
    }
    return OpeningdOpen2(**(values | changes))


def got_open(msg: bytes, **changes: Any) -> OpeningdGotOpen2:
    keys = Keys(BOB)
    values: dict[str, Any] = {
        "dbid": 8,
        "route_id": 80,
        "peer_id": NODE_IDS[ALICE],
        "their_features": FEATURES,
        "limits": limits(),
        "basepoints": keys.basepoints,
        "first_per_commitment_point": keys.first_point,
        "second_per_commitment_point": keys.point(6),
        "upfront_shutdown_script": b"",
        "require_confirmed_inputs": False,
        "sign_first_on_tie": NODE_IDS[BOB] < NODE_IDS[ALICE],
        "ours": bob_brings(),
        "msg": msg,
    }
    return OpeningdGotOpen2(**(values | changes))


def opener(features: bytes = FEATURES, **changes: Any) -> Player:
    """Alice, who has sent open_channel2 if she could."""
    request = open_request(**changes)
    player = Player(DualOpeningMachine(Node(REGTEST, features), request), answer)
    player.master(request)
    return player


def accepter(msg: bytes, features: bytes = FEATURES, **changes: Any) -> Player:
    """Bob, who has answered open_channel2."""
    request = got_open(msg, **changes)
    player = Player(DualOpeningMachine(Node(REGTEST, features), request), answer)
    player.master(request)
    return player
