"""Session windows: the parts of each account's sessions that lie in the hours of a range, an hour each.

A session is a run of an account's events, each at most 30 minutes after the one before. One that goes on
from the hour before the range keeps its start, which that hour hands over. What was watched is counted in
integers by pattern (genre, device, part of the day): sums of integers come out the same in any order.
docs/reference/features.md has the definitions and a worked example.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

from headwater import RangeInputs, join_as_of

EVENTS = "events"
SESSIONS = "viewing_features_raw"
CATALOGUE = "content"
TIME_ZONES = "time_zones"

GAP = "INTERVAL 30 MINUTES"
UNKNOWN = "unknown"
DEVICES = ("tv", "mobile", "tablet", "desktop", "console")
DAYPARTS = ("night", "morning", "afternoon", "evening")
MICRO = 1_000_000
FINISHED_MICROS = 900_000
LONGEST_S = 86_400

SCHEMA = """
    user_id STRING, region STRING, session_id STRING, session_start TIMESTAMP, session_end TIMESTAMP,
    continued BOOLEAN, session_events BIGINT, session_watch_seconds BIGINT, events BIGINT,
    watch_seconds BIGINT, patterns ARRAY<STRUCT<genre: STRING, device_type: STRING, daypart: STRING,
    events: BIGINT, watch_seconds: BIGINT, viewed_micros: BIGINT, completion_events: BIGINT,
    completion_micros: BIGINT, finished: BIGINT>>
"""
"""The table's columns, for the first hour: no hour before it hands anything over."""

SESSION = ("user_id", "session_start")
OF_HOUR = (*SESSION, "hour")
PATTERN = ("genre", "device_type", "daypart")
COUNTS = (
    "events",
    "watch_seconds",
    "viewed_micros",
    "completion_events",
    "completion_micros",
    "finished",
)


def build(inputs: RangeInputs) -> DataFrame:
    """Return one row an hour, account, region and session with events in it.

    Events without an account are left out. Rows depend on the inputs' rows alone, not on their order.
    """
    views = _in_sessions(_views(inputs), inputs.tables[SESSIONS])
    cells = views.groupBy(*OF_HOUR, "carried", "region", *PATTERN).agg(
        sf.max("event_time").alias("last"),
        sf.count("*").alias("events"),
        *(sf.coalesce(sf.sum(name), sf.lit(0)).alias(name) for name in COUNTS[1:]),
    )
    parts = cells.groupBy(*OF_HOUR, "carried", "region").agg(
        sf.max("last").alias("last"),
        sf.sum("events").alias("events"),
        sf.sum("watch_seconds").alias("watch_seconds"),
        sf.sort_array(sf.collect_list(sf.struct(*PATTERN, *COUNTS))).alias("patterns"),
    )
    return parts.select(*_columns())


def _views(inputs: RangeInputs) -> DataFrame:
    """Return the events with what held at their time; a value that breaks a rule is null."""
    events = inputs.tables[EVENTS].where("user_id <> ''")
    views = events.select(
        "user_id",
        sf.coalesce("region", sf.lit(UNKNOWN)).alias("region"),
        sf.col("_event_time").alias("event_time"),
        "content_id",
        _valid("device_type", sf.col("device_type").isin(*DEVICES)),
        _valid("watch_duration", sf.col("watch_duration").between(0, LONGEST_S)),
        _valid("completion", sf.col("completion").between(0.0, 1.0)),
    )
    columns = ("genre", "runtime_s")
    catalogue = inputs.references[CATALOGUE]
    views = join_as_of(views, catalogue, ["content_id"], sf.col("event_time"), columns)
    zones = inputs.references[TIME_ZONES].select("region", "time_zone")
    views = views.join(sf.broadcast(zones), on="region", how="left")
    return views.select(
        "user_id",
        "region",
        "event_time",
        sf.date_trunc("hour", "event_time").alias("hour"),
        sf.coalesce("genre", sf.lit(UNKNOWN)).alias("genre"),
        sf.coalesce("device_type", sf.lit(UNKNOWN)).alias("device_type"),
        _daypart().alias("daypart"),
        sf.col("watch_duration").cast("bigint").alias("watch_seconds"),
        _viewed_micros().alias("viewed_micros"),
        sf.col("completion").isNotNull().cast("bigint").alias("completion_events"),
        _completion_micros().alias("completion_micros"),
        (_completion_micros() >= FINISHED_MICROS).cast("bigint").alias("finished"),
    )


