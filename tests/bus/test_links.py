"""Both kinds of link behave the same: batches, questions, refusals, order, closing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from pylightningd.common.bus import base_link_io
from pylightningd.common.bus.base_link_io import BaseLink, Handshake
from pylightningd.common.bus.endpoints_io import Endpoints, new_token
from pylightningd.common.bus.link import (
    HelloMismatch,
    Incoming,
    LinkClosed,
    Refused,
    hello_proof,
    make_codec,
    memory_link_pair,
)
from pylightningd.common.bus.zmq_link_io import ZmqLink
from pylightningd.common.errors import WireError
from pylightningd.common.wire import hsmd_wire
from pylightningd.common.wire.bus_wire import BusDropLink, BusHello
from pylightningd.common.wire.hsmd_wire import HsmdSignMessage, HsmdSignMessageReply
from tests.bus.loop import on_loop

Pair = Callable[[], AbstractAsyncContextManager[tuple[BaseLink, BaseLink]]]
HASH = b"h" * 32


def handshake(token: bytes, *, binder: bool, wire_hash: bytes = HASH) -> Handshake:
    name = "binder" if binder else "connecter"
    hello = BusHello(
        daemon=name, wire_hash=wire_hash, pid=1, token=hello_proof(token, binder=binder)
    )
    return Handshake(hello, hello_proof(token, binder=not binder))


def zmq_end(url: str, shake: Handshake, *, bind: bool) -> ZmqLink:
    codec = make_codec([hsmd_wire])
    return ZmqLink(url, bind=bind, name="other", codec=codec, handshake=shake)


@asynccontextmanager
async def zmq_pair() -> AsyncIterator[tuple[BaseLink, BaseLink]]:
    endpoints, token = Endpoints(), new_token()
    url = endpoints.new_url()
    a = zmq_end(url, handshake(token, binder=False), bind=False)
    b = zmq_end(url, handshake(token, binder=True), bind=True)
    try:
        yield a, b
    finally:
        a.close()
        b.close()
        endpoints.close()


@asynccontextmanager
async def memory_pair() -> AsyncIterator[tuple[BaseLink, BaseLink]]:
    a, b = memory_link_pair("a", "b", [hsmd_wire])
    assert isinstance(a, BaseLink)
    assert isinstance(b, BaseLink)
    yield a, b


@pytest.fixture(params=[zmq_pair, memory_pair], ids=["zmq", "memory"])
def pair(request: pytest.FixtureRequest) -> Pair:
    made: Pair = request.param
    return made


def note(n: int) -> BusDropLink:
    return BusDropLink(link_id=n)


class Inbox:
    """Collects what comes, and lets a test wait for a count."""

    def __init__(self, link: BaseLink) -> None:
        self.batches: list[list[Incoming]] = []
        self._changed = asyncio.Event()
        link.on_message = self._put

    def _put(self, batch: list[Incoming]) -> None:
        self.batches.append(batch)
        self._changed.set()

    def all(self) -> list[Incoming]:
        return [i for batch in self.batches for i in batch]

    async def wait(self, count: int) -> list[Incoming]:
        while len(self.all()) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.all()


def answer(batch: list[Incoming]) -> None:
    for incoming in batch:
        if isinstance(incoming.msg, HsmdSignMessage):
            if incoming.msg.message == b"no":
                incoming.refuse("not that")
            else:
                incoming.reply(HsmdSignMessageReply(signature=incoming.msg.message.ljust(65, b".")))


@on_loop
async def test_messages_of_one_iteration_arrive_as_one_batch(pair: Pair) -> None:
    async with pair() as (a, b):
        inbox = Inbox(b)
        for n in range(5):
            a.send(note(n), trace_id=n)
        got = await inbox.wait(5)
        assert [i.msg for i in got] == [note(n) for n in range(5)]
        assert [i.trace_id for i in got] == list(range(5))
        assert len(inbox.batches) == 1
        assert got[0].link is b
        with pytest.raises(ValueError, match="without a request id"):
            got[0].reply(note(1))


@on_loop
async def test_questions_find_their_replies(pair: Pair) -> None:
    async with pair() as (a, b):
        b.on_message = answer
        asks = [a.ask(HsmdSignMessage(message=b"%d" % n)) for n in range(10)]
        for n, future in enumerate(asks):
            assert (await future).signature.rstrip(b".") == b"%d" % n
        assert a.asks_pending == 0


@on_loop
async def test_a_refusal_is_raised_at_the_asker(pair: Pair) -> None:
    async with pair() as (a, b):
        b.on_message = answer
        with pytest.raises(Refused, match="not that"):
            await a.ask(HsmdSignMessage(message=b"no"))


@on_loop
async def test_what_comes_before_a_handler_is_kept(pair: Pair) -> None:
    async with pair() as (a, b):
        b.on_message = answer
        a.send(note(1))
        b.send(note(7))
        await a.ask(HsmdSignMessage(message=b"x"))
        assert [i.msg for i in await Inbox(a).wait(1)] == [note(7)]


@on_loop
async def test_thousands_arrive_complete_and_in_order(pair: Pair) -> None:
    async with pair() as (a, b):
        states: list[bool] = []
        a.on_paused = states.append
        inbox = Inbox(b)
        total = base_link_io.PAUSE_AT_MESSAGES * 3
        for n in range(total):
            a.send(note(n))
        assert a.paused
        got = await inbox.wait(total)
        assert [i.msg for i in got] == [note(n) for n in range(total)]
        assert states[0] is True
        assert not a.paused


@on_loop
async def test_reading_can_be_paused(pair: Pair) -> None:
    async with pair() as (a, b):
        inbox = Inbox(b)
        a.send(note(0))
        await inbox.wait(1)
        b.pause_reading()
        for n in range(1, 50):
            a.send(note(n))
        a.on_message = answer
        await asyncio.sleep(0)
        assert len(inbox.all()) == 1
        b.resume_reading()
        await inbox.wait(50)


@on_loop
async def test_closing_fails_what_was_asked(pair: Pair) -> None:
    async with pair() as (a, b):
        Inbox(b)
        future = a.ask(HsmdSignMessage(message=b"x"))
        a.close()
        with pytest.raises(LinkClosed):
            await future
        with pytest.raises(LinkClosed):
            await a.ask(HsmdSignMessage(message=b"x"))
        a.send(note(1))
        assert a.dropped == 1


@on_loop
async def test_a_lost_link_says_so_once(pair: Pair) -> None:
    async with pair() as (a, _):
        reasons: list[str] = []
        a.on_closed = reasons.append
        a.lost("b died")
        a.lost("b died again")
        a.close()
        assert reasons == ["b died"]


@on_loop
async def test_a_paused_zmq_link_keeps_all(monkeypatch: pytest.MonkeyPatch) -> None:
    async with zmq_pair() as (a, b):
        inbox = Inbox(b)
        b.pause_reading()
        for n in range(600):  # more multiparts than both high-water marks hold
            a.send(note(n))
            a._flush()  # noqa: SLF001 - one multipart each
        b.resume_reading()
        got = await inbox.wait(600)
        assert [i.msg for i in got] == [note(n) for n in range(600)]


@pytest.mark.parametrize(
    ("token", "wire_hash", "text"),
    [(b"x" * 32, HASH, "token"), (b"t" * 32, b"i" * 32, "other message definitions")],
)
@on_loop
async def test_a_wrong_hello_closes_the_link(token: bytes, wire_hash: bytes, text: str) -> None:
    endpoints = Endpoints()
    url = endpoints.new_url()
    a = zmq_end(url, handshake(token, binder=False, wire_hash=wire_hash), bind=False)
    b = zmq_end(url, handshake(b"t" * 32, binder=True), bind=True)
    with pytest.raises(HelloMismatch, match=text):
        await b.ready
    assert b.closed
    a.close()
    endpoints.close()


@on_loop
async def test_the_first_message_must_be_a_hello() -> None:
    shake = Handshake(note(1), b"")  # type: ignore[arg-type]  # a peer that does not follow the rules
    endpoints = Endpoints()
    url = endpoints.new_url()
    a = zmq_end(url, shake, bind=False)
    b = zmq_end(url, handshake(b"t" * 32, binder=True), bind=True)
    with pytest.raises(HelloMismatch, match="not with a hello"):
        await b.ready
    a.close()
    endpoints.close()


def test_two_meanings_of_one_type_are_refused() -> None:
    class Clash:
        MESSAGES = {1: HsmdSignMessage}  # noqa: RUF012

    with pytest.raises(ValueError, match="message type 1 is both"):
        make_codec([Clash])  # type: ignore[list-item]  # stands in for a module


def test_unknown_types_have_no_place() -> None:
    from pylightningd.common.bus.link import decode_message

    with pytest.raises(WireError, match="no place"):
        decode_message(make_codec([]), HsmdSignMessage(message=b"").encode())
