"""fundpsbt, signpsbt, sendpsbt and their kin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.psbt import INPUT_MARKER_KEY, SERIAL_ID_KEY, Psbt
from pylightningd.common.bitcoin.tx import TxOut
from pylightningd.common.bitcoin.weight import core_weight, fee_for_weight, output_weight
from pylightningd.common.errors import UserError
from tests.lightningd.wallet.rig import Rig, verify
from tests.lightningd.wallet.rpc_rig import call

THEIRS = sc.p2wpkh(bytes.fromhex("02" + "11" * 32))
START = core_weight(1, 1) + output_weight(THEIRS)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def pay(funded: dict[str, Any], amount: int) -> str:
    """Add the output that the weight was for."""
    psbt = Psbt.from_base64(funded["psbt"])
    psbt.add_output(TxOut(Sat(amount), THEIRS))
    return psbt.to_base64(version=0)


def test_fund_sign_and_send(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(100_000, 200_000)
        funded = await call(
            rig,
            "fundpsbt",
            satoshi=250_000,
            feerate="1000perkw",
            startweight=START,
            excess_as_change=True,
        )
        assert funded["excess_msat"] == 0
        assert funded["change_outnum"] == 0
        assert [r["was_reserved"] for r in funded["reservations"]] == [False, False]
        assert funded["reservations"][0]["reserved_to_block"] == rig.chain.height + 72
        text = pay(funded, 250_000)
        psbt = Psbt.from_base64(text)
        assert psbt.fee() == fee_for_weight(1000, funded["estimated_final_weight"])
        coins = [rig.coin(psbt.outpoint(n)) for n in range(2)]
        signed = (await call(rig, "signpsbt", text))["signed_psbt"]
        sent = await call(rig, "sendpsbt", signed)
        tx = rig.chain.sent[0]
        verify(tx, coins)
        assert sent["tx"] == tx.serialize().hex()
        assert funded["estimated_final_weight"] == tx.weight()
        await rig.mine(tx)
        assert len((await call(rig, "listfunds"))["outputs"]) == 1

    rig.run(scenario)


def test_excess_and_all(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        (point,) = await rig.fund(100_000)
        some = await call(rig, "fundpsbt", "10000sat", "1000perkw", START, None, 0)
        weight = some["estimated_final_weight"]
        assert "change_outnum" not in some
        assert "reservations" not in some
        assert some["excess_msat"] == (90_000 - weight) * 1000
        everything = await call(rig, "fundpsbt", "all", "1000perkw", START, None, 0)
        assert everything["excess_msat"] == (100_000 - weight) * 1000
        same = await call(rig, "utxopsbt", "all", "1000perkw", START, [str(point)], 0)
        assert same["excess_msat"] == everything["excess_msat"]
        kept = await call(
            rig,
            "fundpsbt",
            satoshi="all",
            feerate="1000perkw",
            startweight=START,
            opening_anchor_channel=True,
        )
        psbt = Psbt.from_base64(kept["psbt"])
        assert psbt.output(kept["change_outnum"]).amount == Sat(25_000)
        assert kept["excess_msat"] == (75_000 - kept["estimated_final_weight"]) * 1000
        with pytest.raises(UserError, match=f"UTXO {point} already reserved"):
            await call(rig, "utxopsbt", "all", "1000perkw", START, [str(point)])
        again = await call(rig, "utxopsbt", "all", "1000perkw", START, [str(point)], 10, True)
        assert again["reservations"][0]["was_reserved"]
        assert again["reservations"][0]["reserved_to_block"] == rig.chain.height + 82

    rig.run(scenario)


def test_reservations(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(100_000)
        psbt = (await call(rig, "fundpsbt", 1000, "slow", START, None, 0))["psbt"]
        with pytest.raises(UserError, match="is not reserved"):
            await call(rig, "signpsbt", psbt)
        height = rig.chain.height
        (made,) = (await call(rig, "reserveinputs", psbt))["reservations"]
        assert (made["was_reserved"], made["reserved_to_block"]) == (False, height + 72)
        with pytest.raises(UserError, match="already reserved"):
            await call(rig, "reserveinputs", psbt)
        (more,) = (await call(rig, "reserveinputs", psbt, False, 5))["reservations"]
        assert (more["was_reserved"], more["reserved_to_block"]) == (True, height + 77)
        (less,) = (await call(rig, "unreserveinputs", psbt))["reservations"]
        assert (less["reserved"], less["reserved_to_block"]) == (True, height + 5)
        (none,) = (await call(rig, "unreserveinputs", psbt))["reservations"]
        assert (none["was_reserved"], none["reserved"]) == (True, False)
        assert (await call(rig, "unreserveinputs", psbt))["reservations"] == []

    rig.run(scenario)


def test_signonly(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(100_000, 100_000)
        funded = await call(rig, "fundpsbt", "all", "slow", START)
        text = pay(funded, 150_000)
        half = Psbt.from_base64((await call(rig, "signpsbt", text, [1]))["signed_psbt"])
        assert not half.finalize()
        assert [half.is_input_finalized(n) for n in range(2)] == [False, True]
        with pytest.raises(UserError, match="PSBT not finalizeable"):
            await call(rig, "sendpsbt", half.to_base64())
        with pytest.raises(UserError, match=r"signonly\[0\]: 2 out of range"):
            await call(rig, "signpsbt", text, [2])

    rig.run(scenario)


def test_nothing_to_sign(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        made = await call(rig, "addpsbtoutput", 5000)
        with pytest.raises(UserError, match="No wallet inputs to sign"):
            await call(rig, "signpsbt", made["psbt"])
        with pytest.raises(UserError, match="psbt: Expected a PSBT: invalid token"):
            await call(rig, "signpsbt", "rubbish")

    rig.run(scenario)


def test_addpsbtoutput_and_versions(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        first = await call(rig, "addpsbtoutput", 5000)
        second = await call(rig, "addpsbtoutput", 6000, first["psbt"])
        psbt = Psbt.from_base64(second["psbt"])
        assert [o.amount for o in psbt.outputs()] == [Sat(5000), Sat(6000)]
        assert [rig.wallet.is_ours(o.script) for o in psbt.outputs()] == [1, 2]
        assert second["outnum"] == 1
        old = (await call(rig, "setpsbtversion", second["psbt"], 0))["psbt"]
        assert old != second["psbt"]
        assert (await call(rig, "setpsbtversion", old, 2))["psbt"] == second["psbt"]
        kept = await call(rig, "addpsbtoutput", 7000, old)
        assert (await call(rig, "setpsbtversion", kept["psbt"], 0))["psbt"] == kept["psbt"]
        with pytest.raises(UserError, match="Could not set PSBT version"):
            await call(rig, "setpsbtversion", old, 1)
        with pytest.raises(UserError, match="below dust limit") as error:
            await call(rig, "addpsbtoutput", 100)
        assert error.value.code == 302
        with pytest.raises(UserError, match="Can't set locktime"):
            await call(rig, "addpsbtoutput", 1000, old, 5)

    rig.run(scenario)


def test_addpsbtinput(rig: Rig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.fund(100_000, 50_000, 200)
        made = await call(
            rig,
            "addpsbtinput",
            satoshi=120_000,
            mark_our_inputs=True,
            add_initiator_serial_ids=True,
        )
        assert made["appended_inputs"] == 2
        assert made["excess_msat"] == 30_000_000
        assert made["emergency_msat"] == 25_000_000
        psbt = Psbt.from_base64(made["psbt"])
        assert psbt.input_field(1, INPUT_MARKER_KEY) == b"\x01"
        serial = psbt.input_field(0, SERIAL_ID_KEY)
        assert serial is not None
        assert serial[-1] % 2 == 0
        with pytest.raises(UserError, match="Could not afford 1sat using all 0"):
            await call(rig, "addpsbtinput", 1)
        with pytest.raises(UserError, match="value of zero"):
            await call(rig, "addpsbtinput", 0)

    rig.run(scenario)
