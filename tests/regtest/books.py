"""Accounts for every satoshi of some nodes: what they say they have against the chain and against each other.

`settle_books` is for a test that has come to rest: it waits for the last HTLCs and mines what waits in the mempool.
`check_books` takes everything as it is, and runs at the end of each test (conftest.py): HTLCs under way, transactions in
the mempool and closes whose outputs still wait are counted as what they are. Nodes do not stand still while they are
read, so it looks again until all is right or time is up.

Each check returns complaints, in words. Amounts: `*_msat` in millisatoshi, `*_sat` in satoshi.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tests.regtest.account import OPEN, Account, Channel
from tests.regtest.closing_books import check_outputs
from tests.regtest.ledger import Ledger, read_chain, to_sat
from tests.regtest.move_books import check_fees, check_moves
from tests.regtest.network import NodeFactory
from tests.regtest.node import Node
from tests.regtest.waiting import TIMEOUT_S, wait_for

PATIENCE_S = TIMEOUT_S / 6
DUST_SAT = 546
MOST_SAT_PER_WEIGHT = 100


def settle_books(factory: NodeFactory, nodes: Iterable[Node] | None = None) -> None:
    """Wait for the last HTLCs, mine until nothing waits, and check all books. Raises AssertionError."""
    members = _running(factory, nodes)
    wait_for(lambda: not any(c["htlcs"] for n in members for c in n.channels()), "the last HTLCs")
    while True:
        if factory.bitcoind.mempool():
            factory.mine(1)
        check_books(factory, members)
        if not factory.bitcoind.mempool():
            return


def check_books(factory: NodeFactory, nodes: Iterable[Node] | None = None) -> None:
    """Check all books of the running nodes. Raises AssertionError that says whose and what."""
    members = _running(factory, nodes)
    if not members:
        return
    factory.sync()
    _wait_right(lambda: complaints(factory, members))


def check_wallet(factory: NodeFactory, node: Node) -> None:
    """Check a node that has lost its history: its coins, and what its moves add up to. Raises AssertionError."""
    factory.sync()
    _wait_right(lambda: _of_wallet(factory, node))


def _of_wallet(factory: NodeFactory, node: Node) -> list[str]:
    ledger = read_chain(factory.bitcoind, factory.first_height, mempool=True)
    account = Account.read(node)
    return [*check_coins(account, ledger), *check_moves(account, ledger)]


def _wait_right(look: Callable[[], list[str]]) -> None:
    last: list[str] = []

    def right() -> bool:
        last[:] = look()
        return not last

    try:
        wait_for(right, "the books", PATIENCE_S)
    except TimeoutError:
        raise AssertionError("the books are wrong:\n" + "\n".join(last)) from None


def _running(factory: NodeFactory, nodes: Iterable[Node] | None) -> list[Node]:
    return [n for n in (factory.nodes if nodes is None else nodes) if n.is_running]


def complaints(factory: NodeFactory, members: list[Node]) -> list[str]:
    """What is wrong at this moment; some of it may only be under way."""
    ledger = read_chain(factory.bitcoind, factory.first_height, mempool=True)
    accounts = [Account.read(node) for node in members]
    found = []
    for account in accounts:
        for check in (check_coins, check_income, check_balances, check_moves, check_fees):
            found += [f"{account.name}: {text}" for text in check(account, ledger)]
        found += [f"{account.name}: {text}" for text in check_outputs(account, ledger)]
    return found + list(check_channels(accounts, ledger))


def check_coins(account: Account, ledger: Ledger) -> Iterator[str]:
    """listfunds has exactly the coins that the chain has for the node's addresses, and its parts of closes."""
    for coin, (status, sat) in account.coins.items():
        if status == "unconfirmed":
            if coin in ledger.coins:
                yield f"{coin} is in a block, not unconfirmed"
            elif ledger.waiting.get(coin) != sat:
                yield f"unconfirmed {coin} has {sat} sat, the mempool {ledger.waiting.get(coin)}"
        elif status == "spent":
            if coin in ledger.coins and coin not in ledger.about_to_go:
                yield f"{coin} of {sat} sat is spent, but not on the chain nor in the mempool"
        elif coin not in ledger.coins:
            yield f"{status} {coin} of {sat} sat is not on the chain"
        elif ledger.coins[coin][1] != sat:
            yield f"{coin} has {sat} sat, on the chain {ledger.coins[coin][1]}"
    for coin, (address, sat) in ledger.coins.items():
        if address in account.addresses and coin not in account.coins:
            yield f"{coin} with {sat} sat at {address} is not in listfunds"


