"""Which block comes next, and which must go: the chain of headers that we follow. Pure.

The backend is asked for the block above our tip. If it does not build on our tip, our tip is no longer in the best
chain: it goes, and the backend is asked again, until a common block is found.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pylightningd.lightningd.chain.block import Header

WINDOW = 2016
"""Headers kept in memory. A deeper reorganisation is followed all the same, block by block."""


class HeaderChain:
    """The newest headers, lowest first."""

    def __init__(self, headers: Iterable[Header] = (), *, next_height: int = 0) -> None:
        """Start with known headers, or with none: then the next block to fetch is `next_height`."""
        self._headers: deque[Header] = deque(maxlen=WINDOW)
        self._next = next_height
        for header in headers:
            self.connect(header)

    @property
    def tip(self) -> Header | None:
        """The newest block; None before the first."""
        return self._headers[-1] if self._headers else None

    @property
    def height(self) -> int:
        """Height of the newest block; one below the first block that is asked for, before there is any."""
        return self._next - 1

    @property
    def next_height(self) -> int:
        """The height to ask the backend for."""
        return self._next

    def fits(self, header: Header) -> bool:
        """Whether the block builds on our tip. Without a tip any block of the right height does."""
        tip = self.tip
        return header.height == self._next and (tip is None or header.prev_hash == tip.hash)

    def connect(self, header: Header) -> None:
        """Make the block the tip."""
        if not self._headers:
            self._next = header.height
        if not self.fits(header):
            raise ValueError(f"block {header} does not build on {self.tip}")
        self._headers.append(header)
        self._next = header.height + 1

    def disconnect(self) -> Header:
        """Take the tip off and return it."""
        header = self._headers.pop()
        self._next = header.height
        return header
