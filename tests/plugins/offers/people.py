"""Alice, who has an offer, and bob, who takes it up: keys, drafts and signatures."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import alias_tweak
from pylightningd.common.invoice.bolt12_merkle import merkle_root, signature_hash
from pylightningd.common.keys import pubkey_from_secret, schnorr_sign, secret_tweak_add
from pylightningd.common.network import REGTEST
from pylightningd.common.onion.onion_message import make_message_path
from pylightningd.common.secret import Secret
from pylightningd.common.wire.bolt12_wire import BlindedPayinfo, Invoice, InvoiceRequest, Offer
from pylightningd.plugins.offers.drafts import draft_offer
from pylightningd.plugins.offers.request import Wish, make_request

NOW = 1_800_000_000
ALICE, BOB, CAROL = (Secret(bytes([n]) * 32) for n in (1, 2, 3))
ALICE_ID, BOB_ID, CAROL_ID = (NodeId(pubkey_from_secret(k)) for k in (ALICE, BOB, CAROL))
PATH_BASE, ALIAS_BASE = b"path base" + bytes(23), b"alias base" + bytes(22)
PREIMAGE = b"p" * 32
METADATA = b"metadata of bob."


def entropy() -> SeededEntropy:
    return SeededEntropy(b"offers")


def offer_of_alice(**more: Any) -> Offer:
    values: dict[str, Any] = {
        "amount_msat": 10_000,
        "description": "tea",
        "issuer": None,
        "quantity_max": None,
        "absolute_expiry": None,
    }
    return draft_offer(REGTEST, ALICE_ID, **(values | more))


def unsigned_request(offer: Offer, **wish: Any) -> bytes:
    return make_request(
        offer, offer.encode(), Wish(metadata=METADATA, **wish), REGTEST, BOB_ID, ALIAS_BASE
    )


def signed_request(offer: Offer, **wish: Any) -> bytes:
    """As bob's node would sign it."""
    return sign_request(InvoiceRequest.decode(unsigned_request(offer, **wish)))


def sign_request(invreq: InvoiceRequest, key: Secret | None = None) -> bytes:
    if key is None:
        key = secret_tweak_add(BOB, alias_tweak(ALIAS_BASE, invreq.invreq_metadata or b""))
    digest = signature_hash(
        "invoice_request", merkle_root(replace(invreq, signature=None).encode())
    )
    return replace(invreq, signature=schnorr_sign(key, digest)).encode()


def signed_invoice(text: str, key: Secret = ALICE, **changed: Any) -> bytes:
    """A draft as `createinvoice` of the key's node would complete and sign it."""
    draft = Invoice.decode(bolt12.decode_string(text)[1])
    path = make_message_path(bytes([7]) * 32, [NodeId(pubkey_from_secret(key))], bytes(32))
    cost = BlindedPayinfo(
        fee_base_msat=0,
        fee_proportional_millionths=0,
        cltv_expiry_delta=10,
        htlc_minimum_msat=0,
        htlc_maximum_msat=10**9,
        features=b"",
    )
    draft = replace(draft, invoice_paths=(path,), invoice_blindedpay=(cost,), **changed)
    return sign_invoice(draft, key)


def sign_invoice(invoice: Invoice, key: Secret = ALICE) -> bytes:
    digest = signature_hash("invoice", merkle_root(replace(invoice, signature=None).encode()))
    return replace(invoice, signature=schnorr_sign(key, digest)).encode()


def payment_hash() -> bytes:
    return sha256(PREIMAGE).digest()
