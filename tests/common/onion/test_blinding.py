"""Route blinding against the BOLT's vector."""

from __future__ import annotations

import pytest
from coincurve import PrivateKey

from pylightningd.common.onion.blinding import (
    BlindingError,
    decrypt_data,
    join_paths,
    make_blinded_path,
    node_id_tweak,
    unblind,
)
from pylightningd.common.onion.crypto import derive_key
from tests.common.onion.vectors import ecdh, load, unhex

VECTOR = load("route-blinding-test")


def test_create() -> None:
    hops = VECTOR["generate"]["hops"]
    parts = []
    for pair in (hops[:2], hops[2:]):
        nodes = [(unhex(h["node_id"]), unhex(h["encoded_tlvs"])) for h in pair]
        path, secrets = make_blinded_path(unhex(pair[0]["session_key"]), nodes)
        assert [s.hex() for s in secrets] == [h["shared_secret"] for h in pair]
        assert [derive_key(b"rho", s).hex() for s in secrets] == [h["rho"] for h in pair]
        parts.append(path)
    joined = join_paths(*parts)
    route = VECTOR["route"]
    assert joined.first_node_id.hex() == route["first_node_id"]
    assert joined.first_path_key.hex() == route["first_path_key"]
    made = [(h.blinded_node_id.hex(), h.encrypted_recipient_data.hex()) for h in joined.path]
    assert made == [(h["blinded_node_id"], h["encrypted_data"]) for h in route["hops"]]
    assert joined.write()[:67] == joined.first_node_id + joined.first_path_key + b"\x04"


@pytest.mark.parametrize("index", range(4))
def test_unblind(index: int) -> None:
    hop = VECTOR["unblind"]["hops"][index]
    key, path_key = unhex(hop["node_privkey"]), unhex(hop["path_key"])
    secret = ecdh(key, path_key)
    blinded = PrivateKey(key).multiply(node_id_tweak(secret))
    assert blinded.to_hex() == hop["blinded_privkey"]
    encrypted = unhex(VECTOR["route"]["hops"][index]["encrypted_data"])
    read = unblind(path_key, secret, encrypted)
    assert read.data.hex() == hop["decrypted_data"]
    assert read.next_path_key.hex() == hop["next_path_key"]


@pytest.mark.parametrize("encrypted", [b"", b"short", bytes(40)])
def test_tampered_data(encrypted: bytes) -> None:
    with pytest.raises(BlindingError, match="decrypt"):
        decrypt_data(bytes(32), encrypted)
