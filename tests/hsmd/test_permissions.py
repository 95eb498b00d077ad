"""Every message has a decision; a link gets what its rights say and no more."""

from __future__ import annotations

import pytest

from pylightningd.common.wire import hsmd_wire as w
from pylightningd.common.wire.runtime import Message
from pylightningd.hsmd import machine, permissions
from pylightningd.hsmd.permissions import FOR_ONE_CHANNEL, NEEDED, Capability, Refusal, check_right
from tests.hsmd.channels import ALICE, BOB, hsm, node, static

REQUESTS = [m for m in w.MESSAGES.values() if not m.__name__.endswith("Reply")]


def test_the_table_is_total() -> None:
    assert set(NEEDED) == set(REQUESTS)


def test_every_message_with_a_dbid_is_bound_to_its_channel() -> None:
    with_dbid = {m for m in REQUESTS if any(name == "dbid" for name, _, _ in m.WIRE)}
    of_the_master = {w.HsmdAssignChannel, w.HsmdUnassignChannel, w.HsmdGetBasepoints}
    assert with_dbid - of_the_master == FOR_ONE_CHANNEL
    assert all(NEEDED[m] is Capability.MASTER for m in of_the_master)


def test_every_message_has_a_handler() -> None:
    handlers = {*machine._NODE_HANDLERS, *machine._CHANNEL_HANDLERS, w.HsmdInit}  # noqa: SLF001
    assert handlers == set(REQUESTS)
    assert set(machine._CHANNEL_HANDLERS) == FOR_ONE_CHANNEL  # noqa: SLF001


@pytest.mark.parametrize("message", REQUESTS)
@pytest.mark.parametrize("right", list(Capability))
def test_one_right_gives_what_needs_it(message: type[Message], right: Capability) -> None:
    if right is Capability.MASTER or NEEDED[message] is right:
        check_right(right, message)
    else:
        with pytest.raises(Refusal, match="no right"):
            check_right(right, message)


def test_replies_are_no_requests() -> None:
    with pytest.raises(Refusal, match="no right"):
        check_right(Capability.ECDH, w.HsmdEcdhReply)


def test_no_link_is_given_the_rights_of_the_master() -> None:
    it = hsm(ALICE, BOB)
    it.add_link(8, 0xFF)
    with pytest.raises(Refusal, match="no right"):
        it.handle(8, w.HsmdDeriveSecret(info=b""))


def test_a_channel_must_be_assigned() -> None:
    it = hsm(ALICE, BOB)
    ask = w.HsmdGetPerCommitmentPoint(dbid=1, number=0)
    assert isinstance(it.handle(7, ask), w.HsmdGetPerCommitmentPointReply)
    it.add_link(8, permissions.Capability.COMMITMENT)
    with pytest.raises(Refusal, match="not assigned"):
        it.handle(8, ask)
    it.handle(0, w.HsmdUnassignChannel(link_id=7, dbid=1))
    with pytest.raises(Refusal, match="not assigned"):
        it.handle(7, ask)
    it.drop_link(8)
    with pytest.raises(Refusal, match="no rights"):
        it.handle(8, ask)
    with pytest.raises(Refusal, match="no link 99"):
        it.handle(0, w.HsmdAssignChannel(link_id=99, peer_id=BOB.node_id, dbid=1))
    with pytest.raises(Refusal, match="unknown"):
        it.handle(0, w.HsmdGetPerCommitmentPoint(dbid=5, number=0))


def test_a_worker_sets_up_only_what_it_opens() -> None:
    it = hsm(ALICE, BOB)
    setup = w.HsmdSetupChannel(channel=static(ALICE, BOB, 1))
    assert it.handle(7, setup) == w.HsmdSetupChannelReply()
    with pytest.raises(Refusal, match="not assigned"):
        it.handle(7, w.HsmdSetupChannel(channel=static(ALICE, BOB, 2)))
    with pytest.raises(Refusal, match="not assigned"):
        it.handle(7, w.HsmdSetupChannel(channel=static(ALICE, node(9), 1)))
    it.handle(7, w.HsmdRevokeCommitment(dbid=1, number=0))
    with pytest.raises(Refusal, match="past its opening"):
        it.handle(7, setup)
    it.handle(0, setup)
