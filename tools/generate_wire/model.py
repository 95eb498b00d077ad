"""What each CSV type is on the wire and in Python, and how the fields of a group hang together."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field, replace

from tools.generate_wire.read_csv import CsvError, RawField, RawGroup, RawSpec


@dataclass(frozen=True)
class Fixed:
    """A type that always takes the same bytes: slots of a struct, and how to convert.

    `build` makes the value from the slots `{0}`, `{1}`; `slots` pairs a struct code with the expression that
    yields it from the value `{}`.
    """

    python: str
    slots: tuple[tuple[str, str], ...]
    build: str = "{0}"
    check: tuple[tuple[str, int], ...] = ()
    """(expression of bytes, length that it must have)."""
    imports: tuple[str, ...] = ()
    is_point: bool = False
    """Whether it is a compressed public key, of which the first byte can be checked."""

    @property
    def code(self) -> str:
        """The struct format, without byte order."""
        return "".join(code for code, _ in self.slots)

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return struct.calcsize(">" + self.code)


@dataclass(frozen=True)
class Variable:
    """A type that says itself where it ends: `read` yields (value, position)."""

    python: str
    read: str
    write: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rest:
    """A type that takes all that is left: `read` is given the bytes as `{}`."""

    python: str
    read: str
    write: str
    empty: str = ""
    """An expression for the value that no bytes make, if that is worth a shortcut."""
    imports: tuple[str, ...] = ()


Type = Fixed | Variable | Rest


def _raw(length: int, python: str = "bytes", imports: tuple[str, ...] = ()) -> Fixed:
    return Fixed(python, ((f"{length}s", "{}"),), check=(("{}", length),), imports=imports)


def _number(code: str, python: str = "int", build: str = "{0}", expr: str = "{}") -> Fixed:
    return Fixed(python, ((code, expr),), build, imports=() if python == "int" else (python,))


MSAT = _number("Q", "Msat", "Msat({0})", "{}.msat")
SAT = _number("Q", "Sat", "Sat({0})", "{}.sat")
TXID = _raw(32, "Txid", ("Txid",))
POINT = replace(_raw(33), is_point=True)
NODE_ID = replace(_raw(33, "NodeId", ("NodeId",)), is_point=True)
CHANNEL_ID = _raw(32, "ChannelId", ("ChannelId",))
TU64_MSAT = Rest(
    "Msat", "Msat(read_tu({}, 8))", "write_tu({}.msat, 8)", imports=("Msat", "read_tu", "write_tu")
)


def _tu(size: int) -> Rest:
    return Rest(
        "int", f"read_tu({{}}, {size})", f"write_tu({{}}, {size})", imports=("read_tu", "write_tu")
    )


def _var(python: str, name: str) -> Variable:
    return Variable(
        python,
        f"read_{name}({{buf}}, {{pos}})",
        f"write_{name}({{}})",
        (f"read_{name}", f"write_{name}"),
    )


TYPES: dict[str, Type] = {
    "byte": _number("B"),
    "u8": _number("B"),
    "u16": _number("H"),
    "u32": _number("I"),
    "u64": _number("Q"),
    "s8": _number("b"),
    "s16": _number("h"),
    "s32": _number("i"),
    "s64": _number("q"),
    "bool": Fixed("bool", (("B", "{}"),), "to_bool({0})", imports=("to_bool",)),
    "tu16": _tu(2),
    "tu32": _tu(4),
    "tu64": _tu(8),
    "bigsize": Variable(
        "int", "read_bigsize({buf}, {pos})", "write_bigsize({})", ("read_bigsize", "write_bigsize")
    ),
    "sha256": _raw(32),
    "preimage": _raw(32),
    "chain_hash": _raw(32),
    "point": POINT,
    "pubkey": POINT,
    "signature": _raw(64),
    "bip340sig": _raw(64),
    "node_id": NODE_ID,
    "channel_id": CHANNEL_ID,
    "short_channel_id": _number("Q", "ShortChannelId", "ShortChannelId({0})"),
    "sha256_double": TXID,
    "bitcoin_txid": TXID,
    "txid": TXID,
    "outpoint": Fixed(
        "Outpoint",
        (("32s", "{}.txid"), ("I", "{}.index")),
        "Outpoint({0}, {1})",
        (("{}.txid", 32),),
        ("Outpoint",),
    ),
    "secret": Fixed("Secret", (("32s", "{}.reveal()"),), "Secret({0})", (("{}", 32),), ("Secret",)),
    "msat": MSAT,
    "amount_msat": MSAT,
    "sat": SAT,
    "amount_sat": SAT,
    "wirestring": _var("str", "string"),
    "utf8": _var("str", "string"),
    "varbytes": _var("bytes", "varbytes"),
    "sciddir_or_pubkey": _var("bytes", "sciddir_or_pubkey"),
}

# Limits that peers state as the largest u64 where they mean none, or that gossip carries for others. They
# cannot be held by Msat, and reading them must not fail: the spec wants such a channel ignored at most.
_PLAIN = {"max_htlc_value_in_flight_msat", "htlc_maximum_msat", "htlc_minimum_msat"}
_MSAT_NAMES = {"msat", "amt_to_forward", "incoming_htlc_amt"}
_SAT_NAMES = {"sats"}
_NODE_IDS = {"node_id", "node_id_1", "node_id_2"}
_HIDDEN = re.compile(r"(^|_)(preimage|secret)(_|$)")
_KEYWORDS = {
    "from",
    "in",
    "is",
    "class",
    "def",
    "pass",
    "global",
    "lambda",
    "not",
    "or",
    "and",
    "if",
    "as",
}


def bolt_type(name: str, kind: str, count: str) -> Type | None:
    """The meaning a BOLT field has by its name, where that says more than its type."""
    if kind in ("u64", "tu64") and not count and name not in _PLAIN:
        if name.endswith("_msat") or name in _MSAT_NAMES:
            return MSAT if kind == "u64" else TU64_MSAT
        if kind == "u64" and (name.endswith(("_satoshis", "_sat")) or name in _SAT_NAMES):
            return SAT
    if kind == "sha256" and name.endswith("txid"):
        return TXID
    if kind == "point" and name in _NODE_IDS:
        return NODE_ID
    if kind == "byte" and count == "32" and name.endswith("channel_id"):
        return CHANNEL_ID
    return None


@dataclass
class Field:
    """A field of a group, ready to be written as code."""

    name: str
    csv_type: str
    csv_count: str
    type: Type
    shape: str
    """`one`, `bytes` (run of bytes), `text` (run of UTF-8) or `array`."""
    count: int | str | None = None
    """How many: a number, the length field's name, or None for all that is left."""
    length_of: str | None = None
    """For a length field, the field that it counts; such a field is not in the class."""
    optional: bool = False
    comment: list[str] = field(default_factory=list)

    @property
    def attr(self) -> str:
        """The name in Python."""
        return self.name + "_" if self.name in _KEYWORDS else self.name

    @property
    def python(self) -> str:
        """The annotation."""
        text = {"bytes": "bytes", "text": "str", "array": f"tuple[{self.type.python}, ...]"}.get(
            self.shape, self.type.python
        )
        return f"{text} | None" if self.optional else text

    @property
    def hidden(self) -> bool:
        """Whether `repr` keeps quiet about it."""
        return self.type.python != "Secret" and (
            bool(_HIDDEN.search(self.name)) or self.csv_type == "preimage"
        )


