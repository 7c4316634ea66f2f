"""A staging, the record of its publication, and what that still knows of it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

from pipeline.batch.model import Staged
from pipeline.control.publications import Publication

STAGED = Staged(
    table="orders.sales",
    hour=datetime(2026, 3, 1, 7, tzinfo=UTC),
    wap_id="w",
    source_snapshot_id=1,
    snapshot_id=2,
    base_snapshot_id=3,
    rows=4,
    contract_version="1.2.0",
    run_id="run",
    expectations=5,
    source_rows=6,
    inputs="in",
    columns=("id",),
)
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PUBLICATION = STAGED.publication(AT, 7, met=4, digest="d", handover="h")


def names(kind: type[Staged] | type[Publication]) -> set[str]:
    return {field.name for field in fields(kind)}


def test_a_publication_says_what_its_staging_said() -> None:
    for name in names(Staged) & names(Publication) - {"expectations"}:
        assert getattr(PUBLICATION, name) == getattr(STAGED, name), name
    assert PUBLICATION.expectations == 4
    assert (PUBLICATION.staged_snapshot_id, PUBLICATION.published_snapshot_id) == (2, 7)


def test_what_was_published_is_known_again_but_for_its_base_and_columns() -> None:
    known = replace(STAGED, snapshot_id=7, expectations=4, base_snapshot_id=None, columns=())
    assert Staged.of(PUBLICATION) == known
