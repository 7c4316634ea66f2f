"""What an audit gets to see: the rows of staged hours, and views of what to hold them to."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.compute.read import of_hours, read_inputs, read_range_inputs
from pipeline.batch.context import RangeContext, hours_named
from pipeline.batch.model import Staged, Verdict
from pipeline.batch.sql.custom import own_hour_views
from pipeline.batch.wap.stage import named_failures, staged_frame
from pipeline.contract.audit_expectations import QUERY, audit_expectations
from pipeline.contract.model import EVENTS, DerivedTable, Read
from pipeline.spark.tables import rows_of
from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN

PREVIOUS = "previous"
"""The view of the rows of the hour published last before the staged one; has no rows if there is none."""


@dataclass(frozen=True)
class StagedRows:
    """What an audit judges: the rows of staged hours, together or by hour."""

    context: RangeContext
    staged: Staged

    @property
    def hours(self) -> tuple[datetime, ...]:
        """The hours to judge, oldest first: those that have rows."""
        return self.staged.with_rows

    @property
    def row_counts(self) -> Mapping[datetime, int]:
        """How many rows each of the hours has, as the files say that were staged."""
        return {one.hour: one.rows for one in self.staged.hours if one.rows}

    def together(self) -> DataFrame:
        """Return the rows of all hours, in a session of their own without views; `hour` tells them apart.

        Raises:
            ValueError: no hour has rows.
        """
        return self._of(self.context.session(), self.staged)

    def alone(self, hour: datetime, passed: Collection[datetime]) -> DataFrame:
        """Return the rows of one hour, in a session of their own that has the views its audit asks for.

        The views are everything that the table reads, by name, as the hour's build reads it; `events`, its
        hour if the table does not read it; and `previous`, which of the staging's own hours may be one that
        has `passed`. Those that no expectation mentions are left out.

        Raises:
            ValueError: the hour has no rows.
            LogicError, SparkFailedError: as `stage`.
        """
        context = self.context
        session, derived_table = context.session(), context.derived_table
        with named_failures(
            f"{context.cell.name}.{context.table} {hours_named([hour])}", context.cell
        ):
            needed = views_needed(derived_table)
            read_inputs(session, self._reading(needed), hour)
            if PREVIOUS in needed:
                before = self.hour_before(hour, passed)
                self._previous(session, before, passed).createOrReplaceTempView(PREVIOUS)
            return self._of(session, self.staged.only([hour]))

    def inputs_together(self, session: SparkSession) -> Collection[str]:
        """Make views, in `session`, of what `alone` has views of an hour's own of; return their names.

        They have the rows of all hours, and may have those of others. Views that no expectation mentions, and
        those that have other hours' rows in the view of an hour, are left out.

        Raises:
            LogicError, SparkFailedError: as `stage`.
        """
        context, derived_table = self.context, self.context.derived_table
        needed = views_needed(derived_table) & own_hour_views(derived_table).keys()
        with named_failures(context.subject, context.cell):
            read_range_inputs(session, self._reading(needed))
        return needed

    def hour_before(self, hour: datetime, passed: Collection[datetime]) -> datetime | None:
        """Return the hour that has the rows of `previous`: the last that has `passed`, or is published."""
        beside = max((one for one in passed if one < hour), default=None)
        published = self.context.publications.last_before(self.staged.table, hour)
        if published is None or (beside is not None and published.hour <= beside):
            return beside
        return published.hour

    def beside(self, earlier: Collection[datetime], columns: Sequence[str]) -> DataFrame:
        """Return `hour` and `columns` of all hours and of those published `earlier`, as `together`."""
        session = self.context.session()
        frames = [
            self._of(session, self.staged),
            *(self._previous(session, hour, ()) for hour in earlier),
        ]
        return reduce(DataFrame.unionAll, (one.select(HOUR_COLUMN, *columns) for one in frames))

    def count_beside(self, earlier: Collection[datetime]) -> int:
        """Return how many rows `beside` gives."""
        last, table = self.context.publications.last, self.staged.table
        return sum(self.row_counts.values()) + sum(last[table, hour].rows for hour in earlier)

    def _reading(self, needed: Collection[str]) -> RangeContext:
        """Return the context of a build that reads no more than the views `needed`."""
        derived_table = self.context.derived_table
        reads = (*derived_table.reads, *_events_of_the_hour(derived_table))
        only = derived_table.model_copy(
            update={
                "reads": tuple(read for read in reads if read.table in needed),
                "references": tuple(name for name in derived_table.references if name in needed),
            }
        )
        return replace(self.context, derived_table=only)

    def _of(self, session: SparkSession, staged: Staged) -> DataFrame:
        rows = staged_frame(session, self.context.cell, staged)
        # What the contract has dropped stays in the table, and is null in these rows.
        stated = (column.name for column in self.context.derived_table.columns)
        expected = {*staged.columns, *stated}
        return rows.drop(
            *(name for name in rows.columns if staged.columns and name not in expected)
        )

    def _previous(
        self, session: SparkSession, hour: datetime | None, passed: Collection[datetime]
    ) -> DataFrame:
        context, staged = self.context, self.staged
        if hour is not None and hour in passed:
            return staged_frame(session, context.cell, staged.only([hour]))
        rows = rows_of(session, context.cell, staged.table)
        if hour is None:
            return rows.where(sf.lit(False))
        rows = rows.where(of_hours([hour]))
        if BUILD_COLUMN in rows.columns:
            published = context.publications.last[staged.table, hour]
            rows = rows.where(sf.col(BUILD_COLUMN) == published.wap_id)
        return rows


AuditFunction = Callable[[StagedRows], Mapping[datetime, Verdict]]
"""Judges each hour of a staging that has rows, before any reader of the table sees them."""


def views_needed(derived_table: DerivedTable) -> frozenset[str]:
    """Return the views that the table's expectations mention, or might: a word in a query is enough."""
    queries = " ".join(
        str(expectation.kwargs[QUERY])
        for expectation in audit_expectations(derived_table)
        if QUERY in expectation.kwargs
    )
    words = set(re.findall(r"\w+", queries.lower()))
    known = {
        EVENTS,
        PREVIOUS,
        *(read.table for read in derived_table.reads),
        *derived_table.references,
    }
    found = {name for name in known if name.lower() in words}
    return frozenset(found | {PREVIOUS} if derived_table.drift else found)


def _events_of_the_hour(derived_table: DerivedTable) -> tuple[Read, ...]:
    return (
        () if any(read.table == EVENTS for read in derived_table.reads) else (Read(table=EVENTS),)
    )
