"""A channel whose closing transaction both signed, and a peer that comes back before it confirms."""

from __future__ import annotations

from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.channels.states import Cause, ChannelState
from tests.lightningd.channels.rig import Rig, for_us, key, peer_id


def closed_together(rig: Rig) -> Channel:
    channel = rig.open_channel(1)

    def close() -> None:
        for state in (
            ChannelState.CHANNELD_SHUTTING_DOWN,
            ChannelState.CLOSINGD_SIGEXCHANGE,
            ChannelState.CLOSINGD_COMPLETE,
        ):
            rig.node.channels.set_state(channel, state, Cause.USER, "for the test")
        channel.close_cause = "mutual close"

    rig.turn(close)
    return channel


def reestablish(channel: Channel) -> bytes:
    return pw.ChannelReestablish(
        channel_id=channel.channel_id,
        next_commitment_number=1,
        next_revocation_number=0,
        your_last_per_commitment_secret=bytes(32),
        my_current_per_commitment_point=key(9),
    ).encode()


def says(rig: Rig, raw: bytes) -> None:
    rig.connectd_says(nw.ConnectdPeerMsg(connection=1, peer_id=peer_id(1), msg=raw))


def test_we_neither_reconnect_nor_reestablish(rig: Rig) -> None:
    closed_together(rig)
    assert not rig.node.peers.wants_connection(rig.node.peers.of(peer_id(1)))
    rig.connect(1)
    assert rig.to_connectd(nw.ConnectdAcceptPeer)
    assert not rig.to_worker(cw.ChanneldConnected)


def test_a_peer_that_lost_our_signature_gets_it_again(rig: Rig) -> None:
    channel = closed_together(rig)
    rig.connect(1)
    raw = reestablish(channel)
    says(rig, raw)
    (route,) = rig.to_connectd(nw.ConnectdRoute)
    assert route.pending == (raw,)
    (connected,) = rig.to_worker(cw.ChanneldConnected)
    assert (connected.route_id, connected.fresh) == (route.route_id, False)


def test_it_is_resumed_once(rig: Rig) -> None:
    channel = closed_together(rig)
    rig.connect(1)
    raw = reestablish(channel)
    rig.connectd_says(*[nw.ConnectdPeerMsg(connection=1, peer_id=peer_id(1), msg=raw)] * 2)
    assert len(rig.to_worker(cw.ChanneldConnected)) == 1


def test_another_peer_cannot_resume_it(rig: Rig) -> None:
    channel = closed_together(rig)
    rig.open_channel(2)
    rig.connect(2)
    before = len(rig.to_worker(cw.ChanneldConnected))
    rig.connectd_says(
        nw.ConnectdPeerMsg(connection=1, peer_id=peer_id(2), msg=reestablish(channel))
    )
    assert len(rig.to_worker(cw.ChanneldConnected)) == before


def test_the_error_of_a_peer_that_forgot_the_channel_is_no_failure(rig: Rig) -> None:
    channel = closed_together(rig)
    rig.connect(1)
    says(rig, pw.Error(channel_id=channel.channel_id, data=b"no such channel").encode())
    assert channel.state is ChannelState.CLOSINGD_COMPLETE
    assert channel.close_cause == "mutual close"
    assert not rig.node.onchain.commitments
    assert not [text for level, text in rig.logs if level == "unusual"]


def test_no_htlc_comes_into_a_close_that_is_signed(rig: Rig) -> None:
    """The closing transaction would confirm without it, after it was forwarded."""
    channel = closed_together(rig)
    rig.connect(1)
    says(rig, reestablish(channel))
    before = channel.next_local_commitment
    rig.receive(channel, 0, for_us(b"p" * 32, 1000))
    assert any("got HTLCs in CLOSINGD_COMPLETE" in bug for bug in rig.bugs)
    rig.bugs.clear()
    assert not rig.node.channels.get(1).htlcs
    assert rig.node.channels.get(1).next_local_commitment == before
