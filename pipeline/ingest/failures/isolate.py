"""Isolating the records that an error without a name comes of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.ingest.model import Plan, RecordChunk
from pipeline.ingest.read.source import Source
from pipeline.ingest.read.stored import Coordinate
from pipeline.ingest.transform.exclude import Exclusions, exclude
from pipeline.kafka.records import Records

_LOG = logging.getLogger(__name__)
_LOGGED = 10
_DETAIL = 500

RowNumbers = npt.NDArray[np.int64]
ErrorOf = Callable[[Records], BaseException | None]


@dataclass(frozen=True)
class IsolatedRecords:
    """What was found of a batch that failed.

    Attributes:
        unwritable: the coordinates of the records that fail by themselves -> their errors.
        ends: partition -> the offset up to which was looked; None: to the batch's end.
    """

    unwritable: Mapping[Coordinate, str] = field(default_factory=dict)
    ends: Mapping[int, int] | None = None


def isolate(
    source: Source,
    error_of: ErrorOf,
    plan: Plan,
    exclusions: Exclusions,
    memory_bytes: int,
    most_s: float,
) -> IsolatedRecords:
    """Read a batch that failed again, and find the records of it that fail by themselves.

    Of a part of n records, k of which do, it tries at most 2 k log2(n) + 1 times, and never more than
    2 n - 1 times. Once it has found one and `most_s` seconds have passed, it looks no further: the batch
    is then to end there.

    Raises: as `Source.read` and `error_of`.
    """
    found: dict[Coordinate, str] = {}
    passed = {r.partition: r.start for r in plan.ranges}
    enough_at = time.monotonic() + most_s
    for chunk in source.read(plan.identity, plan.ranges, memory_bytes):
        remaining = exclude(chunk.records, exclusions).remaining
        for row, error in failing_records(remaining, error_of):
            found[int(remaining.partition[row]), int(remaining.offset[row])] = error_detail(error)
            if time.monotonic() > enough_at:
                _log(plan, found)
                return IsolatedRecords(found, {**passed, **_reached(chunk, remaining, row)})
        passed.update(chunk.positions)
        if found and time.monotonic() > enough_at:
            _log(plan, found)
            return IsolatedRecords(found, passed)
    _log(plan, found)
    return IsolatedRecords(found)


def failing_records(records: Records, error_of: ErrorOf) -> Iterator[tuple[int, BaseException]]:
    """Yield the numbers of the records that fail by themselves, in their order, each with its error."""
    waiting: list[RowNumbers] = [np.arange(len(records))]
    while waiting:
        rows = waiting.pop()
        error = error_of(records.take(rows)) if len(rows) else None
        if error is None:
            continue
        if len(rows) == 1:
            yield int(rows[0]), error
            continue
        middle = len(rows) // 2
        waiting += [rows[middle:], rows[:middle]]


def error_detail(error: BaseException) -> str:
    """Return what an error says, for the detail of its dead letter and nowhere else: it may quote data."""
    return f"{type(error).__name__}: {error}"[:_DETAIL]


def _reached(chunk: RecordChunk, records: Records, last: int) -> Mapping[int, int]:
    """Return how far each partition of `chunk` was looked at when `last` was found among its `records`."""
    after = np.arange(len(records)) > last
    ends = dict(chunk.positions)
    for partition in ends:
        left = records.offset[after & (records.partition == partition)]
        if len(left):
            ends[partition] = int(left.min())
    return ends


def _log(plan: Plan, found: Mapping[Coordinate, str]) -> None:
    for partition, offset in list(found)[:_LOGGED]:
        # What was said may quote data, and stands in the dead letter alone.
        kind = found[partition, offset].partition(":")[0]
        _LOG.warning(
            "%s partition %d offset %d is unwritable: %s",
            plan.identity.topic,
            partition,
            offset,
            kind,
            extra={"topic": plan.identity.topic, "partition": partition, "offset": offset},
        )
    if len(found) > _LOGGED:
        _LOG.warning("%s: %d more are", plan.identity.topic, len(found) - _LOGGED)
