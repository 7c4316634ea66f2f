"""Which of a table's custom queries are counted of all hours at once, and why not others. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten

from pipeline.batch.sql.types import Types
from pipeline.contract.audit_expectations import QUERY, audit_expectations
from pipeline.contract.model import EVENTS, DerivedTable, Read
from pipeline.tables.layout import HOUR_COLUMN

_HOUR = f"`{HOUR_COLUMN}`"
_CHARACTERS = 60
_HOUR_OF_EVENTS = "date_trunc('HOUR', `_event_time`)"


@dataclass(frozen=True)
class CustomQuery:
    """A query that an hour is held to, other than a condition of each row.

    Attributes:
        text: of the query, as the contract has it.
        description: the contract's words on it; may be empty.
        of_range: what counts its rows in every hour of a range; None where each hour is asked by itself.
        reason: why it is; "" otherwise.
    """

    text: str
    description: str
    of_range: str | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """The contract's words on it, or else how it begins."""
        return self.description or f"`{shorten(self.text, _CHARACTERS, placeholder='...')}`"


def own_hour_views(table: DerivedTable) -> Mapping[str, str | None]:
    """Return the views of which an hour's audit reads its own hour alone, or no hour: reference data.

    By name, with which hour reads a row, in SQL; None where every hour reads all rows.
    """
    found: dict[str, str | None] = {EVENTS: _HOUR_OF_EVENTS}
    found |= {read.table: _HOUR for read in table.reads if read.table != EVENTS}
    for read in table.reads:
        if read.table == table.name or read != Read(table=read.table):
            found.pop(read.table, None)
    return found | dict.fromkeys(table.references)


def has_custom_queries(table: DerivedTable) -> bool:
    """Tell whether an hour of `table` is held to queries other than conditions of each row."""
    return bool(_stated(table))


def custom_queries(
    table: DerivedTable, types: Types, batch: Mapping[str, str]
) -> tuple[CustomQuery, ...]:
    """Return the queries that an hour of `table` is held to, other than conditions of each row.

    `types` are those of what they may read, `batch` those of the rows that are audited; "" where not known.
    """
    # Takes a while to import: only for who builds, or asks.
    from pipeline.batch.sql.known import NotRangedError
    from pipeline.batch.sql.range_query import BATCH, View, range_query

    views = {
        name: View(types[name], hour)
        for name, hour in own_hour_views(table).items()
        if name in types
    } | {BATCH: View(batch, _HOUR)}
    found = []
    for text, description in _stated(table):
        try:
            one = CustomQuery(text, description, of_range=range_query(text, views))
        except NotRangedError as error:
            one = CustomQuery(text, description, reason=str(error))
        found.append(one)
    return tuple(found)


def _stated(table: DerivedTable) -> list[tuple[str, str]]:
    asked = [one for one in audit_expectations(table) if QUERY in one.kwargs]
    if not asked:
        return []
    from pipeline.batch.sql.row_query import condition_of

    found = [(str(one.kwargs[QUERY]), one.description) for one in asked]
    return [(text, words) for text, words in found if condition_of(text) is None]
