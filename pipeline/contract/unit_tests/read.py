"""Reading the unit tests of a product's derived tables, with the place of whatever is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationError

from pipeline.clock import hour_of
from pipeline.config.nearest import did_you_mean
from pipeline.contract.checks.sql.views import View, base_views, described_view, readable
from pipeline.contract.model import DerivedTable, Product
from pipeline.contract.settings.invalid import report_invalid
from pipeline.contract.settings.section import Section
from pipeline.contract.settings.units import Real, Text, Whole, parse_instant
from pipeline.contract.source.document import Document, DocumentError, Loc
from pipeline.contract.source.mistakes import Mistake
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.unit_tests.model import Row, UnitTest

FOLDER = "tests"
"""Beside a contract: the folder of its tables' unit tests."""
MOST_HOURS = 24 * 7


def _hour(value: object) -> datetime:
    found = parse_instant(value)
    if found != hour_of(found):
        raise ValueError(f"the start of an hour, not {value!r}")
    return found


class _Test(Section):
    name: Text
    description: Text = ""
    table: str | None = None
    hour: Annotated[Any, PlainValidator(_hour)]
    hours: Whole = Field(default=1, ge=1, le=MOST_HOURS)
    given: dict[str, list[dict[str, Any]]] = {}
    expect: list[dict[str, Any]]
    tolerance: Real = Field(default=0.0, ge=0)


class _File(Section):
    tests: list[Any] = Field(min_length=1)


@dataclass(frozen=True)
class UnitTests:
    """Tests in the order of their files, and what is wrong with any of them."""

    tests: tuple[UnitTest, ...]
    mistakes: tuple[Mistake, ...]


def read_unit_tests(product: Product) -> UnitTests:
    """Read `tests/*.yaml` beside the contracts of a product's derived tables; none need be there.

    Mistakes are what is no test, and tables and columns that there are not. Values are held to their columns'
    types where these are known: when the test is run. A test with a mistake is not among the tests.
    """
    folders = dict.fromkeys(one.folder for one in product.derived_tables)
    files = {folder: sorted((folder / FOLDER).glob("*.yaml")) for folder in folders}
    if not any(files.values()):
        # Reference data is read for its columns.
        return UnitTests((), ())
    views = base_views(product) | {one.name: described_view(one) for one in product.derived_tables}
    tests: list[UnitTest] = []
    mistakes: list[Mistake] = []
    for folder in folders:
        tables = {one.name: one for one in product.derived_tables if one.folder == folder}
        names: dict[tuple[str, str], Path] = {}
        for file in files[folder]:
            try:
                reader = ContractReader(Document(file))
            except DocumentError as error:
                mistakes.append(error.mistake)
                continue
            for test in _tests(reader, tables, views):
                if other := names.get((test.table, test.name)):
                    taken = (
                        f"a name of its own; {other.name} has a test {test.name!r} of {test.table}"
                    )
                    reader.report((*test.loc, "name"), taken)
                names[test.table, test.name] = file
                tests.append(test)
            mistakes += reader.mistakes
    return UnitTests(tuple(tests), tuple(sorted(set(mistakes))))


def _tests(
    reader: ContractReader, tables: Mapping[str, DerivedTable], views: Mapping[str, View]
) -> Iterator[UnitTest]:
    try:
        entries = _File.model_validate(reader.document.data).tests
    except ValidationError as error:
        report_invalid(reader, (), error, _File)
        return
    for number, entry in enumerate(entries):
        loc: Loc = ("tests", number)
        before = len(reader.mistakes)
        try:
            stated = _Test.model_validate(entry)
        except ValidationError as error:
            report_invalid(reader, loc, error, _Test)
            continue
        if (table := _table(reader, loc, stated.table, tables)) is None:
            continue
        test = UnitTest(
            table=table.name,
            name=stated.name,
            description=stated.description,
            hour=stated.hour,
            hours=stated.hours,
            given={name: _rows(rows, (*loc, "given", name)) for name, rows in stated.given.items()},
            expect=_rows(stated.expect, (*loc, "expect")),
            tolerance=stated.tolerance,
            document=reader.document,
            loc=loc,
        )
        for name, rows in test.given.items():
            if name in readable(table):
                _check_columns(reader, rows, name, views[name])
            else:
                _unknown(
                    reader, (*loc, "given", name), "what the table reads", name, readable(table)
                )
        _check_columns(reader, test.expect, table.name, views[table.name])
        if len(reader.mistakes) == before:
            yield test


def _table(
    reader: ContractReader, loc: Loc, named: str | None, tables: Mapping[str, DerivedTable]
) -> DerivedTable | None:
    if named is not None and named in tables:
        return tables[named]
    if named is not None:
        _unknown(reader, (*loc, "table"), "a table of the contract beside it", named, tables)
    elif len(tables) == 1:
        return next(iter(tables.values()))
    else:
        reader.report(loc, f"`table`, one of {', '.join(tables)}: the contract has several")
    return None


def _rows(rows: list[dict[str, Any]], loc: Loc) -> tuple[Row, ...]:
    return tuple(
        Row(
            {key.lower(): value for key, value in row.items()},
            {key.lower(): key for key in row},
            (*loc, number),
        )
        for number, row in enumerate(rows)
    )


def _check_columns(reader: ContractReader, rows: tuple[Row, ...], name: str, view: View) -> None:
    if view.is_open:
        return
    for row in rows:
        for column, written in row.keys.items():
            if column not in view.columns:
                place = (*row.loc, written)
                _unknown(reader, place, f"a column of {name}", written, view.columns)


def _unknown(
    reader: ContractReader, loc: Loc, what: str, word: str, known: Collection[str]
) -> None:
    listed = ", ".join(one for one in known if not one.startswith("_"))
    reader.report(loc, f"{what} ({listed}); not {word!r}{did_you_mean(word, known)}")
