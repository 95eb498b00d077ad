"""The bound on invoices that strangers can make us store."""

from __future__ import annotations

import pytest

from pylightningd.plugins.offers import unpaid
from pylightningd.plugins.offers.unpaid import Unpaid


def test_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpaid, "MOST", 2)
    book = Unpaid()
    book.add("a", 100)
    book.add("b", 50)
    assert not book.has_room("c")
    assert book.has_room("a")  # asking again makes no new one
    book.paid("a")
    assert book.has_room("c")
    book.add("c", 70)
    assert book.take_expired(49) == []
    assert book.take_expired(70) == ["b", "c"]
    assert len(book) == 0


def test_a_label_that_is_used_again_lives_until_its_new_end() -> None:
    book = Unpaid()
    book.add("a", 10)
    book.add("a", 10)
    book.add("a", 20)
    assert book.take_expired(10) == []
    assert book.take_expired(20) == ["a"]
    assert book.take_expired(99) == []
