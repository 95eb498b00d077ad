"""A master with its real on-chain side, onchaind's engine and hsmd's core behind it, and a chain made of plain transactions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.ids import Outpoint, Txid
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.lightningd.chain.broadcast import Broadcasts
from pylightningd.lightningd.chain.watches import SpendWatch, WatchIndex
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.deadlines import Deadlines
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.control.onchaind import OnchainControl
from pylightningd.onchaind.machine import Resolver, Say
from tests.lightningd.channels.rig import FakeLink, Rig
from tests.lightningd.control.fake_wallet import FakeWallet
from tests.onchaind.rig import HEIGHT
from tests.onchaind.rig import Rig as Keys


class Engine(FakeLink):
    """onchaind: plans come back in the master's next turns."""

    def __init__(self, rig: Rig, control: OnchainControl) -> None:
        super().__init__("onchaind")
        self._rig, self._control = rig, control
        self.resolvers: dict[int, Resolver] = {}
        self.said: list[str] = []
        self.told: list[Any] = []

    def send(self, msg: Any, *, request_id: int = 0) -> None:  # noqa: ARG002 - as a link has it
        """Facts, as bytes would carry them."""
        msg = ow.decode(msg.encode())
        self.told.append(msg)
        plans: list[Any] = []
        match msg:
            case ow.OnchaindChannel():
                known = self.resolvers[msg.channel.dbid] = Resolver(msg)
                plans = known.start()
            case ow.OnchaindSpent(dbid=dbid, tx=raw, height=height) if dbid in self.resolvers:
                plans = self.resolvers[dbid].spent(Tx.parse(raw), height)
            case ow.OnchaindBlock(height=height):
                for known in self.resolvers.values():
                    plans += known.block(height)
            case ow.OnchaindPreimage(dbid=dbid, preimage=preimage) if dbid in self.resolvers:
                plans = self.resolvers[dbid].preimage(preimage)
            case ow.OnchaindForget(dbid=dbid):
                self.resolvers.pop(dbid, None)
            case _:
                pass
        self.said += [p.text for p in plans if isinstance(p, Say)]
        batch = [SimpleNamespace(msg=p) for p in plans if not isinstance(p, Say)]
        self._control.on_message(batch)  # type: ignore[arg-type]


