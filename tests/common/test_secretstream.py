"""secretstream, also over bytes that Core Lightning (with libsodium) sealed: see test_scb.py."""

from __future__ import annotations

import pytest

from pylightningd.common.secretstream import OVERHEAD, NotSealedWithThisKey, open_sealed, seal

KEY, HEADER = bytes(range(32)), bytes(range(24))


@pytest.mark.parametrize("size", [0, 1, 15, 16, 63, 64, 1000, 65490])
def test_what_is_sealed_can_be_opened(size: int) -> None:
    message = bytes(n & 0xFF for n in range(size))
    sealed = seal(KEY, HEADER, message)
    assert len(sealed) == size + OVERHEAD
    assert open_sealed(KEY, sealed) == message


def test_any_changed_byte_is_noticed() -> None:
    sealed = seal(KEY, HEADER, b"secret channels")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes((sealed[place] ^ 1,)) + sealed[place + 1 :]
        with pytest.raises(NotSealedWithThisKey):
            open_sealed(KEY, changed)
    with pytest.raises(NotSealedWithThisKey):
        open_sealed(bytes(32), sealed)
    with pytest.raises(NotSealedWithThisKey, match="too few"):
        open_sealed(KEY, sealed[: OVERHEAD - 1])
