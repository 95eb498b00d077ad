"""Signatures are checked with the public keys the other side has."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from pylightningd.common.amount import Msat, Sat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.hashes import sha256d, tagged_hash
from pylightningd.common.bitcoin.psbt import Psbt
from pylightningd.common.bitcoin.sighash import bip143_sighash, taproot_tweak
from pylightningd.common.bitcoin.tx import Tx, TxIn, TxOut
from pylightningd.common.channel.commitment_tx import OutputKind, obscured_fields
from pylightningd.common.channel.htlc_tx import htlc_sighashes
from pylightningd.common.ids import NodeId, Outpoint, Txid
from pylightningd.common.key_derivation import (
    derive_pubkey,
    derive_revocation_pubkey,
    per_commitment_secret,
)
from pylightningd.common.keys import (
    ecdh,
    point_tweak_add,
    pubkey_from_secret,
    recover,
    schnorr_verify,
    taproot_tweak_pubkey,
    verify_compact,
    xonly,
)
from pylightningd.common.network import REGTEST
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as w
from pylightningd.hsmd.machine import Hsm
from pylightningd.hsmd.permissions import Refusal
from pylightningd.hsmd.sign_commitment import remote_commitment
from tests.hsmd.channels import ALICE, AMOUNT, BOB, FUNDING, content, hsm, node

ALICE_POINTS = ALICE.channel(BOB.node_id, 1).points
BOB_POINTS = BOB.channel(ALICE.node_id, 1).points
BOB_SHASEED = BOB.channel(ALICE.node_id, 1).shaseed
FUNDING_SCRIPT = sc.funding_script(ALICE_POINTS.funding_pubkey, BOB_POINTS.funding_pubkey)


def bob_point(number: int) -> bytes:
    return pubkey_from_secret(per_commitment_secret(BOB_SHASEED, number))


def ask(it: Hsm, msg: Any, link: int = 0) -> Any:
    return it.handle(link, msg)


@pytest.fixture
def alice() -> Hsm:
    return hsm(ALICE, BOB)


# ---- commitments -----------------------------------------------------------------------------


def sign_remote(it: Hsm, number: int, **more: Any) -> w.HsmdSignRemoteCommitmentReply:
    reply = ask(
        it,
        w.HsmdSignRemoteCommitment(
            dbid=1,
            remote_per_commitment_point=bob_point(number),
            content=replace(content(number), **more),
        ),
        7,
    )
    assert isinstance(reply, w.HsmdSignRemoteCommitmentReply)
    return reply


@pytest.mark.parametrize("anchors", [True, False])
def test_remote_commitment_and_its_htlcs(anchors: bool) -> None:
    it = hsm(ALICE, BOB, anchors=anchors)
    reply = sign_remote(it, 3)
    channel = it._channels[1]  # noqa: SLF001
    commitment = remote_commitment(channel, bob_point(3), content(3))
    verify_compact(ALICE_POINTS.funding_pubkey, commitment.sighash(), reply.signature)
    key = derive_pubkey(ALICE_POINTS.htlc, bob_point(3))
    digests = htlc_sighashes(commitment)
    assert len(digests) == len(reply.htlc_signatures) == 2
    for digest, signature in zip(digests, reply.htlc_signatures, strict=True):
        verify_compact(key, digest, signature)
    assert commitment.output_index(OutputKind.TO_LOCAL) is not None
    assert commitment.params.owner_is_opener is False


def test_both_sides_build_the_same_commitment(alice: Hsm) -> None:
    """Bob, as owner, names amounts as in the content; Alice signs exactly that transaction."""
    reply = sign_remote(alice, 0)
    bob = hsm(BOB, ALICE)
    tx = remote_commitment(alice._channels[1], bob_point(0), content(0)).tx  # noqa: SLF001
    local = ask(bob, w.HsmdSignLocalCommitment(dbid=1, number=0, for_chain=True, tx=tx.serialize()))
    digest = bip143_sighash(tx, 0, FUNDING_SCRIPT, AMOUNT)
    verify_compact(BOB_POINTS.funding_pubkey, digest, local.signature)
    verify_compact(ALICE_POINTS.funding_pubkey, digest, reply.signature)


def test_an_older_remote_commitment_is_refused(alice: Hsm) -> None:
    sign_remote(alice, 5)
    sign_remote(alice, 5)
    with pytest.raises(Refusal, match="older than 5"):
        sign_remote(alice, 4)


def test_a_commitment_cannot_pay_more_than_there_is(alice: Hsm) -> None:
    with pytest.raises(Refusal, match="more than the channel holds"):
        sign_remote(alice, 0, to_local=Msat(10**9))


def test_points_and_revocation(alice: Hsm) -> None:
    points = [ask(alice, w.HsmdGetPerCommitmentPoint(dbid=1, number=n), 7).point for n in range(4)]
    for number in (0, 1):
        reply = ask(alice, w.HsmdRevokeCommitment(dbid=1, number=number), 7)
        assert pubkey_from_secret(reply.old_secret) == points[number]
        assert reply.next_point == points[number + 2]
    check = w.HsmdCheckSecret(dbid=1, number=1, secret=reply.old_secret)
    assert ask(alice, check, 7).correct
    assert not ask(alice, replace(check, number=2), 7).correct
    with pytest.raises(Refusal, match="cannot be revoked before 2"):
        ask(alice, w.HsmdRevokeCommitment(dbid=1, number=3), 7)
    with pytest.raises(ValueError, match="not within"):
        ask(alice, w.HsmdGetPerCommitmentPoint(dbid=1, number=1 << 48), 7)


def local_tx(it: Hsm, number: int) -> bytes:
    factor = it._channels[1].facts.obscuring_factor  # noqa: SLF001
    locktime, sequence = obscured_fields(number, factor)
    return Tx(
        2,
        (TxIn(FUNDING.txid, FUNDING.index, b"", sequence),),
        (TxOut(Sat(1000), sc.p2wpkh(ALICE_POINTS.payment)),),
        locktime,
    ).serialize()


def test_a_revoked_local_commitment_is_never_signed(alice: Hsm) -> None:
    ask(alice, w.HsmdSignLocalCommitment(dbid=1, number=0, for_chain=False, tx=local_tx(alice, 0)))
    ask(alice, w.HsmdRevokeCommitment(dbid=1, number=0))
    with pytest.raises(Refusal, match="revoked"):
        ask(
            alice,
            w.HsmdSignLocalCommitment(dbid=1, number=0, for_chain=True, tx=local_tx(alice, 0)),
        )
    with pytest.raises(Refusal, match="is commitment 0, not 1"):
        ask(
            alice,
            w.HsmdSignLocalCommitment(dbid=1, number=1, for_chain=True, tx=local_tx(alice, 0)),
        )
    ask(alice, w.HsmdSignLocalCommitment(dbid=1, number=1, for_chain=True, tx=local_tx(alice, 1)))
    with pytest.raises(Refusal, match="1 was signed for the chain"):
        ask(alice, w.HsmdRevokeCommitment(dbid=1, number=1))
    ask(alice, w.HsmdRevokeCommitment(dbid=1, number=0))  # the peer may want the old secret again


def test_nothing_is_signed_before_setup() -> None:
    it = hsm(ALICE, BOB)
    it.handle(0, w.HsmdGetBasepoints(peer_id=BOB.node_id, dbid=2))
    with pytest.raises(Refusal, match="not set up"):
        ask(it, w.HsmdSignMutualClose(dbid=2, tx=local_tx(it, 0)))


def test_setup_with_base_points_that_are_not_ours_is_refused() -> None:
    from tests.hsmd.channels import static

    wrong = replace(static(ALICE, BOB, 1), local_basepoints=BOB_POINTS)
    with pytest.raises(Refusal, match="not ours"):
        ask(hsm(ALICE, BOB), w.HsmdSetupChannel(channel=wrong))


def test_basepoints(alice: Hsm) -> None:
    reply = ask(alice, w.HsmdGetBasepoints(peer_id=BOB.node_id, dbid=1))
    assert reply.basepoints == ALICE_POINTS


# ---- closing and on chain ----------------------------------------------------------------------


def test_mutual_close_signs_closings_only(alice: Hsm) -> None:
    tx = Tx(2, (TxIn(FUNDING.txid, FUNDING.index),), (TxOut(Sat(5), sc.p2wpkh(BOB.node_id)),))
    reply = ask(alice, w.HsmdSignMutualClose(dbid=1, tx=tx.serialize()))
    digest = bip143_sighash(tx, 0, FUNDING_SCRIPT, AMOUNT)
    verify_compact(ALICE_POINTS.funding_pubkey, digest, reply.signature)
    with pytest.raises(Refusal, match="looks like a commitment"):
        ask(alice, w.HsmdSignMutualClose(dbid=1, tx=local_tx(alice, 0)))
    # The output that the opener has really paid to, where it is not the one negotiated (shutdown's wrong_funding).
    other = replace(tx, inputs=(TxIn(Txid(b"o" * 32), 0),))
    reply = ask(alice, w.HsmdSignMutualClose(dbid=1, tx=other.serialize()))
    digest = bip143_sighash(other, 0, FUNDING_SCRIPT, AMOUNT)
    verify_compact(ALICE_POINTS.funding_pubkey, digest, reply.signature)
    two = replace(tx, inputs=(*tx.inputs, *other.inputs))
    with pytest.raises(Refusal, match="one output alone"):
        ask(alice, w.HsmdSignMutualClose(dbid=1, tx=two.serialize()))


CLAIM = Tx(2, (TxIn(Txid(b"c" * 32), 3),), (TxOut(Sat(900), sc.p2wpkh(ALICE.node_id)),))
SCRIPT = b"\x51" * 40
POINT = bob_point(9)
REVOKED = per_commitment_secret(BOB_SHASEED, 9)
ALICE_POINT = pubkey_from_secret(per_commitment_secret(ALICE.channel(BOB.node_id, 1).shaseed, 9))
FIELDS: dict[str, Any] = {
    "dbid": 1, "tx": CLAIM.serialize(), "input_index": 0, "amount": Sat(1000),
}  # fmt: skip


def claim(signer: int, **more: Any) -> w.ClaimInput:
    values = {"commitment_number": 0, "point": None, "revocation_secret": None} | more
    return w.ClaimInput(
        input_index=0, amount=Sat(1000), witness_script=SCRIPT, signer=signer, **values
    )


CLAIMS = (
    (claim(1, commitment_number=9), derive_pubkey(ALICE_POINTS.delayed_payment, ALICE_POINT)),
    (claim(2, commitment_number=9), derive_pubkey(ALICE_POINTS.htlc, ALICE_POINT)),
    (claim(3, point=POINT), derive_pubkey(ALICE_POINTS.htlc, POINT)),
    (claim(4, revocation_secret=REVOKED), derive_revocation_pubkey(ALICE_POINTS.revocation, POINT)),
)


def test_claims_on_chain(alice: Hsm) -> None:
    alice.add_link(9, 8)
    alice.handle(0, w.HsmdAssignChannel(link_id=9, peer_id=BOB.node_id, dbid=1))
    inputs = tuple(c for c, _ in CLAIMS)
    msg = w.HsmdSignClaims(dbid=1, tx=CLAIM.serialize(), inputs=inputs)
    signatures = ask(alice, msg, 9).signatures
    digest = bip143_sighash(CLAIM, 0, SCRIPT, Sat(1000))
    for (_, key), signature in zip(CLAIMS, signatures, strict=True):
        verify_compact(key, digest, signature)
    with pytest.raises(Refusal, match="no input 1"):
        ask(alice, replace(msg, inputs=(replace(inputs[0], input_index=1),)))
    with pytest.raises(Refusal, match="no key fits"):
        ask(alice, replace(msg, inputs=(claim(4),)))
    with pytest.raises(ValueError, match="transaction"):
        ask(alice, replace(msg, tx=b"\0" * 3))


def test_to_remote_on_chain(alice: Hsm) -> None:
    signature = ask(alice, w.HsmdSignToRemote(**FIELDS, witness_script=SCRIPT)).signature
    verify_compact(ALICE_POINTS.payment, bip143_sighash(CLAIM, 0, SCRIPT, Sat(1000)), signature)


def test_to_remote_without_anchors_is_a_plain_key(alice: Hsm) -> None:
    signature = ask(alice, w.HsmdSignToRemote(**FIELDS, witness_script=b"")).signature
    code = sc.p2wpkh_script_code(ALICE_POINTS.payment)
    verify_compact(ALICE_POINTS.payment, bip143_sighash(CLAIM, 0, code, Sat(1000)), signature)


def test_the_anchor_and_nothing_else_with_the_funding_key(alice: Hsm) -> None:
    script = sc.anchor_script(ALICE_POINTS.funding_pubkey)
    signature = ask(alice, w.HsmdSignAnchor(**FIELDS, witness_script=script)).signature
    digest = bip143_sighash(CLAIM, 0, script, Sat(1000))
    verify_compact(ALICE_POINTS.funding_pubkey, digest, signature)
    with pytest.raises(Refusal, match="not our anchor"):
        ask(alice, w.HsmdSignAnchor(**FIELDS, witness_script=FUNDING_SCRIPT))


# ---- the node's key --------------------------------------------------------------------------


def test_ecdh(alice: Hsm) -> None:
    reply = ask(alice, w.HsmdEcdh(points=(BOB.node_id, ALICE_POINTS.htlc)))
    assert reply.secrets[0] == Secret(ecdh(BOB.node_key, ALICE.node_id))
    with pytest.raises(ValueError, match="not a point"):
        ask(alice, w.HsmdEcdh(points=(b"\2" + b"\xff" * 32,)))


def announcement(*, swap: bool = False) -> bytes:
    nodes = [(ALICE.node_id, ALICE_POINTS.funding_pubkey), (BOB.node_id, BOB_POINTS.funding_pubkey)]
    nodes.sort()
    if swap:
        nodes = [(nodes[0][0], nodes[1][1]), (nodes[1][0], nodes[0][1])]
    head = b"\0\1\xaa" + REGTEST.chain_hash + bytes(8)
    return head + nodes[0][0] + nodes[1][0] + nodes[0][1] + nodes[1][1]


@pytest.mark.parametrize(("us", "them"), [(ALICE, BOB), (BOB, ALICE)])
def test_channel_announcement(us: Any, them: Any) -> None:
    it = hsm(us, them)
    msg = w.HsmdSignChannelAnnouncement(peer_id=them.node_id, dbid=1, announcement=announcement())
    reply = ask(it, msg)
    digest = sha256d(announcement())
    verify_compact(us.node_id, digest, reply.node_signature)
    funding = us.channel(them.node_id, 1).points.funding_pubkey
    verify_compact(funding, digest, reply.bitcoin_signature)
    for wrong in (announcement(swap=True), announcement()[:-1], b"", bytes(300)):
        with pytest.raises(Refusal, match="channel_announcement"):
            ask(it, replace(msg, announcement=wrong))


def test_gossip(alice: Hsm) -> None:
    update = b"\1\2" + bytes(64) + REGTEST.chain_hash + b"and more"
    node_ann = b"\1\1" + bytes(64) + b"\0\0" + bytes(4) + ALICE.node_id + b"and more"
    for raw in (update, node_ann):
        signed = ask(alice, w.HsmdSignGossip(message=raw)).message
        assert (signed[:2], signed[66:]) == (raw[:2], raw[66:])
        verify_compact(ALICE.node_id, sha256d(raw[66:]), signed[2:66])
    for wrong, text in (
        (update.replace(REGTEST.chain_hash, bytes(32)), "another chain"),
        (node_ann.replace(ALICE.node_id, BOB.node_id), "another node"),
        (b"\1\0" + bytes(200), "not gossip"),
    ):
        with pytest.raises(Refusal, match=text):
            ask(alice, w.HsmdSignGossip(message=wrong))


def test_messages_and_invoices_are_recoverable(alice: Hsm) -> None:
    from hashlib import sha256

    signature = ask(alice, w.HsmdSignMessage(message=b"hi")).signature
    digest = sha256d(b"Lightning Signed Message:hi")
    assert recover(digest, signature[:64], signature[64]) == ALICE.node_id
    signature = ask(alice, w.HsmdSignInvoice(hrp="lnbcrt1", data=b"data")).signature
    assert recover(sha256(b"lnbcrt1data").digest(), signature[:64], signature[64]) == ALICE.node_id
    with pytest.raises(Refusal, match="beginning of an invoice"):
        ask(alice, w.HsmdSignInvoice(hrp="bc1", data=b"data"))


def test_bolt12(alice: Hsm) -> None:
    msg = w.HsmdSignBolt12(
        messagename="invoice", fieldname="signature", merkle_root=b"m" * 32, public_tweak=b""
    )
    digest = tagged_hash("lightninginvoicesignature", b"m" * 32)
    schnorr_verify(xonly(ALICE.node_id), digest, ask(alice, msg).signature)
    # CLN's payer keys: node id + SHA256(makesecret("node-alias-base") || invreq_metadata).
    request = replace(msg, messagename="invoice_request", public_tweak=b"metadata")
    base = ask(alice, w.HsmdDeriveSecret(info=b"node-alias-base")).secret.reveal()
    alias = point_tweak_add(ALICE.node_id, sha256(base + b"metadata").digest())
    digest = tagged_hash("lightninginvoice_requestsignature", b"m" * 32)
    schnorr_verify(xonly(alias), digest, ask(alice, request).signature)


@pytest.mark.parametrize(
    ("messagename", "fieldname", "tweak"),
    [
        ("offer", "signature", b""),
        ("invoice", "proof_signature", b""),
        ("TapSighash", "", b""),
        ("invoice", "signature", b"metadata"),
    ],
)
def test_bolt12_signs_nothing_else(
    alice: Hsm, messagename: str, fieldname: str, tweak: bytes
) -> None:
    msg = w.HsmdSignBolt12(
        messagename=messagename, fieldname=fieldname, merkle_root=bytes(32), public_tweak=tweak
    )
    with pytest.raises(Refusal):
        ask(alice, msg)


def test_derived_secrets(alice: Hsm) -> None:
    assert ask(alice, w.HsmdDeriveSecret(info=b"x")).secret == ALICE.derived_secret(b"x")


# ---- the wallet --------------------------------------------------------------------------------


def wallet_input(n: int, script: bytes, **more: Any) -> w.WalletInput:
    fields: dict[str, Any] = {
        "key_index": n, "bip86": False, "close_dbid": 0, "close_peer_id": BOB.node_id, "csv_blocks": 0,
    }  # fmt: skip
    return w.WalletInput(
        outpoint=Outpoint(Txid(bytes((n,)) * 32), n),
        amount=Sat(10_000 + n),
        scriptpubkey=script,
        **{**fields, **more},
    )


def p2tr(pubkey: bytes) -> bytes:
    output, _ = taproot_tweak_pubkey(xonly(pubkey), taproot_tweak(xonly(pubkey)))
    return sc.p2tr(output)


def wallet_pubkey(n: int) -> bytes:
    return pubkey_from_secret(ALICE.wallet_key(n, bip86=False))


def test_withdrawal_signs_every_kind_of_ours_and_leaves_others(alice: Hsm) -> None:
    payment = ALICE_POINTS.payment
    inputs = [
        wallet_input(1, sc.p2wpkh(wallet_pubkey(1))),
        wallet_input(2, sc.p2sh_p2wpkh(wallet_pubkey(2))),
        wallet_input(3, p2tr(wallet_pubkey(3))),
        wallet_input(4, sc.p2wpkh(payment), close_dbid=1),
        wallet_input(5, sc.p2wsh(sc.to_remote_anchors_script(payment)), close_dbid=1, csv_blocks=1),
    ]
    psbt = Psbt.new()
    for one in inputs:
        psbt.add_input(one.outpoint, sequence=1)
    foreign = Outpoint(Txid(b"x" * 32), 0)
    psbt.add_input(foreign, utxo=TxOut(Sat(7), sc.p2wpkh(BOB.node_id)))
    psbt.add_output(TxOut(Sat(50_000), sc.p2wpkh(BOB.node_id)))
    reply = ask(alice, w.HsmdSignWithdrawal(inputs=tuple(inputs), psbt=psbt.to_base64()))
    signed = Psbt.from_base64(reply.psbt)
    assert not signed.finalize()
    assert [signed.is_input_finalized(n) for n in range(6)] == [True] * 5 + [False]


def test_withdrawal_refuses_what_is_not_as_said(alice: Hsm) -> None:
    ours = wallet_input(1, sc.p2wpkh(wallet_pubkey(1)))
    psbt = Psbt.new()
    psbt.add_input(ours.outpoint, utxo=TxOut(ours.amount, ours.scriptpubkey))
    psbt.add_output(TxOut(Sat(5_000), sc.p2wpkh(BOB.node_id)))
    text = psbt.to_base64()
    for wrong, reason in (
        (replace(ours, key_index=2), "no key of ours"),
        (replace(ours, amount=Sat(1)), "wrong about"),
        (replace(ours, outpoint=Outpoint(Txid(b"y" * 32), 0)), "does not spend"),
        (replace(ours, close_dbid=1), "no key of ours"),
    ):
        with pytest.raises(Refusal, match=reason):
            ask(alice, w.HsmdSignWithdrawal(inputs=(wrong,), psbt=text))
    with pytest.raises(ValueError, match="base64"):
        ask(alice, w.HsmdSignWithdrawal(inputs=(ours,), psbt="?"))


def test_unknown_peer_ids_make_other_keys() -> None:
    stranger = NodeId(node(9).node_id)
    assert ALICE.channel(stranger, 1).points != ALICE_POINTS
