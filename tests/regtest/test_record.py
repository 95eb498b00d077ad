"""Records of real nodes: whatever a channel went through, a fresh machine fed the same wants the same."""

from __future__ import annotations

import stat
from pathlib import Path

from pylightningd.common.record import Kind
from tests.regtest.network import NodeFactory
from tests.regtest.sending import send
from tests.regtest.waiting import wait_for
from tools.replay_core import Story, replay


def check_record(path: Path) -> str:
    """Replay a file and compare; returns the kind of its daemon."""
    story = Story.load(path)
    for done in replay(story):
        assert done.error is None, (path.name, done)
        assert not done.differs, (path.name, done.number, done.frame, done.effects)
    return story.daemon.partition("-")[0]


def test_a_whole_life_is_replayed(node_factory: NodeFactory) -> None:
    """Two channels are opened, used, repriced and closed, one by agreement and one alone."""
    options = {
        "dev-record": True,
        "dev-no-reconnect": False,
        "dev-fast-reconnect": True,
        "force-feerates": "1000",
    }
    l1, l2 = node_factory.make_many(2, options)
    node_factory.open_channel(l1, l2, push_msat=300_000_000)
    send(l1, l2, amount_msat=10_000_000)
    send(l2, l1, amount_msat=20_000_000)
    l1.options["force-feerates"] = "2000"
    l1.restart()
    for node in (l1, l2):
        wait_for(
            lambda n=node: (
                n.channels()[0].get("reestablished") and n.channels()[0]["feerate"]["perkw"] > 1500
            ),
            "the new feerate",
        )
    send(l1, l2, amount_msat=30_000_000)
    l1.rpc("close", id=l2.id)
    node_factory.mine(1, wait_for_mempool=1)
    for node in (l1, l2):
        wait_for(lambda n=node: n.channel_states() == ["ONCHAIN"], "the mutual close")
    txid = l1.rpc("fundchannel", id=l2.id, amount=500_000, push_msat=100_000_000)["txid"]
    node_factory.mine(1, wait_for_mempool=txid)
    node_factory.wait_normal(l1, l2, txid)
    channel_id = node_factory.channel(l1, l2, txid)["channel_id"]
    l2.stop()
    l1.rpc("close", id=channel_id, unilateraltimeout=1)
    l2.start()
    node_factory.mine(1, wait_for_mempool=1)
    for node in (l1, l2):
        wait_for(lambda n=node: n.channel_states() == ["ONCHAIN"] * 2, "the unilateral close")
    for node in (l1, l2):
        files = sorted((node.folder / "regtest" / "record").iterdir())
        assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
        kinds = [check_record(f) for f in files]
        assert set(kinds) == {"openingd", "channeld", "closingd", "onchaind"}
        story = next(s for s in map(Story.load, files) if s.daemon.startswith("channeld"))
        assert any(f.kind is Kind.REPLY for f, _ in story.steps)
