"""--dev-disconnect's lines."""

from __future__ import annotations

import pytest

from pylightningd.connectd.disconnect_script import BadScript, Break, DisconnectScript

NORMAL = (Break.NORMAL, "")


@pytest.mark.parametrize("code", list("-+=$x0"))
def test_codes_for_sending(code: str) -> None:
    script = DisconnectScript(lambda: f"{code}WIRE_INIT\n")
    assert script.on_receive("WIRE_INIT") == NORMAL
    assert script.on_send("WIRE_PING") == NORMAL
    assert script.on_send("WIRE_INIT") == (
        Break(code),
        f"dev_disconnect: {code}WIRE_INIT (WIRE_INIT)",
    )
    assert script.on_send("WIRE_INIT") == NORMAL


def test_receiving() -> None:
    script = DisconnectScript(lambda: "<WIRE_PING")
    assert script.on_send("WIRE_PING") == NORMAL
    assert script.on_receive("WIRE_PING")[0] is Break.CLOSE_AFTER_RECEIVE


def test_count_and_order() -> None:
    script = DisconnectScript(lambda: "-WIRE_REVOKE_AND_ACK*3\n+WIRE_INIT\n")
    fates = [script.on_send("WIRE_REVOKE_AND_ACK")[0] for _ in range(4)]
    assert fates == [Break.NORMAL, Break.NORMAL, Break.CLOSE_BEFORE, Break.NORMAL]
    assert script.on_send("WIRE_INIT")[1] == "dev_disconnect: +WIRE_INIT (WIRE_INIT)"


def test_the_file_may_change() -> None:
    text = ["-WIRE_INIT\n"]
    script = DisconnectScript(lambda: text[0])
    assert script.on_send("WIRE_INIT")[0] is Break.CLOSE_BEFORE
    assert script.on_send("WIRE_INIT") == NORMAL
    text[0] += "$WIRE_INIT\n"
    assert script.on_send("WIRE_INIT")[0] is Break.DROP
    text[0] = "0WIRE_OPEN_CHANNEL\n"
    assert script.on_send("WIRE_OPEN_CHANNEL")[0] is Break.BLACK_HOLE
    text[0] = ""
    assert script.on_send("WIRE_OPEN_CHANNEL") == NORMAL


@pytest.mark.parametrize("line", ["?WIRE_INIT", "-WIRE_INIT*0", "-WIRE_INIT*x"])
def test_bad_lines(line: str) -> None:
    with pytest.raises(BadScript, match="dev_disconnect"):
        DisconnectScript(lambda: line).on_send("WIRE_INIT")
