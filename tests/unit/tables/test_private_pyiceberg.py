"""pipeline/tables/pyiceberg_private.py against the library that is installed, on a real catalog."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import ValidationException
from pyiceberg.expressions.parser import parse
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot

from pipeline.tables.pyiceberg_private import (
    ReplaceFiles,
    expire_snapshots,
    schema_without_ids,
    table_of,
    write_data_files,
)
from pipeline.tables.transaction import SteadyTransaction
from tests.support.private_parts import parts_of

COLUMNS = pa.schema([("a", pa.int64()), ("b", pa.list_(pa.struct([("c", pa.string())])))])


@pytest.fixture
def table(tmp_path: Path) -> Table:
    catalog = SqlCatalog(
        "us", uri=f"sqlite:///{tmp_path / 'catalog.db'}", warehouse=tmp_path.as_uri()
    )
    catalog.create_namespace("n")
    return catalog.create_table("n.t", COLUMNS)


def files(table: Table, *numbers: int) -> tuple[DataFile, ...]:
    rows = pa.table({"a": numbers, "b": [[{"c": "x"}]] * len(numbers)}, COLUMNS)
    return tuple(write_data_files(table.metadata, rows, table.io))


def append(table: Table, *numbers: int) -> DataFile:
    """Append one file by a transaction of ours, as another process would; return it as it is listed then."""
    (file,) = files(table, *numbers)
    transaction = SteadyTransaction(table.catalog.load_table(table.name()))
    transaction.append_files([file])
    transaction.commit_transaction()
    tasks = table_of(transaction).scan().plan_files()
    return next(task.file for task in tasks if task.file.file_path == file.file_path)


def replace(
    table: Table, old: DataFile, new: tuple[DataFile, ...], min_manifests: int = 50
) -> None:
    transaction = SteadyTransaction(table)
    with ReplaceFiles(
        transaction, table.io, {"why": "test"}, min_manifests, Operation.REPLACE
    ) as replacing:
        replacing.delete_data_file(old)
        for file in new:
            replacing.append_data_file(file)
    transaction.commit_transaction()


def numbers(table: Table) -> list[int]:
    found: list[int] = table.refresh().scan().to_arrow().column("a").to_pylist()
    return sorted(found)


def head(table: Table) -> Snapshot:
    snapshot = table.refresh().current_snapshot()
    assert snapshot is not None
    return snapshot


def test_a_schema_of_arrow_becomes_one_whose_ids_nobody_gave() -> None:
    with parts_of("pyiceberg"):
        schema = schema_without_ids(COLUMNS)
        assert [field.name for field in schema.fields] == ["a", "b"]
        assert {field.field_id for field in schema.fields} == {-1}


def test_data_files_are_written_and_not_committed(table: Table) -> None:
    with parts_of("pyiceberg"):
        (file,) = files(table, 1, 2)
        assert file.record_count == 2
        assert Path(file.file_path.removeprefix("file://")).is_file()
        assert numbers(table) == []


def test_a_transaction_sees_the_table_as_loaded_and_lands_on_top_of_others(table: Table) -> None:
    (file,) = files(table, 2)
    with parts_of("pyiceberg"):
        transaction = SteadyTransaction(table)
        transaction.append_files([file], {"why": "test"})
        transaction.set_properties({"key": "value"})
        assert transaction.table_metadata is table.metadata
        append(table, 1)
        transaction.commit_transaction()
        after = table_of(transaction)
        assert after.properties["key"] == "value"
        assert [one.sequence_number for one in after.metadata.snapshots] == [1, 2]
        said = head(table).summary
        assert said is not None
        assert said.additional_properties["why"] == "test"
        assert numbers(table) == [1, 2]


def test_snapshots_expire_in_a_transaction_of_ours(table: Table) -> None:
    append(table, 1)
    first = head(table).snapshot_id
    append(table, 2)
    with parts_of("pyiceberg"):
        expire_snapshots(SteadyTransaction(table.refresh(), autocommit=True)).by_ids(
            [first]
        ).commit()
        assert [one.snapshot_id for one in table.refresh().metadata.snapshots] != [first]
        assert table.snapshot_by_id(first) is None
        assert numbers(table) == [1, 2]


def test_files_are_replaced_by_others_of_the_same_rows(table: Table) -> None:
    old = append(table, 1, 2)
    with parts_of("pyiceberg"):
        replace(table.refresh(), old, (*files(table, 1), *files(table, 2)))
        summary = head(table).summary
        assert summary is not None
        assert summary.operation is Operation.REPLACE
        assert {summary[key] for key in ("added-records", "deleted-records", "total-records")} == {
            "2"
        }
        assert summary["why"] == "test"
        assert numbers(table) == [1, 2]


def test_a_replacement_lands_on_top_of_what_others_append(table: Table) -> None:
    old = append(table, 1)
    new = files(table, 1)
    loaded = table.catalog.load_table(table.name())
    append(table, 2)
    with parts_of("pyiceberg"):
        replace(loaded, old, new)
        assert numbers(table) == [1, 2]
        with pytest.raises(ValidationException):
            replace(table, old, new)


@pytest.mark.parametrize(("min_manifests", "manifests"), [(50, 3), (2, 1)])
def test_a_replacement_merges_manifests_where_there_are_many(
    table: Table, min_manifests: int, manifests: int
) -> None:
    old = append(table, 1)
    append(table, 2)
    with parts_of("pyiceberg"):
        replace(table.refresh(), old, files(table, 1), min_manifests)
        assert len(head(table).manifests(table.io)) == manifests
        assert numbers(table) == [1, 2]


def test_threads_that_look_for_replaced_files_do_not_mislead_each_other(table: Table) -> None:
    with table.update_spec() as spec:
        spec.add_identity("a")
    appended = [append(table, number) for number in range(3)]
    table.refresh()
    with parts_of("pyiceberg"):
        replacing = ReplaceFiles(
            SteadyTransaction(table), table.io, {}, min_manifests=None, operation=Operation.REPLACE
        )
        replacing.delete_by_predicate(parse("a = 0"))
        may_match = replacing._build_manifest_evaluator(appended[0].spec_id)

        def look_at(manifest: ManifestFile) -> set[bool]:
            return {may_match(manifest) for _ in range(5_000)}

        manifests = head(table).manifests(table.io)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(len(manifests)) as threads:
                found = list(threads.map(look_at, manifests))
        finally:
            sys.setswitchinterval(interval)
        assert sorted(found, key=str) == [{False}, {False}, {True}]
