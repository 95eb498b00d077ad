"""The walk of an HTLC through its states."""

from __future__ import annotations

import pytest

from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.htlc_states import Event, HtlcState, Side

ADD = {
    Side.LOCAL: (Event.SENT_COMMIT, Event.RCVD_REVOCATION, Event.RCVD_COMMIT, Event.SENT_REVOCATION),
    Side.REMOTE: (Event.RCVD_COMMIT, Event.SENT_REVOCATION, Event.SENT_COMMIT, Event.RCVD_REVOCATION),
}  # fmt: skip


def test_numbers_are_those_of_the_database() -> None:
    assert [s.value for s in HtlcState] == list(range(20))
    assert HtlcState.SENT_ADD_ACK_REVOCATION == 4
    assert HtlcState.RCVD_ADD_HTLC == 10
    assert HtlcState.SENT_REMOVE_ACK_REVOCATION == 19
    assert hs.FLAGS[HtlcState.SENT_ADD_HTLC] == 0x1868
    assert hs.FLAGS[HtlcState.RCVD_REMOVE_HTLC] == 0x2CBB


@pytest.mark.parametrize("offerer", list(Side))
def test_whole_life(offerer: Side) -> None:
    state = hs.first_state(offerer)
    for event in ADD[offerer]:
        assert hs.is_adding(state)
        state = hs.state_after(state, event)
    assert state is hs.last_add_state(offerer)
    assert hs.is_irrevocable(state)
    assert hs.is_committed(state, Side.LOCAL)
    assert hs.is_committed(state, Side.REMOTE)
    state = hs.remove_state(offerer)
    # The recipient removes, so the messages run the other way.
    for event in ADD[offerer.other]:
        assert hs.is_removing(state)
        assert not hs.is_dead(state)
        state = hs.state_after(state, event)
    assert hs.is_dead(state)
    assert not hs.is_committed(state, Side.LOCAL)
    assert not hs.is_committed(state, Side.REMOTE)
    assert hs.owner_of(state) is offerer


@pytest.mark.parametrize("state", list(HtlcState))
def test_each_state_waits_for_at_most_one_event(state: HtlcState) -> None:
    moving = [e for e in Event if hs.next_state_on(state, e) is not None]
    at_rest = hs.is_irrevocable(state) or hs.is_dead(state)
    assert len(moving) == (0 if at_rest else 1)
    flags_say_rest = not any(hs.has_flag(state, s, hs.WILL_SEND) for s in Side)
    assert flags_say_rest is at_rest


@pytest.mark.parametrize("state", list(HtlcState))
def test_flags_are_consistent(state: HtlcState) -> None:
    assert hs.has_flag(state, hs.owner_of(state), hs.OWNER)
    assert not hs.has_flag(state, hs.owner_of(state).other, hs.OWNER)
    for side in Side:
        if hs.is_committed(state, side):
            assert hs.was_committed(state, side)
    # A pending change is committed by the next signature for that side's commitment.
    for side, event in ((Side.LOCAL, Event.RCVD_COMMIT), (Side.REMOTE, Event.SENT_COMMIT)):
        if hs.is_pending(state, side):
            after = hs.state_after(state, event)
            assert hs.is_committed(after, side) is hs.is_adding(state)
            assert not hs.is_pending(after, side)
        else:
            assert hs.next_state_on(state, event) is None


def test_sides() -> None:
    assert Side.LOCAL.other is Side.REMOTE
    assert Side.REMOTE.other is Side.LOCAL
