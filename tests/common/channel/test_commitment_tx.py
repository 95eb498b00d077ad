"""Commitment and HTLC transactions against BOLT 3's appendices C (legacy) and F (anchors)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin.sighash import SIGHASH_ALL, bip143_sighash
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.commitment_tx import (
    CommitmentTx,
    OutputKind,
    commitment_number_of,
    make_commitment,
)
from pylightningd.common.channel.htlc import Htlc
from pylightningd.common.channel.htlc_states import Side, last_add_state
from pylightningd.common.channel.htlc_tx import (
    htlc_sighashes,
    make_htlc_tx,
    make_htlc_txs,
    remote_sighash_type,
    signed_htlc_tx,
)
from pylightningd.common.keys import (
    pubkey_from_secret,
    sig_to_der,
    sign_compact,
    verify_compact,
)
from tests.common.channel import bolt03 as b3


def _legacy(vector: dict[str, Any]) -> CommitmentTx:
    return b3.commitment(
        anchors=False,
        feerate=vector["local_feerate_per_kw"],
        to_local=vector["to_local_msat"],
        to_remote=vector["to_remote_msat"],
        htlcs=b3.htlcs_for(vector["name"]),
    )


def _anchors(vector: dict[str, Any]) -> CommitmentTx:
    return b3.commitment(
        anchors=True,
        feerate=vector["FeePerKw"],
        to_local=vector["LocalBalance"],
        to_remote=vector["RemoteBalance"],
        htlcs=b3.htlcs_for(vector["Name"]),
        dust_limit=vector["DustLimitSatoshis"],
    )


def _check(
    made: CommitmentTx, commit_hex: str, remote_der: str, htlcs: list[tuple[str, str]]
) -> None:
    """Sign as both sides and compare: the commitment, and each HTLC transaction with its signature."""
    digest = made.sighash()
    ours = sign_compact(b3.LOCAL_FUNDING, digest, grind=False)
    theirs = sign_compact(b3.REMOTE_FUNDING, digest, grind=False)
    assert sig_to_der(theirs, SIGHASH_ALL)[:-1].hex() == remote_der
    verify_compact(made.params.other_funding_key, digest, theirs)
    assert made.signed(ours, theirs).serialize().hex() == commit_hex

    digests = htlc_sighashes(made)
    own_digests = htlc_sighashes(made, SIGHASH_ALL)
    txs = make_htlc_txs(made)
    assert len(digests) == len(txs) == len(htlcs)
    kind = remote_sighash_type(anchors=made.params.anchors)
    for (index, tx), digest, own, (der, tx_hex) in zip(
        txs, digests, own_digests, htlcs, strict=True
    ):
        output = made.outputs[index]
        assert digest == bip143_sighash(tx, 0, output.witness_script, output.amount, kind)
        remote = sign_compact(b3.REMOTE_HTLC, digest, grind=False)
        assert sig_to_der(remote, kind)[:-1].hex() == der
        verify_compact(made.keys.other_htlc, digest, remote)
        local = sign_compact(b3.LOCAL_HTLC, own, grind=False)
        preimage = None
        if output.kind is OutputKind.RECEIVED_HTLC:
            assert output.htlc is not None
            preimage = b3.PREIMAGES[output.htlc.id]
        assert signed_htlc_tx(made, index, local, remote, preimage).serialize().hex() == tx_hex


def test_keys_are_those_of_the_appendix() -> None:
    assert pubkey_from_secret(b3.LOCAL_HTLC) == b3.KEYS.owner_htlc
    assert pubkey_from_secret(b3.REMOTE_HTLC) == b3.KEYS.other_htlc
    assert b3.KEYS.revocation.hex() == (
        "0212a140cd0c6539d07cd08dfe09984dec3251ea808b892efeac3ede9402bf2b19"
    )
    assert b3.KEYS.owner_delayed.hex() == (
        "03fd5960528dc152014952efdb702a88f71e3c1653b2314431701ec77e57fde83c"
    )
    assert b3.params(anchors=False).obscuring_factor == 0x2BB038521914


@pytest.mark.parametrize("vector", b3.VECTORS["legacy"], ids=lambda v: v["name"])
def test_legacy_vectors(vector: dict[str, Any]) -> None:
    made = _legacy(vector)
    if "actual_fee" in vector:
        assert made.fee.sat == vector["actual_fee"]
    htlcs = [(h["remote_signature"], h["tx"]) for h in vector["htlcs"]]
    _check(made, vector["commit_tx"], vector["remote_signature"], htlcs)
    assert [h.id for h in made.untrimmed] == [h["htlc"] for h in vector["htlcs"]]


@pytest.mark.parametrize("vector", b3.VECTORS["anchors"], ids=lambda v: v["Name"])
def test_anchor_vectors(vector: dict[str, Any]) -> None:
    htlcs = [(h["RemoteSigHex"], h["ResolutionTxHex"]) for h in vector["HtlcDescs"]]
    made = _anchors(vector)
    _check(made, vector["ExpectedCommitmentTxHex"], vector["RemoteSigHex"], htlcs)


def test_number_is_found_on_chain() -> None:
    made = _legacy(b3.VECTORS["legacy"][0])
    factor = made.params.obscuring_factor
    assert commitment_number_of(made.tx, factor) == b3.NUMBER
    funding = Tx.parse(bytes.fromhex(b3.VECTORS["funding_tx"]))
    assert commitment_number_of(funding, factor) is None


def test_funding_transaction_pays_to_the_funding_script() -> None:
    funding = Tx.parse(bytes.fromhex(b3.VECTORS["funding_tx"]))
    assert funding.txid() == b3.FUNDING.txid
    made = _legacy(b3.VECTORS["legacy"][0])
    assert funding.outputs[0].amount == made.params.funding_amount


def test_output_kinds_of_a_full_anchor_commitment() -> None:
    made = b3.commitment(
        anchors=True, feerate=645, to_local=6_988_000_000, to_remote=3_000_000_000,
        htlcs=b3.HTLCS[:5],
    )  # fmt: skip
    kinds = [o.kind for o in made.outputs]
    assert kinds.count(OutputKind.OFFERED_HTLC) == 2
    assert kinds.count(OutputKind.RECEIVED_HTLC) == 3
    index = made.output_index(OutputKind.TO_LOCAL)
    assert index is not None
    assert made.tx.outputs[index].amount == made.outputs[index].amount
    assert [h is not None for h in made.htlc_map] == [o.htlc is not None for o in made.outputs]


def _mirrored(htlc: Htlc) -> Htlc:
    state = last_add_state(htlc.offerer.other)
    return replace(htlc, offerer=htlc.offerer.other, state=state)


@pytest.mark.parametrize("anchors", [False, True])
def test_the_peers_commitment_is_the_same_seen_from_the_other_side(anchors: bool) -> None:
    spec = CommitmentSpec(Side.LOCAL, 500, Msat(6_988_000_000), Msat(3_000_000_000), b3.HTLCS[:5])
    mirrored = CommitmentSpec(
        Side.REMOTE, 500, spec.to_owner, spec.to_other, tuple(map(_mirrored, spec.htlcs))
    )
    params = b3.params(anchors=anchors)
    ours = make_commitment(params, b3.KEYS, 7, spec)
    theirs = make_commitment(params, b3.KEYS, 7, mirrored)
    assert ours.tx == theirs.tx
    assert htlc_sighashes(ours) == htlc_sighashes(theirs)


def test_the_accepter_pays_no_fee() -> None:
    params = replace(b3.params(anchors=True), owner_is_opener=False)
    spec = CommitmentSpec(Side.LOCAL, 1000, Msat(1_000_999), Msat(5_000_000), ())
    made = make_commitment(params, b3.KEYS, 0, spec)
    amounts = {o.kind: o.amount.sat for o in made.outputs}
    assert amounts[OutputKind.TO_LOCAL] == 1000
    assert amounts[OutputKind.TO_REMOTE] == 5000 - 1124 - 660


def test_only_htlc_outputs_have_htlc_transactions() -> None:
    made = _legacy(b3.VECTORS["legacy"][0])
    with pytest.raises(ValueError, match="not an HTLC"):
        make_htlc_tx(made, 0)
