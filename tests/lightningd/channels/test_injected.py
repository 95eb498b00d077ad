"""injectpaymentonion: onions that begin at ourselves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.errors import UserError
from pylightningd.common.onion.failure import FailureFrom, make_failure, unwrap
from pylightningd.common.onion.payload import encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.channels.channel import Channel
from pylightningd.lightningd.db.payments_io import PaymentStatus
from pylightningd.lightningd.rpc.blinded import decryptencrypteddata, injectpaymentonion
from tests.lightningd.channels.rig import HEIGHT, Rig, key, peer_id
from tests.lightningd.channels.test_blinded import (
    HASH,
    PREIMAGE,
    Blinded,
    make_invoice,
    path_of,
    pay_us,
    through_us,
)
from tests.lightningd.channels.test_forward import fulfilled


def inject(rig: Rig, sent: Blinded, **changes: Any) -> asyncio.Task[dict[str, Any]]:
    values: dict[str, Any] = {
        "onion": sent.htlc.onion,
        "payment_hash": HASH,
        "amount_msat": sent.htlc.amount,
        "cltv_expiry": sent.htlc.cltv_expiry,
        "partid": 1,
        "groupid": 1,
        "label": None,
        "invstring": None,
        "localinvreqid": None,
        "destination_msat": None,
        "destination": None,
    }
    return rig.wait(injectpaymentonion(rig.node, **(values | changes)))


def error_of(task: asyncio.Task[Any]) -> UserError:
    error = task.exception()
    assert isinstance(error, UserError), error
    return error


def plain(scid: Any, amount: int = 5000, cltv: int = HEIGHT + 40) -> Blinded:
    here = ow.Payload(amt_to_forward=Msat(amount), outgoing_cltv_value=cltv, short_channel_id=scid)
    there = ow.Payload(amt_to_forward=Msat(amount), outgoing_cltv_value=HEIGHT + 40)
    hops = [(key(1), encode_hop_payload(here)), (peer_id(2), encode_hop_payload(there))]
    onion, secrets = make_onion(b"\6" * 32, hops, HASH)
    sent = through_us()
    sent.htlc.onion, sent.secrets = onion, secrets
    sent.htlc.amount, sent.htlc.cltv_expiry = Msat(amount), HEIGHT + 40
    return sent


def offered(rig: Rig) -> Channel:
    second = rig.node.channels.get(2)
    assert rig.commit_offers(second) == [0]
    channel: Channel = second
    return channel


def test_the_rest_of_a_blinded_path_goes_out_with_its_path_key(rig: Rig) -> None:
    rig.ready(2, 2)
    waiting = inject(rig, through_us(), destination=peer_id(7), destination_msat=Msat(990_000))
    [offer] = rig.to_worker(cw.ChanneldOfferHtlc)
    assert offer.path_key is not None
    assert (offer.amount, offer.cltv_expiry) == (Msat(998_502), HEIGHT + 80)
    rig.worker_says(fulfilled(offered(rig), PREIMAGE))
    assert waiting.result()["payment_preimage"] == PREIMAGE.hex()
    [part] = rig.node.payments.store.all()
    assert (part.status, part.destination) == (PaymentStatus.COMPLETE, peer_id(7))
    # Who asks again is told so.
    assert error_of(inject(rig, through_us())).code == 219
    assert error_of(inject(rig, through_us(), partid=2)).code == 219


def test_a_failure_comes_back_wrapped(rig: Rig) -> None:
    second = rig.ready(2, 2)
    sent = plain(second.usable_scid)
    waiting = inject(rig, sent)
    offered(rig)
    htlc = second.htlcs[True, 0]
    reason = ow.TemporaryNodeFailure().encode()
    htlc.failure_onion = make_failure(sent.secrets[1], reason)
    rig.turn(lambda: rig.node.switch.failed_downstream(htlc))
    error = error_of(waiting)
    assert error.code == 218
    found = unwrap(sent.secrets, bytes.fromhex(error.data["onionreply"]))
    assert isinstance(found, FailureFrom)
    assert (found.hop, found.message) == (1, reason)


def test_our_own_refusal_is_the_first_hops(rig: Rig) -> None:
    second = rig.ready(2, 2)
    sent = plain(second.usable_scid)
    waiting = inject(rig, sent)
    [offer] = rig.to_worker(cw.ChanneldOfferHtlc)
    rig.worker_says(
        cw.ChanneldHtlcOffered(dbid=2, cookie=offer.cookie, id=0, failure_code=0x1007, error="no")
    )
    found = unwrap(sent.secrets, bytes.fromhex(error_of(waiting).data["onionreply"]))
    assert isinstance(found, FailureFrom)
    assert (found.hop, found.message[:2]) == (0, b"\x10\x07")


def test_an_invoice_of_our_own(rig: Rig) -> None:
    path = (make_invoice(rig).invoice_paths or ())[0]
    wrong = pay_us(path_of(ow.EncryptedDataTlv(path_id=b"guess"), to=[key(1)]))
    error = error_of(inject(rig, wrong))
    assert error.code == 218
    assert wrong.failure(bytes.fromhex(error.data["onionreply"])) == 0x400F
    assert inject(rig, pay_us(path)).result()["payment_preimage"] == PREIMAGE.hex()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"onion": b"x"}, "1366 bytes"),
        ({"partid": 0}, "partid"),
        ({"payment_hash": bytes(32)}, "Could not process onion"),
        ({"cltv_expiry": HEIGHT}, "too close"),
        ({"cltv_expiry": HEIGHT + 2017}, "too far"),
    ],
)
def test_what_cannot_be_sent(rig: Rig, changes: dict[str, Any], why: str) -> None:
    second = rig.ready(2, 2)
    error = error_of(inject(rig, plain(second.usable_scid), **changes))
    assert why in error.message
    assert rig.to_worker(cw.ChanneldOfferHtlc) == []


@pytest.mark.parametrize(
    ("cltv", "why"),
    [
        (0, "too close"),
        (HEIGHT, "too close"),
        (HEIGHT + 1, "too close"),
        (HEIGHT + 2017, "too far"),
    ],
)
def test_the_expiry_that_counts_is_the_onions(rig: Rig, cltv: int, why: str) -> None:
    second = rig.ready(2, 2)
    error = error_of(inject(rig, plain(second.usable_scid, cltv=cltv)))
    assert (error.code, why in error.message) == (-32602, True)
    assert rig.to_worker(cw.ChanneldOfferHtlc) == []
    assert rig.node.payments.store.all() == []
    inject(rig, plain(second.usable_scid, cltv=HEIGHT + 2))
    assert len(rig.to_worker(cw.ChanneldOfferHtlc)) == 1


def test_where_it_cannot_go(rig: Rig) -> None:
    second = rig.ready(2, 2)
    assert "Unknown scid" in error_of(inject(rig, plain(77))).message
    assert "not in htlc min/max" in error_of(inject(rig, plain(1002, 10**10))).message
    assert "Onion decode" in error_of(inject(rig, through_us(amount=5))).message
    second.reestablished = False
    assert "in state" in error_of(inject(rig, plain(1002))).message
    assert "No available" in error_of(inject(rig, through_us(by_node=True))).message


def test_a_blinded_hop_is_read_for_a_plugin(rig: Rig) -> None:
    path = path_of(ow.EncryptedDataTlv(path_id=b"id"), to=[key(1)])
    hop = path.path[0].encrypted_recipient_data
    done = rig.wait(decryptencrypteddata(rig.node, hop, path.first_path_key))
    said = done.result()["decryptencrypteddata"]
    assert said["decrypted"] == ow.EncryptedDataTlv(path_id=b"id").encode().hex()
    done = rig.wait(decryptencrypteddata(rig.node, hop, key(5)))
    assert "Decryption failed" in error_of(done).message
