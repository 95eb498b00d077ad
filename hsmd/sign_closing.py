"""The signature that closes a channel by agreement (BOLT 2, "Channel Close")."""

from __future__ import annotations

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import commitment_number_of, funding_sighash
from pylightningd.common.keys import sign_compact
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.channel import Channel
from pylightningd.hsmd.permissions import Refusal


def sign_mutual_close(channel: Channel, msg: w.HsmdSignMutualClose) -> w.HsmdSignMutualCloseReply:
    """Sign a closing transaction. Raises Refusal for anything that could be a commitment."""
    facts = channel.facts
    tx = Tx.parse(msg.tx)
    facts.check_spends_one_output(tx)
    if commitment_number_of(tx, facts.obscuring_factor) is not None:
        raise Refusal("this closing transaction looks like a commitment")
    digest = funding_sighash(tx, facts.funding_script, facts.static.funding_amount)
    return w.HsmdSignMutualCloseReply(signature=sign_compact(channel.secrets.funding, digest))
