"""What plugins say about openings that both sides pay for: openchannel2, openchannel2_changed, openchannel2_sign.

Without a plugin we take what a peer opens, and add nothing. A plugin's PSBT is ours: its coins are the plugin's to reserve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pylightningd.common import features as ft
from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.address import address_to_script
from pylightningd.common.bitcoin.psbt import Psbt, PsbtError
from pylightningd.common.channel.v2_id import v2_channel_id
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.errors import UserError
from pylightningd.common.ids import ChannelId
from pylightningd.common.wire import openingd_wire as ow
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.common_wire import Basepoints
from pylightningd.lightningd.channels.inflight import Inflight, make_psbt, outpoint_of
from pylightningd.lightningd.control.contribution import Parts, are_confirmed, parts_of_psbt
from pylightningd.lightningd.control.workers import fee_bounds
from pylightningd.lightningd.rpc.errors import FUNDING_PSBT_INVALID
from pylightningd.lightningd.rpc.params import parse_msat

if TYPE_CHECKING:
    from pylightningd.lightningd.channels.channel import Channel
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.peers import Peer

_MAX_SUPPLY_SAT = 21 * 10**14
_MAX_FUNDING_SAT = 2**24 - 1
_CANNOT = "Client error. Unable to continue"
MAX_LOCKTIME_AHEAD = 6
"""Blocks: the peer may have seen some that we have not."""
NOTHING = ow.Contribution(
    funding_amount=Sat(0),
    funding_serial_id=0,
    inputs=(),
    outputs=(),
    inputs_confirmed=True,
    consult=False,
)


@dataclass(slots=True)
class Verdict:
    """What becomes of a peer's open_channel2."""

    refusal: str | None = None
    close_to: bytes | None = None
    ours: ow.Contribution = NOTHING


class DualHooks:
    """Asks the plugins."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def openchannel2(self, peer: Peer, msg: pw.OpenChannel2, ours: Basepoints) -> Verdict:
        """Whether we want the channel, and what we put in."""
        plugins, verdict = self._node.plugins, Verdict()
        if msg.locktime > self._node.chain.height + MAX_LOCKTIME_AHEAD:
            return Verdict(refusal=f"locktime {msg.locktime} is too far in the future")
        if not plugins.has_hook("openchannel2"):
            return verdict
        payload = {"openchannel2": self._open_json(peer, msg, ours)}
        for answer in await plugins.call_hook("openchannel2", payload):
            if answer.get("result") != "continue":
                text = str(answer.get("error_message", "Channel open not accepted"))
                return Verdict(refusal=text)
            if answer.get("close_to") is not None and verdict.close_to is None:
                verdict.close_to = address_to_script(answer["close_to"], self._node.network)
            if answer.get("psbt") is not None or answer.get("our_funding_msat"):
                try:
                    verdict.ours = await self._contribution(answer)
                except (UserError, PsbtError, ValueError) as error:
                    self._node.log(
                        "broken",
                        f"openchannel2 hook: {error}",
                        peer_id=peer.id,
                        source="lightningd",
                    )
                    return Verdict(refusal=_CANNOT)
        return verdict

    async def _contribution(self, answer: Any) -> ow.Contribution:
        amount = parse_msat(str(answer.get("our_funding_msat", 0))).msat // 1000
        if not amount or answer.get("psbt") is None:
            raise ValueError("`our_funding_msat` and `psbt` need one another")
        psbt = Psbt.from_base64(str(answer["psbt"]))
        inputs, outputs = parts_of_psbt(self._node, psbt, opener=False)
        return ow.Contribution(
            funding_amount=Sat(amount),
            funding_serial_id=0,
            inputs=inputs,
            outputs=outputs,
            inputs_confirmed=await are_confirmed(self._node, map(outpoint_of, inputs)),
            consult=self._node.plugins.has_hook("openchannel2_changed"),
        )

    def _open_json(self, peer: Peer, msg: pw.OpenChannel2, ours: Basepoints) -> dict[str, Any]:
        node = self._node
        low, high = fee_bounds(node, None)
        large = ft.negotiated(node.features["init"], peer.features, ft.LARGE_CHANNELS)
        channel_id = v2_channel_id(ours.revocation, msg.revocation_basepoint)
        tlvs = msg.tlvs
        shown: dict[str, Any] = {
            "id": peer.id.hex(),
            "channel_id": channel_id.hex(),
            "their_funding_msat": msg.funding_satoshis.to_msat().msat,
            "dust_limit_msat": msg.dust_limit_satoshis.to_msat().msat,
            "max_htlc_value_in_flight_msat": msg.max_htlc_value_in_flight_msat,
            "htlc_minimum_msat": msg.htlc_minimum_msat,
            "funding_feerate_per_kw": msg.funding_feerate_perkw,
            "commitment_feerate_per_kw": msg.commitment_feerate_perkw,
            "feerate_our_max": high,
            "feerate_our_min": low,
            "to_self_delay": msg.to_self_delay,
            "max_accepted_htlcs": msg.max_accepted_htlcs,
            "channel_flags": msg.channel_flags,
            "locktime": msg.locktime,
            "channel_max_msat": (_MAX_SUPPLY_SAT if large else _MAX_FUNDING_SAT) * 1000,
            "require_confirmed_inputs": bool(tlvs.require_confirmed_inputs),
        }
        if tlvs.upfront_shutdown_script:
            shown["shutdown_scriptpubkey"] = tlvs.upfront_shutdown_script.hex()
        if tlvs.channel_type is not None:
            kind = ChannelType.decode(tlvs.channel_type)
            shown["channel_type"] = {"bits": sorted(kind.bits), "names": kind.names()}
        return shown

    async def changed(
        self,
        channel_id: ChannelId,
        locktime: int,
        parts: Parts,
        *,
        confirmed: bool,
    ) -> Parts:
        """What the plugin wants in the transaction, now that all these are in it. Raises UserError.

        `confirmed`: the peer wants our inputs to be in blocks.
        """
        psbt = make_psbt(locktime, *parts)
        payload = {
            "openchannel2_changed": {
                "psbt": psbt.to_base64(),
                "channel_id": channel_id.hex(),
                "require_confirmed_inputs": confirmed,
            }
        }
        final = await self._last_psbt("openchannel2_changed", payload, psbt)
        return parts_of_psbt(self._node, final, opener=False)

    async def sign(self, channel: Channel, inflight: Inflight) -> Psbt:
        """The PSBT with the plugin's signatures. Raises UserError."""
        psbt = inflight.psbt()
        payload = {
            "openchannel2_sign": {
                "psbt": psbt.to_base64(),
                "channel_id": channel.channel_id.hex(),
            }
        }
        return await self._last_psbt("openchannel2_sign", payload, psbt)

    async def _last_psbt(self, hook: str, payload: dict[str, Any], psbt: Psbt) -> Psbt:
        answers = await self._node.plugins.call_hook(hook, payload)
        for answer in answers:
            if answer.get("result") != "continue":
                raise UserError(FUNDING_PSBT_INVALID, _CANNOT)
        try:
            return Psbt.from_base64(str(answers[-1]["psbt"])) if answers else psbt
        except (KeyError, PsbtError):
            raise UserError(
                FUNDING_PSBT_INVALID, f"{hook}: the plugin returned no valid psbt"
            ) from None
