"""From words on the command line to one JSON-RPC request."""

from __future__ import annotations

from pylightningd.cli.config import UsageError
from pylightningd.cli.json_text import decode
from pylightningd.cli.options import Options

# Importing typing costs a tenth of the start time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OPENERS = {"{": "}", "[": "]", '"': '"'}


def make_request(
    options: Options, method: str, words: list[str], request_id: str
) -> dict[str, Any]:
    """The request to send. Raises UsageError where a parameter is no valid JSON."""
    request: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "id": request_id}
    params: Any = make_params(options.input, words)
    reply_filter = None if options.filter is None else _parse(options.filter, "--filter")
    if options.peer_id is not None:
        inner: dict[str, Any] = {"peer_id": options.peer_id, "method": method}
        if reply_filter is not None:
            inner["filter"] = reply_filter
        if options.rune is not None:
            inner["rune"] = options.rune
        inner["params"] = params
        request["method"] = "commando"
        params = inner
    elif reply_filter is not None:
        request["filter"] = reply_filter
    request["params"] = params
    return request


def make_params(mode: str, words: list[str]) -> dict[str, Any] | list[Any]:
    """Parameters by name or by position. mode: keywords, order, or empty: a first word with `=` means keywords."""
    if not mode:
        mode = "keywords" if words and "=" in words[0] else "order"
    if mode == "order":
        return [guess_value(word) for word in words]
    params: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"Expected key=value in '{word}'")
        params[name] = guess_value(text)
    return params


def guess_value(word: str) -> Any:
    """Numbers, true, false, null, objects, arrays and quoted strings are JSON; all else is a string.

    Digits with a leading zero are a string, as they may be hex. So is what only looks like a number (1.2.3.4).
    """
    if word in {"true", "false", "null"}:
        return {"true": True, "false": False, "null": None}[word]
    if word and not word.strip("0123456789."):
        whole, dot, fraction = word.partition(".")
        canonical = whole.isdigit() and (whole == "0" or whole[0] != "0")
        if not canonical or (dot and not fraction.isdigit()):
            return word
        return _parse(word, word)
    if word and word[-1] == OPENERS.get(word[0]):
        return _parse(word, word)
    return word


def _parse(text: str, what: str) -> Any:
    try:
        return decode(text)
    except ValueError as error:
        message = f"Some parameters are malformed, cannot create a valid JSON-RPC request: {what}: {error}"
        raise UsageError(message) from error
