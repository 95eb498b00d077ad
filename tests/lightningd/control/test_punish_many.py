"""A revoked commitment with 483 HTLCs in each direction: everything is taken, by few transactions."""

from __future__ import annotations

from bench.punish import EACH_WAY, make_rig, punish
from pylightningd.common.channel.htlc_states import Side


def test_all_of_it_is_taken() -> None:
    rig = make_rig()
    tx = rig.commitment(Side.REMOTE, 2, feerate=253).tx
    node, _ = punish(rig, rig.told(tx).encode())
    taken = [txin.outpoint for sent in node.sent for txin in sent.inputs]
    assert len(taken) == len(set(taken)) == 2 * EACH_WAY + 1
    assert len(node.sent) <= 12
    assert all(sent.weight() < 100_000 for sent in node.sent)
