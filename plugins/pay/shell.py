"""The payer's outer ring: calls to the node, clocks, and the payments that are going on."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pylightningd.plugins.gossmap import Gossmap, GossmapError
from pylightningd.plugins.lib import Plugin, RpcError
from pylightningd.plugins.pay.attempt import (
    PAY_IN_PROGRESS,
    PAY_ROUTE_NOT_FOUND,
    PAY_STOPPED_RETRYING,
    ROUTE_FAILURES,
    Attempt,
    Goal,
    Json,
    PartFailure,
    scid_text,
)
from pylightningd.plugins.pay.blinded import Way, blinded_onion, failure_on, number_of
from pylightningd.plugins.pay.knowledge import Knowledge
from pylightningd.plugins.pay.onion import keysend_onion
from pylightningd.plugins.pay.order import Order
from pylightningd.plugins.pay.own_channels import own_channels
from pylightningd.plugins.pay.report import (
    Paid,
    Record,
    failure_error,
    paid_before,
    paid_json,
    paid_now,
    status_json,
)
from pylightningd.plugins.pay.router import OwnChannel, Router
from pylightningd.plugins.pay.session import Done, PaySession, Send, Wait, WaitHeight
from pylightningd.plugins.pay.ways import LeadsToUs, find_ways

KEPT_RECORDS = 100
"""Payments that paystatus remembers."""
_CHANNELS_WANTED = {
    "channels": [
        dict.fromkeys(("peer_id", "peer_connected", "reestablished", "state", "short_channel_id", "spendable_msat", "total_msat", "minimum_htlc_out_msat", "max_accepted_htlcs"), True)
        | {"alias": {"local": True}, "htlcs": [{"direction": True}]}
    ]
}  # fmt: skip


class Payer:
    """All payments that this plugin makes."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._map: Gossmap | None = None
        self._loading: asyncio.Task[None] | None = None
        self._our_id: bytes | None = None
        self.height = 0
        """Of the newest block; 0 before we were told."""
        self._running: dict[str, asyncio.Future[Paid]] = {}
        self.records: deque[Record] = deque(maxlen=KEPT_RECORDS)

    # What we know of the node

    def start(self) -> None:
        """Begin to read the map, which takes a second where the network is large."""
        folder = Path(self._plugin.configuration.get("lightning-dir", "."))
        self._map = Gossmap(folder / "gossip_store")
        self._loading = self._plugin.spawn(self._load(), "map of the network")

    async def _load(self) -> None:
        await asyncio.to_thread(self._refresh)

    def _refresh(self) -> None:
        try:
            if self._map is not None:
                self._map.refresh()
        except GossmapError as why:
            self._plugin.log(f"no map of the network, only own channels and hints: {why}", "debug")

    async def _graph(self) -> Gossmap:
        if self._loading is not None:
            await self._loading
            self._loading = None
        self._refresh()
        assert self._map is not None
        return self._map

    async def _identity(self) -> bytes:
        if self._our_id is None or not self.height:
            info = await self._plugin.rpc("getinfo")
            self._our_id = bytes.fromhex(info["id"])
            self.height = max(self.height, info["blockheight"])
        return self._our_id

    async def own_channels(self) -> tuple[OwnChannel, ...]:
        """Our open channels as they stand now."""
        our_id, listed = await _all(
            self._identity(), self._plugin.rpc_call("listpeerchannels", {}, _CHANNELS_WANTED)
        )
        return tuple(own_channels(listed["channels"], our_id))

    # Paying

    async def pay(self, order: Order) -> Json:
        """Make a payment; one that was made already is reported again. Raises RpcError."""
        running = self._running.get(order.payment_hash)
        if running is not None:
            return paid_json(order, await asyncio.shield(running))
        future: asyncio.Future[Paid] = asyncio.get_running_loop().create_future()
        self._running[order.payment_hash] = future
        try:
            paid = await self._pay(order)
            future.set_result(paid)
            return paid_json(order, paid)
        except BaseException as error:
            stopped = RpcError(
                PAY_STOPPED_RETRYING, "The other call that was paying this was stopped"
            )
            future.set_exception(error if isinstance(error, RpcError) else stopped)
            # Perhaps nobody else waits for it.
            future.exception()
            raise
        finally:
            del self._running[order.payment_hash]

    async def _pay(self, order: Order) -> Paid:
        our_id, before, own = await _all(
            self._identity(),
            self._earlier(order.payment_hash),
            self.own_channels(),
        )
        groupid: int = before[0]
        paid: Paid | None = before[1]
        if paid is not None:
            return paid
        now = time.monotonic()
        if order.recipient == our_id:
            return await self._pay_ourselves(order, groupid)
        graph = await self._graph()
        ways: list[Way] = []
        if order.paths:
            try:
                ways = await find_ways(self._plugin, order, our_id, graph)
            except LeadsToUs:
                return await self._pay_ourselves(order, groupid)
        goal = Goal(
            destination=order.destination,
            amount_msat=order.amount_msat,
            total_msat=order.total_msat,
            final_delay=order.final_delay,
            max_fee_msat=order.max_fee_msat,
            max_delay=order.max_delay,
            deadline=now + order.retry_seconds,
            may_split=order.may_split,
            risk_percent=order.risk_percent,
        )
        router = Router(
            graph=graph,
            our_id=our_id,
            goal=goal,
            own=own,
            hints=(
                *order.hints,
                *(way.hint(number, order.destination) for number, way in enumerate(ways)),
            ),
        )
        knowledge = Knowledge(
            avoid_channels=set(order.avoid_channels), avoid_nodes=set(order.avoid_nodes)
        )
        session = PaySession(goal, router, knowledge, height=self.height)
        if order.keysend_preimage is not None:
            session.first_partid = 0
        self.records.append(
            Record(order=order, session=session, wall_minus_clock=time.time() - now)
        )
        run = _Run(self._plugin, self, order, session, groupid, ways)
        return await run.until_done()

    async def _earlier(self, payment_hash: str) -> tuple[int, Paid | None]:
        """The number of a new group, and the earlier success. Waits for parts of an earlier call."""
        waited = False
        while True:
            parts = (await self._plugin.rpc("listsendpays", payment_hash=payment_hash))["payments"]
            groups: dict[int, list[Json]] = {}
            for part in parts:
                groups.setdefault(part.get("groupid", 0), []).append(part)
            for group in groups.values():
                paid = paid_before(group)
                if paid is not None:
                    return 0, paid
            pending = [part for part in parts if part["status"] == "pending"]
            if not pending:
                return max(groups, default=0) + 1, None
            if waited:
                raise RpcError(PAY_IN_PROGRESS, "Payment is still in progress", pending[0])
            self._plugin.log(
                f"waiting for {len(pending)} earlier parts for {payment_hash}", "debug"
            )
            await _all(*(self._wait_for(part) for part in pending))
            waited = True

    async def _wait_for(self, part: Json) -> None:
        try:
            await self._plugin.rpc(
                "waitsendpay",
                payment_hash=part["payment_hash"],
                partid=part.get("partid", 0),
                groupid=part.get("groupid", 0),
            )
        except RpcError:
            pass  # how it ended is looked up

    async def _pay_ourselves(self, order: Order, groupid: int) -> Paid:
        """The node settles an invoice of its own without any channel."""
        if order.amount_msat != order.total_msat:
            raise RpcError(-32602, "partial_msat not supported (yet?) for self-pay")
        if order.keysend_preimage is not None:
            raise RpcError(-32602, "keysend to ourselves makes no sense: the money is here already")
        request = _sendpay_params(order, groupid)
        part = await self._plugin.rpc(
            "sendpay", {"route": [], "amount_msat": order.amount_msat, **request}
        )
        return Paid(
            preimage=part["payment_preimage"],
            destination=order.recipient.hex(),
            created_at=part["created_at"],
            attempts=1,
            failed=0,
            amount_msat=order.amount_msat,
            sent_msat=order.amount_msat,
        )

    def status(self, invstring: str | None) -> list[Json]:
        """What paystatus shows."""
        now = time.monotonic()
        return [
            status_json(record, now, _iso_time)
            for record in self.records
            if invstring is None or record.order.invstring == invstring
        ]


