"""Scripts: the standard outputs, those of BOLT 3, and what a `shutdown` may pay to.

In BOLT 3's scripts "local" is the owner of the commitment transaction; here it is called `owner`,
because the owner may be our peer, and the other party `other`.
"""

from __future__ import annotations

from hashlib import sha256

from pylightningd.common.bitcoin.hashes import hash160, ripemd160

OP_0 = b"\x00"
OP_1 = b"\x51"
OP_2 = b"\x52"
OP_16 = b"\x60"
OP_IF = b"\x63"
OP_NOTIF = b"\x64"
OP_ELSE = b"\x67"
OP_ENDIF = b"\x68"
OP_RETURN = b"\x6a"
OP_IFDUP = b"\x73"
OP_DROP = b"\x75"
OP_DUP = b"\x76"
OP_SWAP = b"\x7c"
OP_SIZE = b"\x82"
OP_EQUAL = b"\x87"
OP_EQUALVERIFY = b"\x88"
OP_HASH160 = b"\xa9"
OP_CHECKSIG = b"\xac"
OP_CHECKSIGVERIFY = b"\xad"
OP_CHECKMULTISIG = b"\xae"
OP_CLTV = b"\xb1"
OP_CSV = b"\xb2"

_CSV_1_DROP = OP_1 + OP_CSV + OP_DROP


def push(data: bytes) -> bytes:
    """Push up to 255 bytes."""
    n = len(data)
    return bytes((n,)) + data if n <= 75 else bytes((0x4C, n)) + data


