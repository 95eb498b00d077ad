"""From CSV to typed codecs: `read_csv` parses, `model` knows the types, `emit_code` writes Python.

Run `python -m tools.generate_wire` at the top of the tree; `--check` only says what is out of date.
"""
