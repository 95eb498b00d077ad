"""One channel as hsmd sees it: our secrets of it, and, once set up, its static facts."""

from __future__ import annotations

from hashlib import sha256

from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import Tx
from pylightningd.common.channel import keyset
from pylightningd.common.channel.commitment_tx import CommitmentParams
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.ids import NodeId
from pylightningd.common.key_derivation import per_commitment_point, per_commitment_secret
from pylightningd.common.keys import secret_tweak_add
from pylightningd.common.secret import Secret
from pylightningd.common.wire.common_wire import Basepoints, ChannelStatic
from pylightningd.hsmd.derive import ChannelSecrets
from pylightningd.hsmd.enforcement import channel_key
from pylightningd.hsmd.permissions import Refusal


class Channel:
    """Keys and facts of one channel."""

    def __init__(self, peer_id: NodeId, dbid: int, secrets: ChannelSecrets) -> None:
        self.peer_id = peer_id
        self.dbid = dbid
        self.secrets = secrets
        self.record_key = channel_key(peer_id, dbid)
        self._facts: _Facts | None = None

    @property
    def points(self) -> Basepoints:
        """Our public keys."""
        return self.secrets.points

    @property
    def facts(self) -> _Facts:
        """What `hsmd_setup_channel` told. Raises Refusal before that."""
        if self._facts is None:
            raise Refusal(f"channel {self.dbid} is not set up")
        return self._facts

    def set_up(self, static: ChannelStatic) -> None:
        """Take the facts. Raises Refusal where they do not fit our keys."""
        if static.local_basepoints != self.points:
            raise Refusal(f"the local base points of channel {self.dbid} are not ours")
        self._facts = _Facts(static)

    def htlc_key(self, point: bytes) -> Secret:
        """Our HTLC key in the commitment with this per-commitment point."""
        # BOLT 3, "Key Derivation": as `derive_privkey`, with the base point at hand.
        return secret_tweak_add(self.secrets.htlc, sha256(point + self.points.htlc).digest())

    def commitment_point(self, number: int) -> bytes:
        """Our per-commitment point. Raises ShachainError for a number out of range."""
        return per_commitment_point(self.secrets.shaseed, number)

    def commitment_secret(self, number: int) -> Secret:
        """Our per-commitment secret. Raises ShachainError for a number out of range."""
        return per_commitment_secret(self.secrets.shaseed, number)


class _Facts:
    """What follows from a `ChannelStatic`, worked out once."""

    def __init__(self, static: ChannelStatic) -> None:
        self.static = static
        local, remote = static.local_basepoints, static.remote_basepoints
        self.anchors = ChannelType.decode(static.channel_type).has_anchors
        self.local_points = _keyset_points(local)
        self.remote_points = _keyset_points(remote)
        self.funding_script = sc.funding_script(local.funding_pubkey, remote.funding_pubkey)
        opener, accepter = (local, remote) if static.we_are_opener else (remote, local)
        self.obscuring_factor = keyset.obscuring_factor(opener.payment, accepter.payment)
        self.remote_params = CommitmentParams(
            funding=static.funding,
            funding_amount=static.funding_amount,
            owner_funding_key=remote.funding_pubkey,
            other_funding_key=local.funding_pubkey,
            owner_is_opener=not static.we_are_opener,
            to_self_delay=static.local_config.to_self_delay,
            dust_limit=static.remote_config.dust_limit,
            anchors=self.anchors,
            obscuring_factor=self.obscuring_factor,
        )

    def check_spends_funding(self, tx: Tx) -> None:
        """Raise Refusal unless the transaction spends the funding output and nothing else."""
        if len(tx.inputs) != 1 or tx.inputs[0].outpoint != self.static.funding:
            raise Refusal("the transaction does not spend this channel's funding output alone")

    def check_spends_one_output(self, tx: Tx) -> None:
        """Raise Refusal unless the transaction spends one output: the funding output, or the one really paid to instead.

        Which one does not matter for a mutual close: the signature holds only for an output with the channel's script.
        """
        if len(tx.inputs) != 1:
            raise Refusal("a closing transaction spends one output alone")


def _keyset_points(points: Basepoints) -> keyset.Basepoints:
    return keyset.Basepoints(
        revocation=points.revocation,
        payment=points.payment,
        htlc=points.htlc,
        delayed_payment=points.delayed_payment,
    )
