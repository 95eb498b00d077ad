"""Run a handshake in memory, for tests."""

from __future__ import annotations

from pylightningd.common.ids import NodeId
from pylightningd.common.keys import ecdh, pubkey_from_secret
from pylightningd.common.secret import Secret
from pylightningd.connectd.noise import (
    Handshake,
    Receive,
    Secured,
    Send,
    StaticEcdh,
    initiate,
    respond,
)

ALICE = Secret(bytes([0x11] * 32))
BOB = Secret(bytes([0x21] * 32))


def node_id(secret: Secret) -> NodeId:
    """The id of a node with this key."""
    return NodeId(pubkey_from_secret(secret))


class Player:
    """One side; `step` runs it until it wants bytes that are not there."""

    def __init__(self, handshake: Handshake, static: Secret) -> None:
        self._handshake = handshake
        self._static = static
        self._wish = next(handshake)
        self.result: Secured | None = None

    def step(self, data: bytes) -> bytes:
        """Feed bytes, return what it sends."""
        out = b""
        while self.result is None:
            wish = self._wish
            if isinstance(wish, Send):
                out += wish.data
                answer = b""
            elif isinstance(wish, StaticEcdh):
                answer = ecdh(self._static, wish.point)
            else:
                assert isinstance(wish, Receive)
                if len(data) < wish.size:
                    return out
                answer, data = data[: wish.size], data[wish.size :]
            try:
                self._wish = self._handshake.send(answer)
            except StopIteration as stop:
                self.result = stop.value
        return out


def pair() -> tuple[Secured, Secured]:
    """Both outcomes of a good handshake: Alice dials Bob."""
    alice = Player(initiate(node_id(ALICE), node_id(BOB), Secret(bytes([0x12] * 32))), ALICE)
    bob = Player(respond(node_id(BOB), Secret(bytes([0x22] * 32))), BOB)
    act_two = bob.step(alice.step(b""))
    bob.step(alice.step(act_two))
    assert alice.result is not None and bob.result is not None
    return alice.result, bob.result
