"""Reaching out to one peer: its addresses in order, until one answers."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Final, Protocol

from pylightningd.common.address import Address, AddressError
from pylightningd.common.ids import NodeId
from pylightningd.connectd.address import Target, UnixSocket, parse_target
from pylightningd.connectd.establish_io import Established, Local, Setup, SetupFailed
from pylightningd.connectd.tcp_io import PeerSocket, dial, error_text, resolve

# The codes of CLN's `connect` command.
CONNECT_NO_KNOWN_ADDRESS: Final = 400
CONNECT_ALL_ADDRESSES_FAILED: Final = 401

_TCP = "Connection establishment"


class Rules(Protocol):
    """How we may connect; the master's init fills it."""

    local: Local
    default_port: int
    proxy: Address | None
    always_proxy: bool
    use_dns: bool
    timeout_seconds: float


class Dialer:
    """One attempt to reach one peer."""

    def __init__(self, rules: Rules, peer_id: NodeId, addresses: tuple[str, ...]) -> None:
        self._rules = rules
        self._peer_id = peer_id
        self._targets: deque[Target | str] = deque(addresses)
        self._seen: set[str] = set()
        self._errors: list[str] = []

    def add(self, addresses: tuple[str, ...]) -> None:
        """Try these as well."""
        self._targets.extend(addresses)

    @property
    def failure(self) -> tuple[int, str]:
        """Code and text for the master once `run` gave nothing."""
        if not self._errors:
            return CONNECT_NO_KNOWN_ADDRESS, "Unable to connect, no address known for peer"
        # As CLN writes it: each error with a full stop and a space.
        errors = "".join(f"{error}. " for error in self._errors)
        return CONNECT_ALL_ADDRESSES_FAILED, f"All addresses failed: {errors}"

    async def run(self) -> Established | None:
        """The first peer that answers and introduces itself."""
        while self._targets:
            target = self._next()
            if target is None or str(target) in self._seen:
                continue
            self._seen.add(str(target))
            made = await self._try(target)
            if made is not None:
                return made
        return None

    def _next(self) -> Target | None:
        item = self._targets.popleft()
        if not isinstance(item, str):
            return item
        try:
            return parse_target(item, self._rules.default_port)
        except AddressError as err:
            self._errors.append(f"{item}: {err}")
            return None

    async def _try(self, target: Target) -> Established | None:
        rules = self._rules
        try:
            if _needs_lookup(target) and not rules.always_proxy:
                await self._lookup(target)
                return None
            peer = await dial(
                target, rules.proxy, always_proxy=rules.always_proxy, seconds=rules.timeout_seconds
            )
        except TimeoutError:
            self._errors.append(f"{target}: {_TCP}: Connection timed out")
        except OSError as err:
            self._errors.append(f"{target}: {_tcp_error(err)}")
        else:
            return await self._set_up(peer, target)
        return None

    async def _lookup(self, target: Target) -> None:
        """Put a name's addresses in its place."""
        assert isinstance(target, Address)
        if not self._rules.use_dns:
            self._errors.append(f"{target}: dns disabled")
            return
        try:
            found = await resolve(target, self._rules.timeout_seconds)
        except TimeoutError:
            self._errors.append(f"{target}: DNS: no answer from the resolver")
        except (socket.gaierror, UnicodeError) as err:
            text = err.strerror if isinstance(err, socket.gaierror) else str(err)
            self._errors.append(f"{target}: getaddrinfo error '{text}'")
        else:
            self._targets.extendleft(reversed(found))

    async def _set_up(self, peer: PeerSocket, target: Target) -> Established | None:
        setup = Setup(self._rules.local, peer, target)
        try:
            return await run_setup(setup, peer, self._peer_id, self._rules.timeout_seconds)
        except SetupFailed as err:
            self._errors.append(f"{target}: {err}")
            return None


async def run_setup(
    setup: Setup, peer: PeerSocket, remote_id: NodeId | None, seconds: float
) -> Established:
    """Handshake and init within a time; where it fails the socket is closed. Raises SetupFailed."""
    try:
        async with asyncio.timeout(seconds):
            return await setup.run(remote_id)
    except TimeoutError:
        peer.abort()
        raise setup.timed_out() from None
    except SetupFailed:
        # Not abort: a warning may be on its way.
        peer.transport.close()
        raise
    except BaseException:
        peer.abort()
        raise


def _needs_lookup(target: Target) -> bool:
    return not isinstance(target, UnixSocket) and target.kind == "dns"


def _tcp_error(err: OSError) -> str:
    text = error_text(err)
    return text if text == "need a proxy" else f"{_TCP}: {text}"
