"""One side of the channel on the chain: facts of blocks to onchaind's engine, its plans done (as control/onchaind.py)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.bitcoin.weight import FEERATE_FLOOR_PERKW
from pylightningd.common.channel.commitment_tx import commitment_number_of, funding_sighash
from pylightningd.common.channel.from_wire import commitment_params
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.ids import Outpoint
from pylightningd.common.keys import sig_to_der, sign_compact
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.onchaind.machine import Plan, Resolver, Say
from tests.onchaind.script_check import check_spend
from tests.sim.chain import ToyChain
from tests.sim.chain_master import UPSTREAM_DELTA, ChainMaster, Kept
from tests.sim.claimer import Claimer, Closing
from tests.sim.peers import FUNDING, Peer

REASONABLE_DEPTH = 3


@dataclass
class OnchainSide:
    """What a node keeps and does once the funding output is spent."""

    peer: Peer
    chain: ToyChain
    claimer: Claimer = field(init=False)
    resolver: Resolver | None = None
    epoch: int = 0
    spends: dict[Outpoint, tuple[Tx, int]] = field(default_factory=dict)
    watched: set[Outpoint] = field(default_factory=set)
    to_us: dict[Outpoint, ow.OnchaindToUs] = field(default_factory=dict)
    upstream: dict[int, str] = field(default_factory=dict)
    """What was told to those whom our offered HTLCs serve: "paid" or "failed"."""
    cheating: Kept | None = None
    """The revoked commitment that it broadcast."""
    progress: tuple[ow.OnchainOutput, ...] = ()
    status: str = ""
    resolved: bool = False
    recognised: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        hsmd: Any = self.peer.hsmd
        self.claimer = Claimer(self.name, self.master.row.channel, hsmd.master, self.chain)

    @property
    def name(self) -> str:
        return self.peer.name

    @property
    def master(self) -> ChainMaster:
        assert isinstance(self.peer.master, ChainMaster)
        return self.peer.master

    @property
    def funding(self) -> Outpoint:
        return self.master.row.channel.funding

    def say(self, text: str) -> None:
        """A line of the transcript."""
        self.peer.ladder.append(f"{self.name:>6} {text}")

    # Closing

    def close(self, why: str) -> None:
        """Broadcast our newest commitment, signed by hsmd, which must not refuse."""
        if self.claimer.closing is not None:
            return
        kept = self.master.newest
        hsmd: Any = self.peer.hsmd
        reply = hsmd.master(
            hw.HsmdSignLocalCommitment(dbid=1, number=kept.number, for_chain=True, tx=kept.tx)
        )
        self.say(f"closes with its commitment {kept.number}: {why}")
        self._broadcast(kept, reply.signature)

    def cheat(self, kept: Kept) -> None:
        """Broadcast an old one, signed by whoever has stolen the key."""
        self.cheating = kept
        tx = Tx.parse(kept.tx)
        hsmd: Any = self.peer.hsmd
        static = self.master.row.channel
        channel = hsmd.hsm.node.channel(static.peer_id, 1)
        digest = funding_sighash(tx, self._funding_script(), FUNDING)
        self.say(f"CHEATS with commitment {kept.number}")
        self._broadcast(kept, sign_compact(channel.funding, digest))

    def _funding_script(self) -> bytes:
        static = self.master.row.channel
        return sc.funding_script(
            static.local_basepoints.funding_pubkey, static.remote_basepoints.funding_pubkey
        )

    def _broadcast(self, kept: Kept, signature: bytes) -> None:
        static, tx = self.master.row.channel, Tx.parse(kept.tx)
        witness = sc.funding_witness(
            static.local_basepoints.funding_pubkey,
            sig_to_der(signature, SIGHASH_ALL),
            static.remote_basepoints.funding_pubkey,
            sig_to_der(kept.signature, SIGHASH_ALL),
        )
        fee = Sat(FUNDING.sat - sum(o.amount.sat for o in tx.outputs))
        closing = self.claimer.closing = Closing(tx.with_witness(0, witness), fee)
        self.claimer.push_commitment(closing)

    # Blocks

    def on_block(self, block: tuple[Tx, ...]) -> None:
        """The tip's transactions."""
        height = self.chain.height
        for tx in block:
            for txin in tx.inputs:
                if txin.outpoint == self.funding:
                    self.spends[self.funding] = tx, height
                    self.engage()
                elif txin.outpoint in self.watched:
                    self._spent(txin.outpoint, tx, height)
        if self.resolver is not None:
            self.perform(self.resolver.block(height))
        self.claimer.on_block()

    def on_undo(self, height: int) -> None:
        """The block at this height is gone."""
        gone = [o for o, (_, h) in self.spends.items() if h >= height]
        for outpoint in gone:
            del self.spends[outpoint]
        if self.funding not in self.spends:
            self.resolver = None
            self.watched.clear()
            self.claimer.forget()
            self.to_us.clear()
        elif gone:
            self.engage()

    def restart(self) -> None:
        """onchaind dies and is told anew."""
        if self.resolver is not None:
            self.engage()

    def engage(self) -> None:
        """Tell onchaind all."""
        self.epoch += 1
        self.watched.clear()
        self.claimer.forget()
        told = ow.OnchaindChannel.decode(self._message().encode())
        resolver = self.resolver = Resolver(told)
        self.perform(resolver.start())
        for outpoint, (tx, height) in list(self.spends.items()):
            if outpoint != self.funding:
                self.perform(resolver.spent(tx, height))

    def _message(self) -> ow.OnchaindChannel:
        master = self.master
        row = master.row
        kept = self.cheating or master.newest
        tx, height = self.spends[self.funding]
        hsmd: Any = self.peer.hsmd
        reply = hsmd.master(hw.HsmdGetPerCommitmentPoint(dbid=1, number=kept.number))
        htlcs = master.live_htlcs()
        params = commitment_params(row.channel, Side.REMOTE)
        number = commitment_number_of(tx, params.obscuring_factor)
        if self.cheating is not None:
            htlcs = master.known_htlcs(all_live=True)
        elif number is not None and number < row.revocations_received:
            htlcs = master.known_htlcs()
        assert row.remote_current_point is not None
        return ow.OnchaindChannel(
            epoch=self.epoch,
            channel=row.channel,
            tx=tx.serialize(),
            height=height,
            tip=self.chain.height,
            local_number=kept.number,
            local_point=reply.point,
            local_tx=kept.tx,
            local_feerates=(kept.feerate,)
            if self.cheating
            else tuple(
                sorted({master.local_feerate(), *(f.feerate_perkw for f in master.row.fees)})
            ),
            htlc_signatures=kept.htlc_signatures,
            revocations_received=row.revocations_received,
            signed_remote=row.next_remote_commitment - 1,
            remote_current_point=row.remote_current_point,
            remote_next_point=row.remote_next_point,
            future_remote_point=None,
            shachain=row.shachain,
            local_shutdown_script=row.local_shutdown_script,
            remote_shutdown_script=row.remote_shutdown_script,
            reasonable_depth=REASONABLE_DEPTH,
            min_feerate_perkw=FEERATE_FLOOR_PERKW,
            htlcs=htlcs,
        )

    def _spent(self, outpoint: Outpoint, tx: Tx, height: int) -> None:
        if self.spends.get(outpoint) == (tx, height):
            return
        self.spends[outpoint] = tx, height
        self.claimer.drop(outpoint)
        assert self.resolver is not None
        self.perform(self.resolver.spent(tx, height))

    # Plans

    def perform(self, plans: list[Plan]) -> None:
        """Do what onchaind wants."""
        for plan in plans:
            match plan:
                case Say(level=level, text=text):
                    if level != "debug" or "Resolved" in text or "too small" in text:
                        self.say(f"onchaind {level}: {text}")
                    assert level != "broken" or self.cheating, text
                case ow.OnchaindWatch(outpoints=outpoints):
                    self._watch(outpoints)
                case ow.OnchaindClaims(claims=claims):
                    self.claimer.take(c for c in claims if c.outpoint not in self.spends)
                case ow.OnchaindUnclaim(outpoint=outpoint):
                    self.claimer.drop(outpoint)
                case ow.OnchaindToUs(outpoint=outpoint):
                    self.to_us[outpoint] = plan
                case ow.OnchaindExtractedPreimage(preimage=preimage):
                    self._learn(preimage)
                case ow.OnchaindHtlcGone(id=htlc_id, why=why):
                    self._gone(htlc_id, why)
                case ow.OnchaindProgress(outputs=outputs, status=status):
                    self.progress, self.status = outputs, status
                case ow.OnchaindAllResolved():
                    self.resolved = True
                case ow.OnchaindRecognised(status=status):
                    self.say(f"onchaind: {status}")
                    self.recognised.append(status)

    def _watch(self, outpoints: tuple[Outpoint, ...]) -> None:
        for outpoint in outpoints:
            self.watched.add(outpoint)
            spend = self.chain.spend_of(outpoint)
            if spend is not None and outpoint not in self.spends:
                self._spent(outpoint, *spend)

    def _learn(self, preimage: bytes) -> None:
        """As control/onchaind.py: whom it serves is paid at once."""
        master = self.master
        for key, htlc in list(master.htlcs.items()):
            same = hash_of(preimage) == htlc.payment_hash
            if htlc.offered_by_us and same and htlc.preimage is None:
                master.htlcs[key] = replace(htlc, preimage=preimage)

    def settle_upstream(self) -> None:
        """Pay those upstream whose preimage is known, while their HTLC has not expired."""
        for htlc in self.master.htlcs.values():
            if htlc.offered_by_us and htlc.preimage is not None and htlc.id not in self.upstream:
                late = self.chain.height >= htlc.cltv_expiry + UPSTREAM_DELTA
                self.upstream[htlc.id] = "failed" if late else "paid"

    def _gone(self, htlc_id: int, why: str) -> None:
        htlc = self.master.htlcs.get((True, htlc_id))
        if htlc is not None and htlc.preimage is None and htlc_id not in self.upstream:
            self.say(f"fails HTLC {htlc_id} upstream: {why}")
            self.upstream[htlc_id] = "failed"

    def preimage_known(self, preimage: bytes) -> None:
        """Of an HTLC offered to us, now that the channel is on the chain."""
        if self.resolver is not None:
            self.perform(self.resolver.preimage(preimage))

    # Money

    @property
    def scripts(self) -> tuple[bytes, ...]:
        """Of outputs that are ours alone."""
        payment = self.master.row.channel.local_basepoints.payment
        to_remote = sc.p2wsh(sc.to_remote_anchors_script(payment))
        return self.claimer.script, to_remote, sc.p2wpkh(payment)

    def check_to_us(self) -> None:
        """Every output that pays our channel key was told to the wallet, and hsmd signs for it."""
        mine = self.chain.unspent(self.scripts[1:])
        assert set(mine) <= set(self.to_us), f"{self.name} was not told of its to_remote"
        hsmd: Any = self.peer.hsmd
        payment = self.master.row.channel.local_basepoints.payment
        for outpoint, output in mine.items():
            told = self.to_us[outpoint]
            assert (told.amount, told.script) == (output.amount, output.script)
            if not sc.is_p2wsh(output.script):
                continue
            script = sc.to_remote_anchors_script(payment)
            tx = Tx(2, (TxIn(outpoint.txid, outpoint.index, b"", told.csv),), (TxOut(Sat(1), b""),))
            ask = hw.HsmdSignToRemote(
                dbid=1,
                tx=tx.serialize(),
                input_index=0,
                amount=output.amount,
                witness_script=script,
            )
            signature = sig_to_der(hsmd.master(ask).signature, SIGHASH_ALL)
            check_spend(tx.with_witness(0, (signature, script)), 0, output.script, output.amount)

    def describe(self) -> str:
        """For failures."""
        rows = [f"  {o.kind} {o.amount} {o.claim_kind} -> {o.resolved_by}" for o in self.progress]
        for batch in self.claimer.batches:
            refusal = "" if batch.tx is None else self.claimer.refusals.get(batch.tx.txid(), "")
            for claim in batch.claims:
                rows.append(f"  wants {claim.outpoint} from {claim.first_block}: {refusal}")
        return "\n".join([f"{self.name}: {self.status}", *rows])


def hash_of(preimage: bytes) -> bytes:
    """Its payment hash."""
    return sha256(preimage).digest()
