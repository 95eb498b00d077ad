"""The resolver of one channel: chain facts in, plans out. It does nothing itself and keeps nothing.

After a restart or a reorganisation a new one is made and fed the same facts, so whatever it says must be
harmless to hear twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.common.wire.runtime import Message
from pylightningd.onchaind import claims
from pylightningd.onchaind.classify import Close, CloseKind, classify
from pylightningd.onchaind.outputs import Output, Resolution
from pylightningd.onchaind.resolve_ours import OurCommitment
from pylightningd.onchaind.resolve_revoked import RevokedCommitment
from pylightningd.onchaind.resolve_theirs import TheirCommitment
from pylightningd.onchaind.state import FINAL_DEPTH, Facts, OutputType, TxKind
from pylightningd.onchaind.status import progress

_Resolver = OurCommitment | TheirCommitment | RevokedCommitment


@dataclass(frozen=True, slots=True)
class Say:
    """A line for the log."""

    level: str
    text: str


Plan = Message | Say


class Resolver:
    """One channel. Each method returns what follows from one fact."""

    def __init__(self, told: ow.OnchaindChannel) -> None:
        self.facts = Facts.of(told)
        self.dbid = told.channel.dbid
        self.epoch = told.epoch
        self.tip = told.tip
        self.close: Close = classify(self.facts)
        self.outputs: dict[Outpoint, Output] = {}
        self._resolver = self._choose()
        self._missing: list[ow.OnchainHtlc] = []
        self._open_until = 0
        """Before this height HTLCs whose outputs we cannot tell may yet be claimed."""
        self._plans: list[Plan] = []
        self._last_progress: ow.OnchaindProgress | None = None
        self.holds_back = False
        """More facts follow at once: how things stand is told after the last."""
        self._done = False

    def _choose(self) -> _Resolver | None:
        match self.close.kind:
            case CloseKind.OURS:
                return OurCommitment(self.facts, self.close)
            case CloseKind.THEIRS | CloseKind.FUTURE:
                return TheirCommitment(self.facts, self.close)
            case CloseKind.REVOKED:
                return RevokedCommitment(self.facts, self.close)
            case CloseKind.MUTUAL | CloseKind.UNKNOWN:
                return None

    # Facts

    def start(self) -> list[Plan]:
        """The funding output is spent."""
        close = self.close
        self._tell(
            ow.OnchaindRecognised(
                dbid=self.dbid, epoch=self.epoch, status=close.status, number=close.number
            )
        )
        if close.kind in (CloseKind.FUTURE, CloseKind.UNKNOWN):
            self._say("broken", f"{close.status} #{close.number}: {txid_hex(self.facts.txid)}")
        else:
            self._say("debug", f"{close.tx_kind} #{close.number}: {txid_hex(self.facts.txid)}")
        found = [] if self._resolver is None else self._resolver.outputs()
        for output in found:
            self._track(output)
        self._watch(found, self.facts.height)
        self._propose(found)
        for output in found:
            if output.kind is OutputType.OUTPUT_TO_US:
                self._to_us(output)
        with_output = {(o.htlc.offered_by_us, o.htlc.id) for o in found if o.htlc is not None}
        unseen = [
            h
            for h in self.facts.told.htlcs
            if h.live and h.offered_by_us and (True, h.id) not in with_output
        ]
        if close.kind in (CloseKind.FUTURE, CloseKind.UNKNOWN):
            # Of a commitment that we cannot explain nobody can say that an HTLC has no output: the point may be a wrong
            # one, and the peer may yet claim. Who waits upstream is failed in time by the master, at the latest.
            expiry = max((h.cltv_expiry for h in unseen), default=0)
            self._open_until = expiry + self.facts.told.reasonable_depth if unseen else 0
        elif close.point is not None:
            self._missing = unseen
        return self.block(self.tip)

    def spent(self, tx: Tx, height: int) -> list[Plan]:
        """A block holds a transaction that spends something of ours, or the peer's."""
        further: list[Output] = []
        txid = tx.txid()
        for index, txin in enumerate(tx.inputs):
            output = self.outputs.get(txin.outpoint)
            if output is not None and self._on_spent(output, tx, txid, index, height):
                further += self._follow(output, tx, index, height)
        # All that one transaction makes at once: claims of it may share a transaction too.
        self._watch(further, height)
        self._propose(further)
        # After a restart the blocks that made it deep are in the past already.
        return self.block(self.tip)

    def block(self, height: int) -> list[Plan]:
        """The chain is that high now."""
        self.tip = height
        self._tell_missing()
        for output in self.outputs.values():
            self._mature(output)
        return self._flush()

    def preimage(self, preimage: bytes) -> list[Plan]:
        """An HTLC that was offered to us can be claimed."""
        payment_hash = sha256(preimage).digest()
        for output in list(self.outputs.values()):
            htlc = output.htlc
            if htlc is None or htlc.payment_hash != payment_hash:
                continue
            output.htlc = replace(htlc, preimage=preimage)
            # Also one that was given up after its expiry: as long as nobody has spent it, it is worth the try.
            open_still = output.resolved is None or output.is_ignored
            if htlc.offered_by_us or not open_still or output.claim is not None:
                continue
            if isinstance(self._resolver, OurCommitment | TheirCommitment):
                output.resolved, output.is_ignored, output.ignore_at = None, False, None
                self._resolver.claim_htlc(output)
                self._propose([output])
        return self._flush()

    # Outputs

    def _track(self, output: Output) -> None:
        self.outputs[output.outpoint] = output
        self._say("debug", f"Tracking output {output.outpoint}: {output.name}")

    def _watch(self, outputs: list[Output], height: int) -> None:
        """Spends of what is ours alone are the wallet's business, anchors nobody's."""
        wanted = tuple(
            o.outpoint
            for o in outputs
            if o.claim is not None or o.htlc is not None or o.kind in _WATCHED
        )
        if wanted:
            self._tell(
                ow.OnchaindWatch(dbid=self.dbid, epoch=self.epoch, height=height, outpoints=wanted)
            )

    def _propose(self, outputs: list[Output]) -> None:
        """Hand claims to the master."""
        wanted: list[ow.Claim] = []
        for output in outputs:
            claim = output.claim
            if claim is None:
                self._say_unclaimed(output)
                continue
            if not claims.is_worthwhile(claim, self.facts.told.min_feerate_perkw):
                self._say("debug", f"Ignoring output {output.outpoint}: {output.name} is too small")
                output.claim = None
                output.ignore(TxKind.IGNORING_TINY_PAYMENT, output.height)
                continue
            output.claim_kind = TxKind(claim.kind)
            after = claim.first_block - 1
            self._say(
                "debug",
                f"Telling lightningd about {claim.kind} to resolve {output.name}"
                f" after block {after} ({after - output.height} more blocks)",
            )
            wanted.append(claim)
        if wanted:
            self._tell(ow.OnchaindClaims(dbid=self.dbid, epoch=self.epoch, claims=tuple(wanted)))

    def _say_unclaimed(self, output: Output) -> None:
        if output.resolved is not None:
            self._say("debug", f"Ignoring output {output.outpoint}: {output.name}")
        elif output.ignore_at is not None:
            self._say(
                "debug",
                f"Propose ignoring {output.name} as {output.ignore_kind}"
                f" after block {output.ignore_at} ({output.ignore_at - output.height} more blocks)",
            )
        else:
            self._say("broken", f"No signature of the peer fits {output.name} {output.outpoint}")

    def _to_us(self, output: Output) -> None:
        self._tell(
            ow.OnchaindToUs(
                dbid=self.dbid,
                epoch=self.epoch,
                outpoint=output.outpoint,
                amount=output.amount,
                script=self.facts.tx.outputs[output.outpoint.index].script,
                csv=self.facts.csv1,
                height=output.height,
            )
        )

    def _on_spent(self, output: Output, tx: Tx, txid: Txid, index: int, height: int) -> bool:
        """Whether it is news."""
        if output.resolved is not None and not output.is_ignored:
            return False
        witness = tx.inputs[index].witness
        by_us = _is_by_claim(output, witness)
        kind = output.claim_kind if by_us and output.claim_kind else self._foreign_kind(output)
        output.resolved, output.is_ignored = Resolution(kind, txid, height), False
        how = "our proposal " if by_us else ""
        level = "broken" if kind is TxKind.UNKNOWN else "debug"
        self._say(level, f"Resolved {output.name} by {how}{kind} ({txid_hex(txid)})")
        self._tell(ow.OnchaindUnclaim(dbid=self.dbid, epoch=self.epoch, outpoint=output.outpoint))
        if not by_us:
            self._learn(output, witness)
        return True

    def _learn(self, output: Output, witness: tuple[bytes, ...]) -> None:
        """A preimage that the peer has shown is ours to use."""
        # BOLT 5, "HTLC Output Handling: Local Commitment, Local Offers": extract it from the witness.
        htlc = output.htlc
        if htlc is None or not htlc.offered_by_us:
            return
        preimage = find_preimage(witness, htlc.payment_hash)
        if preimage is None:
            return
        self._say("debug", f"{output.name} gave us preimage {preimage.hex()}")
        output.gone_told = True
        self._missing = [h for h in self._missing if h.payment_hash != htlc.payment_hash]
        self._tell(
            ow.OnchaindExtractedPreimage(dbid=self.dbid, epoch=self.epoch, preimage=preimage)
        )

    def _follow(self, output: Output, tx: Tx, index: int, height: int) -> list[Output]:
        """What the spending transaction pays may be ours to take again."""
        if self._resolver is None:
            return []
        further = self._resolver.second_stage(output, tx, index, height)
        if further is None or further.outpoint in self.outputs:
            return []
        self._track(further)
        return [further]

    def _foreign_kind(self, output: Output) -> TxKind:
        """What it means that somebody else took an output."""
        match output.kind:
            case OutputType.OUR_HTLC:
                return TxKind.OUR_HTLC_FULFILL_TO_THEM
            case OutputType.THEIR_HTLC:
                return TxKind.THEIR_HTLC_TIMEOUT_TO_THEM
            case OutputType.DELAYED_CHEAT_OUTPUT_TO_THEM:
                return TxKind.THEIR_DELAYED_CHEAT
            case OutputType.DELAYED_OUTPUT_TO_THEM | OutputType.OUTPUT_TO_THEM:
                return TxKind.SELF
            case OutputType.ANCHOR_TO_US | OutputType.ANCHOR_TO_THEM | OutputType.OUTPUT_TO_US:
                return TxKind.SELF
            case _:
                return TxKind.UNKNOWN

    # Time

    def _tell_missing(self) -> None:
        """HTLCs without an output fail upstream once the commitment is deep enough."""
        # BOLT 5, "HTLC Output Handling: Local Commitment, Local Offers": for a committed HTLC without an output, fail
        # the incoming one once the commitment has reached reasonable depth.
        depth = self.tip - self.facts.height + 1
        if not self._missing or depth < self.facts.told.reasonable_depth:
            return
        self._say("debug", f"Sending {len(self._missing)} missing htlc messages")
        missing, self._missing = self._missing, []
        for htlc in missing:
            self._gone(htlc.id, "missing in commitment tx")

    def _gone(self, htlc_id: int, why: str) -> None:
        self._tell(ow.OnchaindHtlcGone(dbid=self.dbid, epoch=self.epoch, id=htlc_id, why=why))

    def _mature(self, output: Output) -> None:
        """What an output's age brings about."""
        if (
            output.resolved is None
            and output.claim is None
            and output.ignore_at is not None
            and self.tip >= output.ignore_at
        ):
            output.ignore(output.ignore_kind, output.height)
            self._say("debug", f"Ignoring output {output.outpoint}: {output.name}")
        htlc, resolved = output.htlc, output.resolved
        if htlc is None or resolved is None or not htlc.offered_by_us or output.gone_told:
            return
        deep = resolved.depth(self.tip) >= self.facts.told.reasonable_depth
        if output.is_ignored:
            # Too small to claim: only its expiry says that the peer can no longer be paid with it safely.
            deep = self.tip >= htlc.cltv_expiry + self.facts.told.reasonable_depth
        if deep and htlc.live:
            # BOLT 5, "HTLC Output Handling: Local Commitment, Local Offers": once the resolving transaction
            # has reached reasonable depth, fail the incoming HTLC.
            output.gone_told = True
            self._gone(htlc.id, "timed out")

    def _is_done(self) -> bool:
        # BOLT 5, "General Nomenclature": irrevocably resolved means 100 blocks deep.
        if self.tip - self.facts.height + 1 < FINAL_DEPTH or self.tip < self._open_until:
            return False
        return not self._missing and all(
            o.resolved is not None and o.resolved.depth(self.tip) >= FINAL_DEPTH
            for o in self.outputs.values()
        )

    # Speaking

    def _tell(self, msg: Message) -> None:
        self._plans.append(msg)

    def _say(self, level: str, text: str) -> None:
        self._plans.append(Say(level, text))

    def _flush(self) -> list[Plan]:
        if not self.holds_back:
            now = progress(
                self.dbid, self.epoch, self.facts.height, self.tip, list(self.outputs.values())
            )
            if now != self._last_progress:
                self._last_progress = now
                self._tell(now)
        if not self._done and self._is_done():
            self._done = True
            won = tuple(
                o.htlc.id
                for o in self.outputs.values()
                if o.htlc is not None
                and not o.htlc.offered_by_us
                and o.resolved is not None
                and o.resolved.kind in _WON
            )
            self._tell(ow.OnchaindAllResolved(dbid=self.dbid, epoch=self.epoch, won=won))
        plans, self._plans = self._plans, []
        return plans


_WON = (
    TxKind.OUR_HTLC_SUCCESS_TX,
    TxKind.THEIR_HTLC_FULFILL_TO_US,
    TxKind.OUR_PENALTY_TX,
)
"""What takes an HTLC of the peer's for us."""
_WATCHED = (OutputType.DELAYED_CHEAT_OUTPUT_TO_THEM, OutputType.DELAYED_OUTPUT_TO_US)


def find_preimage(witness: tuple[bytes, ...], payment_hash: bytes) -> bytes | None:
    """The preimage in a witness, wherever it stands in it."""
    return next(
        (item for item in witness if len(item) == 32 and sha256(item).digest() == payment_hash),
        None,
    )


def _is_by_claim(output: Output, witness: tuple[bytes, ...]) -> bool:
    """Whether a spend is the claim we proposed: the witness but for our signature is the same."""
    claim = output.claim
    if claim is None:
        return False
    n = len(claim.before)
    return (
        len(witness) == n + len(claim.after) + 2
        and witness[:n] == claim.before
        and witness[n + 1 : -1] == claim.after
        and witness[-1] == claim.witness_script
    )
