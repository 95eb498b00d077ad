"""Nodes as the plugin sees them: commands answered from memory, onion messages opened and carried at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.features import ONION_MESSAGES, encode_features
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import alias_tweak
from pylightningd.common.keys import ecdh, pubkey_from_secret, secret_tweak_add
from pylightningd.common.onion.blinding import tweak_key
from pylightningd.common.onion.onion_message import ForwardMessage, open_onion_message
from pylightningd.common.onion.sphinx import ephemeral_key
from pylightningd.common.secret import Secret
from pylightningd.common.wire.bolt12_wire import Invoice, InvoiceRequest
from pylightningd.plugins.lib import Plugin, RpcError
from pylightningd.plugins.offers.counter import Counter
from pylightningd.plugins.offers.mail import Letter
from pylightningd.plugins.offers.shell import Post
from tests.plugins.offers.people import NOW, sign_request, signed_invoice

Json = dict[str, Any]
FEATURES = encode_features([ONION_MESSAGES | 1]).hex()


class Net:
    """All nodes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes: dict[NodeId, Node] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def add(self, key: Secret) -> Node:
        node = Node(self, key)
        self.nodes[node.id] = node
        return node

    async def settle(self) -> None:
        """Until nothing is under way."""
        while self.tasks:
            await self.tasks.pop()