def check_income(account: Account, _ledger: Ledger) -> Iterator[str]:
    """What a node's HTLCs moved is what it was paid, less what it paid, plus its fees."""
    moved = sum(h.moved_msat for h in account.htlcs)
    received = sum(i["amount_received_msat"] for i in account.invoices if i["status"] == "paid")
    sent = sum(p["amount_sent_msat"] for p in account.parts if p["status"] == "complete")
    fees = sum(f["fee_msat"] for f in account.forwards if f["status"] == "settled")
    if moved != received - sent + fees:
        yield f"HTLCs moved {moved}, received {received}, sent {sent}, fees {fees} msat"
    if account.info["fees_collected_msat"] != fees:
        yield f"getinfo has {account.info['fees_collected_msat']} msat of fees, listforwards {fees}"
    under_way = {h.payment_hash for h in account.htlcs if h.offered and not h.dead}
    for part in account.parts:
        if part["status"] == "pending" and part["payment_hash"] not in under_way:
            yield f"payment {part['payment_hash']} is pending without an HTLC"
    # On the chain an HTLC may have failed long before its channel is forgotten.
    living = {c.channel_id for c in account.channels if c.state in OPEN}
    names = {
        h.payment_hash
        for h in account.htlcs
        if h.offered and not h.dead and not h.fulfilled and h.channel_id in living
    }
    names -= {p["payment_hash"] for p in account.parts if p["status"] == "pending"}
    offered = [f for f in account.forwards if f["status"] == "offered"]
    if len(names) > len(offered):
        yield f"HTLCs {names} are under way for {len(offered)} forwards"


def check_balances(account: Account, _ledger: Ledger) -> Iterator[str]:
    """A channel's balance is what it began with and what its HTLCs moved; listfunds says the same."""
    for channel in account.channels:
        rows = [h for h in account.htlcs if h.channel_id == channel.channel_id]
        moved = sum(h.moved_msat for h in rows if h.dead and h.signed_away)
        # What was claimed on the chain counts as well; of what was not in the commitment that closed nothing was.
        claimed = sum(h.moved_msat for h in rows if h.dead and not h.signed_away)
        gained = channel.now_msat - channel.begin_msat
        if gained not in (moved, moved + claimed):
            yield f"{channel} gained {gained}, its HTLCs moved {moved} msat"
    listed = {c["channel_id"]: c["our_amount_msat"] for c in account.funded}
    for channel in account.channels:
        if listed.get(channel.channel_id, channel.now_msat) != channel.now_msat:
            yield f"listfunds has {listed[channel.channel_id]} msat for {channel}"


def check_channels(accounts: list[Account], ledger: Ledger) -> Iterator[str]:
    """Both ends of a channel agree, and its money is in its funding output or in the transaction that spent it."""
    sides: dict[str, list[tuple[str, Channel]]] = {}
    for account in accounts:
        for channel in account.channels:
            sides.setdefault(channel.channel_id, []).append((account.name, channel))
    for ends in sides.values():
        if len(ends) == 2:
            yield from _check_both_ends(ends)
        _, channel = ends[0]
        coin = channel.coin
        value = ledger.coins[coin][1] if coin in ledger.coins else ledger.waiting.get(coin)
        if value is not None:
            if value * 1000 != channel.total_msat:
                yield f"funding of {channel} has {value} sat"
        elif coin in ledger.spent:
            yield from _check_close(ends, ledger)
        elif any(end.now_msat != end.begin_msat for _, end in ends):
            # Before the funding is sent, or where its opener never had it: nothing was paid there.
            yield f"{channel} is not on the chain"


def _check_both_ends(ends: list[tuple[str, Channel]]) -> Iterator[str]:
    first, second = (end for _, end in ends)
    if (first.state == "CLOSED") != (second.state == "CLOSED"):
        return  # the HTLCs that the chain settled are in one balance, and not yet in the other
    open_msat = max(first.htlcs_msat, second.htlcs_msat)
    missing = first.total_msat - first.now_msat - second.now_msat
    if abs(missing) > open_msat:
        names = " and ".join(name for name, _ in ends)
        yield f"{names}: {missing} msat are missing in {first} and {second}"


def _check_close(ends: list[tuple[str, Channel]], ledger: Ledger) -> Iterator[str]:
    """A closed channel's transaction pays out all but a fee that is not absurd."""
    _, channel = ends[0]
    tx = ledger.txs[ledger.spent[channel.coin]]
    fee = channel.total_msat // 1000 - sum(to_sat(o["value"]) for o in tx["vout"])
    if not 0 < fee <= tx["weight"] * MOST_SAT_PER_WEIGHT + 2 * DUST_SAT:
        yield f"the close of {channel} pays {fee} sat in fees"
    for name, end in ends:
        if end.state in OPEN:
            yield f"{name} has {end}, which was spent"
