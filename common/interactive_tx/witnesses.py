"""What `tx_signatures` may say of a joint transaction (BOLT 2, "The `tx_signatures` Message")."""

from __future__ import annotations

from hashlib import sha256

from pylightningd.common.bitcoin.hashes import hash160
from pylightningd.common.bitcoin.script import p2wpkh_script_code, witness_program
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL, bip143_sighash, bip341_sighash
from pylightningd.common.bitcoin.tx import Tx, TxOut, parse_witness
from pylightningd.common.errors import WireError
from pylightningd.common.interactive_tx.joint_tx import (
    Witness,
    inputs_of,
    spent_by_all,
    unsigned_tx,
)
from pylightningd.common.interactive_tx.rules import NegotiationFailed
from pylightningd.common.keys import (
    BadSignature,
    InvalidKey,
    der_to_sig,
    schnorr_verify,
    verify_compact,
)
from pylightningd.common.wire.common_wire import JointFunding
from pylightningd.common.wire.peer_wire import TxSignatures

_MAX_WSH_SCRIPT = 3600
_MAX_WSH_ITEMS = 100
_MAX_WSH_ITEM = 80
"""Of standard transactions, as bitcoind relays them."""


def their_witnesses(funding: JointFunding, msg: TxSignatures) -> tuple[Witness, ...]:
    """The peer's witnesses, one for each of its inputs, in their order. Raises NegotiationFailed."""
    tx = unsigned_tx(funding)
    # BOLT 2, "The `tx_signatures` Message", receiver MUST fail where txid is another one, the number of witnesses is
    # not that of the sender's inputs, ...
    if msg.txid != tx.txid():
        raise NegotiationFailed(f"tx_signatures for {msg.txid[::-1].hex()}, not {_name(tx)}")
    indices = inputs_of(funding, ours=False)
    if len(msg.witnesses) != len(indices):
        raise NegotiationFailed(
            f"tx_signatures with {len(msg.witnesses)} witnesses for {len(indices)} inputs"
        )
    spent = [s.output for s in spent_by_all(funding)]
    stacks: list[Witness] = []
    for index, witness in zip(indices, msg.witnesses, strict=True):
        stack = _parse(witness.witness_data, index)
        _check(tx, index, spent, stack)
        stacks.append(stack)
    return tuple(stacks)


def _parse(raw: bytes, index: int) -> Witness:
    try:
        stack = parse_witness(raw)
    except WireError as err:
        raise NegotiationFailed(f"witness of input {index}: {err}") from None
    # ... or a witness is empty ...
    if not stack:
        raise NegotiationFailed(f"witness of input {index} is empty")
    return stack


def _check(tx: Tx, index: int, spent: list[TxOut], stack: Witness) -> None:
    # ... or not standard, or a signature is not SIGHASH_ALL. Where we can tell, it must be valid too.
    program = witness_program(spent[index].script)
    assert program is not None
    try:
        if program[0] == 0 and len(program[1]) == 20:
            _check_wpkh(tx, index, spent[index], program[1], stack)
        elif program[0] == 0 and len(program[1]) == 32:
            _check_wsh(program[1], stack)
        elif program[0] == 1 and len(program[1]) == 32:
            _check_taproot(tx, index, spent, program[1], stack)
        else:
            raise BadSignature(f"segwit version {program[0]} is not standard")
    except (BadSignature, InvalidKey) as err:
        raise NegotiationFailed(
            f"witness of input {index}: {err} (tx {tx.serialize().hex()})"
        ) from None


def _check_wpkh(tx: Tx, index: int, spent: TxOut, key_hash: bytes, stack: Witness) -> None:
    if len(stack) != 2 or len(stack[1]) != 33 or hash160(stack[1]) != key_hash:
        raise BadSignature("not a signature and the key of the output")
    signature = _sighash_all(stack[0])
    digest = bip143_sighash(tx, index, p2wpkh_script_code(stack[1]), spent.amount)
    verify_compact(stack[1], digest, signature)


def _sighash_all(der: bytes) -> bytes:
    signature, flag = der_to_sig(der)
    if flag != SIGHASH_ALL:
        raise BadSignature(f"sighash flag {flag:#x} is not SIGHASH_ALL")
    return signature


def _check_wsh(script_hash: bytes, stack: Witness) -> None:
    *items, script = stack
    if sha256(script).digest() != script_hash:
        raise BadSignature("the last item is not the script of the output")
    if (
        len(script) > _MAX_WSH_SCRIPT
        or len(items) > _MAX_WSH_ITEMS
        or any(len(item) > _MAX_WSH_ITEM for item in items)
    ):
        raise BadSignature("not standard")
    for item in items:
        if _looks_like_signature(item):
            _sighash_all(item)


def _looks_like_signature(item: bytes) -> bool:
    try:
        der_to_sig(item)
    except BadSignature:
        return False
    return True


def _check_taproot(
    tx: Tx, index: int, spent: list[TxOut], output_key: bytes, stack: Witness
) -> None:
    # BIP 341: a last item that begins with 0x50 is an annex, which is not standard; one item is a spend by key.
    if len(stack) > 1:
        if stack[-1][:1] == b"\x50":
            raise BadSignature("an annex is not standard")
        return
    signature = stack[0]
    # The default flag (64 bytes) covers just what SIGHASH_ALL does.
    if len(signature) == 65 and signature[64] == SIGHASH_ALL:
        digest = bip341_sighash(tx, index, spent, SIGHASH_ALL)
    elif len(signature) == 64:
        digest = bip341_sighash(tx, index, spent)
    else:
        raise BadSignature("not a signature with SIGHASH_ALL")
    schnorr_verify(output_key, digest, signature[:64])


def _name(tx: Tx) -> str:
    return tx.txid()[::-1].hex()
