"""What is known of SQL whose hours are put together: which of it is always the same of the same row."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp


class NotRangedError(ValueError):
    """It is not certain that a range of hours has the rows that its hours have alone; says why."""


def named(node: exp.Expr) -> str:
    """Return what a message calls a part of a statement."""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return str(node.name).lower()
    return node.sql_name().lower() if isinstance(node, exp.Func) else node.key.upper()


def is_plain(value: object, type_of: Callable[[exp.Column], str | None]) -> bool:
    """Tell whether a value is a column whose equal values cannot be told apart, as zeros of floats can."""
    plain = ("string", "boolean", "date", "timestamp", "timestamp_ntz", "binary")
    return isinstance(value, exp.Column) and type_of(value) in plain


# fmt: off
KNOWN = {
    exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Join, exp.Where, exp.Group, exp.Having, exp.Filter,
    exp.Alias, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Interval, exp.Var,
    exp.DataType, exp.DataTypeParam, exp.Distinct, exp.Dot, exp.Bracket,
    exp.And, exp.Or, exp.Not, exp.In, exp.Between, exp.Is, exp.Like, exp.ILike, exp.RegexpLike,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe,
    exp.If, exp.Case, exp.Coalesce, exp.Nullif, exp.Cast, exp.TryCast, exp.Greatest, exp.Least,
    exp.Abs, exp.Sign, exp.Ceil, exp.Floor, exp.Round, exp.Sqrt, exp.Pow,
    exp.Upper, exp.Lower, exp.Trim, exp.Length, exp.Left, exp.Right, exp.Substring, exp.Concat,
    exp.ConcatWs, exp.Replace, exp.StartsWith, exp.EndsWith, exp.Contains, exp.StrPosition,
    exp.TimestampTrunc, exp.DateTrunc, exp.TsOrDsToDate, exp.Extract, exp.Year, exp.Quarter, exp.Month,
    exp.WeekOfYear, exp.DayOfMonth, exp.DayOfWeek, exp.DayOfYear, exp.Hour, exp.Minute, exp.Second,
    exp.Count, exp.CountIf, exp.Min, exp.Max, exp.Sum, exp.Avg, exp.LogicalAnd, exp.LogicalOr,
}
# fmt: on
"""What is always the same of the same row; and aggregates, which are judged one by one."""
