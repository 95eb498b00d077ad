"""The peer broadcast a commitment that it had revoked: we take everything
(BOLT 5, "Revoked Transaction Close Handling").
"""

from __future__ import annotations

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import OutputKind
from pylightningd.common.channel.from_wire import commitment_keyset
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel.keyset import Keyset
from pylightningd.common.ids import Outpoint
from pylightningd.common.secret import Secret
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.onchaind import claims
from pylightningd.onchaind.classify import Close
from pylightningd.onchaind.outputs import Label, Output, label_outputs
from pylightningd.onchaind.resolve_theirs import KINDS
from pylightningd.onchaind.state import Facts, OutputType, TxKind

_DELAYED = b"\x01"


class RevokedCommitment:
    """Turns its outputs, and those of the HTLC transactions after it, into penalties."""

    def __init__(self, facts: Facts, close: Close) -> None:
        assert close.point is not None
        assert close.secret is not None
        self._facts = facts
        self._secret: Secret = close.secret
        self.keys: Keyset = commitment_keyset(facts.channel, Side.REMOTE, close.point)
        self._delayed_script = sc.to_local_script(
            self.keys.revocation, self.keys.owner_delayed, facts.theirs.to_self_delay
        )

    def outputs(self) -> list[Output]:
        """Every output that we can explain, penalties included."""
        facts = self._facts
        labels = label_outputs(facts, Side.REMOTE, self.keys, facts.tx, facts.told.htlcs)
        return [self._output(n, label) for n, label in enumerate(labels) if label is not None]

    def _output(self, index: int, label: Label) -> Output:
        facts = self._facts
        kind = KINDS[label.kind]
        if label.kind is OutputKind.TO_LOCAL:
            kind = OutputType.DELAYED_CHEAT_OUTPUT_TO_THEM
        output = Output(
            outpoint=Outpoint(facts.txid, index),
            amount=facts.tx.outputs[index].amount,
            height=facts.height,
            made_by=TxKind.THEIR_REVOKED_UNILATERAL,
            kind=kind,
            witness_script=label.witness_script,
            htlc=label.htlc,
        )
        if label.kind is OutputKind.TO_LOCAL:
            output.claim = self._penalty(output, _DELAYED)
        elif label.htlc is not None:
            self.claim_htlc(output)
        else:
            output.ignore(TxKind.SELF, facts.height)
        return output

    def claim_htlc(self, output: Output) -> None:
        """By the revocation key, whatever else is known."""
        output.claim = self._penalty(output, self.keys.revocation)

    def _penalty(self, output: Output, selector: bytes) -> Claim:
        # BOLT 5, "Penalty Transactions Weight Calculation": all of it before the cheater's delay is over.
        deadline = output.height + self._facts.theirs.to_self_delay
        rival_from, htlc = deadline, output.htlc
        if htlc is not None:
            # "HTLC Output Handling": the cheater may use its preimage at once, and times its own HTLCs out.
            rival_from = (output.height if htlc.offered_by_us else htlc.cltv_expiry) + 1
        return claims.penalty(output, self._secret, selector, deadline, rival_from)

    def second_stage(self, spent: Output, tx: Tx, input_index: int, height: int) -> Output | None:
        """The output of the cheater's HTLC transaction, which we may take until its delay ends."""
        if input_index >= len(tx.outputs) or spent.htlc is None:
            return None
        paid = tx.outputs[input_index]
        if paid.script != sc.p2wsh(self._delayed_script):
            return None
        output = Output(
            outpoint=Outpoint(tx.txid(), input_index),
            amount=paid.amount,
            height=height,
            made_by=TxKind.OUR_HTLC_FULFILL_TO_THEM
            if spent.htlc.offered_by_us
            else TxKind.THEIR_HTLC_TIMEOUT_TO_THEM,
            kind=OutputType.DELAYED_CHEAT_OUTPUT_TO_THEM,
            witness_script=self._delayed_script,
        )
        output.claim = self._penalty(output, _DELAYED)
        return output
