"""What is in an hour's tables, in numbers that are equal where the rows are."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

import duckdb

Figure = int | float
TOLERANCE = 1e-9

_LISTS = ("watch_pattern_affinity", "genre_affinity", "device_affinity", "daypart_affinity")
_PATTERNS = (
    "events",
    "watch_seconds",
    "viewed_micros",
    "completion_events",
    "completion_micros",
    "finished",
)
QUERIES: Mapping[str, Mapping[str, str]] = {
    "content_engagement_hourly": {
        "rows": "count(*)",
        "keys": "bit_xor(hash(content_id, region, title, genre))",
        "views": "sum(views)",
        "unique_viewers": "sum(unique_viewers)",
        "watch_seconds": "sum(watch_seconds)",
        "mean_completion": "fsum(mean_completion)",
    },
    "viewing_features_raw": {
        "rows": "count(*)",
        "keys": "bit_xor(hash(user_id, region, session_id, continued))",
        "times": "bit_xor(hash(session_id, region, epoch_us(session_start), epoch_us(session_end)))",
        "continued": "count_if(continued)",
        "session_events": "sum(session_events)",
        "session_watch_seconds": "sum(session_watch_seconds)",
        "events": "sum(events)",
        "watch_seconds": "sum(watch_seconds)",
        "patterns": "sum(len(patterns))",
        "pattern_keys": "bit_xor(hash(session_id, region, list_transform(patterns, "
        "lambda p: concat_ws('/', p.genre, p.device_type, p.daypart))))",
        **{
            f"patterns.{name}": f"sum(list_sum(list_transform(patterns, lambda p: p.{name})))"
            for name in _PATTERNS
        },
    },
    "user_preference_features": {
        "rows": "count(*)",
        "keys": "bit_xor(hash(user_id, region, snapshot_date))",
        "events": "sum(events)",
        "watch_seconds": "sum(watch_seconds)",
        "sessions": "sum(sessions)",
        "confidence": "fsum(confidence)",
        "completion_rate": "fsum(completion_rate)",
        "mean_completion": "fsum(mean_completion)",
        **{f"{name}.entries": f"sum(len({name}))" for name in _LISTS},
        **{f"{name}.strongest": f"fsum({name}[1].affinity)" for name in _LISTS},
        **{
            f"{name}.completion_rate": f"fsum(list_sum(list_transform({name}, "
            "lambda p: p.completion_rate)))"
            for name in _LISTS
        },
    },
}
"""Table -> figure -> its SQL. Figures by `fsum` are equal within `TOLERANCE`, all others exactly."""


def figures(files: Mapping[str, list[str]]) -> dict[str, dict[str, Figure]]:
    """Return the figures of each table, whose rows are in Parquet files."""
    found = {}
    with duckdb.connect() as engine:
        for table, paths in files.items():
            wanted = QUERIES[table]
            columns = ", ".join(wanted.values())
            query = f"SELECT {columns} FROM read_parquet(?)"  # noqa: S608
            values = engine.execute(query, [paths]).fetchall()[0]
            found[table] = dict(zip(wanted, values, strict=True))
    return found


def differences(
    one: Mapping[str, Mapping[str, Figure]], other: Mapping[str, Mapping[str, Figure]]
) -> list[str]:
    """Return which figures differ, as `table.figure: value, value`."""
    return [
        f"{table}.{name}: {one[table][name]}, {other[table][name]}"
        for table, wanted in QUERIES.items()
        for name, sql in wanted.items()
        if not _equal(sql, one[table][name], other[table][name])
    ]


def _equal(sql: str, one: Figure, other: Figure) -> bool:
    if sql.startswith("fsum"):
        return isclose(one, other, rel_tol=TOLERANCE)
    return one == other
