"""revoke_and_ack from the peer: BOLT 2, "Completing the Transition to the Updated State: `revoke_and_ack`".

Ours is sent where a commitment_signed is received, see `commit`.
"""

from __future__ import annotations

from pylightningd.channeld import limits, rows
from pylightningd.channeld.commit import REVOKE_TIMER, apply, change_on
from pylightningd.channeld.events import ChannelStep
from pylightningd.channeld.state import Channel
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Event, HtlcState
from pylightningd.common.effects import CancelTimer, ask_hsmd, ask_master
from pylightningd.common.errors import FailChannel, WarnPeer
from pylightningd.common.keys import InvalidKey, is_pubkey, pubkey_from_secret
from pylightningd.common.onion.blinding import tweak_key
from pylightningd.common.onion.sphinx import BadOnion, ephemeral_key
from pylightningd.common.secret import Secret
from pylightningd.common.shachain import MAX_INDEX, Shachain, ShachainError
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire import peer_wire as pw

NO_SECRET = Secret(bytes(32))
"""Stands for an onion key that is no point."""


def on_revoke_and_ack(channel: Channel, msg: pw.RevokeAndAck) -> ChannelStep[None]:
    """The peer gave up its commitment before the one we signed last."""
    if not channel.awaiting_revoke:
        raise WarnPeer("unexpected revoke_and_ack")
    shachain = _check_secret(channel, msg.per_commitment_secret)
    if not is_pubkey(msg.next_per_commitment_point):
        raise WarnPeer("revoke_and_ack: next_per_commitment_point is not a point")
    change = change_on(channel, Event.RCVD_REVOCATION)
    secrets = yield from _onion_secrets(
        channel, [h for h in change.htlcs if h.state is HtlcState.RCVD_ADD_ACK_REVOCATION]
    )
    yield from ask_master(
        cw.ChanneldGotRevoke(
            dbid=channel.facts.dbid,
            number=channel.revocations,
            secret=Secret(msg.per_commitment_secret),
            next_point=msg.next_per_commitment_point,
            shachain=shachain.encode(),
            changed=rows.change_rows(change.htlcs),
            onion_secrets=secrets,
            fees=rows.fee_rows(change.fees),
        )
    )
    apply(channel, change)
    channel.shachain = shachain
    channel.revocations += 1
    assert channel.remote_next_point is not None
    channel.remote_current_point = channel.remote_next_point
    channel.remote_next_point = msg.next_per_commitment_point
    yield CancelTimer(REVOKE_TIMER)


def _check_secret(channel: Channel, secret: bytes) -> Shachain:
    # BOLT 2, "Completing the Transition to the Updated State: `revoke_and_ack`", receiver MUST fail the
    # channel where the secret is not valid or does not generate the previous per_commitment_point.
    try:
        point = pubkey_from_secret(secret)
    except InvalidKey as err:
        raise FailChannel(f"revoke_and_ack: {err}") from err
    if point != channel.remote_current_point:
        raise FailChannel(f"Wrong privkey for commitment {channel.revocations}")
    # BOLT 2, "Completing the Transition to the Updated State: `revoke_and_ack`", receiver MAY fail where the
    # secret is not of the chain of BOLT 3: we could not store it, and so not punish.
    try:
        return channel.shachain.insert(MAX_INDEX - channel.revocations, secret)
    except ShachainError as err:
        raise FailChannel(f"Bad shachain for revocation {channel.revocations}: {err}") from err


def _onion_secrets(channel: Channel, htlcs: list[Htlc]) -> ChannelStep[tuple[cw.OnionSecret, ...]]:
    """What we share with each onion's ephemeral key: one request for all (a second for blinded ones)."""
    path_keys = [h.path_key for h in htlcs if h.path_key is not None and is_pubkey(h.path_key)]
    blinded = dict(zip(path_keys, (yield from _ecdh(path_keys)), strict=True))
    keys = {h.id: _onion_key(h, blinded) for h in htlcs}
    good = {htlc_id: key for htlc_id, key in keys.items() if key is not None}
    found = dict(zip(good, (yield from _ecdh(list(good.values()))), strict=True))
    dusty = limits.too_dusty(channel, htlcs)
    return tuple(
        [
            cw.OnionSecret(id=h.id, secret=found.get(h.id, NO_SECRET), too_dusty=h.id in dusty)
            for h in htlcs
        ]
    )


def _onion_key(htlc: Htlc, blinded: dict[bytes, Secret]) -> bytes | None:
    """The point to do ECDH with; None where there is none."""
    try:
        key = ephemeral_key(htlc.onion)
    except BadOnion:
        return None
    if htlc.path_key is None:
        return key
    shared = blinded.get(htlc.path_key)
    return None if shared is None else tweak_key(key, shared.reveal())


def _ecdh(points: list[bytes]) -> ChannelStep[tuple[Secret, ...]]:
    if not points:
        return ()
    reply = yield from ask_hsmd(hw.HsmdEcdh(points=tuple(points)))
    return reply.secrets
