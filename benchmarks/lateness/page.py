"""The docs page and its picture, computed from the raw outcomes of a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.bars import Bar, bars
from benchmarks.lateness.curve import STREAMING
from benchmarks.lateness.document import REQUIRED, met
from benchmarks.lateness.simulate import ENGAGEMENT, SESSIONS, TABLES

Case = Mapping[str, Any]


def plot(result: dict[str, Any]) -> str:
    """Return the SVG of how often an hour's rows are scanned, by policy, on the streaming curve."""
    of_curve = [case for case in result["cases"] if case["curve"] == STREAMING.name]
    groups = []
    for events in sorted({case["events"] for case in of_curve}):
        members = [case for case in of_curve if case["events"] == events]
        once = events * result["asked"]["hours"]
        lookback = members[0]["lookback"]["scanned"] / once
        drawn = [Bar(f"lookback of {result['asked']['lookback_h']} h", lookback, ours=False)]
        drawn += [Bar(_policy(case), _scans(case, once), ours=True) for case in members]
        groups.append((f"{events:,} events an hour", drawn))
    return bars("How often each hour's rows are scanned, until all late rows are in", groups)


def page(result: dict[str, Any]) -> str:
    """Return the docs page."""
    asked, cases = result["asked"], result["cases"]
    once = {case["events"]: case["events"] * asked["hours"] for case in cases}
    reached = met(cases)
    own = next(case for case in cases if case["contract"])
    own_met = reached[own["share"], own["wait_h"]]
    others = [_words(*policy) for policy, enough in reached.items() if enough]
    enough = "; ".join(others) or "none of those tried"
    curves = "\n".join(
        f"| {curve['name']} | {curve['delayed']:.1%} | {curve['median_h']:g} h, {curve['sigma']:g} | "
        f"{curve['late']:.2%} | {curve['dead_letters']:.3%} | {curve['source']} |"
        for curve in result["curves"]
    )
    rows = "\n".join(_row(case, once[case["events"]]) for case in cases)
    lost = max(case["lookback"]["never"] / case["lookback"]["late"] for case in cases)
    never = sum(case["tables"][name]["never"] for case in cases for name in TABLES)
    return f"""\
# Late data, against a lookback

<!-- Written by `make bench-lateness` from benchmarks/results/lateness.json. -->

The promise: at least {REQUIRED:.0%} fewer rows of events scanned than by an hourly job that builds the last
{asked["lookback_h"]} hours again every hour, and no late row left out. On the streaming curve it is met by:
{enough}. By the contract's own policy ({_words(own["share"], own["wait_h"])}) it is \
{"met" if own_met else "**not** met"}.

![Scans of each hour](../images/bench-lateness.svg)

| curve | events an hour | late policy | {ENGAGEMENT} | {SESSIONS} | stale | \
fewer rows than {asked["lookback_h"]} h | than {asked["gate_h"]:g} h |
| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |
{rows}

The two columns of tables tell how often each hour's rows were scanned, the first build included. `stale` is
how long a late row waited from its arrival to the build that has it, on average over both tables. The last
two columns compare with a lookback of {asked["lookback_h"]} hours, and with one that loses nothing either,
which has to reach back as far as events may be late.

Late rows never in: {never:,} of ours in all cases; a lookback of {asked["lookback_h"]} hours leaves out up to
{lost:.0%} of them for good, and has the others within half an hour on average.

## What the figures say

- Every time that `wait` passes while rows still come, the hour is scanned again. Until the gate closes at
  {asked["gate_h"]:g} h, a wait of 12 h is up to six scans; one that is as long as that is one.
- An hour that is built again because an earlier one handed other rows over starts to wait anew, though more
  rows may come. The contract's wait, which is a day longer than the gate, spares it that.
- {REQUIRED:.0%} fewer rows than {asked["lookback_h"]} scans is 2.4 scans: the first, and hardly more than
  one other. So a policy that loses nothing can keep the promise only by waiting until no more rows can come,
  and for no more than `share` of an hour.
- `share` bounds what is missing meanwhile. A stream of which more than `share` is late is scanned again
  whenever so much has come: choose it above the stream's usual late share, so that it tells of what is not
  usual.
- Sessions are handed on by the hour. An hour that is built again has its next ones built again too, as far
  as sessions changed: some hours wait less and are scanned more often.
- Where half of the rows are late, as of desktops that sleep at night, no policy saves much: a later
  `allowedLateness` is what helps.

## How it is measured

Not with a clock: {asked["hours"]} hours of events are given to the real planner (`plan_hours`,
`build_reason`) hour by hour, with the rows of each hour and the publications of the hours built before, until
nothing is due. Only Spark is left out. Looks are hourly, {asked["lateness_h"] * 60:.0f}
minutes after an hour's end; rows later than {asked["gate_h"]:g} h are dead letters and left out.

| curve | delayed | of them log-normal: median, sigma | late | dead letters | from |
| --- | ---: | --- | ---: | ---: | --- |
{curves}

`late` is the share that comes after its hour was first built. The session of a late row is handed over to
the next hour with a likelihood of {asked["handed_over"]:g}, and on from there with
{asked["handed_on"]:g} (of the demo's viewing); each late row counts as a session of its own, which is the
worst case.

`make bench-lateness` simulates again: the same seed gives the same figures. Raw outcomes:
`benchmarks/results/lateness.json`, whose form is `benchmarks/schema/lateness.schema.json`.
"""


def _row(case: Case, once: int) -> str:
    tables = case["tables"]
    stale = sum(tables[name]["stale_h"] for name in TABLES) / len(TABLES)
    scans = " | ".join(f"{tables[name]['scanned'] / once:.2f}" for name in TABLES)
    own = ", the contract's" if case["contract"] else ""
    return (
        f"| {case['curve']} | {case['events']:,} | {_policy(case)}{own} | {scans} | {stale:.1f} h | "
        f"{case['saved']:.1%} | {case['saved_whole']:.1%} |"
    )


def _scans(case: Case, once: int) -> float:
    return float(sum(case["tables"][name]["scanned"] for name in TABLES) / len(TABLES) / once)


def _policy(case: Case) -> str:
    return f"{case['share']:.0%}, {case['wait_h']:g} h"


def _words(share: float, wait_h: float) -> str:
    return f"share {share:.0%}, wait {wait_h:g} h"
