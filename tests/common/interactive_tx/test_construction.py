"""Each rule of BOLT 2, "Interactive Transaction Construction", from either side, and peers that say anything at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.common.amount import MAX_SAT, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.interactive_tx import balance, rules
from pylightningd.common.interactive_tx.construction import Construction
from pylightningd.common.interactive_tx.joint_tx import (
    funding_index,
    inputs_of,
    sign_first,
    signed_tx,
    unsigned_tx,
)
from pylightningd.common.interactive_tx.rules import NegotiationFailed
from pylightningd.common.wire.common_wire import JointOutput
from tests.common.interactive_tx import table as t
from tests.common.interactive_tx import vectors as v
from tests.common.interactive_tx.vectors import PARENT


def refused(side: Construction, *msgs: Any) -> str:
    """The last of these is too much for it; why."""
    for msg in msgs[:-1]:
        side.receive(msg)
    with pytest.raises(NegotiationFailed) as caught:
        side.receive(msgs[-1])
    return str(caught.value)


# ---- the good case ------------------------------------------------------------------------------


def test_vectors_of_bolt3() -> None:
    alice, bob = t.opener(), t.accepter()
    assert t.talk(alice, bob) == [
        "tx_add_input",
        "tx_add_input",
        "tx_add_output",
        "tx_add_output",
        "tx_add_output",
        "tx_complete",
        "tx_complete",
    ]
    for side in (alice, bob):
        tx = unsigned_tx(side.result())
        assert tx.serialize().hex() == v.UNSIGNED
        assert tx.txid()[::-1].hex() == v.TXID
        assert funding_index(side.result().outputs, *v.FUNDING_KEYS) == 2
        assert funding_index(side.result().outputs, *reversed(v.FUNDING_KEYS)) == 2
    assert inputs_of(alice.result(), ours=True) == [1]
    assert inputs_of(bob.result(), ours=True) == [0]
    # Both put in as much: the tie decides.
    assert alice.result().we_sign_first
    assert not bob.result().we_sign_first


def test_fees_of_bolt3() -> None:
    opener = balance.share_weight(
        [sc.p2wsh(b"")], [v.CHANGE_SCRIPT_OPENER, v.FUNDING_SCRIPT], initiator=True
    )
    accepter = balance.share_weight([t.WPKH], [v.CHANGE_SCRIPT_ACCEPTER], initiator=False)
    assert (opener, accepter) == (609, 395)
    assert balance.share_fee(v.FEERATE, opener) == Sat(155)
    assert balance.share_fee(v.FEERATE, accepter) == Sat(100)
    assert balance.least_fee(v.FEERATE, accepter) == Sat(99)


def test_the_signed_transaction_of_bolt3() -> None:
    from pylightningd.common.bitcoin.tx import parse_witness

    alice, bob = t.opener(), t.accepter()
    t.talk(alice, bob)
    ours, theirs = parse_witness(v.WITNESS_OPENER), parse_witness(v.WITNESS_ACCEPTER)
    assert signed_tx(alice.result(), [ours], [theirs]).serialize().hex() == v.SIGNED
    assert signed_tx(bob.result(), [theirs], [ours]).serialize().hex() == v.SIGNED
    with pytest.raises(ValueError, match="argument"):
        signed_tx(bob.result(), [], [ours])


def test_initiator_only() -> None:
    alice = t.opener(their_funding=Sat(0), our_funding=Sat(400_000_000))
    alice.want([t.joint_input(2, 500_000_000)], [t.funding_output()])
    bob = Construction(
        t.agreed(initiator=False, their_funding=Sat(400_000_000), our_funding=Sat(0))
    )
    assert t.talk(alice, bob)[-2:] == ["tx_complete", "tx_complete"]
    assert unsigned_tx(alice.result()) == unsigned_tx(bob.result())
    assert not alice.result().we_sign_first
    assert bob.result().we_sign_first


def test_minds_may_be_changed_in_between() -> None:
    alice, bob = t.opener(), t.accepter()
    bob.receive(t.word(alice))
    alice.receive(t.word(bob))
    change = replace(v.OPENER_CHANGE, amount=Sat(40_000_000))
    extra = JointOutput(serial_id=2, ours=True, amount=Sat(9_000_000), script=t.WPKH)
    alice.want([v.OPENER_INPUT], [change, extra, t.funding_output()])
    t.talk(alice, bob)
    assert alice.result().outputs[0].amount == Sat(9_000_000)
    assert unsigned_tx(alice.result()) == unsigned_tx(bob.result())
    # A change under the same serial_id is a removal and an addition.
    alice, bob = t.opener(), t.accepter()
    for _ in range(2):
        bob.receive(t.word(alice))
        alice.receive(t.word(bob))
    alice.want([v.OPENER_INPUT], [change, t.funding_output()])
    assert t.talk(alice, bob)[:3] == ["tx_remove_output", "tx_complete", "tx_add_output"]
    assert unsigned_tx(alice.result()) == unsigned_tx(bob.result())
    assert len(alice.result().outputs) == 3


def test_only_consecutive_completes_end_it() -> None:
    bob = t.accepter()
    bob.receive(t.COMPLETE)
    assert not bob.is_done
    assert bob.next_message() is not None
    bob.receive(t.add_input(2))
    assert bob.next_message() is not None
    assert not bob.is_done
    bob.receive(t.COMPLETE)
    bob.complete()
    assert bob.is_done


# ---- tx_add_input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sequence": 0xFFFFFFFE}, "sequence"),
        ({"sequence": 0xFFFFFFFF}, "sequence"),
        ({"prevtx": b""}, "no prevtx"),
        ({"prevtx": b"\x02\x00"}, "parse prevtx"),
        ({"prevtx": PARENT + b"\0"}, "parse prevtx"),
        ({"prevtx": Tx(2, (), Tx.parse(PARENT).outputs).serialize()}, "prevtx"),
        ({"prevtx_vout": 1}, "outnum"),
        ({"prevtx_vout": 0xFFFFFFFF}, "outnum"),
        ({"prevtx": PARENT, "prevtx_vout": 1}, "Not SegWit"),
        ({"prevtx": t.coin(1, script=b"\x00\x01" + b"x")}, "Not SegWit"),
        ({"prevtx": t.coin(1, script=b"\x61\x14" + b"x" * 20)}, "Not SegWit"),
        ({"prevtx": t.coin(1, script=b"\x52\x20" + b"x" * 32)}, "unknown segwit version"),
        ({"prevtx": t.coin(1, script=b"\x60\x28" + b"x" * 40)}, "unknown segwit version"),
        ({"serial_id": 3}, "Invalid serial_id"),
        ({"channel_id": b"d" * 32}, "channel_id"),
    ],
)
def test_bad_input(changes: dict[str, Any], why: str) -> None:
    assert why in refused(t.accepter(), t.add_input(4, **changes))


def test_good_inputs() -> None:
    bob = t.accepter()
    bob.receive(t.add_input(4, sequence=0))
    bob.receive(t.add_input(6, prevtx=t.coin(6, script=b"\x51\x02ab")))
    bob.receive(t.add_input(8, prevtx=t.coin(6, script=b"\x51\x20" + b"x" * 32)))
    assert set(bob.inputs) == {4, 6, 8}


def test_the_same_input_twice() -> None:
    assert "already present" in refused(
        t.accepter(), t.add_input(4), t.add_input(6, prevtx=t.coin(4))
    )
    assert "Duplicate serial_id" in refused(
        t.accepter(), t.add_input(4), t.add_input(4, prevtx=t.coin(6))
    )
    # One of ours:
    bob = t.accepter()
    bob.next_message()
    assert "already present" in refused(
        bob, t.add_input(4, prevtx=v.PARENT, prevtx_vout=v.ACCEPTER_INPUT.vout)
    )
    # Removed and added again is fine.
    bob = t.accepter()
    for msg in (t.add_input(4), t.remove_input(4), t.add_input(6, prevtx=t.coin(4))):
        bob.receive(msg)


def test_a_peers_input_is_not_ours_to_add() -> None:
    bob = Construction(t.agreed(initiator=False))
    bob.receive(t.add_input(4, prevtx=v.PARENT, prevtx_vout=v.ACCEPTER_INPUT.vout))
    with pytest.raises(NegotiationFailed, match="Duplicate input"):
        bob.want([v.ACCEPTER_INPUT], [])


@pytest.mark.parametrize("kind", ["input", "output"])
def test_4096_additions(kind: str) -> None:
    add, remove = (
        (t.add_input, t.remove_input) if kind == "input" else (t.add_output, t.remove_output)
    )
    bob, msg = t.accepter(), add(4)
    for _ in range(rules.MAX_ADDS - 1):
        bob.receive(msg)
        bob.receive(remove(4))
    assert "Too many" in refused(bob, msg)


@pytest.mark.parametrize("add", [t.add_input, t.add_output])
def test_252_at_a_time(add: Any) -> None:
    bob = Construction(t.agreed(initiator=False))
    for n in range(252):
        bob.receive(add(2 * n))
    assert "252" in refused(bob, add(2 * 252))


def test_what_the_peers_inputs_spend_is_not_too_long_together() -> None:
    bob = t.accepter()
    room = rules.MAX_PREVTX_BYTES
    for n in range(room // len(t.coin(0, outputs=2000))):
        bob.receive(t.add_input(2 * n, prevtx=t.coin(n, outputs=2000)))
    assert 0 < sum(len(i.prevtx) for i in bob.inputs.values() if not i.ours) <= room
    more = t.add_input(400, prevtx=t.coin(400, outputs=2000))
    # Ours do not count, and what is removed counts no more.
    bob.next_message()
    bob.receive(t.remove_input(0))
    bob.receive(more)
    assert f"over {room} bytes" in refused(bob, t.add_input(0, prevtx=t.coin(0, outputs=2000)))


# ---- tx_add_output, tx_remove -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sats": Sat(545)}, "dust"),
        ({"sats": Sat(0)}, "dust"),
        ({"serial_id": 5}, "Invalid serial_id"),
        ({"script": b"\x6a\x01x"}, "non-standard"),
        ({"script": b""}, "non-standard"),
    ],
)
def test_bad_output(changes: dict[str, Any], why: str) -> None:
    assert why in refused(t.accepter(), t.add_output(4, **changes))


@pytest.mark.parametrize(
    "script", [sc.p2wsh(b""), t.WPKH, sc.p2tr(b"k" * 32), sc.p2sh(b"h" * 20), sc.p2pkh(b"h" * 20)]
)
def test_good_output(script: bytes) -> None:
    bob = t.accepter()
    bob.receive(t.add_output(4, script=script, sats=Sat(546)))
    bob.receive(t.add_output(6, script=script, sats=Sat(MAX_SAT)))
    assert "Duplicate" in refused(bob, t.add_output(6))


def test_removals() -> None:
    assert "No input or output" in refused(t.accepter(), t.remove_input(4))
    assert "No input or output" in refused(t.accepter(), t.remove_output(4))
    # The serial ids of inputs and outputs are two things.
    assert "No input or output" in refused(t.accepter(), t.add_input(4), t.remove_output(4))
    assert "No input or output" in refused(
        t.accepter(), t.add_input(4), t.remove_input(4), t.remove_input(4)
    )
    bob = t.accepter()
    bob.next_message()
    assert "Invalid serial_id" in refused(bob, t.remove_input(v.ACCEPTER_INPUT.serial_id))


# ---- the outcome --------------------------------------------------------------------------------


def outcome(alice: Construction, bob: Construction) -> tuple[str, str]:
    """Why the two do not want what they made."""
    t.talk(alice, bob)
    whys = []
    for side in (alice, bob):
        with pytest.raises(NegotiationFailed) as caught:
            side.result()
        whys.append(str(caught.value))
    return whys[0], whys[1]


def test_no_funding_output() -> None:
    alice = t.opener()
    alice.want([v.OPENER_INPUT], [v.OPENER_CHANGE])
    assert "no funding output" in outcome(alice, t.accepter())[1]


def test_two_funding_outputs() -> None:
    alice = t.opener()
    second = replace(t.funding_output(), serial_id=2)
    alice.want([v.OPENER_INPUT], [t.funding_output(), second])
    assert "more than one" in outcome(alice, t.accepter())[1]
    bob = t.accepter()
    bob.want([v.ACCEPTER_INPUT], [replace(t.funding_output(), serial_id=3)])
    assert "more than one" in outcome(t.opener(), bob)[0]


@pytest.mark.parametrize("amount", [399_999_999, 400_000_001])
def test_wrong_funding_amount(amount: int) -> None:
    alice = t.opener()
    alice.want([v.OPENER_INPUT], [t.funding_output(amount)])
    assert "is not the 400000000sat" in outcome(alice, t.accepter())[1]


def test_funding_output_is_dust() -> None:
    amounts = {"our_funding": Sat(300), "their_funding": Sat(245)}
    alice, bob = t.opener(), t.accepter(**amounts)
    alice.want([v.OPENER_INPUT], [t.funding_output(546)])
    bob.receive(t.word(alice))
    assert "dust" in refused(
        bob, t.add_output(v.FUNDING_SERIAL_ID, sats=Sat(545), script=v.FUNDING_SCRIPT)
    )


def test_opener_pays_too_little() -> None:
    """One satoshi less than what its share and the common fields cost."""
    for change, good in ((49_999_846, True), (49_999_847, False)):
        alice = t.opener()
        alice.want(
            [v.OPENER_INPUT], [replace(v.OPENER_CHANGE, amount=Sat(change)), t.funding_output()]
        )
        if good:
            bob = t.accepter()
            t.talk(alice, bob)
            bob.result()
        else:
            ours, theirs = outcome(alice, t.accepter())
            assert ours == "fee too low: we pay 153sat of 154sat"
            assert theirs == "fee too low: they pay 153sat of 154sat"


def test_accepter_pays_too_little() -> None:
    for change, good in ((49_999_901, True), (49_999_902, False)):
        alice, bob = t.opener(), t.accepter()
        bob.want([v.ACCEPTER_INPUT], [replace(v.ACCEPTER_CHANGE, amount=Sat(change))])
        if good:
            t.talk(alice, bob)
            alice.result()
        else:
            assert outcome(alice, bob)[0] == "fee too low: they pay 98sat of 99sat"


def test_accepter_does_not_bring_what_it_said() -> None:
    bob = t.accepter()
    bob.want([], [])
    assert "inputs don't cover outputs: they put in 0sat" in outcome(t.opener(), bob)[0]
    bob = t.accepter()
    bob.want([v.ACCEPTER_INPUT], [replace(v.ACCEPTER_CHANGE, amount=Sat(50_000_001))])
    assert "don't cover" in outcome(t.opener(), bob)[0]


def test_opener_takes_money_of_the_accepter() -> None:
    alice = t.opener()
    alice.want(
        [v.OPENER_INPUT],
        [replace(v.OPENER_CHANGE, amount=Sat(60_000_000)), t.funding_output()],
    )
    assert "don't cover" in outcome(alice, t.accepter())[1]


def test_too_heavy() -> None:
    scripts = [b"\x60\x28" + b"x" * 40] * 252
    weight = balance.share_weight([t.WPKH] * 252, scripts, initiator=True)
    # No number of standard outputs gets there: 252 of each are 118000.
    assert weight < rules.MAX_WEIGHT
    alice, bob = t.opener(), t.accepter()
    t.talk(alice, bob)
    rules_of = __import__("pylightningd.common.interactive_tx.construction", fromlist=["x"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules_of, "MAX_WEIGHT", 900)
        with pytest.raises(NegotiationFailed, match="over 900"):
            alice.result()


def test_taproot_costs_less() -> None:
    key = sc.p2tr(b"k" * 32)
    assert balance.share_weight([key], [], initiator=False) == 271
    assert balance.share_weight([key], [], initiator=False, taproot_witness=66) == 230
    assert balance.output_weight(b"x" * 300) == (8 + 3 + 300) * 4


def test_sign_first() -> None:
    mine, theirs = t.joint_input(2, 1000), replace(t.joint_input(4, 1001), ours=False)
    assert sign_first([mine, theirs], on_tie=False)
    even = replace(t.joint_input(6, 1), ours=True)
    assert not sign_first([mine, theirs, even], on_tie=False)
    assert sign_first([mine, theirs, even], on_tie=True)
    assert not sign_first([mine], on_tie=True)
    assert sign_first([], on_tie=True)


# ---- what we want ourselves -----------------------------------------------------------------------


def test_what_we_cannot_want() -> None:
    for side, inputs, outputs, why in (
        (t.opener(), [], [t.funding_output()], "at least one input"),
        (t.opener(), [v.ACCEPTER_INPUT], [], "serial_id 11"),
        (t.accepter(), [], [v.OPENER_CHANGE], "serial_id 30"),
        (t.opener(), [v.OPENER_INPUT, v.OPENER_INPUT], [], "serial_id 20"),
        (t.opener(), [v.OPENER_INPUT, replace(v.OPENER_INPUT, serial_id=2)], [], "Duplicate"),
        (t.opener(), [replace(v.OPENER_INPUT, sequence=0xFFFFFFFF)], [], "sequence"),
        (t.opener(), [replace(v.OPENER_INPUT, vout=9)], [], "outnum"),
        (t.accepter(), [], [replace(v.ACCEPTER_CHANGE, amount=Sat(1))], "dust"),
    ):
        with pytest.raises(NegotiationFailed, match=why):
            side.want(inputs, outputs)


# ---- anything at all ----------------------------------------------------------------------------

serial_ids = st.sampled_from([0, 1, 2, 3, 4, 11, 20, 44, 2**64 - 2, 2**64 - 1])
prevtxs = st.one_of(
    st.binary(max_size=80),
    st.just(v.PARENT),
    st.integers(0, 3).map(t.coin),
    st.tuples(st.integers(0, len(v.PARENT) - 1), st.integers(0, 255)).map(
        lambda at: v.PARENT[: at[0]] + bytes((at[1],)) + v.PARENT[at[0] + 1 :]
    ),
)
words = st.one_of(
    st.builds(
        t.add_input,
        serial_ids,
        prevtx=prevtxs,
        prevtx_vout=st.sampled_from([0, 1, 2, 4, 0xFFFFFFFF]),
        sequence=st.sampled_from([0, 0xFFFFFFFD, 0xFFFFFFFF]),
    ),
    st.builds(
        t.add_output,
        serial_ids,
        sats=st.sampled_from([Sat(0), Sat(1000), Sat(400_000_000), Sat(MAX_SAT)]),
        script=st.one_of(st.binary(max_size=45), st.just(v.FUNDING_SCRIPT), st.just(t.WPKH)),
    ),
    st.builds(t.remove_input, serial_ids),
    st.builds(t.remove_output, serial_ids),
    st.just(t.COMPLETE),
)


@settings(max_examples=80, deadline=None)
@given(st.booleans(), st.lists(words, max_size=25))
def test_a_peer_that_says_anything(we_open: bool, said: list[Any]) -> None:
    """Only NegotiationFailed comes of it, and never a transaction that takes what is ours."""
    side = t.opener() if we_open else t.accepter()
    if we_open:
        t.word(side)
    try:
        for msg in said:
            side.receive(msg)
            if side.is_done:
                break
            t.word(side)
        if not side.is_done:
            return
        funding = side.result()
    except NegotiationFailed:
        return
    check_fair(funding)


def check_fair(funding: Any) -> None:
    tx = unsigned_tx(funding)
    assert Tx.parse(tx.serialize()) == tx
    assert len({i.outpoint for i in tx.inputs}) == len(tx.inputs)
    ours = [o for o in funding.outputs if o.ours and o.script != v.FUNDING_SCRIPT]
    assert sum(o.amount.sat for o in ours) in (49_999_845, 49_999_900)
    (channel,) = (o for o in funding.outputs if o.script == v.FUNDING_SCRIPT)
    assert channel.amount == Sat(400_000_000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), words), max_size=20))
def test_our_view_is_what_was_said(said: list[tuple[bool, Any]]) -> None:
    """After any exchange, what is there is what was added and not removed."""
    side = t.accepter()
    inputs: dict[int, Any] = {}
    for _, msg in said:
        try:
            side.receive(msg)
        except NegotiationFailed:
            return
        if msg.NAME == "WIRE_TX_ADD_INPUT":
            inputs[msg.serial_id] = msg
        elif msg.NAME == "WIRE_TX_REMOVE_INPUT":
            del inputs[msg.serial_id]
    assert {n for n, e in side.inputs.items() if not e.ours} == set(inputs)
