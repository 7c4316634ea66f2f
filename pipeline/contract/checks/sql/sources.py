"""What each column of a statement is made from, and what else its value depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from pipeline.contract.checks.sql.qualified import qualified, view_schema
from pipeline.contract.checks.sql.units import UNITS
from pipeline.contract.checks.sql.views import OPEN, View

_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)
_CHOOSING = ("where", "group", "having", "order", "sort", "cluster", "distribute", "laterals")
"""Parts of a SELECT that say which rows there are, and in what order."""


@dataclass(frozen=True, order=True)
class BaseColumn:
    """A column of a view, both in small letters."""

    view: str
    column: str

    def __str__(self) -> str:
        return f"{self.view}.{self.column}"


@dataclass(frozen=True)
class Made:
    """What a column depends on.

    Attributes:
        values: what its value is computed from, conditions of CASE and FILTER too.
        rows: what it depends on besides: what rows are chosen, joined, grouped and put in order by. Of a
            column whose value is computed from no column, as `count(*)`, all columns of what is counted.
    """

    values: frozenset[BaseColumn] = frozenset()
    rows: frozenset[BaseColumn] = frozenset()

    def __or__(self, other: Made) -> Made:
        return Made(self.values | other.values, self.rows | other.rows)

    @property
    def all_as_rows(self) -> Made:
        """The same, none of it as values."""
        return Made(rows=self.values | self.rows)


class _NotKnownError(Exception):
    """What a column is made from is not certain."""


def column_sources(query: exp.Query, views: Mapping[str, View]) -> Mapping[str, Made]:
    """Return what the columns that `query` gives are made from, by name in small letters.

    Followed through subqueries, CTEs, set operations, `*` and generators to the columns of `views`. A column
    of which it is not certain is left out, as all are of a statement with PIVOT, NATURAL joins or recursion.
    """
    if any(view.is_open for view in views.values()) or _is_beyond(query):
        return {}
    whole = qualified(query, view_schema(views), expand_aliases=False)
    root = build_scope(whole) if whole is not None else None
    if root is None:
        return {}
    walk = _Walk(views, query)
    found: dict[str, Made] = {}
    for name in _outputs(root):
        try:
            found[name] = walk.column(root, name)
        except (_NotKnownError, RecursionError):
            continue
    return found


def _is_beyond(query: exp.Query) -> bool:
    return (
        query.find(exp.Pivot) is not None
        or any(one.method == "NATURAL" for one in query.find_all(exp.Join))
        or any(one.args.get("recursive") for one in query.find_all(exp.With))
        or any(one.args.get("by_name") for one in query.find_all(exp.SetOperation))
    )


class _Walk:
    """Follows columns of scopes, each once. Its methods raise `_NotKnownError`."""

    def __init__(self, views: Mapping[str, View], query: exp.Query) -> None:
        self._views = views
        self._found: dict[tuple[int, str], Made] = {}
        self._rows: dict[int, Made] = {}
        self._under_way: set[tuple[int, str]] = set()
        self._shared: set[str] = set()
        self._unsure: set[str] = set()
        for join in query.find_all(exp.Join):
            names = {one.name.lower() for one in join.args.get("using") or ()}
            self._shared |= names
            # Whose value USING gives is not certain of these.
            self._unsure |= names if join.side in ("RIGHT", "FULL") else set()

    def column(self, scope: Scope, name: str) -> Made:
        """Return what the column `name` that a scope gives is made from."""
        key = (id(scope), name)
        if key not in self._found:
            self._found[key] = self._column(scope, name)
        return self._found[key]

    @contextmanager
    def _on_the_way(self, key: tuple[int, str]) -> Iterator[None]:
        self._under_way.add(key)
        try:
            yield
        finally:
            self._under_way.discard(key)

    def _column(self, scope: Scope, name: str) -> Made:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            return self._of_set(scope, expression, name)
        if isinstance(expression, exp.Values):
            return Made()
        if isinstance(expression, exp.Lateral):
            return self._of_generator(scope, expression)
        if not isinstance(expression, exp.Select):
            raise _NotKnownError
        return self._projected(scope, _outputs(scope).get(name)) | self._rows_of(scope)

    def _of_set(self, scope: Scope, operation: exp.SetOperation, name: str) -> Made:
        """Return what a column of a set operation is made from; values of EXCEPT are those before it."""
        names = list(_outputs(scope))
        made = self._rows_of(scope)
        for at, branch in enumerate(scope.set_operation_scopes):
            of_branch = list(_outputs(branch))
            if name not in names or len(of_branch) != len(names):
                raise _NotKnownError
            of_column = self.column(branch, of_branch[names.index(name)])
            is_value = at == 0 or isinstance(operation, exp.Union)
            made |= of_column if is_value else of_column.all_as_rows
        return made

    def _of_generator(self, scope: Scope, lateral: exp.Lateral) -> Made:
        if scope.parent is None or lateral.find(exp.Query) is not None:
            raise _NotKnownError
        return self._node(scope, lateral.this)

    def _rows_of(self, scope: Scope) -> Made:
        """Return what decides which rows a scope gives."""
        if id(scope) not in self._rows:
            self._rows[id(scope)] = self._decide(scope).all_as_rows
        return self._rows[id(scope)]

    def _decide(self, scope: Scope) -> Made:
        expression = scope.expression
        made = Made()
        if isinstance(expression, exp.SetOperation):
            for branch in scope.set_operation_scopes:
                made |= self._rows_of(branch)
                if expression.args.get("distinct") or not isinstance(expression, exp.Union):
                    made |= self._every_output(branch)
            return made
        if isinstance(expression, exp.Lateral):
            return self._of_generator(scope, expression)
        if not isinstance(expression, exp.Select):
            return made
        for part in _choosing(expression):
            made |= self._node(scope, part)
        group = expression.args.get("group")
        if expression.args.get("distinct") or (group is not None and group.args.get("all")):
            for one in expression.selects:
                made |= self._node(scope, one)
        for _, source in scope.selected_sources.values():
            made |= self._rows_of(source) if isinstance(source, Scope) else Made()
        return made

    def _projected(self, scope: Scope, projection: exp.Expr | None) -> Made:
        """Return what one of the expressions of a SELECT is made from, but for what decides its rows."""
        if projection is None:
            raise _NotKnownError
        made = self._node(scope, projection)
        if not made.values:
            made |= self._every_column(scope)
        return made

    def _node(self, scope: Scope, node: exp.Expr) -> Made:
        if isinstance(node, exp.Column):
            return self._named(scope, node)
        if isinstance(node, exp.Query):
            return self._subquery(scope, node)
        if isinstance(node, exp.Window):
            return self._window(scope, node)
        if isinstance(node, exp.Coalesce) and self._is_using(node):
            made = self._node(scope, node.this)
            return made | self._nodes(scope, node.expressions).all_as_rows
        made = self._nodes(scope, node.iter_expressions())
        if isinstance(node, exp.Count) and node.find(exp.Star) is not None:
            made |= self._every_column(scope)
        return made.all_as_rows if isinstance(node, exp.Exists) else made

    def _nodes(self, scope: Scope, nodes: Iterator[exp.Expr] | list[exp.Expr]) -> Made:
        made = Made()
        for one in nodes:
            made |= self._node(scope, one)
        return made

    def _window(self, scope: Scope, window: exp.Window) -> Made:
        """Return what a window's function takes as values, and of a rank what it is ranked by."""
        made = self._node(scope, window.this)
        named = {one.name.lower(): one for one in scope.expression.args.get("windows") or ()}
        over = named.get(window.alias.lower()) if window.alias else window
        for place in (window, over) if over is not None else (window,):
            order = [place.args["order"]] if place.args.get("order") else []
            ranked = self._nodes(scope, order)
            made |= ranked if isinstance(window.this, _RANKS) else ranked.all_as_rows
            made |= self._nodes(scope, place.args.get("partition_by") or []).all_as_rows
        return made

    def _subquery(self, scope: Scope, query: exp.Query) -> Made:
        if isinstance(query, exp.Subquery):
            return self._node(scope, query.this)
        for one in scope.subquery_scopes:
            if one.expression is query:
                return self._every_output(one)
        raise _NotKnownError

    def _named(self, scope: Scope, column: exp.Column) -> Made:
        name = column.name.lower()
        if name in self._unsure or isinstance(column.this, exp.Star):
            raise _NotKnownError
        if not column.table:
            outputs, key = _outputs(scope), (id(scope), f"{name} of this list")
            if name in outputs and key not in self._under_way:
                with self._on_the_way(key):
                    return self._projected(scope, outputs[name])
            if name in UNITS and isinstance(column.parent, exp.Func):
                return Made()
            return self._in_source(scope, self._table_of(scope, name), name)
        made = self._in_source(scope, column.table, name)
        # A unit of time that is taken for a column of that name is none.
        is_unit = name in UNITS and isinstance(column.parent, exp.Anonymous)
        return made.all_as_rows if is_unit else made

    def _table_of(self, scope: Scope, name: str) -> str:
        """Return the one table that a column without one is of: in HAVING sqlglot names none."""
        having = []
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, Scope):
                outputs = _outputs(source)
                if None in outputs.values():
                    raise _NotKnownError
                having += [alias] if name in outputs else []
            elif name in self._views.get(source.name.lower(), OPEN).columns:
                having.append(alias)
        if len(having) != 1:
            raise _NotKnownError
        return having[0]

    def _in_source(self, scope: Scope, table: str, name: str) -> Made:
        here: Scope | None = scope
        while here is not None and table not in here.sources:
            here = here.parent
        source = here.sources[table] if here is not None else None
        if isinstance(source, Scope):
            return self.column(source, name)
        if not isinstance(source, exp.Table) or source.db:
            raise _NotKnownError
        view = self._views.get(source.name.lower())
        if view is None or name not in view.columns:
            raise _NotKnownError
        return Made(frozenset([BaseColumn(source.name.lower(), name)]))

    def _is_using(self, coalesce: exp.Coalesce) -> bool:
        parts = [coalesce.this, *coalesce.expressions]
        names = {one.name.lower() if isinstance(one, exp.Column) else "" for one in parts}
        return len(names) == 1 and names <= self._shared

    def _every_output(self, scope: Scope) -> Made:
        made = Made()
        for name in _outputs(scope):
            made |= self.column(scope, name)
        return made

    def _every_column(self, scope: Scope) -> Made:
        """Return all columns of what a scope reads: its rows are counted, whatever they hold."""
        made = Made()
        for _, source in scope.selected_sources.values():
            if isinstance(source, Scope):
                made |= self._every_output(source)
                continue
            view = self._views.get(source.name.lower()) if not source.db else None
            if view is None:
                raise _NotKnownError
            name = source.name.lower()
            made |= Made(frozenset(BaseColumn(name, column) for column in view.columns))
        return made.all_as_rows


def _choosing(select: exp.Select) -> Iterator[exp.Expr]:
    for name in _CHOOSING:
        part = select.args.get(name)
        if isinstance(part, list):
            yield from (one.this if isinstance(one, exp.Lateral) else one for one in part)
        elif part is not None:
            yield part
    for join in select.args.get("joins") or ():
        if join.args.get("on") is not None:
            yield join.args["on"]


def _outputs(scope: Scope) -> dict[str, exp.Expr | None]:
    """Return what a scope gives, by name; None for what has no expression of its own."""
    expression = scope.expression
    if isinstance(expression, exp.SetOperation):
        branches = scope.set_operation_scopes
        return dict.fromkeys(_outputs(branches[0])) if branches else {}
    if not isinstance(expression, exp.Select):
        return {}
    found: dict[str, exp.Expr | None] = {}
    for one in expression.selects:
        is_plain = not (one.is_star or isinstance(one, exp.Aliases))
        found[one.alias_or_name.lower()] = one if is_plain else None
    return found
