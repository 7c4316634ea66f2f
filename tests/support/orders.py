"""A product of hourly orders whose events are committed without Kafka, as ingest would commit them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pyiceberg.transforms import HourTransform, Transform

from pipeline.cells import Cell
from pipeline.contract.model import DerivedTable, Expectation, Logic, Product, Topic
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.commit import (
    CONTRACT_VERSION_KEY,
    RUN_ID_KEY,
    OffsetCommit,
    commit,
    write_files,
)
from pipeline.tables.create import ensure_table
from pipeline.tables.layout import EVENT_COLUMNS, events_table

SCHEMA = pa.schema(
    [*EVENT_COLUMNS, pa.field("region", pa.string()), pa.field("amount", pa.int64())]
)
SQL = "SELECT region, count(*) AS orders, sum(amount) AS amount FROM events GROUP BY region"
RANKED = """
SELECT region, date_trunc('HOUR', _event_time) AS hour, count(*) AS orders,
  rank() OVER (PARTITION BY date_trunc('HOUR', _event_time) ORDER BY sum(amount) DESC) AS place
FROM events GROUP BY region, date_trunc('HOUR', _event_time)
"""
TOPIC_ID = "topic-1"


def hour(number: int) -> datetime:
    """Return the hour `number` of 1 January 2026."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)


def sales(sql: str = SQL, minimum: int = 0) -> DerivedTable:
    """Return the derived table `sales`; its audit wants every amount to be at least `minimum`."""
    return derived(
        "sales",
        sql,
        expectations=(
            Expectation(
                type="expect_column_values_to_be_between",
                kwargs={"column": "amount", "min_value": minimum},
            ),
            Expectation(type="expect_column_values_to_not_be_null", kwargs={"column": "region"}),
        ),
    )


def derived(
    name: str, sql: str, expectations: tuple[Expectation, ...] = (), **settings: Any
) -> DerivedTable:
    """Return a table that a statement computes; `settings` are further fields of `DerivedTable`."""
    return DerivedTable(
        name=name,
        logic=Logic(language="sql", text=sql, file=Path("orders", f"{name}.sql")),
        expectations=expectations,
        owner="team:shop",
        domain="shop",
        version="1.2.0",
        folder=Path("orders"),
        **settings,
    )


def of_range(
    name: str, text: str, language: Literal["sql", "python"] = "sql", **settings: Any
) -> DerivedTable:
    """Return a table whose logic says that it computes a range of hours."""
    logic = Logic(
        language=language, text=text, file=Path("orders", name), incremental_by="timeRange"
    )
    return derived(name, text, **settings).model_copy(update={"logic": logic})


def ranked() -> DerivedTable:
    """Return a table of regions by what they sold in the hour, computed by ranges."""
    return of_range("ranked", RANKED)


def orders_product(folder: Path, *derived_tables: DerivedTable) -> Product:
    """Return the product, with `sales` by default; its hours are fenced five minutes after they end."""
    return Product(
        name="orders",
        version="1.2.0",
        owner="team:shop",
        domain="shop",
        description="Orders.",
        cells=("us",),
        topic=Topic(name="orders", partitions=2),
        key="region",
        event_time="at",
        envelope_schema=None,
        payload_schemas=({"type": "record", "name": "Order", "fields": []},),
        derived_tables=derived_tables or (sales(),),
        allowed_lateness_s=300,
        folder=folder,
    )


@dataclass
class Orders:
    """The events table of the product, filled by hand.

    `rows` keeps what was appended, for tests to recompute from.
    """

    cell: Cell
    rows: list[dict[str, object]] = field(default_factory=list)
    next: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})

    def __post_init__(self) -> None:
        hours: tuple[str, Transform[int, int], str] = ("_event_time", HourTransform(), "event_hour")
        ensure_table(open_catalog(self.cell), events_table("orders"), SCHEMA, hours)

    def append(
        self,
        at: Iterable[tuple[datetime, str, int]],
        gaps: Mapping[int, int] | None = None,
        partition: int = 0,
    ) -> int:
        """Commit orders (hour, region, amount) of one partition; return the snapshot's id.

        `gaps` moves further partitions on by as many offsets that hold nothing.
        """
        start = self.next[partition]
        numbers = itertools.count(start)
        fresh = [
            self._row(moment, region, amount, partition, next(numbers))
            for moment, region, amount in at
        ]
        ends = {**self.next, partition: start + len(fresh)}
        entries = [Entry(partition, start, ends[partition], rows=len(fresh))]
        for other, skipped in (gaps or {}).items():
            entries.append(Entry(other, ends[other], ends[other] + skipped, compacted=skipped))
            ends[other] += skipped
        table = load_table(self.cell, events_table("orders"))
        files = write_files(table, pa.Table.from_pylist(fresh, schema=SCHEMA))
        identity = TopicIdentity("cluster", "orders", TOPIC_ID, (0, 1))
        committed = commit(
            table,
            files,
            OffsetCommit(
                identity=identity,
                first={0: 0, 1: 0},
                next=ends,
                summary={
                    **ledger_summary(entry for entry in entries if entry.end > entry.start),
                    RUN_ID_KEY: "test",
                    CONTRACT_VERSION_KEY: "1.2.0",
                },
            ),
        )
        self.next = ends
        self.rows += fresh
        return committed.snapshot_id

    def count(self, of: datetime) -> int:
        """Return how many rows the hour has."""
        return sum(amounts for _, amounts, _ in self.expected(of))

    def expected(self, of: datetime) -> list[tuple[str, int, int]]:
        """Recompute one hour of the derived table in plain Python: (region, orders, amount), sorted."""
        totals: dict[str, tuple[int, int]] = {}
        for row in self.rows:
            moment = row["_event_time"]
            assert isinstance(moment, datetime)
            if of <= moment < of + timedelta(hours=1):
                orders, amount = totals.get(str(row["region"]), (0, 0))
                totals[str(row["region"])] = (orders + 1, amount + int(str(row["amount"])))
        return sorted((region, *counts) for region, counts in totals.items())

    def _row(
        self, of: datetime, region: str, amount: int, partition: int, offset: int
    ) -> dict[str, object]:
        # Within the hour, its first and last microsecond included.
        spread = (timedelta(0), timedelta(minutes=17), timedelta(hours=1, microseconds=-1))
        moment = of + spread[offset % 3]
        return {
            "_topic": "orders",
            "_topic_id": TOPIC_ID,
            "_topic_partition": partition,
            "_offset": offset,
            "_record_time": moment,
            "_ingested_at": moment,
            "_run_id": "test",
            "_uuid": f"{partition}-{offset}",
            "_key": region,
            "_event_time": moment,
            "_schema_version": 1,
            "_late": False,
            "region": region,
            "amount": amount,
        }
