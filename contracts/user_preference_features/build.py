"""Watch pattern affinity: what an account has come to watch, on what, and when, weighted by recency.

A pattern is a genre, a kind of device and a part of the day. Over the trailing 168 hours, the confidence
in pattern p is

    C(p) = sum over events e of p of  w(age of e) * (1 + ALPHA * r(e)),    w(h) = 2 ** (-h / HALF_LIFE_H)

and its affinity C(p) / sum of C(q) over all patterns q. 1 + alpha * r is the confidence of implicit feedback
of Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, where r is, as
there, the watched share of the title; w is the time weight of Ding and Li, "Time Weight Collaborative
Filtering", CIKM 2005, with the half-life as its parameter. Weights are whole numbers, so sums are exact and
come out the same in any order; ratios are taken last. docs/reference/features.md has a worked example.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf

from headwater import Inputs

SESSIONS = "viewing_features_raw"
WINDOW_H = 168
HALF_LIFE_H = 48
ALPHA = 4
MICRO = 1_000_000
WEIGHT = 10_000
"""What an event of the hour being built weighs: time weights are in ten-thousandths."""

ENTITY = ("user_id", "region")
PATTERN = ("genre", "device_type", "daypart")
VIEWS: dict[str, tuple[str, ...]] = {
    "watch_pattern_affinity": PATTERN,
    "genre_affinity": ("genre",),
    "device_affinity": ("device_type",),
    "daypart_affinity": ("daypart",),
}
WEIGHTED = ("confidence", "rated", "completion", "finished")


def build(inputs: Inputs) -> DataFrame:
    """Return one row for each account and region active in the hour, of its trailing 168 hours.

    Rows depend on the inputs' rows alone, not on their order. Sums are exact up to a hundred million
    events of an account in a week; beyond, the build fails.
    """
    sessions = inputs.tables[SESSIONS].withColumn("age", _age(inputs.hour))
    # By the partition column: told by its age, files of all hours would be read.
    active = sessions.where(sf.col("hour") == sf.lit(inputs.hour)).select(*ENTITY).distinct()
    trailing = sessions.where(sf.col("age").between(0, WINDOW_H - 1)).join(
        active, on=list(ENTITY), how="left_semi"
    )
    totals = trailing.groupBy(*ENTITY).agg(
        sf.sum("events").alias("events"),
        sf.sum("watch_seconds").alias("watch_seconds"),
        sf.count_distinct("session_id").alias("sessions"),
    )
    rows = _by_view(_weighted(trailing)).join(totals, on=list(ENTITY))
    return rows.select(
        *ENTITY,
        sf.lit(inputs.hour.astimezone(UTC).date()).alias("snapshot_date"),
        *(_affinities(view, keys) for view, keys in VIEWS.items()),
        (sf.col("confidence") / (WEIGHT * MICRO)).alias("confidence"),
        sf.try_divide("finished", "rated").alias("completion_rate"),
        sf.try_divide("completion", sf.col("rated") * MICRO).alias("mean_completion"),
        "sessions",
        "events",
        "watch_seconds",
    )


def _age(hour: datetime) -> Column:
    """Return how many hours before `hour` a row's own hour is."""
    micros = sf.unix_micros(sf.lit(hour)) - sf.unix_micros("hour")
    return sf.floor(micros / sf.lit(3_600 * MICRO)).cast("int")


def _time_weight() -> Column:
    """Return 2 ** (-age / HALF_LIFE_H) in ten-thousandths."""
    weights = [round(WEIGHT * 2 ** (-age / HALF_LIFE_H)) for age in range(WINDOW_H)]
    return sf.get(sf.array(*map(sf.lit, weights)), sf.col("age")).cast("bigint")


def _weighted(trailing: DataFrame) -> DataFrame:
    """Return, by account, region and pattern, the weighted sums that everything is made of."""
    cells = trailing.select(*ENTITY, _time_weight().alias("weight"), sf.inline("patterns"))
    weighted = {
        "confidence": sf.col("events") * MICRO + sf.col("viewed_micros") * ALPHA,
        "rated": sf.col("completion_events"),
        "completion": sf.col("completion_micros"),
        "finished": sf.col("finished"),
    }
    return cells.groupBy(*ENTITY, *PATTERN).agg(
        *(sf.sum(sf.col("weight") * value).alias(name) for name, value in weighted.items())
    )


def _by_view(cells: DataFrame) -> DataFrame:
    """Return a row an account and region: a list for each of `VIEWS`, strongest first, and the sums."""
    views = sf.array(*(_key(view, keys) for view, keys in VIEWS.items()))
    folded = (
        cells.withColumn("key", sf.explode(views))
        .groupBy(*ENTITY, "key")
        .agg(*(sf.sum(name).alias(name) for name in WEIGHTED))
    )
    whole = sf.col("key.view") == "watch_pattern_affinity"
    return folded.groupBy(*ENTITY).agg(
        *(_strongest_first(view, keys) for view, keys in VIEWS.items()),
        *(sf.sum(sf.when(whole, sf.col(name))).alias(name) for name in WEIGHTED),
    )


def _key(view: str, keys: tuple[str, ...]) -> Column:
    nothing = sf.lit(None).cast("string")
    parts = ((sf.col(name) if name in keys else nothing).alias(name) for name in PATTERN)
    return sf.struct(sf.lit(view).alias("view"), *parts)


def _strongest_first(view: str, keys: tuple[str, ...]) -> Column:
    # Structs sort by their fields from the left: by falling confidence, equals by name.
    entry = sf.struct(
        (-sf.col("confidence")).alias("order"),
        *(sf.col(f"key.{name}").alias(name) for name in keys),
        *WEIGHTED,
    )
    return sf.sort_array(sf.collect_list(sf.when(sf.col("key.view") == view, entry))).alias(view)


def _affinities(view: str, keys: tuple[str, ...]) -> Column:
    def entry(of: Column) -> Column:
        return sf.struct(
            *(of[name].alias(name) for name in keys),
            (of["confidence"] / sf.col("confidence")).alias("affinity"),
            sf.try_divide(of["finished"], of["rated"]).alias("completion_rate"),
        )

    return sf.transform(view, entry).alias(view)
