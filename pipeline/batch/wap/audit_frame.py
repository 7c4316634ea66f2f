"""What an audit gets to see: the rows of a staged hour, and views of what to hold them to."""

from __future__ import annotations

import re
from dataclasses import replace

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from pipeline.batch.compute.hour import literal, read_inputs
from pipeline.batch.context import HourContext
from pipeline.batch.model import Staged
from pipeline.batch.wap.stage import named_failures, staged_frame
from pipeline.contract.audit_expectations import audit_expectations
from pipeline.contract.model import EVENTS, DerivedTable, Read
from pipeline.control.publications import LastPublications, Publication
from pipeline.spark.session import table_name
from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN

PREVIOUS = "previous"
"""The view of the rows of the hour published last before the staged one; has no rows if there is none."""

QUERY = "unexpected_rows_query"


def audited_frame(context: HourContext, staged: Staged) -> DataFrame:
    """Return the rows of a staging, in a session of their own that has the views its audit asks for.

    The views are everything that the table reads, by name, as its build reads it; `events`, its hour if
    the table does not read it; and `previous`. Those that no expectation mentions are left out.

    Raises:
        ValueError: the hour has no rows.
        LogicError, SparkFailedError: as `stage_hour`.
    """
    session, derived_table = context.session(), context.derived_table
    with named_failures(context.subject, context.cell):
        needed = views_needed(derived_table)
        reads = (*derived_table.reads, *_events_of_the_hour(derived_table))
        only = derived_table.model_copy(
            update={
                "reads": tuple(read for read in reads if read.table in needed),
                "references": tuple(name for name in derived_table.references if name in needed),
            }
        )
        read_inputs(session, replace(context, derived_table=only))
        if PREVIOUS in needed:
            _previous(session, context, staged).createOrReplaceTempView(PREVIOUS)
        rows = staged_frame(session, context.cell, staged)
    # What the contract has dropped stays in the table, and is null in these rows.
    expected = {*staged.columns, *(column.name for column in derived_table.columns)}
    return rows.drop(*(name for name in rows.columns if staged.columns and name not in expected))


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


def last_before(last_publications: LastPublications, staged: Staged) -> Publication | None:
    """Return the last publication of the newest hour with rows before the staged one; None if none."""
    earlier = [
        one
        for (table, hour), one in last_publications.items()
        if table == staged.table and hour < staged.hour and one.rows
    ]
    return max(earlier, key=lambda one: one.hour, default=None)


def _events_of_the_hour(derived_table: DerivedTable) -> tuple[Read, ...]:
    return (
        () if any(read.table == EVENTS for read in derived_table.reads) else (Read(table=EVENTS),)
    )


def _previous(session: SparkSession, context: HourContext, staged: Staged) -> DataFrame:
    before = last_before(context.publications.last, staged)
    rows = session.table(table_name(context.cell, staged.table))
    if before is None:
        return rows.where(sf.lit(False))
    rows = rows.where(f"`{HOUR_COLUMN}` = {literal(before.hour)}")
    if BUILD_COLUMN in rows.columns:
        rows = rows.where(sf.col(BUILD_COLUMN) == before.wap_id)
    return rows
