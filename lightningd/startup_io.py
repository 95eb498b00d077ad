"""The order in which the node comes up and goes down.

To add a part of the node, give its module an ``async def start(node)`` and name the module in `ROOMS`. A room
that must end in an orderly way puts a coroutine function into ``node.on_stop``.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from pylightningd.common.gc_io import settle
from pylightningd.common.version import VERSION
from pylightningd.lightningd.config import ConfigError
from pylightningd.lightningd.config_table import BOOL, FLAG, STR, Kind, Option, _integer
from pylightningd.lightningd.node import Node
from pylightningd.lightningd.our_features import (
    default_alias,
    default_rgb,
    feature_bitmaps,
    forced_bits,
    our_bits,
)
from pylightningd.lightningd.process_io import tell_systemd

Start = Callable[[Node], Awaitable[None]]

ROOMS_BEFORE_RPC = (
    "pylightningd.lightningd.chain.start_io",
    "pylightningd.lightningd.wallet.start_io",
    "pylightningd.lightningd.channels.start_io",
    "pylightningd.lightningd.backup.start_io",
    "pylightningd.lightningd.control.start_io",
    "pylightningd.lightningd.payments.start_io",
    "pylightningd.lightningd.chain.begin_io",
)
"""Rooms that must stand before anybody may call a command; one that does not exist is skipped."""
ROOMS_AFTER_PLUGINS = (
    "pylightningd.lightningd.autoconnect_io",
    "pylightningd.lightningd.backup.begin_io",
)
"""Rooms that start when all is up."""

S64 = Kind("integer", _integer(-(2**63), 2**63 - 1), "value_int")


class StartError(Exception):
    """The node cannot start; the text is for the user."""


async def start_node(node: Node) -> None:
    """Bring the node up. Raises StartError, ConfigError, BackendError or what a part raises."""
    steps: tuple[tuple[str, Start], ...] = (
        ("processes", start_processes),
        ("database", start_database),
        ("hsmd", start_hsmd),
        ("bitcoin backend", start_backend),
        *((name, _room(name)) for name in ROOMS_BEFORE_RPC),
        ("rpc", start_rpc),
        ("plugins' init", start_other_plugins),
        *((name, _room(name)) for name in ROOMS_AFTER_PLUGINS),
    )
    for name, start in steps:
        if node.stopping:
            return
        node.log("trace", f"starting {name}")
        await start(node)
    node.log(
        "info",
        f"Server started with public key {node.node_id.hex()}, alias {node.alias} "
        f"(color #{node.rgb.hex()}) and lightningd {VERSION}",
    )
    settle()
    tell_systemd("READY=1")


def _room(name: str) -> Start:
    async def start(node: Node) -> None:
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            node.log("trace", f"there is no {name}")
            return
        await module.start(node)

    return start


# Steps


async def start_processes(node: Node) -> None:
    """All processes come up while we load our own commands: that takes each a part of a second."""
    make_supervisor(node)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(launch_hsmd(node), name="launch hsmd")
            start_daemons_early(node)
            group.create_task(_commands_and_plugins(node), name="commands and plugins")
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from None


async def _commands_and_plugins(node: Node) -> None:
    await start_commands(node)
    await start_plugins(node)


async def start_commands(node: Node) -> None:
    """The registry of commands."""
    from pylightningd.lightningd.rpc.dispatch import Dispatcher
    from pylightningd.lightningd.rpc.registry import Registry, load_families

    node.registry = Registry(load_families(), developer=node.developer)
    node.dispatcher = Dispatcher(node, node.registry)
    node.feature_bits = forced_bits(
        our_bits(
            wrong_funding=node.config["experimental-shutdown-wrong-funding"],
            dual_fund=node.config["experimental-dual-fund"],
        ),
        node.config["dev-force-features"] if node.developer else None,
    )
    node.features = feature_bitmaps(node.feature_bits)


async def start_plugins(node: Node) -> None:
    """Start the plugins and read their manifests; then all options are known and can be checked."""
    from pathlib import Path

    from pylightningd.common.errors import UserError
    from pylightningd.lightningd.plugin_host.host_io import (
        Environment,
        PluginHost,
        PluginStartError,
    )
    from pylightningd.lightningd.plugin_host.log_notifications import listener as _log_listener
    from pylightningd.lightningd.plugin_host.options import HostConfig

    config = node.config
    env = Environment(
        log=node.log,
        spawn=node.spawn,
        registry=node.registry,
        stop_node=node.fatal,
        given=config.given,
        declare_option=lambda plugin, option: config.add(_plugin_option(plugin, option)),
        withdraw_option=config.remove,
        custommessages_changed=lambda types: node.turn.submit(
            lambda: node.connectd.take_custom_messages(types)
        ),
        featurebits=lambda plugin, bits: _add_feature_bits(node, bits),
    )
    host_config = HostConfig(
        lightning_dir=config.folders.net_dir,
        rpc_file=config["rpc-file"],
        network=node.network.name,
        feature_set={place: bits.hex() for place, bits in node.features.items()},
        developer=node.developer,
        allow_deprecated=config["allow-deprecated-apis"] and not node.developer,
    )
    host = node.plugins = PluginHost(env, host_config, Path(config.folders.base_dir, "plugins"))
    node.on_stop.append(("plugins", host.shutdown))
    node.dispatcher.interceptors.append(host.intercept)
    node.listeners.append(host.publish)
    node.log.listeners.append(_log_listener(host))
    try:
        host.add_bundled()
        host.add_default_dir()
        _apply_plugin_settings(node)
        await host.start_all()
    except (UserError, PluginStartError) as error:
        raise StartError(str(error)) from error
    config.check_all()


def _apply_plugin_settings(node: Node) -> None:
    """--plugin and its kin, in the order they were given."""
    host = node.plugins
    names = ("plugin", "important-plugin", "plugin-dir", "clear-plugins", "disable-plugin")
    for name, arg in node.config.in_order(names):
        if name == "clear-plugins":
            host.clear()
        elif arg is None:
            raise ConfigError(f"--{name}: requires an argument")
        elif name == "disable-plugin":
            host.disable(arg)
        elif name == "plugin-dir":
            host.add_dir(arg)
        else:
            host.add(arg, important=name == "important-plugin")


def _plugin_option(plugin: str, option: Any) -> Option:
    """A plugin's option as one of ours."""
    kinds = {"string": STR, "string-conceal": STR, "int": S64, "bool": BOOL, "flag": FLAG}
    return Option(
        option.name,
        kinds[option.type],
        option.default,
        option.description,
        multi=option.multi,
        dynamic=option.dynamic,
        conceal=option.type == "string-conceal",
        plugin=plugin,
    )


