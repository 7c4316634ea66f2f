"""Completeness of lineage: below 100 % once somebody else writes to a table, and then none is published."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.table import Table
from pyspark.sql import SparkSession

from pipeline.batch.planning.plan import plan_hours
from pipeline.batch.planning.read_inputs import read_plan_inputs
from pipeline.cells import Cell
from pipeline.clock import Clock
from pipeline.completeness.measure import measure_completeness
from pipeline.completeness.model import LineageIncompleteError
from pipeline.contract.model import Product
from pipeline.control.publications import Publication
from pipeline.hours.fence import Fence
from pipeline.hours.states import HourState, HourStates
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.create import ensure_table
from pipeline.tables.layout import DEAD_LETTER_SCHEMA
from tests.support.derivations import Chain, chained_product
from tests.support.hour_builds import CrashError, crash_at
from tests.support.orders import hour

EAGER = MaintenancePolicy(retain=timedelta(0), retain_last=1, min_files=2, min_manifests=2)
HOURS = (2, 3)


def lacking(chain: Chain) -> dict[str, int]:
    """Rows without lineage, of the tables that have some."""
    found = measure_completeness(chain.cell, chain.product, first_hour=hour(0))
    for one in found:
        table = load_table(chain.cell, f"orders.{one.table}")
        assert one.rows == table.scan().to_arrow().num_rows
        assert one.is_full == (one.ratio == 1.0) == (not one.lacking)
    return {one.table: one.lacking for one in found if one.lacking}


def double(table: Table, row_filter: str = "") -> int:
    """Append rows of a table once more, around the engine; return how many."""
    rows = (table.scan(row_filter) if row_filter else table.scan()).to_arrow()
    table.append(rows)
    return int(rows.num_rows)


def refusal(chain: Chain) -> LineageIncompleteError | None:
    """Plan hours as the command and Dagster do."""

    def states(
        _cell: Cell,
        _product: Product,
        _clock: Clock,
        _hours: Iterable[datetime],
        _: datetime | None,
    ) -> HourStates:
        events = load_table(chain.cell, "orders.events")
        fence = Fence(hour(0), hour(0), {0: 0})
        closed = tuple(HourState(hour(n), 1, fence, closed=True) for n in HOURS)
        return HourStates("orders", "us", events.metadata.current_snapshot_id, chain.now, closed)

    inputs = read_plan_inputs(chain.cell, chain.product, hours=map(hour, HOURS), read_states=states)
    try:
        plan_hours(chain.product, inputs, again=True)
    except LineageIncompleteError as error:
        return error
    return None


@pytest.fixture
def chain(spark: SparkSession, quiet_cell: Cell, tmp_path: Path) -> Chain:
    chain = Chain(spark, quiet_cell, chained_product(tmp_path))
    ensure_table(open_catalog(quiet_cell), "orders.dead_letters", DEAD_LETTER_SCHEMA)
    for number in HOURS:
        chain.orders.append([(hour(number), region, 5) for region in ("eu", "us", "eu")])
    return chain


def test_it_falls_with_a_row_of_somebody_elses_and_rises_when_that_is_gone(
    chain: Chain,
) -> None:
    assert lacking(chain) == {}
    assert refusal(chain) is None
    spare = load_table(chain.cell, "orders.events").scan("_offset == 2").to_arrow()
    double(load_table(chain.cell, "orders.events"), "_offset == 2")
    maintain(chain.cell, chain.product, EAGER)
    assert lacking(chain) == {"events": 1}
    told = refusal(chain)
    assert told is not None
    assert "1 rows of events have no lineage" in str(told)
    # Both rows go, and one comes back: as many as the ledger tells of.
    events = load_table(chain.cell, "orders.events")
    events.delete("_offset == 2")
    events.append(spare)
    assert lacking(chain) == {}
    assert refusal(chain) is None


def test_it_falls_with_dead_letters_and_features_of_somebody_elses(chain: Chain) -> None:
    chain.build(HOURS)
    assert {one.table for one in measure_completeness(chain.cell, chain.product)} == {
        "events", "dead_letters", "sales", "streaks", "tastes", "tastes_history",
    }  # fmt: skip
    letters = load_table(chain.cell, "orders.dead_letters")
    letters.append(letters.scan().to_arrow())
    letters.append(dead_letter())
    history = load_table(chain.cell, "orders.tastes_history")
    served = load_table(chain.cell, "orders.tastes")
    expected = {
        "dead_letters": 1,
        "tastes_history": double(history, "region == 'us'"),
        "tastes": double(served),
    }
    for _ in range(2):
        assert lacking(chain) == expected
        maintain(chain.cell, chain.product, EAGER)
    letters.refresh().delete("_offset == 0")
    chain.orders.append([(hour(4), "eu", 1)])
    chain.build((*HOURS, 4))
    assert lacking(chain) == {"tastes_history": expected["tastes_history"]}


def test_what_a_killed_build_has_published_is_its_own_and_what_others_add_to_it_is_not(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.build(HOURS)
    with monkeypatch.context() as patched:
        crash_at(patched, "hour.after_publish")
        for table in ("sales", "tastes"):
            with pytest.raises(CrashError):
                chain.build(HOURS, hours=[hour(3)], derived_tables=[table], again=True)
    assert lacking(chain) == {}
    doubled = {
        name: double(load_table(chain.cell, f"orders.{name}"), f"hour == '{hour(3).isoformat()}'")
        for name in ("sales", "tastes_history")
    }
    assert lacking(chain) == doubled


def dead_letter() -> pa.Table:
    row = {
        "_topic": "orders",
        "_topic_id": "topic-1",
        "_topic_partition": 0,
        "_offset": 0,
        "_record_time": hour(0),
        "_ingested_at": hour(0),
        "_run_id": "theirs",
        "reason": "stale",
        "detail": "",
    }
    return pa.Table.from_pylist([row], schema=DEAD_LETTER_SCHEMA)


def test_an_hour_that_reads_such_rows_is_not_published_until_they_are_built_away(
    chain: Chain,
) -> None:
    chain.build(HOURS)
    streaks = load_table(chain.cell, "orders.streaks")
    doubled = double(streaks, f"hour == '{hour(2).isoformat()}'")
    assert lacking(chain) == {"streaks": doubled}
    done = chain.build(HOURS, hours=[hour(3)], derived_tables=["streaks", "tastes"], again=True)
    assert {one.build.derived_table for one in done} == {"streaks", "tastes"}
    for one in done:
        assert isinstance(one.outcome, LineageIncompleteError)
        assert "hour 2026-01-01T02 of streaks" in str(one.outcome)
    done = chain.build(HOURS, again=True)
    assert all(isinstance(one.outcome, Publication) for one in done)
    assert lacking(chain) == {}
