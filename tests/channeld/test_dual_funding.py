"""Signing a funding transaction of both sides: a peer that breaks the rules, and what `next_funding` may say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.channeld.events import BadPeerBytes
from pylightningd.channeld.machine import DUAL_HANDLERS, PEER_HANDLERS
from pylightningd.channeld.state import Phase
from pylightningd.common.effects import Disconnect
from pylightningd.common.ids import ChannelId, Txid
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from tests.channeld.scenes import CID, SWEAR_WORDS, reach_normal, traced
from tests.sim.dual import Side, World
from tests.sim.test_dual_funding import ALICE_ALONE, BOTH

ABORTED = [pw.TxAbort, cw.ChanneldFailed]
"""What follows a NegotiationFailed that undoes the opening."""
OTHER_TXID = Txid(b"\x55" * 32)


def signing(**changes: Any) -> tuple[World, dict[str, list[Any]]]:
    """The transaction is complete; nobody has heard the other's commitment_signed. And what each wants to say."""
    made = World(**{**BOTH, **changes})
    made.open()
    turn = 0
    while any(side.peer is None for side in made.sides):
        made.step(made.sides[turn % 2])
        turn += 1
    made._collect()
    boxes = {s.name: [pw.decode(raw) for raw in made._waiting[s.name]] for s in made.sides}
    for box in made._waiting.values():
        box.clear()
    return made, boxes


def got_commitment(*, signed: bool) -> tuple[World, pw.TxSignatures | None]:
    """Alice has Bob's commitment_signed, and has signed (but goes second) or not; with Bob's tx_signatures."""
    made, boxes = signing()
    made.alice.signs_at_once = signed
    (commitment,) = boxes["bob"]
    deliver(made.alice, commitment)
    made._collect()
    (commitment,) = boxes["alice"]
    deliver(made.bob, commitment)
    made._collect()
    (signatures,) = (pw.decode(raw) for raw in made._waiting["bob"])
    for box in made._waiting.values():
        box.clear()
    assert isinstance(signatures, pw.TxSignatures)
    return made, signatures


def deliver(side: Side, msg: Message | Any) -> list[type]:
    """What follows."""
    peer = side.peer
    assert peer is not None
    return traced(peer, lambda: peer.deliver(msg.encode()))


def reason(side: Side) -> cw.ChanneldFailed:
    assert side.peer is not None
    (failed,) = (m for m in side.peer.master.told if isinstance(m, cw.ChanneldFailed))
    return failed


def test_each_signs_at_once() -> None:
    made, boxes = signing()
    for side in made.sides:
        assert side.peer is not None
        assert side.peer.channel.phase is Phase.SIGNING_FUNDING
        (msg,) = boxes[side.name]
        assert isinstance(msg, pw.CommitmentSigned)
        assert msg.htlc_signature == ()


# ---- commitment_signed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"signature": b"\x01" * 64}, "Bad signature"),
        ({"signature": bytes(64)}, "Bad signature"),
        ({"htlc_signature": (b"\x01" * 64,)}, "1 HTLC signatures"),
        ({"tlvs": pw.CommitmentSignedTlvs(funding_txid=OTHER_TXID)}, "commitment_signed for"),
    ],
)
def test_bad_first_commitment(changes: dict[str, Any], why: str) -> None:
    made, boxes = signing()
    trace = deliver(made.alice, replace(boxes["bob"][0], **changes))
    assert trace[-2:] == ABORTED
    failed = reason(made.alice)
    assert failed.kind == 6
    assert why in failed.reason


def test_the_same_commitment_twice() -> None:
    made, boxes = signing()
    trace = deliver(made.alice, boxes["bob"][0])
    assert cw.ChanneldGotFirstCommitsig in trace
    assert deliver(made.alice, boxes["bob"][0]) == []


def test_commitment_that_names_the_transaction() -> None:
    made, boxes = signing()
    assert made.alice.peer is not None
    tlvs = pw.CommitmentSignedTlvs(funding_txid=made.alice.peer.channel.signing.txid)
    trace = deliver(made.alice, replace(boxes["bob"][0], tlvs=tlvs))
    assert cw.ChanneldGotFirstCommitsig in trace


# ---- tx_signatures --------------------------------------------------------------------------------


