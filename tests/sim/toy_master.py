"""A lightningd for one channel in memory: writes down what channeld asks it to, and gives it back after a crash.

It is also the plainest statement of what the real one must do with each message.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState, is_dead
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire.runtime import Message

Key = tuple[bool, int]


@dataclass
class ToyMaster:
    """One side's database row and switch."""

    row: cw.ChanneldChannel
    htlcs: dict[Key, cw.Htlc] = field(default_factory=dict)
    script: bytes = b""
    offers: dict[int, int | None] = field(default_factory=dict)
    """Cookie -> HTLC id of offers that are neither refused nor written down as added."""
    refused: dict[int, cw.ChanneldHtlcOffered] = field(default_factory=dict)
    accepted: dict[int, int] = field(default_factory=dict)
    """Cookie -> id of offers that were written down."""
    resolvable: list[int] = field(default_factory=list)
    """Ids of received HTLCs that wait for us to decide."""
    outcomes: dict[Key, bool] = field(default_factory=dict)
    """Of dead HTLCs: whether they were fulfilled."""
    too_dusty: dict[int, bool] = field(default_factory=dict)
    """Of received HTLCs: whether channeld wants them failed for dust."""
    told: list[Message] = field(default_factory=list)
    secrets: dict[int, bytes] = field(default_factory=dict)

    def snapshot(self) -> cw.ChanneldChannel:
        """What a new worker is given."""
        return replace(self.row, htlcs=tuple(self.htlcs.values()))

    # ---- requests ---------------------------------------------------------------------------

    def answer(self, request: Message) -> Message:
        """Write it down; the reply says that it is."""
        match request:
            case cw.ChanneldSendingCommitsig():
                return self._sending_commitsig(request)
            case cw.ChanneldGotCommitsig():
                return self._got_commitsig(request)
            case cw.ChanneldGotRevoke():
                return self._got_revoke(request)
            case cw.ChanneldSendingChannelReady():
                self.row = replace(self.row, sent_channel_ready=True)
                return cw.ChanneldSendingChannelReadyReply()
            case cw.ChanneldGotChannelReady(next_point=point):
                self.row = replace(self.row, got_channel_ready=True, remote_next_point=point)
                return cw.ChanneldGotChannelReadyReply()
            case cw.ChanneldGotShutdown(script=script):
                self.row = replace(
                    self.row, remote_shutdown_script=script, local_shutdown_script=self.script
                )
                return cw.ChanneldGotShutdownReply(local_script=self.script)
            case _:
                raise AssertionError(f"unexpected {request!r}")

    def _sending_commitsig(
        self, msg: cw.ChanneldSendingCommitsig
    ) -> cw.ChanneldSendingCommitsigReply:
        assert msg.number == self.row.next_remote_commitment
        for htlc in msg.added:
            assert htlc.offered_by_us
            assert (True, htlc.id) not in self.htlcs
            self.htlcs[True, htlc.id] = htlc
            cookie = next(c for c, i in self.offers.items() if i == htlc.id)
            del self.offers[cookie]
            self.accepted[cookie] = htlc.id
        self._change(msg.changed)
        next_id = max([self.row.next_htlc_id, *(h.id + 1 for h in msg.added)])
        self.row = replace(
            self.row,
            next_remote_commitment=msg.number + 1,
            fees=msg.fees,
            next_htlc_id=next_id,
            last_sent_updates=msg.updates,
            last_was_revoke=False,
        )
        return cw.ChanneldSendingCommitsigReply()

    def _got_commitsig(self, msg: cw.ChanneldGotCommitsig) -> cw.ChanneldGotCommitsigReply:
        assert msg.number == self.row.next_local_commitment
        for htlc in msg.added:
            assert not htlc.offered_by_us
            assert (False, htlc.id) not in self.htlcs
            self.htlcs[False, htlc.id] = htlc
        for htlc in msg.removed:
            assert htlc.offered_by_us
            assert (True, htlc.id) in self.htlcs
            self.htlcs[True, htlc.id] = htlc
        self._change(msg.changed)
        next_id = max([self.row.next_remote_htlc_id, *(h.id + 1 for h in msg.added)])
        self.row = replace(
            self.row,
            next_local_commitment=msg.number + 1,
            fees=msg.fees,
            next_remote_htlc_id=next_id,
            last_was_revoke=True,
        )
        assert (self.row.to_local, self.row.to_remote) == (msg.to_local, msg.to_remote)
        return cw.ChanneldGotCommitsigReply()

    def _got_revoke(self, msg: cw.ChanneldGotRevoke) -> cw.ChanneldGotRevokeReply:
        assert msg.number == self.row.revocations_received
        new = [c.id for c in msg.changed if HtlcState(c.state) is HtlcState.RCVD_ADD_ACK_REVOCATION]
        assert [s.id for s in msg.onion_secrets] == new
        self.too_dusty |= {s.id: s.too_dusty for s in msg.onion_secrets}
        self.secrets |= {s.id: s.secret.reveal() for s in msg.onion_secrets}
        self.resolvable += new
        self._change(msg.changed)
        assert self.row.remote_next_point is not None
        self.row = replace(
            self.row,
            revocations_received=msg.number + 1,
            remote_current_point=self.row.remote_next_point,
            remote_next_point=msg.next_point,
            shachain=msg.shachain,
            fees=msg.fees,
        )
        return cw.ChanneldGotRevokeReply()

    def _change(self, changed: tuple[cw.HtlcChange, ...]) -> None:
        for change in changed:
            key = (change.offered_by_us, change.id)
            htlc = replace(self.htlcs[key], state=change.state)
            self.htlcs[key] = htlc
            if is_dead(HtlcState(change.state)):
                self._bury(key, htlc)

    def _bury(self, key: Key, htlc: cw.Htlc) -> None:
        del self.htlcs[key]
        self.outcomes[key] = htlc.preimage is not None
        if htlc.preimage is None:
            return
        give = htlc.amount.msat if htlc.offered_by_us else -htlc.amount.msat
        self.row = replace(
            self.row,
            to_local=Msat(self.row.to_local.msat - give),
            to_remote=Msat(self.row.to_remote.msat + give),
        )

    # ---- one-way messages -------------------------------------------------------------------

    def tell(self, msg: Message) -> None:
        """Something channeld reports."""
        self.told.append(msg)
        if isinstance(msg, cw.ChanneldHtlcOffered):
            if msg.failure_code:
                assert msg.cookie in self.offers, "neither unknown nor committed"
                del self.offers[msg.cookie]
                self.refused[msg.cookie] = msg
            else:
                self.offers[msg.cookie] = msg.id

    def worker_died(self) -> None:
        """Offers that were not written down are gone."""
        for cookie in list(self.offers):
            del self.offers[cookie]

    def decide(self, htlc_id: int, preimage: bytes | None, *, malformed: bool = False) -> Message:
        """Write down how a received HTLC is resolved; what to tell channeld."""
        dbid = self.row.channel.dbid
        self.resolvable.remove(htlc_id)
        htlc = self.htlcs[False, htlc_id]
        if preimage is not None:
            self.htlcs[False, htlc_id] = replace(htlc, preimage=preimage)
            return cw.ChanneldFulfillHtlc(dbid=dbid, id=htlc_id, preimage=preimage)
        code, sha = (0xC005, bytes(32)) if malformed else (0, bytes(32))
        onion = b"" if malformed else b"sorry"
        self.htlcs[False, htlc_id] = replace(
            htlc,
            failure_onion=None if malformed else onion,
            malformed_code=code,
            malformed_sha256=sha,
        )
        return cw.ChanneldFailHtlc(
            dbid=dbid,
            id=htlc_id,
            failure_onion=onion,
            malformed_code=code,
            malformed_sha256=sha,
        )
