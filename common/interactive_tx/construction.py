"""The construction itself: whose turn it is, what was added and removed, and whether the outcome is fair.

The caller feeds what the peer says (`receive`), then says what `next_message` gives, or `complete` where that is
None, until `is_done`; `result` is the transaction. All failures are `NegotiationFailed`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.script import is_p2pkh, is_p2sh, witness_program
from pylightningd.common.ids import ChannelId, Outpoint
from pylightningd.common.interactive_tx import balance
from pylightningd.common.interactive_tx.joint_tx import Spent, sign_first, spent_by
from pylightningd.common.interactive_tx.rules import (
    MAX_ADDS,
    MAX_INPUTS,
    MAX_OUTPUTS,
    MAX_PREVTX_BYTES,
    MAX_SEQUENCE,
    MAX_WEIGHT,
    NegotiationFailed,
)
from pylightningd.common.wire.common_wire import JointFunding, JointInput, JointOutput
from pylightningd.common.wire.peer_wire import (
    TxAddInput,
    TxAddOutput,
    TxComplete,
    TxRemoveInput,
    TxRemoveOutput,
)

MAX_SEGWIT_VERSION = 1
"""Of what the peer's inputs spend."""

Message: TypeAlias = TxAddInput | TxAddOutput | TxRemoveInput | TxRemoveOutput | TxComplete


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What both sides know before they begin."""

    channel_id: ChannelId
    we_are_initiator: bool
    feerate_perkw: int
    locktime: int
    dust_limit: Sat
    """No output is smaller."""
    funding_script: bytes
    our_funding: Sat
    their_funding: Sat
    sign_first_on_tie: bool


@dataclass(slots=True)
class Construction:
    """One negotiation. Everything in it is of this side's view."""

    agreed: Agreed
    inputs: dict[int, JointInput] = field(default_factory=dict)
    """What is in the transaction now, by serial id."""
    outputs: dict[int, JointOutput] = field(default_factory=dict)
    _spent: dict[int, Spent] = field(default_factory=dict)
    _wanted_inputs: dict[int, JointInput] = field(default_factory=dict)
    _wanted_outputs: dict[int, JointOutput] = field(default_factory=dict)
    _sent_complete: bool = False
    _got_complete: bool = False
    _inputs_received: int = 0
    _outputs_received: int = 0

    @property
    def is_done(self) -> bool:
        """Whether both have said tx_complete, one right after the other."""
        return self._sent_complete and self._got_complete

    # ---- our side ---------------------------------------------------------------------------

    def want(self, inputs: Iterable[JointInput], outputs: Iterable[JointOutput]) -> None:
        """All that we want in it from now on, the funding output too where we are to add it."""
        wanted_inputs: dict[int, JointInput] = {}
        wanted_outputs: dict[int, JointOutput] = {}
        points: set[Outpoint] = {
            self._spent[n].outpoint for n, entry in self.inputs.items() if not entry.ours
        }
        for entry in inputs:
            self._check_our_serial_id(entry.serial_id, wanted_inputs)
            self._check_sequence(entry)
            point = spent_by(entry).outpoint
            if point in points:
                raise NegotiationFailed(f"Duplicate input {point}")
            points.add(point)
            wanted_inputs[entry.serial_id] = replace(entry, ours=True)
        for output in outputs:
            self._check_our_serial_id(output.serial_id, wanted_outputs)
            self._check_dust(output)
            wanted_outputs[output.serial_id] = replace(output, ours=True)
        if self.agreed.we_are_initiator and not wanted_inputs:
            raise NegotiationFailed("who opens a channel adds at least one input")
        self._wanted_inputs, self._wanted_outputs = wanted_inputs, wanted_outputs

    def next_message(self) -> Message | None:
        """Our next word, as already done; None where all that we want is there."""
        cid = self.agreed.channel_id
        message = self._next_removal(cid) or self._next_addition(cid)
        if message is not None:
            self._sent_complete = self._got_complete = False
        return message

    def complete(self) -> TxComplete:
        """Our tx_complete."""
        self._sent_complete = True
        return TxComplete(channel_id=self.agreed.channel_id)

    def _next_removal(self, cid: ChannelId) -> Message | None:
        for n, entry in self.inputs.items():
            if entry.ours and self._wanted_inputs.get(n) != entry:
                del self.inputs[n], self._spent[n]
                return TxRemoveInput(channel_id=cid, serial_id=n)
        for n, output in self.outputs.items():
            if output.ours and self._wanted_outputs.get(n) != output:
                del self.outputs[n]
                return TxRemoveOutput(channel_id=cid, serial_id=n)
        return None

    def _next_addition(self, cid: ChannelId) -> Message | None:
        for n, entry in self._wanted_inputs.items():
            if n not in self.inputs:
                self.inputs[n], self._spent[n] = entry, spent_by(entry)
                return TxAddInput(
                    channel_id=cid,
                    serial_id=n,
                    prevtx=entry.prevtx,
                    prevtx_vout=entry.vout,
                    sequence=entry.sequence,
                )
        for n, output in self._wanted_outputs.items():
            if n not in self.outputs:
                self.outputs[n] = output
                return TxAddOutput(
                    channel_id=cid, serial_id=n, sats=output.amount, script=output.script
                )
        return None

    def _check_our_serial_id(self, serial_id: int, known: Container[int]) -> None:
        # BOLT 2, "The `tx_add_input` Message", sender MUST use unique serial ids, even ones as the initiator.
        if serial_id % 2 == int(self.agreed.we_are_initiator) or serial_id in known:
            raise NegotiationFailed(f"serial_id {serial_id} is not one for us to use")

    # ---- the peer's side --------------------------------------------------------------------

    def receive(self, msg: Message) -> None:
        """The peer's word."""
        if msg.channel_id != self.agreed.channel_id:
            raise NegotiationFailed(f"{msg.NAME} with channel_id {msg.channel_id.hex()}")
        if isinstance(msg, TxComplete):
            self._got_complete = True
            return
        self._got_complete = self._sent_complete = False
        if isinstance(msg, TxAddInput):
            self._add_input(msg)
        elif isinstance(msg, TxAddOutput):
            self._add_output(msg)
        else:
            self._remove(msg)

    def _add_input(self, msg: TxAddInput) -> None:
        # BOLT 2, "The `tx_add_input` Message", receiver MUST fail at the 4096th of a negotiation ...
        self._inputs_received += 1
        if self._inputs_received >= MAX_ADDS:
            raise NegotiationFailed(f"Too many `tx_add_input`s received {MAX_ADDS}")
        # ... at a serial_id that is there already or of the wrong parity ...
        self._check_their_serial_id(msg.serial_id, msg.serial_id in self.inputs)
        entry = JointInput(
            serial_id=msg.serial_id,
            ours=False,
            prevtx=msg.prevtx,
            vout=msg.prevtx_vout,
            sequence=msg.sequence,
        )
        # ... a sequence that does not signal replaceability, no segwit output, and one that is spent already.
        self._check_sequence(entry)
        self._check_prevtx_bytes(entry)
        spent = spent_by(entry)
        # Anybody may spend those of later versions, and so stop the transaction for ever; no node relays it either.
        if _segwit_version(spent) > MAX_SEGWIT_VERSION:
            raise NegotiationFailed(f"Input {msg.serial_id} spends an unknown segwit version")
        if any(other.outpoint == spent.outpoint for other in self._spent.values()):
            raise NegotiationFailed(f"Unable to add input {spent.outpoint}: already present")
        self.inputs[entry.serial_id], self._spent[entry.serial_id] = entry, spent
        # The rule is for tx_complete; but nobody needs so many for a while.
        _check_counts(self.inputs, self.outputs)

    def _add_output(self, msg: TxAddOutput) -> None:
        # BOLT 2, "The `tx_add_output` Message", receiver MUST fail at the 4096th of a negotiation, at a serial_id
        # that is there already or of the wrong parity, and below the dust limit (over all bitcoin: no message).
        self._outputs_received += 1
        if self._outputs_received >= MAX_ADDS:
            raise NegotiationFailed(f"Too many `tx_add_output`s received {MAX_ADDS}")
        self._check_their_serial_id(msg.serial_id, msg.serial_id in self.outputs)
        output = JointOutput(
            serial_id=msg.serial_id, ours=False, amount=msg.sats, script=msg.script
        )
        self._check_dust(output)
        # BOLT 2, "The `tx_add_output` Message", receiver MAY fail where script is non-standard.
        if not _is_standard(msg.script):
            raise NegotiationFailed(f"Output {msg.serial_id}: non-standard script")
        self.outputs[output.serial_id] = output
        _check_counts(self.inputs, self.outputs)

    def _remove(self, msg: TxRemoveInput | TxRemoveOutput) -> None:
        # BOLT 2, "The `tx_remove_input` and `tx_remove_output` Messages", receiver MUST fail where the sender did
        # not add it, or it is not there (any more).
        n = msg.serial_id
        self._check_their_serial_id(n, False)
        if isinstance(msg, TxRemoveInput):
            gone = self.inputs.pop(n, None) is not None
            self._spent.pop(n, None)
        else:
            gone = self.outputs.pop(n, None) is not None
        if not gone:
            raise NegotiationFailed(f"No input or output added with serial_id {n}")

    def _check_their_serial_id(self, serial_id: int, known: bool) -> None:
        if serial_id % 2 != int(self.agreed.we_are_initiator):
            raise NegotiationFailed(f"Invalid serial_id rcvd. {serial_id}")
        if known:
            raise NegotiationFailed(f"Duplicate serial_id rcvd. {serial_id}")

    # ---- rules of both sides ----------------------------------------------------------------

    def _check_prevtx_bytes(self, entry: JointInput) -> None:
        """No rule of BOLT 2: 252 inputs with 64 kB each are 16 MB for one channel."""
        before = sum(len(other.prevtx) for other in self.inputs.values() if not other.ours)
        if before + len(entry.prevtx) > MAX_PREVTX_BYTES:
            raise NegotiationFailed(
                f"The transactions that your inputs spend are over {MAX_PREVTX_BYTES} bytes together"
            )

    def _check_sequence(self, entry: JointInput) -> None:
        if entry.sequence > MAX_SEQUENCE:
            raise NegotiationFailed(f"Invalid sequence rcvd. {entry.sequence:#x}")

    def _check_dust(self, output: JointOutput) -> None:
        if output.amount < self.agreed.dust_limit:
            raise NegotiationFailed(
                f"output is dust: {output.amount} is less than {self.agreed.dust_limit}"
            )

    # ---- the outcome ------------------------------------------------------------------------

    def entries(self) -> tuple[tuple[JointInput, ...], tuple[JointOutput, ...]]:
        """All inputs and outputs of now, sorted as in the transaction."""
        inputs = tuple(self.inputs[n] for n in sorted(self.inputs))
        return inputs, tuple(self.outputs[n] for n in sorted(self.outputs))

    def result(self) -> JointFunding:
        """The complete transaction, which is fair to us."""
        assert self.is_done
        agreed = self.agreed
        inputs, outputs = self.entries()
        _check_counts(self.inputs, self.outputs)
        self._check_funding_output()
        for ours in (False, True):
            self._check_balance(ours=ours)
        self._check_weight()
        return JointFunding(
            locktime=agreed.locktime,
            feerate_perkw=agreed.feerate_perkw,
            our_funding=agreed.our_funding,
            their_funding=agreed.their_funding,
            we_sign_first=sign_first(inputs, on_tie=agreed.sign_first_on_tie),
            inputs=inputs,
            outputs=outputs,
        )

    def _funding_output(self) -> JointOutput:
        # BOLT 2, "Funding Composition", on consecutive tx_completes: fail where there is no funding output.
        found = [o for o in self.outputs.values() if o.script == self.agreed.funding_script]
        if not found:
            raise NegotiationFailed("no funding output present")
        if len(found) > 1:
            raise NegotiationFailed("more than one funding output present")
        return found[0]

    def _check_funding_output(self) -> None:
        # BOLT 2, "Funding Composition", on consecutive tx_completes: fail where the funding output is not worth what
        # both sides said together, or is dust.
        output = self._funding_output()
        total = self.agreed.our_funding.sat + self.agreed.their_funding.sat
        if output.amount.sat != total:
            raise NegotiationFailed(
                f"funding output of {output.amount} is not the {total}sat agreed on"
            )
        if output.ours is not self.agreed.we_are_initiator:
            raise NegotiationFailed("the funding output is for the initiator to add")
        self._check_dust(output)

    def _check_balance(self, *, ours: bool) -> None:
        # BOLT 2, "The `tx_complete` Message", receiver MUST fail where the peer puts in less than it takes out, its
        # part of the funding output included, or pays less than the agreed feerate for its share (the initiator's
        # includes the common fields).
        agreed, who = self.agreed, "we" if ours else "they"
        spent = [self._spent[n].output for n, e in self.inputs.items() if e.ours is ours]
        outputs = [o for o in self.outputs.values() if o.ours is ours]
        money_in = sum(o.amount.sat for o in spent)
        change = sum(o.amount.sat for o in outputs if o.script != agreed.funding_script)
        share = agreed.our_funding if ours else agreed.their_funding
        fee = money_in - change - share.sat
        if fee < 0:
            raise NegotiationFailed(
                f"inputs don't cover outputs: {who} put in {money_in}sat, for change {change}sat and funding {share}"
            )
        weight = balance.share_weight(
            [o.script for o in spent],
            [o.script for o in outputs],
            initiator=agreed.we_are_initiator is ours,
            taproot_witness=balance.TAPROOT_WITNESS_WEIGHT,
        )
        least = balance.least_fee(agreed.feerate_perkw, weight)
        if fee < least.sat:
            raise NegotiationFailed(f"fee too low: {who} pay {fee}sat of {least}")

    def _check_weight(self) -> None:
        # BOLT 2, "The `tx_complete` Message", receiver MUST fail over MAX_STANDARD_TX_WEIGHT.
        weight = balance.share_weight(
            [s.output.script for s in self._spent.values()],
            [o.script for o in self.outputs.values()],
            initiator=True,
        )
        if weight > MAX_WEIGHT:
            raise NegotiationFailed(f"transaction of weight {weight} is over {MAX_WEIGHT}")


def _check_counts(inputs: dict[int, JointInput], outputs: dict[int, JointOutput]) -> None:
    # BOLT 2, "The `tx_complete` Message", receiver MUST fail over 252 inputs or 252 outputs.
    if len(inputs) > MAX_INPUTS:
        raise NegotiationFailed(f"Too many inputs. {len(inputs)} > {MAX_INPUTS}")
    if len(outputs) > MAX_OUTPUTS:
        raise NegotiationFailed(f"Too many outputs. {len(outputs)} > {MAX_OUTPUTS}")


def _segwit_version(spent: Spent) -> int:
    program = witness_program(spent.output.script)
    return 0 if program is None else program[0]


def _is_standard(script: bytes) -> bool:
    return witness_program(script) is not None or is_p2pkh(script) or is_p2sh(script)