class World:
    """The node, from its tables on; the chain outlives it."""

    def __init__(self, rig: Rig, keys: Keys) -> None:
        self.rig, self.keys = rig, keys
        self.blocks: list[tuple[Tx, ...]] = []
        self.mempool: dict[Txid, Tx] = {}
        self.wallet = FakeWallet(lambda: self.height)
        self.floor = 253
        self.rate = 253
        self._start()

    def _start(self) -> None:
        node = self.rig.node
        self.watches = WatchIndex()
        self._on_block: list[Callable[[int, object], None]] = []
        self._on_reorg: list[Callable[[int], None]] = []
        node.chain = SimpleNamespace(
            height=self.height,
            feerates=SimpleNamespace(
                for_deadline=lambda _d, _h: self.rate, floor_perkw=self.floor, get=lambda _n: 253
            ),
            broadcast=self._broadcast,
            broadcasts=Broadcasts(),
            forget_broadcasts=lambda _owner: None,
            watch_spend=self._watch_spend,
            watch_tx=lambda *_a, **_k: SimpleNamespace(height=None, tx_index=None),
            on_block=self._on_block.append,
            on_reorg=self._on_reorg.append,
        )
        node.moves = _Nothing()
        node.wallet = self.wallet
        node.hsm.ask = self._ask
        node.onchain = OnchainControl(node)
        self.engine = node.fleet.links["onchaind"] = Engine(self.rig, node.onchain)
        self.rig.turn(node.onchain.start)
        for channel in node.channels:
            self.rig.turn(partial(self._watch_funding, channel))
        self.deadlines = Deadlines(node)
        self.rig.spin()

    def _watch_funding(self, channel: Channel) -> None:
        self._watch_spend(
            channel.static.funding,
            partial(self.rig.node.onchain.funding_spent, channel.dbid),
            since_height=HEIGHT - 1,
        )

    async def _ask(self, msg: Any) -> Any:
        return self.keys.hsm.handle(0, msg)

    async def _broadcast(self, tx: Tx, **_how: Any) -> tuple[bool, str]:
        spends = {i.outpoint for i in tx.inputs}
        for txid, other in list(self.mempool.items()):
            if spends & {i.outpoint for i in other.inputs}:
                del self.mempool[txid]
        self.mempool[tx.txid()] = tx
        return True, ""

    # Scenes

    def channel(self, *htlcs: LiveHtlc, **changes: Any) -> Channel:
        """Our channel with the peer of `keys`, its newest commitments those of `keys`."""
        keys = self.keys
        told = keys.told(keys.ours.tx)
        channel = self.rig.open_channel(
            1,
            **{
                "static": keys.channel,
                "state": ChannelState.AWAITING_UNILATERAL,
                "to_local": Msat(300_000_000),
                "to_remote": Msat(700_000_000),
                "next_local_commitment": keys.NUMBER + 1,
                "next_remote_commitment": keys.REVOKED + 1,
                "revocations_received": keys.REVOKED,
                "remote_current_point": told.remote_current_point,
                "remote_next_point": told.remote_next_point,
                "shachain": told.shachain,
                "last_tx": told.local_tx,
                "last_sig": keys.bob_signs(keys.ours.tx),
                "last_htlc_sigs": told.htlc_signatures,
                "worker": None,
            }
            | changes,
        )
        self.add(channel, *htlcs)
        self.rig.turn(partial(self._watch_funding, channel))
        return channel

    def add(self, channel: Channel, *htlcs: LiveHtlc) -> None:
        """HTLCs of a channel, with their rows."""

        def insert() -> None:
            for htlc in htlcs:
                htlc.channel_dbid = channel.dbid
                self.rig.node.channels.store.insert_htlc(htlc)
                self.rig.node.channels.store.save_htlc_states([htlc])
                self.rig.node.channels.store.save_htlc_resolution(htlc)
                channel.htlcs[htlc.key] = htlc

        self.rig.turn(insert)

    # The chain

    @property
    def height(self) -> int:
        return HEIGHT - 1 + len(self.blocks)

    def mine(self, *txs: Tx) -> None:
        """A block with these transactions."""
        self.blocks.append(txs)
        node = self.rig.node
        for tx in txs:
            self.mempool.pop(tx.txid(), None)

        def look() -> None:
            node.chain.height = self.height
            self.wallet.mined(*txs)
            for index, tx in enumerate(txs):
                for n, txin in enumerate(tx.inputs):
                    for watch in self.watches._spends.get(txin.outpoint):  # noqa: SLF001
                        watch.on_spend(tx, n, self.height)
                assert index >= 0
            for fn in self._on_block:
                fn(self.height, None)
            self.deadlines.on_block(self.height)

        self.rig.turn(look)
        self.rig.spin()

    def pass_blocks(self, count: int) -> None:
        """Empty ones."""
        for _ in range(count):
            self.mine()

    def mine_mempool(self) -> list[Tx]:
        """A block with all that waits; returns it."""
        txs = list(self.mempool.values())
        self.mine(*txs)
        return txs

    def reorg(self, depth: int) -> None:
        """The last blocks are gone; what they held waits again."""
        for _ in range(depth):
            height = self.height
            for tx in self.blocks.pop():
                self.mempool[tx.txid()] = tx

            def undo(height: int = height) -> None:
                self.rig.node.chain.height = height - 1
                for fn in self._on_reorg:
                    fn(height)

            self.rig.turn(undo)
        self.rig.spin()

    def restart(self) -> None:
        """The node is killed and starts from its tables."""
        self.rig.restart()
        self._start()

    def see_again(self) -> None:
        """A start goes through the newest block once more."""

        def look() -> None:
            for fn in self._on_block:
                fn(self.height, None)
            self.deadlines.on_block(self.height)

        self.rig.turn(look)
        self.rig.spin()

    def _watch_spend(
        self, outpoint: Outpoint, on_spend: Any, *, since_height: int | None = None
    ) -> SpendWatch:
        watch = self.watches.watch_spend(outpoint, on_spend)
        if since_height is not None:
            self.rig.node.turn.submit(partial(self._look_back, watch, since_height))
        return watch

    def _look_back(self, watch: SpendWatch, since: int) -> None:
        for n, block in enumerate(self.blocks):
            if HEIGHT + n < since or watch.cancelled:
                continue
            for tx in block:
                for index, txin in enumerate(tx.inputs):
                    if txin.outpoint == watch.outpoint:
                        watch.on_spend(tx, index, HEIGHT + n)

    # What is seen

    @property
    def our_channel(self) -> Channel | None:
        found: Channel | None = self.rig.node.channels.get(1)
        return found

    def causes(self) -> list[tuple[str, str, int]]:
        """Who, what and when, of channel 1."""
        steps = self.rig.node.channels.history.steps(1)
        return [(s.who, s.event, s.height) for s in steps]


class _Nothing:
    """Takes every call and does nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


def live(wire: ow.OnchainHtlc, **more: Any) -> LiveHtlc:
    """An HTLC of the keys' commitments as the master has it: irrevocable unless said otherwise."""
    state = (
        HtlcState.SENT_ADD_ACK_REVOCATION
        if wire.offered_by_us
        else HtlcState.RCVD_ADD_ACK_REVOCATION
    )
    values: dict[str, Any] = {
        "dbid": 0,
        "channel_dbid": 1,
        "id": wire.id,
        "offered_by_us": wire.offered_by_us,
        "state": state,
        "amount": wire.amount,
        "payment_hash": wire.payment_hash,
        "cltv_expiry": wire.cltv_expiry,
        "onion": b"",
        "preimage": wire.preimage,
    }
    return LiveHtlc(**values | more)
