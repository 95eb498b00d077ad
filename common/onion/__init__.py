"""BOLT 4: the onion a payment or message travels in, and the failures that come back. Pure: no keys of ours.

Read `sphinx` first, then `payload` (what a hop is told), `failure` (what comes back), `blinding` and
`onion_message`. The node's own private key stays in hsmd: every ECDH result is passed in.
"""
