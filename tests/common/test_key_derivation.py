"""BOLT 3, appendix E."""

from __future__ import annotations

from pylightningd.common import key_derivation as kd
from pylightningd.common.keys import pubkey_from_secret
from pylightningd.common.shachain import MAX_INDEX, generate_from_seed

BASE_SECRET = bytes(range(32))
COMMITMENT_SECRET = bytes(range(31, -1, -1))
BASE = pubkey_from_secret(BASE_SECRET)
POINT = pubkey_from_secret(COMMITMENT_SECRET)


def test_points() -> None:
    assert BASE.hex() == "036d6caac248af96f6afa7f904f550253a0f3ef3f5aa2fe6838a95b216691468e2"
    assert POINT.hex() == "025f7117a78150fe2ef97db7cfc83bd57b2e2c0d0dd25eaf467a4a1c2a45ce1486"


def test_localpubkey_and_its_secret() -> None:
    assert kd.derive_pubkey(BASE, POINT).hex() == (
        "0235f2dbfaa89b57ec7b055afe29849ef7ddfeb1cefdb9ebdc43f5494984db29e5"
    )
    assert kd.derive_privkey(BASE_SECRET, POINT).reveal().hex() == (
        "cbced912d3b21bf196a766651e436aff192362621ce317704ea2f75d87e7be0f"
    )


def test_revocation_pubkey_and_its_secret() -> None:
    key = kd.derive_revocation_pubkey(BASE, POINT)
    assert key.hex() == "02916e326636d19c33f13e8c0c3a03dd157f332f3e99c317c141dd865eb01f8ff0"
    secret = kd.derive_revocation_privkey(BASE_SECRET, COMMITMENT_SECRET)
    assert secret.reveal().hex() == (
        "d09ffff62ddb2297ab000cc85bcb4283fdeb6aa052affbc9dddcf33b61078110"
    )
    assert pubkey_from_secret(secret) == key


def test_commitment_secrets_count_up_from_zero() -> None:
    seed = b"\x01" * 32
    assert kd.per_commitment_secret(seed, 0).reveal() == generate_from_seed(seed, MAX_INDEX)
    assert kd.per_commitment_point(seed, 5) == pubkey_from_secret(
        generate_from_seed(seed, MAX_INDEX - 5)
    )
