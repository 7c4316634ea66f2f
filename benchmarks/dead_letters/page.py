"""The docs page, from the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.dead_letters.document import LEAST_REPLAYED, MOST_LIST_S
from benchmarks.dead_letters.queries import COMMANDS, NEWEST
from benchmarks.dead_letters.run import WARM_UP

STEPS = {
    "plan": "tried out, nothing sent",
    "replay": "replayed: tried, claimed, sent, noted",
    "landed": "then ingested",
    "by_hand": "sent by hand",
}
WHEN = {"open": "all open", "replayed": "all replayed"}


def page(result: Mapping[str, Any]) -> str:
    """Return the docs page."""
    asked, machine = result["asked"], result["machine"]
    few, many = result["runs"]
    queries = "\n".join(
        f"| {_asked(one)}, {WHEN[one['when']]} | {one['count']} | {one['p50_s'] * 1000:,.0f} ms | "
        f"{one['p95_s'] * 1000:,.0f} ms |"
        for one in result["queries"]
    )
    steps = "\n".join(
        f"| {title} | {many[step]['rate']:,} | {many[step]['seconds']:,.1f} s | "
        f"{many[step]['before_mb']:,} MB | {many[step]['peak_mb']:,} MB | {few[step]['peak_mb']:,} MB |"
        for step, title in STEPS.items()
    )
    whole = result["every_event_one_row"]
    landed = "every event is a row once" if whole else "**events are missing or doubled**"
    return f"""\
# Dead letters

<!-- Written by `make bench-dead-letters` from benchmarks/results/dead_letters.json. -->

The promise: of {asked["dead_letters"]:,} dead letters of {asked["value_bytes"]} bytes, 95 of 100 lists and \
counts within a process take less
than {MOST_LIST_S:g} s, {LEAST_REPLAYED:,} are replayed in a second, and every event is a row once. \
It is {"" if result["met"] else "**not** "}met: {landed}.

| of {asked["dead_letters"]:,} | times | median | 95th percentile |
| --- | ---: | ---: | ---: |
{queries}

Each reads the tables anew and tells what became of every dead letter. Commands are whole processes, which
start and import; the others are asked for within one. Lists show the newest {NEWEST}; counts are by fate and
reason, and by producer they read the headers of all.

| | events/s | in | memory before | at most | at most, of {asked["few"]:,} |
| --- | ---: | ---: | ---: | ---: | ---: |
{steps}

Each in a process of its own, whose clock starts once it has tried out {WARM_UP} others. A replay tries each
dead letter as ingest would, claims what passes in one commit, bytes and all, sends it and notes where Kafka
put it ([why](../explanation/dead-letters.md#a-replay)). By hand is what people do without it: PyIceberg
reads the dead letters into Python, and a loop of confluent-kafka sends them, with no claims, no trial and
nothing noted, so that a second run, or one that was killed, sends them again. A replay is \
{result["ratio"]:g} times as fast.

The records have an envelope and two headers, on four partitions, and came a minute late, beyond the gate.
Afterwards the tables are counted by DuckDB.

{machine["cores"]} cores, {machine["processor"]}; the broker is on them. `make bench-dead-letters` measures
again. The result's form is `benchmarks/schema/dead_letters.schema.json`.
"""


def _asked(one: Mapping[str, Any]) -> str:
    name = one["query"]
    return f"`{name}`" if name in COMMANDS else str(name)
