"""The result of a measurement, and its page."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.formats.forms import FORMS
from benchmarks.ingest.contestants import contestant
from benchmarks.ingest.measure import Run
from benchmarks.results import circumstances

LEAST_JSON = 150_000
"""Events of JSON a second, of 500 bytes."""
OURS = "headwater"


def document(
    runs: Sequence[tuple[str, Run]],
    sizes: Mapping[str, float],
    value_bytes: int,
    backlog: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the document of (format, run) and of a backlog that was worked off; rates are medians."""
    pairs = list(dict.fromkeys((form, run.contestant, run.variant) for form, run in runs))
    rows = [
        _row(pair, [run for form, run in runs if _of(form, run) == pair], sizes) for pair in pairs
    ]
    json = [one for one in rows if one["format"] == "json"]
    ours = next((one["events_a_second"] for one in json if one["contestant"] == OURS), 0)
    peers = [one["events_a_second"] for one in json if one["contestant"] != OURS]
    whole = all(run.rows == run.uuids == run.events for _, run in runs)
    return {
        "benchmark": "formats",
        "format": 1,
        **circumstances(),
        "value_bytes": value_bytes,
        "runs": max((run.repeat for _, run in runs), default=0) + 1,
        "rows": rows,
        "ratio_to_best_peer": round(ours / max(peers), 2) if peers and ours else None,
        "every_record_one_row": whole,
        "backlog": dict(backlog),
        "met": whole and ours >= LEAST_JSON and backlog["met"],
    }


def _of(form: str, run: Run) -> tuple[str, str, str]:
    return form, run.contestant, run.variant


def _row(pair: tuple[str, str, str], runs: list[Run], sizes: Mapping[str, float]) -> dict[str, Any]:
    form, name, variant = pair
    return {
        "format": form,
        "contestant": name,
        "variant": variant,
        "mean_bytes": round(sizes[form], 1),
        "events": runs[0].events,
        "events_a_second": round(statistics.median(run.events / run.seconds for run in runs)),
        "cpu_s_a_million": round(
            statistics.median(run.cpu_s / run.events * 1e6 for run in runs), 2
        ),
        "peak_mb": round(max(run.peak_mb for run in runs)),
    }


def page(result: Mapping[str, Any]) -> str:
    """Return the docs page."""
    machine, asked = result["machine"], result["value_bytes"]
    ratio = result["ratio_to_best_peer"]
    lines = "\n".join(
        f"| {FORMS[one['format']].title} | {_title(one)} | {one['mean_bytes']:,.0f} | "
        f"{one['events_a_second']:,} | {one['cpu_s_a_million']} | {one['peak_mb']:,} |"
        for one in result["rows"]
    )
    beside = (
        "" if ratio is None else f" It is {ratio} times the best peer that reads the same JSON."
    )
    behind = result["backlog"]
    commits = "one commit" if behind["commits"] == 1 else f"{behind['commits']} commits"
    runs = f"medians of {result['runs']} runs in turn"
    on = f"{machine['cores']} cores ({machine['processor']})"
    return f"""\
# Formats of values

<!-- Written by `make bench-formats` from benchmarks/results/formats.json. -->

The promise: {LEAST_JSON:,} events a second of JSON of {asked} bytes, in bounded memory. \
It is {"" if result["met"] else "**not** "}met.{beside}

| values | who | bytes | events/s | CPU s a million | peak MB |
| --- | --- | ---: | ---: | ---: | ---: |
{lines}

The same events in every format, filled up to about {asked} bytes, of four partitions and three hours, on
{on} with the broker on them; {runs},
each of a process of its own that was warmed up. Everything that Headwater does is on: gates, de-duplication,
rules, dead letters, ledger. Every table was counted afterwards: \
{"each record is one row" if result["every_record_one_row"] else "**records are missing or doubled**"}.

Changes of Debezium hold a row and its place in the database: there is more to read in as many bytes. Peers
read JSON as their users do: the loop by Python's `json`, Spark by `from_json`.

Memory was looked at alone, too. An ingest that works off {behind["events"]:,} events of JSON, \
{behind["events"] * asked / 1e9:.1f} GB,
in {commits} takes {behind["peak_mb"]:,} MB at most, \
{behind["idle_mb"]:,} MB of them before it began. Its setting
of {behind["setting_mb"]:,} MB and the base of every ingest allow {behind["allowed_mb"]:,.0f} MB; \
[Avro](backlog.md) is held to the same.

`make bench-formats` measures again. The result's form is `benchmarks/schema/formats.schema.json`.
"""


def _title(row: Mapping[str, Any]) -> str:
    one = contestant(row["contestant"])
    title = one.VARIANTS[row["variant"]]
    return f"{one.TITLE}, {title}" if title else one.TITLE
