"""Mutual closing transactions, the negotiated kind and option_simple_close's (BOLT 3)."""

from __future__ import annotations

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import SEQUENCE_FINAL, SEQUENCE_RBF, Tx, TxIn, TxOut
from pylightningd.common.channel.commitment_tx import funding_sighash
from pylightningd.common.ids import Outpoint
from pylightningd.common.keys import sig_to_der


def make_closing_tx(
    funding: Outpoint,
    local_script: bytes,
    remote_script: bytes,
    to_local: Sat,
    to_remote: Sat,
    dust_limit: Sat,
) -> Tx:
    """The transaction that `closing_signed` is about; amounts with the fee taken off already.

    An output below `dust_limit` (of the side that signs) is left out. Raises ValueError where both are.
    """
    # BOLT 3, "Legacy Closing Transaction": each node removes outputs below its own dust limit.
    pairs = ((to_local, local_script), (to_remote, remote_script))
    outputs = [TxOut(amount, script) for amount, script in pairs if amount >= dust_limit]
    return _make(funding, outputs, SEQUENCE_FINAL, 0)


def make_simple_closing_tx(
    funding: Outpoint,
    *,
    closer: TxOut | None,
    closee: TxOut | None,
    locktime: int,
) -> Tx:
    """The transaction that `closing_complete` is about; None for an output that is omitted.

    The fee is off the closer's amount already. Raises ValueError where both are omitted.
    """
    outputs = [_burn_nothing(o) for o in (closer, closee) if o is not None]
    return _make(funding, outputs, SEQUENCE_RBF, locktime)


def _burn_nothing(output: TxOut) -> TxOut:
    # BOLT 3, "Closing Transaction": an OP_RETURN output has the amount 0.
    return TxOut(Sat(0), output.script) if output.script[:1] == sc.OP_RETURN else output


def _make(funding: Outpoint, outputs: list[TxOut], sequence: int, locktime: int) -> Tx:
    if not outputs:
        raise ValueError("a closing transaction needs an output, and both are dust or omitted")
    outputs.sort(key=lambda o: (o.amount.sat, o.script))
    return Tx(
        version=2,
        inputs=(TxIn(funding.txid, funding.index, b"", sequence),),
        outputs=tuple(outputs),
        locktime=locktime,
    )


def closing_sighash(tx: Tx, key1: bytes, key2: bytes, funding_amount: Sat) -> bytes:
    """What both funding keys sign, 32 bytes."""
    return funding_sighash(tx, sc.funding_script(key1, key2), funding_amount)


def signed_closing_tx(tx: Tx, key1: bytes, sig1: bytes, key2: bytes, sig2: bytes) -> Tx:
    """Ready to broadcast, from both funding keys and their compact signatures."""
    der1, der2 = sig_to_der(sig1, SIGHASH_ALL), sig_to_der(sig2, SIGHASH_ALL)
    return tx.with_witness(0, sc.funding_witness(key1, der1, key2, der2))


def closing_tx_weight(local_script: bytes | None, remote_script: bytes | None) -> int:
    """Weight once signed (signatures of 73 bytes with their type), for the outputs that are there."""
    # BOLT 3, "Appendix A: Expected Weights": 41 bytes of input, 222 of witness and 2 of header.
    base = 4 + 1 + 41 + 1 + 4
    for script in (local_script, remote_script):
        if script is not None:
            base += 8 + 1 + len(script)
    return base * 4 + 2 + 222
