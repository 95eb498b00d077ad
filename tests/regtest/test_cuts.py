"""`--dev-disconnect`: what each kind of line does, and that everything survives a cut at every message.

All cuts of a test are made over one pair of nodes: the files of lines are written anew while the nodes run. Every
position of a conversation, also with several cuts: tests/sim/test_every_cut.py.
"""

from __future__ import annotations

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.regtest.cutting import (
    COUNTED,
    CUTS,
    DROPPED,
    HOLE,
    MUTE,
    Scissors,
)
from tests.regtest.network import NodeFactory, knows
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError
from tests.regtest.sending import (
    invoice_of,
    new_invoice,
    payment_of,
    route_to,
    send,
    start_payment,
)
from tests.regtest.waiting import TIMEOUT_S, wait_for

AMOUNT_MSAT = 1_000_000
CHANNEL_SAT = 200_000
BAD_VERSION = "01" + "02" * 1365
_hashes = itertools.count(1)


def outcome_of(payer: Node, payment_hash: str) -> str:
    """How the one part with this hash ended."""

    def ended() -> str:
        (part,) = payer.rpc("listsendpays", payment_hash=payment_hash)["payments"]
        return str(part["status"]) if part["status"] != "pending" else ""

    return wait_for(ended, f"the end of {payment_hash}")


class Payment:
    """A payment that will be fulfilled, failed, or found malformed."""

    def __init__(self, payer: Node, payee: Node, end: str) -> None:
        self.payer, self.payee, self.end = payer, payee, end
        self.invoice = new_invoice(payee, AMOUNT_MSAT)
        self.hash = str(self.invoice["payment_hash"])

    def start(self) -> None:
        """Offer it. Where the connection is away at that moment it fails at once."""
        if self.end != "fulfill":
            self.hash = f"{next(_hashes):064x}"
        route = route_to(self.payer, self.payee, amount_msat=AMOUNT_MSAT)
        if self.end == "malformed":
            self.payer.rpc(
                "sendonion", onion=BAD_VERSION, first_hop=route[0], payment_hash=self.hash
            )
        else:
            start_payment(self.payer, route, self.invoice | {"payment_hash": self.hash})

    def check(self) -> None:
        """It has ended once, and both sides say the same."""
        outcome = outcome_of(self.payer, self.hash)
        paid = invoice_of(self.payee, self.invoice["label"])["status"] == "paid"
        assert (outcome == "complete") == paid, (outcome, self.end)
        # An offer that was lost before it was committed fails; else the end is what it was to be.
        assert outcome == "failed" or self.end == "fulfill"
        # It is complete before its HTLC is gone: what is said until then must not meet the next cut.
        for node in (self.payer, self.payee):
            wait_for(lambda n=node: not any(c["htlcs"] for c in n.channels()), "the HTLC's end")  # type: ignore[misc]


PAYER, PAYEE = "payer", "payee"
PAYMENT_CUTS = (
    # message, who sends it, which one of its kind, how the payment ends
    ("WIRE_UPDATE_ADD_HTLC", PAYER, 1, "fulfill"),
    ("WIRE_COMMITMENT_SIGNED", PAYER, 1, "fulfill"),
    ("WIRE_REVOKE_AND_ACK", PAYEE, 1, "fulfill"),
    ("WIRE_COMMITMENT_SIGNED", PAYEE, 1, "fail"),
    ("WIRE_REVOKE_AND_ACK", PAYER, 1, "malformed"),
    ("WIRE_UPDATE_FULFILL_HTLC", PAYEE, 1, "fulfill"),
    ("WIRE_UPDATE_FAIL_HTLC", PAYEE, 1, "fail"),
    ("WIRE_UPDATE_FAIL_MALFORMED_HTLC", PAYEE, 1, "malformed"),
    ("WIRE_COMMITMENT_SIGNED", PAYEE, 2, "fulfill"),
    ("WIRE_REVOKE_AND_ACK", PAYER, 2, "fulfill"),
    ("WIRE_COMMITMENT_SIGNED", PAYER, 2, "fail"),
    ("WIRE_REVOKE_AND_ACK", PAYEE, 2, "malformed"),
)


