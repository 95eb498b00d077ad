"""Hook `db_write`: plugins see what each turn writes, and agree, before it is committed.

All that registered it are asked at once. The node stands still until the last has answered; nothing but these plugins'
pipes is served. They are asked from the very first table on, before their `init`. A plugin that answers anything but
``{"result": "continue"}``, or dies instead, stops the node, and the commit is not made.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pylightningd.lightningd.db.failures import CommitFailed
from pylightningd.lightningd.plugin_host.host_io import PluginHost
from pylightningd.lightningd.plugin_host.plugin import PluginEntry, State
from pylightningd.lightningd.plugin_host.process_io import ask_all_now

_HOOK = "db_write"
_READY = (State.NEEDS_INIT, State.AWAITING_INIT, State.RUNNING)


class DbWrite:
    """Asks the plugins; `db/connect_io.py` calls it."""

    def __init__(self, host: PluginHost, log: Callable[..., None]) -> None:
        self._host = host
        self._log = log

    def wanted(self) -> bool:
        """Whether any plugin registered the hook."""
        return self._host.hooks.anyone(_HOOK)

    def ask(self, version: int, writes: list[str]) -> None:
        """Show what is to be committed. Raises CommitFailed where a plugin does not agree."""
        names = self._host.hooks.chain(_HOOK)
        entries = [p for p in self._host.plugins if p.cmd in names and p.state in _READY]
        processes = [p.process for p in entries if p.process is not None]
        payload = {"data_version": version, "writes": writes}
        answers = ask_all_now(processes, _HOOK, payload, self._still_waiting)
        for entry, answer in zip(entries, answers, strict=True):
            _check(entry, answer)

    def _still_waiting(self, seconds: int) -> None:
        self._log(
            "unusual", f"Still waiting for a plugin's answer to db_write after {seconds} seconds"
        )


def _check(entry: PluginEntry, answer: dict[str, Any] | None) -> None:
    """Raise CommitFailed unless a plugin agrees."""
    if answer is None:
        raise CommitFailed(f"Plugin '{entry.cmd}' ended during the db_write hook")
    result = answer.get("result")
    if not isinstance(result, dict):
        what = "returned an invalid response to the db_write hook"
    elif "result" not in result:
        what = "returned an invalid result to the db_write hook"
    elif result["result"] != "continue":
        what = "returned failed db_write"
    else:
        return
    raise CommitFailed(f"Plugin '{entry.cmd}' {what}: {json.dumps(answer)}")
