"""What the backend tells of an unconfirmed transaction; a backend need not offer it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.errors import BackendError, UserError
from pylightningd.common.ids import Txid, txid_hex
from pylightningd.lightningd.chain.backend_io import Backend

TX = Tx(2, (TxIn(Txid(bytes(32)), 3),), (TxOut(Sat(5000), b"\x00\x14" + bytes(20)),))
TOLD = {
    "tx": TX.serialize().hex(),
    "fee": 150,
    "vsize": 110,
    "ancestors": 2,
    "ancestor_vsize": 220,
    "ancestor_fee": 300,
    "descendants": 3,
    "descendant_vsize": 330,
    "descendant_fee": 170,
}


def ask(answer: Any) -> Any:
    """`Backend.mempool_tx` with a plugin that answers so."""

    async def call(method: str, params: dict[str, Any]) -> Any:
        assert (method, params) == ("getmempooltx", {"txid": txid_hex(TX.txid())})
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(Backend(call).mempool_tx(TX.txid()))


def test_a_transaction_of_the_mempool() -> None:
    found = ask(TOLD)
    assert (found.tx, found.fee, found.ancestor_fee) == (TX, Sat(150), Sat(300))
    assert (found.ancestors, found.descendants, found.descendant_vsize) == (2, 3, 330)
    assert ask({"tx": None}) is None


@pytest.mark.parametrize(
    "answer",
    [
        UserError(-32601, "Unknown command 'getmempooltx'"),
        TOLD | {"fee": "much"},
        TOLD | {"tx": "00"},
        {"tx": TOLD["tx"]},
        [],
    ],
)
def test_a_backend_that_cannot_tell_or_tells_nonsense(answer: Any) -> None:
    with pytest.raises(BackendError):
        ask(answer)
