"""Values in columns are what fastavro reads, one by one, whatever the schemas and the bytes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoder.evolution import Evolved, batches, evolved
from tests.decoder.mutation import mutated
from tests.decoder.subject import Subject, references
from tests.decoder.tally import TALLY


@st.composite
def written(draw: st.DrawFn) -> tuple[Evolved, list[tuple[int, Any]]]:
    history = draw(evolved())
    return history, draw(batches(history))


@settings(settings.get_profile("decoder"))
@given(written())
def test_values_of_several_writers_are_read_as_the_reference_reads_them(
    drawn: tuple[Evolved, list[tuple[int, Any]]],
) -> None:
    history, values = drawn
    slow = references(history)
    encoded = [(number, slow[number].encode(value)) for number, value in values]
    expected = [slow[number].read(body) for number, body in encoded]
    found = Subject(history).read(encoded)
    for mine, theirs in zip(found, expected, strict=True):
        TALLY["values read in columns"] += mine is not None
        TALLY["values left to the reader of single records"] += mine is None
        assert mine is None or mine == theirs
    TALLY["batches of valid values"] += 1


@settings(settings.get_profile("decoder"))
@given(written(), st.data())
def test_broken_values_are_never_read_as_something_that_the_reference_does_not_read(
    drawn: tuple[Evolved, list[tuple[int, Any]]], data: st.DataObject
) -> None:
    history, values = drawn
    slow = references(history)
    bodies = [(number, slow[number].encode(value)) for number, value in values]
    broken = [(number, data.draw(mutated(body))) for number, body in bodies]
    found = Subject(history).read(broken)
    for (number, body), mine in zip(broken, found, strict=True):
        TALLY["broken values that were still values"] += mine is not None
        TALLY["broken values refused"] += mine is None
        assert mine is None or mine == slow[number].read(body)
    TALLY["batches of broken values"] += 1
