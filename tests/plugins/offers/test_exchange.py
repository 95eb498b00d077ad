"""Two or three plugins that talk to one another: offers taken up, refused, expired, asked for again, wrong answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.invoice import bolt12
from pylightningd.common.network import REGTEST
from pylightningd.common.onion.onion_message import make_message_path
from pylightningd.common.wire.bolt12_wire import Invoice, Offer
from pylightningd.plugins.lib import RpcError
from pylightningd.plugins.offers import counter, shell, unpaid
from pylightningd.plugins.offers.drafts import with_path
from pylightningd.plugins.offers.fetch import fetch_invoice, send_invoice
from pylightningd.plugins.offers.mail import Letter
from pylightningd.plugins.offers.request import Wish
from tests.plugins.offers.fake_net import FEATURES, Net, Node
from tests.plugins.offers.people import ALICE, BOB, CAROL, NOW, offer_of_alice, signed_request
from tests.plugins.offers.test_pay_request import request_of_bob

Story = Callable[[Node, Node, Node], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story of alice, bob and carol, who are not connected yet."""

    def run(story: Story) -> None:
        async def told() -> None:
            net = Net(tmp_path)
            alice, bob, carol = (net.add(key) for key in (ALICE, BOB, CAROL))
            async with asyncio.timeout(60):
                await story(alice, bob, carol)
            for node in (alice, bob, carol):
                assert not [text for level, text in node.logs if level == "broken"]
                assert node.post._waiting == {}

        asyncio.run(told())

    return run


def publish(alice: Node, **more: Any) -> str:
    text = bolt12.encode_string("lno", offer_of_alice(**more).encode())
    alice.publish(text)
    return text


async def fetch(node: Node, offer: str, seconds: int = 5, **wish: Any) -> Any:
    metadata = wish.pop("metadata", None) or node.post.entropy.take(16)
    return await fetch_invoice(
        node.plugin, node.post, offer, Wish(metadata=metadata, **wish), seconds
    )


async def refused(node: Node, offer: str, **wish: Any) -> RpcError:
    with pytest.raises(RpcError) as error:
        await fetch(node, offer, **wish)
    return error.value


