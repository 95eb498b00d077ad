"""Build a commitment transaction (BOLT 3, "Commitment Transaction Construction").

One call, `make_commitment`, for everybody: channeld to check and send signatures, hsmd to make them,
onchaind to recognise outputs. The HTLC transactions that spend it are in `htlc_tx`.

`owner` is whose commitment it is, `other` the other party; see `keyset`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.compact_size import with_length
from pylightningd.common.bitcoin.hashes import ripemd160, sha256d
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.dust import offered_threshold, received_threshold
from pylightningd.common.channel.fees import ANCHOR_AMOUNT, commitment_cost
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.keyset import Keyset
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.keys import sig_to_der


class OutputKind(Enum):
    """What an output of a commitment is."""

    TO_LOCAL = "to_local"
    """The owner's, delayed."""
    TO_REMOTE = "to_remote"
    """The other party's."""
    OWNER_ANCHOR = "owner_anchor"
    OTHER_ANCHOR = "other_anchor"
    OFFERED_HTLC = "offered_htlc"
    """Offered by the owner."""
    RECEIVED_HTLC = "received_htlc"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentParams:
    """What stays the same for all commitments of one side of a channel (until a splice)."""

    funding: Outpoint
    funding_amount: Sat
    owner_funding_key: bytes
    other_funding_key: bytes
    owner_is_opener: bool
    to_self_delay: int
    """Blocks the owner must wait: the delay that the *other* party demanded."""
    dust_limit: Sat
    """The owner's."""
    anchors: bool
    obscuring_factor: int
    """`keyset.obscuring_factor`."""


@dataclass(frozen=True, slots=True)
class CommitmentOutput:
    """One output: what it is, its HTLC if it is one, and the script that spends it."""

    kind: OutputKind
    amount: Sat
    witness_script: bytes
    """Empty for a to_remote that is a plain p2wpkh."""
    htlc: Htlc | None = None


@dataclass(frozen=True, slots=True)
class CommitmentTx:
    """A commitment transaction without its witness, and what each output is."""

    params: CommitmentParams
    keys: Keyset
    number: int
    feerate_perkw: int
    tx: Tx
    txid: Txid
    outputs: tuple[CommitmentOutput, ...]
    """In the order of the transaction's outputs."""

    @property
    def htlc_map(self) -> tuple[Htlc | None, ...]:
        """The HTLC of each output, None where it is none."""
        return tuple(o.htlc for o in self.outputs)

    @property
    def untrimmed(self) -> tuple[Htlc, ...]:
        """The HTLCs that have an output, in the order their signatures are sent."""
        return tuple(o.htlc for o in self.outputs if o.htlc is not None)

    @property
    def fee(self) -> Sat:
        """What the transaction really pays, trimmed outputs and rounding included."""
        return Sat(self.params.funding_amount.sat - sum(o.amount.sat for o in self.outputs))

    def output_index(self, kind: OutputKind) -> int | None:
        """Where the (first) output of a kind stands."""
        return next((n for n, o in enumerate(self.outputs) if o.kind is kind), None)

    def sighash(self) -> bytes:
        """What both parties sign with their funding keys, 32 bytes."""
        return funding_sighash(
            self.tx,
            sc.funding_script(self.params.owner_funding_key, self.params.other_funding_key),
            self.params.funding_amount,
        )

    def signed(self, owner_sig: bytes, other_sig: bytes) -> Tx:
        """Ready to broadcast, from both compact signatures."""
        return self.tx.with_witness(
            0,
            sc.funding_witness(
                self.params.owner_funding_key,
                sig_to_der(owner_sig, SIGHASH_ALL),
                self.params.other_funding_key,
                sig_to_der(other_sig, SIGHASH_ALL),
            ),
        )


def funding_sighash(tx: Tx, script: bytes, amount: Sat) -> bytes:
    """Digest for a transaction whose single input spends a funding output (commitment or closing)."""
    txin = tx.inputs[0]
    sequence = struct.pack("<I", txin.sequence)
    return sha256d(
        struct.pack("<I", tx.version)
        + sha256d(txin.prevout())
        + sha256d(sequence)
        + txin.prevout()
        + with_length(script)
        + struct.pack("<Q", amount.sat)
        + sequence
        + sha256d(b"".join([o.serialize() for o in tx.outputs]))
        + struct.pack("<II", tx.locktime, SIGHASH_ALL)
    )


def obscured_fields(number: int, obscuring_factor: int) -> tuple[int, int]:
    """Locktime and sequence of the commitment with this number."""
    # BOLT 3, "Commitment Transaction": lower 24 bits in the locktime, upper 24 in the sequence.
    hidden = number ^ obscuring_factor
    return 0x20000000 | hidden & 0xFFFFFF, 0x80000000 | hidden >> 24


def commitment_number_of(tx: Tx, obscuring_factor: int) -> int | None:
    """The number of a commitment seen on chain; None where its fields do not look like one."""
    if len(tx.inputs) != 1:
        return None
    sequence = tx.inputs[0].sequence
    if tx.locktime >> 24 != 0x20 or sequence >> 24 != 0x80:
        return None
    return ((sequence & 0xFFFFFF) << 24 | tx.locktime & 0xFFFFFF) ^ obscuring_factor


