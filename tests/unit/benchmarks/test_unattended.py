"""The benchmark of a stack that is left alone: what it makes of what it has seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import results
from benchmarks.exactly_once import Held
from benchmarks.freshness.latency import Sighting
from benchmarks.freshness.steady import Sent
from benchmarks.unattended.document import document
from benchmarks.unattended.memory import Series
from benchmarks.unattended.page import page, plot
from benchmarks.unattended.run import Measured, Order, Size
from benchmarks.unattended.ticks import Ticks

ORDER = Order(rate=100, seconds=60, warm_up_s=0, past=1)
BEGIN_MS, END_MS = 1_000_000, 1_060_000
SENT = Sent(6_000, BEGIN_MS, END_MS, 1.0)


def grows_to(megabytes: float) -> Series:
    warm = [(float(at), 50.0) for at in range(10)]
    steady = [(float(at), 100.0) for at in range(10, 20)]
    return Series("ingest", [*warm, *steady, *((float(at), megabytes) for at in range(20, 30))])


def sighting(wait_ms: int) -> Sighting:
    return Sighting(1, BEGIN_MS + wait_ms, {BEGIN_MS: 6_000})


MEASURED = Measured(
    steady=SENT,
    sightings=[sighting(2_000)],
    memory=[grows_to(100)],
    ticks=[Ticks("us__x__watermark", 6, 0, 0.2, 4.9)],
    sizes=[Size(0, 3, 100, 1_000), Size(10, 9, 300, 2_000)],
    held=Held(6_001, 6_001, 6_001, 6_001, 0),
    balanced=True,
    hours_published=2,
)


@pytest.mark.parametrize(
    ("megabytes", "flat"), [(100, True), (131, True), (133, False), (2_000, False), (20, True)]
)
def test_memory_is_flat_where_it_does_not_grow_after_warming_up(
    megabytes: float, flat: bool
) -> None:
    series = grows_to(megabytes)
    assert series.flat is flat
    assert series.growth_mb == megabytes - 100


def test_an_ingest_may_grow_by_the_uuids_of_what_came() -> None:
    series = replace(grows_to(142), keeps_mb_s=1.0)
    assert series.flat
    assert not replace(series, keeps_mb_s=0.9).flat


def test_a_stack_that_keeps_every_promise_meets_it(tmp_path: Path) -> None:
    result = document(ORDER, MEASURED)
    results.write(result, "unattended", tmp_path / "unattended.json")
    assert result["met"] is True
    assert result["freshness"]["p95_s"] == 2.0
    ElementTree.fromstring(plot(result))  # noqa: S314 - our own
    told = page(result)
    assert "| 2.00 s | 2.00 s | 2.00 s | 2.00 s |" in told
    assert "| snapshots of events | 3 | 9 | 9 |" in told
    assert "not** met" not in told


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        ({"sightings": [sighting(10_001)]}, "fresh"),
        ({"sightings": []}, "fresh"),
        ({"memory": [grows_to(100), grows_to(300)]}, "flat"),
        ({"memory": []}, "flat"),
        ({"ticks": [Ticks("a", 6, 0, 0.2, 5.1)]}, "ticks"),
        ({"ticks": [Ticks("a", 6, 1, 0.2, 0.3)]}, "ticks"),
        ({"ticks": []}, "ticks"),
        ({"held": Held(6_001, 6_000, 6_000, 6_000, 0)}, "exact"),
        ({"balanced": False}, "exact"),
    ],
)
def test_one_broken_promise_is_told_by_name(broken: dict[str, Any], promise: str) -> None:
    result = document(ORDER, replace(MEASURED, **broken))
    assert result["met"] is False
    kept = {key: result["promise"][key] for key in ("fresh", "ticks", "flat", "exact")}
    assert [key for key, value in kept.items() if not value] == [promise]


def test_a_rate_that_was_not_held_proves_nothing() -> None:
    assert document(replace(ORDER, rate=200), MEASURED)["met"] is None
