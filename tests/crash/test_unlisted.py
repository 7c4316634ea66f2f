"""Ingests of versions that the contract does not list, killed wherever an ingest may die."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cells import Cell
from pipeline.ledger.verify import verify_ledger
from tests.integration.test_unlisted_versions import Place, read_by, values_of
from tests.support.attempts import catch_up, start
from tests.support.failpoints import failpoints_of

MIXED = ([1, 3, 1], [1, 1, 2, 3, 1])


@pytest.mark.parametrize("unlisted", ["keep", "wait"])
def test_nothing_is_lost_or_doubled_wherever_it_is_killed(
    cell: Cell, tmp_path: Path, unlisted: str
) -> None:
    """The contract grows by a version each time, so that there is always something that waits or is kept."""
    place = Place(cell, tmp_path, envelope=unlisted == "keep", unlisted=unlisted)
    sent = []
    for number, failpoint in enumerate(failpoints_of("ingest")):
        sent += place.send(MIXED)
        start(cell, place.contract(1 + number % 3), failpoint=failpoint, max_records=4).wait()
    whole = place.contract(3)
    catch_up(cell, whole)
    rows = place.rows()
    assert len(rows) == len(sent)
    for one in sent:
        row = rows[one.values["id"]]
        assert values_of(row, 1)["dev"]["name"] == one.values["dev"]["name"]
        if one.version == 3 and unlisted == "wait":
            assert values_of(row, 3) == read_by(one, 3)
    assert verify_ledger(cell, whole).balanced
