"""SQL of one hour as SQL of a range of hours, where both provably give the same rows. A pure function."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp, parse
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from pipeline.batch.planning.range_logic import RANGE_HOUR
from pipeline.batch.planning.range_proof import prove
from pipeline.batch.sql.known import NotRangedError
from pipeline.batch.sql.types import Types


@dataclass(frozen=True)
class RangeSql:
    """A statement over the view `events` of a range: each hour's rows are what the hour has alone.

    Attributes:
        text: of the statement; it gives `RANGE_HOUR` too, and no row of an hour without events.
        most_rows: up to how many rows of events of an hour that is so; None: of any number.
    """

    text: str
    most_rows: int | None


def range_sql(text: str, types: Types) -> RangeSql:
    """Return a statement that computes a range from `text`, which computes an hour.

    `types` are those of the views that it may read, `events` and reference data. What is returned is what its
    author wrote but for the hour, which is selected last, and grouped by.

    Raises:
        NotRangedError: the two may differ, or nobody knows.
    """
    statement = _parsed(text)
    proof = prove(statement, types)
    hour = f"date_trunc('HOUR', `{proof.events}`.`_event_time`)"
    grouped = statement.args.get("group") is not None
    ranged = _with_hour(text, hour, grouped=grouped)
    wanted = statement.copy().select(f"{hour} AS `{RANGE_HOUR}`", dialect=Spark)
    if _parsed(ranged) != (wanted.group_by(hour, dialect=Spark) if grouped else wanted):
        raise NotRangedError("where its clauses begin and end is not certain")
    return RangeSql(ranged, proof.most_rows)


def _parsed(text: str) -> exp.Select:
    try:
        statements = parse(text, dialect=Spark)
    except (SqlglotError, RecursionError):
        raise NotRangedError("it is not SQL that is understood") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise NotRangedError("it is not one SELECT")
    return statements[0]


def _with_hour(text: str, hour: str, *, grouped: bool) -> str:
    """Return `text` with the hour last of what it selects, and of what it groups by.

    Nothing else of it is written anew: a parser that took it for something else would change what runs.
    """
    tokens = Spark().tokenize(text)
    clauses = list(_clauses(tokens))
    if grouped:
        end = next((end for name, end in clauses if name is TokenType.HAVING), tokens[-1].end + 1)
        text = f"{text[:end]}, {hour}{text[end:]}"
    end = next((end for name, end in clauses if name is TokenType.FROM), 0)
    return f"{text[:end]}, {hour} AS `{RANGE_HOUR}`{text[end:]}"


def _clauses(tokens: list[Token]) -> Iterator[tuple[TokenType, int]]:
    """Yield each token outside of parentheses, with where the one before it ends."""
    depth = 0
    for before, token in pairwise(tokens):
        depth += (before.token_type is TokenType.L_PAREN) - (before.token_type is TokenType.R_PAREN)
        # `IS DISTINCT FROM` is an operator.
        if depth == 0 and before.token_type is not TokenType.DISTINCT:
            yield token.token_type, before.end + 1
