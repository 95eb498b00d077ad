"""Feed a record of `lightningd --dev-record` into a fresh machine and print each event and what comes of it.

    python -m tools.replay ~/.lightning/regtest/record/20261101T120000-channeld-0-*.record
    python -m tools.replay FILE --stop-at 41 --as-test > tests/channeld/test_bug_1234.py

Effects that differ from those recorded are marked; then, and when a step raises, the exit code is 1. doc/debugging.md
tells how a bug report becomes a test.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pylightningd.common.bus.wire_hash_io import wire_hash
from pylightningd.common.effects import Ask, AskBoth, Log, SendPeer, Tell
from pylightningd.common.errors import WireError
from pylightningd.common.record import BadRecord, Frame
from pylightningd.common.wire import peer_wire
from pylightningd.common.wire.runtime import show
from tools.replay_core import Done, Replay, Story, as_call, begin, decode, names, replay

_FROM_PEER = ("peer", "peer_error")


def show_effect(effect: Any) -> str:
    """One line for an effect."""
    match effect:
        case SendPeer(msg):
            return f"to the peer      {msg!r}"
        case Ask(to, request):
            return f"asks {_who(to):<12}{request!r}"
        case AskBoth(hsmd, master):
            return f"asks both        {hsmd!r}\n{'':<17}{master!r}"
        case Tell(to, msg):
            return f"tells {_who(to):<11}{msg!r}"
        case Log(level, text, fields):
            return f"log {level:<13}{text} {fields or ''}".rstrip()
        case _:
            return repr(effect)


def _who(to: str) -> str:
    return "lightningd" if to == "master" else to


def decoded(frame: Frame) -> list[str]:
    """What a frame holds, as texts."""
    name, args = as_call(frame)
    found = []
    for arg in args:
        if not isinstance(arg, bytes):
            found.append(str(arg))
            continue
        try:
            found.append(repr(peer_wire.decode(arg) if name in _FROM_PEER else decode(arg)))
        except (WireError, KeyError) as error:
            found.append(f"{show(arg)} ({error})")
    return found


def show_step(done: Done, *, effects_only: bool) -> Iterator[str]:
    """The lines of one step."""
    name, _ = as_call(done.frame)
    if not effects_only:
        clock = time.strftime("%H:%M:%S", time.gmtime(done.frame.micros // 1_000_000))
        clock += f".{done.frame.micros % 1_000_000:06}"
        yield f"{done.number:5} {clock} {name} {' '.join(decoded(done.frame))}".rstrip()
    for effect in done.effects:
        yield textwrap.indent(show_effect(effect), "      -> ")
    if done.error is not None:
        lines = "".join(traceback.format_exception(done.error))
        yield textwrap.indent(lines, "      !! ").rstrip()
    elif done.differs:
        yield f"      !! this differs from the {len(done.recorded)} effects recorded here"


def as_test(story: Story, last: int, source: str) -> str:
    """A pytest that does the steps up to `last` and expects what was recorded with that one."""
    run = begin(story)
    lines: list[str] = []
    effects: list[Any] = run.first
    for number, (frame, _) in enumerate(story.steps[:last], 1):
        call, comment = _call_text(frame)
        is_last = number == min(last, len(story.steps))
        lines += _wrapped(f"{'effects = ' if is_last else ''}run.{call}", comment)
        effects, error = _try(run, frame)
        if error is not None:
            lines.append(f"# This raised {type(error).__name__}: {error}")
            break
    made_from = "".join(f"        {m.hex()!r},\n" for m in story.made_from)
    body = textwrap.indent("\n".join(lines), "    ")
    expected = "".join(f"        {name!r},\n" for name in names(effects))
    return (
        f'"""Made from {source} by tools.replay."""\n\n'
        "# ruff: noqa: E501\n\n"
        "from __future__ import annotations\n\n"
        "from tools.replay_core import Replay, names\n\n\n"
        "def test_replayed() -> None:\n"
        f"    run = Replay({story.daemon!r}, [\n{made_from}    ])\n"
        f"{body}\n"
        f"    assert names(effects) == [\n{expected}    ]\n"
    )


def _try(run: Replay, frame: Frame) -> tuple[list[Any], Exception | None]:
    name, args = as_call(frame)
    try:
        return getattr(run, name)(*args), None
    except Exception as error:
        return [], error


def _call_text(frame: Frame) -> tuple[str, str]:
    name, args = as_call(frame)
    texts = [repr(a.hex()) if isinstance(a, bytes) else repr(a) for a in args]
    about = ", ".join(
        d.partition("(")[0]
        for d, a in zip(decoded(frame), args, strict=True)
        if isinstance(a, bytes)
    )
    return f"{name}({', '.join(texts)})", about


def _wrapped(call: str, comment: str) -> list[str]:
    return [f"{call}  # {comment}" if comment else call]


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="replay", description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path, help="a file that --dev-record has written")
    parser.add_argument("--stop-at", type=int, metavar="N", help="do only the first N steps")
    parser.add_argument("--effects-only", action="store_true", help="do not print the events")
    parser.add_argument("--as-test", action="store_true", help="print a pytest that does the same")
    args = parser.parse_args(argv)
    try:
        story = Story.load(args.file)
    except (OSError, BadRecord) as error:
        print(f"{args.file}: {error}", file=sys.stderr)
        return 2
    if story.wire_hash != wire_hash():
        print(
            "The record is of another version of the internal messages. This may go wrong; best is the commit "
            "that wrote it.",
            file=sys.stderr,
        )
    last = len(story.steps) if args.stop_at is None else args.stop_at
    if args.as_test:
        print(as_test(story, last, args.file.name), end="")
        return 0
    return print_all(story, last, effects_only=args.effects_only)


def print_all(story: Story, last: int, *, effects_only: bool) -> int:
    """The whole run; 1 where something differs or raises."""
    wrong = 0
    print(f"{story.daemon}, made from:")
    for raw in story.made_from:
        print(f"      {decode(raw)!r}")
    for effect in begin(story).first:
        print(textwrap.indent(show_effect(effect), "      -> "))
    for done in replay(story):
        if done.number > last:
            break
        wrong += done.differs or done.error is not None
        for line in show_step(done, effects_only=effects_only):
            print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
