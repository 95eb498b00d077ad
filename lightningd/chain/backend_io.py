"""The bitcoin backend as the rest of the node calls it: a plugin's methods with typed answers.

Five are CLN's; `send_package` and `mempool_tx` only some backends have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx, TxOut
from pylightningd.common.errors import BackendError, UserError, WireError
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.lightningd.chain.block import Block, parse_block

CallPlugin = Callable[[str, dict[str, Any]], Awaitable[Any]]
PARSE_IN_THREAD = 100_000
"""Blocks of more bytes would hold the loop for too long."""


@dataclass(frozen=True, slots=True)
class ChainInfo:
    """How far the backend is."""

    chain: str
    headers: int
    blocks: int
    syncing: bool


@dataclass(frozen=True, slots=True)
class FeeAnswer:
    """The backend's estimates, in sat per kilo-vbyte."""

    floor_perkb: int
    estimates_perkb: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolTx:
    """An unconfirmed transaction as the backend's mempool has it; ancestors and descendants count it too."""

    tx: Tx
    fee: Sat
    vsize: int
    ancestors: int
    ancestor_vsize: int
    ancestor_fee: Sat
    descendants: int
    descendant_vsize: int
    descendant_fee: Sat


class Backend:
    """Calls that raise BackendError, and nothing else, where the backend does not work now."""

    def __init__(self, call: CallPlugin) -> None:
        self._call = call

    async def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        try:
            answer = await self._call(method, params)
        except UserError as error:
            raise BackendError(error.message) from None
        if not isinstance(answer, dict):
            raise BackendError(f"the bitcoin backend answered {method} with {answer!r:.100}")
        return answer

    async def chain_info(self, last_height: int) -> ChainInfo:
        """What chain it has, and how much of it."""
        answer = await self._ask("getchaininfo", last_height=last_height)
        try:
            return ChainInfo(
                answer["chain"], answer["headercount"], answer["blockcount"], answer["ibd"]
            )
        except KeyError as missing:
            raise BackendError(f"getchaininfo: the backend's answer has no {missing}") from None

    async def fees(self) -> FeeAnswer:
        """Its estimates; none where it cannot estimate."""
        answer = await self._ask("estimatefees")
        try:
            rates = tuple(
                (int(f["blocks"]), int(f["feerate"])) for f in answer.get("feerates") or ()
            )
            return FeeAnswer(int(answer["feerate_floor"]), rates)
        except (KeyError, TypeError, ValueError) as why:
            raise BackendError(f"estimatefees: bad answer of the backend: {why!r}") from None

    async def block(self, height: int) -> Block | None:
        """The block of this height; None where the chain is shorter."""
        answer = await self._ask("getrawblockbyheight", height=height)
        text = answer.get("block")
        if text is None:
            return None
        try:
            if len(text) > PARSE_IN_THREAD:
                return await asyncio.to_thread(_parse, text, height)
            return _parse(text, height)
        except (WireError, ValueError) as why:
            raise BackendError(f"getrawblockbyheight {height}: bad block: {why}") from None

    async def unspent(self, outpoint: Outpoint) -> TxOut | None:
        """The output, unless it is spent (the mempool counts) or does not exist."""
        answer = await self._ask("getutxout", txid=txid_hex(outpoint.txid), vout=outpoint.index)
        if answer.get("script") is None:
            return None
        amount = answer["amount"]
        if isinstance(amount, str):
            amount = amount.removesuffix("sat")
        return TxOut(Sat(int(amount)), bytes.fromhex(answer["script"]))

    async def mempool_tx(self, txid: Txid) -> MempoolTx | None:
        """A transaction of the mempool. A backend need not offer this: BackendError."""
        answer = await self._ask("getmempooltx", txid=txid_hex(txid))
        if answer.get("tx") is None:
            return None
        try:
            return MempoolTx(
                tx=Tx.parse(bytes.fromhex(answer["tx"])),
                fee=Sat(int(answer["fee"])),
                vsize=int(answer["vsize"]),
                ancestors=int(answer["ancestors"]),
                ancestor_vsize=int(answer["ancestor_vsize"]),
                ancestor_fee=Sat(int(answer["ancestor_fee"])),
                descendants=int(answer["descendants"]),
                descendant_vsize=int(answer["descendant_vsize"]),
                descendant_fee=Sat(int(answer["descendant_fee"])),
            )
        except (KeyError, TypeError, ValueError, WireError) as why:
            raise BackendError(f"getmempooltx: bad answer of the backend: {why!r}") from None

    async def send(self, tx: Tx, *, allow_high_fees: bool) -> tuple[bool, str]:
        """Give it a transaction: whether it took it, and if not, why."""
        raw = tx.serialize().hex()
        answer = await self._ask("sendrawtransaction", tx=raw, allowhighfees=allow_high_fees)
        return bool(answer.get("success")), str(answer.get("errmsg") or "")

    async def send_package(self, txs: Sequence[Tx], *, allow_high_fees: bool) -> tuple[bool, str]:
        """Give it parents and their child, to be taken together. A backend need not offer this."""
        package = [tx.serialize().hex() for tx in txs]
        try:
            answer = await self._call(
                "submitpackage", {"package": package, "allowhighfees": allow_high_fees}
            )
        except UserError as error:
            return False, error.message
        return bool(answer.get("success")), str(answer.get("errmsg") or "")


def _parse(text: str, height: int) -> Block:
    return parse_block(bytes.fromhex(text), height)
