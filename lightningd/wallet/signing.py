"""PSBTs that spend our coins: what hsmd needs to know of them, and how they are finished. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pylightningd.common.bitcoin.psbt import Psbt, PsbtError
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.hsmd_wire import HsmdSignWithdrawal, WalletInput
from pylightningd.lightningd.wallet.coin import Coin


def signing_request(
    psbt: Psbt, coins: Iterable[Coin], *, bip86: bool, node_id: NodeId
) -> HsmdSignWithdrawal:
    """Ask hsmd to sign these coins' inputs. `node_id` stands where there is no peer."""
    return HsmdSignWithdrawal(
        inputs=tuple(
            WalletInput(
                outpoint=coin.outpoint,
                amount=coin.amount,
                scriptpubkey=coin.script,
                key_index=coin.key_index,
                bip86=bip86,
                close_dbid=0 if coin.close is None else coin.close.dbid,
                close_peer_id=node_id if coin.close is None else coin.close.peer_id,
                csv_blocks=0 if coin.close is None else coin.close.csv,
            )
            for coin in coins
        ),
        psbt=psbt.to_base64(),
    )


def finalize(psbt: Psbt) -> bool:
    """Finish what has its signatures, our to_remote outputs too. Returns whether all is finished."""
    for n in range(psbt.input_count):
        script = psbt.witness_script(n)
        signatures = psbt.partial_signatures(n)
        if script is not None and len(signatures) == 1 and not psbt.is_input_finalized(n):
            # BOLT 3, "`to_remote` Output": the witness is one signature (and the script); libwally does
            # not know this form.
            psbt.set_final_witness(n, (signatures[0], script))
    try:
        return psbt.finalize()
    except PsbtError:
        return False


def extract(psbt: Psbt) -> Tx:
    """The signed transaction. Raises PsbtError where a signature is missing."""
    if not finalize(psbt):
        raise PsbtError("PSBT not finalizeable")
    return psbt.extract()
