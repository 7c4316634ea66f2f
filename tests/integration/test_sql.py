"""`headwater sql`: the reference architecture's questions as written, and nothing but reading."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.types import LongType

from pipeline.cells import Cell, embedded_cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.run import maintain
from pipeline.query.errors import QueryInvalidError, TableUnknownError
from pipeline.query.run import run_query
from pipeline.settings import PROJECT
from pipeline.tables.catalog import load_table, open_catalog
from tests.support.code_blocks import blocks, shows
from tests.support.commands_here import CommandHere
from tests.support.orders import Orders, hour

EAGER = MaintenancePolicy(
    retain=timedelta(0), retain_last=1, retain_commits=timedelta(0), min_files=2, min_manifests=2
)
HISTORY = "SELECT * FROM table_history\nWHERE snapshot_id = {};"
CHANGES = """SELECT lineage
FROM table_changes
WHERE source_topic = 'orders'
  AND offset > {};"""
"""The two of the reference architecture, but for values."""
PAGE = "docs/how-to/sql.md"


def ask(cell: Cell, text: str) -> list[dict[str, Any]]:
    with run_query(cell, text) as answer:
        return [row for batch in answer.batches for row in batch.to_pylist()]


def fill(orders: Orders) -> list[int]:
    """Commit nine orders in three commits: offsets 0..2, 3..5, 6..8."""
    return [orders.append([(hour(number), "eu", 5)] * 3) for number in range(3)]


@pytest.mark.parametrize("quiet_cell", ["sqlite", "sqlite+s3"], indirect=True)
def test_the_two_questions_are_answered_as_written_whatever_became_of_the_snapshots(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    first, second, _ = fill(orders)
    for _ in range(3):
        (row,) = ask(quiet_cell, HISTORY.format(second))
        assert (row["product"], row["table"], row["parent_id"]) == ("orders", "events", first)
        assert (row["added_rows"], row["total_rows"], row["job"]) == (3, 6, "ingest")
        found = ask(quiet_cell, CHANGES.format(4))
        ranges = [
            (one["first_offset"], one["last_offset"]) for row in found for one in row["lineage"]
        ]
        assert sorted(ranges) == [(3, 5), (6, 8)]
        # The first time what was asked is still in the metadata, then in a file of its own, then in others.
        maintain(quiet_cell, product, EAGER)
    retained = {
        one.snapshot_id for one in load_table(quiet_cell, "orders.events").metadata.snapshots
    }
    assert not retained & {first, second}


def test_they_print_what_the_page_shows(
    orders: Orders,
    quiet_cell: Cell,
    product: Product,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, second, _ = fill(orders)
    command = CommandHere(monkeypatch, capsys, quiet_cell, product)
    asked = [one for one in blocks(PROJECT, PAGE) if one.unrun and one.language == "console"]
    for block, query in zip(asked, (HISTORY.format(456), CHANGES.format(4)), strict=True):
        text = re.sub(r"viewing_events(_v3)?", "orders", block.text)
        assert query in text
        _, _, rest = text.partition(f'{query}" ')
        options, *shown = rest.splitlines()
        said = command.run("sql", query.replace("456", str(second)), *options.split())
        assert [line for line in shown if not shows(line, said.out)] == []


def test_rows_are_those_of_main(orders: Orders, quiet_cell: Cell) -> None:
    fill(orders)
    text = "SELECT hour(_event_time) AS h, sum(amount) AS s FROM {} GROUP BY ALL ORDER BY h"
    for name in ("events", "orders.events", "us.orders.events"):
        assert ask(quiet_cell, text.format(name)) == [{"h": number, "s": 15} for number in range(3)]


@pytest.mark.parametrize(
    "text",
    [
        "WITH events AS (SELECT * FROM events WHERE _offset > 6) SELECT count(*) AS n FROM events",
        "WITH late AS (FROM events) SELECT count(*) AS n FROM late JOIN late AS l USING (_offset) "
        "WHERE _offset > 6",
        "SELECT count(*) AS n FROM table_changes AS a JOIN table_history AS b USING (snapshot_id) "
        "WHERE EXISTS (FROM events) AND a.offset > 3",
    ],
)
def test_tables_are_found_wherever_a_statement_names_them(
    orders: Orders, quiet_cell: Cell, text: str
) -> None:
    fill(orders)
    assert ask(quiet_cell, text) == [{"n": 2}]


def test_main_and_what_it_was_rolled_back_from_are_told_apart(
    orders: Orders, quiet_cell: Cell, product: Product
) -> None:
    first, second, third = fill(orders)
    table = load_table(quiet_cell, "orders.events")
    table.manage_snapshots().rollback_to_snapshot(second).commit()
    rows = ask(quiet_cell, "SELECT snapshot_id, is_current_ancestor AS main FROM table_history")
    assert {row["snapshot_id"]: row["main"] for row in rows} == {
        first: True,
        second: True,
        third: False,
    }


def test_columns_are_read_by_their_ids(quiet_cell: Cell) -> None:
    catalog = open_catalog(quiet_cell)
    catalog.create_namespace("shop")
    part = pa.struct([("name", pa.string())])
    table = catalog.create_table(
        "shop.things", pa.schema([("a", pa.int32()), ("b", pa.int64()), ("part", part)])
    )
    table.append(pa.table({"a": pa.array([1], pa.int32()), "b": [10], "part": [{"name": "x"}]}))
    with table.update_schema() as update:
        update.rename_column("a", "was_a")
        update.add_column("offset", LongType())
    with table.update_schema() as update:
        update.rename_column("b", "a")
        update.update_column("was_a", LongType())
    assert ask(quiet_cell, "SELECT a, was_a, offset FROM shop.things WHERE a > 5") == [
        {"a": 10, "was_a": 1, "offset": None}
    ]
    # What is nested, too.
    with table.update_schema() as update:
        update.add_column(("part", "size"), LongType())
    assert ask(quiet_cell, "SELECT was_a, part FROM shop.things") == [
        {"was_a": 1, "part": {"name": "x", "size": None}}
    ]


def test_a_path_that_looks_like_a_pattern_is_read(tmp_path: Path) -> None:
    cell = embedded_cell(tmp_path / "a[b]*'c", "us", "127.0.0.1:9")
    fill(Orders(cell))
    assert ask(cell, "SELECT count(*) AS n FROM events") == [{"n": 9}]


def test_a_name_that_two_products_have_must_say_which(orders: Orders, quiet_cell: Cell) -> None:
    fill(orders)
    catalog = open_catalog(quiet_cell)
    catalog.create_namespace("shop")
    catalog.create_table("shop.events", pa.schema([("a", pa.int64())]))
    with pytest.raises(TableUnknownError, match=r"several products.*orders, shop.*orders.events"):
        ask(quiet_cell, "SELECT * FROM events")
    assert ask(quiet_cell, "SELECT count(*) AS n FROM shop.events") == [{"n": 0}]
    assert len(ask(quiet_cell, "SELECT * FROM table_history")) == 3
    assert ask(quiet_cell, "SELECT * FROM shop.table_changes") == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("DROP TABLE orders.events", "kind DROP"),
        ("COPY (SELECT 1) TO '{home}/out.csv'", "kind COPY"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("", "0 statements"),
        ("SELEC 1", "does not parse it .*syntax error"),
        ("SELECT nothing FROM events", "does not run it .*nothing"),
        ("SELECT * FROM read_text('{home}/cell.json')", "does not run it .*Cannot access"),
        ("SELECT * FROM glob('{home}/*')", "does not run it .*Cannot access"),
        ("SELECT error('own words') FROM range(3)", "does not run it .*own words"),
        ("SELECT (CASE WHEN i > 200000 THEN 'x' ELSE '1' END)::INT FROM range(300000) t(i)", "'x'"),
    ],
)
def test_whatever_is_no_reading_of_tables_is_refused(
    orders: Orders, quiet_cell: Cell, text: str, why: str
) -> None:
    with pytest.raises(QueryInvalidError, match=why):
        ask(quiet_cell, text.format(home=quiet_cell.root))


def test_a_table_that_is_not_there_is_named(orders: Orders, quiet_cell: Cell) -> None:
    with pytest.raises(TableUnknownError, match=r"Did you mean orders.events"):
        ask(quiet_cell, "SELECT * FROM orders.event")


def test_variables_of_this_process_are_no_tables(orders: Orders, quiet_cell: Cell) -> None:
    known = pa.table({"secret": [1]})
    with pytest.raises(TableUnknownError):
        ask(quiet_cell, "SELECT * FROM known")
    assert known


def test_the_command_prints_for_people_and_for_programs(
    orders: Orders,
    quiet_cell: Cell,
    product: Product,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(orders)
    command = CommandHere(monkeypatch, capsys, quiet_cell, product)
    query = "SELECT _offset, region, 'nan'::DOUBLE AS n, [1] AS l FROM events ORDER BY _offset"
    lines = command.run("sql", query, "--cell", "us", "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"_offset": number, "region": "eu", "n": "nan", "l": [1]} for number in range(9)
    ]
    said = command.run("sql", query, "--cell", "us", "--limit", "2").out
    assert "the first 2 rows; --limit shows more" in said
    assert command.run("sql", "--tables", "--cell", "us").out.split() == [
        "orders.events",
        "orders.table_changes",
        "orders.table_history",
    ]
    assert command.run("sql", "SELECT 1 FROM nowhere", "--cell", "us").code == ExitCode.TERMINAL
