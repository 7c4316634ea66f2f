"""A query over one hour as a query that counts its rows in each hour of a range, where it provably does.

A pure function. What is read gets the hour of each row as one more column, and every SELECT keeps hours
apart: rows of one hour are joined, and the hour is given and grouped by. An aggregate without GROUP BY has
one row of any hour, of one that has nothing to aggregate too: so it is joined to the hours of the range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from sqlglot import exp
from sqlglot.dialects.spark import Spark

from pipeline.batch.sql.clauses import columns_of, outermost, refuse_calls, refuse_clauses
from pipeline.batch.sql.known import NotRangedError
from pipeline.batch.sql.scope import Scope, Source
from pipeline.batch.sql.statement import RESERVED, statement_of

BATCH = f"{RESERVED}batch"
"""The view of the rows that are audited, of all hours; an hour's own query calls it `{batch}`."""
HOURS = f"{RESERVED}hours"
"""The view of the range's hours, once each, in the column `hour`."""
ROWS = "rows"

_CLAUSES = ("expressions", "distinct", "from_", "joins", "where", "group", "having")
_KINDS = {
    ("", ""): "",
    ("", "INNER"): "",
    ("", "CROSS"): "",
    ("LEFT", ""): "",
    ("LEFT", "OUTER"): "",
    ("", "SEMI"): "SEMI",
    ("LEFT", "SEMI"): "SEMI",
    ("", "ANTI"): "ANTI",
    ("LEFT", "ANTI"): "ANTI",
}
"""Side and kind of joins of which rows of one hour have none of another -> the kind that has a condition."""


@dataclass(frozen=True)
class View:
    """What a query may read.

    Attributes:
        columns: their types, as Spark names them; "" where not known.
        hour: in SQL, which hour reads a row; None where every hour reads all of them.
    """

    columns: Mapping[str, str]
    hour: str | None


def range_query(text: str, views: Mapping[str, View]) -> str:
    """Return a query that gives, of each hour that has any, how many rows `text` gives of it.

    `text` is a query of an expectation: `views` are those that it may read of its hour, `BATCH` among them.
    What is returned reads the same views of a range of hours, and `HOURS`; it has the columns `hour` and
    `ROWS`, and may tell of hours that are not among `HOURS`.

    Raises:
        NotRangedError: the numbers may differ, or nobody knows.
    """
    statement = statement_of(text, BATCH)
    rewriting = _Rewriting({name.lower(): view for name, view in views.items()})
    select, source = rewriting.select(statement, "")
    counted = exp.select(f"{source.hour} AS hour", f"count(*) AS {ROWS}", dialect=Spark)
    found = counted.from_(_named(select, "")).group_by(source.hour, dialect=Spark)
    return found.sql(dialect=Spark, comments=False)


