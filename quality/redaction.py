"""Redaction of expectations' results: no value of personal data is shown, whatever broke."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

COUNTED = (
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_nonmissing",
    "unexpected_percent_total",
)
"""What is said of any column: numbers of rows and their shares."""

_ROWS = ("unexpected_rows", "unexpected_list", "unexpected_index_list", "unexpected_index_query")
_QUERY = "unexpected_rows_expectation"
_OF_COLUMNS = ("expect_table_column", "expect_column_to_exist")
"""Expectations on columns' names alone."""
_NO_DATA_READ = ("UNRESOLVED_", "TABLE_OR_VIEW_NOT_FOUND", "PARSE_", "DATATYPE_MISMATCH")
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")
_COLUMN_MISSING = re.compile(r'The column "[^"]*" in BatchData does not exist')


def is_private(type_: str, kwargs: Mapping[str, Any], personal: Collection[str]) -> bool:
    """Whether what an expectation finds may be a value of a personal column.

    So it is as soon as its arguments name one. A query counts rows; what it says when it fails to run
    may quote any value that it reads, those of other tables too.
    """
    if type_ == _QUERY:
        return True
    if type_.startswith(_OF_COLUMNS):
        return False
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(kwargs)) for name in personal)


def redacted(type_: str, result: Mapping[str, Any], *, private: bool) -> dict[str, Any]:
    """Return what may be shown of a result: all of it but whole rows, or, if `private`, counts alone."""
    if not private:
        return {
            key: _without_rows(value)
            for key, value in result.items()
            if not key.startswith(("partial_unexpected_index", *_ROWS))
        }
    kept = {key: value for key, value in result.items() if key in COUNTED}
    observed = result.get("observed_value")
    # A count of rows, or of distinct values, tells no value.
    if isinstance(observed, int) and (type_ == _QUERY or "_count_" in type_):
        kept["observed_value"] = observed
    return kept


def redacted_message(message: str, *, private: bool) -> str:
    """Return why an expectation could not be evaluated; if `private`, in no words that quote data."""
    if not private:
        return message
    if found := _COLUMN_MISSING.search(message):
        return found.group(0)
    condition = _CONDITION.search(message)
    if condition is None:
        return "it could not be evaluated"
    if condition.group(1).startswith(_NO_DATA_READ):
        return message[condition.start() :].splitlines()[0]
    return f"it could not be evaluated: {condition.group(0)}"


def _without_rows(value: object) -> object:
    if isinstance(value, dict):
        return {key: inner for key, inner in value.items() if key not in _ROWS}
    return value
