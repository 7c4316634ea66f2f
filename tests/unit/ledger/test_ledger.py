"""The ledger: what balances, and what is called out when it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cells import Cell, embedded_cell
from pipeline.kafka.identity import TopicIdentity
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.model import Entry, from_summary, ledger_summary, to_summary
from pipeline.ledger.read import ledger_of
from pipeline.tables.catalog import open_catalog
from pipeline.tables.commit import CommitConflictError, OffsetCommit, commit
from pipeline.tables.layout import DEAD_LETTER_SCHEMA
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import TableRolledBackError, check_not_rolled_back

IDENTITY = TopicIdentity(cluster_id="c", topic="t", topic_id="i", partitions=(0,))


@pytest.fixture
def ledger_cell(tmp_path: Path) -> Cell:
    """A cell whose table `n.t` has no rows and no ledger yet."""
    cell = embedded_cell(tmp_path, "us", "unused:0")
    catalog = open_catalog(cell)
    catalog.create_namespace("n")
    catalog.create_table("n.t", DEAD_LETTER_SCHEMA)
    return cell


def commit_entries(cell: Cell, *entries: Entry, next_: int) -> None:
    table = open_catalog(cell).load_table("n.t")
    commit(table, (), OffsetCommit(IDENTITY, {0: 0}, {0: next_}, ledger_summary(entries)))


def read(cell: Cell) -> Ledger:
    return ledger_of(open_catalog(cell).load_table("n.t"), cell, "n")


def test_entries_survive_their_text() -> None:
    entries = (
        Entry(0, 0, 9, rows=5, duplicates=1, dead_letters=1, control=1, lost=1),
        Entry(3, 7, 8),
    )
    assert from_summary({"headwater.ledger": to_summary(entries)}) == entries


def test_contiguous_entries_that_add_up_balance(ledger_cell: Cell) -> None:
    commit_entries(ledger_cell, next_=0)
    commit_entries(ledger_cell, Entry(0, 0, 4, rows=2, duplicates=1, control=1), next_=4)
    commit_entries(ledger_cell, Entry(0, 4, 6, dead_letters=2), next_=6)
    ledger = read(ledger_cell)
    assert ledger.balanced
    assert ledger.totals.offsets == 6
    assert ledger.by_partition()[0].dead_letters == 2


def test_an_offset_that_no_count_explains_is_named(ledger_cell: Cell) -> None:
    commit_entries(ledger_cell, Entry(0, 0, 4, rows=3), next_=4)
    ledger = read(ledger_cell)
    assert not ledger.balanced
    assert ledger.unexplained == 1
    assert "partition 0: 1 offsets of 0..4 are unexplained" in ledger.problems[0]


def test_a_missing_entry_is_named(ledger_cell: Cell) -> None:
    commit_entries(ledger_cell, Entry(0, 0, 4, rows=4), next_=4)
    commit_entries(ledger_cell, Entry(0, 6, 8, rows=2), next_=8)
    ledger = read(ledger_cell)
    assert ledger.unexplained == 2
    assert "starts at 6, and 4 was due" in ledger.problems[0]


def test_entries_that_end_before_the_committed_offset_are_named(ledger_cell: Cell) -> None:
    commit_entries(ledger_cell, Entry(0, 0, 4, rows=4), next_=5)
    assert read(ledger_cell).problems == ("partition 0: entries end at 4, and 5 is committed",)


def test_of_two_commits_from_one_load_the_second_is_refused_even_without_rows(
    ledger_cell: Cell,
) -> None:
    first, second = (open_catalog(ledger_cell).load_table("n.t") for _ in range(2))
    said = OffsetCommit(IDENTITY, {0: 0}, {0: 0}, ledger_summary(()))
    commit(first, (), said)
    with pytest.raises(CommitConflictError, match="another commit came first"):
        commit(second, (), replace(said, next={0: 9}))
    offsets = committed_offsets(open_catalog(ledger_cell).load_table("n.t"))
    assert offsets is not None
    assert offsets.next == {0: 0}


def test_the_refusal_to_rebase_is_not_kept_in_the_table(ledger_cell: Cell) -> None:
    commit_entries(ledger_cell, next_=0)
    assert "commit.retry.num-retries" not in open_catalog(ledger_cell).load_table("n.t").properties


def test_a_rolled_back_table_is_refused_and_rolling_forward_heals_it(ledger_cell: Cell) -> None:
    commit_entries(ledger_cell, next_=0)
    old = open_catalog(ledger_cell).load_table("n.t").metadata.current_snapshot_id
    commit_entries(ledger_cell, Entry(0, 0, 4, rows=4), next_=4)
    new = open_catalog(ledger_cell).load_table("n.t").metadata.current_snapshot_id
    if old is None or new is None:
        raise TypeError("both commits made a snapshot")
    table = open_catalog(ledger_cell).load_table("n.t")
    table.manage_snapshots().rollback_to_snapshot(old).commit()
    with pytest.raises(TableRolledBackError, match=f"snapshot {new}"):
        check_not_rolled_back(open_catalog(ledger_cell).load_table("n.t"))
    table.manage_snapshots().set_current_snapshot(new).commit()
    check_not_rolled_back(open_catalog(ledger_cell).load_table("n.t"))
