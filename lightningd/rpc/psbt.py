"""Commands that make, reserve, sign and send PSBTs with the wallet's coins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin.psbt import (
    INPUT_MARKER_KEY,
    OUTPUT_EXTERNAL_KEY,
    SERIAL_ID_KEY,
    Psbt,
    PsbtError,
)
from pylightningd.common.bitcoin.tx import TxOut
from pylightningd.common.bitcoin.weight import fee_for_weight, output_weight
from pylightningd.common.errors import UserError
from pylightningd.common.ids import Outpoint, txid_hex
from pylightningd.lightningd.rpc.chain import feerate_perkw
from pylightningd.lightningd.rpc.errors import (
    FUND_INPUT_IS_ZERO,
    FUND_OUTPUT_IS_DUST,
    FUNDING_PSBT_INVALID,
    JSONRPC2_INVALID_PARAMS,
    LIGHTNINGD,
)
from pylightningd.lightningd.rpc.params import (
    Feerate,
    Param,
    array_of,
    boolean,
    feerate,
    outpoint_list,
    sat,
    sat_or_all,
    string,
    u32,
)
from pylightningd.lightningd.rpc.registry import command
from pylightningd.lightningd.rpc.wallet import note_payees, reserved_to
from pylightningd.lightningd.rpc.wallet_params import (
    GivenPsbt,
    psbt_param,
    sat_or_word,
    script_of_address,
)
from pylightningd.lightningd.wallet import signing
from pylightningd.lightningd.wallet.coin import Coin
from pylightningd.lightningd.wallet.funding import Purse
from pylightningd.lightningd.wallet.keys import AddrType
from pylightningd.lightningd.wallet.selection import Want
from pylightningd.lightningd.wallet.wallet import RESERVE_BLOCKS

if TYPE_CHECKING:
    from pylightningd.lightningd.node import Node

_DUST = Sat(546)
_PSBT = "cHNidP8BAgQCAAAAAQMEbwAAAAEEAQABBQEAAQYBAwH7BAIAAAAA"
_OUTPOINT = "02539f0b8f1c3bd1ab9ac5a7a6a4b3d4c8a1ee3c1a5f27b5a12a8f5c9c0d1e2f:1"
_FUND_ERRORS = {
    301: "there are not enough funds",
    304: "still syncing with bitcoin",
    313: "less than min-emergency-msat would be left",
}
_RESERVE = Param(u32, "reserve the coins for so many blocks", default=RESERVE_BLOCKS)
_LOCKTIME = Param(u32, "of the transaction; the present height if not given", default=None)
_WITNESS = Param(u32, "count each input's witness with at least this weight", default=0)
_AS_CHANGE = Param(boolean, "add a change output for what is left over", default=False)
_ANCHOR = Param(boolean, "keep min-emergency-msat, for a channel with anchors", default=False)


# Reservations


def _reservation(before: Coin, after: Coin, height: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "txid": txid_hex(after.outpoint.txid),
        "vout": after.outpoint.index,
        "was_reserved": before.is_reserved(height),
        "reserved": after.is_reserved(height),
    }
    if shown["reserved"]:
        shown["reserved_to_block"] = reserved_to(after, height)
    return shown


def _reserve(node: Node, coins: Sequence[Coin], blocks: int) -> list[dict[str, Any]]:
    """Inside a turn."""
    height = node.wallet.height
    after = node.wallet.reserve(coins, blocks)
    return [_reservation(old, new, height) for old, new in zip(coins, after, strict=True)]


def _coins_of(node: Node, psbt: Psbt) -> list[Coin]:
    found = [node.wallet.store.get(psbt.outpoint(n)) for n in range(psbt.input_count)]
    return [coin for coin in found if coin is not None]


@command(
    "reserveinputs",
    family="psbt",
    summary="Reserve utxos (or increase their reservation)",
    params={
        "psbt": Param(psbt_param, "its inputs that are ours are reserved"),
        "exclusive": Param(boolean, "refuse where one is reserved already", default=True),
        "reserve": _RESERVE,
    },
    examples=[f"reserveinputs {_PSBT}"],
)
async def reserveinputs(
    node: Node, psbt: GivenPsbt, exclusive: bool, reserve: int
) -> dict[str, Any]:
    """Inputs that are not ours are left alone."""

    def run() -> list[dict[str, Any]]:
        coins = _coins_of(node, psbt.psbt)
        for coin in coins:
            if exclusive and not coin.is_spent and coin.is_reserved(node.wallet.height):
                raise UserError(JSONRPC2_INVALID_PARAMS, f"{coin.outpoint} already reserved")
            if coin.is_spent:
                raise UserError(JSONRPC2_INVALID_PARAMS, f"{coin.outpoint} already spent")
        return _reserve(node, coins, reserve)

    return {"reservations": await node.turn.do(run)}


@command(
    "unreserveinputs",
    family="psbt",
    summary="Unreserve utxos (or at least, reduce their reservation)",
    params={
        "psbt": Param(psbt_param, "its inputs that are ours are unreserved"),
        "reserve": Param(u32, "take so many blocks back", default=RESERVE_BLOCKS),
    },
    examples=[f"unreserveinputs {_PSBT}"],
)
async def unreserveinputs(node: Node, psbt: GivenPsbt, reserve: int) -> dict[str, Any]:
    """A coin that a transaction on its way spends stays reserved."""

    def run() -> list[dict[str, Any]]:
        height = node.wallet.height
        coins = [c for c in _coins_of(node, psbt.psbt) if c.reserved_til and not c.is_spent]
        after = node.wallet.unreserve(coins, reserve)
        return [_reservation(old, new, height) for old, new in zip(coins, after, strict=True)]

    return {"reservations": await node.turn.do(run)}


# Making


async def _make(
    node: Node,
    purse_options: dict[str, Any],
    satoshi: Any,
    want_options: dict[str, Any],
    *,
    as_change: bool,
    reserve: int,
    locktime: int | None,
) -> dict[str, Any]:
    """Common part of fundpsbt and utxopsbt."""
    amount = sat_or_word(satoshi)
    everything = amount == "all"
    want = Want(
        target_sat=0 if everything else amount.sat, outputs=0, change_ok=as_change, **want_options
    )

    def run() -> dict[str, Any]:
        wallet = node.wallet
        purse: Purse = wallet.purse(**purse_options)
        funded = wallet.fund(purse, want, everything=everything, as_change=as_change)
        settled = funded.settled
        psbt = Psbt.new(locktime=wallet.height if locktime is None else locktime)
        _add_coins(node, psbt, funded.coins)
        reply: dict[str, Any] = {
            "feerate_per_kw": want.feerate_perkw,
            "estimated_final_weight": settled.weight,
            "excess_msat": settled.excess_sat * 1000,
        }
        if settled.change_sat:
            reply["change_outnum"] = psbt.add_output(wallet.change_output(settled.change_sat))
        if reserve:
            reply["reservations"] = _reserve(node, funded.coins, reserve)
        return {"psbt": psbt.to_base64(version=0), **reply}

    result: dict[str, Any] = await node.turn.do(run)
    return result


def _add_coins(node: Node, psbt: Psbt, coins: Sequence[Coin]) -> None:
    for coin in coins:
        n = psbt.add_input(coin.outpoint, sequence=coin.sequence, utxo=coin.output)
        node.wallet.add_previous(psbt, n, coin.outpoint.txid)


@command(
    "fundpsbt",
    family="psbt",
    summary="Create a PSBT using enough utxos to fund the given value",
    params={
        "satoshi": Param(sat_or_all, "least that its inputs bring beyond the fee, or 'all'"),
        "feerate": Param(feerate, "of the whole transaction"),
        "startweight": Param(u32, "weight of the transaction before any inputs are added"),
        "minconf": Param(u32, "least confirmations of the coins used", default=1),
        "reserve": _RESERVE,
        "locktime": _LOCKTIME,
        "min_witness_weight": _WITNESS,
        "excess_as_change": _AS_CHANGE,
        "nonwrapped": Param(boolean, "no P2SH coins", default=False),
        "opening_anchor_channel": _ANCHOR,
    },
    examples=[
        "fundpsbt 100000 slow 100",
        "-k fundpsbt satoshi=all feerate=1000perkw startweight=1000",
    ],
    errors=_FUND_ERRORS,
)
async def fundpsbt(
    node: Node,
    satoshi: Any,
    feerate: Feerate,
    startweight: int,
    minconf: int,
    reserve: int,
    locktime: int | None,
    min_witness_weight: int,
    excess_as_change: bool,
    nonwrapped: bool,
    opening_anchor_channel: bool,
) -> dict[str, Any]:
    """Choose coins; the caller adds outputs."""
    return await _make(
        node,
        {
            "minconf": minconf,
            "wrapped_ok": not nonwrapped,
            "keep_emergency": opening_anchor_channel,
        },
        satoshi,
        {
            "start_weight": startweight,
            "feerate_perkw": feerate_perkw(node, feerate),
            "min_witness_wu": min_witness_weight,
        },
        as_change=excess_as_change,
        reserve=reserve,
        locktime=locktime,
    )


@command(
    "utxopsbt",
    family="psbt",
    summary="Create a PSBT using given utxos",
    params={
        "satoshi": Param(sat_or_all, "least that its inputs bring beyond the fee, or 'all'"),
        "feerate": Param(feerate, "of the whole transaction"),
        "startweight": Param(u32, "weight of the transaction before any inputs are added"),
        "utxos": Param(outpoint_list, "the coins to spend"),
        "reserve": _RESERVE,
        "reservedok": Param(boolean, "even if they are reserved", default=False),
        "locktime": _LOCKTIME,
        "min_witness_weight": _WITNESS,
        "excess_as_change": _AS_CHANGE,
        "opening_anchor_channel": _ANCHOR,
    },
    examples=[f"utxopsbt 100000 slow 100 '[\"{_OUTPOINT}\"]'"],
    errors=_FUND_ERRORS,
)
async def utxopsbt(
    node: Node,
    satoshi: Any,
    feerate: Feerate,
    startweight: int,
    utxos: list[Outpoint],
    reserve: int,
    reservedok: bool,
    locktime: int | None,
    min_witness_weight: int,
    excess_as_change: bool,
    opening_anchor_channel: bool,
) -> dict[str, Any]:
    """All the coins named are spent."""
    if not utxos:
        raise UserError(
            JSONRPC2_INVALID_PARAMS, "Please specify an array of 'txid:output_index', not \"[]\""
        )
    return await _make(
        node,
        {"utxos": utxos, "reserved_ok": reservedok, "keep_emergency": opening_anchor_channel},
        satoshi,
        {
            "start_weight": startweight,
            "feerate_perkw": feerate_perkw(node, feerate),
            "min_witness_wu": min_witness_weight,
        },
        as_change=excess_as_change,
        reserve=reserve,
        locktime=locktime,
    )


@command(
    "addpsbtoutput",
    family="psbt",
    summary="Create a PSBT (or modify existing {initialpsbt}) with an output receiving {satoshi} amount.",
    params={
        "satoshi": Param(sat, "what the output gets"),
        "initialpsbt": Param(psbt_param, "add it to this one", default=None),
        "locktime": Param(u32, "of a new transaction", default=None),
        "destination": Param(
            string, "address to pay to; a new one of ours if not given", default=None
        ),
        "add_initiator_serial_ids": Param(boolean, "give the output a serial_id", default=False),
    },
    examples=["addpsbtoutput 100000", f"-k addpsbtoutput satoshi=100000 initialpsbt={_PSBT}"],
    errors={302: "the amount is below the dust limit", 309: "the PSBT is of no use"},
)
async def addpsbtoutput(
    node: Node,
    satoshi: Sat,
    initialpsbt: GivenPsbt | None,
    locktime: int | None,
    destination: str | None,
    add_initiator_serial_ids: bool,
) -> dict[str, Any]:
    """Pays to us where no destination is given."""
    given = _begin(node, initialpsbt, locktime)
    if satoshi < _DUST:
        raise UserError(FUND_OUTPUT_IS_DUST, f"Receive amount is below dust limit ({_DUST})")
    if destination is None:
        script = node.wallet.script_of(await node.wallet.new_key_index(AddrType.P2TR))
    else:
        script = script_of_address(node, "destination", destination)
    psbt = given.psbt
    outnum = psbt.add_output(TxOut(satoshi, script))
    if add_initiator_serial_ids:
        psbt.set_output_field(outnum, SERIAL_ID_KEY, _initiator_serial(node))
    return {
        "psbt": psbt.to_base64(given.version),
        "estimated_added_weight": output_weight(script),
        "outnum": outnum,
    }


def _begin(node: Node, initial: GivenPsbt | None, locktime: int | None) -> GivenPsbt:
    """The PSBT to add to: the caller's, or a new one."""
    if initial is None:
        height = node.wallet.height
        return GivenPsbt(Psbt.new(locktime=height if locktime is None else locktime), 2)
    if locktime is not None:
        raise UserError(FUNDING_PSBT_INVALID, "Can't set locktime of an existing {initialpsbt}")
    return initial


