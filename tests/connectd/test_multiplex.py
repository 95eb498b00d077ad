"""Whose a message is, and that none is lost, doubled or out of order."""

from __future__ import annotations

import pytest

from pylightningd.common.errors import WarnPeer
from pylightningd.common.ids import ChannelId
from pylightningd.common.wire.peer_wire import MESSAGES
from pylightningd.connectd.multiplex import (
    HELD,
    MAX_HELD_MESSAGES,
    MAX_UNROUTED,
    MAX_UNROUTED_MESSAGES,
    TO_MASTER,
    Kind,
    Route,
    RoutingTable,
    channel_id_of,
    classify,
    message_name,
)

CONN, LINK, ROUTE = 5, 3, 70
CID = ChannelId(bytes([9] * 32))
OTHER = ChannelId(bytes([8] * 32))
NONE: frozenset[int] = frozenset()


@pytest.fixture
def table() -> RoutingTable:
    made = RoutingTable()
    made.add_connection(CONN)
    return made


def test_every_message_has_a_kind() -> None:
    kinds = {t: classify(b"", t, NONE) for t in MESSAGES}
    assert {t for t, k in kinds.items() if k is Kind.GOSSIP} == {256, 257, 258, *range(261, 266)}
    assert {t for t, k in kinds.items() if k is Kind.MASTER} == {7, 9}
    assert {t for t, k in kinds.items() if k is Kind.ONION_MESSAGE} == {513}
    for wire_type in (32, 33, 36, 39, 64, 128, 133, 136, 259, 2, 127):
        assert kinds[wire_type] is Kind.CHANNEL


def test_unknown_types() -> None:
    assert classify(b"", 40001, NONE) is Kind.MASTER
    assert classify(b"", 40000, frozenset((40000,))) is Kind.MASTER
    with pytest.raises(WarnPeer, match="unknown even"):
        classify(b"\x9c\x40", 40000, NONE)
    assert message_name(40000) == "WIRE_UNKNOWN_40000" and message_name(16) == "WIRE_INIT"


def test_channel_ids() -> None:
    assert channel_id_of(b"\0\x20" + bytes(32) + CID, 32) == CID
    assert channel_id_of(b"\0\x80" + CID + b"x", 128) == CID
    with pytest.raises(WarnPeer, match="no channel_id"):
        channel_id_of(b"\0\x80" + CID[:31], 128)


def test_first_to_master_the_rest_waits_for_the_route(table: RoutingTable) -> None:
    assert table.take(CONN, CID, b"1") is TO_MASTER
    assert table.take(CONN, CID, b"2") is HELD
    assert table.take(CONN, OTHER, b"x") is TO_MASTER
    made = table.add_route(CONN, CID, LINK, ROUTE, (b"1",))
    assert made is not None
    route, early = made
    assert early is None
    assert table.take(CONN, CID, b"3") is HELD
    assert table.make_ready(route) == [b"1", b"2", b"3"]
    assert table.take(CONN, CID, b"4") is route


def test_alias_takes_what_was_held(table: RoutingTable) -> None:
    made = table.add_route(CONN, CID, LINK, ROUTE, ())
    assert made is not None
    route = made[0]
    table.make_ready(route)
    assert table.take(CONN, OTHER, b"1") is TO_MASTER
    assert table.take(CONN, OTHER, b"2") is HELD
    assert table.add_alias(route, OTHER) == [b"2"]
    assert table.take(CONN, OTHER, b"3") is route


def test_a_new_route_takes_a_channel_over(table: RoutingTable) -> None:
    for number in (1, 2):
        assert table.add_route(CONN, CID, LINK, number, ())
    first, second = table.of_worker(1, LINK), table.of_worker(2, LINK)
    assert first is not None and second is not None
    table.remove_route(1)
    assert table.find(CONN, CID) is second
    assert table.of_worker(1, LINK) is None


def test_a_worker_may_be_early(table: RoutingTable) -> None:
    early = table.early(ROUTE, LINK)
    assert early is not None
    early.ready = True
    early.out.append(b"open")
    assert table.early(ROUTE, LINK + 1) is None, "not another link's to use"
    made = table.add_route(CONN, CID, LINK, ROUTE, ())
    assert made is not None and made[1] is early
    table.remove_route(ROUTE)
    assert table.early(ROUTE, LINK) is None, "it is over, not early"


def test_routes_belong_to_their_link(table: RoutingTable) -> None:
    table.add_route(CONN, CID, LINK, ROUTE, ())
    assert table.of_worker(ROUTE, LINK) is not None
    assert table.of_worker(ROUTE, LINK + 1) is None
    assert table.drop_link(LINK) == {CONN}


def test_the_end_of_a_connection(table: RoutingTable) -> None:
    table.add_route(CONN, CID, LINK, ROUTE, ())
    assert [r.route_id for r in table.drop_connection(CONN)] == [ROUTE]
    assert table.add_route(CONN, CID, LINK, ROUTE + 1, ()) is None
    assert table.early(ROUTE + 1, LINK) is None
    assert table.drop_connection(CONN) == []


def test_bounds(table: RoutingTable) -> None:
    table.take(CONN, CID, b"")
    for _ in range(MAX_UNROUTED_MESSAGES):
        assert table.take(CONN, CID, b"x") is HELD
    with pytest.raises(WarnPeer, match="too many messages"):
        table.take(CONN, CID, b"x")
    for number in range(1, MAX_UNROUTED):
        table.take(CONN, ChannelId(number.to_bytes(32, "big")), b"x")
    with pytest.raises(WarnPeer, match="unknown channels"):
        table.take(CONN, OTHER, b"x")


def test_a_full_route_is_told_and_empties(table: RoutingTable) -> None:
    made = table.add_route(CONN, CID, LINK, ROUTE, ())
    assert made is not None
    for _ in range(MAX_HELD_MESSAGES):
        table.take(CONN, CID, b"x")
    assert table.is_full(CONN)
    table.make_ready(made[0])
    assert not table.is_full(CONN)


def test_forgotten_after_the_masters_error(table: RoutingTable) -> None:
    table.take(CONN, CID, b"1")
    table.take(CONN, CID, b"2")
    table.forget_unrouted(CONN, CID)
    assert table.take(CONN, CID, b"3") is TO_MASTER
    made = table.add_route(CONN, CID, LINK, ROUTE, ())
    assert made is not None and isinstance(made[0], Route) and made[0].held == []
