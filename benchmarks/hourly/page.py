"""The docs page and its picture, computed from the raw runs of a result."""

from __future__ import annotations

from typing import Any

from benchmarks.bars import Bar, bars
from benchmarks.hourly.contestants import TABLES, contestant
from benchmarks.hourly.document import OURS, Figures, figures, steps

STAGE = "compute and stage"


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of seconds, by size."""
    found = figures(result["runs"])
    groups = [
        (
            f"{size:,} events, seconds",
            [
                Bar(contestant(one.contestant).TITLE, one.median_s, one.contestant == OURS)
                for one in found
                if one.events == size
            ],
        )
        for size in sorted({one.events for one in found})
    ]
    return bars("Seconds to build one hour of three tables", groups)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    found = figures(result["runs"])
    machine, versions, asked = result["machine"], result["versions"], result["asked"]
    before, settings = asked["hours_before"], settings_text(asked["spark"])
    ours = settings_text(asked["spark_of_headwater"])
    repeats = max(run["repeat"] for run in result["runs"]) + 1
    largest = max(one.events for one in found)
    ratios = "\n".join(
        f"| {contestant(one['contestant']).TITLE} | {one['events']:,} | {one['seconds']:.2f} | "
        f"{one['cpu']:.2f} | {one['peak']:.2f} |"
        for one in result["ratios"]
    )
    failed = "".join(f"\n{what} did not run: {why}\n" for what, why in result["failed"].items())
    equal = (
        "All runs gave the same rows"
        if not result["unequal"]
        else f"Runs did **not** give the same rows ({'; '.join(result['unequal'])})"
    )
    return f"""\
# The hourly build, and what its guarantees cost

<!-- Written by `make bench-hourly` from benchmarks/results/hourly.json. -->

One hour of viewing becomes `{TABLES[0]}`, `{TABLES[1]}` and
`{TABLES[2]}`: by Headwater, by the same logic in plain Spark SQL, and by the same in DuckDB.

![Seconds to build the hour](../images/bench-hourly.svg)

{_table(found)}
{failed}
{_over(repeats)}; CPU and memory are of all processes of the contestant, the
JVM included. {equal}: counts and sums of whole numbers and
hashes of keys are equal, sums of floats to {asked["tolerance"]:g}.

Headwater's figure over the other's:

| over | events | time | CPU | memory |
| --- | ---: | ---: | ---: | ---: |
{ratios}

## Where Headwater's time goes

{_steps(result, largest)}

`{STAGE}` is what the others do too. What follows it is what the guarantees cost.

## What each guarantees

{_guarantees(found)}

DuckDB shows what the arithmetic costs on one machine when nothing else is asked for. It has no
catalog and no snapshots: a reader may see half an hour, and the next hour needs somebody who knows its files.

## How it is measured

The events table is filled without Kafka, by the writer and the commit of ingest. Accounts watch unequally
(Zipf), in sessions, in four regions; titles are those of the contract's reference data, one of which changes
its genre as the hour begins; one value of two hundred breaks a rule. The {before} hours before have as many
events each, and their sessions are there: sessions go on into the hour, and features trail over
{before + 1} hours of the 168 that they may.

Each run is a process of its own on a copy of the cell as it was prepared. Before the clock starts it builds
the same hour of {asked["warm_up"]:,} events. Runs of different contestants take turns. Headwater's clock
runs from the plan, with closed hours taken as given, to the last record and the audit's report, through
`execute`; the audits are the contracts' own. Each that uses Spark has one session, started
before the clock, and as much memory: Headwater a cell's defaults, which have Comet, over {ours};
the others Spark as it comes ({settings}).

{machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB;
Python {versions["python"]}. `make bench-hourly` measures again. Raw runs:
`benchmarks/results/hourly.json`, whose form is `benchmarks/schema/hourly.schema.json`.
"""


def _over(repeats: int) -> str:
    if repeats == 1:
        return "One run each"
    return f"Medians over {repeats} runs each, and the shortest"


def _table(found: list[Figures]) -> str:
    head = (
        "| | events | median | shortest | CPU s | peak MB |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
    )
    return head + "\n".join(
        f"| {contestant(one.contestant).TITLE} | {one.events:,} | {one.median_s:,.1f} s | "
        f"{one.least_s:,.1f} s | {one.cpu_s:,.1f} | {one.peak_mb:,.0f} |"
        for one in sorted(found, key=lambda one: one.events)
    )


def _steps(result: dict[str, Any], events: int) -> str:
    found = steps(result["runs"], events)
    lines = [
        f"Seconds at {events:,} events, and Spark jobs in brackets:",
        "",
        f"| step | {' | '.join(f'`{table}`' for table in TABLES)} |",
        f"| --- |{' ---: |' * len(TABLES)}",
    ]
    for step, by_table in found.items():
        cells = [_cell(by_table.get(table)) for table in TABLES]
        lines.append(f"| {step} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(taken: tuple[float, int] | None) -> str:
    if taken is None:
        return ""
    seconds, jobs = taken
    return f"{seconds:.2f} ({jobs})" if jobs else f"{seconds:.2f}"


def _guarantees(found: list[Figures]) -> str:
    lines = [
        "| | a reader sees | audited before | late rows | the past |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in dict.fromkeys(one.contestant for one in found):
        said = contestant(name).GUARANTEES
        lines.append(
            f"| {contestant(name).TITLE} | {said.whole} | {said.audited} | {said.late} | {said.known} |"
        )
    return "\n".join(lines)


def settings_text(spark: dict[str, Any]) -> str:
    """Return Spark's settings as a sentence has them."""
    return ", ".join(f"`{name}={value}`" for name, value in spark.items())
