"""The judge is judged: the verifier sees each kind of fault, and owes nothing to what it verifies."""

from __future__ import annotations

import ast

import pyarrow as pa
import pytest

from pipeline.settings import PROJECT
from tests.support.topic_reader import ConsumedPartition
from tests.support.verifier import Findings, compare

SUPPORT = PROJECT / "tests" / "support"
ROOMS = {"headwater", "assets", "resources", "quality", "pipeline"}


@pytest.mark.parametrize("name", ["verifier.py", "topic_reader.py", "record_uuids.py"])
def test_the_verifier_imports_nothing_of_what_it_verifies(name: str) -> None:
    tree = ast.parse((SUPPORT / name).read_text())
    imported = {
        module.split(".")[0]
        for node in ast.walk(tree)
        for module in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported
    assert not imported & ROOMS


def record(offset: int, uuid: str | None, value: bytes = b"v") -> ConsumedPartition:
    return ConsumedPartition(0, offset, b"k", value, uuid)


def events(*rows: tuple[int, str], topic_id: str = "id") -> pa.Table:
    return pa.table(
        {
            "_topic": pa.array(["t"] * len(rows), pa.string()),
            "_topic_id": pa.array([topic_id] * len(rows), pa.string()),
            "_topic_partition": pa.array([0] * len(rows), pa.int32()),
            "_offset": pa.array([offset for offset, _ in rows], pa.int64()),
            "_uuid": pa.array([uuid for _, uuid in rows], pa.string()),
        }
    )


def letters(*rows: tuple[int, bytes]) -> pa.Table:
    table = events(*[(offset, "") for offset, _ in rows]).drop_columns("_uuid")
    table = table.append_column("record_key", pa.array([b"k"] * len(rows), pa.binary()))
    return table.append_column("record_value", pa.array([v for _, v in rows], pa.binary()))


def found(records: list[ConsumedPartition], rows: pa.Table, dead: pa.Table) -> Findings:
    return compare(records, rows, dead, topic="t", identity="id")


RECORDS = [record(0, "a"), record(1, "b"), record(2, "a"), record(3, None, b"poison")]


def test_rows_dead_letters_and_a_duplicate_with_its_twin_are_exact() -> None:
    findings = found(RECORDS, events((0, "a"), (1, "b")), letters((3, b"poison")))
    assert findings.exact
    assert (findings.readable, findings.rows, findings.dead_letters) == (4, 2, 1)


def test_a_record_in_neither_table_is_lost() -> None:
    findings = found(RECORDS, events((0, "a"), (1, "b")), letters())
    assert (findings.lost, findings.doubled, findings.foreign) == (1, 0, 0)
    assert findings.samples["lost"] == ((0, 3, None),)


def test_a_duplicate_without_its_twin_is_lost() -> None:
    findings = found(RECORDS, events((1, "b")), letters((3, b"poison")))
    assert findings.lost == 2


def test_a_uuid_that_stands_twice_is_doubled() -> None:
    rows = events((0, "a"), (1, "b"), (2, "a"))
    findings = found(RECORDS, rows, letters((3, b"poison")))
    assert (findings.lost, findings.doubled) == (0, 1)


def test_coordinates_that_stand_in_both_tables_are_doubled() -> None:
    rows, dead = events((0, "a"), (1, "b")), letters((1, b"v"), (3, b"poison"))
    assert found(RECORDS, rows, dead).doubled == 1


def test_coordinates_that_stand_twice_in_one_table_are_doubled() -> None:
    rows, dead = events((0, "a"), (1, "b")), letters((3, b"poison"), (3, b"poison"))
    assert found(RECORDS, rows, dead).doubled == 1


@pytest.mark.parametrize(
    "rows", [events((0, "a"), (1, "b"), (9, "z")), events((0, "a"), (1, "b"), topic_id="other")]
)
def test_a_row_whose_coordinates_are_not_in_the_topic_is_foreign(rows: pa.Table) -> None:
    assert found(RECORDS, rows, letters((3, b"poison"))).foreign


def test_a_row_or_dead_letter_that_differs_from_its_record_is_altered() -> None:
    findings = found(RECORDS, events((0, "a"), (1, "B")), letters((3, b"other")))
    assert findings.altered == 2
