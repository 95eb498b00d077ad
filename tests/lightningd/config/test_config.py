"""Options: sources and their order, kinds, errors, what is shown, what is changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pylightningd.lightningd.config import Config, ConfigError, Setting, Source, usage
from pylightningd.lightningd.config_io import load_config, save_settings
from pylightningd.lightningd.config_table import OPTIONS, STR, Option

# What CLN's test tools give at every start, and often (the compat list).
FIRST_TIER = [
    "--developer", "--network=regtest", "--addr=127.0.0.1:9999", "--allow-deprecated-apis=false",
    "--autoconnect-seeker-peers=0", "--cltv-delta=6", "--cltv-final=5", "--disable-dns", "--ignore-fee-limits=false",
    "--log-file=-", "--log-file=log", "--log-level=trace", "--log-prefix=lightningd-1 ", "--rescan=1",
    "--watchtime-blocks=5", "--dev-bitcoind-poll=1", "--dev-crash-after=3600", "--dev-fail-on-subdaemon-fail",
    "--dev-fast-gossip", "--dev-no-reconnect", "--dev-save-plugin-io=plugin-io",
    "--force-feerates=15000/11000", "--plugin=/x", "--important-plugin=/y", "--plugin-dir=/z", "--disable-plugin=w",
    "--fee-base=0", "--fee-per-satoshi=0", "--alias=A", "--rgb=02bf81", "--announce-addr=1.2.3.4", "--bind-addr=/tmp/s",
    "--funding-confirms=1", "--rpc-file=rpc", "--offline", "--wumbo", "--min-emergency-msat=600000",
    "--commit-feerate-offset=0", "--experimental-dual-fund", "--dev-disconnect=f", "--dev-allow-localhost",
    "--dev-disable-commit-after=1", "--dev-fast-reconnect", "--dev-no-htlc-timeout",
    "--dev-max-fee-multiplier=5", "--dev-force-features=+1", "--dev-any-channel-type", "--dev-allowdustreserve=true",
    "--dev-onion-reply-length=1024",
]  # fmt: skip


def load(path: Path, *argv: str) -> Config:
    return load_config([f"--lightning-dir={path}", *argv])


def test_first_tier(tmp_path: Path) -> None:
    config = load(tmp_path, *FIRST_TIER)
    config.check_all()
    assert config.network.name == "regtest"
    assert config.folders.net_dir == f"{tmp_path}/regtest"
    assert config["log-file"] == ["-", "log"]
    assert config.log_prefix == "lightningd-1 "
    assert config.force_feerates == [15000, 11000, 11000, 11000, 11000, 11000]
    assert config.large_channels is True
    assert config.dev_no_reconnect is True
    assert config.wallet == f"sqlite3://{tmp_path}/regtest/lightningd.sqlite3"


def test_defaults_by_network(tmp_path: Path) -> None:
    assert load(tmp_path)["fee-base"] == 1000
    assert load(tmp_path, "--testnet")["fee-base"] == 1
    assert load(tmp_path, "--signet").network.name == "signet"
    assert load(tmp_path).pid_file == f"{tmp_path}/lightningd-bitcoin.pid"


def test_order_of_sources(tmp_path: Path) -> None:
    (tmp_path / "regtest").mkdir()
    (tmp_path / "config").write_text(
        "# hi\nregtest\nfee-base=1\ncltv-delta=1\nlog-file=a\ninclude more\n"
    )
    (tmp_path / "more").write_text("rescan=7\n")
    (tmp_path / "regtest" / "config").write_text("fee-base=2\ncltv-delta=2\nlog-file=b\n")
    config = load(tmp_path, "--cltv-delta=3", "--log-file", "c")
    config.check_all()
    assert (config.fee_base, config.cltv_delta, config.rescan) == (2, 3, 7)
    assert config.log_file == ["a", "b", "c"]
    shown = config.listconfigs()
    assert shown["fee-base"] == {"value_int": 2, "source": f"{tmp_path}/regtest/config:1"}
    assert shown["rescan"] == {"value_int": 7, "source": f"{tmp_path}/more:1"}
    assert shown["cltv-delta"]["source"] == "cmdline"
    assert shown["log-file"] == {
        "values_str": ["a", "b", "c"],
        "sources": [f"{tmp_path}/config:5", f"{tmp_path}/regtest/config:3", "cmdline"],
    }
    assert shown["offline"] == {"set": False, "source": "default"}
    assert shown["rpc-file-mode"] == {"value_str": "0600", "source": "default"}
    assert "dev-fast-gossip" not in shown
    assert "help" not in shown


def test_explicit_conf_replaces_the_others(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("fee-base=1\n")
    (tmp_path / "other").write_text(f"lightning-dir={tmp_path}/x\nregtest\n")
    config = load_config([f"--conf={tmp_path}/other"])
    assert config.folders.net_dir == f"{tmp_path}/x/regtest"
    assert config.fee_base == 1  # regtest's default, not the file's
    assert not config.is_set("fee-base")


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--fee-base=x"], "--fee-base=x: 'x' is not a number"),
        (["--fee-base=-1"], "out of range"),
        (["--fee-base"], "requires an argument"),
        (["--offline=1"], "doesn't allow an argument"),
        (["--autolisten=maybe"], "Invalid argument 'maybe'"),
        (["--rgb=red"], "not six hex digits"),
        (["--alias=" + "x" * 33], "over 32 characters"),
        (["--fee-bass=1"], r"unknown option \(did you mean --fee-base\?\)"),
        (["--dev-fast-gossip"], "requires --developer"),
        (["--network=foo"], "Unknown network name 'foo'"),
        (["help"], "no arguments accepted, but got 'help'"),
        (["--log-level=loud"], "unknown log level"),
        (["--max-concurrent-htlcs=484"], "between 1 and 483"),
        (["--funding-confirms=0"], "out of range"),
        (["--always-use-proxy=true"], "needs --proxy"),
        (["--daemon"], "needs --log-file"),
        (["--rpc-file-mode=999"], "not a file mode"),
        (["--min-emergency-msat=1sat"], "over dust limit"),
        (["--htlc-minimum-msat=lots"], "Unable to parse millisatoshi"),
        (["--conf=/nonexistent/x"], "Opening and reading /nonexistent/x: No such file"),
    ],
)
def test_errors(tmp_path: Path, argv: list[str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        load(tmp_path, *argv).check_all()


@pytest.mark.parametrize(
    ("where", "line", "text"),
    [
        ("config", "conf=x", "not permitted in configuration files"),
        ("config", "lightning-dir=x", "not permitted in implicit"),
        ("bitcoin/config", "network=regtest", "not permitted in network-specific"),
        ("config", "include config", "Include loop"),
        ("config", "include nope", "Opening and reading"),
        ("config", "fee-base=x", r"Config file .*/config line 1: fee-base=x: 'x' is not a number"),
    ],
)
def test_errors_in_files(tmp_path: Path, where: str, line: str, text: str) -> None:
    (tmp_path / "bitcoin").mkdir()
    (tmp_path / where).write_text(line + "\n")
    with pytest.raises(ConfigError, match=text):
        load(tmp_path).check_all()


def test_options_of_plugins(tmp_path: Path) -> None:
    config = load(tmp_path, "--plug-opt", "hello", "--plug-flag")
    config.check_known()
    with pytest.raises(ConfigError, match="unknown option"):
        config.check_all()
    config.add(Option("plug-opt", STR, "x", plugin="/p"))
    config.add(Option("plug-flag", OPTIONS[3].kind, plugin="/p"))
    config.check_all()
    assert config.given("plug-opt") == ["hello"]
    assert config.given("plug-flag") == [True]
    assert config.given("other") is None
    assert config.listconfigs()["plug-opt"] == {
        "value_str": "hello",
        "source": "cmdline",
        "plugin": "/p",
    }
    with pytest.raises(ValueError, match="exists already"):
        config.add(Option("plug-opt", STR))
    config.remove("plug-opt")
    assert config.option("plug-opt") is None


def test_setconfig_survives_a_restart(tmp_path: Path) -> None:
    (tmp_path / "regtest").mkdir()
    (tmp_path / "regtest" / "config").write_text("min-capacity-sat=5")
    config = load(tmp_path, "--regtest")
    option = config.option("min-capacity-sat")
    assert option is not None
    seen: list[Any] = []
    config.on_change("min-capacity-sat", seen.append)
    for value in ("7", "8"):
        config.change(option, save_settings(config, option, [value]))
    assert config.min_capacity_sat == 8
    assert seen == [7, 8]
    path = f"{tmp_path}/regtest/config.setconfig"
    expected = {"value_int": 8, "source": f"{path}:2", "dynamic": True}
    assert config.shown(option) == expected
    again = load(tmp_path, "--regtest")
    assert again.shown(option) == expected
    again.change(option, [Setting(Source.TRANSIENT, "min-capacity-sat=9")])
    assert again.shown(option) == {"value_int": 9, "source": "setconfig transient", "dynamic": True}
    with pytest.raises(ConfigError, match="not a number"):
        save_settings(config, option, ["many"])


def test_concealed(tmp_path: Path) -> None:
    shown = load(tmp_path, "--tor-service-password=s3cret").listconfigs()
    assert shown["tor-service-password"]["value_str"] == "..."


def test_usage(tmp_path: Path) -> None:
    text = usage(load(tmp_path))
    assert "--fee-base <u32>" in text
    assert "(default: 1000)" in text
    assert "--dev-" not in text
    assert "--dev-" in usage(load(tmp_path, "--developer"))


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("--subdaemon=hsmd", "argument must contain ':'"),
        ("--subdaemon=bcli:/bin/true", '"bcli" is not a subdaemon'),
        ("--subdaemon=hsmd:", "there is no path behind"),
        ("--dev-force-privkey=12", "expected 64 hex digits"),
        ("--dev-force-channel-secrets=" + "/".join(["11" * 32] * 5), "Expected 6 hex secrets"),
        ("--dev-force-tmp-channel-id=xx", "Unable to parse channel id 'xx'"),
    ],
)
def test_what_stands_in_for_parts_of_the_node_is_checked(
    tmp_path: Path, word: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        load(tmp_path, "--developer", word).check_all()


def test_the_last_program_of_a_daemon_counts(tmp_path: Path) -> None:
    words = ["--subdaemon=hsmd:/a", "--subdaemon=hsmd:/b", "--subdaemon=channeld:/c"]
    config = load(tmp_path, *words)
    assert [config.program_of(n) for n in ("hsmd", "channeld", "gossipd")] == ["/b", "/c", ""]
    shown = config.listconfigs()["subdaemon"]["values_str"]
    assert shown == ["hsmd:/a", "hsmd:/b", "channeld:/c"]
