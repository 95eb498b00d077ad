"""Real processes under a Supervisor: hello, links, death, restart, shutdown."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pylightningd.common.bus.link import Link, LinkClosed
from pylightningd.common.wire import hsmd_wire
from pylightningd.common.wire.hsmd_wire import HsmdSignMessage
from pylightningd.lightningd.supervise_io import DaemonFailed, DaemonSpec, Supervisor
from tests.bus.loop import on_loop

pytestmark = pytest.mark.slow


class Master:
    """What a node gives the Supervisor, with its log kept."""

    def __init__(self, tasks: asyncio.TaskGroup, external: tuple[str, ...] = ()) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.fields: list[dict[str, Any]] = []
        self._said = asyncio.Event()
        self.vital_deaths: list[str] = []
        self.daemons = Supervisor(
            log=self.log,
            spawn=lambda coro, name: tasks.create_task(coro, name=name),
            on_vital_death=lambda name, how: self.vital_deaths.append(f"{name} {how}"),
            external=external,
        )

    def log(self, level: str, text: str, *, source: str, **fields: Any) -> None:
        self.lines.append((level, source, text))
        self.fields.append(fields)
        self._said.set()

    async def heard(self, text: str, level: str = "") -> tuple[str, str, str]:
        while True:
            for line in self.lines:
                if text in line[2] and level in ("", line[0]):
                    return line
            self._said.clear()
            await self._said.wait()


@asynccontextmanager
async def master(external: tuple[str, ...] = ()) -> AsyncIterator[Master]:
    async with asyncio.TaskGroup() as tasks:
        made = Master(tasks, external)
        try:
            yield made
        finally:
            await made.daemons.shutdown()


def spec(name: str, **more: Any) -> DaemonSpec:
    return DaemonSpec(name, "tests.bus.echo_daemon", (hsmd_wire,), **more)


async def say(link: Link, text: bytes) -> bytes:
    return (await link.ask(HsmdSignMessage(message=text))).signature.rstrip(b".")


@on_loop
async def test_a_daemon_answers_logs_and_stops() -> None:
    async with master() as m:
        link = await m.daemons.start(spec("echo"))
        assert await say(link, b"hello") == b"hello"
        await say(link, b"stderr")
        assert (await m.heard("echo is up"))[:2] == ("info", "echo")
        up = next(n for n, line in enumerate(m.lines) if line[2] == "echo is up")
        assert m.fields[up] == {"peer_id": None, "dbid": None, "number": 7, "raw": "01"}
        assert (await m.heard("a word on stderr"))[:2] == ("unusual", "echo")
        pid = m.daemons.pid_of("echo")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not [line for line in m.lines if line[0] == "broken"]


@on_loop
async def test_siblings_talk_and_links_are_made_again_after_a_death() -> None:
    async with master() as m:
        back = asyncio.Event()

        async def restarted(name: str, link: Link) -> None:
            assert await say(link, b"again") == b"again"
            back.set()

        one = await m.daemons.start(spec("echo-1"))
        two = await m.daemons.start(spec("echo-2", on_restarted=restarted))
        first = await m.daemons.link("echo-1", "echo-2", capabilities=5)
        assert await say(one, b"via echo-2") == b"hop"
        await m.heard(f"link {first} to echo-1, rights 5")
        pid = m.daemons.pid_of("echo-2")
        os.kill(pid, signal.SIGKILL)
        await back.wait()
        assert two.closed
        with pytest.raises(LinkClosed, match="killed by signal 9"):
            await say(two, b"x")
        assert m.daemons.pid_of("echo-2") != pid
        await m.heard("lost echo-2")
        assert await m.daemons.link("echo-1", "echo-2") == m.daemons.link_id("echo-1", "echo-2")
        second = m.daemons.link_id("echo-1", "echo-2")
        assert second != first
        assert await say(one, b"via echo-2") == b"hop"
        assert await say(m.daemons.link_of("echo-2"), b"via echo-1") == b"hop"


@on_loop
async def test_a_daemon_is_tied_to_one_that_is_dead_just_now() -> None:
    async with master() as m:
        one = await m.daemons.start(spec("echo-1"))
        await m.daemons.start(spec("echo-2"))
        os.kill(m.daemons.pid_of("echo-2"), signal.SIGKILL)
        await m.heard("echo-2 was killed by signal 9")
        assert not m.daemons.is_running("echo-2")
        assert await m.daemons.link("echo-1", "echo-2") == 0
        await m.daemons.restarted("echo-2")
        assert m.daemons.link_id("echo-1", "echo-2")
        assert await say(one, b"via echo-2") == b"hop"


@on_loop
async def test_a_daemon_that_is_starting_again_is_not_started_twice() -> None:
    async with master() as m:
        link = await m.daemons.start(spec("echo"))
        pid = m.daemons.pid_of("echo")
        os.kill(pid, signal.SIGKILL)
        await m.heard("was killed", "broken")
        assert not m.daemons.is_running("echo")
        again = await m.daemons.start(spec("echo"))
        assert again is m.daemons.link_of("echo")
        assert again is not link
        assert sum("pid " in line[2] for line in m.lines) == 2
        assert await say(again, b"x") == b"x"
        assert not await m.daemons.restarted("echo")


@on_loop
async def test_an_uncaught_exception_is_logged_broken_with_its_trace() -> None:
    async with master() as m:
        link = await m.daemons.start(spec("echo"))
        with pytest.raises(LinkClosed, match="exited with 1"):
            await say(link, b"crash")
        line = await m.heard("told to crash", "broken")
        assert "Traceback" in line[2]
        await m.heard("echo exited with 1", "broken")


@on_loop
async def test_a_vital_daemon_is_not_restarted() -> None:
    async with master() as m:
        await m.daemons.start(spec("echo", vital=True))
        os.kill(m.daemons.pid_of("echo"), signal.SIGKILL)
        await m.heard("the node cannot go on", "broken")
        assert m.vital_deaths == ["echo was killed by signal 9"]
        assert not m.daemons.is_running("echo")


@pytest.mark.parametrize("early", [False, True])
@on_loop
async def test_a_daemon_killed_before_its_hello_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, early: bool
) -> None:
    monkeypatch.setenv("KILLED_ONCE", str(tmp_path))
    killed = DaemonSpec("echo", "tests.bus.killed_once_daemon", (hsmd_wire,))
    async with master() as m:
        if early:
            m.daemons.start_early(killed)
        assert await say(await m.daemons.start(killed), b"hello") == b"hello"
        await m.heard("echo did not start: it exited with -9; trying again", "unusual")


@on_loop
async def test_a_daemon_that_cannot_start_says_why() -> None:
    async with master() as m:
        with pytest.raises(DaemonFailed, match="exited with 1"):
            await m.daemons.start(DaemonSpec("no", "tests.bus.no_such_daemon", ()))
        await m.heard("No module named", "unusual")


@on_loop
async def test_an_external_daemon_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    async with master(external=("echo",)) as m:
        async with asyncio.TaskGroup() as tasks:
            starting = tasks.create_task(m.daemons.start(spec("echo")), name="start")
            await m.heard("waiting for --external-daemon=echo")
            command = capsys.readouterr().err.split("\n")[1].split()
            process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2])
            link = await starting
        assert await say(link, b"hi") == b"hi"
        os.kill(process.pid, signal.SIGTERM)
        assert await process.wait() == 0
        await m.heard("echo exited")


@on_loop
async def test_started_by_hand_where_nobody_answers() -> None:
    script = (
        "from pylightningd.common import daemon_io; from tests.bus.echo_daemon import EchoShell;"
        f"daemon_io.HELLO_SECONDS = 0.1; daemon_io.run(EchoShell, {['--token', '00' * 32]!r}"
        " + ['--master-url', 'ipc:///nowhere/bus'])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stderr=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"no lightningd answers at ipc:///nowhere/bus" in said


@on_loop
async def test_a_daemon_ends_when_its_master_is_gone() -> None:
    script = Path(__file__).with_name("short_lived_master.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdout=asyncio.subprocess.PIPE, cwd=script.parents[2],
        env={**os.environ, "PYTHONPATH": str(script.parents[2])},
    )  # fmt: skip
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    descriptor = os.pidfd_open(pid)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    process.kill()
    await process.wait()
    await ended.wait()
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)


@on_loop
async def test_another_program_is_started_with_the_arguments_of_ours(tmp_path: Path) -> None:
    words = tmp_path / "words"
    program = tmp_path / "echo"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {words}\nexec {sys.executable} -m tests.bus.echo_daemon "$@"\n'
    )
    program.chmod(0o700)
    async with master() as m:
        link = await m.daemons.start(spec("echo", program=str(program)))
        assert await say(link, b"hello") == b"hello"
        given = words.read_text().split()
        assert given[0] == "--master-url"
        assert {"--name", "echo", "--log-level", "--lifeline-fd"} <= set(given)


@on_loop
async def test_a_program_that_is_not_there_is_named() -> None:
    async with master() as m:
        with pytest.raises(DaemonFailed, match="echo did not start: /nowhere/echo: No such file"):
            await m.daemons.start(spec("echo", program="/nowhere/echo"))
