"""The ledger command proves the ledger, and is not fooled by a lost row or a hidden record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.ingest.run import ingest
from pipeline.kafka.fetch import fetch
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.commands import Command, Result, command_for
from tests.support.load import Filled, TopicWriter


@pytest.fixture
def filled(cell: Cell, strict_product: Product) -> Filled:
    return TopicWriter(cell, strict_product).fill(500, transactions=2)


@pytest.fixture
def command(cell: Cell, strict_product: Product) -> Command:
    return command_for(cell, strict_product)


def ledger(command: Command, cell: Cell, product: Product, *options: str) -> Result:
    return command.run("ledger", product.name, "--cell", cell.name, "--json", *options)


def test_honest_books_balance_against_tables_and_an_independent_consumer(
    cell: Cell, strict_product: Product, filled: Filled, command: Command
) -> None:
    done = command.run(
        "ingest", "run", strict_product.name, "--cell", cell.name, "--once", "--json"
    )
    assert done.code == ExitCode.OK, done.err
    assert done.json["rows"] == filled.events
    assert done.json["reasons"] == filled.reasons
    result = ledger(command, cell, strict_product, "--verify")
    assert result.code == ExitCode.OK, result.out + result.err
    found = result.json
    assert found["balanced"] is True
    assert found["unexplained"] == 0
    assert found["problems"] == []
    totals = found["totals"]
    assert totals["rows"] == filled.events
    assert totals["duplicates"] == filled.duplicates
    assert totals["dead_letters"] == sum(filled.poison.values())
    assert totals["control"] > 0, "markers"
    assert totals["aborted"] > 0
    assert totals["compacted"] == 0


@pytest.mark.parametrize("name_of", [events_table, dead_letters_table])
def test_a_deleted_row_is_found(
    cell: Cell, strict_product: Product, filled: Filled, command: Command, name_of: Any
) -> None:
    ingest(cell, strict_product, once=True)
    table = load_table(cell, name_of(strict_product.name))
    victim = (
        table.scan(selected_fields=("_topic_partition", "_offset"), limit=1)
        .to_arrow()
        .to_pylist()[0]
    )
    table.delete(
        f"_topic_partition = {victim['_topic_partition']} and _offset = {victim['_offset']}"
    )
    result = ledger(command, cell, strict_product, "--verify")
    assert result.code == ExitCode.CHECK_FAILED
    missing, unheld = result.json["problems"]
    assert f"partition {victim['_topic_partition']}: the ledger says" in missing
    assert "a consumer reads 1 records that are neither" in unheld


def test_a_row_that_stands_twice_is_found(
    cell: Cell, strict_product: Product, filled: Filled, command: Command
) -> None:
    ingest(cell, strict_product, once=True)
    table = load_table(cell, events_table(strict_product.name))
    table.append(table.scan(limit=1).to_arrow())
    result = ledger(command, cell, strict_product, "--verify")
    assert result.code == ExitCode.CHECK_FAILED
    assert "more than once" in str(result.json["problems"])


def test_a_record_that_was_hidden_from_ingest_is_found(
    cell: Cell,
    strict_product: Product,
    filled: Filled,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hiding(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for fetched in fetch(*args, **kwargs):
            for part in fetched.ranges:
                if part.partition == 0 and part.items:
                    part.items.pop()
            yield fetched

    with monkeypatch.context() as hidden:
        hidden.setattr("pipeline.ingest.read.source.fetch", hiding)
        ingest(cell, strict_product, once=True)
    by_themselves = ledger(command, cell, strict_product)
    assert by_themselves.code == ExitCode.CHECK_FAILED, "no batch tells of a gap there"
    assert by_themselves.json["unexplained"] > 0
    result = ledger(command, cell, strict_product, "--verify")
    assert result.code == ExitCode.CHECK_FAILED
    assert any("partition 0" in problem for problem in result.json["problems"])


def test_there_are_no_books_before_the_first_ingest(
    cell: Cell, strict_product: Product, command: Command
) -> None:
    result = ledger(command, cell, strict_product)
    assert result.code == ExitCode.TERMINAL
    assert "error:" in result.err
