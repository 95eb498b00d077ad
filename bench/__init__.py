"""Benchmarks: `make bench` prints a table. Not part of the tests."""
