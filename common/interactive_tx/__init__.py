"""Transactions that two peers make together (BOLT 2, "Interactive Transaction Construction").

Reading order: `construction` (who says what, and the rules of each message), `balance` (what each side puts in and
pays), `joint_tx` (the transaction and its outputs as values), `witnesses` (what tx_signatures may say).
Inputs and outputs are the wire's own `JointInput` and `JointOutput`. No I/O, no randomness: serial ids come from the caller.
"""
