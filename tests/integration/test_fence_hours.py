"""A look at hours over a real events table: what is fenced, what is closed, from which snapshot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.cells import Cell
from pipeline.hours.states import HourStates, fence_hours
from pipeline.tables.catalog import TableMissingError
from tests.support.orders import Orders, hour, orders_product

LATER = hour(6) + timedelta(minutes=30)


def closed(states: HourStates) -> list[int]:
    return [at.hour for at in states.closed]


def test_an_hour_closes_when_ingest_has_passed_its_fence(quiet_cell: Cell, tmp_path: Path) -> None:
    product = orders_product(tmp_path)
    orders = Orders(quiet_cell)
    orders.append([(hour(5), "north", 1)])
    at_the_fence = {0: 3, 1: 0}
    assert closed(fence_hours(quiet_cell, product, LATER, at_the_fence)) == []

    orders.append([(hour(5), "north", 2)])
    orders_so_far = fence_hours(quiet_cell, product, LATER, {0: 50, 1: 50})
    assert closed(orders_so_far) == [], "the fence does not move with the topic"

    snapshot = orders.append([(hour(5), "south", 3)])
    states = fence_hours(quiet_cell, product, LATER, {0: 50, 1: 50})
    assert closed(states) == [5]
    assert states.snapshot_id == snapshot
    assert {state.hour.hour: state.rows for state in states.hours} == {5: 3, 6: 0}


def test_an_hour_is_not_fenced_before_its_lateness_allowance_has_passed(
    quiet_cell: Cell, tmp_path: Path
) -> None:
    product = orders_product(tmp_path)
    Orders(quiet_cell).append([(hour(5), "north", 1)])
    early = hour(6) + timedelta(minutes=4, seconds=59)
    states = fence_hours(quiet_cell, product, early, {0: 1, 1: 0})
    assert [state.fence for state in states.hours] == [None, None]
    assert closed(states) == []


def test_hours_of_the_wall_clock_close_without_rows(quiet_cell: Cell, tmp_path: Path) -> None:
    product = orders_product(tmp_path)
    Orders(quiet_cell).append([(hour(2), "north", 1)])
    fence_hours(quiet_cell, product, hour(7), {0: 1, 1: 0})
    states = fence_hours(quiet_cell, product, hour(9) + timedelta(minutes=6), {0: 1, 1: 0})
    assert closed(states) == [2, 7, 8], (
        "hours 3 to 6 passed before anybody looked, and have no rows"
    )


def test_an_hour_asked_for_is_looked_at_even_without_rows(quiet_cell: Cell, tmp_path: Path) -> None:
    product = orders_product(tmp_path)
    Orders(quiet_cell).append([(hour(5), "north", 1)])
    states = fence_hours(quiet_cell, product, LATER, {0: 1, 1: 0}, also=[hour(3)])
    assert closed(states) == [3, 5]


def test_before_the_first_commit_there_are_no_hours(quiet_cell: Cell, tmp_path: Path) -> None:
    Orders(quiet_cell)
    states = fence_hours(quiet_cell, orders_product(tmp_path), LATER, {0: 5, 1: 0})
    assert (states.snapshot_id, states.hours) == (None, ())


def test_a_product_that_was_never_ingested_is_an_error_by_name(
    quiet_cell: Cell, tmp_path: Path
) -> None:
    with pytest.raises(TableMissingError):
        fence_hours(quiet_cell, orders_product(tmp_path), LATER, {})
