"""The version that the node gives itself.

The first part is the Core Lightning release whose commands, options and files this one is compatible with: test
tools and plugins decide by it. What follows `-py` is this project's own version.
"""

CLN_VERSION = "v26.06.6"
OWN_VERSION = "0.1"
VERSION = f"{CLN_VERSION}-py{OWN_VERSION}"
