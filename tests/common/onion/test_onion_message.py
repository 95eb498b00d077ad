"""Onion messages against the BOLT's vector, and what makes one be dropped."""

from __future__ import annotations

import pytest
from coincurve import PrivateKey

from pylightningd.common.ids import NodeId, ShortChannelId
from pylightningd.common.onion.blinding import blind_node_id, make_blinded_path, tweak_key
from pylightningd.common.onion.onion_message import (
    BadOnionMessage,
    FinalMessage,
    ForwardMessage,
    extend_path,
    make_message_path,
    make_onion_message,
    open_onion_message,
)
from pylightningd.common.onion.sphinx import OnionTooLarge, ephemeral_key
from pylightningd.common.wire.onion_wire import BlindedPathHop, EncryptedDataTlv, OnionmsgTlv
from tests.common.onion.vectors import ecdh, load, unhex

VECTOR = load("blinded-onion-message-onion-test")
KEYS = [bytes([0x41 + i]) * 32 for i in range(4)]
IDS = [NodeId(PrivateKey(key).public_key.format()) for key in KEYS]
SESSION = bytes([9]) * 32


def _open(key: bytes, path_key: bytes, packet: bytes) -> ForwardMessage | FinalMessage:
    path_secret = ecdh(key, path_key)
    onion_secret = ecdh(key, tweak_key(ephemeral_key(packet), path_secret))
    return open_onion_message(packet, path_key, path_secret, onion_secret)


def test_vector_path() -> None:
    hops = VECTOR["generate"]["hops"]
    ids = [PrivateKey(unhex(n["privkey"])).public_key.format() for n in VECTOR["decrypt"]["hops"]]
    data = [unhex(h["encrypted_data_tlv"]) for h in hops]
    dave, _ = make_blinded_path(
        unhex(hops[1]["path_key_secret"]), list(zip(ids[1:], data[1:], strict=True))
    )
    path = extend_path(unhex(hops[0]["path_key_secret"]), [NodeId(ids[0])], dave)
    route = VECTOR["route"]
    assert path.first_node_id.hex() == route["first_node_id"]
    assert path.first_path_key.hex() == route["first_path_key"]
    got = [(h.blinded_node_id.hex(), h.encrypted_recipient_data.hex()) for h in path.path]
    assert got == [(h["blinded_node_id"], h["encrypted_recipient_data"]) for h in route["hops"]]
    secrets = [unhex(h["ss"]) for h in hops]
    assert [blind_node_id(i, s).hex() for i, s in zip(ids, secrets, strict=True)] == [
        h["blinded_node_id"] for h in hops
    ]


def test_vector_message() -> None:
    hops = [
        BlindedPathHop(
            blinded_node_id=unhex(h["blinded_node_id"]),
            encrypted_recipient_data=unhex(h["encrypted_recipient_data"]),
        )
        for h in VECTOR["route"]["hops"]
    ]
    hello = OnionmsgTlv(unknown=((1, b"hello"),))
    packet = make_onion_message(unhex(VECTOR["generate"]["session_key"]), hops, hello)
    assert packet.hex() == VECTOR["onionmessage"]["onion_message_packet"]
    path_key = unhex(VECTOR["route"]["first_path_key"])
    for node in VECTOR["decrypt"]["hops"]:
        assert node["onion_message"] == "0201" + path_key.hex() + "0556" + packet.hex()
        told = _open(unhex(node["privkey"]), path_key, packet)
        if isinstance(told, ForwardMessage):
            assert (told.next_node_id or b"").hex() == node["next_node_id"]
            path_key, packet = told.path_key, told.packet
    assert isinstance(told, FinalMessage)
    assert told.tlvs.unknown == ((1, b"hello"),)
    assert told.path_id == unhex("deadbeefbadc0ffeedeadbeefbadc0ffeedeadbeefbadc0ffeedeadbeefbadc0")


@pytest.mark.parametrize("length", [10, 1200, 30000])
def test_there_through_four_nodes(length: int) -> None:
    path = make_message_path(SESSION, IDS, b"me")
    content = OnionmsgTlv(invoice_request=bytes(length))
    packet = make_onion_message(bytes([8]) * 32, path.path, content)
    assert len(packet) in (1366, 32834)
    path_key = path.first_path_key
    for i, key in enumerate(KEYS[:-1]):
        told = _open(key, path_key, packet)
        assert isinstance(told, ForwardMessage)
        assert told.next_node_id == IDS[i + 1]
        path_key, packet = told.path_key, told.packet
    told = _open(KEYS[-1], path_key, packet)
    assert isinstance(told, FinalMessage)
    assert (told.tlvs.invoice_request, told.path_id) == (bytes(length), b"me")


def test_too_large() -> None:
    path = make_message_path(SESSION, IDS[:1])
    with pytest.raises(OnionTooLarge, match="at most 32768"):
        make_onion_message(SESSION, path.path, OnionmsgTlv(invoice=bytes(33000)))


def _first_told(data: EncryptedDataTlv, content: OnionmsgTlv, *, final: bool) -> object:
    hops = [(IDS[0], data.encode())]
    if not final:
        hops.append((IDS[1], b""))
    path, _ = make_blinded_path(SESSION, hops)
    packet = make_onion_message(SESSION, path.path, content)
    return _open(KEYS[0], path.first_path_key, packet)


def test_forward_by_channel() -> None:
    scid = ShortChannelId.make(1, 2, 3)
    told = _first_told(EncryptedDataTlv(short_channel_id=scid), OnionmsgTlv(), final=False)
    assert isinstance(told, ForwardMessage)
    assert told.short_channel_id == scid


@pytest.mark.parametrize(
    ("data", "content", "final", "reason"),
    [
        (EncryptedDataTlv(), OnionmsgTlv(), False, "no next hop"),
        (EncryptedDataTlv(next_node_id=IDS[1], path_id=b"x"), OnionmsgTlv(), False, "path_id"),
        (EncryptedDataTlv(allowed_features=b"\x02"), OnionmsgTlv(), True, "allowed_features"),
        (EncryptedDataTlv(), OnionmsgTlv(invoice=b"", invoice_error=b""), True, "more than one"),
        (EncryptedDataTlv(unknown=((200, b""),)), OnionmsgTlv(), True, "even"),
    ],
)
def test_dropped(data: EncryptedDataTlv, content: OnionmsgTlv, final: bool, reason: str) -> None:
    with pytest.raises(BadOnionMessage, match=reason):
        _first_told(data, content, final=final)


def test_dropped_where_it_does_not_decrypt() -> None:
    path = make_message_path(SESSION, IDS)
    packet = make_onion_message(SESSION, path.path, OnionmsgTlv())
    with pytest.raises(BadOnionMessage, match="hmac"):
        _open(KEYS[1], path.first_path_key, packet)
