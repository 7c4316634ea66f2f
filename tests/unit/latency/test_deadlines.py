"""By when an hour is to be published, and which hours missed that."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import HOUR
from pipeline.contract.model import Product, Slo
from pipeline.contract.objectives import latency_objective
from pipeline.control.alerts import Alert, AlertKind, open_alerts
from pipeline.control.publications import Publication, latest
from pipeline.hours.closings import ClosingStore, HourClosings
from pipeline.latency.deadlines import deadlines
from pipeline.latency.indicators import latency_indicators
from pipeline.latency.schedule import Schedule, missed_alerts, schedule
from pipeline.state.sqlite import SqliteState
from tests.support.orders import hour, orders_product

TWO_HOURS = timedelta(hours=2)
SLOS = (
    Slo(property="latency", value=2, unit="h", element="sales", target=0.9, window_s=86_400),
    Slo(property="latency", value=1, unit="d", element="sales"),
    Slo(property="freshness", value=1, unit="m", element="sales"),
    Slo(property="latency", value=1, unit="m", element="another"),
)

moments = st.integers(0, 48 * 60).map(lambda minutes: hour(0) + timedelta(minutes=minutes))
hours = st.integers(0, 47).map(hour)


def promising() -> Product:
    return orders_product(Path("contracts")).model_copy(update={"slos": SLOS})


def published(of: datetime, at: datetime) -> Publication:
    return Publication("orders.sales", of, at, 1, 2, 2, "w", 5, "1.2.0", "run", 2)


def table(closings: HourClosings, now: datetime, *publications: Publication) -> Schedule:
    product = promising()
    found = schedule(product, product.derived_tables[0], closings, publications, now)
    assert found is not None
    return found


def test_the_tightest_latency_objective_on_the_table_counts() -> None:
    assert latency_objective(promising(), "sales") == TWO_HOURS
    assert latency_objective(orders_product(Path("contracts")), "sales") is None


def test_an_hour_that_ended_under_watch_is_promised_from_its_end_closed_or_not() -> None:
    closings = HourClosings(hour(1), {hour(1): hour(9)})
    found = deadlines(closings, TWO_HOURS, hour(4) - timedelta(seconds=1))
    assert found == {hour(1): hour(4), hour(2): hour(5)}


def test_history_is_promised_from_when_it_was_seen_closed() -> None:
    history = hour(0) - timedelta(days=900)
    closings = HourClosings(hour(1), {history: hour(5)})
    assert deadlines(closings, TWO_HOURS, hour(1)) == {history: hour(7)}


def test_a_new_table_is_not_late_for_the_hours_before_it() -> None:
    assert deadlines(HourClosings(hour(20), {hour(3): hour(4)}), TWO_HOURS, hour(20)) == {
        hour(3): hour(22)
    }


def test_nothing_is_promised_before_the_first_look() -> None:
    assert deadlines(HourClosings(None, {hour(3): hour(4)}), TWO_HOURS, hour(20)) == {}


@given(since=moments, closed=st.dictionaries(hours, moments), now=moments)
def test_a_deadline_is_never_sooner_than_the_objective_after_hours_end_and_watch_began(
    since: datetime, closed: dict[datetime, datetime], now: datetime
) -> None:
    seen = {of: max(at, of + HOUR) for of, at in closed.items()}
    found = deadlines(HourClosings(since, seen), TWO_HOURS, now)
    assert list(found) == sorted(found)
    for of, by in found.items():
        assert by >= of + HOUR + TWO_HOURS
        assert by > since + TWO_HOURS or of + HOUR <= since <= by - TWO_HOURS
    assert found.keys() >= {of for of in seen if of + HOUR <= since}


def test_an_hour_is_overdue_once_its_deadline_has_passed_without_it() -> None:
    closings = HourClosings(hour(1), {hour(1): hour(2)})
    assert table(closings, hour(4)).overdue == ()
    late = table(closings, hour(4) + timedelta(seconds=1))
    assert (late.overdue, late.expected) == ((hour(1),), hour(1))
    assert table(closings, hour(4), published(hour(1), hour(3))).overdue == ()


def test_an_hour_that_came_late_was_missed_and_is_overdue_no_more() -> None:
    closings = HourClosings(hour(1), {hour(1): hour(2)})
    rebuilt = (published(hour(1), hour(4) + HOUR / 2), published(hour(1), hour(9)))
    late = table(closings, hour(4) + HOUR / 2, *rebuilt)
    assert (late.missed, late.overdue) == ((hour(1),), ())
    (alert,) = missed_alerts(late)
    assert (alert.hour, alert.kind) == (hour(1), AlertKind.OVERDUE)
    assert alert.detail == "not published within 2 h of its end but at 2026-01-01T04:30:00Z"


def test_an_alert_tells_an_hour_that_is_not_closed_from_one_that_was_not_built() -> None:
    late = table(HourClosings(hour(1), {hour(1): hour(2)}), hour(6))
    assert [alert.detail for alert in missed_alerts(late)] == [
        "not published within 2 h of its end",
        "not published within 2 h of its end: not closed yet, ingest is behind",
    ]


def test_alerts_are_settled_by_what_was_published_after_them() -> None:
    def alert(kind: AlertKind, at: datetime) -> Alert:
        return Alert(at, "orders.sales", hour(1), kind, "why", "run")

    before = alert(AlertKind.AUDIT_FAILED, hour(2))
    after = alert(AlertKind.AUDIT_FAILED, hour(5))
    late = alert(AlertKind.OVERDUE, hour(6))
    assert open_alerts((before, after, late), {}) == (before, after, late)
    assert open_alerts((before, after, late), latest([published(hour(1), hour(3))])) == (after,)


def test_indicators_count_what_fell_due_in_the_window() -> None:
    product = promising()
    now = hour(30)
    closings = HourClosings(hour(1), {hour(n): hour(n + 1) for n in range(1, 30)})
    in_time = [published(hour(n), hour(n + 2)) for n in range(1, 27) if n != 20]
    failed = Alert(hour(23), "orders.sales", hour(20), AlertKind.AUDIT_FAILED, "why", "run")
    long_ago = Alert(hour(5), "orders.sales", hour(3), AlertKind.AUDIT_FAILED, "why", "run")
    found = latency_indicators(
        product,
        product.derived_tables[0],
        table(closings, now, *in_time),
        in_time,
        (failed, long_ago),
    )
    # Deadlines after hour 6 and up to hour 30: those of hours 4 to 27; 20 failed, 27 was never built.
    assert (found.due, found.in_time, found.target) == (24, 22, 0.9)
    assert (found.builds, found.passed) == (22, 21)
    assert found.punctuality == 22 / 24
    assert found.success_rate == 21 / 22


def test_what_was_noted_of_an_hour_and_a_table_stays(tmp_path: Path) -> None:
    store = ClosingStore(SqliteState(tmp_path / "state.db"))
    assert store.closings("t", "sales") == HourClosings(None, {})
    store.note("t", [hour(1)], ["sales"], hour(2))
    store.note("t", [hour(1), hour(2)], ["sales", "more"], hour(3))
    again = ClosingStore(SqliteState(tmp_path / "state.db"))
    assert again.closings("t", "sales") == HourClosings(
        hour(2), {hour(1): hour(2), hour(2): hour(3)}
    )
    assert again.closings("t", "more").since == hour(3)
    assert again.closings("recreated", "sales") == HourClosings(None, {})
