"""Giving our transactions to the network, now and again and again. What is due when: `broadcast.py`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.errors import BackendError
from pylightningd.common.ids import txid_hex
from pylightningd.lightningd.chain.backend_io import Backend
from pylightningd.lightningd.chain.broadcast import Broadcasts, OnResult, Outgoing


class Broadcaster:
    """Sends through the backend. `height` tells the newest block's height."""

    def __init__(
        self, backend: Backend, height: Callable[[], int], log: Callable[..., None]
    ) -> None:
        self._backend = backend
        self._height = height
        self._log = log
        self.broadcasts = Broadcasts()

    async def broadcast(
        self,
        tx: Tx,
        *,
        min_block: int = 0,
        allow_high_fees: bool = False,
        owner: object = None,
        on_result: OnResult | None = None,
        refresh: Callable[[], Tx | None] | None = None,
        why: str | None = None,
        keep: bool = True,
        parents: tuple[Tx, ...] = (),
    ) -> tuple[bool, str]:
        """Give a transaction to the network. Returns whether the backend took it, and its message if not.

        It is repeated until it is in a block: after a refusal only with `keep` (a parent may be missing as yet), and
        never where the answer is of use only now. One that is held back for `min_block` counts as taken.
        """
        txid = tx.txid()
        outgoing = Outgoing(
            tx,
            txid,
            min_block,
            allow_high_fees,
            owner=owner,
            on_result=on_result,
            refresh=refresh,
            why=why,
            parents=parents,
        )
        if not outgoing.may_go(self._height()):
            self._log(
                "debug", f"Deferring broadcast of txid {txid_hex(txid)} until block {min_block - 1}"
            )
            self.broadcasts.add(outgoing)
            return True, ""
        return await self._send_first(outgoing, keep=keep)

    async def _send_first(self, outgoing: Outgoing, *, keep: bool) -> tuple[bool, str]:
        suffix = f" for {outgoing.why}" if outgoing.why else ""
        self._log("debug", f"Broadcasting txid {txid_hex(outgoing.txid)}{suffix}")
        if keep:
            # Kept before it is sent: a block that holds it may come before the answer.
            self.broadcasts.add(outgoing)
        ok, message = await self._send(outgoing)
        if ok and not keep:
            self.broadcasts.add(outgoing)
        return ok, message

    async def _send(self, outgoing: Outgoing) -> tuple[bool, str]:
        first, outgoing.sent = not outgoing.sent, True
        try:
            ok, message = await self._backend.send(
                outgoing.tx, allow_high_fees=outgoing.allow_high_fees
            )
        except BackendError as why:
            ok, message = False, str(why)
        if not ok and outgoing.parents:
            ok, message = await self._send_package(outgoing, message)
        if first and outgoing.on_result is not None:
            outgoing.on_result(ok, message)
        if not ok:
            self._log(
                "debug",
                f"Expected error broadcasting tx {outgoing.tx.serialize().hex()}: {message}",
            )
        return ok, message

    async def _send_package(self, outgoing: Outgoing, refusal: str) -> tuple[bool, str]:
        """Together with the parents that mempools do not take alone."""
        ok, message = await self._backend.send_package(
            [*outgoing.parents, outgoing.tx], allow_high_fees=outgoing.allow_high_fees
        )
        names = ", ".join(txid_hex(tx.txid()) for tx in outgoing.parents)
        outcome = "taken" if ok else f"refused: {message}"
        self._log("debug", f"Package of {names} and {txid_hex(outgoing.txid)} is {outcome}")
        return ok, "" if ok else f"{refusal} (as a package: {message})"

    async def repeat(self) -> None:
        for outgoing in self.broadcasts.due(self._height()):
            if outgoing.sent:
                await self._send(outgoing)
            else:
                await self._send_first(outgoing, keep=True)

    async def repeat_forever(self) -> None:
        while True:
            # Not all nodes of the network at the same second, and not to be told apart by the rhythm.
            await asyncio.sleep(30 + random.uniform(0, 30))  # noqa: S311
            await self.repeat()
