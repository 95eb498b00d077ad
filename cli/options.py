"""lightning-cli's own command line. Options may stand anywhere; `--` ends them."""

from __future__ import annotations

from pylightningd.cli.config import NETWORK_FLAGS, UsageError

LEVELS = ("io", "trace", "debug", "info", "unusual", "broken")
NODE_ID_DIGITS = 66

# Option -> (attribute, value it stores).
FLAGS: dict[str, tuple[str, str]] = {
    "human-readable": ("format", "human"),
    "flat": ("format", "flat"),
    "json": ("format", "json"),
    "raw": ("format", "raw"),
    "keywords": ("input", "keywords"),
    "order": ("input", "order"),
    "help": ("action", "help"),
    "version": ("action", "version"),
}
WITH_VALUE = (
    "conf",
    "lightning-dir",
    "network",
    "rpc-file",
    "notifications",
    "filter",
    "commando",
    "allow-deprecated-apis",
)
SHORT = {
    "H": "human-readable",
    "F": "flat",
    "J": "json",
    "R": "raw",
    "k": "keywords",
    "o": "order",
    "h": "help",
    "V": "version",
    "v": "version",
    "N": "notifications",
    "l": "filter",
    "c": "commando",
}

USAGE = """\
Usage: lightning-cli <command> [<params>...]
--conf=<file>                 Specify configuration file
--lightning-dir=<dir>         Set base directory: network-specific subdirectory is under here
--network <arg>               Select the network (bitcoin, testnet, testnet4, signet, regtest)
--mainnet --testnet --testnet4 --signet --regtest
                              Short forms of --network
--rpc-file <arg>              Set JSON-RPC socket (default: lightning-rpc)
-h, --help                    Show this message. Use the command help (without hyphens --
                              "lightning-cli help") to get a list of all RPC commands
-H, --human-readable          Human-readable output
-F, --flat                    Flatten output ('x.y.x=' format)
-J, --json                    JSON output (default unless 'help')
-R, --raw                     Raw, unformatted JSON output
-k, --keywords                Use format key=value for <params>
-o, --order                   Use params in order for <params>
-N, --notifications <arg>     Set notification level (io, trace, debug, info, unusual, broken), or none
-l, --filter <arg>            Set JSON reply filter
-c, --commando <arg>          Send this as a commando command to nodeid:rune
-V, --version                 Print version and exit"""


class Options:
    """What the command line said."""

    __slots__ = ("action", "args", "filter", "format", "input", "level", "peer_id", "place", "rune")

    def __init__(self) -> None:
        self.action = ""
        self.args: list[str] = []
        self.filter: str | None = None
        self.format = ""
        self.input = ""
        self.level = "info"
        self.peer_id: str | None = None
        self.place: list[tuple[str, str]] = []
        self.rune: str | None = None


def parse(argv: list[str]) -> Options:
    """Sort the words after the program's name into options and command. Raises UsageError."""
    options = Options()
    words = list(reversed(argv))
    while words:
        word = words.pop()
        if word == "--":
            options.args += reversed(words)
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            _apply(options, name, value if equals else None, words)
        elif word.startswith("-") and len(word) > 1 and not word[1].isdigit():
            _apply_short(options, word[1:], words)
        else:
            options.args.append(word)
    return options


def _apply_short(options: Options, letters: str, words: list[str]) -> None:
    """`-HJ` are two flags; what follows a letter that wants a value is the value."""
    while letters:
        name = SHORT.get(letters[0])
        if name is None:
            raise UsageError(f"-{letters[0]}: unrecognized option")
        letters = letters[1:]
        if name in WITH_VALUE:
            _apply(options, name, letters.removeprefix("=") or None, words)
            return
        _apply(options, name, None, words)


def _apply(options: Options, name: str, value: str | None, words: list[str]) -> None:
    """Obey one option; a missing value is taken from the words that follow (last first)."""
    if name in FLAGS or name in NETWORK_FLAGS:
        if value is not None:
            raise UsageError(f"--{name}: doesn't allow an argument")
        if name in NETWORK_FLAGS:
            options.place.append(("network", NETWORK_FLAGS[name]))
        else:
            setattr(options, *FLAGS[name])
        return
    if name not in WITH_VALUE:
        raise UsageError(f"--{name}: unrecognized option")
    if value is None:
        if not words:
            raise UsageError(f"--{name}: requires an argument")
        value = words.pop()
    if name == "notifications":
        options.level = _level(value)
    elif name == "filter":
        options.filter = value
    elif name == "commando":
        options.peer_id, options.rune = _commando(value)
    elif name != "allow-deprecated-apis":
        options.place.append((name, value))


def _level(value: str) -> str:
    if value.lower() not in (*LEVELS, "none"):
        raise UsageError(
            f"--notifications: Invalid level '{value}': expected {', '.join(LEVELS)} or none"
        )
    return value.lower()


def _commando(value: str) -> tuple[str, str | None]:
    peer_id, colon, rune = value.partition(":")
    if len(peer_id) != NODE_ID_DIGITS:
        raise UsageError(
            f"--commando: Invalid peer id '{peer_id}': expected {NODE_ID_DIGITS} hex digits"
        )
    return peer_id, rune if colon else None
