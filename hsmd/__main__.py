"""Start hsmd; lightningd does. ``--help`` says how to do it by hand."""

from pylightningd.common.daemon_io import run
from pylightningd.hsmd.shell import HsmdShell

if __name__ == "__main__":
    run(HsmdShell)
