"""What loads of a table share, and what they see of others' commits."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.disk import FileDamagedError, FileMissingError
from pipeline.tables.catalog import load_table, open_catalog
from pipeline.tables.commit import disable_commit_retries
from tests.support.one_column import SCHEMA, append, cell_with_table


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    cell = cell_with_table(tmp_path)
    append(load_table(cell, "n.t"), 0)
    return cell


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The metadata files that are read and parsed."""
    real, paths = FromInputFile.table_metadata, list[str]()

    def table_metadata(file: object, *args: object) -> object:
        paths.append(str(getattr(file, "location", file)))
        return real(file, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(FromInputFile, "table_metadata", table_metadata)
    return paths


def elsewhere(cell: Cell) -> Table:
    """The table as a program sees it that is not ours."""
    catalog = SqlCatalog(cell.name, uri=cell.catalog_uri, warehouse=cell.warehouse)
    return catalog.load_table("n.t")


def numbers(table: Table) -> list[int]:
    found: list[int] = table.scan().to_arrow().column("a").to_pylist()
    return sorted(found)


def path(table: Table) -> Path:
    return Path(table.metadata_location.removeprefix("file://"))


def test_what_this_process_loaded_or_committed_is_not_parsed_again(
    cell: Cell, read: list[str]
) -> None:
    for number in (1, 2):
        append(load_table(cell, "n.t"), number)
    table = load_table(cell, "n.t").refresh()
    assert not read
    assert numbers(table) == [0, 1, 2]
    assert table.metadata.model_dump_json() == elsewhere(cell).metadata.model_dump_json()
    assert len(read) == 1


def test_what_others_commit_is_seen_and_built_upon(cell: Cell) -> None:
    append(elsewhere(cell), 1)
    assert numbers(load_table(cell, "n.t")) == [0, 1]
    loaded = load_table(cell, "n.t")
    append(elsewhere(cell), 2)
    append(loaded.refresh(), 3)
    for table in (load_table(cell, "n.t"), elsewhere(cell)):
        assert numbers(table) == [0, 1, 2, 3]
        assert len(table.metadata.snapshots) == 4


def test_a_table_that_is_held_stays_as_it_was_loaded(cell: Cell) -> None:
    held = load_table(cell, "n.t")
    before = held.metadata.model_dump_json()
    for number in (1, 2):
        append(load_table(cell, "n.t"), number)
    load_table(cell, "n.t").transaction().set_properties(key="value").commit_transaction()
    assert held.metadata.model_dump_json() == before
    assert numbers(held) == [0]


def test_what_is_set_in_memory_of_one_load_is_not_set_of_another(cell: Cell) -> None:
    table = load_table(cell, "n.t")
    disable_commit_retries(table)
    assert table.properties["commit.retry.num-retries"] == "0"
    append(table, 1)
    for other in (load_table(cell, "n.t"), elsewhere(cell)):
        assert "commit.retry.num-retries" not in other.properties


def test_of_a_table_made_anew_the_new_one_is_seen(cell: Cell) -> None:
    catalog = open_catalog(cell)
    catalog.drop_table("n.t")
    catalog.create_table("n.t", SCHEMA)
    assert numbers(load_table(cell, "n.t")) == []


def test_a_known_metadata_file_that_is_gone_or_cut_is_told(cell: Cell) -> None:
    table = load_table(cell, "n.t")
    whole = path(table).read_bytes()
    path(table).write_bytes(whole[:-100])
    with pytest.raises(FileDamagedError):
        load_table(cell, "n.t")
    path(table).unlink()
    with pytest.raises(FileMissingError):
        load_table(cell, "n.t")
    path(table).write_bytes(whole)
    assert numbers(load_table(cell, "n.t")) == [0]
