"""Runes against those that CLN's own tests name."""

from __future__ import annotations

import hashlib

import pytest

from pylightningd.common.rune import Alternative, BadRune, Rune, _Hash

# From CLN's tests/test_runes.py: the secret of its first test node, and the runes it makes.
MASTER = Rune.master(
    bytes.fromhex("4ac018131e70b044e17891e67960f59b9d602525d3aef9956e900189f456e595")
)
READONLY = ["method^list|method^get|method=summary", "method/listdatastore"]
PEER = ["id^022d223620a359a47ff7", "method=listpeers"]
KNOWN = [
    (0, [], "I9TZsYEWiAwThQye-gYhpWIe1h15szWEN_qNyMSBOdE9MA=="),
    (
        1,
        READONLY,
        "s0IEnsikGDw76tdpAiMbqzigYhlkjqSVh0ZuvJ1Np1w9MSZtZXRob2RebGlzdHxtZXRob2ReZ2V0fG1ldGhvZD1zdW1tYXJ5Jm1ldGhvZC9"
        "saXN0ZGF0YXN0b3Jl",
    ),
    (
        2,
        ["time>1656675211"],
        "K0c0pWvBWb3y9HF1GMy33Zx2KRg1zcEvQLr2vtWwMew9MiZ0aW1lPjE2NTY2NzUyMTE=",
    ),
    (
        3,
        PEER,
        "ixuStVB4oewJtVNnim1P_qEL89ZU0G8Tnxg_JZgJTUk9MyZpZF4wMjJkMjIzNjIwYTM1OWE0N2ZmNyZtZXRob2Q9bGlzdHBlZXJz",
    ),
    (
        3,
        [*PEER, "pnamelevel!|pnamelevel/io"],
        "NUPHrMs1TEdfWbRfO_KJ4rXhJSBjmSqbdcz-W0yH9J89MyZpZF4wMjJkMjIzNjIwYTM1OWE0N2ZmNyZtZXRob2Q9bGlzdHBlZXJzJnBuYW"
        "1lbGV2ZWwhfHBuYW1lbGV2ZWwvaW8=",
    ),
    (
        3,
        [*PEER, "pnamelevel!|pnamelevel/io", "parr1!|parr1/io"],
        "sloBq0jn21v4LWhkswsHZgdtvQ0-jqgXXp_2jNNWLJA9MyZpZF4wMjJkMjIzNjIwYTM1OWE0N2ZmNyZtZXRob2Q9bGlzdHBlZXJzJnBuYW"
        "1lbGV2ZWwhfHBuYW1lbGV2ZWwvaW8mcGFycjEhfHBhcnIxL2lv",
    ),
    (4, ["pnum=0"], "k6kQt9dkGMaz75f51-PEkPk8Qovbiqz2HXconizqa-w9NCZwbnVtPTA="),
    (4, ["pnum=0", "rate=3"], "jHidm2_terhiOytrn8xgEWR1pvFkKuoIvKgvcEeLLQQ9NCZwbnVtPTAmcmF0ZT0z"),
    (
        4,
        ["pnum=0", "rate=3", "rate=1"],
        "AWO9sW94iv7Y99h0b6kyQO5yePUXQOSIpSuTRp8XFTM9NCZwbnVtPTAmcmF0ZT0zJnJhdGU9MQ==",
    ),
    (9, [], "j6bX7Q4L3jcVnMp56cRKRROWQevIVyIHExNKsL9iqCg9OQ=="),
    (
        0,
        ["per=2000000000nsec"],
        "IUhHCEYyQOTSbBjJ09MNiPZMrV_tHFX0JG2U5yCUmIU9MCZwZXI9MjAwMDAwMDAwMG5zZWM=",
    ),
    (5, ["per=1min"], "gDyB_VRT5IKmpmjr4GnplGMlp-7_g8VVCR2KCjcC0Gk9NSZwZXI9MW1pbg=="),
]
FOREIGN = "oNJAqigqDrHBGzsm7gV3z87oGpzq-KqFlOxx2O9iEQk9MA=="


def alternatives(text: str) -> tuple[Alternative, ...]:
    return tuple(map(Alternative.from_str, text.split("|")))


