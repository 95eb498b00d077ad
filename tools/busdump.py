"""Print the messages that a running node's daemons exchange, decoded, as tcpdump would.

    python -m tools.busdump                    # the one node that runs
    python -m tools.busdump --folder /tmp/pyln-abc --only hsmd --only channeld-0

Each line: time, sender > receiver, request id (``?5`` asks, ``=5`` answers), message. Secrets are hidden.
It must run as the node's user. A dump that cannot keep up loses lines; the node never waits for it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import time
from pathlib import Path

import zmq

from pylightningd.common import wire
from pylightningd.common.bus.link import REPLY_BIT, Codec, decode_message, make_codec
from pylightningd.common.bus.tap_io import DUMP_NAME, HEAD
from pylightningd.common.errors import WireError
from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.runtime import Message

_NOT_OF_THE_BUS = ("peer_wire", "onion_wire", "bolt12_wire", "common_wire", "bus_wire")


def daemons_by_folder() -> dict[str, list[int]]:
    """The pids of all daemons of this user that run, by the folder of their node's links."""
    found: dict[str, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "--master-url" in words[:-1]:
            url = words[words.index("--master-url") + 1]
            if url.startswith("ipc://"):
                found.setdefault(str(Path(url[6:]).parent), []).append(int(entry.name))
    return found


def load_codec() -> Codec:
    """Every internal message."""
    folder = Path(next(iter(wire.__path__)))
    names = sorted(p.stem for p in folder.glob("*_wire.py") if p.stem not in _NOT_OF_THE_BUS)
    return make_codec(importlib.import_module(f"pylightningd.common.wire.{n}") for n in names)


def peer_message_names(message: Message) -> str:
    """` [WIRE_PING]` where a message carries peers' messages, and nothing elsewhere."""
    carried = [getattr(message, "msg", b""), *getattr(message, "msgs", ())]
    numbers = [int.from_bytes(m[:2]) for m in carried if isinstance(m, bytes) and len(m) > 1]
    names = [peer_wire.MESSAGES[n].NAME if n in peer_wire.MESSAGES else str(n) for n in numbers]
    return f" [{', '.join(names)}]" if names else ""


def show_line(codec: Codec, frames: list[bytes]) -> tuple[str, str, str]:
    """(sender, receiver, text) of one copied message."""
    daemon, peer, head, raw = frames
    outgoing, _, request_id = HEAD.unpack(head)
    here, there = daemon.decode(), peer.decode()
    sender, receiver = (here, there) if outgoing else (there, here)
    number = request_id & ~REPLY_BIT
    mark = "" if not request_id else f"={number} " if request_id & REPLY_BIT else f"?{number} "
    try:
        message = decode_message(codec, raw)
        text = repr(message) + peer_message_names(message)
    except WireError as err:
        text = f"{raw[:32].hex()}.. ({err})"
    return sender, receiver, mark + text


def switch(pids: list[int]) -> None:
    """Tell daemons to begin or end copying."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGUSR2)
        except ProcessLookupError:
            continue


def choose(folder: str | None) -> tuple[str, list[int]]:
    """The folder to listen in, and who sends there. Exits with advice where that is not clear."""
    nodes = daemons_by_folder()
    if folder is None and len(nodes) == 1:
        folder = next(iter(nodes))
    if folder is None or folder not in nodes:
        listed = "\n".join(f"  --folder {name}" for name in sorted(nodes)) or "  (none runs)"
        raise SystemExit(f"Which node? There are:\n{listed}")
    return folder, nodes[folder]


def dump(folder: str, pids: list[int], only: set[str]) -> None:
    """Print until interrupted."""
    codec = load_codec()
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.bind(f"ipc://{folder}/{DUMP_NAME}")
    switch(pids)
    print(f"Listening to {len(pids)} daemons; Ctrl-C ends.", file=sys.stderr, flush=True)
    try:
        while True:
            sender, receiver, text = show_line(codec, socket.recv_multipart())
            if not only or {sender, receiver} & only:
                clock = time.strftime("%H:%M:%S")
                print(f"{clock} {sender} > {receiver}: {text}", flush=True)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    finally:
        switch(pids)
        socket.close(0)


def main() -> None:
    """Parse the arguments and dump."""
    parser = argparse.ArgumentParser(
        prog="busdump", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", help="the folder of the node's links, where several nodes run")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="DAEMON",
        help="only what this one sends or gets",
    )
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    dump(*choose(args.folder), set(args.only))


if __name__ == "__main__":
    main()
