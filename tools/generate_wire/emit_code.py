"""Write the Python module for one parsed CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.generate_wire.emit_fields import Context, Reading, Writing, is_plain
from tools.generate_wire.emit_text import (
    Attribute,
    attribute_lines,
    attributes_of,
    call_lines,
    count_text,
    docstring,
    hidden_names,
    import_lines,
    indented,
    return_line,
    tuple_lines,
    wire_table,
)
from tools.generate_wire.layout import fold
from tools.generate_wire.model import Field, Resolver, camel
from tools.generate_wire.read_csv import CsvError, RawGroup, RawStream, parse

_HOMES = {
    "pylightningd.common.amount": ("Msat", "Sat"),
    "pylightningd.common.errors": ("WireError",),
    "pylightningd.common.ids": ("ChannelId", "NodeId", "Outpoint", "ShortChannelId", "Txid"),
    "pylightningd.common.secret": ("Secret",),
    "pylightningd.common.wire.runtime": (
        "DECODE_ERRORS", "Message", "Request", "Subtype", "TlvStream", "UnknownFailure", "UnknownOdd",
        "exactly", "exactly_all", "join_fixed", "malformed", "message_type", "put", "read_flag",
        "read_sciddir_or_pubkey", "read_string", "read_varbytes", "to_bool", "too_short", "trailing",
        "unknown_message", "wire_class", "write_sciddir_or_pubkey", "write_string", "write_varbytes",
        "wrong_length",
    ),
    "pylightningd.common.wire.tlv": (
        "TlvError", "read_bigsize", "read_records", "read_tu", "write_bigsize", "write_records", "write_tu",
    ),
}  # fmt: skip
_DECORATOR = "@wire_class"


@dataclass(frozen=True)
class Source:
    """One CSV file and what becomes of it."""

    path: str
    """Relative to the top of the tree, for the header."""
    name: str
    mode: str
    """`peer`: bytes after the end are ignored, unknown odd types returned. `failure`: as peer, every unknown
    type returned. `internal`: both are errors."""
    union: str


def generate(source: Source, load: Callable[[str], str]) -> str:
    """The module for the file that `source` names; `load` yields the text of a path. Raises CsvError."""
    return _Module(source, load).render()


class _Module:
    def __init__(self, source: Source, load: Callable[[str], str]) -> None:
        text = load(source.path)
        self.source = source
        self.spec = parse(text)
        self.digest = hashlib.sha256(text.encode())
        self.exact = source.mode == "internal"
        self.homes = dict(_HOMES)
        self.imports: set[str] = set()
        self.body: list[str] = []
        self.classes: set[str] = set()
        self.literal = False
        self.fixed: dict[str, list[Field]] = {}
        shared: set[str] = set()
        for path in self.spec.includes:
            shared |= self._include(path, load(path))
        self.resolver = Resolver(self.spec, source.mode != "internal", shared)

    def _include(self, path: str, text: str) -> set[str]:
        """Make the subtypes of another file known; its module is where they are imported from."""
        other = parse(text)
        self.digest.update(text.encode())
        resolver = Resolver(other, path.startswith("tools/"), set())
        for group in other.subtypes.values():
            self._note_fixed(group, resolver.fields(group))
        name = path.rpartition("/")[2].removesuffix(".csv").removesuffix("_wire")
        home = f"pylightningd.common.wire.{name}_wire"
        self.homes[home] = tuple(sorted(camel(group) for group in other.subtypes))
        return set(other.subtypes)

    def _note_fixed(self, group: RawGroup, fields: list[Field]) -> None:
        if fields and all(is_plain(f) and f.length_of is None for f in fields):
            self.fixed[group.name] = fields

    def render(self) -> str:
        for group in _by_need(self.spec.subtypes):
            fields = self.resolver.fields(group)
            self._note_fixed(group, fields)
            self._subtype(group, camel(group.name), fields)
        for stream in self.spec.streams.values():
            self._stream(stream)
        for group in _replies_first(self.spec.messages):
            self._message(group)
        if self.spec.messages:
            self._table()
        clash = self.classes & {name for names in self.homes.values() for name in names}
        if clash:
            raise CsvError(f"{self.source.path}: names taken already: {sorted(clash)}")
        lines = [part for line in [*self._top(), *self.body] for part in fold(line)]
        return "\n".join(lines).rstrip() + "\n"

    # -- pieces of the module

    def _top(self) -> list[str]:
        typing = ["ClassVar", "Self"]
        if self.literal:
            typing.insert(1, "Literal")
        if self.spec.messages:
            typing.append("TypeAlias")
        lines = [
            f"# GENERATED from {self.source.path} by tools/generate_wire -- do not edit",
            "# ruff: noqa",
            f'"""Messages of `{self.source.path}`: classes, and `decode` for any of them."""',
            "",
            "from __future__ import annotations",
            "",
            "import struct",
            f"from typing import {', '.join(typing)}",
            "",
        ]
        for home, names in sorted(self.homes.items()):
            used = [name for name in names if name in self.imports]
            if used:
                lines += import_lines(home, used)
        digest = self.digest.hexdigest()
        return [
            *lines,
            "",
            "SPEC_HASH = bytes.fromhex(",
            f'    "{digest}"',
            ")",
            f'"""SHA256 of {self.source.path} and what it includes."""',
        ]

    def _claim(self, name: str) -> None:
        if name in self.classes:
            raise CsvError(f"{self.source.path}: two classes would be called {name}")
        self.classes.add(name)

    def _context(self, prefix: str) -> Context:
        return Context(prefix, self.fixed, self.imports, not self.exact)

    def _class(self, head: list[str], ctx: Context, *parts: list[str]) -> None:
        """Add a class: the structs it needs, then its head and its parts, indented."""
        self.imports |= {"wire_class", "put"}
        self.body += ["", ""]
        if ctx.structs:
            for code, name in ctx.structs.items():
                self.body.append(f'{name} = struct.Struct(">{code}")')
            self.body += ["", ""]
        self.body += head
        for part in parts:
            self.body += ["    " + line if line else "" for line in part]

    def _subtype(self, group: RawGroup, name: str, fields: list[Field], doc: str = "") -> None:
        self._claim(name)
        self.imports |= {"Subtype"}
        ctx = self._context(_snake(name))
        reading = Reading(ctx, "buf", exact=False)
        reading.at = None
        reading.fields(fields, head=False)
        writing = Writing(ctx, lambda f: f"self.{f.attr}")
        writing.fields(fields, None)
        visible = [f for f in fields if f.length_of is None]
        end = "len(buf)" if reading.done else "pos"
        self._class(
            [_DECORATOR, f"class {name}(Subtype):"],
            ctx,
            docstring(
                [*group.comment, doc] if doc else group.comment or [f"Subtype `{group.name}`."]
            ),
            wire_table(fields),
            attribute_lines(attributes_of(visible)),
            [
                "",
                "def write(self) -> bytes:",
                *indented([*writing.lines, return_line(writing.expression())]),
            ],
            [
                "",
                "@classmethod",
                "def read(cls, buf: bytes, pos: int = 0) -> tuple[Self, int]:",
                *indented(
                    [
                        *reading.lines,
                        *call_lines(
                            "value = cls", {f.attr: reading.values[f.name] for f in visible}
                        ),
                        f"return value, {end}",
                    ]
                ),
            ],
        )

    def _message(self, group: RawGroup) -> None:
        name = camel(group.name)
        self._claim(name)
        ctx = self._context(group.name)
        fields = self.resolver.fields(group)
        visible = [f for f in fields if f.length_of is None]
        reply = self.spec.messages.get(f"{group.name}_reply")
        base = f"Request[{camel(reply.name)}]" if reply else "Message"
        self.imports |= {base.partition("[")[0], "DECODE_ERRORS", "WireError", "malformed"}
        facts = [
            f"TYPE: ClassVar[int] = {group.number}",
            f'NAME: ClassVar[str] = "WIRE_{group.name.upper()}"',
        ]
        if reply:
            facts.append(f"REPLY: ClassVar[type[{camel(reply.name)}]] = {camel(reply.name)}")
        writing = Writing(ctx, lambda f: f"self.{f.attr}")
        writing.fields(fields, group.number)
        reading = Reading(ctx, "buf", self.exact)
        reading.fields(fields, head=True)
        check = [
            f"if wire_type != {group.number}:",
            f'    raise WireError(f"type {{wire_type}}, not {group.number}")',
        ]
        self._class(
            [_DECORATOR, f"class {name}({base}):"],
            ctx,
            docstring([*group.comment, f"Type {group.number}."]),
            [*facts, *wire_table(fields)],
            attribute_lines(attributes_of(visible)),
            [
                "",
                "def encode(self) -> bytes:",
                *indented([*writing.lines, return_line(writing.expression())]),
            ],
            [
                "",
                "@classmethod",
                "def decode(cls, buf: bytes) -> Self:",
                "    try:",
                *indented(
                    [
                        reading.lines[0],
                        *check,
                        *reading.lines[1:],
                        *call_lines(
                            "return cls", {f.attr: reading.values[f.name] for f in visible}
                        ),
                    ],
                    8,
                ),
                "    except DECODE_ERRORS as err:",
                "        raise malformed(cls, err) from err",
            ],
        )

    def _stream(self, stream: RawStream) -> None:
        name = camel(stream.name)
        self._claim(name)
        self.imports |= {
            "TlvStream", "DECODE_ERRORS", "WireError", "TlvError", "read_records", "write_records"
        }  # fmt: skip
        ctx = self._context(stream.name)
        attributes: list[Attribute] = []
        wire: list[str] = []
        encode = ["records = list(self.unknown)"]
        declare: list[str] = []
        cases: list[str] = []
        values: dict[str, str] = {}
        hidden: list[Field] = []
        for number, record in enumerate(sorted(stream.records.values(), key=lambda r: r.number)):
            fields = self.resolver.fields(record)
            visible = [f for f in fields if f.length_of is None]
            if len(visible) == 1:
                fields, item = _renamed(fields, visible[0], record.name)
                python, writes, reads, value = self._single(ctx, fields, item)
                wire.append(f'("{record.name}", "{item.csv_type}", "{count_text(item)}")')
                attr = item.attr
                hidden += [item]
            elif visible:
                python = camel(_bare(stream.name)) + camel(record.name)
                self._subtype(
                    record, python, fields, f"TLV record `{record.name}` of `{stream.name}`."
                )
                attr, value = record.name, f"{python}.read_all(value)"
                writes, reads = ([], f"self.{attr}.write()"), []
                wire.append(f'("{record.name}", "{python}", "")')
            else:
                self.literal = True
                self.imports.add("trailing")
                python, attr, value = "Literal[True]", record.name, "True"
                writes = ([], 'b""')
                reads = ["if value:", "    raise trailing(cls, len(value))"]
                wire.append(f'("{record.name}", "", "")')
            note, comment = f"type {record.number}", tuple(record.comment)
            attributes.append(Attribute(attr, f"{python} | None", "None", note, comment))
            present = f"self.{attr} is not None" if visible else f"self.{attr}"
            encode += [
                f"if {present}:",
                *indented([*writes[0], f"records.append(({record.number}, {writes[1]}))"]),
            ]
            declare.append(f"{record.name}_: {python} | None = None")
            cases += [
                f"{'if' if number == 0 else 'elif'} kind == {record.number}:",
                *indented(
                    [*reads, *([f"{record.name}_ = {value}"] if value != f"{record.name}_" else [])]
                ),
            ]
            values[attr] = f"{record.name}_"
        unknown = Attribute(
            "unknown", "tuple[tuple[int, bytes], ...]", "()", "odd records, in order"
        )
        encode.append("return write_records(records)")
        decode = [
            *declare,
            "unknown_: list[tuple[int, bytes]] = []",
            "for kind, offset, value in read_records(buf):",
            "    try:",
            *indented(cases, 8),
            f"        {'elif' if cases else 'if'} kind & 1:",
            "            unknown_.append((kind, value))",
            "        else:",
            '            raise WireError("unknown and even")',
            "    except DECODE_ERRORS as err:",
            f'        raise TlvError(f"{name}: TLV type {{kind}}: {{err}}", kind, offset) from err',
            *call_lines("return cls", {**values, "unknown": "tuple(unknown_)"}),
        ]
        self._class(
            [_DECORATOR, f"class {name}(TlvStream):"],
            ctx,
            docstring([f"TLV stream `{stream.name}`."]),
            tuple_lines("WIRE: ClassVar[tuple[tuple[str, str, str], ...]] =", wire),
            hidden_names(hidden),
            attribute_lines([*attributes, unknown]),
            ["", "def encode(self) -> bytes:", *indented(encode)],
            ["", "@classmethod", "def decode(cls, buf: bytes) -> Self:", *indented(decode)],
        )
        self.body += ["", "", f"_NO_{stream.name.upper()} = {name}()"]

    def _single(
        self, ctx: Context, fields: list[Field], item: Field
    ) -> tuple[str, tuple[list[str], str], list[str], str]:
        """A record of one field: annotation, (checks, bytes expression), reading lines, value expression."""
        writing = Writing(ctx, lambda f: f"self.{f.attr}")
        writing.fields(fields, None)
        reading = Reading(ctx, "value", exact=True)
        reading.fields(fields, head=False)
        return (
            item.python,
            (writing.lines, writing.expression()),
            reading.lines,
            reading.values[item.name],
        )

    def _table(self) -> None:
        union = self.source.union
        names = [camel(group.name) for group in self.spec.messages.values()]
        self.imports |= {"message_type", "WireError"}
        result, unknown = union, 'raise WireError(f"unknown message type {wire_type}")'
        if self.source.mode == "peer":
            self.imports |= {"unknown_message", "UnknownOdd"}
            result, unknown = f"{union} | UnknownOdd", "return unknown_message(wire_type, buf)"
        elif self.source.mode == "failure":
            self.imports.add("UnknownFailure")
            result, unknown = (
                f"{union} | UnknownFailure",
                "return UnknownFailure(wire_type, buf[2:])",
            )
        self.body += [
            "",
            "",
            f"{union}: TypeAlias = (",
            *(f"    {'| ' if i else ''}{name}" for i, name in enumerate(names)),
            ")",
            "",
            f"MESSAGES: dict[int, type[{union}]] = {{",
            *(f"    {group.number}: {camel(group.name)}," for group in self.spec.messages.values()),
            "}",
            '"""Every message of this file by its type."""',
            "",
            "",
            f"def decode(buf: bytes) -> {result}:",
            '    """Read any message of this file. Raises WireError and nothing else."""',
            "    wire_type = message_type(buf)",
            "    cls = MESSAGES.get(wire_type)",
            "    if cls is None:",
            f"        {unknown}",
            "    return cls.decode(buf)",
        ]


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _bare(stream: str) -> str:
    return stream.removesuffix("_tlvs").removesuffix("_tlv")


def _renamed(fields: list[Field], item: Field, name: str) -> tuple[list[Field], Field]:
    """The fields of a record, the visible one called as the record is."""
    new = replace(item, name=name)
    out = [
        new if f is item else replace(f, length_of=name if f.length_of else None) for f in fields
    ]
    return out, new


def _by_need(groups: dict[str, RawGroup]) -> list[RawGroup]:
    """Subtypes, those that others contain first."""
    out: list[RawGroup] = []

    def add(group: RawGroup, above: tuple[str, ...]) -> None:
        if group.name in above:
            raise CsvError(f"line {group.line}: {group.name} contains itself")
        for item in group.fields:
            if item.type in groups:
                add(groups[item.type], (*above, group.name))
        if group not in out:
            out.append(group)

    for group in groups.values():
        add(group, ())
    return out


def _replies_first(messages: dict[str, RawGroup]) -> list[RawGroup]:
    """Messages in order, but a reply before its request, as the class of the request names it."""
    out: list[RawGroup] = []
    for group in messages.values():
        reply = messages.get(f"{group.name}_reply")
        for item in (reply, group):
            if item is not None and item not in out:
                out.append(item)
    return out
