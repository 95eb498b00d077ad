"""What onchaind knows of one channel: the facts the master told, and what follows from them once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import CommitmentParams
from pylightningd.common.channel.from_wire import commitment_params
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.ids import Txid
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.common.wire.onchaind_wire import OnchaindChannel, OnchainHtlc

FINAL_DEPTH = 100
"""BOLT 5: an output is irrevocably resolved once what resolves it is this deep."""


class TxKind(StrEnum):
    """What a transaction does, in CLN's words."""

    FUNDING_TRANSACTION = "FUNDING_TRANSACTION"
    MUTUAL_CLOSE = "MUTUAL_CLOSE"
    OUR_UNILATERAL = "OUR_UNILATERAL"
    THEIR_UNILATERAL = "THEIR_UNILATERAL"
    UNKNOWN_UNILATERAL = "UNKNOWN_UNILATERAL"
    THEIR_REVOKED_UNILATERAL = "THEIR_REVOKED_UNILATERAL"
    THEIR_HTLC_TIMEOUT_TO_THEM = "THEIR_HTLC_TIMEOUT_TO_THEM"
    THEIR_HTLC_FULFILL_TO_US = "THEIR_HTLC_FULFILL_TO_US"
    OUR_HTLC_TIMEOUT_TO_US = "OUR_HTLC_TIMEOUT_TO_US"
    OUR_HTLC_FULFILL_TO_THEM = "OUR_HTLC_FULFILL_TO_THEM"
    OUR_HTLC_TIMEOUT_TX = "OUR_HTLC_TIMEOUT_TX"
    OUR_HTLC_SUCCESS_TX = "OUR_HTLC_SUCCESS_TX"
    OUR_DELAYED_RETURN_TO_WALLET = "OUR_DELAYED_RETURN_TO_WALLET"
    THEIR_DELAYED_CHEAT = "THEIR_DELAYED_CHEAT"
    OUR_PENALTY_TX = "OUR_PENALTY_TX"
    IGNORING_TINY_PAYMENT = "IGNORING_TINY_PAYMENT"
    SELF = "SELF"
    """Nothing more is needed: the output is its owner's as it stands."""
    UNKNOWN = "UNKNOWN_TXTYPE"


class OutputType(StrEnum):
    """What an output is, in CLN's words."""

    FUNDING_OUTPUT = "FUNDING_OUTPUT"
    OUTPUT_TO_US = "OUTPUT_TO_US"
    DELAYED_OUTPUT_TO_US = "DELAYED_OUTPUT_TO_US"
    OUTPUT_TO_THEM = "OUTPUT_TO_THEM"
    DELAYED_OUTPUT_TO_THEM = "DELAYED_OUTPUT_TO_THEM"
    DELAYED_CHEAT_OUTPUT_TO_THEM = "DELAYED_CHEAT_OUTPUT_TO_THEM"
    OUR_HTLC = "OUR_HTLC"
    THEIR_HTLC = "THEIR_HTLC"
    ANCHOR_TO_US = "ANCHOR_TO_US"
    ANCHOR_TO_THEM = "ANCHOR_TO_THEM"


@dataclass(frozen=True, slots=True)
class Facts:
    """One channel and the transaction that spent its funding output."""

    told: OnchaindChannel
    tx: Tx
    txid: Txid
    ours: CommitmentParams
    theirs: CommitmentParams

    @classmethod
    def of(cls, told: OnchaindChannel) -> Facts:
        """From the master's message."""
        tx = Tx.parse(told.tx)
        told = replace(told, htlcs=_with_shared_preimages(told.htlcs))
        return cls(
            told,
            tx,
            tx.txid(),
            commitment_params(told.channel, Side.LOCAL),
            commitment_params(told.channel, Side.REMOTE),
        )

    @property
    def channel(self) -> ChannelStatic:
        """What never changes."""
        return self.told.channel

    @property
    def anchors(self) -> bool:
        """Whether commitments have anchors."""
        return self.ours.anchors

    @property
    def height(self) -> int:
        """The block that holds the spend."""
        return self.told.height

    @property
    def csv1(self) -> int:
        """nSequence of direct claims of HTLC outputs, and blocks they wait: 1 under anchors."""
        # BOLT 3, "HTLC-Timeout and HTLC-Success Transactions": under option_anchors all but the penalty
        # wait one block.
        return 1 if self.anchors else 0

    def params(self, owner: Side) -> CommitmentParams:
        """Of one side's commitments."""
        return self.ours if owner is Side.LOCAL else self.theirs


def _with_shared_preimages(htlcs: tuple[OnchainHtlc, ...]) -> tuple[OnchainHtlc, ...]:
    """A preimage opens every HTLC of its hash that was offered to us.

    In the offerer's commitment HTLCs alike but for their expiry have the same script, so an output may be taken for
    another of the same hash, one whose preimage nobody has asked for yet.
    """
    known = {
        h.payment_hash: h.preimage
        for h in htlcs
        if h.preimage is not None and not h.offered_by_us and h.live
    }
    return tuple(
        replace(h, preimage=known[h.payment_hash])
        if h.preimage is None and not h.offered_by_us and h.payment_hash in known
        else h
        for h in htlcs
    )
