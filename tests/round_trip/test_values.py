"""What a contract's schemas allow is read back, by every reader, as it was sent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from assets.definitions import build
from headwater.evolution import plan_product
from pipeline.cells import Cell
from pipeline.contract.compile import compile_product
from pipeline.contract.load import ContractError, load_product
from pipeline.tables.catalog import open_catalog
from tests.round_trip import filters, readers, told
from tests.round_trip.avro import resolve
from tests.round_trip.contracts import Contract, contracts
from tests.round_trip.mutations import mutated
from tests.round_trip.records import Sent, records, uuids_differ
from tests.round_trip.subject import Landed, land
from tests.round_trip.tally import TALLY


@pytest.fixture(scope="module", autouse=True)
def own_contracts(drawn_cell: Cell) -> Iterator[None]:
    """Let Dagster's definitions be of what is drawn, in an instance of their own."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral():
        patch.setenv("HEADWATER_CONTRACTS", str(drawn_cell.root / "contracts"))
        yield


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
        if data.draw(st.integers(0, 2)) == 0:
            ask(landed, contract, sent, in_spark, data)
        assert plan_product(drawn_cell, product) == ()
        if data.draw(st.integers(0, 9)) == 7:
            assert build("us").get_repository_def().asset_graph.get_all_asset_keys()
            TALLY["contracts that became Dagster definitions"] += 1
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


def ask(
    landed: Landed,
    contract: Contract,
    sent: Sequence[Sent],
    in_spark: readers.InSpark,
    data: st.DataObject,
) -> None:
    """Hold what each reader finds by a filter to what plain Python finds in what was sent."""
    rows = [one.row for one in sent if one.row is not None]
    if not rows:
        return
    asked = data.draw(filters.questions(dict(resolve(contract.payload).parts), rows))
    expected = filters.right(asked, rows)
    for engine, answers in (
        ("PyIceberg", filters.of_pyiceberg(asked, landed.events)),
        ("Spark", filters.of_spark(asked, landed.events, in_spark)),
        ("DuckDB", filters.of_duckdb(asked, landed.events)),
    ):
        for one, found, wanted in zip(asked, answers, expected, strict=True):
            assert found == wanted, (engine, one)
        TALLY[f"filters of {engine}"] += len(asked)


@settings(settings.get_profile("round_trip"))
@given(mutated(), st.data())
def test_what_is_odd_is_a_mistake_with_its_line_or_is_read_back_as_it_was_sent(
    drawn_cell: Cell, in_spark: readers.InSpark, contract: Contract, data: st.DataObject
) -> None:
    with folder_of(drawn_cell, contract) as folder:
        try:
            product = load_product(folder)
        except ContractError as error:
            for mistake in error.mistakes:
                lines = mistake.file.read_text().splitlines()
                assert mistake.file.is_relative_to(folder)
                assert 1 <= mistake.line <= len(lines)
            TALLY["odd contracts that were refused"] += 1
            return
        compile_product(product)
        sent = data.draw(records(contract))
        assume(uuids_differ(sent))
        hold(land(drawn_cell, product, contract, sent), contract, sent, in_spark)
    TALLY["odd contracts whose tables were read back"] += 1
