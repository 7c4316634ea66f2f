"""A feature table whose hours are built in a drawn order, and what it is to hold, told from data files."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from pyiceberg.table.snapshots import Operation
from pyspark.sql import SparkSession

from pipeline.batch.context import RangeContext
from pipeline.batch.model import Source
from pipeline.cells import Cell
from pipeline.contract.model import Feature
from pipeline.control.publications import Publication, PublicationLog, read_publications
from pipeline.maintenance.compact import compact
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.tables.catalog import load_table
from pipeline.tables.snapshots import main_history
from tests.support.derivations import accept
from tests.support.hour_builds import CrashError, build_hours_of, crash_at, each_alone
from tests.support.orders import Orders, derived, hour, orders_product

SQL = """
SELECT nullif(region, 'none') AS region,
  CASE amount % 4 WHEN 0 THEN CAST('0.0' AS DOUBLE) WHEN 1 THEN CAST('-0.0' AS DOUBLE)
    WHEN 2 THEN CAST('NaN' AS DOUBLE) END AS size,
  CASE WHEN amount < 100 THEN 'low' WHEN amount < 200 THEN 'high' END AS shelf,
  amount, {build} AS made
FROM events WHERE pmod(xxhash64(_uuid, {build}), 4) > 0
"""
"""Gives each order of the hour, three of four, others by each build."""
FEATURE = Feature(entity=("region", "size"), ttl_s=864_000, partitions=("shelf",))
TABLE, HISTORY = "orders.tastes", "orders.tastes_history"
Row = dict[str, Any]
Shelf = str | None


def key_of(row: Row) -> tuple[object, ...]:
    """Return what tells a row's entity: as Spark groups, all zeros are one, and so is what is no number."""
    size = row["size"]
    if size is not None:
        size = "nan" if math.isnan(size) else size + 0.0
    return (row["region"], size, row["shelf"])


