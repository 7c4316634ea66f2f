"""`headwater hours`, from a real topic to published hours, as another process."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.cells import Cell
from pipeline.clock import hour_of
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.supervision.locks import batch_lock, lock_holder
from pipeline.tables.catalog import load_table
from tests.support.commands import Command, command_for
from tests.support.load import TopicWriter
from tests.support.products import own_product

TABLE = """
  - name: readings
    physicalName: readings
    physicalType: table
    description: Readings by lot.
    properties:
      - {name: lane, logicalType: integer, description: One of three lots.}
      - {name: readings, logicalType: integer, description: How many.}
      - name: total
        logicalType: integer
        description: Their sum.
        quality:
          - type: custom
            engine: greatExpectations
            implementation:
              type: expect_column_values_to_be_between
              kwargs: {min_value: MINIMUM}
    customProperties:
      - property: headwater
        value:
          sql: readings.sql
"""
SQL = (
    "SELECT CAST(_offset % 3 AS int) AS lane, count(*) AS readings, sum(value) AS total "
    "FROM events GROUP BY _offset % 3\n"
)


def with_table(product: Product, minimum: int) -> Product:
    """Give the product's contract an hourly table, or that table another expectation."""
    contract, kept = product.folder / "contract.yaml", product.folder / "contract.without"
    if not kept.exists():
        kept.write_text(contract.read_text())
    (product.folder / "readings.sql").write_text(SQL)
    derived_table = TABLE.replace("MINIMUM", str(minimum))
    contract.write_text(kept.read_text().rstrip() + derived_table)
    return load_product(product.folder)


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return with_table(own_product("strict_events", tmp_path / "contracts"), 0)


def listed(command: Command, product: Product) -> dict[datetime, dict[str, Any]]:
    result = command.run("hours", product.name, "--cell", "us", "--json")
    assert result.code == ExitCode.OK, result.err
    return {datetime.fromisoformat(hour["hour"]): hour for hour in result.json["hours"]}


def recomputed(cell: Cell, product: Product) -> dict[datetime, Counter[tuple[int, str]]]:
    """Readings and totals of every hour and lot, from the events themselves."""
    totals: dict[datetime, Counter[tuple[int, str]]] = {}
    for row in load_table(cell, f"{product.name}.events").scan().to_arrow().to_pylist():
        counts = totals.setdefault(hour_of(row["_event_time"]), Counter())
        counts[row["_offset"] % 3, "readings"] += 1
        counts[row["_offset"] % 3, "total"] += row["value"]
    return totals


def published(cell: Cell, product: Product) -> dict[datetime, Counter[tuple[int, str]]]:
    totals: dict[datetime, Counter[tuple[int, str]]] = {}
    for row in load_table(cell, f"{product.name}.readings").scan().to_arrow().to_pylist():
        counts = totals.setdefault(row["hour"], Counter())
        counts[row["lane"], "readings"] += row["readings"]
        counts[row["lane"], "total"] += row["total"]
    return totals


@pytest.mark.timeout(600)
def test_closed_hours_are_published_once_whatever_ends_a_build(
    cell: Cell, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    TopicWriter(cell, product).fill(900)
    command = command_for(cell, product)
    name = product.name

    ingested = command.run("ingest", "run", name, "--cell", "us", "--once", "--json")
    assert ingested.code == ExitCode.OK, ingested.err
    before = listed(command, product)
    closed = [hour for hour, state in before.items() if state["closed"] and state["rows"]]
    assert closed
    assert not any(state["published"]["readings"] for state in before.values())

    explained = command.run("hours", "build", name, "--cell", "us", "--explain", "--json")
    assert [b["rows"] for b in explained.json["builds"]] == [before[h]["rows"] for h in closed]

    (staged, *_) = explained.json["builds"][0]["stages"]
    assert staged == {
        "stage": "stage",
        "table": f"{name}.readings",
        "language": "sql",
        "reads": ["events"],
    }
    (together,) = explained.json["ranges"]
    assert together == {"derived_table": "readings", "hours": [hour.isoformat() for hour in closed]}
    assert explained.json["logic"]["readings"]["computed"] == "by range"
    assert explained.json["bounds"]["rows"] > sum(before[hour]["rows"] for hour in closed)
    in_words = command.run("hours", "build", name, "--cell", "us", "--explain")
    assert in_words.out.count("    publish: ") == 1, "hours that are built together have it once"

    still_open = f"{datetime.now(UTC):%Y-%m-%dT%H}"
    refused = command.run("hours", "build", name, "--cell", "us", "--hour", still_open)
    assert refused.code == ExitCode.RETRYABLE
    assert "not closed" in refused.err

    with monkeypatch.context() as armed:
        armed.setenv("HEADWATER_FAILPOINT", "hour.after_publish")
        killed = command.run("hours", "build", name, "--cell", "us")
    assert killed.code == -9
    first = closed[0]
    assert set(published(cell, product)) == set(closed), "hours of one range are published at once"
    assert listed(command, product)[first]["published"]["readings"] is None

    chosen = [
        part
        for hour in (*(f"{one:%Y-%m-%dT%H}" for one in closed), still_open)
        for part in ("--hour", hour)
    ]
    building = command.start("hours", "build", name, "--cell", "us", "--json", *chosen)
    lock = batch_lock(cell, name)
    building.wait_for(lambda: (lock_holder(lock) or "").endswith(f"pid {building.process.pid}"))
    again = ("hours", "build", name, "--cell", "us", "--again", "--hour", f"{first:%Y-%m-%dT%H}")
    refused = command.run(*again)
    assert refused.code == ExitCode.RETRYABLE, "two backfills at once"
    assert f"headwater hours build, pid {building.process.pid}" in refused.err
    built = building.result()
    assert built.code == ExitCode.RETRYABLE, "the closed hours are built all the same"
    assert f"hour {still_open} is not closed" in built.err
    assert command.run("ledger", name, "--cell", "us", "--verify").code == ExitCode.OK
    expected = recomputed(cell, product)
    assert published(cell, product) == {hour: expected[hour] for hour in closed}
    after = listed(command, product)
    assert all(after[hour]["published"]["readings"]["expectations"] == 2 for hour in closed)

    asked = command.run(
        "impact", name, "--cell", "us", "--partition", "0", "--offsets", "0..9", "--json"
    )
    assert asked.code == ExitCode.OK, asked.err
    holding = {one["hour"]: one["standing"] for one in asked.json["derived_tables"]}
    assert {holding[hour.isoformat()] for hour in closed if hour.isoformat() in holding} == {
        "holds"
    }
    why = (
        "why",
        name,
        "readings",
        "--cell",
        "us",
        "--hour",
        f"{first:%Y-%m-%dT%H}",
        "--key",
        "lane=0",
    )
    told = command.run(*why, "--json")
    assert told.code == ExitCode.OK, told.err
    assert sum(one["rows"] for one in told.json["events"]) == after[first]["rows"]
    (row,) = told.json["rows"]["now"]
    assert row["total"] == expected[first][0, "total"]

    idle = command.run("hours", "build", name, "--cell", "us")
    assert (idle.code, idle.out.strip()) == (0, "no closed hour is waiting to be built")

    with_table(product, 1_000_000_000)
    only = f"{first:%Y-%m-%dT%H}"
    rejected = command.run("hours", "build", name, "--cell", "us", "--hour", only, "--again")
    assert rejected.code == ExitCode.CHECK_FAILED
    assert "not published" in rejected.out
    assert "expect_column_values_to_be_between of total" in rejected.out
    assert published(cell, product) == {hour: expected[hour] for hour in closed}
