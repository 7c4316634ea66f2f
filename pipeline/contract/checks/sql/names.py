"""Names of a statement, followed to the columns of the views that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.optimizer.scope import Scope, ScopeType, build_scope

from pipeline.config.nearest import did_you_mean
from pipeline.contract.checks.sql.statement import Statement
from pipeline.contract.checks.sql.units import UNITS
from pipeline.contract.checks.sql.views import OPEN, View
from pipeline.contract.source.mistakes import Mistake

_ROWS_OF_ONE = (exp.Explode, exp.Posexplode, exp.Inline, exp.Aliases, exp.UDTF)
"""What a SELECT lists once and gives as columns of other names."""


class Names:
    """What the names of one statement mean, with `views` by name in small letters."""

    def __init__(self, statement: Statement, views: Mapping[str, View]) -> None:
        self._statement = statement
        self._views = views
        self._root = build_scope(statement.query)
        self._wrong: set[int] = set()

    def given(self) -> tuple[str, ...] | None:
        """Return the names of what the statement gives, in small letters; None where not all are known."""
        return self._given(self._root) if self._root is not None else None

    def mistakes(self) -> Iterator[Mistake]:
        """Yield views that there are not, and columns that what is read does not have, each once a SELECT.

        Of columns of a subquery or CTE that has mistakes itself, nothing is told.
        """
        for scope in self._scopes():
            found = list(self._mistakes_of(scope))
            if found:
                self._wrong.add(id(scope))
            yield from found

    def _mistakes_of(self, scope: Scope) -> Iterator[Mistake]:
        for table in scope.tables:
            yield from self._unknown_view(scope, table)
        if isinstance(scope.expression, exp.SetOperation):
            yield from self._of_other_width(scope)
        if not isinstance(scope.expression, exp.Select):
            return
        yield from self._texts_for_columns(scope, scope.expression)
        told: set[str] = set()
        for column in scope.find_all(exp.Column):
            text = column.sql(dialect=Spark).lower()
            if text not in told:
                found = [*self._unknown_column(scope, column)]
                found = found or [*self._ambiguous(scope, column)]
                told |= {text} if found else set()
                yield from found

    def _of_other_width(self, scope: Scope) -> Iterator[Mistake]:
        widths = [self._given(one) for one in scope.set_operation_scopes]
        first = widths[0] if widths else None
        for one, given in zip(scope.set_operation_scopes[1:], widths[1:], strict=True):
            if first is not None and given is not None and len(given) != len(first):
                expected = f"{len(first)} columns, as the SELECT before has; not {len(given)}"
                yield self._statement.mistake(one.expression, expected)

    def _texts_for_columns(self, scope: Scope, select: exp.Select) -> Iterator[Mistake]:
        """Yield texts where columns are meant: to Spark what is in double quotes is a text."""
        group = select.args.get("group")
        columns = {name for _, view in self._seen(scope) for name in view.columns}
        for one in (*select.expressions, *(group.expressions if group is not None else ())):
            if isinstance(one, exp.Literal) and one.is_string and one.name.lower() in columns:
                expected = (
                    f"the column {one.name} without quotes or in backticks: in quotes it is a text"
                )
                place = max(self._statement.text.find(f'"{one.name}"'), 0)
                yield self._statement.mistake_at(place, expected)
                return

    def _ambiguous(self, scope: Scope, column: exp.Column) -> Iterator[Mistake]:
        """Yield a column without its table that several of the tables have."""
        joins = scope.expression.args.get("joins") or ()
        hidden = {join.alias_or_name for join in joins if join.kind in ("SEMI", "ANTI")}
        name = column.name.lower()
        shared = {one.name.lower() for join in joins for one in join.args.get("using") or ()}
        if column.table or name in shared or any(join.method == "NATURAL" for join in joins):
            return
        having = [
            source
            for source, node in scope.references
            if source not in hidden and name in self._view(scope, source, node).columns
        ]
        if len(having) > 1:
            expected = " or ".join(f"{one}.{column.name}" for one in having)
            yield self._statement.mistake(column, f"{expected}: both have {column.name!r}")

    def foreign_tables(self) -> Iterator[exp.Table]:
        """Yield tables that are named with their catalog or namespace: none of the views."""
        for scope in self._scopes():
            yield from (one for one in scope.tables if one.db)

    def _scopes(self) -> Iterator[Scope]:
        if self._root is not None:
            yield from self._root.traverse()

    def _unknown_view(self, scope: Scope, table: exp.Table) -> Iterator[Mistake]:
        is_cte = isinstance(scope.sources.get(table.alias_or_name), Scope)
        name = table.name.lower()
        if table.db or is_cte or not name or name in self._views:
            return
        known = ", ".join(sorted(self._views))
        expected = f"what the contract's `reads` and `references` name ({known}); not {name!r}"
        yield self._statement.mistake(table.this, f"{expected}{did_you_mean(name, self._views)}")

    def _unknown_column(self, scope: Scope, column: exp.Column) -> Iterator[Mistake]:
        if isinstance(column.this, exp.Star) or column.db or column.args.get("catalog"):
            return
        first, *rest = (part.name.lower() for part in column.parts)
        if not rest and (first in UNITS and isinstance(column.parent, exp.Func)):
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
        near = did_you_mean(column.name, (name for name in names if not name.startswith("_")))
        expected = f"a column of what it reads ({listed}); not {text!r}{near}"
        yield self._statement.mistake(column, expected)

    def _of_view(
        self, column: exp.Column, rest: list[str], view_name: str, view: View
    ) -> Iterator[Mistake]:
        if rest[0] in view.columns:
            yield from self._parts(column, rest[1:], view.columns[rest[0]])
        elif not view.is_open:
            listed = ", ".join(sorted(name for name in view.columns if not name.startswith("_")))
            expected = f"a column of {view_name} ({listed}); not {rest[0]!r}"
            yield self._statement.mistake(
                column, f"{expected}{did_you_mean(rest[0], view.columns)}"
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
            laterals = here.expression.args.get("laterals") or ()
            for name, node in here.references:
                if not isinstance(node, exp.Lateral):
                    yield name.lower(), self._view(here, name, node)
            for one in laterals:
                alias = one.args.get("alias")
                named = [part.name.lower() for part in alias.args.get("columns") or ()]
                yield alias.name.lower(), View(dict.fromkeys(named)) if named else OPEN
            outward = (
                here.scope_type in (ScopeType.SUBQUERY, ScopeType.UDTF) or here.can_be_correlated
            )
            here = here.parent if outward else None

    def _view(self, scope: Scope, name: str, node: exp.Expr) -> View:
        source = scope.sources.get(name)
        if node.args.get("pivots") or (isinstance(node, exp.Table) and _renames(node)):
            return OPEN
        if isinstance(source, Scope):
            given = None if id(source) in self._wrong else self._given(source)
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


def _aliases_seen(scope: Scope, column: exp.Column) -> set[str]:
    """Return the names that a SELECT gives its own columns, where Spark lets `column` use them."""
    if isinstance(column.find_ancestor(exp.Where, exp.Join, exp.Select), exp.Where | exp.Join):
        return set()
    seen: set[str] = set()
    for one in scope.expression.expressions:
        if any(one is above for above in _above(column)):
            # Within a SELECT's own list, those that come before.
            return seen
        if isinstance(one, exp.Alias):
            seen.add(one.alias.lower())
    return seen


def _above(node: exp.Expr) -> Iterator[exp.Expr]:
    here: exp.Expr | None = node
    while here is not None:
        yield here
        here = here.parent


def _renames(table: exp.Table) -> bool:
    alias = table.args.get("alias")
    return bool(alias is not None and alias.args.get("columns"))