@dataclass(frozen=True)
class _Rewriting:
    views: Mapping[str, View]
    numbers: Iterable[int] = field(default_factory=count)

    def select(self, statement: exp.Select, name: str) -> tuple[exp.Select, Source]:
        """Return a SELECT of all hours, and what another one sees of it under `name`."""
        for clause, value in statement.args.items():
            if value and clause not in _CLAUSES:
                raise NotRangedError(f"it has {clause.strip('_').upper()}")
        distinct = statement.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise NotRangedError("it has DISTINCT ON")
        found, seen = self._sources(statement)
        calls = outermost(statement)
        group = statement.args.get("group")
        refuse_clauses(statement, seen)
        source = Source(name, columns_of(statement, seen), self._new("hour"))
        first = exp.column(seen.sources[0].hour)
        if group is None and (calls or statement.args.get("having")):
            return self._of_no_group(found, first, source.hour), source
        if group is not None:
            found = found.group_by(first)
        return found.select(exp.alias_(first, source.hour)), source

    def _sources(self, statement: exp.Select) -> tuple[exp.Select, Scope]:
        """Return the statement with its sources rewritten, and what its clauses see."""
        found = statement.copy()
        given = statement.args.get("from_")
        if given is None:
            raise NotRangedError("it has a SELECT that reads nothing")
        relation, first = self._source(given.this)
        found.args["from_"].set("this", relation)
        joined, seen = [first], [first]
        for place, join in enumerate(statement.args.get("joins") or ()):
            kind = _KINDS.get((join.side, join.kind))
            if kind is None or join.method or join.args.get("using"):
                raise NotRangedError(
                    "it has a join that is neither inner nor left, or is USING or NATURAL"
                )
            relation, source = self._source(join.this)
            joined.append(source)
            seen += [] if kind else [source]
            on = join.args.get("on")
            if on is not None:
                Scope(tuple(joined)).refuse_unknown(on)
                refuse_calls(on)
            here = exp.column(first.hour).eq(exp.column(source.hour))
            new = found.args["joins"][place]
            new.set("this", relation)
            new.set("kind", kind or None)
            new.set("side", join.side or ("LEFT" if kind else None))
            new.set("on", here if on is None else exp.and_(on.copy(), here, dialect=Spark))
        return found, Scope(tuple(seen))

    def _source(self, relation: exp.Expr) -> tuple[exp.Expr, Source]:
        alias = relation.args.get("alias")
        more = (value for name, value in relation.args.items() if name not in ("this", "alias"))
        if any(more) or (alias is not None and alias.args.get("columns")):
            raise NotRangedError("it reads more than plain views")
        if isinstance(relation, exp.Subquery) and isinstance(relation.this, exp.Select):
            inner, source = self.select(relation.this, relation.alias.lower())
            return _named(inner, relation.alias), source
        if not isinstance(relation, exp.Table) or not isinstance(relation.this, exp.Identifier):
            raise NotRangedError("it reads more than plain views")
        view = self.views.get(relation.name.lower())
        if view is None:
            raise NotRangedError(f"it reads {relation.name}, of which hours are not read together")
        hour = self._new("hour")
        rows, table = exp.select("*"), relation.this.sql(dialect=Spark)
        if view.hour is None:
            rows = exp.select(f"{table}.*", f"{HOURS}.`hour` AS {hour}", dialect=Spark)
        else:
            rows = rows.select(f"{view.hour} AS {hour}", dialect=Spark)
        rows = rows.from_(exp.to_table(table, dialect=Spark))
        if view.hour is None:
            rows = rows.join(HOURS, join_type="CROSS", dialect=Spark)
        name = "" if relation.name == BATCH and not relation.alias else relation.alias_or_name
        columns = {column.lower(): type_ for column, type_ in view.columns.items()}
        return _named(rows, name), Source(name.lower(), columns, hour)

    def _of_no_group(self, found: exp.Select, first: exp.Column, hour: str) -> exp.Select:
        """Return the one row of each hour: aggregates of its rows, or of none."""
        values: list[exp.Expr] = []
        own = self._new("hour")
        for call in outermost(found):
            name = self._new("value")
            values.append(exp.alias_(call.copy(), name))
            value: exp.Expr = exp.column(name)
            if isinstance(
                call.this if isinstance(call, exp.Filter) else call, exp.Count | exp.CountIf
            ):
                none = exp.cast(exp.Literal.number(0), "bigint")
                value = exp.Coalesce(this=value, expressions=[none])
            call.replace(value)
        inner = exp.select(*values, exp.alias_(first, own))
        for clause in ("from_", "joins", "where"):
            inner.set(clause, found.args.get(clause))
        inner = inner.group_by(first)
        spine = exp.column("hour", table=HOURS)
        outer = exp.select(*found.expressions, exp.alias_(spine, hour)).from_(HOURS)
        outer = outer.join(_named(inner, ""), on=spine.eq(exp.column(own)), join_type="LEFT")
        having = found.args.get("having")
        return outer if having is None else outer.where(having.this)

    def _new(self, what: str) -> str:
        return f"{RESERVED}{what}_{next(iter(self.numbers))}"


def _named(select: exp.Select, name: str) -> exp.Subquery:
    alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True)) if name else None
    return exp.Subquery(this=select, alias=alias)
