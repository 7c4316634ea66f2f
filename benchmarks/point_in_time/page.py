"""The docs page of the point-in-time join."""

from __future__ import annotations

from typing import Any


def page(result: dict[str, Any]) -> str:
    """Return the page: a way a line, in seconds and as a multiple of ours."""
    ours = next(one for one in result["ways"] if one["ours"])
    table = "\n".join(
        f"| {one['way']} | {one['seconds']:.2f} | {one['cpu_seconds']:.2f} | "
        f"{one['cpu_seconds'] / ours['cpu_seconds']:.1f} |"
        for one in result["ways"]
    )
    machine = result["machine"]
    return f"""\
# Point-in-time join

<!-- Written by `make bench-point-in-time` from benchmarks/results/point_in_time.json. -->

{result["spine_rows"]:,} rows joined to {result["history_rows"]:,} rows of history about
{result["entities"]:,} entities over a week; one value in eleven is a correction, up to two days late. Every
way gives the same values ({result["matched"]:,} rows have one). Everything is in memory before; runs of each:
{result["runs"]}, the best counts. Processor time is less moved than wall time by what else the machine does.

| way | seconds | CPU seconds | CPU, ours = 1 |
| --- | ---: | ---: | ---: |
{table}

An ASOF join takes one inequality, and here are two: event time and known time. The one here first finds
each entity's newest value so far, in the order in which values became known; it holds only where a row may
know up to its own time. The range join is [the definition](../explanation/point-in-time.md)
in SQL: it looks at every value of an entity within the ttl, so its cost grows with their number, and that of
`point_in_time_join` hardly does.

{machine["cores"]} cores, {machine["processor"]}. `make bench-point-in-time` measures again. The result's form
is `benchmarks/schema/point_in_time.schema.json`.
"""
