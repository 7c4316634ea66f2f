"""What a staging says of itself in its snapshot's summary, and what its publishing keeps of that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

WAP_ID_KEY = "wap.id"
"""Iceberg's: the id of what was written off main."""
PUBLISHED_KEY = "published-wap-id"
"""Iceberg's: the only key that a cherry-picked snapshot has of the staging that it is a copy of."""
HOURS_KEY = "headwater.hours"
SOURCE_KEY = "headwater.source-snapshot-id"
INPUT_SNAPSHOTS_KEY = "headwater.input-snapshots"
EXPECTATIONS_KEY = "headwater.expectations"
COLUMNS_KEY = "headwater.columns"
DERIVED_FROM_KEY = "headwater.derived-from"

HOUR_KEY, SOURCE_ROWS_KEY, INPUTS_KEY = (
    "headwater.hour",
    "headwater.source-rows",
    "headwater.inputs",
)
"""Of stagings that versions which staged one hour each have left."""


class HourSource(NamedTuple):
    """What a staged hour was computed from: rows of events, and a fingerprint of hours of other tables."""

    rows: int
    inputs: str


def staged_hours(summary: Mapping[str, str]) -> dict[datetime, HourSource]:
    """Return the hours that the summary of a staging names; none where it is of no staging."""
    if HOURS_KEY in summary:
        return {
            datetime.fromisoformat(hour): HourSource(rows, inputs)
            for hour, (rows, inputs) in json.loads(summary[HOURS_KEY]).items()
        }
    if HOUR_KEY in summary:
        hour = datetime.fromisoformat(summary[HOUR_KEY])
        rows = int(summary.get(SOURCE_ROWS_KEY, -1))
        return {hour: HourSource(rows, summary.get(INPUTS_KEY, ""))}
    return {}
