"""update_add_htlc, update_fulfill_htlc, update_fail_htlc, update_fail_malformed_htlc and update_fee, both ways.

An update changes nothing that lasts until a commitment_signed covers it (see `commit`).
"""

from __future__ import annotations

from hashlib import sha256

from pylightningd.channeld import limits
from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.state import LIVE, Channel, Phase, Removal
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.effects import Log, SendPeer, Tell
from pylightningd.common.errors import WarnPeer
from pylightningd.common.onion.failure_codes import BADONION, FailureCode
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message


def send_update(channel: Channel, msg: Message) -> ChannelStep[None]:
    """Send an update and remember it for the commitment_signed that will cover it."""
    channel.live.unsigned_updates.append(msg.encode())
    yield SendPeer(msg)


# ---- adding ---------------------------------------------------------------------------------------


def on_offer(channel: Channel, msg: cw.ChanneldOfferHtlc) -> ChannelStep[None]:
    """lightningd wants an HTLC added: answer with its id or why not."""
    refused = _why_not_now(channel) or limits.check_offer(channel, msg.amount, msg.cltv_expiry)
    if refused is not None:
        yield _offered(channel, msg.cookie, 0, refused.code, refused.text)
        return
    htlc = Htlc.offered(
        Side.LOCAL,
        channel.next_htlc_id,
        msg.amount,
        msg.payment_hash,
        msg.cltv_expiry,
        onion=msg.onion,
        path_key=msg.path_key,
    )
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", sender MUST begin with id 0 and increase it by 1 for each
    # offer.
    channel.next_htlc_id += 1
    channel.put(htlc)
    channel.live.offers[htlc.id] = msg.cookie
    yield from send_update(channel, make_add(channel, htlc))
    yield _offered(channel, msg.cookie, htlc.id, 0, "")


def _why_not_now(channel: Channel) -> limits.Refused | None:
    # BOLT 2, "Closing Initiation: `shutdown`": no update_add_htlc after a shutdown.
    if channel.local_shutdown_script or channel.remote_shutdown_script:
        text = "Channel is shutting down"
        return limits.Refused(FailureCode.PERMANENT_CHANNEL_FAILURE, text)
    if channel.phase is not Phase.NORMAL:
        return limits.Refused(FailureCode.TEMPORARY_CHANNEL_FAILURE, "Channel is not ready")
    return None


def make_add(channel: Channel, htlc: Htlc) -> pw.UpdateAddHtlc:
    """The message that offers an HTLC of ours."""
    return pw.UpdateAddHtlc(
        channel_id=channel.facts.channel_id,
        id=htlc.id,
        amount_msat=htlc.amount,
        payment_hash=htlc.payment_hash,
        cltv_expiry=htlc.cltv_expiry,
        onion_routing_packet=htlc.onion,
        tlvs=pw.UpdateAddHtlcTlvs(blinded_path=htlc.path_key),
    )


def _offered(channel: Channel, cookie: int, htlc_id: int, code: int, error: str) -> Tell:
    return Tell(
        "master",
        cw.ChanneldHtlcOffered(
            dbid=channel.facts.dbid,
            cookie=cookie,
            id=htlc_id,
            failure_code=int(code),
            error=error,
        ),
    )


def lost_offers(channel: Channel) -> list[Tell]:
    """Tell lightningd of offers that no commitment_signed covered before the connection ended."""
    if channel.session is None:
        return []
    offers, channel.session.offers = channel.session.offers, {}
    code = FailureCode.TEMPORARY_CHANNEL_FAILURE
    return [
        _offered(channel, c, i, code, "Disconnected before commitment") for i, c in offers.items()
    ]


def on_add(channel: Channel, msg: pw.UpdateAddHtlc) -> ChannelStep[None]:
    """The peer offers an HTLC."""
    # BOLT 2, "Closing Initiation: `shutdown`", sender MUST NOT send update_add_htlc after a shutdown. That holds on
    # later connections, too, before it has come again there: a close may be signed by now, without this HTLC.
    if channel.live.got_shutdown or channel.remote_shutdown_script:
        raise WarnPeer("update_add_htlc after shutdown")
    # BOLT 2, "The `channel_ready` Message": HTLCs only after both have been exchanged.
    if not (channel.sent_channel_ready and channel.got_channel_ready):
        raise WarnPeer("update_add_htlc before channel_ready")
    # BOLT 2, "Adding an HTLC: `update_add_htlc`", receiver MAY warn or fail on an id that does not increase
    # by 1. Repeated ids after a reconnection are fine: what was not committed is forgotten, and its id with
    # it.
    if msg.id != channel.next_remote_htlc_id:
        raise WarnPeer(f"update_add_htlc id {msg.id}, expected {channel.next_remote_htlc_id}")
    limits.check_received_add(channel, msg.amount_msat, msg.cltv_expiry)
    channel.next_remote_htlc_id += 1
    channel.put(
        Htlc.offered(
            Side.REMOTE,
            msg.id,
            msg.amount_msat,
            msg.payment_hash,
            msg.cltv_expiry,
            onion=msg.onion_routing_packet,
            path_key=msg.tlvs.blinded_path,
        )
    )
    yield from ()


