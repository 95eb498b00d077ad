"""Hook commitment_revocation: what watchtowers are given for each commitment that the peer has revoked.

The revoked commitment is rebuilt from the channel as it is before the revocation counts: what our last
commitment_signed changed is taken back. Nothing is kept for it, and nothing is done where no plugin asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import FEERATE_FLOOR_PERKW
from pylightningd.common.channel.commitment_spec import Balances, make_spec
from pylightningd.common.channel.commitment_tx import CommitmentTx, OutputKind, make_commitment
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.from_wire import commitment_keyset, commitment_params
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Event, HtlcState, Side, next_state_on
from pylightningd.common.ids import txid_hex
from pylightningd.common.keys import sig_to_der
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

HOOK = "commitment_revocation"
_SIGHASH_ALL = 1
_SIGNER_PENALTY = 4
_BY_REVOCATION = b"\1"
"""Chooses the branch of a to_local script that the revocation key opens."""
_SIGNATURE_BYTES = 73
_BEFORE_OUR_COMMIT = {
    after: state
    for state in HtlcState
    if (after := next_state_on(state, Event.SENT_COMMIT)) is not None
}


def revoked_commitment(channel: Channel) -> CommitmentTx:
    """The peer's commitment that it is revoking: call before the channel hears of that.

    There is one commitment of the peer after it, which our last commitment_signed made.
    """
    static = channel.static
    opener = Side.LOCAL if static.we_are_opener else Side.REMOTE
    fees = FeeStates(
        opener, tuple((_before(HtlcState(f.state)), f.feerate_perkw) for f in channel.fees)
    )
    spec = make_spec(
        Side.REMOTE,
        Balances(channel.to_local, channel.to_remote),
        [_htlc_before(htlc) for htlc in channel.htlcs.values()],
        fees,
    )
    return make_commitment(
        commitment_params(static, Side.REMOTE),
        commitment_keyset(static, Side.REMOTE, channel.remote_current_point),
        channel.revocations_received,
        spec,
    )


def _before(state: HtlcState) -> HtlcState:
    return _BEFORE_OUR_COMMIT.get(state, state)


def _htlc_before(htlc: LiveHtlc) -> Htlc:
    return Htlc(
        id=htlc.id,
        offerer=Side.LOCAL if htlc.offered_by_us else Side.REMOTE,
        amount=htlc.amount,
        payment_hash=htlc.payment_hash,
        cltv_expiry=htlc.cltv_expiry,
        state=_before(htlc.state),
        preimage=htlc.preimage,
    )


def unsigned_penalty(commitment: CommitmentTx, script: bytes, feerate_perkw: int, dust: Sat) -> Tx:
    """Takes the peer's own balance of a revoked commitment. Raises ValueError where there is too little to take.

    `dust`: our dust limit. As in CLN: where the feerate leaves only dust, the lowest that nodes pass on is paid.
    """
    index = commitment.output_index(OutputKind.TO_LOCAL)
    amount = Sat(0) if index is None else commitment.outputs[index].amount
    if index is None or amount <= dust:
        raise ValueError("there is no non-dust to_them output in the commitment")
    tx = Tx(
        2, (TxIn(commitment.txid, index, b"", 0xFFFFFFFF),), (TxOut(amount, script),), locktime=0
    )
    signature = bytes(_SIGNATURE_BYTES)
    weight = _signed(tx, signature, commitment.outputs[index].witness_script).weight()
    fee = feerate_perkw * weight // 1000
    if amount.sat < dust.sat + fee:
        fee = FEERATE_FLOOR_PERKW * weight // 1000
    return Tx(2, tx.inputs, (TxOut(amount - Sat(fee), script),), locktime=0)


def _signed(tx: Tx, signature: bytes, witness_script: bytes) -> Tx:
    return tx.with_witness(0, (signature, _BY_REVOCATION, witness_script))


class Revocations:
    """Calls the hook."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def revoking(self, channel: Channel, secret: Secret) -> None:
        """The peer revokes its commitment; the channel does not know it yet. Inside a turn."""
        node = self._node
        if not node.plugins.has_hook(HOOK):
            return
        commitment = revoked_commitment(channel)
        node.turn.after_commit(
            lambda: node.attempt(
                self._tell(channel, commitment, secret),
                f"{HOOK} of {channel.channel_id.hex()} #{commitment.number}",
            )
        )

    async def _tell(self, channel: Channel, commitment: CommitmentTx, secret: Secret) -> None:
        node = self._node
        feerate = node.chain.feerates.get("penalty") or FEERATE_FLOOR_PERKW
        script = node.wallet.script_of(channel.final_key_index)
        try:
            tx = unsigned_penalty(
                commitment, script, feerate, channel.static.local_config.dust_limit
            )
        except ValueError as why:
            node.log(
                "debug",
                f"Cannot create penalty transaction because {why}",
                peer_id=channel.peer_id,
                dbid=channel.dbid,
            )
            return
        output = commitment.outputs[tx.inputs[0].index]
        await node.hsm.ask(hw.HsmdSetupChannel(channel=channel.static))
        reply = await node.hsm.ask(
            hw.HsmdSignClaims(
                dbid=channel.dbid,
                tx=tx.serialize(),
                inputs=(
                    hw.ClaimInput(
                        input_index=0,
                        amount=output.amount,
                        witness_script=output.witness_script,
                        signer=_SIGNER_PENALTY,
                        commitment_number=commitment.number,
                        point=None,
                        revocation_secret=secret,
                    ),
                ),
            )
        )
        signature = sig_to_der(reply.signatures[0], _SIGHASH_ALL)
        await node.plugins.call_hook(
            HOOK,
            {
                "commitment_txid": txid_hex(commitment.txid),
                "penalty_tx": _signed(tx, signature, output.witness_script).serialize().hex(),
                "channel_id": channel.channel_id.hex(),
                "commitnum": commitment.number,
            },
        )