def _in_sessions(views: DataFrame, handed: DataFrame) -> DataFrame:
    """Add `session_start` to every event, and `carried`: what the hour before the range says of it."""
    before = handed.groupBy("user_id").agg(
        sf.max(
            sf.struct("session_end", "session_start", "session_events", "session_watch_seconds")
        ).alias("carried")
    )
    # Events of one instant are in no order. A frame by range holds them all, so none of this sees it.
    in_time = Window.partitionBy("user_id").orderBy("event_time")
    last = sf.coalesce(sf.lag("event_time").over(in_time), sf.col("carried.session_end"))
    placed = views.join(before, on="user_id", how="left").withColumn("last", last)
    begins = sf.col("last").isNull() | (sf.col("event_time") > sf.col("last") + sf.expr(GAP))
    begun = sf.max(sf.when(begins, sf.col("event_time"))).over(in_time)
    return placed.withColumn("begun", begun).select(
        *views.columns,
        sf.coalesce("begun", "carried.session_start").alias("session_start"),
        sf.when(sf.col("begun").isNull(), sf.col("carried")).alias("carried"),
    )


def _columns() -> list[Column | str]:
    """Return the table's columns; those named `session_...` are of the whole session so far."""
    # A frame by range: all that the hour has of a session, of whatever region.
    until_now = Window.partitionBy(*SESSION).orderBy("hour")

    def so_far(of_hour: str, carried: str) -> Column:
        return sf.sum(of_hour).over(until_now) + sf.coalesce(f"carried.{carried}", sf.lit(0))

    return [
        "user_id",
        "region",
        _session_id().alias("session_id"),
        "session_start",
        sf.max("last").over(Window.partitionBy(*OF_HOUR)).alias("session_end"),
        (sf.col("session_start") < sf.col("hour")).alias("continued"),
        so_far("events", "session_events").alias("session_events"),
        so_far("watch_seconds", "session_watch_seconds").alias("session_watch_seconds"),
        "events",
        "watch_seconds",
        "patterns",
        "hour",
    ]


def _session_id() -> Column:
    named = sf.concat_ws("/", "user_id", sf.unix_micros("session_start").cast("string"))
    return sf.substring(sf.sha2(named, 256), 1, 32)


def _valid(name: str, rule: Column) -> Column:
    return sf.when(rule, sf.col(name)).alias(name)


def _daypart() -> Column:
    """Return which quarter of the local day an event ended in; unknown without a time zone."""
    hour = sf.hour(sf.from_utc_timestamp("event_time", sf.col("time_zone")))
    named = sf.when(hour < 6, DAYPARTS[0])
    for quarter, name in enumerate(DAYPARTS[1:], 1):
        named = named.when(hour < 6 * (quarter + 1), name)
    return named.otherwise(UNKNOWN)


def _viewed_micros() -> Column:
    """Return the share of the title that this stretch was, in millionths, in whole numbers alone."""
    share = sf.expr(f"least(watch_duration, runtime_s) * {MICRO}L div runtime_s")
    # `least` passes over nulls: a duration that breaks its rule would count as the whole title.
    return sf.when((sf.col("runtime_s") > 0) & sf.col("watch_duration").isNotNull(), share)


def _completion_micros() -> Column:
    return sf.floor(sf.col("completion") * MICRO + 0.5)