def _add_feature_bits(node: Node, bits: Mapping[str, bytes]) -> None:
    """Raises ValueError where a bit is set already."""
    from pylightningd.common.features import combine_features, decode_features

    for place, bitmap in bits.items():
        ours = node.features.get(place, b"")
        both = {bit & ~1 for bit in decode_features(ours)} & {
            b & ~1 for b in decode_features(bitmap)
        }
        if both:
            raise ValueError(f"feature bits {sorted(both)} are set already")
        node.features[place] = combine_features(ours, bitmap)


async def start_database(node: Node) -> None:
    """Open the wallet and make the turn."""
    from pylightningd.lightningd.db.connect_io import open_database
    from pylightningd.lightningd.plugin_host.db_write_io import DbWrite
    from pylightningd.lightningd.turn import Turn

    loop = asyncio.get_running_loop()
    node.database = open_database(
        node.config["wallet"],
        node.network,
        allow_upgrade=node.config["database-upgrade"] is not False,
        on_write=DbWrite(node.plugins, node.log),
    )
    node.db = node.database.connection
    if node.config["dev-save-plugin-io"] is not None:
        # CLN's test tools, which give this option, copy the database file of a running node.
        node.db.keep_file_whole()
    make_turn = Turn if not node.config["dev-crash-at"] else _crashing_turn(node)
    node.turn = make_turn(
        node.database.store,
        schedule=loop.call_soon,
        make_future=loop.create_future,
        on_bug=node.outbox_trouble,
        on_disk_failure=node.fatal,
        notify=node.notify,
    )


def _crashing_turn(node: Node) -> Callable[..., Any]:
    from pylightningd.lightningd.dev_crash_io import CrashingTurn, kill_daemon

    def move(point: str) -> None:
        if isinstance(node.turn, CrashingTurn):
            node.turn.crash_at(point)

    node.config.on_change("dev-crash-at", move)
    return partial(
        CrashingTurn,
        crash_at=node.config["dev-crash-at"],
        kill_daemon=partial(kill_daemon, node),
    )


def make_supervisor(node: Node) -> None:
    """Set `daemons` and `fleet`; nothing runs yet."""
    from pylightningd.lightningd.control.fleet_io import Fleet
    from pylightningd.lightningd.supervise_io import Supervisor

    node.fleet = Fleet(node)
    node.daemons = Supervisor(
        log=node.log,
        spawn=node.spawn,
        on_vital_death=lambda name, how: node.fatal(f"{name} {how}: stopping"),
        should_restart=lambda name, code: not _dies_with_daemons(node, name),
        external=node.config["external-daemon"],
        base=node.config.folders.net_dir,
        log_level=node.log.lowest_printed,
    )
    node.on_stop.append(("daemons", node.daemons.shutdown))


def start_daemons_early(node: Node) -> None:
    """Those that `control/start_io.py` will want. Workers come when commands are answered: they are not needed for it."""
    node.fleet.start_early(["connectd", "gossipd"])