@pytest.mark.parametrize(("number", "restrictions", "text"), KNOWN)
def test_known_runes(number: int, restrictions: list[str], text: str) -> None:
    rune = MASTER.with_id(number)
    for restriction in restrictions:
        rune = rune.restrict(alternatives(restriction))
    assert rune.to_base64() == text
    read = Rune.from_base64(text)
    assert read == rune
    assert (read.unique_id, read.version) == (str(number), None)
    assert len(read.conditions) == len(restrictions)
    assert read.why_not_of(MASTER) is None
    assert read.restrict(alternatives("method=a")).why_not_of(MASTER) is None


def test_what_others_made_or_widened() -> None:
    assert Rune.from_base64(FOREIGN).why_not_of(MASTER) == "Not derived from master"
    narrow = Rune.from_base64(KNOWN[3][2])
    wide = Rune(narrow.restrictions[:-1], narrow.hash)
    assert Rune.from_base64(wide.to_base64()).why_not_of(MASTER) == "Not derived from master"
    versioned = MASTER.restrict((Alternative("", "=", "3-2"),))
    assert (versioned.unique_id, versioned.version) == ("3", "2")
    assert versioned.why_not_of(MASTER) == "Version mismatch"


def test_the_hash_is_sha256() -> None:
    for length in range(200):
        data = bytes(range(length))
        assert _Hash().add(data).digest() == hashlib.sha256(data).digest()


def test_characters_with_a_meaning() -> None:
    rune = MASTER.with_id(0).restrict((Alternative("pnamelabel", "=", "a|b&c\\d"),))
    assert Rune.from_base64(rune.to_base64()) == rune


@pytest.mark.parametrize(
    "text", ["", "AAAA", "!!!!", "I9TZsYEWiAwThQye-gYhpWIe1h15szWEN_qNyMSBOdF4"]
)
def test_no_runes(text: str) -> None:
    with pytest.raises(BadRune):
        Rune.from_base64(text)


@pytest.mark.parametrize("place", [(Alternative("", "/", "3"),), (Alternative("", "=", "3"),) * 2])
def test_the_unique_id_stands_alone_and_first(place: tuple[Alternative, ...]) -> None:
    with pytest.raises(BadRune):
        MASTER.restrict(place)
    with pytest.raises(BadRune):
        MASTER.with_id(0).restrict((Alternative("", "=", "3"),))


@pytest.mark.parametrize(
    ("text", "good", "bad", "why"),
    [
        ("f=a", "a", "b", "f is not equal to a"),
        ("f/a", "b", "a", "f is equal to a"),
        ("f^ab", "abc", "ba", "f does not start with ab"),
        ("f$ab", "cab", "abc", "f does not end with ab"),
        ("f~ab", "cabc", "cba", "f does not contain ab"),
        ("f<10", 9, 10, "f is greater or equal to 10"),
        ("f>10", 11, 10, "f is less or equal to 10"),
        ("f>10", 11, "a", "f is not an integer field"),
        ("f>x", None, 10, "x is not a valid integer"),
        ("f{b", "a", "b", "f is equal to or ordered after b"),
        ("f}b", "ba", "b", "f is equal to or ordered before b"),
        ("f!", None, "a", "f is present"),
        ("f=7", 7, 8, "f is not equal to 7"),
        ("f=7", "7", None, "f not present"),
    ],
)
def test_conditions(text: str, good: str | int | None, bad: str | int | None, why: str) -> None:
    alternative = Alternative.from_str(text)
    if good is not None or text == "f!":
        assert alternative.check(good) is None
    assert alternative.check(bad) == why


def test_one_alternative_of_each_restriction_must_hold() -> None:
    rune = MASTER.with_id(1)
    for restriction in ("m^list|m=get", "m/listbad", "#a comment"):
        rune = rune.restrict(
            alternatives(restriction) if restriction[0] != "#" else (Alternative("x", "#", "y"),)
        )

    def asked(value: str) -> str | None:
        return rune.why_not(lambda alternative: alternative.check(value))

    assert asked("listgood") is None
    assert asked("get") is None
    assert asked("listbad") == "m is equal to listbad"
    assert asked("pay") == "m does not start with list AND m is not equal to get"
