"""The result of a measurement, its plot and its page."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.publish.run import Order, Published
from benchmarks.results import circumstances
from benchmarks.svg import Limit, Line, chart

MOST_S = 2.0
"""What the 95th percentile of publishing is below."""
WINDOW = 10


def document(order: Order, published: Sequence[Published]) -> dict[str, Any]:
    """Return the document; times in seconds."""
    tables = list(dict.fromkeys(one.table for one in published))
    lines = {table: [one for one in published if one.table == table] for table in tables}
    everything = summary(one.publish_s for one in published)
    return {
        "benchmark": "publish",
        "format": 1,
        **circumstances(),
        "asked": {"hours": order.hours, "events": order.events},
        "publish": everything,
        "met": everything["p95_s"] < MOST_S,
        "tables": [
            {
                "table": table,
                "publish": summary(one.publish_s for one in mine),
                "settle": summary(one.settle_s for one in mine),
                "publish_s": [round(one.publish_s, 3) for one in mine],
                "settle_s": [round(one.settle_s, 3) for one in mine],
            }
            for table, mine in lines.items()
        ],
    }


def summary(seconds: Iterable[float]) -> dict[str, Any]:
    """Return how many there are, their median, 95th percentile and largest."""
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "median_s": round(statistics.median(ordered), 3),
        "p95_s": round(ordered[int(len(ordered) * 0.95)], 3),
        "largest_s": round(ordered[-1], 3),
    }


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of publishing over the hours, medians of ten at a time."""
    lines = [
        Line(
            one["table"],
            [
                (min(at + WINDOW, len(times)), statistics.median(times[at : at + WINDOW]))
                for at in range(0, len(times), WINDOW)
            ],
        )
        for one in result["tables"]
        for times in (one["publish_s"],)
    ]
    return chart(
        "Publishing an hour", "hours published", "s", lines, [Limit("the promise", MOST_S)]
    )


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, machine, whole = result["asked"], result["machine"], result["publish"]
    rows = "\n".join(
        f"| `{one['table']}` | {_cells(one['publish'])} | {_cells(one['settle'])} |"
        for one in result["tables"]
    )
    return f"""\
# Publishing

<!-- Written by `make bench-publish` from benchmarks/results/publish.json. -->

The promise: from an hour's passed audit until readers see the hour, less than {MOST_S:g} s at the 95th
percentile. {"It is met" if result["met"] else "It is **not** met"}: {whole["p95_s"]:.2f} s of \
{whole["count"]:,} publishings, the largest {whole["largest_s"]:.2f} s.

| table | publish: median | p95 | largest | until recorded: median | p95 | largest |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
{rows}

![Publishing an hour](../images/bench-publish.svg)

Publishing is one commit that puts a staged snapshot on main; it reads and writes no rows, so that its
time does not go with the hour's size; [another benchmark](hourly.md) has hours of 10 million
events. What follows is the derivation of a feature's current table, a digest of the hour's rows, the
release of its tags and its row in the publications table.

{asked["hours"]} hours of {asked["events"]:,} events, {len(result["tables"])} tables, one Spark session, \
{machine["cores"]} cores ({machine["processor"]}), {machine["memory_mb"] // 1024} GB. Audits are left out.

`make bench-publish` measures again. The result's form is `benchmarks/schema/publish.schema.json`.
"""


def _cells(one: dict[str, Any]) -> str:
    return " | ".join(f"{one[name]:.2f} s" for name in ("median_s", "p95_s", "largest_s"))
