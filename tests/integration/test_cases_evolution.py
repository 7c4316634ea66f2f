"""Inputs that went wrong: contracts that changed under tables that exist."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.types import StringType
from pyspark.sql import SparkSession

from headwater.produce.file import produce_file
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.evolution.apply import EvolutionRefusedError
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.spark.session import own_session
from pipeline.spark.tables import rows_at
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from tests.support.commands import Command

CASES = Path(__file__).parents[1] / "data" / "cases"


class Story:
    """One case: its contract before and after, and rows sent under either."""

    def __init__(self, cell: Cell, name: str, folder: Path) -> None:
        self._cell = cell
        self._case = CASES / name
        self._folder = folder
        self.name = next((self._case / "before").iterdir()).name
        self._topic = f"{self.name}-{uuid.uuid4().hex[:8]}"

    def under(self, which: str) -> Product:
        """Put the contract of `before` or `after` in place."""
        target = self._folder / self.name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self._case / which / self.name, target)
        contract = target / "contract.yaml"
        contract.write_text(contract.read_text().replace(f"{self.name}_v1", self._topic))
        return load_product(target)

    def send(self, which: str, *files: str) -> None:
        product = self.under(which)
        for file in files:
            assert produce_file(self._cell, product, str(self._case / file)).bad_rows == 0
        ingest(self._cell, product, once=True)

    def rows(self, *columns: str) -> list[dict[str, Any]]:
        """Return the columns of the table's rows, in the order in which they were sent."""
        table = load_table(self._cell, events_table(self.name)).scan().to_arrow()
        ordered = sorted(table.to_pylist(), key=lambda row: int(row["_offset"]))
        return [{name: row[name] for name in columns} for row in ordered]

    def verified(self) -> bool:
        return verify_ledger(self._cell, load_product(self._folder / self.name)).balanced


@pytest.fixture
def story(cell: Cell, tmp_path: Path) -> Callable[[str], Story]:
    return lambda name: Story(cell, name, tmp_path / "contracts")


def test_a_dropped_field_stays_as_a_column_and_new_rows_have_null(
    story: Callable[[str], Story],
) -> None:
    case = story("drop_field")
    case.send("before", "first.jsonl")
    case.send("after", "second.jsonl")
    assert case.rows("id", "x", "note") == [
        {"id": "k0", "x": 1, "note": "a"},
        {"id": "k1", "x": 2, "note": None},
        {"id": "k0", "x": 3, "note": None},
    ]
    assert case.verified()


def test_a_field_added_inside_a_record_is_kept(story: Callable[[str], Story]) -> None:
    case = story("nested_grow")
    case.send("before", "first.jsonl")
    case.send("after", "second.jsonl")
    assert case.rows("dev") == [
        {"dev": {"os": "a", "model": None}},
        {"dev": {"os": "b", "model": "m1"}},
    ]
    assert case.verified()


def test_widened_columns_hold_exact_values(story: Callable[[str], Story]) -> None:
    case = story("widen")
    case.send("before", "first.jsonl")
    case.send("after", "second_small.jsonl", "third_large.jsonl")
    assert case.rows("n", "f") == [
        {"n": 1, "f": 0.5},
        {"n": 7, "f": 0.1},
        {"n": 2**40, "f": 0.1},
    ]
    # A deploy that is rolled back goes on, in the columns as they are now.
    case.send("before", "first.jsonl")
    assert case.rows("n", "f")[3] == {"n": 1, "f": 0.5}
    assert case.verified()


def test_the_command_plans_and_applies(
    story: Callable[[str], Story], cell: Cell, home: Path, tmp_path: Path
) -> None:
    case = story("widen")
    ensure_tables(cell, case.under("before"))
    case.under("after")
    command = Command(home, tmp_path / "contracts")
    asked = ("contract", "plan", "widen", "--cell", "us", "--json")
    planned = command.run(*asked)
    assert planned.code == 0
    assert [(s["action"], s["column"], s["detail"], s["verdict"]) for s in planned.json] == [
        ("widen column", "n", "int -> long", "safe"),
        ("widen column", "f", "float -> double", "safe"),
    ]
    assert command.run("contract", "apply", "widen", "--cell", "us").code == 0
    assert command.run(*asked).json == []
    types = {f.name: str(f.field_type) for f in load_table(cell, "widen.events").schema().fields}
    assert (types["n"], types["f"]) == ("long", "double")


def test_what_a_table_cannot_follow_is_refused_by_name_before_a_record_is_read(
    story: Callable[[str], Story], cell: Cell, home: Path, tmp_path: Path
) -> None:
    case = story("widen")
    case.send("before", "first.jsonl")
    product = case.under("before")
    table = load_table(cell, "widen.events")
    with table.update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("n")
    with table.update_schema() as update:
        update.add_column("n", StringType())
    held = load_table(cell, "widen.events").metadata_location
    with pytest.raises(EvolutionRefusedError, match=r"change type n: string -> int: refused"):
        ingest(cell, product, once=True)
    assert load_table(cell, "widen.events").metadata_location == held
    command = Command(home, tmp_path / "contracts")
    assert command.run("contract", "plan", "widen", "--cell", "us").code == 1
    applied = command.run("contract", "apply", "widen", "--cell", "us")
    assert applied.code == 3
    assert "n: string -> int" in applied.err


def test_a_build_has_new_columns_before_the_next_event(
    story: Callable[[str], Story], cell: Cell, spark: SparkSession
) -> None:
    case = story("nested_grow")
    case.send("before", "first.jsonl")
    events, _ = ensure_tables(cell, case.under("after"))
    pinned = events.metadata.current_snapshot_id
    assert pinned is not None
    rows = rows_at(own_session(spark, cell), cell, "nest.events", pinned)
    assert [row.asDict() for row in rows.select("dev.os", "dev.model").collect()] == [
        {"os": "a", "model": None}
    ]
    ingest(cell, case.under("after"), once=True)
    assert case.verified()
