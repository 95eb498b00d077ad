"""Channels from a backup: rows that know just enough to be closed by the peer.

Of such a channel we have no commitment, and could only have revoked ones: nothing of it is ever broadcast by us. The
peer is asked to close it (BOLT 2, "Message Retransmission"), and what its commitment pays to us is found on the chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ShortChannelId
from pylightningd.common.shachain import MAX_INDEX, Shachain
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.channeld_wire import FeeState
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig, ChannelStatic
from pylightningd.lightningd.backup.scb import BadBackup, ScbChannel
from pylightningd.lightningd.channels.channel import Channel, Policy, StateChange
from pylightningd.lightningd.channels.states import Cause, ChannelState

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.peers import Peer

STUB_STATUS = "Restored from a static channel backup: waiting for the peer to close the channel"
_LIGHTNINGD = -1
_SENT_ADD_ACK_REVOCATION = 4
_FLOOR_PERKW = 253


@dataclass(frozen=True, slots=True)
class _Seen:
    """What must be asked for before a row is made."""

    points: Basepoints
    is_unspent: bool


class Recovery:
    """Makes channels from backups and has their peers close them."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.automatic = False
        """The node was started to recover: use what peers give back without being asked."""

    # Commands

    async def emergency_recover(self) -> list[ScbChannel]:
        """From the best backup at hand. Raises UserError."""
        try:
            found = self._node.backup.best()
        except (BadBackup, OSError) as error:
            raise UserError(_LIGHTNINGD, f"Cannot use {self._node.backup.path}: {error}") from error
        if found is None:
            raise UserError(
                _LIGHTNINGD,
                f"There is no {self._node.backup.path}, and no peer has given a backup back: connect to the peers "
                "that you had channels with, those that keep a backup for you send it",
            )
        if found.backup.is_legacy:
            self._node.log(
                "debug",
                "Processing legacy emergency.recover file format. Penalties are not possible with it",
                source="backup",
            )
        return await self.restore(found.backup.channels)

    async def restore(self, entries: tuple[ScbChannel, ...]) -> list[ScbChannel]:
        """Make rows for the channels that the database does not know, and ask their peers to close. Those made."""
        # Each row that is made has the file written again: it must hold those that are not made yet, or never.
        self._node.backup.expect(entries)
        made: list[ScbChannel] = []
        for entry in entries:
            if self.refusal(entry) is not None:
                self._node.log("debug", f"channel {entry.channel_id.hex()} already exists!")
                continue
            seen = await self._look(entry)
            if await self._node.turn.do(partial(self._insert, entry, seen)):
                made.append(entry)
        for peer_id in dict.fromkeys(e.peer_id for e in made):
            peer = self._node.peers.of(peer_id)
            if peer.accepted:
                await self._node.turn.do(partial(self.ask_to_close, peer))
            else:
                self._node.peers.reach_now(peer)
        return made

    def refusal(self, entry: ScbChannel) -> str | None:
        """Why no channel can be made of an entry, if so."""
        if self._node.backup.is_known(entry.channel_id):
            return "the database has this channel already"
        if self._node.channels.store.has_row(entry.dbid):
            return (
                f"the database has another channel number {entry.dbid}: recover into a fresh node"
            )
        return None

    async def _look(self, entry: ScbChannel) -> _Seen:
        node = self._node
        reply = await node.hsm.ask(hw.HsmdGetBasepoints(peer_id=entry.peer_id, dbid=entry.dbid))
        unspent = await node.chain.backend.unspent(entry.funding)
        return _Seen(reply.basepoints, unspent is not None)

    def _insert(self, entry: ScbChannel, seen: _Seen) -> bool:
        node = self._node
        if self.refusal(entry) is not None:
            return False
        store, now = node.channels.store, node.clock.now()
        # Where the output is spent already its spending has to be looked for in all blocks that we know.
        first = node.chain.height if seen.is_unspent else node.chain.store.min_height() or 0
        alias = ShortChannelId(int.from_bytes(node.entropy.take(8), "big") >> 1)
        channel = stub(entry, seen.points, first_block=first, now=now, alias=alias)
        address = str(entry.address or "")
        row = store.peer_row(entry.peer_id, address, node.peers.of(entry.peer_id).features)
        store.insert(channel, row)
        store.reserve_dbid(entry.dbid)
        first_change = channel.state_changes[0]
        store.add_state_change(channel, first_change)
        node.channels.add(channel)
        peer = node.peers.of(entry.peer_id)
        peer.reachable_address = peer.reachable_address or address
        node.channel_events.watch_funding(channel)
        node.backup.restored({entry.channel_id})
        node.log(
            "unusual",
            f"{STUB_STATUS} (funding {entry.funding})",
            peer_id=entry.peer_id,
            dbid=entry.dbid,
        )
        return True

    # The peer

    def start(self) -> None:
        """Channels restored before this start: say what they wait for."""
        for channel in self._node.channels:
            if channel.is_stub and channel.state is ChannelState.AWAITING_UNILATERAL:
                channel.status = [f"{channel.state.name}:{STUB_STATUS}"]

    def ask_to_close(self, peer: Peer) -> None:
        """Ask a connected peer to close what we lost data of, or restored from a backup. Inside a turn."""
        node = self._node
        for channel in node.channels.of_peer(peer.id):
            if (
                not channel.only_peer_closes
                or channel.state is not ChannelState.AWAITING_UNILATERAL
            ):
                continue
            node.log(
                "info",
                "Sending a bogus channel_reestablish message to make the peer unilaterally close the channel.",
                peer_id=peer.id,
                dbid=channel.dbid,
            )
            # BOLT 2, "Message Retransmission", receiver of a next_commitment_number of 0 MUST fail the channel and
            # broadcast its commitment. What else we say does not matter, but the point must be one.
            message = pw.ChannelReestablish(
                channel_id=channel.channel_id,
                next_commitment_number=0,
                next_revocation_number=0,
                your_last_per_commitment_secret=bytes(32),
                my_current_per_commitment_point=channel.static.local_basepoints.payment,
            )
            node.connectd.send(peer, message.encode())

    # By itself

    def backup_came(self) -> None:
        """A peer gave a backup back that knows more than we do."""
        if self.automatic:
            self.recover_soon()

    def recover_soon(self) -> None:
        """emergencyrecover, as the node was started for it."""
        self._node.attempt(self._recover(), "emergency recovery", self._failed)

    async def _recover(self) -> None:
        made = await self.emergency_recover()
        self._node.log(
            "info", f"Emergency recovery: {len(made)} channels restored", source="backup"
        )

    def _failed(self, why: str) -> None:
        self._node.log("unusual", f"Emergency recovery: {why}", source="backup")


