"""Every option of the node: name, kind, default, help. Options of plugins join at run time (`Config.add`).

Names, kinds and defaults are CLN's. The last section has our own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pylightningd.common.ids import ChannelId
from pylightningd.common.log import LEVELS
from pylightningd.common.network import NETWORKS, Network
from pylightningd.common.secret import Secret
from pylightningd.lightningd.config_addresses import (
    announce_address,
    listen_address,
    proxy_address,
)
from pylightningd.lightningd.rpc.params import parse_msat

Parse = Callable[[str], Any]

SUBDAEMONS = ("hsmd", "connectd", "gossipd", "openingd", "channeld", "closingd", "onchaind")


@dataclass(frozen=True, slots=True)
class Folders:
    """What defaults may depend on."""

    network: Network
    base_dir: str
    net_dir: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How the text of an option is read, and under which name `listconfigs` shows the value."""

    name: str
    parse: Parse
    shown_as: str
    """``value_str`` and so on; empty for flags."""
    show: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `default` may be a function of the folders; None means: nothing unless given."""

    name: str
    kind: Kind
    default: Any = None
    help: str = ""
    aliases: tuple[str, ...] = ()
    multi: bool = False
    exits: bool = False
    dev: bool = False
    hidden: bool = False
    dynamic: bool = False
    keep_whitespace: bool = False
    conceal: bool = False
    plugin: str | None = None
    """The plugin that has it."""
    bare: str | None = None
    """What it means without a value; None: it must have one."""

    @property
    def is_flag(self) -> bool:
        """Does it stand without a value?"""
        return not self.kind.shown_as

    def default_for(self, folders: Folders) -> Any:
        """The default on this network in this place."""
        if self.multi:
            return []
        if self.is_flag:
            return False
        return self.default(folders) if callable(self.default) else self.default


# Kinds. A parser raises ValueError with what is wrong.


def _integer(low: int, high: int) -> Parse:
    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]+", text):
            raise ValueError(f"'{text}' is not a number")
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"'{text}' is out of range: it must be between {low} and {high}")
        return value

    return parse


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "yes", "1"):
        return True
    if text.lower() in ("false", "no", "0"):
        return False
    raise ValueError(f"Invalid argument '{text}': expected 'true' or 'false'")


def _autobool(text: str) -> str:
    if text.lower() == "auto":
        return "auto"
    return "true" if _boolean(text) else "false"


def _msat(text: str) -> int:
    try:
        return parse_msat(text).msat
    except ValueError:
        raise ValueError(
            f"Unable to parse millisatoshi '{text}': expected an amount such as 1000, 1000msat or 1sat"
        ) from None


def _above_dust(text: str) -> int:
    amount = _msat(text)
    if amount % 1000:
        raise ValueError(f"'{text}' is not a whole number of sats")
    if amount < 546_000:
        raise ValueError("Option must be over dust limit!")
    return amount


def _rgb(text: str) -> bytes:
    if not re.fullmatch(r"[0-9a-fA-F]{6}", text):
        raise ValueError(f"rgb '{text}' is not six hex digits, for example 02bf81")
    return bytes.fromhex(text)


def _alias(text: str) -> str:
    if len(text.encode()) > 32:
        raise ValueError(f"Alias '{text}' is over 32 characters")
    return text


def _mode(text: str) -> int:
    if not re.fullmatch(r"0?[0-7]{3}", text):
        raise ValueError(f"'{text}' is not a file mode: expected octal digits, for example 0660")
    return int(text, 8)


def _network(text: str) -> str:
    if text not in NETWORKS:
        raise ValueError(f"Unknown network name '{text}': expected one of {', '.join(NETWORKS)}")
    return text


def _log_level(text: str) -> str:
    if text.partition(":")[0].lower() not in LEVELS:
        raise ValueError(
            f"unknown log level '{text}': expected {', '.join(LEVELS)}, then maybe :subsystem"
        )
    return text


def _node_id(text: str) -> str:
    if not re.fullmatch(r"0[23][0-9a-fA-F]{64}", text):
        raise ValueError(f"Unparsable nodeid '{text}'")
    return text.lower()


def _feerates(text: str) -> list[int]:
    parts = text.split("/")
    if not 1 <= len(parts) <= 6:
        raise ValueError(f"Too many fee rates in '{text}': expected up to 6, for example 7500/3750")
    read = _integer(1, 2**32 - 1)
    rates = [read(part) for part in parts]
    return rates + [rates[-1]] * (6 - len(rates))


def _daemon_name(text: str) -> str:
    if not re.fullmatch(r"hsmd|connectd|gossipd|openingd|closingd|onchaind|channeld-[0-9]+", text):
        raise ValueError(
            f"'{text}' is no daemon: expected hsmd, connectd, gossipd, openingd, closingd, onchaind or channeld-0"
        )
    return text


def _crash_point(text: str) -> str:
    if not re.fullmatch(r"((before|after):)?[^:@]+(:[1-9][0-9]*)?(@[a-z]+)?", text):
        raise ValueError(
            f"'{text}' is no crash point: expected for example after:channeld_got_revoke:2"
        )
    return text


def _secret(text: str) -> Secret:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("Unable to parse it: expected 64 hex digits")
    return Secret(bytes.fromhex(text))


def _channel_secrets(text: str) -> bytes:
    if not re.fullmatch(r"([0-9a-fA-F]{64}/){5}[0-9a-fA-F]{64}", text):
        raise ValueError("Expected 6 hex secrets separated by /")
    return bytes.fromhex(text.replace("/", ""))


def _temporary_id(text: str) -> ChannelId:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError(f"Unable to parse channel id '{text}': expected 64 hex digits")
    return ChannelId(bytes.fromhex(text))


def _subdaemon(text: str) -> tuple[str, str]:
    name, colon, path = text.partition(":")
    if not colon:
        raise ValueError("argument must contain ':'")
    if name not in SUBDAEMONS:
        raise ValueError(f'"{name}" is not a subdaemon: expected one of {", ".join(SUBDAEMONS)}')
    if not path:
        raise ValueError("there is no path behind ':', for example channeld:/opt/my/channeld")
    return name, path


def _choice(*words: str) -> Parse:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"'{text}' is none of {', '.join(words)}")
        return text

    return parse


FLAG = Kind("flag", lambda text: True, "")
STR = Kind("string", str, "value_str")
BOOL = Kind("bool", _boolean, "value_bool")
AUTOBOOL = Kind("auto, true or false", _autobool, "value_str")
U16 = Kind("u16", _integer(0, 2**16 - 1), "value_int")
U32 = Kind("u32", _integer(0, 2**32 - 1), "value_int")
U64 = Kind("u64", _integer(0, 2**64 - 1), "value_int")
S32 = Kind("s32", _integer(-(2**31), 2**31 - 1), "value_int")
MSAT = Kind("msat", _msat, "value_msat")
EMERGENCY = Kind("msat", _above_dust, "value_msat")
CONFIRMS = Kind("u32", _integer(1, 2**32 - 1), "value_int")
HTLCS = Kind("u32", _integer(1, 483), "value_int")
RGB = Kind("RRGGBB", _rgb, "value_str", bytes.hex)
ALIAS = Kind("alias", _alias, "value_str")
MODE = Kind("mode", _mode, "value_str", lambda mode: f"{mode:04o}")
NETWORK = Kind("network", _network, "value_str")
LOG_LEVEL = Kind("level[:subsystem]", _log_level, "value_str")
LISTEN = Kind("address", listen_address, "value_str")
ANNOUNCE = Kind("address", announce_address, "value_str")
PROXY = Kind("host:port", proxy_address, "value_str")
DAEMON_NAME = Kind("name", _daemon_name, "value_str")
SECRET = Kind("64 hex digits", _secret, "value_str")
CHANNEL_SECRETS = Kind("6 hex secrets", _channel_secrets, "value_str")
TEMPORARY_ID = Kind("channel id", _temporary_id, "value_str", bytes.hex)
SUBDAEMON = Kind("daemon:path", _subdaemon, "value_str", ":".join)
NODE_ID = Kind("node id", _node_id, "value_str")
FEERATES = Kind("feerates", _feerates, "value_str", lambda rates: "/".join(map(str, rates)))
CRASH_POINT = Kind("crash point", _crash_point, "value_str")
LOG_FORMAT = Kind("cln or json", _choice("cln", "json"), "value_str")


def _by_network(main: Any, test: Any) -> Callable[[Folders], Any]:
    return lambda folders: test if folders.network.is_test else main


def _opt(name: str, kind: Kind, default: Any = None, help: str = "", **more: Any) -> Option:
    return Option(name, kind, default, help, **more)


def _dev(name: str, kind: Kind = FLAG, default: Any = None, help: str = "", **more: Any) -> Option:
    return Option("dev-" + name, kind, default, help, dev=True, **more)


NO_LIMIT_MSAT = 2**64 - 1

PLACE: Sequence[Option] = (
    _opt("conf", STR, None, "Specify configuration file"),
    _opt("lightning-dir", STR, lambda f: f.base_dir, "Set base directory: network-specific subdirectory is under here"),
    _opt("network", NETWORK, lambda f: f.network.name, "Select the network (bitcoin, testnet, testnet4, signet, regtest)"),
    _opt("testnet", FLAG, help="Short for --network=testnet"),
    _opt("testnet4", FLAG, help="Short for --network=testnet4"),
    _opt("signet", FLAG, help="Short for --network=signet"),
    _opt("mainnet", FLAG, help="Short for --network=bitcoin"),
    _opt("regtest", FLAG, help="Short for --network=regtest"),
    _opt("rpc-file", STR, "lightning-rpc", "Set JSON-RPC socket"),
    _opt("rpc-file-mode", MODE, 0o600, "Set the file mode (permissions) for the JSON-RPC socket"),
    _opt("wallet", STR, lambda f: f"sqlite3://{f.net_dir}/lightningd.sqlite3", "Location of the wallet database; a second path after a colon keeps a live copy"),
    _opt("pid-file", STR, lambda f: f"{f.base_dir}/lightningd-{f.network.name}.pid", "Specify pid file"),
    _opt("help", FLAG, help="Print this message", exits=True, aliases=("h",)),
    _opt("version", FLAG, help="Print version and exit", exits=True, aliases=("V",)),
    _opt("list-features-only", FLAG, help="List the features configured, and exit immediately", exits=True),
    _opt("test-daemons-only", FLAG, help="Test that subdaemons can be run, then exit immediately", exits=True),
    _opt("developer", FLAG, help="Enable developer commands/options, disable legacy APIs"),
    _opt("daemon", FLAG, help="Run in the background, suppress stdout/stderr"),
    _opt("allow-deprecated-apis", BOOL, True, "Enable deprecated options, JSONRPC commands, fields, etc."),
    _opt("i-promise-to-fix-broken-api-user", STR, help="Re-enable a long-deprecated API (which will be removed entirely next version!)", multi=True),
    _opt("database-upgrade", BOOL, None, "Set to true to allow database upgrades even on non-final releases"),
    _opt("recover", STR, None, "Populate hsm_secret with the given secret and start in offline mode", conceal=True),
    _opt("encrypted-hsm", FLAG, hidden=True),
    _opt("hsm-passphrase", FLAG, help="Prompt for passphrase for encrypted hsm_secret"),
)  # fmt: skip

LOGGING: Sequence[Option] = (
    _opt("log-level", LOG_LEVEL, "info", "log level (io, trace, debug, info, unusual, broken) [:subsystem[:file]]"),
    _opt("log-timestamps", BOOL, True, "prefix log messages with timestamp"),
    _opt("log-prefix", STR, "", "log prefix", keep_whitespace=True),
    _opt("log-file", STR, help="Also log to file (- for stdout)", multi=True),
    _opt("log-format", LOG_FORMAT, "cln", "How log lines look: cln, or json (one object a line)"),
)  # fmt: skip

PLUGINS: Sequence[Option] = (
    _opt("plugin", STR, help="Add a plugin to be run", multi=True),
    _opt("plugin-dir", STR, help="Add a directory to load plugins from", multi=True),
    _opt("clear-plugins", FLAG, help="Remove all plugins added before this option"),
    _opt("disable-plugin", STR, help="Disable a particular plugin by filename/name", multi=True),
    _opt("important-plugin", STR, help="Add an important plugin to be run. Die if the plugin dies.", multi=True),
)  # fmt: skip

NET: Sequence[Option] = (
    _opt("addr", LISTEN, help="Set an IP address (v4 or v6) to listen on and announce to the network for incoming connections", multi=True),
    _opt("bind-addr", LISTEN, help="Set an IP address (v4 or v6) to listen on, but not announce", multi=True),
    _opt("announce-addr", ANNOUNCE, help="Set an IP address (v4 or v6) or .onion v3 to announce, but not listen on", multi=True),
    _opt("announce-addr-discovered", AUTOBOOL, "auto", "Explicitly turns IP discovery 'on' or 'off' (taken, but without effect here)"),
    _opt("announce-addr-discovered-port", U16, lambda f: f.network.ln_port, "Sets the public TCP port to use for announcing discovered IPs (taken, but without effect here)"),
    _opt("offline", FLAG, help="Start in offline-mode (do not automatically reconnect and do not accept incoming connections)"),
    _opt("autolisten", BOOL, True, "If true, listen on default port and announce if it seems to be a public interface"),
    _opt("proxy", PROXY, None, "Set a socks v5 proxy IP address and port"),
    _opt("always-use-proxy", BOOL, False, "Use the proxy always"),
    _opt("tor-service-password", STR, None, "Set a Tor hidden service password", conceal=True),
    _opt("disable-dns", FLAG, help="Disable DNS lookups of peers"),
    _opt("message-padding", BOOL, False, "If true, pad all messages to peers to make them equal length"),
    _opt("autoconnect-seeker-peers", U32, 10, "Seeker autoconnects to maintain this minimum number of gossip peers (taken, but without effect here)"),
    _opt("rgb", RGB, None, "RRGGBB hex color for node"),
    _opt("alias", ALIAS, None, "Up to 32-byte alias for node", keep_whitespace=True),
    _opt("subdaemon", SUBDAEMON, help="SUBDAEMON:PATH: use another program for that daemon; it is given our daemon's arguments", multi=True),
)  # fmt: skip

CHANNELS: Sequence[Option] = (
    _opt("ignore-fee-limits", BOOL, _by_network(False, True), "(DANGEROUS) allow peer to set any feerate"),
    _opt("watchtime-blocks", U32, _by_network(144, 6), "Blocks before peer can unilaterally spend funds"),
    _opt("funding-confirms", CONFIRMS, _by_network(3, 1), "Confirmations required for funding transaction"),
    _opt("require-confirmed-inputs", BOOL, False, "Confirmations required for inputs to funding transaction (v2 opens only)"),
    _opt("cltv-delta", U32, _by_network(34, 6), "Number of blocks for cltv_expiry_delta"),
    _opt("cltv-final", U32, _by_network(18, 10), "Number of blocks for final cltv_expiry"),
    _opt("commit-time", U32, 10, "Time after changes before sending out COMMIT"),
    _opt("fee-base", U32, _by_network(1000, 1), "Millisatoshi minimum to charge for HTLC"),
    _opt("fee-per-satoshi", U32, 10, "Microsatoshi fee for every satoshi in HTLC"),
    _opt("rescan", S32, _by_network(15, 30), "Number of blocks to rescan from the current head, or absolute blockheight if negative"),
    _opt("htlc-minimum-msat", MSAT, 0, "The default minimal value an HTLC must carry in order to be forwardable for new channels"),
    _opt("htlc-maximum-msat", MSAT, NO_LIMIT_MSAT, "The default maximal value an HTLC must carry in order to be forwardable for new channel"),
    _opt("max-concurrent-htlcs", HTLCS, _by_network(30, 483), "Number of HTLCs one channel can handle concurrently. Should be between 1 and 483"),
    _opt("max-dust-htlc-exposure-msat", MSAT, 50_000_000, "Max HTLC amount that can be trimmed"),
    _opt("min-capacity-sat", U64, 10_000, "Minimum capacity in satoshis for accepting channels", dynamic=True),
    _opt("min-emergency-msat", EMERGENCY, 25_000_000, "Amount to leave in wallet for spending anchor closes"),
    _opt("accept-htlc-tlv-type", U64, help="HTLC TLV type to accept", multi=True),
    _opt("commit-fee", U64, 100, "Percentage of fee to request for their commitment"),
    _opt("commit-feerate-offset", U32, 5, "Additional feerate per kw to apply to feerate updates as the channel opener"),
    _opt("force-feerates", FEERATES, None, "Set testnet/regtest feerates in sats perkw, opening/mutual_close/unilateral_close/delayed_to_us/htlc_resolution/penalty: if fewer specified, last number applies to remainder"),
    _opt("invoices-onchain-fallback", FLAG, help="Include an onchain address in invoices and mark them as paid if payment is received on-chain"),
    _opt("payment-fronting-node", NODE_ID, help="Put this node in all invoices and offers, and use it to route to this node", multi=True),
    _opt("large-channels", FLAG, aliases=("wumbo",), hidden=True),
    _opt("experimental-dual-fund", FLAG, help="experimental: Advertise dual-funding and allow peers to establish channels via v2 channel open protocol"),
    _opt("experimental-simple-close", FLAG, help="experimental: Advertise option_simple_close and use the simplified mutual close protocol"),
    _opt("experimental-splicing", FLAG, help="experimental: Enables the ability to resize channels using splicing"),
    _opt("experimental-shutdown-wrong-funding", FLAG, help="EXPERIMENTAL: allow shutdown with alternate txids"),
    _opt("experimental-peer-storage", FLAG, hidden=True),
    _opt("experimental-anchors", FLAG, hidden=True),
    _opt("bookkeeper-dir", STR, None, hidden=True),
    _opt("bookkeeper-db", STR, None, hidden=True),
)  # fmt: skip

DEVELOPER: Sequence[Option] = (
    _dev("debugger", STR, None, "Wait for a debugger in this daemon"),
    _dev("no-plugin-checksum", help="Don't checksum plugins to detect changes"),
    _dev("builtin-plugins-unimportant", help="Make builtin plugins unimportant so you can plugin stop them"),
    _dev("no-reconnect", help="Disable automatic reconnect-attempts by this node, but accept incoming"),
    _dev("no-reconnect-private", help="Disable automatic reconnect-attempts to peers with private channel(s) only"),
    _dev("fast-reconnect", help="Make max default reconnect delay 3 (not 300) seconds"),
    _dev("fail-on-subdaemon-fail", help="Exit when a daemon dies unexpectedly", hidden=True),
    _dev("disconnect", STR, None, "File containing disconnection points"),
    _dev("allow-localhost", help="Announce and allow announcements for localhost address"),
    _dev("bitcoind-poll", U32, 30, "Time between polling for new transactions"),
    _dev("fast-gossip", help="Make gossip broadcast 1 second, etc"),
    _dev("fast-gossip-prune", help="Make gossip pruning 120 seconds"),
    _dev("force-privkey", SECRET, None, "Force HSM to use this as node private key", conceal=True),
    _dev("force-bip32-seed", SECRET, None, "Force HSM to use this as bip32 seed", conceal=True),
    _dev("force-channel-secrets", CHANNEL_SECRETS, None, "Force HSM to use these for all per-channel secrets", conceal=True),
    _dev("force-tmp-channel-id", TEMPORARY_ID, None, "Force the temporary channel id, instead of random"),
    _dev("max-funding-unconfirmed-blocks", U32, 2016, "Maximum number of blocks we wait for a channel funding transaction to confirm, if we are the fundee"),
    _dev("no-htlc-timeout", help="Don't fail the link if HTLCs are not confirmed within 30 seconds"),
    _dev("fail-process-onionpacket", help="Force all processing of onion packets to fail"),
    _dev("no-version-checks", help="Skip comparing versions of daemons on startup"),
    _dev("force-features", STR, None, "Force the init/globalinit/node_announce/channel/bolt11/ features, each comma-separated bitnumbers OR a single +/-<bitnumber>"),
    _dev("timeout-secs", U32, 60, "Seconds to timeout if we don't receive INIT from peer"),
    _dev("no-modern-onion", help="Ignore modern onion messages"),
    _dev("disable-commit-after", S32, -1, "Disable commit timer after this many commits"),
    _dev("no-ping-timer", help="Don't hang up if we don't get a ping response"),
    _dev("onion-reply-length", U32, 256, "Send onion errors of custom length"),
    _dev("max-fee-multiplier", U32, 10, "Allow the fee proposed by the remote end to be up to multiplier times higher than our own"),
    _dev("allowdustreserve", BOOL, False, "If true, allow a reserve that is below the dust limit"),
    _dev("any-channel-type", help="Allow sending any channel type, and accept any"),
    _dev("allow-shutdown-destination-change", help="Allow destination override on close, even if risky"),
    _dev("hsmd-no-preapprove-check", help="Tell hsmd not to support preapprove_check msgs"),
    _dev("hsmd-fail-preapprove", help="Tell hsmd to always deny preapprove_invoice / preapprove_keysend"),
    _dev("fd-limit-multiplier", U32, 2, "Try to set fd limit to this many times by number of channels"),
    _dev("handshake-no-reply", help="Don't send or read init message after connection"),
    _dev("strict-forwarding", help="Forward HTLCs along the channel specified"),
    _dev("throttle-gossip", help="Throttle gossip right down, for testing"),
    _dev("limit-connections-inflight", help="Throttle connection limiting down for testing"),
    _dev("low-prio-anchor-blocks", U32, 2016, "How many blocks to aim for low-priority anchor closes"),
    _dev("crash-after", U32, None, "Crash if we are still going after this long"),
    _dev("warn-on-overgrind", help="Warn if we create signatures that are not exactly 71 bytes"),
    _dev("save-plugin-io", STR, None, "Directory to keep what plugins say"),
)  # fmt: skip

OWN: Sequence[Option] = (
    _opt("external-daemon", DAEMON_NAME, help="Wait for this daemon to be started by hand, for example under a debugger", multi=True),
    _opt("channeld-workers", U16, 0, "Processes that share the channels; 0 means one for each core"),
    _dev("record", STR, None, "Write down what the machines of channels are fed, for tools.replay; by default in the folder record", bare=""),
    _dev("crash-at", CRASH_POINT, None, "Die as by kill -9, or kill a daemon, at the commit of this internal message: [before:|after:]NAME[:N][@DAEMON], for example after:channeld_got_revoke:2", dynamic=True),
)  # fmt: skip

OPTIONS: tuple[Option, ...] = (*PLACE, *LOGGING, *PLUGINS, *NET, *CHANNELS, *DEVELOPER, *OWN)

NOT_SUPPORTED = (
    "accept-htlc-tlv-type",
    "bookkeeper-db",
    "bookkeeper-dir",
    "experimental-simple-close",
    "experimental-splicing",
    "invoices-onchain-fallback",
    "message-padding",
    "payment-fronting-node",
    "tor-service-password",
)
"""Options of CLN that we know but cannot obey: the start refuses them, rather than that they are ignored."""

WITHOUT_EFFECT = (
    "announce-addr-discovered",
    "announce-addr-discovered-port",
    "autoconnect-seeker-peers",
    "experimental-anchors",
    "experimental-peer-storage",
    "i-promise-to-fix-broken-api-user",
    "large-channels",
    "dev-builtin-plugins-unimportant",
    "dev-debugger",
    "dev-fail-process-onionpacket",
    "dev-fd-limit-multiplier",
    "dev-limit-connections-inflight",
    "dev-low-prio-anchor-blocks",
    "dev-no-modern-onion",
    "dev-no-plugin-checksum",
    "dev-no-version-checks",
    "dev-throttle-gossip",
    "dev-warn-on-overgrind",
)
"""Options of CLN that are taken, since its tools and config files give them, and change nothing: doc/compatibility.md."""

NETWORK_FLAGS = {
    "mainnet": "bitcoin",
    "testnet": "testnet",
    "testnet4": "testnet4",
    "signet": "signet",
    "regtest": "regtest",
}