def camel(name: str) -> str:
    """UpdateAddHtlc for update_add_htlc."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


class Resolver:
    """Gives every field of one CSV its type."""

    def __init__(self, spec: RawSpec, bolt: bool, shared: set[str]) -> None:
        self.spec = spec
        self.bolt = bolt
        self.subtypes = set(spec.subtypes) | shared

    def fields(self, group: RawGroup) -> list[Field]:
        """Raises CsvError for what does not fit together."""
        out: list[Field] = []
        for raw in group.fields:
            item = self._field(raw)
            if isinstance(item.count, str):
                counter = next((f for f in out if f.name == item.count), None)
                if counter is None or counter.csv_type not in ("byte", "u8", "u16", "u32"):
                    raise CsvError(
                        f"line {raw.line}: {raw.name} is counted by no earlier integer {item.count}"
                    )
                if counter.length_of:
                    raise CsvError(f"line {raw.line}: {item.count} counts two fields")
                counter.length_of = item.name
            out.append(item)
        for item, raw in zip(out[:-1], group.fields, strict=False):
            if _takes_rest(item):
                raise CsvError(
                    f"line {raw.line}: {item.name} takes all that is left but is not the last"
                )
        return out

    def _field(self, raw: RawField) -> Field:
        count = _count(raw.count)
        if raw.optional and count is not _ONE:
            raise CsvError(f"line {raw.line}: an optional field cannot be counted")
        kind = (bolt_type(raw.name, raw.type, raw.count) if self.bolt else None) or self._type(raw)
        base = Field(
            raw.name, raw.type, raw.count, kind, "one", optional=raw.optional, comment=raw.comment
        )
        if count is _ONE or kind is CHANNEL_ID and raw.type == "byte":
            return base
        number = count if isinstance(count, (int, str)) else None
        if raw.type in ("byte", "u8"):
            if isinstance(number, int):
                return replace(base, type=_raw(number))
            return replace(base, shape="bytes", count=number)
        if raw.type == "utf8" and number is None:
            return replace(base, shape="text", count=number)
        if isinstance(kind, Rest):
            raise CsvError(f"line {raw.line}: no array of {raw.type}")
        return replace(base, shape="array", count=number)

    def _type(self, raw: RawField) -> Type:
        if raw.type in self.subtypes:
            name = camel(raw.type)
            return Variable(name, f"{name}.read({{buf}}, {{pos}})", "{}.write()", (name,))
        if raw.type in self.spec.streams:
            name = camel(raw.type)
            return Rest(name, f"{name}.decode({{}})", "{}.encode()", f"_NO_{raw.type.upper()}")
        if raw.type in TYPES:
            return TYPES[raw.type]
        raise CsvError(f"line {raw.line}: no such type: {raw.type}")


_ONE = object()


def _count(text: str) -> object:
    """`_ONE`, a number, the name of the length field, or None for `...`."""
    if text == "" or text.startswith("option_"):
        return _ONE
    if text == "...":
        return None
    return int(text) if text.isdigit() else text


def _takes_rest(item: Field) -> bool:
    if item.shape == "one":
        return isinstance(item.type, Rest)
    return item.count is None
