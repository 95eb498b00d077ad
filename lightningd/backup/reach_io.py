"""Whether something listens where a peer was: a TCP connection that says nothing and is closed at once.

Not a Lightning connection: a peer that sees us without our channels would close them.
"""

from __future__ import annotations

import asyncio

from pylightningd.common.address import Address

SECONDS = 5.0


async def listens(address: Address) -> bool:
    """Whether a connection can be made."""
    try:
        async with asyncio.timeout(SECONDS):
            _reader, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
