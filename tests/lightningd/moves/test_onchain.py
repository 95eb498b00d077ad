"""What outputs of closed channels mean for the books."""

from __future__ import annotations

from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.ids import Outpoint, Txid, txid_hex
from pylightningd.common.wire.onchaind_wire import OnchainOutput
from pylightningd.lightningd.moves.onchain import PENALTY_ADJ, output_moves

SPENDER = Txid(bytes([2] * 32))
HASH = bytes([5] * 32)
BY_US = txid_hex(SPENDER)


def output(made_by: str, kind: str, claim: str = "", resolved_by: str = "") -> OnchainOutput:
    return OnchainOutput(
        outpoint=Outpoint(Txid(bytes([1] * 32)), 3),
        amount=Sat(7000),
        made_by=made_by,
        kind=kind,
        payment_hash=HASH if "HTLC" in kind else None,
        height=100,
        claim_kind=claim,
        claim_block=0,
        deadline=0,
        rival_block=0,
        ignore_block=0,
        resolved_by=resolved_by,
        resolved_height=106 if resolved_by else 0,
    )


def ours(made_by: str, kind: str, how: str) -> OnchainOutput:
    return output(made_by, kind, how, f"{how} {BY_US}")


def shown(found: OnchainOutput) -> list[tuple[Any, ...]]:
    return [
        (m.account, "-" if m.is_debit else "+", " ".join(m.tags), m.height)
        for m in output_moves(found)
    ]


@pytest.mark.parametrize(
    ("found", "first", "last"),
    [
        (
            ours("OUR_UNILATERAL", "DELAYED_OUTPUT_TO_US", "OUR_DELAYED_RETURN_TO_WALLET"),
            "delayed_to_us",
            "to_wallet",
        ),
        (
            ours("OUR_UNILATERAL", "OUR_HTLC", "OUR_HTLC_TIMEOUT_TX"),
            "htlc_timeout",
            "htlc_timeout",
        ),
        (
            ours("OUR_UNILATERAL", "THEIR_HTLC", "OUR_HTLC_SUCCESS_TX"),
            "htlc_fulfill",
            "htlc_fulfill",
        ),
        (
            ours("OUR_HTLC_TIMEOUT_TX", "DELAYED_OUTPUT_TO_US", "OUR_DELAYED_RETURN_TO_WALLET"),
            "htlc_tx",
            "to_wallet",
        ),
        (
            ours("OUR_HTLC_SUCCESS_TX", "DELAYED_OUTPUT_TO_US", "OUR_DELAYED_RETURN_TO_WALLET"),
            "htlc_tx",
            "to_wallet",
        ),
        (
            ours("THEIR_UNILATERAL", "OUR_HTLC", "OUR_HTLC_TIMEOUT_TO_US"),
            "htlc_timeout",
            "to_wallet",
        ),
        (
            ours("THEIR_UNILATERAL", "THEIR_HTLC", "THEIR_HTLC_FULFILL_TO_US"),
            "htlc_fulfill",
            "to_wallet",
        ),
    ],
)
def test_what_we_take_comes_in_and_goes_out_again(
    found: OnchainOutput, first: str, last: str
) -> None:
    assert shown(found) == [("", "+", first, 100), ("", "-", last, 106)]


def test_a_penalty_is_marked_as_one() -> None:
    found = ours("THEIR_REVOKED_UNILATERAL", "THEIR_HTLC", "OUR_PENALTY_TX")
    assert shown(found) == [
        ("", "+", "penalty", 100),
        ("", "-", "to_wallet", 106),
        (PENALTY_ADJ, "+", "", 0),
    ]


def test_what_the_peer_gets_is_outside() -> None:
    assert shown(output("OUR_UNILATERAL", "OUTPUT_TO_THEM", "", "SELF")) == [
        ("external", "+", "to_them", 100)
    ]
    found = output("OUR_UNILATERAL", "OUR_HTLC", "", f"OUR_HTLC_FULFILL_TO_THEM {BY_US}")
    assert shown(found) == [
        ("external", "+", "htlc_fulfill", 100),
        ("external", "+", "htlc_fulfill", 106),
    ]
    assert [m.amount_stays for m in output_moves(found)] == [False, True]
    assert [m.payment_hash for m in output_moves(found)] == [HASH, None]
    cheat = output("THEIR_REVOKED_UNILATERAL", "OUR_HTLC", "", f"OUR_HTLC_FULFILL_TO_THEM {BY_US}")
    assert shown(cheat)[1] == ("external", "+", "htlc_fulfill stealable", 106)
    stolen = f"THEIR_DELAYED_CHEAT {BY_US}"
    assert shown(
        output("THEIR_REVOKED_UNILATERAL", "DELAYED_CHEAT_OUTPUT_TO_THEM", "", stolen)
    ) == [("external", "+", "stolen", 100)]


def test_what_is_open_or_ignored_moves_nothing() -> None:
    waiting = output("OUR_UNILATERAL", "DELAYED_OUTPUT_TO_US", "OUR_DELAYED_RETURN_TO_WALLET")
    assert not output_moves(waiting)
    tiny = output("OUR_UNILATERAL", "OUR_HTLC", "", "IGNORING_TINY_PAYMENT")
    assert not output_moves(tiny)
    assert not output_moves(output("THEIR_UNILATERAL", "OUTPUT_TO_US", "", "SELF"))