@pytest.mark.parametrize("signed", [False, True])
def test_signatures_that_overtake_the_commitment(signed: bool) -> None:
    """What follows the last tx_complete at once comes by another way than what follows it."""
    made, boxes = signing()
    made.alice.signs_at_once = signed
    _, signatures = got_commitment(signed=True)
    assert deliver(made.alice, signatures) == []
    trace = deliver(made.alice, boxes["bob"][0])
    kept = [cw.ChanneldGotFirstCommitsig, cw.ChanneldGotTxSignatures]
    assert [kind for kind in trace if kind in kept] == kept
    deliver(made.bob, boxes["alice"][0])
    made.alice.sign()
    made.settle()
    assert made.check_end() == "open"


def test_signatures_without_the_commitment() -> None:
    made, _ = signing()
    _, signatures = got_commitment(signed=True)
    assert deliver(made.alice, signatures) == []
    assert deliver(made.alice, signatures) == ABORTED
    assert "before commitment_signed" in reason(made.alice).reason


def test_signatures_before_the_commitment_of_a_later_connection() -> None:
    """There all messages come by one way."""
    made, _ = signing()
    _, signatures = got_commitment(signed=True)
    deliver(made.alice, signatures)
    made.cut()
    made.connected = True
    for side in made.sides:
        made.connect_one(side, fresh=False)
    assert made.bob.peer is not None
    deliver(made.alice, pw.decode(made.bob.peer.outbox[0]))
    assert deliver(made.alice, signatures) == ABORTED
    assert "before commitment_signed" in reason(made.alice).reason


@pytest.mark.parametrize("signed", [False, True])
def test_bad_signatures_before_ours_are_out(signed: bool) -> None:
    """Alice goes second: whatever she signed stays with her."""
    made, signatures = got_commitment(signed=signed)
    assert signatures is not None
    for changes in (
        {"txid": OTHER_TXID},
        {"witnesses": ()},
        {"witnesses": (pw.Witness(witness_data=b"\0"),)},
        {"witnesses": (pw.Witness(witness_data=b"\1\0"),)},
    ):
        made, _ = got_commitment(signed=signed)
        assert deliver(made.alice, replace(signatures, **changes)) == ABORTED  # type: ignore[arg-type]
        assert reason(made.alice).kind == 6
        assert not made.alice.gave


def test_bad_signatures_after_ours_are_out() -> None:
    """Bob went first: he cannot forget the channel, so the connection ends."""
    made, _ = got_commitment(signed=True)
    assert made.bob.gave
    assert made.bob.peer is not None
    txid = made.bob.peer.channel.signing.txid
    msg = pw.TxSignatures(
        channel_id=made.bob.peer.channel.facts.channel_id, txid=txid, witnesses=()
    )
    assert deliver(made.bob, msg) == SWEAR_WORDS
    assert reason(made.bob).kind == 0
    made.bob.peer.master.told.clear()
    made.cut()
    made.reconnect()
    made.settle()
    assert made.check_end() == "open"


def test_signatures_twice() -> None:
    made, signatures = got_commitment(signed=False)
    assert deliver(made.alice, signatures) == [cw.ChanneldGotTxSignatures]
    assert deliver(made.alice, signatures) == []
    made.alice.sign()
    made.settle()
    assert deliver(made.alice, signatures) == []
    assert made.check_end() == "open"
    assert deliver(made.alice, signatures) == []


# ---- giving up ------------------------------------------------------------------------------------


def test_abort_is_echoed_once() -> None:
    made, _ = signing()
    assert made.alice.peer is not None
    abort = pw.TxAbort(channel_id=made.alice.peer.channel.facts.channel_id, data=b"no")
    assert deliver(made.alice, abort) == [pw.TxAbort, cw.ChanneldFailed]
    assert reason(made.alice).reason == "They sent tx_abort: no"
    assert deliver(made.alice, abort) == []


def test_error_before_signatures_undoes_it() -> None:
    for make in (signing, lambda: got_commitment(signed=True)):
        made = make()[0]
        assert made.alice.peer is not None
        error = pw.Error(channel_id=made.alice.peer.channel.facts.channel_id, data=b"no")
        deliver(made.alice, error)
        assert reason(made.alice).kind == 6


def test_error_after_signatures_is_a_failure() -> None:
    made, _ = got_commitment(signed=True)
    assert made.bob.peer is not None
    error = pw.Error(channel_id=made.bob.peer.channel.facts.channel_id, data=b"no")
    deliver(made.bob, error)
    assert reason(made.bob).kind == 2


