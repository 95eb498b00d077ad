"""shutdown that names the output really paid to: CLN's feature 104."""

from __future__ import annotations

from pylightningd.common import features as ft
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from tests.channeld.scenes import CID, add, failures, reach_htlc, reach_normal
from tests.channeld.test_shutdown import close, is_complete
from tests.sim.peers import Pair

OTHER = Outpoint(Txid(b"o" * 32), 7)


def with_feature(pair: Pair) -> Pair:
    bit = ft.encode_features([ft.SHUTDOWN_WRONG_FUNDING | 1])
    for peer in pair.both:
        channel = peer.channel
        channel.our_features = ft.combine_features(channel.our_features, bit)
        channel.their_features = ft.combine_features(channel.their_features, bit)
    return pair


def close_other(pair: Pair) -> list[Outpoint | None]:
    """Alice names another output. Returns what bob's lightningd hears of it."""
    heard: list[Outpoint | None] = []
    answer = pair.bob.master.answer

    def listen(request: Message) -> Message:
        if isinstance(request, cw.ChanneldGotShutdown):
            heard.append(request.wrong_funding)
        return answer(request)

    pair.bob.master.answer = listen  # type: ignore[method-assign]
    pair.say(pair.alice, cw.ChanneldWrongFunding(dbid=1, outpoint=OTHER))
    close(pair, pair.alice)
    pair.settle()
    return heard


def test_the_peer_hears_of_it() -> None:
    pair = with_feature(reach_normal())
    assert close_other(pair) == [OTHER]
    assert all(is_complete(p) for p in pair.both)


def test_without_the_feature_it_is_refused() -> None:
    pair = reach_normal()
    close_other(pair)
    assert "wrong_funding shutdown needs feature 104" in failures(pair.bob)[0].reason


def test_of_a_channel_that_was_used_it_is_refused() -> None:
    pair = with_feature(reach_htlc())
    close_other(pair)
    assert "for used channels" in failures(pair.bob)[0].reason


def test_only_the_opener_may() -> None:
    pair = with_feature(reach_normal())
    pair.say(pair.bob, cw.ChanneldWrongFunding(dbid=1, outpoint=OTHER))
    close(pair, pair.bob)
    pair.settle()
    assert "for channels we opened" in failures(pair.alice)[0].reason


def test_an_htlc_that_no_commitment_covers_yet_is_a_use() -> None:
    pair = with_feature(reach_normal())
    pair.bob.deliver(add().encode())
    script = pair.alice.master.script
    named = pw.ShutdownWrongFunding(txid=OTHER.txid, outnum=OTHER.index)
    shutdown = pw.Shutdown(
        channel_id=CID, scriptpubkey=script, tlvs=pw.ShutdownTlvs(wrong_funding=named)
    )
    pair.bob.deliver(shutdown.encode())
    assert "for used channels" in failures(pair.bob)[0].reason
