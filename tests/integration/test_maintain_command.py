"""`headwater maintain`: what there is to do, what of it is due and why, and what was done."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.cells import Cell
from pipeline.clock import utc_now
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.maintenance.state import keep_state
from tests.support.commands import Command
from tests.support.products import own_product

NAME = "strict_events"


@pytest.fixture
def headwater(quiet_cell: Cell, home: Path, tmp_path: Path) -> Command:
    product = own_product(NAME, tmp_path / "contracts")
    table = ensure_tables(quiet_cell, product).events
    folder = Path(table.location().removeprefix("file://")) / "data"
    folder.mkdir(parents=True)
    (folder / "young.parquet").write_text("somebody may be about to commit it")
    keep_state(quiet_cell, f"{NAME}.events", swept_at=utc_now() - timedelta(hours=30))
    return Command(home, tmp_path / "contracts")


def test_it_says_what_is_due_and_why_does_only_that(headwater: Command) -> None:
    explained = headwater.run("maintain", NAME, "--cell", "us", "--explain")
    assert explained.code == 0
    assert "looked for orphan files 30 h ago" in explained.out
    assert f"{NAME}.dead_letters" in explained.out

    (done,) = headwater.run("maintain", NAME, "--cell", "us", "--due", "--json").json
    assert (done["table"], done["orphans"], done["snapshots"]) == (f"{NAME}.events", 0, 0)
