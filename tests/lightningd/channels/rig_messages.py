"""Channels, HTLCs and payments for `rig`, and the messages that daemons would send about them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.onion.payload import encode_hop_payload
from pylightningd.common.onion.sphinx import make_onion
from pylightningd.common.secret import Secret
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire.common_wire import Basepoints, ChannelConfig, ChannelStatic
from pylightningd.lightningd.channels.channel import Channel, Policy
from pylightningd.lightningd.channels.states import ChannelState
from pylightningd.lightningd.db.invoices_io import InvoiceRow
from pylightningd.lightningd.db.payments_io import Part
from pylightningd.lightningd.payments.outgoing import FinalData, RouteHop
from tests.lightningd.channels.rig_fakes import HEIGHT, OUR_KEY, key, peer_id, scid_of

if TYPE_CHECKING:
    from tests.lightningd.channels.rig import Rig


@dataclass
class Incoming:
    """An HTLC that a peer offers us."""

    amount: Msat
    payment_hash: bytes
    cltv_expiry: int
    onion: bytes
    secret: bytes
    too_dusty: bool = False
    path_key: bytes | None = None

    def onion_secret(self, htlc_id: int) -> cw.OnionSecret:
        return cw.OnionSecret(id=htlc_id, secret=Secret(self.secret), too_dusty=self.too_dusty)


def incoming(
    payment_hash: bytes,
    amount: int,
    payloads: list[ow.Payload],
    *,
    cltv_expiry: int = HEIGHT + 100,
    seed: int = 9,
) -> Incoming:
    """An HTLC with an onion for us (and for nodes behind us)."""
    keys = [pubkey_from_secret(OUR_KEY), *(key(200 + i) for i in range(len(payloads) - 1))]
    hops = [(NodeId(k), encode_hop_payload(p)) for k, p in zip(keys, payloads, strict=True)]
    onion, secrets = make_onion(seed.to_bytes(32, "big"), hops, payment_hash)
    return Incoming(Msat(amount), payment_hash, cltv_expiry, onion, secrets[0])


def for_us(
    preimage: bytes,
    amount: int,
    *,
    secret: bytes | None = bytes(32),
    total: int | None = None,
    keysend: bool = False,
    **more: Any,
) -> Incoming:
    """An HTLC that ends at us."""
    data = None
    if secret is not None:
        data = ow.PayloadPaymentData(payment_secret=secret, total_msat=Msat(total or amount))
    payload = ow.Payload(
        amt_to_forward=Msat(amount),
        outgoing_cltv_value=more.get("cltv_expiry", HEIGHT + 100),
        payment_data=data,
        unknown=((5482373484, preimage),) if keysend else (),
    )
    return incoming(sha256(preimage).digest(), amount, [payload], **more)


def to_forward(preimage: bytes, amount: int, out: Channel, *, fee: int = 10_000) -> Incoming:
    """An HTLC that goes on through `out`."""
    here = ow.Payload(
        amt_to_forward=Msat(amount - fee),
        outgoing_cltv_value=HEIGHT + 50,
        short_channel_id=out.usable_scid,
    )
    there = ow.Payload(amt_to_forward=Msat(amount - fee), outgoing_cltv_value=HEIGHT + 50)
    return incoming(sha256(preimage).digest(), amount, [here, there])


def add_invoice(rig: Rig, preimage: bytes, amount: int | None, label: str = "l") -> InvoiceRow:
    invoice = InvoiceRow(
        label=label,
        payment_hash=sha256(preimage).digest(),
        preimage=preimage,
        payment_secret=bytes(32),
        amount=None if amount is None else Msat(amount),
        expires_at=int(rig.node.clock.now()) + 3600,
        bolt11="lnbcrt1",
        description="d",
        min_final_cltv=10,
    )
    rig.turn(lambda: rig.node.invoices.add(invoice))
    return invoice


def send_part(rig: Rig, channel: Channel, payment_hash: bytes, **names: int) -> Part:
    """sendpay of one hop."""
    part = Part(
        created_at=1,
        payment_hash=payment_hash,
        partid=names.get("partid", 0),
        groupid=names.get("groupid", 0),
        destination=channel.peer_id,
        amount=Msat(names.get("amount", 5000)),
        amount_sent=Msat(names.get("amount", 5000)),
        total=Msat(5000),
    )
    hop = RouteHop(
        node=channel.peer_id, channel=channel.usable_scid, amount=part.amount_sent, delay=9
    )
    final = FinalData(payment_secret=bytes(32), total=Msat(5000))
    return rig.turn(lambda: rig.node.payments.send_route([hop], part, final))


# Messages


def peer_connected(number: int, connection: int) -> nw.ConnectdPeerConnected:
    return nw.ConnectdPeerConnected(
        peer_id=peer_id(number),
        connection=connection,
        incoming=False,
        address="127.0.0.1:9735",
        features=b"",
        remote_address="",
    )


def peer_disconnected(number: int, connection: int) -> nw.ConnectdPeerDisconnected:
    return nw.ConnectdPeerDisconnected(
        peer_id=peer_id(number), connection=connection, reason="gone"
    )


def reestablished(channel: Channel) -> cw.ChanneldReestablished:
    return cw.ChanneldReestablished(dbid=channel.dbid, route_id=channel.route_id or 0)


def offered(channel: Channel, cookie: int, htlc_id: int) -> cw.ChanneldHtlcOffered:
    return cw.ChanneldHtlcOffered(
        dbid=channel.dbid, cookie=cookie, id=htlc_id, failure_code=0, error=""
    )


def htlc_row(htlc_id: int, sent: cw.ChanneldOfferHtlc, state: int, **more: Any) -> cw.Htlc:
    values: dict[str, Any] = {
        "preimage": None, "failure_onion": None, "malformed_code": 0, "malformed_sha256": bytes(32),
    } | more  # fmt: skip
    return cw.Htlc(
        id=htlc_id,
        offered_by_us=True,
        state=state,
        amount=sent.amount,
        payment_hash=sent.payment_hash,
        cltv_expiry=sent.cltv_expiry,
        onion=sent.onion,
        path_key=sent.path_key,
        **values,
    )


def sending_commitsig(
    channel: Channel,
    added: tuple[cw.Htlc, ...] = (),
    changed: tuple[cw.HtlcChange, ...] = (),
    **more: Any,
) -> cw.ChanneldSendingCommitsig:
    return cw.ChanneldSendingCommitsig(
        dbid=channel.dbid,
        number=more.get("number", channel.next_remote_commitment),
        added=added,
        changed=changed,
        fees=(),
        updates=(),
    )


def got_commitsig(
    channel: Channel,
    added: tuple[cw.Htlc, ...] = (),
    removed: tuple[cw.Htlc, ...] = (),
    changed: tuple[cw.HtlcChange, ...] = (),
    **more: Any,
) -> cw.ChanneldGotCommitsig:
    return cw.ChanneldGotCommitsig(
        dbid=channel.dbid,
        number=channel.next_local_commitment,
        tx=b"tx",
        signature=bytes(64),
        htlc_signatures=(),
        to_local=more.get("to_local", channel.to_local),
        to_remote=more.get("to_remote", channel.to_remote),
        added=added,
        removed=removed,
        changed=changed,
        fees=(),
    )


def got_revoke(
    channel: Channel,
    changed: tuple[cw.HtlcChange, ...] = (),
    secrets: tuple[cw.OnionSecret, ...] = (),
) -> cw.ChanneldGotRevoke:
    return cw.ChanneldGotRevoke(
        dbid=channel.dbid,
        number=channel.revocations_received,
        secret=Secret(bytes(31) + b"\1"),
        next_point=key(50),
        shachain=b"s",
        changed=changed,
        onion_secrets=secrets,
        fees=(),
    )


def make_channel(number: int, **changes: Any) -> Channel:
    """A channel of one million satoshis, half ours, opened by us."""
    config = ChannelConfig(
        dust_limit=Sat(546),
        max_htlc_value_in_flight=Msat(10**9),
        channel_reserve=Sat(10_000),
        htlc_minimum=Msat(0),
        to_self_delay=6,
        max_accepted_htlcs=30,
    )
    points = Basepoints(
        funding_pubkey=key(11), revocation=key(12), payment=key(13), delayed_payment=key(14), htlc=key(15)
    )  # fmt: skip
    funding = Outpoint(Txid(bytes([number]) * 32), 0)
    values: dict[str, Any] = {
        "static": ChannelStatic(
            dbid=number,
            peer_id=peer_id(number),
            channel_id=funding.channel_id(),
            funding=funding,
            funding_amount=Sat(1_000_000),
            we_are_opener=True,
            channel_type=b"",
            local_config=config,
            remote_config=config,
            local_basepoints=points,
            remote_basepoints=points,
        ),
        "announce": True,
        "minimum_depth": 1,
        "push": Msat(0),
        "local_upfront_shutdown_script": b"",
        "remote_upfront_shutdown_script": b"",
        "state": ChannelState.CHANNELD_NORMAL,
        "to_local": Msat(500_000_000),
        "to_remote": Msat(500_000_000),
        "min_to_local": Msat(500_000_000),
        "max_to_local": Msat(500_000_000),
        "fees": (cw.FeeState(state=4, feerate_perkw=1000),),
        "remote_current_point": key(20),
        "remote_next_point": key(21),
        "last_tx": b"",
        "last_sig": bytes(64),
        "sent_channel_ready": True,
        "got_channel_ready": True,
        "short_channel_id": scid_of(number),
        "local_alias": ShortChannelId(1000 + number),
        "policy": Policy(
            fee_base_msat=1,
            fee_proportional_millionths=10,
            cltv_expiry_delta=6,
            htlc_minimum=Msat(0),
            htlc_maximum=Msat(10**9),
        ),
    }
    return Channel(**values | changes)
