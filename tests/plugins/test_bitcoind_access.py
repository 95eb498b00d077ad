"""Where bitcoind is, and how to log in, from options and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pylightningd.common.network import BITCOIN, REGTEST
from pylightningd.plugins.bitcoind_access import NoCredentialsError, find_access, read_conf

CONF = """
# a comment
rpcuser=top
rpcpassword=secret#1
regtest.rpcport=1111
main.rpcport=2222
[regtest]
rpcuser = inner
[main]
rpcconnect=10.0.0.1:99
"""


def test_sections() -> None:
    assert read_conf(CONF, "regtest") == {
        "rpcuser": "inner",
        "rpcpassword": "secret#1",
        "rpcport": "1111",
    }
    assert read_conf(CONF, "bitcoin") == {
        "rpcuser": "top", "rpcpassword": "secret#1", "rpcport": "2222", "rpcconnect": "10.0.0.1:99",
    }  # fmt: skip


def test_options_win(tmp_path: Path) -> None:
    (tmp_path / "bitcoin.conf").write_text(CONF)
    options = {
        "bitcoin-datadir": str(tmp_path),
        "bitcoin-rpcport": 5,
        "bitcoin-rpcuser": "me",
        "bitcoin-rpcpassword": "x",
    }
    access = find_access(options, REGTEST, tmp_path)
    assert (access.host, access.port, access.user, access.password) == ("127.0.0.1", 5, "me", "x")
    assert "x" not in repr(access).replace("localhost", "").split("credentials")[0].replace(
        "Access", ""
    )


def test_conf_file(tmp_path: Path) -> None:
    (tmp_path / ".bitcoin").mkdir()
    (tmp_path / ".bitcoin/bitcoin.conf").write_text(CONF)
    access = find_access({}, BITCOIN, tmp_path)
    assert (access.host, access.port, access.user) == ("10.0.0.1", 99, "top")


@pytest.mark.parametrize(
    ("network", "folder"), [(REGTEST, "regtest/.cookie"), (BITCOIN, ".cookie")]
)
def test_cookie(tmp_path: Path, network: object, folder: str) -> None:
    with pytest.raises(NoCredentialsError, match="cookie .*cannot be read"):
        find_access({"bitcoin-datadir": str(tmp_path)}, network, tmp_path)  # type: ignore[arg-type]
    (tmp_path / folder).parent.mkdir(exist_ok=True)
    (tmp_path / folder).write_text("__cookie__:ab:cd\n")
    access = find_access({"bitcoin-datadir": str(tmp_path)}, network, tmp_path)  # type: ignore[arg-type]
    assert (access.user, access.password) == ("__cookie__", "ab:cd")


def test_ipv6(tmp_path: Path) -> None:
    options = {"bitcoin-rpcconnect": "[::1]:77", "bitcoin-rpcuser": "a", "bitcoin-rpcpassword": "b"}
    access = find_access(options, REGTEST, tmp_path)
    assert (access.host, access.port) == ("::1", 77)
