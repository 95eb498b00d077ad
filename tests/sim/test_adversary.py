"""A peer that sends anything at any time: only what a broken rule leads to may follow, and no money moves."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pylightningd.channeld.events import BadPeerBytes
from pylightningd.common.amount import Msat
from pylightningd.common.errors import WireError
from pylightningd.common.wire import channeld_wire as cw
from pylightningd.common.wire import peer_wire as pw
from pylightningd.common.wire.runtime import Message
from tests.sim.peers import FUNDING, Pair, Peer

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ("offer", "back", "resolve", "deliver", "deliver", "mutate", "repeat", "flip")
        ),
        st.integers(0, 1 << 30),
    ),
    min_size=4,
    max_size=40,
)


def mutate(msg: Any, seed: int) -> Any:
    """The message with one field changed."""
    names = [f.name for f in fields(msg) if f.name not in ("channel_id", "tlvs")]
    if not names:
        return msg
    name = names[seed % len(names)]
    value = getattr(msg, name)
    if isinstance(value, bool) or value is None:
        return msg
    if isinstance(value, int):
        return replace(msg, **{name: max(0, value + (seed >> 4) % 5 - 2)})
    if isinstance(value, Msat):
        return replace(msg, **{name: Msat((seed * 7919) % 10**12)})
    if isinstance(value, tuple):
        return replace(msg, **{name: value[1:]})
    if isinstance(value, bytes) and value:
        at = 1 + (seed >> 4) % max(1, len(value) - 1)
        changed = value[: at - 1] + bytes((value[at - 1] ^ 1,)) + value[at:]
        return replace(msg, **{name: changed})
    return msg


def deliver(victim: Peer, raw: bytes) -> None:
    """As the worker would; an error message is not for the driver."""
    try:
        msg = pw.decode(raw)
    except WireError as err:
        victim.feed(BadPeerBytes(str(err)))
        return
    if isinstance(msg, Message) and not isinstance(msg, pw.Error):
        victim.deliver(raw)


@settings(max_examples=150)
@given(ACTIONS)
def test_only_consequences_of_broken_rules(actions: list[tuple[str, int]]) -> None:
    pair = Pair.open()
    pair.connect(fresh=True)
    alice, bob = pair.both
    seen: list[bytes] = []
    for action, seed in actions:
        if action == "offer":
            pair.offer(alice, 1 + seed % 50_000_000)
        elif action == "back":
            pair.offer(bob, 1 + seed % 50_000_000)
        elif action == "resolve":
            if bob.master.resolvable:
                pair.resolve(bob, bob.master.resolvable[0], "fulfill")
        elif action == "repeat":
            if seen:
                deliver(bob, seen[seed % len(seen)])
        elif alice.outbox:
            raw = alice.outbox.popleft()
            seen.append(raw)
            if action == "mutate":
                msg = pw.decode(raw)
                raw = mutate(msg, seed).encode()
            elif action == "flip":
                at = 34 + seed % max(1, len(raw) - 34)
                raw = raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :] if at < len(raw) else raw
            deliver(bob, raw)
        while bob.outbox:
            answer = bob.outbox.popleft()
            if not isinstance(pw.decode(answer), pw.Error):
                alice.deliver(answer)
    assert bob.channel.settled.local + bob.channel.settled.remote == FUNDING.to_msat()
    kinds = {m.kind for m in bob.master.told if isinstance(m, cw.ChanneldFailed)}
    assert kinds <= {0, 1}
