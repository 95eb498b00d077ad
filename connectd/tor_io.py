"""Connections through a SOCKS5 proxy, which for onion addresses is Tor."""

from __future__ import annotations

import socket

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy

from pylightningd.common.address import Address


class ProxyFailed(OSError):
    """The proxy is not there, or it could not reach the peer; the text says which."""


async def connect_by_proxy(proxy: Address, host: str, port: int, seconds: float) -> socket.socket:
    """A connected socket. Names are looked up by the proxy, never here. Raises ProxyFailed."""
    socks = Proxy.create(ProxyType.SOCKS5, proxy.host, proxy.port, rdns=True)
    try:
        return await socks.connect(dest_host=host, dest_port=port, timeout=seconds)
    except ProxyConnectionError as err:
        raise ProxyFailed(f"cannot reach the proxy {proxy}: {err}") from err
    except (ProxyTimeoutError, TimeoutError) as err:
        raise ProxyFailed(f"no answer through the proxy {proxy} in {seconds:.0f} s") from err
    except ProxyError as err:
        raise ProxyFailed(f"proxy {proxy}: {err}") from err
