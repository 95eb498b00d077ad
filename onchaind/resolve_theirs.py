"""The peer's commitment is in a block, one it had not revoked
(BOLT 5, "Unilateral Close Handling: Remote Commitment Transaction").

Also for one newer than any we remember, where all we surely have is our balance.
"""

from __future__ import annotations

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import OutputKind
from pylightningd.common.channel.from_wire import commitment_keyset
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.ids import Outpoint
from pylightningd.onchaind import claims
from pylightningd.onchaind.classify import Close
from pylightningd.onchaind.outputs import Label, Output, label_outputs
from pylightningd.onchaind.state import Facts, OutputType, TxKind


class TheirCommitment:
    """Turns the outputs of the peer's commitment into tracked ones."""

    def __init__(self, facts: Facts, close: Close) -> None:
        self._facts = facts
        self._close = close

    def outputs(self) -> list[Output]:
        """Every output that we can explain, claims included."""
        facts, point = self._facts, self._close.point
        if point is None:
            return self._only_ours()
        keys = commitment_keyset(facts.channel, Side.REMOTE, point)
        labels = label_outputs(facts, Side.REMOTE, keys, facts.tx, facts.told.htlcs)
        return [self._output(n, label) for n, label in enumerate(labels) if label is not None]

    def _only_ours(self) -> list[Output]:
        """Our balance: it pays to a key that never changes, so it is found whatever else is unknown."""
        payment = self._facts.channel.local_basepoints.payment
        script = sc.to_remote_anchors_script(payment) if self._facts.anchors else b""
        wanted = sc.p2wsh(script) if script else sc.p2wpkh(payment)
        return [
            self._output(n, Label(OutputKind.TO_REMOTE, script))
            for n, output in enumerate(self._facts.tx.outputs)
            if output.script == wanted
        ]

    def _output(self, index: int, label: Label) -> Output:
        facts = self._facts
        output = Output(
            outpoint=Outpoint(facts.txid, index),
            amount=facts.tx.outputs[index].amount,
            height=facts.height,
            made_by=self._close.tx_kind,
            kind=KINDS[label.kind],
            witness_script=label.witness_script,
            htlc=label.htlc,
        )
        if label.htlc is not None:
            self.claim_htlc(output)
        else:
            # BOLT 5, "Unilateral Close Handling: Remote Commitment Transaction": to_remote is ours without
            # doing anything; to_local is theirs.
            output.ignore(TxKind.SELF, facts.height)
        return output

    def claim_htlc(self, output: Output) -> None:
        """Decide about an HTLC output with what is known now."""
        htlc, point = output.htlc, self._close.point
        assert htlc is not None
        assert point is not None
        if htlc.offered_by_us:
            # BOLT 5, "HTLC Output Handling: Remote Commitment, Local Offers": ours again after it timed out.
            output.claim = claims.remote_htlc(self._facts, output, None, point)
        elif htlc.preimage is not None:
            # "Remote Commitment, Remote Offers": with the preimage.
            output.claim = claims.remote_htlc(self._facts, output, htlc.preimage, point)
        else:
            output.ignore_at = htlc.cltv_expiry
            output.ignore_kind = TxKind.THEIR_HTLC_TIMEOUT_TO_THEM

    def second_stage(
        self, _spent: Output, _tx: Tx, _input_index: int, _height: int
    ) -> Output | None:
        """What their HTLC transactions pay is theirs."""
        return None


KINDS = {
    OutputKind.TO_LOCAL: OutputType.DELAYED_OUTPUT_TO_THEM,
    OutputKind.TO_REMOTE: OutputType.OUTPUT_TO_US,
    OutputKind.OWNER_ANCHOR: OutputType.ANCHOR_TO_THEM,
    OutputKind.OTHER_ANCHOR: OutputType.ANCHOR_TO_US,
    OutputKind.OFFERED_HTLC: OutputType.THEIR_HTLC,
    OutputKind.RECEIVED_HTLC: OutputType.OUR_HTLC,
}
"""For a commitment of the peer's: what it offered is `THEIR_HTLC`."""
