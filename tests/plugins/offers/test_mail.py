"""Messages and the ways back, opened hop by hop as the nodes on the way would."""

from __future__ import annotations

import pytest

from pylightningd.common.ids import NodeId
from pylightningd.common.keys import ecdh, pubkey_from_secret
from pylightningd.common.onion.blinding import tweak_key
from pylightningd.common.onion.onion_message import (
    FinalMessage,
    ForwardMessage,
    make_message_path,
    open_onion_message,
)
from pylightningd.common.onion.sphinx import OnionTooLarge, ephemeral_key
from pylightningd.common.secret import Secret
from pylightningd.common.wire.onion_wire import BlindedPath, OnionmsgTlv
from pylightningd.lightningd.control.onion_messages import blinded_path_json
from pylightningd.plugins.offers.mail import Sealed, read_letter, reply_path, seal
from tests.plugins.offers.people import entropy

KEYS = {NodeId(pubkey_from_secret(Secret(bytes([n]) * 32))): bytes([n]) * 32 for n in range(1, 7)}
US, PEER, DOOR, INNER, END, FAR = KEYS
SECRET = b"s" * 32


def follow(start: NodeId, sealed: Sealed) -> tuple[list[NodeId], FinalMessage]:
    """Every node that opens it, and what the last one reads."""
    at, path_key, packet = start, sealed.path_key, sealed.packet
    visited = [at]
    while True:
        key = Secret(KEYS[at])
        path_secret = ecdh(key, path_key)
        onion_secret = ecdh(key, tweak_key(ephemeral_key(packet), path_secret))
        opened = open_onion_message(packet, path_key, path_secret, onion_secret)
        if isinstance(opened, FinalMessage):
            return visited, opened
        assert isinstance(opened, ForwardMessage)
        assert opened.next_node_id is not None
        at, path_key, packet = opened.next_node_id, opened.path_key, opened.packet
        visited.append(at)


CONTENT = OnionmsgTlv(invoice_request=b"request")


def test_to_a_node() -> None:
    for way in ([US], [US, END], [US, PEER, END]):
        visited, final = follow(US, seal(entropy(), way, None, CONTENT))
        assert visited == way
        assert final.tlvs.invoice_request == b"request"
        assert final.path_id is None


@pytest.mark.parametrize("way", [[US, DOOR], [US, PEER, DOOR]])
def test_into_a_blinded_path(way: list[NodeId]) -> None:
    path = make_message_path(bytes([9]) * 32, [DOOR, INNER, END], SECRET)
    visited, final = follow(US, seal(entropy(), way, path, CONTENT))
    assert visited == [*way, INNER, END]
    assert (final.tlvs.invoice_request, final.path_id) == (b"request", SECRET)


def test_into_a_path_that_begins_at_us() -> None:
    path = make_message_path(bytes([9]) * 32, [US, END], SECRET)
    visited, final = follow(US, seal(entropy(), [US], path, CONTENT))
    assert (visited, final.path_id) == ([US, END], SECRET)


@pytest.mark.parametrize(
    ("way", "public", "back"),
    [
        ([US], True, [US]),
        ([US, END], True, [US]),
        ([US, END], False, [END, US]),
        ([US, PEER, END], True, [PEER, US]),
        ([US, PEER, END], False, [END, PEER, US]),
    ],
)
def test_the_way_back(way: list[NodeId], public: bool, back: list[NodeId]) -> None:
    path = reply_path(entropy(), way, SECRET, neighbour_is_public=public)
    assert path.first_node_id == back[0]
    start = way[-1]
    there = [start] if back[0] == start else [start, back[0]]
    visited, final = follow(start, seal(entropy(), there, path, OnionmsgTlv(invoice=b"i")))
    assert visited == [*there[:-1], *back]
    assert (final.path_id, final.tlvs.invoice) == (SECRET, b"i")


def test_too_large() -> None:
    with pytest.raises(OnionTooLarge):
        seal(entropy(), [US, END], None, OnionmsgTlv(invoice=bytes(40_000)))
    assert len(seal(entropy(), [US, END], None, OnionmsgTlv(invoice=bytes(2000))).packet) == 32834


def test_a_hooks_json() -> None:
    path = make_message_path(bytes([9]) * 32, [DOOR, END], SECRET)
    sciddir = BlindedPath(
        first_node_id=b"\1" + (103 << 40 | 2 << 16 | 3).to_bytes(8, "big"),
        first_path_key=path.first_path_key,
        path=path.path,
    )
    assert blinded_path_json(sciddir)["first_scid"] == "103x2x3"
    for given in (path, sciddir):
        shown = {"reply_blindedpath": blinded_path_json(given), "invoice": "00", "pathsecret": "07"}
        letter = read_letter(shown)
        assert letter.reply_path == given
        assert (letter.invoice, letter.path_secret, letter.invoice_request) == (b"\0", b"\7", None)
