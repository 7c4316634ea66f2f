"""Plot and docs page of a result: computed from its document alone."""

from __future__ import annotations

from typing import Any

from benchmarks.svg import Limit, Line, chart


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of how long rows waited, over the run."""
    points = [point for point in result["series"] if point["at_s"] >= 0]
    lines = [
        Line(name, [(point["at_s"], point[key]) for point in points])
        for name, key in (("p50 of a snapshot", "p50_s"), ("p95", "p95_s"), ("largest", "max_s"))
    ]
    title = f"From produce to queryable, at {result['produced']['rate']:,.0f} events a second"
    limits = [Limit(f"promised {p}", result["promise"][f"{p}_s"]) for p in ("p95", "p99")]
    return chart(title, "seconds since the start", "seconds", lines, limits)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, machine, fresh = result["asked"], result["machine"], result["freshness"] or {}
    promise, held, commits = result["promise"], result["held"], result["commits"]
    rounds = result["maintenance"]
    upkeep = "none meanwhile"
    if rounds["rounds"]:
        upkeep = (
            f"{rounds['rounds']} rounds, {rounds['lost']} lost to others' commits: {rounds['files']:,} files "
            f"became {rounds['into']:,}, {rounds['snapshots']:,} snapshots expired"
        )
    figures = " | ".join(f"{fresh.get(k, float('nan')):.2f} s" for k in FIGURES)
    verdict = {True: "It is met.", False: "It is **not** met.", None: "It was not put to the test."}
    return f"""\
# Freshness

<!-- Written by `make bench-freshness` from benchmarks/results/freshness.json. -->

The promise: at a steady 20,000 events a second for 10 minutes, a reader of the table sees an event
within {promise["p95_s"]:g} s in 95 of 100 cases, and within {promise["p99_s"]:g} s in 99 of 100.
{verdict[result["met"]]}

| p50 | p95 | p99 | largest |
| --- | --- | --- | --- |
| {figures} |

![How long rows waited, over the run](../images/bench-freshness.svg)

| | |
| --- | --- |
| asked for | {asked["rate"]:,.0f} events/s for {asked["seconds"]:g} s, after \
{asked["warm_up_s"]:g} s of warming up |
| produced | {result["produced"]["records"]:,} events, {result["produced"]["rate"]:,.0f} a second; \
the latest tick {result["produced"]["latest_tick_ms"]:,.0f} ms late |
| commits | {commits["count"]:,}, every {commits["between_s"] or 0:.2f} s (median) |
| ingest | {result["ingest"]["cpu_s_per_million"]:g} CPU seconds a million events, \
{result["ingest"]["peak_mb"]:,.0f} MB at most |
| maintenance | {upkeep} |
| in the table | {held["rows"]:,} rows of {held["sent"]:,} records: {held["coordinates"]:,} distinct \
offsets, {held["uuids"]:,} distinct uuids |
| machine | {machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB; broker, \
producer, ingest and reader share it |

## How it is measured

Three processes on one real broker, with the contract of `viewing_events` as it stands (envelope, all
gates, de-duplication):

- a producer that stamps event and record time with the clock as it hands events to its client, in
  ticks of 20 ms. A tick that comes late is made up for, not left out;
- an ingest as Dagster runs it: `ingest(...)` until it is told to stop;
- a reader that loads the table every {asked["poll_s"] * 1000:.0f} ms by PyIceberg and, for each new snapshot,
  reads the record times from the files it added. Its rows count as queryable once they are read.

Every row counts once: a snapshot with more rows weighs more. What was produced while warming up is left
out. After the run the data files are counted by DuckDB: every record must be one row. The result is
invalid where less than 99 % of the rate was produced.

`make bench-freshness` measures again; `python -m benchmarks.freshness --help` tells how to measure less.
The result's form is `benchmarks/schema/freshness.schema.json`.
"""


FIGURES = ("p50_s", "p95_s", "p99_s", "max_s")