def stub(
    entry: ScbChannel, local: Basepoints, *, first_block: int, now: float, alias: ShortChannelId
) -> Channel:
    """The channel of an entry. What is not known is a placeholder that nobody acts upon."""
    zero = Msat(0)
    remote, chain = entry.remote_points, entry.shachain
    if remote is None or chain is None:
        chain = Shachain()  # without base points secrets are of no use
    change = StateChange(
        timestamp=now,
        old_state=None,
        new_state=ChannelState.AWAITING_UNILATERAL,
        cause=Cause.USER.value,
        message="restored from static channel backup",
    )
    delay = entry.to_self_delay or 0
    return Channel(
        static=ChannelStatic(
            dbid=entry.dbid,
            peer_id=entry.peer_id,
            channel_id=entry.channel_id,
            funding=entry.funding,
            funding_amount=entry.funding_amount,
            we_are_opener=entry.we_are_opener is not False,
            channel_type=entry.channel_type,
            local_config=_config(delay),
            remote_config=_config(0),
            local_basepoints=local,
            remote_basepoints=Basepoints(
                funding_pubkey=entry.peer_id,
                revocation=remote.revocation if remote else local.revocation,
                payment=remote.payment if remote else local.payment,
                delayed_payment=remote.delayed_payment if remote else local.delayed_payment,
                htlc=remote.htlc if remote else local.htlc,
            ),
        ),
        announce=False,
        minimum_depth=1,
        push=zero,
        local_upfront_shutdown_script=b"",
        remote_upfront_shutdown_script=b"",
        state=ChannelState.AWAITING_UNILATERAL,
        to_local=zero,
        to_remote=zero,
        min_to_local=zero,
        max_to_local=zero,
        fees=(FeeState(state=_SENT_ADD_ACK_REVOCATION, feerate_perkw=_FLOOR_PERKW),),
        revocations_received=MAX_INDEX - chain.next_index,
        remote_current_point=entry.peer_id,
        shachain=chain.encode(),
        last_tx=b"",
        last_sig=bytes(64),
        # Marks the channel as one that must not be broadcast, and as a stub: see `Channel.is_stub`.
        future_remote_point=entry.peer_id,
        local_alias=alias,
        closer="local",
        close_cause="restored from static channel backup",
        policy=Policy(
            fee_base_msat=0,
            fee_proportional_millionths=0,
            cltv_expiry_delta=0,
            htlc_minimum=zero,
            htlc_maximum=zero,
        ),
        opened_at=now,
        first_block=first_block,
        status=[f"{ChannelState.AWAITING_UNILATERAL.name}:{STUB_STATUS}"],
        state_changes=[change],
    )


def _config(to_self_delay: int) -> ChannelConfig:
    return ChannelConfig(
        dust_limit=Sat(0),
        max_htlc_value_in_flight=Msat(0),
        channel_reserve=Sat(0),
        htlc_minimum=Msat(0),
        to_self_delay=to_self_delay,
        max_accepted_htlcs=0,
    )
