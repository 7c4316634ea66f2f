"""Settled hours: looks leave them out, and plan what looks at all hours plan, whatever happens in between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.batch.planning.plan import HourBuild, plan_hours
from pipeline.batch.planning.settle import HoursLook, look_again, reach
from pipeline.batch.planning.staleness import PlanInputs, fingerprint, source_rows
from pipeline.clock import HOUR
from pipeline.contract.model import Product, published_table
from pipeline.control.publications import Publication, latest
from pipeline.hours.fence import Fence
from pipeline.hours.settled import SettledHours, SettledStore
from pipeline.hours.states import HourState, HourStates
from pipeline.state.sqlite import SqliteState
from tests.support.derivations import chained_product
from tests.support.orders import hour

PRODUCT = chained_product(Path("contracts"))
FIRST_OPEN = hour(26)
"""At 50:01 the first hour that more than its gate of ten seconds and a day have not passed since."""


@dataclass
class World:
    """A product's hours as they would be kept: rows by hour, publications, and the time."""

    product: Product = PRODUCT
    rows: dict[int, int] = field(default_factory=dict)
    publications: list[Publication] = field(default_factory=list)
    at: datetime = field(default_factory=lambda: hour(3))
    events_id: str = "events"
    looked_from: list[datetime | None] = field(default_factory=list)
    retained_from: datetime | None = None
    deleted: int = 0

    def look(self, since: datetime | None) -> HoursLook:
        self.looked_from.append(since)
        first = None if since is None else since - reach(self.product)
        passed = range(int((self.at - hour(0)) / HOUR) + 1)
        states = tuple(
            HourState(at, self.rows.get(number, 0), Fence(at, at, {}), closed=at + HOUR <= self.at)
            for number in sorted({*passed, *self.rows})
            for at in (hour(number),)
            if first is None or at >= first
        )
        total = sum(self.rows.values()) + self.deleted
        found = HourStates(
            "orders", "us", 77, self.at, states, total, self.events_id, self.retained_from
        )
        known = tuple(one for one in self.publications if first is None or one.hour >= first)
        inputs = PlanInputs.of(found, known, since=since)
        return HoursLook(since, found, known, len(self.publications), inputs)

    def publish(self, number: int) -> None:
        """Publish an hour of every table anew, each with rows that tell how often it was."""
        for table in self.product.derived_tables:
            last = latest(self.publications)
            rows = {hour(n): count for n, count in self.rows.items()}
            made = f"{table.name}-{number}-{len(self.publications)}"
            self.publications.append(
                Publication(
                    published_table(self.product, table), hour(number), self.at,
                    1, 2, 2, made, 5, "1", "r", 2,
                    source_rows=source_rows(table, hour(number), rows), digest=made, handover=made,
                    inputs=fingerprint(self.product, table, hour(number), last),
                )
            )  # fmt: skip

    def delete_before(self, number: int) -> None:
        """Delete what hours before `number` have, as retention does."""
        going = [one for one in self.rows if one < number]
        self.deleted += sum(self.rows.pop(one) for one in going)
        self.retained_from = max(hour(number), self.retained_from or hour(number))

    def build(self) -> None:
        """Publish every hour that is due, oldest first, as a look at all hours has them."""
        for number in sorted({self._number(one.hour) for one in self.due()}):
            self.publish(number)

    def due(self) -> tuple[HourBuild, ...]:
        return plan_hours(self.product, self.look(None).inputs).builds

    def _number(self, of: datetime) -> int:
        return int((of - hour(0)) / HOUR)


STEPS = st.one_of(
    st.tuples(st.just("rows"), st.integers(-40, 60), st.integers(1, 3)),
    st.tuples(st.just("publish"), st.integers(0, 40), st.just(0)),
    st.tuples(st.just("retention"), st.integers(-10, 40), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 30), st.just(0)),
    st.tuples(st.just("build"), st.just(0), st.just(0)),
)


