"""Calls to bitcoind, each in a thread, repeated while bitcoind is away.

python-bitcoinrpc is a blocking client with one connection, so a few connections are kept and every call borrows one.
"""

from __future__ import annotations

import asyncio
import base64
import decimal
import http.client
import time
from collections.abc import Callable
from typing import Any

from bitcoinrpc.authproxy import AuthServiceProxy, JSONRPCException

from pylightningd.plugins.bitcoind_access import Access, NoCredentialsError

WARMING_UP = -28
NOT_JSON_RPC = -342
FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 10.0


class BitcoindError(Exception):
    """bitcoind answered, and the answer is an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"error code: {code}\nerror message:\n{message}")
        self.code = code
        self.message = message


class BitcoindAwayError(Exception):
    """bitcoind did not answer for as long as we were told to try; the text is for the user."""


class _TryAgain(Exception):
    """bitcoind is away or not ready."""


class Bitcoind:
    """A bitcoind that may be absent, restarting or warming up."""

    def __init__(
        self,
        find_access: Callable[[], Access],
        log: Callable[[str, str], None],
        *,
        timeout_s: float = 60,
        retry_timeout_s: float = 60,
    ) -> None:
        self._find_access = find_access
        self._log = log
        self._timeout_s = timeout_s
        self._retry_timeout_s = retry_timeout_s
        self._access: Access | None = None
        self._idle: list[http.client.HTTPConnection] = []
        self._trouble: str | None = None

    async def call(self, method: str, *params: Any) -> Any:
        """Call and return the result. Raises BitcoindError, or BitcoindAwayError after the retry timeout."""
        give_up_at = time.monotonic() + self._retry_timeout_s
        delay_s = FIRST_DELAY_S
        while True:
            try:
                result = await asyncio.to_thread(self._call_once, method, params)
            except _TryAgain as why:
                self._note_trouble(str(why))
            except BitcoindError:
                self._note_reached()
                raise
            else:
                self._note_reached()
                return result
            if time.monotonic() + delay_s > give_up_at:
                raise BitcoindAwayError(self._trouble)
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    def _note_trouble(self, text: str) -> None:
        """Say it once, and again only when the trouble is another one."""
        if text != self._trouble:
            self._trouble = text
            self._log(
                f"{text}? Trying again." if text.endswith("running") else f"{text}. Trying again.",
                "unusual",
            )

    def _note_reached(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._log("bitcoind answers again.", "info")

    # What follows runs in threads; list.pop and list.append are atomic.

    def _call_once(self, method: str, params: tuple[Any, ...]) -> Any:
        try:
            access = self._access or self._find_access()
        except NoCredentialsError as why:
            raise _TryAgain(f"Cannot log in to bitcoind: {why}") from None
        self._access = access
        fresh = False
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection, fresh = self._connect(access), True
            try:
                result = self._exchange(connection, access, method, params)
            except (OSError, http.client.HTTPException) as why:
                connection.close()
                if fresh:
                    self._access = None
                    raise _TryAgain(_unreachable(access, why)) from None
                continue  # a kept connection that bitcoind has closed meanwhile says nothing
            except BitcoindError:
                raise
            except _TryAgain:
                renewed = self._renewed(access)
                if renewed is None:
                    raise
                self._access = access = renewed
                continue
            except (ValueError, KeyError, AttributeError) as why:
                connection.close()
                raise _TryAgain(
                    f"What answers at {access.where} is not bitcoind: {why!r}"
                ) from None
            self._idle.append(connection)
            return result

    def _renewed(self, access: Access) -> Access | None:
        """The login to try instead of a refused one: bitcoind makes a new cookie at each start."""
        if self._access is not None:
            return None
        try:
            found = self._find_access()
        except NoCredentialsError:
            return None
        return found if found != access else None

    def _connect(self, access: Access) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(access.host, access.port, timeout=self._timeout_s)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        access: Access,
        method: str,
        params: tuple[Any, ...],
    ) -> Any:
        try:
            return make_proxy(access, method, self._timeout_s, connection)(*params)
        except JSONRPCException as error:
            code = error.code if isinstance(error.code, int) else -1
            message = str(error.message)
            if code == NOT_JSON_RPC:
                connection.close()
                self._access = None
                raise _TryAgain(_refused(access, message)) from None
            self._idle.append(connection)
            if code == WARMING_UP:
                raise _TryAgain(f"bitcoind at {access.where} is starting: {message}") from None
            raise BitcoindError(code, message) from None


def make_proxy(
    access: Access, method: str, timeout_s: float, connection: http.client.HTTPConnection
) -> AuthServiceProxy:
    """python-bitcoinrpc's client for one method.

    It takes user and password from the URL, where `/`, `#` and `?` would end them, so the header is set apart.
    """
    host = f"[{access.host}]" if ":" in access.host else access.host
    proxy = AuthServiceProxy(f"http://u:p@{host}:{access.port}/", method, timeout_s, connection)
    login = base64.b64encode(f"{access.user}:{access.password}".encode())
    proxy._AuthServiceProxy__auth_header = b"Basic " + login
    return proxy


def _unreachable(access: Access, why: Exception) -> str:
    reason = getattr(why, "strerror", None) or str(why) or type(why).__name__
    return f"Could not connect to bitcoind at {access.where}: {reason}. Is it running"


def _refused(access: Access, message: str) -> str:
    if "401" in message or "403" in message:
        return f"bitcoind at {access.where} refuses the user and password from {access.source}"
    return f"bitcoind at {access.where} did not answer properly: {message}"


def to_sat(amount: decimal.Decimal | float | str) -> int:
    """Satoshi of an amount that bitcoind gives in bitcoin: a number, or text where a proxy re-encoded it."""
    return int((decimal.Decimal(str(amount)) * 100_000_000).to_integral_value())


class PrunedBlocks:
    """Blocks, also those that bitcoind has pruned: it is asked to fetch them again from its peers."""

    POLL_S = 1.0
    GIVE_UP_S = 60.0

    def __init__(self, bitcoind: Bitcoind, log: Callable[[str, str], None]) -> None:
        self._bitcoind = bitcoind
        self._log = log
        self._told = False

    async def get(self, height: int, block_hash: str) -> str:
        """The block in hex. Raises BitcoindError or BitcoindAwayError."""
        try:
            return str(await self._bitcoind.call("getblock", block_hash, 0))
        except BitcoindError as error:
            return await self._fetch_from_peers(height, block_hash, error)

    async def _fetch_from_peers(self, height: int, block_hash: str, first: BitcoindError) -> str:
        if not self._told:
            self._told = True
            self._log(
                f"bitcoind does not have block {height} any more ({first.message}); it is asked to fetch such "
                "blocks from its peers. A larger `prune=` in bitcoin.conf avoids this.",
                "unusual",
            )
        give_up_at = time.monotonic() + self.GIVE_UP_S
        peers: list[int] = []
        while True:
            peers = peers or await self._full_peers()
            if peers:
                await self._ask_peer(block_hash, peers.pop())
            await asyncio.sleep(self.POLL_S)
            try:
                return str(await self._bitcoind.call("getblock", block_hash, 0))
            except BitcoindError:
                if time.monotonic() > give_up_at:
                    raise

    async def _full_peers(self) -> list[int]:
        peers = await self._bitcoind.call("getpeerinfo")
        return [p["id"] for p in peers if int(p["services"], 16) & 1]

    async def _ask_peer(self, block_hash: str, peer: int) -> None:
        try:
            await self._bitcoind.call("getblockfrompeer", block_hash, peer)
        except BitcoindError as error:
            self._log(
                f"failed to fetch block {block_hash} from peer {peer}: {error.message}", "debug"
            )
