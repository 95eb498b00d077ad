"""A channel of ALICE (us) and BOB with real keys: commitments of both, and claims signed by hsmd's own core."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_tx import CommitmentTx, OutputKind, funding_sighash
from pylightningd.common.channel.from_wire import commitment_from_wire
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel.htlc_tx import htlc_sighashes, signed_htlc_tx
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.keys import sig_to_der, sign_compact
from pylightningd.common.shachain import MAX_INDEX, Shachain
from pylightningd.common.wire.common_wire import CommitmentContent, CommitmentHtlc
from pylightningd.common.wire.onchaind_wire import Claim, OnchaindChannel, OnchainHtlc
from pylightningd.lightningd.control import claim_tx
from pylightningd.lightningd.wallet.coin import Coin
from pylightningd.onchaind.machine import Plan, Resolver, Say
from tests.hsmd.channels import ALICE, BOB, hsm, static

HEIGHT = 600
SWEEP = sc.p2tr(b"\x02" * 32)
FEERATE = 1000
OUR_SHUTDOWN, THEIR_SHUTDOWN = sc.p2wpkh(b"\x02" * 33), sc.p2wpkh(b"\x03" * 33)


def preimage(n: int) -> bytes:
    return bytes((n,)) * 32


def htlc(
    n: int,
    *,
    ours: bool,
    sat: int = 20_000,
    cltv: int = 700,
    known: bool = False,
    live: bool = True,
) -> OnchainHtlc:
    """HTLC number n with `preimage(n)`; `ours`: we offered it; `known`: we have the preimage."""
    return OnchainHtlc(
        id=n,
        offered_by_us=ours,
        amount=Msat(sat * 1000),
        payment_hash=sha256(preimage(n)).digest(),
        cltv_expiry=cltv,
        preimage=preimage(n) if known else None,
        live=live,
        deadline=0 if ours else cltv,
    )


class Rig:
    """The channel. Bob has revoked his commitments 0 to 4; 5 is his newest; ours is number 3."""

    NUMBER = 3
    REVOKED = 5

    def __init__(self, *, anchors: bool, htlcs: tuple[OnchainHtlc, ...] = ()) -> None:
        self.anchors, self.htlcs = anchors, htlcs
        self.channel = static(ALICE, BOB, 1, anchors=anchors)
        self.hsm = hsm(ALICE, BOB, anchors=anchors)
        self.alice = ALICE.channel(BOB.node_id, 1)
        self.bob = BOB.channel(ALICE.node_id, 1)
        from pylightningd.common.key_derivation import per_commitment_point, per_commitment_secret

        self._point, self._secret = per_commitment_point, per_commitment_secret
        self.ours = self.commitment(Side.LOCAL, self.NUMBER)

    def commitment(self, owner: Side, number: int, feerate: int = FEERATE) -> CommitmentTx:
        """One side's commitment with all the HTLCs in it."""
        seed = self.alice.shaseed if owner is Side.LOCAL else self.bob.shaseed
        content = CommitmentContent(
            number=number,
            feerate_perkw=feerate,
            to_local=Msat(300_000_000),
            to_remote=Msat(300_000_000),
            htlcs=tuple(
                CommitmentHtlc(
                    id=h.id,
                    offered=h.offered_by_us is (owner is Side.LOCAL),
                    amount=h.amount,
                    payment_hash=h.payment_hash,
                    cltv_expiry=h.cltv_expiry,
                )
                for h in self.htlcs
            ),
        )
        return commitment_from_wire(self.channel, owner, self._point(seed, number), content)

    def told(self, tx: Tx, **more: Any) -> OnchaindChannel:
        """What the master says when `tx` has spent the funding output."""
        chain = Shachain()
        for number in range(self.REVOKED):
            secret = self._secret(self.bob.shaseed, number).reveal()
            chain = chain.insert(MAX_INDEX - number, secret)
        key = self.bob_htlc_key(self._point(self.alice.shaseed, self.NUMBER))
        told = OnchaindChannel(
            epoch=1,
            channel=self.channel,
            tx=tx.serialize(),
            height=HEIGHT,
            tip=HEIGHT,
            local_number=self.NUMBER,
            local_point=self._point(self.alice.shaseed, self.NUMBER),
            local_tx=self.ours.tx.serialize(),
            local_feerates=(253, FEERATE),
            htlc_signatures=tuple(sign_compact(key, d) for d in htlc_sighashes(self.ours)),
            revocations_received=self.REVOKED,
            signed_remote=self.REVOKED + 1,
            remote_current_point=self._point(self.bob.shaseed, self.REVOKED),
            remote_next_point=self._point(self.bob.shaseed, self.REVOKED + 1),
            future_remote_point=None,
            shachain=chain.encode(),
            local_shutdown_script=OUR_SHUTDOWN,
            remote_shutdown_script=THEIR_SHUTDOWN,
            reasonable_depth=3,
            min_feerate_perkw=253,
            htlcs=self.htlcs,
        )
        return replace(told, **more)

    def remote_point(self, number: int) -> bytes:
        return self._point(self.bob.shaseed, number)

    def bob_htlc_key(self, point: bytes) -> Any:
        from pylightningd.common.key_derivation import derive_privkey

        return derive_privkey(self.bob.htlc, point)

    def bob_signs(self, tx: Tx) -> bytes:
        """Bob's signature for a transaction that spends the funding output."""
        ours, theirs = self.alice.points.funding_pubkey, self.bob.points.funding_pubkey
        digest = funding_sighash(tx, sc.funding_script(ours, theirs), self.channel.funding_amount)
        return sign_compact(self.bob.funding, digest)

    def their_htlc_tx(self, commitment: CommitmentTx, index: int, secret: bytes | None) -> Tx:
        """Bob's HTLC transaction for an output of his commitment."""
        from pylightningd.common.key_derivation import derive_privkey

        point = self._point(self.bob.shaseed, commitment.number)
        digests = dict(
            zip(
                [n for n, o in enumerate(commitment.outputs) if o.htlc],
                htlc_sighashes(commitment),
                strict=True,
            )
        )
        alice = sign_compact(derive_privkey(self.alice.htlc, point), digests[index])
        own = dict(zip(digests, htlc_sighashes(commitment, SIGHASH_ALL), strict=True))
        bob = sign_compact(derive_privkey(self.bob.htlc, point), own[index])
        return signed_htlc_tx(commitment, index, bob, alice, secret)

    def resolve(self, tx: Tx, **more: Any) -> Recorder:
        """A resolver that has been told of `tx`."""
        return Recorder(Resolver(self.told(tx, **more)))

    # Claims as the master makes them

    def make(self, claim: Claim) -> Tx:
        """Build and sign a claim, with hsmd's own core."""
        return self.make_all([claim])

    def make_all(self, claims: list[Claim]) -> Tx:
        """The same for claims that share a transaction."""
        if claims[0].add_fee:
            made = claim_tx.with_fee_inputs(claims, [COIN], SWEEP, 2000, None)
        elif claims[0].tx:
            made = claim_tx.Made(Tx.parse(claims[0].tx), Sat(0), 0)
        else:
            made = claim_tx.sweep(claims, SWEEP, 2000, None)
        reply: Any = self.hsm.handle(0, claim_tx.sign_request(1, made.tx, claims))
        return claim_tx.signed(
            made.tx, claims, [sig_to_der(s, SIGHASH_ALL) for s in reply.signatures]
        )


