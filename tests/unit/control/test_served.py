"""What is said of the rows that readers of a feature table get."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.contract.model import Feature, Product, Slo
from pipeline.control.alerts import Alert, AlertKind
from pipeline.control.publications import Publication
from pipeline.features.serving import ServingStatus, assess_serving
from pipeline.hours.closings import HourClosings
from pipeline.latency.schedule import schedule
from tests.support.orders import derived, hour, orders_product

FEATURE = Feature(entity=("region",), ttl_s=6 * 3_600, partitions=("region",))
PROMISE = Slo(property="latency", value=2, unit="h", element="habits")
BUILD = Publication("orders.habits_history", hour(0), hour(1), 1, 2, 2, "w", 5, "1.2.0", "run", 2)


def product(*slos: Slo) -> Product:
    table = derived("habits", "SELECT 1", feature=FEATURE)
    return orders_product(Path("contracts"), table).model_copy(update={"slos": slos})


def build(number: int, rows: int = 5) -> Publication:
    return replace(BUILD, hour=hour(number), published_at=hour(number + 1), rows=rows)


def failed(number: int, at: datetime, detail: str = "too few segments") -> Alert:
    table = "orders.habits_history"
    return Alert(at, table, hour(number), AlertKind.AUDIT_FAILED, detail, "run", "w")


def serve(
    *publications: Publication,
    now: datetime,
    alerts: tuple[Alert, ...] = (),
    of: Product | None = None,
    closings: HourClosings | None = None,
    snapshot_id: int | None = 7,
) -> ServingStatus | None:
    promising = of or product(PROMISE)
    since = closings or HourClosings(hour(0), {hour(n): hour(n + 1) for n in range(24)})
    table = promising.derived_tables[0]
    promised = schedule(promising, table, since, publications, now)
    return assess_serving(
        promising, table, FEATURE, snapshot_id, promised, publications, alerts, now
    )


def test_the_newest_hour_in_time_is_fresh() -> None:
    found = serve(build(0), build(1), now=hour(3))
    assert found is not None
    assert (found.table, found.snapshot_id) == ("orders.habits", 7)
    assert (found.as_of, found.age) == (hour(2), timedelta(hours=1))
    assert (found.is_fallback, found.reasons, found.expected_hour) == (False, (), hour(0))


def test_a_failed_audit_makes_what_is_served_a_fallback_at_once() -> None:
    found = serve(build(0), now=hour(2), alerts=(failed(1, hour(2)),))
    assert found is not None
    assert found.is_fallback
    assert (found.as_of, found.age) == (hour(1), timedelta(hours=1))
    assert found.reasons == (
        "hour 2026-01-01T01 was not published: its audit failed (too few segments)",
    )


def test_it_is_fresh_again_once_the_hour_is_published() -> None:
    found = serve(build(0), build(1), now=hour(3), alerts=(failed(1, hour(1)),))
    assert found is not None
    assert not found.is_fallback


def test_the_last_word_on_an_hour_counts() -> None:
    alerts = (failed(1, hour(2), "first"), failed(1, hour(2) + timedelta(minutes=5), "second"))
    found = serve(build(0), now=hour(3), alerts=alerts)
    assert found is not None
    assert list(found.missing.values()) == ["was not published: its audit failed (second)"]


def test_a_newer_hour_does_not_make_up_for_one_that_is_missing() -> None:
    found = serve(build(0), build(2), now=hour(3), alerts=(failed(1, hour(2)),))
    assert found is not None
    assert (found.as_of, found.is_fallback) == (hour(3), True)


def test_a_build_that_failed_again_leaves_the_older_build_and_says_so() -> None:
    found = serve(build(0), now=hour(3), alerts=(failed(0, hour(2)),))
    assert found is not None
    assert found.reasons == (
        "hour 2026-01-01T00 was not published again: its audit failed (too few segments)",
    )


def test_overdue_hours_that_adjoin_are_named_together() -> None:
    found = serve(build(0), now=hour(6))
    assert found is not None
    assert found.expected_hour == hour(3)
    assert found.reasons == (
        "each hour from 2026-01-01T01 to 2026-01-01T02 is overdue: not published within 2 h of its end",
    )


def test_hours_too_old_to_matter_beside_what_is_served_are_no_reason() -> None:
    for newest, is_fallback in ((6, True), (7, False)):
        others = [build(number) for number in range(newest + 1) if number != 1]
        found = serve(*others, now=hour(newest + 1), alerts=(failed(1, hour(2)),))
        assert found is not None
        assert found.is_fallback is is_fallback


def test_history_is_as_old_as_it_is_and_yet_fresh() -> None:
    closings = HourClosings(hour(20), {hour(0): hour(20), hour(1): hour(20)})
    found = serve(build(0), build(1), now=hour(20), closings=closings)
    assert found is not None
    assert (found.age, found.is_fallback, found.expected_hour) == (
        timedelta(hours=18),
        False,
        None,
    )
    waiting = serve(build(0), now=hour(22) + timedelta(minutes=1), closings=closings)
    assert waiting is not None
    assert waiting.reasons == (
        "hour 2026-01-01T01 is overdue: not published within 2 h of being closed",
    )


def test_a_quiet_hour_makes_nothing_newer_and_is_not_missed() -> None:
    found = serve(build(0), build(1, rows=0), build(2, rows=0), now=hour(5))
    assert found is not None
    assert (found.as_of, found.is_fallback) == (hour(1), False)


def test_without_an_objective_only_failed_audits_count() -> None:
    found = serve(build(0), now=hour(20), of=product())
    assert found is not None
    assert (found.objective, found.expected_hour, found.is_fallback) == (None, None, False)
    found = serve(build(0), now=hour(20), of=product(), alerts=(failed(1, hour(2)),))
    assert found is not None
    assert found.is_fallback


def test_nothing_is_served_before_the_first_hour_is_recorded() -> None:
    assert serve(now=hour(3)) is None
    assert serve(build(0, rows=0), now=hour(3)) is None
    assert serve(build(0), now=hour(3), snapshot_id=None) is None