def _initiator_serial(node: Node) -> bytes:
    """A new serial_id of interactive construction: the initiator's are even."""
    serial = int.from_bytes(node.entropy.take(8), "big") & ~1
    return serial.to_bytes(8, "big")


@command(
    "addpsbtinput",
    family="psbt",
    summary="Create a PSBT (or modify existing {initialpsbt}) with inputs that bring {satoshi}.",
    params={
        "satoshi": Param(sat, "least that the inputs bring; fees are not counted"),
        "initialpsbt": Param(psbt_param, "add them to this one", default=None),
        "locktime": Param(u32, "of a new transaction", default=None),
        "min_feerate": Param(feerate, "leave coins that cost more at this feerate", default=None),
        "add_initiator_serial_ids": Param(boolean, "give each a serial_id", default=False),
        "mark_our_inputs": Param(boolean, "mark them as ours in the PSBT", default=False),
        "reserve": _RESERVE,
    },
    examples=["addpsbtinput 100000", f"-k addpsbtinput satoshi=100000 initialpsbt={_PSBT}"],
    errors={**_FUND_ERRORS, 309: "the PSBT is of no use", 314: "the amount is zero"},
)
async def addpsbtinput(
    node: Node,
    satoshi: Sat,
    initialpsbt: GivenPsbt | None,
    locktime: int | None,
    min_feerate: Feerate | None,
    add_initiator_serial_ids: bool,
    mark_our_inputs: bool,
    reserve: int,
) -> dict[str, Any]:
    """For splices: who adds the inputs also sees to the fee."""
    given = _begin(node, initialpsbt, locktime)
    if not satoshi:
        raise UserError(FUND_INPUT_IS_ZERO, "Cannot add input value of zero.")
    perkw = feerate_perkw(node, min_feerate)
    want = Want(target_sat=satoshi.sat, start_weight=0, feerate_perkw=0, outputs=0, change_ok=False)

    def run() -> dict[str, Any]:
        purse: Purse = node.wallet.purse(wrapped_ok=False)
        purse = replace(
            purse,
            coins=[c for c in purse.coins if c.amount > fee_for_weight(perkw, c.weight())],
            emergency_sat=0,
        )
        coins = node.wallet.fund(purse, want, everything=False, as_change=False).coins
        psbt, first = given.psbt, given.psbt.input_count
        _add_coins(node, psbt, coins)
        for n in range(first, psbt.input_count):
            if add_initiator_serial_ids:
                psbt.set_input_field(n, SERIAL_ID_KEY, _initiator_serial(node))
            if mark_our_inputs:
                psbt.set_input_field(n, INPUT_MARKER_KEY, b"\x01")
        spent = {coin.outpoint for coin in coins}
        staying = sum(c.amount.sat for c in purse.coins if c.outpoint not in spent)
        emergency = node.wallet.emergency_sat(keep=True)
        reply: dict[str, Any] = {
            "psbt": psbt.to_base64(given.version),
            "appended_inputs": len(coins),
            "estimated_added_weight": sum(coin.weight() for coin in coins),
            "excess_msat": (sum(c.amount.sat for c in coins) - satoshi.sat) * 1000,
            "emergency_msat": 0 if staying >= emergency else emergency * 1000,
        }
        if reserve:
            reply["reservations"] = _reserve(node, coins, reserve)
        return reply

    result: dict[str, Any] = await node.turn.do(run)
    return result


