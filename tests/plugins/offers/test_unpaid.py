"""The bound on invoices that strangers can make us store."""

from __future__ import annotations

import pytest

from pylightningd.common.entropy import SeededEntropy
from pylightningd.plugins.offers import unpaid
from pylightningd.plugins.offers.unpaid import Unpaid


def test_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpaid, "MOST", 2)
    book = Unpaid()
    book.add("a", 100, "aa")
    book.add("b", 50, "bb")
    assert not book.has_room("c")
    assert book.has_room("a")  # asking again makes no new one
    book.paid("a")
    assert book.has_room("c")
    book.add("c", 70, "cc")
    assert book.take_expired(49) == []
    assert book.take_expired(70) == ["b", "c"]
    assert len(book) == 0


def test_a_label_that_is_used_again_lives_until_its_new_end() -> None:
    book = Unpaid()
    book.add("a", 10, "aa")
    book.add("a", 10, "aa")
    book.add("a", 20, "aa")
    assert book.take_expired(10) == []
    assert book.take_expired(20) == ["a"]
    assert book.take_expired(99) == []


def test_by_lot_but_not_what_is_being_paid() -> None:
    book = Unpaid()
    for n in range(10):
        book.add(str(n), 100 + n, f"hash {n}")
    gone = book.take_random(3, SeededEntropy(b"lot").below, {"hash 1", "hash 2"})
    assert len(set(gone)) == 3
    assert len(book) == 7
    gone += book.take_random(99, SeededEntropy(b"lot").below, {"hash 1", "hash 2"})
    assert sorted(gone) == sorted(set("0123456789") - {"1", "2"})
    assert book.take_random(1, SeededEntropy(b"lot").below, {"hash 1", "hash 2"}) == []
    assert book.take_expired(200) == ["1", "2"]


def test_what_went_by_lot_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpaid, "MOST", 2)
    book, lot = Unpaid(), SeededEntropy(b"lot")
    for n in range(100):
        if not book.has_room(str(n)):
            book.take_random(1, lot.below, ())
        book.add(str(n), 100 + n, "")
    assert len(book) == 2
    assert len(book._heap) <= 4
    assert len(book.take_expired(999)) == 2
