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

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf

from headwater import RangeInputs

SESSIONS = "viewing_features_raw"
WINDOW_H = 168
HALF_LIFE_H = 48
ALPHA = 4
MICRO = 1_000_000
HOUR_MICROS = 3_600 * MICRO
WEIGHT = 10_000
"""What an event of the hour being built weighs: time weights are in ten-thousandths."""

ENTITY = ("user_id", "region")
AS_OF = "as_of"
"""The hour at whose end a row's features hold."""
ROW = (*ENTITY, AS_OF)
PATTERN = ("genre", "device_type", "daypart")
VIEWS: dict[str, tuple[str, ...]] = {
    "watch_pattern_affinity": PATTERN,
    "genre_affinity": ("genre",),
    "device_affinity": ("device_type",),
    "daypart_affinity": ("daypart",),
}
WEIGHTED = ("confidence", "rated", "completion", "finished")
RATES = ("rated", "finished")
COUNTS = ("events", "watch_seconds")


def build(inputs: RangeInputs) -> DataFrame:
    """Return one row for each hour, account and region active in it, of the 168 hours that end with it.

    Rows depend on the inputs' rows alone, not on their order. Sums are exact up to a hundred million
    events of an account in a week; beyond, the build fails.
    """
    sessions = inputs.tables[SESSIONS]
    of_range = (sf.col("hour") >= sf.lit(inputs.start)) & (sf.col("hour") < sf.lit(inputs.end))
    active = sessions.where(of_range).select(*ENTITY, sf.col("hour").alias(AS_OF)).distinct()
    trailing = (
        sessions.join(active, on=list(ENTITY))
        .withColumn("age", _age())
        .where(sf.col("age").between(0, WINDOW_H - 1))
    )
    rows = _by_account(_counted(trailing))
    days = sf.floor(sf.unix_micros(AS_OF) / sf.lit(24 * HOUR_MICROS))
    return rows.select(
        sf.col(AS_OF).alias("hour"),
        *ENTITY,
        sf.date_from_unix_date(days.cast("int")).alias("snapshot_date"),
        *(_affinities(view, keys) for view, keys in VIEWS.items()),
        (sf.col("confidence") / (WEIGHT * MICRO)).alias("confidence"),
        sf.try_divide("finished", "rated").alias("completion_rate"),
        sf.try_divide("completion", sf.col("rated") * MICRO).alias("mean_completion"),
        "sessions",
        "events",
        "watch_seconds",
    )


def _age() -> Column:
    """Return how many hours a row's own hour lies before the one that it counts for."""
    micros = sf.unix_micros(AS_OF) - sf.unix_micros("hour")
    return sf.floor(micros / sf.lit(HOUR_MICROS)).cast("int")


def _time_weight() -> Column:
    """Return 2 ** (-age / HALF_LIFE_H) in ten-thousandths."""
    weights = [round(WEIGHT * 2 ** (-age / HALF_LIFE_H)) for age in range(WINDOW_H)]
    return sf.get(sf.array(*map(sf.lit, weights)), sf.col("age")).cast("bigint")


def _counted(trailing: DataFrame) -> DataFrame:
    """Return a row for each pattern of an entity in an hour, and one for each session; both in one reading.

    A pattern has the weighted sums that everything is made of, a session what is not weighted.
    """
    no_pattern = sf.array(sf.get("patterns", sf.lit(-1)))
    rows = trailing.select(
        *ROW,
        "session_id",
        "events",
        "watch_seconds",
        _time_weight().alias("weight"),
        sf.explode(sf.concat(no_pattern, "patterns")).alias("pattern"),
    )
    pattern = sf.col("pattern")
    weighted = {
        "confidence": pattern["events"] * MICRO + pattern["viewed_micros"] * ALPHA,
        "rated": pattern["completion_events"],
        "completion": pattern["completion_micros"],
        "finished": pattern["finished"],
    }
    is_session = pattern.isNull()
    return rows.groupBy(
        *ROW,
        sf.when(is_session, sf.col("session_id")).alias("session_id"),
        *(pattern[name].alias(name) for name in PATTERN),
    ).agg(
        *(sf.sum(sf.col("weight") * value).alias(name) for name, value in weighted.items()),
        *(sf.sum(sf.when(is_session, sf.col(name))).alias(name) for name in COUNTS),
    )


def _by_account(counted: DataFrame) -> DataFrame:
    """Return a row an hour, account and region: its patterns as a list, and the sums."""
    # Structs sort by their fields from the left: by falling confidence, equals by name.
    entry = sf.struct((-sf.col("confidence")).alias("order"), *PATTERN, *RATES)
    is_pattern = sf.col("session_id").isNull()
    return counted.groupBy(*ROW).agg(
        sf.collect_list(sf.when(is_pattern, entry)).alias("patterns"),
        *(sf.sum(name).alias(name) for name in (*WEIGHTED, *COUNTS)),
        sf.count("session_id").alias("sessions"),
    )


def _folded(name: str) -> Column:
    """Return the list of patterns with those of equal `name` as one entry."""

    def entry(key: Column) -> Column:
        nothing = sf.lit(0).cast("bigint")
        begun = sf.struct(
            nothing.alias("order"), key.alias(name), *(nothing.alias(rate) for rate in RATES)
        )
        return sf.aggregate("patterns", begun, lambda done, pattern: add(key, done, pattern))

    def add(key: Column, done: Column, pattern: Column) -> Column:
        sums = {one: (done[one] + pattern[one]).alias(one) for one in ("order", *RATES)}
        added = sf.struct(sums["order"], done[name].alias(name), *(sums[rate] for rate in RATES))
        return sf.when(pattern[name].eqNullSafe(key), added).otherwise(done)

    keys = sf.array_distinct(sf.transform("patterns", lambda pattern: pattern[name]))
    return sf.transform(keys, entry)


def _affinities(view: str, keys: tuple[str, ...]) -> Column:
    def affinity(of: Column) -> Column:
        return sf.struct(
            *(of[name].alias(name) for name in keys),
            (-of["order"] / sf.col("confidence")).alias("affinity"),
            sf.try_divide(of["finished"], of["rated"]).alias("completion_rate"),
        )

    entries = sf.col("patterns") if keys == PATTERN else _folded(*keys)
    return sf.transform(sf.sort_array(entries), affinity).alias(view)
