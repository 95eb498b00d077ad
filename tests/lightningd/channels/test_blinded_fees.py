"""What a payer sends into a blinded path is enough at every hop, by that hop's own rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pylightningd.common.amount import Msat
from pylightningd.common.channel.htlc_states import HtlcState
from pylightningd.common.onion.instructions import relay_amounts
from pylightningd.common.wire import onion_wire as ow
from pylightningd.lightningd.channels.channel import LiveHtlc, Policy
from pylightningd.lightningd.channels.forward_rules import check_forward

MILLION = 1_000_000
HEIGHT = 100
policies = st.builds(
    Policy,
    fee_base_msat=st.integers(0, 10_000),
    fee_proportional_millionths=st.one_of(st.integers(0, 100), st.integers(0, 999_999)),
    cltv_expiry_delta=st.integers(1, 100),
    htlc_minimum=st.just(Msat(0)),
    htlc_maximum=st.just(Msat(10**15)),
)


def total_of(hops: list[Policy]) -> tuple[int, int, int]:
    """Base, proportional and blocks of a whole path, as its maker adds them up (BOLT 4, "`payload` format")."""
    base = ppm = delta = 0
    for hop in reversed(hops):
        own = hop.fee_proportional_millionths
        base = (hop.fee_base_msat * MILLION + base * (MILLION + own) + MILLION - 1) // MILLION
        ppm = ((ppm + own) * MILLION + ppm * own + MILLION - 1) // MILLION
        delta += hop.cltv_expiry_delta
    return base, ppm, delta


def htlc(amount: Msat, expiry: int) -> LiveHtlc:
    return LiveHtlc(
        dbid=1,
        channel_dbid=1,
        id=0,
        offered_by_us=False,
        state=HtlcState.RCVD_ADD_ACK_REVOCATION,
        amount=amount,
        payment_hash=bytes(32),
        cltv_expiry=expiry,
        onion=b"",
    )


@given(hops=st.lists(policies, min_size=1, max_size=4), msat=st.integers(1, 10**11))
def test_every_hop_takes_it(hops: list[Policy], msat: int) -> None:
    base, ppm, delta = total_of(hops)
    amount, expiry = Msat(msat + base + msat * ppm // MILLION), HEIGHT + 10 + delta
    for hop in hops:
        relay = ow.EncryptedDataPaymentRelay(
            cltv_expiry_delta=hop.cltv_expiry_delta,
            fee_proportional_millionths=hop.fee_proportional_millionths,
            fee_base_msat=hop.fee_base_msat,
        )
        passed_on, out_expiry = relay_amounts(relay, amount, expiry)
        check_forward(
            hop, htlc(amount, expiry), passed_on, out_expiry, HEIGHT, b"", rounding_msat=1
        )
        amount, expiry = passed_on, out_expiry
    assert amount.msat >= msat
    assert expiry == HEIGHT + 10
