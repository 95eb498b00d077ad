"""BOLT 8's handshake vectors, and what they leave out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.ids import NodeId
from pylightningd.common.secret import Secret
from pylightningd.connectd.noise import HandshakeError, initiate, respond
from tests.connectd.handshake import ALICE, BOB, Player, node_id, pair

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "bolt8-handshake.json").read_text()
)
WORDS = {
    "BAD_VERSION": "unknown version 1",
    "BAD_PUBKEY": "bad public key",
    "BAD_TAG": "bad MAC",
    "BAD_CIPHERTEXT": "bad ciphertext",
}


def player(case: dict[str, Any]) -> Player:
    static, ephemeral = (Secret(bytes.fromhex(case[k])) for k in ("ls.priv", "e.priv"))
    local = NodeId(bytes.fromhex(case["ls.pub"]))
    if "rs.pub" in case:
        return Player(initiate(local, NodeId(bytes.fromhex(case["rs.pub"])), ephemeral), static)
    return Player(respond(local, ephemeral), static)


@pytest.mark.parametrize("case", VECTORS, ids=[c["name"] for c in VECTORS])
def test_vector(case: dict[str, Any]) -> None:
    side = player(case)
    fed = b""
    for index, (what, text) in enumerate(case["steps"]):
        last = case["steps"][index + 1 : index + 2]
        if what == "input":
            fed = bytes.fromhex(text)
            if last and last[0][0] == "error" and "READ_FAILED" not in last[0][1]:
                reason = last[0][1].partition("_")[2].strip("()").removesuffix(" 1").rstrip(")")
                with pytest.raises(HandshakeError, match=WORDS[reason]):
                    side.step(fed)
                return
        elif what == "output":
            assert side.step(fed).hex() == text
            fed = b""
        elif what == "error":
            # A short read: nothing comes of it; the shell sees the end of the stream.
            assert side.step(fed) == b"" and side.result is None
        else:
            assert side.step(fed) == b""
            assert side.result is not None
            keys = {"sk": side.result.send_key, "rk": side.result.receive_key}
            first, second = what.split(",")
            assert (keys[first].reveal() + keys[second].reveal()).hex() == text


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 15


def test_both_sides_agree() -> None:
    alice, bob = pair()
    assert alice.send_key == bob.receive_key and alice.receive_key == bob.send_key
    assert alice.remote_id == node_id(BOB) and bob.remote_id == node_id(ALICE)
    assert alice.chaining_key == bob.chaining_key


def test_dialling_the_wrong_key_fails_at_the_responder() -> None:
    alice = Player(initiate(node_id(ALICE), node_id(ALICE), Secret(bytes([0x12] * 32))), ALICE)
    bob = Player(respond(node_id(BOB), Secret(bytes([0x22] * 32))), BOB)
    with pytest.raises(HandshakeError, match="act one: bad MAC"):
        bob.step(alice.step(b""))


def test_a_node_id_off_the_curve_is_named() -> None:
    with pytest.raises(HandshakeError, match="not a point"):
        next(initiate(node_id(ALICE), NodeId(b"\x02" + bytes([0xFF] * 32)), ALICE))
