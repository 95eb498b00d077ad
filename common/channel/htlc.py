"""One HTLC as a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from pylightningd.common.amount import Msat
from pylightningd.common.channel import htlc_states as hs
from pylightningd.common.channel.htlc_states import Event, HtlcState, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Htlc:
    """One HTLC. Its name in a channel is `key`: ids count separately for each offerer.

    `preimage` is set once the recipient fulfilled it, `failure` (the encrypted onion error, or an
    encoded malformed-onion report) once they failed it; both None while it is unresolved.
    """

    id: int
    offerer: Side
    amount: Msat
    payment_hash: bytes
    cltv_expiry: int
    """Block height."""
    state: HtlcState
    onion: bytes = b""
    path_key: bytes | None = None
    """The point for a blinded hop, from update_add_htlc's TLVs."""
    preimage: bytes | None = None
    failure: bytes | None = None

    @classmethod
    def offered(
        cls,
        offerer: Side,
        id: int,  # noqa: A002 - BOLT 2's name
        amount: Msat,
        payment_hash: bytes,
        cltv_expiry: int,
        *,
        onion: bytes = b"",
        path_key: bytes | None = None,
    ) -> Self:
        """A new one, just sent or received."""
        return cls(
            id=id,
            offerer=offerer,
            amount=amount,
            payment_hash=payment_hash,
            cltv_expiry=cltv_expiry,
            state=hs.first_state(offerer),
            onion=onion,
            path_key=path_key,
        )

    @property
    def key(self) -> tuple[Side, int]:
        """Offerer and id: unique in its channel."""
        return self.offerer, self.id

    def after(self, event: Event) -> Self:
        """The HTLC after a message; itself where that does not touch it."""
        state = hs.state_after(self.state, event)
        return self if state is self.state else replace(self, state=state)

    def fulfilled(self, preimage: bytes) -> Self:
        """As its recipient's update_fulfill_htlc leaves it."""
        return replace(self, preimage=preimage, state=hs.remove_state(self.offerer))

    def failed(self, failure: bytes) -> Self:
        """As its recipient's update_fail_htlc (or malformed) leaves it."""
        return replace(self, failure=failure, state=hs.remove_state(self.offerer))
