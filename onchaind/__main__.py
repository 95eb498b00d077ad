"""Start onchaind."""

from pylightningd.common.daemon_io import run
from pylightningd.onchaind.shell import OnchaindShell

if __name__ == "__main__":
    run(OnchaindShell)
