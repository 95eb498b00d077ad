"""Onion messages in the master: passed on, given to plugins, or dropped without a word."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pylightningd.common.bus.link import Refused
from pylightningd.common.entropy import SeededEntropy
from pylightningd.common.errors import UserError
from pylightningd.common.features import ONION_MESSAGES, encode_features
from pylightningd.common.ids import NodeId
from pylightningd.common.keys import InvalidKey, ecdh, is_pubkey
from pylightningd.common.onion.blinding import make_blinded_path
from pylightningd.common.onion.onion_message import make_message_path, make_onion_message
from pylightningd.common.secret import Secret
from pylightningd.common.wire import connectd_wire as nw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.hsmd_wire import HsmdEcdh
from pylightningd.common.wire.onion_wire import BlindedPath, EncryptedDataTlv, OnionmsgTlv
from pylightningd.lightningd.control import onion_messages
from pylightningd.lightningd.control.onion_messages import OnionMessages, blinded_path_json
from tests.lightningd.channels.rig import OUR_KEY, FakeHsm, Rig, peer_connected, peer_id

ENTROPY = SeededEntropy(b"onions")
SECRET = b"s" * 32


class _Hsm(FakeHsm):
    """Does ECDH with the node's key."""

    async def ask(self, msg: Any) -> Any:
        if not isinstance(msg, HsmdEcdh):
            return await super().ask(msg)
        try:
            secrets = tuple(Secret(ecdh(OUR_KEY, point)) for point in msg.points)
        except InvalidKey as error:
            raise Refused(str(error)) from None
        return SimpleNamespace(secrets=secrets)