class Node:
    """One node with the plugin's parts."""

    def __init__(self, net: Net, key: Secret) -> None:
        self.net = net
        self.key = key
        self.id = NodeId(pubkey_from_secret(key))
        self.peers: list[Node] = []
        self.offers: dict[str, Json] = {}
        self.requests: dict[str, Json] = {}
        self.invoices: dict[str, Json] = {}
        self.paid: dict[str, asyncio.Event] = {}
        self.calls: list[tuple[str, Json]] = []
        self.logs: list[tuple[str, str]] = []
        self.now = NOW
        self.deaf = False
        """Drops what comes for it."""
        self.tamper: Callable[[Letter], Letter] = lambda letter: letter
        self.incoming: list[Json] = []
        self.held: list[str] = []
        """Payment hashes of HTLCs."""
        self.plugin = Plugin()
        self.plugin.add_option("fetchinvoice-noconnect", "flag", None, "")
        self.plugin.configuration = {"network": "regtest", "lightning-dir": str(net.folder)}
        self.plugin.rpc_call = self.answer
        self.plugin.send = self._heard
        self.plugin.spawn = lambda coro, name: asyncio.get_running_loop().create_task(
            coro, name=name
        )
        self.post = Post(self.plugin, SeededEntropy(self.id))
        self.post.now = lambda: self.now  # type: ignore[method-assign]  # the only clock
        self.counter = Counter(self.plugin, self.post)

    def connect(self, *others: Node) -> None:
        for other in others:
            self.peers.append(other)
            other.peers.append(self)

    def _heard(self, message: Json) -> None:
        if message["method"] == "log":
            self.logs.append((message["params"]["level"], message["params"]["message"]))

    async def answer(self, method: str, params: Json, _wanted: Json | None = None) -> Json:
        self.calls.append((method, params))
        handler: Callable[..., Any] = getattr(self, f"_on_{method}")
        found: Json = await handler(**params)
        return found

    async def _on_getinfo(self) -> Json:
        return {"id": self.id.hex()}

    async def _on_makesecret(self, string: str) -> Json:
        return {"secret": self.secret(string).hex()}

    def secret(self, name: str) -> bytes:
        return (name.encode() + self.id)[:32]

    async def _on_listpeers(self) -> Json:
        return {
            "peers": [
                {"id": p.id.hex(), "connected": True, "features": FEATURES} for p in self.peers
            ]
        }

    async def _on_listincoming(self) -> Json:
        return {"incoming": self.incoming}

    async def _on_connect(self, id: str) -> Json:
        other = self.net.nodes.get(NodeId(bytes.fromhex(id)))
        if other is None:
            raise RpcError(401, "All addresses failed")
        self.connect(other)
        return {}

    async def _on_createoffer(self, bolt12: str, single_use: bool, **_: Any) -> Json:
        return self.publish(bolt12, single_use=single_use)

    def publish(self, text: str, *, active: bool = True, single_use: bool = False) -> Json:
        offer_id = bolt12.offer_id(bolt12.decode_string(text)[1]).hex()
        offer = {
            "offer_id": offer_id,
            "active": active,
            "single_use": single_use,
            "bolt12": text,
            "force_paths": False,
            "used": False,
            "created": True,
        }
        return self.offers.setdefault(offer_id, offer)

    async def _on_listoffers(self, offer_id: str) -> Json:
        found = self.offers.get(offer_id)
        return {"offers": [] if found is None else [found]}

    async def _on_createinvoicerequest(self, bolt12: str, savetodb: bool, **more: Any) -> Json:
        return self.request(bolt12, savetodb, more.get("single_use", True))

    def request(self, text: str, save: bool, single_use: bool) -> Json:
        invreq = InvoiceRequest.decode(bolt12.decode_string(text)[1])
        key = self.key
        if invreq.invreq_payer_id != self.id:
            tweak = alias_tweak(self.secret("node-alias-base"), invreq.invreq_metadata or b"")
            key = secret_tweak_add(self.key, tweak)
        tlvs = sign_request(invreq, key)
        made = {
            "invreq_id": bolt12.invreq_id(tlvs).hex(),
            "active": True,
            "single_use": single_use,
            "bolt12": bolt12.encode_string("lnr", tlvs),
            "used": False,
        }
        if save:
            self.requests[str(made["invreq_id"])] = made
        return made

    async def _on_listinvoicerequests(self, invreq_id: str) -> Json:
        found = self.requests.get(invreq_id)
        return {"invoicerequests": [] if found is None else [found]}

    async def _on_createinvoice(self, invstring: str, label: str, preimage: str) -> Json:
        old = self.invoices.get(label)
        if old is not None:
            raise RpcError(900, "Duplicate label", old)
        raw = signed_invoice(invstring, self.key)
        invoice = Invoice.decode(raw)
        after = invoice.invoice_relative_expiry
        made: Json = {
            "label": label,
            "status": "unpaid",
            "bolt12": bolt12.encode_string("lni", raw),
            "expires_at": (invoice.invoice_created_at or 0) + (7200 if after is None else after),
            "preimage": preimage,
            "payment_hash": (invoice.invoice_payment_hash or b"").hex(),
        }
        if invoice.offer_issuer_id is not None:
            made["local_offer_id"] = bolt12.offer_id(raw).hex()
        self.invoices[label] = made
        return made

    async def _on_listinvoices(self) -> Json:
        return {"invoices": list(self.invoices.values())}

    async def _on_listpeerchannels(self) -> Json:
        return {"channels": [{"htlcs": [{"payment_hash": held} for held in self.held]}]}

    async def _on_delinvoice(self, label: str, status: str) -> Json:
        if self.invoices[label]["status"] != status:
            now = self.invoices[label]["status"]
            raise RpcError(906, "status", {"current_status": now, "expected_status": status})
        return self.invoices.pop(label)

    async def _on_waitinvoice(self, label: str) -> Json:
        await self.paid.setdefault(label, asyncio.Event()).wait()
        return self.invoices[label]

    async def _on_xpay(self, invstring: str, localinvreqid: str) -> Json:
        for node in self.net.nodes.values():
            for row in node.invoices.values():
                if row["bolt12"] == invstring:
                    row["status"] = "paid"
                    node.paid.setdefault(row["label"], asyncio.Event()).set()
                    self.requests[localinvreqid]["active"] = False
                    return {}
        raise RpcError(205, "no route")

    # Onion messages

    async def _on_injectonionmessage(self, path_key: str, message: str) -> Json:
        self.open(bytes.fromhex(path_key), bytes.fromhex(message))
        return {}

    def open(self, path_key: bytes, packet: bytes) -> None:
        path_secret = ecdh(self.key, path_key)
        onion_secret = ecdh(self.key, tweak_key(ephemeral_key(packet), path_secret))
        opened = open_onion_message(packet, path_key, path_secret, onion_secret)
        if isinstance(opened, ForwardMessage):
            there = [p for p in self.peers if p.id == opened.next_node_id]
            if not there:
                raise RpcError(-1, "unknown next peer")
            there[0].open(opened.path_key, opened.packet)
            return
        tlvs = opened.tlvs
        letter = Letter(
            opened.path_id, tlvs.reply_path, tlvs.invoice_request, tlvs.invoice, tlvs.invoice_error
        )
        self.net.tasks.append(asyncio.get_running_loop().create_task(self.read(letter)))

    async def read(self, letter: Letter) -> None:
        """As `__main__` does with both hooks."""
        if self.deaf:
            return
        letter = self.tamper(letter)
        if not self.post.take(letter):
            await self.counter.serve(letter)
