"""Names of a statement, followed to the columns of the views that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.optimizer.scope import Scope, ScopeType, build_scope

from pipeline.contract.checks.sql.statement import Statement
from pipeline.contract.checks.sql.views import OPEN, View
from pipeline.contract.source.mistakes import Mistake

_UNITS = frozenset(
    [
        "year",
        "years",
        "quarter",
        "month",
        "months",
        "week",
        "weeks",
        "day",
        "days",
        "dayofyear",
        "hour",
        "hours",
        "minute",
        "minutes",
        "second",
        "seconds",
        "millisecond",
        "milliseconds",
        "microsecond",
        "microseconds",
    ]
)
_ROWS_OF_ONE = (exp.Explode, exp.Posexplode, exp.Inline, exp.Aliases, exp.UDTF)
"""What a SELECT lists once and gives as columns of other names."""


@dataclass(frozen=True)
class BaseColumn:
    """A column of a view, both in small letters."""

    view: str
    column: str


class Names:
    """What the names of one statement mean, with `views` by name in small letters."""

    def __init__(self, statement: Statement, views: Mapping[str, View]) -> None:
        self._statement = statement
        self._views = views
        self._root = build_scope(statement.query)

    def given(self) -> tuple[str, ...] | None:
        """Return the names of what the statement gives, in small letters; None where not all are known."""
        return self._given(self._root) if self._root is not None else None

    def mistakes(self) -> Iterator[Mistake]:
        """Yield views that there are not, and columns that what is read does not have."""
        for scope in self._scopes():
            for table in scope.tables:
                yield from self._unknown_view(scope, table)
            if isinstance(scope.expression, exp.Select):
                for column in scope.find_all(exp.Column):
                    yield from self._unknown_column(scope, column)

    def foreign_tables(self) -> Iterator[exp.Table]:
        """Yield tables that are named with their catalog or namespace: none of the views."""
        for scope in self._scopes():
            yield from (one for one in scope.tables if one.db)

    def sources(self, name: str) -> frozenset[BaseColumn] | None:
        """Return the columns of views that the column `name` is made from; None where not all are known.

        Not those that say which rows there are: of conditions, joins and groups.
        """
        return self._sources_of(self._root, name) if self._root is not None else None

    def _scopes(self) -> Iterator[Scope]:
        if self._root is not None:
            yield from self._root.traverse()

    def _unknown_view(self, scope: Scope, table: exp.Table) -> Iterator[Mistake]:
        is_cte = isinstance(scope.sources.get(table.alias_or_name), Scope)
        name = table.name.lower()
        if table.db or is_cte or not name or name in self._views:
            return
        known = ", ".join(sorted(self._views))
        yield self._statement.mistake(
            table.this, f"what the contract's `reads` and `references` name ({known}); not {name!r}"
        )

    def _unknown_column(self, scope: Scope, column: exp.Column) -> Iterator[Mistake]:
        if isinstance(column.this, exp.Star) or column.db or column.args.get("catalog"):
            return
        first, *rest = (part.name.lower() for part in column.parts)
        if not rest and (first in _UNITS and isinstance(column.parent, exp.Func)):
            return
        if not rest and first in _aliases_seen(scope, column):
            return
        names: set[str] = set()
        for view_name, view in self._seen(scope):
            if rest and first == view_name:
                yield from self._of_view(column, rest, view_name, view)
                return
            if first in view.columns:
                yield from self._parts(column, rest, view.columns[first])
                return
            if view.is_open:
                return
            names |= set(view.columns)
        text = column.sql(dialect=Spark)
        listed = ", ".join(sorted(name for name in names if not name.startswith("_")))
        yield self._statement.mistake(column, f"a column of what it reads ({listed}); not {text!r}")

    def _of_view(
        self, column: exp.Column, rest: list[str], view_name: str, view: View
    ) -> Iterator[Mistake]:
        if rest[0] in view.columns:
            yield from self._parts(column, rest[1:], view.columns[rest[0]])
        elif not view.is_open:
            listed = ", ".join(sorted(name for name in view.columns if not name.startswith("_")))
            yield self._statement.mistake(
                column, f"a column of {view_name} ({listed}); not {rest[0]!r}"
            )

    def _parts(
        self, column: exp.Column, rest: list[str], type_: pa.DataType | None
    ) -> Iterator[Mistake]:
        """Yield a part of a record that it does not have."""
        for name in rest:
            if type_ is None or pa.types.is_list(type_) or pa.types.is_map(type_):
                return
            if not pa.types.is_struct(type_):
                yield self._statement.mistake(column, f"no part of what is {type_}; not {name!r}")
                return
            fields = [type_.field(at) for at in range(type_.num_fields)]
            inner = {field.name.lower(): field.type for field in fields}
            if name not in inner:
                listed = ", ".join(sorted(inner))
                expected = f"a part of the record ({listed}); not {name!r}"
                yield self._statement.mistake(column, expected)
                return
            type_ = inner[name]

    def _seen(self, scope: Scope) -> Iterator[tuple[str, View]]:
        """Yield what an expression may name columns of, the nearest first, each with what it is called."""
        here: Scope | None = scope
        while here is not None:
            for name, node in here.references:
                yield name.lower(), self._view(here, name, node)
            if here.expression.args.get("laterals"):
                yield "", OPEN
            outward = (
                here.scope_type in (ScopeType.SUBQUERY, ScopeType.UDTF) or here.can_be_correlated
            )
            here = here.parent if outward else None

    def _view(self, scope: Scope, name: str, node: exp.Expr) -> View:
        source = scope.sources.get(name)
        if node.args.get("pivots") or (isinstance(node, exp.Table) and _renames(node)):
            return OPEN
        if isinstance(source, Scope):
            given = self._given(source)
            return OPEN if given is None else View(dict.fromkeys(given))
        if isinstance(source, exp.Table) and not source.db:
            return self._views.get(source.name.lower(), OPEN)
        return OPEN

    def _given(self, scope: Scope) -> tuple[str, ...] | None:
        if scope.outer_columns:
            return tuple(name.lower() for name in scope.outer_columns)
        if isinstance(scope.expression, exp.SetOperation):
            return (
                self._given(scope.set_operation_scopes[0]) if scope.set_operation_scopes else None
            )
        if not isinstance(scope.expression, exp.Select):
            return None
        found: list[str] = []
        for one in scope.expression.expressions:
            if one.is_star:
                of_star = self._of_star(scope, one)
                if of_star is None:
                    return None
                found += of_star
            elif isinstance(one.unalias(), _ROWS_OF_ONE) or isinstance(one, exp.Aliases):
                return None
            else:
                found.append(one.alias_or_name.lower())
        return tuple(found)

    def _of_star(self, scope: Scope, star: exp.Expr) -> list[str] | None:
        if any((star.this if isinstance(star, exp.Column) else star).args.values()):
            return None
        of = star.table.lower() if isinstance(star, exp.Column) else ""
        found: list[str] = []
        for name, node in scope.references:
            if of in ("", name.lower()):
                view = self._view(scope, name, node)
                if view.is_open:
                    return None
                found += view.columns
        return found or None

    def _sources_of(self, scope: Scope, name: str) -> frozenset[BaseColumn] | None:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            given = self._given(scope)
            if given is None or name not in given:
                return None
            found: frozenset[BaseColumn] = frozenset()
            for one in scope.set_operation_scopes:
                names = self._given(one)
                of_one = self._sources_of(one, names[given.index(name)]) if names else None
                if of_one is None:
                    return None
                found |= of_one
            return found
        if not isinstance(expression, exp.Select) or scope.outer_columns:
            return None
        projection = next(
            (one for one in expression.expressions if one.alias_or_name.lower() == name), None
        )
        if projection is None or projection.is_star or projection.find(exp.Query):
            return None
        return self._sources_in(scope, projection)

    def _sources_in(self, scope: Scope, part: exp.Expr) -> frozenset[BaseColumn] | None:
        found: frozenset[BaseColumn] = frozenset()
        for column in part.find_all(exp.Column):
            of_column = self._source(scope, column)
            if of_column is None:
                return None
            found |= of_column
        return found

    def _source(self, scope: Scope, column: exp.Column) -> frozenset[BaseColumn] | None:
        first, *rest = (part.name.lower() for part in column.parts)
        for name, node in scope.references:
            view, source = self._view(scope, name, node), scope.sources.get(name)
            own = rest[0] if rest and name.lower() == first else first
            if own not in view.columns:
                if view.is_open:
                    return None
                continue
            if isinstance(source, Scope):
                return self._sources_of(source, own)
            return frozenset([BaseColumn(source.name.lower(), own)]) if source else None
        return None


def _aliases_seen(scope: Scope, column: exp.Column) -> set[str]:
    """Return the names that a SELECT gives its own columns, where Spark lets `column` use them."""
    if isinstance(column.find_ancestor(exp.Where, exp.Join, exp.Select), exp.Where | exp.Join):
        return set()
    expressions = scope.expression.expressions
    return {one.alias.lower() for one in expressions if isinstance(one, exp.Alias)}


def _renames(table: exp.Table) -> bool:
    alias = table.args.get("alias")
    return bool(alias is not None and alias.args.get("columns"))