@settings(max_examples=60)
@given(steps=st.lists(STEPS, max_size=20))
@example(steps=[("wait", 30, 0), ("build", 0, 0), ("wait", 30, 0), ("rows", 2, 1)])
@example(steps=[("wait", 30, 0), ("build", 0, 0), ("wait", 30, 0), ("publish", 2, 0)])
def test_a_look_plans_what_a_look_at_all_hours_plans(steps: list[tuple[str, int, int]]) -> None:
    world, settled = World(), None
    for step, number, count in steps:
        if step == "rows":
            world.rows[number] = world.rows.get(number, 0) + count
        elif step == "publish":
            world.publish(number)
        elif step == "retention":
            world.delete_before(number)
        elif step == "wait":
            world.at += number * HOUR
        else:
            world.build()
        look, settled = look_again(world.product, settled, world.look)
        assert plan_hours(world.product, look.inputs).builds == world.due()


def settled_world() -> tuple[World, SettledHours]:
    """Fifty hours with rows, all published; the first ones are settled."""
    world = World(rows=dict.fromkeys(range(50), 4), at=hour(50) + timedelta(minutes=1))
    world.build()
    _, settled = look_again(world.product, None, world.look)
    world.looked_from.clear()
    return world, settled


def test_hours_are_settled_once_nothing_is_due_of_them_and_no_row_can_come() -> None:
    world, settled = settled_world()
    assert settled.until == FIRST_OPEN
    assert settled.rows == 4 * world._number(settled.until)
    assert settled.publications == 3 * world._number(settled.until)
    world.at += HOUR
    look, after = look_again(world.product, settled, world.look)
    assert look.since == settled.until
    assert after.until == settled.until + HOUR


def test_an_hour_that_is_due_keeps_those_after_it_unsettled() -> None:
    world, settled = settled_world()
    world.rows[3] += 1
    _, after = look_again(world.product, settled, world.look)
    assert after.until <= hour(3)
    world.at += timedelta(days=30)
    _, later = look_again(world.product, after, world.look)
    assert later.until == after.until


def test_what_is_settled_is_looked_at_again_where_something_came_to_it() -> None:
    world, settled = settled_world()
    look_again(world.product, settled, world.look)
    world.rows[30] += 1
    look_again(world.product, settled, world.look)
    assert world.looked_from == [settled.until] * 2
    for change in ({"rows": {**world.rows, 2: 5}}, {"events_id": "another table of events"}):
        changed = replace(world, looked_from=[], **change)
        look_again(changed.product, settled, changed.look)
        assert changed.looked_from == [settled.until, None]
    world.publish(2)
    world.looked_from.clear()
    look_again(world.product, settled, world.look)
    assert world.looked_from == [settled.until, None]


def test_what_retention_deletes_of_settled_hours_does_not_unsettle_them() -> None:
    world, settled = settled_world()
    world.delete_before(20)
    _, after = look_again(world.product, settled, world.look)
    assert after == settled
    assert world.looked_from == [settled.until]
    assert world.due() == ()
    # A row that comes to such an hour is looked at once, and is nothing to build.
    world.rows[3] = 1
    _, after = look_again(world.product, settled, world.look)
    assert (after.until, after.rows) == (settled.until, settled.rows + 1)
    assert world.due() == ()


def test_tables_that_the_contract_has_since_settle_nothing() -> None:
    world, settled = settled_world()
    fewer = PRODUCT.model_copy(update={"derived_tables": PRODUCT.derived_tables[:1]})
    _, of_fewer = look_again(fewer, None, replace(world, product=fewer).look)
    assert of_fewer.until == settled.until
    world.looked_from.clear()
    look_again(PRODUCT, of_fewer, world.look)
    assert world.looked_from == [settled.until, None]


def test_settled_hours_are_kept_beside_the_cell(tmp_path: Path) -> None:
    store = SettledStore(SqliteState(tmp_path / "state.db"))
    assert store.read("orders") is None
    settled = SettledHours(datetime(2026, 1, 1, tzinfo=UTC), "basis", 7, 3)
    store.keep("orders", replace(settled, rows=6))
    store.keep("orders", settled)
    assert SettledStore(SqliteState(tmp_path / "state.db")).read("orders") == settled
    assert store.read("others") is None
