"""The ways: each gives the same rows the same values, as known at the rows' own times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import duckdb
import numpy as np
import polars as pl

from pipeline.features.point_in_time import point_in_time_join

BEGIN = 1_767_225_600_000_000
HOUR = 3_600_000_000
HOURS = 168
TTL = timedelta(days=2)
CORRECTED = 0.1
"""Share of values that are published a second time, up to two days later."""

ASOF = """
WITH known AS (
  SELECT user_id, region, known_from,
    max({'feature_time': feature_time, 'known_from': known_from, 'build': build, 'a': a, 'b': b, 'c': c})
      OVER (PARTITION BY user_id, region ORDER BY known_from) AS best
  FROM history)
SELECT s.n, if(best.feature_time > s.t - INTERVAL 2 DAY, best.c, NULL) AS c,
  if(best.feature_time > s.t - INTERVAL 2 DAY, best.a, NULL) AS a,
  if(best.feature_time > s.t - INTERVAL 2 DAY, best.b, NULL) AS b
FROM spine s ASOF LEFT JOIN known k
  ON s.user_id = k.user_id AND s.region = k.region AND s.t >= k.known_from
ORDER BY s.n
"""
"""One inequality is all that an ASOF join takes: the newest value so far is found beforehand. It holds
where rows may know up to their own time, and no value is known before its time."""

RANGE = """
WITH best AS (
  SELECT s.n, max({'feature_time': feature_time, 'known_from': known_from, 'build': build,
    'a': a, 'b': b, 'c': c}) AS h
  FROM spine s JOIN history h
    ON s.user_id = h.user_id AND s.region = h.region
    AND h.feature_time <= s.t AND h.feature_time > s.t - INTERVAL 2 DAY AND h.known_from <= s.t
  GROUP BY s.n)
SELECT s.n, best.h.c AS c, best.h.a AS a, best.h.b AS b FROM spine s LEFT JOIN best USING (n) ORDER BY s.n
"""
"""The definition as it stands: every value that may be known is looked at."""


@dataclass(frozen=True)
class Way:
    """One way; `run` returns `n`, `c`, `a` and `b` in the spine's order."""

    name: str
    run: Callable[[], pl.DataFrame]
    is_ours: bool = False


def made(spine_rows: int, history_rows: int, entities: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a spine and a history over a week, always the same for the same sizes."""
    rng = np.random.default_rng(1)
    first = round(history_rows / (1 + CORRECTED))
    cells = rng.choice(entities * HOURS, first, replace=False)
    again = rng.choice(cells, history_rows - first, replace=False)
    cell = np.concatenate([cells, again])
    hour = cell % HOURS
    lag = np.zeros(len(cell), np.int64)
    lag[first:] = rng.integers(1, 48, len(again))
    time = BEGIN + (hour + 1) * HOUR
    history = pl.DataFrame(
        {
            "user_id": _users(cell // HOURS),
            "region": np.where(cell // HOURS % 2, "us", "eu"),
            "feature_time": time,
            "known_from": time + 15 * 60_000_000 + lag * HOUR,
            "build": hour * 100 + lag,
            "a": rng.random(len(cell)),
            "b": rng.random(len(cell)),
            "c": np.arange(len(cell)),
        }
    ).with_columns(_times("feature_time", "known_from"), pl.format("build-{}", "build"))
    who = rng.integers(0, entities, spine_rows)
    spine = pl.DataFrame(
        {
            "n": np.arange(spine_rows),
            "user_id": _users(who),
            "region": np.where(who % 2, "us", "eu"),
            "t": BEGIN + rng.integers(0, HOURS * HOUR, spine_rows),
        }
    ).with_columns(_times("t"))
    return spine, history.sample(fraction=1.0, shuffle=True, seed=1)


def ways(spine: pl.DataFrame, history: pl.DataFrame) -> list[Way]:
    """Return ours and DuckDB's, each over tables in its own memory."""
    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    for name, frame in (("spine", spine), ("history", history)):
        base.register(f"given_{name}", frame.to_arrow())
        base.execute(f"CREATE TABLE {name} AS SELECT * FROM given_{name}")  # noqa: S608
        base.unregister(f"given_{name}")

    def ours() -> pl.DataFrame:
        return point_in_time_join(
            spine,
            history,
            entity=("user_id", "region"),
            timestamp=spine["t"],
            known_at=spine["t"],
            ttl=TTL,
        ).select("n", "c", "a", "b")

    return [
        Way("`point_in_time_join`", ours, is_ours=True),
        Way("DuckDB, ASOF join", lambda: base.sql(ASOF).pl()),
        Way("DuckDB, range join", lambda: base.sql(RANGE).pl()),
    ]


def _users(numbers: np.typing.NDArray[np.int64]) -> pl.Series:
    return pl.select(pl.format("user-{}", pl.Series(numbers))).to_series()


def _times(*names: str) -> pl.Expr:
    return pl.col(names).cast(pl.Datetime("us", "UTC"))
