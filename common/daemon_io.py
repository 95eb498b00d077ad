"""The skeleton every daemon shares: arguments, links, log, and how it ends.

A daemon is a subclass of `DaemonShell` and two lines in its ``__main__.py``::

    if __name__ == "__main__":
        run(GossipdShell)

It ends cleanly when the master says so (bus_shutdown), when the master is gone (end of file on the
lifeline; started by hand there is none, and the master's process is watched) or on SIGTERM; and with exit code 1, after a BROKEN line with the trace, on any exception
that nobody caught.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import uvloop

from pylightningd.common.bus.base_link_io import Handshake
from pylightningd.common.bus.link import Incoming, Link, hello_proof, make_codec
from pylightningd.common.bus.log import LEVELS, make_log
from pylightningd.common.bus.tap_io import Tap
from pylightningd.common.bus.wire_hash_io import wire_hash
from pylightningd.common.bus.zmq_link_io import LINGER_MS, ZmqLink
from pylightningd.common.gc_io import settle
from pylightningd.common.ids import NodeId
from pylightningd.common.wire.bus_wire import BusAddLink, BusDropLink, BusHello, BusShutdown
from pylightningd.common.wire.runtime import Message

if TYPE_CHECKING:
    from pylightningd.common.record_io import Recorder

TOKEN_VARIABLE = "PYLIGHTNINGD_BUS_TOKEN"  # noqa: S105 - the name of a variable
_PUMP_LIMIT = 64
"""Batches that may wait for a slow handler before its link is read no further."""
_STOP_SECONDS = 3.0
HELLO_SECONDS = 60
_DEBUG = LEVELS.index("debug")


class DaemonShell:
    """Base of each daemon's shell. Handlers may be plain functions or coroutines.

    A plain `on_master` is called at once for each batch; a coroutine is fed by a queue, one batch at
    a time.
    """

    NAME: ClassVar[str]
    DESCRIPTION: ClassVar[str] = ""
    WIRES: ClassVar[tuple[ModuleType, ...]] = ()
    """Generated modules whose messages may come on any of its links."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.links: dict[int, Link] = {}
        """Links to siblings by link id."""
        self._daemon: _Daemon
        lowest_printed = LEVELS.index(getattr(args, "log_level", "debug"))
        self._lowest_kept = min(lowest_printed, _DEBUG)
        self.prints_debug = lowest_printed <= _DEBUG
        """Whether debug lines come into a log file. Else they are only kept for a while, and some not worth it."""
        self.recorder = self._open_recorder()
        """Where to write down what machines are fed; None, nearly always: nobody asked for it."""

    def _open_recorder(self) -> Recorder | None:
        folder = getattr(self.args, "dev_record", "")
        if not folder:
            return None
        from pylightningd.common.record_io import Recorder

        return Recorder(folder, self.args.name or self.NAME)

    # ---- for subclasses to fill in ---------------------------------------------------------

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser) -> None:
        """Declare the daemon's own options."""

    async def start(self) -> None:
        """Called once, when the master's hello was good and before its first message."""

    def on_master(self, batch: list[Incoming]) -> Coroutine[Any, Any, None] | None:
        """All messages of one wake-up from the master."""
        raise NotImplementedError

    def on_link(self, link: Link) -> None:
        """The master added a link to `link.name`; set its `on_message`, or call `self.pump`."""

    def on_link_closed(self, link: Link) -> None:
        """The process behind a link is gone, or the master dropped the link."""

    async def stop(self) -> None:
        """Called before a clean end."""

    # ---- for subclasses to use -------------------------------------------------------------

    @property
    def master(self) -> Link:
        """The link to lightningd."""
        return self._daemon.master

    def link_to(self, name: str) -> Link | None:
        """The newest link to a sibling, if there is one."""
        return next((k for k in reversed(self.links.values()) if k.name == name), None)

    def spawn(self, coro: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a task; an exception in it ends the daemon."""
        return self._daemon.tasks.create_task(coro, name=name)

    def pump(
        self, link: Link, handler: Callable[[list[Incoming]], Coroutine[Any, Any, None]]
    ) -> None:
        """Feed a coroutine with the link's batches, one after the other."""
        self._daemon.pump(link, handler)

    def log(
        self,
        level: str,
        text: str,
        peer_id: NodeId | None = None,
        dbid: int = 0,
        **fields: Any,
    ) -> None:
        """Send a line for the log to the master; what it would neither print nor keep stays here."""
        if LEVELS.index(level) < self._lowest_kept:
            return
        self._daemon.master.send(make_log(level, text, fields, peer_id=peer_id, dbid=dbid))


class _Daemon:
    """Runs one shell."""

    def __init__(self, shell: DaemonShell) -> None:
        self.shell = shell
        self.args = shell.args
        self.tasks: asyncio.TaskGroup
        self.master: ZmqLink
        self._codec = make_codec(shell.WIRES)
        self._master_token = self._token()
        self._stopping = asyncio.Event()
        self._queues: dict[int, _Batches] = {}
        self._fatal: BaseException | None = None
        self.loop = asyncio.get_running_loop()
        shell._daemon = self  # noqa: SLF001 - the two are one

    async def main(self) -> int:
        """The whole life; returns the exit code."""
        self.loop.set_exception_handler(self._on_loop_error)
        self.loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        tap = Tap(self.args.name or self.shell.NAME, self.args.master_url)
        self.loop.add_signal_handler(signal.SIGUSR2, tap.toggle)
        self._watch_lifeline(self.args.lifeline_fd)
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as self.tasks:
                life = self.tasks.create_task(self._live(), name="life")
                await life
                raise _Finished
        except* _Finished:
            pass
        except* BaseException as group:
            failure = group
        failure = self._fatal or failure
        if failure is not None:
            self._report(failure)
        self._close_links()
        return 1 if failure is not None else 0

    async def _live(self) -> None:
        self.master = self._open(
            self.args.master_url,
            self._master_token,
            bind=False,
            name="lightningd",
            link_id=0,
            capabilities=0,
        )
        self.master.on_control = self._on_control
        if await self._greeted():
            if self.args.lifeline_fd is None:
                self._watch_process(self.master.ready.result().pid)
            self.master.on_closed = self._on_master_lost
            await self.shell.start()
            settle()
            handler = self.shell.on_master
            if inspect.iscoroutinefunction(handler):
                self.pump(self.master, handler)
            else:
                self.master.on_message = handler  # type: ignore[assignment]  # returns None then
        await self._stopping.wait()
        async with asyncio.timeout(_STOP_SECONDS):
            await self.shell.stop()

    async def _greeted(self) -> bool:
        """Wait for the master's hello; False where we are told to stop before. Raises TimeoutError."""
        stopped = self.tasks.create_task(self._stopping.wait(), name="stopping")
        either: set[asyncio.Future[Any]] = {self.master.ready, stopped}
        # A lifeline tells of a master that dies meanwhile; by hand one may give the address of a dead one.
        patience = HELLO_SECONDS if self.args.lifeline_fd is None else None
        done, _ = await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not done:
            raise TimeoutError(
                f"no lightningd answers at {self.args.master_url} within {HELLO_SECONDS} s:"
                " is it still running? It prints a new command line at each start"
            )
        if not self.master.ready.done():
            return False
        await self.master.ready
        return True

    def _token(self) -> bytes:
        text = self.args.token or os.environ.pop(TOKEN_VARIABLE, "")
        try:
            token = bytes.fromhex(text)
        except ValueError:
            token = b""
        if len(token) != 32:
            raise SystemExit(f"--token (or {TOKEN_VARIABLE}) must be 64 hex digits")
        return token

    def _open(
        self, url: str, token: bytes, *, bind: bool, name: str, link_id: int, capabilities: int
    ) -> ZmqLink:
        hello = BusHello(
            daemon=self.args.name or self.shell.NAME,
            wire_hash=wire_hash(),
            pid=os.getpid(),
            token=hello_proof(token, binder=bind),
        )
        return ZmqLink(
            url,
            bind=bind,
            name=name,
            codec=self._codec,
            handshake=Handshake(hello, hello_proof(token, binder=not bind)),
            link_id=link_id,
            capabilities=capabilities,
        )

    # ---- what the master says about links and the end --------------------------------------

    def _on_control(self, msg: Message) -> None:
        if isinstance(msg, BusAddLink):
            self._add_link(msg)
        elif isinstance(msg, BusDropLink):
            self._drop_link(msg.link_id, "the master dropped the link")
        elif isinstance(msg, BusShutdown):
            self._stopping.set()
        else:
            raise TypeError(f"the master sent {msg.NAME}")

    def _add_link(self, msg: BusAddLink) -> None:
        link = self._open(
            msg.url,
            msg.token,
            bind=msg.bind,
            name=msg.sibling,
            link_id=msg.link_id,
            capabilities=msg.capabilities,
        )
        self.shell.links[msg.link_id] = link
        link.on_closed = lambda reason: self._drop_link(msg.link_id, reason)
        self.shell.on_link(link)

    def _drop_link(self, link_id: int, reason: str) -> None:
        link = self.shell.links.pop(link_id, None)
        if link is not None:
            link.on_closed = None
            link.close(reason)
            queue = self._queues.pop(link_id, None)
            if queue is not None:
                queue.wake()
            self.shell.on_link_closed(link)

    def _on_master_lost(self, reason: str) -> None:
        self.stop_for(ConnectionError(reason))

    # ---- slow handlers ---------------------------------------------------------------------

    def pump(
        self, link: Link, handler: Callable[[list[Incoming]], Coroutine[Any, Any, None]]
    ) -> None:
        """Feed `handler` one batch after the other, in a task of its own."""
        queue = _Batches(link)
        self._queues[link.link_id] = queue
        link.on_message = queue.put
        self.tasks.create_task(queue.feed(handler), name=f"pump {link.name}")

    # ---- ends ------------------------------------------------------------------------------

    def _watch_lifeline(self, fd: int | None) -> None:
        if fd is None:
            return
        os.set_inheritable(fd, False)

        def readable() -> None:
            if os.read(fd, 1) == b"":
                self._master_is_gone(fd)

        self.loop.add_reader(fd, readable)

    def _watch_process(self, pid: int) -> None:
        """End with the master, which may die without a word: hsmd's keys must not outlive their node."""
        try:
            fd = os.pidfd_open(pid)
        except OSError as error:
            # It has just died, or is in another process namespace, where nothing can be known of it.
            print(f"lightningd (process {pid}) cannot be watched: {error}", file=sys.stderr)
            return
        self.loop.add_reader(fd, self._master_is_gone, fd)

    def _master_is_gone(self, fd: int) -> None:
        self.loop.remove_reader(fd)
        self._stopping.set()
        # Whatever the daemon is busy with, nobody wants it any more.
        self.loop.call_later(_STOP_SECONDS, os._exit, 0)

    def _on_loop_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.stop_for(context.get("exception") or RuntimeError(context["message"]))

    def stop_for(self, error: BaseException) -> None:
        """End with exit code 1."""
        if self._fatal is None:
            self._fatal = error
        self._stopping.set()

    def _report(self, failure: BaseException) -> None:
        text = "".join(traceback.format_exception(failure))
        if hasattr(self, "master") and not self.master.closed and self.master.ready.done():
            self.master.send(
                make_log("broken", f"{self.shell.NAME}: uncaught exception\n{text}", {})
            )
        else:
            print(text, file=sys.stderr)

    def _close_links(self) -> None:
        for link in self.shell.links.values():
            link.close()
        if hasattr(self, "master"):
            self.master.close()


class _Finished(Exception):
    """Ends the task group when the daemon has finished."""


class _Batches:
    """A queue of batches that stops reading its link when it grows long."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[list[Incoming]] = deque()
        self._filled = asyncio.Event()
        self._paused = False

    def put(self, batch: list[Incoming]) -> None:
        """Called by the link."""
        self._waiting.append(batch)
        self._filled.set()
        # Replies come on the same link: with a question open, not reading would be for ever.
        if len(self._waiting) > _PUMP_LIMIT and not getattr(self._link, "asks_pending", 0):
            self._paused = True
            self._link.pause_reading()

    def wake(self) -> None:
        """Let `feed` notice that the link is closed."""
        self._filled.set()

    async def feed(self, handler: Callable[[list[Incoming]], Coroutine[Any, Any, None]]) -> None:
        """Run until cancelled, or the link is closed and the queue empty."""
        while True:
            while self._waiting:
                await handler(self._waiting.popleft())
                if self._paused and len(self._waiting) < _PUMP_LIMIT // 2:
                    self._paused = False
                    self._link.resume_reading()
            if self._link.closed:
                return
            self._filled.clear()
            await self._filled.wait()


def make_parser(shell: type[DaemonShell]) -> argparse.ArgumentParser:
    """The arguments of a daemon; ``--help`` tells how to run one by hand."""
    parser = argparse.ArgumentParser(
        prog=f"python -m pylightningd.{shell.NAME}",
        description=f"{shell.DESCRIPTION or shell.NAME} Normally lightningd starts it.",
        epilog=(
            f"By hand, under a debugger: start lightningd with --external-daemon={shell.NAME}. It prints the "
            "whole command, URL and token included, and waits until the daemon says hello. Set breakpoints, "
            "run the command, and everything else goes on as usual."
        ),
    )
    parser.add_argument(
        "--master-url", required=True, metavar="URL", help="where lightningd listens for it"
    )
    parser.add_argument(
        "--token",
        metavar="HEX",
        default="",
        help=f"64 hex digits that prove whose it is; default: ${TOKEN_VARIABLE}",
    )
    parser.add_argument(
        "--lifeline-fd", type=int, metavar="N", help="exit at end of file on this descriptor"
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        default="",
        help="which of several of its kind it is, e.g. channeld-1",
    )
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        choices=LEVELS,
        default="debug",
        help="the lowest level that lightningd prints (default debug)",
    )
    parser.add_argument(
        "--dev-record",
        metavar="FOLDER",
        default="",
        help="write down there what each channel's machine is fed, for tools.replay",
    )
    shell.add_arguments(parser)
    return parser


def run(shell: type[DaemonShell], argv: list[str] | None = None) -> None:
    """Be this daemon until the end; exits the process."""
    args = make_parser(shell).parse_args(argv)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the master, who then tells us.
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # busdump's; nothing to copy yet

    async def main() -> int:
        return await _Daemon(shell(args)).main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(main())
    _leave(code)


def _leave(code: int) -> None:
    """Give the last messages their time, then go without tearing the interpreter down."""
    import zmq

    sys.stdout.flush()
    sys.stderr.flush()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    context.destroy(LINGER_MS)
    os._exit(code)
