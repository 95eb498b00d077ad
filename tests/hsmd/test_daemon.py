"""hsmd as a process, with a scripted master: start, sign, refuse, be killed, remember."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pylightningd.common.bus.link import Link, Refused
from pylightningd.common.keys import ecdh
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.permissions import Capability
from pylightningd.lightningd.supervise_io import DaemonSpec
from tests.bus.loop import on_loop
from tests.bus.test_supervise import Master, master
from tests.hsmd.channels import ALICE, BOB, content, static
from tests.hsmd.test_sign import bob_point

pytestmark = pytest.mark.slow
ALICE_SECRET = bytes(31) + b"\1"
T = TypeVar("T")


def hsmd_spec(folder: Path) -> DaemonSpec:
    return DaemonSpec(
        "hsmd",
        "pylightningd.hsmd",
        (w,),
        ("--hsm-secret", str(folder / "hsm_secret")),
        vital=True,
    )


async def start(m: Master, folder: Path) -> tuple[Link, w.HsmdInitReply]:
    link = await m.daemons.start(hsmd_spec(folder))
    return link, await link.ask(w.HsmdInit(network="regtest", passphrase=None))


@asynccontextmanager
async def alice(folder: Path) -> AsyncIterator[tuple[Master, Link]]:
    (folder / "hsm_secret").write_bytes(ALICE_SECRET)
    async with master() as m:
        link, reply = await start(m, folder)
        assert reply.node_id == ALICE.node_id
        await link.ask(w.HsmdSetupChannel(channel=static(ALICE, BOB, 1)))
        yield m, link


async def refused(asked: Awaitable[Any], text: str) -> None:
    with pytest.raises(Refused, match=text):
        await asked


@on_loop
async def test_a_new_node(tmp_path: Path) -> None:
    async with master() as m:
        link = await m.daemons.start(hsmd_spec(tmp_path))
        await refused(link.ask(w.HsmdEcdh(points=())), "hsmd_init must come first")
        reply = await link.ask(w.HsmdInit(network="regtest", passphrase=None))
        assert reply.has_mnemonic
        assert reply.bip86_base.startswith("tpub")
        await m.heard("back it up", "info")
        await refused(link.ask(w.HsmdInit(network="regtest", passphrase=None)), "twice")
    async with master() as m:
        _, again = await start(m, tmp_path)
        assert again == reply


@on_loop
async def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "hsm_secret").write_bytes(b"too short")
    async with master() as m:
        with pytest.raises(Refused, match="Invalid hsm_secret"):
            await start(m, tmp_path)


@on_loop
async def test_a_sibling_gets_what_its_link_allows(tmp_path: Path) -> None:
    async with alice(tmp_path) as (m, link):
        worker = await m.daemons.start(DaemonSpec("worker", "tests.hsmd.worker", (w,)))
        rights = Capability.COMMITMENT | Capability.ECDH
        link_id = await m.daemons.link("worker", "hsmd", capabilities=rights)
        ecdh_reply = await worker.ask(w.HsmdEcdh(points=(BOB.node_id,)))
        assert ecdh_reply.secrets[0].reveal() == ecdh(BOB.node_key, ALICE.node_id)
        point = w.HsmdGetPerCommitmentPoint(dbid=1, number=0)
        await refused(worker.ask(point), "not assigned to this link")
        link.send(w.HsmdAssignChannel(link_id=link_id, peer_id=BOB.node_id, dbid=1))
        await link.ask(w.HsmdEcdh(points=()))  # replies come in order: it is assigned now
        assert (await worker.ask(point)).point
        await refused(
            worker.ask(w.HsmdDeriveSecret(info=b"")), "no right to WIRE_HSMD_DERIVE_SECRET"
        )
        await m.heard("Refused WIRE_HSMD_DERIVE_SECRET of worker", "unusual")


@on_loop
async def test_it_remembers_after_a_kill(tmp_path: Path) -> None:
    async with alice(tmp_path) as (m, link):
        asked = [link.ask(w.HsmdRevokeCommitment(dbid=1, number=n)) for n in range(3)]
        for one in asked:
            await one
        sign = w.HsmdSignRemoteCommitment(
            dbid=1, remote_per_commitment_point=bob_point(7), content=content(7)
        )
        await link.ask(sign)
        await link.ask(w.HsmdRevokeCommitment(dbid=1, number=3))
        os.kill(m.daemons.pid_of("hsmd"), signal.SIGKILL)
        await m.heard("the node cannot go on")
    async with alice(tmp_path) as (m, link):
        from tests.hsmd.channels import hsm
        from tests.hsmd.test_sign import local_tx

        for number, allowed in ((2, False), (3, False), (4, True)):
            ask = w.HsmdSignLocalCommitment(
                dbid=1, number=number, for_chain=True, tx=local_tx(hsm(ALICE, BOB), number)
            )
            if allowed:
                assert (await link.ask(ask)).signature
            else:
                await refused(link.ask(ask), "revoked")
        await refused(link.ask(replace(sign, content=content(6))), "older than 7")
        await link.ask(sign)


def test_help_says_how_to_run_it_by_hand() -> None:
    text = subprocess.run(
        [sys.executable, "-m", "pylightningd.hsmd", "--help"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "--external-daemon=hsmd" in text.replace("\n", " ")
    assert "--hsm-secret PATH" in text


@on_loop
async def test_end_of_file_on_the_lifeline_ends_it(tmp_path: Path) -> None:
    read, write = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pylightningd.hsmd", "--master-url", f"ipc://{tmp_path}/m",
        "--token", "00" * 32, "--lifeline-fd", str(read), "--hsm-secret", str(tmp_path / "s"),
        pass_fds=(read,),
    )  # fmt: skip
    os.close(read)
    os.close(write)
    assert await process.wait() == 0
