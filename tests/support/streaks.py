"""`streaks`, a table that reads its own hour before: orders for it, its rows, and those counted by hand."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from pipeline.clock import HOUR, hour_of
from pipeline.tables.catalog import load_table
from tests.support.derivations import Chain
from tests.support.orders import hour

REGIONS = ("north", "south", "west")
Rows = Mapping[datetime, list[tuple[str, int, int]]]
"""By hour: (region, orders, streak), sorted."""


def some_orders(seed: int, hours: Iterable[int]) -> list[tuple[datetime, str, int]]:
    """Return orders for every hour; streaks of each region begin, go on and end."""
    draw = random.Random(seed)  # noqa: S311
    return [
        (hour(number), region, 1)
        for number in hours
        for region in REGIONS
        for _ in range(draw.choice((0, 1, 2, 2, 3)) + (region == "west"))
    ]


def published(chain: Chain) -> Rows:
    """Return the rows that main has."""
    found: dict[datetime, list[tuple[str, int, int]]] = {}
    for row in chain.rows("streaks"):
        found.setdefault(row["hour"], []).append((row["region"], row["orders"], row["streak"]))
    return {at: sorted(rows) for at, rows in found.items()}


def by_hand(
    chain: Chain,
    hours: Iterable[int],
    held: Rows | None = None,
    failing: Collection[datetime] = (),
) -> Rows:
    """Return what main is to have once `hours` are built one after the other, where it had `held`.

    Hours that are `failing` stay as they are; one after an hour that main does not have is not built.
    """
    events = load_table(chain.cell, "orders.events").scan().to_arrow().to_pylist()
    counted: dict[datetime, Counter[str]] = {}
    for event in events:
        counted.setdefault(hour_of(event["_event_time"]), Counter())[event["region"]] += 1
    found = dict(held or {})
    for at in map(hour, hours):
        if at in failing or (at - HOUR in counted and at - HOUR not in found):
            continue
        handed = {name: streak for name, n, streak in found.get(at - HOUR, ()) if n >= 2}
        found[at] = sorted((name, n, handed.get(name, 0) + 1) for name, n in counted[at].items())
    return found
