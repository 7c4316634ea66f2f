"""What the tests of a code location share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipeline.cells import Cell, embedded_cell, save_cell
from tests.support.first_location import CELL


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance of Dagster in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """A cell that is configured and whose Kafka does not run: sensors need none."""
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path))
    cell = embedded_cell(tmp_path, CELL, "127.0.0.1:1")
    save_cell(tmp_path, cell)
    return cell
