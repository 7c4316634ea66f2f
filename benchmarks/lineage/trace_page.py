"""What the docs page says of traces."""

from __future__ import annotations

from typing import Any


def section(result: dict[str, Any]) -> str:
    """Return the section."""
    index, machine = result["index"], result["machine"]
    lines = [
        f"| {one['rows'] / 1e6:,.0f} M | {one['files']:,} | {one['bytes'] / 1e9:.2f} GB "
        f"| {_took(one, 'warm')} | {one['unknown_p95_s']:.2f} s | {_took(one, 'cold')} |"
        for one in result["sizes"]
    ]
    more = index["write_ns"] - index["write_ns_without"]
    held = index["row_bytes"] - index["row_bytes_without"]
    return f"""\
## One event traced by its uuid

The promise: 95 of 100 traces take less than 1 s in a process that is up, and less than 3 s as a command,
its start included. {"It is met." if result["met"] else "It is **not** met."}

| rows | files | events | in the process: median, p95, processor | p95, unknown | \
command: median, p95, processor |
| ---: | ---: | ---: | ---: | ---: | ---: |
{chr(10).join(lines)}

![One event traced by its uuid](../images/bench-lineage-trace.svg)

`headwater trace UUID --cell us`, of drawn uuids of all hours: 100,000 rows an hour in a file of its own, ten
hours a commit, a thousand dead letters that are searched, too; Kafka is not asked. The files are in the page
cache, as they are where they were just written. {machine["cores"]} cores, {machine["processor"]}, \
{machine["memory_mb"] // 1024} GB.{_busy(result)}

What makes it so: each row group has a Bloom filter of its uuids, written by ingest and by compaction
([why there](../adr/0053-uuids-have-bloom-filters.md)). Of a row of a million, in this narrow table:

| | with filters | without |
| --- | ---: | ---: |
| writing it, processor time | {index["write_ns"]:,} ns | {index["write_ns_without"]:,} ns |
| its bytes | {index["row_bytes"]} | {index["row_bytes_without"]} |
| passing over it in a search, processor time | {index["look_ns"]} ns | {index["look_ns_without"]} ns |

{_cost(more, index["ingest_ns"])}
The {held:.1f} bytes are the same for rows of any size.
"""


def _took(one: dict[str, Any], way: str) -> str:
    return f"{one[f'{way}_median_s']:.2f}, {one[f'{way}_p95_s']:.2f}, {one[f'{way}_cpu_s']:.2f} s"


def _busy(result: dict[str, Any]) -> str:
    """Return what else the machine was at, if it was: then it is the processor time that can be compared."""
    if result["load"] < 1:
        return ""
    return f"""
Other work was on the machine, {result["load"]:.0f} processes a core, and slowed all of this down, processor
time too, for both cores share their caches: measure again where there is none."""


def _cost(more: int, ingest_ns: int) -> str:
    of = f"the {ingest_ns:,} ns that [an ingest](stages.md) of 100-byte events takes for each"
    if more <= 0:
        return f"What writing them costs is less than what two rounds differ by, beside {of}."
    return f"The {more} ns are {more / ingest_ns:.1%} of {of}."
