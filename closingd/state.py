"""What a mutual close is about, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from pylightningd.common.amount import AmountError, Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.closing_tx import (
    closing_sighash,
    make_closing_tx,
    signed_closing_tx,
)
from pylightningd.common.channel.dust import dust_threshold
from pylightningd.common.errors import FailChannel, WarnPeer
from pylightningd.common.keys import BadSignature, verify_compact
from pylightningd.common.wire.closingd_wire import ClosingdStart

MOST_GIVEN_UP = Sat(1000)
"""Of our own output where the peer's dust limit is above it; a peer may have set a large one."""


class Phase(Enum):
    """Where it stands."""

    FRESH = auto()
    NEGOTIATING = auto()
    AGREED = auto()
    """The fee is found; only our own signature may be missing."""
    FINISHED = auto()


@dataclass(frozen=True, slots=True)
class Close:
    """The transactions of one close."""

    start: ClosingdStart

    @property
    def dbid(self) -> int:
        """The channel."""
        return self.start.channel.dbid

    @property
    def local_key(self) -> bytes:
        """Our funding key."""
        return self.start.channel.local_basepoints.funding_pubkey

    @property
    def remote_key(self) -> bytes:
        """The peer's funding key."""
        return self.start.channel.remote_basepoints.funding_pubkey

    def amounts(self, fee: Sat) -> tuple[Sat, Sat]:
        """Ours and the peer's after the fee. Raises WarnPeer where the opener has not so much."""
        # BOLT 3, "Legacy Closing Transaction": whole satoshis, the fee off the funder's output.
        local, remote = self.start.to_local.to_sat_floor(), self.start.to_remote.to_sat_floor()
        try:
            if self.start.channel.we_are_opener:
                return local - fee, remote
            return local, remote - fee
        except AmountError:
            raise WarnPeer(f"Funder cannot afford fee {fee} ({local} and {remote})") from None

    def tx(self, fee: Sat) -> Tx:
        """The transaction we offer. Raises WarnPeer, or FailChannel where both outputs are dust."""
        local, remote = self.amounts(fee)
        return self._tx(local, remote, self.start.channel.local_config.dust_limit, fee)

    def tx_signed_by_peer(self, fee: Sat, signature: bytes) -> Tx:
        """The variant that the peer has signed. Raises WarnPeer."""
        tried = []
        for tx in self._variants(fee):
            try:
                self.verify(tx, self.remote_key, signature)
            except BadSignature:
                tried.append(tx.serialize().hex())
            else:
                return tx
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`", receiver MUST warn and close (or fail)
        # where the signature fits no variant, or is not low-S.
        raise WarnPeer(f"Bad closing_signed signature for {' or '.join(tried)}")

    def _variants(self, fee: Sat) -> Iterator[Tx]:
        """Ours first; then without outputs below the peer's dust limit; then without the peer's output."""
        local, remote = self.amounts(fee)
        seen: list[Tx] = [self.tx(fee)]
        yield seen[0]
        config = self.start.channel
        theirs, ours = config.remote_config.dust_limit, config.local_config.dust_limit
        # BOLT 3, "Legacy Closing Transaction": who signs MUST remove outputs below its own dust limit,
        # and MAY eliminate its own output.
        pairs = [(Sat(0), ours)]
        if local >= theirs or local <= MOST_GIVEN_UP:
            pairs.insert(0, (remote, theirs))
        for amount, dust in pairs:
            try:
                tx = self._tx(local, amount, max(dust, Sat(1)), fee)
            except FailChannel:
                continue
            if tx not in seen:
                seen.append(tx)
                yield tx

    def _tx(self, local: Sat, remote: Sat, dust: Sat, fee: Sat) -> Tx:
        start = self.start
        try:
            return make_closing_tx(
                start.wrong_funding or start.channel.funding,
                start.local_script,
                start.remote_script,
                local,
                remote,
                dust,
            )
        except ValueError:
            raise FailChannel(
                f"Both outputs below dust limit: funding = {start.channel.funding_amount} "
                f"fee = {fee} dust_limit = {dust} LOCAL = {local} REMOTE = {remote}"
            ) from None

    def check_relayable(self, tx: Tx) -> None:
        """Raises FailChannel where an output is dust for its kind of script."""
        # BOLT 2, "Legacy Closing Negotiation: `closing_signed`", receiver MUST fail the channel where an
        # output is below the dust limit of its scriptpubkey.
        for output in tx.outputs:
            least = dust_threshold(output.script)
            if output.amount < least:
                raise FailChannel(
                    f"closing output {output.amount} to {output.script.hex()} is below {least}, "
                    "the dust limit of its script"
                )

    def verify(self, tx: Tx, key: bytes, signature: bytes) -> None:
        """Check a signature of either side. Raises BadSignature."""
        digest = closing_sighash(
            tx, self.local_key, self.remote_key, self.start.channel.funding_amount
        )
        verify_compact(key, digest, signature)

    def signed(self, tx: Tx, ours: bytes, theirs: bytes) -> Tx:
        """With both signatures, which are checked once more. Raises BadSignature."""
        self.verify(tx, self.local_key, ours)
        self.verify(tx, self.remote_key, theirs)
        return signed_closing_tx(tx, self.local_key, ours, self.remote_key, theirs)
