"""The docs page of the trials."""

from __future__ import annotations

from typing import Any


def page(result: dict[str, Any]) -> str:
    """Return the page: a way a line, by thing."""
    lines = []
    for one in result["ways"]:
        name = f"**{one['way']}**" if one["ours"] else one["way"]
        size = "" if one["bytes"] is None else f"{one['bytes']:,.1f}"
        lines.append(f"| {one['thing']} | {name} | {one['ns']:,.0f} | {size} |")
    table = "\n".join(lines)
    machine = result["machine"]
    return f"""\
# What was tried

<!-- Written by `make bench-trials` from benchmarks/results/trials.json. -->

Ways to do what an ingest does, on the same events of 100 bytes; the one that was taken in bold. Wall
time, the least of five runs, in nanoseconds an event, with both cores free.

| | way | ns an event | bytes an event |
| --- | --- | ---: | ---: |
{table}

One Avro block is no way for an ingest, whatever it takes: it knows one writer's schema and no envelope,
and one broken record breaks all. Two threads write files side by side; an ingest keeps its second core
for decoding instead. lz4 is quicker to write and larger to keep and to read.
PyIceberg's append splits and writes on both cores, unsorted, and commits; ours sorts and writes on one,
so that the other can decode.

{machine["cores"]} cores, {machine["processor"]}. `make bench-trials` measures again. The result's form
is `benchmarks/schema/trials.schema.json`.
"""
