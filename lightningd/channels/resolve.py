"""How received HTLCs end: written down first, then channeld is told.

`Resolver` knows nothing of why; the switch, the invoices and the on-chain side call it. Everything here runs
inside turns, and a second call for the same HTLC is harmless, so that a restart may simply decide again.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.onion import failure
from pylightningd.common.wire.channeld_wire import ChanneldFailHtlc, ChanneldFulfillHtlc
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.channels.blinded import Hiding, blinding_failure, hiding
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.states import WITH_PEER

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node


MAX_DELAY_SECONDS = 0.5
"""The longest that an introduction point waits before it tells of a failure."""


class Resolver:
    """Fulfils and fails received HTLCs."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def fulfill(self, htlc: LiveHtlc, preimage: bytes) -> None:
        """Claim it. A preimage wins over a failure that the peer cannot have heard of yet."""
        if sha256(preimage).digest() != htlc.payment_hash:
            raise ValueError(f"preimage of HTLC {htlc.id} does not hash to its payment_hash")
        if htlc.preimage is not None:
            return
        if htlc.is_resolved and self._may_be_told(htlc):
            # Were both written down, nobody could say which balance is right once the HTLC is gone.
            self._node.log(
                "broken",
                f"The preimage of HTLC {htlc.id} came after it was failed: it is lost",
                dbid=htlc.channel_dbid,
            )
            return
        htlc.failure_onion, htlc.malformed_code = None, 0
        htlc.preimage = preimage
        self._save(htlc)
        self._tell(htlc, ChanneldFulfillHtlc(dbid=htlc.channel_dbid, id=htlc.id, preimage=preimage))

    def fail(self, htlc: LiveHtlc, message: Message | bytes) -> None:
        """Fail it as the erring node, with a BOLT 4 failure message."""
        if self._fail_hidden(htlc):
            return
        if htlc.shared_secret is None:
            raise ValueError(f"HTLC {htlc.id} has no shared secret: its onion was never peeled")
        raw = message if isinstance(message, bytes) else message.encode()
        self._fail_onion(htlc, self._onion(htlc.shared_secret, raw))

    def _onion(self, shared_secret: bytes, message: bytes) -> bytes:
        length = self._node.settings.onion_reply_length
        return failure.make_failure(shared_secret, message, length)

    def pass_back(self, htlc: LiveHtlc, failure_onion: bytes) -> None:
        """Fail it with what the node after us said."""
        if self._fail_hidden(htlc):
            return
        if htlc.shared_secret is None:
            raise ValueError(f"HTLC {htlc.id} has no shared secret: its onion was never peeled")
        self._fail_onion(htlc, failure.obfuscate(htlc.shared_secret, failure_onion))

    def _fail_hidden(self, htlc: LiveHtlc) -> bool:
        """In a blinded path all failures look alike, whoever made them and why. Whether that was done."""
        # BOLT 4, "Failure Messages", erring and forwarding node: invalid_onion_blinding wherever a path key came
        # with the HTLC, or came in the payload of a node that is not the last.
        kind = hiding(htlc)
        if kind is Hiding.NOTHING:
            return False
        said = blinding_failure(htlc)
        if kind is Hiding.INSIDE:
            # BOLT 2, "Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and
            # `update_fail_malformed_htlc`": with a path key, update_fail_malformed_htlc.
            self._fail_malformed(htlc, said.TYPE, said.sha256_of_onion)
        else:
            assert htlc.shared_secret is not None
            onion = self._onion(htlc.shared_secret, said.encode())
            self._fail_later(htlc, onion)
        return True

    def _fail_later(self, htlc: LiveHtlc, onion: bytes) -> None:
        """Some time from now. A restart meanwhile decides anew, as nothing of it is written down."""
        # BOLT 4, "Route Blinding": the introduction point adds a random delay, for the time that an answer
        # takes would tell how far away the recipient is.
        seconds = self._node.entropy.take(1)[0] / 255 * MAX_DELAY_SECONDS

        def now() -> None:
            channel = self._node.channels.get(htlc.channel_dbid)
            if channel is not None and channel.htlcs.get(htlc.key) is htlc:
                self._fail_onion(htlc, onion)

        self._node.turn.after_commit(
            lambda: self._node.call_later(seconds, lambda: self._node.turn.submit(now))
        )

    def fail_malformed(self, htlc: LiveHtlc, code: int, onion_sha256: bytes) -> None:
        """Fail it because its onion cannot be read: no failure onion can be made for that."""
        if not self._fail_hidden(htlc):
            self._fail_malformed(htlc, code, onion_sha256)

    def _fail_malformed(self, htlc: LiveHtlc, code: int, onion_sha256: bytes) -> None:
        if htlc.is_resolved:
            return
        htlc.malformed_code = code
        htlc.malformed_sha256 = onion_sha256
        self._save(htlc)
        self._tell(htlc, self._fail_msg(htlc))

    def _fail_onion(self, htlc: LiveHtlc, onion: bytes) -> None:
        if htlc.is_resolved:
            return
        htlc.failure_onion = onion
        self._save(htlc)
        self._tell(htlc, self._fail_msg(htlc))

    def _fail_msg(self, htlc: LiveHtlc) -> ChanneldFailHtlc:
        return ChanneldFailHtlc(
            dbid=htlc.channel_dbid,
            id=htlc.id,
            failure_onion=htlc.failure_onion or b"",
            malformed_code=htlc.malformed_code,
            malformed_sha256=htlc.malformed_sha256,
        )

    def _may_be_told(self, htlc: LiveHtlc) -> bool:
        """Whether the peer may know of the failure, and the channel lives on with it."""
        channel = self._node.channels.get(htlc.channel_dbid)
        if channel is None or channel.state not in WITH_PEER:
            return False
        return channel.worker is not None or htlc.state is not HtlcState.RCVD_ADD_ACK_REVOCATION

    def _save(self, htlc: LiveHtlc) -> None:
        self._node.channels.store.save_htlc_resolution(htlc)

    def _tell(self, htlc: LiveHtlc, msg: Message) -> None:
        channel = self._node.channels.get(htlc.channel_dbid)
        if channel is None:
            return
        if not self._tell_onchain(channel, htlc):
            self._node.workers.send(channel, msg)

    def _tell_onchain(self, channel: Channel, htlc: LiveHtlc) -> bool:
        """A preimage that comes after the channel went on chain goes to who resolves it there."""
        if channel.worker != "onchaind":
            return False
        if htlc.preimage is not None:
            self._node.onchain.preimage_known(channel, htlc)
        return True
