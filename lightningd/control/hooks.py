"""Where plugins may have a say about peers and HTLCs: peer_connected, openchannel, custommsg, htlc_accepted.

Without a plugin that wants to be asked, none of this costs anything.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pylightningd.common.bitcoin.address import address_to_script
from pylightningd.common.errors import WireError
from pylightningd.common.ids import ChannelId, ShortChannelId
from pylightningd.common.onion.payload import BadPayload, decode_hop_payload
from pylightningd.common.wire import onion_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.lightningd.channels.channel import Channel, LiveHtlc
from pylightningd.lightningd.channels.forward_rules import Instructions
from pylightningd.lightningd.peers import Peer

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_WHOLE_CONNECTION = ChannelId(bytes(32))


class PeerHooks:
    """Asks plugins about peers."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def refuses(self, peer: Peer) -> bytes | None:
        """None to take the peer; else the message to send before hanging up (may be empty)."""
        plugins = self._node.plugins
        if not plugins.has_hook("peer_connected"):
            return None
        payload = {
            "peer": {
                "id": peer.id.hex(),
                "direction": "in" if peer.incoming else "out",
                "addr": peer.address,
                "features": peer.features.hex(),
            }
        }
        for answer in await plugins.call_hook("peer_connected", payload):
            if answer.get("result") == "disconnect":
                text = answer.get("error_message", "")
                return (
                    pw.Error(channel_id=_WHOLE_CONNECTION, data=text.encode()).encode()
                    if text
                    else b""
                )
        return None

    async def open_channel(
        self, peer: Peer, msg: pw.OpenChannel
    ) -> tuple[str | None, bytes | None, int | None]:
        """(why the opening is refused, where to close to, minimum depth), each None where nobody says."""
        plugins = self._node.plugins
        if not plugins.has_hook("openchannel"):
            return None, None, None
        payload = {"openchannel": _open_channel_json(peer, msg)}
        close_to: bytes | None = None
        depth: int | None = None
        for answer in await plugins.call_hook("openchannel", payload):
            if answer.get("result") == "reject":
                return str(answer.get("error_message", "Channel open not accepted")), None, None
            if answer.get("close_to") is not None and close_to is None:
                close_to = address_to_script(answer["close_to"], self._node.network)
            if answer.get("mindepth") is not None:
                depth = int(answer["mindepth"])
        return None, close_to, depth

    def custommsg(self, peer: Peer, raw: bytes) -> None:
        """A message of a type that is not ours: for whom it may concern."""
        if self._node.plugins.has_hook("custommsg"):
            payload = {"peer_id": peer.id.hex(), "payload": raw.hex()}
            self._node.attempt(
                self._node.plugins.call_hook("custommsg", payload), f"custommsg of {peer.id.hex()}"
            )

    def claims_custommsg(self, kind: int) -> bool:
        """Whether a plugin says that it handles messages of this (even) type."""
        return self._node.plugins.claims_custommsg(kind)


def _open_channel_json(peer: Peer, msg: pw.OpenChannel) -> dict[str, Any]:
    return {
        "id": peer.id.hex(),
        "funding_msat": msg.funding_satoshis.to_msat().msat,
        "push_msat": msg.push_msat.msat,
        "dust_limit_msat": msg.dust_limit_satoshis.to_msat().msat,
        "max_htlc_value_in_flight_msat": msg.max_htlc_value_in_flight_msat,
        "channel_reserve_msat": msg.channel_reserve_satoshis.to_msat().msat,
        "htlc_minimum_msat": msg.htlc_minimum_msat,
        "feerate_per_kw": msg.feerate_per_kw,
        "to_self_delay": msg.to_self_delay,
        "max_accepted_htlcs": msg.max_accepted_htlcs,
        "channel_flags": msg.channel_flags,
    }