@dataclass
class Tastes:
    """The table, its events drawn, and what was done to it so far.

    Attributes:
        wanted: what each partition is to hold, of those that any hour was in.
        known: partitions that the table is known to hold the newest rows of; None for all.
        disturbed: whether something was done since that the table was not derived after.
        paths: how it was derived, each time.
    """

    spark: SparkSession
    cell: Cell
    folder: Path
    random: Random
    wanted: dict[Shelf, list[Row]] = field(default_factory=dict)
    known: set[Shelf] | None = None
    disturbed: bool = False
    paths: list[str] = field(default_factory=list)
    builds: int = 0

    def __post_init__(self) -> None:
        orders = Orders(self.cell)
        keys = [
            (region, 100 * shelf + size)
            for region in ("north", "south", "none")
            for shelf in range(3)
            for size in (self.random.choice((0, 1)), 2, 3)
        ]
        orders.append(
            (hour(number), region, amount)
            for number in range(24)
            for region, amount in self.random.sample(keys, 9)
        )

    def build(self, *numbers: int, at_kill: tuple[pytest.MonkeyPatch, str] | None = None) -> None:
        """Build hours as one range, killed first where that is asked; hold the table to its reference."""
        self.builds += 1
        if at_kill is not None:
            patches, place = at_kill
            with patches.context() as patched:
                crash_at(patched, place)
                with pytest.raises(CrashError):
                    self._build(numbers)
        before = self.last()
        outcomes = self._build(numbers)
        assert all(isinstance(one, Publication) for one in outcomes.values()), outcomes
        is_derived = at_kill is not None and at_kill[1] == "hour.after_publish_current"
        self._look(set(map(hour, numbers)), before, is_derived=is_derived)

    def _build(self, numbers: Collection[int]) -> Mapping[datetime, object]:
        sql = SQL.format(build=self.builds)
        product = orders_product(self.folder, derived("tastes", sql, feature=FEATURE))
        snapshot_id = load_table(self.cell, "orders.events").metadata.current_snapshot_id
        sources = {hour(number): Source(snapshot_id or 0, 9) for number in sorted(numbers)}
        log = PublicationLog.read(self.cell, "orders")
        context = RangeContext(
            self.spark, self.cell, product, product.derived_tables[0], sources, "run", log
        )
        return build_hours_of(context, each_alone(lambda _hour: accept))

    def compact(self) -> None:
        """Rewrite the files of both tables; their rows stay."""
        for name in (TABLE, HISTORY):
            compact(load_table(self.cell, name), MaintenancePolicy(min_files=2, min_manifests=2))

    def delete(self, number: int) -> None:
        """Delete an hour's rows from the history, as somebody might."""
        load_table(self.cell, HISTORY).delete(f"hour == '{hour(number).isoformat()}'")
        self.disturbed = True

    def last(self) -> dict[datetime, str]:
        """Return the build of each hour that was recorded last."""
        found = read_publications(self.cell, "orders")
        return {one.hour: one.wap_id for one in found if one.table == HISTORY}

    def rows(self, table: str) -> list[Row]:
        """Return the rows of main's data files, not read by Spark."""
        files = [task.file.file_path for task in load_table(self.cell, table).scan().plan_files()]
        frames = [
            pl.read_parquet(file.removeprefix("file://"), hive_partitioning=False) for file in files
        ]
        return pl.concat(frames, how="diagonal_relaxed").to_dicts() if frames else []

    def _look(self, hours: set[datetime], before: dict[datetime, str], *, is_derived: bool) -> None:
        history, last = self.rows(HISTORY), self.last()
        counted = [row for row in history if last.get(row["hour"]) == row["build"]]
        touched = {row["shelf"] for row in history if row["hour"] in hours}
        everything = not touched <= {row["shelf"] for row in counted}
        for shelf in {row["shelf"] for row in counted} if everything else touched:
            of_shelf = [row for row in counted if row["shelf"] == shelf]
            newest = {key_of(row): row for row in sorted(of_shelf, key=lambda row: row["hour"])}
            self.wanted[shelf] = [without_build(row) for row in newest.values()]
        if everything:
            shelves = {row["shelf"] for row in counted}
            self.wanted = {s: rows for s, rows in self.wanted.items() if s in shelves}
        wanted = [row for rows in self.wanted.values() for row in rows]
        assert sorted(map(text_of, self.rows(TABLE))) == sorted(map(text_of, wanted))
        path = self._path()
        is_later = not before or min(hours) > max(before)
        is_known = self.known is None or touched <= self.known
        incremental = bool(before) and is_later and is_known and not self.disturbed
        assert path.startswith("incremental:") == (
            incremental and not everything and not is_derived
        ), path
        self.paths.append(path)
        if everything:
            self.known = None
        elif self.disturbed:
            self.known = touched
        elif self.known is not None:
            self.known |= touched
        self.disturbed = False

    def _path(self) -> str:
        for one in main_history(load_table(self.cell, TABLE)):
            assert one.summary is not None
            if one.summary.operation is not Operation.REPLACE:
                said = json.loads(one.summary.additional_properties["headwater.derived-from"])
                return str(said["path"])
        raise AssertionError("the table was never derived")


def text_of(row: Row) -> str:
    """Return a row as a text that tells one zero from the other."""
    return repr(sorted(row.items()))


def without_build(row: Row) -> Row:
    """Return a row of the history as the feature table has it."""
    return {name: value for name, value in row.items() if name != "build"}


def steps_of(
    tastes: Tastes, patches: pytest.MonkeyPatch, kinds: Collection[str]
) -> list[partial[None]]:
    """Return what to do for each of `kinds`, hours drawn; the first is always a new hour."""
    random, now = tastes.random, 0
    built, skipped, steps = [0], [], [partial(tastes.build, 0)]
    for kind in kinds:
        match kind:
            case "new":
                now += 1
                steps.append(partial(tastes.build, now))
                built.append(now)
            case "range":
                now += 3
                skipped.append(now - 2)
                steps.append(partial(tastes.build, now - 1, now))
                built += [now - 1, now]
            case "late":
                number = skipped.pop() if skipped else random.choice(built)
                steps.append(partial(tastes.build, number))
                built.append(number)
            case "again":
                steps.append(partial(tastes.build, random.choice(built)))
            case "compact":
                steps.append(partial(tastes.compact))
            case "delete":
                steps.append(partial(tastes.delete, random.choice(built)))
            case place:
                now += 1
                steps.append(partial(tastes.build, now, at_kill=(patches, f"hour.{place}")))
                built.append(now)
    return steps
