"""Starts daemons, ties them together, and starts them again when they die.

One `Supervisor` a node. It makes the URL and token of every link, hands each daemon a lifeline (a pipe
whose end of file tells it that we are gone), and passes on its log lines and its standard error.

When a daemon dies the links of its siblings to it are dropped, then it is started anew with a growing
delay, all its links are made again (with new ids), and `on_restarted` may give it its work back. A
*vital* daemon (hsmd) is not started again: `on_vital_death` is to stop the node.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pylightningd
from pylightningd.common.bus.base_link_io import Handshake
from pylightningd.common.bus.endpoints_io import Endpoints, new_token
from pylightningd.common.bus.link import Link, hello_proof, make_codec
from pylightningd.common.bus.log import log_fields, log_level
from pylightningd.common.bus.wire_hash_io import wire_hash
from pylightningd.common.bus.zmq_link_io import ZmqLink
from pylightningd.common.daemon_io import TOKEN_VARIABLE
from pylightningd.common.wire.bus_wire import (
    BusAddLink,
    BusDropLink,
    BusHello,
    BusLog,
    BusShutdown,
)
from pylightningd.common.wire.runtime import Message
from pylightningd.lightningd.process_io import own_process_group

HELLO_SECONDS = 60.0
START_ATTEMPTS = 4
FIRST_DELAY_SECONDS = 0.2
MAX_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A daemon that lived so long starts again without delay."""
SHUTDOWN_SECONDS = 5.0
TERMINATE_SECONDS = 2.0

LogLine = Callable[..., None]
"""``log(level, text, *, source, peer_id=None, dbid=None, **fields)``, as `Node.log`."""
Restarted = Callable[[str, Link], Awaitable[None]]


class DaemonFailed(RuntimeError):
    """A daemon did not start."""

    def __init__(self, text: str, *, killed: bool = False) -> None:
        super().__init__(text)
        self.killed = killed
        """By a signal: nothing is wrong with it, it may be tried once more."""


@dataclass(frozen=True, slots=True)
class DaemonSpec:
    """How to start one daemon."""

    name: str
    """Also the source of its log lines; several of a kind are told apart: ``channeld-0``."""
    module: str
    wires: tuple[ModuleType, ...]
    args: tuple[str, ...] = ()
    vital: bool = False
    on_restarted: Restarted | None = None
    program: str = ""
    """Another executable than our own module; it is given the same arguments."""


@dataclass(slots=True)
class _Running:
    spec: DaemonSpec
    link: ZmqLink
    process: asyncio.subprocess.Process | None
    started_at: float
    pid: int = 0


@dataclass(slots=True)
class _Tie:
    """A link of two daemons, and how to make it again."""

    binder: str
    connecter: str
    capabilities: dict[str, int] = field(default_factory=dict)
    link_id: int = 0


