"""A funding transaction that both sides made together, from the agreement on it until the channel is locked in. Pure.

Witnesses are kept as `tx_signatures` has them (count of items first), ours and the peer's each in the order in which
that side's inputs stand in the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pylightningd.common.bitcoin.psbt import SERIAL_ID_KEY, Psbt
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut, parse_witness
from pylightningd.common.ids import Outpoint
from pylightningd.common.wire.channeld_wire import ChanneldJointFunding
from pylightningd.common.wire.common_wire import JointFunding, JointInput, JointOutput


class BadSignatures(ValueError):
    """Witnesses that do not fit the funding transaction."""


@dataclass(slots=True, kw_only=True)
class Inflight:
    """See the module. Changed in turns, together with its row."""

    funding: JointFunding
    wallet_signs: bool
    """Our inputs are coins of the wallet, which signs them unasked; else the user or a plugin does."""
    got_commitment: bool = False
    """The peer's signature of our first commitment is durable."""
    ours: tuple[bytes, ...] | None = None
    """Our witnesses; see `may_be_out`."""
    theirs: tuple[bytes, ...] | None = None
    _spent: list[Outpoint] = field(default_factory=list, init=False, repr=False, compare=False)
    """What all inputs spend: read once, for the transactions that they come from may be long."""

    @property
    def is_signed(self) -> bool:
        """Whether our signatures are here."""
        return self.ours is not None

    @property
    def may_be_out(self) -> bool:
        """Whether the peer may have them: then the channel must be remembered. channeld sends them in their turn only."""
        return self.ours is not None and (self.funding.we_sign_first or self.theirs is not None)

    @property
    def is_whole(self) -> bool:
        """Whether all signatures are here."""
        return self.ours is not None and self.theirs is not None

    def places(self, *, ours: bool) -> list[int]:
        """Which inputs one side added."""
        return [n for n, joint in enumerate(self.funding.inputs) if joint.ours is ours]

    def outpoints(self, *, ours: bool) -> list[Outpoint]:
        """What one side's inputs spend."""
        spent = self._all_outpoints()
        return [spent[n] for n in self.places(ours=ours)]

    def _all_outpoints(self) -> list[Outpoint]:
        if not self._spent:
            self._spent = [outpoint_of(joint) for joint in self.funding.inputs]
        return self._spent

    def tx(self) -> Tx:
        """The transaction, with the witnesses that are known."""
        tx = Tx(
            2,
            tuple(
                _unsigned(outpoint, joint.sequence)
                for outpoint, joint in zip(self._all_outpoints(), self.funding.inputs, strict=True)
            ),
            tuple(TxOut(joint.amount, joint.script) for joint in self.funding.outputs),
            self.funding.locktime,
        )
        for place, witness in self._witnesses():
            tx = tx.with_witness(place, witness)
        return tx

    def psbt(self) -> Psbt:
        """The same as a PSBT, with the serial ids."""
        psbt = make_psbt(self.funding.locktime, self.funding.inputs, self.funding.outputs)
        for place, witness in self._witnesses():
            psbt.set_final_witness(place, witness)
        return psbt

    def _witnesses(self) -> list[tuple[int, tuple[bytes, ...]]]:
        known: list[tuple[int, tuple[bytes, ...]]] = []
        for ours, witnesses in ((True, self.ours), (False, self.theirs)):
            if witnesses is not None:
                places = self.places(ours=ours)
                known += [(n, parse_witness(raw)) for n, raw in zip(places, witnesses, strict=True)]
        return known

    def our_witnesses(self, psbt: Psbt) -> tuple[bytes, ...]:
        """Out of a PSBT of the same transaction that is finished where it is ours. Raises BadSignatures."""
        if psbt.unsigned_tx().txid() != self.tx().txid():
            raise BadSignatures("the PSBT is of another transaction")
        at = {psbt.outpoint(n): n for n in range(psbt.input_count)}
        witnesses: list[bytes] = []
        for outpoint in self.outpoints(ours=True):
            stack = psbt.final_witness(at[outpoint])
            if not stack:
                raise BadSignatures("Local PSBT input(s) not finalized")
            witnesses.append(TxIn(outpoint.txid, outpoint.index, witness=stack).serialize_witness())
        return tuple(witnesses)

    def message(self, dbid: int) -> ChanneldJointFunding:
        """For the worker."""
        return ChanneldJointFunding(
            dbid=dbid,
            funding=self.funding,
            got_commitment=self.got_commitment,
            got_signatures=self.theirs is not None,
            signed=self.is_signed,
            witnesses=self.ours or (),
        )


def outpoint_of(joint: JointInput) -> Outpoint:
    """What an input spends."""
    return Outpoint(Tx.parse(joint.prevtx).txid(), joint.vout)


def _unsigned(outpoint: Outpoint, sequence: int) -> TxIn:
    return TxIn(outpoint.txid, outpoint.index, sequence=sequence)


def make_psbt(
    locktime: int, inputs: tuple[JointInput, ...], outputs: tuple[JointOutput, ...]
) -> Psbt:
    """A PSBT of what both sides have put in so far, in the order of the serial ids."""
    psbt = Psbt.new(locktime=locktime)
    for joint in sorted(inputs, key=lambda i: i.serial_id):
        previous = Tx.parse(joint.prevtx)
        n = psbt.add_input(
            Outpoint(previous.txid(), joint.vout),
            sequence=joint.sequence,
            utxo=previous.outputs[joint.vout],
            previous_tx=previous,
        )
        psbt.set_input_field(n, SERIAL_ID_KEY, joint.serial_id.to_bytes(8, "big"))
    for joint_output in sorted(outputs, key=lambda o: o.serial_id):
        n = psbt.add_output(TxOut(joint_output.amount, joint_output.script))
        psbt.set_output_field(n, SERIAL_ID_KEY, joint_output.serial_id.to_bytes(8, "big"))
    return psbt
