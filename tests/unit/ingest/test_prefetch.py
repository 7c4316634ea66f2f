"""Items made ahead: in their order, one at a time, and nothing is left running."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from pipeline.ingest.read.prefetch import prefetch


class BrokenError(Exception):
    """What making an item raises."""


def test_items_come_in_their_order_and_the_next_is_made_while_one_is_worked_on() -> None:
    begun = threading.Event()

    def items() -> Generator[int, None, None]:
        yield 1
        begun.set()
        yield 2

    seen = []
    for item in prefetch(items()):
        assert begun.wait(10), "the second is made though nobody has asked for it"
        seen.append(item)
    assert seen == [1, 2]


def test_no_items_are_none() -> None:
    assert list(prefetch(_ for _ in ())) == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Generator[int, None, None]:
        yield 1
        raise BrokenError

    made = prefetch(items())
    assert next(made) == 1
    with pytest.raises(BrokenError):
        next(made)


def test_one_that_is_closed_early_closes_what_makes_the_items_and_ends_its_thread() -> None:
    closed = []

    def items() -> Generator[int, None, None]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    made = prefetch(items())
    assert next(made) == 0
    made.close()
    assert closed == [True]
    assert not [one for one in threading.enumerate() if one.name.startswith("read")]
