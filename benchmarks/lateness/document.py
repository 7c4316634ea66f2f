"""The result of the simulation, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.lateness.curve import CURVES, STREAMING
from benchmarks.lateness.simulate import HANDED_ON, HANDED_OVER, TABLES, Outcome
from benchmarks.results import circumstances

REQUIRED = 0.9
"""Fewer rows scanned than by a lookback of 24 hours, as a share."""
LOOKBACK_H = 24


@dataclass(frozen=True)
class Case:
    """One policy on one stream.

    Attributes:
        share, wait_h: the late policy of both tables.
        contract: whether it is the contract's own.
        tables: what each table took.
        lookback, whole_lookback: what one table takes with a lookback of 24 hours, and with one that
            is as long as events may be late.
    """

    curve: str
    events: int
    share: float
    wait_h: float
    contract: bool
    tables: Mapping[str, Outcome]
    lookback: Outcome
    whole_lookback: Outcome


def document(cases: Iterable[Case], hours: int, lateness_h: float, gate_h: float) -> dict[str, Any]:
    """Return the document: raw outcomes, and the shares saved that follow from them."""
    return {
        "benchmark": "lateness",
        "format": 1,
        **circumstances(),
        "asked": {
            "hours": hours,
            "lateness_h": lateness_h,
            "gate_h": gate_h,
            "lookback_h": LOOKBACK_H,
            "handed_over": HANDED_OVER,
            "handed_on": HANDED_ON,
        },
        "curves": [
            {
                **asdict(curve),
                "late": 1 - curve.arrivals(lateness_h, gate_h)[0],
                "dead_letters": 1 - curve.share_within(gate_h),
            }
            for curve in CURVES
        ],
        "cases": [{**asdict(case), **_saved(case)} for case in cases],
    }


def met(cases: Iterable[Mapping[str, Any]]) -> dict[tuple[float, float], bool]:
    """Return, by policy (share, wait), whether it saves enough on the streaming curve at every size."""
    found: dict[tuple[float, float], bool] = {}
    for case in cases:
        if case["curve"] == STREAMING.name:
            policy = (case["share"], case["wait_h"])
            found[policy] = found.get(policy, True) and case["saved"] >= REQUIRED
    return found


def _saved(case: Case) -> dict[str, float]:
    scanned = sum(outcome.scanned for outcome in case.tables.values())
    return {
        "saved": 1 - scanned / len(TABLES) / case.lookback.scanned,
        "saved_whole": 1 - scanned / len(TABLES) / case.whole_lookback.scanned,
    }
