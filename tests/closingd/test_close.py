"""Two ends close; what is durable before what; every way to end otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.closingd.fee_range import FeeRange
from pylightningd.closingd.state import Close
from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import bip143_sighash
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.bus.link import Refused
from pylightningd.common.channel.closing_tx import make_closing_tx
from pylightningd.common.effects import Disconnect
from pylightningd.common.ids import ChannelId, Outpoint, Txid
from pylightningd.common.keys import der_to_sig, verify_compact
from pylightningd.common.route_events import BadPeerBytes, RouteClosed
from pylightningd.common.wire.closingd_wire import (
    ClosingdDone,
    ClosingdFailed,
    ClosingdGotSignature,
    ClosingdGotSignatureReply,
)
from pylightningd.common.wire.hsmd_wire import HsmdSignMutualClose
from pylightningd.common.wire.peer_wire import (
    ChannelReady,
    ClosingSigned,
    Error,
    RevokeAndAck,
    Shutdown,
)
from pylightningd.common.wire.peer_wire import (
    Warning as PeerWarning,
)
from pylightningd.common.wire.runtime import Message
from tests.closingd import ends
from tests.closingd.ends import ALICE_HAS, BOB_HAS, CID, SCRIPTS
from tests.openingd import sides
from tests.openingd.player import Player, converse
from tests.openingd.sides import ALICE, BOB, Keys

READY = ChannelReady(channel_id=CID, second_per_commitment_point=Keys(BOB).point(7))


def close_both(alice: dict[str, Any], bob: dict[str, Any]) -> tuple[Player, Player, Tx]:
    one, other = ends.player(ALICE, **alice), ends.player(BOB, **bob)
    converse(one, other)
    txs = {p.only_told(ClosingdDone).tx for p in (one, other)}
    assert len(txs) == 1
    tx = Tx.parse(txs.pop())
    check_signed(tx)
    return one, other, tx


def check_signed(tx: Tx) -> None:
    """Both signatures in the witness are good."""
    (txin,) = tx.inputs
    empty, first, second, script = txin.witness
    keys = sorted((Keys(ALICE).point(0), Keys(BOB).point(0)))
    assert empty == b""
    assert script == sc.funding_script(*keys)
    digest = bip143_sighash(tx, 0, script, sides.FUNDING_AMOUNT)
    for key, der in zip(keys, (first, second), strict=True):
        verify_compact(key, digest, der_to_sig(der)[0])


def fee_of(tx: Tx) -> int:
    return sides.FUNDING_AMOUNT.sat - sum(o.amount.sat for o in tx.outputs)


def offers(player: Player) -> list[int]:
    return [m.fee_satoshis.sat for m in player.sent() if isinstance(m, ClosingSigned)]


def test_same_wishes_take_two_messages() -> None:
    alice, bob, tx = close_both({}, {})
    assert alice.order() == [
        "hsmd_sign_mutual_close",
        "closing_signed",
        "closingd_got_signature",
        "closingd_done",
    ]
    assert bob.order() == [
        "closingd_got_signature",
        "hsmd_sign_mutual_close",
        "closing_signed",
        "closingd_done",
    ]
    # Halves of a satoshi go to fees.
    assert fee_of(tx) == 2500 * ends.FULL_WEIGHT // 1000 + 1
    assert set(tx.outputs) == {
        TxOut(ALICE_HAS.to_sat_floor() - Sat(fee_of(tx) - 1), SCRIPTS[ALICE]),
        TxOut(BOB_HAS.to_sat_floor(), SCRIPTS[BOB]),
    }
    assert tx.weight() <= ends.FULL_WEIGHT
    fee = fee_of(tx) - 1
    assert f"Sending closing fee offer {fee}sat, with range " in alice.logged()
    assert f"Received closing fee offer {fee}sat, with range " in bob.logged()
    assert (
        f"We agreed on a closing fee of {fee} satoshi for tx:{tx.txid()[::-1].hex()}"
        in bob.logged()
    )


def test_the_other_picks_in_the_range() -> None:
    alice, bob, _ = close_both({}, {"feerate_preferred_perkw": 5000})
    fee = 5000 * ends.FULL_WEIGHT // 1000
    assert offers(alice)[1:] == offers(bob) == [fee]
    assert bob.order()[-2:] == ["closingd_got_signature", "closingd_done"]
    alice, _, _ = close_both({}, {"feerate_preferred_perkw": 50_000})
    assert offers(alice)[1] == 10_000 * ends.FULL_WEIGHT // 1000


@pytest.mark.parametrize("step", [(50, True), (10, True), (500, False), (100, True)])
@pytest.mark.parametrize("feerates", [(1000, 9000), (9000, 1000), (3000, 3000), (3000, 3001)])
def test_step_by_step(step: tuple[int, bool], feerates: tuple[int, int]) -> None:
    plan = {
        "use_fee_range": False,
        "fee_negotiation_step": step[0],
        "step_is_percent": step[1],
    }
    alice, bob, tx = close_both(
        plan | {"feerate_preferred_perkw": feerates[0]},
        plan | {"feerate_preferred_perkw": feerates[1]},
    )
    for player in (alice, bob):
        assert fee_of(tx) - 1 in offers(player)
        assert "without range" in player.logged()
    assert all(isinstance(m, ClosingdDone) for m in (*alice.told(), *bob.told()))


def test_every_good_signature_is_stored_before_the_answer() -> None:
    plan = {"use_fee_range": False}
    alice, bob, _ = close_both(plan | {"feerate_preferred_perkw": 9000}, plan)
    for player in (alice, bob):
        order = player.order()[2 if player is alice else 0 :]
        received = order.count("closingd_got_signature")
        assert received == len(offers(alice if player is bob else bob))
        # Nothing is sent between a message and its place on disk.
        assert order[0] == "closingd_got_signature"
        for name, after in zip(order, order[1:], strict=False):
            if name == "closing_signed":
                assert after in (
                    "closingd_got_signature",
                    "closingd_done",
                    "hsmd_sign_mutual_close",
                )


def test_a_cheap_offer_is_not_stored() -> None:
    low = ends.player(
        ALICE, feerate_min_perkw=253, feerate_preferred_perkw=253, use_fee_range=False
    )
    bob = ends.player(BOB, feerate_min_perkw=1000, use_fee_range=False)
    bob.peer(low.sent()[0])
    assert "closingd_got_signature" not in bob.order()
    assert len(offers(bob)) == 1


def test_reply_of_the_master_comes_first() -> None:
    def slow(answer: Any) -> Any:
        return lambda m: None if isinstance(m, ClosingdGotSignature) else answer(m)

    bob = ends.player(BOB, wrap=slow)
    bob.peer(ends.player(ALICE).sent()[0])
    assert bob.sent() == []
    bob.feed(BadPeerBytes("later"))
    assert bob.sent() == []
    bob.reply(ClosingdGotSignatureReply())
    assert isinstance(bob.sent()[0], ClosingSigned)


def test_wrong_funding() -> None:
    other = Outpoint(Txid(b"w" * 32), 3)
    alice, _, tx = close_both({"wrong_funding": other}, {"wrong_funding": other})
    assert tx.inputs[0].outpoint == other
    assert "Setting wrong_funding_txid to " in alice.logged()
    bob = ends.player(BOB)
    bob.peer(ends.player(ALICE, wrong_funding=other).sent()[0])
    failed(bob, 0, "Bad closing_signed signature")


# ---- outputs that are not there -----------------------------------------------------------------------


def test_poor_sides_have_no_output() -> None:
    _, _, tx = close_both(
        {"to_local": Msat(999_500_000), "to_remote": Msat(500_000)},
        {"to_remote": Msat(999_500_000), "to_local": Msat(500_000)},
    )
    assert [o.script for o in tx.outputs] == [SCRIPTS[ALICE]]
    _, _, tx = close_both(
        {"to_local": Msat(700_000), "to_remote": Msat(999_300_000)},
        {"to_remote": Msat(700_000), "to_local": Msat(999_300_000)},
    )
    assert [o.script for o in tx.outputs] == [SCRIPTS[BOB]]


def test_both_are_dust() -> None:
    alice = ends.player(ALICE, to_local=Msat(500_000), to_remote=Msat(500_000))
    failed(alice, 1, "Both outputs below dust limit: ")
    assert isinstance(alice.sent()[0], Error)


def test_each_side_has_its_own_dust_limit() -> None:
    # Alice has 650 sat left; Bob's limit of 700 is above that, hers is not.
    bob_limit = sides.config(dust_limit=Sat(700), channel_reserve=Sat(10_000))
    amounts: dict[str, Any] = {"to_local": Msat(999_350_000), "to_remote": Msat(650_000)}
    one_fee: dict[str, Any] = {"feerate_min_perkw": 2500, "feerate_max_perkw": 2500}
    bob = ends.player(
        BOB,
        {"we_are_opener": True, "local_config": bob_limit},
        **amounts,
        **one_fee,
    )
    alice = ends.player(
        ALICE,
        {"we_are_opener": False, "remote_config": bob_limit},
        to_local=amounts["to_remote"],
        to_remote=amounts["to_local"],
    )
    alice.peer(bob.sent()[0])
    tx = Tx.parse(alice.only_told(ClosingdDone).tx)
    check_signed(tx)
    assert [o.script for o in tx.outputs] == [SCRIPTS[BOB]]


def test_what_the_second_leaves_in_the_first_signs() -> None:
    # As above, but Alice's fee is another; so it is she who says which outputs there are.
    bob_limit = sides.config(dust_limit=Sat(700), channel_reserve=Sat(10_000))
    bob = ends.player(
        BOB,
        {"we_are_opener": True, "local_config": bob_limit},
        to_local=Msat(999_350_000),
        to_remote=Msat(650_000),
    )
    alice = ends.player(
        ALICE,
        {"we_are_opener": False, "remote_config": bob_limit},
        to_local=Msat(650_000),
        to_remote=Msat(999_350_000),
    )
    converse(alice, bob)
    assert alice.only_told(ClosingdDone).tx == bob.only_told(ClosingdDone).tx
    tx = Tx.parse(bob.only_told(ClosingdDone).tx)
    check_signed(tx)
    assert {o.script for o in tx.outputs} == set(SCRIPTS.values())


def test_a_large_dust_limit_takes_nothing_from_us() -> None:
    bob_limit = sides.config(dust_limit=Sat(9000), channel_reserve=Sat(10_000))
    bob = ends.player(
        BOB,
        {"we_are_opener": True, "local_config": bob_limit},
        to_local=Msat(992_000_000),
        to_remote=Msat(8_000_000),
    )
    alice = ends.player(
        ALICE,
        {"we_are_opener": False, "remote_config": bob_limit},
        to_local=Msat(8_000_000),
        to_remote=Msat(992_000_000),
    )
    alice.peer(bob.sent()[0])
    failed(alice, 0, "Bad closing_signed signature")


def test_the_peer_may_leave_its_own_output_out() -> None:
    bob = ends.player(BOB)
    (offer,) = ends.player(ALICE).sent()
    assert isinstance(offer, ClosingSigned)
    fee = offer.fee_satoshis
    tx = make_closing_tx(
        sides.FUNDING, SCRIPTS[ALICE], SCRIPTS[BOB], Sat(0), BOB_HAS.to_sat_floor(), Sat(546)
    )
    keys = Keys(ALICE, channel=sides.channel(ALICE))
    bob.peer(replace(offer, signature=keys.sign_close(tx)))
    done = Tx.parse(bob.only_told(ClosingdDone).tx)
    check_signed(done)
    assert [o.script for o in done.outputs] == [SCRIPTS[BOB]]
    assert offers(bob) == [fee.sat]


def test_an_output_that_nobody_relays() -> None:
    old = b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"
    low = sides.config(dust_limit=Sat(354), channel_reserve=Sat(10_000))
    configs = {"local_config": low, "remote_config": low}
    poor: dict[str, Any] = {
        "to_local": Msat(400_000),
        "to_remote": Msat(999_600_000),
        "local_script": old,
    }
    rich: dict[str, Any] = {
        "to_remote": Msat(400_000),
        "to_local": Msat(999_600_000),
        "remote_script": old,
    }
    alice, bob = ends.player(ALICE, configs, **rich), ends.player(BOB, configs, **poor)
    bob.peer(alice.sent()[0])
    failed(bob, 1, "is below 546sat, the dust limit of its script")


def test_fee_that_the_opener_has_not() -> None:
    bob, (offer,) = ends.player(BOB), ends.player(ALICE).sent()
    assert isinstance(offer, ClosingSigned)
    bob.peer(replace(offer, fee_satoshis=Sat(700_001)))
    failed(bob, 0, "Funder cannot afford fee 700001sat (299999sat and 700000sat)")


# ---- other ends ---------------------------------------------------------------------------------------


def failed(player: Player, kind: int, text: str) -> None:
    told = player.only_told(ClosingdFailed)
    assert told.kind == kind
    assert text in told.reason
    assert player.machine.finished
    assert not any(isinstance(m, ClosingdDone) for m in player.told())


def warned(player: Player, text: str) -> None:
    """warning, hang up, try again."""
    failed(player, 0, text)
    warning = player.sent()[-1]
    assert isinstance(warning, PeerWarning)
    assert warning.channel_id == CID
    assert text in warning.data.decode()
    assert Disconnect() in player.effects


@pytest.mark.parametrize("owner", [ALICE, BOB])
def test_lost_connection(owner: int) -> None:
    player = ends.player(owner)
    player.feed(RouteClosed())
    failed(player, 0, "peer connection lost")
    player.peer(READY)
    player.feed(RouteClosed())
    player.only_told(ClosingdFailed)


@pytest.mark.parametrize("owner", [ALICE, BOB])
def test_what_the_peer_says(owner: int) -> None:
    player = ends.player(owner)
    player.peer(Error(channel_id=CID, data=b"bye"))
    failed(player, 1, f"They sent ERROR channel {CID.hex()}: bye")
    player = ends.player(owner)
    player.peer(PeerWarning(channel_id=CID, data=b"hm"))
    failed(player, 0, f"They sent WARNING channel {CID.hex()}: hm")
    assert Disconnect() in player.effects


def test_redundant_messages_are_ignored() -> None:
    alice = ends.player(ALICE)
    before = len(alice.effects)
    alice.peer(READY)
    alice.peer(Shutdown(channel_id=CID, scriptpubkey=SCRIPTS[BOB]))
    assert len(alice.effects) == before


@pytest.mark.parametrize(
    "msg",
    [
        RevokeAndAck(
            channel_id=CID,
            per_commitment_secret=bytes(32),
            next_per_commitment_point=Keys(BOB).point(3),
        ),
        ClosingSigned(channel_id=ChannelId(b"o" * 32), fee_satoshis=Sat(1), signature=bytes(64)),
        ClosingSigned(channel_id=CID, fee_satoshis=Sat(1000), signature=bytes(64)),
    ],
    ids=["out of place", "other channel", "bad signature"],
)
def test_broken_rules(msg: Message) -> None:
    texts = {"RevokeAndAck": "Expected closing_signed: 0085"}
    for owner in (ALICE, BOB):
        player = ends.player(owner)
        player.peer(msg)
        warned(player, texts.get(type(msg).__name__, "closing_signed"))
        assert not any(isinstance(m, ClosingdGotSignature) for m in player.asked())


def test_garbage() -> None:
    player = ends.player(BOB)
    player.feed(BadPeerBytes("cut"))
    warned(player, "Bad message: cut")


def test_no_overlap() -> None:
    alice = ends.player(ALICE, feerate_max_perkw=2600)
    bob = ends.player(BOB, feerate_min_perkw=3000)
    converse(alice, bob)
    warned(bob, "Unable to agree on a feerate. Our range ")
    failed(alice, 0, "They sent WARNING channel")


def test_refusal_of_hsmd() -> None:
    def refuse(answer: Any) -> Any:
        return lambda m: Refused("no") if isinstance(m, HsmdSignMutualClose) else answer(m)

    warned(ends.player(ALICE, wrap=refuse), "Cannot close: no")


def test_wrong_signature_of_hsmd_is_our_bug() -> None:
    def wrong(answer: Any) -> Any:
        def reply(msg: Message) -> Any:
            made: Any = answer(msg)
            return (
                replace(made, signature=bytes(63) + b"\1") if hasattr(made, "signature") else made
            )

        return reply

    with pytest.raises(ValueError, match="is not by"):
        ends.player(ALICE, wrap=wrong)


def test_agreed_is_not_undone() -> None:
    def slow(answer: Any) -> Any:
        return lambda m: None if isinstance(m, HsmdSignMutualClose) else answer(m)

    bob = ends.player(BOB, wrap=slow)
    bob.peer(ends.player(ALICE).sent()[0])
    assert not bob.machine.interruptible
    bob.feed(RouteClosed())
    assert bob.told() == []
    keys = Keys(BOB, channel=sides.channel(BOB))
    (request,) = (m for m in bob.asked() if isinstance(m, HsmdSignMutualClose))
    bob.reply(keys.answer(request))
    check_signed(Tx.parse(bob.only_told(ClosingdDone).tx))


def test_variants_are_not_repeated() -> None:
    close = Close(ends.start(BOB))
    with pytest.raises(Exception, match="Bad closing_signed signature") as caught:
        close.tx_signed_by_peer(Sat(1000), bytes(63) + b"\1")
    assert str(caught.value).count("02000000") == 2
    assert FeeRange(Sat(1), Sat(2)) == FeeRange(Sat(1), Sat(2))
