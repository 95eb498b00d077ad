"""The echo daemon, which dies as by kill -9 at its first start: the folder of KILLED_ONCE remembers."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from pylightningd.common.daemon_io import run
from tests.bus.echo_daemon import EchoShell

if __name__ == "__main__":
    mark = Path(os.environ["KILLED_ONCE"], "mark")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    run(EchoShell)
