"""Each message of a daemon that the master commits for is one where a test kills the node, or it says here why not.

The messages are read from the source: whatever `lightningd/control` handles in a turn.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.lightningd.control import test_deaths, test_deaths_onchain
from tests.regtest import crash_points as points
from tests.regtest import test_dual_fund

ROOT = Path(__file__).parents[2]
CONTROL = ROOT / "lightningd" / "control"
DAEMONS = "channeld|openingd|closingd|onchaind|connectd|gossipd"
NOT_IN_A_TURN = {
    "gossipd_add_done": "wakes whoever handed the message over; nothing is written",
    "gossipd_addresses": "an answer from the map; nothing is written",
    "gossipd_get_txout": "reads the chain; the watch it sets is in memory, and gossipd asks anew after a start",
}
EXEMPT = {
    "channeld_forgotten": "the worker lets go of a channel: memory of the master only",
    "channeld_warning": "a log line",
    "channeld_peer_msg": "passes a message on; announcement signatures are kept as rows and said again at each reestablish",
    "openingd_accepted": "wakes the command, whose commits are killed by `openings` of test_crash_daemons; nothing is written",
    "openingd_accepted2": "the peer's terms, in memory until the transaction is complete",
    "openingd_proposal": "the other's part of the transaction, in memory until it is complete",
    "openingd_failed": "wakes the command; nothing is written",
    "openingd_peer_msg": "passes a message on, which a reconnection brings again",
    "closingd_failed": "a new connection, or `permanent_failure`, as by channeld_failed",
    "onchaind_unclaim": "onchaind says it again when it is told all anew, which each start does",
    "connectd_ping_done": "an entry of listnetworkevents",
    "connectd_connect_failed": "an entry of listnetworkevents; a start dials anew",
    "connectd_peer_disconnected": "an entry of listnetworkevents; a crash ends all connections anyway",
    "connectd_peer_msg": "what it begins is a point of its own: an opening, a backup of a peer's, an error",
    "gossipd_remote_update": "the peer's policy; gossipd tells it again from its store",
}


def _handled(tree: ast.Module) -> set[str]:
    """Classes of daemons' messages in `case X():`, as keys of a dict, and in isinstance()."""
    found: set[str] = set()
    for node in ast.walk(tree):
        names: list[ast.expr] = []
        if isinstance(node, ast.MatchClass):
            names = [node.cls]
        elif isinstance(node, ast.Dict):
            names = [key for key in node.keys if key is not None]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            names = [node.args[1]]
        found |= {n.attr for n in names if isinstance(n, ast.Attribute)}
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def persist_points() -> set[str]:
    """Names of all messages that daemons send the master and that it handles."""
    found: set[str] = set()
    for path in CONTROL.glob("*.py"):
        names = {_snake(n) for n in _handled(ast.parse(path.read_text()))}
        found |= {n for n in names if re.match(f"({DAEMONS})_", n)}
    return found


def killed_at() -> set[str]:
    """Names at which some test kills the node: real nodes by tables, and the master of the rig."""
    tables = [v for k, v in vars(points).items() if k.endswith("_POINTS")]
    tables += [names for table in tables if isinstance(table, dict) for names in table.values()]
    real = {name for table in tables if not isinstance(table, dict) for name in table}
    real |= set(test_dual_fund.POINTS)
    return real | {case.name for case in test_deaths.CASES} | set(test_deaths_onchain.POINTS)


def _excused() -> set[str]:
    return EXEMPT.keys() | NOT_IN_A_TURN.keys()


def test_the_source_is_understood() -> None:
    assert len(persist_points()) > 35
    assert {
        "channeld_got_revoke",
        "onchaind_claims",
        "openingd_done",
        "connectd_peer_connected",
    } <= (persist_points())


def test_every_persist_point_has_a_test_that_kills_there() -> None:
    missing = persist_points() - killed_at() - _excused()
    assert not missing, (
        f"no test kills the node at {sorted(missing)}; see tests/regtest/crash_points.py"
    )


def test_no_reason_is_stale() -> None:
    assert _excused() <= persist_points()
    assert not _excused() & killed_at()
    # Points beside messages are functions of the master.
    for name in killed_at() - persist_points():
        assert re.search(rf"def {name.rpartition('.')[2]}\b", _sources()), name


def _sources() -> str:
    return "\n".join(p.read_text() for p in (ROOT / "lightningd").rglob("*.py"))
