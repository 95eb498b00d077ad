"""The books check itself: it is content with what is right, and notices each kind of wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.regtest.account import Account, Channel
from tests.regtest.books import check_balances, check_channels, check_coins, check_income
from tests.regtest.closing_books import check_outputs
from tests.regtest.conftest import books_of
from tests.regtest.htlc_books import Htlc
from tests.regtest.ledger import Ledger
from tests.regtest.move_books import check_fees, check_moves

FUNDING, CLOSE, SWEEP = "f" * 64, "c" * 64, "5" * 64
TOTAL_SAT, PAID_MSAT, FEE_SAT = 1_000_000, 300_000_000, 1_000
CHANNEL_ID = "ab" * 32


def _tx(txid: str, spends: list[tuple[str, int]], pays: list[tuple[str, int]]) -> dict[str, Any]:
    return {
        "txid": txid,
        "weight": 800,
        "vin": [{"txid": t, "vout": n} for t, n in spends] or [{"coinbase": ""}],
        "vout": [
            {"n": n, "value": sat / 100_000_000, "scriptPubKey": {"address": address}}
            for n, (address, sat) in enumerate(pays)
        ],
    }


def _move(account: str, tag: str, utxo: str, change_sat: int, spender: str = "") -> dict[str, Any]:
    move: dict[str, Any] = {"account_id": account, "primary_tag": tag, "utxo": utxo}
    move |= {"credit_msat": max(0, change_sat) * 1000, "debit_msat": max(0, -change_sat) * 1000}
    return move | ({"spending_txid": spender} if spender else {})


def ledger() -> Ledger:
    """A funding, a close by its accepter, and the accepter's sweep of what was its own."""
    made = Ledger()
    made.add(_tx(FUNDING, [], [("funding", TOTAL_SAT)]))
    theirs_sat = TOTAL_SAT - PAID_MSAT // 1000 - FEE_SAT
    made.add(_tx(CLOSE, [(FUNDING, 0)], [("own", PAID_MSAT // 1000), ("other", theirs_sat)]))
    made.add(_tx(SWEEP, [(CLOSE, 0)], [("mine", PAID_MSAT // 1000 - FEE_SAT)]))
    return made


def account() -> Account:
    """The accepter, which was paid once."""
    rows = (
        {
            "outpoint": f"{CLOSE}:0",
            "amount_msat": PAID_MSAT,
            "made_by": "OUR_UNILATERAL",
            "kind": "DELAYED_OUTPUT_TO_US",
            "resolved_by": f"OUR_DELAYED_RETURN_TO_WALLET {SWEEP}",
        },
        {
            "outpoint": f"{CLOSE}:1",
            "amount_msat": TOTAL_SAT * 1000 - PAID_MSAT - FEE_SAT * 1000,
            "made_by": "OUR_UNILATERAL",
            "kind": "OUTPUT_TO_THEM",
        },
    )
    channel = Channel(
        channel_id=CHANNEL_ID,
        coin=(FUNDING, 0),
        state="ONCHAIN",
        opened_by_us=False,
        total_msat=TOTAL_SAT * 1000,
        begin_msat=0,
        now_msat=PAID_MSAT,
        outputs=rows,
    )
    swept_sat = PAID_MSAT // 1000 - FEE_SAT
    return Account(
        name="l2",
        info={"fees_collected_msat": 0},
        coins={(SWEEP, 0): ("confirmed", swept_sat)},
        addresses={"mine"},
        channels=[channel],
        funded=[{"channel_id": CHANNEL_ID, "our_amount_msat": PAID_MSAT}],
        invoices=[{"status": "paid", "amount_received_msat": PAID_MSAT}],
        parts=[],
        forwards=[],
        htlcs=[Htlc(CHANNEL_ID, False, PAID_MSAT, "11" * 32, True, True)],
        chain_moves=[
            _move(CHANNEL_ID, "channel_open", f"{FUNDING}:0", 0),
            _move(CHANNEL_ID, "channel_close", f"{FUNDING}:0", -PAID_MSAT // 1000, CLOSE),
            _move(CHANNEL_ID, "delayed_to_us", f"{CLOSE}:0", PAID_MSAT // 1000),
            _move(CHANNEL_ID, "to_wallet", f"{CLOSE}:0", -PAID_MSAT // 1000, SWEEP),
            _move("wallet", "deposit", f"{SWEEP}:0", swept_sat),
        ],
        channel_moves=[_move(CHANNEL_ID, "invoice", "", PAID_MSAT // 1000)],
    )


def _all(book: Account, chain: Ledger) -> list[str]:
    checks = (check_coins, check_income, check_balances, check_moves, check_fees, check_outputs)
    found = [text for check in checks for text in check(book, chain)]
    return found + list(check_channels([book], chain))


def test_what_is_right() -> None:
    assert _all(account(), ledger()) == []


def _spoil_channel(**more: Any) -> Callable[[Account], None]:
    def spoil(book: Account) -> None:
        book.channels = [replace(book.channels[0], **more)]

    return spoil


def _spoil_row(row: int, **more: Any) -> Callable[[Account], None]:
    def spoil(book: Account) -> None:
        rows = list(book.channels[0].outputs)
        rows[row] = {k: v for k, v in {**rows[row], **more}.items() if v is not None}
        book.channels = [replace(book.channels[0], outputs=tuple(rows))]

    return spoil


WRONG: dict[str, tuple[Callable[[Account], Any], str]] = {
    "a coin less": (lambda b: b.coins.clear(), "is not in listfunds"),
    "a coin more": (
        lambda b: b.coins.update({(FUNDING, 9): ("confirmed", 5)}),
        "is not on the chain",
    ),
    "a coin's amount": (lambda b: b.coins.update({(SWEEP, 0): ("confirmed", 5)}), "on the chain"),
    "spent, and is not": (lambda b: b.coins.update({(SWEEP, 0): ("spent", 299_000)}), "is spent"),
    "an invoice without money": (
        lambda b: b.invoices.append({"status": "paid", "amount_received_msat": 1}),
        "HTLCs moved",
    ),
    "a payment without an HTLC": (
        lambda b: b.parts.append({"status": "pending", "payment_hash": "22" * 32}),
        "pending without an HTLC",
    ),
    "money without an invoice": (lambda b: b.invoices.clear(), "HTLCs moved"),
    "fees of nothing": (lambda b: b.info.update(fees_collected_msat=7), "fees"),
    "an HTLC that moved nothing": (lambda b: b.htlcs.clear(), "its HTLCs moved 0"),
    "another balance in listfunds": (lambda b: b.funded[0].update(our_amount_msat=1), "listfunds"),
    "a move less": (lambda b: b.chain_moves.pop(), "its moves add up"),
    "a fee too high": (lambda b: b.chain_moves[-1].update(credit_msat=1), "in fees"),
    "open, but spent": (_spoil_channel(state="CHANNELD_NORMAL"), "which was spent"),
    "another size": (_spoil_channel(total_msat=TOTAL_SAT * 2000), "in fees"),
    "an output less": (_spoil_row(1, outpoint=f"{CLOSE}:0"), "are not told"),
    "an output's amount": (_spoil_row(1, amount_msat=5), "on the chain"),
    "taken by another": (_spoil_row(0, resolved_by=f"X {FUNDING}"), "is spent by"),
    "waiting, but spent": (_spoil_row(0, resolved_by=None), "waits, but"),
    "a satoshi less for us": (_spoil_row(0, amount_msat=PAID_MSAT - 1000), "its close pays"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong(name: str) -> None:
    spoil, complaint = WRONG[name]
    book = account()
    spoil(book)
    assert complaint in " ".join(_all(book, ledger()))


def test_both_ends() -> None:
    chain, book, other = ledger(), account(), account()
    other.channels = [replace(other.channels[0], now_msat=TOTAL_SAT * 1000 - PAID_MSAT)]
    assert list(check_channels([book, other], chain)) == []
    other.channels = [replace(other.channels[0], now_msat=0)]
    assert "are missing in" in " ".join(check_channels([book, other], chain))
    # What an HTLC under way may still move is no disagreement.
    under_way = ({"amount_msat": TOTAL_SAT * 1000, "state": "SENT_ADD_COMMIT"},)
    other.channels = [replace(other.channels[0], htlcs=under_way)]
    assert list(check_channels([book, other], chain)) == []


def _item(*args: Any, **kwargs: Any) -> Any:
    marker = pytest.mark.books(*args, **kwargs).mark if args or kwargs else None
    return SimpleNamespace(nodeid="test_x", get_closest_marker=lambda _name: marker)


def test_the_marker_needs_a_reason() -> None:
    assert books_of(_item()) is None
    assert books_of(_item("all data is lost")) == ()
    assert books_of(_item("l1 has lost data", nodes="l2 l3")) == ("l2", "l3")
    for args, kwargs in (((), {"nodes": "l2"}), (("",), {}), (("no",), {}), (("a b c",), {"n": 1})):
        with pytest.raises(pytest.UsageError, match="say why"):
            books_of(_item(*args, **kwargs))
