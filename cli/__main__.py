"""`python -m cli` is lightning-cli."""

import sys

from pylightningd.cli.main import main

sys.exit(main())
