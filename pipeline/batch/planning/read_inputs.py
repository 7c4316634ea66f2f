"""Reading what a plan of hourly builds is made from: hours, ledger and publications, as they are now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.batch.planning.staleness import PlanInputs
from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.control.publications import read_publications
from pipeline.hours.read import read_hour_states
from pipeline.ledger.read import read_ledger


def read_plan_inputs(
    cell: Cell,
    product: Product,
    *,
    hours: Iterable[datetime] | None = None,
    clock: Clock = utc_now,
) -> PlanInputs:
    """Read what `plan_hours` needs; `hours` are looked at whether they have rows or not.

    Places the fences that are due; starts no Spark. Raises what `read_hour_states` and `read_ledger` raise.
    """
    states = read_hour_states(cell, product, clock, also=hours or ())
    ledger = read_ledger(cell, product, last=0)
    publications = read_publications(cell, product.name)
    return PlanInputs.of(
        states, publications, balanced=ledger.balanced, unexplained=ledger.unexplained
    )
