"""Extract message descriptions from the BOLT texts into `tools/wire/*.csv`.

`python -m tools.extract_csv --boltdir DIR` reads a checkout (or a bare clone) of the specification at the commit
in `tools/bolt_version`; `--check` only says whether the committed files differ.

What the texts leave to the reader is put right here, each case in one of the tables below.
"""

from __future__ import annotations

import argparse
import re
import subprocess  # a build tool, not part of the node
import sys
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_TYPE = re.compile(r"\s*1\. type: ([A-Z|0-9]+) \(`(\w+)`\)(?: \(`(\w+)`\))?")
_SUBTYPE = re.compile(r"\s*1\. subtype: `(\w+)`")
_STREAM = re.compile(r"\s*1\. `tlv_stream`: `(\w+)`")
_PSEUDO = re.compile(r"\s*1\. type: `(\w+)`|\s*1\. data:")
_DATA = re.compile(r"\s*\* \[`([^`]+)`\s*:\s*`(\w+)`\]")
_FLAGS = {"BADONION": 0x8000, "PERM": 0x4000, "NODE": 0x2000, "UPDATE": 0x1000}
_FILES = {
    "peer": ("01-messaging", "02-peer-protocol", "04-onion-routing", "07-routing-gossip"),
    "onion": ("04-onion-routing",),
    "bolt12": ("12-offer-encoding",),
}
# Fields whose length only a value elsewhere tells, written in full: 210 HMACs cut to 4 bytes each.
_TYPES = {"sha256[..4]": ("byte", 4)}
# Objects of BOLT 12 inside an onion message: kept as bytes here, read with bolt12_wire where they are wanted.
_OPAQUE = {"tlv_invoice_request", "tlv_invoice", "tlv_invoice_error"}
_TEST_STREAMS = {"n1", "n2"}


@dataclass
class Block:
    """A message, subtype or record with its data lines `(name, type, count)`."""

    name: str
    number: int = 0
    bolt: int = 0
    option: str = ""
    data: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Bolt:
    """All that one text describes."""

    messages: list[Block] = field(default_factory=list)
    subtypes: list[Block] = field(default_factory=list)
    streams: dict[str, list[Block]] = field(default_factory=dict)


def read_bolt(number: int, text: str) -> Bolt:
    """Pick the descriptions out of one BOLT."""
    bolt = Bolt()
    block: Block | None = None
    stream: list[Block] | None = None
    for line in text.splitlines():
        if line.startswith("#"):
            block, stream = None, None
        elif match := _STREAM.match(line):
            block, stream = None, bolt.streams.setdefault(match[1], [])
        elif match := _SUBTYPE.match(line):
            block, stream = Block(match[1], bolt=number), None
            bolt.subtypes.append(block)
        elif match := _TYPE.match(line):
            block = Block(match[2], _number(match[1]), number, match[3] or "")
            # A record is indented; a message begins its line.
            if line[0].isspace() and stream is not None:
                stream.append(block)
            else:
                stream = None
                bolt.messages.append(block)
        elif _PSEUDO.match(line):
            block, stream = None, None
        elif block is not None and (match := _DATA.match(line)):
            block.data.append(_data(match[1], match[2]))
    return bolt


def _number(text: str) -> int:
    return sum(_FLAGS[part] if part in _FLAGS else int(part) for part in text.split("|"))


def _data(kind: str, name: str) -> tuple[str, str, str]:
    count, star, kind = kind.rpartition("*")
    if kind in _TYPES:
        base, size = _TYPES[kind]
        return name, base, str(int(count or 1) * size)
    if kind in _OPAQUE:
        return name, "byte", "..."
    return name, kind, count if star else ""


def peer_csv(bolts: dict[int, Bolt]) -> str:
    """Messages between peers: everything that has a number and no failure flags."""
    out: list[str] = []
    for number, bolt in bolts.items():
        streams = dict(bolt.streams)
        messages = [m for m in bolt.messages if number != 4 or m.number == 513]
        if number == 4:
            streams = {}
        out += _subtypes(bolt.subtypes if number != 4 else [])
        for name in sorted(
            streams.keys() - _TEST_STREAMS - {kind for m in messages for _, kind, _ in m.data}
        ):
            # BOLT 2 describes some extension streams without listing them as a field of their message.
            owner = next(m for m in messages if f"{m.name}_tlvs" == name)
            owner.data.append(("tlvs", name, ""))
        for message in messages:
            out += [f"# BOLT {number}." + (f" Needs `{message.option}`." if message.option else "")]
            out += [f"msgtype,{message.name},{message.number}"]
            out += [f"msgdata,{message.name},{_row(*row)}" for row in message.data]
            for _, kind, _ in message.data:
                out += _stream(kind, streams.pop(kind, []))
    return _text(out)


def onion_csv(bolts: dict[int, Bolt]) -> str:
    """What is inside onions: payloads, blinded path data, and failure messages."""
    bolt = bolts[4]
    out = _subtypes(bolt.subtypes)
    for name, records in bolt.streams.items():
        out += _stream(name, records)
    for message in bolt.messages:
        if message.number != 513:
            out += ["# BOLT 4, failure message.", f"msgtype,{message.name},{message.number}"]
            out += [f"msgdata,{message.name},{_row(*row)}" for row in message.data]
    return _text(out)


def bolt12_csv(bolts: dict[int, Bolt]) -> str:
    """Offers, invoice requests, invoices and their errors."""
    # Blinded paths are described in BOLT 4.
    out = ["include,tools/wire/onion.csv", *_subtypes(bolts[12].subtypes)]
    for name, records in bolts[12].streams.items():
        out += _stream(name, records)
    return _text(out)


def _row(name: str, kind: str, count: str) -> str:
    return f"{name},{kind},{count}"


def _subtypes(blocks: list[Block]) -> list[str]:
    out: list[str] = []
    for block in blocks:
        out += [f"# BOLT {block.bolt}, subtype `{block.name}`.", f"subtype,{block.name}"]
        out += [f"subtypedata,{block.name},{_row(*row)}" for row in block.data]
    return out


def _stream(name: str, records: list[Block]) -> list[str]:
    out: list[str] = []
    for record in records:
        out.append(f"tlvtype,{name},{record.name},{record.number}")
        out += [f"tlvdata,{name},{record.name},{_row(*row)}" for row in record.data]
    return out


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def extract(boltdir: Path, commit: str) -> dict[str, str]:
    """The text of each CSV, by its name."""
    makers = {"peer": peer_csv, "onion": onion_csv, "bolt12": bolt12_csv}
    out: dict[str, str] = {}
    for name, files in _FILES.items():
        bolts = {
            int(stem[:2]): read_bolt(int(stem[:2]), _show(boltdir, commit, stem)) for stem in files
        }
        out[name] = makers[name](bolts)
    return out


def _show(boltdir: Path, commit: str, stem: str) -> str:
    command = ["git", "-C", str(boltdir), "show", f"{commit}:{stem}.md"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main() -> int:
    """Exit code: 0, or 1 where `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="extract_csv", description=__doc__)
    parser.add_argument("--boltdir", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    commit = (_ROOT / "tools/bolt_version").read_text().strip()
    stale = False
    for name, text in extract(args.boltdir, commit).items():
        path = _ROOT / "tools/wire" / f"{name}.csv"
        if path.exists() and path.read_text() == text:
            continue
        if args.check:
            print(f"{path} is not what the BOLTs at {commit} say", file=sys.stderr)
            stale = True
        else:
            path.write_text(text)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