# ---- removing what the peer offered ---------------------------------------------------------------


def on_fulfill_wanted(channel: Channel, msg: cw.ChanneldFulfillHtlc) -> ChannelStep[None]:
    """lightningd has the preimage of an HTLC the peer offered."""
    htlc = channel.htlcs.get((Side.REMOTE, msg.id))
    if htlc is not None and sha256(msg.preimage).digest() != htlc.payment_hash:
        raise RuntimeError(f"lightningd gave a wrong preimage for received HTLC {msg.id}")
    yield from _remove(channel, msg.id, Removal(preimage=msg.preimage))


def on_fail_wanted(channel: Channel, msg: cw.ChanneldFailHtlc) -> ChannelStep[None]:
    """lightningd wants an HTLC that the peer offered failed."""
    if msg.malformed_code:
        removal = Removal(
            malformed_code=msg.malformed_code | BADONION, malformed_sha256=msg.malformed_sha256
        )
    else:
        removal = Removal(failure_onion=msg.failure_onion)
    yield from _remove(channel, msg.id, removal)


def _remove(channel: Channel, htlc_id: int, removal: Removal) -> ChannelStep[None]:
    htlc = channel.htlcs.get((Side.REMOTE, htlc_id))
    if htlc is None or htlc.state is not HtlcState.RCVD_ADD_ACK_REVOCATION:
        # Said twice, e.g. after a restart on either side.
        state = "gone" if htlc is None else htlc.state.name
        yield Log("debug", f"Received HTLC {htlc_id} is not to be resolved: it is {state}")
        return
    channel.removals[htlc_id] = removal
    if channel.phase in LIVE:
        yield from _send_removal(channel, htlc, removal)


def send_removals(channel: Channel) -> ChannelStep[None]:
    """After a reconnect: all that we know how to resolve and no commitment_signed of ours covers."""
    for htlc_id in sorted(channel.removals):
        htlc = channel.htlcs[Side.REMOTE, htlc_id]
        if htlc.state is HtlcState.RCVD_ADD_ACK_REVOCATION:
            yield from _send_removal(channel, htlc, channel.removals[htlc_id])


def _send_removal(channel: Channel, htlc: Htlc, removal: Removal) -> ChannelStep[None]:
    # BOLT 2, "Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`":
    # not before the HTLC is irrevocably committed on both sides.
    assert htlc.state is HtlcState.RCVD_ADD_ACK_REVOCATION
    channel_id = channel.facts.channel_id
    msg: Message
    if removal.preimage is not None:
        channel.put(htlc.fulfilled(removal.preimage))
        msg = pw.UpdateFulfillHtlc(
            channel_id=channel_id, id=htlc.id, payment_preimage=removal.preimage
        )
    elif removal.malformed_code:
        channel.put(htlc.failed(b""))
        msg = pw.UpdateFailMalformedHtlc(
            channel_id=channel_id,
            id=htlc.id,
            sha256_of_onion=removal.malformed_sha256,
            failure_code=removal.malformed_code,
        )
    else:
        assert removal.failure_onion is not None
        channel.put(htlc.failed(removal.failure_onion))
        msg = pw.UpdateFailHtlc(channel_id=channel_id, id=htlc.id, reason=removal.failure_onion)
    yield from send_update(channel, msg)


# ---- removing what we offered ---------------------------------------------------------------------


def on_fulfill(channel: Channel, msg: pw.UpdateFulfillHtlc) -> ChannelStep[None]:
    """The peer has the preimage of an HTLC we offered."""
    htlc = _find_removable(channel, msg.id, "update_fulfill_htlc")
    # BOLT 2, "Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`",
    # receiver MUST warn or fail where the preimage does not hash to payment_hash.
    if sha256(msg.payment_preimage).digest() != htlc.payment_hash:
        raise WarnPeer(f"update_fulfill_htlc {msg.id}: wrong preimage")
    channel.put(htlc.fulfilled(msg.payment_preimage))
    yield from ()


def on_fail(channel: Channel, msg: pw.UpdateFailHtlc) -> ChannelStep[None]:
    """The peer fails an HTLC we offered."""
    htlc = _find_removable(channel, msg.id, "update_fail_htlc")
    channel.put(htlc.failed(msg.reason))
    yield from ()


