"""What an hour read of derived tables is told by what was published when each of its builds was made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.contract.model import Read
from pipeline.control.publications import Publication
from pipeline.impact.fed import inputs_of, known_at
from tests.support.orders import derived, hour, orders_product

SALES = derived("sales", "")
RUNS = derived("runs", "", reads=(Read(table="sales"), Read(table="runs", back=1)))
PRODUCT = orders_product(Path("orders"), SALES, RUNS)
PLAIN = Publication(
    table="orders.sales",
    hour=hour(2),
    published_at=hour(30),
    source_snapshot_id=1,
    staged_snapshot_id=None,
    published_snapshot_id=None,
    wap_id="first",
    rows=1,
    contract_version="1.0.0",
    run_id="run",
    expectations=1,
    digest="1:1",
    handover="1:1",
)


@pytest.mark.parametrize(
    ("table", "at", "says", "is_other"),
    [
        ("sales", 2, {"digest": "1:2"}, True),
        ("sales", 2, {"digest": "1:1", "handover": "1:2"}, False),
        ("runs", 1, {"digest": "1:2"}, False),
        ("runs", 1, {"handover": "1:2"}, True),
        ("sales", 2, {"digest": None}, True),
    ],
)
def test_inputs_are_others_by_what_is_read_of_them(
    table: str, at: int, says: dict[str, str | None], is_other: bool
) -> None:
    first = replace(PLAIN, table=f"orders.{table}", hour=hour(at))
    minute = timedelta(minutes=1)
    before = replace(first, table="orders.runs", hour=hour(2), published_at=hour(30) + minute)
    again = replace(first, wap_id="again", published_at=hour(30) + 2 * minute, **says)  # type: ignore[arg-type]
    now = replace(before, published_at=hour(30) + 3 * minute)
    published = (first, before, again, now)
    found = inputs_of(
        PRODUCT, RUNS, hour(2), known_at("us", now, published), known_at("us", before, published)
    )
    (one,) = (each for each in found if each.table == table)
    assert one.before == first
    assert one.now == again
    assert one.is_other is is_other
    (none,) = (each for each in found if each.table != table)
    assert (none.now, none.is_other) == (None, False)
