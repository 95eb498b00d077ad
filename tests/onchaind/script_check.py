"""A witness checked as a full node would: enough of bitcoin's script for the scripts of BOLT 3."""

from __future__ import annotations

from pylightningd.common.amount import Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.hashes import hash160
from pylightningd.common.bitcoin.sighash import bip143_sighash
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.keys import BadSignature, der_to_sig, verify_compact


class ScriptFailed(Exception):
    """The network would not take it."""


class Evaluator:
    """Runs one p2wsh input."""

    def __init__(self, tx: Tx, index: int, amount: Sat) -> None:
        self.tx, self.index, self.amount = tx, index, amount
        witness = tx.inputs[index].witness
        self.script = witness[-1]
        self.stack = list(witness[:-1])

    def run(self) -> None:
        """Raises ScriptFailed."""
        pos, branches = 0, []
        code = self.script
        while pos < len(code):
            op = code[pos]
            pos += 1
            data = None
            if 1 <= op <= 75:
                data, pos = code[pos : pos + op], pos + op
            live = all(branches)
            if op in (0x63, 0x64):
                taken = live and _truth(self.stack.pop()) is (op == 0x63)
                branches.append(taken if live else False)
            elif op == 0x67:
                branches[-1] = not branches[-1] and all(branches[:-1])
            elif op == 0x68:
                branches.pop()
            elif live:
                self._step(op, data)
        if len(self.stack) != 1 or not _truth(self.stack[0]):
            raise ScriptFailed(f"ends with {self.stack}")

    def _step(self, op: int, data: bytes | None) -> None:
        stack = self.stack
        if data is not None:
            stack.append(data)
        elif op == 0:
            stack.append(b"")
        elif 0x51 <= op <= 0x60:
            stack.append(bytes((op - 0x50,)))
        elif op == 0x76:
            stack.append(stack[-1])
        elif op == 0x73:
            if _truth(stack[-1]):
                stack.append(stack[-1])
        elif op == 0x75:
            stack.pop()
        elif op == 0x7C:
            stack[-1], stack[-2] = stack[-2], stack[-1]
        elif op == 0x82:
            stack.append(_number(len(stack[-1])))
        elif op == 0xA9:
            stack.append(hash160(stack.pop()))
        elif op in (0x87, 0x88):
            same = stack.pop() == stack.pop()
            self._result(same, op == 0x88)
        elif op in (0xAC, 0xAD):
            key, signature = stack.pop(), stack.pop()
            self._result(self._signed(key, signature), op == 0xAD)
        elif op == 0xAE:
            self._multisig()
        elif op == 0xB1:
            self._locktime(int.from_bytes(stack[-1], "little"))
        elif op == 0xB2:
            self._sequence(int.from_bytes(stack[-1], "little"))
        else:
            raise ScriptFailed(f"opcode {op:#x}")

    def _result(self, good: bool, verify: bool) -> None:
        if verify:
            if not good:
                raise ScriptFailed("VERIFY")
        else:
            self.stack.append(b"\x01" if good else b"")

    def _signed(self, key: bytes, signature: bytes) -> bool:
        if not signature:
            return False
        compact, kind = der_to_sig(signature)
        digest = bip143_sighash(self.tx, self.index, self.script, self.amount, kind)
        try:
            verify_compact(key, digest, compact)
        except BadSignature:
            raise ScriptFailed("NULLFAIL") from None
        return True

    def _multisig(self) -> None:
        keys = [self.stack.pop() for _ in range(self.stack.pop()[0])]
        signatures = [self.stack.pop() for _ in range(self.stack.pop()[0])]
        if self.stack.pop() != b"":
            raise ScriptFailed("NULLDUMMY")
        for key, signature in zip(keys, signatures, strict=True):
            if not self._signed(key, signature):
                raise ScriptFailed("multisig")
        self.stack.append(b"\x01")

    def _locktime(self, wanted: int) -> None:
        if self.tx.locktime < wanted or self.tx.inputs[self.index].sequence == 0xFFFFFFFF:
            raise ScriptFailed(f"locktime {self.tx.locktime}, not {wanted}")

    def _sequence(self, wanted: int) -> None:
        sequence = self.tx.inputs[self.index].sequence
        if sequence & 1 << 31 or sequence & 0xFFFF < wanted or self.tx.version < 2:
            raise ScriptFailed(f"sequence {sequence}, not {wanted}")


def _truth(item: bytes) -> bool:
    return any(item)


def _number(n: int) -> bytes:
    return n.to_bytes((n.bit_length() + 7) // 8, "little")


def check_spend(tx: Tx, index: int, spent_script: bytes, amount: Sat) -> None:
    """Raise ScriptFailed unless the input opens the p2wsh output."""
    witness = tx.inputs[index].witness
    if sc.p2wsh(witness[-1]) != spent_script:
        raise ScriptFailed("this is not the output's script")
    Evaluator(tx, index, amount).run()
