"""Inputs of the wallet, in a PSBT."""

from __future__ import annotations

from collections.abc import Callable

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.sighash import (
    SIGHASH_ALL,
    bip143_sighash,
    bip341_sighash,
    taproot_tweak,
)
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.keys import (
    pubkey_from_secret,
    schnorr_sign,
    sig_to_der,
    sign_compact,
    taproot_tweak_pubkey,
    taproot_tweak_secret,
    xonly,
)
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.permissions import Refusal


def sign_withdrawal(
    msg: w.HsmdSignWithdrawal, key_for: Callable[[w.WalletInput], Secret]
) -> w.HsmdSignWithdrawalReply:
    """Sign the named inputs and leave all others alone. Raises Refusal or PsbtError."""
    psbt = Psbt.from_base64(msg.psbt)
    places = {psbt.outpoint(n): n for n in range(psbt.input_count)}
    ours: list[tuple[int, w.WalletInput]] = []
    for wallet_input in msg.inputs:
        place = places.get(wallet_input.outpoint)
        if place is None:
            raise Refusal(f"the PSBT does not spend {wallet_input.outpoint}")
        _agree_on_output(psbt, place, wallet_input)
        ours.append((place, wallet_input))
    tx = psbt.unsigned_tx()
    for place, wallet_input in ours:
        _sign_input(psbt, tx, place, wallet_input, key_for(wallet_input))
    return w.HsmdSignWithdrawalReply(psbt=psbt.to_base64())


def _agree_on_output(psbt: Psbt, place: int, wallet_input: w.WalletInput) -> None:
    spent = psbt.spent_output(place)
    known = TxOut(wallet_input.amount, wallet_input.scriptpubkey)
    if spent is None:
        psbt.set_witness_utxo(place, known)
    elif spent != known:
        raise Refusal(f"the PSBT is wrong about what {wallet_input.outpoint} is")


def _sign_input(psbt: Psbt, tx: Tx, place: int, wallet_input: w.WalletInput, key: Secret) -> None:
    script, pubkey = wallet_input.scriptpubkey, pubkey_from_secret(key)
    if sc.is_p2tr(script):
        _sign_taproot(psbt, tx, place, script, key)
        return
    if script == sc.p2wpkh(pubkey):
        code = sc.p2wpkh_script_code(pubkey)
    elif script == sc.p2sh_p2wpkh(pubkey):
        psbt.set_redeem_script(place, sc.p2wpkh(pubkey))
        code = sc.p2wpkh_script_code(pubkey)
    elif wallet_input.close_dbid and script == sc.p2wsh(sc.to_remote_anchors_script(pubkey)):
        code = sc.to_remote_anchors_script(pubkey)
        psbt.set_witness_script(place, code)
    else:
        raise Refusal(f"no key of ours opens {wallet_input.outpoint}")
    sighash = psbt.sighash(place) or SIGHASH_ALL
    digest = bip143_sighash(tx, place, code, wallet_input.amount, sighash)
    signature = sig_to_der(sign_compact(key, digest), sighash)
    if sc.is_p2wsh(script):
        # libwally's finalizer does not know this script.
        psbt.set_final_witness(place, (signature, code))
    else:
        psbt.add_signature(place, pubkey, signature)


def _sign_taproot(psbt: Psbt, tx: Tx, place: int, script: bytes, key: Secret) -> None:
    internal = xonly(pubkey_from_secret(key))
    tweak = taproot_tweak(internal)
    output_key, _ = taproot_tweak_pubkey(internal, tweak)
    if script != sc.p2tr(output_key):
        raise Refusal(f"no key of ours opens input {place}")
    sighash = psbt.sighash(place)
    digest = bip341_sighash(tx, place, _all_spent(psbt), sighash)
    signature = schnorr_sign(taproot_tweak_secret(key, tweak), digest)
    psbt.set_taproot_signature(place, signature + (bytes((sighash,)) if sighash else b""))


def _all_spent(psbt: Psbt) -> list[TxOut]:
    spent: list[TxOut] = []
    for n in range(psbt.input_count):
        output = psbt.spent_output(n)
        if output is None:
            raise Refusal(f"a taproot signature needs to know what input {n} spends")
        spent.append(output)
    return spent
