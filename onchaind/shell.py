"""The link of onchaind. It has none to hsmd: the master signs, so this daemon needs no rights at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.bus.link import Incoming
from pylightningd.common.daemon_io import DaemonShell
from pylightningd.common.effects import Effect, Level, Log, Tell
from pylightningd.common.ids import NodeId
from pylightningd.common.route_events import FromMaster
from pylightningd.common.wire import onchaind_wire as ow
from pylightningd.common.wire.runtime import Message
from pylightningd.onchaind.machine import Plan, Resolver, Say

if TYPE_CHECKING:
    from pylightningd.common.record_io import Record


def as_effect(plan: Plan) -> Effect:
    """A plan as a machine's effect, which records know."""
    if isinstance(plan, Say):
        return Log(cast("Level", plan.level), plan.text)
    return Tell("master", plan)


class OnchaindShell(DaemonShell):
    """Resolves all channels of the node that are on the chain."""

    NAME = "onchaind"
    DESCRIPTION = "Decides about every output once a channel's funding output is spent."
    WIRES: ClassVar = (ow,)

    def on_master(self, batch: list[Incoming]) -> None:
        """Facts from the master."""
        last = {getattr(i.msg, "dbid", None): n for n, i in enumerate(batch)}
        for n, incoming in enumerate(batch):
            known = self._resolvers.get(getattr(incoming.msg, "dbid", 0))
            if known is not None:
                known.holds_back = n < last[known.dbid]
            self._from_master(incoming.msg)

    def _from_master(self, msg: Message) -> None:
        match msg:
            case ow.OnchaindChannel():
                resolver = Resolver(msg)
                self._resolvers[resolver.dbid] = resolver
                if self.recorder is not None:
                    self._records[resolver.dbid] = self.recorder.begin(resolver.dbid, msg)
                self._perform(resolver, resolver.start())
            case ow.OnchaindBlock(height=height):
                for resolver in list(self._resolvers.values()):
                    self._note(resolver, msg)
                    self._perform(resolver, resolver.block(height))
            case ow.OnchaindSpent(dbid=dbid, tx=raw, height=height):
                known = self._resolvers.get(dbid)
                if known is not None:
                    self._note(known, msg)
                    self._perform(known, known.spent(Tx.parse(raw), height))
            case ow.OnchaindPreimage(dbid=dbid, preimage=preimage):
                known = self._resolvers.get(dbid)
                if known is not None:
                    self._note(known, msg)
                    self._perform(known, known.preimage(preimage))
            case ow.OnchaindForget(dbid=dbid):
                self._resolvers.pop(dbid, None)
                self._records.pop(dbid, None)
            case ow.OnchaindInit():
                pass
            case _:
                raise TypeError(f"the master sent {msg.NAME}")

    async def start(self) -> None:
        """Nothing is known until the master tells it."""
        self._resolvers: dict[int, Resolver] = {}
        self._records: dict[int, Record] = {}

    def _note(self, resolver: Resolver, msg: Message) -> None:
        """Write down a fact, where that is wanted."""
        record = self._records.get(resolver.dbid)
        if record is not None:
            record.event(FromMaster(msg))

    def _perform(self, resolver: Resolver, plans: list[Plan]) -> None:
        record = self._records.get(resolver.dbid)
        if record is not None:
            record.effects(as_effect(plan) for plan in plans)
        peer_id = NodeId(resolver.facts.channel.peer_id)
        for plan in plans:
            if isinstance(plan, Say):
                self.log(plan.level, plan.text, peer_id=peer_id, dbid=resolver.dbid)
            else:
                self.master.send(plan)