class _Run:
    """One payment while it goes on: performs what its session says."""

    def __init__(
        self,
        plugin: Plugin,
        payer: Payer,
        order: Order,
        session: PaySession,
        groupid: int,
        ways: list[Way],
    ) -> None:
        self._plugin = plugin
        self._payer = payer
        self._order = order
        self._session = session
        self._groupid = groupid
        self._ways = ways
        self._started = time.time()
        self._news = asyncio.Event()

    async def until_done(self) -> Paid:
        """Drive the session to its end. Raises RpcError."""
        session = self._session
        while True:
            session.height = max(session.height, self._payer.height)
            self._news.clear()
            step = session.next_step(time.monotonic())
            match step:
                case Send(attempts):
                    for attempt in attempts:
                        self._plugin.spawn(self._send(attempt), f"part {attempt.partid}")
                case Wait():
                    await self._news.wait()
                case WaitHeight(height):
                    await self._wait_height(height)
                case Done():
                    return self._finish(step)

    def _finish(self, done: Done) -> Paid:
        session, order = self._session, self._order
        topic = "pay_failure" if done.preimage is None else "pay_success"
        payload: Json = {"payment_hash": order.payment_hash}
        if order.invstring is not None:
            payload["bolt11"] = order.invstring
        if done.preimage is None:
            payload["error"] = {"code": done.code, "message": done.message}
        self._plugin.notify(topic, {topic: payload})
        if done.preimage is None:
            self._plugin.log(f"{order.method} {order.payment_hash}: {done.message}")
            raise failure_error(order, session, done)
        return paid_now(session, self._started)

    async def _send(self, attempt: Attempt) -> None:
        """Send one part and wait for its end."""
        session = self._session
        immediate = True
        try:
            part = await self._offer(attempt)
            immediate = False
            if part["status"] != "complete":
                part = await self._plugin.rpc(
                    "waitsendpay",
                    payment_hash=self._order.payment_hash,
                    partid=attempt.partid,
                    groupid=self._groupid,
                )
            session.succeeded(attempt.partid, part["payment_preimage"], time.monotonic())
        except RpcError as error:
            failure = PartFailure.from_error(error, immediate=immediate)
            if error.code not in ROUTE_FAILURES:
                session.stop(error.code, error.message)
            elif failure.index == 0:
                await self._look_at_own_channels()
            if self._ways:
                failure = failure_on(attempt.hops, self._way(attempt), failure)
            said = session.failed(attempt.partid, failure, time.monotonic())
            self._plugin.log(
                f"part {attempt.partid} of {self._order.payment_hash} over {attempt.describe_route()}: {said}",
                "debug",
            )
        finally:
            self._news.set()

    async def _look_at_own_channels(self) -> None:
        """A channel of ours did not do what we thought: others pay through it as well, or its peer is gone."""
        try:
            own = await self._payer.own_channels()
        except RpcError as why:
            self._plugin.log(f"listpeerchannels: {why}", "debug")
        else:
            self._session.router.know_own(own)

    async def _offer(self, attempt: Attempt) -> Json:
        self._plugin.log(
            f"sending part {attempt.partid} of {self._order.payment_hash}: {attempt.amount_msat}msat over "
            f"{attempt.describe_route()}, fee {attempt.fee_msat}msat",
            "debug",
        )
        if self._ways:
            return await self._offer_blinded(attempt)
        if self._order.keysend_preimage is not None:
            return await self._offer_keysend(attempt)
        result: Json = await self._plugin.rpc(
            "sendpay",
            {
                "route": [
                    {
                        "id": hop.node_id.hex(),
                        "channel": scid_text(hop.scid),
                        "direction": hop.direction,
                        "amount_msat": hop.amount_msat,
                        "delay": hop.delay,
                        "style": "tlv",
                    }
                    for hop in attempt.hops
                ],
                "partid": attempt.partid,
                "amount_msat": self._order.total_msat,
                **_sendpay_params(self._order, self._groupid),
            },
        )
        return result

    def _way(self, attempt: Attempt) -> Way:
        return self._ways[number_of(attempt.hops[-1])]

    async def _offer_blinded(self, attempt: Attempt) -> Json:
        order = self._order
        try:
            onion, shared = blinded_onion(
                attempt.hops,
                self._way(attempt),
                # sendonion adds one block to the first HTLC's delay.
                base_height=self._payer.height + 1,
                total_msat=order.total_msat,
                payment_hash=bytes.fromhex(order.payment_hash),
                session_key=secrets.token_bytes(32),
            )
        except ValueError as why:
            raise RpcError(PAY_ROUTE_NOT_FOUND, f"{attempt.describe_route()}: {why}") from None
        request = self._sendonion_params(attempt, onion, shared)
        request["total_amount_msat"] = order.total_msat
        result: Json = await self._plugin.rpc("sendonion", request)
        return result

    async def _offer_keysend(self, attempt: Attempt) -> Json:
        order, hops = self._order, attempt.hops
        onion, shared = keysend_onion(
            hops,
            # sendonion adds one block to the first HTLC's delay.
            base_height=self._payer.height + 1,
            preimage=order.keysend_preimage or b"",
            payment_hash=bytes.fromhex(order.payment_hash),
            extra=order.extra_tlvs,
            session_key=secrets.token_bytes(32),
        )
        result: Json = await self._plugin.rpc(
            "sendonion", self._sendonion_params(attempt, onion, shared)
        )
        return result

    def _sendonion_params(self, attempt: Attempt, onion: bytes, shared: list[bytes]) -> Json:
        order, first = self._order, attempt.hops[0]
        request: Json = {
            "onion": onion.hex(),
            "first_hop": {
                "id": first.node_id.hex(),
                "channel": scid_text(first.scid),
                "amount_msat": first.amount_msat,
                "delay": first.delay,
            },
            "payment_hash": order.payment_hash,
            "shared_secrets": [secret.hex() for secret in shared],
            "partid": attempt.partid,
            "groupid": self._groupid,
            "amount_msat": attempt.amount_msat,
            "destination": order.recipient.hex(),
        }
        for name, value in (
            ("bolt11", order.invstring),
            ("label", order.label),
            ("description", order.description),
            ("localinvreqid", order.local_invreq_id),
        ):
            if value is not None:
                request[name] = value
        return request

    async def _wait_height(self, height: int) -> None:
        """Wait until our node has seen a block that the destination has."""
        left = max(1, int(self._session.goal.deadline - time.monotonic()))
        try:
            found = await self._plugin.rpc("waitblockheight", blockheight=height, timeout=left)
            self._payer.height = max(self._payer.height, found["blockheight"])
        except RpcError as error:
            self._session.stop(
                PAY_STOPPED_RETRYING,
                f"The destination has seen block {height}, our node has not: {error.message}",
            )


def _sendpay_params(order: Order, groupid: int) -> Json:
    request: Json = {"payment_hash": order.payment_hash, "groupid": groupid}
    for name, value in (
        ("payment_secret", order.payment_secret),
        ("payment_metadata", order.metadata),
        ("bolt11", order.invstring),
        ("label", order.label),
        ("description", order.description),
        ("localinvreqid", order.local_invreq_id),
    ):
        if value is not None:
            request[name] = value
    return request


async def _all(*work: Awaitable[Any]) -> list[Any]:
    """Do several things at once; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_one(one)) for one in work]
    except* RpcError as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _one(work: Awaitable[Any]) -> Any:
    return await work


def _iso_time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
