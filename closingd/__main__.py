"""Start closingd."""

from pylightningd.closingd.shell import ClosingdShell
from pylightningd.common.daemon_io import run

if __name__ == "__main__":
    run(ClosingdShell)
