"""Records of a CSV file, each on its own: a broken one costs one line, and no more."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from headwater.produce.text_lines import LONGEST, Line


class Record(NamedTuple):
    """Values of a record from line `first` to line `last`; None where it is broken, and why."""

    first: int
    last: int
    values: list[str] | None
    problem: str = ""


def records(source: Iterator[Line]) -> Iterator[Record]:
    """Yield the records of RFC 4180, the line of names first; empty lines are none.

    A line whose quotes are not those of a record costs itself alone, whatever they seem to open: where
    one is never closed, or closed before something else than a comma, reading goes on at the next line.
    """
    csv.field_size_limit(LONGEST)
    waiting: deque[Line] = deque()
    names: int | None = None
    while (line := waiting.popleft() if waiting else next(source, None)) is not None:
        if line.problem:
            yield Record(line.number, line.number, None, line.problem)
            continue
        taken = [line]
        try:
            values = next(csv.reader(_more(taken, waiting, source), strict=True), [])
        except csv.Error as error:
            problem = "a quote that is not closed" if "end of data" in str(error) else str(error)
            waiting.extendleft(reversed(taken[1:]))
            yield Record(line.number, line.number, None, problem)
            continue
        if not values:
            continue
        if names is not None and len(values) != names:
            problem = f"{len(values)} values under {names} names"
            yield Record(line.number, taken[-1].number, None, problem)
            continue
        names = len(values) if names is None else names
        yield Record(line.number, taken[-1].number, values)


def _more(taken: list[Line], waiting: deque[Line], source: Iterator[Line]) -> Iterator[str]:
    """Yield the first of `taken`, then the lines that follow; all that are yielded are in `taken`."""
    yield taken[0].text
    size = len(taken[0].text)
    while (line := waiting.popleft() if waiting else next(source, None)) is not None:
        size += len(line.text)
        if line.problem or size > LONGEST:
            waiting.appendleft(line)
            return
        taken.append(line)
        yield line.text
