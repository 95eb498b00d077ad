"""HTLCs inside blinded paths: forwarded, received, and failed so that nobody learns why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common import features as ft
from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.errors import UserError
from pylightningd.common.ids import NodeId
from pylightningd.common.invoice import bolt12
from pylightningd.common.onion.blinding import make_blinded_path
from pylightningd.common.onion.failure import FailureFrom, unwrap
from pylightningd.common.onion.payload import encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.wire import bolt12_wire as bw
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.channels.channel import RemotePolicy
from pylightningd.lightningd.db.forwards_io import ForwardState
from pylightningd.lightningd.db.invoices_io import InvoiceState
from pylightningd.lightningd.payments.blinded_paths import make_payment_paths
from pylightningd.lightningd.rpc.invoice_drafts import createinvoice, signinvoice
from tests.lightningd.channels.rig import HEIGHT, Incoming, Rig, add_invoice, key, peer_id

PREIMAGE = b"q" * 32
HASH = sha256(PREIMAGE).digest()
BLINDING = 0xC018
UNKNOWN = 0x400F
PAYER = (77).to_bytes(32, "big")
RELAY = ow.EncryptedDataPaymentRelay(
    cltv_expiry_delta=20, fee_proportional_millionths=1000, fee_base_msat=500
)
LIMITS = ow.EncryptedDataPaymentConstraints(max_cltv_expiry=HEIGHT + 500, htlc_minimum_msat=10)


@dataclass
class Blinded:
    """A payment over a blinded path, and what its payer needs to read a failure."""

    htlc: Incoming
    secrets: list[bytes]

    def failure(self, onion: bytes) -> int:
        found = unwrap(self.secrets, onion)
        assert isinstance(found, FailureFrom)
        return int.from_bytes(found.message[:2], "big")


def draft(amount: int = 10_000, **more: Any) -> str:
    values: dict[str, Any] = {
        "invreq_metadata": b"m",
        "offer_issuer_id": key(1),
        "offer_description": "tea",
        "invreq_payer_id": key(90),
        "invreq_amount": Msat(amount),
        "invoice_payment_hash": HASH,
        "invoice_amount": Msat(amount),
        "invreq_chain": bytes.fromhex(
            "06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"
        ),
    } | more
    return bolt12.encode_string("lni", bw.Invoice(**values).encode())


def make_invoice(rig: Rig, **more: Any) -> bw.Invoice:
    task = rig.wait(createinvoice(rig.node, draft(**more), "tea", PREIMAGE))
    return bolt12.decode_invoice(task.result()["bolt12"])


def payload_to(path: ow.BlindedPath, amount: int, total: int, cltv: int = HEIGHT + 1) -> ow.Payload:
    """For a path whose introduction point is its end."""
    return ow.Payload(
        amt_to_forward=Msat(amount),
        outgoing_cltv_value=cltv,
        total_amount_msat=Msat(total),
        encrypted_recipient_data=path.path[0].encrypted_recipient_data,
        current_path_key=path.first_path_key,
    )


def pay_us(
    path: ow.BlindedPath,
    amount: int = 10_000,
    total: int | None = None,
    *,
    expiry: int = HEIGHT + 50,
    seed: bytes = PAYER,
) -> Blinded:
    payload = payload_to(path, amount, total or amount)
    onion, secrets = make_onion(seed, [(key(1), encode_hop_payload(payload))], HASH)
    return Blinded(Incoming(Msat(amount), HASH, expiry, onion, secrets[0]), secrets)


def path_of(*data: ow.EncryptedDataTlv, to: list[bytes]) -> ow.BlindedPath:
    hops = [(node, tlv.encode()) for node, tlv in zip(to, data, strict=True)]
    return make_blinded_path(b"\7" * 32, hops)[0]


def through_us(
    *,
    inside: bool = False,
    amount: int = 1_000_000,
    expiry: int = HEIGHT + 100,
    limits: ow.EncryptedDataPaymentConstraints = LIMITS,
    by_node: bool = False,
    extra: bool = False,
    **more: Any,
) -> Blinded:
    """One that goes on to peer 2: we are the introduction point, or (`inside`) the hop after it."""
    where = {"next_node_id": peer_id(2)} if by_node else {"short_channel_id": 1002}
    values: dict[str, Any] = {"payment_relay": RELAY, "payment_constraints": limits} | where | more
    ours = ow.EncryptedDataTlv(**values)
    end = ow.EncryptedDataTlv(path_id=b"id")
    path = path_of(ours, end, to=[key(1), peer_id(2)])
    first = ow.Payload(
        encrypted_recipient_data=path.path[0].encrypted_recipient_data,
        current_path_key=None if inside else path.first_path_key,
        amt_to_forward=Msat(5) if extra else None,
    )
    last = ow.Payload(
        amt_to_forward=Msat(990_000),
        outgoing_cltv_value=HEIGHT + 1,
        total_amount_msat=Msat(990_000),
        encrypted_recipient_data=path.path[1].encrypted_recipient_data,
    )
    us = path.path[0].blinded_node_id if inside else key(1)
    hops = [
        (us, encode_hop_payload(first)),
        (path.path[1].blinded_node_id, encode_hop_payload(last)),
    ]
    onion, secrets = make_onion(PAYER, hops, HASH)
    htlc = Incoming(Msat(amount), HASH, expiry, onion, secrets[0])
    if inside:
        htlc.path_key = path.first_path_key
    return Blinded(htlc, secrets)


def fails(rig: Rig) -> list[cw.ChanneldFailHtlc]:
    return rig.to_worker(cw.ChanneldFailHtlc)


def claims(rig: Rig) -> list[int]:
    return [m.id for m in rig.to_worker(cw.ChanneldFulfillHtlc)]


# Invoices


def test_an_invoice_gets_a_path_a_time_and_a_signature(rig: Rig) -> None:
    invoice = make_invoice(rig)
    assert invoice.invoice_node_id == rig.node.node_id
    assert [p.first_node_id for p in invoice.invoice_paths or ()] == [rig.node.node_id]
    costs = invoice.invoice_blindedpay or ()
    assert [c.cltv_expiry_delta for c in costs] == [10]
    assert invoice.invoice_features == bytes.fromhex("020000")


def test_an_unannounced_node_is_reached_through_its_peers(rig: Rig) -> None:
    for number in (1, 2, 3):
        channel = rig.ready(number, number)
        channel.announce = False
        channel.remote_policy = RemotePolicy(
            fee_base_msat=7,
            fee_proportional_millionths=8,
            cltv_expiry_delta=9,
            htlc_minimum=Msat(3),
            htlc_maximum=Msat(400_000_000),
        )
        if number != 3:
            channel.their_features = ft.encode_features([ft.ROUTE_BLINDING | 1])
    paths = make_payment_paths(rig.node, b"id", Msat(1000), 10, 600)
    assert {p.path.first_node_id for p in paths} == {peer_id(1), peer_id(2)}
    cost = paths[0].cost
    assert (cost.fee_base_msat, cost.fee_proportional_millionths) == (7, 8)
    assert (cost.cltv_expiry_delta, cost.htlc_minimum_msat) == (19, 3)
    assert cost.htlc_maximum_msat == 400_000_000
    lengths = {len(hop.encrypted_recipient_data) for hop in paths[0].path.path}
    assert len(lengths) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"invoice_payment_hash": None}, "Missing payment_hash"),
        ({"invoice_amount": None}, "Missing invoice_amount"),
        ({"signature": bytes(64)}, "already signed"),
        ({"invoice_node_id": key(5)}, "cannot sign"),
        ({"invoice_payment_hash": bytes(32)}, "Incorrect preimage"),
        ({"invreq_amount": Msat(5)}, "not what was asked for"),
    ],
)
def test_a_draft_that_cannot_become_an_invoice(rig: Rig, changes: dict[str, Any], why: str) -> None:
    task = rig.wait(createinvoice(rig.node, draft(**changes), "tea", PREIMAGE))
    with pytest.raises(UserError, match=why):
        task.result()
    assert rig.node.invoices.store.by_label("tea") is None


def test_signing_keeps_nothing(rig: Rig) -> None:
    signed = rig.wait(signinvoice(rig.node, draft())).result()
    assert bolt12.decode_invoice(signed["bolt12"]).invoice_payment_hash == HASH
    assert rig.node.invoices.store.by_hash(HASH) is None


# Receiving


def test_the_path_of_an_invoice_pays_it_once(rig: Rig) -> None:
    channel = rig.ready(1)
    path = (make_invoice(rig).invoice_paths or ())[0]
    rig.receive(channel, 0, pay_us(path).htlc)
    assert claims(rig) == [0]
    assert rig.node.invoices.store.by_hash(HASH).state is InvoiceState.PAID
    again = pay_us(path, seed=b"\5" * 32)
    rig.receive(channel, 1, again.htlc)
    assert again.failure(fails(rig)[0].failure_onion) == UNKNOWN


def test_an_invoice_is_paid_in_parts(rig: Rig) -> None:
    channel = rig.ready(1)
    path = (make_invoice(rig).invoice_paths or ())[0]
    rig.receive(channel, 0, pay_us(path, 4000, 10_000).htlc)
    assert claims(rig) == []
    rig.receive(channel, 1, pay_us(path, 6000, 10_000, seed=b"\5" * 32).htlc)
    assert claims(rig) == [0, 1]


def test_what_is_wrong_with_a_payment_looks_the_same(rig: Rig) -> None:
    """A wrong path_id, none, a secret instead of a path, too little, an unknown hash: one answer for all."""
    channel = rig.ready(1)
    path = (make_invoice(rig).invoice_paths or ())[0]
    secret = rig.node.invoices.store.by_hash(HASH).payment_secret
    plain = ow.Payload(
        amt_to_forward=Msat(10_000),
        outgoing_cltv_value=HEIGHT + 1,
        payment_data=ow.PayloadPaymentData(payment_secret=secret, total_msat=Msat(10_000)),
    )
    onion, secrets = make_onion(PAYER, [(key(1), encode_hop_payload(plain))], HASH)
    attempts = [
        pay_us(path_of(ow.EncryptedDataTlv(path_id=b"guess"), to=[key(1)])),
        pay_us(path_of(ow.EncryptedDataTlv(), to=[key(1)])),
        Blinded(Incoming(Msat(10_000), HASH, HEIGHT + 50, onion, secrets[0]), secrets),
        pay_us(path, 9999),
        pay_us(path, expiry=HEIGHT + 9),
    ]
    for number, attempt in enumerate(attempts):
        rig.receive(channel, number, attempt.htlc)
        assert attempt.failure(fails(rig)[number].failure_onion) == UNKNOWN, number
    assert claims(rig) == []


def test_the_path_of_a_bolt12_invoice_is_no_way_to_a_bolt11_one(rig: Rig) -> None:
    channel = rig.ready(1)
    add_invoice(rig, PREIMAGE, 10_000)
    attempt = pay_us(path_of(ow.EncryptedDataTlv(path_id=bytes(32)), to=[key(1)]))
    rig.receive(channel, 0, attempt.htlc)
    assert attempt.failure(fails(rig)[0].failure_onion) == UNKNOWN


@pytest.mark.parametrize(
    "limits",
    [
        ow.EncryptedDataPaymentConstraints(max_cltv_expiry=HEIGHT + 49, htlc_minimum_msat=0),
        ow.EncryptedDataPaymentConstraints(max_cltv_expiry=HEIGHT + 500, htlc_minimum_msat=10_001),
    ],
)
def test_a_path_is_not_used_beyond_its_limits(
    rig: Rig, limits: ow.EncryptedDataPaymentConstraints
) -> None:
    channel = rig.ready(1)
    make_invoice(rig)
    secret = rig.node.invoices.store.by_hash(HASH).payment_secret
    data = ow.EncryptedDataTlv(path_id=secret, payment_constraints=limits)
    attempt = pay_us(path_of(data, to=[key(1)]))
    rig.receive(channel, 0, attempt.htlc)
    assert attempt.failure(fails(rig)[0].failure_onion) == BLINDING


def test_at_the_end_of_a_path_through_others_nothing_but_the_code_comes_back(rig: Rig) -> None:
    channel = rig.ready(1)
    make_invoice(rig)
    secret = rig.node.invoices.store.by_hash(HASH).payment_secret
    for number, path_id in enumerate((b"guess", secret)):
        blinded = path_of(ow.EncryptedDataTlv(path_id=path_id), to=[key(1)])
        bare = replace(payload_to(blinded, 10_000, 10_000), current_path_key=None)
        hop = blinded.path[0].blinded_node_id
        onion, secrets = make_onion(PAYER, [(hop, encode_hop_payload(bare))], HASH)
        htlc = Incoming(Msat(10_000), HASH, HEIGHT + 50, onion, secrets[0])
        htlc.path_key = blinded.first_path_key
        rig.receive(channel, number, htlc)
        if not number:
            [failed] = fails(rig)
            assert failed.malformed_code == BLINDING
            assert failed.malformed_sha256 == sha256(onion).digest()
    assert claims(rig) == [1]


# Forwarding


@pytest.mark.parametrize("by_node", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_a_blinded_forward_carries_amount_expiry_and_path_key(
    rig: Rig, by_node: bool, inside: bool
) -> None:
    first, _ = rig.ready(1), rig.ready(2, 2)
    rig.receive(first, 0, through_us(by_node=by_node, inside=inside).htlc)
    [offer] = rig.to_worker(cw.ChanneldOfferHtlc)
    # ((1000000 - 500) * 1000000 + 1000999) / 1001000
    assert (offer.dbid, offer.amount, offer.cltv_expiry) == (2, Msat(998_502), HEIGHT + 80)
    path = path_of(ow.EncryptedDataTlv(), ow.EncryptedDataTlv(), to=[NodeId(key(1)), peer_id(2)])
    assert path.first_path_key != offer.path_key is not None
    assert [ForwardState(r["state"]) for r in rig.node.switch.forwards.all()] == [
        ForwardState.OFFERED
    ]


def test_the_path_may_name_another_path_key_for_the_next_hop(rig: Rig) -> None:
    first, _ = rig.ready(1), rig.ready(2, 2)
    rig.receive(first, 0, through_us(next_path_key_override=key(33)).htlc)
    assert [o.path_key for o in rig.to_worker(cw.ChanneldOfferHtlc)] == [key(33)]


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    "what",
    [
        {"amount": 9},
        {"expiry": HEIGHT + 501},
        {"allowed_features": b"\1"},
        {"payment_relay": None},
        {"short_channel_id": None},
        {"short_channel_id": 5},
        {"extra": True},
        {
            "payment_relay": ow.EncryptedDataPaymentRelay(
                cltv_expiry_delta=20, fee_proportional_millionths=0, fee_base_msat=0
            )
        },
        {"amount": 900_000_000},
    ],
)
def test_every_failure_inside_a_path_looks_alike(
    rig: Rig, what: dict[str, Any], inside: bool
) -> None:
    """Limits broken, features unknown, no relay, no next hop, fees too low, no money: all the same."""
    first = rig.ready(1)
    rig.ready(2, 2)
    attempt = through_us(inside=inside, **what)
    rig.receive(first, 0, attempt.htlc)
    for offer in list(rig.node.switch.offers.of_channel(2)):
        said = cw.ChanneldHtlcOffered(
            dbid=2, cookie=offer.cookie, id=0, failure_code=0x1007, error="no"
        )
        rig.worker_says(said)
    if not inside:
        # The introduction point does not answer at once.
        assert fails(rig) == []
        rig.later(1)
    [failed] = fails(rig)
    if inside:
        assert failed.malformed_code == BLINDING
    else:
        assert attempt.failure(failed.failure_onion) == BLINDING


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("garbled", [False, True])
def test_data_or_key_that_do_not_fit(rig: Rig, inside: bool, garbled: bool) -> None:
    first = rig.ready(1)
    attempt = through_us(inside=inside)
    if inside:
        attempt.htlc.path_key = key(66)
        if garbled:
            attempt.htlc.onion = b"\1" + attempt.htlc.onion[1:]
        rig.receive(first, 0, attempt.htlc)
        assert [f.malformed_code for f in fails(rig)] == [BLINDING]
        return
    path = path_of(ow.EncryptedDataTlv(), ow.EncryptedDataTlv(), to=[key(1), peer_id(2)])
    payload = ow.Payload(
        encrypted_recipient_data=b"x" * 40 if garbled else path.path[1].encrypted_recipient_data,
        current_path_key=path.first_path_key,
    )
    hops = [(key(1), encode_hop_payload(payload)), (peer_id(2), encode_hop_payload(payload))]
    onion, secrets = make_onion(PAYER, hops, HASH)
    rig.receive(first, 0, Incoming(Msat(10_000), HASH, HEIGHT + 50, onion, secrets[0]))
    rig.later(1)
    assert Blinded(attempt.htlc, secrets).failure(fails(rig)[0].failure_onion) == BLINDING


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("malformed", [False, True])
def test_what_comes_from_behind_us_is_turned_into_the_one_failure_also_after_a_restart(
    rig: Rig, inside: bool, malformed: bool
) -> None:
    first, second = rig.ready(1), rig.ready(2, 2)
    attempt = through_us(inside=inside)
    rig.receive(first, 0, attempt.htlc)
    rig.commit_offers(second)
    rig.restart()
    rig.recover()
    first, second = rig.ready(1), rig.ready(2, 2)
    htlc = second.htlcs[True, 0]
    assert htlc.path_key is not None
    htlc.failure_onion = None if malformed else b"reason" * 20
    htlc.malformed_code = BLINDING if malformed else 0
    rig.turn(lambda: rig.node.switch.failed_downstream(htlc))
    rig.later(1)
    [failed] = fails(rig)
    if inside:
        assert (failed.malformed_code, failed.failure_onion) == (BLINDING, b"")
        assert failed.malformed_sha256 == sha256(attempt.htlc.onion).digest()
    else:
        assert attempt.failure(failed.failure_onion) == BLINDING


def test_a_path_key_without_blinded_data(rig: Rig) -> None:
    first = rig.ready(1)
    attempt = pay_us(path_of(ow.EncryptedDataTlv(), to=[key(1)]))
    attempt.htlc.path_key = key(66)
    rig.receive(first, 0, attempt.htlc)
    assert [f.malformed_code for f in fails(rig)] == [BLINDING]


def test_a_restart_while_hsmd_is_asked_decides_anew(rig: Rig) -> None:
    first, _ = rig.ready(1), rig.ready(2, 2)
    rig.node.hsm.gate = rig.loop.create_future()
    rig.receive(first, 0, through_us().htlc)
    assert rig.to_worker(cw.ChanneldOfferHtlc) == []
    rig.restart()
    rig.ready(1)
    rig.ready(2, 2)
    rig.recover()
    assert len(rig.to_worker(cw.ChanneldOfferHtlc)) == 1


def test_a_restart_before_the_introduction_point_has_answered(rig: Rig) -> None:
    first, second = rig.ready(1), rig.ready(2, 2)
    attempt = through_us()
    rig.receive(first, 0, attempt.htlc)
    rig.commit_offers(second)
    htlc = second.htlcs[True, 0]

    def comes_back() -> None:
        htlc.failure_onion, htlc.state = b"reason" * 20, HtlcState.RCVD_REMOVE_ACK_REVOCATION
        rig.node.channels.store.save_htlc_resolution(htlc)
        rig.node.channels.store.save_htlc_states([htlc])
        del second.htlcs[htlc.key]
        rig.node.switch.failed_downstream(htlc)

    rig.turn(comes_back)
    assert fails(rig) == []
    rig.restart()
    rig.recover()
    rig.ready(1)
    rig.later(1)
    onion = rig.node.channels.get(1).htlcs[False, 0].failure_onion
    assert onion is not None
    assert attempt.failure(onion) == BLINDING