# (amount in sat, script, cltv, kind, witness script, htlc); the first three are the sort key.
_Row = tuple[int, bytes, int, OutputKind, bytes, "Htlc | None"]


def make_commitment(
    params: CommitmentParams, keys: Keyset, number: int, spec: CommitmentSpec
) -> CommitmentTx:
    """The commitment with this number that says what `spec` says."""
    htlc_rows = _htlc_rows(params, keys, spec)
    to_owner, to_other = _balances_after_fees(params, spec, len(htlc_rows))
    rows = htlc_rows
    # BOLT 3, "Trimmed Outputs": a balance below the owner's dust limit has no output.
    has_owner = to_owner >= params.dust_limit.sat
    has_other = to_other >= params.dust_limit.sat
    any_htlc = bool(htlc_rows)
    if has_owner:
        script = sc.to_local_script(keys.revocation, keys.owner_delayed, params.to_self_delay)
        rows.append((to_owner, sc.p2wsh(script), 0, OutputKind.TO_LOCAL, script, None))
    if has_other:
        rows.append(_to_remote_row(params, keys, to_other))
    if params.anchors:
        # BOLT 3, "`to_local_anchor` and `to_remote_anchor` Output (option_anchors)": an anchor goes
        # with its balance output, and both are there when there is any HTLC.
        if has_owner or any_htlc:
            rows.append(_anchor_row(params.owner_funding_key, OutputKind.OWNER_ANCHOR))
        if has_other or any_htlc:
            rows.append(_anchor_row(params.other_funding_key, OutputKind.OTHER_ANCHOR))
    # BOLT 3, "Transaction Output Ordering": by amount, script and, for HTLCs alike, expiry.
    rows.sort(key=_sort_key)
    locktime, sequence = obscured_fields(number, params.obscuring_factor)
    tx = Tx(
        version=2,
        inputs=(TxIn(params.funding.txid, params.funding.index, b"", sequence),),
        outputs=tuple([TxOut(Sat(row[0]), row[1]) for row in rows]),
        locktime=locktime,
    )
    outputs = tuple([CommitmentOutput(row[3], Sat(row[0]), row[4], row[5]) for row in rows])
    return CommitmentTx(params, keys, number, spec.feerate_perkw, tx, tx.txid(), outputs)


def _sort_key(row: _Row) -> tuple[int, bytes, int]:
    return row[:3]


def _balances_after_fees(
    params: CommitmentParams, spec: CommitmentSpec, untrimmed: int
) -> tuple[int, int]:
    """Owner's and other's balance in whole sat, the opener's less fee and anchors (not below zero)."""
    cost = commitment_cost(spec.feerate_perkw, untrimmed, anchors=params.anchors).sat
    to_owner = spec.to_owner.msat // 1000
    to_other = spec.to_other.msat // 1000
    # BOLT 3, "Fee Payment": base fee and anchors come out of the funder's amount.
    if params.owner_is_opener:
        return max(0, to_owner - cost), to_other
    return to_owner, max(0, to_other - cost)


def _to_remote_row(params: CommitmentParams, keys: Keyset, amount_sat: int) -> _Row:
    if params.anchors:
        script = sc.to_remote_anchors_script(keys.other_payment)
        return (amount_sat, sc.p2wsh(script), 0, OutputKind.TO_REMOTE, script, None)
    return (amount_sat, sc.p2wpkh(keys.other_payment), 0, OutputKind.TO_REMOTE, b"", None)


def _anchor_row(funding_key: bytes, kind: OutputKind) -> _Row:
    script = sc.anchor_script(funding_key)
    return (ANCHOR_AMOUNT.sat, sc.p2wsh(script), 0, kind, script, None)


def _htlc_rows(params: CommitmentParams, keys: Keyset, spec: CommitmentSpec) -> list[_Row]:
    """One row for each HTLC that is not trimmed. A hot loop: amounts are plain ints."""
    anchors = params.anchors
    rate = spec.feerate_perkw
    offered_least = offered_threshold(params.dust_limit, rate, anchors=anchors).sat
    received_least = received_threshold(params.dust_limit, rate, anchors=anchors).sat
    head, offered_mid, offered_tail, received_mid, received_tail = sc.htlc_script_parts(
        keys.owner_htlc, keys.other_htlc, keys.revocation, anchors=anchors
    )
    offered_head, received_head = head + offered_mid, head + received_mid
    received_end = sc.received_end(anchors=anchors)
    owner = spec.owner
    rows: list[_Row] = []
    for htlc in spec.htlcs:
        amount_sat = htlc.amount.msat // 1000
        if htlc.offerer is owner:
            if amount_sat < offered_least:
                continue
            kind = OutputKind.OFFERED_HTLC
            script = offered_head + ripemd160(htlc.payment_hash) + offered_tail
        else:
            if amount_sat < received_least:
                continue
            kind = OutputKind.RECEIVED_HTLC
            script = (
                received_head + ripemd160(htlc.payment_hash) + received_tail
                + sc.push_number(htlc.cltv_expiry) + received_end
            )  # fmt: skip
        output = b"\x00\x20" + sha256(script).digest()
        rows.append((amount_sat, output, htlc.cltv_expiry, kind, script, htlc))
    return rows
