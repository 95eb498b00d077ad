"""The process itself: folders, pid file, background, readiness told to systemd."""

from __future__ import annotations

import fcntl
import os
import struct
import sys

from pylightningd.lightningd.config import Config, ConfigError

_STATUS = struct.Struct("=i")


def make_folders(config: Config) -> None:
    """Make the node's folders and go into the network's. Raises ConfigError."""
    folders = config.folders
    for path in (folders.base_dir, folders.net_dir):
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"Could not make directory {path}: {error.strerror}") from error
    try:
        os.chdir(folders.net_dir)
    except OSError as error:
        raise ConfigError(
            f"Could not change directory {folders.net_dir}: {error.strerror}"
        ) from error


class PidFile:
    """The file that says who runs here, locked while we do."""

    def __init__(self, path: str) -> None:
        """Make and lock it. Raises ConfigError where another node has it."""
        self.path = os.path.abspath(path)
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"Failed to open PID file {self.path}: {error.strerror}") from error
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            running = os.read(self._fd, 32).decode(errors="replace").strip()
            os.close(self._fd)
            raise ConfigError(
                f"lightningd already running? Error locking PID file {self.path}"
                + (f" (process {running} has it)" if running else "")
                + ". Stop it first, or give this node another --lightning-dir."
            ) from None

    def write(self) -> None:
        """Put our number in."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Take the file away."""
        try:
            os.unlink(self.path)
        except OSError:
            pass  # gone already
        os.close(self._fd)


class Background:
    """`--daemon`: the first process waits until the node is up, and ends with the status it is told."""

    def __init__(self) -> None:
        """Fork. Returns in the child alone."""
        read_fd, write_fd = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork() > 0:
            os.close(write_fd)
            told = os.read(read_fd, _STATUS.size)
            os._exit(_STATUS.unpack(told)[0] if len(told) == _STATUS.size else 1)
        os.close(read_fd)
        os.setsid()
        self._fd: int | None = write_fd
        self._leave_terminal()

    @staticmethod
    def _leave_terminal() -> None:
        """Keep stderr for our own errors alone: what daemons and plugins inherit must not hold the terminal."""
        own_stderr = os.dup(2)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        sys.stderr = os.fdopen(own_stderr, "w", buffering=1)

    def ready(self) -> None:
        """We are up: let the first process end well, and let its terminal go."""
        if self._fd is None:
            return
        sys.stderr.close()
        sys.stderr = sys.__stderr__
        os.write(self._fd, _STATUS.pack(0))
        os.close(self._fd)
        self._fd = None


def own_process_group() -> None:
    """For `preexec_fn` of a child: Ctrl-C in a terminal is for lightningd alone, who then ends its children."""
    # Not a new session: test harnesses and service managers find what belongs to the node by its session.
    os.setpgid(0, 0)


def tell_systemd(state: str) -> None:
    """Tell the service manager something like ``READY=1``, if there is one."""
    if "NOTIFY_SOCKET" not in os.environ:
        return
    import sdnotify

    notifier = sdnotify.SystemdNotifier()
    notifier.notify(state)
    if notifier.socket is not None:
        notifier.socket.close()
