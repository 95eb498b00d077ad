"""A child process and everything it starts: one process group, ended by its id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.regtest.waiting import TIMEOUT_S, wait_for

STOP_TIMEOUT_S = TIMEOUT_S / 2


class ProcessGroup:
    """Starts a program as leader of its own group, so that its children can be found and ended with it."""

    def __init__(self, command: list[str], output: Path, env: dict[str, str] | None = None) -> None:
        with open(output, "ab") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=env,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while the leader runs; negative: killed by that signal."""
        return self._process.poll()

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait for the leader's end. Raises TimeoutError."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(
                f"process {self.pid} did not end within {timeout_s:.0f} s"
            ) from error

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the leader only."""
        if self.exit_code is None:
            os.kill(self.pid, number)

    def members(self) -> dict[int, str]:
        """Living processes of the group, or of its session: id -> command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                state, group, session = fields[0], int(fields[2]), int(fields[3])
                if self.pid in (group, session) and state != "Z":
                    found[int(entry.name)] = (
                        (entry / "cmdline").read_text().replace("\0", " ").strip()
                    )
            except (OSError, ValueError, IndexError):
                continue
        return found

    def wait_gone(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Wait until the children have ended too (they must notice the leader's death by themselves)."""
        wait_for(lambda: not self.members(), f"the end of {self.members()}", timeout_s)

    def kill_all(self) -> None:
        """End what is left of the group, hard."""
        for pid in {self.pid, *self.members()} if self.exit_code is None else self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
