"""Run gossipd; lightningd does so. ``python -m pylightningd.gossipd --help`` tells how to do it by hand."""

from pylightningd.common.daemon_io import run
from pylightningd.gossipd.shell import GossipdShell

if __name__ == "__main__":
    run(GossipdShell)
