"""The docs page and its picture, computed from the raw runs of a result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.backfill.contestants import OURS, YEAR, contestant
from benchmarks.backfill.document import Figures, figures
from benchmarks.backfill.flights import FLIGHTS
from benchmarks.bars import Bar, bars
from benchmarks.hourly.page import settings_text

_WHAT = {
    "year": """\
All hours of a year of flights, into two tables: by Headwater, by program and from Dagster's UI, by plain
Spark SQL in one job a table, and by dbt with the contracts' expectations as its tests.""",
    "week": "A week of viewing, into three tables: as one plan, and hour by hour.",
}
"""What is built, by workload."""


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of seconds, by workload."""
    found = figures(result["runs"])
    groups = [
        (
            f"{_name(members[0])}, seconds",
            [Bar(contestant(o.contestant).TITLE, o.seconds, o.contestant == OURS) for o in members],
        )
        for members in _by_workload(found)
    ]
    return bars("Seconds to build all hours", groups)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    machine, versions = result["machine"], result["versions"]
    settings, ours = (settings_text(result["asked"][of]) for of in ("spark", "spark_of_headwater"))
    failed = "".join(f"\n{what} did not run: {why}\n" for what, why in result["failed"].items())
    equal = (
        "Every row and every value of every table is equal"
        if not result["unequal"]
        else f"Rows are **not** equal ({'; '.join(result['unequal'])})"
    )
    measured = {run["workload"] for run in result["runs"]}
    what = "\n\n".join(text for name, text in _WHAT.items() if name in measured)
    return f"""\
# A backfill, against one job

<!-- Written by `make bench-backfill` from benchmarks/results/backfill.json. -->

{what}

![Seconds to build all hours](../images/bench-backfill.svg)

{"".join(_section(result, members) for members in _by_workload(figures(result["runs"])))}{failed}
{equal}.

## What each guarantees

| | audited | where an hour fails, the others |
| --- | --- | --- |
{_guarantees()}

## How it is measured

Events are brought to their table without Kafka, by the writer and the commit of ingest. Each run is a
process of its own on a copy of the cell as it was prepared, with one Spark session that is started, and has
built a few hours of another cell, before the clock starts. Contestants take turns. All have as much
memory: Headwater a cell's defaults, which have Comet, over {ours}; the others Spark as it comes
({settings}). CPU and memory are of all processes of the contestant. Headwater's
clock runs from the plan, with closed hours taken as given, to the last record and Data Docs, through
`import headwater`. From Dagster's UI it runs from the request to the end of the backfill, on a stack that
`headwater up` has started and that has ingested the flights from Kafka: a run's process and its Spark start
within it, and CPU and memory are of the whole stack, but for the CPU of what ended after who had started it,
as the JVM of a run does: the figure is too small.

Rows are compared by DuckDB over the data files, each as often as it is there, with those of Spark SQL, and
of the week with those of hour by hour. Spark SQL has one file open at a time
(`write.spark.fanout.enabled=false`): by Iceberg's default it runs out of 4 GB at 7,000 hours.

{machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB;
Python {versions["python"]}. `make bench-backfill` measures again. Raw runs:
`benchmarks/results/backfill.json`, whose form is `benchmarks/schema/backfill.schema.json`.
"""


def _section(result: dict[str, Any], members: Sequence[Figures]) -> str:
    over = {
        one["contestant"]: one for one in result["ratios"] if one["workload"] == members[0].workload
    }
    lines = [
        f"## {_name(members[0])}",
        "",
        "| | time | CPU s | peak MB | Headwater's time over it | CPU |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in members:
        ratio = over.get(one.contestant)
        ratios = f"{ratio['seconds']:.2f} | {ratio['cpu']:.2f}" if ratio else " | "
        lines.append(
            f"| {contestant(one.contestant).TITLE} | {one.seconds:,.1f} s | {one.cpu_s:,.1f} | "
            f"{one.peak_mb:,.0f} | {ratios} |"
        )
    return "\n".join([*lines, "", ""])


def _by_workload(found: Sequence[Figures]) -> Iterator[list[Figures]]:
    for workload in dict.fromkeys(one.workload for one in found):
        yield [one for one in found if one.workload == workload]


def _name(one: Figures) -> str:
    if one.workload == "week":
        return f"{one.hours:,} hours of {one.size:,} viewing events"
    of = "" if one.size == FLIGHTS else f" of {FLIGHTS:,}"
    return f"{one.size:,} flights{of}, {one.hours:,} hours"


def _guarantees() -> str:
    return "\n".join(
        f"| {contestant(name).TITLE} | {contestant(name).AUDITED} | {contestant(name).FAILING} |"
        for name in YEAR
    )
