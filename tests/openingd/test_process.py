"""Real processes: openingd opens a channel with itself, hsmd signs both ends, closingd closes it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bus.link import Incoming, Link
from pylightningd.common.ids import NodeId
from pylightningd.common.wire import closingd_wire, connectd_wire, hsmd_wire, openingd_wire
from pylightningd.common.wire.closingd_wire import (
    ClosingdDone,
    ClosingdGotSignature,
    ClosingdGotSignatureReply,
    ClosingdInit,
    ClosingdStart,
)
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.common.wire.connectd_wire import ConnectdPeerMsg
from pylightningd.common.wire.hsmd_wire import (
    HsmdAssignChannel,
    HsmdGetBasepoints,
    HsmdGetPerCommitmentPoint,
    HsmdInit,
)
from pylightningd.common.wire.openingd_wire import (
    OpeningdAccepted,
    OpeningdDone,
    OpeningdDoneReply,
    OpeningdFailed,
    OpeningdFunding,
    OpeningdInit,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.supervise_io import DaemonSpec
from tests.bus.loop import on_loop
from tests.bus.test_supervise import Master, master
from tests.closingd.ends import SCRIPTS
from tests.openingd import sides
from tests.openingd.sides import ALICE, BOB, NODE_IDS

pytestmark = pytest.mark.slow

COMMITMENT, SIGN_CLOSE = 2, 4
DBIDS = {ALICE: 7, BOB: 8}
ROUTES = {ALICE: 70, BOB: 71}
PEERS: dict[int, NodeId] = {ALICE: NODE_IDS[BOB], BOB: NODE_IDS[ALICE]}
M = TypeVar("M", bound=Message)


class Inbox:
    """What a daemon tells its master; its questions are answered at once."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.messages: list[Message] = []
        self._came = asyncio.Event()
        link.on_message = self._take

    def _take(self, batch: list[Incoming]) -> None:
        for incoming in batch:
            self.messages.append(incoming.msg)
            if isinstance(incoming.msg, OpeningdDone):
                incoming.reply(OpeningdDoneReply())
            elif isinstance(incoming.msg, ClosingdGotSignature):
                incoming.reply(ClosingdGotSignatureReply())
        self._came.set()

    async def next(self, kind: type[M]) -> M:
        """The next one of a kind; others stay."""
        while True:
            for msg in self.messages:
                if isinstance(msg, kind):
                    self.messages.remove(msg)
                    return msg
            self._came.clear()
            await self._came.wait()


async def start_all(m: Master, folder: Path) -> tuple[Link, Inbox, Inbox, Inbox]:
    """hsmd, connectd, openingd and closingd, tied together."""
    secret = ("--hsm-secret", str(folder / "hsm_secret"))
    hsm = await m.daemons.start(DaemonSpec("hsmd", "pylightningd.hsmd", (hsmd_wire,), args=secret))
    await hsm.ask(HsmdInit(network="regtest", passphrase=None))
    inboxes = []
    for name, module, wire in (
        ("connectd", "tests.openingd.swapping_connectd", connectd_wire),
        ("openingd", "pylightningd.openingd", openingd_wire),
        ("closingd", "pylightningd.closingd", closingd_wire),
    ):
        inboxes.append(Inbox(await m.daemons.start(DaemonSpec(name, module, (wire,)))))
    for name, rights in (("openingd", COMMITMENT), ("closingd", SIGN_CLOSE)):
        await m.daemons.link(name, "connectd")
        link_id = await m.daemons.link(name, "hsmd", capabilities=rights)
        for side in (ALICE, BOB):
            hsm.send(HsmdAssignChannel(link_id=link_id, peer_id=PEERS[side], dbid=DBIDS[side]))
    connectd, openingd, closingd = inboxes
    openingd.link.send(
        OpeningdInit(network="regtest", features=sides.FEATURES, dev_any_channel_type=False)
    )
    closingd.link.send(ClosingdInit(network="regtest"))
    return hsm, connectd, openingd, closingd


async def keys(hsm: Link, side: int) -> dict[str, Any]:
    """What the master gives with an opening."""
    points = await hsm.ask(HsmdGetBasepoints(peer_id=PEERS[side], dbid=DBIDS[side]))
    first = await hsm.ask(HsmdGetPerCommitmentPoint(dbid=DBIDS[side], number=0))
    return {
        "basepoints": points.basepoints,
        "first_per_commitment_point": first.point,
        "route_id": ROUTES[side],
        "dbid": DBIDS[side],
        "peer_id": PEERS[side],
    }


def close_request(channel: ChannelStatic, side: int) -> ClosingdStart:
    """Alice has 900000 sat, Bob the rest."""
    ours, theirs = Msat(900_000_000), Msat(100_000_000)
    other = BOB if side == ALICE else ALICE
    return ClosingdStart(
        channel=channel,
        route_id=ROUTES[side] + 20,
        to_local=ours if side == ALICE else theirs,
        to_remote=theirs if side == ALICE else ours,
        local_script=SCRIPTS[side],
        remote_script=SCRIPTS[other],
        feerate_min_perkw=253,
        feerate_preferred_perkw=1000 * side,
        feerate_max_perkw=10_000,
        fee_negotiation_step=50,
        step_is_percent=True,
        use_fee_range=True,
    )


@on_loop
async def test_open_and_close(tmp_path: Path) -> None:
    async with master() as m:
        hsm, connectd, openingd, closingd = await start_all(m, tmp_path)
        openingd.link.send(sides.open_request(**await keys(hsm, ALICE)))
        raw = (await connectd.next(ConnectdPeerMsg)).msg
        openingd.link.send(sides.got_open(raw, **await keys(hsm, BOB)))
        assert (await openingd.next(OpeningdAccepted)).dbid == DBIDS[ALICE]
        openingd.link.send(OpeningdFunding(dbid=DBIDS[ALICE], funding=sides.FUNDING))
        opened = {}
        for _ in (ALICE, BOB):
            done = await openingd.next(OpeningdDone)
            opened[done.channel.dbid] = done.channel
        assert openingd.messages == []
        await m.heard(f"route 70 is also {sides.FUNDING.channel_id().hex()}")
        for side in (ALICE, BOB):
            closingd.link.send(close_request(opened[DBIDS[side]], side))
        txs = [(await closingd.next(ClosingdDone)).tx for _ in (ALICE, BOB)]
        assert txs[0] == txs[1]
        assert {o.script for o in Tx.parse(txs[0]).outputs} == set(SCRIPTS.values())
        await m.heard("We agreed on a closing fee of ", "info")
    assert not [line for line in m.lines if line[0] in ("broken", "unusual")]


@on_loop
async def test_hsmd_refuses_and_the_daemon_lives_on(tmp_path: Path) -> None:
    async with master() as m:
        hsm, connectd, openingd, _ = await start_all(m, tmp_path)
        stranger = await keys(hsm, ALICE) | {"dbid": 9}
        openingd.link.send(sides.open_request(**stranger))
        raw = (await connectd.next(ConnectdPeerMsg)).msg
        openingd.link.send(sides.got_open(raw, **await keys(hsm, BOB)))
        await openingd.next(OpeningdAccepted)
        openingd.link.send(OpeningdFunding(dbid=9, funding=sides.FUNDING))
        reasons = {}
        for _ in (ALICE, BOB):
            failed = await openingd.next(OpeningdFailed)
            reasons[failed.dbid] = failed.reason
        assert reasons[9] == "Cannot open: channel 9 is not assigned to this link"
        assert reasons[8].startswith("They sent ERROR channel ")
        assert reasons[8].endswith(reasons[9])
        assert m.daemons.is_running("openingd")
