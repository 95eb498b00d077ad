"""A network of real nodes under faults, and the count of every satoshi afterwards. See `__main__`."""
