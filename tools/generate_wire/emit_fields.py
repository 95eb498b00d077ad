"""Straight-line code that reads or writes a row of fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from tools.generate_wire.model import Field, Fixed, Rest, Variable

Accessor = Callable[[Field], str]


@dataclass
class Context:
    """What the code of one class needs at module level: structs and imported names."""

    prefix: str
    fixed_subtypes: dict[str, list[Field]]
    imports: set[str]
    from_peers: bool
    """Whether others than our own daemons write these bytes, so that the shape of keys is checked."""
    structs: dict[str, str] = field(default_factory=dict)

    def struct(self, code: str) -> str:
        """The name of the precomputed struct for `code`."""
        if code not in self.structs:
            self.structs[code] = f"_{self.prefix.upper()}_{len(self.structs)}"
        return self.structs[code]

    def use(self, item: Field) -> None:
        """Note the names that code for `item` mentions."""
        self.imports.update(item.type.imports)


def is_plain(item: Field) -> bool:
    """Whether the field always takes the same place in a struct."""
    return item.shape == "one" and isinstance(item.type, Fixed) and not item.optional


def runs(fields: list[Field]) -> Iterator[tuple[bool, list[Field]]]:
    """Neighbours that share one struct together, every other field alone."""
    for plain, group in groupby(fields, is_plain):
        items = list(group)
        if plain:
            yield True, items
        else:
            yield from ((False, [item]) for item in items)


def slot_names(item: Field) -> list[str]:
    """Local variables for the slots of a fixed field."""
    assert isinstance(item.type, Fixed)
    if item.type.build == "{0}":
        return [f"{item.name}_"]
    return [f"{item.name}_{i}_" for i in range(len(item.type.slots))]


def built(item: Field) -> str:
    """The value of a fixed field, from its slots."""
    assert isinstance(item.type, Fixed)
    return item.type.build.format(*slot_names(item))


class Reading:
    """Emits the reading of a row of fields from the bytes in `buf`."""

    def __init__(self, ctx: Context, buf: str, exact: bool) -> None:
        self.ctx = ctx
        self.buf = buf
        self.exact = exact
        self.lines: list[str] = []
        self.values: dict[str, str] = {}
        self.at: int | None = 0
        self.done = False

    def fields(self, fields: list[Field], head: bool) -> None:
        """Read all of them; `head` puts the u16 type in front, as `wire_type`."""
        rows = list(runs(fields))
        if head and not (rows and rows[0][0]):
            rows.insert(0, (True, []))
        for number, (plain, items) in enumerate(rows):
            last = number == len(rows) - 1
            if plain:
                self._run(items, head and number == 0, self.exact and last)
            elif items[0].optional:
                self._optional(items[0])
            else:
                self._one(items[0])
            for item in items:
                self.ctx.use(item)
        if self.exact and not self.done:
            self._check_end()

    def end(self) -> str:
        """The position after all that was read."""
        return str(self.at) if self.at is not None else "pos"

    def _check_end(self) -> None:
        self.ctx.imports.add("trailing")
        self.lines += [
            f"if {self.end()} != len({self.buf}):",
            f"    raise trailing(cls, len({self.buf}) - {self.end()})",
        ]

    def _move(self) -> None:
        """From here on the position is a variable."""
        if self.at is not None:
            self.lines.append(f"pos = {self.at}")
            self.at = None

    def _run(self, items: list[Field], head: bool, whole: bool) -> None:
        code = ("H" if head else "") + "".join(_fixed(item).code for item in items)
        names = ["wire_type"] if head else []
        for item in items:
            names += slot_names(item)
            if item.length_of is None:
                self.values[item.name] = built(item)
        target = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
        packer = self.ctx.struct(code)
        size = sum(_fixed(item).size for item in items) + (2 if head else 0)
        if whole and self.at == 0:
            self.lines.append(f"{target} = {packer}.unpack({self.buf})")
            self.done = True
        elif self.at == 0:
            self.lines.append(f"{target} = {packer}.unpack_from({self.buf})")
        else:
            self.lines.append(f"{target} = {packer}.unpack_from({self.buf}, {self.end()})")
        if self.at is None:
            self.lines.append(f"pos += {size}")
        else:
            self.at += size
        self._check_points([item for item in items if _fixed(item).is_point])

    def _check_points(self, items: list[Field]) -> None:
        """A key that cannot be one is refused here; whether it is on the curve is for those who use it."""
        if items and self.ctx.from_peers:
            self.ctx.imports.add("WireError")
            self.lines += [
                f"if {' or '.join(f'{slot_names(item)[0]}[0] | 1 != 3' for item in items)}:",
                '    raise WireError("a public key starts with 02 or 03")',
            ]

    def _optional(self, item: Field) -> None:
        self._move()
        self.ctx.imports.add("read_flag")
        local = f"{item.name}_"
        inner = Reading(self.ctx, self.buf, exact=False)
        inner.at = None
        if isinstance(item.type, Fixed):
            names = [f"{item.name}_{i}_" for i in range(len(item.type.slots))]
            packer = self.ctx.struct(item.type.code)
            target = ", ".join(names) if len(names) > 1 else f"({names[0]},)"
            inner.lines += [
                f"{target} = {packer}.unpack_from({self.buf}, pos)",
                f"pos += {item.type.size}",
                f"{local} = {item.type.build.format(*names)}",
            ]
        else:
            inner._one(item)
        self.lines += [
            f"present = read_flag({self.buf}, pos)",
            "pos += 1",
            f"{local}: {item.python} = None",
            "if present:",
            *("    " + line for line in inner.lines),
        ]
        self.values[item.name] = local

    def _one(self, item: Field) -> None:
        local = f"{item.name}_"
        self.values[item.name] = local
        if item.shape in ("bytes", "text"):
            self._bytes(item, local)
        elif item.shape == "array":
            self._array(item, local)
        elif isinstance(item.type, Rest):
            self._rest(item, item.type, local)
        else:
            assert isinstance(item.type, Variable)
            self._move()
            self.lines.append(f"{local}, pos = {item.type.read.format(buf=self.buf, pos='pos')}")

    def _remaining(self) -> str:
        return self.buf if self.at == 0 else f"{self.buf}[{self.end()}:]"

    def _rest(self, item: Field, kind: Rest, local: str) -> None:
        value = kind.read.format(self._remaining())
        if kind.empty:
            value = f"{value} if {self.end()} < len({self.buf}) else {kind.empty}"
        self.lines.append(f"{local} = {value}")
        self.done = True

    def _take(self, item: Field, size: int) -> str:
        """Lines that find `end` and check it; the expression for the bytes."""
        if item.count is None:
            self.done = True
            return self._remaining()
        count = str(item.count) if isinstance(item.count, int) else f"{item.count}_"
        amount = count if size == 1 else f"{count} * {size}"
        self._move()
        self.ctx.imports.add("too_short")
        self.lines += [
            f"end = pos + {amount}",
            f"if end > len({self.buf}):",
            f'    raise too_short("{item.name}", {amount}, len({self.buf}) - pos)',
        ]
        return f"{self.buf}[pos:end]"

    def _bytes(self, item: Field, local: str) -> None:
        chunk = self._take(item, 1)
        suffix = '.decode("utf-8")' if item.shape == "text" else ""
        self.lines.append(f"{local} = {chunk}{suffix}")
        if item.count is not None:
            self.lines.append("pos = end")

    def _array(self, item: Field, local: str) -> None:
        subtype = self.ctx.fixed_subtypes.get(item.csv_type)
        if isinstance(item.type, Fixed):
            self._fixed_array(
                item, local, [replace_name(item)], item.type.build.format(*slot_names(item))
            )
        elif subtype is not None:
            args = ", ".join(f"{f.attr}={built(f)}" for f in subtype)
            for inner in subtype:
                self.ctx.use(inner)
            self._fixed_array(item, local, subtype, f"{item.type.python}({args})")
        else:
            self._variable_array(item, local)

    def _fixed_array(self, item: Field, local: str, parts: list[Field], value: str) -> None:
        code = "".join(_fixed(f).code for f in parts)
        chunk = self._take(item, sum(_fixed(f).size for f in parts))
        names = [name for f in parts for name in slot_names(f)]
        target = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
        packer = self.ctx.struct(code)
        self.lines.append(
            f"{local} = tuple([{value} for {target} in {packer}.iter_unpack({chunk})])"
        )
        if item.count is not None:
            self.lines.append("pos = end")

    def _variable_array(self, item: Field, local: str) -> None:
        assert isinstance(item.type, Variable)
        self._move()
        many = f"{item.name}_list"
        count = f"{item.count}_" if isinstance(item.count, str) else str(item.count)
        loop = (
            f"while pos < len({self.buf}):" if item.count is None else f"for _ in range({count}):"
        )
        self.lines += [
            f"{many}: list[{item.type.python}] = []",
            loop,
            f"    {item.name}_one, pos = {item.type.read.format(buf=self.buf, pos='pos')}",
            f"    {many}.append({item.name}_one)",
            f"{local} = tuple({many})",
        ]


def replace_name(item: Field) -> Field:
    """One element of the array `item`."""
    return Field(item.name, item.csv_type, "", item.type, "one")


def _fixed(item: Field) -> Fixed:
    assert isinstance(item.type, Fixed)
    return item.type


class Writing:
    """Emits the writing of a row of fields: checks in `lines`, expressions of bytes in `parts`."""

    def __init__(self, ctx: Context, access: Accessor) -> None:
        self.ctx = ctx
        self.access = access
        self.lines: list[str] = []
        self.parts: list[str] = []

    def fields(self, fields: list[Field], head: int | None) -> None:
        """Write all of them; `head` is a message type to begin with."""
        by_name = {item.name: item for item in fields}
        checks: list[str] = []
        rows = list(runs(fields))
        if head is not None and not (rows and rows[0][0]):
            rows.insert(0, (True, []))
        for number, (plain, items) in enumerate(rows):
            if plain:
                first = head if number == 0 else None
                self._run(items, by_name, first, checks)
            else:
                self._one(items[0], checks)
        if checks:
            self.ctx.imports.add("wrong_length")
            self.lines = [
                f"if {' or '.join(checks)}:",
                "    raise wrong_length(self)",
                *self.lines,
            ]

    def expression(self) -> str:
        """All of it as one value of bytes."""
        if not self.parts:
            return 'b""'
        if len(self.parts) == 1:
            return self.parts[0]
        return f'b"".join(({", ".join(self.parts)}))'

    def _run(
        self, items: list[Field], by_name: dict[str, Field], head: int | None, checks: list[str]
    ) -> None:
        code = "" if head is None else "H"
        args = [] if head is None else [str(head)]
        for item in items:
            kind = _fixed(item)
            code += kind.code
            if item.length_of is None:
                value = self.access(item)
                args += [expr.format(value) for _, expr in kind.slots]
                checks += [f"len({expr.format(value)}) != {size}" for expr, size in kind.check]
            else:
                args.append(self._length(by_name[item.length_of]))
        self.parts.append(f"{self.ctx.struct(code)}.pack({', '.join(args)})")

    def _length(self, counted: Field) -> str:
        if counted.shape == "text":
            return f"len({self.access(counted)}.encode())"
        return f"len({self.access(counted)})"

    def _one(self, item: Field, checks: list[str]) -> None:
        value = self.access(item)
        if item.optional:
            kind = item.type
            if isinstance(kind, Fixed):
                checks += [
                    f"({value} is not None and len({expr.format(value)}) != {size})"
                    for expr, size in kind.check
                ]
                slots = ", ".join(expr.format(value) for _, expr in kind.slots)
                text = f"{self.ctx.struct(kind.code)}.pack({slots})"
            else:
                text = kind.write.format(value)
            self.parts.append(f'b"\\x00" if {value} is None else b"\\x01" + {text}')
        elif item.shape == "array":
            self._array(item, value)
        elif item.shape == "bytes":
            self.parts.append(value)
        elif item.shape == "text":
            self.parts.append(f"{value}.encode()")
        else:
            assert not isinstance(item.type, Fixed)
            self.parts.append(item.type.write.format(value))

    def _array(self, item: Field, value: str) -> None:
        if isinstance(item.count, int):
            self.ctx.imports.add("exactly")
            self.lines.append(f"exactly({value}, {item.count})")
        kind = item.type
        if isinstance(kind, Fixed):
            if kind.slots[0][1] == "{}" and kind.check:
                self.ctx.imports.add("join_fixed")
                self.parts.append(f"join_fixed({value}, {kind.size})")
                return
            for expr, size in kind.check:
                self.lines.append(f"exactly_all([{expr.format('x')} for x in {value}], {size})")
                self.ctx.imports.add("exactly_all")
            slots = ", ".join(expr.format("x") for _, expr in kind.slots)
            self.parts.append(
                f'b"".join([{self.ctx.struct(kind.code)}.pack({slots}) for x in {value}])'
            )
        else:
            assert isinstance(kind, Variable)
            self.parts.append(f'b"".join([{kind.write.format("x")} for x in {value}])')
