"""``python -m pylightningd.connectd``."""

from pylightningd.common.daemon_io import run
from pylightningd.connectd.shell import ConnectdShell

if __name__ == "__main__":
    run(ConnectdShell)
