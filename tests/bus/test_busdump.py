"""busdump attached to a daemon that runs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from pylightningd.common.bus.link import REPLY_BIT
from pylightningd.common.bus.tap_io import HEAD, dump_url
from pylightningd.common.wire.hsmd_wire import HsmdSignMessage
from tests.bus.loop import on_loop
from tests.bus.test_supervise import master, say, spec
from tools.busdump import load_codec, show_line

ROOT = Path(__file__).parents[2]


def test_lines() -> None:
    codec = load_codec()
    raw = HsmdSignMessage(message=b"\1\2").encode()
    frames = [b"hsmd", b"lightningd", HEAD.pack(False, 0, 5), raw]
    assert show_line(codec, frames) == (
        "lightningd", "hsmd", "?5 HsmdSignMessage(message=0102)",
    )  # fmt: skip
    frames = [b"hsmd", b"lightningd", HEAD.pack(True, 0, REPLY_BIT | 5), b"\xff\xff"]
    sender, receiver, text = show_line(codec, frames)
    assert (sender, receiver) == ("hsmd", "lightningd")
    assert text.startswith("=5 ffff.. (message type 65535")


def test_urls() -> None:
    assert dump_url("ipc:///tmp/x/abc") == "ipc:///tmp/x/dump"
    assert dump_url("tcp://1.2.3.4:5") == ""


@pytest.mark.slow
@on_loop
async def test_attach() -> None:
    async with master() as m:
        link = await m.daemons.start(spec("echo"))
        folder = m.daemons.folder
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tools.busdump", "--folder", folder, "--only", "echo",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"Listening to 1" in await process.stderr.readline()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(process.stdout.readline())
            while not reading.done():  # the first messages pass before the two have met
                await say(link, b"hello")
                await asyncio.sleep(0)
        assert b"HsmdSignMessage" in reading.result()
        process.terminate()
        await process.stdout.read()
        assert await process.wait() == 0
        assert await say(link, b"still here") == b"still here"
