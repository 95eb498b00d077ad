"""One real node: lightningd and its daemons, started with the options of CLN's test tools."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.regtest.bitcoind import Bitcoind
from tests.regtest.log_file import LogFile
from tests.regtest.ports import release_port, reserve_port
from tests.regtest.processes import ProcessGroup
from tests.regtest.reply_check import check_reply
from tests.regtest.rpc_client import RpcError, call
from tests.regtest.waiting import TIMEOUT_S, wait_for

REPOSITORY = Path(__file__).parents[2]
START_TIMEOUT_S = TIMEOUT_S
NETWORK = "regtest"
COMPILED = Path(tempfile.gettempdir()) / f"pylightningd-compiled-{os.getuid()}"

Options = dict[str, Any]


def lightningd_command() -> list[str]:
    """The node under test: LIGHTNINGD is the command of another one; else this tree's, by this interpreter."""
    given = os.environ.get("LIGHTNINGD")
    if given:
        return shlex.split(given)
    return [sys.executable, "-m", "pylightningd.lightningd"]


class Node:
    """A node in its own folder. Values of `options`: None or True for a flag, a list for several, False for none."""

    def __init__(
        self,
        name: str,
        folder: Path,
        bitcoind: Bitcoind,
        options: Options | None = None,
        *,
        allow_trouble: str | None = None,
        may_crash: bool = False,
    ) -> None:
        self.name = name
        self.folder = folder
        self.bitcoind = bitcoind
        self.port = reserve_port()
        self.allow_trouble = allow_trouble
        self.may_crash = may_crash
        self.log = LogFile(folder / "log")
        self.errlog = folder / "errlog"
        self.id = ""
        self._process: ProcessGroup | None = None
        self.options: Options = self._default_options() | (options or {})
        (folder / NETWORK).mkdir(parents=True)
        (folder / "plugin-io").mkdir()
        # The same name in the same test has the same node id in each run.
        seed = hashlib.sha256(f"pylightningd test node {name}".encode()).digest()
        (folder / NETWORK / "hsm_secret").write_bytes(seed)

    def _default_options(self) -> Options:
        return {
            "developer": True,
            "lightning-dir": self.folder,
            "network": NETWORK,
            "addr": f"127.0.0.1:{self.port}",
            "allow-deprecated-apis": "false",
            "autoconnect-seeker-peers": 0,
            "alias": self.name,
            "bitcoin-datadir": self.bitcoind.folder,
            "bitcoin-rpcconnect": "127.0.0.1",
            "bitcoin-rpcport": self.bitcoind.rpc_port,
            "bitcoin-rpcuser": self.bitcoind.user,
            "bitcoin-rpcpassword": self.bitcoind.password,
            "cltv-delta": 6,
            "cltv-final": 5,
            "disable-dns": True,
            "ignore-fee-limits": "false",
            "log-file": self.folder / "log",
            "log-level": "trace",
            "log-prefix": f"{self.name} ",
            "rescan": 1,
            "watchtime-blocks": 5,
            "dev-bitcoind-poll": 1,
            "dev-crash-after": 3600,
            "dev-fail-on-subdaemon-fail": True,
            "dev-fast-gossip": True,
            "dev-no-reconnect": True,
        }

    def command(self) -> list[str]:
        """The whole command line."""
        words = lightningd_command()
        for name, value in self.options.items():
            if value is False:
                continue
            if value is None or value is True:
                words.append(f"--{name}")
                continue
            words += [
                f"--{name}={item}" for item in (value if isinstance(value, list) else [value])
            ]
        return words

    def environment(self) -> dict[str, str]:
        """What its processes find in their environment."""
        env = os.environ | {
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            # Compiled modules as an installed node has them, also where the surroundings forbid to write them.
            "PYTHONPYCACHEPREFIX": str(COMPILED),
        }
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        return env

    # -- life

    def start(self, *, wait: bool = True) -> None:
        """Start lightningd; `wait` until it answers and has seen bitcoind's newest block."""
        assert self._process is None, f"{self.name} runs already"
        self.log.mark()
        self._process = ProcessGroup(self.command(), self.errlog, self.environment())
        if wait:
            self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until a started node answers and is in step with bitcoind. Raises RuntimeError if it ended."""
        self.id = wait_for(self._try_getinfo, f"{self.name} to start", START_TIMEOUT_S)["id"]
        self.sync()

    def _try_getinfo(self) -> dict[str, Any] | None:
        assert self._process is not None
        code = self._process.exit_code
        if code is not None:
            complaint = self.errlog.read_text(errors="replace")[-3000:]
            raise RuntimeError(
                f"{self.name} ended with {code} at start:\n{complaint}\n{self.log.tail()}"
            )
        try:
            return self.rpc("getinfo")
        except (OSError, RpcError):
            return None

    @property
    def is_running(self) -> bool:
        """Whether lightningd itself lives."""
        return self._process is not None and self._process.exit_code is None

    @property
    def pid(self) -> int:
        """lightningd's process id."""
        assert self._process is not None
        return self._process.pid

    def daemon_pids(self, name: str) -> list[int]:
        """Process ids of one kind of daemon (`channeld`) or plugin (`bcli`)."""
        assert self._process is not None
        return sorted(
            pid
            for pid, command in self._process.members().items()
            if name in command and pid != self.pid
        )

    def processes(self) -> dict[int, str]:
        """All living processes of the node, lightningd too: id -> command line."""
        assert self._process is not None
        return self._process.members()

    def stop(self) -> int:
        """Ask lightningd to stop; wait for it and its children. Returns the exit code."""
        assert self._process is not None
        try:
            if self._process.exit_code is None:
                self.rpc("stop")
            code = self._process.wait()
            self._process.wait_gone()
        finally:
            self._process.kill_all()
            self._process = None
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to lightningd."""
        assert self._process is not None
        self._process.signal(number)

    def wait_exit(self) -> int:
        """Wait until lightningd has ended by itself, with its children; returns the exit code."""
        assert self._process is not None
        try:
            code = self._process.wait()
            self._process.wait_gone()
        finally:
            self._process.kill_all()
            self._process = None
        return code

    def kill9(self) -> None:
        """Kill lightningd itself; its daemons must notice and end by themselves."""
        self.signal(signal.SIGKILL)
        self.wait_exit()

    def kill_daemon(self, name: str) -> None:
        """Kill -9 every daemon of one kind."""
        pids = self.daemon_pids(name)
        assert pids, f"{self.name} has no {name}"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def restart(self, *, clean: bool = True) -> None:
        """Stop (or kill -9) and start again."""
        if clean:
            code = self.stop()
            assert code == 0, f"{self.name} stopped with {code}"
        else:
            self.kill9()
        self.start()

    def close(self) -> list[str]:
        """End for good; returns what was wrong with this run."""
        problems = []
        if self._process is not None:
            problems += self._close_process()
        release_port(self.port)
        problems += [f"{self.name} logged: {line}" for line in self.log.trouble(self.allow_trouble)]
        crashes = [
            path
            for path in (self.folder / "crash.log", self.folder / NETWORK / "crash.log")
            if path.exists()
        ]
        if crashes and not self.may_crash:
            problems.append(
                f"{self.name} left {crashes[0]}:\n{crashes[0].read_text(errors='replace')[-3000:]}"
            )
        return problems

    def _close_process(self) -> list[str]:
        assert self._process is not None
        code = self._process.exit_code
        if code is not None:
            self._process.kill_all()
            self._process = None
            if self.may_crash:
                return []
            return [
                f"{self.name} had ended with {code}:\n{self.errlog.read_text(errors='replace')[-3000:]}"
            ]
        try:
            code = self.stop()
        except (OSError, RpcError, TimeoutError, AssertionError) as error:
            return [f"{self.name} did not stop cleanly: {error}"]
        return [f"{self.name} stopped with exit code {code}"] if code and not self.may_crash else []

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- talking

    def rpc(self, method: str, /, **params: Any) -> dict[str, Any]:
        """One command, parameters by name (`type_` stands for `type`, and so on). Raises RpcError."""
        return self.call(method, {name.rstrip("_"): value for name, value in params.items()})

    def call(
        self, method: str, params: dict[str, Any] | list[Any], timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """One command with parameters as they are, by name or by position. Raises RpcError, BadReplyError."""
        result = call(self.rpc_path, method, params, timeout_s)
        check_reply(method, result)
        return result

    @property
    def rpc_path(self) -> Path:
        """lightningd's socket."""
        return self.folder / NETWORK / "lightning-rpc"

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run lightning-cli on this node."""
        command = [
            sys.executable,
            "-m",
            "pylightningd.cli",
            f"--lightning-dir={self.folder}",
            f"--network={NETWORK}",
        ]
        env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        return subprocess.run(
            [*command, *words], capture_output=True, text=True, check=False, env=env
        )

    # -- waiting

    def sync(self) -> None:
        """Wait until the node has seen bitcoind's newest block."""
        height = self.bitcoind.height()
        if self.rpc("getinfo")["blockheight"] < height:
            # Makes the node look at once, instead of at its next poll.
            self.rpc("waitblockheight", blockheight=height, timeout=int(TIMEOUT_S))

        def in_step() -> bool:
            info = self.rpc("getinfo")
            warned = "warning_bitcoind_sync" in info or "warning_lightningd_sync" in info
            return info["blockheight"] >= height and not warned

        wait_for(in_step, f"{self.name} to see block {height}")

    def wait_for_log(self, *patterns: str, timeout_s: float = TIMEOUT_S) -> None:
        """Wait for lines that match, from behind the last match on."""
        self.log.wait_for(*patterns, timeout_s=timeout_s)

    # -- shorthands

    @property
    def address(self) -> str:
        """id@host:port."""
        return f"{self.id}@127.0.0.1:{self.port}"

    def channels(self, peer: Node | None = None) -> list[dict[str, Any]]:
        """listpeerchannels, all or with one peer."""
        params = {} if peer is None else {"id": peer.id}
        return list(self.rpc("listpeerchannels", **params)["channels"])

    def channel_states(self, peer: Node | None = None) -> list[str]:
        """State of each channel."""
        return [channel["state"] for channel in self.channels(peer)]

    def is_connected(self, peer: Node) -> bool:
        """Whether there is a connection to this peer now."""
        peers = self.rpc("listpeers", id=peer.id)["peers"]
        return bool(peers) and bool(peers[0]["connected"])

    def spendable_sat(self) -> int:
        """Confirmed coins of the on-chain wallet."""
        outputs = self.rpc("listfunds")["outputs"]
        return sum(
            output["amount_msat"] // 1000 for output in outputs if output["status"] == "confirmed"
        )
