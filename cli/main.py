"""lightning-cli: send one command to lightningd and show its reply.

Standard library only, and few imports: scripts call this program thousands of times.
"""

from __future__ import annotations

import os
import sys

from pylightningd.cli import format as layout
from pylightningd.cli.config import UsageError, find_place
from pylightningd.cli.connection_io import Connection, TalkError
from pylightningd.cli.options import LEVELS, USAGE, Options, parse
from pylightningd.cli.request import make_request

# Importing typing costs a tenth of the start time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

OK = 0
ERROR_FROM_LIGHTNINGD = 1
ERROR_TALKING_TO_LIGHTNINGD = 2
ERROR_USAGE = 3
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        code = run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except UsageError as error:
        print(f"lightning-cli: {error}", file=sys.stderr)
        return ERROR_USAGE
    except TalkError as error:
        print(f"lightning-cli: {error}", file=sys.stderr)
        return ERROR_TALKING_TO_LIGHTNINGD
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ERROR_TALKING_TO_LIGHTNINGD
    return code


def run(argv: list[str]) -> int:
    """Obey the command line. Raises UsageError, TalkError."""
    options = parse(argv)
    if options.action == "help":
        print(USAGE)
        return OK
    if options.action == "version":
        from pylightningd.common.version import VERSION

        print(VERSION)
        return OK
    place = find_place(options.place)
    words = options.args
    if not words:
        print(USAGE)
        print('Querying lightningd for available RPC commands ("lightning-cli help"):\n')
        words = ["help"]
    method, words = words[0], words[1:]
    help_page = method == "help" and bool(words) and not options.format and options.peer_id is None
    if help_page and _show_man_page(words[0]):
        return OK
    request_id = f"cli:{method if method.isprintable() else 'weirdmethod!'}#{os.getpid()}"
    request = make_request(options, method, words, request_id)
    connection = Connection(place)
    try:
        if options.level != "none" and options.peer_id is None:
            _enable_notifications(connection)
        connection.send(request)
        reply, text = _await_reply(connection, request_id, options.level)
    finally:
        connection.close()
    if method != "help" or options.peer_id is not None:
        return _show(reply, text, options, layout.as_json)
    return _show(reply, text, options, layout.as_help_page if help_page else layout.as_help_list)


def _enable_notifications(connection: Connection) -> None:
    request_id = f"cli:notifications#{os.getpid()}"
    connection.send(
        {"jsonrpc": "2.0", "method": "notifications", "id": request_id, "params": {"enable": True}}
    )
    connection.receive()


def _await_reply(connection: Connection, request_id: str, level: str) -> tuple[dict[str, Any], str]:
    """Show notifications until the reply comes. Raises TalkError where it is not one."""
    bar_is_open = False
    while True:
        message, text = connection.receive()
        if not isinstance(message, dict):
            raise TalkError(f"Non-object response '{text[:200]}'")
        if "id" not in message and "method" in message:
            bar_is_open = _show_notification(message, level, bar_is_open=bar_is_open)
            continue
        if bar_is_open:
            print()
        if "result" not in message and "error" not in message:
            raise TalkError(
                f"Either 'result' or 'error' must be returned in response '{text[:200]}'"
            )
        if "id" not in message:
            raise TalkError(f"Missing 'id' in response '{text[:200]}'")
        if message["id"] != request_id:
            raise TalkError(f"Incorrect 'id' ({message['id']}) in response: {text[:200]}")
        return message, text


def _show_notification(message: dict[str, Any], level: str, *, bar_is_open: bool) -> bool:
    """Print a `message` or `progress`; odd ones are passed over. Returns whether a bar waits for its end."""
    params = message.get("params")
    if level == "none" or not isinstance(params, dict):
        return bar_is_open
    if message["method"] == "message":
        given = str(params.get("level", "")).lower()
        if given not in LEVELS or LEVELS.index(given) < LEVELS.index(level):
            return bar_is_open
        print(("\n" if bar_is_open else "") + f"# {params.get('message', '')}", flush=True)
        return False
    if message["method"] == "progress":
        try:
            line = layout.progress_line(params)
        except (KeyError, TypeError, ValueError):
            return bar_is_open
        print(line, end="", flush=True)
        return not line.endswith("\n")
    return bar_is_open


def _show(reply: dict[str, Any], text: str, options: Options, usual: Callable[[Any], str]) -> int:
    """Print result or error in the chosen form, or the usual one; returns the exit code."""
    failed = reply.get("error") is not None
    shown = reply["error"] if failed else reply.get("result")
    form = options.format
    if form == "raw":
        _write(layout.member_texts(text)["error" if failed else "result"] + "\n")
    elif failed:
        _write(layout.as_json(shown))
    else:
        _write(_lay_out(shown, form, usual))
    return ERROR_FROM_LIGHTNINGD if failed else OK


def _lay_out(result: Any, form: str, usual: Callable[[Any], str]) -> str:
    """The result as text. A command may ask for the human form (`format-hint`) where the user did not choose."""
    if not form and usual is not layout.as_json:
        return usual(result)
    if form in {"", "human"} and isinstance(result, dict) and "format-hint" in result:
        hint = result.pop("format-hint")
        if not form and hint == "simple":
            form = "human"
    if form == "human":
        return layout.as_human(result)
    if form == "flat":
        return layout.as_flat(result)
    return layout.as_json(result)


def _write(text: str) -> None:
    """Print as UTF-8 whatever the locale says: JSON is UTF-8."""
    sys.stdout.flush()
    data = text.encode("utf-8", "surrogatepass")
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    buffer.write(data)
    buffer.flush()


def _show_man_page(command: str) -> bool:
    """Show the manual page if `man` and the page are there; the caller asks lightningd otherwise."""
    import shutil
    import subprocess

    if shutil.which("man") is None or "/" in command:
        return False
    if os.path.exists(os.path.join(os.path.dirname(sys.argv[0]), "..", "share", "man", "man7")):
        own = os.path.join(
            os.path.dirname(sys.argv[0]), "..", "share", "man", "man7", f"lightning-{command}.7"
        )
        if os.path.exists(own) and subprocess.run(["man", "-l", own], check=False).returncode == 0:
            return True
    found = subprocess.run(["man", f"lightning-{command}"], check=False, stderr=subprocess.DEVNULL)
    return found.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
