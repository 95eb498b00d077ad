"""A node as the payer sees it: commands answered from a script, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from pylightningd.common import features
from pylightningd.common.amount import Msat
from pylightningd.common.invoice import bolt11
from pylightningd.common.keys import sign_recoverable
from pylightningd.plugins.lib import Plugin, RpcError
from pylightningd.plugins.pay import __main__ as commands
from pylightningd.plugins.pay.shell import Payer
from tests.plugins.pay.maps import NODES, SECRETS, US

PREIMAGE = bytes(range(32))
HASH = sha256(PREIMAGE).digest()
Json = dict[str, Any]


def make_invoice(payee: str = "bob", amount: int | None = 5000, **more: Any) -> str:
    values: Json = {
        "currency": "bcrt",
        "timestamp": 4_000_000_000,
        "payment_hash": HASH,
        "payment_secret": bytes([9]) * 32,
        "amount": None if amount is None else Msat(amount),
        "description": "tea",
        "features": features.encode_features(
            [features.VAR_ONION, features.PAYMENT_SECRET, features.BASIC_MPP | 1]
        ),
    }
    draft = bolt11.Invoice(**(values | more))

    def sign(digest: bytes) -> bytes:
        signature, recovery_id = sign_recoverable(SECRETS[payee], digest)
        return signature + bytes([recovery_id])

    return bolt11.encode(draft, sign)


def channel(peer: str, scid: str, spendable: int = 10**9, **more: Any) -> Json:
    return {
        "peer_id": NODES[peer].hex(),
        "peer_connected": True,
        "reestablished": True,
        "state": "CHANNELD_NORMAL",
        "short_channel_id": scid,
        "alias": {"local": "1x2x3"},
        "spendable_msat": spendable,
        "total_msat": 10**10,
        "minimum_htlc_out_msat": 0,
        "max_accepted_htlcs": 483,
        "htlcs": [],
    } | more


class FakeNode:
    """Answers the payer's calls. `outcome(part)` says how a part ends: a preimage, or an RpcError to raise."""

    def __init__(self, channels: list[Json]) -> None:
        self.channels = channels
        self.calls: list[tuple[str, Json]] = []
        self.parts: list[Json] = []
        self.outcome: Callable[[Json], str | RpcError] = lambda _part: PREIMAGE.hex()
        self.refusal: RpcError | None = None
        self.gate: asyncio.Event | None = None
        self.notes: list[Json] = []
        self.plugin = commands.plugin

    async def rpc_call(self, method: str, params: Any, _wanted: Any = None) -> Any:
        self.calls.append((method, params))
        await asyncio.sleep(0)
        return await getattr(self, f"on_{method}")(**params)

    def named(self, method: str) -> list[Json]:
        return [params for name, params in self.calls if name == method]

    async def on_getinfo(self) -> Json:
        return {"id": US.hex(), "blockheight": 100}

    async def on_listpeerchannels(self) -> Json:
        return {"channels": self.channels}

    async def on_listsendpays(self, payment_hash: str | None = None, **_: Any) -> Json:
        return {"payments": [p for p in self.parts if payment_hash in (None, p["payment_hash"])]}

    async def on_sendpay(self, route: list[Json], **more: Any) -> Json:
        if self.refusal is not None:
            raise self.refusal
        part = {
            "payment_hash": more["payment_hash"],
            "partid": more.get("partid", 0),
            "groupid": more["groupid"],
            "amount_msat": route[-1]["amount_msat"] if route else more["amount_msat"],
            "amount_sent_msat": route[0]["amount_msat"] if route else more["amount_msat"],
            "created_at": 4_000_000_000,
            "created_index": len(self.parts) + 1,
            "status": "pending",
            "bolt11": more.get("bolt11"),
            "destination": route[-1]["id"] if route else US.hex(),
        }
        self.parts.append(part)
        if not route:
            part.update(status="complete", payment_preimage=PREIMAGE.hex())
        return dict(part)

    async def on_sendonion(self, first_hop: Json, **more: Any) -> Json:
        return await self.on_sendpay([first_hop], **more)

    async def on_waitsendpay(self, payment_hash: str, partid: int, groupid: int) -> Json:
        if self.gate is not None:
            await self.gate.wait()
        (part,) = (
            p
            for p in self.parts
            if (p["payment_hash"], p["partid"], p["groupid"]) == (payment_hash, partid, groupid)
        )
        outcome = self.outcome(part)
        if isinstance(outcome, RpcError):
            part["status"] = "failed"
            raise outcome
        part.update(status="complete", payment_preimage=outcome, completed_at=4_000_000_001)
        return dict(part)

    async def on_waitblockheight(self, blockheight: int, **more: int) -> Json:
        assert more["timeout"] > 0
        return {"blockheight": blockheight}

    def run(self, work: Callable[[Callable[..., Any]], Any], folder: Path) -> Any:
        """Run `work(call)` with the plugin connected to this node; `call(method, **params)` is a user's call."""

        async def inner() -> Any:
            plugin: Plugin = self.plugin
            plugin.configuration = {"network": "regtest", "lightning-dir": str(folder)}
            plugin.options["disable-mpp"] = False
            plugin.rpc_call = self.rpc_call
            plugin.send = self.notes.append
            commands.payer = Payer(plugin)
            async with asyncio.TaskGroup() as tasks:
                plugin.spawn = lambda coroutine, name="work": tasks.create_task(
                    coroutine, name=name
                )
                commands.payer.start()

                async def call(method: str, **params: Any) -> Any:
                    return await plugin.methods[method].handler(**params)

                try:
                    return await work(call)
                except RpcError as error:
                    failed = error
            raise failed

        return asyncio.run(inner())


def lost(code: int, index: int, **more: Any) -> RpcError:
    """waitsendpay's error for a part that came back."""
    data = {
        "failcode": int(code),
        "failcodename": "WIRE_SOMETHING",
        "erring_index": index,
        "raw_message": int(code).to_bytes(2, "big").hex(),
    }
    return RpcError(204, "failed: WIRE_SOMETHING (reply from remote)", data | more)
