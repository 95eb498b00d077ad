"""Openings that end while somebody waits for them."""

from __future__ import annotations

import pytest

from pylightningd.common.errors import UserError
from pylightningd.lightningd.control import openingd
from tests.lightningd.channels.rig import Rig, peer_id


@pytest.mark.parametrize("accepted_before", [True, False])
def test_the_peer_leaves_as_it_accepts(rig: Rig, accepted_before: bool) -> None:
    """accept_channel and the end of the connection in one turn: who waits for the channel hears of the end."""
    control = openingd.OpeningControl(rig.node)  # type: ignore[arg-type]
    opening = openingd.Opening(
        dbid=1,
        peer_id=peer_id(1),
        connection=1,
        we_are_opener=True,
        final_key_index=0,
        close_to=None,
    )
    opening.accepted, opening.done = rig.node.new_future(), rig.node.new_future()
    control.openings[1] = opening

    def both() -> None:
        if accepted_before:
            control._resolve(opening.accepted, "accepted")
        control.peer_gone(peer_id(1))

    rig.turn(both)
    if accepted_before:
        assert opening.accepted.result() == "accepted"
        with pytest.raises(UserError, match="disconnected"):
            opening.done.result()
    else:
        with pytest.raises(UserError, match="disconnected"):
            opening.accepted.result()
        assert not opening.done.done()
