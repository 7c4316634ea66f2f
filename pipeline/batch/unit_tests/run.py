"""Running unit tests of derived tables: each on rows of its own, through what computes hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from pipeline.batch.errors import LogicError
from pipeline.batch.planning.staleness import hours_of
from pipeline.batch.unit_tests.compare import compare
from pipeline.batch.unit_tests.inputs import InputColumns, Rows, compute_given, given_context
from pipeline.batch.unit_tests.values import BadValueError, spark_value
from pipeline.batch.wap.stage import named_failures
from pipeline.contract.model import EVENTS, DerivedTable, Product
from pipeline.contract.source.mistakes import Mistake
from pipeline.contract.unit_tests.model import Row, UnitTest
from pipeline.errors import HeadwaterError
from pipeline.tables.layout import HOUR_COLUMN

_EVENT_TIME = "_event_time"

Values = Mapping[str, Any]
"""A row's values by the names of their columns in small letters."""


@dataclass(frozen=True)
class UnitTestResult:
    """How a test ended.

    Attributes:
        missing: expected rows that did not come out, each with the line that it stands at.
        unexpected: rows that came out and nothing expects: the columns that expected rows name, or all of
            them where no row is expected.
        mistakes: values that are none of their columns; nothing was compared then.
        error: what the logic ended with.
    """

    test: UnitTest
    missing: tuple[tuple[int, Values], ...] = ()
    unexpected: tuple[Values, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    error: HeadwaterError | None = None

    @property
    def passed(self) -> bool:
        """Whether exactly the expected rows came out."""
        return not (self.missing or self.unexpected or self.mistakes or self.error)


class UnitTestRunner:
    """Runs the tests of one product's tables. Reads no cell and leaves nothing behind."""

    def __init__(self, spark: SparkSession, product: Product) -> None:
        """Run on `spark`, which stays as it is."""
        self._columns = InputColumns(spark, product)
        self._product = product
        self._tables = {one.name: one for one in product.derived_tables}

    def run(self, test: UnitTest) -> UnitTestResult:
        """Compute the test's hours from its rows, and compare. Errors with a name are in the result."""
        table = self._tables[test.table]
        mistakes: list[Mistake] = []
        try:
            with named_failures(table.name, self._columns.cell):
                given = self._given(test, table, mistakes)
                if mistakes:
                    return UnitTestResult(test, mistakes=tuple(mistakes))
                frame = compute_given(given_context(self._columns, table, test.computed, given))
                _refuse_others(table, frame)
                expected = [_values(test, one, frame.schema, mistakes) for one in test.expect]
                if mistakes:
                    return UnitTestResult(test, mistakes=tuple(mistakes))
                found = frame.toArrow().to_pylist(maps_as_pydicts="strict")
        except HeadwaterError as error:
            return UnitTestResult(test, error=error)
        return _compared(test, expected, [_small(one) for one in found])

    def _given(self, test: UnitTest, table: DerivedTable, mistakes: list[Mistake]) -> Rows:
        given: dict[str, list[Values]] = {}
        for name, rows in test.given.items():
            columns = self._columns.of(name, table)
            values = (_values(test, row, columns, mistakes) for row in rows)
            by_column = {one.lower(): one for one in columns.names}
            given[name] = [
                {
                    by_column[key]: value
                    for key, value in self._timed(test, table, name, one).items()
                }
                for one in values
            ]
        return given

    def _timed(self, test: UnitTest, table: DerivedTable, name: str, row: Values) -> Values:
        """Return a row of hours that are read with the time that says of which one, if it says none."""
        read = next((one for one in table.reads if one.table == name), None)
        if read is None:
            return row
        if name == EVENTS:
            return {_EVENT_TIME: _within(row, self._product.event_time) or test.hour, **row}
        return {HOUR_COLUMN: max(hours_of(read, test.hour)), **row}


def _within(row: Values, path: str) -> Any:
    """Return the value of a field, which may lie within records; None where there is none."""
    first, *rest = path.split(".")
    found = row.get(first.lower())
    for name in rest:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _values(test: UnitTest, row: Row, columns: StructType, mistakes: list[Mistake]) -> Values:
    """Return a row's values as Spark's; what is none of its column is a mistake."""
    types = {one.name.lower(): one.dataType for one in columns}
    values = {}
    for name, value in row.values.items():
        if name not in types:
            known = ", ".join(one for one in types if not one.startswith("_"))
            mistakes.append(
                test.mistake(row, name, f"a column that is given ({known}); not {name!r}")
            )
            continue
        try:
            values[name] = spark_value(value, types[name])
        except BadValueError as error:
            place = (*row.loc, row.keys[name], *error.loc)
            mistakes.append(test.document.mistake(place, str(error)))
    return values


def _refuse_others(table: DerivedTable, frame: DataFrame) -> None:
    """Refuse columns with which the audit publishes no hour.

    Raises:
        LogicError: they are not those of the contract.
    """
    given = {one.lower() for one in frame.columns} - {HOUR_COLUMN}
    stated = {one.name.lower() for one in table.columns}
    if given != stated:
        more, less = (", ".join(sorted(one)) or "none" for one in (given - stated, stated - given))
        raise LogicError(
            f"it gives other columns than the contract has (beside them: {more}; missing: {less}).",
            subject=table.name,
            remedy=f"Correct {table.logic.file.name} or the contract's properties.",
        )


def _compared(
    test: UnitTest, expected: Sequence[Values], found: Sequence[Values]
) -> UnitTestResult:
    differences = compare(expected, found, test.tolerance)
    named = dict.fromkeys(name for row in expected for name in row)
    return UnitTestResult(
        test,
        missing=tuple((test.line(test.expect[n]), expected[n]) for n in differences.missing),
        unexpected=tuple(
            {name: found[n][name] for name in named or found[n]} for n in differences.unexpected
        ),
    )


def _small(row: Values) -> Values:
    return {name.lower(): value for name, value in row.items()}
