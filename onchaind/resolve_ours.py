"""Our own commitment is in a block (BOLT 5, "Unilateral Close Handling: Local Commitment Transaction")."""

from __future__ import annotations

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import bip143_sighash
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.commitment_tx import OutputKind
from pylightningd.common.channel.fees import htlc_success_fee, htlc_timeout_fee
from pylightningd.common.channel.from_wire import commitment_keyset
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel.htlc_tx import remote_sighash_type
from pylightningd.common.channel.keyset import Keyset
from pylightningd.common.ids import Outpoint
from pylightningd.common.keys import BadSignature, sig_to_der, verify_compact
from pylightningd.common.wire.onchaind_wire import Claim
from pylightningd.onchaind import claims
from pylightningd.onchaind.classify import Close
from pylightningd.onchaind.outputs import Label, Output, label_outputs
from pylightningd.onchaind.state import Facts, OutputType, TxKind


class OurCommitment:
    """Turns our commitment's outputs into tracked ones."""

    def __init__(self, facts: Facts, close: Close) -> None:
        assert close.point is not None
        self._facts = facts
        self._number = close.number
        self.keys: Keyset = commitment_keyset(facts.channel, Side.LOCAL, close.point)
        self._signatures: dict[Outpoint, bytes] = {}
        self._timeouts: set[int] = set()
        """Ids of the HTLCs of ours whose output is found."""

    def outputs(self) -> list[Output]:
        """Every output of the commitment, claims included."""
        facts = self._facts
        labels = label_outputs(facts, Side.LOCAL, self.keys, facts.tx, facts.told.htlcs)
        found = [self._output(n, label) for n, label in enumerate(labels)]
        htlcs = [o for o in found if o is not None and o.htlc is not None]
        # BOLT 2, "Committing Updates So Far: `commitment_signed`": one signature for each HTLC output, in
        # their order.
        for output, signature in zip(htlcs, facts.told.htlc_signatures, strict=False):
            self._signatures[output.outpoint] = signature
        for output in htlcs:
            self.claim_htlc(output)
        return [o for o in found if o is not None]

    def _output(self, index: int, label: Label | None) -> Output | None:
        if label is None:
            return None
        facts = self._facts
        output = Output(
            outpoint=Outpoint(facts.txid, index),
            amount=facts.tx.outputs[index].amount,
            height=facts.height,
            made_by=TxKind.OUR_UNILATERAL,
            kind=_KINDS[label.kind],
            witness_script=label.witness_script,
            htlc=label.htlc,
        )
        if label.kind is OutputKind.TO_LOCAL:
            # BOLT 5, "Unilateral Close Handling: Local Commitment Transaction": a node resolves its main output
            # by spending it after its delay.
            output.claim = claims.delayed(facts, output, self._number)
        elif label.htlc is None:
            # The peer's main output, and anchors: nothing for us to do.
            output.ignore(TxKind.SELF, facts.height)
        return output

    def claim_htlc(self, output: Output) -> None:
        """Decide about an HTLC output with what is known now."""
        htlc = output.htlc
        assert htlc is not None
        if htlc.offered_by_us:
            # BOLT 5, "HTLC Output Handling: Local Commitment, Local Offers": by the HTLC-timeout transaction.
            output.claim = self._timeout_tx(output)
        elif htlc.preimage is not None:
            # "Local Commitment, Remote Offers": by the HTLC-success transaction, where the preimage is known.
            output.claim = self._htlc_tx(output, htlc.preimage)
        else:
            output.ignore_at = htlc.cltv_expiry
            output.ignore_kind = TxKind.THEIR_HTLC_TIMEOUT_TO_THEM

    def _timeout_tx(self, output: Output) -> Claim | None:
        """The one that the peer has signed, which also tells which HTLC it is.

        The script of an HTLC that we offered does not say its expiry, so the output may be that of another one of the
        same hash and amount.
        """
        labelled = output.htlc
        assert labelled is not None
        alike = [
            h
            for h in self._facts.told.htlcs
            if h.offered_by_us
            and h.payment_hash == labelled.payment_hash
            and h.amount.to_sat_floor() == labelled.amount.to_sat_floor()
            and h.id not in self._timeouts
        ]
        for htlc in sorted(alike, key=lambda h: h.id != labelled.id):
            output.htlc = htlc
            claim = self._htlc_tx(output, None)
            if claim is not None:
                self._timeouts.add(htlc.id)
                return claim
        output.htlc = labelled
        return None

    def _htlc_tx(self, output: Output, preimage: bytes | None) -> Claim | None:
        """The HTLC transaction with the feerate that the peer has signed; None where no signature fits."""
        signature = self._signatures.get(output.outpoint)
        if signature is None:
            return None
        facts, kind = self._facts, remote_sighash_type(anchors=self._facts.anchors)
        for feerate in facts.told.local_feerates:
            tx = self.unsigned_htlc_tx(output, feerate, success=preimage is not None)
            if tx is None:
                continue
            digest = bip143_sighash(tx, 0, output.witness_script, output.amount, kind)
            try:
                verify_compact(self.keys.other_htlc, digest, signature)
            except BadSignature:
                continue
            der = sig_to_der(signature, kind)
            return claims.local_htlc(facts, output, tx, der, preimage, self._number)
        return None

    def unsigned_htlc_tx(self, output: Output, feerate_perkw: int, *, success: bool) -> Tx | None:
        """As `htlc_tx.make_htlc_tx`, for an output seen on the chain."""
        facts = self._facts
        assert output.htlc is not None
        fee_of = htlc_success_fee if success else htlc_timeout_fee
        fee = fee_of(feerate_perkw, anchors=facts.anchors)
        if fee >= output.amount:
            return None
        return Tx(
            version=2,
            inputs=(TxIn(output.outpoint.txid, output.outpoint.index, b"", facts.csv1),),
            outputs=(TxOut(output.amount - fee, sc.p2wsh(self.delayed_script)),),
            locktime=0 if success else output.htlc.cltv_expiry,
        )

    @property
    def delayed_script(self) -> bytes:
        """Witness script of to_local and of what HTLC transactions pay to."""
        return sc.to_local_script(
            self.keys.revocation, self.keys.owner_delayed, self._facts.ours.to_self_delay
        )

    def second_stage(self, spent: Output, tx: Tx, input_index: int, height: int) -> Output | None:
        """The output of our HTLC transaction, ours after the delay; None where `tx` is not one of ours."""
        # Signed SIGHASH_SINGLE under anchors: the output stands at the input's number.
        if input_index >= len(tx.outputs):
            return None
        paid = tx.outputs[input_index]
        if paid.script != sc.p2wsh(self.delayed_script) or spent.htlc is None:
            return None
        output = Output(
            outpoint=Outpoint(tx.txid(), input_index),
            amount=paid.amount,
            height=height,
            made_by=TxKind.OUR_HTLC_TIMEOUT_TX
            if spent.htlc.offered_by_us
            else TxKind.OUR_HTLC_SUCCESS_TX,
            kind=OutputType.DELAYED_OUTPUT_TO_US,
            witness_script=self.delayed_script,
        )
        output.claim = claims.delayed(self._facts, output, self._number)
        return output


_KINDS = {
    OutputKind.TO_LOCAL: OutputType.DELAYED_OUTPUT_TO_US,
    OutputKind.TO_REMOTE: OutputType.OUTPUT_TO_THEM,
    OutputKind.OWNER_ANCHOR: OutputType.ANCHOR_TO_US,
    OutputKind.OTHER_ANCHOR: OutputType.ANCHOR_TO_THEM,
    OutputKind.OFFERED_HTLC: OutputType.OUR_HTLC,
    OutputKind.RECEIVED_HTLC: OutputType.THEIR_HTLC,
}
