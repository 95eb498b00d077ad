"""Tracked outputs: what each is, who may take it and when, and how it was resolved.

Here is also how the outputs of a commitment are recognised: by their scripts, which we can make ourselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import OutputKind
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel.keyset import Keyset
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire.onchaind_wire import Claim, OnchainHtlc
from pylightningd.onchaind.state import Facts, OutputType, TxKind


@dataclass(frozen=True, slots=True)
class Resolution:
    """What resolved an output, in the block at `height`."""

    kind: TxKind
    txid: Txid
    height: int

    def depth(self, tip: int) -> int:
        """Confirmations."""
        return max(0, tip - self.height + 1)


@dataclass(slots=True, kw_only=True)
class Output:
    """One output that somebody has to take, or leave."""

    outpoint: Outpoint
    amount: Sat
    height: int
    """Block that made it."""
    made_by: TxKind
    kind: OutputType
    witness_script: bytes = b""
    htlc: OnchainHtlc | None = None
    claim: Claim | None = None
    claim_kind: TxKind | None = None
    ignore_at: int | None = None
    """Height from which on it counts as resolved if nobody has spent it."""
    ignore_kind: TxKind = TxKind.SELF
    resolved: Resolution | None = None
    is_ignored: bool = False
    """Resolved, but not by a transaction that spends it."""
    gone_told: bool = False

    @property
    def name(self) -> str:
        """For logs."""
        return f"{self.made_by}/{self.kind}"

    def ignore(self, kind: TxKind, height: int) -> None:
        """Count it as resolved by the transaction that made it."""
        self.resolved = Resolution(kind, self.outpoint.txid, height)
        self.is_ignored = True


class Label(NamedTuple):
    """What an output of a commitment is."""

    kind: OutputKind
    witness_script: bytes
    htlc: OnchainHtlc | None = None


def label_outputs(
    facts: Facts, owner: Side, keys: Keyset, tx: Tx, htlcs: tuple[OnchainHtlc, ...]
) -> list[Label | None]:
    """What each output of `owner`'s commitment is; None for one we cannot explain.

    Of HTLCs with the same script and amount the earlier expiry stands first, as BOLT 3 sorts them.
    """
    params = facts.params(owner)
    fixed = {
        script: Label(kind, witness_script)
        for kind, witness_script, script in _balance_scripts(facts, owner, keys)
    }
    by_output = _htlc_scripts(facts, owner, keys, htlcs)
    labels: list[Label | None] = []
    for output in tx.outputs:
        label = fixed.get(output.script)
        if label is None:
            waiting = by_output.get((output.script, output.amount.sat))
            if waiting:
                # More outputs than HTLCs we remember: the script is the same, so is how to take it.
                label = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        labels.append(label)
    assert params.anchors == facts.anchors
    return labels


def _balance_scripts(
    facts: Facts, owner: Side, keys: Keyset
) -> list[tuple[OutputKind, bytes, bytes]]:
    params = facts.params(owner)
    to_local = sc.to_local_script(keys.revocation, keys.owner_delayed, params.to_self_delay)
    found = [(OutputKind.TO_LOCAL, to_local, sc.p2wsh(to_local))]
    if not params.anchors:
        found.append((OutputKind.TO_REMOTE, b"", sc.p2wpkh(keys.other_payment)))
        return found
    to_remote = sc.to_remote_anchors_script(keys.other_payment)
    found.append((OutputKind.TO_REMOTE, to_remote, sc.p2wsh(to_remote)))
    for kind, key in (
        (OutputKind.OWNER_ANCHOR, params.owner_funding_key),
        (OutputKind.OTHER_ANCHOR, params.other_funding_key),
    ):
        script = sc.anchor_script(key)
        found.append((kind, script, sc.p2wsh(script)))
    return found


def _htlc_scripts(
    facts: Facts, owner: Side, keys: Keyset, htlcs: tuple[OnchainHtlc, ...]
) -> dict[tuple[bytes, int], list[Label]]:
    """Labels by output script and amount."""
    found: dict[tuple[bytes, int], list[Label]] = {}
    # The living first among equals of a revoked commitment: somebody waits for them.
    for htlc in sorted(htlcs, key=lambda h: (not h.live, h.cltv_expiry, h.id)):
        if htlc.offered_by_us is (owner is Side.LOCAL):
            kind = OutputKind.OFFERED_HTLC
            script = sc.offered_htlc_script(
                keys.owner_htlc,
                keys.other_htlc,
                keys.revocation,
                htlc.payment_hash,
                anchors=facts.anchors,
            )
        else:
            kind = OutputKind.RECEIVED_HTLC
            script = sc.received_htlc_script(
                keys.owner_htlc,
                keys.other_htlc,
                keys.revocation,
                htlc.payment_hash,
                htlc.cltv_expiry,
                anchors=facts.anchors,
            )
        key = (sc.p2wsh(script), htlc.amount.to_sat_floor().sat)
        found.setdefault(key, []).append(Label(kind, script, htlc))
    return found
