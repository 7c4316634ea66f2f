"""Loading a table that others commit to."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.cells import Cell
from pipeline.disk import FileMissingError
from pipeline.tables.cached_catalog import CachedCatalog
from pipeline.tables.catalog import load_table
from tests.support.one_column import append, cell_with_table


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return cell_with_table(tmp_path)


def path(cell: Cell) -> Path:
    return Path(load_table(cell, "n.t").metadata_location.removeprefix("file://"))


def test_a_metadata_file_that_commits_have_let_go_meanwhile_is_no_loss(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what the catalog says and what is read, a table may be committed to any number of times."""
    real, calls = CachedCatalog.load_table, list[str]()

    def load(catalog: CachedCatalog, identifier: Any) -> Any:
        calls.append(identifier)
        table = real(catalog, identifier)
        if len(calls) == 1:
            old = Path(table.metadata_location.removeprefix("file://"))
            append(table, 1)
            old.unlink()
            old.read_text()
        return table

    monkeypatch.setattr(CachedCatalog, "load_table", load)
    assert load_table(cell, "n.t").scan().to_arrow().num_rows == 1
    assert calls.count("n.t") == 2


def test_a_metadata_file_that_the_catalog_names_still_is_missed(cell: Cell) -> None:
    path(cell).unlink()
    with pytest.raises(FileMissingError):
        load_table(cell, "n.t")


def test_a_table_that_nobody_holds_any_more_leaves_no_file_open(cell: Cell, tmp_path: Path) -> None:
    """Tables are loaded for every batch and every look, for weeks, and garbage is collected seldom."""
    gc.collect()
    gc.disable()
    try:
        for number in range(20):
            table = load_table(cell, "n.t")
            append(table, number)
        del table
        open_files = [Path(file.path) for file in psutil.Process().open_files()]
    finally:
        gc.enable()
    assert not [path for path in open_files if tmp_path in path.parents]