class HtlcHook:
    """Asks plugins what is to become of a received HTLC."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def ask(self, channel: Channel, htlc: LiveHtlc, told: Instructions) -> None:
        """Ask; the switch goes on when all have answered. A restart meanwhile asks anew."""
        self._node.attempt(
            self._ask(channel, htlc, told),
            f"htlc_accepted {htlc.dbid}",
            lambda _why: self._node.turn.submit(partial(self._give_up, htlc)),
        )

    def _give_up(self, htlc: LiveHtlc) -> None:
        """The answer could not be obeyed: an HTLC that nobody decides about would cost the channel."""
        if not htlc.is_resolved:
            self._node.resolver.fail(htlc, ow.TemporaryNodeFailure())

    async def _ask(self, channel: Channel, htlc: LiveHtlc, told: Instructions) -> None:
        node = self._node
        payload = _htlc_json(channel, htlc, told, node.chain.height)
        answers = await node.plugins.call_hook("htlc_accepted", payload)
        await node.turn.do(partial(self._act, channel, htlc, told, answers))

    def _act(
        self, channel: Channel, htlc: LiveHtlc, told: Instructions, answers: list[Any]
    ) -> None:
        node = self._node
        for answer in answers:
            verdict = answer.get("result")
            if verdict == "resolve":
                node.resolver.fulfill(htlc, bytes.fromhex(answer["payment_key"]))
                return
            if verdict == "fail":
                self._fail(htlc, answer)
                return
            if verdict != "continue":
                raise ValueError(
                    f"htlc_accepted answered {verdict!r}, not continue, fail or resolve"
                )
            told = _changed(told, answer)
        node.switch.proceed(channel, htlc, told)

    def _fail(self, htlc: LiveHtlc, answer: dict[str, Any]) -> None:
        if "failure_onion" in answer:
            self._node.resolver.pass_back(htlc, bytes.fromhex(answer["failure_onion"]))
        else:
            text = answer.get("failure_message", "2002")
            self._node.resolver.fail(htlc, bytes.fromhex(text))


def _changed(told: Instructions, answer: dict[str, Any]) -> Instructions:
    """A plugin may put another payload, or another next channel, in place of the onion's."""
    if "payload" in answer:
        raw = bytes.fromhex(answer["payload"])
        try:
            payload = decode_hop_payload(raw)
        except (BadPayload, WireError):
            payload = ow.Payload()
        told = replace(
            told,
            payload=payload,
            raw_payload=raw,
            amount=payload.amt_to_forward or told.amount,
            cltv_expiry=payload.outgoing_cltv_value or told.cltv_expiry,
            scid=told.scid if told.is_final or told.is_blinded else payload.short_channel_id,
        )
    return told


def _htlc_json(channel: Channel, htlc: LiveHtlc, told: Instructions, height: int) -> dict[str, Any]:
    onion: dict[str, Any] = {
        "payload": told.raw_payload.hex(),
        "type": "tlv",
        "forward_msat": told.amount.msat,
        "outgoing_cltv_value": told.cltv_expiry,
        "shared_secret": (htlc.shared_secret or b"").hex(),
        "next_onion": told.next_onion.hex(),
    }
    if told.scid is not None:
        onion["short_channel_id"] = str(told.scid)
    if told.next_node is not None:
        onion["next_node_id"] = told.next_node.hex()
    data = told.payload.payment_data
    if data is not None:
        onion["payment_secret"] = data.payment_secret.hex()
        onion["total_msat"] = data.total_msat.msat
    if told.payload.payment_metadata is not None:
        onion["payment_metadata"] = told.payload.payment_metadata.hex()
    body: dict[str, Any] = {
        "peer_id": channel.peer_id.hex(),
        "onion": onion,
        "htlc": {
            "short_channel_id": str(ShortChannelId(channel.usable_scid)),
            "id": htlc.id,
            "amount_msat": htlc.amount.msat,
            "cltv_expiry": htlc.cltv_expiry,
            "cltv_expiry_relative": htlc.cltv_expiry - height,
            "payment_hash": htlc.payment_hash.hex(),
        },
    }
    return body
