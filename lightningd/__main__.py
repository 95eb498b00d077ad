"""The program `lightningd`: read the options, become a node, live until told to stop."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pylightningd.common.version import VERSION

if TYPE_CHECKING:
    from pylightningd.lightningd.config import Config
    from pylightningd.lightningd.log_io import Log
    from pylightningd.lightningd.node import Node


def main(argv: Sequence[str] | None = None) -> int:
    """Run with these words of the command line; the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if "--version" in words or "-V" in words:
        print(VERSION)
        return 0
    from pylightningd.lightningd.backup.secret_file_io import with_recover
    from pylightningd.lightningd.config import ConfigError, usage
    from pylightningd.lightningd.config_io import load_config

    try:
        config = load_config(with_recover(words))
        if config["list-features-only"]:
            _list_features()
            return 0
        if config["help"]:
            print(usage(config))
            return 0
        if config["test-daemons-only"]:
            return _test_daemons(config)
        return _run(config)
    except ConfigError as error:
        return _complain(str(error))


def _complain(text: str) -> int:
    _say(f"lightningd: {text}")
    return 1


def _say(text: str) -> None:
    """To stderr, if it can be written: it may be a file on a disk that is full."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _list_features() -> None:
    from pylightningd.common.features import encode_features, feature_names
    from pylightningd.lightningd.our_features import our_bits

    for name in feature_names(encode_features(our_bits())):
        print(name)
    print("supports_open_accept_channel_type")


def _test_daemons(config: Config) -> int:
    """Can each daemon be run? Says which cannot."""
    import subprocess

    from pylightningd.lightningd.config_table import SUBDAEMONS

    for name in SUBDAEMONS:
        program = config.program_of(name)
        command = [program] if program else [sys.executable, "-m", f"pylightningd.{name}"]
        try:
            done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)
        except OSError as error:
            return _complain(f"{name} cannot be run: {program}: {error.strerror}")
        if done.returncode != 0:
            return _complain(f"{name} cannot be run: {done.stderr.strip()}")
    return 0


def _refuse_unsupported(config: Config) -> None:
    from pylightningd.lightningd.config_table import NOT_SUPPORTED

    for name in NOT_SUPPORTED:
        for setting in config.settings_of(name):
            if config[name]:
                raise setting.error("is not supported by this node")


def _run(config: Config) -> int:
    from pylightningd.lightningd.backup.secret_file_io import (
        restore_secret,
        secret_to_restore,
        start_again,
    )
    from pylightningd.lightningd.config import ConfigError
    from pylightningd.lightningd.log_io import Log
    from pylightningd.lightningd.process_io import Background, PidFile, make_folders

    config.check_known()
    _refuse_unsupported(config)
    secret_to_restore(config)  # what is wrong with it is said before anything is made
    # Whatever we, our daemons and our plugins write is for the owner alone, unless an option says otherwise.
    os.umask(0o077)
    make_folders(config)
    _ask_passphrase(config)
    restore_secret(config)
    background = None
    if config["daemon"]:
        if not config["log-file"]:
            raise ConfigError("--daemon needs --log-file, for example --log-file=lightningd.log")
        background = Background()
    pid_file = PidFile(config["pid-file"])
    try:
        pid_file.write()
        log = Log()
        try:
            log.configure(
                levels=config.given("log-level") or [config["log-level"]],  # type: ignore[arg-type]  # never bare
                files=config["log-file"],
                prefix=config["log-prefix"],
                timestamps=config["log-timestamps"],
                json_format=config["log-format"] == "json",
            )
        except OSError as error:
            raise ConfigError(
                f"Failed to open log file {error.filename}: {error.strerror}"
            ) from error
        code = _live(config, log, background.ready if background is not None else _nothing)
    finally:
        pid_file.close()
    if config.recover_as is not None and code == 0:
        start_again(config.recover_as, config.folders.net_dir)
    return code


def _ask_passphrase(config: Config) -> None:
    if not (config["hsm-passphrase"] or config["encrypted-hsm"]):
        return
    from pathlib import Path

    from pylightningd.lightningd.passphrase_io import ask_passphrase

    is_new = not Path(config.folders.net_dir, "hsm_secret").exists()
    config.passphrase = ask_passphrase(confirm=is_new)


def _nothing() -> None:
    return None


def _live(config: Config, log: Log, on_up: Callable[[], None]) -> int:
    import asyncio

    import uvloop

    from pylightningd.common.errors import BackendError
    from pylightningd.lightningd.config import ConfigError
    from pylightningd.lightningd.node import Node
    from pylightningd.lightningd.startup_io import StartError, run_node
    from pylightningd.lightningd.supervise_io import DaemonFailed

    nodes: list[Node] = []

    async def life() -> None:
        node = Node(config, log)
        nodes.append(node)
        await run_node(node, on_up)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(life())
    except BaseExceptionGroup as group:
        leaves = _leaves(group)
        for error in leaves:
            if isinstance(error, StartError | ConfigError | BackendError | DaemonFailed):
                return _complain(str(error))
        return _crashed(nodes, leaves[0] if len(leaves) == 1 else group)
    except BaseException as error:
        return _crashed(nodes, error)
    node = nodes[0]
    if node.crash is not None:
        return _crashed(nodes, node.crash)
    if node.exit_code:
        return _complain(node.stop_reason) and node.exit_code
    return 0


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _crashed(nodes: list[Node], error: BaseException) -> int:
    """A bug: leave all we know in the log, in crash.log and on stderr."""
    trace = "".join(traceback.format_exception(error))
    _say(f"lightningd: FATAL (version {VERSION})\n{trace}")
    for node in nodes:
        node.log("broken", f"FATAL (version {VERSION})\n{trace}")
        name = node.log.write_crash_log(f"FATAL (version {VERSION})\n{trace}")
        if name is not None:
            _say(f"Log dumped in {name}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
