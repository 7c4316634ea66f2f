"""Narrowing an error without a name down to the records that cause it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from pyiceberg.table import Table

from pipeline.ingest.failures.unnamed import UNNAMED, is_unnamed
from pipeline.ingest.plan import Plan
from pipeline.ingest.read.coordinates import Coordinate
from pipeline.ingest.read.source import Part, Source, StopAskedError
from pipeline.ingest.transform.frame import letter_rows
from pipeline.ingest.transform.held_back import HeldBackError
from pipeline.ingest.transform.process import Processor
from pipeline.ingest.transform.set_aside import Aside, take_out
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import Records
from pipeline.tables.commit import write_files
from pipeline.tables.data_files.dry_run import nowhere
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.errors import named_errors

_LOG = logging.getLogger(__name__)
_LOGGED = 10
_SAID = 500

Numbers = npt.NDArray[np.int64]
Fails = Callable[[Records], BaseException | None]


class Rehearsal:
    """Does to records all that an ingest does to them before it commits, and keeps nothing of it."""

    def __init__(
        self,
        processor: Processor,
        tables: tuple[Table, Table],
        identity: TopicIdentity,
        stop: threading.Event,
        now: datetime,
    ) -> None:
        self._processor = processor.apart()
        self._events, self._side = (nowhere(table) for table in tables)
        self._identity = identity
        self._stop = stop
        self._now = now

    def fails(self, records: Records) -> BaseException | None:
        """Return the error without a name that `records` end with, None if they do not.

        Raises:
            StopAskedError: the ingest is to stop.
            HeadwaterError: it ended with an error that has a name, and no record is to blame.
        """
        if self._stop.is_set():
            raise StopAskedError
        self._processor.forget()
        try:
            with named_errors(self._identity.topic):
                done = self._processor.process(records, Aside(), self._events, self._now)
                write_hours(self._events, [done.rows])
                write_files(
                    self._side, letter_rows(done.letters, self._identity, "rehearsal", self._now)
                )
        except HeldBackError as waits:
            # Such a record fails for no fault of its own, and hides those of others.
            return waits if len(records) > 1 else None
        except UNNAMED as error:
            if not is_unnamed(error):
                raise
            return error
        return None


@dataclass(frozen=True)
class Narrowed:
    """What was found of a batch that failed.

    Attributes:
        unwritable: the coordinates of the records that fail by themselves -> what was said.
        ends: partition -> the offset up to which was looked; None: to the batch's end.
    """

    unwritable: Mapping[Coordinate, str] = field(default_factory=dict)
    ends: Mapping[int, int] | None = None


def narrow(
    source: Source,
    rehearsal: Rehearsal,
    planned: Plan,
    aside: Aside,
    memory_bytes: int,
    most_s: float,
) -> Narrowed:
    """Read a batch that failed again, and find the records of it that fail by themselves.

    Of a part of n records, k of which do, it tries at most 2 k log2(n) + 1 times, and never more than
    2 n - 1 times. Once it has found one and `most_s` seconds have passed, it looks no further: the batch
    is then to end there.

    Raises: as `Source.read` and `Rehearsal.fails`.
    """
    found: dict[Coordinate, str] = {}
    passed = {r.partition: r.start for r in planned.ranges}
    enough_at = time.monotonic() + most_s
    for part in source.read(planned.identity, planned.ranges, memory_bytes):
        rest = take_out(part.records, aside).rest
        for row, error in culprits(rest, rehearsal.fails):
            found[int(rest.partition[row]), int(rest.offset[row])] = told(error)
            if time.monotonic() > enough_at:
                _log(planned, found)
                return Narrowed(found, {**passed, **_reached(part, rest, row)})
        passed.update(part.positions)
        if found and time.monotonic() > enough_at:
            _log(planned, found)
            return Narrowed(found, passed)
    _log(planned, found)
    return Narrowed(found)


def culprits(records: Records, fails: Fails) -> Iterator[tuple[int, BaseException]]:
    """Yield the numbers of the records that fail by themselves, in their order, each with its error."""
    waiting: list[Numbers] = [np.arange(len(records))]
    while waiting:
        rows = waiting.pop()
        error = fails(records.take(rows)) if len(rows) else None
        if error is None:
            continue
        if len(rows) == 1:
            yield int(rows[0]), error
            continue
        middle = len(rows) // 2
        waiting += [rows[middle:], rows[:middle]]


def told(error: BaseException) -> str:
    """Return what an error says, for the detail of its dead letter and nowhere else: it may quote data."""
    return f"{type(error).__name__}: {error}"[:_SAID]


def _reached(part: Part, records: Records, last: int) -> Mapping[int, int]:
    """Return how far each partition of `part` was looked at when `last` was found among its `records`."""
    after = np.arange(len(records)) > last
    ends = dict(part.positions)
    for partition in ends:
        left = records.offset[after & (records.partition == partition)]
        if len(left):
            ends[partition] = int(left.min())
    return ends


def _log(planned: Plan, found: Mapping[Coordinate, str]) -> None:
    for partition, offset in list(found)[:_LOGGED]:
        # What was said may quote data, and stands in the dead letter alone.
        kind = found[partition, offset].partition(":")[0]
        _LOG.warning(
            "%s partition %d offset %d is unwritable: %s",
            planned.identity.topic,
            partition,
            offset,
            kind,
        )
    if len(found) > _LOGGED:
        _LOG.warning("%s: %d more are", planned.identity.topic, len(found) - _LOGGED)
