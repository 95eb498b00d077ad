"""Two sides of a construction, and a peer that says what a test wants."""

from __future__ import annotations

from typing import Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.ids import ChannelId, Txid
from pylightningd.common.interactive_tx.construction import Agreed, Construction
from pylightningd.common.wire.common_wire import JointInput, JointOutput
from pylightningd.common.wire.peer_wire import (
    TxAddInput,
    TxAddOutput,
    TxComplete,
    TxRemoveInput,
    TxRemoveOutput,
)
from tests.common.interactive_tx import vectors as v

CID = ChannelId(b"c" * 32)
WPKH = b"\x00\x14" + b"k" * 20


def agreed(*, initiator: bool, **changes: Any) -> Agreed:
    """As in the vectors."""
    values: dict[str, Any] = {
        "channel_id": CID,
        "we_are_initiator": initiator,
        "feerate_perkw": v.FEERATE,
        "locktime": v.LOCKTIME,
        "dust_limit": Sat(546),
        "funding_script": v.FUNDING_SCRIPT,
        "our_funding": v.FUNDING,
        "their_funding": v.FUNDING,
        "sign_first_on_tie": initiator,
    }
    return Agreed(**(values | changes))


def funding_output(amount: int = 400_000_000) -> JointOutput:
    """What the opener adds for the channel."""
    return JointOutput(
        serial_id=v.FUNDING_SERIAL_ID, ours=True, amount=Sat(amount), script=v.FUNDING_SCRIPT
    )


def opener(**changes: Any) -> Construction:
    side = Construction(agreed(initiator=True, **changes))
    side.want([v.OPENER_INPUT], [v.OPENER_CHANGE, funding_output()])
    return side


def accepter(**changes: Any) -> Construction:
    side = Construction(agreed(initiator=False, **changes))
    side.want([v.ACCEPTER_INPUT], [v.ACCEPTER_CHANGE])
    return side


def word(side: Construction) -> Any:
    """What it says when it is its turn."""
    return side.next_message() or side.complete()


def talk(first: Construction, second: Construction, limit: int = 100) -> list[str]:
    """Let them finish; names of the messages."""
    said = []
    speaker, listener = first, second
    while not (speaker.is_done and listener.is_done):
        message = word(speaker)
        said.append(message.NAME.removeprefix("WIRE_").lower())
        assert len(said) < limit
        listener.receive(type(message).decode(message.encode()))
        speaker, listener = listener, speaker
    return said


def coin(n: int, amount: int = 1_000_000, script: bytes = WPKH, outputs: int = 1) -> bytes:
    """A transaction with coins, different for each `n`."""
    txin = TxIn(Txid(n.to_bytes(32, "big")), 0)
    return Tx(2, (txin,), (TxOut(Sat(amount), script),) * outputs).serialize()


def add_input(serial_id: int, /, **changes: Any) -> TxAddInput:
    """A good one, but for the changes."""
    values: dict[str, Any] = {
        "channel_id": CID,
        "serial_id": serial_id,
        "prevtx": coin(serial_id),
        "prevtx_vout": 0,
        "sequence": 0xFFFFFFFD,
    }
    return TxAddInput(**(values | changes))


def add_output(serial_id: int, /, **changes: Any) -> TxAddOutput:
    values: dict[str, Any] = {
        "channel_id": CID,
        "serial_id": serial_id,
        "sats": Sat(10_000),
        "script": WPKH,
    }
    return TxAddOutput(**(values | changes))


def remove_input(serial_id: int) -> TxRemoveInput:
    return TxRemoveInput(channel_id=CID, serial_id=serial_id)


def remove_output(serial_id: int) -> TxRemoveOutput:
    return TxRemoveOutput(channel_id=CID, serial_id=serial_id)


COMPLETE = TxComplete(channel_id=CID)


def joint_input(serial_id: int, amount: int, script: bytes = sc.p2wpkh(b"\x02" * 33)) -> JointInput:
    return JointInput(
        serial_id=serial_id,
        ours=True,
        prevtx=coin(serial_id, amount, script),
        vout=0,
        sequence=0xFFFFFFFD,
    )
