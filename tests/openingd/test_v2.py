"""Openings of version 2: the order of messages, the figures of both, and every way to end early."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.common.amount import MAX_SAT, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bus.link import Refused
from pylightningd.common.channel.v2_id import v2_channel_id, v2_temporary_channel_id
from pylightningd.common.channel_type import STATIC_REMOTEKEY_TYPE
from pylightningd.common.effects import AliasRoute
from pylightningd.common.ids import ChannelId
from pylightningd.common.route_events import BadPeerBytes, FromPeer, RouteClosed
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.openingd_wire import (
    OpeningdAccepted2,
    OpeningdCancel,
    OpeningdConstructed,
    OpeningdConstructedReply,
    OpeningdContribution,
    OpeningdFailed,
    OpeningdProposal,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.state import Building, Committing, Consulting, Finished, Offered2
from pylightningd.openingd.v2_machine import FROM_PEER2
from tests.common.interactive_tx import table as t
from tests.common.interactive_tx import vectors as v
from tests.openingd import sides, sides2
from tests.openingd.player import Player, converse

ALICE, BOB = sides.Keys(sides.ALICE), sides.Keys(sides.BOB)
CID = v2_channel_id(ALICE.basepoints.revocation, BOB.basepoints.revocation)
TEMPORARY_ID = v2_temporary_channel_id(ALICE.basepoints.revocation)


def both(
    alice_changes: dict[str, Any] | None = None, bob_changes: dict[str, Any] | None = None
) -> tuple[Player, Player]:
    alice = sides2.opener(**(alice_changes or {}))
    bob = sides2.accepter(alice.outbox.pop(0), **(bob_changes or {}))
    converse(alice, bob)
    return alice, bob


def offered() -> Player:
    alice = sides2.opener()
    alice.outbox.clear()
    return alice


def building() -> Player:
    bob = sides2.accepter(sides2.opener().outbox.pop(0))
    bob.outbox.clear()
    return bob


def consulting() -> Player:
    bob = sides2.accepter(sides2.opener().outbox.pop(0), ours=replace(sides2.NOTHING, consult=True))
    bob.outbox.clear()
    bob.peer(add_input())
    assert not bob.outbox
    return bob


PHASES = {Offered2: offered, Building: building, Consulting: consulting}


def add_input(n: int = 2, **changes: Any) -> pw.TxAddInput:
    return t.add_input(n, **({"channel_id": CID} | changes))


def reason(player: Player) -> str:
    text: str = player.only_told(OpeningdFailed).reason
    return text


def aborted(player: Player) -> str:
    """It ended with tx_abort, which says what the master hears."""
    last = player.sent()[-1]
    assert isinstance(last, pw.TxAbort)
    assert last.data.decode() == reason(player)
    assert player.machine.finished
    assert not player.machine.opened
    return reason(player)


# ---- the good case ------------------------------------------------------------------------------


def test_two_sides_open() -> None:
    alice, bob = both()
    assert alice.order() == [
        "open_channel2",
        "openingd_accepted2",
        "tx_add_input",
        "tx_add_output",
        "tx_add_output",
        "tx_complete",
        "openingd_constructed",
    ]
    assert bob.order() == [
        "openingd_accepted2",
        "accept_channel2",
        "tx_add_input",
        "tx_add_output",
        "tx_complete",
        "openingd_constructed",
    ]
    for player in (alice, bob):
        assert player.machine.opened
        assert AliasRoute(CID) in player.effects


def test_what_the_masters_are_told() -> None:
    alice, bob = both()
    (one,), (other,) = (
        [m for m in player.asked() if isinstance(m, OpeningdConstructed)] for player in (alice, bob)
    )
    for mine, theirs in ((one, other), (other, one)):
        static = mine.channel
        assert static.channel_id == CID
        assert static.funding_amount == Sat(400_000_000)
        assert static.funding == theirs.channel.funding
        assert static.local_config == theirs.channel.remote_config
        assert static.local_config.channel_reserve == Sat(4_000_000)
        assert static.local_basepoints == theirs.channel.remote_basepoints
        assert mine.funding.our_funding == mine.funding.their_funding == v.FUNDING
        assert mine.feerate_perkw == 2500
        assert mine.tx != theirs.tx
        (amount, *_) = {o.amount.sat for o in Tx.parse(mine.tx).outputs} & {200_000_000}
        assert amount
    assert one.channel.we_are_opener
    assert not other.channel.we_are_opener
    assert one.funding.we_sign_first is not other.funding.we_sign_first
    accepted = alice.only_told(OpeningdAccepted2)
    keys = ALICE.basepoints.funding_pubkey, BOB.basepoints.funding_pubkey
    assert accepted.funding_scriptpubkey == sc.p2wsh(sc.funding_script(*keys))
    assert accepted.channel_id == CID
    assert accepted.their_funding == v.FUNDING


def test_names_of_the_channel() -> None:
    alice = sides2.opener()
    msg = alice.sent()[0]
    assert isinstance(msg, pw.OpenChannel2)
    assert msg.temporary_channel_id == TEMPORARY_ID
    assert v2_channel_id(BOB.basepoints.revocation, ALICE.basepoints.revocation) == CID
    assert msg.second_per_commitment_point == ALICE.point(6)
    assert msg.locktime == v.LOCKTIME


def test_accepter_without_money() -> None:
    ours = sides2.alice_brings(outputs=())
    alice, bob = both({"ours": ours}, {"ours": sides2.NOTHING})
    assert alice.machine.opened
    assert bob.machine.opened
    assert bob.order()[2:] == ["tx_complete"] * 2 + ["openingd_constructed"]


def test_static_remotekey() -> None:
    alice, bob = both({"channel_type": STATIC_REMOTEKEY_TYPE.encode()})
    assert alice.machine.opened
    assert bob.machine.opened


# ---- the master looks at it -----------------------------------------------------------------------


def ask_and_answer(player: Player, inputs: Any, outputs: Any) -> OpeningdProposal:
    """Take the newest proposal and say what is wanted."""
    (*_, proposal) = (m for m in player.told() if isinstance(m, OpeningdProposal))
    player.master(
        OpeningdContribution(dbid=proposal.dbid, inputs=tuple(inputs), outputs=tuple(outputs))
    )
    return proposal


def test_consulted_opener() -> None:
    alice, bob = both({"ours": sides2.alice_brings(consult=True)})
    assert isinstance(alice.machine.phase, Consulting)
    proposal = ask_and_answer(alice, [v.OPENER_INPUT], [v.OPENER_CHANGE])
    assert [(i.serial_id, i.ours) for i in proposal.inputs] == [(11, False), (20, True)]
    assert [(o.serial_id, o.ours) for o in proposal.outputs] == [
        (30, True),
        (33, False),
        (44, True),
    ]
    converse(alice, bob)
    assert alice.machine.opened
    assert bob.machine.opened


def test_consulted_opener_changes_its_mind() -> None:
    alice, bob = both({"ours": sides2.alice_brings(consult=True)})
    change = replace(v.OPENER_CHANGE, amount=Sat(49_000_000))
    ask_and_answer(alice, [v.OPENER_INPUT], [change])
    converse(alice, bob)
    assert isinstance(alice.machine.phase, Consulting)
    ask_and_answer(alice, [v.OPENER_INPUT], [change])
    converse(alice, bob)
    assert alice.machine.opened
    assert bob.machine.opened
    amounts = [o.amount for o in bob.asked()[-1].funding.outputs]  # type: ignore[attr-defined]
    assert amounts == [Sat(49_000_000), Sat(49_999_900), Sat(400_000_000)]


def test_consulted_accepter() -> None:
    """It is asked at every turn that it has nothing to say in."""
    alice, bob = both(None, {"ours": sides2.bob_brings(consult=True)})
    rounds = 0
    while not bob.machine.finished:
        ask_and_answer(bob, [v.ACCEPTER_INPUT], [v.ACCEPTER_CHANGE])
        converse(alice, bob)
        rounds += 1
        assert rounds < 5
    assert alice.machine.opened


def test_wishes_that_cannot_be() -> None:
    alice, _ = both({"ours": sides2.alice_brings(consult=True)})
    ask_and_answer(alice, [], [])
    assert "at least one input" in aborted(alice)
    late = OpeningdContribution(dbid=7, inputs=(), outputs=())
    bob = building()
    bob.master(late)
    assert "nobody waits" in bob.logged()


def test_speaking_out_of_turn() -> None:
    bob = consulting()
    bob.peer(add_input(4))
    assert "out of turn" in aborted(bob)


# ---- figures ------------------------------------------------------------------------------------

NO_POINT = b"\x02" + b"\xff" * 32
BAD = [
    ({"temporary_channel_id": ChannelId(b"x" * 32)}, "ids don't match", "accept"),
    ({"funding_pubkey": NO_POINT}, "not a valid public key", "both"),
    ({"second_per_commitment_point": NO_POINT}, "second_per_commitment_point", "both"),
    ({"dust_limit_satoshis": Sat(353)}, "smaller than", "both"),
    ({"dust_limit_satoshis": Sat(4_000_001)}, "is greater than", "accept"),
    ({"to_self_delay": 2017}, "to_self_delay", "both"),
    ({"max_accepted_htlcs": 484}, "max_accepted_htlcs", "both"),
    ({"max_accepted_htlcs": 0}, "max_accepted_htlcs", "both"),
    ({"htlc_minimum_msat": 2**64 - 1}, "htlc_minimum_msat", "both"),
    ({"funding_satoshis": Sat(MAX_SAT)}, "more than there is", "both"),
    ({"chain_hash": b"x" * 32}, "chain-hash", "open"),
    ({"commitment_feerate_perkw": 252}, "below minimum", "open"),
    ({"commitment_feerate_perkw": 80_000}, "above maximum", "open"),
    ({"funding_feerate_perkw": 252}, "below minimum", "open"),
    ({"funding_feerate_perkw": 75_001}, "above maximum", "open"),
]


@pytest.mark.parametrize(("changes", "why"), [b[:2] for b in BAD if b[2] in ("open", "both")])
def test_bad_open_channel2(changes: dict[str, Any], why: str) -> None:
    msg = sides2.opener().sent()[0]
    bob = sides2.accepter(replace(msg, **changes).encode())  # type: ignore[type-var]
    assert why in aborted(bob)
    abort = bob.sent()[-1]
    assert isinstance(abort, pw.TxAbort)
    assert abort.channel_id == TEMPORARY_ID


def accept_channel2() -> pw.AcceptChannel2:
    msg = sides2.accepter(sides2.opener().outbox.pop(0)).sent()[0]
    assert isinstance(msg, pw.AcceptChannel2)
    return msg


@pytest.mark.parametrize(("changes", "why"), [b[:2] for b in BAD if b[2] in ("accept", "both")])
def test_bad_accept_channel2(changes: dict[str, Any], why: str) -> None:
    alice = offered()
    alice.peer(replace(accept_channel2(), **changes))
    assert why in aborted(alice)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (None, "channel_type"),
        (b"", "channel_type"),
        (STATIC_REMOTEKEY_TYPE.encode(), "unoffered"),
    ],
)
def test_channel_type_of_accept_channel2(kind: bytes | None, why: str) -> None:
    msg = accept_channel2()
    alice = offered()
    alice.peer(replace(msg, tlvs=replace(msg.tlvs, channel_type=kind)))
    assert why in aborted(alice)


@pytest.mark.parametrize("kind", [None, b"", b"\x01"])
def test_channel_type_of_open_channel2(kind: bytes | None) -> None:
    msg = sides2.opener().sent()[0]
    assert isinstance(msg, pw.OpenChannel2)
    bob = sides2.accepter(replace(msg, tlvs=replace(msg.tlvs, channel_type=kind)).encode())
    assert "channel_type" in aborted(bob)


def test_confirmed_inputs() -> None:
    alice, bob = both({"require_confirmed_inputs": True})
    assert bob.only_told(OpeningdAccepted2).requires_confirmed_inputs
    assert bob.machine.opened
    alice, bob = both(
        {"require_confirmed_inputs": True}, {"ours": sides2.bob_brings(inputs_confirmed=False)}
    )
    assert "require_confirmed_inputs" in aborted(bob)
    assert "They sent tx_abort" in reason(alice)
    alice, bob = both(
        {"ours": sides2.alice_brings(inputs_confirmed=False)}, {"require_confirmed_inputs": True}
    )
    assert "require_confirmed_inputs" in aborted(alice)


def test_broken_open_channel2() -> None:
    bob = sides2.accepter(sides2.opener().outbox.pop(0)[:-40])
    assert "Parsing open_channel2" in aborted(bob)


def test_what_we_would_not_accept_we_do_not_send() -> None:
    alice = sides2.opener(
        commitment_feerate_perkw=2500, ours=sides2.alice_brings(funding_amount=Sat(900))
    )
    assert alice.sent() == []
    assert "Not opening because" in reason(alice)


# ---- ends ---------------------------------------------------------------------------------------

SAMPLES: list[Message] = [
    pw.ChannelReady(channel_id=CID, second_per_commitment_point=ALICE.point(6)),
    pw.FundingSigned(channel_id=CID, signature=bytes(64)),
    pw.CommitmentSigned(channel_id=CID, signature=bytes(64), htlc_signature=()),
    pw.TxSignatures(channel_id=CID, txid=bytes(32), witnesses=()),  # type: ignore[arg-type]
    pw.TxInitRbf(channel_id=CID, locktime=0, feerate=1000),
    pw.TxAckRbf(channel_id=CID),
    pw.Shutdown(channel_id=CID, scriptpubkey=b""),
    accept_channel2(),
    add_input(),
    pw.TxComplete(channel_id=CID),
]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("msg", SAMPLES, ids=lambda m: type(m).__name__)
def test_every_message_in_every_phase(phase: type, msg: Message) -> None:
    player = PHASES[phase]()
    assert type(player.machine.phase) is phase
    player.peer(msg)
    if (phase, type(msg)) not in FROM_PEER2:
        assert msg.NAME in aborted(player)


@pytest.mark.parametrize("phase", PHASES)
def test_tx_abort_is_echoed(phase: type) -> None:
    player = PHASES[phase]()
    player.peer(pw.TxAbort(channel_id=CID, data=b"no \x00 thanks"))
    assert [type(m) for m in player.sent()[-1:]] == [pw.TxAbort]
    assert reason(player) == "They sent tx_abort: " + b"no \x00 thanks".hex()
    assert player.machine.finished
    count = len(player.sent())
    player.peer(pw.TxAbort(channel_id=CID, data=b""))
    assert len(player.sent()) == count, "one echo"


@pytest.mark.parametrize("phase", PHASES)
def test_error_and_warning(phase: type) -> None:
    for kind in (pw.Error, pw.Warning):
        player = PHASES[phase]()
        count = len(player.sent())
        player.peer(kind(channel_id=CID, data=b"no"))
        assert "no" in reason(player)
        assert len(player.sent()) == count


@pytest.mark.parametrize("phase", PHASES)
def test_cancel(phase: type) -> None:
    player = PHASES[phase]()
    player.master(OpeningdCancel(dbid=player.machine.dbid, reason="on second thoughts"))
    last = player.sent()[-1]
    assert isinstance(last, pw.TxAbort)
    assert last.data == b"on second thoughts"
    assert player.machine.finished


@pytest.mark.parametrize("phase", PHASES)
def test_connection_lost(phase: type) -> None:
    player = PHASES[phase]()
    assert player.machine.interruptible
    player.feed(RouteClosed())
    assert "connection lost" in reason(player)


@pytest.mark.parametrize("phase", PHASES)
def test_garbage(phase: type) -> None:
    player = PHASES[phase]()
    player.feed(BadPeerBytes("too short"))
    assert aborted(player) == "Bad message: too short"


def test_master_refuses_the_transaction() -> None:
    alice = sides2.opener()
    bob = sides2.accepter(alice.outbox.pop(0))
    bob.answer = lambda request: Refused("their input is not confirmed")
    converse(alice, bob)
    assert aborted(bob) == "Cannot open: their input is not confirmed"


def test_while_the_master_writes_there_is_no_way_back() -> None:
    alice = sides2.opener()
    bob = sides2.accepter(alice.outbox.pop(0))
    bob.answer = lambda request: None
    converse(alice, bob)
    assert isinstance(bob.machine.phase, Committing)
    assert not bob.machine.interruptible
    assert bob.machine.hands_on
    bob.feed(RouteClosed())
    bob.reply(OpeningdConstructedReply())
    assert bob.machine.phase == Finished(opened=True)


def test_unfair_outcome() -> None:
    ours = sides2.bob_brings(outputs=(replace(v.ACCEPTER_CHANGE, amount=Sat(50_000_000)),))
    alice, bob = both(None, {"ours": ours})
    assert "fee too low: they pay" in aborted(alice)
    assert isinstance(bob.machine.phase, Finished)


def test_not_negotiated() -> None:
    alice = sides2.opener(features=sides.FEATURES)
    assert alice.sent() == []
    assert "not negotiated" in reason(alice)


# ---- anything -----------------------------------------------------------------------------------

messages = st.one_of(
    st.sampled_from(SAMPLES),
    st.builds(
        add_input,
        st.integers(0, 12),
        prevtx_vout=st.integers(0, 3),
        prevtx=st.one_of(st.just(v.PARENT), st.binary(max_size=30)),
    ),
    st.builds(
        t.add_output,
        st.integers(0, 60),
        channel_id=st.just(CID),
        sats=st.sampled_from([Sat(1000), Sat(400_000_000), Sat(49_999_845)]),
        script=st.sampled_from([t.WPKH, b"", b"\x6a"]),
    ),
    st.builds(pw.TxRemoveInput, channel_id=st.just(CID), serial_id=st.integers(0, 40)),
    st.builds(pw.TxRemoveOutput, channel_id=st.just(CID), serial_id=st.integers(0, 40)),
    st.builds(pw.TxAbort, channel_id=st.just(CID), data=st.binary(max_size=5)),
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(list(PHASES)), st.lists(messages, max_size=12))
def test_a_peer_that_says_anything(phase: type, said: list[Message]) -> None:
    """It ends or goes on; it never breaks, and the master writes down only what is complete."""
    player = PHASES[phase]()
    for msg in said:
        player.feed(FromPeer(msg))
    if player.machine.finished and not player.machine.opened:
        assert len([m for m in player.told() if isinstance(m, OpeningdFailed)]) == 1
