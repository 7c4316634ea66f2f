"""Trying out what an ingest would do with records, to see whether it ends in an error without a name."""

from __future__ import annotations

from datetime import datetime

from pipeline.ingest.context import IngestContext
from pipeline.ingest.failures.unnamed import UNNAMED, is_unnamed
from pipeline.ingest.model import PlannedBatch
from pipeline.ingest.transform.exclude import Exclusions
from pipeline.ingest.transform.frame import dead_letter_rows
from pipeline.ingest.transform.held_back import HeldBackError
from pipeline.ingest.transform.process import Processor
from pipeline.kafka.records import Records
from pipeline.tables.commit import write_files
from pipeline.tables.data_files.dry_run import discarding
from pipeline.tables.data_files.write import write_hours
from pipeline.tables.errors import named_errors


class DryRun:
    """Does to records all that an ingest does to them before it commits, and keeps nothing of it."""

    def __init__(
        self, processor: Processor, planned: PlannedBatch, context: IngestContext, now: datetime
    ) -> None:
        self._processor = processor.with_empty_state()
        self._events, self._dead_letters = (discarding(table) for table in planned.tables)
        self._identity = planned.plan.identity
        self._context = context
        self._now = now

    def error_of(self, records: Records) -> BaseException | None:
        """Return the error without a name that `records` end with, None if they do not.

        Raises:
            StopRequestedError: the ingest is to stop.
            HeadwaterError: it ended with an error that has a name, and no record is to blame.
        """
        self._context.check_stop()
        self._processor.forget()
        try:
            with named_errors(self._identity.topic):
                done = self._processor.process(records, Exclusions(), self._events, self._now)
                write_hours(self._events, [done.rows])
                rows = dead_letter_rows(done.dead_letters, self._identity, "dry run", self._now)
                write_files(self._dead_letters, rows)
        except HeldBackError as waits:
            # Such a record fails for no fault of its own, and hides those of others.
            return waits if len(records) > 1 else None
        except UNNAMED as error:
            if not is_unnamed(error):
                raise
            return error
        return None
