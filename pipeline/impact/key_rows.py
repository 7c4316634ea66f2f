"""The rows of a key in an hour, as two builds of the hour have them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyiceberg.expressions import And, BooleanExpression, EqualTo, Reference
from pyiceberg.expressions.literals import literal
from pyiceberg.expressions.visitors import bind
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.config.nearest import meant
from pipeline.contract.model import DerivedTable
from pipeline.control.publications import Publication
from pipeline.errors import TerminalError
from pipeline.impact.cause_model import KeyRows
from pipeline.tables.catalog import load_table
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import BUILD_COLUMN, HOUR_COLUMN

MOST_ROWS = 100
"""So many rows of a key are read at most."""


class KeyUnknownError(TerminalError):
    """The table has no such column, or the value is none of its type."""


def read_key(
    cell: Cell,
    table: DerivedTable,
    build: Publication,
    before: Publication | None,
    key: Mapping[str, str],
) -> KeyRows:
    """Return the rows of `key` that two builds of an hour made: at most `MOST_ROWS` of each.

    Of a feature table they are read from its history, which has every build; of another table, what the build
    before had made can be read as long as the snapshot is kept that it was published in. Only files of the
    hour are read.

    Raises:
        KeyUnknownError: a column or a value is not the table's.
        Others: as `load_table` and `reading`.
    """
    found = load_table(cell, build.table)
    wanted = _of_key(found, build.hour, key)
    is_feature = table.feature is not None
    now = _rows(found, wanted, build, None, is_feature=is_feature)
    if before is None:
        return KeyRows(key, now, None)
    if not before.rows:
        return KeyRows(key, now, ())
    at = before.published_snapshot_id
    is_kept = at is not None and found.metadata.snapshot_by_id(at) is not None
    if not is_feature and not is_kept:
        return KeyRows(key, now, None)
    return KeyRows(key, now, _rows(found, wanted, before, at, is_feature=is_feature))


def _of_key(table: Table, hour: datetime, key: Mapping[str, str]) -> BooleanExpression:
    wanted: BooleanExpression = _equal(HOUR_COLUMN, hour.isoformat())
    names, subject = table.schema().column_names, ".".join(table.name())
    for name, value in key.items():
        if name not in names:
            raise KeyUnknownError(
                f"it has no column {name}.",
                subject=subject,
                remedy=f"{meant(name, names)}It has: {', '.join(names)}.",
            )
        try:
            equal = _equal(name, value)
            bind(table.schema(), equal, case_sensitive=True)
        except (TypeError, ValueError):
            raise KeyUnknownError(
                f"the value given for {name} is no {table.schema().find_type(name)}.",
                subject=subject,
                remedy="Give one of that type, times in ISO 8601.",
            ) from None
        wanted = And(wanted, equal)
    return wanted


def _rows(
    table: Table,
    wanted: BooleanExpression,
    build: Publication,
    snapshot_id: int | None,
    *,
    is_feature: bool,
) -> tuple[Mapping[str, Any], ...]:
    """Return rows of a build: of a history those that it marked, from main, else those of a snapshot."""
    of_build = And(wanted, _equal(BUILD_COLUMN, build.wap_id)) if is_feature else wanted
    at = None if is_feature else snapshot_id
    with reading(table, at):
        scan = table.scan(of_build, snapshot_id=at, limit=MOST_ROWS)
        return tuple(scan.to_arrow().to_pylist())


def _equal(column: str, text: str) -> EqualTo:
    """Return the filter on a column, whose type the text is read as when it is bound."""
    return EqualTo(term=Reference(column), value=literal(text))