def push_number(n: int) -> bytes:
    """Push a number that is not negative, in its shortest form."""
    if n == 0:
        return OP_0
    if n <= 16:
        return bytes((0x50 + n,))
    # One bit more than needed, since the top bit is the sign.
    return push(n.to_bytes(n.bit_length() // 8 + 1, "little"))


# ---- standard outputs ---------------------------------------------------------------------------


def p2pkh(pubkey_hash: bytes) -> bytes:
    """Output to the hash of a key."""
    return OP_DUP + OP_HASH160 + push(pubkey_hash) + OP_EQUALVERIFY + OP_CHECKSIG


def p2sh(script_hash: bytes) -> bytes:
    """Output to the hash of a script."""
    return OP_HASH160 + push(script_hash) + OP_EQUAL


def p2sh_p2wpkh(pubkey: bytes) -> bytes:
    """Output to a key's p2wpkh inside a p2sh."""
    return p2sh(hash160(p2wpkh(pubkey)))


def p2wpkh(pubkey: bytes) -> bytes:
    """Segwit output to a compressed key."""
    return b"\x00\x14" + hash160(pubkey)


def p2wpkh_script_code(pubkey: bytes) -> bytes:
    """What a signature for a p2wpkh input covers in place of the script."""
    return p2pkh(hash160(pubkey))


def p2wsh(witness_script: bytes) -> bytes:
    """Segwit output to a script."""
    return b"\x00\x20" + sha256(witness_script).digest()


def p2tr(output_key: bytes) -> bytes:
    """Taproot output to an x-only key that is tweaked already."""
    return b"\x51\x20" + output_key


def is_p2pkh(script: bytes) -> bool:
    """Whether it pays to a key's hash."""
    return len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac"


def is_p2sh(script: bytes) -> bool:
    """Whether it pays to a script's hash."""
    return len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87"


def is_p2wpkh(script: bytes) -> bool:
    """Whether it is a version 0 program of 20 bytes."""
    return len(script) == 22 and script[:2] == b"\x00\x14"


def is_p2wsh(script: bytes) -> bool:
    """Whether it is a version 0 program of 32 bytes."""
    return len(script) == 34 and script[:2] == b"\x00\x20"


def is_p2tr(script: bytes) -> bool:
    """Whether it is a version 1 program of 32 bytes."""
    return len(script) == 34 and script[:2] == b"\x51\x20"


def witness_program(script: bytes) -> tuple[int, bytes] | None:
    """Version and program of any segwit output, else None."""
    if not 4 <= len(script) <= 42 or script[1] != len(script) - 2:
        return None
    if script[0] == 0:
        return 0, script[2:]
    if 0x51 <= script[0] <= 0x60:
        return script[0] - 0x50, script[2:]
    return None


def is_anysegwit(script: bytes) -> bool:
    """Whether it is a segwit output of version 1 to 16 with a program of 2 to 40 bytes."""
    program = witness_program(script)
    return program is not None and program[0] >= 1


def is_op_return(script: bytes) -> bool:
    """Whether it is what BOLT 2 lets a `shutdown` burn to: OP_RETURN and one push of 6 to 80 bytes."""
    if script[:1] != OP_RETURN or len(script) < 2:
        return False
    if 6 <= script[1] <= 75:
        return len(script) == 2 + script[1]
    return (
        script[1] == 0x4C
        and len(script) > 2
        and 76 <= script[2] <= 80
        and len(script) == 3 + script[2]
    )


def is_valid_shutdown_script(
    script: bytes, *, anysegwit: bool, simple_close: bool = False, allow_old: bool = False
) -> bool:
    """Whether `shutdown` (or upfront_shutdown_script) may name this scriptpubkey.

    `anysegwit` and `simple_close`: the features both sides offered. `allow_old`: p2pkh and p2sh,
    which older versions of the spec allowed and which anchors forbid.
    """
    # BOLT 2, "Closing Initiation: `shutdown`": version 0 programs of 20 or 32 bytes; with
    # option_shutdown_anysegwit later versions; with option_simple_close also OP_RETURN.
    return (
        is_p2wpkh(script)
        or is_p2wsh(script)
        or (anysegwit and is_anysegwit(script))
        or (simple_close and is_op_return(script))
        or (allow_old and (is_p2pkh(script) or is_p2sh(script)))
    )


# ---- BOLT 3 -------------------------------------------------------------------------------------


def funding_script(key1: bytes, key2: bytes) -> bytes:
    """Witness script of a funding output; the order of the keys does not matter."""
    # BOLT 3, "Funding Transaction Output": the lesser key stands first.
    low, high = sorted((key1, key2))
    return OP_2 + push(low) + push(high) + OP_2 + OP_CHECKMULTISIG


def funding_witness(
    key1: bytes, sig1: bytes, key2: bytes, sig2: bytes, script: bytes | None = None
) -> tuple[bytes, ...]:
    """Witness that spends a funding output, from DER signatures of both keys."""
    first, second = (sig1, sig2) if key1 < key2 else (sig2, sig1)
    return b"", first, second, script if script is not None else funding_script(key1, key2)


def to_local_script(revocation: bytes, delayed: bytes, to_self_delay: int) -> bytes:
    """Witness script of the owner's delayed output, and of what HTLC transactions pay to."""
    # BOLT 3, "`to_local` Output".
    return (
        OP_IF + push(revocation)
        + OP_ELSE + push_number(to_self_delay) + OP_CSV + OP_DROP + push(delayed)
        + OP_ENDIF + OP_CHECKSIG
    )  # fmt: skip


def to_remote_anchors_script(other_payment: bytes) -> bytes:
    """Witness script of the other party's output under anchors."""
    # BOLT 3, "`to_remote` Output": with option_anchors a lock of one block.
    return push(other_payment) + OP_CHECKSIGVERIFY + OP_1 + OP_CSV


def anchor_script(funding_key: bytes) -> bytes:
    """Witness script of an anchor."""
    return push(funding_key) + OP_CHECKSIG + OP_IFDUP + OP_NOTIF + OP_16 + OP_CSV + OP_ENDIF


def htlc_script_parts(
    owner_htlc: bytes, other_htlc: bytes, revocation: bytes, *, anchors: bool
) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """What is the same in all HTLC scripts of one commitment.

    Returns (head, offered middle, offered tail, received middle, received tail): an offered HTLC is
    head + middle + ripemd160(payment_hash) + tail; a received one goes on with its expiry and
    `received_end`.
    """
    head = (
        OP_DUP + OP_HASH160 + push(hash160(revocation)) + OP_EQUAL
        + OP_IF + OP_CHECKSIG
        + OP_ELSE + push(other_htlc) + OP_SWAP + OP_SIZE + b"\x01\x20" + OP_EQUAL
    )  # fmt: skip
    two_of_two = OP_2 + OP_SWAP + push(owner_htlc) + OP_2 + OP_CHECKMULTISIG
    end = OP_ENDIF + (_CSV_1_DROP if anchors else b"") + OP_ENDIF
    offered_middle = OP_NOTIF + OP_DROP + two_of_two + OP_ELSE + OP_HASH160 + b"\x14"
    offered_tail = OP_EQUALVERIFY + OP_CHECKSIG + end
    received_middle = OP_IF + OP_HASH160 + b"\x14"
    received_tail = OP_EQUALVERIFY + two_of_two + OP_ELSE + OP_DROP
    return (
        head,
        offered_middle,
        offered_tail,
        received_middle,
        received_tail,
    )


def received_end(*, anchors: bool) -> bytes:
    """What follows the expiry in a received HTLC's script."""
    return OP_CLTV + OP_DROP + OP_CHECKSIG + OP_ENDIF + (_CSV_1_DROP if anchors else b"") + OP_ENDIF


def offered_htlc_script(
    owner_htlc: bytes, other_htlc: bytes, revocation: bytes, payment_hash: bytes, *, anchors: bool
) -> bytes:
    """Witness script of an HTLC that the commitment's owner offered."""
    # BOLT 3, "Offered HTLC Outputs".
    head, middle, tail, _, _ = htlc_script_parts(
        owner_htlc, other_htlc, revocation, anchors=anchors
    )
    return head + middle + ripemd160(payment_hash) + tail


def received_htlc_script(
    owner_htlc: bytes,
    other_htlc: bytes,
    revocation: bytes,
    payment_hash: bytes,
    cltv_expiry: int,
    *,
    anchors: bool,
) -> bytes:
    """Witness script of an HTLC that the commitment's owner received."""
    # BOLT 3, "Received HTLC Outputs".
    head, _, _, middle, tail = htlc_script_parts(
        owner_htlc, other_htlc, revocation, anchors=anchors
    )
    return (
        head + middle + ripemd160(payment_hash) + tail
        + push_number(cltv_expiry) + received_end(anchors=anchors)
    )  # fmt: skip
