"""A Bitcoin Lightning node in Python.

Every import in this project starts with ``pylightningd``. In the source tree this folder holds one
link for each package folder beside it; an installed copy holds the packages themselves.
"""
