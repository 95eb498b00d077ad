"""All that one node says of its money, read at about one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.regtest.htlc_books import Htlc, read_htlcs
from tests.regtest.ledger import Coin
from tests.regtest.node import Node

OPEN = ("CHANNELD_AWAITING_LOCKIN", "CHANNELD_NORMAL", "CHANNELD_SHUTTING_DOWN")


@dataclass(frozen=True)
class Channel:
    """One end of a channel that was ever funded."""

    channel_id: str
    coin: Coin
    """The funding output."""
    state: str
    opened_by_us: bool
    total_msat: int
    begin_msat: int
    """Our part when it was opened."""
    now_msat: int
    htlcs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    """`onchain_outputs` of listpeerchannels."""

    @property
    def htlcs_msat(self) -> int:
        """What HTLCs under way may still move."""
        return sum(htlc["amount_msat"] for htlc in self.htlcs)

    def __str__(self) -> str:
        now = f"{self.now_msat} of {self.total_msat} msat, began with {self.begin_msat}"
        return f"channel {self.channel_id[:16]} ({self.state}, {now}, {len(self.htlcs)} HTLCs)"


@dataclass
class Account:
    """A node's answers."""

    name: str
    info: dict[str, Any]
    coins: dict[Coin, tuple[str, int]]
    """Status and sat of each coin of listfunds, spent ones too."""
    addresses: set[str]
    channels: list[Channel]
    funded: list[dict[str, Any]]
    """The channels of listfunds."""
    invoices: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    forwards: list[dict[str, Any]]
    htlcs: list[Htlc]
    chain_moves: list[dict[str, Any]]
    channel_moves: list[dict[str, Any]]
    reorganised: bool = field(default=False)
    """It has seen blocks that are gone."""

    @classmethod
    def read(cls, node: Node) -> Account:
        """Ask a running node."""
        funds = node.rpc("listfunds", spent=True)
        return cls(
            name=node.name,
            info=node.rpc("getinfo"),
            coins={
                (o["txid"], o["output"]): (o["status"], o["amount_msat"] // 1000)
                for o in funds["outputs"]
            },
            addresses=addresses_of(node),
            channels=_all_channels(node),
            funded=funds["channels"],
            invoices=node.rpc("listinvoices")["invoices"],
            parts=node.rpc("listsendpays")["payments"],
            forwards=node.rpc("listforwards")["forwards"],
            htlcs=read_htlcs(node),
            chain_moves=node.rpc("listchainmoves")["chainmoves"],
            channel_moves=node.rpc("listchannelmoves")["channelmoves"],
            reorganised=node.log.contains("Removing stale block") is not None,
        )


def addresses_of(node: Node) -> set[str]:
    """All addresses of the node's wallet."""
    mine: set[str] = set()
    for entry in node.rpc("dev-listaddrs")["addresses"]:
        mine |= {v for k, v in entry.items() if k != "keyidx"}
    return mine


def _all_channels(node: Node) -> list[Channel]:
    found = [_living(channel) for channel in node.channels() if "funding_txid" in channel]
    known = {channel.channel_id for channel in found}
    for channel in node.rpc("listclosedchannels")["closedchannels"]:
        if channel["channel_id"] not in known:
            found.append(_closed(channel))
    return found


def _living(channel: dict[str, Any]) -> Channel:
    paid = channel["funding"]["local_funds_msat"]  # both sides may have paid
    pushed = channel["funding"].get("pushed_msat", 0)
    return _channel(
        channel,
        paid - pushed if channel["opener"] == "local" else paid + pushed,
        now_msat=channel["to_us_msat"],
        state=channel["state"],
        htlcs=tuple(channel["htlcs"]),
        outputs=tuple(channel.get("onchain_outputs", ())),
    )


def _closed(channel: dict[str, Any]) -> Channel:
    pushed = channel.get("funding_pushed_msat", 0)
    begin = channel["total_msat"] - pushed if channel["opener"] == "local" else pushed
    if channel["min_to_us_msat"] == channel["max_to_us_msat"]:
        begin = channel["min_to_us_msat"]
    return _channel(channel, begin, now_msat=channel["final_to_us_msat"], state="CLOSED")


def _channel(channel: dict[str, Any], begin_msat: int, **more: Any) -> Channel:
    return Channel(
        channel_id=channel["channel_id"],
        coin=(channel["funding_txid"], channel["funding_outnum"]),
        opened_by_us=channel["opener"] == "local",
        total_msat=channel["total_msat"],
        begin_msat=begin_msat,
        **more,
    )
