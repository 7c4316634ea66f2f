"""What a contract's schemas allow is read back, by every reader, as it was sent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from pipeline.cells import Cell
from pipeline.contract.compile import compile_product
from pipeline.contract.load import load_product
from pipeline.tables.catalog import open_catalog
from tests.round_trip import readers, told
from tests.round_trip.avro import resolve
from tests.round_trip.contracts import Contract, contracts
from tests.round_trip.records import Sent, records, uuids_differ
from tests.round_trip.subject import Landed, land
from tests.round_trip.tally import TALLY


@pytest.fixture(scope="module")
def in_spark(spark: SparkSession, drawn_cell: Cell) -> readers.InSpark:
    return readers.InSpark(spark, drawn_cell)


@settings(settings.get_profile("round_trip"))
@given(contracts(), st.data())
def test_every_record_is_read_back_as_it_was_sent(
    drawn_cell: Cell, in_spark: readers.InSpark, contract: Contract, data: st.DataObject
) -> None:
    with folder_of(drawn_cell, contract) as folder:
        product = load_product(folder)
        compile_product(product)
        sent = data.draw(records(contract))
        assume(uuids_differ(sent))
        landed = land(drawn_cell, product, contract, sent)
        hold(landed, contract, sent, in_spark)
    TALLY["contracts whose tables were read back"] += 1


@contextmanager
def folder_of(cell: Cell, contract: Contract) -> Iterator[Path]:
    """Write the contract; its folder and its tables are gone afterwards."""
    contracts_root = cell.root / "contracts"
    shutil.rmtree(contracts_root, ignore_errors=True)
    try:
        yield contract.write(contracts_root)
    finally:
        catalog = open_catalog(cell)
        for namespace in catalog.list_namespaces():
            for identifier in catalog.list_tables(namespace):
                location = catalog.load_table(identifier).location()
                catalog.drop_table(identifier)
                shutil.rmtree(location.removeprefix("file://"), ignore_errors=True)


def hold(
    landed: Landed, contract: Contract, sent: Sequence[Sent], in_spark: readers.InSpark
) -> None:
    """Hold every row and dead letter, as each reader gives it, to what was sent."""
    expected = [dict(one.row) for one in sent if one.row is not None]
    reasons = {one.wrote.offset: one.reasons for one in sent if one.row is None}
    letters = told.rows(landed.dead_letters.scan().to_arrow())
    assert {one["_offset"] for one in letters} == set(reasons)
    assert len(letters) == len(reasons)
    for letter in letters:
        assert letter["reason"] in reasons[letter["_offset"]], letter["detail"]
        TALLY["dead letters"] += 1
    found = [("PyIceberg", readers.pyiceberg(landed.events)), ("Spark", in_spark(landed.events))]
    if expected:
        found.append(("DuckDB", readers.in_duckdb(landed.events)))
    types = {name: told.arrow_type(type_) for name, type_ in resolve(contract.payload).parts}
    held = dict(resolve(contract.payload).parts)
    for engine, table in found:
        assert {name: told.plainly(table.schema.field(name).type) for name in types} == types, (
            engine
        )
        rows = sorted(told.rows(table), key=lambda row: row["_offset"])
        assert len(rows) == len(expected), engine
        for row, wanted in zip(rows, expected, strict=True):
            if engine == "PyIceberg":
                wanted = wanted | {n: readers.as_pyiceberg_has(held[n], wanted[n]) for n in held}
            altered = {n: (row[n], wanted[n]) for n in wanted if row[n] != wanted[n]}
            assert altered == {}, (engine, altered)
        TALLY[f"rows read by {engine}"] += len(rows)
