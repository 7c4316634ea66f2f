"""Messages of schemas that are drawn, to any depth: both readers read what was written by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.protobuf.readings import Readings
from tests.unit.protobuf.wire import block, integer, varint

Value = tuple[list[bytes], Any]
"""The fields that a value is on the wire, and what it is read as."""


@dataclass(frozen=True)
class Kind:
    """A field: its declaration, its Avro type, and what draws a value of it, by its number."""

    proto: Callable[[str, int], str]
    avro: Any
    values: Callable[[int], st.SearchStrategy[Value]]
    alone: bool = True


def of(
    type_: str, avro: Any, drawn: st.SearchStrategy[Any], write: Callable[[int, Any], bytes]
) -> Kind:
    """Return a field without presence: what is its type's zero may be left out."""
    return Kind(
        lambda name, n: f"{type_} {name} = {n};",
        avro,
        lambda n: drawn.map(lambda v: ([write(n, v)] if v else [], v)),
    )


LONG = of("int64", "long", st.integers(-(2**63), 2**63 - 1), integer)
TEXT = of("string", "string", st.text(max_size=15), lambda n, v: block(n, v.encode()))


def optional(kind: Kind) -> Kind:
    return Kind(
        lambda name, n: f"optional {kind.proto(name, n)}",
        ["null", kind.avro],
        lambda n: st.none().map(lambda _: ([], None)) | kind.values(n).filter(lambda v: bool(v[0])),
    )


def repeated(kind: Kind) -> Kind:
    def values(n: int) -> st.SearchStrategy[Value]:
        # A zero is written: it is an item.
        items = kind.values(n).filter(lambda v: bool(v[0]))
        return st.lists(items, max_size=3).map(
            lambda found: ([part for parts, _ in found for part in parts], [v for _, v in found])
        )

    declared = lambda name, n: f"repeated {kind.proto(name, n)}"  # noqa: E731
    return Kind(declared, {"type": "array", "items": kind.avro}, values, alone=False)


@st.composite
def messages(draw: st.DrawFn, names: Any, declared: list[str], depth: int) -> Kind:
    """Draw a message with its fields, by numbers in any order; its declaration is added."""
    name = f"M{next(names)}"
    fields: dict[int, tuple[str, Kind]] = {}
    for at in range(draw(st.integers(1, 3))):
        number = draw(st.integers(1, 40).filter(lambda n: n not in fields))
        fields[number] = (f"f{at}", draw(kinds(names, declared, depth - 1)))
    parts = [kind.proto(field, n) for n, (field, kind) in fields.items()]
    declared.append(f"message {name} {{ {' '.join(parts)} }}")
    avro = {
        "type": "record",
        "name": name,
        "fields": [{"name": field, "type": kind.avro} for field, kind in fields.values()],
    }

    def values(n: int) -> st.SearchStrategy[Value]:
        drawn = st.tuples(*(kind.values(m) for m, (_, kind) in fields.items()))
        return drawn.flatmap(
            lambda found: _mixed([parts for parts, _ in found]).map(
                lambda body: (
                    [block(n, b"".join(body))] if n else body,
                    {field: v for (field, _), (_, v) in zip(fields.values(), found, strict=True)},
                )
            )
        )

    return Kind(lambda field, n: f"{name} {field} = {n};", avro, values)


def _mixed(parts: list[list[bytes]]) -> st.SearchStrategy[list[bytes]]:
    """Draw an order of fields that keeps each one's own; with fields that nobody knows between."""
    order = [at for at, own in enumerate(parts) for _ in own]

    def ordered(drawn: list[int]) -> list[bytes]:
        left = [iter(own) for own in parts]
        made = [next(left[at]) for at in drawn]
        return [*made[:1], varint(50 << 3 | 5) + b"abcd", *made[1:]]

    return st.permutations(order).map(ordered)


@st.composite
def kinds(draw: st.DrawFn, names: Any, declared: list[str], depth: int) -> Kind:
    kind = draw(
        st.sampled_from([LONG, TEXT])
        if depth <= 0
        else st.sampled_from([LONG, TEXT]) | messages(names, declared, depth)
    )
    if isinstance(kind.avro, dict) and kind.avro["type"] == "record":
        return draw(st.sampled_from([repeated(kind), _nullable(kind)]))
    return draw(st.sampled_from([kind, optional(kind), repeated(kind)]))


def _nullable(kind: Kind) -> Kind:
    def values(n: int) -> st.SearchStrategy[Value]:
        return st.none().map(lambda _: ([], None)) | kind.values(n)

    return Kind(kind.proto, ["null", kind.avro], values)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_schema(data: st.DataObject) -> None:
    declared: list[str] = []
    root = data.draw(messages(itertools.count(), declared, 3))
    # Found at its place by name: it is declared last, and has to be the first.
    proto = 'syntax = "proto3"; ' + " ".join([declared[-1], *declared[:-1]])
    readings = Readings(proto, root.avro["fields"])
    drawn = data.draw(st.lists(root.values(0), min_size=1, max_size=4))
    bodies, expected = [b"".join(parts) for parts, _ in drawn], [row for _, row in drawn]
    assert [readings.single(body) for body in bodies] == expected
    assert readings.columns(bodies) == expected
