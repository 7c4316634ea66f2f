"""The SQL of a product's derived tables, held to what it reads and to what its contract says it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from sqlglot import exp

from pipeline.config.nearest import nearest
from pipeline.contract.checks.sql.functions import function_mistakes, order_warnings
from pipeline.contract.checks.sql.grouping import misplaced_aggregates, ungrouped_columns
from pipeline.contract.checks.sql.names import Names
from pipeline.contract.checks.sql.refused import refused
from pipeline.contract.checks.sql.sources import BaseColumn, Made, column_sources
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
        by_range = table.logic.incremental_by == "timeRange"
        parameters = ("start", "end") if by_range else ()
        found = [*names.mistakes(), *function_mistakes(statement)]
        found += refused(statement, parameters=parameters)
        found = found or [*_of_groups(statement)]
        made = column_sources(statement.query, seen) if not found else {}
        mistakes += found or [
            *_against_contract(table, own, statement, names, seen),
            *_of_sources(table, own, made, seen),
        ]
        warnings += _unsaid_sources(table, own, made)
        warnings += [*_beside_inputs(statement, names), *order_warnings(statement)]
    return Findings(tuple(sorted(set(mistakes))), tuple(sorted(set(warnings))))


def _of_groups(statement: Statement) -> Iterator[Mistake]:
    misplaced = [*misplaced_aggregates(statement.query)]
    yield from (statement.mistake(node, expected) for node, expected in misplaced)
    for one in ungrouped_columns(statement.query) if not misplaced else ():
        yield statement.mistake(one, f"it in GROUP BY, or an aggregate of it: {one.name!r}")


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
        yield from _of_columns(own, statement, given, by_range=by_range)
    stated = {
        name.lower(): str(entry.get("logicalType")) for name, (_, entry) in own.columns.items()
    }
    wrong = wrong_types(statement.query, views, stated)
    for name, (_, entry) in own.columns.items():
        if (is_really := wrong.get(name.lower())) is not None:
            expected = f"the type that {file} gives, {is_really}; not {entry.get('logicalType')!r}"
            yield own.mistake(name, "logicalType", expected)


def _of_sources(
    table: DerivedTable, own: _OwnPlaces, made: Mapping[str, Made], views: Mapping[str, View]
) -> Iterator[Mistake]:
    """Yield sources that are not said, and said ones that a column does not depend on: a pair as one."""
    file = table.logic.file.name
    for column in table.columns:
        parts = [one.lower().partition(".") for one in column.sources]
        said = {BaseColumn(view, name) for view, _, name in parts}
        known = all(one.view in views and one.column in views[one.view].columns for one in said)
        of_column = made.get(column.name.lower())
        if of_column is None or not said or not known:
            continue
        missing = sorted(of_column.values - said)
        needless = sorted(said - of_column.values - of_column.rows)
        for source, other in zip_longest(missing, needless):
            if source is None:
                expected = (
                    f"what {file} makes {column.name} from, or chooses its rows by; "
                    f"not '{other}', on which it does not depend"
                )
            else:
                also = f"; not '{other}'" if other is not None else ""
                expected = f"{source} too: {file} makes {column.name} from it{also}"
            yield own.mistake(column.name, "transformSourceObjects", expected)


def _unsaid_sources(
    table: DerivedTable, own: _OwnPlaces, made: Mapping[str, Made]
) -> Iterator[Mistake]:
    """Yield columns of which the contract says no source, and the SQL does."""
    for column in table.columns:
        of_column = made.get(column.name.lower())
        if of_column is not None and of_column.values and not column.sources:
            listed = ", ".join(map(str, sorted(of_column.values)))
            expected = f"transformSourceObjects: [{listed}]: without it no lineage tells of it"
            yield own.mistake(column.name, "name", expected)


def _of_columns(
    own: _OwnPlaces, statement: Statement, given: tuple[str, ...], *, by_range: bool
) -> Iterator[Mistake]:
    """Yield columns that a statement gives and the contract does not describe, and the other way round."""
    file = statement.file.name
    selected = {one.alias_or_name.lower(): one for one in statement.query.selects}
    if by_range and HOUR_COLUMN not in given:
        expected = f"a column {HOUR_COLUMN!r}: it computes a range of hours"
        yield statement.mistake_at(statement.start, expected)
    if not by_range and HOUR_COLUMN in given:
        at = selected.get(HOUR_COLUMN, statement.query)
        yield statement.mistake(at, f"no column {HOUR_COLUMN!r}: the engine adds it")
    missing = [name for name in own.columns if name.lower() not in given]
    described = {*(name.lower() for name in own.columns), HOUR_COLUMN}
    for name in dict.fromkeys(given):
        if given.count(name) > 1:
            expected = f"each column once; {name!r} is here twice"
            yield statement.mistake(selected.get(name, statement.query), expected)
        if name in described:
            continue
        # Of a column under another name it would be the second mistake.
        meant = nearest(name, missing) or (missing[0] if missing else None)
        if meant is not None:
            missing.remove(meant)
        hint = f", {meant!r} for one;" if meant is not None else ";"
        one = selected.get(name)
        if one is None:
            expected = f"what {CONTRACT_FILE} has a property for{hint} `*` gives {name!r} too"
            star = next((each for each in statement.query.selects if each.is_star), statement.query)
            yield statement.mistake(star, expected)
            return
        if isinstance(one, exp.Alias | exp.Column):
            expected = f"a column that {CONTRACT_FILE} has a property for{hint} not {name!r}"
        else:
            expected = f"a name for it: AS {meant or '<property>'}"
        yield statement.mistake(one, expected)
    for column in missing:
        expected = f"a column that {file} gives ({', '.join(given)}); not {column!r}"
        yield own.mistake(column, "name", expected)


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
