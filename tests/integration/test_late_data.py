"""Late events in closed hours: the sensor asks, exactly what they touch is built, all is as one recompute."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pyspark.sql import SparkSession

from assets.definitions import build
from assets.partitions import to_key
from pipeline.cells import Cell
from pipeline.clock import HOUR, hour_of
from pipeline.contract.lineage.graph import lineage_graph
from pipeline.contract.load import load_product
from pipeline.control.publications import latest, read_publications
from pipeline.event_state import State
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.trace.duplicates import NOTHING
from pipeline.trace.read import trace_event
from quality.data_docs import site
from quality.freshness import measure_freshness
from quality.lineage.facts import look
from quality.lineage.page import render_page
from quality.lineage.publish import find_page
from tests.support.location import Event, Location, open_location
from tests.support.products import own_product

NAME = "strict_events"
FOLDERS = Path(__file__).parent.parent / "data" / "derived"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
HOURS = [NOON + n * HOUR for n in range(3)]
"""Of one day, and over."""


@pytest.fixture
def location(
    cell: Cell, home: Path, tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Location]:
    contracts = tmp_path / "contracts"
    product = own_product(NAME, contracts)
    for folder in FOLDERS.iterdir():
        shutil.copytree(folder, contracts / folder.name)
    with open_location(cell, home, product, tmp_path / "dagster", monkeypatch) as location:
        yield location


def reading(name: str, at: datetime, value: int) -> Event:
    return Event(name, at, {"sensor": name, "at": at, "value": value, "note": None})


def told_of(location: Location, table: str, hour: datetime) -> dict[str, Any]:
    """Return the metadata of an hour's newest materialization, tables as lists of their rows."""
    key = dg.AssetKey(["us", NAME, table])
    asked = dg.AssetRecordsFilter(key, asset_partitions=[to_key(hour)])
    (record,) = location.instance.fetch_materializations(asked, limit=1).records
    made = record.asset_materialization
    assert made is not None
    return {
        name: [one.data for one in value.records]
        if isinstance(value, dg.TableMetadataValue)
        else value.value
        for name, value in made.metadata.items()
    }


def check_facts(location: Location) -> None:
    """Hold what a page tells of the cell to the tables."""
    product = load_product(location.product.folder)
    facts = look(location.cell, product)
    published = latest(read_publications(location.cell, NAME))
    events = facts.tables["events"]
    assert events.rows == 10
    assert facts.states[State.ARCHIVED] == facts.states[State.SINK_COMMITTED] == events.rows
    assert facts.states[State.DEAD_LETTER] == 0
    assert sum(row.added for row in events.snapshots) == events.rows
    assert events.snapshots[0].entries
    features = facts.tables["sensor_features"]
    assert features.rows == len(location.rows("sensor_features"))
    assert {one.hour: one for one in features.hours if one.hour in HOURS} == {
        hour: published[f"{NAME}.sensor_features_history", hour] for hour in HOURS
    }
    page = render_page(product, lineage_graph(product), facts)
    assert f"{events.snapshots[0].facts.snapshot_id}" in page
    assert features.hours[0].run_id in page
    written = find_page(location.cell, NAME)
    assert written is not None
    # By the last run, at its end.
    assert features.hours[0].run_id in (site(location.cell) / written).read_text()


def check_trace(location: Location) -> None:
    """Hold what is told of the event that came last, and was computed into hours again, to publications."""
    (row,) = load_table(location.cell, f"{NAME}.events").scan("value = 9").to_arrow().to_pylist()
    found = trace_event(location.cell, load_product(location.product.folder), row["_uuid"], NOTHING)
    (hours,) = found.facts.reached.values()
    told = {(one.table, one.hour): [build.holds for build in one.builds] for one in hours}
    assert told == {
        ("readings_hourly", HOURS[0]): [False, False, True],
        ("sensor_runs", HOURS[0]): [False, False, True],
        # What earlier hours hand on is followed for an hour.
        ("sensor_runs", HOURS[1]): [False, True],
        ("sensor_features", HOURS[0]): [False, False, True],
        ("sensor_features", HOURS[1]): [False, False, True],
        ("sensor_features", HOURS[2]): [False, True],
    }
    known = {(one.table, one.hour): one for one in read_publications(location.cell, NAME)}
    assert all(
        one.builds[-1].publication == known[one.identifier, one.hour] and one.builds[-1].is_current
        for one in hours
    )


