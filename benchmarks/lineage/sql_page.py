"""What the docs page says of questions in SQL."""

from __future__ import annotations

from typing import Any

from benchmarks.lineage.sql import EACH, PARTITIONS, RETAINED, TOGETHER


def section(result: dict[str, Any]) -> str:
    """Return the section."""
    machine = result["machine"]
    lines = [
        f"| {one['commits']:,} | {_took(one, 'changes')} | {_took(one, 'history')} | {_took(one, 'cold')} |"
        for one in result["sizes"]
    ]
    return f"""\
## Commits asked about in SQL

The promise: 95 of 100 questions take less than 1 s, the start of a process apart. \
{"It is met." if result["met"] else "It is **not** met."}

| commits | `table_changes` by offsets: median, p95 | `table_history` by snapshot: median, p95 \
| the latter as a command: median, p95 |
| ---: | ---: | ---: | ---: |
{chr(10).join(lines)}

![Commits asked about in SQL](../images/bench-lineage-sql.svg)

Each question opens the catalog, reads the metadata of all of the product's tables and plans the files
anew, as the command does. A commit took in {EACH:,} offsets of each of {PARTITIONS} partitions.
{TOGETHER} commits were kept at a time, as expiries keep them, and compacted as maintenance does;
the last {RETAINED} stand in the metadata of events alone.
{machine["cores"]} cores, {machine["processor"]}, {machine["memory_mb"] // 1024} GB.
"""


def _took(one: dict[str, Any], way: str) -> str:
    return f"{one[f'{way}_median_s']:.2f}, {one[f'{way}_p95_s']:.2f} s"
