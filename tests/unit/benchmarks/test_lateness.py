"""Late data against a lookback: what the simulation with the real planner comes to, at a small size."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.lateness.cases import Job, contract_policy, simulate, viewing
from benchmarks.lateness.curve import CURVES, DESKTOP, Curve, drawn
from benchmarks.lateness.document import REQUIRED, Case
from benchmarks.lateness.simulate import ENGAGEMENT, TABLES, lookback

EVENTS, HOURS = 20_000, 72


def outcome(share: float, wait_h: float, curve: str = "streaming") -> Case:
    return simulate(Job(curve, EVENTS, HOURS, share, wait_h))


def saved(case: Case) -> float:
    scanned = sum(case.tables[name].scanned for name in TABLES)
    return 1 - scanned / len(TABLES) / case.lookback.scanned


@pytest.mark.parametrize("wait_h", [12.0, 96.0])
def test_every_late_row_is_in_its_hour_in_the_end_and_a_lookback_of_a_day_leaves_some_out(
    wait_h: float,
) -> None:
    case = outcome(0.01, wait_h)
    assert all(case.tables[name].late > 0 == case.tables[name].never for name in TABLES)
    assert case.lookback.never > 0 == case.whole_lookback.never


def test_waiting_until_no_late_row_can_come_scans_a_tenth_of_what_a_lookback_of_a_day_does() -> (
    None
):
    assert saved(outcome(0.01, 96.0)) >= REQUIRED
    assert saved(outcome(0.01, 6.0)) < REQUIRED


def test_a_longer_wait_scans_less_and_leaves_rows_out_for_longer() -> None:
    cases = [outcome(0.01, wait_h).tables[ENGAGEMENT] for wait_h in (1.0, 12.0, 96.0)]
    assert [one.scanned for one in cases] == sorted((one.scanned for one in cases), reverse=True)
    assert [one.stale_h for one in cases] == sorted(one.stale_h for one in cases)
    assert cases[0].stale_h == pytest.approx(0.5)


def test_a_case_is_the_contracts_where_its_policy_is() -> None:
    assert outcome(*contract_policy(viewing())).contract
    assert not outcome(0.5, 1.0).contract


def test_a_lookback_scans_what_has_come_of_each_of_its_hours() -> None:
    arrivals = np.array([[10, 2, 1, 4], [20, 0, 0, 1]])
    found = lookback(arrivals, hours=3)
    assert found.scanned == (10 + 12 + 13) + (20 + 20 + 20)
    assert (found.builds, found.late, found.never) == (6, 8, 5)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_all_events_that_are_no_dead_letters_arrive_by_some_look(curve: Curve) -> None:
    shares = curve.arrivals(lateness_h=1 / 12, gate_h=72)
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1)
    assert drawn(shares, 1_000, 5, np.random.default_rng(1)).sum(axis=1).tolist() == [1_000] * 5


def test_the_desktop_curve_goes_through_what_was_measured() -> None:
    assert DESKTOP.share_within(0.5) == pytest.approx(0.5)
    assert DESKTOP.share_within(48) == pytest.approx(0.95, abs=0.001)
