"""The tables whose ranges are killed, and what plain Python says that their hours hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.clock import HOUR
from pipeline.contract.model import Product, Read
from tests.support.derivations import FEATURE
from tests.support.orders import Orders, derived, hour, orders_product, sales
from tests.support.shop import Sales

NUMBERS = (21, 22, 23, 24, 25)
"""Hours around a midnight, which is where the feature's partitions part."""
BAD, EMPTY = hour(23), hour(24)
"""The hour that fails, in the middle; and one without events of its own."""
TASTES = """
SELECT region, CAST(max(_event_time) AS DATE) AS day, count(*) AS orders, sum(amount) AS amount
FROM events GROUP BY region
"""

Tastes = list[tuple[str, date, int, int]]
"""Rows of an hour of the feature: (region, day, orders, amount), sorted."""


def ranges_product(folder: Path) -> Product:
    """Return orders with `sales`, computed by the range, and the feature `tastes`, computed hour by hour."""
    tastes = derived("tastes", TASTES, reads=(Read(table="events", hours=2),), feature=FEATURE)
    late = sales().late.model_copy(update={"share": 0.0001, "wait_s": 0.0})
    tables = (one.model_copy(update={"late": late}) for one in (sales(), tastes))
    return orders_product(folder, *tables)


@dataclass(frozen=True)
class Held:
    """The rows of each hour that has any: of `sales`, and of the builds of `tastes` that count."""

    sales: dict[datetime, Sales] = field(default_factory=dict)
    tastes: dict[datetime, Tastes] = field(default_factory=dict)

    @property
    def served(self) -> set[tuple[Any, ...]]:
        """What readers of the feature are to have: each key's row of its newest hour."""
        newest = {row[:2]: (*row, at) for at, rows in sorted(self.tastes.items()) for row in rows}
        return set(newest.values())


def tastes_of(orders: Orders, of: datetime) -> Tastes:
    """Recompute an hour of the feature in plain Python."""
    found: dict[str, list[tuple[datetime, int]]] = {}
    for row in orders.rows:
        moment, amount = row["_event_time"], row["amount"]
        assert isinstance(moment, datetime)
        assert isinstance(amount, int)
        if of - HOUR <= moment < of + HOUR:
            found.setdefault(str(row["region"]), []).append((moment, amount))
    return sorted(
        (region, max(at for at, _ in all_).date(), len(all_), sum(n for _, n in all_))
        for region, all_ in found.items()
    )