def on_fail_malformed(channel: Channel, msg: pw.UpdateFailMalformedHtlc) -> ChannelStep[None]:
    """The peer could not read the onion of an HTLC we offered."""
    htlc = _find_removable(channel, msg.id, "update_fail_malformed_htlc")
    # BOLT 2, "Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`",
    # receiver MUST warn or fail where BADONION is not set in failure_code.
    if not msg.failure_code & BADONION:
        raise WarnPeer(
            f"update_fail_malformed_htlc {msg.id}: failure code {msg.failure_code:#x} has no BADONION"
        )
    channel.malformed[htlc.id] = (msg.failure_code, msg.sha256_of_onion)
    channel.put(htlc.failed(b""))
    yield from ()


def _find_removable(channel: Channel, htlc_id: int, what: str) -> Htlc:
    # BOLT 2, "Removing an HTLC: `update_fulfill_htlc`, `update_fail_htlc`, and `update_fail_malformed_htlc`",
    # receiver MUST warn or fail where the id is no HTLC of its current commitment; nor may it be removed
    # before it is irrevocable, or twice.
    htlc = channel.htlcs.get((Side.LOCAL, htlc_id))
    if htlc is None:
        raise WarnPeer(f"{what}: there is no HTLC {htlc_id}")
    if htlc.state is not HtlcState.SENT_ADD_ACK_REVOCATION:
        raise WarnPeer(f"{what}: HTLC {htlc_id} is in state {htlc.state.name}")
    return htlc


# ---- feerate --------------------------------------------------------------------------------------


def on_feerates(channel: Channel, msg: cw.ChanneldFeerates) -> ChannelStep[None]:
    """lightningd has new estimates. An update_fee, if due, goes out at the next flush."""
    channel.feerate_min_perkw = msg.feerate_min_perkw
    channel.feerate_max_perkw = msg.feerate_max_perkw
    channel.feerate_wanted_perkw = msg.feerate_perkw
    yield from ()


def maybe_send_fee(channel: Channel) -> ChannelStep[None]:
    """Send update_fee where we are opener and the feerate is not what lightningd wants."""
    wanted = channel.feerate_wanted_perkw
    # BOLT 2, "Updating Fees: `update_fee`", the side that does not pay the fee MUST NOT send update_fee.
    if wanted is None or channel.facts.opener is not Side.LOCAL:
        return
    # One at a time: while one is on its way, the newest wish waits.
    if channel.phase is not Phase.NORMAL or not channel.fees.is_settled:
        return
    if channel.local_shutdown_script or channel.awaiting_revoke:
        return
    rate = wanted
    if not limits.opener_can_afford(channel, rate):
        rate = min(rate, limits.highest_affordable(channel))
    if wanted > channel.fees.newest >= rate or rate == channel.fees.newest:
        return
    if not limits.opener_can_afford(channel, rate):
        return
    # BOLT 2, "Updating Fees: `update_fee`", sender: MAY NOT send it where dust would go over the limit.
    if rate > channel.fees.newest and limits.feerate_is_too_dusty(channel, rate):
        yield Log("unusual", f"Too much dust to update fee (Desired feerate update {rate})")
        channel.feerate_wanted_perkw = None
        return
    channel.set_fees(channel.fees.update(rate))
    msg = pw.UpdateFee(channel_id=channel.facts.channel_id, feerate_per_kw=rate)
    yield from send_update(channel, msg)


def on_fee(channel: Channel, msg: pw.UpdateFee) -> ChannelStep[None]:
    """The peer, as opener, changes the feerate."""
    rate = msg.feerate_per_kw
    # BOLT 2, "Updating Fees: `update_fee`", receiver MUST warn or fail where the sender does not pay the fee.
    if channel.facts.opener is not Side.REMOTE:
        raise WarnPeer("update_fee from non-opener?")
    low, high = channel.feerate_min_perkw, channel.feerate_max_perkw
    current = channel.fees.feerate(Side.LOCAL)
    yield Log("debug", f"update_fee {rate}, range {low}-{high}")
    # BOLT 2, "Updating Fees: `update_fee`", receiver MUST warn or fail where it is too low or unreasonably
    # large. One that leads back towards the range is welcome.
    if (rate < low and rate < current) or (rate > high and rate > current):
        raise WarnPeer(f"update_fee {rate} outside range {low}-{high} (currently {current})")
    # BOLT 2, "Updating Fees: `update_fee`", receiver SHOULD warn or fail where the sender cannot afford it.
    if not limits.opener_can_afford(channel, rate):
        raise WarnPeer(f"update_fee {rate} unaffordable")
    # BOLT 2, "Updating Fees: `update_fee`", receiver MAY fail where dust would go over the limit at a higher
    # feerate.
    if rate > current and limits.feerate_is_too_dusty(channel, rate):
        raise WarnPeer(f"update_fee {rate}: htlc dust exposure over max")
    channel.set_fees(channel.fees.update(rate))
