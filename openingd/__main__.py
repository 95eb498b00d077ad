"""Start openingd."""

from pylightningd.common.daemon_io import run
from pylightningd.openingd.shell import OpeningdShell

if __name__ == "__main__":
    run(OpeningdShell)
