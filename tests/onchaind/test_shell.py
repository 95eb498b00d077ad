"""onchaind's shell over links in memory: several channels, and one told anew."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from dataclasses import replace
from types import SimpleNamespace

from pylightningd.common.bus.link import Incoming, memory_link_pair
from pylightningd.common.wire import bus_wire
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.common.wire.runtime import Message
from pylightningd.onchaind.shell import OnchaindShell
from tests.bus.loop import on_loop
from tests.onchaind.rig import HEIGHT, Rig, htlc, preimage


class World:
    """A shell and a scripted master."""

    def __init__(self) -> None:
        self.shell = OnchaindShell(Namespace())
        self.came: list[Message] = []
        ours, self.master = memory_link_pair("onchaind", "lightningd", (ow, bus_wire))
        self.master.on_message = self._take
        self.shell._daemon = SimpleNamespace(master=ours)  # type: ignore[assignment]  # noqa: SLF001
        ours.on_message = self.shell.on_master

    def _take(self, batch: list[Incoming]) -> None:
        self.came += [incoming.msg for incoming in batch]

    async def tell(self, *messages: Message) -> list[Message]:
        """What comes back."""
        self.came.clear()
        for msg in messages:
            self.master.send(msg)
        for _ in range(20):
            await asyncio.sleep(0)
        return list(self.came)


def claims(messages: list[Message]) -> list[tuple[int, str]]:
    return [
        (m.epoch, c.kind) for m in messages if isinstance(m, ow.OnchaindClaims) for c in m.claims
    ]


@on_loop
async def test_two_channels_and_one_told_anew() -> None:
    world = World()
    await world.shell.start()
    rig = Rig(anchors=True, htlcs=(htlc(3, ours=False),))
    first = rig.told(rig.ours.tx)
    second = replace(first, channel=replace(rig.channel, dbid=2))
    await world.tell(ow.OnchaindInit(network="regtest"))
    told = await world.tell(first, second)
    assert claims(told) == [(1, "OUR_DELAYED_RETURN_TO_WALLET")] * 2
    assert {m.dbid for m in told if isinstance(m, ow.OnchaindRecognised)} == {1, 2}
    again = await world.tell(replace(first, epoch=7))
    assert claims(again) == [(7, "OUR_DELAYED_RETURN_TO_WALLET")]
    late = await world.tell(ow.OnchaindPreimage(dbid=1, preimage=preimage(3)))
    assert claims(late) == [(7, "OUR_HTLC_SUCCESS_TX")]
    await world.tell(ow.OnchaindForget(dbid=1))
    blocks = await world.tell(ow.OnchaindBlock(height=HEIGHT + 1))
    assert {m.dbid for m in blocks if isinstance(m, ow.OnchaindProgress)} == {2}
    unknown = ow.OnchaindSpent(dbid=1, tx=rig.ours.tx.serialize(), height=HEIGHT)
    assert await world.tell(unknown) == []