class Supervisor:
    """See the module."""

    def __init__(
        self,
        *,
        log: LogLine,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        on_vital_death: Callable[[str, str], None],
        should_restart: Callable[[str, int], bool] = lambda name, code: True,
        external: Iterable[str] = (),
        python: str = sys.executable,
        base: str | None = None,
        log_level: str = "debug",
    ) -> None:
        """`log_level`: the lowest that is printed anywhere; daemons keep lines below it to themselves."""
        self._log = log
        self._log_level = log_level
        self._spawn = spawn
        self._on_vital_death = on_vital_death
        self._should_restart = should_restart
        self._external = frozenset(external)
        self._python = python
        self._endpoints = Endpoints(base)
        self._lifeline_read, self._lifeline_write = os.pipe()
        self._running: dict[str, _Running] = {}
        self._ties: list[_Tie] = []
        self._next_link_id = 1
        self._failures: dict[str, int] = {}
        self._restarting: dict[str, asyncio.Event] = {}
        """Set when a daemon that died runs again, or will not."""
        self._early: dict[str, asyncio.Future[None]] = {}
        """Those of `start_early` that nobody has asked for yet."""
        self._stopping = False

    # ---- starting --------------------------------------------------------------------------

    async def start(self, spec: DaemonSpec) -> Link:
        """Start a daemon and wait for its hello. Raises DaemonFailed.

        One that is just being started anew after its death is waited for, not started twice.
        """
        early = self._early.pop(spec.name, None)
        if early is not None:
            await early
        if await self.restarted(spec.name) or self.is_running(spec.name):
            return self.link_of(spec.name)
        return await self._start(spec)

    def start_early(self, spec: DaemonSpec) -> None:
        """Begin to start a daemon that `start` will be called for: processes come up side by side."""
        outcome = asyncio.get_running_loop().create_future()
        self._early[spec.name] = outcome
        self._spawn(self._start_early(spec, outcome), f"early start of {spec.name}")

    async def _start_early(self, spec: DaemonSpec, outcome: asyncio.Future[None]) -> None:
        try:
            await self._start(spec)
        except Exception as error:
            outcome.set_exception(error)
            outcome.exception()  # `start` may never be called
        else:
            outcome.set_result(None)

    async def restarted(self, name: str) -> bool:
        """Wait for a daemon that is being started anew; whether it runs now on account of that."""
        again = self._restarting.get(name)
        if again is None:
            return False
        await again.wait()
        return self.is_running(name)

    async def _start(self, spec: DaemonSpec) -> ZmqLink:
        """Start it; one that somebody kills meanwhile is started again, as it would be later."""
        for _ in range(START_ATTEMPTS - 1):
            try:
                return await self._start_once(spec)
            except DaemonFailed as error:
                if not error.killed or self._stopping:
                    raise
                self._log("unusual", f"{error}; trying again", source="lightningd")
        return await self._start_once(spec)

    async def _start_once(self, spec: DaemonSpec) -> ZmqLink:
        if self._stopping:
            raise DaemonFailed(f"{spec.name} is not started: the node is stopping")
        url, token = self._endpoints.new_url(), new_token()
        link = self._open(spec, url, token)
        started_at = asyncio.get_running_loop().time()
        if spec.name in self._external:
            running = _Running(spec, link, None, started_at)
            self._explain(spec, url, token)
            await link.ready
        else:
            try:
                process = await self._launch(spec, url, token)
            except OSError as error:
                link.close()
                what = spec.program or self._python
                raise DaemonFailed(
                    f"{spec.name} did not start: {what}: {error.strerror}"
                ) from error
            running = _Running(spec, link, process, started_at)
            self._spawn(self._watch_output(spec.name, process), f"stderr of {spec.name}")
            await self._hello_or_death(spec, link, process)
        running.pid = link.ready.result().pid
        self._running[spec.name] = running
        self._spawn(self._watch_death(running), f"watch {spec.name}")
        self._log("debug", f"pid {running.pid}, running", source=spec.name)
        return link

    def link_of(self, name: str) -> Link:
        """Our link to a daemon that runs. Raises KeyError."""
        return self._running[name].link

    def pid_of(self, name: str) -> int:
        """Its process id. Raises KeyError."""
        return self._running[name].pid

    def is_running(self, name: str) -> bool:
        """Whether it has said hello and has not died since."""
        return name in self._running

    def names(self) -> list[str]:
        """All that run, in order of start."""
        return list(self._running)

    @property
    def folder(self) -> str:
        """Where the sockets of all links are; what `tools/busdump --folder` wants."""
        return self._endpoints.folder

    def _open(self, spec: DaemonSpec, url: str, token: bytes) -> ZmqLink:
        hello = BusHello(
            daemon="lightningd",
            wire_hash=wire_hash(),
            pid=os.getpid(),
            token=hello_proof(token, binder=True),
        )
        link = ZmqLink(
            url,
            bind=True,
            name=spec.name,
            codec=make_codec(spec.wires),
            handshake=Handshake(hello, hello_proof(token, binder=False)),
        )
        link.on_control = lambda msg: self._on_control(spec.name, msg)
        return link

    def _command(self, spec: DaemonSpec, url: str) -> list[str]:
        program = [spec.program] if spec.program else [self._python, "-m", spec.module]
        return [
            *program,
            "--master-url",
            url,
            "--name",
            spec.name,
            "--log-level",
            self._log_level,
            *spec.args,
        ]

    async def _launch(self, spec: DaemonSpec, url: str, token: bytes) -> asyncio.subprocess.Process:
        root = str(Path(pylightningd.__file__).parent.parent)
        environment = dict(os.environ)
        environment[TOKEN_VARIABLE] = token.hex()
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, (root, os.environ.get("PYTHONPATH", "")))
        )
        return await asyncio.create_subprocess_exec(
            *self._command(spec, url),
            "--lifeline-fd",
            str(self._lifeline_read),
            pass_fds=(self._lifeline_read,),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=own_process_group,
        )

    def _explain(self, spec: DaemonSpec, url: str, token: bytes) -> None:
        command = shlex.join([*self._command(spec, url), "--token", token.hex()])
        print(f"Waiting for {spec.name}. Start it with:\n  {command}", file=sys.stderr, flush=True)
        self._log("info", f"waiting for --external-daemon={spec.name}", source="lightningd")

    async def _hello_or_death(
        self, spec: DaemonSpec, link: ZmqLink, process: asyncio.subprocess.Process
    ) -> None:
        async with asyncio.TaskGroup() as group:
            death = group.create_task(process.wait(), name=f"death of {spec.name}")
            either: set[asyncio.Future[Any]] = {link.ready, death}
            await asyncio.wait(either, timeout=HELLO_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            died = death.done()
            death.cancel()
        problem, killed = "", died and (process.returncode or 0) < 0
        if link.ready.done():
            error = link.ready.exception()
            problem = str(error) if error is not None else ""
        elif died:
            problem = f"it exited with {process.returncode}"
        else:
            problem = f"no hello within {HELLO_SECONDS:.0f} seconds"
        if problem:
            link.close()
            if process.returncode is None:
                process.kill()
            raise DaemonFailed(f"{spec.name} did not start: {problem}", killed=killed)

    # ---- links of siblings -----------------------------------------------------------------

    async def link(
        self, a: str, b: str, *, capabilities: int = 0, capabilities_of_b: int = 0
    ) -> int:
        """Tie two daemons together, once; the id that both know the link by, 0 until both run.

        `capabilities` is what `a` may ask of `b` (`b` is told it), `capabilities_of_b` the reverse.
        """
        tie = next((t for t in self._ties if (t.connecter, t.binder) == (a, b)), None)
        if tie is None:
            tie = _Tie(binder=b, connecter=a)
            self._ties.append(tie)
        tie.capabilities = {b: capabilities, a: capabilities_of_b}
        if not tie.link_id:
            self._tie(tie)
        return tie.link_id

    def link_id(self, a: str, b: str) -> int:
        """The id of the present link of two daemons. Raises KeyError."""
        for tie in self._ties:
            if {tie.binder, tie.connecter} == {a, b} and tie.link_id:
                return tie.link_id
        raise KeyError(f"{a} and {b} have no link")

    def _tie(self, tie: _Tie) -> None:
        if not {tie.binder, tie.connecter} <= self._running.keys():
            return  # one has just died; `_retie` does it when it is back
        tie.link_id = self._next_link_id
        self._next_link_id += 1
        url, token = self._endpoints.new_url(), new_token()
        # The end that binds hears of it first; one that connects too early tries again by itself.
        for name, sibling in ((tie.binder, tie.connecter), (tie.connecter, tie.binder)):
            self._running[name].link.send(
                BusAddLink(
                    link_id=tie.link_id,
                    sibling=sibling,
                    url=url,
                    token=token,
                    bind=name == tie.binder,
                    capabilities=tie.capabilities[name],
                )
            )

    def _untie(self, name: str) -> None:
        """Tell the siblings of a dead daemon."""
        for tie in self._ties:
            if name in (tie.binder, tie.connecter) and tie.link_id:
                sibling = tie.connecter if name == tie.binder else tie.binder
                if sibling in self._running:
                    self._running[sibling].link.send(BusDropLink(link_id=tie.link_id))
                tie.link_id = 0

    def _retie(self, name: str) -> None:
        for tie in self._ties:
            both = {tie.binder, tie.connecter}
            if name in both and not tie.link_id and both <= self._running.keys():
                self._tie(tie)

    # ---- what daemons say and how they die ---------------------------------------------------

    def _on_control(self, name: str, msg: Message) -> None:
        if not isinstance(msg, BusLog):
            raise TypeError(f"{name} sent {msg.NAME}")
        fields = {_field_name(key): value for key, value in log_fields(msg).items()}
        self._log(
            log_level(msg),
            msg.text,
            source=name,
            peer_id=msg.peer_id,
            dbid=msg.channel_dbid or None,
            **fields,
        )

    async def _watch_output(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line beyond the reader's limit; its rest follows
                continue
            if not line:
                return
            self._log("unusual", line.decode(errors="replace").rstrip(), source=name)

    async def _watch_death(self, running: _Running) -> None:
        if running.process is None:
            await _gone(running.pid)
            code = 0
        else:
            code = await running.process.wait()
        await self._on_death(running, code)

    async def _on_death(self, running: _Running, code: int) -> None:
        name = running.spec.name
        if self._running.get(name) is running:
            del self._running[name]
        how = f"exited with {code}" if code >= 0 else f"was killed by signal {-code}"
        running.link.lost(f"{name} {how}")
        if self._stopping:
            return
        self._untie(name)
        if running.spec.vital:
            self._log("broken", f"{name} {how}: the node cannot go on", source="lightningd")
            self._on_vital_death(name, how)
            return
        self._log("unusual" if code == 0 else "broken", f"{name} {how}", source="lightningd")
        if self._should_restart(name, code):
            again = self._restarting[name] = asyncio.Event()
            try:
                await self._restart(running)
            finally:
                del self._restarting[name]
                again.set()

    async def _restart(self, running: _Running) -> None:
        spec = running.spec
        lived = asyncio.get_running_loop().time() - running.started_at
        failures = 0 if lived > STEADY_SECONDS else self._failures.get(spec.name, 0)
        while not self._stopping:
            delay = min(FIRST_DELAY_SECONDS * 2**failures, MAX_DELAY_SECONDS)
            failures += 1
            self._failures[spec.name] = failures
            await asyncio.sleep(delay)
            if await self._start_again(spec):
                return

    async def _start_again(self, spec: DaemonSpec) -> bool:
        if self._stopping:
            return False
        try:
            link = await self._start(spec)
        except DaemonFailed as err:
            self._log("broken", str(err), source="lightningd")
            return False
        self._retie(spec.name)
        if spec.on_restarted is not None:
            await spec.on_restarted(spec.name, link)
        return True

    # ---- the end ---------------------------------------------------------------------------

    async def shutdown(self) -> None:
        """Stop all, those without which others cannot work last; return when they are gone."""
        self._stopping = True
        for vital in (False, True):
            group = [r for r in reversed(self._running.values()) if r.spec.vital is vital]
            for running in group:
                running.link.send(BusShutdown())
            for running in group:
                await self._see_off(running)
        os.close(self._lifeline_write)
        os.close(self._lifeline_read)
        self._endpoints.close()

    async def _see_off(self, running: _Running) -> None:
        process = running.process
        if process is not None:
            for act, seconds in (
                (None, SHUTDOWN_SECONDS),
                (process.terminate, TERMINATE_SECONDS),
                (process.kill, TERMINATE_SECONDS),
            ):
                if act is not None and process.returncode is None:
                    self._log("unusual", f"{running.spec.name} does not stop", source="lightningd")
                    act()
                try:
                    async with asyncio.timeout(seconds):
                        await process.wait()
                    break
                except TimeoutError:
                    continue
        running.link.close()


def _field_name(key: str) -> str:
    """A name that is no parameter of the log function."""
    return f"{key}_" if key in ("level", "text", "source", "peer_id", "dbid") else key


async def _gone(pid: int) -> None:
    """Return when a process that is not our child has ended."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(fd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
