"""The plan of hourly builds as things are now: looks at hours, books and publications."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.batch.planning.plan import HoursPlan, plan_hours
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.control.publications import read_publications
from pipeline.hours.now import look_now
from pipeline.ledger.read import read_ledger


def prepare(
    cell: Cell,
    product: Product,
    *,
    hours: Iterable[datetime] | None = None,
    derived_tables: Iterable[str] | None = None,
    again: bool = False,
    clock: Clock = utc_now,
) -> HoursPlan:
    """Look at the hours (which places fences) and plan their builds; starts no Spark.

    Options are those of `plan_hours`. Raises what `look_now`, `read_ledger` and `plan_hours` raise.
    """
    chosen = None if hours is None else tuple(hours)
    states = look_now(cell, product, clock, also=chosen or ())
    ledger = read_ledger(cell, product)
    return plan_hours(
        product,
        states,
        read_publications(cell, product.name),
        ledger.unexplained,
        balanced=ledger.balanced,
        hours=chosen,
        derived_tables=derived_tables,
        again=again,
    )
