"""Parse the CSV description of messages. The result knows nothing yet about Python."""

from __future__ import annotations

from dataclasses import dataclass, field

_COLUMNS = {
    "msgtype": 3,
    "msgdata": 4,
    "tlvtype": 4,
    "tlvdata": 5,
    "subtype": 2,
    "subtypedata": 4,
    "include": 2,
}


class CsvError(Exception):
    """A line that cannot be understood, or two that do not fit together."""


@dataclass
class RawField:
    """One `...data` line."""

    name: str
    type: str
    count: str
    optional: bool
    comment: list[str]
    line: int


@dataclass
class RawGroup:
    """A message, a subtype or one TLV record: a name, a number and fields."""

    name: str
    number: int
    comment: list[str]
    line: int
    fields: list[RawField] = field(default_factory=list)


@dataclass
class RawStream:
    """A TLV stream."""

    name: str
    records: dict[str, RawGroup] = field(default_factory=dict)


@dataclass
class RawSpec:
    """All that one CSV file says."""

    messages: dict[str, RawGroup] = field(default_factory=dict)
    subtypes: dict[str, RawGroup] = field(default_factory=dict)
    streams: dict[str, RawStream] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)
    """Paths, from the top of the tree, of files whose subtypes are used here too."""


def parse(text: str) -> RawSpec:
    """Read a CSV text. Raises CsvError with the line number."""
    spec = RawSpec()
    comment: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("#"):
            if not line.startswith("#include"):
                comment.append(line[1:].strip())
            continue
        if line:
            try:
                _take(spec, [part.strip() for part in line.split(",")], comment, number)
            except (KeyError, ValueError, IndexError) as err:
                raise CsvError(f"line {number}: {line!r}: {err!r}") from err
        comment = []
    return spec


def _take(spec: RawSpec, parts: list[str], comment: list[str], line: int) -> None:
    kind = parts[0]
    if len(parts) < _COLUMNS[kind]:
        raise CsvError(f"line {line}: {kind} needs {_COLUMNS[kind]} columns")
    if kind == "include":
        spec.includes.append(parts[1])
    elif kind == "msgtype":
        _new(spec.messages, RawGroup(parts[1], int(parts[2], 0), comment, line))
    elif kind == "subtype":
        _new(spec.subtypes, RawGroup(parts[1], 0, comment, line))
    elif kind == "tlvtype":
        stream = spec.streams.setdefault(parts[1], RawStream(parts[1]))
        _new(stream.records, RawGroup(parts[2], int(parts[3], 0), comment, line))
    elif kind == "msgdata":
        spec.messages[parts[1]].fields.append(_field(parts[2:], comment, line))
    elif kind == "subtypedata":
        spec.subtypes[parts[1]].fields.append(_field(parts[2:], comment, line))
    else:
        spec.streams[parts[1]].records[parts[2]].fields.append(_field(parts[3:], comment, line))


def _new(groups: dict[str, RawGroup], group: RawGroup) -> None:
    if group.name in groups or group.number in {g.number for g in groups.values() if g.number}:
        raise CsvError(
            f"line {group.line}: {group.name} or its number {group.number} is there already"
        )
    groups[group.name] = group


def _field(parts: list[str], comment: list[str], line: int) -> RawField:
    kind = parts[1]
    count = parts[2] if len(parts) > 2 else ""
    return RawField(parts[0], kind.lstrip("?"), count, kind.startswith("?"), comment, line)