@command(
    "setpsbtversion",
    family="psbt",
    summary="Convert a given PSBT to the {version} requested (0 or 2)",
    params={
        "psbt": Param(psbt_param, "the PSBT"),
        "version": Param(u32, "0 or 2"),
    },
    examples=[f"setpsbtversion {_PSBT} 0"],
)
async def setpsbtversion(node: Node, psbt: GivenPsbt, version: int) -> dict[str, Any]:
    """The same PSBT, written otherwise."""
    try:
        return {"psbt": psbt.psbt.to_base64(version)}
    except PsbtError:
        raise UserError(JSONRPC2_INVALID_PARAMS, "Could not set PSBT version") from None


# Signing and sending


def _ours_to_sign(node: Node, psbt: Psbt, only: Sequence[int] | None) -> list[Coin]:
    """Our coins among the inputs; what the PSBT lacks to sign them is added to it."""
    coins: list[Coin] = []
    for n in range(psbt.input_count):
        if only is not None and n not in only:
            continue
        outpoint = psbt.outpoint(n)
        coin: Coin | None = node.wallet.store.get(outpoint)
        if coin is None:
            if only is not None:
                raise UserError(
                    LIGHTNINGD,
                    f"Aborting PSBT signing. UTXO {outpoint} is unknown (and specified by signonly)",
                )
            continue
        if not coin.is_reserved(node.wallet.height):
            raise UserError(LIGHTNINGD, f"Aborting PSBT signing. UTXO {outpoint} is not reserved")
        if psbt.spent_output(n) is None:
            psbt.set_witness_utxo(n, coin.output)
        coins.append(coin)
    return coins