class Post:
    """A master with onion messages; peer 1 sends, and what becomes of it is recorded."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        node = rig.node
        node.hsm = _Hsm()
        node.features["node"] = encode_features([ONION_MESSAGES | 1])
        node.onion_messages = OnionMessages(node)
        self.failures: list[Any] = []
        node.notify = lambda _topic, payload: self.failures.append(payload)
        self.hooked: list[tuple[str, Any]] = []

        async def call_hook(name: str, payload: Any) -> list[Any]:
            self.hooked.append((name, payload["onion_message"]))
            return []

        node.plugins = SimpleNamespace(
            has_hook=lambda name: name.startswith("onion"), call_hook=call_hook
        )
        rig.connectd_says(peer_connected(1, 1))

    @property
    def us(self) -> NodeId:
        return NodeId(self.rig.node.node_id)

    def receive(self, raw: bytes) -> list[pw.OnionMessage]:
        """Peer 1 sends this; the onion messages that leave for others."""
        before = len(self.rig.to_connectd(nw.ConnectdSendMsg))
        self.rig.connectd_says(nw.ConnectdPeerMsg(peer_id=peer_id(1), connection=1, msg=raw))
        self.rig.spin()
        sent = self.rig.to_connectd(nw.ConnectdSendMsg)[before:]
        return [pw.OnionMessage.decode(m.msg) for m in sent]

    def send(self, path: BlindedPath, content: OnionmsgTlv | None = None) -> list[pw.OnionMessage]:
        return self.receive(message(path, content or OnionmsgTlv()))


def message(path: BlindedPath, content: OnionmsgTlv) -> bytes:
    packet = make_onion_message(ENTROPY.take(32), path.path, content)
    return pw.OnionMessage(path_key=path.first_path_key, onion_message_packet=packet).encode()


@pytest.fixture
def post(rig: Rig) -> Post:
    return Post(rig)


def test_passed_on_to_a_connected_node(post: Post) -> None:
    post.rig.connectd_says(peer_connected(2, 2))
    path = make_message_path(ENTROPY.take(32), [post.us, peer_id(2)])
    (sent,) = post.send(path, OnionmsgTlv(invoice=b"secret to us"))
    assert sent.path_key != path.first_path_key
    assert len(sent.onion_message_packet) == 1366
    assert (post.hooked, post.failures) == ([], [])


def test_passed_on_over_a_channel_by_its_scid_or_alias(post: Post) -> None:
    channel = post.rig.ready(2)
    assert channel.short_channel_id is not None
    for scid in (channel.short_channel_id, channel.local_alias):
        hops = [EncryptedDataTlv(short_channel_id=scid), EncryptedDataTlv()]
        path, _ = make_blinded_path(
            ENTROPY.take(32),
            [(n, h.encode()) for n, h in zip((post.us, channel.peer_id), hops, strict=True)],
        )
        assert len(post.send(path)) == 1


def test_nowhere_to_go(post: Post) -> None:
    assert post.send(make_message_path(ENTROPY.take(32), [post.us, peer_id(9)])) == []
    (failure,) = post.failures
    assert failure["source"] == peer_id(1).hex()
    assert failure["next_node_id"] == peer_id(9).hex()
    assert len(bytes.fromhex(failure["outgoing"])) == 1366


def test_for_us(post: Post) -> None:
    reply = make_message_path(ENTROPY.take(32), [peer_id(5), peer_id(6)], SECRET)
    content = OnionmsgTlv(reply_path=reply, invoice_request=b"please", unknown=((77, b"odd"),))
    # One payload field is all there may be, so the odd one makes it two.
    post.send(make_message_path(ENTROPY.take(32), [post.us]), content)
    assert post.hooked == []
    post.send(make_message_path(ENTROPY.take(32), [post.us]), replace(content, unknown=()))
    ((hook, payload),) = post.hooked
    assert hook == "onion_message_recv"
    assert payload == {
        "reply_blindedpath": blinded_path_json(reply),
        "invoice_request": b"please".hex(),
        "unknown_fields": [],
    }
    assert payload["reply_blindedpath"]["first_node_id"] == peer_id(5).hex()
    assert len(payload["reply_blindedpath"]["hops"]) == 2


def test_for_us_over_a_path_of_ours(post: Post) -> None:
    post.send(make_message_path(ENTROPY.take(32), [post.us], SECRET), OnionmsgTlv(invoice=b"x"))
    ((hook, payload),) = post.hooked
    assert (hook, payload["pathsecret"]) == ("onion_message_recv_secret", SECRET.hex())
    post.send(make_message_path(ENTROPY.take(32), [post.us], b"too short"))
    assert len(post.hooked) == 1


def test_garbage_is_dropped(post: Post) -> None:
    good = message(make_message_path(ENTROPY.take(32), [post.us]), OnionmsgTlv(invoice=b"x"))
    key = bytes([2]) + (5).to_bytes(32, "big")
    assert not is_pubkey(key)
    bad = [
        good[:20],
        good[:2] + key + good[35:],  # no point
        good[:-1] + bytes([good[-1] ^ 1]),
        good[:60] + bytes([good[60] ^ 1]) + good[61:],
        good[:37] + b"\1" + good[38:],  # version
        pw.OnionMessage(path_key=good[2:35], onion_message_packet=b"").encode(),
        pw.OnionMessage(path_key=good[2:35], onion_message_packet=bytes(66)).encode(),
        message(
            make_message_path(ENTROPY.take(32), [peer_id(3)]), OnionmsgTlv()
        ),  # for another node
    ]
    for raw in bad:
        assert post.receive(raw) == []
    assert post.hooked == []
    assert (post.rig.failed_tasks, post.rig.bugs) == ([], [])
    post.receive(good)
    assert len(post.hooked) == 1


def test_not_offered_means_not_read(post: Post) -> None:
    post.rig.node.features["node"] = b""
    post.send(make_message_path(ENTROPY.take(32), [post.us]), OnionmsgTlv(invoice=b"x"))
    assert (post.hooked, post.failures) == ([], [])


def test_only_so_many_are_opened_at_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onion_messages, "MAX_OPENING", 1)
    raw = message(make_message_path(ENTROPY.take(32), [post.us]), OnionmsgTlv(invoice=b"x"))
    said = nw.ConnectdPeerMsg(peer_id=peer_id(1), connection=1, msg=raw)
    post.rig.connectd_says(said, said, said)
    post.rig.spin()
    assert len(post.hooked) == 1
    post.receive(raw)
    assert len(post.hooked) == 2


def test_injected(post: Post) -> None:
    path = make_message_path(ENTROPY.take(32), [post.us, peer_id(2)])
    raw = message(path, OnionmsgTlv())
    inject = post.rig.node.onion_messages.inject
    with pytest.raises(UserError, match="unknown next peer"):
        post.rig.loop.run_until_complete(inject(path.first_path_key, raw[37:]))
    assert post.failures == []  # nobody else's business
    post.rig.connectd_says(peer_connected(2, 2))
    post.rig.loop.run_until_complete(inject(path.first_path_key, raw[37:]))
    assert len(post.rig.to_connectd(nw.ConnectdSendMsg)) == 1
    with pytest.raises(UserError, match="packet of 0 bytes"):
        post.rig.loop.run_until_complete(inject(path.first_path_key, b""))
