"""What we publish: offers, and invoice requests that answer no offer. Pure."""

from __future__ import annotations

from dataclasses import replace

from pylightningd.common.amount import Msat
from pylightningd.common.entropy import Entropy
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice import bolt12
from pylightningd.common.invoice.bolt12_keys import path_secret
from pylightningd.common.network import Network
from pylightningd.common.wire.bolt12_wire import InvoiceRequest, Offer
from pylightningd.plugins.lib import INVALID_PARAMS, RpcError
from pylightningd.plugins.offers.mail import entrance


def draft_offer(
    network: Network,
    our_id: NodeId,
    *,
    amount_msat: int | None,
    description: str | None,
    issuer: str | None,
    quantity_max: int | None,
    absolute_expiry: int | None,
) -> Offer:
    """An offer without paths. Raises RpcError."""
    # BOLT 12, "Requirements For Offers", writer: an amount needs a description.
    if amount_msat is not None and description is None:
        raise RpcError(
            INVALID_PARAMS,
            "description: description is required for the user to know what it was they paid for",
        )
    return Offer(
        # BOLT 12, "Requirements For Offers", writer: the chain is named unless it is bitcoin.
        offer_chains=None if network.name == "bitcoin" else (network.chain_hash,),
        offer_amount=amount_msat,
        offer_description=description,
        offer_absolute_expiry=absolute_expiry,
        offer_issuer=issuer,
        offer_quantity_max=quantity_max,
        offer_issuer_id=our_id,
    )


def with_path(offer: Offer, base: bytes, entropy: Entropy, peer: NodeId, our_id: NodeId) -> Offer:
    """The offer with a path to us through a peer; who comes over it proves that it has this offer."""
    # BOLT 12, "Requirements For Offers", writer: offer_paths where only private channels lead to us.
    secret = path_secret(base, bolt12.offer_id(offer.encode()))
    return replace(offer, offer_paths=(entrance(secret, entropy, peer, our_id),))


def offer_secret(base: bytes, offer: Offer) -> bytes:
    """The path_id of an offer's paths, which follows from the offer without them."""
    return path_secret(base, bolt12.offer_id(replace(offer, offer_paths=None).encode()))


def draft_request(
    network: Network,
    our_id: NodeId,
    metadata: bytes,
    *,
    amount_msat: int,
    description: str | None,
    issuer: str | None,
    absolute_expiry: int | None,
) -> InvoiceRequest:
    """An unsigned invoice request for everybody, without paths."""
    # BOLT 12, "Requirements for Invoice Requests", writer, not responding to an offer.
    return InvoiceRequest(
        invreq_metadata=metadata,
        offer_description=description,
        offer_absolute_expiry=absolute_expiry,
        offer_issuer=issuer,
        invreq_chain=None if network.name == "bitcoin" else network.chain_hash,
        invreq_amount=Msat(amount_msat),
        invreq_payer_id=our_id,
    )


def request_with_path(
    invreq: InvoiceRequest, base: bytes, entropy: Entropy, peer: NodeId, our_id: NodeId
) -> InvoiceRequest:
    """The invoice request with a path to us through a peer."""
    secret = path_secret(base, bolt12.invreq_id(invreq.encode()))
    return replace(invreq, invreq_paths=(entrance(secret, entropy, peer, our_id),))
