"""The order of messages: both sides together, what is durable before what, and every way to end early."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bus.link import Refused
from pylightningd.common.channel.commitment_tx import funding_sighash
from pylightningd.common.channel_type import STATIC_REMOTEKEY_TYPE
from pylightningd.common.effects import AliasRoute, Disconnect
from pylightningd.common.ids import ChannelId
from pylightningd.common.keys import verify_compact
from pylightningd.common.route_events import BadPeerBytes, FromPeer, RouteClosed
from pylightningd.common.wire.openingd_wire import (
    OpeningdAccepted,
    OpeningdCancel,
    OpeningdDone,
    OpeningdDoneReply,
    OpeningdFailed,
    OpeningdFunding,
)
from pylightningd.common.wire.peer_wire import (
    ChannelReady,
    Error,
    FundingCreated,
    FundingSigned,
    Shutdown,
)
from pylightningd.common.wire.peer_wire import (
    Warning as PeerWarning,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.openingd.machine import FROM_PEER
from pylightningd.openingd.state import Accepted, Committing, Created, Finished, Invited, Offered
from tests.openingd import sides
from tests.openingd.player import Player, converse

CID = sides.FUNDING.channel_id()
FUNDED = OpeningdFunding(dbid=7, funding=sides.FUNDING)


def offered() -> Player:
    return sides.opener()


def accepted() -> Player:
    alice = sides.opener()
    bob = sides.accepter(alice.outbox.pop(0))
    converse(alice, bob)
    return alice


def created() -> Player:
    alice = accepted()
    alice.master(FUNDED)
    return alice


def invited() -> Player:
    return sides.accepter(sides.opener().outbox.pop(0))


PHASES = {Offered: offered, Accepted: accepted, Created: created, Invited: invited}


def reach(phase: type) -> Player:
    player = PHASES[phase]()
    assert type(player.machine.phase) is phase
    return player


def open_both(**changes: Any) -> tuple[Player, Player]:
    alice = sides.opener(**changes)
    bob = sides.accepter(alice.outbox.pop(0))
    converse(alice, bob)
    alice.master(FUNDED)
    converse(alice, bob)
    return alice, bob


@pytest.mark.parametrize("kind", [{}, {"channel_type": STATIC_REMOTEKEY_TYPE.encode()}])
@pytest.mark.parametrize("push", [Msat(0), sides.PUSH, Msat(499_999_999)])
def test_two_sides_open(kind: dict[str, Any], push: Msat) -> None:
    alice, bob = open_both(push=push, **kind)
    assert alice.order() == [
        "open_channel",
        "openingd_accepted",
        "hsmd_setup_channel",
        "hsmd_sign_remote_commitment",
        "funding_created",
        "openingd_done",
    ]
    assert bob.order() == [
        "accept_channel",
        "hsmd_setup_channel",
        "hsmd_sign_remote_commitment",
        "openingd_done",
        "funding_signed",
    ]
    for player in (alice, bob):
        assert player.machine.phase == Finished(opened=True)
        _check_done(player, push)
    mine, yours = alice.asked()[-1], bob.asked()[-1]
    assert isinstance(mine, OpeningdDone)
    assert isinstance(yours, OpeningdDone)
    assert mine.channel.local_config == yours.channel.remote_config
    assert mine.channel.remote_config == yours.channel.local_config
    assert mine.remote_first_per_commitment_point == sides.Keys(sides.BOB).first_point
    assert mine.remote_upfront_shutdown_script == b""
    assert yours.remote_upfront_shutdown_script == sides.UPFRONT


def _check_done(player: Player, push: Msat) -> None:
    """What the master stores is enough to close: a commitment with a good signature of the peer."""
    done = player.asked()[-1]
    assert isinstance(done, OpeningdDone)
    channel, tx = done.channel, Tx.parse(done.tx)
    assert channel.channel_id == CID
    assert done.push == push
    assert done.announce
    keys = channel.local_basepoints.funding_pubkey, channel.remote_basepoints.funding_pubkey
    digest = funding_sighash(tx, sc.funding_script(*keys), sides.FUNDING_AMOUNT)
    verify_compact(keys[1], digest, done.signature)
    assert tx.inputs[0].outpoint == sides.FUNDING
    total = sum(o.amount.sat for o in tx.outputs)
    assert 990_000 < total < 1_000_000


def test_the_master_is_told_where_to_pay() -> None:
    alice = accepted()
    told = alice.only_told(OpeningdAccepted)
    keys = sides.Keys(sides.ALICE).point(0), sides.Keys(sides.BOB).point(0)
    assert told.funding_scriptpubkey == sc.p2wsh(sc.funding_script(*keys))
    assert told.minimum_depth == 3


def test_the_route_gets_its_new_name_before_the_peer_can_use_it() -> None:
    alice = created()
    kinds = [e for e in alice.effects if isinstance(e, AliasRoute) or _is_created(e)]
    assert kinds[0] == AliasRoute(CID)
    assert len(kinds) == 2


def _is_created(effect: Any) -> bool:
    return isinstance(getattr(effect, "msg", None), FundingCreated)


def test_accepter_signs_only_what_is_on_disk() -> None:
    alice, bob = created(), invited()
    keys = sides.Keys(sides.BOB)
    bob.answer = lambda m: None if isinstance(m, OpeningdDone) else keys.answer(m)
    bob.feed(FromPeer(alice.sent()[-1]))
    assert isinstance(bob.machine.phase, Committing)
    assert not bob.machine.interruptible
    assert not any(isinstance(m, FundingSigned) for m in bob.sent())
    # Too late to undo: the end of the connection waits.
    bob.feed(RouteClosed())
    bob.reply(OpeningdDoneReply())
    assert isinstance(bob.sent()[-1], FundingSigned)
    assert bob.told() == []
    assert bob.machine.opened


# ---- early ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", PHASES)
def test_lost_connection(phase: type) -> None:
    player = reach(phase)
    before = len(player.sent())
    player.feed(RouteClosed())
    assert player.only_told(OpeningdFailed).reason == "peer connection lost during opening"
    assert len(player.sent()) == before
    assert player.machine.phase == Finished(opened=False)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("kind", [Error, PeerWarning])
def test_what_the_peer_says_is_passed_on(phase: type, kind: type[Error | PeerWarning]) -> None:
    player = reach(phase)
    before = len(player.sent())
    player.peer(kind(channel_id=sides.TEMPORARY_ID, data=b"You gave bad parameters: no"))
    name = kind.__name__.upper()
    channel = sides.TEMPORARY_ID.hex()
    reason = player.only_told(OpeningdFailed).reason
    assert reason == f"They sent {name} channel {channel}: You gave bad parameters: no"
    assert len(player.sent()) == before


def test_unprintable_words() -> None:
    alice = offered()
    alice.peer(Error(channel_id=ChannelId(bytes(32)), data=b"\x1b[2J"))
    assert alice.only_told(OpeningdFailed).reason == "They sent ERROR: 1b5b324a"


@pytest.mark.parametrize("phase", PHASES)
def test_garbage(phase: type) -> None:
    player = reach(phase)
    player.feed(BadPeerBytes("FundingSigned: cut"))
    _failed_with_error(player, "Bad message: FundingSigned: cut")


SAMPLES: list[Message] = [
    *(m for m in (offered().sent()[0], invited().sent()[0], created().sent()[-1])),
    FundingSigned(channel_id=CID, signature=bytes(64)),
    ChannelReady(channel_id=CID, second_per_commitment_point=b"\x02" + bytes(31) + b"\x01"),
    Shutdown(channel_id=CID, scriptpubkey=b""),
]


OUT_OF_PLACE = [(p, m) for p in PHASES for m in SAMPLES if (p, type(m)) not in FROM_PEER]


@pytest.mark.parametrize(("phase", "msg"), OUT_OF_PLACE, ids=lambda v: getattr(v, "NAME", None))
def test_messages_out_of_place(phase: type, msg: Message) -> None:
    player = reach(phase)
    player.peer(msg)
    _failed_with_error(player, f"Unexpected message {msg.NAME} while waiting for ")


def _failed_with_error(player: Player, text: str) -> None:
    error = player.sent()[-1]
    assert isinstance(error, Error)
    assert text in error.data.decode()
    assert player.only_told(OpeningdFailed).reason == error.data.decode()
    expected = CID if any(isinstance(m, FundingCreated) for m in player.sent()) else None
    assert error.channel_id == (expected or sides.TEMPORARY_ID)
    assert not any(isinstance(e, Disconnect) for e in player.effects)
    player.feed(RouteClosed())
    player.only_told(OpeningdFailed)


@pytest.mark.parametrize("phase", PHASES)
def test_cancel(phase: type) -> None:
    player = reach(phase)
    told = len(player.told())
    player.master(OpeningdCancel(dbid=7, reason="Channel open canceled by us"))
    error = player.sent()[-1]
    assert isinstance(error, Error)
    assert error.data == b"Channel open canceled by us"
    assert len(player.told()) == told
    assert player.machine.finished


def test_bad_signatures() -> None:
    bob, msg = invited(), created().sent()[-1]
    assert isinstance(msg, FundingCreated)
    bob.peer(replace(msg, signature=bytes(64)))
    _failed_with_error(bob, "Bad signature 0000")
    assert bob.asked() == []
    alice = created()
    alice.peer(FundingSigned(channel_id=CID, signature=bytes(63) + b"\x01"))
    _failed_with_error(alice, "on tx 02000000")
    assert not any(isinstance(m, OpeningdDone) for m in alice.asked())


def test_wrong_ids() -> None:
    bob, msg = invited(), created().sent()[-1]
    assert isinstance(msg, FundingCreated)
    bob.peer(replace(msg, temporary_channel_id=ChannelId(b"x" * 32)))
    _failed_with_error(bob, "funding_created ids don't match")
    alice = created()
    alice.peer(FundingSigned(channel_id=ChannelId(b"x" * 32), signature=bytes(64)))
    _failed_with_error(alice, "funding_signed ids don't match")


def test_signature_for_another_outpoint() -> None:
    bob, msg = invited(), created().sent()[-1]
    assert isinstance(msg, FundingCreated)
    bob.peer(replace(msg, funding_output_index=0))
    _failed_with_error(bob, "Bad signature")


@pytest.mark.parametrize("refuser", ["hsmd_setup_channel", "openingd_done"])
def test_refusals_end_only_this_opening(refuser: str) -> None:
    msg = created().sent()[-1]
    bob, keys = invited(), sides.Keys(sides.BOB)

    def answer(request: Message) -> Message | Exception:
        if request.NAME == f"WIRE_{refuser.upper()}":
            return Refused("not assigned")
        return keys.answer(request)

    bob.answer = answer
    bob.peer(msg)
    assert bob.only_told(OpeningdFailed).reason == "Cannot open: not assigned"
    assert not any(isinstance(m, FundingSigned) for m in bob.sent())


def test_dropped_while_hsmd_works() -> None:
    bob, msg = invited(), created().sent()[-1]
    bob.answer = lambda _: None
    bob.peer(msg)
    assert bob.machine.interruptible
    bob.driver.clear()
    bob.feed(RouteClosed())
    assert bob.only_told(OpeningdFailed).reason == "peer connection lost during opening"


# ---- after the end ------------------------------------------------------------------------------------


def test_nothing_follows_a_failure() -> None:
    alice = offered()
    alice.feed(RouteClosed())
    before = len(alice.effects)
    alice.peer(sides.accepter(offered().outbox.pop(0)).sent()[0])
    alice.master(FUNDED)
    alice.feed(BadPeerBytes("x"))
    assert len(alice.effects) == before


def test_openings_of_other_amounts() -> None:
    for amount in (Sat(20_000), Sat((1 << 24) - 1)):
        low = sides.limits(min_effective_htlc_capacity=Msat(0))
        alice = sides.opener(funding_amount=amount, push=Msat(0), limits=low)
        bob = sides.accepter(alice.outbox.pop(0), limits=low)
        converse(alice, bob)
        alice.master(FUNDED)
        converse(alice, bob)
        assert alice.machine.opened
        assert bob.machine.opened
