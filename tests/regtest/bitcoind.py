"""A real bitcoind on a regtest chain of its own."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.regtest.ports import release_port, reserve_port
from tests.regtest.processes import ProcessGroup
from tests.regtest.waiting import TIMEOUT_S, wait_for
from tools.get_bitcoind import bitcoin_cli, get

START_TIMEOUT_S = TIMEOUT_S
RPC_TIMEOUT_S = TIMEOUT_S
MATURITY_BLOCKS = 100
SAT_PER_BTC = 100_000_000
USER, PASSWORD = "rpcuser", "rpcpass"

# Options that some versions do not know are ignored in a file, and fatal on the command line.
# corepolicy, softwareexpiry: Knots alone has them; the relay rules of most of the network are wanted.
CONFIG = """\
regtest=1
rpcuser={user}
rpcpassword={password}
fallbackfee=0.00001
corepolicy=1
softwareexpiry=0
server=1
listen=1
listenonion=0
discover=0
dnsseed=0
fixedseeds=0
natpmp=0
txindex=0
dbcache=20
maxmempool=50
rpcthreads=8
rpcworkqueue=64
printtoconsole=1
logtimemicros=1
[regtest]
rpcport={rpc_port}
port={port}
bind=127.0.0.1:{port}
rpcbind=127.0.0.1
rpcallowip=127.0.0.1
"""


class BitcoindError(Exception):
    """bitcoind refused a call."""

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.code = code
        self.message = message


class Bitcoind:
    """bitcoind with a funded wallet; heights and hashes as bitcoind gives them."""

    def __init__(self, folder: Path, program: Path | None = None) -> None:
        self.folder = folder
        self.program = program or get()
        self.rpc_port = reserve_port()
        self.port = reserve_port()
        self.user, self.password = USER, PASSWORD
        self._process: ProcessGroup | None = None

    # -- life

    def start(self, *options: str) -> None:
        """Start and wait until it answers; on the first start make a wallet and mature coins."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "bitcoin.conf"
        config.write_text(
            CONFIG.format(
                user=self.user, password=self.password, rpc_port=self.rpc_port, port=self.port
            )
        )
        command = [str(self.program), f"-datadir={self.folder}", *options]
        self._process = ProcessGroup(command, self.folder / "stdout")
        wait_for(self._answers, "bitcoind's first answer", START_TIMEOUT_S)
        if self.rpc("listwallets"):
            return
        if (self.folder / "regtest" / "wallets" / "tests").exists():
            self.rpc("loadwallet", "tests")
        else:
            self.rpc("createwallet", "tests")
            self.generate(MATURITY_BLOCKS + 1)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.exit_code is not None:
            tail = (self.folder / "stdout").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"bitcoind ended with {self._process.exit_code} at start:\n{tail}")
        try:
            self.rpc("getblockchaininfo")
        except (OSError, http.client.HTTPException):
            return False
        except BitcoindError as error:
            # -28: still warming up.
            if error.code != -28:
                raise
            return False
        return True

    def stop(self) -> None:
        """Stop cleanly, keeping the data."""
        if self._process is None:
            return
        try:
            if self._process.exit_code is None:
                self.rpc("stop")
                self._process.wait(TIMEOUT_S)
        finally:
            self._process.kill_all()
            self._process = None

    def close(self) -> None:
        """Stop for good."""
        try:
            self.stop()
        finally:
            release_port(self.rpc_port)
            release_port(self.port)

    # -- calls

    def rpc(self, method: str, *params: Any) -> Any:
        """One call. Raises BitcoindError; OSError where nobody listens."""
        return _result(method, self._post(_request(method, params)))

    def rpc_many(self, method: str, each: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The same call with these parameters each, at once. Raises like `rpc`."""
        if not each:
            return []
        replies = self._post([_request(method, params) for params in each])
        return [_result(method, reply) for reply in replies]

    def _post(self, body: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.rpc_port, timeout=RPC_TIMEOUT_S)
        try:
            login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            text = json.dumps(body, default=str)
            connection.request("POST", "/", text, {"Authorization": f"Basic {login}"})
            return json.loads(connection.getresponse().read(), parse_float=Decimal)
        finally:
            connection.close()

    def cli(self, *args: str) -> str:
        """Run bitcoin-cli on this node and return what it prints."""
        program = bitcoin_cli(self.program)
        assert program is not None, "no bitcoin-cli"
        done = subprocess.run(
            [str(program), f"-datadir={self.folder}", *args],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    # -- the chain

    def height(self) -> int:
        """Number of the newest block."""
        return int(self.rpc("getblockcount"))

    def generate(
        self, blocks: int = 1, *, wait_for_mempool: int | str | list[str] = 0, address: str = ""
    ) -> list[str]:
        """Mine blocks and return their hashes.

        wait_for_mempool: first wait for this many transactions in the mempool, or for these txids (hex).
        """
        if wait_for_mempool:
            self.wait_for_mempool(wait_for_mempool)
        return list(self.rpc("generatetoaddress", blocks, address or self.new_address()))

    def mempool(self) -> list[str]:
        """Txids waiting to be mined."""
        return list(self.rpc("getrawmempool"))

    def wait_for_mempool(self, wanted: int | str | list[str]) -> None:
        """Wait for a number of transactions, or for certain txids, in the mempool."""
        if isinstance(wanted, int):
            wait_for(lambda: len(self.mempool()) >= wanted, f"{wanted} transactions in the mempool")
            return
        txids = {wanted} if isinstance(wanted, str) else set(wanted)
        wait_for(lambda: txids <= set(self.mempool()), f"{txids} in the mempool")

    def new_address(self) -> str:
        """A fresh address of bitcoind's own wallet."""
        return str(self.rpc("getnewaddress"))

    def pay(self, address: str, amount_sat: int) -> str:
        """Send coins of the wallet; returns the txid. Not mined yet."""
        whole, rest = divmod(amount_sat, SAT_PER_BTC)
        return str(self.rpc("sendtoaddress", address, f"{whole}.{rest:08d}"))

    def reorg(
        self, depth: int, new_blocks: int | None = None, *, keep_mempool: bool = True
    ) -> None:
        """Replace the last `depth` blocks by `new_blocks` others (one more than there were by default).

        keep_mempool: transactions of the old blocks may be mined again; else the new blocks are empty.
        """
        top = self.height()
        self.rpc("invalidateblock", self.rpc("getblockhash", top - depth + 1))
        count = depth + 1 if new_blocks is None else new_blocks
        if keep_mempool:
            self.generate(count)
            return
        address = self.new_address()
        for _ in range(count):
            self.rpc("generateblock", address, [])


def _request(method: str, params: tuple[Any, ...]) -> dict[str, Any]:
    return {"jsonrpc": "1.0", "id": "tests", "method": method, "params": params}


def _result(method: str, reply: dict[str, Any]) -> Any:
    if reply.get("error"):
        raise BitcoindError(method, reply["error"]["code"], reply["error"]["message"])
    return reply["result"]
