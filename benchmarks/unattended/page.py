"""Plot and docs page of a result: computed from its document alone."""

from __future__ import annotations

from typing import Any

from benchmarks.svg import Line, chart
from benchmarks.unattended.memory import MAY_GROW, MAY_GROW_MB, UUIDS_MB


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of every process's memory, over the run."""
    lines = [Line(one["name"], one["samples"]) for one in result["memory"]]
    return chart("Memory of a stack that is left alone", "seconds", "MB", lines)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, machine, fresh = result["asked"], result["machine"], result["freshness"] or {}
    promise, held, sizes = result["promise"], result["held"], result["sizes"]
    verdict = {True: "It is met.", False: "It is **not** met.", None: "It was not put to the test."}
    ticks = "\n".join(
        f"| `{one['name']}` | {one['count']:,} | {one['failed']} | {one['median_s']:.2f} s "
        f"| {one['longest_s']:.2f} s |"
        for one in result["ticks"]
    )
    memory = "\n".join(
        f"| {one['name']} | {one['samples'][0][1]:,.0f} MB | {one['samples'][-1][1]:,.0f} MB "
        f"| {one['growth_mb']:+,.1f} MB | {'yes' if one['flat'] else '**no**'} |"
        for one in result["memory"]
    )
    return f"""\
# Left alone

<!-- Written by `make bench-unattended` from benchmarks/results/unattended.json. -->

The promise: a stack as `headwater up` starts it, at {asked["rate"]:,.0f} events a second for \
{asked["seconds"] / 60:g} minutes, with nothing done by hand: a reader sees an event within \
{promise["p95_s"]:g} s in 95 of 100 cases, no tick takes longer than {promise["tick_s"]:g} s, no process \
grows, and every record is one row. {verdict[result["met"]]}

| p50 | p95 | p99 | largest |
| --- | --- | --- | --- |
| {" | ".join(f"{fresh.get(k, float('nan')):.2f} s" for k in FIGURES)} |

| process | at first | at last | grown | flat |
| --- | --- | --- | --- | --- |
{memory}

![Memory of every process, over the run](../images/bench-unattended.svg)

| sensor or schedule | ticks | failed | median | longest |
| --- | --- | --- | --- | --- |
{ticks}

| | at first | largest | at last |
| --- | --- | --- | --- |
| snapshots of events | {_three(sizes, "snapshots")} |
| bytes of their metadata file | {_three(sizes, "metadata_bytes")} |
| bytes of Dagster's databases | {_three(sizes, "database_bytes")} |

| | |
| --- | --- |
| produced | {result["produced"]["records"]:,} events, {result["produced"]["rate"]:,.0f} a second, \
after {asked["past"]:,} of hours before |
| in the table | {held["rows"]:,} rows of {held["sent"]:,} records: {held["coordinates"]:,} distinct \
offsets, {held["uuids"]:,} distinct uuids |
| ledger | {"balances" if result["balanced"] else "does **not** balance"} |
| hours published | {result["hours_published"]} |
| machine | {machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB; \
producer and reader share it |

A process is flat where the median of the last third of its samples is at most {MAY_GROW:g} times that of the
second, or {MAY_GROW_MB:g} MB above it; those are told that lived for half of the run. An ingest may grow by
the uuids of open hours, too, which it keeps until they take a quarter of its `--memory-mb`: up to
{UUIDS_MB:g} MB of a million records. Ticks are those that Dagster has recorded. What was sent while warming
up is left out.

`make bench-unattended` measures again; `python -m benchmarks.unattended --help` tells how to measure less.
The result's form is `benchmarks/schema/unattended.schema.json`.
"""


FIGURES = ("p50_s", "p95_s", "p99_s", "max_s")


def _three(sizes: list[dict[str, Any]], key: str) -> str:
    values = [one[key] for one in sizes] or [0]
    return f"{values[0]:,} | {max(values):,} | {values[-1]:,}"
