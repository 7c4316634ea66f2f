"""The SQL of a product's derived tables, held to what it reads and to what its contract says it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.contract.checks.sql.functions import function_mistakes, order_warnings
from pipeline.contract.checks.sql.grouping import ungrouped_columns
from pipeline.contract.checks.sql.names import Names
from pipeline.contract.checks.sql.statement import Statement, StatementError, read_statement
from pipeline.contract.checks.sql.types import wrong_types
from pipeline.contract.checks.sql.views import View, base_views, described_view, readable
from pipeline.contract.folders import CONTRACT_FILE
from pipeline.contract.model import DerivedTable, Product
from pipeline.contract.source.document import Document, Loc
from pipeline.contract.source.mistakes import Findings, Mistake
from pipeline.contract.source.reader import ContractReader
from pipeline.tables.layout import HOUR_COLUMN


def check_sql(product: Product) -> Findings:
    """Check the SQL of a product's derived tables, in the files as they are now. Runs none of it.

    Mistakes are what no hour can be built with, or not twice alike, and what the contract says otherwise.
    A statement without mistakes may still be refused by Spark: what is not certain is not told.
    """
    views = base_views(product)
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    for table in product.derived_tables:
        own = _OwnPlaces(table)
        mistakes += _unknown_sources(table, own, views)
        seen = {name.lower(): views[name] for name in readable(table) if name in views}
        views[table.name] = described_view(table)
        if table.logic.language != "sql":
            continue
        try:
            statement = read_statement(table.logic.file)
        except StatementError as error:
            mistakes.append(error.mistake)
            continue
        names = Names(statement, seen)
        found = [*names.mistakes(), *function_mistakes(statement)]
        found += [
            statement.mistake(one, f"it in GROUP BY, or an aggregate of it: {one.name!r}")
            for one in ungrouped_columns(statement.query)
        ]
        mistakes += found or _against_contract(table, own, statement, names, seen)
        warnings += [*_beside_inputs(statement, names), *order_warnings(statement)]
    return Findings(tuple(sorted(set(mistakes))), tuple(sorted(set(warnings))))


class _OwnPlaces:
    """Where the contract of a derived table says what of its columns."""

    def __init__(self, table: DerivedTable) -> None:
        self._reader = ContractReader(Document(table.folder / CONTRACT_FILE))
        self._loc: Loc = next(
            (
                loc
                for loc, one in self._reader.mappings(("schema",))
                if one.get("name") == table.name
            ),
            ("schema",),
        )
        self.columns = {
            str(entry["name"]): (place, entry)
            for place, entry in self._reader.mappings((*self._loc, "properties"))
            if isinstance(entry.get("name"), str)
        }

    def mistake(self, column: str, key: str, expected: str) -> Mistake:
        """Return a mistake in what the contract says of a column."""
        place = (*self.columns[column][0], key) if column in self.columns else self._loc
        return self._reader.document.mistake(place, expected)


def _against_contract(
    table: DerivedTable,
    own: _OwnPlaces,
    statement: Statement,
    names: Names,
    views: Mapping[str, View],
) -> Iterator[Mistake]:
    """Yield where the contract says otherwise than a statement whose names are all known."""
    given, file = names.given(), statement.file.name
    if given is not None:
        by_range = table.logic.incremental_by == "timeRange"
        if by_range and HOUR_COLUMN not in given:
            yield statement.mistake_at(0, f"a column {HOUR_COLUMN!r}: it computes a range of hours")
        if not by_range and HOUR_COLUMN in given:
            yield statement.mistake_at(0, f"no column {HOUR_COLUMN!r}: the engine adds it")
        described = {column.lower() for column in own.columns}
        for one in statement.query.selects:
            name = one.alias_or_name.lower()
            if name in given and name not in (*described, HOUR_COLUMN):
                expected = f"a column that {CONTRACT_FILE} has a property for; not {name!r}"
                yield statement.mistake(one, expected)
        for column in own.columns:
            if column.lower() not in given:
                expected = f"a column that {file} gives ({', '.join(given)}); not {column!r}"
                yield own.mistake(column, "name", expected)
    stated = {
        name.lower(): str(entry.get("logicalType")) for name, (_, entry) in own.columns.items()
    }
    wrong = wrong_types(statement.query, views, stated)
    for name, (_, entry) in own.columns.items():
        if (is_really := wrong.get(name.lower())) is not None:
            expected = f"the type that {file} gives, {is_really}; not {entry.get('logicalType')!r}"
            yield own.mistake(name, "logicalType", expected)
    for stating in table.columns:
        said = {tuple(one.lower().split(".", 1)) for one in stating.sources}
        for source in sorted(names.sources(stating.name.lower()) or (), key=str) if said else ():
            if (source.view, source.column) not in said:
                text = f"{source.view}.{source.column}"
                expected = f"{text} too: {file} makes {stating.name} from it"
                yield own.mistake(stating.name, "transformSourceObjects", expected)


def _unknown_sources(
    table: DerivedTable, own: _OwnPlaces, views: Mapping[str, View]
) -> Iterator[Mistake]:
    """Yield `transformSourceObjects` that name a column that there is not."""
    for column in table.columns:
        for source in column.sources:
            of, _, name = source.partition(".")
            view = views.get(of)
            if view is not None and name.lower() not in view.columns and of != table.name:
                listed = ", ".join(sorted(one for one in view.columns if not one.startswith("_")))
                yield own.mistake(
                    column.name,
                    "transformSourceObjects",
                    f"a column of {of} ({listed}); not {name!r}",
                )


def _beside_inputs(statement: Statement, names: Names) -> Iterator[Mistake]:
    for table in names.foreign_tables():
        text = ".".join(part.name for part in table.parts)
        expected = (
            f"what the contract's `reads` and `references` name: of {text} nobody knows which hours it was "
            "for, and no hour is built again when it changes"
        )
        yield statement.mistake(table, expected)