def test_rbf_is_refused_and_its_echo_ignored() -> None:
    made = World(**BOTH)  # type: ignore[arg-type]
    made.open()
    made.settle()
    assert made.alice.peer is not None
    channel_id = made.alice.peer.channel.facts.channel_id
    rbf = pw.TxInitRbf(channel_id=channel_id, locktime=0, feerate=5000)
    for _ in range(2):
        assert deliver(made.alice, rbf) == [pw.TxAbort]
        assert deliver(made.alice, pw.TxAbort(channel_id=channel_id, data=b"")) == []
    assert deliver(made.alice, pw.TxAbort(channel_id=channel_id, data=b"")) == [pw.TxAbort]
    made._collect()
    for box in made._waiting.values():
        box.clear()
    assert made.check_end() == "open"


def test_rbf_while_signing() -> None:
    made, _ = signing()
    assert made.alice.peer is not None
    channel_id = made.alice.peer.channel.facts.channel_id
    rbf = pw.TxInitRbf(channel_id=channel_id, locktime=0, feerate=5000)
    assert deliver(made.alice, rbf) == SWEAR_WORDS
    assert reason(made.alice).kind == 0


# ---- channel_reestablish --------------------------------------------------------------------------


def reestablish(side: Side) -> pw.ChannelReestablish:
    """What it says after a reconnect."""
    assert side.peer is not None
    msg = pw.decode(side.peer.outbox[0])
    assert isinstance(msg, pw.ChannelReestablish)
    return msg


def test_next_funding() -> None:
    made, _ = signing()
    made.cut()
    made.connected = True
    for side in made.sides:
        made.connect_one(side, fresh=False)
        assert side.peer is not None
        found = reestablish(side).tlvs.next_funding
        assert found is not None
        assert found.next_funding_txid == side.peer.channel.signing.txid
        assert found.retransmit_flags == 1
    made, signatures = got_commitment(signed=False)
    deliver(made.alice, signatures)
    made.cut()
    made.connected = True
    for side in made.sides:
        made.connect_one(side, fresh=False)
    assert reestablish(made.alice).tlvs.next_funding is None
    theirs = reestablish(made.bob).tlvs.next_funding
    assert theirs is not None
    assert theirs.retransmit_flags == 0


def reconnected(made: World, **next_funding: Any) -> tuple[list[type], cw.ChanneldFailed | None]:
    """Bob's channel_reestablish with other figures reaches Alice."""
    made.cut()
    made.connected = True
    for side in made.sides:
        made.connect_one(side, fresh=False)
    msg = reestablish(made.bob)
    changed = None
    if next_funding:
        values = {"next_funding_txid": OTHER_TXID, "retransmit_flags": 0} | next_funding
        changed = pw.ChannelReestablishNextFunding(**values)
    assert made.alice.peer is not None
    trace = deliver(made.alice, replace(msg, tlvs=replace(msg.tlvs, next_funding=changed)))
    found = [m for m in made.alice.peer.master.told if isinstance(m, cw.ChanneldFailed)]
    return trace, found[0] if found else None


def test_another_next_funding_while_we_have_one() -> None:
    made, _ = signing()
    trace, failed = reconnected(made, next_funding_txid=OTHER_TXID)
    assert trace[-2:] == [pw.Error, cw.ChanneldFailed]
    assert failed is not None
    assert failed.kind == 6


def test_unknown_next_funding_of_a_complete_channel() -> None:
    made = World(**BOTH)  # type: ignore[arg-type]
    made.open()
    made.settle()
    trace, failed = reconnected(made, next_funding_txid=OTHER_TXID)
    assert pw.TxAbort in trace
    assert failed is None


def test_no_next_funding_and_nothing_is_sent() -> None:
    made, _ = signing()
    trace, failed = reconnected(made)
    assert pw.CommitmentSigned not in trace
    assert pw.TxSignatures not in trace
    assert failed is None


@pytest.mark.parametrize("flags", [0, 1, 255])
def test_commitment_only_where_it_is_asked_for(flags: int) -> None:
    made, _ = signing()
    assert made.alice.peer is not None
    txid = made.alice.peer.channel.signing.txid
    trace, _ = reconnected(made, next_funding_txid=txid, retransmit_flags=flags)
    assert (pw.CommitmentSigned in trace) is bool(flags & 1)


# ---- anything -----------------------------------------------------------------------------------

LEGAL = {kind for kind, (_, phases) in DUAL_HANDLERS.items() if Phase.SIGNING_FUNDING in phases}


