"""Plot and docs page of a result: computed from its document alone."""

from __future__ import annotations

from typing import Any

from benchmarks.svg import Limit, Line, chart

MB = 1_048_576


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of the ingest's resident size over time."""
    memory = result["memory"]
    lines = [Line("resident size", [(p["at_s"], p["rss_mb"]) for p in result["series"]])]
    limits = []
    if memory["setting_mb"] is not None:
        limits = [
            Limit("setting", memory["setting_mb"]),
            Limit("setting and base", memory["allowed_mb"]),
        ]
    events = f"{result['asked']['events'] / 1e6:g} M events"
    title = f"Memory of an ingest that works off {events}"
    return chart(title, "seconds since the start", "MB", lines, limits)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, memory, ingest = result["asked"], result["memory"], result["ingest"]
    files, held, machine = result["files"], result["held"], result["machine"]
    verdict = {
        True: "It is met.",
        False: "It is **not** met.",
        None: "It was not put to the test.",
    }[result["met"]]
    setting = "none" if memory["setting_mb"] is None else f"{memory['setting_mb']:,} MB"
    reads = "\n".join(
        f"| {name.replace('_', ' ').replace('account', 'one account').replace('minute', 'a minute')}"
        f" | {reading['rows']:,} | {reading['files']} of {files['count']}"
        f" | {reading['row_groups']} of {files['row_groups']} |"
        for name, reading in result["skipping"].items()
    )
    return f"""\
# Backlog

<!-- Written by `make bench-backlog` from benchmarks/results/backlog.json. -->

The promise: an ingest's memory is bounded by a setting, also while it works off a backlog of 20 M events
in 16 partitions. {verdict}

| | |
| --- | --- |
| setting | {setting}, and a base of {asked["base_mb"]:,.0f} MB for interpreter and libraries |
| largest resident size | {memory["peak_mb"]:,.0f} MB; before it began {memory["idle_mb"]:,.0f} MB |
| backlog | {asked["events"]:,} events of {asked["value_bytes"]} B, {asked["partitions"]} partitions, \
{asked["hours"]:g} hours of event time |
| worked off in | {ingest["seconds"]:,.1f} s: {ingest["rate"]:,} events/s, \
{ingest["cpu_s_per_million"]:g} CPU seconds a million |
| commits | {ingest["commits"]:,}, the first after {ingest["first_commit_s"] or 0:.1f} s |
| data files | {files["count"]:,}, {files["bytes"] / MB:,.0f} MB: {files["smallest_bytes"] / MB:.2f} to \
{files["largest_bytes"] / MB:.1f} MB, median {files["median_bytes"] / MB:.1f} MB |
| in the table | {held["rows"]:,} rows of {held["sent"]:,} records: {held["coordinates"]:,} distinct \
offsets, {held["uuids"]:,} distinct uuids |
| machine | {machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB; broker \
and ingest share it |

![Resident size over time](../images/bench-backlog.svg)

## What a query has to read

| rows of | rows | data files, by the table's statistics | row groups, by Parquet's |
| --- | --- | --- | --- |
{reads}

The minute is in the middle of the backlog. Data files are those that Iceberg's statistics leave to be
read; row groups those of all whose minimum and maximum, as DuckDB reads them, hold what is asked for.

## How it is measured

The topic is filled before the clock starts, with records of `benchmarks/contracts/plain_events` (no
envelope; uuid, key and event time are fields of the payload). The ingest runs in a process of its own
with all gates and de-duplication until it has caught up. Its resident size is sampled every 100 ms; the
largest is the kernel's own mark, where it keeps one. At the end the data files are counted by DuckDB:
every record must be one row.

`make bench-backlog` measures again; `python -m benchmarks.backlog --help` tells how to measure less.
The result's form is `benchmarks/schema/backlog.schema.json`.
"""
