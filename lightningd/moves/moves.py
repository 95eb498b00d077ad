"""Every move of the node's money is a row and a notification: the books that CLN's bookkeeping plugins keep.

Each function here is called in the turn that makes the move true, and does nothing where the same move was
written before. An account is the wallet, a channel, or the world outside; the sum of an account's moves is what it
holds: the wallet its confirmed coins, a channel our balance, and nothing once it is closed and swept.

What onchaind tells of a closed channel's outputs becomes moves in `onchain.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.db.moves_io import ChainMove, ChannelMove, MoveStore
from pylightningd.lightningd.moves.describe import movement
from pylightningd.lightningd.moves.onchain import Move, output_moves

if TYPE_CHECKING:
    from pylightningd.common.wire.onchaind_wire import OnchainOutput
    from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
    from pylightningd.lightningd.node import Node

WALLET = "wallet"
EXTERNAL = "external"
_BALANCE_COUNTS = (
    ChannelState.CHANNELD_NORMAL,
    ChannelState.CHANNELD_SHUTTING_DOWN,
    ChannelState.CLOSINGD_SIGEXCHANGE,
    ChannelState.FUNDING_SPEND_SEEN,
)
"""States in which a snapshot shows a channel, as CLN has it."""


class Moves:
    """Writes moves, and tells of them after the commit."""

    def __init__(self, node: Node, store: MoveStore) -> None:
        self._node = node
        self.store = store

    # The wallet

    def deposit(
        self, outpoint: Outpoint, amount: Sat, height: int, origin: Channel | None = None
    ) -> None:
        """A coin of the wallet is in a block; `origin`: it is what a channel paid us."""
        account = None if origin is None else origin.channel_id.hex()
        self._chain(WALLET, ("deposit",), outpoint, amount, height, credit=True, origin=account)

    def withdrawal(self, outpoint: Outpoint, amount: Sat, spender: Txid, height: int) -> None:
        """A block spends a coin of the wallet."""
        self._chain(
            WALLET, ("withdrawal",), outpoint, amount, height, credit=False, spender=spender
        )

    def sent_outside(self, outpoint: Outpoint, amount: Sat) -> None:
        """The user pays somebody on the chain. No block holds it yet."""
        self._chain(EXTERNAL, ("deposit",), outpoint, amount, 0, credit=True, origin=WALLET)

    # Channels

    def channel_open(self, channel: Channel, *, with_push: bool) -> None:
        """A channel can be used, or its funding got into a block. `with_push`: nothing was said of it before."""
        static = channel.static
        scid = channel.short_channel_id
        begin = channel.our_funds.to_msat()
        is_new = self._add_chain(
            ChainMove(
                account=static.channel_id.hex(),
                tags=(
                    "channel_proposed" if scid is None else "channel_open",
                    *(("opener",) if static.we_are_opener else ()),
                ),
                credit=begin,
                timestamp=self._now(),
                outpoint=static.funding,
                peer_id=static.peer_id,
                height=0 if scid is None else scid.block,
                output=static.funding_amount,
            )
        )
        if is_new and with_push and channel.push:
            self._channel(channel, "pushed", channel.push, credit=not static.we_are_opener)

    def channel_closed(self, channel: Channel, tx: Tx, height: int) -> None:
        """A block spends the funding output: our balance leaves the channel."""
        if channel.is_stub:
            return  # restored from a backup: what was in it is not known
        static = channel.static
        if not (channel.sent_channel_ready and channel.got_channel_ready):
            self.channel_open(channel, with_push=True)
        self._add_chain(
            ChainMove(
                account=static.channel_id.hex(),
                tags=("channel_close",),
                debit=channel.to_local,
                timestamp=self._now(),
                outpoint=static.funding,
                spending_txid=tx.txid(),
                height=height,
                output=static.funding_amount,
                output_count=len(tx.outputs),
            )
        )

    def mutually_closed(self, channel: Channel, tx: Tx, height: int) -> None:
        """What the peer gets of a mutual close is outside."""
        for n, output in enumerate(tx.outputs):
            if output.script == channel.remote_shutdown_script:
                outpoint = Outpoint(tx.txid(), n)
                self._onchain(
                    channel, Move(EXTERNAL, ("to_them",), outpoint, output.amount, height)
                )

    def outputs(self, channel: Channel, outputs: tuple[OnchainOutput, ...]) -> None:
        """How the outputs of a closed channel stand."""
        for output in outputs:
            for move in output_moves(output):
                if move.account == "penalty_adj":
                    amount = move.amount.to_msat()
                    self._channel(channel, "penalty_adj", amount, credit=True)
                    self._channel(channel, "penalty_adj", amount, credit=False)
                elif not self._onchain(channel, move):
                    break

    def _onchain(self, channel: Channel, move: Move) -> bool:
        """Returns whether it is new."""
        own = channel.channel_id.hex()
        amount = Msat(0) if move.amount_stays else move.amount.to_msat()
        return self._add_chain(
            ChainMove(
                account=move.account or own,
                tags=move.tags,
                credit=Msat(0) if move.is_debit else amount,
                debit=amount if move.is_debit else Msat(0),
                timestamp=self._now(),
                outpoint=move.outpoint,
                spending_txid=move.spending_txid,
                payment_hash=move.payment_hash,
                height=move.height,
                output=move.amount,
                originating_account=own if move.account else None,
            )
        )

    # HTLCs

    def htlc_paid(self, channel: Channel, htlc: LiveHtlc) -> None:
        """A fulfilled HTLC is out of both commitments."""
        if htlc.offered_by_us:
            self._paid_out(channel, htlc)
        else:
            self._paid_in(channel, htlc)

    def _paid_in(self, channel: Channel, htlc: LiveHtlc) -> None:
        forwarded = self.store.forwarded_amount(htlc.dbid)
        self._channel(
            channel,
            "invoice" if forwarded is None else "routed",
            htlc.amount,
            credit=True,
            payment_hash=htlc.payment_hash,
            fees=Msat(0) if forwarded is None else _difference(htlc.amount, forwarded),
        )

    def _paid_out(self, channel: Channel, htlc: LiveHtlc) -> None:
        part, fees, tag = None, Msat(0), "invoice"
        if htlc.origin_htlc is not None:
            tag = "routed"
            received = self.store.origin_amount(htlc.origin_htlc)
            fees = Msat(0) if received is None else _difference(received, htlc.amount)
        elif htlc.origin_payment is not None:
            paid = self.store.part(htlc.origin_payment)
            if paid is not None:
                partid, groupid, amount = paid
                part = partid, groupid
                fees = Msat(0) if amount is None else _difference(htlc.amount, amount)
        self._channel(
            channel,
            tag,
            htlc.amount,
            credit=False,
            payment_hash=htlc.payment_hash,
            part=part,
            fees=fees,
        )

    # Rows and notifications

    def _now(self) -> int:
        return int(self._node.clock.now())

    def _chain(
        self,
        account: str,
        tags: tuple[str, ...],
        outpoint: Outpoint,
        amount: Sat,
        height: int,
        *,
        credit: bool,
        spender: Txid | None = None,
        origin: str | None = None,
    ) -> None:
        self._add_chain(
            ChainMove(
                account=account,
                tags=tags,
                credit=amount.to_msat() if credit else Msat(0),
                debit=Msat(0) if credit else amount.to_msat(),
                timestamp=self._now(),
                outpoint=outpoint,
                spending_txid=spender,
                height=height,
                output=amount,
                originating_account=origin,
            )
        )

    def _add_chain(self, move: ChainMove) -> bool:
        row_id = self.store.add_chain(move)
        if row_id is None:
            return False
        if self._listened():
            self._tell(replace(move, id=row_id))
        return True

    def _channel(
        self,
        channel: Channel,
        tag: str,
        amount: Msat,
        *,
        credit: bool,
        payment_hash: bytes | None = None,
        part: tuple[int, int] | None = None,
        fees: Msat = Msat(0),  # noqa: B008 - a value
    ) -> None:
        move = ChannelMove(
            account=channel.channel_id.hex(),
            tag=tag,
            credit=amount if credit else Msat(0),
            debit=Msat(0) if credit else amount,
            timestamp=self._now(),
            payment_hash=payment_hash,
            part=part,
            fees=fees,
        )
        row_id = self.store.add_channel(move)
        if self._listened():
            self._tell(replace(move, id=row_id))

    def _listened(self) -> bool:
        return bool(self._node.plugins.anyone_listens("coin_movement"))

    def _tell(self, move: ChainMove | ChannelMove) -> None:
        node = self._node
        old = bool(node.config["allow-deprecated-apis"]) and not node.developer
        payload = movement(move, node.network.bolt11_hrp, node.node_id, old=old)
        node.turn.notify("coin_movement", payload)

    # Snapshots

    def snapshot(self, height: int) -> None:
        """Tell what every account holds: once in step with the chain, and at each block from then on. In a turn."""
        node = self._node
        if not node.plugins.anyone_listens("balance_snapshot"):
            return
        coins = sum(c.amount.to_msat().msat for c in node.wallet.coins() if c.height is not None)
        accounts = [self._account(WALLET, coins)]
        accounts += [
            self._account(channel.channel_id.hex(), channel.to_local.msat)
            for channel in node.channels
            if channel.state in _BALANCE_COUNTS
        ]
        node.turn.notify(
            "balance_snapshot",
            {
                "node_id": node.node_id.hex(),
                "blockheight": height,
                "timestamp": self._now(),
                "accounts": accounts,
            },
        )

    def _account(self, name: str, balance_msat: int) -> dict[str, Any]:
        return {
            "account_id": name,
            "balance_msat": balance_msat,
            "coin_type": self._node.network.bolt11_hrp,
        }


def _difference(more: Msat, less: Msat) -> Msat:
    return more - less if more > less else Msat(0)
