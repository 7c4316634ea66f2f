"""Generated viewing: the same for a seed, real in its shapes, exact in its shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from headwater.produce.generated import (
    Order,
    UnproducibleError,
    plan_records,
)
from headwater.produce.mix import MAX_LARGE
from headwater.produce.model import REASONS, Kind, Planned, Shares
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.settings import load_settings

NOW = datetime(2026, 3, 4, 15, 42, 7, 123456, tzinfo=UTC)
START = datetime(2026, 3, 4, 9, tzinfo=UTC)
END = datetime(2026, 3, 4, 15, tzinfo=UTC)
ORDER = Order(count=20_000, backfill_hours=6, shares=Shares(0.05, 0.03, 0.01), seed=7)


@pytest.fixture(scope="module")
def viewing() -> Product:
    return load_product(load_settings().contracts / "viewing_events")


@pytest.fixture(scope="module")
def planned(viewing: Product) -> list[Planned]:
    return plan(viewing, ORDER)


def plan(product: Product, order: Order) -> list[Planned]:
    return [record for block in plan_records(product, order, lambda: NOW) for record in block]


def of(planned: list[Planned], *kinds: Kind) -> Iterator[Planned]:
    return (record for record in planned if record.kind in kinds)


def micros(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000_000 + instant.microsecond


def ages(records: Iterator[Planned]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([(r.record_time - r.event.event_time) / 1e6 for r in records])


def test_the_same_seed_gives_the_same_records(viewing: Product, planned: list[Planned]) -> None:
    assert plan(viewing, ORDER) == planned
    assert plan(viewing, replace(ORDER, seed=8)) != planned


def test_the_shares_asked_for_are_met_to_the_record(planned: list[Planned]) -> None:
    counts = Counter(record.kind for record in planned)
    assert len(planned) == 20_000
    assert counts[Kind.LATE] == 1_000
    assert counts[Kind.DUPLICATE] == 600
    assert sum(counts[kind] for kind in REASONS) == 200
    assert all(counts[kind] for kind in REASONS)
    assert counts[Kind.TOO_LARGE] <= MAX_LARGE


def test_small_blocks_meet_their_shares_together(viewing: Product) -> None:
    order = Order(count=1_000, rate=10, shares=Shares(0.02, 0.01, 0.01))
    counts = Counter(record.kind for record in plan(viewing, order))
    assert (counts[Kind.LATE], sum(counts[k] for k in REASONS)) == (20, 10)
    assert sum(counts.values()) == 1_000


def test_a_backfill_keeps_within_its_past_whole_hours(planned: list[Planned]) -> None:
    # Poison may have any time; nothing arrives in the future.
    events = [r.event.event_time for r in of(planned, Kind.VALID, Kind.LATE, Kind.DUPLICATE)]
    assert micros(START) <= min(events)
    assert max(events) < micros(END)
    assert len({at // 3_600_000_000 for at in events}) == 6
    assert max(record.record_time for record in planned) <= micros(NOW)


def test_gates_see_what_each_record_is_meant_to_be(
    viewing: Product, planned: list[Planned]
) -> None:
    gates = viewing.gates
    assert gates.late_s is not None
    assert ages(of(planned, Kind.VALID)).max() < gates.freshness_s
    late = ages(of(planned, Kind.LATE))
    assert gates.freshness_s < late.min() < late.max() < gates.late_s
    assert ages(of(planned, Kind.DUPLICATE)).max() < gates.late_s
    assert ages(of(planned, Kind.TOO_LATE)).min() > gates.late_s
    assert ages(of(planned, Kind.AHEAD)).max() < -gates.ahead_s


def test_live_events_happen_now(viewing: Product) -> None:
    records = plan(viewing, Order(count=500, shares=Shares(late=0.1)))
    plain = list(of(records, Kind.VALID))
    assert {r.kind for r in records} == {Kind.VALID, Kind.LATE}
    assert all(abs(r.record_time - micros(NOW)) < 4_000_000 for r in records)
    assert ages(iter(plain)).max() < viewing.gates.freshness_s
    assert ages(of(records, Kind.LATE)).min() > viewing.gates.freshness_s


def test_a_duplicate_comes_after_what_it_repeats(planned: list[Planned]) -> None:
    seen: set[str] = set()
    for record in planned:
        if record.kind is Kind.DUPLICATE:
            assert record.event.uuid in seen
        else:
            assert record.event.uuid not in seen
            seen.add(record.event.uuid)


def test_few_titles_are_most_watched(planned: list[Planned]) -> None:
    titles = Counter(r.event.payload["content_id"] for r in planned).most_common()
    assert sum(n for _, n in titles[:20]) > 0.5 * len(planned)
    assert len(titles) > 200


def test_people_watch_in_sessions_on_one_device(planned: list[Planned]) -> None:
    sessions: dict[str, list[dict[str, object]]] = {}
    for record in of(planned, Kind.VALID, Kind.LATE):
        payload = record.event.payload
        sessions.setdefault(payload["session_id"], []).append(payload)
    several = [views for views in sessions.values() if len(views) > 1]
    assert len(several) > 1_000
    for views in several:
        for name in ("user_id", "device_type", "region", "profile"):
            assert len({view[name] for view in views}) == 1


def test_who_watches_longer_sees_more_of_it(planned: list[Planned]) -> None:
    payloads = [r.event.payload for r in of(planned, Kind.VALID)]
    completion = [p["completion"] for p in payloads]
    watched = [p["watch_duration"] for p in payloads]
    assert 0 < min(completion) <= max(completion) <= 1
    assert 1 <= min(watched) <= max(watched) <= 86_400
    assert np.corrcoef(completion, watched)[0, 1] > 0.5


def test_evenings_are_busier_than_nights(viewing: Product) -> None:
    records = plan(viewing, Order(count=20_000, backfill_hours=24, seed=3))
    east = [r.event for r in records if r.event.payload["region"] == "us-east"]
    local = Counter(
        (datetime.fromtimestamp(e.event_time / 1e6, UTC) - timedelta(hours=5)).hour for e in east
    )
    assert local[21] > 5 * local[5]


def test_what_the_contract_does_not_allow_is_refused(viewing: Product) -> None:
    strict = viewing.gates.model_copy(update={"late_s": None})
    with pytest.raises(UnproducibleError, match="strict"):
        plan(viewing.model_copy(update={"gates": strict}), ORDER)
    arrival = viewing.topic.model_copy(update={"record_time": "LogAppendTime"})
    with pytest.raises(UnproducibleError, match="the past cannot be produced"):
        plan(viewing.model_copy(update={"topic": arrival}), ORDER)


@pytest.mark.parametrize("shares", [(-0.1, 0, 0), (0.5, 0.3, 0.2)])
def test_impossible_shares_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"negative|less than 1"):
        Shares(*shares)