def test_every_message_of_a_payment(node_factory: NodeFactory) -> None:
    """A payment with each message lost, or the connection lost behind it: it ends once, on both sides alike."""
    scissors = Scissors(node_factory)
    l1, l2 = scissors.both
    for n, ((message, who, count, end), kind) in enumerate(itertools.product(PAYMENT_CUTS, CUTS)):
        # Both directions in turn: who opened the channel makes a difference.
        payer, payee = (l1, l2) if n % 2 == 0 else (l2, l1)
        payment = Payment(payer, payee, end)
        cutter = scissors.arm(kind, message, payer if who == PAYER else payee, count)
        payment.start()
        scissors.wait_back(cutter, kind, message)
        payment.check()
    # A lost update makes the signatures behind it wrong: a warning, and a connection that begins anew.
    for message, end in (
        ("WIRE_UPDATE_ADD_HTLC", "fulfill"),
        ("WIRE_UPDATE_FULFILL_HTLC", "fulfill"),
        ("WIRE_UPDATE_FAIL_HTLC", "fail"),
        ("WIRE_UPDATE_FAIL_MALFORMED_HTLC", "malformed"),
    ):
        payment = Payment(l1, l2, end)
        cutter = scissors.arm(DROPPED, message, l1 if "ADD" in message else l2)
        payment.start()
        scissors.wait_back(cutter, DROPPED, message)
        payment.check()
    send(l1, l2, amount_msat=AMOUNT_MSAT)
    send(l2, l1, amount_msat=AMOUNT_MSAT)


def test_reestablishing_and_new_fees(node_factory: NodeFactory) -> None:
    """The connection is lost while the channel is taken up, and while the opener changes the feerate."""
    scissors = Scissors(node_factory)
    l1, l2 = scissors.both
    for sender, kind in itertools.product(scissors.both, CUTS):
        cutter = scissors.arm(kind, "WIRE_CHANNEL_REESTABLISH", sender)
        sender.rpc("disconnect", id=scissors.other(sender).id, force=True)
        scissors.wait_back(cutter, kind, "WIRE_CHANNEL_REESTABLISH")
        send(l1, l2, amount_msat=AMOUNT_MSAT)
    for feerate, kind in zip((1_500, 1_700, 1_900), CUTS, strict=True):
        l1.stop()
        l1.options["force-feerates"] = feerate
        cutter = scissors.arm(kind, "WIRE_UPDATE_FEE", l1)
        l1.start()
        scissors.wait_back(cutter, kind, "WIRE_UPDATE_FEE")
        for node in scissors.both:
            wait_for(
                lambda n=node, f=feerate: n.channels()[0]["feerate"]["perkw"] >= f,  # type: ignore[misc]
                f"the feerate of {node.name}",
            )
        send(l2, l1, amount_msat=AMOUNT_MSAT)


OPENER, ACCEPTER = "opener", "accepter"
OPENING_CUTS = (
    ("WIRE_OPEN_CHANNEL", OPENER),
    ("WIRE_ACCEPT_CHANNEL", ACCEPTER),
    ("WIRE_FUNDING_CREATED", OPENER),
    ("WIRE_FUNDING_SIGNED", ACCEPTER),
    ("WIRE_CHANNEL_READY", OPENER),
    ("WIRE_CHANNEL_READY", ACCEPTER),
)
CLOSING_CUTS = (
    ("WIRE_SHUTDOWN", OPENER),
    ("WIRE_SHUTDOWN", ACCEPTER),
    ("WIRE_CLOSING_SIGNED", OPENER),
    ("WIRE_CLOSING_SIGNED", ACCEPTER),
)


def test_every_message_of_opening_and_closing(node_factory: NodeFactory) -> None:
    scissors = Scissors(node_factory, coins_sat=8_000_000)
    l1, l2 = scissors.both
    made = []
    for (message, who), kind in itertools.product(OPENING_CUTS, CUTS):
        cutter = scissors.arm(kind, message, l1 if who == OPENER else l2)
        txid = open_channel(l1, l2)
        if txid is not None:
            node_factory.mine(1, wait_for_mempool=txid)
            made.append(txid)
        scissors.wait_back(cutter, kind, message)
        if txid is None:
            check_nothing_left(l1, l2, len(made))
        else:
            node_factory.wait_normal(l1, l2, txid)
    # A cut at channel_ready does not end an opening. Behind funding_signed it may: the connection's end can overtake it.
    assert len(made) >= 2 * len(CUTS)
    more = [open_channel(l1, l2) for _ in range(len(made), len(CLOSING_CUTS) * len(CUTS))]
    made += [txid for txid in more if txid is not None]
    node_factory.mine(1, wait_for_mempool=[txid for txid in more if txid is not None])
    for txid, ((message, who), kind) in zip(
        made, itertools.product(CLOSING_CUTS, CUTS), strict=False
    ):
        node_factory.wait_normal(l1, l2, txid)
        scissors.wait_whole()
        cutter = scissors.arm(kind, message, l1 if who == OPENER else l2)
        close(scissors, cutter, kind, message, txid)
    node_factory.mine(1, wait_for_mempool=len(CLOSING_CUTS) * len(CUTS))
    send(l1, l2, amount_msat=AMOUNT_MSAT)


