"""Filling rows that were kept whole, once the contract lists the version that they were written by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import FileScanTask, Table

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.failpoints import failpoint
from pipeline.ingest.transform.decode_single import RecordDecoder
from pipeline.ingest.transform.payload_versions import PayloadVersions
from pipeline.ingest.transform.records import Event
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.rows.frames import to_frame
from pipeline.schemas.open import open_registry
from pipeline.schemas.registry import Registry
from pipeline.schemas.wire import split
from pipeline.tables.data_files.conform import Conformer
from pipeline.tables.data_files.read import read_files
from pipeline.tables.data_files.rewrite import FILL, RewriteConflictError, rewrite
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.errors import named_errors
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import RECORD_VALUE

GROUP_BYTES = 256 * 2**20
"""Of files that are rewritten in one commit."""
_KEPT = f"{RECORD_VALUE} is not null"
_ATTEMPTS = 5


@dataclass(frozen=True)
class Filled:
    """What a filling did.

    Attributes:
        rows: how many have all their fields now.
        left: rows of listed versions that could not be read, and stay as they are.
        hours: those whose rows changed: tables that were built from them do not know of it.
    """

    rows: int = 0
    left: int = 0
    hours: tuple[datetime, ...] = ()


def plan_fill(cell: Cell, product: Product, table: Table) -> tuple[Step, ...]:
    """Return a step for each version whose rows of `table` can be filled. Reads those rows alone.

    Raises:
        RegistryUnavailableError, WarehouseUnavailableError: try again later.
    """
    name = ".".join(table.name()[-2:])
    if not _has_values(table):
        return ()
    with named_errors(name):
        listed = _Listed(product, open_registry(cell))
        counts: Counter[int] = Counter()
        for rows in _kept(table):
            counts.update(version for version, can in listed.judged(rows) if can)
    return tuple(
        Step(
            name,
            Action.FILL_ROWS,
            "",
            f"{count:,} rows of version {version}"
            if version
            else f"{count:,} rows of others' schemas",
            Verdict.REWRITE,
            "the contract lists what they were written by, and it did not when they landed",
        )
        for version, count in sorted(counts.items())
    )


def fill(cell: Cell, product: Product, table: Table) -> Filled:
    """Fill rows of `table` with the fields that the contract lists now; `table` has their columns.

    Files that hold such rows are rewritten, an hour's at a time, each in one commit: coordinates, times
    and all other values of Headwater's own stay, and so does the number of rows. Reference columns stay
    what they were. Ended anywhere, it can be done again, and goes on with what is left.

    Raises:
        RewriteConflictError: others replaced the same files first, too often; do it again.
        RegistryUnavailableError, WarehouseUnavailableError: try again later.
    """
    if not _has_values(table):
        return Filled()
    filler = _Filler(cell, product)
    rows, hours = 0, set[datetime]()
    with named_errors(".".join(table.name()[-2:])):
        for again in range(_ATTEMPTS):
            left = 0
            try:
                for times, could_not in filler.fill(table):
                    rows, left = rows + len(times), left + could_not
                    hours.update(times.dt.truncate("1h").unique())
                break
            except RewriteConflictError:
                # What is done stays done.
                if again == _ATTEMPTS - 1:
                    raise
                table = table.refresh()
    return Filled(rows, left, tuple(sorted(hours)))


class _Listed:
    """Tells of kept rows which version wrote them, and whether the contract lists it by now."""

    def __init__(self, product: Product, registry: Registry) -> None:
        self._versions = PayloadVersions(product, registry)
        self._enveloped = product.topic.envelope

    def judged(self, rows: pa.Table) -> Iterator[tuple[int, bool]]:
        """Yield version and verdict of each of `rows`, which have values."""
        versions = rows["_schema_version"].to_pylist()
        for version, value in zip(versions, rows[RECORD_VALUE].to_pylist(), strict=True):
            number = version if self._enveloped else split(value)[0]
            yield version, self._versions.is_listed(number)


class _Filler:
    def __init__(self, cell: Cell, product: Product) -> None:
        registry = open_registry(cell)
        self._listed = _Listed(product, registry)
        # A uuid that is made of coordinates stays what it is: only the payload is taken.
        nowhere = TopicIdentity(topic=product.topic.name, topic_id="", cluster_id="", partitions=())
        self._payload = iceberg.payload_schema(product)
        self._decoder = RecordDecoder(product, registry, nowhere, self._payload)

    def fill(self, table: Table) -> Iterator[tuple[pl.Series, int]]:
        """Yield times of rows filled and how many could not be, of each group that is committed."""
        for paths in _groups(_tasks(table).values()):
            tasks = _tasks(table)
            old = [tasks[path] for path in paths if path in tasks]
            times, left, rows = self.filled(table, old)
            if not times.is_empty():
                files = write_hours(table, [rows])
                failpoint("fill.written")
                rewrite(table, [task.file for task in old], files, None, kind=FILL)
                failpoint("fill.committed")
                table = table.refresh()
            yield times, left

    def filled(
        self, table: Table, tasks: list[FileScanTask]
    ) -> tuple[pl.Series, int, pl.DataFrame]:
        """Return times of rows filled, how many could not be, and all rows of `tasks` as they are now."""
        columns = pa.schema([f.with_nullable(True) for f in schema_to_pyarrow(table.schema())])
        rows = read_files(table, (task.file for task in tasks)).cast(columns)
        kept = np.flatnonzero(rows[RECORD_VALUE].is_valid())
        verdicts = self._listed.judged(rows.take(pa.array(kept)))
        due = [place for place, (_, can) in zip(kept.tolist(), verdicts, strict=True) if can]
        payloads: list[pa.Table] = []
        places: list[int] = []
        for place, row in zip(due, rows.take(pa.array(due, pa.int64())).to_pylist(), strict=True):
            event = self._decoder.decode(_record(row))
            if isinstance(event, Event):
                payloads.append(event.payload)
                places.append(place)
        if not places:
            return pl.Series(dtype=pl.Datetime("us", "UTC")), len(due), to_frame(rows)
        before = rows.take(pa.array(places, pa.int64()))
        others = np.delete(np.arange(len(rows)), places)
        made = _with_payload(table, before, pa.concat_tables(payloads))
        whole = pa.concat_tables([rows.take(pa.array(others)), made])
        times = to_frame(before.select(["_event_time"])).to_series()
        return times, len(due) - len(places), to_frame(whole)


def _with_payload(table: Table, rows: pa.Table, payload: pa.Table) -> pa.Table:
    """Return `rows` of `table` with the columns of `payload` in place of theirs, and nothing kept beside."""
    given = to_frame(payload)
    conformer = Conformer(table, given.schema)
    selected = conformer.select(given)
    made = conformer.cast(selected.to_arrow(compat_level=pl.CompatLevel.newest()), rows.schema)
    for place, field in enumerate(rows.schema):
        if field.name == RECORD_VALUE:
            made = made.set_column(place, field, pa.nulls(len(rows), field.type))
        elif selected.schema[field.name] == pl.Null:
            made = made.set_column(place, field, rows[field.name])
    return made


def _record(row: Mapping[str, object]) -> RawRecord:
    key, value = row["_key"], row[RECORD_VALUE]
    return RawRecord(
        partition=0,
        offset=0,
        record_time=0,
        key=str(key).encode(),
        value=value if isinstance(value, bytes) else None,
        headers=(),
    )


def _has_values(table: Table) -> bool:
    return RECORD_VALUE in table.schema().column_names


def _kept(table: Table) -> Iterator[pa.Table]:
    scan = table.scan(_KEPT, selected_fields=("_schema_version", RECORD_VALUE))
    with reading(table):
        for batch in scan.to_arrow_batch_reader():
            yield pa.table(batch)


def _tasks(table: Table) -> dict[str, FileScanTask]:
    """Return the files that may hold kept rows: their manifests say how many nulls they have."""
    with reading(table):
        tasks = list(table.scan(_KEPT).plan_files())
    return {task.file.file_path: task for task in tasks}


def _groups(tasks: Iterable[FileScanTask]) -> Iterator[list[str]]:
    """Yield the paths of files of one hour that are rewritten together."""
    by_hour: dict[str, list[FileScanTask]] = {}
    for task in tasks:
        by_hour.setdefault(repr(task.file.partition), []).append(task)
    for hour in sorted(by_hour):
        group: list[str] = []
        size = 0
        for task in by_hour[hour]:
            if group and size + task.file.file_size_in_bytes > GROUP_BYTES:
                yield group
                group, size = [], 0
            group.append(task.file.file_path)
            size += task.file.file_size_in_bytes
        yield group