@command(
    "signpsbt",
    family="psbt",
    summary="Sign this wallet's inputs on a provided PSBT.",
    params={
        "psbt": Param(psbt_param, "the PSBT; our coins in it must be reserved"),
        "signonly": Param(array_of(u32), "sign only these inputs", default=None),
    },
    examples=[f"signpsbt {_PSBT}", f"signpsbt {_PSBT} '[0]'"],
    errors={-1: "nothing in it can be signed, or a coin is not reserved"},
)
async def signpsbt(node: Node, psbt: GivenPsbt, signonly: list[int] | None) -> dict[str, Any]:
    """Signatures are added; the PSBT stays in the version it came in."""
    for place, n in enumerate(signonly or ()):
        if n >= psbt.psbt.input_count:
            raise UserError(JSONRPC2_INVALID_PARAMS, f"signonly[{place}]: {n} out of range")
    try:
        coins = _ours_to_sign(node, psbt.psbt, signonly)
        if not coins:
            raise UserError(
                LIGHTNINGD,
                "No wallet inputs to sign. Are you sure you added inputs to this PSBT? If not, then there is no need "
                "to sign it.",
            )
        signed = await node.wallet.sign_psbt(psbt.psbt, coins)
    except PsbtError as error:
        raise UserError(JSONRPC2_INVALID_PARAMS, f"psbt: {error}") from None
    return {"signed_psbt": signed.to_base64(psbt.version)}


@command(
    "sendpsbt",
    family="psbt",
    summary="Finalize, extract and send a PSBT.",
    params={
        "psbt": Param(psbt_param, "the PSBT, with all its signatures"),
        "reserve": Param(u32, "reserve its coins for so many more blocks", default=RESERVE_BLOCKS),
    },
    examples=[f"sendpsbt {_PSBT}"],
    errors={-1: "a signature is missing, or bitcoind refused the transaction"},
)
async def sendpsbt(node: Node, psbt: GivenPsbt, reserve: int) -> dict[str, Any]:
    """What it pays us counts as ours, unconfirmed, from now on."""
    try:
        tx = signing.extract(psbt.psbt)
    except PsbtError:
        raise UserError(
            LIGHTNINGD, f"PSBT not finalizeable {psbt.psbt.to_base64(psbt.version)}"
        ) from None
    _ours_to_sign(node, psbt.psbt, None)
    await node.wallet.send(tx, blocks=reserve)
    outside = [n for n in range(len(tx.outputs)) if psbt.psbt.output_field(n, OUTPUT_EXTERNAL_KEY)]
    await node.turn.do(lambda: note_payees(node, tx, outside))
    return {"tx": tx.serialize().hex(), "txid": txid_hex(tx.txid())}
