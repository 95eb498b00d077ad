"""Whatever is written into a parameter of a command, the answer says what is wrong: nothing is an internal error."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.rpc_client import RpcError, call

WRONG: tuple[Any, ...] = (
    None,
    -1,
    0,
    1,
    1.5,
    2**70,
    True,
    "",
    "bad",
    "é\x00",
    "-1",
    "all",
    "any",
    "1x1x1",
    "1:1",
    "99999999999999999999sat",
    "lnbc1",
    "cHNidP8BAA==",
    "00" * 32,
    "02" + "00" * 32,
    "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt08x",
    "a" * 300,
    [],
    [1],
    ["x"],
    [{}],
    {},
    {"a": 1},
)
ENDS_THE_NODE = ("stop", "dev-", "recover", "emergencyrecover", "plugin")
WAITS_S = 1.5
"""Longer than any of these commands takes that does not wait for something to happen."""


def _good_values(peer_id: str) -> dict[str, Any]:
    """A value of the right kind for each required parameter; nothing it names needs to exist."""
    address = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
    hop = {"id": peer_id, "channel": "1x1x1", "delay": 9, "amount_msat": 1000}
    return {
        "id": peer_id,
        "node_id": peer_id,
        "source": peer_id,
        "amount": "20000sat",
        "satoshi": "20000sat",
        "amount_msat": 1000,
        "destination": address,
        "outputs": [{address: "20000sat"}],
        "payment_hash": "11" * 32,
        "txid": "22" * 32,
        "utxos": ["33" * 32 + ":0"],
        "feerate": "slow",
        "startweight": 0,
        "riskfactor": 1,
        "blockheight": 1,
        "first_hop": hop,
        "route": [hop],
        "hops": [{"pubkey": peer_id, "payload": "00"}],
        "onion": "00" * 1366,
        "assocdata": "00" * 32,
        "payload": "00",
        "hex": "00",
        "msg": "800100",
    }


def _wrong_calls(node: Node, peer_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    good = _good_values(peer_id)
    for command in node.rpc("help")["help"]:
        name, *usage = command["command"].split()
        if name.startswith(ENDS_THE_NODE):
            continue
        needed = {word: good.get(word, "x") for word in usage if not word.startswith("[")}
        for word in usage:
            for wrong in WRONG:
                yield name, needed | {word.strip("[]"): wrong}


def test_wrong_parameters(node_factory: NodeFactory) -> None:
    l1, l2 = node_factory.make_many(2)
    node_factory.open_channel(l1, l2)
    with pytest.raises(
        RpcError, match="destination: a channel can be closed to a segwit address only"
    ):
        l1.rpc("close", id=l2.id, destination="2MtoTvMi65NXBt3sTCXNd1aqKGa7gXsX8CC")

    def trouble(case: tuple[str, dict[str, Any]]) -> str:
        name, params = case
        try:
            call(l1.rpc_path, name, params, timeout_s=WAITS_S)
        except TimeoutError:
            return ""  # it was fine, and waits
        except RpcError as error:
            return f"{name} {params}: {error}" if "nternal error" in str(error) else ""
        return ""

    with ThreadPoolExecutor(16) as pool:
        troubles = [text for text in pool.map(trouble, _wrong_calls(l1, l2.id)) if text]
    assert not troubles, "\n".join(troubles[:20])
    assert l1.is_running
