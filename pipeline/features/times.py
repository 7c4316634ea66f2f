"""Times as rows of a spine give them, and as one instant given for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from pipeline.clock import Clock, utc_now
from pipeline.errors import TerminalError

UTC_MICROS = pl.Datetime("us", "UTC")

_ZONE = r"T.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)$"


class TimeInvalidError(TerminalError):
    """What should be a time is none."""


@dataclass(frozen=True)
class KnownAt:
    """As of when a row of the spine may know: its `column`, or one `instant` for all.

    With neither it is the row's own event time: what was known when it happened.
    """

    column: str | None = None
    instant: datetime | None = None


AT_EVENT_TIME = KnownAt()


def parse_known_at(text: str | None, clock: Clock = utc_now) -> KnownAt:
    """Read `now`, an ISO 8601 time (UTC where it names no zone), `column:<name>`, or None.

    Raises:
        TimeInvalidError: it is none of these.
    """
    if text is None:
        return AT_EVENT_TIME
    if text == "now":
        return KnownAt(instant=clock())
    if text.startswith("column:"):
        return KnownAt(column=text.removeprefix("column:"))
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise TimeInvalidError(
            f"{text!r} is no time.",
            subject="known-at",
            remedy="Give `now`, an ISO 8601 time, or `column:` and a column of the spine.",
        ) from None
    return KnownAt(instant=instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def instants(spine: pl.DataFrame, column: str) -> pl.Series:
    """Return a column of the spine as UTC in microseconds; what names no zone is UTC already.

    Takes timestamps of any unit and zone, dates (their midnight), and texts in ISO 8601. A time between
    two microseconds is the earlier one. Nulls stay null.

    Raises:
        TimeInvalidError: there is no such column, it is of another type, or a text is no time.
    """
    if column not in spine.columns:
        raise TimeInvalidError(
            f"it has no column {column}.",
            subject="spine",
            remedy=f"Its columns are: {', '.join(spine.columns)}.",
        )
    given = spine.get_column(column)
    if isinstance(given.dtype, pl.Datetime) and given.dtype.time_zone is not None:
        return given.dt.convert_time_zone("UTC").cast(UTC_MICROS)
    if isinstance(given.dtype, pl.Datetime | pl.Date):
        return given.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if given.dtype == pl.Null:
        return given.cast(UTC_MICROS)
    if given.dtype == pl.String:
        return _parsed(spine, column)
    raise TimeInvalidError(
        f"it is of type {given.dtype}.",
        subject=f"column {column} of the spine",
        remedy="Give timestamps, dates, or texts in ISO 8601.",
    )


def _parsed(spine: pl.DataFrame, column: str) -> pl.Series:
    text = pl.col(column).str.strip_chars().str.replace(" ", "T", literal=True)
    text = pl.when(text.str.contains("T", literal=True)).then(text).otherwise(text + "T00:00")
    text = pl.when(text.str.contains(_ZONE)).then(text).otherwise(text + "Z")
    forms = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
    parsed = spine.select(
        pl.coalesce(
            text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
            for form in forms
        ).alias(column)
    ).to_series()
    given = spine.get_column(column)
    wrong = (parsed.is_null() & given.is_not_null()).arg_true()
    if len(wrong):
        row = int(wrong[0])
        raise TimeInvalidError(
            f"{given[row]!r} in row {row + 1} is no time ({len(wrong):,} rows are like it).",
            subject=f"column {column} of the spine",
            remedy="Give them in ISO 8601, e.g. 2026-01-01T05:30:00Z.",
        )
    return parsed
