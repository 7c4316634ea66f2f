"""The docs page and its plot, computed from the raw runs of a result."""

from __future__ import annotations

from typing import Any

from benchmarks.bars import Bar, bars
from benchmarks.ingest.contestants import contestant
from benchmarks.ingest.contestants.headwater import ALL_ON
from benchmarks.ingest.document import AIM, AIM_RATE, OURS, REQUIRED, Figures, figures, met


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of events a second, by size."""
    found = figures(result["runs"])
    groups = [
        (
            f"{size:,} bytes",
            [
                Bar(_title(one), one.rate, one.contestant == OURS)
                for one in found
                if one.value_bytes == size
            ],
        )
        for size in sorted({one.value_bytes for one in found})
    ]
    return bars("Events a second from Kafka to Iceberg", groups)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    found = figures(result["runs"])
    machine, versions, asked = result["machine"], result["versions"], result["asked"]
    repeats = max(run["repeat"] for run in result["runs"]) + 1
    ratios = ", ".join(f"{ratio:g} at {size} B" for size, ratio in result["ratios"].items())
    rate = next(
        (
            one.rate
            for one in found
            if (one.contestant, one.variant, one.value_bytes) == (OURS, ALL_ON, 100)
        ),
        float("nan"),
    )
    missing = "".join(
        f"\n{contestant(name).TITLE} did not run: {why}.\n"
        for name, why in result["missing"].items()
    )
    return f"""\
# Ingest, against peers

<!-- Written by `make bench` from benchmarks/results/ingest.json. -->

The promise: at least {REQUIRED:g} times the best exactly-once peer at every size; \
{"it is met" if met(result) else "it is **not** met"}: {ratios}. \
The aim: {AIM:g} times, and {AIM_RATE:,} events/s at 100 bytes on two cores with the broker on them; \
{rate:,.0f} is what it is. [The stages](stages.md) tell where the time goes.

![Events a second](../images/bench-ingest.svg)

{_table(found)}
{missing}
Medians over {repeats} runs each; CPU and memory are of all processes of the contestant, without those of
the broker, of PostgreSQL and of S3. Every run's table was then counted: each record is one row.

## What each guarantees

{_guarantees(found)}

## How it is measured

One broker, {asked["partitions"]} partitions, records of the last {asked["hours"]:g} hours in lz4
batches, filled before the clock starts. No envelope: everyone decodes the same seven columns (the text
that gives a value its size is of random words) and writes them to a table partitioned by hour, with
zstd. Each run is a process and a catalog of its own, warmed up on another topic; the clock runs from
the word to begin until the last commit has returned. PostgreSQL and S3 (SeaweedFS) are servers on the
same machine, which work on the same cores. Runs of different contestants take turns. The
slow are given fewer events. Headwater compresses at level 1, as Arrow does by default; Iceberg in Java
defaults to 3, which was left as it is. How each is tuned, and why, stands at the head of its file in
`benchmarks/ingest/contestants`.

{machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB;
Python {versions["python"]}. `make bench` measures again. Raw runs:
`benchmarks/results/ingest.json`, whose form is `benchmarks/schema/ingest.schema.json`.
"""


def _title(one: Figures) -> str:
    title = contestant(one.contestant).TITLE
    variant = contestant(one.contestant).VARIANTS[one.variant]
    return f"{title}, {variant}" if variant else title


def _table(found: list[Figures]) -> str:
    head = (
        "| | value | events/s | CPU s a million | peak MB |\n| --- | ---: | ---: | ---: | ---: |\n"
    )
    return head + "\n".join(
        f"| {_title(one)} | {one.value_bytes:,} B | {one.rate:,.0f} | "
        f"{one.cpu_s_per_million:,.2f} | {one.peak_mb:,.0f} |"
        for one in sorted(found, key=lambda one: one.value_bytes)
    )


def _guarantees(found: list[Figures]) -> str:
    lines = [
        "| | exactly once | duplicates | bad records | ledger |",
        "| --- | --- | --- | --- | --- |",
    ]
    for title, name, variant in dict.fromkeys((_title(f), f.contestant, f.variant) for f in found):
        said = contestant(name).guarantees(variant)
        once = said.exactly_once or "no"
        lines.append(
            f"| {title} | {once} | {said.duplicates} | {said.bad_records} | {said.ledger} |"
        )
    return "\n".join(lines)