def expected(location: Location) -> dict[str, list[tuple[object, ...]]]:
    """Compute every table from the events, in plain Python; columns in the order of their names."""
    totals: dict[tuple[datetime, str], list[int]] = {}
    for row in load_table(location.cell, f"{NAME}.events").scan().to_arrow().to_pylist():
        totals.setdefault((hour_of(row["_event_time"]), row["sensor"]), []).append(row["value"])
    runs: dict[tuple[datetime, str], int] = {}
    for hour, sensor in sorted(totals):
        before = (hour - HOUR, sensor)
        carried = runs.get(before, 0) if sum(totals.get(before, [0])) >= 0 else 0
        runs[hour, sensor] = carried + 1
    newest = {sensor: hour for hour, sensor in sorted(totals)}
    found: dict[str, list[tuple[object, ...]]] = {
        "readings_hourly": [(h, len(v), s, sum(v)) for (h, s), v in totals.items()],
        "sensor_runs": [(h, runs[h, s], sum(v), s) for (h, s), v in totals.items()],
        "sensor_features": [],
    }
    for sensor, last in newest.items():
        # A feature is of the hour being built: its newest one has every sensor of the two hours.
        hour = min(last + HOUR, HOURS[-1])
        seen = [h for h in (hour - HOUR, hour) if (h, sensor) in totals]
        mean = sum(sum(totals[h, sensor]) for h in seen) / len(seen)
        longest = max(runs[h, sensor] for h in seen)
        found["sensor_features"].append((max(seen).date(), hour, longest, mean, sensor))
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


@pytest.mark.timeout(600)
def test_late_events_build_exactly_what_they_touch_and_all_is_as_one_recompute(
    location: Location,
) -> None:
    minute = timedelta(minutes=1)
    location.send(
        [
            *(reading(name, hour + minute, 5) for hour in HOURS for name in ("a", "b")),
            reading("ends", HOURS[0] + minute, -1),
            reading("ends", HOURS[1] + minute, 1),
        ]
    )
    first = location.drain()
    tables = ("readings_hourly", "sensor_runs", "sensor_features")
    assert {one for one in first if one[1] in HOURS} == {(t, h) for t in tables for h in HOURS}
    assert location.ask("late_data") is None
    for table, rows in expected(location).items():
        assert sorted(location.rows(table), key=repr) == rows

    # The run of sensor `ends` is broken by its negative total: the hour after it hands nothing over.
    location.send([reading("ends", HOURS[0] + 40 * minute, -1)])
    assert location.ask("hour_closed") is None
    made = location.drain()
    assert made == Counter(
        [
            ("readings_hourly", HOURS[0]),
            ("sensor_runs", HOURS[0]),
            ("sensor_features", HOURS[0]),
            ("sensor_features", HOURS[1]),
        ]
    )
    told = told_of(location, "sensor_features", HOURS[1])
    read = {(one["table"], one["hour"]): one["wap id"] for one in told["input hours"]}
    builds = latest(read_publications(location.cell, NAME))
    assert read == {
        ("sensor_runs", f"{hour:%Y-%m-%dT%H}"): builds[f"{NAME}.sensor_runs", hour].wap_id
        for hour in HOURS[:2]
    }
    changed = {one["what"] for one in told["since the build before"]}
    assert told["rows changed"] == ("yes" if "digest" in changed else "no")
    assert {"inputs", "source snapshot id", "wap id", "run id"} <= changed
    assert "contract version" not in changed
    (counted,) = told_of(location, "readings_hourly", HOURS[0])["input hours"]
    assert (counted["table"], counted["rows"]) == ("events", "4")
    # Mended, it goes on through the next hour, which hands it over in its turn.
    location.send([reading("ends", HOURS[0] + 50 * minute, 9)])
    made = location.drain()
    assert made == Counter(
        [
            ("readings_hourly", HOURS[0]),
            *(("sensor_runs", hour) for hour in HOURS),
            *(("sensor_features", hour) for hour in HOURS),
        ]
    )
    for table, rows in expected(location).items():
        assert sorted(location.rows(table), key=repr) == rows
    check_facts(location)
    check_trace(location)
    assert verify_ledger(location.cell, location.product).balanced
    fresh = measure_freshness(location.cell, location.product)
    assert (fresh.waiting, fresh.lag) == (0, timedelta(0))


def test_a_derived_table_is_added_by_its_folder_alone(location: Location) -> None:
    folder = location.product.folder.parent / "sensor_features"
    key = dg.AssetKey(["us", NAME, "sensor_features"])
    graph = location.repository.asset_graph
    node = graph.get(key)
    assert node.parent_keys == {dg.AssetKey(["us", NAME, "sensor_runs"])}
    assert node.owners == ["team:modellers"]
    assert {check.name for check in graph.asset_check_keys if check.asset_key == key} == {
        "audit",
        "lineage_complete",
    }
    lineage = node.metadata["dagster/column_lineage"].deps_by_column
    assert lineage["mean"][0].asset_key == dg.AssetKey(["us", NAME, "sensor_runs"])
    shutil.rmtree(folder)
    assert not build("us").get_repository_def().asset_graph.has(key)
