"""``python -m pylightningd.channeld``."""

from pylightningd.channeld.shell import ChanneldShell
from pylightningd.common.daemon_io import run

if __name__ == "__main__":
    run(ChanneldShell)
