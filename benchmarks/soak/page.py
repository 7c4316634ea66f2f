"""Plot and docs page of a soak: computed from its document alone."""

from __future__ import annotations

from typing import Any

from benchmarks.soak.document import GROWTH, MOST
from benchmarks.svg import Line, chart

WORDS = {
    "commit p50": "a commit, median",
    "commit p95": "a commit, 95th percentile",
    "hour_closed": "the work of `hour_closed`'s tick",
    "watermark": "the work of `watermark`'s tick",
    "ledger": "`headwater ledger`",
    "hours": "`headwater hours`",
    "scan": "reading the newest hour",
    "maintenance": "upkeep of an hour, mean",
    "snapshots": "snapshots",
    "metadata_bytes": "bytes of metadata that a load parses",
    "metadata_files": "files of metadata on disk",
    "database_bytes": "bytes of Dagster's databases, from the fourth tenth on",
    "files": "files of Dagster's storage, from the fourth tenth on",
    "runs": "runs that Dagster lists, from the fourth tenth on",
}
PLOTTED = ("p50", "p95", "hour_closed", "watermark", "ledger", "hours", "scan")


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of what everything takes, over the commits."""
    lines = [
        Line(name, [(point["commits"], point[f"{name}_ms"]) for point in result["points"]])
        for name in PLOTTED
    ]
    return chart("What a look and a commit take", "commits", "ms", lines)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, machine = result["asked"], result["machine"]
    verdict = "It is met." if result["met"] else "It is **not** met."
    if not result["whole"]:
        verdict += (
            f" Measured were only {asked['commits']:,} commits over {asked['hours']:,} hours; "
            "`make soak` does all."
        )
    times = "\n".join(
        f"| {WORDS[one['name']]} | {one['first_ms']:,} ms | {one['last_ms']:,} ms "
        f"| {one['cpu_first_ms']:,} ms | {one['cpu_last_ms']:,} ms | {one['cpu_ratio']} |"
        for one in result["compared"]
    )
    sizes = "\n".join(
        f"| {WORDS[one['name']]} | {one['first']:,} | {one['last']:,} | {one['ratio']} |"
        for one in result["bounded"]
    )
    balanced = "balanced" if result["balanced"] else "did **not** balance"
    return f"""\
# A year of commits

<!-- Written by `make soak` from benchmarks/results/soak.json. -->

The promise: after 100,000 commits and 8,760 hours that were published, everything takes at most {MOST} times
the CPU in the last tenth that it took in the first, and of snapshots and metadata there is at most
{GROWTH:g} times as much. {verdict}

| | first tenth | last tenth | CPU, first tenth | CPU, last tenth | ratio of CPU |
| --- | --- | --- | --- | --- | --- |
{times}

CPU is compared because a soak takes hours, on a machine that has other work too: what the clock says tells of
that work as well.

| | first tenth | last tenth | ratio |
| --- | --- | --- | --- |
{sizes}

![What a look and a commit take](../images/bench-soak.svg)

Most hours that a look read: {result["looked_at"]:,} of {result["hours"]:,}, with those that they are
computed from. Builds recorded: {result["built"]:,}. The ledger {balanced} in every hour. Machine:
{machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB.

An hour of the clock, which is set, is a few commits of {asked["rows"]} rows as ingest makes them, one in
{asked["late_every"]} with a row of up to 72 hours earlier, and maintenance.
Every {asked["publish_every"]} hours comes what the sensor `hour_closed` does, without Dagster and Kafka
around it, and a publication of every hour that is due, recorded as a build records it, without Spark.
In one hour of {asked["look_every"]} the other sensor, the commands and a reader, too.
Dagster's storage has a year of its own: a run that builds an hour and what sensors observe in it, and every
six hours the job that lets go of what is old, which is at most a quarter of a year.
What each of them reads is [explained](../explanation/cost.md).

`make soak` measures again, for hours; ended, it goes on where it was. The result's form is
`benchmarks/schema/soak.schema.json`.
"""
