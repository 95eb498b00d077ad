"""The toy lightningd with what it needs once the channel is on the chain, and with what a cheater would keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from pylightningd.channeld import rows
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire.onchaind_wire import OnchainHtlc
from tests.sim.toy_master import Key, ToyMaster


@dataclass(frozen=True)
class Kept:
    """One of our commitments as the peer signed it."""

    number: int
    tx: bytes
    signature: bytes
    htlc_signatures: tuple[bytes, ...]
    feerate: int


@dataclass
class ChainMaster(ToyMaster):
    """Remembers its newest commitment, as it must, and all older ones, as it should not."""

    kept: list[Kept] = field(default_factory=list)
    dead: dict[Key, cw.Htlc] = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)

    @property
    def opener(self) -> Side:
        """Who pays for the commitments."""
        return Side.LOCAL if self.row.channel.we_are_opener else Side.REMOTE

    def local_feerate(self) -> int:
        """Of our newest commitment."""
        return rows.fees_from_rows(self.opener, self.row.fees).feerate(Side.LOCAL)

    def _got_commitsig(self, msg: cw.ChanneldGotCommitsig) -> cw.ChanneldGotCommitsigReply:
        reply = super()._got_commitsig(msg)
        self.kept.append(
            Kept(msg.number, msg.tx, msg.signature, msg.htlc_signatures, self.local_feerate())
        )
        return reply

    def _bury(self, key: Key, htlc: cw.Htlc) -> None:
        self.dead[key] = htlc
        super()._bury(key, htlc)

    @property
    def newest(self) -> Kept:
        """What we may broadcast."""
        assert self.kept[-1].number == self.row.next_local_commitment - 1
        return self.kept[-1]

    def revoked(self) -> list[Kept]:
        """What we must not broadcast. The newest is left out also where it is revoked in part."""
        return self.kept[:-1]

    def known_htlcs(self, *, all_live: bool = False) -> tuple[OnchainHtlc, ...]:
        """Live ones; with the dead as well, `all_live` as a cheater sees them."""
        found = [_onchain(h, live=True) for h in self.htlcs.values()]
        found += [_onchain(h, live=all_live) for h in self.dead.values()]
        return tuple(found)

    def live_htlcs(self) -> tuple[OnchainHtlc, ...]:
        """Those that somebody waits for."""
        return tuple(_onchain(h, live=True) for h in self.htlcs.values())


def _onchain(htlc: cw.Htlc, *, live: bool) -> OnchainHtlc:
    return OnchainHtlc(
        id=htlc.id,
        offered_by_us=htlc.offered_by_us,
        amount=htlc.amount,
        payment_hash=htlc.payment_hash,
        cltv_expiry=htlc.cltv_expiry,
        preimage=htlc.preimage,
        live=live,
        deadline=htlc.cltv_expiry + (UPSTREAM_DELTA if htlc.offered_by_us else 0),
    )


UPSTREAM_DELTA = 34
"""Blocks after which the incoming HTLC expires that an offered one serves."""


def first_commitment(tx: Tx, signature: bytes, feerate: int) -> Kept:
    """The one that was signed at the opening."""
    return Kept(0, tx.serialize(), signature, (), feerate)