async def launch_hsmd(node: Node) -> None:
    """hsmd as a process that does not know its work yet."""
    from pylightningd.common.wire import hsmd_wire
    from pylightningd.lightningd.supervise_io import DaemonFailed, DaemonSpec

    spec = DaemonSpec(
        name="hsmd",
        module="pylightningd.hsmd",
        wires=(hsmd_wire,),
        args=("--hsm-secret", os.path.join(node.config.folders.net_dir, "hsm_secret")),
        vital=True,
        program=node.config.program_of("hsmd"),
    )
    try:
        node.hsm = await node.daemons.start(spec)
    except DaemonFailed as error:
        raise StartError(str(error)) from error


async def start_hsmd(node: Node) -> None:
    """Let hsmd read or make the secret; it tells who we are."""
    from pylightningd.common.bus.link import LinkClosed, Refused
    from pylightningd.common.wire.hsmd_wire import HsmdInit

    config = node.config
    request = HsmdInit(
        network=node.network.name,
        passphrase=config.passphrase,
        dev_node_key=config["dev-force-privkey"],
        dev_bip32_seed=config["dev-force-bip32-seed"],
        dev_channel_secrets=config["dev-force-channel-secrets"],
    )
    try:
        reply = await node.hsm.ask(request)
    except (Refused, LinkClosed) as error:
        missing = "Passphrase required" in str(error)
        raise StartError(
            f"hsmd: {error}{': start with --hsm-passphrase' if missing else ''}"
        ) from error
    node.node_id = reply.node_id
    node.bip32_base, node.bip86_base = reply.bip32_base, reply.bip86_base
    node.bolt12_base = reply.bolt12_base
    _set_alias_and_colour(node)


def _dies_with_daemons(node: Node, name: str) -> bool:
    """`--dev-fail-on-subdaemon-fail`: the node ends with any daemon that ends unasked."""
    if not (node.developer and node.config["dev-fail-on-subdaemon-fail"]) or node.stopping:
        return False
    node.fatal(f"{name} failed (--dev-fail-on-subdaemon-fail)")
    return True


def _set_alias_and_colour(node: Node) -> None:
    config = node.config
    if config["alias"] is None:
        config.show_default("alias", default_alias(node.node_id))
    if config["rgb"] is None:
        config.show_default("rgb", default_rgb(node.node_id))
    node.alias, node.rgb = config["alias"], config["rgb"]


async def start_backend(node: Node) -> None:
    """Let the plugin that speaks to bitcoind begin."""
    await node.plugins.init_all(backend_only=True)


async def start_rpc(node: Node) -> None:
    """Open the socket: from here on commands are answered."""
    from pylightningd.lightningd.rpc.server_io import RpcServer, SocketError

    node.rpc = RpcServer(node, node.dispatcher)
    try:
        await node.rpc.listen(node.config["rpc-file"], node.config["rpc-file-mode"])
    except SocketError as error:
        raise StartError(str(error)) from error


async def start_other_plugins(node: Node) -> None:
    """Tell all other plugins their options."""
    await node.plugins.init_all()
    node.plugins.startup = False


# The whole life


async def run_node(node: Node, on_up: Callable[[], None]) -> None:
    """Start, live, stop. `on_up` is called when all is up. Raises what `start_node` raises."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, node.request_stop, f"signal {number.name}")
    loop.add_signal_handler(signal.SIGHUP, node.log.reopen)
    if node.developer and node.config["dev-crash-after"]:
        loop.call_later(node.config["dev-crash-after"], _abort, node)
    try:
        await _start_unless_stopped(node)
        if not node.stopping:
            on_up()
        await node.until_stop_requested()
    finally:
        tell_systemd("STOPPING=1")
        node.request_stop("start failed", exit_code=1)
        await stop_node(node)


async def _start_unless_stopped(node: Node) -> None:
    """Start, but give up where the node is told to stop meanwhile."""
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(start_node(node), name="start")
        stop = group.create_task(node.until_stop_requested(), name="stop while starting")
        await asyncio.wait({starting, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
        stop.cancel()


async def stop_node(node: Node) -> None:
    """Take everything down, in reverse order. Always gets to the end."""
    node.log("info" if node.exit_code == 0 else "unusual", f"Stopping: {node.stop_reason}")
    for name, stop in reversed(node.on_stop):
        try:
            await stop()
        except Exception as error:
            node.bug(f"while stopping {name}", error)
    if hasattr(node, "turn"):
        node.turn.close("the node is stopping")
    if hasattr(node, "database"):
        node.database.close()
    if hasattr(node, "plugins"):
        await node.plugins.shutdown_last()
    node.say_farewell()
    if hasattr(node, "rpc"):
        for _ in range(3):  # those who called `stop` write their reply
            await asyncio.sleep(0)
        await node.rpc.close()
    await node.cancel_tasks()


def _abort(node: Node) -> None:
    node.log("broken", "dev-crash-after: still running after the time allowed")
    os.abort()
