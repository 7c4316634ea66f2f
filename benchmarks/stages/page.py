"""The docs page of the stages."""

from __future__ import annotations

from typing import Any


def page(result: dict[str, Any]) -> str:
    """Return the page: a stage a line, a size a column, in nanoseconds of processor time an event."""
    sizes, machine = result["sizes"], result["machine"]
    head = " | ".join(f"{size['value_bytes']:,} B" for size in sizes)
    lines = [
        f"| {name} | " + " | ".join(f"{size['stages'][name]:,.0f}" for size in sizes) + " |"
        for name in sizes[0]["stages"]
    ]
    total = " | ".join(f"**{size['cpu_ns']:,.0f}**" for size in sizes)
    rate = " | ".join(f"{size['events'] / size['seconds']:,.0f}" for size in sizes)
    table = "\n".join(lines)
    return f"""\
# Stages

<!-- Written by `make bench-stages` from benchmarks/results/stages.json. -->

Nanoseconds of processor time an event, by the size of a record's value; medians of three runs after
one that is not counted. Clocks stand around the engine's own functions, each without what it calls
of the others; those of compiled code and of Arrow count too.

| stage | {head} |
| --- |{" ---: |" * len(sizes)}
{table}
| **all** | {total} |
| events/s | {rate} |

"The rest" is the network thread (requests, answers, checksums of TCP), garbage, and what lies between
the stages. {machine["cores"]} cores, {machine["processor"]}; the broker is on them.
[The engine's page](../explanation/ingest.md) tells what was tried at each stage.

`make bench-stages` measures again. The result's form is `benchmarks/schema/stages.schema.json`.
"""