def test_what_is_legal_while_signing() -> None:
    assert {k.__name__ for k in LEGAL} == {
        "CommitmentSigned",
        "TxSignatures",
        "TxAbort",
        "TxInitRbf",
    }
    always = {k for k, (_, phases) in PEER_HANDLERS.items() if Phase.SIGNING_FUNDING in phases}
    assert always == {pw.Warning}


@pytest.mark.parametrize(
    "msg",
    [
        pw.ChannelReady(channel_id=CID, second_per_commitment_point=b"\x02" + b"\xff" * 32),
        pw.Shutdown(channel_id=CID, scriptpubkey=b""),
        pw.UpdateFee(channel_id=CID, feerate_per_kw=1),
        pw.TxComplete(channel_id=CID),
    ],
)
def test_nothing_else_while_signing(msg: Message) -> None:
    made, _ = signing()
    assert deliver(made.alice, msg) == SWEAR_WORDS


@pytest.mark.parametrize("kind", sorted(LEGAL - {pw.CommitmentSigned}, key=lambda k: k.__name__))
def test_without_the_feature_they_are_what_they_were(kind: type[Message]) -> None:
    samples: dict[type[Message], Message] = {
        pw.TxSignatures: pw.TxSignatures(channel_id=CID, txid=OTHER_TXID, witnesses=()),
        pw.TxAbort: pw.TxAbort(channel_id=CID, data=b""),
        pw.TxInitRbf: pw.TxInitRbf(channel_id=CID, locktime=0, feerate=1),
    }
    pair = reach_normal()
    assert traced(pair.bob, lambda: pair.bob.deliver(samples[kind].encode())) == SWEAR_WORDS


def test_reestablish_is_what_it_was_without_the_feature() -> None:
    pair = reach_normal()
    pair.cut()
    pair.connect()
    msg = pw.decode(pair.alice.outbox[0])
    assert isinstance(msg, pw.ChannelReestablish)
    named = pw.ChannelReestablishNextFunding(next_funding_txid=OTHER_TXID, retransmit_flags=1)
    odd = replace(msg, tlvs=replace(msg.tlvs, next_funding=named))
    assert pw.TxAbort not in traced(pair.bob, lambda: pair.bob.deliver(odd.encode()))
    assert msg.tlvs.next_funding is None


def test_option_taken_back_before_all_was_signed() -> None:
    made, _ = signing()
    made.cut()
    for side in made.sides:
        assert side.peer is not None
        side.peer.init = replace(side.peer.init, features=b"")
        side.peer.start()
    made.reconnect()
    made.settle()
    assert made.check_end() == "open"


messages = st.one_of(
    st.builds(
        pw.CommitmentSigned,
        channel_id=st.just(CID),
        signature=st.binary(min_size=64, max_size=64),
        htlc_signature=st.just(()),
    ),
    st.builds(
        pw.TxSignatures,
        channel_id=st.just(CID),
        txid=st.binary(min_size=32, max_size=32),
        witnesses=st.lists(
            st.builds(pw.Witness, witness_data=st.binary(max_size=40)), max_size=3
        ).map(tuple),
    ),
    st.builds(pw.TxAbort, channel_id=st.just(ChannelId(CID)), data=st.binary(max_size=8)),
    st.builds(pw.TxInitRbf, channel_id=st.just(CID), locktime=st.just(0), feerate=st.just(1)),
    st.builds(pw.Shutdown, channel_id=st.just(CID), scriptpubkey=st.binary(max_size=3)),
    st.just(BadPeerBytes("garbage")),
    st.sampled_from(["theirs", "sign", "cut"]),
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([BOTH, ALICE_ALONE]), st.lists(messages, max_size=8))
def test_a_peer_that_says_anything(kind: dict[str, Any], said: list[Any]) -> None:
    """Nothing breaks; what we have signed is never forgotten."""
    made, boxes = signing(**kind)
    made.bob.signs_at_once = False
    for what in said:
        peer = made.bob.peer
        if peer is None:
            break
        if what == "theirs":
            deliver(made.bob, boxes["alice"][0])
        elif what == "sign":
            if made.bob.commitment is not None:
                made.bob.sign()
        elif what == "cut":
            made.cut()
            made.reconnect()
        elif isinstance(what, BadPeerBytes):
            peer.feed(what)
        else:
            trace = deliver(made.bob, what)
            assert Disconnect not in trace or cw.ChanneldFailed in trace
        made.bob.look_after()
    made.check()
