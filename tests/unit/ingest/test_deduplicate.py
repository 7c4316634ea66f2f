"""De-duplication against a plain set, over batches, restarts and forgetting."""

from __future__ import annotations

import random
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import HourTransform
from pyiceberg.types import NestedField, StringType, TimestamptzType

from pipeline.ingest.dedup.deduplicate import Deduplicator
from pipeline.ingest.dedup.spill import SpillUnavailableError
from pipeline.ingest.dedup.uuid_hash import uuid_words
from pipeline.ingest.dedup.uuid_set import UuidSet

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = pa.schema([("_uuid", pa.string()), ("_event_time", pa.timestamp("us", tz="UTC"))])
TIME = pl.Datetime("us", "UTC")
Event = tuple[int, int]

batches = st.lists(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=12), min_size=1, max_size=5
)


@pytest.fixture
def catalog(tmp_path: Path) -> SqlCatalog:
    catalog = SqlCatalog("us", uri=f"sqlite:///{tmp_path}/c.db", warehouse=tmp_path.as_uri())
    catalog.create_namespace("n")
    return catalog


def new_table(catalog: SqlCatalog) -> Table:
    schema = Schema(
        NestedField(1, "_uuid", StringType()), NestedField(2, "_event_time", TimestamptzType())
    )
    spec = PartitionSpec(PartitionField(2, 1000, HourTransform(), "hour"))
    catalog.drop_table("n.t") if catalog.table_exists("n.t") else None
    return catalog.create_table("n.t", schema, partition_spec=spec)


def frame(batch: list[Event]) -> pl.DataFrame:
    rows = {
        "_uuid": [f"u{number}" for number, _ in batch],
        "_event_time": [START + timedelta(hours=hour, minutes=number) for number, hour in batch],
    }
    return pl.DataFrame(rows, schema={"_uuid": pl.String, "_event_time": TIME})


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stream=batches, restarts=st.sets(st.integers(0, 4)), capacity=st.sampled_from([0, 3, 1000]))
def test_it_answers_as_a_set_would(
    catalog: SqlCatalog, stream: list[list[Event]], restarts: set[int], capacity: int
) -> None:
    table = new_table(catalog)
    seen: set[Event] = set()
    deduplicator = Deduplicator(capacity)
    for number, batch in enumerate(stream):
        if number in restarts:
            deduplicator = Deduplicator(capacity)
        fresh, duplicates = deduplicator.split(frame(batch), table)
        expected = [event for i, event in enumerate(batch) if event not in seen | set(batch[:i])]
        assert fresh.equals(frame(expected))
        assert len(duplicates) == len(batch) - len(expected)
        seen |= set(batch)
        if expected:
            table.append(fresh.to_arrow().cast(COLUMNS))
        deduplicator.trim()


def test_a_batch_that_was_not_committed_is_forgotten(catalog: SqlCatalog) -> None:
    table = new_table(catalog)
    deduplicator = Deduplicator()
    deduplicator.split(frame([(1, 0)]), table)
    deduplicator.forget()
    fresh, _ = deduplicator.split(frame([(1, 0)]), table)
    assert len(fresh) == 1


def test_twins_in_two_parts_of_a_batch_are_found_before_it_is_committed(
    catalog: SqlCatalog,
) -> None:
    table = new_table(catalog)
    deduplicator = Deduplicator(capacity=0)
    deduplicator.split(frame([(1, 0), (2, 1)]), table)
    fresh, duplicates = deduplicator.split(frame([(2, 1), (3, 0)]), table)
    assert fresh.equals(frame([(3, 0)]))
    assert duplicates.equals(frame([(2, 1)]))


def test_an_hour_larger_than_memory_is_exact_within_it(catalog: SqlCatalog) -> None:
    table, capacity = new_table(catalog), 2**20
    deduplicator = Deduplicator(capacity)
    parts = [many(20_000, seed) for seed in range(10)]
    for number, part in enumerate(parts):
        fresh, duplicates = deduplicator.split(part, table)
        assert len(fresh) == len(part)
        assert duplicates.is_empty()
        assert deduplicator.bytes <= capacity
        table.append(fresh.to_arrow().cast(COLUMNS))
        if number == len(parts) // 2:
            deduplicator.trim()
    for part in reversed(parts):
        assert deduplicator.split(part, table)[0].is_empty()


def test_an_hour_larger_than_memory_is_read_again_within_it(catalog: SqlCatalog) -> None:
    table, capacity = new_table(catalog), 2**20
    parts = [many(20_000, seed) for seed in range(10)]
    for part in parts:
        table.append(part.to_arrow().cast(COLUMNS))
    deduplicator = Deduplicator(capacity)
    for part in parts:
        assert deduplicator.split(part, table)[0].is_empty()
        assert deduplicator.bytes <= capacity


def test_what_was_written_out_is_forgotten_once_its_hour_is_left(catalog: SqlCatalog) -> None:
    table = new_table(catalog)
    deduplicator = Deduplicator(capacity=0)
    deduplicator.split(frame([(1, 0)]), table)
    deduplicator.trim()
    deduplicator.split(frame([(2, 1)]), table)
    deduplicator.trim()
    # Hour 0 was never committed: that it is new again shows that it was forgotten.
    assert len(deduplicator.split(frame([(1, 0)]), table)[0]) == 1
    assert len(deduplicator.split(frame([(2, 1)]), table)[0]) == 0


def test_a_full_disk_for_known_uuids_is_named(
    catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(SpillUnavailableError, match="TMPDIR"):
        Deduplicator(capacity=0).split(frame([(1, 0)]), new_table(catalog))


def many(count: int, seed: int) -> pl.DataFrame:
    rng = random.Random(seed)  # noqa: S311 - not secret
    uuids = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(count)]
    return pl.DataFrame({"_uuid": uuids}).with_columns(_event_time=pl.lit(START).cast(TIME))


texts = st.one_of(
    st.uuids().map(str),
    st.uuids().map(lambda u: str(u).upper()),
    st.uuids().map(lambda u: u.hex),
    st.sampled_from(["00000000-0000-0000-0000-000000000000", "-" * 36, "x", "é" * 18]),
    st.text(min_size=1, max_size=40),
)


@settings(max_examples=200, deadline=None)
@given(
    stream=st.lists(st.lists(texts, max_size=30), max_size=6),
    again=st.booleans(),
    written=st.sets(st.integers(0, 11)),
)
def test_the_set_of_uuids_answers_as_a_set_of_texts_would(
    stream: list[list[str]], again: bool, written: set[int]
) -> None:
    known, seen = UuidSet(), set[str]()
    for number, batch in enumerate([*stream, *(stream if again else [])]):
        new = known.add(uuid_words(pl.Series(batch, dtype=pl.String)))
        expected = [text not in seen | set(batch[:i]) for i, text in enumerate(batch)]
        assert new.tolist() == expected
        seen |= set(batch)
        if number in written:
            known.write_out()
            assert known.bytes == 0
    assert len(known) == len(seen)


@pytest.mark.slow
def test_a_million_uuids_take_no_more_memory_than_is_stated() -> None:
    known, rng = UuidSet(), random.Random(1)  # noqa: S311 - not secret
    sizes = []
    for _ in range(10):
        batch = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(100_000)]
        known.add(uuid_words(pl.Series(batch)))
        sizes.append(known.bytes / len(known))
    assert min(sizes[1:]) >= 20
    assert max(sizes[1:]) <= 28.5
