"""A staging, the records of its publications, and what those still know of it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from pipeline.batch.model import Staged, StagedHour
from pipeline.control.publications import Publication

SEVEN = datetime(2026, 3, 1, 7, tzinfo=UTC)
FULL = StagedHour(SEVEN, rows=4, source_rows=6, inputs="in")
EMPTY = StagedHour(SEVEN + timedelta(hours=1), rows=0, source_rows=9, inputs="")
STAGED = Staged(
    table="orders.sales",
    wap_id="w",
    source_snapshot_id=1,
    snapshot_id=2,
    base_snapshot_id=3,
    contract_version="1.2.0",
    run_id="run",
    expectations=5,
    hours=(FULL, EMPTY),
    columns=("id",),
)
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def publication(of: StagedHour) -> Publication:
    return STAGED.publication(of, AT, 7, met=4, digest="d", handover="h")


def names(kind: type[Staged | StagedHour | Publication]) -> set[str]:
    return {field.name for field in fields(kind)}


def test_a_publication_says_what_its_staging_said() -> None:
    told = publication(FULL)
    for name in names(Staged) & names(Publication) - {"expectations"}:
        assert getattr(told, name) == getattr(STAGED, name), name
    for name in names(StagedHour) & names(Publication):
        assert getattr(told, name) == getattr(FULL, name), name
    assert told.expectations == 4
    assert (told.staged_snapshot_id, told.published_snapshot_id) == (2, 7)


def test_an_hour_without_rows_is_in_no_snapshot_whatever_is_staged_beside_it() -> None:
    told = publication(EMPTY)
    assert (told.rows, told.staged_snapshot_id, told.published_snapshot_id) == (0, None, None)
    assert STAGED.with_rows == (SEVEN,)
    assert STAGED.only([EMPTY.hour]).snapshot_id is None


def test_a_part_of_a_staging_has_its_snapshot_and_its_own_hours() -> None:
    part = STAGED.only([SEVEN])
    assert part == replace(STAGED, hours=(FULL,))


def test_what_was_published_is_known_again_but_for_its_base_and_columns() -> None:
    known = replace(STAGED, snapshot_id=7, expectations=4, base_snapshot_id=None, columns=())
    assert Staged.of(publication(FULL)) == replace(known, hours=(FULL,))