def open_channel(opener: Node, accepter: Node) -> str | None:
    """fundchannel; None where it says that it failed."""
    try:
        done = opener.rpc(
            "fundchannel",
            id=accepter.id,
            amount=CHANNEL_SAT,
            push_msat=CHANNEL_SAT * 500,
            minconf=0,
            announce=False,
        )
    except RpcError as error:
        assert "afford" not in error.message
        return None
    return str(done["txid"])


def check_nothing_left(opener: Node, accepter: Node, others: int) -> None:
    """A failed opening left no channel at the opener, and all coins free; the accepter has none that can be used."""
    assert len(opener.channels()) == 1 + others
    assert not [o for o in opener.rpc("listfunds")["outputs"] if o["reserved"]]
    assert not opener.bitcoind.mempool()
    states = accepter.channel_states()
    assert states.count("CHANNELD_NORMAL") == 1 + others
    assert "CHANNELD_AWAITING_LOCKIN" not in states


def close(scissors: Scissors, cutter: Node, kind: str, message: str, txid: str) -> None:
    """The opener closes a channel, over a cut; both end with the same transaction in the mempool."""
    l1, l2 = scissors.both
    channel_id = scissors.factory.channel(l1, l2, txid)["channel_id"]
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(l1.call, "close", {"id": channel_id}, TIMEOUT_S)
        scissors.wait_back(cutter, kind, message)
        done = closing.result()
    assert done["type"] == "mutual"
    scissors.factory.bitcoind.wait_for_mempool(done["txids"][0])
    for node, peer in ((l1, l2), (l2, l1)):
        wait_for(
            lambda n=node, p=peer: (  # type: ignore[misc]
                scissors.factory.channel(n, p, txid)["state"] == "CLOSINGD_COMPLETE"
            ),
            f"{node.name}'s close after {kind}{message}",
        )


def test_announcement_signatures(node_factory: NodeFactory) -> None:
    scissors = Scissors(node_factory, coins_sat=2_000_000)
    l1, l2 = scissors.both
    for sender, kind in itertools.product(scissors.both, CUTS):
        txid = l1.rpc("fundchannel", id=l2.id, amount=CHANNEL_SAT, minconf=0)["txid"]
        node_factory.mine(1, wait_for_mempool=txid)
        node_factory.wait_normal(l1, l2, txid)
        scissors.wait_whole()
        cutter = scissors.arm(kind, "WIRE_ANNOUNCEMENT_SIGNATURES", sender)
        node_factory.mine(5)
        scissors.wait_back(cutter, kind, "WIRE_ANNOUNCEMENT_SIGNATURES")
        scid = node_factory.channel(l1, l2, txid)["short_channel_id"]
        for node in scissors.both:
            wait_for(lambda n=node, s=scid: knows(n, s), f"{node.name} to know {scid}")  # type: ignore[misc]


@pytest.mark.parametrize("kind", [MUTE, HOLE])
def test_a_peer_that_falls_silent(node_factory: NodeFactory, kind: str) -> None:
    """It keeps the connection and says no more; another connection brings everything back."""
    scissors = Scissors(node_factory)
    l1, l2 = scissors.both
    # Of two lines the first only counts, and changes nothing.
    scissors.arm(COUNTED, "WIRE_COMMITMENT_SIGNED", l1, 2)
    send(l1, l2, amount_msat=AMOUNT_MSAT)
    scissors.wait_used(l1, COUNTED, "WIRE_COMMITMENT_SIGNED")
    payment = Payment(l1, l2, "fulfill")
    cutter = scissors.arm(kind, "WIRE_COMMITMENT_SIGNED", l1)
    payment.start()
    scissors.wait_used(cutter, kind, "WIRE_COMMITMENT_SIGNED")
    if kind == MUTE:
        wait_for(lambda: l2.channels()[0]["htlcs"], "the HTLC to arrive")
    assert all(node.is_connected(scissors.other(node)) for node in scissors.both)
    assert payment_of(l1, payment.hash)["status"] == "pending"
    l2.rpc("disconnect", id=l1.id, force=True)
    with contextlib.suppress(RpcError):
        # Who is deaf may have heard that the other hung up, or not.
        l1.rpc("disconnect", id=l2.id, force=True)
    l1.wait_for_log("peer_in WIRE_CHANNEL_REESTABLISH")
    scissors.wait_whole()
    payment.check()
    assert payment_of(l1, payment.hash)["status"] == "complete"
