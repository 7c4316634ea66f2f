"""Values in columns, and values read alone, are Avro Java's, whatever writer's and reader's schemas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.avro import arrow
from pipeline.avro.decoding.single import reader as single
from pipeline.avro.normal import normalized
from pipeline.avro.validity import problems
from tests.decoder.evolution import Evolved
from tests.decoder.pairs import batches, pairs
from tests.decoder.reference import as_told, encoded, row, told
from tests.decoder.schemas import Schema
from tests.decoder.subject import Subject
from tests.decoder.tally import TALLY
from tests.support.avro_java import JavaError, resolve
from tests.support.avro_plain import decode

Told = dict[str, Any]


NOT_READ = (
    # An enum or fixed type of another namespace in a union; the specification compares plain names.
    "Found old.",
    # A list that is the default of a union.
    "Not an array: [",
)
"""What Java says where it does not read what the specification lets it."""


def by_java(writer: Schema, reader: Schema, bodies: list[bytes]) -> list[Told | JavaError]:
    """Return what Java reads, as `told` tells columns."""
    fields = normalized(reader)["fields"]
    return [
        one
        if isinstance(one, JavaError)
        else {f["name"]: as_told(decode(reader, one)[f["name"]], f["type"]) for f in fields}
        for one in resolve(writer, reader, bodies)
    ]


def alone(writer: Schema, reader: Schema, body: bytes) -> Told:
    """Return what the reader of single values makes of `body`, as `told` tells columns."""
    made = row(single(writer, reader)(body), arrow.fields(reader))
    return {name: told(made[name].combine_chunks())[0] for name in made.column_names}


@settings(settings.get_profile("decoder"))
@given(pairs().flatmap(lambda history: st.tuples(st.just(history), batches(history))))
def test_both_readers_read_what_java_reads(drawn: tuple[Evolved, list[tuple[int, Any]]]) -> None:
    history, values = drawn
    assert problems(history.reader) == ()
    bodies = [(n, encoded(normalized(history.writers[n]), value)) for n, value in values]
    columns = Subject(history).read(bodies)
    for number, writer in enumerate(history.writers):
        own = [(body, mine) for (n, body), mine in zip(bodies, columns, strict=True) if n == number]
        expected = by_java(writer, history.reader, [body for body, _ in own])
        for (body, mine), theirs in zip(own, expected, strict=True):
            found = alone(writer, history.reader, body)
            assert mine is None or mine == found
            if isinstance(theirs, JavaError):
                TALLY["values that Java does not read"] += 1
                assert any(known in theirs.text for known in NOT_READ), theirs.text
            else:
                TALLY["values that are Java's"] += 1
                TALLY["values that are Java's, left to the reader of single records"] += (
                    mine is None
                )
                assert found == theirs


@pytest.mark.parametrize("value", [2**62 + 2**38 + 1, 2**54 + 2**30 + 1, -(2**60) - 2**36 - 1])
def test_a_long_read_as_a_float_is_rounded_once(value: int) -> None:
    field = {"name": "c0", "type": "float"}
    reader = {"type": "record", "name": "Payload", "fields": [field]}
    writer = {**reader, "fields": [{**field, "type": "long"}]}
    body = encoded(writer, {"c0": value})
    (expected,) = by_java(writer, reader, [body])
    assert Subject(Evolved(reader, (writer,))).read([(0, body)]) == [expected]
    assert alone(writer, reader, body) == expected
