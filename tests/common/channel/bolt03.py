"""The channel of BOLT 3's appendices C and F, for tests."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.commitment_tx import (
    CommitmentParams,
    CommitmentTx,
    make_commitment,
)
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import HtlcState, Side
from pylightningd.common.channel.keyset import Basepoints, derive_keyset, obscuring_factor
from pylightningd.common.ids import Outpoint, txid_from_hex
from pylightningd.common.keys import pubkey_from_secret

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "bolt03_commitments.json").read_text()
)

LOCAL_FUNDING = bytes.fromhex("30ff4956bbdd3222d44cc5e8a1261dab1e07957bdac5ae88fe3261ef321f3749")
REMOTE_FUNDING = bytes.fromhex("1552dfba4f6cf29a62a0af13c8d6981d36d0ef8d61ba10fb0fe90da7634d7e13")
LOCAL_HTLC = bytes.fromhex("bb13b121cdc357cd2e608b0aea294afca36e2b34cf958e2e6451a2f274694491")
REMOTE_HTLC = bytes.fromhex("8deba327a7cc6d638ab0eb025770400a6184afcba6713c210d8d10e199ff2fda")
POINT = pubkey_from_secret(bytes(range(31, -1, -1)))
_LOCAL_PAYMENT = pubkey_from_secret(b"\x11" * 32)
_REMOTE_PAYMENT = pubkey_from_secret(b"\x44" * 32)
LOCAL_BASE = Basepoints(
    revocation=_LOCAL_PAYMENT,  # not used in the vectors
    payment=_LOCAL_PAYMENT,
    htlc=_LOCAL_PAYMENT,
    delayed_payment=pubkey_from_secret(b"\x33" * 32),
)
REMOTE_BASE = Basepoints(
    revocation=pubkey_from_secret(b"\x22" * 32),
    payment=_REMOTE_PAYMENT,
    htlc=_REMOTE_PAYMENT,
    delayed_payment=_REMOTE_PAYMENT,  # not used
)
KEYS = derive_keyset(POINT, LOCAL_BASE, REMOTE_BASE)
FUNDING = Outpoint(
    txid_from_hex("8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be"), 0
)
NUMBER = 42

PREIMAGES = tuple(bytes([min(n, 5)]) * 32 for n in range(7))


def _htlc(n: int, offerer: Side, amount_msat: int, expiry: int) -> Htlc:
    state = HtlcState.SENT_ADD_ACK_REVOCATION
    if offerer is Side.REMOTE:
        state = HtlcState.RCVD_ADD_ACK_REVOCATION
    return Htlc(
        id=n,
        offerer=offerer,
        amount=Msat(amount_msat),
        payment_hash=sha256(PREIMAGES[n]).digest(),
        cltv_expiry=expiry,
        state=state,
    )


HTLCS = (
    _htlc(0, Side.REMOTE, 1_000_000, 500),
    _htlc(1, Side.REMOTE, 2_000_000, 501),
    _htlc(2, Side.LOCAL, 2_000_000, 502),
    _htlc(3, Side.LOCAL, 3_000_000, 503),
    _htlc(4, Side.REMOTE, 4_000_000, 504),
    _htlc(5, Side.LOCAL, 5_000_000, 506),
    _htlc(6, Side.LOCAL, 5_000_001, 505),
)


def htlcs_for(name: str) -> tuple[Htlc, ...]:
    """The HTLCs of a named vector."""
    if "no HTLCs" in name:
        return ()
    if "same amount and preimage" in name:
        return HTLCS[1], HTLCS[5], HTLCS[6]
    return HTLCS[:5]


def params(*, anchors: bool, dust_limit: int = 546) -> CommitmentParams:
    """The local side of the vectors' channel."""
    return CommitmentParams(
        funding=FUNDING,
        funding_amount=Sat(10_000_000),
        owner_funding_key=pubkey_from_secret(LOCAL_FUNDING),
        other_funding_key=pubkey_from_secret(REMOTE_FUNDING),
        owner_is_opener=True,
        to_self_delay=144,
        dust_limit=Sat(dust_limit),
        anchors=anchors,
        obscuring_factor=obscuring_factor(LOCAL_BASE.payment, REMOTE_BASE.payment),
    )


def commitment(
    *,
    anchors: bool,
    feerate: int,
    to_local: int,
    to_remote: int,
    htlcs: tuple[Htlc, ...],
    dust_limit: int = 546,
) -> CommitmentTx:
    """The commitment of a vector; balances in msat."""
    spec = CommitmentSpec(Side.LOCAL, feerate, Msat(to_local), Msat(to_remote), htlcs)
    return make_commitment(params(anchors=anchors, dust_limit=dust_limit), KEYS, NUMBER, spec)
