"""Whatever writers were killed when: recovered tables hold every offset once, and only what was committed,
or was about to be.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from pipeline.cells import Cell, embedded_cell
from pipeline.ledger.archive import archive_entries
from pipeline.ledger.read import read_ledger
from pipeline.recovery.execute import plan, recover
from pipeline.recovery.model import RecoveryAction
from pipeline.supervision.locks import LockHeldError, hold_lock, ingest_lock
from pipeline.tables.catalog import CatalogLostError, load_table
from pipeline.tables.commit import CommitConflictError
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets
from tests.support.orders import Orders, hour, orders_product

pytestmark = pytest.mark.slow

EVENTS = events_table("orders")


class KilledError(BaseException):
    """The writer is gone: nothing handles this."""


@contextmanager
def before_the_catalog_changes(act: Callable[[], None]) -> Iterator[None]:
    """Do `act` once, when a commit's metadata file is written and the catalog does not name it yet."""
    acts = [act]

    def heed(_connection: object, _cursor: object, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE iceberg_tables") and acts:
            acts.pop()()

    event.listen(Engine, "before_cursor_execute", heed)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", heed)


def metadata(cell: Cell) -> set[Path]:
    return set(cell.root.glob("warehouse/orders/events/metadata/*.metadata.json"))


def lose_catalog(cell: Cell) -> None:
    for file in cell.root.glob("catalog.db*"):
        file.unlink()


class Story:
    """An events table, its writers, and what was committed."""

    def __init__(self, folder: Path) -> None:
        self.cell = embedded_cell(folder, "us", "127.0.0.1:9")
        self.product = orders_product(folder)
        self.orders = Orders(self.cell)
        self.may_have_landed = False
        self._made = 0

    def commit(self) -> None:
        self._made += 1
        self.orders.append([(hour(self._made % 3), "eu", 1)] * 2, partition=self._made % 2)
        self.may_have_landed = False

    def property(self) -> None:
        with load_table(self.cell, EVENTS).transaction() as change:
            change.set_properties({"p": str(self._made)})
        self.may_have_landed = False

    def archive(self) -> None:
        archive_entries(self.cell, self.product)

    def killed(self) -> None:
        def kill() -> None:
            raise KilledError

        with before_the_catalog_changes(kill), pytest.raises(KilledError):
            self.commit()
        self.may_have_landed = True

    def cut(self) -> None:
        before, may_have_landed = metadata(self.cell), self.may_have_landed
        self.killed()
        (half,) = metadata(self.cell) - before
        half.write_bytes(half.read_bytes()[:100])
        # One that was killed before it may land still.
        self.may_have_landed = may_have_landed

    def overtaken(self) -> None:
        with before_the_catalog_changes(self.commit), pytest.raises(CommitConflictError):
            self.commit()

    def committed(self) -> int:
        return sum(self.orders.next.values())


ACTS = [Story.commit, Story.property, Story.archive, Story.killed, Story.cut, Story.overtaken]


def assert_whole(story: Story, *, lost_a_race: bool) -> None:
    table = load_table(story.cell, EVENTS)
    held = committed_offsets(table)
    assert held is not None
    found = sum(held.next.values())
    if found != story.committed():
        assert story.may_have_landed or lost_a_race
    rows = table.scan(selected_fields=("_topic_partition", "_offset")).to_arrow().to_pylist()
    places = [(row["_topic_partition"], row["_offset"]) for row in rows]
    assert sorted(places) == [(p, n) for p, end in sorted(held.next.items()) for n in range(end)]
    ledger = read_ledger(story.cell, story.product)
    assert ledger.balanced, ledger.problems
    story.orders.next = dict(held.next)


@settings(max_examples=12)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=6))
def test_what_is_recovered_is_what_was_committed_or_about_to_be(
    acts: list[Callable[[Story], None]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder))
        story.commit()
        for act in acts:
            act(story)
        lose_catalog(story.cell)
        with pytest.raises(CatalogLostError):
            load_table(story.cell, EVENTS)
        assert {one.action for one in recover(story.cell)} == {RecoveryAction.REGISTER}
        assert_whole(story, lost_a_race=acts[-1] is Story.overtaken)
        assert {one.action for one in recover(story.cell)} == {RecoveryAction.KEEP}
        story.commit()
        assert_whole(story, lost_a_race=False)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    story = Story(tmp_path)
    story.commit()
    return story


def test_a_writer_that_was_under_way_when_the_catalog_was_lost_cannot_double_its_rows(
    story: Story,
) -> None:
    def lose_and_recover() -> None:
        lose_catalog(story.cell)
        recover(story.cell)

    with before_the_catalog_changes(lose_and_recover):
        # Its metadata file is what was registered: that it landed is for the offsets to tell.
        try:
            story.commit()
        except CommitConflictError:
            story.may_have_landed = True
    assert_whole(story, lost_a_race=True)


def test_a_commit_whose_files_are_gone_is_passed_over(story: Story) -> None:
    before = set(story.cell.root.rglob("*.parquet"))
    story.killed()
    (orphan,) = set(story.cell.root.rglob("*.parquet")) - before
    orphan.unlink()
    lose_catalog(story.cell)
    (step,) = recover(story.cell)
    assert f"{orphan.name} is gone" in step.reason
    assert_whole(story, lost_a_race=False)


def test_nothing_is_registered_while_somebody_ingests(story: Story) -> None:
    lose_catalog(story.cell)
    with (
        hold_lock(ingest_lock(story.cell, "orders"), "another"),
        pytest.raises(LockHeldError, match="another"),
    ):
        recover(story.cell)
    assert not list(story.cell.root.glob("catalog.db*"))


def test_a_plan_changes_nothing(story: Story) -> None:
    lose_catalog(story.cell)
    (step,) = plan(story.cell)
    assert step.action is RecoveryAction.REGISTER
    assert not list(story.cell.root.glob("catalog.db*"))


def test_products_are_recovered_apart(story: Story) -> None:
    lose_catalog(story.cell)
    assert recover(story.cell, "others") == ()
    assert [step.table for step in recover(story.cell, "orders")] == [EVENTS]


def test_a_table_that_was_never_filled_is_none_that_is_lost(tmp_path: Path) -> None:
    cell = embedded_cell(tmp_path, "us", "127.0.0.1:9")
    Orders(cell)
    lose_catalog(cell)
    assert plan(cell) == ()
    Orders(cell).append([(hour(1), "eu", 1)])
