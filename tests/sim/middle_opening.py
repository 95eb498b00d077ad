"""Two channels just opened: by Alice to the node in the middle, and by that one to Bob."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

from pylightningd.channeld import rows
from pylightningd.common.amount import Msat
from pylightningd.common.bitcoin import script as sc
from pylightningd.common.bitcoin.tx import TxOut
from pylightningd.common.channel.commitment_spec import CommitmentSpec
from pylightningd.common.channel.commitment_tx import make_commitment
from pylightningd.common.channel.fee_states import FeeStates
from pylightningd.common.channel.from_wire import commitment_keyset, commitment_params
from pylightningd.common.channel.htlc_states import Side
from pylightningd.common.channel_type import ChannelType
from pylightningd.common.ids import NodeId, Outpoint, ShortChannelId, Txid
from pylightningd.common.key_derivation import per_commitment_point
from pylightningd.common.keys import sign_compact
from pylightningd.common.secret import Secret
from pylightningd.common.wire import hsmd_wire as hw
from pylightningd.common.wire.common_wire import ChannelStatic
from pylightningd.lightningd.channels.channel import Channel, Policy
from pylightningd.lightningd.channels.states import ChannelState
from tests.lightningd.channels.rig_messages import make_channel
from tests.sim.chain import ToyChain
from tests.sim.chain_master import ChainMaster, Kept, first_commitment
from tests.sim.middle import CLTV_DELTA, Middle
from tests.sim.middle_world import NAMES, PUSH, Neighbour, World
from tests.sim.onchain_side import OnchainSide
from tests.sim.peers import FEERATE, FUNDING, INIT, Peer, make_row
from tests.sim.test_real_hsmd import WORKER, RealHsmd


def open_world(type_a: ChannelType, type_b: ChannelType) -> World:
    """Two channels just opened: by Alice to the middle, and by the middle to Bob."""
    ladder: list[str] = []
    chain = ToyChain(base=INIT.blockheight)
    hsmd = RealHsmd("middle")
    middle = Middle(chain, hsmd.hsm, ladder)
    neighbours: dict[str, Neighbour] = {}
    channels: list[Channel] = []
    for dbid, name, kind in ((1, "alice", type_a), (2, "bob", type_b)):
        near, channel = _open_channel(chain, hsmd, ladder, dbid, name, kind)
        neighbours[name] = near
        channels.append(channel)
    world = World(chain, middle, neighbours, ladder)
    middle.backend.on_send = world.saw_broadcast

    def first_rows(node: Any) -> None:
        for channel in channels:
            node.channels.store.insert(
                channel, node.channels.store.peer_row(channel.peer_id, "", b"")
            )

    middle.boot(first_rows)
    for name in NAMES:
        world.connect(name)
    world.settle()
    return world


def _open_channel(
    chain: ToyChain, middle: RealHsmd, ladder: list[str], dbid: int, name: str, kind: ChannelType
) -> tuple[Neighbour, Channel]:
    hsmd = RealHsmd(name)
    mine, theirs = middle.hsm.node.node_id, hsmd.hsm.node.node_id
    points = {}
    for who, link_dbid, peer_id in ((hsmd, 1, mine), (middle, dbid, theirs)):
        who.master(hw.HsmdAssignChannel(link_id=WORKER, peer_id=peer_id, dbid=link_dbid))
        reply: Any = who.master(hw.HsmdGetBasepoints(peer_id=peer_id, dbid=link_dbid))
        points[who.name] = reply.basepoints
    opener = name == "alice"
    row = make_row(name, "middle", opener=opener, channel_type=kind, push=PUSH)
    funding = Outpoint(Txid(sha256(b"funding %d" % dbid).digest()), 1)
    static = replace(
        row.channel,
        peer_id=mine,
        funding=funding,
        channel_id=funding.channel_id(),
        local_basepoints=points[name],
        remote_basepoints=points["middle"],
    )
    keys = {
        "middle": middle.hsm.node.channel(theirs, dbid),
        name: hsmd.hsm.node.channel(mine, 1),
    }
    first = {who: [per_commitment_point(k.shaseed, n) for n in (0, 1)] for who, k in keys.items()}
    hsmd.master(hw.HsmdSetupChannel(channel=static))
    row = replace(
        row,
        channel=static,
        remote_current_point=first["middle"][0],
        remote_next_point=first["middle"][1],
    )
    script = b"\x00\x14" + sha256(name.encode()).digest()[:20]
    master = ChainMaster(row, script=script)
    master.kept.append(_first(static, row.to_local, keys[name].shaseed, keys["middle"].funding))
    peer = Peer(name, master, hsmd, ladder)
    peer.start()
    pubkeys = (static.local_basepoints.funding_pubkey, static.remote_basepoints.funding_pubkey)
    height = INIT.blockheight - 6
    chain.mint(funding, TxOut(FUNDING, sc.p2wsh(sc.funding_script(*pubkeys))), height)
    scid = ShortChannelId.make(height, dbid, funding.index)
    near = Neighbour(peer, OnchainSide(peer, chain), dbid, scid)
    channel = _channel_of(near, static, NodeId(theirs), keys, first[name])
    return near, channel


def _first(static: ChannelStatic, to_local: Msat, seed: Secret, signer: Secret) -> Kept:
    """The commitment of the opening of `static`'s owner, with the other's signature."""
    params = commitment_params(static, Side.LOCAL)
    point = per_commitment_point(seed, 0)
    spec = CommitmentSpec(Side.LOCAL, FEERATE, to_local, FUNDING.to_msat() - to_local, ())
    made = make_commitment(params, commitment_keyset(static, Side.LOCAL, point), 0, spec)
    return first_commitment(made.tx, sign_compact(signer, made.sighash()), FEERATE)


def _channel_of(
    near: Neighbour,
    static: ChannelStatic,
    peer_id: NodeId,
    keys: dict[str, Any],
    points: list[bytes],
) -> Channel:
    """The same channel as the middle has it."""
    row = near.master.row
    mirrored = replace(
        static,
        dbid=near.dbid,
        peer_id=peer_id,
        we_are_opener=not static.we_are_opener,
        local_config=static.remote_config,
        remote_config=static.local_config,
        local_basepoints=static.remote_basepoints,
        remote_basepoints=static.local_basepoints,
    )
    kept = _first(mirrored, row.to_remote, keys["middle"].shaseed, keys[near.name].funding)
    opener = Side.LOCAL if mirrored.we_are_opener else Side.REMOTE
    return make_channel(
        near.dbid,
        static=mirrored,
        announce=False,
        state=ChannelState.CHANNELD_NORMAL,
        to_local=row.to_remote,
        to_remote=row.to_local,
        min_to_local=row.to_remote,
        max_to_local=row.to_remote,
        fees=rows.fee_rows(FeeStates.settled(opener, FEERATE)),
        remote_current_point=points[0],
        remote_next_point=points[1],
        last_tx=kept.tx,
        last_sig=kept.signature,
        short_channel_id=near.scid,
        local_alias=ShortChannelId(1000 + near.dbid),
        first_block=INIT.blockheight - 6,
        policy=Policy(
            fee_base_msat=1,
            fee_proportional_millionths=10,
            cltv_expiry_delta=CLTV_DELTA,
            htlc_minimum=Msat(0),
            htlc_maximum=Msat(10**9),
        ),
    )
