"""A server that is away for a while."""

from __future__ import annotations

from typing import Protocol

import pytest

from pipeline.cells import Cell
from pipeline.errors import RetryableError
from pipeline.tables.catalog import load_table
from tests.support.orders import Orders, hour


class Mortal(Protocol):
    """A server that can be stopped, and started again on its data."""

    def stop(self) -> None: ...

    def start(self) -> None: ...


def assert_it_is_gone_on_with(
    cell: Cell, server: Mortal, error: type[RetryableError], words: str
) -> None:
    """See that tables of `server` say that it is away, and go on once it is back. Stops it."""
    try:
        orders = Orders(cell)
        orders.append([(hour(1), "north", 3)])
        server.stop()
        with pytest.raises(error, match=words):
            load_table(cell, "orders.events")
        server.start()
        orders.append([(hour(1), "north", 4)])
        assert load_table(cell, "orders.events").scan().to_arrow().num_rows == 2
    finally:
        server.stop()
