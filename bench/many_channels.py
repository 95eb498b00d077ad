"""A node with a thousand channels: how long until each is offered to its peer again, and what a block costs it.

The channels are rows made by the node's own writers, over real outputs on the chain. The peers are made by hand: they dial
in as soon as the node listens, and wait for channel_reestablish of every channel.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from dataclasses import dataclass, replace
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.address import script_to_address
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.network import REGTEST
from pylightningd.common.secret import Secret
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.hsmd.derive import NodeSecrets
from pylightningd.lightningd.db.channels_io import ChannelStore
from pylightningd.lightningd.db.connect_io import open_database
from tests.connectd.nodes import RawPeer
from tests.lightningd.channels.rig import make_channel
from tests.regtest.bitcoind import Bitcoind
from tests.regtest.node import NETWORK, Node
from tests.regtest.raw_peer import Impostor
from tests.regtest.waiting import wait_for

OPTIONS: dict[str, Any] = {"log-level": ["info", "debug:chain"], "force-feerates": 1000}
"""Feerates as in the channels' rows: nobody has a fee to change."""
COUNT = 1000
PEERS = 100
CHANNEL_SAT = 1_000_000
BLOCKS = 5
_PATIENCE_S = 300
_TOOK = re.compile(r"Block \d+ handled in ([0-9.]+) ms")


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    ready_s: float
    """From the program's start to the last channel_reestablish at a peer."""
    block_ms: float
    """Of a block, median."""


def measure(node: Node, bitcoind: Bitcoind) -> Result:
    """Needs a node that has not run yet; stops it at the end."""
    node.start()
    scripts, drafts = _drafts(node)
    places = _pay_to(bitcoind, scripts)
    node.sync()
    node.stop()
    fill(node, drafts, *places)
    begin = time.perf_counter()
    node.start(wait=False)
    ready_s, block_ms = asyncio.run(_live(node, bitcoind, begin))
    node.stop()
    return Result(ready_s, block_ms)


def _peer_key(n: int) -> Secret:
    return Secret((n + 1).to_bytes(32, "big"))


def _peer_id(n: int) -> NodeId:
    return NodeId(pubkey_from_secret(_peer_key(n % PEERS)))


def _drafts(node: Node) -> tuple[list[bytes], list[ChannelStatic]]:
    """The channels' funding scripts, and what is known of them before they are funded."""
    secret = (node.folder / NETWORK / "hsm_secret").read_bytes()
    ours = NodeSecrets(secret, is_test_network=True)
    anchors = ChannelType.decode(bytes.fromhex("401000")).encode()
    model = make_channel(1).static
    drafts = [
        replace(
            model,
            dbid=i + 1,
            peer_id=_peer_id(i),
            local_basepoints=ours.channel(_peer_id(i), i + 1).points,
            funding_amount=Sat(CHANNEL_SAT),
            channel_type=anchors,
        )
        for i in range(COUNT)
    ]
    theirs = model.remote_basepoints.funding_pubkey
    scripts = [
        sc.p2wsh(sc.funding_script(d.local_basepoints.funding_pubkey, theirs)) for d in drafts
    ]
    return scripts, drafts


def fill(
    node: Node, drafts: list[ChannelStatic], places: list[Outpoint], block: int, tx_index: int
) -> None:
    """Write the channels, without the conversation that opens one."""
    opened = open_database(f"sqlite3://{node.folder / NETWORK}/lightningd.sqlite3", REGTEST)
    store = ChannelStore(opened.connection)
    with opened.connection.atomic():
        for draft, funding in zip(drafts, places, strict=True):
            static = replace(draft, funding=funding, channel_id=funding.channel_id())
            channel = make_channel(
                1,
                static=static,
                announce=False,
                first_block=block,
                short_channel_id=ShortChannelId.make(block, tx_index, funding.index),
                local_alias=ShortChannelId(1_000_000 + store.next_dbid()),
                last_tx=_a_transaction(funding),
            )
            store.insert(channel, store.peer_row(draft.peer_id, "", b""))
    opened.close()


def _a_transaction(funding: Outpoint) -> bytes:
    """As long as a commitment with both balances and anchors; nobody sends it."""
    outputs = tuple(TxOut(Sat(330 + n), bytes(34)) for n in range(4))
    return Tx(2, (TxIn(funding.txid, funding.index),), outputs).serialize()


def _pay_to(bitcoind: Bitcoind, scripts: list[bytes]) -> tuple[list[Outpoint], int, int]:
    """One transaction pays to all; where each output is, its block, and its place there."""
    amounts = {script_to_address(s, REGTEST): CHANNEL_SAT / 1e8 for s in scripts}
    txid = bitcoind.rpc("sendmany", "", amounts)
    (block_hash,) = bitcoind.generate(1)
    block = bitcoind.rpc("getblock", block_hash, 2)
    bitcoind.generate(6)
    index = next(i for i, tx in enumerate(block["tx"]) if tx["txid"] == txid)
    by_script = {
        bytes.fromhex(o["scriptPubKey"]["hex"]): o["n"] for o in block["tx"][index]["vout"]
    }
    raw = Txid(bytes.fromhex(txid)[::-1])
    return [Outpoint(raw, by_script[s]) for s in scripts], block["height"], index


async def _live(node: Node, bitcoind: Bitcoind, begin: float) -> tuple[float, float]:
    async with asyncio.timeout(_PATIENCE_S):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_reestablish(node, n)) for n in range(PEERS)]
        peers = [task.result() for task in tasks]
        ready_s = time.perf_counter() - begin
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, node.wait_ready)
        await asyncio.sleep(2)
        for done in range(BLOCKS):
            await loop.run_in_executor(None, bitcoind.generate, 1)
            await loop.run_in_executor(None, _wait_for_blocks, node, done + 1)
        for peer in peers:
            peer.hang_up()
    return ready_s, statistics.median(_took(node)[-BLOCKS:])


def _wait_for_blocks(node: Node, count: int) -> None:
    wait_for(lambda: len(_took(node)) >= count, f"block {count}")


def _took(node: Node) -> list[float]:
    text = (node.folder / "log").read_text(errors="replace")
    return [float(ms) for ms in _TOOK.findall(text.rpartition("Server started")[2])]


async def _reestablish(node: Node, n: int) -> Impostor:
    """Dial until somebody answers; then wait for all channels and agree with each."""
    key = _peer_key(n)
    raw = await _dial(node)
    await raw.handshake(NodeId(bytes.fromhex(node.id)), key)
    raw.send_init()
    peer = Impostor(raw)
    for _ in range(COUNT // PEERS):
        theirs: Any = await peer.expect(pw.ChannelReestablish)
        peer.say(
            pw.ChannelReestablish(
                channel_id=theirs.channel_id,
                next_commitment_number=1,
                next_revocation_number=0,
                your_last_per_commitment_secret=bytes(32),
                my_current_per_commitment_point=theirs.my_current_per_commitment_point,
            )
        )
    return peer


async def _dial(node: Node) -> RawPeer:
    while True:
        try:
            return await RawPeer.dial(node.port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