COIN = Coin(
    outpoint=Outpoint(Txid(b"w" * 32), 0),
    amount=Sat(100_000),
    script=sc.p2wpkh(b"\x02" * 33),
    key_index=1,
    height=500,
)


class Recorder:
    """A resolver and all it has said."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver
        self.plans: list[Plan] = resolver.start()

    def spent(self, tx: Tx, height: int) -> None:
        self.plans += self.resolver.spent(tx, height)

    def block(self, height: int) -> None:
        self.plans += self.resolver.block(height)

    def preimage(self, raw: bytes) -> None:
        self.plans += self.resolver.preimage(raw)

    def of(self, kind: type) -> list[Any]:
        return [p for p in self.plans if isinstance(p, kind)]

    @property
    def claims(self) -> list[Claim]:
        from pylightningd.common.wire.onchaind_wire import OnchaindClaims

        return [c for msg in self.of(OnchaindClaims) for c in msg.claims]

    def claim(self, kind: str) -> Claim:
        (found,) = [c for c in self.claims if c.kind == kind]
        return found

    @property
    def log(self) -> str:
        return "\n".join(f"{p.level} {p.text}" for p in self.of(Say))


def index_of(commitment: CommitmentTx, kind: OutputKind) -> int:
    found = commitment.output_index(kind)
    assert found is not None
    return found