def test_fetched(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        offer = publish(alice, amount_msat=None)
        result = await fetch(bob, offer, amount_msat=7_000, payer_note="hi")
        assert result["changes"] == {}
        invoice = bolt12.decode_invoice(result["invoice"], REGTEST.chain_hash)
        assert (invoice.invoice_node_id, invoice.invreq_payer_note) == (alice.id, "hi")
        assert [row["status"] for row in alice.invoices.values()] == ["unpaid"]

    tell(story)


def test_our_own_offer(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, _bob: Node, _carol: Node) -> None:
        assert "invoice" in await fetch(alice, publish(alice))

    tell(story)


def test_asked_again_is_answered_alike(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        offer, metadata = publish(alice), b"the same again"
        first = await fetch(bob, offer, metadata=metadata)
        assert await fetch(bob, offer, metadata=metadata) == first
        assert len(alice.invoices) == 1
        # The same payer key with another wish is no repetition: it gets nothing while the first is open.
        error = await refused(bob, offer, metadata=metadata, payer_note="other")
        assert "Another request" in error.data["error"]
        (row,) = alice.invoices.values()
        row["status"] = "paid"
        error = await refused(bob, offer, metadata=metadata)
        assert error.data == {"error": "Already paid"}
        row["status"] = "expired"
        alice.now += 8000
        bob.now += 8000
        assert await fetch(bob, offer, metadata=metadata) != first

    tell(story)


def test_refusals(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        known = publish(alice)
        unknown = bolt12.encode_string("lno", offer_of_alice(description="milk").encode())
        assert (await refused(bob, unknown)).data == {"error": "Unknown offer"}
        next(iter(alice.offers.values()))["active"] = False
        assert (await refused(bob, known)).data == {"error": "Offer no longer available"}
        late = publish(alice, absolute_expiry=NOW + 10)
        alice.now += 10
        assert (await refused(bob, late)).data == {"error": "Offer expired"}
        assert alice.invoices == {}

    tell(story)


def test_a_node_that_fails_says_no_more_than_that(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)

        async def fail(**_given: Any) -> Any:
            raise RpcError(-1, "the disk of alice is full")

        alice._on_createinvoice = fail  # type: ignore[method-assign,assignment]  # a node in trouble
        error = await refused(bob, publish(alice))
        assert (error.code, error.data) == (1004, {"error": "Internal error"})

    tell(story)


def test_no_answer(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        alice.deaf = True
        error = await refused(bob, publish(alice), seconds=0)
        assert (error.code, error.message) == (1005, "Timeout waiting for response")

    tell(story)


def test_who_is_not_connected_is_called(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        offer = publish(alice)
        bob.plugin.options["fetchinvoice-noconnect"] = True
        error = await refused(bob, offer)
        assert error.code == 1003
        assert "fetchinvoice-noconnect set" in error.message
        bob.plugin.options["fetchinvoice-noconnect"] = False
        await fetch(bob, offer)
        assert ("connect", {"id": alice.id.hex()}) in bob.calls
        del alice.net.nodes[alice.id]
        bob.peers.clear()
        error = await refused(bob, offer)
        assert (error.code, "All addresses failed" in error.message) == (1003, True)

    tell(story)


def test_over_the_path_of_an_offer(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, carol: Node) -> None:
        carol.connect(alice, bob)
        base = await alice.post.path_base()
        hidden = with_path(offer_of_alice(), base, alice.post.entropy, carol.id, alice.id)
        offer = bolt12.encode_string("lno", hidden.encode())
        alice.publish(offer)
        assert "invoice" in await fetch(bob, offer)
        assert [p.id for p in bob.peers] == [carol.id]
        # Who asks alice herself is told nothing: she never heard of this offer.
        bob.connect(alice)
        direct = Offer.decode(hidden.encode())
        path = make_message_path(bytes([5]) * 32, [alice.id])
        crooked = bolt12.encode_string("lno", replace(direct, offer_paths=(path,)).encode())
        assert (await refused(bob, crooked)).data == {"error": "Unknown offer"}
        alice.publish(crooked)
        assert (await refused(bob, crooked)).data == {"error": "Unknown offer"}

    tell(story)


def test_the_second_path_where_the_first_leads_nowhere(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, carol: Node) -> None:
        carol.connect(alice, bob)
        base = await alice.post.path_base()
        made = with_path(offer_of_alice(), base, alice.post.entropy, carol.id, alice.id)
        assert made.offer_paths is not None
        nowhere = replace(made.offer_paths[0], first_node_id=b"\0" + bytes(7) + b"\7")
        made = replace(made, offer_paths=(nowhere, *made.offer_paths))
        offer = bolt12.encode_string("lno", made.encode())
        alice.publish(offer)

        async def none() -> Any:
            return {"channels": []}

        bob._on_listpeerchannels = none  # type: ignore[method-assign]
        assert "invoice" in await fetch(bob, offer)

    tell(story)


def test_a_wrong_invoice(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, carol: Node) -> None:
        bob.connect(alice)
        offer = publish(alice)
        good = await fetch(bob, offer)
        _, other = bolt12.decode_string(good["invoice"])
        bob.tamper = lambda letter: replace(letter, invoice=other)
        assert "invoice_request match" in (await refused(bob, offer)).message
        bob.tamper = lambda letter: replace(letter, invoice=b"\xff")
        assert (await refused(bob, offer)).code == 1004
        bob.tamper = lambda letter: replace(letter, invoice=None)
        assert "Neither invoice" in (await refused(bob, offer)).message

    tell(story)


def test_an_answer_counts_once_and_only_over_its_path(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        seen: list[Any] = []

        def keep(letter: Any) -> Any:
            seen.append(letter)
            return letter

        bob.tamper = keep
        await fetch(bob, publish(alice))
        (letter,) = seen
        assert letter.path_secret is not None
        # A replay answers nothing, and neither does a letter that came without the secret.
        assert not bob.post.take(letter)
        assert not bob.post.take(replace(letter, path_secret=None))
        await bob.counter.serve(letter)
        assert not [m for m, _ in bob.calls if m == "xpay"]

    tell(story)


def test_full(tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpaid, "MOST", 3)

    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        offer = publish(alice)
        for _n in range(3):
            await fetch(bob, offer)
        first, second, third = alice.invoices
        alice.held = [alice.invoices[label]["payment_hash"] for label in (first, third)]
        # Another one goes, but none that is being paid.
        await fetch(bob, offer)
        assert first in alice.invoices
        assert second not in alice.invoices
        assert (len(alice.invoices), len(alice.counter._book)) == (3, 3)
        # Where all are, nobody gets one.
        alice.held = [row["payment_hash"] for row in alice.invoices.values()]
        error = await refused(bob, offer)
        assert error.data == {"error": "Too many unpaid invoices; try again later"}
        alice.invoices[first]["status"] = "paid"
        alice.counter.paid(first)
        await fetch(bob, offer)
        # What expires unpaid makes room and is deleted.
        alice.now += 7200
        bob.now += 7200
        for row in list(alice.invoices.values())[1:]:
            row["status"] = "expired"
        await fetch(bob, offer)
        assert len(alice.invoices) == 2

    tell(story)


def test_what_has_to_go_but_was_paid_or_ended_meanwhile(
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpaid, "MOST", 1)

    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        offer = publish(alice)
        for status, stays in (("paid", True), ("expired", False)):
            await fetch(bob, offer)
            *_others, last = alice.invoices
            alice.invoices[last]["status"] = status
            await fetch(bob, offer)
            assert (last in alice.invoices) == stays
            assert len(alice.counter._book) == 1

    tell(story)


def test_what_was_open_before_a_restart_counts(
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpaid, "MOST", 1)

    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        offer = publish(alice)
        await fetch(bob, offer)
        alice.held = [row["payment_hash"] for row in alice.invoices.values()]
        alice.counter = counter.Counter(alice.plugin, alice.post)
        right = alice._on_listinvoices

        async def fail() -> Any:
            raise RpcError(-1, "busy")

        # It counts even if it could not be read the first time.
        alice._on_listinvoices = fail  # type: ignore[method-assign]
        assert (await refused(bob, offer)).data == {"error": "Internal error"}

        # And if somebody else asks while it is read.
        async def slow() -> Any:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return await right()

        alice._on_listinvoices = slow  # type: ignore[method-assign]
        async with asyncio.TaskGroup() as both:
            tasks = [both.create_task(refused(bob, offer)) for _n in range(2)]
        for task in tasks:
            assert "Too many" in task.result().data["error"]

    tell(story)


def test_a_reply_path_that_is_none(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        offer = publish(alice)

        def crooked(letter: Any) -> Any:
            path = letter.reply_path
            hop = replace(path.path[0], blinded_node_id=b"\2" + (5).to_bytes(32, "big"))
            return replace(letter, reply_path=replace(path, path=(hop,)))

        for tamper in (
            crooked,
            lambda letter: replace(letter, reply_path=replace(letter.reply_path, path=())),
            lambda letter: replace(letter, reply_path=None),
        ):
            alice.tamper = tamper
            assert (await refused(bob, offer, seconds=0)).code == 1005
            await alice.net.settle()

    tell(story)


def test_a_refund(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        bob.connect(alice)
        draft = bolt12.encode_string("lnr", request_of_bob().encode())
        request = bob.request(draft, save=True, single_use=True)["bolt12"]
        result = await send_invoice(alice.plugin, alice.post, request, "refund", None, 5)
        assert (result["status"], result["label"]) == ("paid", "refund")
        invoice = Invoice.decode(bolt12.decode_string(result["bolt12"])[1])
        assert invoice.invoice_node_id == alice.id
        with pytest.raises(RpcError, match="failure message") as error:
            await send_invoice(alice.plugin, alice.post, request, "again", None, 5)
        assert error.value.data == {"error": "invoice_request no longer available"}
        with pytest.raises(RpcError, match="based on an offer"):
            await send_invoice(alice.plugin, alice.post, _taken_up(bob), "no", None, 5)

    tell(story)


def _letter(request: bytes, door: Node) -> Letter:
    """A request for an invoice, to be answered over a path that begins at `door`."""
    path = make_message_path(bytes([5]) * 32, [door.id])
    return Letter(None, path, request, None, None)


async def _hang(**_: Any) -> Any:
    await asyncio.Event().wait()


@pytest.mark.parametrize("readable", [False, True])
def test_strangers_who_cannot_be_answered_keep_nobody_out(
    tell: Callable[[Story], None], readable: bool
) -> None:
    async def story(alice: Node, bob: Node, carol: Node) -> None:
        bob.connect(alice)
        alice._on_connect = _hang  # type: ignore[method-assign,assignment]
        offer = publish(alice)
        letter = _letter(signed_request(offer_of_alice()) if readable else b"\xff", carol)
        served = [
            asyncio.get_running_loop().create_task(alice.counter.serve(letter))
            for _ in range(counter.MAX_AT_WORK)
        ]
        assert "invoice" in await fetch(bob, offer)
        await asyncio.wait(served, timeout=0)
        dialled = [name for name, _ in alice.calls].count("connect")
        assert dialled == (shell.MAX_DIALLING if readable else 0)
        for task in served:
            task.cancel()
        await asyncio.wait(served)
        assert alice.post._dialling == 0

    tell(story)


def test_only_an_answer_about_an_offer_of_ours_is_worth_a_connection(
    tell: Callable[[Story], None],
) -> None:
    async def story(alice: Node, _bob: Node, carol: Node) -> None:
        await alice.counter.serve(_letter(signed_request(offer_of_alice()), carol))
        assert alice.peers == []
        publish(alice)
        next(iter(alice.offers.values()))["active"] = False
        await alice.counter.serve(_letter(signed_request(offer_of_alice()), carol))
        assert alice.peers == [carol]
        await alice.net.settle()

    tell(story)


def test_a_connection_for_an_answer_is_given_up(
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "DIAL_SECONDS", 0)

    async def story(alice: Node, _bob: Node, carol: Node) -> None:
        alice._on_connect = _hang  # type: ignore[method-assign,assignment]
        publish(alice)
        await alice.counter.serve(_letter(signed_request(offer_of_alice()), carol))
        assert ("debug", "Failed to send reply: no connection within 0 seconds") in alice.logs
        assert alice.post._dialling == 0

    tell(story)


async def _bill(alice: Node, bob: Node) -> RpcError:
    """What alice is told when she sends an invoice for a request of bob's that is not paid."""
    bob.connect(alice)
    draft = bolt12.encode_string("lnr", request_of_bob().encode())
    request = bob.request(draft, save=True, single_use=True)["bolt12"]
    with pytest.raises(RpcError, match="failure message") as error:
        await send_invoice(alice.plugin, alice.post, request, "refund", None, 5)
    return error.value


def test_no_more_payments_at_once(
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "MAX_PAYING", 0)

    async def story(alice: Node, bob: Node, _: Node) -> None:
        assert "Too many payments" in (await _bill(alice, bob)).data["error"]
        assert "xpay" not in [name for name, _ in bob.calls]

    tell(story)


def test_why_a_payment_failed_is_our_own_business(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, _: Node) -> None:
        async def fail(**_given: Any) -> Any:
            raise RpcError(205, "no way over 103x1x0, which has 7sat")

        bob._on_xpay = fail  # type: ignore[method-assign,assignment]
        assert (await _bill(alice, bob)).data == {"error": "pay attempt failed"}
        assert [text for level, text in bob.logs if level == "unusual" and "103x1x0" in text]

    tell(story)


def _taken_up(bob: Node) -> str:
    return bolt12.encode_string("lnr", signed_request(offer_of_alice()))


def test_the_entrance(tell: Callable[[Story], None]) -> None:
    async def story(alice: Node, bob: Node, carol: Node) -> None:
        assert await alice.post.entrance() is None
        row = {"enabled": True, "peer_features": FEATURES, "incoming_capacity_msat": 5}
        alice.incoming = [
            row | {"id": bob.id.hex()},
            row | {"id": carol.id.hex(), "incoming_capacity_msat": 9, "enabled": False},
            row | {"id": carol.id.hex(), "incoming_capacity_msat": 9, "peer_features": "80"},
        ]
        assert await alice.post.entrance() == bob.id
        alice.incoming.append(row | {"id": carol.id.hex(), "incoming_capacity_msat": 6})
        assert await alice.post.entrance() == carol.id

    tell(story)
